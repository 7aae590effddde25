"""Races of usual weeks: the same last seats, one tap many times, the tick beside the request, cancelled while it opens."""

from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from hub.booking import week, week_dates
from hub.booking.models_week import DateState, Series, SeriesDate
from hub.childcare import capacity
from hub.core import idempotency
from hub.core.db import run_write
from hub.core.models import IdempotencyKey
from hub.members.models import Member
from hub.spaces import claims
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Seat, Visit, VisitClaim
from tests import factories as make
from tests.booking.usual import pattern
from tests.races import arena
from tests.races.arena import ROUNDS, Crowd, crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
#: A usual week is four bookings: an eighth of the contenders and rounds is as much work as the other races.
FEW = 8
TURNS = max(2, ROUNDS // 8)


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    """Eight mothers with a child each, and two seats; quarters for two weeks."""
    world = arena.make_world(seats=2, people=FEW)
    Seat.objects.filter(label__startswith="B").update(is_active=False)
    touch(world.hub)
    days = [make.TOMORROW + timedelta(days=n) for n in range(14)]
    run_write(lambda: capacity.rebuild(world.room, days))
    return world


@pytest.fixture
def few():  # type: ignore[no-untyped-def]
    with crowd(FEW) as everybody:
        yield everybody


def asks(
    world: SimpleNamespace, n: int, key: str | None = None, hour: int | None = None
) -> Callable[[], str]:
    """A job: the usual week of the n-th mother with her child, or without at an ``hour`` of its own."""

    def job() -> str:
        member = arena.fresh(world.members[n])
        plan = pattern(member, world.hub, children=[world.children[n]])
        if hour is not None:
            plan = pattern(member, world.hub, hours=(time(hour), time(hour + 1)), without_seat=True)
        return week.confirm(member=member, pattern=plan, key=key).series.code

    return job


def outcome() -> Counter[tuple[str, str]]:
    """How many dates ended how."""
    return Counter(SeriesDate.objects.values_list("state", "reason_code"))


def test_series_for_the_same_last_seats_fill_each_date_once(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    jobs = [asks(world, n) for n in range(FEW)]
    for _ in range(TURNS):
        assert arena.codes(few.race(jobs)) == {"ok": FEW}

        assert outcome() == {("booked", ""): 4 * 2, ("refused", "seat_taken"): 4 * (FEW - 2)}
        arena.nothing_wrong()
        arena.clear()


def test_harm_series_for_the_same_last_seats_without_the_unique_constraint(  # type: ignore[no-untyped-def]
    world, few: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody looked before anybody wrote: all seats seemed free."""
    monkeypatch.setattr(claims, "taken_seats", lambda *_asked, **_more: set())
    jobs = [asks(world, n) for n in range(FEW)]
    with arena.without(VisitClaim, "seat_once"):
        few.race(jobs)

        assert arena.double_seats() == 4 * 2 * 12  # every quarter of both seats on all four days
        arena.clear()

    few.race(jobs)  # with the constraint the same look does no harm
    assert arena.double_seats() == 0
    assert outcome()["booked", ""] == 4 * 2
    arena.nothing_wrong()


def test_one_tap_eight_times_is_one_series(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    jobs = [asks(world, 0, "one tap")] * FEW
    for _ in range(TURNS):
        outcomes = few.race(jobs)

        assert arena.codes(outcomes) == {"ok": FEW}
        assert len({one.value for one in outcomes}) == 1
        assert (outcome(), Visit.objects.count()) == ({("booked", ""): 4}, 4)
        arena.nothing_wrong()
        arena.clear()


def test_harm_one_tap_without_the_key_table(world, few: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Two series (the limit of series holds the rest), and a date of one says that the child has a booking: the other's."""
    monkeypatch.setattr(idempotency, "claim", lambda *_asked: None)
    monkeypatch.setattr(idempotency, "store", lambda *_answer: None)
    with arena.without(IdempotencyKey, "idempotency_once"):
        few.race([asks(world, 0, "one tap")] * FEW)

        assert Series.objects.count() > 1
        assert outcome()["refused", "child_busy"] == 4
        arena.clear()


def planned(world: SimpleNamespace) -> Series:
    """A series whose process died before its first date."""
    member = arena.fresh(world.members[0])
    plan = pattern(member, world.hub)
    made = run_write(lambda: week._write_down(member, plan, week.Choices(), None))
    return made.series


def settles(series: Series, pk: int) -> str:
    """One process that found the date planned, as all the others did at that moment."""
    row = SeriesDate.objects.get(pk=pk)
    row.state = DateState.PLANNED
    blocker = week.settle(series, row, week._family(series.member))
    return blocker.code if blocker else "settled"


def test_one_date_settled_by_eight_processes_is_booked_once(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Without the constraint on a member's time too: the lock on the date alone holds."""
    with arena.without(VisitClaim, "member_once"):
        for _ in range(TURNS):
            series = planned(world)
            pk = series.dates.values_list("pk", flat=True)[0]
            outcomes = few.race([partial(settles, series, pk)] * FEW)

            assert {(one.code, one.value) for one in outcomes} == {("ok", "settled")}
            assert (Visit.objects.count(), SeriesDate.objects.get(pk=pk).state) == (1, DateState.BOOKED)
            arena.clear()


def test_harm_one_date_settled_by_eight_processes_without_the_lock(  # type: ignore[no-untyped-def]
    world, few: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look first, then book: visits that no date knows, and with the guard of her time a booked date called refused."""
    monkeypatch.setattr(week_dates, "hold", lambda pk: SeriesDate.objects.get(pk=pk))
    with arena.without(VisitClaim, "member_once"):
        series = planned(world)
        pk = series.dates.values_list("pk", flat=True)[0]
        few.race([partial(settles, series, pk)] * FEW)

        assert Visit.objects.count() > 1
        arena.clear()


def test_many_series_at_once_of_one_member_stay_within_the_limit(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Each at an hour of its own: one whose dates were all refused goes on no longer and would leave room for a third."""
    jobs = [asks(world, 0, hour=9 + n) for n in range(FEW)]
    for _ in range(TURNS):
        codes = arena.codes(few.race(jobs))

        assert codes == {"ok": week.MOST_SERIES, "too_many_series": FEW - week.MOST_SERIES}
        assert Series.objects.count() == week.MOST_SERIES
        arena.nothing_wrong()
        arena.clear()


def test_harm_many_series_at_once_without_the_lock_on_the_member(  # type: ignore[no-untyped-def]
    world, few: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted before BEGIN, as a look without a lock does on both databases."""
    monkeypatch.setattr(week, "going_on", lambda _member, _today: 0)
    few.race([asks(world, 0, hour=9 + n) for n in range(FEW)])

    assert Series.objects.count() > week.MOST_SERIES
    arena.clear()


def cancels(member: Member, code: str) -> str:
    week.cancel(member=member, code=code, first=make.TOMORROW)
    return "cancelled"


def test_cancelled_while_the_tick_books_leaves_no_visit(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    for _ in range(TURNS):
        series = planned(world)
        SeriesDate.objects.update(state=DateState.WAITING)
        opens = partial(week.open_dates, world.hub)
        jobs = [opens, partial(cancels, world.members[0], series.code)] * (FEW // 2)
        assert arena.codes(few.race(jobs)) == {"ok": FEW}

        assert set(SeriesDate.objects.values_list("state", flat=True)) == {DateState.CANCELLED}
        assert set(Visit.objects.values_list("status", flat=True)) <= {VisitStatus.CANCELLED}
        arena.nothing_wrong()
        arena.clear()


def test_two_guardians_ask_for_the_same_child_at_once(world, few: Crowd) -> None:  # type: ignore[no-untyped-def]
    """Each date goes to one of them; the other reads that the child has a place already."""
    other = world.members[1]
    household = world.children[0].household
    household.guardians.create(member=other)

    def theirs() -> str:
        plan = pattern(arena.fresh(other), world.hub, children=[world.children[0]])
        return week.confirm(member=other, pattern=plan).series.code

    with crowd(2) as pair:
        for _ in range(TURNS):
            assert arena.codes(pair.race([asks(world, 0), theirs])) == {"ok": 2}

            assert outcome() == {("booked", ""): 4, ("refused", "child_busy"): 4}
            assert arena.double_children() == 0
            arena.nothing_wrong()
            arena.clear()
