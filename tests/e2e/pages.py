"""What every page must be, and which pages there are. Used by the three test files beside it.

The measuring rules are those of the prototype (WCAG 2.2 AA and best practice; 2.5.5 with the exception of links inside
a sentence).
"""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from hub.demo.data import ALLERGIES
from tests.e2e.conftest import FRIDAY, THURSDAY, WEDNESDAY, Person, Site

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: A tablet on its side, a phone, the narrowest that WCAG 1.4.10 asks for.
WIDTHS = (1024, 390, 320)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MEASURE = """() => {
  const seen = e => {
    const r = e.getBoundingClientRect();
    return r.width > 1 && r.height > 1 && e.checkVisibility({ visibilityProperty: true });
  };
  const words = e => (e.textContent || e.value || '').trim().slice(0, 14);
  const small = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary')]
    .filter(seen).filter(e => !e.closest('p,dd,.prose,.skip,.vh') || e.closest('.sec-head') || e.matches('.btn,.icon-btn'))
    .map(e => (e.matches('input[type=radio],input[type=checkbox]') && e.closest('label')) || e)
    .map(e => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width < 43.5 || r.height < 43.5)
    .map(([e, r]) => `target ${e.tagName}.${e.className} ${Math.round(r.width)}x${Math.round(r.height)} "${words(e)}"`);
  const tiny = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !seen(e) || e.closest('.vh,.skip,script,template')) continue;
    let size = parseFloat(getComputedStyle(e).fontSize);
    const svg = e.closest('svg');
    if (svg && svg.viewBox.baseVal.width) size *= svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    if (size < 15.6) tiny.add(`text ${size.toFixed(1)}px ${e.tagName} "${walk.currentNode.data.trim().slice(0, 14)}"`);
  }
  const out = [...small, ...tiny];
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) out.push(`sideways scroll by ${wide} px at ${innerWidth}`);
  const h1 = document.querySelectorAll('h1').length;
  if (h1 !== 1) out.push(`${h1} h1`);
  if (document.querySelectorAll('main').length !== 1) out.push('not one main');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id), twice = ids.filter((id, n) => ids.indexOf(id) !== n);
  if (twice.length) out.push(`id twice: ${twice}`);
  if (document.querySelector('[style]')) out.push('a style attribute');
  return out;
}"""
#: Colours change by transitions, and each level that inherits a colour starts one frame later: wait for stillness.
FRAMES = """async () => {
  for (let still = 0, frame = 0; still < 6 && frame < 300; frame++) {
    await new Promise(requestAnimationFrame);
    still = document.getAnimations().length ? 0 : still + 1;
  }
}"""
WIDE = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return [];
  const far = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3);
  return [`sideways scroll by ${wide} px at ${innerWidth}: ${far.map(e => e.tagName + '.' + e.className).join(' ')}`];
}"""
#: Japanese that a reader of an English page sees: not in lang="ja", not what people typed (names, addresses).
JAPANESE = """() => {
  const out = new Set(), walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  const cjk = /[\\u3040-\\u30ff\\u3400-\\u9fff\\uff01-\\uff5e]/;
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (cjk.test(walk.currentNode.data) && !e.closest('[lang=ja],script,style,textarea')) out.add(walk.currentNode.data.trim());
  }
  for (const e of document.querySelectorAll('[aria-label],[title],[placeholder],[alt],[data-busy],[data-lost]'))
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-busy', 'data-lost', 'data-off', 'data-poll', 'data-on'])
      if (cjk.test(e.getAttribute(name) || '') && !e.closest('[lang=ja]')) out.add(e.getAttribute(name).trim());
  return [...out];
}"""


Codes = dict[str, str]
Act = Callable[[Page, Codes], None]


@dataclass(frozen=True)
class Shown:
    """A page to be looked at: who sees it and where, what is done there first, which URLs of ours it stands for."""

    name: str
    who: str
    path: str
    urls: tuple[str, ...] = ()
    act: Act | None = None
    size: tuple[int, int] = (390, 844)

    def __str__(self) -> str:
        return self.name


# ---------------------------------------------------------------- things that pages show


def row(site: Site, query: str) -> tuple[Any, ...]:
    """The first row of a query on the demo's file."""
    path = f"file:{site.folder / 'hidamari.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=20)) as base:
        found: tuple[Any, ...] | None = base.execute(query).fetchone()
    assert found, query
    return found


def one(site: Site, query: str) -> str:
    """The first cell of a query on the demo's file."""
    return str(row(site, query)[0])


