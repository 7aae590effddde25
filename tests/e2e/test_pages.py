"""Every page of the people who use a hub, in light and in dark."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver
from playwright.sync_api import expect

from tests.e2e import booking as do
from tests.e2e import pages
from tests.e2e.conftest import MONDAY, NEXT_MONDAY, MakePerson, Site, finish, manage
from tests.e2e.pages import DESK, NO_PAGE, PEOPLE, STORIES, Codes, Shown


@pytest.fixture(scope="module")
def codes(site: Site) -> Codes:
    return pages.codes_of(site)


def names(resolver: Any) -> set[str]:
    found: set[str] = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found |= {entry.name} if entry.name else set()
        elif entry.namespace is None and entry.app_name is None:
            found |= names(entry)
    return found


def test_every_url_has_its_page() -> None:
    named = {name for shown in PEOPLE + DESK for name in shown.urls}
    assert names(get_resolver()) - NO_PAGE - STORIES == named


def test_pages_of_a_visit_that_runs(make_person: MakePerson) -> None:
    """First in the file: it books the half hour that runs, and the demo's clock goes on while pages are looked at."""
    member = make_person("member60")
    code = do.books(member, MONDAY, "09:30", "10:30")
    for path in ("", "extend/", "leave/"):
        assert pages.look(member.open(f"/visits/{code}/{path}")) == []
    assert pages.look(member.open("/")) == []


@pytest.mark.parametrize("shown", PEOPLE, ids=str)
def test_page(shown: Shown, reader: MakePerson, codes: Codes) -> None:
    assert pages.look(pages.show(shown, reader(shown.who), codes)) == []


def test_pages_of_a_statement(make_person: MakePerson, site: Site) -> None:
    """The demo's clock stands in the month whose statements are not due yet, so one is written here."""
    finish(
        manage(
            site.folder, "shell", "-c", "from tests.e2e.stated import state; state('member51@demo.example')"
        )
    )
    member, manager = (
        make_person("member51"),
        make_person("manager", viewport={"width": pages.WIDE_DESK[0], "height": pages.WIDE_DESK[1]}),
    )
    code = pages.one(site, "SELECT code FROM work_statement")
    assert pages.look(member.open("/jobs/pay/")) == []
    assert pages.look(member.open(f"/jobs/pay/{code}/")) == []
    assert pages.look(member.open("/me/account/delete/")) == []
    assert pages.look(manager.open("/desk/ekimae/work/pay/?m=2026-12")) == []


def test_first_page_of_a_new_member(make_person: MakePerson, site: Site, codes: Codes) -> None:
    page = make_person().open("/accounts/signup/")
    pages.with_email("welcome@example.org")(page, codes)
    page.locator("input[name=code]").fill(site.code_for("welcome@example.org"))
    pages.submit(page, "form:has(input[name=code])")
    assert pages.look(page) == []
    pages.submit(page, "form:has(#id_name)")
    expect(page.locator(".err-sum")).to_be_focused()
    assert pages.look(page) == []


def test_last_page_of_a_forgotten_password(make_person: MakePerson, site: Site, codes: Codes) -> None:
    page = make_person().open("/accounts/password/reset/")
    pages.with_email("member53@demo.example")(page, codes)
    page.locator("input[name=code]").fill(site.code_for("member53@demo.example"))
    pages.submit(page, "form:has(input[name=code])")
    expect(page.locator("input[type=password]").first).to_be_visible()
    assert pages.look(page) == []


def test_page_of_a_lost_seat(make_person: MakePerson) -> None:
    misaki, other = make_person("misaki"), make_person("member30")
    page = misaki.open(f"/book/seat/?d={NEXT_MONDAY}&p=am&view=list")
    seat = str(page.locator("input[name=seat]").first.get_attribute("value"))
    page.locator("label.choice").first.tap()
    do.books(other, NEXT_MONDAY, "09:30", "12:30", seat=seat)
    do.book_button(page)
    expect(page.locator("h1")).to_have_text("予約できませんでした")
    assert pages.look(page) == []


SPACING = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }"""
CUT = """() => [...document.querySelectorAll('main *, .bar *, header *')].filter(e => {
  const style = getComputedStyle(e), words = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (!words || e.closest('.vh,.skip,.about,svg,option,select')) return false;
  return (style.overflowX === 'hidden' && e.scrollWidth > e.clientWidth + 1)
    || (style.overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 1);
}).map(e => `${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 14)}"`)"""


@pytest.mark.parametrize(
    "path", ["/", "/book/", "/book/seat/", "/visits/", "/me/children/new/", "/accounts/login/"]
)
def test_wider_text_cuts_nothing_off(path: str, make_person: MakePerson) -> None:
    """WCAG 1.4.12, and 1.4.4: text at 200 %."""
    page = make_person("" if "accounts" in path else "misaki", bypass_csp=True).open(path)
    page.add_style_tag(content=SPACING)
    assert page.evaluate(CUT) == []
    assert page.evaluate(pages.WIDE) == []
    page.add_style_tag(content="html { font-size: 200% !important; }")
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("path", ["/", "/book/"])
def test_first_view_weighs_at_most_60_kb(
    path: str, make_person: MakePerson, record_property: Callable[[str, object], None]
) -> None:
    """Everything that the first visit of a signed-in phone loads, as it came over the wire."""
    misaki = make_person("misaki")
    devtools = misaki.context.new_cdp_session(misaki.page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    misaki.open(path)
    misaki.page.wait_for_load_state("networkidle")
    total = sum(sizes)
    record_property("bytes", total)
    print(f"\n{path}: {total / 1000:.1f} kB in {len(sizes)} answers")  # noqa: T201  the figure is the point
    assert 5_000 < total <= 60_000
