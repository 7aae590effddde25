"""The door with a real camera picture: a rendered QR is what Chromium's fake camera sees."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.e2e import camera
from tests.e2e.conftest import PHONE, MakePerson, Person, Site, finish, manage, watch

DOOR = "/door/?hub=ekimae"
WORD = "#door-answer h1"
#: From a decoded frame to the word: the goal is 700 ms (ux.md 9); a busy test machine gets more, benchmarks judge.
GENEROUS = 4000
ISSUE = """
from hub.checkin import passes
from hub.core import clock
from hub.members.models import Member
from hub.spaces.models import Hub
hub = Hub.objects.get(slug="ekimae")
card = passes.pass_for(member=Member.objects.get(email="{who}@demo.example"), hub=hub, day=clock.today(hub.tz))
print("pass", passes.token_of(card), card.fallback)
"""


def pass_of(site: Site, who: str) -> tuple[str, str]:
    """What her QR holds today, and the six digits below it."""
    finish(manage(site.folder, "shell", "--no-imports", "-c", ISSUE.format(who=who)))
    found = re.findall(r"^pass (\S+) (\d{6})$", (site.folder / "shell.log").read_text(), re.MULTILINE)
    return found[-1]


@contextmanager
def at_the_door(browser: Browser, site: Site) -> Iterator[Person]:
    """The door's phone in this browser; nothing may go wrong on its console."""
    context = browser.new_context(viewport=PHONE, locale="ja-JP", has_touch=True, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    person = Person(site, context, context.new_page())
    watch(person)
    person.sign_in("door")
    yield person
    context.close()
    assert person.trouble == []


def took(page: Page) -> float:
    """Milliseconds from the frame that was read to the word on the screen, the last time."""
    script = """() => {
        const at = name => performance.getEntriesByName(name).at(-1)?.startTime ?? NaN;
        return at('door:word') - at('door:read');
    }"""
    page.wait_for_function("() => performance.getEntriesByName('door:word').length > 0")
    return float(page.evaluate(script))


@pytest.mark.parametrize(("who", "blur"), [("misaki", 0), ("kenta", 3)])
def test_qr_before_the_camera_lets_in(
    who: str, blur: int, site: Site, playwright: Playwright, tmp_path: Path,
    record_property: pytest.FixtureRequest,
) -> None:  # fmt: skip
    text = pass_of(site, who)[0]
    film = camera.of_code(tmp_path / "qr.y4m", text, blur=blur)
    with camera.seeing(playwright, film) as browser, at_the_door(browser, site) as door:
        page = door.open(DOOR)
        # Misaki's visit is at ten; Kenta has none today, and is read just as well.
        expect(page.locator(WORD)).to_have_text("どうぞ" if who == "misaki" else "予約なし")
        expect(page.locator(".slip .who")).to_contain_text("みさき" if who == "misaki" else "けんた")
        expect(page).to_have_url(re.compile(r"/door/scan/[0-9a-f-]{36}/$"))
        ms = took(page)
        print(f"scan to word, blur {blur}: {ms:.0f} ms")  # noqa: T201  a figure for whoever reads the run
        record_property(f"scan_to_word_ms_blur_{blur}", round(ms))  # type: ignore[operator]
        assert ms < GENEROUS

        if who == "misaki":  # the camera comes back by itself, and the same code in view is not asked again
            expect(page.locator("#door-scan")).to_be_visible()
            expect(page).to_have_url(re.compile(r"/door/\?hub=ekimae$"))
            expect(page.locator("#door-last a")).to_contain_text("みさき")
            page.wait_for_timeout(1500)
            expect(page.locator(WORD)).to_have_count(0)
        else:  # a refusal stays until somebody goes on
            page.wait_for_timeout(3500)
            expect(page.locator(WORD)).to_have_text("予約なし")
            page.get_by_role("link", name="つぎの人を 読みとる").tap()
            expect(page.locator("#door-scan")).to_be_visible()
            expect(page.locator("#camera")).to_be_visible()


def test_answer_can_be_taken_back_and_reloaded(site: Site, make_person: MakePerson) -> None:
    digits = pass_of(site, "carer")[1]
    door = make_person("door")
    page = door.open(DOOR)
    page.locator("#id_code").fill(digits)
    page.locator("#code-form button").tap()
    expect(page.locator(WORD)).to_have_text("もう 中にいます")  # she came in the morning

    page.reload()
    expect(page.locator(WORD)).to_have_text("もう 中にいます")
    page.get_by_role("button", name="帰る（退館に する）").tap()
    expect(page.locator(WORD)).to_have_text("おつかれさまでした")
    page.get_by_role("button", name="取り消す").tap()
    expect(page.locator(WORD)).to_have_text("取り消しました")


def test_camera_refused_leaves_the_number_and_says_so(site: Site, playwright: Playwright) -> None:
    digits = pass_of(site, "member01")[1]
    with camera.seeing(playwright, None) as browser, at_the_door(browser, site) as door:
        page = door.open(DOOR)
        expect(page.locator("#door-note")).to_contain_text("カメラが 使えません")
        page.locator("#id_code").fill(digits[:3])
        page.locator("#code-form button").tap()
        expect(page.locator("#id_code_error")).to_contain_text("6けた")
        expect(page.locator("#id_code")).to_be_focused()
        page.locator("#id_code").fill(digits)
        page.locator("#code-form button").tap()
        expect(page.locator(WORD)).to_be_focused()
        expect(page.locator(".slip .who")).to_be_visible()


def test_number_works_without_javascript(site: Site, make_person: MakePerson) -> None:
    digits = pass_of(site, "plaza")[1]
    page = make_person("door", java_script_enabled=False).open(DOOR)
    page.locator("#id_code").fill(f"{digits[:3]} {digits[3:]}")
    page.locator("#code-form button").click()
    expect(page.locator(WORD)).to_have_text("どうぞ")
    expect(page.locator(".sub")).to_have_text("スタッフの 入館を 記録しました")

    page.get_by_role("button", name="取り消す").click()
    expect(page.locator(WORD)).to_have_text("取り消しました")
    page.get_by_role("link", name="つぎの人を 読みとる").click()
    expect(page.locator("#id_code")).to_be_visible()


def test_lost_network_keeps_the_number_and_the_same_scan_is_sent_again(
    site: Site, make_person: MakePerson
) -> None:
    digits = pass_of(site, "director")[1]
    door = make_person("door")
    page = door.open(DOOR)
    page.locator("#id_code").fill(digits)
    before = page.locator("#code-form input[name=id]").input_value()
    door.context.set_offline(True)
    page.locator("#code-form button").tap()
    expect(page.locator("#door-say")).to_contain_text("電波が ありません")
    expect(page.locator("#id_code")).to_have_value(digits)
    assert page.locator("#code-form input[name=id]").input_value() == before

    door.context.set_offline(False)
    page.locator("#code-form button").tap()
    expect(page.locator(WORD)).to_have_text("どうぞ")
    assert before in page.url
    door.trouble[:] = [line for line in door.trouble if "ERR_INTERNET_DISCONNECTED" not in line]


def test_counts_follow_what_happens_at_another_door(site: Site, make_person: MakePerson) -> None:
    page = make_person("door").open(DOOR)
    inside = page.locator("#door-counts b").first
    before = int(inside.inner_text())
    other = make_person("manager")
    there = other.open("/door/visitors/?hub=ekimae")
    there.locator("#id_name").fill("見学の 人")
    there.get_by_role("button", name="入館を 記録する").tap()

    expect(inside).to_have_text(str(before + 1))
