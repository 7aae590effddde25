"""The production layer: words pass between processes, and a Redis that dies or hangs stops live updates and nothing else."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.utils.module_loading import import_string

from hub.core import live, sessions, sockets
from hub.settings import live_layer
from tests import redis_server
from tests.live import Page

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "k" * 32
CHANGED = {"kind": "availability", "group": "open.a"}


@pytest.fixture
def redis() -> Iterator[redis_server.Server]:
    with redis_server.running() as server:
        yield server


def new_layer(redis: redis_server.Server) -> Any:
    config = live_layer(redis.url)
    return import_string(config["BACKEND"])(**config["CONFIG"])


@pytest.fixture
def layer(redis: redis_server.Server) -> Iterator[Any]:
    """The layer of this process."""
    layer = new_layer(redis)
    before = channel_layers.set("default", layer)
    yield layer
    channel_layers.backends.pop("default")
    if before is not None:
        channel_layers.set("default", before)


@pytest.fixture
def page(layer: Any, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Page:
    """A page of somebody who may hear ``open.*``; not connected yet."""
    settings.ALLOWED_HOSTS = ["hub.example"]
    monkeypatch.setattr(sessions, "person_of", lambda key: SimpleNamespace(pk=1, code="MISAKI00"))
    monkeypatch.setattr(live, "_rules", {"open": lambda member, rest: True})
    monkeypatch.setattr(sockets, "PULSE_EVERY", 0.2)
    monkeypatch.setattr(sockets, "PULSE_WITHIN", 1.0)
    return Page(KEY)


async def say() -> float:
    """What a request does: broadcast from a thread of its own. Returns the seconds it took."""
    live.use_loop(asyncio.get_running_loop())
    began = time.monotonic()
    try:
        await sync_to_async(live.broadcast, thread_sensitive=False)("open.a", "availability")
    finally:
        live.use_loop(None)
    return time.monotonic() - began


async def ends(page: Page) -> None:
    await page.leave()
    if sockets._watcher is not None:
        await asyncio.wait_for(sockets._watcher, 5)


async def test_word_passes_between_two_processes(redis: redis_server.Server, page: Page) -> None:
    """The other process is a command, which has no loop of sockets."""
    await page.enter()
    await page.join("open.a")
    code = "from hub.core import live; live.broadcast('open.a', 'availability')"
    env = {**os.environ, "REDIS_URL": redis.url, "DATABASE_URL": ""}
    other = await asyncio.create_subprocess_exec(
        sys.executable, "manage.py", "shell", "-c", code, cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    assert await other.wait() == 0

    assert await page.hear() == CHANGED
    await ends(page)


async def test_word_passes_between_two_layers(redis: redis_server.Server, page: Page) -> None:
    await page.enter()
    await page.join("open.a")
    other = new_layer(redis)
    await other.group_send("open.a", {"type": "live.message", "body": CHANGED})

    assert await page.hear() == CHANGED
    await other.flush()
    await ends(page)


async def test_redis_that_is_killed_stops_live_updates_only(redis: redis_server.Server, page: Page) -> None:
    await page.enter()
    await page.join("open.a")
    redis.kill()
    assert await say() < 0.5
    assert await page.hear(timeout=10) == {"kind": "lost"}

    redis.start()
    assert await page.hear(timeout=30) == {"kind": "refresh"}
    assert await say() < 0.5
    assert await page.hear() == CHANGED
    await ends(page)


async def test_redis_that_hangs_keeps_nobody_waiting(redis: redis_server.Server, page: Page) -> None:
    await page.enter()
    await page.join("open.a")
    redis.hang()
    assert max([await say() for _ in range(10)]) < 0.5
    assert await page.hear(timeout=10) == {"kind": "lost"}

    redis.go_on()
    heard = [await page.hear(timeout=30)]
    while heard[-1] != {"kind": "refresh"}:
        heard.append(await page.hear(timeout=30))
    assert await say() < 0.5
    while await page.hear() != CHANGED:
        pass
    await ends(page)


async def test_page_that_comes_while_redis_is_away_is_sent_to_poll(
    redis: redis_server.Server, page: Page
) -> None:
    redis.kill()
    await page.send_input({"type": "websocket.connect"})
    answer = await page.receive_output(timeout=30)

    assert (answer["type"], answer["code"]) == ("websocket.close", 1013)
    assert sockets._open == set()


async def test_rights_that_ended_while_redis_was_away_are_noticed_when_it_is_back(
    redis: redis_server.Server, page: Page
) -> None:
    await page.enter()
    await page.join("open.a")
    redis.kill()
    assert await page.hear(timeout=10) == {"kind": "lost"}
    live._rules.clear()
    redis.start()

    assert await page.hear(timeout=30) == {"kind": "left", "group": "open.a"}
    assert await page.hear() == {"kind": "refresh"}
    await ends(page)
