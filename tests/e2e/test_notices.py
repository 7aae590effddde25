"""Notices on the phone: the service worker shows what is pushed, whatever it is; the button tells the server; きょう hears.

Chromium here reaches no push service, so `PushManager` is the page's own stub; the real worker gets its messages from
the DevTools protocol (docs/notices.md says what only a real phone can show).
"""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import MakePerson, Person, Site, until
from tests.notices.browser import Browser

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/e2e"
#: A browser whose push service always says yes. What it did is kept in localStorage, beyond a reload.
STUB = """(([endpoint, keys]) => {
  const raw = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0)).buffer;
  const made = () => {
    const key = localStorage.getItem('stub');
    return key && {
      endpoint: localStorage.getItem('stub-endpoint') || endpoint, options: { applicationServerKey: raw(key) },
      toJSON() { return { endpoint: this.endpoint, keys }; },
      unsubscribe: async () => { localStorage.removeItem('stub'); localStorage.setItem('stub-left', '1'); return true; },
    };
  };
  PushManager.prototype.getSubscription = async () => made() || null;
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (!userVisibleOnly) throw new Error('must be visible');
    localStorage.setItem('stub', applicationServerKey);
    return made();
  };
})(%s)"""


def stubbed(make_person: MakePerson, who: str) -> Person:
    person = make_person(who)
    person.context.grant_permissions(["notifications"], origin=person.site.url)
    person.context.add_init_script(STUB % json.dumps([ENDPOINT, Browser().keys()]))
    return person


def devices(site: Site) -> list[tuple[str, str]]:
    """(address of the member, endpoint) of what is pushed to."""
    query = (
        "SELECT m.email, s.endpoint FROM notices_pushsubscription s JOIN members_member m ON m.id = s.member_id"
        " WHERE s.removed_at IS NULL"
    )
    path = f"file:{site.folder / 'hidamari.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True, timeout=20)) as base:
        return [(str(email), str(endpoint)) for email, endpoint in base.execute(query)]


def test_button_subscribes_and_the_other_one_ends_it(make_person: MakePerson, site: Site) -> None:
    person = stubbed(make_person, "member41")
    page = person.open("/me/notify/")
    page.get_by_role("button", name="この端末で 受け取る").tap()
    expect(page.locator("[data-push=on]")).to_be_visible()
    assert devices(site) == [("member41@demo.example", ENDPOINT)]
    expect(page.locator("#push .rows li")).to_have_count(1)
    assert pages.look(page) == []

    page.get_by_role("button", name="この端末では やめる").tap()
    expect(page.locator("[data-push=off]")).to_be_visible()
    assert devices(site) == []


def test_new_address_of_the_browser_is_told_when_a_page_opens(make_person: MakePerson, site: Site) -> None:
    person = stubbed(make_person, "member42")
    page = person.open("/me/notify/")
    page.get_by_role("button", name="この端末で 受け取る").tap()
    expect(page.locator("[data-push=on]")).to_be_visible()
    page.evaluate("e => localStorage.setItem('stub-endpoint', e)", f"{ENDPOINT}2")

    page.goto(site.url + "/")

    until(lambda: ("member42@demo.example", f"{ENDPOINT}2") in devices(site))
    page.goto(site.url + "/me/notify/")


def test_signing_out_ends_it_on_this_device(make_person: MakePerson, site: Site) -> None:
    person = stubbed(make_person, "member43")
    page = person.open("/me/notify/")
    page.get_by_role("button", name="この端末で 受け取る").tap()
    expect(page.locator("[data-push=on]")).to_be_visible()
    page.goto(site.url + "/me/")
    with page.expect_navigation():
        page.locator("form[action$='/sign-out/'] button").tap()
    page.wait_for_function("localStorage.getItem('stub-left') === '1'")


def test_refused_leave_is_said_in_words(make_person: MakePerson) -> None:
    person = make_person("member44")
    person.context.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )
    page = person.open("/me/notify/")
    expect(page.locator("[data-push=denied]")).to_be_visible()
    expect(page.locator("#push button")).to_have_count(2)
    assert [button.is_visible() for button in page.locator("#push button").all()] == [False, False]
    assert pages.look(page) == []


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Safari/604.1"
NO_PUSH = "delete window.PushManager"
NO_WORKER = "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined })"


@pytest.mark.parametrize(
    ("agent", "without", "state"),
    [(IPHONE, NO_PUSH, "ios"), ("Mozilla/5.0 (X11; Linux)", NO_PUSH, "none"), ("Mozilla/5.0", NO_WORKER, "none")],
)  # fmt: skip
def test_browser_that_cannot_is_told_why(
    make_person: MakePerson, agent: str, without: str, state: str
) -> None:
    person = make_person("member44", user_agent=agent)
    person.context.add_init_script(without)
    page = person.open("/me/notify/")
    expect(page.locator(f"[data-push={state}]")).to_be_visible()
    assert pages.look(page) == []