OF_EKIMAE = "hub_id = (SELECT id FROM spaces_hub WHERE slug = 'ekimae')"
QUERIES = {
    "visit": "SELECT v.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    " WHERE m.email = 'misaki@demo.example' AND v.status = 'booked' ORDER BY v.starts_at",
    "later": "SELECT v.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    " WHERE m.email = 'misaki@demo.example' AND v.status = 'booked' ORDER BY v.starts_at DESC",
    "member03_past": "SELECT v.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    " WHERE m.email = 'member03@demo.example' AND v.ends_at < '2026-12-07'",
    "past": "SELECT code FROM spaces_visit WHERE status = 'done' ORDER BY starts_at",
    "late": f"SELECT code FROM spaces_visit WHERE status = 'booked' AND arrived_at IS NULL AND {OF_EKIMAE}"
    " AND starts_at <= '2026-12-07 00:20:00' AND ends_at > '2026-12-07 00:40:00'",
    "haru": "SELECT code FROM childcare_child WHERE name = 'はる'",
    "yui": "SELECT code FROM childcare_child WHERE name = 'ゆい'",
    "household": "SELECT h.code FROM members_household h JOIN childcare_child c ON c.household_id = h.id"
    " WHERE c.name = 'はる'",
    "pending": f"SELECT code FROM childcare_child WHERE status = 'pending' AND {OF_EKIMAE}",
    "returned": f"SELECT code FROM childcare_child WHERE status = 'returned' AND {OF_EKIMAE}",
    "caller": "SELECT code FROM members_member WHERE email IS NULL AND is_active",
    "misaki": "SELECT code FROM members_member WHERE email = 'misaki@demo.example'",
    "carer_member": "SELECT code FROM members_member WHERE email = 'carer@demo.example'",
    "seat": f"SELECT code FROM spaces_seat WHERE label = 'A1' AND {OF_EKIMAE}",
    "zone": f"SELECT code FROM spaces_zone WHERE slug = 'quiet' AND {OF_EKIMAE}",
    "room": f"SELECT code FROM childcare_careroom WHERE {OF_EKIMAE}",
    "carer": f"SELECT code FROM childcare_carer WHERE {OF_EKIMAE}",
    "inside": "SELECT c.code FROM childcare_child c JOIN childcare_custody s ON s.child_id = c.id"
    f" JOIN childcare_careroom r ON r.id = s.room_id WHERE s.closed_at IS NULL AND r.{OF_EKIMAE}",
    "shift": "SELECT s.code FROM childcare_shift s JOIN childcare_careroom r ON r.id = s.room_id"
    f" WHERE r.{OF_EKIMAE}",
    "unbooked": "SELECT m.code FROM members_member m JOIN spaces_membership w ON w.member_id = m.id"
    f" WHERE w.{OF_EKIMAE} AND m.email LIKE 'member%' AND NOT EXISTS (SELECT 1 FROM spaces_visit v"
    " WHERE v.member_id = m.id AND v.starts_at BETWEEN '2026-12-06 15:00:00' AND '2026-12-07 15:00:00')"
    " AND NOT EXISTS (SELECT 1 FROM spaces_membership s WHERE s.member_id = m.id AND s.role <> 'worker') ORDER BY m.id",
    "due": "SELECT m.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    f" WHERE v.{OF_EKIMAE} AND v.status = 'booked' AND m.email LIKE 'member%'"
    " AND v.starts_at <= '2026-12-07 01:00:00' AND v.ends_at > '2026-12-07 03:00:00' ORDER BY v.id",
    "later_person": "SELECT m.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    f" WHERE v.{OF_EKIMAE} AND v.status = 'booked' AND m.email LIKE 'member%'"
    " AND v.starts_at BETWEEN '2026-12-07 03:00:00' AND '2026-12-07 09:00:00' ORDER BY v.id",
    "inside_person": "SELECT m.code FROM checkin_presence p JOIN members_member m ON m.id = p.member_id"
    f" WHERE p.{OF_EKIMAE} AND p.left_at IS NULL ORDER BY p.id",
    "wait": "SELECT w.code FROM booking_waitentry w JOIN members_member m ON m.id = w.member_id"
    " WHERE m.email = 'misaki@demo.example' AND w.state = 'waiting'",
    "missed": f"SELECT code FROM spaces_visit WHERE status = 'released' AND {OF_EKIMAE} ORDER BY id",
    "missed_person": "SELECT m.code FROM spaces_visit v JOIN members_member m ON m.id = v.member_id"
    f" WHERE v.status = 'released' AND v.{OF_EKIMAE} ORDER BY v.id",
    "offer": "SELECT code FROM booking_offer WHERE state = 'open'",
    "series": "SELECT s.code FROM booking_series s JOIN members_member m ON m.id = s.member_id"
    " WHERE m.email = 'member45@demo.example'",
    "order": f"SELECT code FROM work_order WHERE state = 'accepted' AND units_kept < unit_count AND {OF_EKIMAE}",
    "idle": "SELECT code FROM members_member WHERE email = 'member20@demo.example'",
    "secret": f"SELECT code FROM work_order WHERE is_confidential AND {OF_EKIMAE}",
    "full": f"SELECT code FROM work_order WHERE state = 'accepted' AND units_kept = unit_count AND {OF_EKIMAE} ORDER BY id",
    "draft": f"SELECT code FROM work_order WHERE state = 'draft' AND NOT is_confidential AND {OF_EKIMAE}",
    "client": f"SELECT code FROM work_client WHERE name LIKE '仮名%' AND {OF_EKIMAE}",
    "import": "SELECT code FROM work_unitimport WHERE state = 'checked'",
    "imported": "SELECT code FROM work_unitimport WHERE state = 'done'",
    "holiday": f"SELECT date FROM spaces_holiday WHERE {OF_EKIMAE} AND date > '2026-12-31'",
}


def codes_of(site: Site) -> Codes:
    return {name: one(site, query) for name, query in QUERIES.items()}


# ---------------------------------------------------------------- what is done first


def submit(page: Page, selector: str = "main form") -> None:
    """Send a form as it stands."""
    with page.expect_navigation():
        page.locator(selector).first.evaluate("form => form.requestSubmit()")


def send(selector: str = "main form") -> Act:
    return lambda page, codes: submit(page, selector)


