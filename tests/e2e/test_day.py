"""The manager's day in the browser: the board, the table, what changes by itself, and the list that is printed."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import booking as do
from tests.e2e import pages
from tests.e2e.conftest import MONDAY, MakePerson, Site, finish, manage

DESK = {"viewport": {"width": 1440, "height": 900}, "has_touch": False}
DAY = "/desk/ekimae/"
#: A mother whose child is in the room went out for a moment, as the door records it.
MOTHER_WENT_OUT = """
from hub.checkin.models import Presence
from hub.childcare.models import Custody
from hub.core import clock
child = Custody.objects.filter(closed_at=None, room__hub__slug="ekimae").order_by("pk").first()
went = Presence.objects.filter(visit=child.place.visit, left_at=None).update(left_at=clock.now(), ended_as="out")
assert went == 1
"""


@pytest.fixture(scope="module")
def mother_outside(site: Site) -> None:
    finish(manage(site.folder, "shell", "--no-imports", "-c", MOTHER_WENT_OUT))


def joined(page: Page, open_page: Any) -> Page:
    """Open a page and wait until its socket has joined every group that the page names."""
    frames: list[Any] = []
    page.once("websocket", lambda socket: socket.on("framereceived", lambda one: frames.append(one)))
    open_page()
    groups = len(str(page.locator("body").get_attribute("data-live")).split())
    for _turn in range(150):
        if len(frames) >= groups:
            return page
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(frames)} of {groups} groups joined")


def test_board_leads_to_a_visit_and_to_the_table(make_person: MakePerson) -> None:
    page = make_person("manager", **DESK).open(DAY)
    expect(page.locator(".kpi")).to_have_count(5)
    expect(page.locator("#board .line .lab").first).to_contain_text("席")
    blocks = page.locator("#board a.bk").count()
    page.get_by_role("link", name="表で 見る").click()
    expect(page.locator(".day-table tbody tr")).to_have_count(blocks)
    page.get_by_role("link", name="図で 見る").click()
    name = page.locator("#board a.bk .who").first.inner_text()
    page.locator("#board a.bk").first.click()
    expect(page.locator("h1")).to_contain_text(name.split()[-1])


def test_blocks_stand_where_their_hours_are(make_person: MakePerson) -> None:
    page = make_person("manager", **DESK).open(DAY)
    wrong = page.evaluate("""() => {
      const marks = [...document.querySelectorAll('#board .marks > span:not(.vh)')];
      const first = marks[0].getBoundingClientRect().left, hour = marks[1].getBoundingClientRect().left - first;
      const start = parseInt(marks[0].textContent);
      return [...document.querySelectorAll('#board a.bk')].map(block => {
        const [, h, m, H, M] = block.textContent.match(/(\\d+):(\\d+)から (\\d+):(\\d+)まで/).map(Number);
        const box = block.getBoundingClientRect();
        const left = first + (h + m / 60 - start) * hour, right = first + (H + M / 60 - start) * hour;
        return Math.abs(box.left - left) < 4 && Math.abs(box.right - right) < 4 ? null : block.textContent;
      }).filter(Boolean);
    }""")
    assert wrong == []
    line = page.locator(".now-line line").bounding_box()
    marks = page.locator("#board .marks > span:not(.vh)")
    nine, ten = marks.nth(1).bounding_box(), marks.nth(2).bounding_box()
    assert line
    assert nine
    assert ten
    assert nine["x"] < line["x"] < ten["x"]


def test_booking_of_somebody_else_appears_and_nothing_jumps(make_person: MakePerson) -> None:
    manager, other = make_person("manager", viewport={"width": 1024, "height": 600}), make_person("member33")
    page = joined(manager.page, lambda: manager.open(DAY))
    block = page.locator("#board a.bk").last
    block.focus()
    before = page.evaluate(
        "[document.activeElement.id, scrollY, document.querySelector('.tl-frame').scrollLeft]"
    )
    blocks = page.locator("#board a.bk").count()
    do.books(other, MONDAY, "15:00", "17:30")
    expect(page.locator("#board a.bk")).to_have_count(blocks + 1, timeout=5000)
    expect(page.locator("#numbers")).to_contain_text(f"予約 {blocks + 1}人")
    after = page.evaluate(
        "[document.activeElement.id, scrollY, document.querySelector('.tl-frame').scrollLeft]"
    )
    assert after == before


def test_seat_of_somebody_who_did_not_come_is_given_on(make_person: MakePerson) -> None:
    door, manager = make_person("door", **DESK), make_person("manager", **DESK)
    watching = joined(manager.page, lambda: manager.open(DAY))
    page = door.open(DAY)
    late = page.locator(".late-one").count()
    assert late > 0
    name = page.locator(".late-one b").first.inner_text()
    page.locator(".late-one").first.get_by_role("link", name="席を 空ける").click()
    expect(page.locator("h2").first).to_have_text(name)
    page.get_by_role("button", name="席を 空ける").click()
    expect(page.locator("#toasts")).to_contain_text(f"{name}さんの 予約を 空けました。")
    expect(page.locator(".late-one")).to_have_count(late - 1)
    expect(watching.locator(".late-one")).to_have_count(late - 1, timeout=5000)
    expect(watching.locator("#board a.bk.missed").first).to_contain_text("来なかった")


def test_only_the_board_scrolls_sideways_on_a_phone(make_person: MakePerson) -> None:
    page = make_person("manager").open(DAY)
    wide, inner, left = page.evaluate("""() => {
      const frame = document.querySelector('.tl-frame');
      return [document.documentElement.scrollWidth - innerWidth, frame.scrollWidth - frame.clientWidth, frame.scrollLeft];
    }""")
    assert wide <= 0
    assert inner > 0
    assert left > 0, "now is brought into view"
    box = page.locator(".now-line line").bounding_box()
    assert box
    assert 0 < box["x"] < 390


def test_board_is_reached_and_left_by_the_keyboard(make_person: MakePerson) -> None:
    page = make_person("manager", **DESK).open(DAY)
    page.locator(".tl-frame").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#board a.bk')")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert re.search(r"/visits/[0-9A-Z]+/$", page.url)


def test_list_of_who_is_inside_prints_with_boxes_on_one_sheet(
    make_person: MakePerson, mother_outside: None
) -> None:
    door = make_person("door", **DESK)
    page = door.open(f"{DAY}inside/")
    now = door.get("/api/v1/checkin/inside?hub=ekimae")
    adults, children = now["totals"]["adults"], now["totals"]["children"]
    assert min(adults, children) >= 2
    expect(page.locator(".totals .v")).to_have_text(
        [f"{adults}人", f"{children}人", f"{adults + children}人"]
    )
    expect(page.locator(".alone")).to_contain_text("親は 中に いません")
    expect(page.locator(".box").first).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(".box")).to_have_count(adults + children)
    expect(page.locator(".box").first).to_be_visible()
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator("[data-print]")).to_be_hidden()
    assert len(page.screenshot(full_page=True)) > 10_000
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1


def test_full_list_of_who_is_inside_is_a_good_page(make_person: MakePerson, mother_outside: None) -> None:
    page = make_person("carer", **DESK).open(f"{DAY}inside/")
    assert pages.look(page) == []


def test_list_and_day_work_without_javascript(make_person: MakePerson, mother_outside: None) -> None:
    door = make_person("door", java_script_enabled=False, **DESK)
    expect(door.open(f"{DAY}inside/").locator(".who-table").first).to_be_visible()
    page = door.open(DAY)
    page.get_by_role("link", name="つぎの日").click()
    expect(page.locator(".daynav")).to_contain_text("12月8日（火）")
