"""What only SQLite does: several processes at one file, and a file that somebody else holds."""

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from hub.booking import services
from hub.members.models import Member
from hub.spaces.models import Seat
from tests import factories as make
from tests.races import arena

pytestmark = [pytest.mark.sqlite, pytest.mark.race, pytest.mark.django_db(transaction=True)]
PROCESSES = 4
PROCESS_ROUNDS = min(arena.ROUNDS, 25)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    return arena.make_world(seats=4, people=PROCESSES)


@pytest.fixture
def processes(world) -> Iterator[list["subprocess.Popen[str]"]]:  # type: ignore[no-untyped-def]
    """Four processes with the test's database file and the test's clock; each has its own WRITE_LOCK, so none helps."""
    seat = Seat.objects.get(label="A1")
    connection.close()
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "HUB_NOW": make.NOW.isoformat(),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "SECRET_KEY": project.SECRET_KEY,
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.races.contender", str(member.pk), str(seat.pk)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for member in world.members
    ]
    try:
        yield started
    finally:
        for process in started:
            process.communicate(timeout=60)


def test_four_processes_race_for_the_last_seat(processes: list["subprocess.Popen[str]"]) -> None:
    """The file's own lock makes them wait: exactly one wins, nobody is told "database is locked"."""
    assert [process.stdout.readline().strip() for process in processes if process.stdout] == [
        "ready"
    ] * PROCESSES
    for _ in range(PROCESS_ROUNDS):
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = Counter(process.stdout.readline().strip() for process in processes if process.stdout)

        assert told == {"ok": 1, "seat_taken": PROCESSES - 1}
        arena.nothing_wrong()
        arena.clear()
        connection.close()


# --- a file that stays busy ----------------------------------------------------------------------------------


@csrf_exempt
def book_once(request: HttpRequest) -> HttpResponse:
    """A page of the test, so that this race stands on the service and the middleware alone."""
    member = Member.objects.get(email="p0@race.example")
    hub = member.memberships.get().hub
    booked = services.book_visit(
        actor=member, request=make.request_for(member, hub), key=request.headers["Idempotency-Key"]
    )
    return HttpResponse(booked.visit.code)


urlpatterns = [path("book-once/", book_once)]


@pytest.fixture
def impatient(world, settings) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """A busy timeout of 0.3 s instead of 20 s, and the page above."""
    settings.ROOT_URLCONF = __name__
    settings.HELP_PHONE = "0000-11-2222"
    connection.close()
    before = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = {**before, "timeout": 0.3}
    yield
    connection.close()
    connection.settings_dict["OPTIONS"] = before


@pytest.fixture
def holder() -> Iterator[sqlite3.Connection]:
    """Somebody else's connection that holds the whole file."""
    other = sqlite3.connect(
        str(connection.settings_dict["NAME"]), isolation_level=None, check_same_thread=False
    )
    yield other
    other.close()


def test_busy_file_waits_then_answers_with_a_page_and_writes_nothing(
    impatient: None, holder: sqlite3.Connection
) -> None:
    holder.execute("BEGIN EXCLUSIVE")
    began = time.perf_counter()
    refused = Client().post("/book-once/", headers={"idempotency-key": "k"})
    waited = time.perf_counter() - began
    holder.execute("ROLLBACK")

    assert refused.status_code == 503
    assert "0000-11-2222" in refused.content.decode()
    assert refused.headers["Retry-After"] == "5"
    assert waited >= 0.25
    assert set(arena.left_behind().values()) == {0}

    first = Client().post("/book-once/", headers={"idempotency-key": "k"})
    again = Client().post("/book-once/", headers={"idempotency-key": "k"})

    assert (first.status_code, again.content) == (200, first.content)
    assert arena.left_behind()["visits"] == 1
    arena.nothing_wrong()


def test_busy_in_the_middle_of_a_booking_leaves_nothing_half(
    impatient: None,
    holder: sqlite3.Connection,
    world,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    """A reader who does not go away keeps COMMIT waiting (rollback journal): the whole booking is undone."""
    member = world.members[0]
    holder.execute("BEGIN IMMEDIATE" if project.WAL_IS_SAFE else "BEGIN")  # with a WAL readers hinder nobody
    holder.execute("SELECT count(*) FROM spaces_visit").fetchone()

    with pytest.raises(OperationalError, match="locked"):
        services.book_visit(
            actor=member, request=make.request_for(member, world.hub, children=world.children[:1])
        )
    holder.execute("ROLLBACK")

    assert set(arena.left_behind().values()) == {0}
    arena.nothing_wrong()
    booked = services.book_visit(
        actor=member, request=make.request_for(member, world.hub, children=world.children[:1])
    )
    assert booked.replayed is False
    arena.nothing_wrong()


def test_short_holder_is_waited_for(impatient: None, holder: sqlite3.Connection, world) -> None:  # type: ignore[no-untyped-def]
    import threading

    holder.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.1, lambda: holder.execute("ROLLBACK")).start()

    answer = Client().post("/book-once/", headers={"idempotency-key": "k"})

    assert answer.status_code == 200
    assert arena.left_behind()["visits"] == 1
