"""My usual week on a phone: a clash, a full date and a holiday in the preview; confirmed, changed, cancelled."""

from datetime import date

import pytest
from icalendar import Calendar
from playwright.sync_api import Page, expect

from tests.e2e import booking as do
from tests.e2e import pages
from tests.e2e.conftest import PHONE, THURSDAY, MakePerson, Site, text_of, until

SMALL = {"width": 320, "height": 640}
NEW_YEAR = (date(2026, 12, 31), date(2027, 1, 1))


def choose_days(page: Page, *days: str) -> None:
    for day in days:
        page.locator("label.choice", has_text=f"{day}曜日").tap()


def line(page: Page, words: str) -> str:
    """The words of one date in the preview."""
    return " ".join(page.locator("main li", has_text=words).first.locator(".face").inner_text().split())


@pytest.mark.parametrize("size", [PHONE, SMALL])
@pytest.mark.parametrize("script", [True, False])
def test_pattern_fits_the_phone(make_person: MakePerson, size: dict[str, int], script: bool) -> None:
    misaki = make_person("misaki", viewport=size, java_script_enabled=script)
    page = misaki.open("/book/")
    page.get_by_role("link", name="いつもの 1週間を まとめて 予約する").tap()
    expect(page.locator("h1")).to_have_text("いつもの 1週間")
    expect(page.locator("#f1")).to_be_hidden()
    choose_days(page, "火")
    expect(page.locator("#f1")).to_be_visible()
    page.get_by_role("button", name="1日ずつ たしかめる").tap()
    expect(page.locator("h1")).to_have_text("1日ずつ たしかめる")
    if script:
        assert page.evaluate(pages.MEASURE) == []


def test_usual_week_with_a_clash_and_a_holiday(make_person: MakePerson, site: Site) -> None:
    member = make_person("member27")
    children = member.get("/api/v1/children")["items"]
    do.books(member, THURSDAY, "10:00", "11:00", zone="none")
    page = member.open("/series/new/")
    choose_days(page, "木", "金")
    page.locator("#f4").select_option("15:00")
    page.locator("#t4").select_option("17:00")
    for child in children:
        page.locator("fieldset#kids label.choice.care", has_text=child["name"]).tap()
    page.locator("#first").fill("2026-12-08")
    page.locator("#last").fill("2027-01-31")
    page.get_by_role("button", name="1日ずつ たしかめる").tap()

    assert "ほかの予約。その時間には もう 別の 予約が あります" in line(page, "12月10日")
    assert "休み。この日は お休みです（" in line(page, "12月31日")
    assert "休み。この日は お休みです（" in line(page, "1月1日")
    assert "予約できます" in line(page, "12月17日")
    assert "まだ 始まっていません。始まったら 予約します。" in line(page, "1月28日")
    totals = page.locator("#totals")
    before = totals.inner_text()

    # One date off, one at another time: the words above follow.
    page.locator("label.choice", has_text="12月17日").tap()
    expect(totals).to_contain_text("1日は 行かない日に しました。")
    assert totals.inner_text() != before
    page.locator("summary", has_text="12月10日").tap()
    shift = page.locator("#s-2026-12-10")
    other = str(shift.locator("option").nth(1).get_attribute("value"))
    shift.select_option(other)
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    page.get_by_role("button", name="これで 予約する").dblclick()
    expect(page.locator("h1")).to_have_text("いつもの 1週間を 予約しました")

    code = page.url.partition("/series/")[2].partition("/")[0]
    series = member.get(f"/api/v1/series/{code}")
    found = {one["date"]: one for one in series["dates"]}
    assert (found["2026-12-17"]["state"], found["2026-12-10"]["state"]) == ("off", "booked")
    assert f"{found['2026-12-10']['starts']}-{found['2026-12-10']['ends']}" == other
    assert {found[day.isoformat()]["code"] for day in NEW_YEAR} == {"hub_closed"}
    assert (found["2027-01-28"]["state"], member.get("/api/v1/series")["count"]) == ("waiting", 1)
    booked = [one for one in series["dates"] if one["state"] == "booked"]
    visit = member.get(f"/api/v1/visits/{booked[0]['visit']}")
    assert sorted(child["name"] for child in visit["children"]) == sorted(child["name"] for child in children)
    assert pages.look(page) == []

    # One mail, one calendar file with every date in it.
    mail = until(lambda: [m for m in site.mails("member27@demo.example") if code in text_of(m)])
    assert len(mail) == 1
    files = list(mail[0].iter_attachments())
    assert [part.get_content_type() for part in files] == ["text/calendar"]
    assert len(Calendar.from_ical(files[0].get_content()).walk("VEVENT")) == len(booked)

    # From the list of her visits: everything from the new year on is cancelled.
    page.goto(site.url + "/visits/")
    page.locator("section[aria-labelledby=h-series] a.item").tap()
    page.get_by_role("link", name="まとめて やめる").tap()
    page.locator("#from").fill("2027-01-04")
    page.get_by_role("button", name="この日を しらべる").tap()
    expect(page.locator("#confirm-h")).to_contain_text("8日を やめますか")
    page.locator("button.stop").tap()
    expect(page.locator("h1")).to_have_text("いつもの 1週間を やめました")
    after = {one["date"]: one["state"] for one in member.get(f"/api/v1/series/{code}")["dates"]}
    assert {state for day, state in after.items() if day >= "2027-01-04"} == {"cancelled"}
    assert {state for day, state in after.items() if day < "2026-12-28"} == {"off", "booked"}


