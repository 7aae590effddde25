"""A worker killed between any two steps of an offer leaves no place held for nobody; what it left open, expiry heals."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as project
from django.db import connection

from hub import invariants
from hub.booking import services, waiting
from hub.booking.models import Offer
from hub.spaces.models import Visit, VisitClaim
from tests import factories as make
from tests import oracle
from tests.races import arena, test_waiting

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
SEED = 20261127
KILLS = int(os.environ.get("HIDAMARI_KILLS", "30"))
MOST_STATEMENTS = 70


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    world = arena.make_world(seats=1, places=1, people=6)
    world.clock = now
    return world


@pytest.fixture
def worker(world) -> Iterator["subprocess.Popen[str]"]:  # type: ignore[no-untyped-def]
    """A process on the test's database and clock that kills a child of its own at each line."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    environment = os.environ | {
        "DATABASE_URL": url,
        "HUB_NOW": make.NOW.isoformat(),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "SECRET_KEY": project.SECRET_KEY,
        "FIELD_KEYS": project.FIELD_KEYS,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.races.killed"], cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def tell(worker: "subprocess.Popen[str]", operation: str, code: str, number: int) -> str:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{operation} {code} {number}\n")
    worker.stdin.flush()
    return worker.stdout.readline().strip()


def nothing_held_for_nobody() -> None:
    assert invariants.differences() == []
    assert oracle.differences() == []
    assert oracle.overlooked(make.NOW) == []


def test_killed_at_every_step_of_an_offer(world, worker) -> None:  # type: ignore[no-untyped-def]
    chance = Random(SEED)
    seen = set()
    for n in range(KILLS):
        world.clock.move_to(make.NOW)
        (held,) = test_waiting.hold_seats(world, 1)
        test_waiting.stand_in_line(world, [2, 3, 4])
        operation = ("cancel", "accept", "decline")[n % 3]
        code = held.code
        if operation != "cancel":
            services.cancel_visit(actor=held.member, code=held.code)
            code = Offer.objects.get(state="open").code
        connection.close()  # the file is the other's alone
        said = tell(worker, operation, code, chance.randint(2, MOST_STATEMENTS))
        seen.add((operation, said))
        nothing_held_for_nobody()

        # It is done once more, as a person would; then time passes, and whatever is open ends by itself.
        if operation == "cancel":
            services.cancel_visit(actor=held.member, code=held.code)
        nothing_held_for_nobody()
        for _ in range(4):
            world.clock.shift(timedelta(minutes=61))
            waiting.settle_due()
        assert Visit.objects.filter(status="offered").count() == 0
        booked = Visit.objects.filter(status="booked").count()
        assert VisitClaim.objects.count() == 12 * booked
        arena.clear()

    assert {said for _operation, said in seen} <= {"killed", "done"}
    assert {operation for operation, said in seen if said == "killed"} == {"cancel", "accept", "decline"}
