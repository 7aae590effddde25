"""What a person does on the pages of booking, as steps that the tests share. Steps wait for what they caused."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Person

TOKYO = ZoneInfo("Asia/Tokyo")
CODE = re.compile(r"/visits/([0-9A-Z]{8,})/")


def waits_for_answer(page: Page, url: str) -> None:
    """The address is replaced in the same moment as the result, by htmx."""
    page.wait_for_function("url => new RegExp(url).test(location.href)", arg=url)
    # Until the swaps are done a tap could meet a part that is just being replaced.
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def choose_day(page: Page, day: date) -> None:
    """Nothing happens where the page proposed that day itself."""
    if page.locator(f"#d-{day}").is_checked():
        return
    page.locator("label.date", has=page.locator(f"#d-{day}")).tap()
    waits_for_answer(page, f"[?&]d={day}")


def choose_times(page: Page, starts: str, ends: str) -> None:
    """One's own times, "12:00" to "14:00"."""
    page.locator("label.choice", has=page.locator("#p-own")).tap()
    waits_for_answer(page, "[?&]p=own")
    # The end first: an end before the start would be an error for a moment, a start behind the end moves it along.
    page.locator("#to").select_option(ends)
    waits_for_answer(page, f"to={ends.replace(':', '%3A')}")
    page.locator("#from").select_option(starts)
    waits_for_answer(page, f"from={starts.replace(':', '%3A')}")


def choose_children(page: Page, *names: str) -> None:
    for name in names:
        label = page.locator("label.choice.care", has_text=name)
        code = label.locator("input").get_attribute("value")
        label.tap()
        waits_for_answer(page, f"[?&]c={code}")


def to_seats(page: Page) -> None:
    page.get_by_role("button", name="席をえらぶ").tap()
    expect(page.locator("h1")).to_have_text("席をえらぶ")


def free_seats(page: Page) -> list[str]:
    """Labels of the free seats on the plan."""
    return [str(one.get_attribute("value")) for one in page.locator("label.seat input").all()]


def pick_seat(page: Page, label: str) -> None:
    page.locator("label.seat", has=page.locator(f'input[value="{label}"]')).tap()
    expect(page.locator("#picked [role=status]")).to_contain_text(label)


def book_button(page: Page) -> None:
    page.locator("#picked button").tap()


def code_of(page: Page) -> str:
    match = CODE.search(page.url)
    assert match, page.url
    return match[1]


def at(day: date, clock: str) -> str:
    """ISO 8601 in Tokyo."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=TOKYO).isoformat()


def books(person: Person, day: date, starts: str, ends: str, *, hub: str = "ekimae", **more: object) -> str:
    """Books through the API, as another phone would; returns the code."""
    status, answer = person.post(
        "/api/v1/visits", hub=hub, starts_at=at(day, starts), ends_at=at(day, ends), **more
    )
    assert status == 201, answer
    return str(answer["code"])


def fact(page: Page, name: str) -> str:
    """A line of the card of facts: いつ, どこ, 子ども, 予約番号."""
    return page.locator("dl.dl > div", has=page.locator("dt", has_text=name)).locator("dd").inner_text()
