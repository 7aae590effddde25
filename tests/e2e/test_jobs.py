"""Work from the director's board to a worker's phone: asked, taken, claimed, handed back. Every page is looked at."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Site
from tests.e2e.pages import WIDE_DESK, Codes


@pytest.fixture(scope="module")
def codes(site: Site) -> Codes:
    return pages.codes_of(site)


def tap(page: Page, name: str, role: str = "button") -> None:
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]  # link or button


def test_work_comes_to_a_phone_and_goes_back(make_person: MakePerson, codes: Codes) -> None:
    director = make_person("director", viewport={"width": WIDE_DESK[0], "height": WIDE_DESK[1]})
    desk = director.open(f"/desk/ekimae/work/orders/{codes['full']}/hand/")
    tap(desk, "自分で とるのを やめる")
    desk.locator("#most-1").fill("5")
    tap(desk, "自分で とれるように する")
    tap(desk, "人を えらんで 頼む", "link")
    desk.locator(f"#id_n_{codes['idle']}").fill("3")
    tap(desk, "この数で 頼む")
    expect(desk.locator("main")).to_contain_text("自分で とれます。いちどに 5件までです。")
    expect(desk.locator("main")).to_contain_text("えらんで 頼みました。")
    assert pages.look(desk) == []

    phone = make_person("member20").open("/")
    with phone.expect_navigation():
        phone.locator(".tabs a[href='/jobs/']").click()
    assert pages.look(phone) == []
    tap(phone, "条件を ぜんぶ 読む", "link")
    assert pages.look(phone) == []
    tap(phone, "受ける")
    expect(phone.locator("main")).to_contain_text("受けた 条件")
    assert pages.look(phone) == []
    phone.goto(phone.url.partition("/jobs/")[0] + "/jobs/")
    expect(phone.locator("#h-hand")).to_have_text("手もとの しごと")
    assert pages.look(phone) == []
    phone.locator("a[href*='/jobs/take/']").last.click()
    expect(phone.locator("#h-notice")).to_be_visible()
    assert pages.look(phone) == []
    phone.locator("#id_count").fill("9")
    tap(phone, "とる")
    expect(phone.locator(".err-sum")).to_be_focused()
    assert pages.look(phone) == []
    phone.locator("#id_count").fill("2")
    tap(phone, "とる")
    tap(phone, "手ばなす", "link")
    assert pages.look(phone) == []
    tap(phone, "手ばなす")
    expect(phone.locator("main")).to_contain_text("あと 3件")