def test_usual_week_without_javascript_from_a_visit(make_person: MakePerson) -> None:
    member = make_person("member26", java_script_enabled=False)
    code = do.books(member, THURSDAY, "15:00", "16:30", zone="quiet")
    page = member.open(f"/visits/{code}/")
    page.get_by_role("link", name="いつもの 1週間に する").tap()
    assert page.locator("#wd-3").is_checked()
    assert page.locator("#f3").input_value() == "15:00"
    page.get_by_role("button", name="1日ずつ たしかめる").tap()
    page.get_by_role("button", name="これで 予約する").tap()
    expect(page.locator("h1")).to_have_text("いつもの 1週間を 予約しました")

    made = member.get("/api/v1/series")["items"][0]
    first = next(one for one in made["dates"] if one["state"] == "booked")
    assert (first["date"], first["starts"], first["ends"]) == ("2026-12-17", "15:00", "16:30")

    page.get_by_role("link", name="まとめて 変える").tap()
    page.locator("#f").select_option("15:30")
    page.locator("#t").select_option("17:00")
    page.locator("form[method=post] button.main-action").tap()
    expect(page.locator("h1")).to_have_text("いつもの 1週間を 変えました")
    again = member.get(f"/api/v1/series/{made['code']}")["dates"]
    assert {one["starts"] for one in again if one["state"] == "booked"} == {"15:30"}


@pytest.mark.parametrize("size", [PHONE, {"width": 1024, "height": 768}], ids=["phone", "tablet"])
def test_staff_make_a_usual_week_for_a_caller_without_an_address(
    make_person: MakePerson, site: Site, size: dict[str, int]
) -> None:
    """From the search to the list of what she is told by telephone, and back to it from a visit."""
    name, code = pages.row(site, "SELECT name, code FROM members_member WHERE email IS NULL AND is_active")
    door = make_person("door", viewport=size)
    page = door.open(f"/desk/ekimae/book/?q={name}")
    page.get_by_role("link", name=f"いつもの 1週間 {name}").tap()
    expect(page.locator("p.note").first).to_contain_text(f"{name}さんの 予約を しています。")
    choose_days(page, "火" if size == PHONE else "木")
    page.locator("#first").fill("2026-12-08")
    page.locator("#last").fill("2026-12-21")
    assert pages.look(page) == []
    page.get_by_role("button", name="1日ずつ たしかめる").tap()
    expect(page.locator("h1")).to_have_text("1日ずつ たしかめる")
    assert f"for={code}" in page.url
    assert pages.look(page) == []
    page.get_by_role("button", name="これで 予約する").tap()

    expect(page.locator("h1")).to_have_text("いつもの 1週間を 予約しました")
    expect(page.locator("main")).to_contain_text(
        "メールの ない 人です。とれた日と とれない日を 電話で 伝えてください。"
    )
    assert do.fact(page, "だれ") == f"{name}さん"
    assert "駅前ハブ" in do.fact(page, "入れた人")
    assert pages.look(page) == []
    page.locator("ul.list a.item[href^='/visits/']").first.tap()
    expect(page.get_by_role("link", name="いつもの 1週間を 見る")).to_be_visible()
