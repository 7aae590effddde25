"""The ratio engine: the tables of domain.md A1.2 to A1.5 word for word, then 10,000 cases against exact fractions."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.childcare import ratio
from hub.childcare.enums import Scheme
from hub.childcare.models import CareRule
from hub.childcare.queries import floor_limits, ratios_of, rule_on
from hub.childcare.ratio import Counts, Ratios
from tests import factories as make
from tests import oracle

CORPORATE_LED = Ratios(plus=1)
UNLICENSED = Ratios(share_num=1, share_den=3)
FORMER = {"r3": 20, "r45": 30}

# --- A1.2, RULE-01 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "day", "expected"),
    [
        (date(2024, 4, 1), date(2025, 4, 1), 1),
        (date(2024, 4, 2), date(2025, 4, 1), 0),
        (date(2025, 6, 10), date(2025, 12, 1), 0),
        (date(2020, 4, 2), date(2026, 4, 1), 5),
        (date(2023, 5, 5), date(2026, 3, 31), 1),
        (date(2023, 5, 5), date(2026, 4, 1), 2),
        (date(2024, 2, 29), date(2026, 4, 1), 2),
        (date(2020, 4, 1), date(2026, 4, 1), 6),
    ],
)
def test_class_age_of_the_domain_table(born: date, day: date, expected: int) -> None:
    assert ratio.class_age(born, day) == expected


@pytest.mark.parametrize("born", [date(2020, 4, 1), date(2019, 4, 2), date(2019, 10, 1)])
def test_class_age_six_is_school_age(born: date) -> None:
    assert ratio.class_age(born, date(2026, 4, 1)) >= ratio.SCHOOL_AGE


def test_class_age_changes_once_a_year_and_only_on_the_first_of_april() -> None:
    born, day = date(2022, 9, 13), date(2022, 9, 13)
    changes = []
    while day < date(2029, 4, 2):
        following = day + timedelta(days=1)
        if ratio.class_age(born, following) != ratio.class_age(born, day):
            changes.append(following)
        day = following

    assert changes == [date(year, 4, 1) for year in range(2024, 2030)]


@settings(max_examples=2_000, derandomize=True, database=None)
@given(
    born=st.dates(date(2014, 1, 1), date(2030, 12, 31)),
    days=st.integers(0, 3_000),
)
def test_class_age_equals_the_age_law_counted_year_by_year(born: date, days: int) -> None:
    day = born + timedelta(days=days)

    assert ratio.class_age(born, day) == oracle.age_class(born, day)
    assert ratio.class_age(born, day) <= ratio.actual_age(born, day) + 1


@pytest.mark.parametrize(
    ("born", "day", "expected"),
    [
        (date(2024, 12, 8), date(2026, 12, 7), 1),
        (date(2024, 12, 8), date(2026, 12, 8), 2),
        (date(2027, 1, 1), date(2026, 12, 8), 0),
    ],
)
def test_actual_age_counts_birthdays(born: date, day: date, expected: int) -> None:
    assert ratio.actual_age(born, day) == expected


# --- A1.3, RULE-02 and RULE-03 ------------------------------------------------------------------------------

WORKED = [  # children, T, corporate-led (+1), unlicensed (+0), strict, one-year-olds 5:1 with +1
    ((1, 0, 0, 0, 0), 3, 2, 2, 2, 2),
    ((0, 0, 0, 0, 10), 4, 2, 2, 2, 2),
    ((2, 4, 3, 2, 1), 18, 3, 2, 3, 3),
    ((3, 6, 6, 0, 0), 30, 4, 3, 3, 4),
    ((5, 5, 5, 0, 0), 32, 4, 3, 4, 4),
    ((6, 8, 4, 6, 5), 46, 6, 5, 5, 6),
    ((0, 6, 6, 16, 0), 30, 4, 3, 4, 4),
    ((10, 10, 10, 10, 20), 80, 9, 8, 9, 9),
    ((12, 14, 14, 2, 2), 87, 10, 9, 9, 10),
]


@pytest.mark.parametrize(("children", "tenths", "plus_one", "plus_none", "at_any_time", "by_five"), WORKED)
def test_worked_table_of_the_domain(
    children: tuple[int, ...], tenths: int, plus_one: int, plus_none: int, at_any_time: int, by_five: int
) -> None:
    counts = Counts(*children)

    assert ratio.tenths(counts, UNLICENSED) == tenths
    assert ratio.administrative(counts, CORPORATE_LED) == plus_one
    assert ratio.administrative(counts, UNLICENSED) == plus_none
    # The paper's column shows the number with its floor of two; the fraction alone may be one.
    assert max(2, ratio.strict(counts, UNLICENSED)) == at_any_time
    assert ratio.administrative(counts, Ratios(r1=5, plus=1)) == by_five


def test_worked_table_with_the_former_ratios() -> None:
    counts = Counts(6, 8, 4, 6, 5)

    assert ratio.tenths(counts, Ratios(**FORMER)) == 44
    assert ratio.administrative(counts, Ratios(plus=1, **FORMER)) == 5
    assert ratio.administrative(counts, Ratios(**FORMER)) == 4
    assert ratio.strict(counts, Ratios(**FORMER)) == 5


def test_official_examples_of_the_corporate_led_guideline() -> None:
    assert ratio.administrative(Counts(5, 5, 5), CORPORATE_LED) == 4
    assert ratio.administrative(Counts(10, 10, 10, 10, 20), CORPORATE_LED) == 9


def test_five_infants_always_need_two() -> None:
    assert ratio.strict(Counts(5), UNLICENSED) == 2


@pytest.mark.parametrize("main_hours", [True, False])
def test_empty_room_needs_nobody(main_hours: bool) -> None:
    assert ratio.required(Counts(), CORPORATE_LED, main_hours=main_hours) == 0
    assert (ratio.administrative(Counts(), CORPORATE_LED), ratio.qualified(Counts(), CORPORATE_LED)) == (0, 0)


def test_required_outside_main_hours_leaves_out_the_administrative_number() -> None:
    counts = Counts(3, 6, 6)

    assert ratio.required(counts, CORPORATE_LED) == 4
    assert ratio.required(counts, CORPORATE_LED, main_hours=False) == 3
    assert ratio.required(Counts(1), CORPORATE_LED, main_hours=False) == 2


def test_formula_shows_each_band_with_its_numbers() -> None:
    assert ratio.formula(Counts(2, 4, 3, 2, 1), CORPORATE_LED) == (
        "2/3=0.6 + 7/6=1.1 + 2/15=0.1 + 1/25=0.0 = 1.8 → 2 + 1 → 3; strict 3; required 3"
    )


# --- A1.4, RULE-04 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("num", "den", "expected"),
    [
        (1, 1, [2, 3, 4, 5, 6, 7, 8]),
        (1, 2, [1, 2, 2, 3, 3, 4, 4]),
        (3, 4, [2, 3, 3, 4, 5, 6, 6]),
        (1, 3, [1, 1, 2, 2, 2, 3, 3]),
    ],
)
def test_qualified_share_of_the_domain_table(num: int, den: int, expected: list[int]) -> None:
    """Infants alone, three to a worker: the administrative number is then n0 / 3."""
    got = [ratio.qualified(Counts(3 * staff), Ratios(share_num=num, share_den=den)) for staff in range(2, 9)]

    assert got == expected


# --- A1.5, RULE-05 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area_cm2", "per_child", "expected"),
    [
        (396_500, 33_000, 12),
        (395_999, 33_000, 11),
        (396_000, 33_000, 12),
        (19_799, 19_800, 0),
        (0, 16_500, 0),
    ],
)
def test_floor_area_is_cut_off(area_cm2: int, per_child: int, expected: int) -> None:
    assert ratio.area_limit(area_cm2, per_child) == expected


# --- the law as rows (A1.1 and the schemes of A1.3 to A1.5) --------------------------------------------------

LAW = {  # scheme: plus, qualified share, floor per infant and per toddler in cm2
    "corporate_led": (1, Fraction(1, 2), 33_000, 19_800),
    "unlicensed": (0, Fraction(1, 3), 16_500, 16_500),
    "licensed": (0, Fraction(1), 33_000, 19_800),
    "small_a": (1, Fraction(1), 33_000, 19_800),
    "small_b": (1, Fraction(1, 2), 33_000, 19_800),
    "temporary": (0, Fraction(1, 2), 33_000, 19_800),
}


def test_every_scheme_has_its_law() -> None:
    assert set(LAW) == set(Scheme.values)


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", LAW)
@pytest.mark.parametrize(
    ("day", "table", "r3", "r45"),
    [
        (date(2024, 3, 31), "current", 20, 30),
        (date(2024, 4, 1), "current", 15, 25),
        (date(2026, 12, 8), "current", 15, 25),
        (date(2026, 12, 8), "former", 20, 30),
    ],
)
def test_dated_law_of_each_scheme(scheme: str, day: date, table: str, r3: int, r45: int) -> None:
    plus, share, infant, toddler = LAW[scheme]
    room = make.make_room(make.make_hub(), carers=0, scheme=Scheme(scheme), horizon=False)
    room.table = table

    rule = rule_on(CareRule.objects.all(), room, day)
    ratios = ratios_of(rule, room)

    assert (ratios.r0, ratios.r1, ratios.r2, ratios.r3, ratios.r45, ratios.plus) == (3, 6, 6, r3, r45, plus)
    assert Fraction(ratios.share_num, ratios.share_den) == share
    room.area_infant_cm2, room.area_toddler_cm2 = 12 * infant, 7 * toddler + 1
    assert floor_limits(rule, room) == (12, 7)


@pytest.mark.django_db
def test_room_may_keep_five_one_year_olds_and_three_quarters_qualified() -> None:
    room = make.make_room(make.make_hub(), carers=0, scheme=Scheme.CORPORATE_LED, horizon=False)
    room.one_by_five = room.three_quarters_qualified = True

    ratios = ratios_of(rule_on(CareRule.objects.all(), room, make.TODAY), room)

    assert (ratios.r1, ratios.r2, ratios.share_num, ratios.share_den) == (5, 6, 3, 4)


# --- 10,000 cases -------------------------------------------------------------------------------------------

counts_strategy = st.tuples(*[st.integers(0, 40)] * 5)
law_strategy = st.builds(
    oracle.Law,
    r0=st.just(3),
    r1=st.sampled_from([5, 6]),
    r2=st.just(6),
    r3=st.sampled_from([15, 20]),
    r45=st.sampled_from([20, 25, 30]),
    plus=st.sampled_from([0, 1]),
    share=st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3, 4), Fraction(1, 3)]),
)


def ratios_from(law: oracle.Law) -> Ratios:
    return Ratios(
        law.r0, law.r1, law.r2, law.r3, law.r45, law.plus, law.share.numerator, law.share.denominator
    )  # fmt: skip


@settings(max_examples=10_000, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(children=counts_strategy, law=law_strategy, main_hours=st.booleans())
def test_ratio_equals_exact_fractions(children: tuple[int, ...], law: oracle.Law, main_hours: bool) -> None:
    counts, ratios = Counts(*children), ratios_from(law)

    assert ratio.administrative(counts, ratios) == oracle.administrative(children, law)
    assert ratio.strict(counts, ratios) == oracle.strict(children, law)
    assert ratio.required(counts, ratios, main_hours=main_hours) == oracle.required(
        children, law, main_hours=main_hours
    )
    assert ratio.qualified(counts, ratios) == oracle.qualified(children, law)


@settings(max_examples=1_000, derandomize=True, database=None)
@given(
    children=counts_strategy, law=law_strategy, main_hours=st.booleans(), age_class=st.integers(0, 5),
)  # fmt: skip
def test_one_more_child_never_needs_fewer_workers(
    children: tuple[int, ...], law: oracle.Law, main_hours: bool, age_class: int
) -> None:
    counts, ratios = Counts(*children), ratios_from(law)
    more = counts.plus(age_class)

    assert ratio.required(more, ratios, main_hours=main_hours) >= ratio.required(
        counts, ratios, main_hours=main_hours
    )
    assert ratio.qualified(more, ratios) >= ratio.qualified(counts, ratios)
    assert more.children == counts.children + 1
    assert ratio.required(counts, ratios) >= ratio.required(counts, ratios, main_hours=False)


@settings(max_examples=1_000, derandomize=True, database=None)
@given(children=counts_strategy, plus=st.sampled_from([0, 1]))
def test_younger_child_and_stricter_table_never_need_fewer(children: tuple[int, ...], plus: int) -> None:
    counts = Counts(*children)

    assert ratio.required(counts, Ratios(plus=plus)) >= ratio.required(counts, Ratios(plus=plus, **FORMER))
    assert ratio.strict(counts.plus(0), Ratios()) >= ratio.strict(counts.plus(3), Ratios())
    assert ratio.administrative(counts, Ratios(r1=5)) >= ratio.administrative(counts, Ratios()) - 1
