"""The writers' side of live updates: after commit only, nothing of what was undone, never in the way of a request."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import transaction

from hub import asgi
from hub.core import live


class Layer:
    """Takes down what is sent; or is away; or does not answer."""

    def __init__(self, *, away: bool = False, hangs: bool = False) -> None:
        self.sent: list[Any] = []
        self.away, self.hangs = away, hangs

    async def group_send(self, group: str, message: Any) -> None:
        if self.away:
            raise ConnectionError("redis is away")
        if self.hangs:
            await asyncio.sleep(3600)
        self.sent.append((group, message))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(live, "get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
def server_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread, as that of the server does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    live.use_loop(loop)
    yield loop
    live.use_loop(None)

    async def end() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.django_db
def test_word_goes_out_on_commit_only(layer: Layer, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")
        assert layer.sent == []

    body = {"kind": "availability", "group": "hub.ekimae"}
    assert layer.sent == [("hub.ekimae", {"type": "live.message", "body": body})]


@pytest.mark.django_db
def test_word_of_what_was_undone_never_goes_out(
    layer: Layer, django_capture_on_commit_callbacks: Any
) -> None:
    def undone() -> None:
        with transaction.atomic():
            live.broadcast("hub.ekimae", "availability")
            raise ZeroDivisionError

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError):
        undone()

    assert layer.sent == []


@pytest.mark.django_db
def test_layer_that_is_away_breaks_no_booking(layer: Layer, django_capture_on_commit_callbacks: Any) -> None:
    layer.away = True

    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")


@pytest.mark.django_db
def test_layer_that_hangs_keeps_no_request_waiting(
    layer: Layer, server_loop: asyncio.AbstractEventLoop, django_capture_on_commit_callbacks: Any
) -> None:
    layer.hangs = True
    began = time.monotonic()

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(50):
            live.broadcast("hub.ekimae", "availability")

    assert time.monotonic() - began < 0.5


@pytest.mark.django_db
def test_layer_that_hangs_keeps_a_command_waiting_two_seconds_at_most(
    layer: Layer, django_capture_on_commit_callbacks: Any
) -> None:
    layer.hangs = True
    began = time.monotonic()

    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")

    assert 1.9 < time.monotonic() - began < 3


def test_nothing_piles_up_behind_a_layer_that_hangs(
    layer: Layer, server_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SEND_WITHIN", 0.2)
    layer.hangs = True
    for _ in range(20):
        asyncio.run_coroutine_threadsafe(live._send(layer, "hub.ekimae", {}), server_loop)
    end = time.monotonic() + 5
    while asyncio.all_tasks(server_loop):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.django_db
def test_word_finds_the_loop_of_the_sockets(
    layer: Layer, server_loop: asyncio.AbstractEventLoop, django_capture_on_commit_callbacks: Any
) -> None:
    loops = []

    async def group_send(group: str, message: Any) -> None:
        loops.append(asyncio.get_running_loop())

    layer.group_send = group_send  # type: ignore[method-assign]
    with django_capture_on_commit_callbacks(execute=True):
        live.broadcast("hub.ekimae", "availability")
    end = time.monotonic() + 5
    while not loops:
        assert time.monotonic() < end
        time.sleep(0.01)

    assert loops == [server_loop]


# ---------------------------------------------------------------- a request's words


class Router:
    """Stands for HTTP in `hub.asgi`: each request says one word in a thread, as a2wsgi runs it, and waits for its `go`."""

    def __init__(self) -> None:
        self.go: dict[str, asyncio.Event] = {}
        self.said: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        await asyncio.to_thread(self._say, path)
        self.said[path].set()
        await self.go[path].wait()
        if path == "fails":
            raise ZeroDivisionError

    @staticmethod
    def _say(path: str) -> None:
        live.broadcast(path, "presence")  # outside a transaction: sent at once

    def begin(self, path: str) -> asyncio.Task[None]:
        self.go[path], self.said[path] = asyncio.Event(), asyncio.Event()
        return asyncio.create_task(asgi.application({"type": "http", "path": path}, None, None))


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> Iterator[Router]:
    router = Router()
    monkeypatch.setattr(asgi, "router", router)
    monkeypatch.setattr(
        live.transaction, "on_commit", lambda work, robust: work()
    )  # no database in these threads
    yield router
    live.use_loop(None)


async def groups_sent(layer: Layer) -> list[str]:
    for _ in range(5):  # a word is a task of the loop
        await asyncio.sleep(0)
    return [group for group, _message in layer.sent]


async def test_words_of_a_request_go_out_after_its_answer(layer: Layer, router: Router) -> None:
    request = router.begin("one")
    await router.said["one"].wait()
    before = await groups_sent(layer)

    router.go["one"].set()
    await request

    assert (before, await groups_sent(layer)) == ([], ["one"])


async def test_words_of_a_request_that_fails_go_out_too(layer: Layer, router: Router) -> None:
    request = router.begin("fails")
    router.go["fails"].set()
    with pytest.raises(ZeroDivisionError):
        await request

    assert await groups_sent(layer) == ["fails"]


async def test_request_that_begins_throws_no_waiting_word_away(layer: Layer, router: Router) -> None:
    first = router.begin("first")
    await router.said["first"].wait()
    second = router.begin("second")
    await router.said["second"].wait()

    for name, request in (("first", first), ("second", second)):
        router.go[name].set()
        await request

    assert sorted(await groups_sent(layer)) == ["first", "second"]


def test_session_key_stands_in_no_channel_name() -> None:
    name = live.session_group("abcdefghijklmnopqrstuvwxyz012345")

    assert "abcdefgh" not in name
    assert len(name) == len("internal-session.") + 32


async def test_loop_is_not_woken_for_a_group_without_a_page(
    monkeypatch: pytest.MonkeyPatch, router: Router
) -> None:
    """Known only in the layer of one process; who listens there hears it as before."""
    memory = InMemoryChannelLayer()
    monkeypatch.setattr(live, "get_channel_layer", lambda: memory)
    live.use_loop(asyncio.get_running_loop())
    await memory.group_add("heard", "specific.page!1")
    await asyncio.to_thread(live.broadcast, "unheard", "presence")
    assert not live._words

    await asyncio.to_thread(live.broadcast, "heard", "presence")
    message = await asyncio.wait_for(memory.receive("specific.page!1"), 5)
    assert message["body"]["group"] == "heard"


# ---------------------------------------------------------------- bodies


def sender(*messages: dict[str, Any]) -> Callable[[], Any]:
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    return receive


@pytest.mark.parametrize(
    ("length", "messages", "body"),
    [
        (b"4", [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"cd"}], b"abcd"),
        (b"4", [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.disconnect"}], None),
        (b"0", [], None),
        (b"", [], None),
        (b"-1", [], None),
        (b"12x", [], None),
        (b"65537", [], None),
    ],
)  # fmt: skip
async def test_small_body_is_read_before_a_thread_is_asked(
    length: bytes, messages: list[dict[str, Any]], body: bytes | None
) -> None:
    scope = {"headers": [(b"content-length", length)]}
    assert await asgi.small_body(scope, sender(*messages)) == body
