"""Two web processes behind one Redis, as in production; then Redis is killed and comes back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests import redis_server
from tests.e2e.conftest import NEXT_MONDAY, MakePerson, Person, Site, own_copy, served
from tests.e2e.test_door import pass_of

pytestmark = pytest.mark.redis
SECONDS = 5  # a scan that waited for a dead Redis would take longer


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


def test_door_goes_on_while_redis_is_away(
    make_person: MakePerson, other_site: Site, redis: redis_server.Server
) -> None:
    """Scans are answered, recorded and in the other process's board, which asks again by itself."""
    door = make_person()
    door.site = other_site
    door.sign_in("door")
    digits = pass_of(other_site, "misaki")[1]

    def scans(direction: str) -> dict[str, Any]:
        began = time.monotonic()
        body = {"id": str(uuid4()), "hub": "ekimae", "direction": direction, "code": digits}
        status, answer = door.post("/api/v1/checkin/scans", **body)
        assert status == 200, answer
        assert time.monotonic() - began < SECONDS
        return dict(answer)

    carer = make_person("carer")
    board = carer.open("/care/")
    arrived = board.locator(".kid.coming", has_text="はる").locator(".tag.ok")
    expect(arrived).to_have_count(0)
    expect(board.locator("body")).to_have_attribute("data-net", "on")
    redis.kill()
    assert scans("in")["result"] == "ok"
    # No word passes; the board of the other process hears it when it next asks, every half minute.
    expect(arrived).to_be_visible(timeout=45_000)
    assert scans("out")["result"] == "out"
    redis.start()
    expect(board.locator("body")).to_have_attribute("data-net", "on", timeout=40_000)
