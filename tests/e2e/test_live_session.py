"""What an open page does when its session ends, when many words come at once, when it is hidden, when the line is dead."""

import json
import re
import time
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import MakePerson

#: Takes down every live event of the page, by kind.
EARS = """
window.heard = [];
addEventListener('DOMContentLoaded', () => {
  for (const kind of ['availability', 'presence', 'refresh', 'joined'])
    document.body.addEventListener('live:' + kind, () => heard.push(kind));
});
"""
#: `hide(true)` makes the page believe that it is in the background.
HIDE = """
let away = false;
Object.defineProperty(document, 'hidden', { get: () => away });
window.hide = yes => { away = yes; document.dispatchEvent(new Event('visibilitychange')); };
"""


class Server:
    """Stands in for `/ws/`: greets, lets the page into each group, and says what the test says."""

    def __init__(self, page: Page) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.close_with = 0
        page.route_web_socket(re.compile(r"/ws/$"), self.connect)

    def connect(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        if self.close_with:
            socket.close(code=self.close_with)
            return
        socket.on_message(lambda text: socket.send(json.dumps({"kind": "joined", "group": str(text)})))
        socket.send('{"kind": "hello"}')

    def say(self, kind: str) -> None:
        self.sockets[-1].send(json.dumps({"kind": kind, "group": "hub.ekimae"}))


def listening(make_person: MakePerson, path: str = "/book/") -> tuple[Page, Server]:
    """Misaki's page in front of the stand-in, with its clock in our hands, joined and quiet."""
    page = make_person("misaki").page
    page.clock.install()
    page.add_init_script(EARS + HIDE)
    server = Server(page)
    page.goto(f"{make_person().site.url}{path}")
    expect(page.locator("body")).to_have_attribute("data-net", "on")
    page.wait_for_function("heard.includes('joined')")
    page.clock.pause_at(datetime.fromtimestamp(page.evaluate("Date.now() / 1000 + 2"), UTC))
    page.evaluate("heard.length = 0")
    return page, server


def heard(page: Page) -> list[str]:
    return list(page.evaluate("heard"))


def until_heard(page: Page, count: int) -> list[str]:
    page.wait_for_function("n => heard.length >= n", arg=count)
    return heard(page)


def calm(page: Page) -> None:
    """Wait until nothing is on its way: a page that closes meanwhile would complain."""
    page.wait_for_function("() => !document.querySelector('.htmx-request')")


def wait(page: Page, seconds: int) -> None:
    """Let the page's clock run, and let it finish what it begins on the way."""
    for _ in range(seconds):
        page.clock.run_for(1000)
        calm(page)


# ---------------------------------------------------------------- the real server


def test_signing_out_in_one_tab_closes_the_other_within_a_second(make_person: MakePerson) -> None:
    misaki = make_person("misaki")
    closed: list[float] = []
    with misaki.page.expect_websocket() as opened:
        tab = misaki.open("/book/")
    opened.value.on("close", lambda _socket: closed.append(time.monotonic()))
    expect(tab.locator("body")).to_have_attribute("data-net", "on")
    other = misaki.context.new_page()
    other.goto(f"{misaki.site.url}/me/")
    with other.expect_response(lambda answer: answer.url.endswith("/sign-out/")):
        other.get_by_role("button", name="出る（ログアウト）").tap()
    began = time.monotonic()
    expect(tab.locator("body")).to_have_attribute("data-net", "out")
    expect(tab.locator("#net")).to_contain_text("もう 出ています（ログアウト）")
    assert closed[0] - began < 1
    link = tab.get_by_role("link", name="もう一度 入る")
    assert link.get_attribute("href") == "/accounts/login/?next=/book/"

    misaki.sign_in("misaki")
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(tab.locator("body")).to_have_attribute("data-net", "on")
    expect(link).to_be_hidden()


def test_new_key_of_the_session_is_not_taken_for_signing_out(make_person: MakePerson) -> None:
    """ "Sign out elsewhere" gives this browser a new key: the other tab comes back with it and says nothing."""
    misaki = make_person("misaki")
    with misaki.page.expect_websocket() as opened:
        tab = misaki.open("/book/")
    expect(tab.locator("body")).to_have_attribute("data-net", "on")
    other = misaki.context.new_page()
    other.goto(f"{misaki.site.url}/me/account/")
    with tab.expect_websocket() as again, opened.value.expect_event("close"):
        other.get_by_role("button", name="ほかから 出る").tap()
    message = again.value.wait_for_event("framereceived")
    assert json.loads(message) == {"kind": "hello"}
    expect(tab.locator("body")).to_have_attribute("data-net", "on")
    assert tab.locator("#net").get_attribute("data-state") in (None, "on")


def test_page_marks_what_it_fetches_on_its_own(make_person: MakePerson) -> None:
    """A shared device must not stay signed in because its page refreshes itself."""
    page, server = listening(make_person)
    asked: list[Any] = []
    page.on("request", lambda request: "/book/avail" in request.url and asked.append(request))
    server.say("availability")
    until_heard(page, 1)
    page.clock.run_for(600)
    calm(page)
    page.locator("label.choice", has=page.locator("#p-pm")).tap()
    page.clock.run_for(300)
    page.wait_for_function("() => /p=pm/.test(location.href)")

    assert [request.headers.get("x-live") for request in asked] == ["1", None]


# ---------------------------------------------------------------- the stand-in


def test_burst_is_told_at_once_and_once_more_at_its_end(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    for _ in range(20):
        server.say("availability")
    server.say("presence")
    assert until_heard(page, 2) == ["availability", "presence"]
    page.clock.run_for(399)
    assert heard(page) == ["availability", "presence"]
    page.clock.run_for(1)
    assert heard(page) == ["availability", "presence", "availability"]
    page.clock.run_for(5000)
    assert len(heard(page)) == 3


def test_twenty_words_in_a_second_are_four(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    server.say("availability")
    until_heard(page, 1)
    for _ in range(20):
        page.clock.run_for(50)
        server.say("availability")
    page.wait_for_timeout(300)
    page.clock.run_for(1000)

    assert len(heard(page)) <= 4


def test_hidden_page_asks_for_nothing_until_it_is_shown(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    page.evaluate("hide(true)")
    for _ in range(3):
        server.say("availability")
    page.wait_for_timeout(200)
    wait(page, 35)
    assert heard(page) == []
    page.evaluate("hide(false)")

    assert heard(page) == ["refresh"]


def test_hidden_page_does_not_reconnect_until_it_is_shown(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    page.evaluate("hide(true)")
    server.sockets[-1].close(code=1012)
    page.wait_for_timeout(200)
    wait(page, 40)
    page.wait_for_timeout(200)
    assert len(server.sockets) == 1
    page.evaluate("hide(false)")

    page.wait_for_function("heard.includes('refresh')")
    assert len(server.sockets) == 2


def test_server_that_restarts_is_found_again_and_asked_anew(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    server.sockets[-1].close(code=1012)
    page.wait_for_timeout(200)
    page.clock.run_for(1000)
    page.wait_for_function("heard.includes('refresh')")

    assert len(server.sockets) == 2
    assert page.locator("#net").get_attribute("data-state") is None, "a second without a line is no news"


def test_dead_line_is_noticed_and_opened_anew(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    for _ in range(3):
        wait(page, 30)
        server.say("beat")
        page.wait_for_timeout(100)
    assert len(server.sockets) == 1
    wait(page, 77)
    page.wait_for_function("heard.includes('refresh')")

    assert len(server.sockets) == 2
    assert heard(page)[0] == "refresh"


def test_server_that_hears_nothing_itself_makes_the_page_poll(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    body, line = page.locator("body"), page.locator("#net")
    server.say("lost")
    page.wait_for_timeout(200)
    wait(page, 7)
    expect(body).to_have_attribute("data-net", "lost")
    expect(line).to_contain_text("つながり直しています")
    wait(page, 26)
    expect(body).to_have_attribute("data-net", "poll")
    expect(line).to_contain_text("30秒ごとに たしかめます")
    wait(page, 30)
    assert heard(page)
    server.say("refresh")
    expect(body).to_have_attribute("data-net", "on")
    assert (len(server.sockets), heard(page)[-1]) == (1, "refresh")
    calm(page)


def test_right_that_ended_loads_the_page_anew(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    page.evaluate("window.here = true")
    with page.expect_navigation():
        server.say("left")

    assert page.evaluate("window.here") is None
    assert page.url.endswith("/book/")


def test_page_that_asks_too_often_waits_half_a_minute(make_person: MakePerson) -> None:
    page, server = listening(make_person)
    server.close_with = 4429
    server.sockets[-1].close(code=4429)
    page.wait_for_timeout(200)
    wait(page, 29)
    page.wait_for_timeout(100)
    assert len(server.sockets) == 1
    wait(page, 32)
    page.wait_for_timeout(200)

    assert len(server.sockets) == 2
