"""The database itself keeps agreed terms as they are, whoever asks. Without its trigger the harm happens."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from hub.work import orders
from hub.work.models import OrderTerms
from tests.work import work
from tests.work.guards import TERMS, sql, without

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


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
    with without(TERMS):
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
    with without(TERMS):
        OrderTerms.objects.update(kept_until=date(2020, 1, 1))
    sql(GONE)

    assert price() == []


def test_amount_is_units_times_price(cast: SimpleNamespace, terms: OrderTerms) -> None:
    with without(TERMS), pytest.raises(IntegrityError), transaction.atomic():
        OrderTerms.objects.update(amount_yen=2999)

    assert terms.amount_yen == 3000
