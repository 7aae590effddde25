"""A child is ill: one button on one phone, and another family, who waited for just such a place, is asked on hers."""

from playwright.sync_api import expect

from tests.e2e import booking as do
from tests.e2e import pages
from tests.e2e.conftest import WEDNESDAY, MakePerson, Site

#: Somebody whose child of Yui's class is cared for through the full lunch of Wednesday (12:00 to 14:00 in Tokyo).
FAMILY = (
    "SELECT m.email, c.code, v.code FROM childcare_careplace p JOIN childcare_child c ON c.id = p.child_id"
    " JOIN spaces_visit v ON v.id = p.visit_id JOIN members_member m ON m.id = v.member_id"
    f" WHERE v.{pages.OF_EKIMAE} AND v.status = 'booked' AND p.status = 'booked' AND m.email LIKE 'member%'"
    f" AND p.starts_at <= '{WEDNESDAY} 03:00:00' AND p.ends_at >= '{WEDNESDAY} 05:00:00'"
    " AND c.birthday BETWEEN '2024-04-02' AND '2025-04-01' ORDER BY v.id"
)


def test_ill_child_frees_a_place_and_the_waiting_family_is_asked(make_person: MakePerson, site: Site) -> None:
    email, child, code = pages.row(site, FAMILY)
    misaki = make_person("misaki")
    yui = next(one["id"] for one in misaki.get("/api/v1/children")["items"] if one["name"] == "ゆい")
    page = misaki.open(f"/wait/?hub=ekimae&d={WEDNESDAY}&p=own&from=12:00&to=14:00&c={yui}")
    with page.expect_navigation():
        page.get_by_role("button", name="空いたら 知らせてもらう").tap()
    expect(page.locator("h1")).to_have_text("空いたら 知らせます")
    page = misaki.open("/")
    expect(page.locator("body")).to_have_attribute("data-net", "on")
    page.evaluate("window.sameDocument = true")

    other = make_person(str(email).partition("@")[0])
    sick = other.open(f"/sick/?c={child}&from={WEDNESDAY}&to={WEDNESDAY}")
    expect(sick.locator(f"#c-{child}")).to_be_checked()
    with sick.expect_navigation():
        sick.get_by_role("button", name="お休みを 知らせる").tap()
    expect(sick.locator("h1")).to_have_text("お休みを 知らせました")
    expect(sick.locator("main")).to_contain_text("席も 預かりも 空けました")
    assert other.get(f"/api/v1/visits/{code}")["status"] == "cancelled"

    expect(page.get_by_role("heading", name="席が 空きました。行けますか")).to_be_visible()
    assert page.evaluate("window.sameDocument") is True, "nothing was reloaded"
    with page.expect_navigation():
        page.get_by_role("button", name="行きます").tap()
    expect(page.locator("h1")).to_have_text("予約できました")
    booked = misaki.get(f"/api/v1/visits/{do.code_of(page)}")
    assert (booked["status"], [one["name"] for one in booked["children"]]) == ("booked", ["ゆい"])


def test_ill_child_without_javascript(make_person: MakePerson) -> None:
    misaki = make_person("misaki", java_script_enabled=False)
    page = misaki.open("/")
    page.get_by_role("link", name="子どもが 病気です").click()
    page.get_by_role("button", name="お休みを 知らせる").click()
    expect(page.locator("h1")).to_have_text("お休みを 知らせました")