def with_email(address: str) -> Act:
    def act(page: Page, codes: Codes) -> None:
        page.locator("input[name=email]").first.fill(address)
        submit(page, "form:has(input[name=email])")

    return act


def wrong_code(address: str) -> Act:
    def act(page: Page, codes: Codes) -> None:
        with_email(address)(page, codes)
        page.locator("input[name=code]").fill("12")
        submit(page, "form:has(input[name=code])")

    return act


def without_token(page: Page, codes: Codes) -> None:
    page.locator("main form input[name=csrfmiddlewaretoken]").first.evaluate(
        "one => one.value = 'x'.repeat(64)"
    )
    submit(page)


def press(name: str, role: Any = "button") -> Act:
    def act(page: Page, codes: Codes) -> None:
        with page.expect_navigation():
            page.get_by_role(role, name=name).first.click()

    return act


def type_number(digits: str) -> Act:
    """On the scanner; the answer is opened by its own address then, as somebody who reloads sees it."""

    def act(page: Page, codes: Codes) -> None:
        page.locator("#id_code").fill(digits)
        page.locator("#code-form button").click()
        page.locator("#door-answer, #id_code_error").wait_for()
        if "/scan/" in page.url:
            page.reload()

    return act


def at_the_door(who: str, direction: str = "in") -> Act:
    """The door is told who stands there, by the code that the search for names would send."""
    script = """(form, [member, direction]) => {
        form.removeAttribute('data-swap');
        form.elements.code.remove();
        form.elements.direction.value = direction;
        form.append(Object.assign(document.createElement('input'), { name: 'member', value: member }));
        form.submit();
    }"""

    def act(page: Page, codes: Codes) -> None:
        with page.expect_navigation():
            page.locator("#code-form").evaluate(script, [codes[who], direction])

    return act


def seat_at_the_door(page: Page, codes: Codes) -> None:
    at_the_door("unbooked")(page, codes)
    press("いま 席をとる", "link")(page, codes)


def chosen(page: Page, codes: Codes) -> None:
    """To whom and how, on the sheet of a child."""
    page.locator("input[name=adult]").first.check(force=True)
    page.locator("input[name=how]").first.check(force=True)
    submit(page, "form[action*='/out/']")


def no_child(page: Page, codes: Codes) -> None:
    page.locator("input[name=c]").evaluate_all("all => all.forEach(one => one.checked = false)")
    submit(page, "form:has(input[name=seat]), main form")


def new_address(page: Page, codes: Codes) -> None:
    page.locator("#id_label").fill("家の パソコン")
    submit(page, "form:has(#id_label)")


def told_ill(page: Page, codes: Codes) -> None:
    """For the last day that can be chosen, so that no other page loses a booking."""
    for name in ("from", "to"):
        last = page.locator(f"#{name} option").last.get_attribute("value")
        page.locator(f"#{name}").select_option(last)
    submit(page)


def bad_file(page: Page, codes: Codes) -> None:
    """A file without the heading that is asked for, until it was read."""
    file: Any = {"name": "x.csv", "mimeType": "text/csv", "buffer": b"x,y\n1,2\n"}
    page.set_input_files("input[type=file]", files=[file])
    submit(page, "form:has([type=file])")
    page.locator(".note.stop").wait_for()


def wrong_hours(page: Page, codes: Codes) -> None:
    page.locator("[id$=_hours]").first.fill("99")
    submit(page, "form[action*='/hours/']")


def other_numbers(page: Page, codes: Codes) -> None:
    """A number that is not the proposed one, without a reason."""
    page.locator("input[name^=n_]").first.fill("1")
    submit(page, "form:has(input[name^=n_])")


