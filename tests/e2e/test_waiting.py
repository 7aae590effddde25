"""A lunch is full: one family waits for seat and child together, another gives hers back, and the first phone shows the
offer without a reload. One tap takes it."""

import re

from playwright.sync_api import expect

from tests.e2e import booking as do
from tests.e2e.conftest import THURSDAY, MakePerson, Person


def fill(make_person: MakePerson, starts: str, ends: str) -> list[tuple[Person, str]]:
    """Every place of the quiet zone of that hour is somebody's."""
    made = []
    for n in range(1, 40):
        person = make_person(f"member{n:02}")
        status, answer = person.post(
            "/api/v1/visits",
            hub="ekimae",
            starts_at=do.at(THURSDAY, starts),
            ends_at=do.at(THURSDAY, ends),
            zone="private",
        )
        if status == 201:
            made.append((person, answer["code"]))
            continue
        if answer["code"] == "seat_taken":
            return made
        person.context.close()
    raise AssertionError("the zone is never full")


def test_offer_appears_on_another_phone_without_reload_and_is_accepted(make_person: MakePerson) -> None:
    held = fill(make_person, "15:00", "17:00")
    assert held
    misaki = make_person("misaki")
    yui = misaki.get("/api/v1/children")["items"]
    codes = [child["id"] for child in yui if child["name"] == "ゆい"]
    page = misaki.open(f"/wait/?hub=ekimae&d={THURSDAY}&p=own&from=15:00&to=17:00&c={codes[0]}")
    page.locator("label.choice", has=page.locator('input[name="where"][value="private"]')).tap()
    with page.expect_navigation():
        page.get_by_role("button", name="空いたら 知らせてもらう").tap()
    expect(page.locator("h1")).to_have_text("空いたら 知らせます")
    expect(page.locator("#h-place")).to_have_text("あなたが いちばん 先です")

    page = misaki.open("/")
    expect(page.locator("body")).to_have_attribute("data-net", "on")
    expect(page.get_by_role("heading", name="席が 空きました。行けますか")).to_have_count(0)
    page.evaluate("window.sameDocument = true")
    other, code = held[0]
    assert other.delete(f"/api/v1/visits/{code}") == 200

    offer = page.get_by_role("heading", name="席が 空きました。行けますか")
    expect(offer).to_be_visible()
    assert page.evaluate("window.sameDocument") is True, "nothing was reloaded"
    expect(page.locator("#now")).to_contain_text("ゆいの 預かりも とってあります")
    expect(page.locator("#now")).to_contain_text(re.compile(r"\d+:\d\d まで とっておきます"))
    # A freed place is not on the page meanwhile: somebody else is told that it is full.
    status, answer = other.post(
        "/api/v1/visits",
        hub="ekimae",
        starts_at=do.at(THURSDAY, "15:00"),
        ends_at=do.at(THURSDAY, "17:00"),
        zone="private",
    )
    assert (status, answer["code"]) == (409, "seat_taken")

    with page.expect_navigation():
        page.get_by_role("button", name="行きます").tap()
    expect(page.locator("h1")).to_have_text("予約できました")
    booked = misaki.get(f"/api/v1/visits/{do.code_of(page)}")
    assert (booked["status"], [child["name"] for child in booked["children"]]) == ("booked", ["ゆい"])


def test_whole_way_without_javascript(make_person: MakePerson) -> None:
    """The full page, the line, the list and leaving, by plain forms and links."""
    misaki = make_person("misaki", java_script_enabled=False)
    page = misaki.open("/waiting/")
    before = page.locator("main ul.list li").count()
    children = misaki.get("/api/v1/children")["items"]
    kids = "".join(f"&c={child['id']}" for child in children)
    page = misaki.open(f"/book/?hub=ekimae&d=2026-12-09&p=own&from=12:00&to=14:00{kids}")
    page.get_by_role("link", name="空いたら 知らせてもらう").click()
    page.get_by_role("button", name="空いたら 知らせてもらう").click()
    expect(page.locator("h1")).to_have_text("空いたら 知らせます")
    page = misaki.open("/waiting/")
    expect(page.locator("main ul.list li")).to_have_count(before + 1)
    page.locator("main ul.list li a").first.click()
    page.get_by_role("button", name="待つのを やめる").click()
    expect(page.locator("main")).to_contain_text("待つのを やめました")
