"""The one socket: our own pages only, groups by rule, looked up in the database again and again."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import get_channel_layer

from hub.core import live, sessions, sockets
from tests.live import HOST, Page

#: Channels looks after the thread's connection at each message; nothing is read from it here.
pytestmark = pytest.mark.django_db
KEY = "k" * 32


def origin(value: bytes, host: bytes = HOST) -> list[tuple[bytes, bytes]]:
    return [(b"host", host), (b"origin", value)]


#: (what, headers) that are not ours even where plain http is allowed.
FOREIGN = [
    ("null", origin(b"null")),
    ("empty", origin(b"")),
    ("no origin", [(b"host", HOST)]),
    ("no host", [(b"origin", b"https://hub.example")]),
    ("other site", origin(b"https://evil.example")),
    ("other port", origin(b"https://hub.example:8443")),
    ("default port written out", origin(b"https://hub.example:443")),
    ("our name as a prefix", origin(b"https://hub.example.evil.example")),
    ("our name as a suffix", origin(b"https://evil-hub.example")),
    ("subdomain", origin(b"https://www.hub.example")),
    ("user info", origin(b"https://hub.example@evil.example")),
    ("user info before ours", origin(b"https://evil@hub.example")),
    ("path", origin(b"https://hub.example/")),
    ("other scheme", origin(b"ws://hub.example")),
    ("no scheme", origin(b"hub.example")),
    ("capitals", origin(b"https://HUB.example")),
    ("two origins in one", origin(b"https://hub.example https://evil.example")),
    ("two origins", [*origin(b"https://hub.example"), (b"Origin", b"https://evil.example")]),
    ("the same origin twice", [*origin(b"https://hub.example"), (b"origin", b"https://hub.example")]),
    ("two hosts", [*origin(b"https://hub.example"), (b"host", b"evil.example")]),
    ("a name somebody else points at us", origin(b"https://evil.example", b"evil.example")),
    ("host with a path", origin(b"https://hub.example/x", b"hub.example/x")),
    ("not ASCII", origin("https://ｈub.example".encode())),
]


@pytest.fixture(autouse=True)
def _our_name(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["hub.example"]


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """``open.*`` lets everybody in, ``shut.*`` nobody."""
    monkeypatch.setattr(
        live, "_rules", {"open": lambda member, rest: True, "shut": lambda member, rest: False}
    )


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Whose session a key is, in place of the database; change it as a writer would."""
    known: dict[str, Any] = {KEY: SimpleNamespace(pk=1, code="MISAKI00")}
    monkeypatch.setattr(sessions, "person_of", lambda key: known.get(key or ""))
    return known


# ---------------------------------------------------------------- whose page


@pytest.mark.parametrize("headers", [one[1] for one in FOREIGN], ids=[one[0] for one in FOREIGN])
async def test_page_of_another_site_is_refused_before_it_is_let_in(
    headers: Any, people: dict[str, Any]
) -> None:
    assert await Page(KEY, headers).knock() == ("close", 4403)


@pytest.mark.parametrize(
    ("scheme", "allow_http", "expected"),
    [
        ("https", False, "accept"),
        ("https", True, "accept"),
        ("http", True, "accept"),
        ("http", False, "close"),
    ],
)
async def test_plain_http_is_ours_only_where_the_site_is_plain_http(
    scheme: str, allow_http: bool, expected: str, settings: Any, people: dict[str, Any]
) -> None:
    settings.ALLOW_HTTP = allow_http
    page = Page(KEY, origin(f"{scheme}://hub.example".encode()))

    assert (await page.knock())[0] == expected
    await page.leave()


async def test_own_port_belongs_to_the_origin(people: dict[str, Any]) -> None:
    page = Page(KEY, origin(b"http://hub.example:8000", b"hub.example:8000"))

    assert await page.knock() == ("accept", None)
    await page.leave()


@pytest.mark.parametrize("key", [None, "", "x" * 32])
async def test_page_of_nobody_is_told_to_sign_in(key: str | None, people: dict[str, Any]) -> None:
    page = Page(key)

    assert await page.knock() == ("accept", None)
    assert await page.hear() == {"closed": 4401}


# ---------------------------------------------------------------- groups