def open_all(page: Page, codes: Codes) -> None:
    """Show what is folded away."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


# ---------------------------------------------------------------- looking


def axe(page: Page) -> list[str]:
    """What axe finds on the page as it stands, by all its rules of `TAGS`."""
    only = {"type": "tag", "values": TAGS}
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]})
    return [
        f"{rule['id']}: "
        + "; ".join(f"{node['target'][0]} {node['html'][:90]}" for node in rule["nodes"][:3])
        for rule in found.response["violations"]
    ]


def look(page: Page) -> list[str]:
    """Everything that is wrong with the page as it stands, in light and in dark."""
    size = page.viewport_size
    assert size
    # As tall as the page: what a sticky bar covers only until one scrolls is not too small a target.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    wrong = page.evaluate(MEASURE)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.evaluate(FRAMES)  # transitions of colours end
        wrong += [f"{theme}: {line}" for line in axe(page)]
    page.emulate_media(color_scheme="light")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        wrong += page.evaluate(WIDE)
    page.set_viewport_size(size)
    return wrong


def show(shown: Shown, person: Person, codes: Codes) -> Page:
    page = person.page
    page.set_viewport_size({"width": shown.size[0], "height": shown.size[1]})
    person.open(shown.path.format(**codes))
    if shown.act:
        shown.act(page, codes)
    return page


DAY = f"d={THURSDAY}&p=am"
#: Wednesdays at lunch are full for Yui, and the year ends in between.
USUAL = "hub=ekimae&wd=1&f1=09:30&t1=12:30&wd=2&f2=12:00&t2=14:00&first=2026-12-08&last=2027-01-31"
PEOPLE = [
    Shown("pay", "misaki", "/jobs/pay/", ("pay",)),
    Shown("pay, profile", "misaki", "/jobs/pay/profile/", ("pay_profile",)),
    Shown("pay, year", "misaki", "/jobs/pay/year/", ("pay_year",)),
    Shown("front", "", "/", ("front", "about")),
    Shown("hub", "", "/hubs/ekimae/", ("hub_page",)),
    Shown("inbox", "", "/demo/inbox/", ("demo_inbox", "demo_attachment")),
    Shown("sign-in", "", "/accounts/login/", ("account_login",), open_all),
    Shown("sign-in, wrong password", "", "/accounts/login/", (), send("details form")),
    Shown("sign-in by code", "", "/accounts/login/code/", ("account_request_login_code",)),
    Shown("sign-in by code, empty", "", "/accounts/login/code/", (), send()),
    Shown(
        "code",
        "",
        "/accounts/login/code/",
        ("account_confirm_login_code",),
        with_email("member50@demo.example"),
    ),
    Shown("code, wrong", "", "/accounts/login/code/", (), wrong_code("member51@demo.example")),
    Shown("sign-up", "", "/accounts/signup/", ("account_signup",)),
    Shown(
        "sign-up, code",
        "",
        "/accounts/signup/",
        ("account_email_verification_sent",),
        with_email("n1@example.org"),
    ),
    Shown("password forgotten", "", "/accounts/password/reset/", ("account_reset_password",)),
    Shown(
        "password forgotten, code",
        "",
        "/accounts/password/reset/",
        ("account_confirm_password_reset_code",),
        with_email("member52@demo.example"),
    ),
    Shown("password set anew", "", "/accounts/password/reset/done/", ("account_password_reset_completed",)),
    Shown("account stopped", "", "/accounts/inactive/", ("account_inactive",)),
    Shown("form from elsewhere", "", "/accounts/signup/", (), without_token),
    Shown("not found", "", "/nothing/here/"),
    Shown("styleguide of the desk", "", "/styleguide/?part=desk", ("styleguide",)),
    Shown("without a net", "", "/offline/", ("offline",)),
    Shown("home screen", "misaki", "/app/", ("home_screen",)),
    Shown("today", "misaki", "/", ("today", "today_now", "today_notices")),
    Shown("pass", "misaki", "/pass/", ("pass",)),
    Shown("pass of another day", "misaki", "/pass/{later}/", ("pass_visit",)),
    Shown("pass that holds no more", "member03", "/pass/{member03_past}/"),
    Shown("pass of staff", "door", "/pass/"),
    Shown("today, nothing booked", "stranger", "/"),
    Shown("book", "misaki", f"/book/?{DAY}", ("book", "book_post", "book_avail"), open_all),
    Shown("book, full", "misaki", f"/book/?d={WEDNESDAY}&p=own&from=12:00&to=14:00&c={{haru}}&c={{yui}}"),
    Shown("book, end before start", "misaki", f"/book/?d={THURSDAY}&p=own&from=12:00&to=10:00"),
    Shown("book, no children", "member59", "/book/"),
    Shown("book, who only works here", "door", "/book/"),
    Shown("seats on the plan", "misaki", f"/book/seat/?{DAY}", ("book_seat", "book_seat_pick")),
    Shown("seats as a list", "misaki", f"/book/seat/?{DAY}&view=list"),
    Shown("work", "misaki", "/jobs/", ("jobs",)),
    Shown("work, wrong hours", "misaki", "/jobs/", ("job_hours",), wrong_hours),
    Shown("visits", "misaki", "/visits/", ("visits",)),
    Shown("visits, past ones", "member03", "/visits/"),
    Shown("visit", "misaki", "/visits/{visit}/", ("visit_detail", "visit_change", "visit_ics")),
    Shown("visit seen by the other guardian", "kenta", "/visits/{visit}/"),
    Shown("visit, done", "misaki", "/visits/{visit}/done/", ("visit_done",), open_all),
    Shown("change", "misaki", "/visits/{visit}/change/"),
    Shown("extend", "misaki", "/visits/{visit}/extend/", ("visit_extend",)),
    Shown("leave", "misaki", "/visits/{visit}/leave/", ("visit_leave",)),
    Shown("cancel", "misaki", "/visits/{visit}/cancel/", ("visit_cancel",)),
    Shown("cancel one child", "misaki", "/visits/{visit}/cancel/{haru}/", ("visit_cancel_child",)),
    Shown("child is ill", "misaki", "/sick/", ("sick",)),
    Shown("child is ill, nobody chosen", "misaki", "/sick/", (), no_child),
    Shown("child is ill, no children", "stranger", "/sick/"),
    Shown("child is ill, told", "misaki", "/sick/", ("sick_done",), told_ill),
    Shown("wait, choose", "misaki", f"/wait/?d={FRIDAY}&p=own&from=12:00&to=14:00&c={{yui}}", ("wait",)),
    Shown("wait, free now", "misaki", f"/wait/?{DAY}", (), send("form[action$='/wait/']")),
    Shown("waits", "misaki", "/waiting/", ("waits",)),
    Shown("waits, nothing", "stranger", "/waiting/"),
    Shown("wait, my place", "misaki", "/waiting/{wait}/?did=joined", ("wait_entry",)),
    Shown("offer", "member40", "/offers/{offer}/", ("offer",)),
    Shown("today with an offer", "member40", "/"),
    Shown("usual week", "misaki", "/series/new/?visit={visit}", ("series_new",), open_all),
    Shown("usual week, no day chosen", "misaki", "/series/preview/?hub=ekimae"),
    Shown(
        "usual week, preview",
        "misaki",
        f"/series/preview/?{USUAL}&c={{haru}}&c={{yui}}",
        ("series_preview", "series_post"),
        open_all,
    ),
    Shown("usual week, result", "member45", "/series/{series}/?did=made"),
    Shown("series", "member45", "/series/{series}/", ("series_detail", "series_ics")),
    Shown("series, change", "member45", "/series/{series}/change/", ("series_change",)),
    Shown(
        "series, change, nothing chosen",
        "member45",
        "/series/{series}/change/",
        (),
        send("form[method=post]"),
    ),
    Shown("series, cancel", "member45", "/series/{series}/cancel/?from=2026-12-15", ("series_cancel",)),
    Shown("visits with a series", "member45", "/visits/"),
    Shown("me", "misaki", "/me/", ("me",)),
    Shown("notices", "misaki", "/me/notices/", ("notices",)),
    Shown("notices, none yet", "member58", "/me/notices/"),
    Shown("notices, how", "misaki", "/me/notify/", ("notify", "push_subscribe")),
    Shown("home hub", "misaki", "/me/hub/", ("home_hub",)),
    Shown("account", "misaki", "/me/account/", ("account",)),
    Shown("account, delete", "misaki", "/me/account/delete/", ("account_delete",)),
    Shown("account, delete, free to go", "stranger", "/me/account/delete/"),
    Shown("address", "misaki", "/accounts/email/", ("account_email",)),
    Shown(
        "password",
        "misaki",
        "/accounts/password/change/",
        ("account_change_password", "account_set_password"),
    ),
    Shown("password, empty", "misaki", "/accounts/password/change/", (), send()),
    Shown("who are you", "misaki", "/accounts/reauthenticate/", ("account_reauthenticate",)),
    Shown("ways to sign in", "misaki", "/accounts/2fa/", ("mfa_index",)),
    Shown("second key, why", "door", "/accounts/2fa/needed/", ("second_factor", "second_factor_done")),
    Shown("passkey, add", "misaki", "/accounts/2fa/passkeys/add/", ("mfa_add_webauthn",)),
    Shown("app, add", "misaki", "/accounts/2fa/app/", ("mfa_activate_totp",), open_all),
    Shown("app, add, empty", "misaki", "/accounts/2fa/app/", (), send("form:has([name=code])")),
    Shown("sign out", "misaki", "/sign-out/", ("sign_out", "account_logout")),
    Shown("household", "misaki", "/me/household/", ("household",), open_all),
    Shown(
        "household, link", "misaki", "/me/household/", ("household_invite",), send("form[action$='/invite/']")
    ),
    Shown(
        "household, pick-up, empty",
        "misaki",
        "/me/household/",
        ("pickup_add",),
        send("form[action$='/pickup/']"),
    ),
    Shown("household, old link", "stranger", "/join/AAAAAAAAAAAAAAAAAAAAAAAA/", ("household_join",)),
    Shown("household, leave", "misaki", "/me/household/{household}/leave/", ("household_leave",)),
    Shown("calendars", "misaki", "/me/calendar/", ("calendars",)),
    Shown("calendars, a new address", "kenta", "/me/calendar/", (), new_address),
    Shown("calendars, no name", "misaki", "/me/calendar/", (), send("form:has(#id_label)")),
    Shown("tokens", "misaki", "/me/tokens/", ("api_tokens",)),
    Shown("children", "misaki", "/me/children/", ("children",)),
    Shown("child, new", "misaki", "/me/children/new/", ("child_add",)),
    Shown("child, new, empty", "misaki", "/me/children/new/", (), send("form:has(#id_name)")),
    Shown("child", "misaki", "/me/children/{haru}/", ("child_edit",)),
    Shown("door", "door", "/door/", ("door", "door_counts")),
    Shown("door, out", "door", "/door/?dir=out"),
    Shown("door, number unknown", "door", "/door/", ("door_scan", "door_result"), type_number("000000")),
    Shown("door, half a number", "door", "/door/", (), type_number("123")),
    Shown("door, let in", "door", "/door/", (), at_the_door("due")),
    Shown("door, already in", "door", "/door/", (), at_the_door("inside_person")),
    Shown("door, not in", "door", "/door/", (), at_the_door("later_person", "out")),
    Shown("door, too early", "door", "/door/", (), at_the_door("later_person")),
    Shown("door, not booked", "door", "/door/", (), at_the_door("unbooked")),
    Shown("door, a seat now", "door", "/door/", ("door_seat",), seat_at_the_door),
    Shown("door, by name", "door", "/door/search/?q=member0", ("door_search",)),
    Shown("door, nobody of that name", "door", "/door/search/?q=いない人"),
    Shown("door, visitors", "door", "/door/visitors/", ("door_visitor",)),
    Shown("door, visitor without a name", "door", "/door/visitors/", (), send("form:has(#id_name)")),
]
WIDE_DESK = (1440, 900)
CLOSING = "/desk/ekimae/closures/?place=hub&part=from&at=11:00&starts_on=2026-12-08&cause=weather&reason=台風"
DESK = [
    Shown("day", "manager", "/desk/ekimae/", ("desk",)),
    Shown("day as a table", "manager", "/desk/ekimae/?view=table"),
    Shown("day that is over", "manager", "/desk/ekimae/?d=2026-12-04"),
    Shown("day on which nobody comes", "carer", "/desk/ekimae/?d=2026-12-06"),
    Shown("free a seat", "door", "/desk/ekimae/visits/{late}/release/", ("desk_release",)),
    Shown("free a seat, too early", "door", "/desk/ekimae/visits/{visit}/release/"),
    Shown("who waits", "manager", "/desk/ekimae/waiting/", ("desk_waiting",)),
    Shown("who waits, nobody", "plaza", "/desk/ekimae/waiting/?d=2026-12-08"),
    Shown("who is inside", "carer", "/desk/ekimae/inside/", ("desk_inside",)),
    Shown("book for a walk-in", "door", "/desk/ekimae/book/?q=見本&now=1"),
    Shown("book for others", "door", "/desk/ekimae/book/?q=見本", ("desk_book",)),
    Shown("book for others, nobody", "door", "/desk/ekimae/book/?q=いない人"),
    Shown("new member", "door", "/desk/ekimae/book/new/", ("desk_new_member",)),
    Shown("new member, empty", "door", "/desk/ekimae/book/new/", (), send("form:has(#id_name)")),
    Shown("book for her", "door", "/book/?for={misaki}&hub=ekimae&" + DAY),
    Shown("seat for her", "door", "/book/seat/?for={misaki}&hub=ekimae&" + DAY),
    Shown("usual week for her", "door", "/series/new/?for={caller}&hub=ekimae", (), open_all),
    Shown("usual week for her, preview", "door", f"/series/preview/?for={{caller}}&{USUAL}", (), open_all),
    Shown("answer an offer for her", "plaza", "/offers/{offer}/"),
    Shown("her visit", "door", "/visits/{visit}/"),
    Shown("her visit, done", "door", "/visits/{visit}/done/"),
    Shown("her visit, cancel", "door", "/visits/{visit}/cancel/"),
    Shown("people", "manager", "/desk/ekimae/people/", ("desk_people",)),
    Shown("invite", "manager", "/desk/ekimae/people/invite/", ("desk_invite",)),
    Shown("invite, empty", "manager", "/desk/ekimae/people/invite/", (), send("form:has([name=email])")),
    Shown("person", "manager", "/desk/ekimae/people/{misaki}/", ("desk_person",), open_all),
    Shown("role, end", "manager", "/desk/ekimae/people/{carer_member}/roles/carer/end/", ("desk_role_end",)),
    Shown("block", "manager", "/desk/ekimae/people/{misaki}/block/", ("desk_block",)),
    Shown("waive", "manager", "/desk/ekimae/people/{missed_person}/missed/{missed}/", ("desk_waive",)),
    Shown(
        "waive, empty",
        "manager",
        "/desk/ekimae/people/{missed_person}/missed/{missed}/",
        (),
        send("form:has([name=reason])"),
    ),
    Shown("person who missed a visit", "manager", "/desk/ekimae/people/{missed_person}/"),
    Shown("sign-in anew", "manager", "/desk/ekimae/people/{misaki}/sign-in/", ("desk_factors_reset",)),
    Shown("hours", "manager", "/desk/ekimae/hours/", ("desk_hours",)),
    Shown("settings", "manager", "/desk/ekimae/settings/", ("desk_settings",)),
    Shown("closures", "manager", "/desk/ekimae/closures/", ("desk_closures",)),
    Shown("closures, empty", "manager", "/desk/ekimae/closures/", (), send("form:has([name=reason])")),
    Shown("closures, who is affected", "manager", CLOSING, (), send("form:has([name=reason])")),
    Shown("storm", "manager", "/desk/ekimae/storm/", ("desk_storm",)),
    Shown("storm, empty", "manager", "/desk/ekimae/storm/", (), send("form:has([name=reason])")),
    Shown("storm, steps", "manager", "/desk/ekimae/storm/steps/", ("desk_storm_steps",)),
    Shown("holidays", "manager", "/desk/ekimae/holidays/", ("desk_holidays",)),
    Shown("holiday", "manager", "/desk/ekimae/holidays/{holiday}/", ("desk_holiday",)),
    Shown("seats", "manager", "/desk/ekimae/seats/", ("desk_seats",)),
    Shown("seat, new", "manager", "/desk/ekimae/seats/new/", ("desk_seat_new",)),
    Shown("seat, new, empty", "manager", "/desk/ekimae/seats/new/", (), send("form:has([name=label])")),
    Shown("seat", "manager", "/desk/ekimae/seats/{seat}/", ("desk_seat",)),
    Shown("seat, off", "manager", "/desk/ekimae/seats/{seat}/off/", ("desk_seat_off",)),
    Shown("calendars of the hub", "manager", "/desk/ekimae/calendars/", ("desk_calendars",)),
    Shown("zone, new", "manager", "/desk/ekimae/zones/new/", ("desk_zone_new",)),
    Shown("zone", "manager", "/desk/ekimae/zones/{zone}/", ("desk_zone",)),
    Shown("roster", "manager", "/desk/ekimae/roster/", ("desk_roster",)),
    Shown("shift, new", "manager", "/desk/ekimae/roster/shifts/new/", ("desk_shift_new",)),
    Shown("shift", "manager", "/desk/ekimae/roster/shifts/{shift}/", ("desk_shift",)),
    Shown("absent", "manager", "/desk/ekimae/roster/absent/", ("desk_absent",)),
    Shown("extra", "manager", "/desk/ekimae/roster/extra/", ("desk_extra",)),
    Shown("carers", "manager", "/desk/ekimae/carers/", ("desk_carers",)),
    Shown("carer, new", "manager", "/desk/ekimae/carers/new/", ("desk_carer_new",)),
    Shown("carer", "manager", "/desk/ekimae/carers/{carer}/", ("desk_carer",)),
    Shown("room, new", "manager", "/desk/ekimae/rooms/new/", ("desk_room_new",)),
    Shown("room", "manager", "/desk/ekimae/rooms/{room}/", ("desk_room",)),
    Shown("quarter", "manager", "/desk/ekimae/care/", ("desk_quarter",)),
    Shown("quarter, seen by the town", "town", "/desk/ekimae/care/"),
    Shown("words of notices", "manager", "/desk/ekimae/notices/", ("desk_notices",), open_all),
    Shown("children to check", "manager", "/desk/ekimae/children/", ("desk_children",)),
    Shown("child to check", "manager", "/desk/ekimae/children/{pending}/", ("desk_child",), open_all),
    Shown("child sent back", "manager", "/desk/ekimae/children/{returned}/"),
    Shown("orders", "director", "/desk/ekimae/work/", ("desk_work",)),
    Shown("order, accepted", "director", "/desk/ekimae/work/orders/{order}/", ("desk_order",)),
    Shown("order, draft", "director", "/desk/ekimae/work/orders/{secret}/"),
    Shown("order, new", "director", "/desk/ekimae/work/orders/new/", ("desk_order_new",)),
    Shown(
        "order, new, empty", "director", "/desk/ekimae/work/orders/new/", (), send("form:has([name=title])")
    ),
    Shown("order, change", "director", "/desk/ekimae/work/orders/{draft}/edit/", ("desk_order_edit",)),
    Shown("order, refused change", "director", "/desk/ekimae/work/orders/{order}/edit/"),
    Shown("lots", "director", "/desk/ekimae/work/orders/{draft}/lots/", ("desk_order_lots",)),
    Shown("lots, fixed", "director", "/desk/ekimae/work/orders/{order}/lots/"),
    Shown("accept", "director", "/desk/ekimae/work/orders/{draft}/accept/", ("desk_order_accept",)),
    Shown(
        "accept, empty",
        "director",
        "/desk/ekimae/work/orders/{draft}/accept/",
        (),
        send("form:has([name=place])"),
    ),
    Shown("price, raised", "director", "/desk/ekimae/work/orders/{order}/price/", ("desk_price",)),
    Shown("paying", "manager", "/desk/ekimae/work/pay/", ("desk_pay",)),
    Shown("paying, a month too early", "director", "/desk/ekimae/work/pay/?m=2027-06"),
    Shown("percents", "manager", "/desk/ekimae/work/rates/", ("desk_rates",)),
    Shown("percents, empty", "manager", "/desk/ekimae/work/rates/", (), send("form:has([name=valid_from])")),
    Shown("hub's month", "manager", "/desk/ekimae/work/ledger/", ("desk_ledger",)),
    Shown(
        "hub's month, empty line", "manager", "/desk/ekimae/work/ledger/", (), send("form:has([name=yen])")
    ),
    Shown("file, new", "director", "/desk/ekimae/work/orders/{draft}/import/", ("desk_import_new",)),
    Shown(
        "file, none",
        "director",
        "/desk/ekimae/work/orders/{draft}/import/",
        (),
        send("form:has([type=file])"),
    ),
    Shown("file, refused", "director", "/desk/ekimae/work/orders/{draft}/import/", (), bad_file),
    Shown("file, to be answered", "director", "/desk/ekimae/work/imports/{import}/", ("desk_import",)),
    Shown("file, kept", "director", "/desk/ekimae/work/imports/{imported}/"),
    Shown("unit", "director", "/desk/ekimae/work/orders/{order}/units/2/", ("desk_unit",)),
    Shown("board", "director", "/desk/ekimae/work/orders/{full}/hand/", ("desk_hand",)),
    Shown("board, confidential or a draft", "director", "/desk/ekimae/work/orders/{secret}/hand/"),
    Shown("shares", "director", "/desk/ekimae/work/orders/{full}/hand/share/?lot=1", ("desk_hand_share",)),
    Shown("shares, wrong", "director", "/desk/ekimae/work/orders/{full}/hand/share/?lot=1&units=x"),
    Shown(
        "shares, no reason",
        "director",
        "/desk/ekimae/work/orders/{full}/hand/share/?lot=1",
        (),
        other_numbers,
    ),
    Shown(
        "asking people",
        "director",
        "/desk/ekimae/work/orders/{full}/hand/lots/1/invite/",
        ("desk_hand_invite",),
    ),
    Shown("course", "director", "/desk/ekimae/work/orders/{order}/lots/1/course/", ("desk_course",)),
    Shown("levels", "director", "/desk/ekimae/work/levels/", ("desk_levels",)),
    Shown("levels of a worker", "director", "/desk/ekimae/work/levels/{misaki}/", ("desk_level",)),
    Shown("nothing to review", "director", "/desk/ekimae/work/review/", ("desk_review",)),
    Shown("no questions", "director", "/desk/ekimae/work/questions/", ("desk_questions",)),
    Shown("no appeals", "manager", "/desk/ekimae/work/appeals/", ("desk_appeals",)),
    Shown("clients", "director", "/desk/ekimae/work/clients/", ("desk_clients",)),
    Shown("client", "director", "/desk/ekimae/work/clients/{client}/", ("desk_client",), open_all),
    Shown("client, new", "director", "/desk/ekimae/work/clients/new/", ("desk_client_new",)),
    Shown("promise, new", "director", "/desk/ekimae/work/clients/{client}/nda/", ("desk_nda_new",)),
    Shown("no right", "carer", "/desk/ekimae/people/"),
    *[
        Shown(f"children's board, {name}", "carer", path, urls, act)
        for name, path, urls, act in (
            ("room", "/care/", ("care",), None),
            ("arrivals", "/care/arrivals/", ("care_arrivals",), None),
            ("covered", "/care/cover/", ("care_cover",), None),
            ("child to come", "/care/{haru}/", ("care_child",), open_all),
            ("child, empty form", "/care/{haru}/", ("care_receive",), send("form[action*='/in/']")),
            ("child to come, contact", "/care/{yui}/", ("care_contact",), send("form[action*='/contact/']")),
            ("child inside", "/care/{inside}/", (), open_all),
            ("child inside, nothing chosen", "/care/{inside}/", (), send("form[action*='/out/']")),
            ("hand-over", "/care/{inside}/", ("care_hand_over",), chosen),
            ("clock", "/care/staff/", ("care_staff", "care_clock"), None),
        )
    ],
]
#: URLs that answer a POST only (their result is a page above), or that only lead on.
NO_PAGE = {
    "after_sign_in", "demo_sign_in", "sign_out_elsewhere", "household_revoke", "pickup_end", "api_token_revoke", "push_remove",
    "desk_invite_withdraw", "desk_role_add", "desk_unblock", "desk_closure_end", "desk_holidays_import",
    "desk_seat_on", "desk_zone_delete", "desk_shift_end", "desk_change_remove", "desk_carer_end",
    "desk_child_decide", "desk_child_birthday", "health", "shared_device", "service_worker", "manifest", "presence_left",
    "presence_still", "mfa_login_webauthn", "admin_sign_in", "door_undo",
    "door_visitor_leave", "door_manifest", "calendar_feed", "calendar_revoke", "calendar_renew", "care_undo",
    "wait_leave", "offer_accept", "offer_decline", "visit_coming",
    "visit_not_coming",
    "desk_order_withdraw", "desk_order_terms", "desk_import_keep", "desk_import_stop",
    "desk_hand_claims", "job_answer", "job_notice",
    "desk_pay_make", "desk_pay_paid", "desk_pay_undo", "desk_pay_csv", "desk_pay_orders_csv", "desk_ledger_remove", "pay_pdf",
    "desk_review_bulk", "desk_question", "desk_control", "job_draft", "job_ask", "job_appeal",
}  # fmt: skip
#: Pages that need a story of their own: `test_pages.py` tells it, `test_jobs.py`, `test_work.py` and `test_review.py` those
#: of work, `test_passkeys.py` that of second factors.
STORIES = {
    "job_assignment", "job_unit",
    "job_offer", "job_take", "job_hand_back",
    "welcome", "account_complete_password_reset", "mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
    "mfa_edit_webauthn", "mfa_remove_webauthn",
    "pay_statement",
    "desk_review_one", "desk_appeal",
}  # fmt: skip
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
TYPED = (
    "SELECT name FROM members_member", "SELECT kana FROM members_member", "SELECT name FROM childcare_child",
    "SELECT kana FROM childcare_child", "SELECT return_reason FROM childcare_child",
    "SELECT name FROM childcare_carer", "SELECT reason FROM spaces_closure", "SELECT note FROM childcare_shiftchange",
    "SELECT name FROM members_pickupadult",
    "SELECT relation FROM members_pickupadult",
    "SELECT reason FROM booking_seriesdate",
    "SELECT name FROM spaces_zone", "SELECT name FROM spaces_hub", "SELECT name FROM spaces_holiday",
    "SELECT address FROM spaces_hub",
    "SELECT name FROM work_client", "SELECT contact_name FROM work_client", "SELECT title FROM work_order",
    "SELECT source FROM work_workrates", "SELECT reason FROM work_orderrate", "SELECT note FROM work_ledgerline",
    "SELECT text FROM work_nda", "SELECT description FROM work_order",
    "SELECT visitor_name FROM checkin_presence", "SELECT access FROM spaces_hub", "SELECT name FROM childcare_careroom",
)  # fmt: skip


def typed_in(site: Site) -> re.Pattern[str]:
    """A pattern of all Japanese data of the demo, the longest first, and of the product's own name."""
    words = {"ひだまり", "日本語", *ALLERGIES, *(part for text in ALLERGIES for part in text.split("、"))}
    path = f"file:{site.folder / 'hidamari.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=20)) as base:
        for query in TYPED:
            for (value,) in base.execute(query):
                words |= {value, *str(value).split()}
    # An avatar shows the first letter alone.
    initials = "|".join(
        f"^{letter}$" for letter in sorted({word[0] for word in words if word and CJK.match(word)})
    )
    found = [word for word in words if word and CJK.search(word)]
    return re.compile(
        "|".join(re.escape(word) for word in sorted(found, key=len, reverse=True)) + "|" + initials
    )
