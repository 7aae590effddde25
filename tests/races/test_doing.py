"""One worker sends a unit in from many phones at once: a double tap, a line that drops, a second tab."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction

from hub.core import clock
from hub.core.errors import DomainError
from hub.work import doing
from hub.work.enums import UnitState
from hub.work.models import Delivery, Draft, Lease, Unit
from tests.races import arena
from tests.work import hands_phone as hands
from tests.work.guards import rows_may_go

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
__all__ = ["rows_may_go"]
ROUNDS = max(arena.HARM_ROUNDS, 4)


@pytest.fixture
def world(cast: SimpleNamespace, rows_may_go: None) -> SimpleNamespace:
    cast.assignment = hands.in_hand(cast, 2 * ROUNDS)
    return cast


def sent(unit: Unit) -> list[tuple[int, str, str]]:
    return [
        (row.number, row.text, row.state)
        for row in Delivery.objects.filter(unit=unit).order_by("number", "pk")
    ]


def test_one_text_from_many_phones_is_one_delivery(world, people) -> None:  # type: ignore[no-untyped-def]
    for number in range(1, ROUNDS + 1):
        unit = hands.unit(world.assignment, number)
        outcomes = people.race([lambda unit=unit: hands.send(world, unit, "お茶").pk] * arena.CONTENDERS)

        assert arena.codes(outcomes) == {"ok": arena.CONTENDERS}
        assert len({one.value for one in outcomes}) == 1
        assert sent(unit) == [(1, "お茶", "sent")]
        assert (Unit.objects.get(pk=unit.pk).state, Draft.objects.filter(unit=unit).count()) == ("sent", 1)


def test_many_texts_at_once_are_one_delivery_and_refusals(world, people) -> None:  # type: ignore[no-untyped-def]
    for number in range(1, ROUNDS + 1):
        unit = hands.unit(world.assignment, number)
        jobs = [
            lambda unit=unit, n=n: hands.send(world, unit, f"文{n}").text for n in range(arena.CONTENDERS)
        ]
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "already_sent": arena.CONTENDERS - 1}
        won = next(one.value for one in outcomes if one.code == "ok")
        assert sent(unit) == [(1, won, "sent")]


def test_sending_in_while_the_lease_goes_back_is_one_or_the_other(world, people) -> None:  # type: ignore[no-untyped-def]
    """All phones but one send, that one gives the work back; whatever won, units, leases and deliveries say the same."""
    units = [hands.unit(world.assignment, number) for number in range(1, 2 * ROUNDS + 1)]

    def sending(unit: Unit) -> Callable[[], int]:
        return lambda: hands.send(world, unit, "お茶").number

    jobs = [sending(units[n % len(units)]) for n in range(arena.CONTENDERS - 1)]
    jobs.insert(arena.CONTENDERS // 2, lambda: hands.time_up(world.assignment))
    for unit in units:
        doing.begin(member=world.misaki, unit_code=unit.code)
    outcomes = people.race(jobs)

    assert set(arena.codes(outcomes)) <= {"ok", "lease_gone"}
    leased = set(Lease.objects.values_list("unit_id", flat=True))
    delivered = set(Delivery.objects.values_list("unit_id", flat=True))
    assert leased == delivered == set(Unit.objects.filter(state=UnitState.SENT).values_list("pk", flat=True))
    assert {row.text for row in Draft.objects.all()} == {"お茶"}


def unguarded(world: SimpleNamespace, unit: Unit) -> int:
    """Sending in as it would be with the look before the transaction and no row held."""
    lease = Lease.objects.get(unit=unit)
    last = Delivery.objects.filter(unit=unit).order_by("-number").first()
    if last is not None:
        raise DomainError("already_sent", "", 409)
    with transaction.atomic():
        row = Delivery(
            unit=unit, notice_id=lease.assignment_id, number=1, accepted_by_silence_at=clock.now() + timedelta(days=14)
        )  # fmt: skip
        row.text = "お茶"
        row.save(force_insert=True)
        Unit.objects.filter(pk=unit.pk).update(state=UnitState.SENT)
    return row.pk


def test_without_the_guards_a_unit_is_sent_in_twice(world, people) -> None:  # type: ignore[no-untyped-def]
    harmed = 0
    # One inside the other: SQLite drops an index, and builds the table anew for the other.
    with arena.without(Delivery, "unit_sent_once"), arena.without(Delivery, "delivery_number_once"):
        for number in range(1, ROUNDS + 1):
            unit = hands.unit(world.assignment, number)
            people.race([lambda unit=unit: unguarded(world, unit)] * arena.CONTENDERS)
            harmed += len(sent(unit)) > 1
        Delivery.objects.all().delete()

    assert harmed > 0


def test_with_the_constraints_alone_it_is_sent_in_once(world, people) -> None:  # type: ignore[no-untyped-def]
    for number in range(1, ROUNDS + 1):
        unit = hands.unit(world.assignment, number)
        outcomes = people.race([lambda unit=unit: unguarded(world, unit)] * arena.CONTENDERS)

        assert len(sent(unit)) == 1
        assert arena.codes(outcomes)["ok"] == 1
