"""The database itself keeps agreed terms as they are, whoever asks. Without its trigger the harm happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction

from hub.work import orders
from hub.work.models import OrderTerms
from tests.work import work

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
guard = import_module("hub.work.migrations.0002_terms_stay")


def sql(text: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text)


@contextmanager
def without_guard() -> Iterator[None]:
    on, off = (
        (guard.ON_SQLITE, guard.OFF_SQLITE)
        if connection.vendor == "sqlite"
        else (guard.ON_POSTGRESQL, guard.OFF_POSTGRESQL)
    )
    connection.check_constraints()  # PostgreSQL takes no trigger away while checks are pending
    for statement in off:
        sql(statement)
    yield
    for statement in on:
        sql(statement)


@pytest.fixture
def terms(cast: SimpleNamespace) -> OrderTerms:
    order = work.make_order(cast)
    return orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=work.TERMS)


def price() -> list[int]:
    return list(OrderTerms.objects.values_list("price_yen", flat=True))


LOWER = "UPDATE work_orderterms SET price_yen = 100, amount_yen = 1000"
GONE = "DELETE FROM work_orderterms"


@pytest.mark.parametrize(("statement", "after"), [(LOWER, [100]), (GONE, [])])
def test_without_the_guard_a_price_is_lowered_afterwards(
    statement: str, after: list[int], terms: OrderTerms
) -> None:
    with without_guard():
        sql(statement)

    assert price() == after


@pytest.mark.parametrize("statement", [LOWER, GONE, "UPDATE work_orderterms SET price_yen = price_yen"])
def test_no_statement_changes_or_removes_terms(statement: str, terms: OrderTerms) -> None:
    with pytest.raises(IntegrityError, match="terms stay as they were agreed"):
        sql(statement)

    assert price() == [300]


def test_model_cannot_change_them_either(terms: OrderTerms) -> None:
    terms.price_yen, terms.amount_yen = 100, 1000
    with pytest.raises(IntegrityError), transaction.atomic():
        terms.save()

    assert price() == [300]


def test_after_their_time_terms_may_go(terms: OrderTerms) -> None:
    with without_guard():
        OrderTerms.objects.update(kept_until=date(2020, 1, 1))
    sql(GONE)

    assert price() == []


def test_amount_is_units_times_price(cast: SimpleNamespace, terms: OrderTerms) -> None:
    with without_guard(), pytest.raises(IntegrityError), transaction.atomic():
        OrderTerms.objects.update(amount_yen=2999)

    assert terms.amount_yen == 3000
