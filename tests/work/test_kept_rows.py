"""The database keeps notices and rates as they were written, whoever asks. Without its triggers the harm happens."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction

from hub.work import handing, orders
from hub.work.models import OrderRate, WorkNotice
from tests.work import hands, work
from tests.work.guards import MONEY, sql, without

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def kept(cast: SimpleNamespace) -> WorkNotice:
    """A notice of three units at 195 yen, and the rate that it comes from."""
    order = work.accepted_order(cast)
    mine = hands.ask(cast, order, cast.misaki, 3)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    return mine.notice


def notices() -> list[tuple[int, date]]:
    return list(WorkNotice.objects.values_list("unit_yen", "pays_on"))


def rates() -> list[tuple[int, int]]:
    return list(OrderRate.objects.values_list("price_yen", "worker_yen"))


TOLD, RATE = [(195, date(2027, 2, 25))], [(300, 195)]
LESS = "UPDATE work_worknotice SET unit_yen = 100, amount_yen = 300"
LATER = "UPDATE work_worknotice SET pays_on = '2027-12-31'"
NO_NOTICE = "DELETE FROM work_worknotice"
LOWER = "UPDATE work_orderrate SET worker_yen = 100, hub_yen = hub_yen + 95"
NO_RATE = "DELETE FROM work_orderrate"
SECOND = (
    "INSERT INTO work_orderrate (order_id, number, price_yen, worker_yen, director_yen, hub_yen, platform_yen, withholds,"
    " reason, made_at) SELECT order_id, 2, {price}, {worker}, 0, {price} - {worker}, 0, withholds, '', made_at"
    " FROM work_orderrate WHERE number = 1"
)
CUT = SECOND.format(price=200, worker=130)
FOR_THE_HUB = SECOND.format(price=300, worker=194)


@pytest.mark.parametrize(
    ("statement", "told", "rate"),
    [
        (LESS, [(100, date(2027, 2, 25))], RATE),
        (LATER, [(195, date(2027, 12, 31))], RATE),
        (NO_NOTICE, [], RATE),
        (LOWER, TOLD, [(300, 100)]),
        (NO_RATE, TOLD, []),
        (CUT, TOLD, [*RATE, (200, 130)]),
        (FOR_THE_HUB, TOLD, [*RATE, (300, 194)]),
    ],
)
def test_without_the_guards_what_was_told_is_changed(
    statement: str, told: list[object], rate: list[object], kept: WorkNotice
) -> None:
    with without(MONEY):
        sql(statement)

    assert (notices(), rates()) == (told, rate)


@pytest.mark.parametrize("statement", [LESS, LATER, NO_NOTICE, LOWER, NO_RATE])
def test_no_statement_changes_or_removes_them(statement: str, kept: WorkNotice) -> None:
    with pytest.raises(IntegrityError, match="what was written stays"):
        sql(statement)

    assert (notices(), rates()) == (TOLD, RATE)


@pytest.mark.parametrize("statement", [CUT, FOR_THE_HUB])
def test_a_second_rate_never_pays_less(statement: str, kept: WorkNotice) -> None:
    with pytest.raises(IntegrityError, match="a price only rises"):
        sql(statement)

    assert rates() == RATE


def test_a_second_rate_may_pay_more(cast: SimpleNamespace, kept: WorkNotice) -> None:
    order = kept.assignment.lot.order
    orders.raise_price(actor=cast.director, hub=cast.ekimae, code=order.code, price_yen=400, reason="多く")

    assert rates() == [(300, 195), (400, 260)]
    assert notices() == TOLD  # what was told before stays; the acceptance pays the higher rate


def test_models_cannot_change_them_either(kept: WorkNotice) -> None:
    kept.unit_yen = 1
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save()
    rate = OrderRate.objects.get()
    rate.worker_yen, rate.hub_yen = 0, 255
    with pytest.raises(IntegrityError), transaction.atomic():
        rate.save()

    assert (notices(), rates()) == (TOLD, RATE)


def test_after_its_time_a_notice_may_go(kept: WorkNotice) -> None:
    with without(MONEY):
        WorkNotice.objects.update(kept_until=date(2020, 1, 1))
    sql(NO_NOTICE)

    assert notices() == []


def test_work_is_not_begun_without_its_notice(kept: WorkNotice) -> None:
    """A delivery points at the notice, so there is none without (RULE-25)."""
    hands.send(kept.assignment, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("UPDATE work_delivery SET notice_id = NULL")
