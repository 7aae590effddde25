"""Two web processes behind one Redis, as in production; then Redis is killed and comes back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import redis_server
from tests.e2e.conftest import NEXT_MONDAY, MakePerson, Person, Site, own_copy, served

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis() -> Iterator[redis_server.Server]:
    with redis_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def site(
    demo_folder: Path, tmp_path_factory: pytest.TempPathFactory, redis: redis_server.Server
) -> Iterator[Site]:
    """The process that serves the page."""
    folder = own_copy(demo_folder, tmp_path_factory.mktemp("redis"))
    with served(folder, "--no-worker", REDIS_URL=redis.url) as site:
        yield site


@pytest.fixture(scope="module")
def other_site(site: Site, redis: redis_server.Server) -> Iterator[Site]:
    """Another process on the same database."""
    with served(site.folder, REDIS_URL=redis.url) as other:
        yield other


def books(person: Person) -> float:
    """Book a seat through the API; returns the seconds it took."""
    wish = {
        "hub": "ekimae", "starts_at": f"{NEXT_MONDAY}T09:30:00+09:00", "ends_at": f"{NEXT_MONDAY}T12:30:00+09:00"
    }  # fmt: skip
    began = time.monotonic()
    status, answer = person.post("/api/v1/visits", **wish)
    took = time.monotonic() - began
    assert status == 201, answer
    return took


FREE = """n => [...document.querySelectorAll('#avail .rows li .num')]
  .reduce((sum, one) => sum + Number((one.textContent.match(/\\d+/) || [0])[0]), 0) === n"""


def shows(page: Page, free: int, within: int) -> None:
    page.wait_for_function(FREE, arg=free, timeout=within * 1000)


def test_redis_killed_stops_live_updates_only_and_comes_back_by_itself(
    make_person: MakePerson, other_site: Site, redis: redis_server.Server
) -> None:
    misaki = make_person("misaki")
    others = []
    for who in ("member30", "member31", "member32"):
        person = make_person()
        person.site = other_site
        person.sign_in(who)
        others.append(person)
    closed: list[Any] = []
    with misaki.page.expect_websocket() as opened:
        page = misaki.open(f"/book/?d={NEXT_MONDAY}&p=am")
    opened.value.on("close", lambda socket: closed.append(socket))
    body = page.locator("body")
    expect(body).to_have_attribute("data-net", "on")
    free = int(
        page.evaluate(
            "[...document.querySelectorAll('#avail .rows li .num')]"
            ".reduce((sum, one) => sum + Number((one.textContent.match(/\\d+/) || [0])[0]), 0)"
        )
    )
    usual = books(others[0])
    shows(page, free - 1, within=5)

    redis.kill()
    expect(body).to_have_attribute("data-net", "lost", timeout=20_000)
    assert books(others[1]) < usual + 2
    redis.start()
    expect(body).to_have_attribute("data-net", "on", timeout=40_000)
    shows(page, free - 2, within=5)
    books(others[2])
    shows(page, free - 3, within=5)
    assert closed == []
