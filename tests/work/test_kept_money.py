"""What was earned and stated stays as it was written, whoever asks. Without the triggers of the database the harm happens."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from hub.core.db import run_write
from hub.work import orders, rates, statements
from hub.work.models import Earning, Order, OrderRate, Statement, WorkRates
from tests.work import earned
from tests.work.guards import sql, unguarded

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DECEMBER = date(2026, 12, 1)
STAYS = "what was written stays"


@pytest.fixture
def stated(cast: SimpleNamespace) -> Statement:
    """Misaki's December: one unit of 1,000 yen without tax, and 650 of them are hers."""
    earned.earn(earned.order_of(cast, price_yen=1000, kind="entry"), cast.misaki, [1])
    made = run_write(lambda: statements._state(cast.ekimae, cast.misaki.pk, DECEMBER))
    assert made is not None
    return made


def amounts() -> list[tuple[int, int]]:
    return list(Earning.objects.values_list("worker_yen", "hub_yen"))


def nets() -> list[int]:
    return list(Statement.objects.values_list("net_yen", flat=True))


CUT = "UPDATE work_earning SET worker_yen = worker_yen - 100, hub_yen = hub_yen + 100"
GONE = "DELETE FROM work_earning"
LESS = "UPDATE work_statement SET work_yen = 550, net_yen = 550"
TORN = "DELETE FROM work_statement"


@pytest.mark.parametrize(("statement", "after"), [(CUT, [(550, 300)]), (GONE, [])])
def test_without_the_guard_pay_is_cut_after_the_work(
    statement: str, after: list[tuple[int, int]], stated: Statement
) -> None:
    with unguarded():
        sql(statement)
    assert amounts() == after


@pytest.mark.parametrize(("statement", "after"), [(LESS, [550]), (TORN, [])])
def test_without_the_guard_a_statement_says_something_else_tomorrow(
    statement: str, after: list[int], stated: Statement
) -> None:
    with unguarded():
        sql("UPDATE work_earning SET statement_id = NULL")
        sql(statement)
    assert nets() == after


@pytest.mark.parametrize("statement", [CUT, GONE, LESS, TORN, "UPDATE work_statement SET number = 7"])
def test_no_statement_changes_or_removes_what_was_written(statement: str, stated: Statement) -> None:
    with pytest.raises(IntegrityError, match=STAYS):
        sql(statement)
    assert (amounts(), nets(), Statement.objects.get().number) == ([(650, 200)], [650], 1)


@pytest.mark.parametrize("column", ["latest_on", "received_on", "member_id", "withholds", "price_yen"])
def test_no_column_of_an_earning_changes(column: str, cast: SimpleNamespace, stated: Statement) -> None:
    other = {
        "latest_on": "2027-12-31", "received_on": "2026-11-30", "member_id": cast.kenta.pk, "withholds": True,
        "price_yen": 999,
    }[column]  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Earning.objects.update(**{column: other})
    row = Earning.objects.get()
    assert str(getattr(row, column)) != str(other)


def test_day_of_paying_is_the_one_thing_that_is_added(stated: Statement) -> None:
    Statement.objects.update(paid_on=date(2027, 1, 25))
    assert Statement.objects.get().paid_on == date(2027, 1, 25)


def test_after_its_time_a_statement_may_go(stated: Statement) -> None:
    with unguarded():
        Statement.objects.update(kept_until=date(2020, 1, 1))
        sql("UPDATE work_earning SET statement_id = NULL")
    sql(TORN)
    assert nets() == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("work_earning", "worker_yen"), ("work_earning", "director_yen"), ("work_earning", "hub_yen"),
        ("work_statement", "work_yen"), ("work_statement", "withholding_yen"), ("work_statement", "net_yen"),
    ],
)  # fmt: skip
def test_parts_that_are_not_the_whole_are_refused(table: str, column: str, stated: Statement) -> None:
    with unguarded(), pytest.raises(IntegrityError):
        sql(f"UPDATE {table} SET {column} = {column} + 1")


# ---------------------------------------------------------------- a price that falls


def lower(cast: SimpleNamespace, price: int) -> OrderRate:
    """As `raise_price` does it, without asking whether it is more."""
    order = stated_order()
    first = order.rates.get(number=1)
    parts = rates.rates_on(cast.ekimae, first.made_at.date())
    return rates.enter(order, price, parts, number=2, reason="安く", actor=cast.director)


def stated_order() -> Order:
    return Earning.objects.get().order


def test_without_the_guard_a_price_falls_after_acceptance(cast: SimpleNamespace, stated: Statement) -> None:
    with unguarded():
        assert lower(cast, 500).worker_yen == 325


def test_database_refuses_a_price_that_falls(cast: SimpleNamespace, stated: Statement) -> None:
    with pytest.raises(IntegrityError, match="a price only rises"), transaction.atomic():
        lower(cast, 500)
    order = stated_order()
    # More for the client, less for the worker: refused as well.
    with pytest.raises(IntegrityError, match="a price only rises"), transaction.atomic():
        OrderRate.objects.create(
            order=order, number=2, price_yen=1100, worker_yen=600, director_yen=100, hub_yen=400, platform_yen=0,
            withholds=False,
        )  # fmt: skip
    with pytest.raises(orders.DomainError) as refused:
        orders.raise_price(
            actor=cast.director, hub=cast.ekimae, code=stated_order().code, price_yen=1000, reason="x"
        )
    assert (refused.value.code, list(OrderRate.objects.values_list("price_yen", flat=True))) == (
        "price_lower",
        [1000],
    )


def test_raise_that_would_cost_the_worker_a_yen_is_made_up_by_the_hub(cast: SimpleNamespace) -> None:
    """26 and 27 yen by these percents give her 4 and 3 (test_money.py): the database would refuse the raise."""
    WorkRates.objects.create(
        hub=cast.ekimae, valid_from=date(2026, 12, 1), worker=1370, director=5820, hub_part=320, platform=2490,
        reference_wage_yen=1100, source="test",
    )  # fmt: skip
    order = earned.order_of(cast, price_yen=26)
    parts = WorkRates.objects.get(worker=1370)
    with pytest.raises(IntegrityError, match="a price only rises"), transaction.atomic():
        rates.enter(order, 27, parts, number=2, reason="x", actor=cast.director)

    raised = orders.raise_price(
        actor=cast.director, hub=cast.ekimae, code=order.code, price_yen=27, reason="x"
    )
    assert (raised.worker_yen, raised.director_yen, raised.hub_yen, raised.platform_yen) == (4, 16, 0, 7)
