"""The waiting list under everybody's hands at once: every place offered once, nobody overlooked, one answer counts."""

import threading
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import IntegrityError

from hub.booking import offers, services, waiting
from hub.booking.enums import OfferState
from hub.booking.models import Offer, WaitChild, WaitEntry
from hub.booking.requests import SeatMode, SeatWish, VisitRequest
from hub.childcare import capacity
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Seat, Visit
from tests import factories as make
from tests import oracle
from tests.races import arena
from tests.races.arena import ROUNDS, crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
FREES, WAITERS, TICKS = 50, 200, 20
FEW = max(1, ROUNDS // 30)
MORNING = make.period(9, 12)


def stand_in_line(
    world: SimpleNamespace, members: list[int], when=MORNING, minutes: int = 180
) -> list[WaitEntry]:  # type: ignore[no-untyped-def]
    """Entries for a quiet seat and one's child, asked for in this order, a second apart."""
    zone = arena.zone(world.hub, "quiet")
    made = WaitEntry.objects.bulk_create(
        WaitEntry(
            member=world.members[n], hub=world.hub, day=make.TOMORROW, window_starts=when.starts_at,
            window_ends=when.ends_at, minutes=minutes, latest_start=when.ends_at - timedelta(minutes=minutes),
            zone=zone, asked_at=make.NOW + timedelta(seconds=place - 1000),
        )
        for place, n in enumerate(members)
    )  # fmt: skip
    WaitChild.objects.bulk_create(
        WaitChild(entry=entry, child=world.children[n]) for entry, n in zip(made, members, strict=True)
    )
    return made


def hold_seats(world: SimpleNamespace, count: int) -> list[Visit]:
    """The first people sit on the quiet seats with their children: all seats and all places are gone."""
    seats = list(Seat.objects.filter(zone__slug="quiet").select_related("zone").order_by("position"))
    held = []
    for n in range(count):
        wish = make.request_for(
            world.members[n], world.hub, MORNING, seat=seats[n], children=[world.children[n]]
        )
        held.append(services.book_visit(actor=world.members[n], request=wish).visit)
    return held


def cancel(visit: Visit) -> str:
    actor = Member.objects.get(pk=visit.member_id)
    return services.cancel_visit(actor=actor, code=visit.code).visit.status


def nothing_wrong(now) -> None:  # type: ignore[no-untyped-def]
    arena.nothing_wrong()
    assert oracle.overlooked(now) == []


# ---------------------------------------------------------------- many free at once


def wide_world(frees: int, waiters: int) -> SimpleNamespace:
    """As many quiet seats and care places as families who hold them, and others who wait."""
    world = arena.make_world(seats=frees, carers=16, places=frees, people=frees + waiters)
    world.room.area_infant_cm2 = world.room.area_toddler_cm2 = 6_000_000  # the floor takes them all
    world.room.save()
    run_write(lambda: capacity.rebuild(world.room, [make.TOMORROW]))
    return world


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    return wide_world(FREES, WAITERS)


@pytest.fixture
def ticking(transactional_db, now):  # type: ignore[no-untyped-def]
    world = wide_world(TICKS, 3 * TICKS)
    world.clock = now
    return world


def test_200_wait_and_50_are_freed_at_once(world) -> None:  # type: ignore[no-untyped-def]
    with crowd(FREES) as people:
        for _ in range(FEW):
            held = hold_seats(world, FREES)
            entries = stand_in_line(world, list(range(FREES, FREES + WAITERS)))
            outcomes = people.race([partial(cancel, visit) for visit in held])

            assert arena.codes(outcomes) == {"ok": FREES}
            made = list(Offer.objects.select_related("visit"))
            assert len(made) == FREES
            assert len({offer.visit.seat_id for offer in made}) == FREES  # every place once
            assert {offer.entry_id for offer in made} == {
                entry.pk for entry in entries[:FREES]
            }  # the first 50
            nothing_wrong(make.NOW)
            arena.clear()


def test_20_ticks_at_once_pass_each_offer_on_once(ticking) -> None:  # type: ignore[no-untyped-def]
    with crowd(TICKS) as people:
        for _ in range(FEW):
            ticking.clock.move_to(make.NOW)
            held = hold_seats(ticking, TICKS)
            entries = stand_in_line(ticking, list(range(TICKS, 4 * TICKS)))
            for visit in held:
                cancel(visit)
            ticking.clock.move_to(make.NOW + timedelta(minutes=61))
            outcomes = people.race([waiting.settle_due] * TICKS)

            assert arena.codes(outcomes) == {"ok": TICKS}
            assert sum(outcome.value for outcome in outcomes) == TICKS
            states = [WaitEntry.objects.get(pk=entry.pk).state for entry in entries]
            assert states == ["unanswered"] * TICKS + ["waiting"] * 2 * TICKS
            opened = set(Offer.objects.filter(state="open").values_list("entry_id", flat=True))
            assert opened == {entry.pk for entry in entries[TICKS : 2 * TICKS]}
            nothing_wrong(make.NOW + timedelta(minutes=61))
            arena.clear()


# ---------------------------------------------------------------- half a bundle each


@pytest.fixture
def small(transactional_db, now):  # type: ignore[no-untyped-def]
    """A hub whose last quiet seat one family holds and whose last care place another one."""
    world = arena.make_world(seats=1, places=1, people=8)
    world.clock = now
    return world


def two_halves(world: SimpleNamespace) -> list[Visit]:
    """One holds the seat alone, one the care place alone, the third waits for both."""
    seat = Seat.objects.select_related("zone").get(label="A1")
    first = make.request_for(world.members[0], world.hub, MORNING, seat=seat)
    second = make.request_for(
        world.members[1], world.hub, MORNING, mode=SeatMode.NONE, children=[world.children[1]]
    )
    halves = [services.book_visit(actor=one.member, request=one).visit for one in (first, second)]
    stand_in_line(world, [2])
    return halves


def test_two_who_free_half_each_overlook_nobody(small) -> None:  # type: ignore[no-untyped-def]
    with crowd(2) as people:
        for _ in range(max(1, ROUNDS // 5)):
            halves = two_halves(small)
            outcomes = people.race([partial(cancel, visit) for visit in halves])

            assert arena.codes(outcomes) == {"ok": 2}
            assert Offer.objects.filter(state="open").count() == 1
            nothing_wrong(make.NOW)
            arena.clear()


@pytest.mark.postgres
def test_harm_without_the_queue_in_one_hand_both_see_half(small, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Each frees its half, looks, and does not see the other's: the place is free and somebody whom it fits waits."""
    monkeypatch.setattr(services, "queue_lock", lambda kind, key: None)
    monkeypatch.setattr(waiting, "queue_lock", lambda kind, key: None)
    both = threading.Barrier(2)
    overlooked = 0
    fill = waiting.fill

    def look_together(freed) -> None:  # type: ignore[no-untyped-def]
        fill(freed)
        both.wait(arena.PATIENCE)  # both have looked before either commits: the worst moment, not a rare one

    monkeypatch.setattr(services, "_queue", look_together)
    with crowd(2) as people:
        for _ in range(arena.HARM_ROUNDS):
            halves = two_halves(small)
            people.race([partial(cancel, visit) for visit in halves])
            overlooked += len(oracle.overlooked(make.NOW))
            arena.clear()

    assert overlooked == arena.HARM_ROUNDS


# ---------------------------------------------------------------- one answer counts


def offered(world: SimpleNamespace) -> Offer:
    world.clock.move_to(make.NOW)
    (held,) = hold_seats(world, 1)
    stand_in_line(world, [2])
    cancel(held)
    return Offer.objects.select_related("entry__member", "visit").get()


def answer(offer: Offer, yes: bool) -> str:
    actor = Member.objects.get(pk=offer.entry.member_id)
    if yes:
        return waiting.accept(actor=actor, code=offer.code).visit.status
    return waiting.decline(actor=actor, code=offer.code).state


def test_accept_against_decline_has_one_outcome(small) -> None:  # type: ignore[no-untyped-def]
    with crowd(16) as people:
        for _ in range(max(1, ROUNDS // 5)):
            offer = offered(small)
            outcomes = people.race([partial(answer, offer, n % 2 == 0) for n in range(16)])
            offer.refresh_from_db()
            yes, no = arena.codes(outcomes[::2]), arena.codes(outcomes[1::2])

            if offer.state == OfferState.ACCEPTED:
                assert (yes, no) == ({"ok": 8}, {"offer_accepted": 8})
                assert Visit.objects.get(pk=offer.visit_id).status == VisitStatus.BOOKED
            else:
                assert (yes, no) == ({"offer_declined": 8}, {"ok": 8})
                assert Visit.objects.get(pk=offer.visit_id).status == VisitStatus.CANCELLED
            nothing_wrong(make.NOW)
            arena.clear()


def test_harm_a_look_before_begin_lets_both_answers_count(small) -> None:  # type: ignore[no-untyped-def]
    """Without the rows locked, both have seen an open offer: she is told that she is booked, and her seat goes on."""
    harmed = 0
    everybody = threading.Barrier(2)

    def look_first(offer: Offer, yes: bool) -> str:
        seen = Offer.objects.select_related("entry__member", "visit__hub", "visit__member").get(pk=offer.pk)
        assert seen.state == OfferState.OPEN
        everybody.wait(arena.PATIENCE)

        def work() -> str:
            if yes:
                seen.visit.status = VisitStatus.BOOKED
                seen.visit.save(update_fields=["status"])
                offers.end(seen, OfferState.ACCEPTED)
            else:
                offers.end(seen, OfferState.DECLINED)
                services.end_visit(seen.visit, VisitStatus.CANCELLED)
            return "ok"

        return run_write(work)

    with crowd(2) as people:
        for _ in range(arena.HARM_ROUNDS):
            offer = offered(small)
            outcomes = people.race([partial(look_first, offer, yes) for yes in (True, False)])
            if arena.codes(outcomes) == {"ok": 2}:  # both were told that their answer counts
                harmed += 1
            arena.clear()

    assert harmed > 0


# ---------------------------------------------------------------- two offers of one entry


def offer_at(entry: WaitEntry, hour: int) -> str:
    """What a filler does that looked before BEGIN: it offers what it saw, whoever else did meanwhile."""
    seen = WaitEntry.objects.select_related("member", "hub", "zone").get(pk=entry.pk)
    when = make.period(hour, hour + 2)
    wish = VisitRequest(seen.member, seen.hub, when, SeatWish(SeatMode.ANY))
    return run_write(lambda: waiting.make_offer(seen, wish).code)


def test_one_entry_is_offered_once_whatever_was_seen(small) -> None:  # type: ignore[no-untyped-def]
    with crowd(4) as people:
        for _ in range(max(1, ROUNDS // 10)):
            (entry,) = stand_in_line(small, [2], make.period(9, 17), 120)
            outcomes = people.race([partial(offer_at, entry, 9 + 2 * n) for n in range(4)])

            refused = [outcome.value for outcome in outcomes if outcome.code != "ok"]
            assert len(refused) == 3
            assert all(isinstance(value, IntegrityError | DomainError) for value in refused)
            assert Offer.objects.filter(state="open").count() == 1
            arena.clear()


def test_harm_without_the_partial_unique_one_entry_holds_four_places(small) -> None:  # type: ignore[no-untyped-def]
    with arena.without(Offer, "one_open_offer"), crowd(4) as people:
        (entry,) = stand_in_line(small, [2], make.period(9, 17), 120)
        people.race([partial(offer_at, entry, 9 + 2 * n) for n in range(4)])
        held = Offer.objects.filter(state="open").count()
        arena.clear()

    assert held == 4
