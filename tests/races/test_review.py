"""Two directors over one delivery, a director beside silence, and two rejections where only one more is allowed."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hub.core import clock
from hub.invariants import differences
from hub.members.models import Member
from hub.work import review, skills
from hub.work.models import Assignment, Delivery, Earning, Order, Skill
from tests import factories as make
from tests.races import arena
from tests.work import hands_desk as hands
from tests.work import work
from tests.work.guards import rows_may_go

pytestmark = [
    pytest.mark.race,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rows_may_go"),
]
__all__ = ["rows_may_go"]  # the fixture
SIDE = 8  # contenders on each side
ROUNDS = min(arena.ROUNDS, 10) if arena.ROUNDS <= 30 else arena.ROUNDS
HARM_ROUNDS = arena.HARM_ROUNDS
_seen = threading.local()  # what a careless contender looked at before its transaction


@pytest.fixture
def world(cast: SimpleNamespace, rows_may_go: None) -> SimpleNamespace:
    cast.second = hands.second_director(cast)
    return cast


@pytest.fixture
def two_sides(world: SimpleNamespace) -> Iterator[arena.Crowd]:
    with arena.crowd(2 * SIDE) as people:
        yield people


def worker(world: SimpleNamespace, n: int) -> Member:
    return make.make_member(f"働く 人{n}", f"race{n}@work.example", hub=world.ekimae)


def accepting(world: SimpleNamespace, delivery: Delivery) -> Callable[[], Any]:
    return lambda: review.accept(actor=world.director, hub=world.ekimae, code=delivery.code)


def rejecting(world: SimpleNamespace, delivery: Delivery) -> Callable[[], Any]:
    return lambda: review.reject(
        actor=world.second, hub=world.ekimae, code=delivery.code, reason="わけ", example="例"
    )


def looked_before(delivery: Delivery, job: Callable[[], Any], start: threading.Barrier) -> Callable[[], Any]:
    """The job of somebody who looks first and begins to write when everybody has looked."""

    def careless() -> Any:
        rows = Delivery.objects.select_related("unit__order__hub", "unit__lot", "notice__assignment__member")
        _seen.delivery = rows.get(pk=delivery.pk)
        start.wait(arena.PATIENCE)
        return job()

    return careless


@pytest.fixture
def without_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product without its guard: no row is held, and what was seen before the transaction is believed."""
    monkeypatch.setattr(review, "_held", lambda _hub, _code, *_states: _seen.delivery)


