"""Races for care places: the last one, one child booked by two guardians, and the four ways to weaken the guard."""

import threading
from functools import partial

import pytest

from hub.booking import rules, services
from hub.childcare import places
from hub.childcare.models import ChildClaim, RoomQuarter
from hub.core.quarters import Period
from hub.members.models import Guardian
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
ALL_CHECKS = (
    "room_quarter_staff", "room_quarter_qualified", "room_quarter_places", "room_quarter_infant_area",
    "room_quarter_toddler_area", "room_quarter_frozen",
)  # fmt: skip


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    """Seats for everybody, one place for a child."""
    return arena.make_world(seats=CONTENDERS, places=1)


def everybody_with_child(world):  # type: ignore[no-untyped-def]
    return [
        arena.booking(member, make.request_for(member, world.hub, children=[child]))
        for member, child in zip(world.members, world.children, strict=True)
    ]


def test_last_care_place_has_one_winner_and_losers_keep_no_seat(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    jobs = everybody_with_child(world)
    for _ in range(ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "care_full": CONTENDERS - 1}
        assert arena.left_behind() == {
            "visits": 1, "claims": 12, "places": 1, "child claims": 12, "keys": 0, "tasks": 1,
        }  # fmt: skip
        arena.nothing_wrong()
        arena.clear()


def test_last_places_by_staff_are_filled_to_the_last_child(transactional_db, now, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Two carers take twelve one-year-olds (RULE-03): of 32 asking for overlapping hours exactly twelve get in."""
    world = arena.make_world(seats=CONTENDERS, places=30)
    hours = [make.period(9, 12), make.period(10, 13), make.period(11, 12), make.period(9.5, 11.25)]
    jobs = [
        arena.booking(member, make.request_for(member, world.hub, hours[n % 4], children=[child]))
        for n, (member, child) in enumerate(zip(world.members, world.children, strict=True))
    ]
    for _ in range(max(1, ROUNDS // 10)):
        outcomes = people.race(jobs)

        told = arena.codes(outcomes)
        assert set(told) == {"ok", "care_full"}
        assert {outcome.value.facts["binding"].limit for outcome in outcomes if outcome.code != "ok"} == {
            "staff"
        }
        assert RoomQuarter.objects.filter(n1=12).exists()
        arena.nothing_wrong()
        # Nobody was refused falsely: whoever lost does not fit now either.
        for outcome, job in zip(outcomes, jobs, strict=True):
            if outcome.code == "care_full":
                with pytest.raises(places.CareFull):
                    job()
        arena.clear()


def test_two_guardians_cannot_book_one_child_twice(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    child = world.children[0]
    jobs = guardians_of_one(world, child)
    for _ in range(max(1, ROUNDS // 4)):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "child_busy": CONTENDERS - 1}
        assert ChildClaim.objects.filter(child=child).count() == 12
        arena.nothing_wrong()
        arena.clear()


def guardians_of_one(world, child):  # type: ignore[no-untyped-def]
    """Everybody becomes a guardian of the same child; the room has places enough for many."""
    room = world.room
    Guardian.objects.bulk_create(Guardian(household=child.household, member=m) for m in world.members[1:])
    RoomQuarter.objects.filter(room=room).update(places=60, staff=20, qualified=20, infant_limit=60)
    room.places = 60
    jobs = [arena.booking(m, make.request_for(m, world.hub, children=[child])) for m in world.members]
    return jobs


# --- the same races with guards removed ----------------------------------------------------------------------
# RoomQuarter has two: the row lock with the count under it, and the CHECK of the table. Either alone holds.


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """`places` sees the rows as they were before BEGIN, which is what a read without a lock may see."""
    seen = threading.local()

    def stale(rooms, quarters):  # type: ignore[no-untyped-def]
        return seen.rows

    def look(room, period: Period) -> None:  # type: ignore[no-untyped-def]
        rows = RoomQuarter.objects.filter(room=room, quarter__in=list(period.quarters)).order_by("quarter")
        seen.rows = {(row.room_id, row.quarter): row for row in rows}

    monkeypatch.setattr(places, "_locked_rows", stale)
    return look


def looking_first(world, look):  # type: ignore[no-untyped-def]
    everybody_looked = threading.Barrier(CONTENDERS)

    def job(member, child) -> str:  # type: ignore[no-untyped-def]
        request = make.request_for(member, world.hub, children=[child])
        look(world.room, request.period)
        everybody_looked.wait(arena.PATIENCE)
        return services.book_visit(actor=member, request=request).visit.code

    return [partial(job, m, c) for m, c in zip(world.members, world.children, strict=True)]


def test_harm_last_care_place_without_lock_and_without_check(world, people: Crowd, no_lock) -> None:  # type: ignore[no-untyped-def]
    jobs = looking_first(world, no_lock)
    harmed = 0
    with arena.without(RoomQuarter, *ALL_CHECKS):
        for _ in range(HARM_ROUNDS):
            people.race(jobs)
            harmed += arena.overfull(world.room) > 0
            arena.clear()

    assert harmed == HARM_ROUNDS


def test_check_alone_holds_when_the_lock_is_gone(world, people: Crowd, no_lock) -> None:  # type: ignore[no-untyped-def]
    jobs = looking_first(world, no_lock)
    for _ in range(HARM_ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "care_full": CONTENDERS - 1}
        arena.nothing_wrong()
        arena.clear()


def test_lock_alone_holds_when_the_check_is_gone(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    jobs = everybody_with_child(world)
    with arena.without(RoomQuarter, *ALL_CHECKS):
        for _ in range(HARM_ROUNDS):
            outcomes = people.race(jobs)

            assert arena.codes(outcomes) == {"ok": 1, "care_full": CONTENDERS - 1}
            arena.nothing_wrong()
            arena.clear()


def test_harm_one_child_in_two_rooms_without_the_unique_constraint(  # type: ignore[no-untyped-def]
    world, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The friendly check is taken as passed before BEGIN by everybody, as it would be in a race."""
    jobs = guardians_of_one(world, world.children[0])
    monkeypatch.setattr(rules, "check_children_free", lambda request, *, ignore: None)
    with arena.without(ChildClaim, "child_once"):
        people.race(jobs)
        assert arena.double_children() == 12
        arena.clear()

    outcomes = people.race(jobs)  # guarded again, without the friendly check
    assert arena.codes(outcomes) == {"ok": 1, "child_busy": CONTENDERS - 1}
    arena.nothing_wrong()
