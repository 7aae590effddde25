"""Splitting, withholding and days of payment: the worked examples of domain.md, and any amount."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import DomainError
from hub.work import rates
from hub.work.ledger import needed_orders
from hub.work.models import WorkRates
from hub.work.money import (
    WHOLE,
    latest_payment,
    latest_reorder_payment,
    payment_day,
    split,
    withholding,
)
from tests.factories import TODAY
from tests.work import work

DAY = timedelta(days=1)
NAMES = ("worker", "director", "hub", "platform")
PARTS = {"worker": 6000, "director": 1000, "hub": 2000, "platform": 1000}


@st.composite
def percents(draw: st.DrawFn) -> dict[str, int]:
    """Four parts of 100 %, zeros among them."""
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE), min_size=3, max_size=3)))
    edges = [0, *cuts, WHOLE]
    return {name: edges[n + 1] - edges[n] for n, name in enumerate(NAMES)}


def test_ten_thousand_and_one_yen_split_to_the_yen() -> None:  # B5
    assert split(10_001, PARTS) == {"worker": 6001, "director": 1000, "hub": 2000, "platform": 1000}
    assert sum(split(10_001, PARTS).values()) == 10_001


def test_of_equal_remainders_the_first_named_gets_the_yen() -> None:
    quarters = dict.fromkeys(NAMES, 2500)
    assert split(1, quarters) == {"worker": 1, "director": 0, "hub": 0, "platform": 0}
    assert split(3, quarters) == {"worker": 1, "director": 1, "hub": 1, "platform": 0}


@given(st.integers(0, 10**12), percents())
def test_no_yen_is_lost_and_nobody_is_a_yen_away(gross: int, parts: dict[str, int]) -> None:
    got = split(gross, parts)

    assert sum(got.values()) == gross
    for name, part in parts.items():
        assert abs(got[name] * WHOLE - gross * part) < WHOLE
        assert part or got[name] == 0


@pytest.mark.parametrize("parts", [{"worker": 9999}, {"worker": 10_001}, {"worker": 0}])
def test_parts_that_are_not_the_whole_are_refused(parts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="100 %"):
        split(100, parts)


@pytest.mark.django_db
def test_change_of_percents_does_not_alter_old_orders(cast: SimpleNamespace) -> None:  # B5
    old = work.accepted_order(cast, 1, price_yen=1000)
    changed = {
        "worker": 6000,
        "director": 1500,
        "hub_part": 2000,
        "platform": 500,
        "reference_wage_yen": 1100,
    }
    WorkRates.objects.create(hub=cast.ekimae, valid_from=TODAY, source="test", **changed)
    new = work.accepted_order(cast, 1, price_yen=1000, title="つぎの しごと")

    assert [rates.current(order).worker_yen for order in (old, new)] == [650, 600]
    assert [row.worker for row in (rates.rates_on(cast.ekimae, TODAY - DAY), rates.rates_on(cast.ekimae, TODAY))] == [
        6500, 6000
    ]  # fmt: skip
    with pytest.raises(DomainError) as error:
        rates.rates_on(cast.ekimae, date(2026, 3, 31))
    assert error.value.code == "no_rates"


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("worker", [6001, 5999])
def test_shares_that_are_not_the_whole_are_refused(worker: int, cast: SimpleNamespace) -> None:
    parts = {
        "worker": worker,
        "director": 1000,
        "hub_part": 2000,
        "platform": 1000,
        "reference_wage_yen": 1100,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkRates.objects.create(hub=cast.ekimae, valid_from=TODAY, source="test", **parts)

    assert WorkRates.objects.count() == 0


@pytest.mark.parametrize(
    ("pay", "tax"),
    [(10_000, 1021), (10_225, 1043), (55_000, 5615), (1_000_000, 102_100), (1_500_000, 204_200), (0, 0)],
)
def test_withholding_of_the_worked_examples(pay: int, tax: int) -> None:  # RULE-29
    assert withholding(pay) == tax


@given(st.integers(0, 10**9))
def test_withholding_never_falls_and_is_never_more_than_the_pay(pay: int) -> None:
    assert 0 <= withholding(pay) <= withholding(pay + 1) <= pay + 1


def test_last_days_of_payment_of_the_worked_examples() -> None:  # RULE-26
    assert latest_payment(date(2026, 5, 20)) == date(2026, 7, 18)
    assert latest_reorder_payment(date(2026, 6, 30)) == date(2026, 7, 29)


def test_house_pays_on_the_twenty_fifth_of_the_next_month() -> None:
    assert payment_day(date(2026, 12, 1)) == date(2027, 1, 25)
    assert payment_day(date(2026, 11, 30)) == date(2026, 12, 25)


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_house_rule_is_day_fifty_six_at_most(received: date) -> None:
    assert payment_day(received) <= received + timedelta(days=55) < latest_payment(received)


def test_raising_the_price_can_take_a_yen_from_a_part() -> None:
    """Largest remainders know this (the Alabama paradox): a yen more to share, and one gets a yen less.

    So the database and `orders.raise_price` look at the worker's own yen, not at the price alone.
    """
    parts = {"worker": 1370, "director": 5820, "hub": 320, "platform": 2490}
    assert split(26, parts) == {"worker": 4, "director": 15, "hub": 1, "platform": 6}
    assert split(27, parts) == {"worker": 3, "director": 16, "hub": 1, "platform": 7}


@given(st.integers(0, 10**6), st.integers(1, 10**4), percents())
def test_raised_price_never_costs_a_worker_a_whole_yen_more_than_that(
    price: int, more: int, parts: dict[str, int]
) -> None:
    before, after = split(price, parts)["worker"], split(price + more, parts)["worker"]
    assert after >= before - 1
    if parts["worker"] * more >= 2 * WHOLE:  # a rise that is worth two yen to her is never lost
        assert after >= before


@given(st.lists(st.integers(1, 10**6), max_size=20), percents())
def test_units_split_one_by_one_make_the_whole_together(prices: list[int], parts: dict[str, int]) -> None:
    got = [split(price, parts) for price in prices]
    assert sum(sum(one.values()) for one in got) == sum(prices)


@pytest.mark.parametrize(
    ("numbers", "needed"),
    [
        ((1_200_000, 700_000, 100_000, 2000), 2_000_000),  # B9
        ((1_200_001, 700_000, 100_000, 2000), 2_000_005),
        ((100, 0, 0, 3333), 301),
        ((0, 0, 0, 2000), 0),
        ((100, 200, 0, 2000), 0),
        ((100, 0, 0, 0), None),
    ],
)
def test_break_even_of_the_worked_example(numbers: tuple[int, int, int, int], needed: int | None) -> None:
    assert needed_orders(*numbers) == needed


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, WHOLE))
def test_break_even_is_the_least_that_carries_the_rest(
    costs: int, subsidy: int, grant: int, share: int
) -> None:
    needed = needed_orders(costs, subsidy, grant, share)
    rest = max(costs - subsidy - grant, 0)
    assert needed is not None
    assert needed * share >= rest * WHOLE
    assert needed == 0 or (needed - 1) * share < rest * WHOLE