@pytest.fixture
def without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rejection is within the limit: here only who decides is raced."""
    monkeypatch.setattr(review, "REJECT_MOST", (10, 10))


@pytest.mark.usefixtures("without_limit")
def test_accepted_and_rejected_at_once_it_is_decided_once(
    world: SimpleNamespace, two_sides: arena.Crowd
) -> None:
    order = work.accepted_order(world, units=ROUNDS)
    told = set()
    for delivery in hands.send(hands.take(world.misaki, order, ROUNDS), ROUNDS):
        before = Earning.objects.count()
        jobs = [accepting(world, delivery), rejecting(world, delivery)] * SIDE
        outcomes = two_sides.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "already_decided": 2 * SIDE - 1}
        won = next(one.value.state for one in outcomes if one.code == "ok")
        delivery.refresh_from_db()
        assert (delivery.state, delivery.decided_by) == (
            won, world.director if won == "accepted" else world.second,
        )  # fmt: skip
        assert Earning.objects.count() - before == (won == "accepted")
        told.add(won)
    assert differences() == []
    assert told <= {"accepted", "rejected"}


@pytest.mark.usefixtures("without_limit", "without_the_look")
def test_without_the_look_under_the_lock_a_rejected_unit_is_paid(
    world: SimpleNamespace, two_sides: arena.Crowd
) -> None:
    order = work.accepted_order(world, units=HARM_ROUNDS)
    both = 0
    for delivery in hands.send(hands.take(world.misaki, order, HARM_ROUNDS), HARM_ROUNDS):
        start = threading.Barrier(2 * SIDE)
        jobs = [accepting(world, delivery), rejecting(world, delivery)] * SIDE
        outcomes = two_sides.race([looked_before(delivery, job, start) for job in jobs])
        both += arena.codes(outcomes).get("ok", 0) > 1

    assert both == HARM_ROUNDS
    assert differences() != []


def silent() -> int:
    return review.accept_silent()


def over(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(accepted_by_silence_at=clock.now())


def test_beside_silence_a_delivery_is_accepted_once(world: SimpleNamespace, two_sides: arena.Crowd) -> None:
    order = work.accepted_order(world, units=ROUNDS)
    for n, delivery in enumerate(hands.send(hands.take(world.misaki, order, ROUNDS), ROUNDS), 1):
        over(delivery)
        outcomes = two_sides.race([accepting(world, delivery), silent] * SIDE)
        by_director = [one.code for one in outcomes[::2]]
        by_silence = [one.value for one in outcomes[1::2]]

        assert by_director.count("ok") + sum(by_silence) == 1
        assert by_director.count("already_decided") == SIDE - by_director.count("ok")
        assert Earning.objects.count() == n
    assert differences() == []


@pytest.mark.usefixtures("without_the_look")
def test_without_the_look_only_the_database_stops_a_second_payment(
    world: SimpleNamespace, two_sides: arena.Crowd
) -> None:
    """The second guard: an earning is written once for a delivery. Who comes late is not answered but fails."""
    order = work.accepted_order(world, units=HARM_ROUNDS)
    failed = 0
    for delivery in hands.send(hands.take(world.misaki, order, HARM_ROUNDS), HARM_ROUNDS):
        start = threading.Barrier(2 * SIDE)
        outcomes = two_sides.race([looked_before(delivery, accepting(world, delivery), start)] * 2 * SIDE)
        failed += sum(one.code.startswith("crash: IntegrityError") for one in outcomes)

    assert failed == HARM_ROUNDS * (2 * SIDE - 1)
    assert Earning.objects.count() == HARM_ROUNDS


def four_of(world: SimpleNamespace, order: Order, n: int) -> list[Delivery]:
    """Four units sent in by a new worker: one of them may be rejected."""
    return hands.send(hands.take(worker(world, n), order, 4), 4)


def test_of_two_rejections_at_once_the_one_above_the_limit_is_refused(
    world: SimpleNamespace, two_sides: arena.Crowd
) -> None:
    order = work.accepted_order(world, units=ROUNDS * 4)
    for n in range(ROUNDS):
        first, second, *_more = four_of(world, order, n)
        outcomes = two_sides.race([rejecting(world, first), rejecting(world, second)] * SIDE)
        found = arena.codes(outcomes)

        assert found == {"ok": 1, "already_decided": SIDE - 1, "reject_limit": SIDE}
        assert review.rejected_share(first.notice.assignment.member, order) == (1, 4)
    assert differences() == []


def test_counted_before_the_lock_two_rejections_pass_the_limit(
    world: SimpleNamespace, two_sides: arena.Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = work.accepted_order(world, units=HARM_ROUNDS * 4)
    count = review.rejected_share
    monkeypatch.setattr(review, "rejected_share", lambda _member, _order: _seen.share)
    above = 0
    for n in range(HARM_ROUNDS):
        first, second, *_more = four_of(world, order, n)
        member, start = first.notice.assignment.member, threading.Barrier(2 * SIDE)

        def careless(
            job: Callable[[], Any], member: Member = member, start: threading.Barrier = start
        ) -> Any:
            _seen.share = count(member, order)
            start.wait(arena.PATIENCE)
            return job()

        two_sides.race(
            [lambda job=job: careless(job) for job in (rejecting(world, first), rejecting(world, second))]
            * SIDE  # type: ignore[misc]
        )
        above += count(member, order) == (2, 4)

    assert above == HARM_ROUNDS


def test_the_last_two_units_at_once_end_the_assignment_and_open_the_level(
    world: SimpleNamespace, two_sides: arena.Crowd
) -> None:
    order = work.accepted_order(world, units=ROUNDS * 2)
    skills.set_course(
        actor=world.director, hub=world.ekimae, order_code=order.code, lot_number=1, level=2, units=2
    )
    for n in range(ROUNDS):
        member = worker(world, n)
        first, second = hands.send(hands.take(member, order, 2), 2)
        two_sides.race([accepting(world, first), accepting(world, second)] * SIDE)

        assert Assignment.objects.get(member=member).state == "ended"
        assert Skill.objects.get(member=member).level == 2
    assert (Earning.objects.count(), differences()) == (ROUNDS * 2, [])