async def test_page_joins_by_rule_and_hears_its_groups(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    assert await page.join("shut.door", "unknown.x", "open.", "open", "open.a") == ["open.a"]

    layer = get_channel_layer()
    for group in ("shut.door", "open.a"):
        await layer.group_send(group, {"type": "live.message", "body": {"kind": "changed", "group": group}})

    assert await page.hear() == {"kind": "changed", "group": "open.a"}
    assert await page.receive_nothing()
    await page.leave()


async def test_page_joins_eight_groups_at_most(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    names = [f"open.{n}" for n in range(8)]
    assert await page.join(*names) == names
    await page.send_json({"join": "open.8"})

    assert await page.receive_nothing()
    await page.leave()


@pytest.mark.parametrize(
    "sent",
    [
        [],
        "x",
        1,
        None,
        {"join": 1},
        {"join": ["open.a"]},
        {"join": "open." + "a" * 90},
        {"join": "open.あ"},
        {"join": "internal-member.MISAKI00"},
        {"join": "internal-session." + "0" * 32},
        {"other": 1},
        {"type": "live.message", "body": {"kind": "cut", "group": "open.a"}},
        {"type": "live.check"},
        {"type": "websocket.disconnect", "code": 1000},
    ],
)
async def test_whatever_else_a_page_says_does_nothing(rules: None, people: dict[str, Any], sent: Any) -> None:
    page, other = await Page(KEY).enter(), await Page(KEY).enter()
    await other.join("open.a")
    await page.send_json(sent)

    assert await page.receive_nothing()
    assert await other.receive_nothing()
    await page.leave()
    await other.leave()


async def test_type_in_a_join_is_not_looked_at(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    await page.send_json({"join": "open.a", "type": "live.message", "kind": "cut", "body": {}})

    assert await page.hear() == {"kind": "joined", "group": "open.a"}
    assert await page.receive_nothing()
    await page.leave()


@pytest.mark.parametrize(
    ("text", "data", "code"),
    [
        ("not json", None, 4400),
        ("[" * 5000, None, 4400),
        ("x" * 8193, None, 4408),
        ("あ" * 2731, None, 4408),
        (None, b"binary", 4408),
    ],
)
async def test_what_cannot_be_read_closes_the_socket(
    people: dict[str, Any], text: str | None, data: bytes | None, code: int
) -> None:
    page = await Page(KEY).enter()
    await page.send_text(text, data)

    assert await page.hear() == {"closed": code}


async def test_page_that_talks_too_much_is_closed(people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    for _ in range(20):
        await page.send_json({"join": 1})
    assert await page.receive_nothing()
    for _ in range(3):
        await page.send_json({"join": 1})

    assert await page.hear() == {"closed": 4429}
    assert await page.receive_nothing()


async def test_member_has_ten_sockets_at_most(people: dict[str, Any]) -> None:
    people["o" * 32] = SimpleNamespace(pk=2, code="OTHER000")
    pages = [await Page(KEY).enter() for _ in range(sockets.MAX_SOCKETS)]
    one_more = Page(KEY)
    assert await one_more.knock() == ("accept", None)
    assert await one_more.hear() == {"closed": 4429}

    await pages.pop().leave()
    pages += [await Page(KEY).enter(), await Page("o" * 32).enter()]
    for page in pages:
        await page.leave()
    assert sockets._open == set()


# ---------------------------------------------------------------- rights that end


async def word(group: str) -> None:
    """What `live.recheck` and `live.end_session` send."""
    await get_channel_layer().group_send(group, {"type": "live.check"})


async def test_socket_closes_when_its_session_is_over(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    await page.join("open.a")
    people.clear()
    await word(live.session_group(KEY))

    assert await page.hear(timeout=1) == {"closed": 4401}
    await page.leave()
    assert get_channel_layer().groups == {}


async def test_word_without_a_change_changes_nothing(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    await page.join("open.a")
    for group in (live.session_group(KEY), live.member_group("MISAKI00")):
        await word(group)

    assert await page.receive_nothing()
    await page.leave()


async def test_group_whose_rule_ended_is_left_at_once_and_the_page_is_told(
    rules: None, people: dict[str, Any]
) -> None:
    page = await Page(KEY).enter()
    await page.join("open.a", "open.b")
    live._rules["open"] = lambda member, rest: rest == "b"
    await word(live.member_group("MISAKI00"))
    assert await page.hear(timeout=1) == {"kind": "left", "group": "open.a"}

    layer = get_channel_layer()
    for group in ("open.a", "open.b"):
        await layer.group_send(group, {"type": "live.message", "body": {"kind": "changed", "group": group}})
    assert await page.hear() == {"kind": "changed", "group": "open.b"}
    assert await page.receive_nothing()
    await page.leave()


async def test_session_that_became_somebody_elses_closes_the_socket(
    rules: None, people: dict[str, Any]
) -> None:
    page = await Page(KEY).enter()
    people[KEY] = SimpleNamespace(pk=2, code="OTHER000")
    await page.send_json({"join": "open.a"})

    assert await page.hear() == {"closed": 4401}


async def test_join_asks_the_database_even_if_nobody_sent_word(rules: None, people: dict[str, Any]) -> None:
    page = await Page(KEY).enter()
    people.clear()
    await page.send_json({"join": "open.a"})

    assert await page.hear() == {"closed": 4401}


async def test_lost_word_is_made_up_for_by_the_timer(
    monkeypatch: pytest.MonkeyPatch, rules: None, people: dict[str, Any]
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.2)
    page = await Page(KEY).enter()
    await page.join("open.a")
    while (await page.hear()) != {"kind": "beat"}:
        pass
    live._rules.clear()
    assert await page.hear() == {"kind": "left", "group": "open.a"}
    people.clear()
    while (message := await page.hear()) == {"kind": "beat"}:
        pass

    assert message == {"closed": 4401}


async def test_nothing_is_forwarded_on_an_old_look(
    monkeypatch: pytest.MonkeyPatch, rules: None, people: dict[str, Any]
) -> None:
    page = await Page(KEY).enter()
    await page.join("open.a")
    people.clear()
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0)
    await get_channel_layer().group_send(
        "open.a", {"type": "live.message", "body": {"kind": "changed", "group": "open.a"}}
    )

    assert await page.hear() == {"closed": 4401}


async def test_without_a_database_there_is_no_proof_and_the_socket_closes(
    monkeypatch: pytest.MonkeyPatch, people: dict[str, Any]
) -> None:
    monkeypatch.setattr(sockets, "CHECK_EVERY", 0.1)
    page = await Page(KEY).enter()

    def away(key: str | None) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(sessions, "person_of", away)

    assert await page.hear() == {"closed": 1013}


async def test_right_that_ended_while_the_socket_opened_is_noticed(
    monkeypatch: pytest.MonkeyPatch, people: dict[str, Any]
) -> None:
    """Between the first look and the joining of the internal groups nobody would be told."""
    looks = iter([people[KEY], None])
    monkeypatch.setattr(sessions, "person_of", lambda key: next(looks))
    page = Page(KEY)
    assert await page.knock() == ("accept", None)

    assert await page.hear() == {"closed": 4401}


# ---------------------------------------------------------------- the pulse


class Deaf:
    """A layer that loses every word while `deaf`, and gives back its own otherwise."""

    def __init__(self) -> None:
        self.deaf, self.queue = True, asyncio.Queue[Any]()

    async def new_channel(self, prefix: str) -> str:
        return prefix

    async def send(self, channel: str, message: Any) -> None:
        if not self.deaf:
            self.queue.put_nowait(message)

    async def receive(self, channel: str) -> Any:
        return await self.queue.get()


async def test_page_is_told_that_the_layer_is_lost_and_asked_to_look_anew_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, rules: None, people: dict[str, Any]
) -> None:
    monkeypatch.setattr(sockets, "PULSE_EVERY", 0.02)
    monkeypatch.setattr(sockets, "PULSE_WITHIN", 0.05)
    page = await Page(KEY).enter()
    await page.join("open.a")
    layer = Deaf()
    sockets.watch(layer)
    assert await page.hear() == {"kind": "lost"}
    assert await page.receive_nothing(timeout=0.2), "once is enough"
    live._rules.clear()  # a word about it would have been lost
    layer.deaf = False
    assert await page.hear() == {"kind": "left", "group": "open.a"}
    assert await page.hear() == {"kind": "refresh"}

    await page.leave()
    assert sockets._watcher is not None
    await asyncio.wait_for(sockets._watcher, 2)