def test_without_javascript_the_choice_works_and_the_rest_says_so(
    make_person: MakePerson, site: Site
) -> None:
    page = make_person("member45", java_script_enabled=False).open("/me/notify/")
    expect(page.locator("#push .no-js")).to_be_visible()
    page.locator("span.choice", has=page.locator("#id_mail_change")).click()
    with page.expect_navigation():
        page.locator("main form button.main-action").click()
    expect(page.locator("#id_mail_change")).not_to_be_checked()
    expect(page.locator(".toast")).to_contain_text("受け取りかたを 変えました。")


# ---------------------------------------------------------------- the service worker


SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, tag, lang, data }) => ({ title, body, tag, lang, to: data.navigate }))"""
#: What a tap does, without the finger that a window needs: what would be opened is kept instead.
TAP = """async () => {
  self.opened = [];
  self.clients.openWindow = async url => { self.opened.push(url); };
  for (const notification of await self.registration.getNotifications())
    await new Promise(done => {
      const tapped = new NotificationEvent('notificationclick', { notification });
      tapped.waitUntil = work => Promise.resolve(work).then(done, done);
      self.dispatchEvent(tapped);
    });
  return self.opened;
}"""


def deliver(person: Person, *messages: str) -> None:
    """Push through DevTools, as a push service would."""
    page = person.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    cdp = person.context.new_cdp_session(page)
    found: list[Any] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda said: found.extend(said["registrations"]))
    cdp.send("ServiceWorker.enable")
    for _try in range(100):
        if found:
            break
        page.wait_for_timeout(50)
    for message in messages:
        cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": person.site.url, "registrationId": found[0]["registrationId"], "data": message},
        )


def shown(page: Page, count: int) -> Any:
    for _try in range(100):
        found = page.evaluate(SHOWN)
        if len(found) >= count:
            return found
        page.wait_for_timeout(50)
    raise AssertionError(found)


@pytest.fixture
def phone(make_person: MakePerson) -> Person:
    person = make_person("member46")
    person.context.grant_permissions(["notifications"], origin=person.site.url)
    person.open("/")
    return person


def pushed(tag: str, navigate: str, **more: str) -> str:
    """What the server seals (`hub.notices.push.payload`)."""
    notification = {
        "title": "空きました",
        "body": "9:30",
        "navigate": navigate,
        "lang": "ja",
        "dir": "ltr",
        "tag": tag,
    }
    return json.dumps({"web_push": 8030, "notification": {**notification, **more}})


def test_worker_shows_what_was_pushed_once_however_often(phone: Person) -> None:
    message = pushed("ABCDEFGH23", f"{phone.site.url}/visits/")
    deliver(phone, message, message)
    phone.page.wait_for_timeout(300)
    assert shown(phone.page, 1) == [
        {
            "title": "空きました",
            "body": "9:30",
            "tag": "ABCDEFGH23",
            "lang": "ja",
            "to": f"{phone.site.url}/visits/",
        }
    ]


@pytest.mark.parametrize("message", ["not json", "{}", "null", '{"notification": {}}', "", "[]"])
def test_worker_shows_something_also_when_it_cannot_be_read(phone: Person, message: str) -> None:
    deliver(phone, message)
    [found] = shown(phone.page, 1)
    assert found["title"] == "ひだまり"
    assert found["body"] == "新しい お知らせが あります / You have news"


def test_tap_opens_the_page_and_only_one_of_ours(phone: Person) -> None:
    deliver(
        phone,
        pushed("a", f"{phone.site.url}/visits/?x=1"),
        pushed("b", "https://evil.example/en/me/notices/"),
        pushed("c", "javascript:alert(1)"),
        "not json",
    )
    shown(phone.page, 4)
    worker = phone.context.service_workers[0]
    opened = sorted(worker.evaluate(TAP))
    paths = ["/en/me/notices/", "/me/notices/", "/me/notices/", "/visits/?x=1"]
    assert opened == [phone.site.url + path for path in paths]


# ---------------------------------------------------------------- live


def test_today_shows_a_new_notice_without_a_reload(make_person: MakePerson, site: Site) -> None:
    member, manager = make_person("member33"), make_person("manager")
    page = member.open("/")
    expect(page.locator("#notices")).to_be_hidden()
    expect(page.locator("body")).to_have_attribute("data-net", "on")
    page.evaluate("window.here = true")
    code = pages.one(site, "SELECT code FROM members_member WHERE email = 'member33@demo.example'")

    desk = manager.open(f"/desk/ekimae/people/{code}/")
    desk.locator("form[action$='/roles/']").evaluate(
        "form => { form.elements.role.value = 'door'; form.requestSubmit(); }"
    )

    expect(page.locator("#notices")).to_be_visible()
    expect(page.locator("#notices .item")).to_contain_text("役わりが つきました")
    assert page.evaluate("window.here") is True
    assert pages.look(page) == []
    page.locator("#notices .sec-head a").tap()
    expect(page.locator("h1")).to_have_text("お知らせ")
    expect(page.locator(".item .tag").first).to_have_text("新しい")
