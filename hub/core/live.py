"""Live updates over Channels: writers broadcast by name after commit; one consumer forwards; no rule lives here.

A message never carries personal data: it names what changed, and the page fetches its own fragment, so every
read passes the access check. Losing the channel layer stops live updates only; pages fall back to polling.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)
MAX_GROUPS = 8

#: Each app says who may join its groups: prefix -> rule(member, rest of the name) -> bool.
_rules: dict[str, Callable[[Any, str], bool]] = {}


def register(prefix: str, rule: Callable[[Any, str], bool]) -> None:
    """Let pages join groups named ``prefix.<rest>`` when ``rule(member, rest)`` says so (asked in a thread)."""
    _rules[prefix] = rule


_server_loop: asyncio.AbstractEventLoop | None = None


def use_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Remember the loop on which this process serves its sockets (asgi.py).

    Requests run on plain threads: sending from there on a loop of its own would cost a new loop each time, and
    would not wake the waiting consumers of the in-memory layer.
    """
    global _server_loop
    _server_loop = loop


async def _send(layer: Any, group: str, message: dict[str, Any]) -> None:
    try:
        await layer.group_send(group, message)
    except Exception as error:  # the layer may be away: live stops, the booking stands
        log.warning("live_not_sent", group=group, error=type(error).__name__)


def broadcast(group: str, kind: str, data: dict[str, Any] | None = None) -> None:
    """Send ``{kind, group, ...data}`` to everybody in ``group`` when the transaction commits."""

    def send() -> None:
        layer = get_channel_layer()
        if layer is None:
            return
        message = {"type": "live.message", "body": {"kind": kind, "group": group, **(data or {})}}
        if _server_loop is not None and _server_loop.is_running():
            asyncio.run_coroutine_threadsafe(_send(layer, group, message), _server_loop)
        else:  # a command or a worker of its own, which reaches the sockets through Redis
            async_to_sync(_send)(layer, group, message)

    transaction.on_commit(send)


def same_origin(headers: dict[bytes, bytes]) -> bool:
    """Whether a socket comes from our own page: exact host and port, https or the host's own scheme."""
    origin = headers.get(b"origin", b"").decode("latin1")
    host = headers.get(b"host", b"").decode("latin1")
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not host:
        return False
    return parts.netloc == host and (parts.scheme == "https" or settings.ALLOW_HTTP)


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """The one socket of a page. It asks for groups; each is checked against its app's rule."""

    groups_joined: set[str]

    async def connect(self) -> None:
        self.groups_joined = set()
        member = self.scope.get("user")
        if not same_origin(dict(self.scope["headers"])) or member is None or not member.is_authenticated:
            await self.close(code=4403)
            return
        await self.accept()

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        group = content.get("join") if isinstance(content, dict) else None
        if not isinstance(group, str) or len(group) > 90 or len(self.groups_joined) >= MAX_GROUPS:
            return
        prefix, _, rest = group.partition(".")
        rule = _rules.get(prefix)
        if rule is None or not await database_sync_to_async(rule)(self.scope["user"], rest):
            return
        await self.channel_layer.group_add(group, self.channel_name)
        self.groups_joined.add(group)
        await self.send_json({"kind": "joined", "group": group})

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        if bytes_data is not None or text_data is None or len(text_data) > 8192:
            await self.close(code=4408)
            return
        try:
            await super().receive(text_data=text_data, **kwargs)
        except ValueError:
            await self.close(code=4400)

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def live_message(self, event: dict[str, Any]) -> None:
        await self.send_json(event["body"])
