"""Statements made by many at once: each earning on one, numbers without gaps, sums equal. Without the guards people are paid twice."""

import threading
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import Sum

from hub.core.db import run_write
from hub.work import statements
from hub.work.models import Earning, Statement
from tests import factories as make
from tests.races import arena
from tests.races.arena import crowd
from tests.work import earned
from tests.work.guards import KEPT, cleanable, empty, unguarded

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
__all__ = ["cleanable"]  # the fixture
MAKERS = 8
MONTHS = 3


@pytest.fixture
def world(cast: SimpleNamespace, cleanable: None) -> SimpleNamespace:
    return cast


def totals() -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        Earning.objects.aggregate(work=Sum("worker_yen"), director=Sum("director_yen")),
        Statement.objects.aggregate(work=Sum("work_yen"), director=Sum("director_yen")),
    )


def test_many_make_the_same_month_and_everybody_is_paid_once(world: SimpleNamespace, now: Any) -> None:
    people = [make.make_member(f"人 {n}", f"p{n}@race.example", hub=world.ekimae) for n in range(4)]
    month = date(2026, 12, 1)
    order = earned.order_of(world, 8 * MONTHS, price_yen=333)
    with crowd(MAKERS) as makers:
        for turn in range(MONTHS):
            for n, person in enumerate(people):
                first = 8 * turn + 2 * n + 1
                earned.earn(order, person, [first, first + 1], month.replace(day=20))
            now.move_to(datetime.combine(statements.made_from(month), make.NOW.timetz()))
            outcomes = makers.race(
                [lambda month=month: statements.make_statements(world.ekimae, month)] * MAKERS
            )

            assert arena.codes(outcomes) == {"ok": MAKERS}
            made = sum(len(outcome.value) for outcome in outcomes)
            assert made == Statement.objects.filter(month=month).count() == 5  # four workers and the director
            month = statements.next_month(month)

    earned_yen, stated_yen = totals()
    assert earned_yen == stated_yen
    assert not Earning.objects.filter(statement=None).exists()
    assert not Earning.objects.filter(director_statement=None).exists()
    numbers = list(Statement.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, 5 * MONTHS + 1))


def raced(world: SimpleNamespace, guarded: bool) -> list[arena.Outcome]:
    """All have read what Misaki is owed before the first one writes. ``guarded``: as the product does it instead."""
    month = date(2026, 12, 1)
    line = threading.Barrier(MAKERS)

    def job() -> None:
        if guarded:
            line.wait(arena.PATIENCE)
            run_write(lambda: statements._state(world.ekimae, world.misaki.pk, month))
            return
        owed = statements._read(world.ekimae, world.misaki.pk, month)
        line.wait(arena.PATIENCE)
        run_write(lambda: statements._write(world.ekimae, world.misaki.pk, month, owed))

    with crowd(MAKERS) as makers:
        return makers.race([job] * MAKERS)


@pytest.fixture
def owed(world: SimpleNamespace) -> SimpleNamespace:
    earned.earn(earned.order_of(world, price_yen=1000, kind="entry"), world.misaki, [1, 2])
    return world


def test_without_the_guards_one_month_is_stated_by_everybody(owed: SimpleNamespace) -> None:
    with unguarded(), arena.without(Statement, "statement_once_a_month", "statement_number_once"):
        outcomes = raced(owed, guarded=False)
        work = list(Statement.objects.values_list("work_yen", flat=True))
        empty(KEPT)

    assert arena.codes(outcomes) == {"ok": MAKERS}
    assert work == [1300] * MAKERS  # she would be paid eight times


def test_database_alone_lets_one_of_them_through(owed: SimpleNamespace) -> None:
    outcomes = raced(owed, guarded=False)

    assert arena.codes(outcomes).get("ok") == 1
    assert list(Statement.objects.values_list("work_yen", flat=True)) == [1300]


def test_with_the_line_nobody_crashes_and_she_is_stated_once(owed: SimpleNamespace) -> None:
    outcomes = raced(owed, guarded=True)

    assert arena.codes(outcomes) == {"ok": MAKERS}
    assert list(Statement.objects.values_list("work_yen", flat=True)) == [1300]
