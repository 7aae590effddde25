"""Live updates, the side of the writers: who may join which group, and sending a word after commit (docs/live.md).

A message never carries personal data: it names what changed, and the page fetches its own fragment, so every
read passes the access check. Losing the channel layer stops live updates only; pages fall back to polling.
The sockets themselves are in `hub.core.sockets`.
"""

import asyncio
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

log = structlog.get_logger(__name__)
SEND_WITHIN = 2.0  # seconds; then this word is lost, as Channels allows, and the booking stands
#: Groups that a socket joins by itself. Pages cannot: no rule is registered for them.
OF_MEMBER, OF_SESSION = "internal-member", "internal-session"

#: Each app says who may join its groups: prefix -> rule(member, rest of the name) -> bool.
_rules: dict[str, Callable[[Any, str], bool]] = {}


def register(prefix: str, rule: Callable[[Any, str], bool]) -> None:
    """Let pages join groups named ``prefix.<rest>`` when ``rule(member, rest)`` says so (asked in a thread)."""
    _rules[prefix] = rule


def may_join(member: Any, group: str) -> bool:
    """Whether the rule of this group lets ``member`` in. Unknown kinds of groups let nobody in."""
    prefix, _, rest = group.partition(".")
    rule = _rules.get(prefix)
    return rule is not None and bool(rest) and rule(member, rest)


_server_loop: asyncio.AbstractEventLoop | None = None


def use_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Remember the loop on which this process serves its sockets (asgi.py).

    Requests run on plain threads: sending from there on a loop of its own would cost a new loop each time, would
    not wake the waiting consumers of the in-memory layer, and would wait for a Redis that does not answer.
    """
    global _server_loop
    if loop is _server_loop:
        return  # said anew with each request: the words that wait are those of other requests
    _server_loop = loop
    _words.clear()
    _woken.clear()


async def _send(layer: Any, group: str, message: dict[str, Any]) -> None:
    try:
        async with asyncio.timeout(SEND_WITHIN):
            await layer.group_send(group, message)
    except Exception as error:  # the layer may be away: live stops, the booking stands
        log.warning("live_not_sent", group=group, error=type(error).__name__)


#: Words on their way from the threads of requests to the loop. One scan says four at once, and waking the loop for
#: each took longer than sending them: it is woken once, and takes what is there. In a request it is not even woken:
#: it will be awake for the answer, which somebody waits for, and takes the words after that.
_words: deque[tuple[str, dict[str, Any]]] = deque()
_woken = threading.Event()
_in_request: ContextVar[bool] = ContextVar("in_request", default=False)
_carrying: set[asyncio.Task[None]] = set()  # the loop itself keeps no hold of its tasks


async def _send_all(batch: list[tuple[str, dict[str, Any]]]) -> None:
    layer = get_channel_layer()
    await asyncio.gather(*(_send(layer, group, message) for group, message in batch))


def _take() -> None:
    """On the loop: send everything that is waiting. A layer that hangs costs one `SEND_WITHIN`, not one for each word."""
    _woken.clear()  # first: a word that comes after this wakes the loop again
    batch = []
    while _words:
        batch.append(_words.popleft())
    task = asyncio.get_running_loop().create_task(_send_all(batch))
    _carrying.add(task)
    task.add_done_callback(_carrying.discard)


@contextmanager
def after_the_answer() -> Iterator[None]:
    """On the loop, around one request: what its thread says, which runs in this context, goes out when it is over."""
    before = _in_request.set(True)
    try:
        yield
    finally:
        _in_request.reset(before)
        if _words:
            _take()


def _nobody_listens(layer: Any, group: str) -> bool:
    """No page is open for ``group``: known only where all pages are of this process. The loop is not woken for nobody."""
    return isinstance(layer, InMemoryChannelLayer) and group not in layer.groups


def _post(group: str, message: dict[str, Any]) -> None:
    """Hand a message to the layer when the transaction commits. Never raises, and never keeps a request waiting.

    A command or a worker of its own has no loop of sockets: there it waits, `SEND_WITHIN` at most.
    """

    def send() -> None:
        layer = get_channel_layer()
        if layer is None or _nobody_listens(layer, group):
            return
        loop = _server_loop
        if loop is None or not loop.is_running():
            async_to_sync(_send)(layer, group, message)
            return
        _words.append((group, message))
        if not _in_request.get() and not _woken.is_set():
            _woken.set()
            loop.call_soon_threadsafe(_take)

    transaction.on_commit(send, robust=True)


def broadcast(group: str, kind: str, data: dict[str, Any] | None = None) -> None:
    """Send ``{kind, group, ...data}`` to everybody in ``group`` when the transaction commits."""
    _post(group, {"type": "live.message", "body": {"kind": kind, "group": group, **(data or {})}})


# ---------------------------------------------------------------- when rights end


def member_group(code: str) -> str:
    """The internal group of all sockets of one member."""
    return f"{OF_MEMBER}.{code}"


def session_group(key: str) -> str:
    """The internal group of all sockets of one session. The key itself opens the account, so only its hash is named."""
    return f"{OF_SESSION}.{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def recheck(member_code: str) -> None:
    """Rights of this member changed: each of her sockets asks the database again when the transaction commits."""
    _post(member_group(member_code), {"type": "live.check"})


def end_session(key: str) -> None:
    """This session is over: its sockets ask the database, find nothing, and close."""
    _post(session_group(key), {"type": "live.check"})
