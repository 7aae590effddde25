"""An order's whole way: taken, split, handed out, done on a phone, corrected, accepted, stated, and paid out as a PDF."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.e2e import pages
from tests.e2e.conftest import Person, new_person, own_copy, served
from tests.e2e.pages import WIDE_DESK

TITLE = "水やりの 記録を 書きなおす"
ROWS = "番号,内容,参考\n" + "\n".join(
    f"W-{n},「{n}番の 鉢に 水を やた」を なおす,一文で" for n in range(1, 13)
)
FIRST, MENDED = "1番の鉢に水をやった。", "1番の鉢に水をやりました。"
LATER = "2027-01-18T10:00+09:00"  # statements of December can be made from the 16th on
DESK = {"viewport": {"width": WIDE_DESK[0], "height": WIDE_DESK[1]}, "has_touch": False}
WORK = "/desk/ekimae/work/"


@pytest.fixture
def folder(demo_folder: Path, tmp_path: Path) -> Path:
    return own_copy(demo_folder, tmp_path)


@pytest.fixture
def met() -> Iterator[list[Person]]:
    """People of this test; what went wrong in their browsers is asked at its end."""
    people: list[Person] = []
    yield people
    for person in people:
        person.context.close()
    assert [line for person in people for line in person.trouble] == []


def go(page: Page, name: str, role: str = "button") -> None:
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]  # link or button


def take_the_order(page: Page, url: str) -> str:
    """Make the order in two lots, bring its file, agree on terms; returns its address."""
    page.goto(f"{url}{WORK}orders/new/")
    page.get_by_label("クライアント").select_option(label="見本商店街 組合")
    page.get_by_label("しごとの 名前").fill(TITLE)
    page.get_by_label("種類").select_option("checking")
    page.get_by_label("すること").fill("文を 読みやすく なおします。")
    page.locator("#id_unit_count").fill("12")
    page.locator("#id_price_yen").fill("100")
    page.locator("#id_minutes_per_unit").fill("3")
    page.locator("#id_deadline").fill("2026-12-21")
    go(page, "保存する")
    order = page.url
    page.goto(f"{order}lots/")
    page.locator("#id_first").fill("8")
    page.locator("#id_gate_percent").fill("50")
    go(page, "分ける")
    page.goto(f"{order}import/")
    page.locator("#id_file").set_input_files(
        {"name": "mizu.csv", "mimeType": "text/csv", "buffer": ROWS.encode("cp932")}
    )
    go(page, "ファイルを たしかめる")
    expect(page.get_by_role("button", name="12件を 取りこむ")).to_be_visible()
    go(page, "12件を 取りこむ")
    expect(page.locator("main")).to_contain_text("取りこみました")
    page.goto(f"{order}accept/")
    page.locator("#id_place").fill("組合の 共有フォルダー")
    page.locator("#id_client_pays_on").fill("2027-01-29")
    go(page, "この条件で 受ける")
    return order


def hand_out(page: Page, order: str) -> None:
    page.goto(f"{order}hand/")
    page.locator("#id_units").fill("8")
    go(page, "分けかたを 見る")
    expect(page.locator("main")).to_contain_text("同じ数ずつ")
    assert pages.look(page) == []
    go(page, "この数で 頼む")


@pytest.mark.pdf
def test_order_becomes_money(browser: Browser, folder: Path, met: list[Person]) -> None:
    with served(folder) as site:
        desk = new_person(browser, site, "director", **DESK)
        phone = new_person(browser, site, "misaki")
        met += [desk, phone]
        order = take_the_order(desk.page, site.url)
        hand_out(desk.page, order)

        page = phone.open("/jobs/")
        card = page.locator("article", has_text=TITLE)
        with page.expect_navigation():
            card.get_by_role("button", name="受ける").first.tap()
        with page.expect_navigation():
            page.locator("a.main-action").tap()
        assert pages.look(page) == []
        go(page, "つぎの しごとを 開く", "link")
        expect(page.locator("main")).to_contain_text("番の 鉢に 水を やた」を なおす")
        page.get_by_label("書くところ").fill(FIRST)
        expect(page.locator("#saved")).to_contain_text("保存しました")
        page.reload()
        expect(page.get_by_label("書くところ")).to_have_value(FIRST)
        go(page, "送る")

        desk.open(f"{WORK}review/")
        with desk.page.expect_navigation():
            desk.page.get_by_role("row", name=TITLE).get_by_role("link").first.click()
        desk.page.locator("#id_words_0").fill("やった。")
        desk.page.locator("#id_kind_0").select_option("style")
        desk.page.locator("#id_comment_0").fill("「ました。」で そろえます。")
        go(desk.page, "なおしを たのむ")

        phone.open("/me/notices/")
        expect(page.locator("main")).to_contain_text("しごとの なおしの おねがいです")
        go(page, "しごとの なおしの おねがいです", "link")
        expect(page.locator("mark")).to_contain_text("やった。")
        expect(page.locator("main")).to_contain_text("「ました。」で そろえます。")
        assert pages.look(page) == []
        page.get_by_label("書くところ").fill(MENDED)
        go(page, "送る")

        desk.open(f"{WORK}review/")
        with desk.page.expect_navigation():
            desk.page.get_by_role("row", name=TITLE).get_by_role("link").first.click()
        expect(desk.page.locator("main")).to_contain_text(MENDED)
        assert pages.look(desk.page) == []
        go(desk.page, "合格に する")

    with served(folder, HUB_NOW=LATER) as site:
        desk, phone = new_person(browser, site, "director", **DESK), new_person(browser, site, "misaki")
        met += [desk, phone]
        desk.open(f"{WORK}pay/?m=2026-12")
        if desk.page.get_by_role("button", name="明細を 作る").count():  # otherwise the tick was faster
            go(desk.page, "明細を 作る")
        expect(desk.page.get_by_role("row", name="山田 みさき")).to_be_visible()
        page = phone.open("/jobs/pay/")
        with page.expect_navigation():
            page.get_by_role("link", name="2026年 12月").first.tap()
        expect(page.get_by_role("row", name=TITLE)).to_contain_text("1件 × 65円")
        assert pages.look(page) == []
        with page.expect_download() as download:
            page.get_by_role("link", name="PDFを ダウンロードする").tap()
        reader = PdfReader(io.BytesIO(Path(download.value.path()).read_bytes()))
        text = "".join("".join(sheet.extract_text() for sheet in reader.pages).split())
        assert len(reader.pages) == 1
        assert "".join(TITLE.split()) in text
        assert "65円" in text
