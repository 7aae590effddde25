"""Sharing out against a slow oracle that hands out one unit at a time."""

from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.work import allocation
from hub.work.allocation import Candidate, allocate

#: Drawing is slow while another process has the processor; that says nothing about the code.
CALM = settings(derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PEOPLE = st.lists(
    st.builds(
        lambda room, recent, cap: (room, recent, cap),
        st.integers(0, 12), st.integers(0, 3), st.none() | st.integers(0, 10),
    ),
    max_size=8,
)  # fmt: skip


def people_of(rows: list[tuple[int, int, int | None]]) -> list[Candidate]:
    return [
        Candidate(f"M{n}", hours_units=room, recent_minutes=recent, cap=cap)
        for n, (room, recent, cap) in enumerate(rows)
    ]


def one_at_a_time(total: int, people: list[Candidate]) -> dict[str, int]:
    """The next unit goes to whoever has the fewest of those with room; of equal ones to whom little was handed, then by code."""
    counts = {one.code: 0 for one in people}
    for _ in range(total):
        able = [
            one
            for one in people
            if counts[one.code] < min(one.hours_units, one.cap if one.cap is not None else 99)
        ]
        if not able:
            break
        chosen = min(able, key=lambda one: (counts[one.code], one.recent_minutes, one.code))
        counts[chosen.code] += 1
    return counts


@CALM
@given(st.integers(0, 80), PEOPLE, st.integers())
def test_shares_are_those_of_the_oracle_whatever_the_order(total, rows, seed) -> None:  # type: ignore[no-untyped-def]
    people = people_of(rows)
    shares = allocate(total, people)
    mixed = people[:]
    Random(seed).shuffle(mixed)

    assert {share.code: share.count for share in shares} == one_at_a_time(total, people)
    assert allocate(total, mixed) == shares == allocate(total, people)


ROW = st.tuples(st.integers(0, 300), st.integers(0, 600), st.none() | st.integers(0, 200))


@CALM
@given(st.integers(0, 5000), st.lists(ROW, max_size=40))
def test_sum_room_and_fairness(total, rows) -> None:  # type: ignore[no-untyped-def]
    people = {one.code: one for one in people_of(rows)}
    shares = allocate(total, list(people.values()))

    assert sum(share.count for share in shares) == min(total, sum(one.room for one in people.values()))
    assert [share for share in shares if share.count > people[share.code].room] == []
    for share in shares:
        if share.count < people[share.code].room:  # she could take more: nobody has more than one beyond her
            assert max(other.count for other in shares) <= share.count + 1
            assert share.binds == "share"


@CALM
@given(st.integers(0, 80), PEOPLE)
def test_what_a_hand_out_kept_gives_the_same_again(total, rows) -> None:  # type: ignore[no-untyped-def]
    people = people_of(rows)

    assert allocation.again(allocation.inputs_of(total, people)) == allocate(total, people)


def test_ten_thousand_for_forty_is_250_each() -> None:
    shares = allocate(10_000, [Candidate(f"M{n:02}", hours_units=300) for n in range(40)])

    assert {(share.count, share.fair, share.people, share.binds) for share in shares} == {
        (250, 250, 40, "share")
    }


def test_what_binds_is_named_with_its_number() -> None:
    people = [Candidate("A", 80), Candidate("B", 500, cap=100), Candidate("C", 500), Candidate("D", 0)]
    shares = {share.code: share for share in allocate(400, people)}

    assert [(one.code, one.count, str(one.binds)) for one in shares.values()] == [
        ("A", 80, "hours"), ("B", 100, "cap"), ("C", 220, "share"), ("D", 0, "hours"),
    ]  # fmt: skip
    assert shares["C"].facts() == {
        "count": 220, "binds": "share", "fair": 220, "people": 1, "extra": False, "hours_units": 500, "cap": None,
    }  # fmt: skip


def test_left_over_units_go_to_whom_little_was_handed() -> None:
    people = [Candidate("A", 9, recent_minutes=30), Candidate("B", 9), Candidate("C", 9, recent_minutes=30)]

    assert {one.code: one.count for one in allocate(5, people)} == {"A": 2, "B": 2, "C": 1}


@pytest.mark.parametrize(("total", "codes"), [(-1, ["A"]), (1, ["A", "A"])])
def test_nonsense_is_refused(total: int, codes: list[str]) -> None:
    with pytest.raises(ValueError, match="0 units or more"):
        allocate(total, [Candidate(code, 1) for code in codes])
    with pytest.raises(ValueError, match="room"):
        Candidate("A", -1)


MONDAY = date(2026, 12, 7)


@pytest.mark.parametrize(
    ("days", "weeks"),
    [
        ([0, 1, 2, 3, 4], Fraction(1)),
        ([3, 4], Fraction(2, 5)),
        ([0, 1, 2, 3, 4, 5], Fraction(1)),  # a day more than usual gives no more than a week
        ([4, 14, 15], Fraction(3, 5)),  # the week between is closed
        ([], Fraction(0)),
    ],
)
def test_weeks_ahead(days: list[int], weeks: Fraction) -> None:
    assert allocation.weeks_ahead([MONDAY + timedelta(days=n) for n in days], 5) == weeks


def test_hub_that_never_opens_gives_no_weeks() -> None:
    assert allocation.weeks_ahead([MONDAY], 0) == 0


@pytest.mark.parametrize(
    ("weeks", "busy", "units"), [(Fraction(1), 0, 40), (Fraction(2, 5), 0, 16), (Fraction(1), 14, 39), (Fraction(1), 700, 0)]
)  # fmt: skip
def test_room_by_hours(weeks: Fraction, busy: int, units: int) -> None:
    assert allocation.hours_units(600, weeks, busy, 15) == units
