"""Changes that cross: people who swap seats, move against bookings, cancel and extend while others come."""

from functools import partial

import pytest

from hub.booking import services, waiting
from hub.childcare.models import RoomQuarter
from hub.core import db
from hub.spaces.models import Seat, Visit
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
FEWER = max(1, ROUNDS // 10)  # each round needs 32 bookings first
REFUSALS = {"ok", "seat_taken", "care_full", "member_busy"}
EARLY, LATE = make.period(9, 11), make.period(13, 15)


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    return arena.make_world(seats=CONTENDERS, places=60, carers=6)


def swap_seats(world, people: Crowd, *, turned: bool = False) -> list[arena.Outcome]:  # type: ignore[no-untyped-def]
    """Half sit in the morning, half in the afternoon, two and two on one seat, and all want to change times at once.

    On PostgreSQL each waits for the other's claim: the server breaks the deadlock, and we try again.
    """
    seats = list(Seat.objects.filter(zone__slug="quiet").select_related("zone"))
    pairs = CONTENDERS // 2
    jobs = []
    for n, (member, child) in enumerate(zip(world.members, world.children, strict=True)):
        here, there = (EARLY, LATE) if n < pairs else (LATE, EARLY)
        request = make.request_for(member, world.hub, here, seat=seats[n % pairs], children=[child])
        visit = services.book_visit(actor=member, request=request).visit
        wanted = make.request_for(member, world.hub, there, seat=seats[n % pairs], children=[child])
        jobs.append(partial(services.move_visit, actor=member, code=visit.code, request=wanted))
    return people.race(jobs[::-1] if turned else jobs)


def test_crossing_moves_end_without_a_crash(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    for number in range(FEWER):
        outcomes = swap_seats(world, people, turned=number % 2 == 1)

        assert set(arena.codes(outcomes)) <= {"ok", "seat_taken"}
        assert Visit.objects.count() == CONTENDERS
        arena.nothing_wrong()
        arena.clear()


@pytest.mark.postgres
def test_harm_crossing_moves_crash_when_nothing_tries_again(  # type: ignore[no-untyped-def]
    world, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "RETRIES", 1)
    for module in (
        services,
        waiting,
    ):  # the hub's queue keeps moves one after the other: without it they cross
        monkeypatch.setattr(module, "queue_lock", lambda kind, key: None)
    deadlocks = 0
    for _ in range(HARM_ROUNDS):
        told = arena.codes(swap_seats(world, people))
        deadlocks += sum(times for code, times in told.items() if "deadlock detected" in code)
        arena.nothing_wrong()  # even so nothing is half
        arena.clear()

    assert deadlocks > 0


def test_moves_against_bookings_leave_nothing_half(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Half move from the morning to the afternoon, half book the seats that they leave and those they want."""
    seats = list(Seat.objects.filter(zone__slug="quiet").select_related("zone"))
    movers = CONTENDERS // 2
    RoomQuarter.objects.filter(room=world.room).update(places=movers)
    for _ in range(FEWER):
        jobs = []
        for n in range(movers):
            member, child = world.members[n], world.children[n]
            visit = services.book_visit(
                actor=member,
                request=make.request_for(member, world.hub, EARLY, seat=seats[n], children=[child]),
            ).visit
            request = make.request_for(
                member, world.hub, LATE, seat=seats[(n + 1) % movers], children=[child]
            )
            jobs.append(partial(services.move_visit, actor=member, code=visit.code, request=request))
        for n in range(movers, CONTENDERS):
            member, child = world.members[n], world.children[n]
            when = EARLY if n % 2 else LATE
            request = make.request_for(member, world.hub, when, seat=seats[n - movers], children=[child])
            jobs.append(arena.booking(member, request))

        outcomes = people.race(jobs)

        assert set(arena.codes(outcomes)) <= REFUSALS
        assert Visit.objects.count() == movers + sum(1 for o in outcomes[movers:] if o.code == "ok")
        arena.nothing_wrong()
        arena.clear()


def test_every_change_at_once_counts_each_child_once(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Book, move, extend, leave early and cancel together, one seat a person: nothing is refused but by the rules."""
    doings = ("extend", "leave", "cancel", "move", "book")
    for _ in range(FEWER):
        jobs = []
        for n, (member, child) in enumerate(zip(world.members, world.children, strict=True)):
            doing = doings[n % len(doings)]
            request = make.request_for(member, world.hub, make.period(9, 12), children=[child])
            if doing == "book":
                jobs.append(arena.booking(member, request))
                continue
            code = services.book_visit(actor=member, request=request).visit.code
            if doing == "extend":
                jobs.append(partial(services.extend, actor=member, code=code, ends_at=make.at(14)))
            elif doing == "leave":
                jobs.append(partial(services.leave_early, actor=member, code=code, ends_at=make.at(10, 15)))
            elif doing == "cancel":
                jobs.append(partial(services.cancel_visit, actor=member, code=code))
            else:
                later = make.request_for(member, world.hub, make.period(10, 13), children=[child])
                jobs.append(partial(services.move_visit, actor=member, code=code, request=later))

        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        arena.nothing_wrong()
        arena.clear()


def test_one_visit_changed_by_many_hands_stays_whole(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    """The same visit is moved, extended, shortened and cancelled by 32 hands; whatever won, header and claims agree."""
    member, child = world.members[0], world.children[0]
    for _ in range(FEWER):
        request = make.request_for(member, world.hub, make.period(10, 13), children=[child])
        code = services.book_visit(actor=member, request=request).visit.code
        hands = [
            partial(services.extend, actor=member, code=code, ends_at=make.at(14)),
            partial(services.leave_early, actor=member, code=code, ends_at=make.at(11)),
            partial(services.move_visit, actor=member, code=code, request=request.at(make.period(14, 16))),
            partial(services.cancel_visit, actor=member, code=code),
        ]

        outcomes = people.race([hands[n % 4] for n in range(CONTENDERS)])

        assert set(arena.codes(outcomes)) <= {"ok", "not_live", "not_forward", "not_shorter"}
        assert Visit.objects.get().status == "cancelled"
        arena.nothing_wrong()
        arena.clear()
