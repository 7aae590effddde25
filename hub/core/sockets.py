"""Live updates, the side of the pages: the one socket of a page, and the pulse of the channel layer (docs/live.md).

A page can say ``{"join": group}`` and nothing else. Who it is, is read from the database at the start, before each
join, when a writer says that rights changed, and every 30 seconds: what Channels keeps of a session is a stale copy.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import InMemoryChannelLayer
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from redis.exceptions import RedisError

from hub.core import live, sessions

log = structlog.get_logger(__name__)
MAX_GROUPS = 8
MAX_SOCKETS = 10  # of one member in one process
MAX_BYTES = 8192
MAX_MESSAGES, WINDOW = 20, 10.0  # messages of a page in so many seconds
CHECK_EVERY = 30.0
PULSE_EVERY, PULSE_WITHIN = 1.0, 2.0
LAYER_AWAY = (RedisError, ConnectionError, TimeoutError)

#: Close codes that app.js knows: the session is over (signed out); too much.
SIGNED_OUT, TOO_MANY = 4401, 4429
NOT_OURS, NOT_JSON, TOO_BIG, TRY_LATER = 4403, 4400, 4408, 1013

_open: "set[LiveConsumer]" = set()


def same_origin(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a socket comes from our own page: one Origin, exactly the scheme, host and port of the one Host.

    Plain http only where `ALLOW_HTTP` is set. The host must be one of `ALLOWED_HOSTS`, so that a name that somebody
    else points at us does not count as ours (RFC 6455 10.2; DNS rebinding).
    """
    named = list(headers)
    origins = [value for name, value in named if name.lower() == b"origin"]
    hosts = [value for name, value in named if name.lower() == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    host = hosts[0].decode("latin1")
    domain, _port = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    schemes = ("https", "http") if settings.ALLOW_HTTP else ("https",)
    return origins[0].decode("latin1") in {f"{scheme}://{host}" for scheme in schemes}


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """The one socket of a page. It asks for groups; each is checked against its app's rule, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.member: Any = None  # whose socket it is, as the database had her at the last look
        self.joined: set[str] = set()
        self.closed = False
        self._internal: set[str] = set()
        self._times: deque[float] = deque()
        self._turn = asyncio.Lock()  # the timer and a message must not look at once
        self._checked_at = 0.0
        self._timer: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        except LAYER_AWAY as error:  # the page goes on by polling and comes back
            log.warning("live_socket_lost", error=type(error).__name__)
            with suppress(OSError):
                await send({"type": "websocket.close", "code": TRY_LATER})
        except OSError:  # the page was gone while we wrote to it (ASGI: send after disconnect)
            log.debug("live_page_gone")
        finally:
            await self._forget()

    async def _forget(self) -> None:
        _open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        for group in self.joined | self._internal:
            with suppress(*LAYER_AWAY):
                await self.channel_layer.group_discard(group, self.channel_name)

    async def connect(self) -> None:
        if not same_origin(self.scope["headers"]):
            await self.close(code=NOT_OURS)
            return
        self._key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        member, _none = await self._ask(set())
        await self.accept()  # from here on the page can read why it is closed
        if member is None:
            await self.close(code=SIGNED_OUT)
            return
        if sum(other.member.pk == member.pk for other in _open) >= MAX_SOCKETS:
            await self.close(code=TOO_MANY)
            return
        self.member = member
        _open.add(self)
        for group in (live.session_group(self._key), live.member_group(member.code)):
            await self.channel_layer.group_add(group, self.channel_name)
            self._internal.add(group)
        await self._check()  # what ended before we listened
        await self.say("hello")
        self._timer = asyncio.create_task(self._check_again())
        watch(self.channel_layer)

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Once; a second reason changes nothing."""
        if not self.closed:
            self.closed = True
            _open.discard(self)
            await super().close(code, reason)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        if not self.closed:
            await super().send(text_data, bytes_data, close)

    # ------------------------------------------------------------ what a page says

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        now = asyncio.get_running_loop().time()
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        self._times.append(now)
        if self.closed:
            return
        if len(self._times) > MAX_MESSAGES:
            await self.close(code=TOO_MANY)
        elif bytes_data is not None or text_data is None or len(text_data.encode()) > MAX_BYTES:
            await self.close(code=TOO_BIG)
        else:
            try:
                content = await self.decode_json(text_data)
            except (ValueError, RecursionError):
                await self.close(code=NOT_JSON)
            else:
                await self.receive_json(content)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        group = content.get("join") if isinstance(content, dict) else None
        if not isinstance(group, str) or len(group) > 90 or not group.isascii():
            return
        async with self._turn:
            if self.closed or group in self.joined or len(self.joined) >= MAX_GROUPS:
                return
            member, allowed = await self._ask({group})
            if member is None:
                await self.close(code=SIGNED_OUT)
            elif allowed:
                await self.channel_layer.group_add(group, self.channel_name)
                self.joined.add(group)
                await self.send_json({"kind": "joined", "group": group})

    # ------------------------------------------------------------ what the layer says

    async def live_message(self, event: dict[str, Any]) -> None:
        if asyncio.get_running_loop().time() - self._checked_at > CHECK_EVERY:
            await self._check()
        if event["body"]["group"] in self.joined:
            await self.send_json(event["body"])

    async def live_check(self, event: dict[str, Any]) -> None:
        await self._check()

    # ------------------------------------------------------------ rights

    async def _ask(self, groups: set[str]) -> tuple[Any | None, set[str]]:
        """The member as the database has her now, None when the session is over or another's; and her groups of these."""
        found: tuple[Any | None, set[str]] = await database_sync_to_async(self._look)(groups)
        return found

    def _look(self, groups: set[str]) -> tuple[Any | None, set[str]]:
        member = sessions.person_of(self._key)
        if member is None or (self.member is not None and member.pk != self.member.pk):
            return None, set()
        return member, {group for group in groups if live.may_join(member, group)}

    async def _check(self) -> None:
        """Close when the session is over; leave the groups whose rule no longer holds, and say so."""
        async with self._turn:
            if self.closed:
                return
            member, allowed = await self._ask(set(self.joined))
            if member is None:
                await self.close(code=SIGNED_OUT)
                return
            self._checked_at = asyncio.get_running_loop().time()
            for group in sorted(self.joined - allowed):
                self.joined.discard(
                    group
                )  # nothing is forwarded from here on, even if the layer does not answer
                with suppress(*LAYER_AWAY):
                    await self.channel_layer.group_discard(group, self.channel_name)
                await self.send_json({"kind": "left", "group": group})

    async def _check_again(self) -> None:
        """Every 30 s without being told: time runs out unnoticed, and a word may be lost. Then a sign of life."""
        try:
            while not self.closed:
                await asyncio.sleep(CHECK_EVERY)
                await self._check()
                await self.say("beat")
        except Exception as error:  # no database, no proof: the page has to come again
            log.warning("live_check_failed", error=type(error).__name__)
            with suppress(OSError):
                await self.close(code=TRY_LATER)

    async def say(self, kind: str) -> None:
        """Tell the page something that is about no group; a page that is gone does not matter."""
        with suppress(OSError):
            await self.send_json({"kind": kind})


# ---------------------------------------------------------------- the pulse of the layer

_watcher: "asyncio.Task[None] | None" = None


def watch(layer: Any) -> None:
    """See to it that one task of this loop feels the layer's pulse while sockets are open. Nothing to do in memory."""
    global _watcher
    if isinstance(layer, InMemoryChannelLayer):
        return
    if _watcher is None or _watcher.done() or _watcher.get_loop() is not asyncio.get_running_loop():
        _watcher = asyncio.create_task(_feel_pulse(layer))


async def _feel_pulse(layer: Any) -> None:
    """Send a word through the layer to ourselves once a second.

    When it does not come back, pages are told ``lost`` and poll. When it comes back again, each socket asks the
    database (a word about its rights may have been lost) and its page fetches afresh: nothing is replayed.
    """
    channel = await layer.new_channel("pulse.")
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:  # never cut off while we live: the layer forgets a channel whose receiver was
        while True:
            heard.put_nowait((await layer.receive(channel))["beat"])

    listener = asyncio.create_task(listen())
    lost, beat = False, 0
    try:
        while _open:
            beat += 1
            try:
                async with asyncio.timeout(PULSE_WITHIN):
                    await layer.send(channel, {"type": "live.pulse", "beat": beat})
                    while await heard.get() != beat:
                        pass
            except LAYER_AWAY as error:
                if not lost:
                    lost = True
                    log.warning("live_layer_lost", error=type(error).__name__)
                    await _tell_all("lost")
            else:
                if lost:
                    lost = False
                    log.warning("live_layer_back")
                    for socket in list(_open):
                        with suppress(Exception):  # its own timer closes it if the database is away
                            await socket.live_check({})
                    await _tell_all("refresh")
            await asyncio.sleep(PULSE_EVERY)
    finally:
        listener.cancel()


async def _tell_all(kind: str) -> None:
    await asyncio.gather(*(socket.say(kind) for socket in list(_open)))
