"""What a booking read before its transaction may have changed: a child's birthday; how many visits the member holds.

Both are read again inside, behind a lock. On SQLite one writer at a time hides a missing lock, so there the harmful
variant looks before BEGIN, as a second process could.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from hub.booking import care_changes, rules, services
from hub.childcare.models import ChildClaim
from hub.core.quarters import quarter_of
from hub.invariants import differences
from hub.spaces.enums import Role
from hub.spaces.models import Visit
from tests import factories as make
from tests.races import arena
from tests.races.arena import HARM_ROUNDS, Crowd, crowd

pytestmark = [pytest.mark.race, pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

PEOPLE = 8
ROUNDS = min(arena.ROUNDS, 10)


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    return arena.make_world(seats=PEOPLE, people=2)


@pytest.fixture
def few(world) -> Any:  # type: ignore[no-untyped-def]
    with crowd(PEOPLE) as racers:
        yield racers


# --- one member, many hours, one visit left ------------------------------------------------------------------


def hours_of_one(world) -> list[Callable[[], str]]:  # type: ignore[no-untyped-def]
    """Eight bookings of one member for eight different hours, of which she may hold two."""
    world.hub.max_open_visits = 2
    world.hub.save()
    member = world.members[0]
    hours = [make.period(9 + n, 10 + n) for n in range(PEOPLE)]
    return [arena.booking(member, make.request_for(member, world.hub, hour)) for hour in hours]


def test_one_member_booking_many_hours_at_once_stays_within_her_number(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    jobs = hours_of_one(world)
    for _ in range(ROUNDS):
        outcomes = few.race(jobs)

        assert arena.codes(outcomes) == {"ok": 2, "too_many_open": PEOPLE - 2}
        arena.nothing_wrong()
        arena.clear()


def test_harm_many_hours_of_one_member_without_the_lock(  # type: ignore[no-untyped-def]
    world, few: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody counts before anybody has booked."""
    jobs = hours_of_one(world)
    everybody_counted = threading.Barrier(PEOPLE)
    check_member, count = rules.check_member, rules.check_open_visits
    monkeypatch.setattr(rules, "check_member", lambda *people, hold=False: check_member(*people))
    if connection.vendor == "postgresql":

        def count_together(*args: Any, **kwargs: Any) -> None:
            count(*args, **kwargs)
            everybody_counted.wait(arena.PATIENCE)

        monkeypatch.setattr(rules, "check_open_visits", count_together)
    else:
        monkeypatch.setattr(rules, "check_open_visits", lambda *args, **kwargs: None)
        hub, member = world.hub, world.members[0]

        def looking_first(job: Callable[[], str]) -> str:
            count(member, hub, make.NOW, ignore=None)
            everybody_counted.wait(arena.PATIENCE)
            return job()

        jobs = [partial(looking_first, job) for job in jobs]
    for _ in range(min(HARM_ROUNDS, 3)):
        few.race(jobs)
        assert Visit.objects.count() > 2
        arena.clear()


# --- a birthday corrected while the child is booked ----------------------------------------------------------


def correction(world) -> tuple[Any, Callable[[], str], Callable[[], str]]:  # type: ignore[no-untyped-def]
    """A child of class 1 and her booking, both read; and the manager who corrects her birthday to class 2."""
    child, member = world.children[0], world.members[0]
    manager = make.make_member("責任", "manager@race.example", hub=world.hub, role=Role.MANAGER)

    def correct() -> str:
        care_changes.correct_birthday(actor=manager, child=child, birthday=make.born(2))
        return "corrected"

    return child, arena.booking(member, make.request_for(member, world.hub, children=[child])), correct


def classes() -> set[int]:
    return set(
        ChildClaim.objects.filter(quarter__gte=quarter_of(make.NOW)).values_list("age_class", flat=True)
    )


def test_booking_while_the_birthday_is_corrected_counts_the_right_class(world) -> None:  # type: ignore[no-untyped-def]
    child, book, correct = correction(world)
    with crowd(2) as two:
        for _ in range(ROUNDS):
            outcomes = two.race([book, correct])

            assert arena.codes(outcomes) == {"ok": 2}
            assert (classes(), differences()) == ({2}, [])
            arena.clear()
            child.save()  # the old birthday again


def test_harm_birthday_read_before_the_transaction(world, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """The child as the request read her: corrected before the booking begins, counted in the old class all the same."""
    child, book, correct = correction(world)
    held = services.held_children
    monkeypatch.setattr(services, "held_children", lambda member, pks: {child.pk: child})
    correct()
    book()
    assert classes() == {1}
    assert differences() != []
    arena.clear()

    monkeypatch.setattr(services, "held_children", held)
    book()
    assert (classes(), differences()) == ({2}, [])


@pytest.mark.postgres
def test_harm_birthday_read_without_the_lock(world, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Read inside the transaction but not held: the correction commits between that read and the booking's end."""
    child, book, correct = correction(world)
    has_read, is_corrected = threading.Event(), threading.Event()

    def unheld(member: Any, pks: Any) -> dict[int, Any]:
        rows = {row.pk: row for row in type(child).objects.filter(pk__in=pks)}
        has_read.set()
        assert is_corrected.wait(arena.PATIENCE)
        return rows

    def correct_between() -> str:
        assert has_read.wait(arena.PATIENCE)
        try:
            return correct()
        finally:
            is_corrected.set()

    monkeypatch.setattr(services, "held_children", unheld)
    with crowd(2) as two:
        outcomes = two.race([book, correct_between])
    assert arena.codes(outcomes) == {"ok": 2}
    assert classes() == {1}
    assert differences() != []
