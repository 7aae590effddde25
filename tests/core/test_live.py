"""The one socket: our own pages only, groups by rule, nothing before commit, nothing lost when the layer is away."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.db import transaction

from hub.core import live
from hub.core.live import LiveConsumer, same_origin

OURS = [(b"host", b"hub.example"), (b"origin", b"https://hub.example")]
MEMBER = SimpleNamespace(is_authenticated=True, pk=1)


@pytest.mark.parametrize(
    ("origin", "allow_http", "expected"),
    [
        (b"https://hub.example", False, True),
        (b"http://hub.example", False, False),
        (b"http://hub.example", True, True),
        (b"https://hub.example:8443", True, False),
        (b"https://evil.example", True, False),
        (b"https://hub.example.evil.example", True, False),
        (b"null", True, False),
        (b"", True, False),
    ],
)
def test_origin_is_exactly_ours(settings, origin: bytes, allow_http: bool, expected: bool) -> None:  # type: ignore[no-untyped-def]
    settings.ALLOW_HTTP = allow_http

    assert same_origin({b"host": b"hub.example", b"origin": origin}) == expected


def test_no_host_is_not_ours() -> None:
    assert not same_origin({b"origin": b"https://hub.example"})


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        live, "_rules", {"open": lambda member, rest: True, "shut": lambda member, rest: rest == "key"}
    )


class Page(ApplicationCommunicator):
    """A page's end of the socket. (channels.testing needs daphne, which we do not use.)"""

    async def connect(self) -> tuple[bool, int | None]:
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output()
        return answer["type"] == "websocket.accept", answer.get("code")

    async def send_text(self, text: str | None, data: bytes | None = None) -> None:
        await self.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def send_json(self, content: Any) -> None:
        await self.send_text(json.dumps(content))

    async def hear(self) -> Any:
        return json.loads((await self.receive_output())["text"])

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait()


def socket(*, headers: Any = None, user: Any = MEMBER) -> Page:
    scope = {
        "type": "websocket",
        "path": "/ws/",
        "headers": OURS if headers is None else headers,
        "user": user,
    }
    return Page(LiveConsumer.as_asgi(), scope)


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ([(b"host", b"hub.example"), (b"origin", b"https://evil.example")], MEMBER),
        (None, SimpleNamespace(is_authenticated=False)),
        (None, None),
    ],
)
async def test_foreign_pages_and_strangers_are_sent_away(headers: Any, user: Any) -> None:
    connected, code = await socket(headers=headers, user=user).connect()

    assert (connected, code) == (False, 4403)


async def test_page_joins_by_rule_and_hears_its_group(rules: None) -> None:
    page = socket()
    await page.connect()
    for group in ("shut.door", "unknown.x", "open.a"):
        await page.send_json({"join": group})
    assert await page.hear() == {"kind": "joined", "group": "open.a"}

    layer = get_channel_layer()
    for group in ("shut.door", "open.a"):
        await layer.group_send(group, {"type": "live.message", "body": {"kind": "changed", "group": group}})

    assert await page.hear() == {"kind": "changed", "group": "open.a"}
    assert await page.receive_nothing()
    await page.leave()


@pytest.mark.parametrize("sent", [[], "x", {"join": 1}, {"join": "open." + "a" * 90}, {"other": 1}])
async def test_odd_messages_are_ignored(rules: None, sent: Any) -> None:
    page = socket()
    await page.connect()
    await page.send_json(sent)

    assert await page.receive_nothing()
    await page.leave()


async def test_page_joins_eight_groups_at_most(rules: None) -> None:
    page = socket()
    await page.connect()
    for n in range(live.MAX_GROUPS + 1):
        await page.send_json({"join": f"open.{n}"})
    joined = [(await page.hear())["group"] for _ in range(live.MAX_GROUPS)]

    assert joined == [f"open.{n}" for n in range(8)]
    assert await page.receive_nothing()
    await page.leave()


@pytest.mark.parametrize(
    ("text", "data", "code"), [("not json", None, 4400), ("x" * 8193, None, 4408), (None, b"binary", 4408)]
)
async def test_what_cannot_be_read_closes_the_socket(text: str | None, data: bytes | None, code: int) -> None:
    page = socket()
    await page.connect()
    await page.send_text(text, data)

    assert await page.receive_output() == {"type": "websocket.close", "code": code}


class Layer:
    """Takes down what is sent; or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.sent: list[Any] = []
        self.away = away

    async def group_send(self, group: str, message: Any) -> None:
        if self.away:
            raise ConnectionError("redis is away")
        self.sent.append((group, message["body"]))


@pytest.mark.django_db
def test_word_goes_out_on_commit_only(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    layer = Layer()
    monkeypatch.setattr(live, "get_channel_layer", lambda: layer)
    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")
        assert layer.sent == []

    assert layer.sent == [("hub.ekimae", {"kind": "availability", "group": "hub.ekimae"})]


@pytest.mark.django_db
def test_word_of_what_was_undone_never_goes_out(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    layer = Layer()
    monkeypatch.setattr(live, "get_channel_layer", lambda: layer)

    def undone() -> None:
        with transaction.atomic():
            live.broadcast("hub.ekimae", "availability")
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        undone()

    assert layer.sent == []


@pytest.mark.django_db
def test_layer_that_is_away_breaks_no_booking(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(live, "get_channel_layer", lambda: Layer(away=True))

    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")
