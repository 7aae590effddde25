"""Quarters: integers, half-open ranges, runs."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.quarters import Period, local, on_grid, quarter_of, runs, start_of
from tests import factories as make


@settings(derandomize=True, database=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_moment_lies_in_its_quarter(moment: datetime) -> None:
    quarter = quarter_of(moment)

    assert start_of(quarter) <= moment < start_of(quarter + 1)
    assert quarter_of(start_of(quarter)) == quarter


def test_quarter_is_epoch_seconds_by_900() -> None:
    assert quarter_of(datetime(1970, 1, 1, 0, 15, tzinfo=UTC)) == 1
    assert quarter_of(make.at(9)) * 900 == make.at(9).timestamp()


@pytest.mark.parametrize(
    ("moment", "minutes", "expected"),
    [
        (make.at(9), 15, True),
        (make.at(9, 45), 15, True),
        (make.at(9, 45), 30, False),
        (make.at(9, 50), 15, False),
        (make.at(9).replace(second=1), 15, False),
        (make.at(9).replace(microsecond=1), 15, False),
        (datetime(2026, 12, 8, 9, 15, tzinfo=timezone(timedelta(hours=5, minutes=45))), 15, True),
    ],
)
def test_grid(moment: datetime, minutes: int, expected: bool) -> None:
    assert on_grid(moment, minutes) == expected


def test_period_is_half_open() -> None:
    period = make.period(9, 10)

    assert len(period.quarters) == 4
    assert quarter_of(make.at(10)) not in period.quarters
    assert (period.minutes, period.length) == (60, timedelta(hours=1))
    assert not period.overlaps(make.period(10, 11))
    assert period.overlaps(make.period(9.75, 11))
    assert period.contains(period)
    assert not period.contains(make.period(8.75, 10))
    assert period.shifted(timedelta(hours=1)) == make.period(10, 11)


def test_runs_join_what_follows_on() -> None:
    first = quarter_of(make.at(9))

    joined = runs([first + 1, first, first + 3, first + 1])

    assert joined == [make.period(9, 9.5), make.period(9.75, 10)]
    assert runs([]) == []


@settings(derandomize=True, database=None)
@given(st.sets(st.integers(1_980_000, 1_980_060)))
def test_runs_lose_nothing_and_never_touch(quarters: set[int]) -> None:
    joined = runs(quarters)

    assert {quarter for period in joined for quarter in period.quarters} == quarters
    assert all(one.ends_at < other.starts_at for one, other in pairwise(joined))


def test_local_is_wall_clock_across_a_change_of_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before, after = (local(day, time(9), berlin) for day in (date(2026, 10, 24), date(2026, 10, 25)))

    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=25)


def test_in_zone_is_the_same_moment() -> None:
    period = make.period(9, 10)

    assert period.in_zone(ZoneInfo("UTC")).starts_at.hour == 0
    assert period.in_zone(ZoneInfo("UTC")) == Period(period.starts_at, period.ends_at)
