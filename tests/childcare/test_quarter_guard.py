"""The database itself keeps the ratio: its generated columns equal exact fractions, and raw SQL cannot store too many."""

import random
from fractions import Fraction

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from hub.childcare.models import CareRoom, RoomQuarter
from tests import factories as make
from tests import oracle

pytestmark = pytest.mark.django_db
ROWS = 4_000
FIRST = 2_000_000
COLUMNS = (
    "n0", "n1", "n2", "n3", "n45", "staff", "qualified", "places", "infant_limit", "toddler_limit", "r0", "r1", "r2",
    "r3", "r45", "plus", "share_num", "share_den", "in_main_hours", "shortfall", "qualified_shortfall", "over",
    "frozen_children",
)  # fmt: skip
FITS = {  # three carers, two of them qualified, under corporate-led numbers: 6 children of classes 1 and 2 fit
    "n0": 0, "n1": 3, "n2": 3, "n3": 0, "n45": 0, "staff": 2, "qualified": 1, "places": 12, "infant_limit": 8,
    "toddler_limit": 8, "r0": 3, "r1": 6, "r2": 6, "r3": 15, "r45": 25, "plus": 1, "share_num": 1, "share_den": 2,
    "in_main_hours": True, "shortfall": 0, "qualified_shortfall": 0, "over": 0, "frozen_children": 0,
}  # fmt: skip
PLENTY = dict.fromkeys(("staff", "qualified", "places", "infant_limit", "toddler_limit"), 300)


@pytest.fixture
def room() -> CareRoom:
    return make.make_room(make.make_hub(), carers=0, horizon=False)


def row(room: CareRoom, quarter: int = FIRST, **values: object) -> RoomQuarter:
    return RoomQuarter(room=room, quarter=quarter, **{**FITS, **values})


def raw_insert(room: CareRoom, **values: object) -> None:
    """INSERT by cursor: no model, no service, no lock."""
    cells = {**FITS, **values}
    sql = (
        f"INSERT INTO childcare_roomquarter (room_id, quarter, {', '.join(COLUMNS)}) "
        f"VALUES ({', '.join(['%s'] * (len(COLUMNS) + 2))})"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [room.pk, FIRST, *[cells[name] for name in COLUMNS]])


def raw_update(pk: int, **values: object) -> None:
    """UPDATE by cursor."""
    sql = f"UPDATE childcare_roomquarter SET {', '.join(f'{name} = %s' for name in values)} WHERE id = %s"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [*values.values(), pk])


def test_generated_columns_equal_exact_fractions(room: CareRoom) -> None:
    dice = random.Random(20261208)
    rows, due = [], {}
    for n in range(ROWS):
        law = oracle.Law(
            3, dice.choice([5, 6]), 6, dice.choice([15, 20]), dice.choice([20, 25, 30]), dice.choice([0, 1]),
            dice.choice([Fraction(1), Fraction(1, 2), Fraction(3, 4), Fraction(1, 3)]),
        )  # fmt: skip
        children = tuple(dice.choice([0, 0, 1, 2, dice.randrange(40)]) for _ in range(5))
        main = dice.random() < 0.7
        values = dict(zip(("n0", "n1", "n2", "n3", "n45"), children, strict=True)) | {
            "r1": law.r1, "r3": law.r3, "r45": law.r45, "plus": law.plus, "share_num": law.share.numerator,
            "share_den": law.share.denominator, "in_main_hours": main,
        }  # fmt: skip
        rows.append(row(room, FIRST + n, **PLENTY, **values))
        due[FIRST + n] = (oracle.required(children, law, main_hours=main), oracle.qualified(children, law))
    RoomQuarter.objects.bulk_create(rows, batch_size=500)

    stored = {
        q: (need, able)
        for q, need, able in RoomQuarter.objects.values_list("quarter", "required", "qualified_required")
    }

    assert len(stored) == ROWS
    assert {quarter: pair for quarter, pair in stored.items() if pair != due[quarter]} == {}


# Each line breaks exactly the constraint that it names. What fits before and what is written must differ in it alone.
BREAKS = [
    ("room_quarter_staff", {"n1": 4, "n2": 9, "staff": 2, "qualified": 9, "places": 40, "toddler_limit": 40}),
    ("room_quarter_staff", {"staff": 1, "qualified": 9}),
    ("room_quarter_qualified", {"qualified": 0}),
    ("room_quarter_places", {"places": 5}),
    ("room_quarter_places", {"n45": 7, "staff": 9, "qualified": 9}),
    ("room_quarter_infant_area", {"infant_limit": 2}),
    ("room_quarter_infant_area", {"n0": 6, "staff": 9, "qualified": 9}),
    ("room_quarter_toddler_area", {"toddler_limit": 2}),
    ("room_quarter_toddler_area", {"n3": 6, "staff": 9, "qualified": 9}),
    # A recorded lack admits nobody beyond those who were there.
    ("room_quarter_frozen", {"staff": 1, "shortfall": 1, "frozen_children": 5}),
    ("room_quarter_frozen", {"qualified": 0, "qualified_shortfall": 1, "frozen_children": 0}),
    ("room_quarter_frozen", {"places": 5, "over": 1, "frozen_children": 5}),
    ("room_quarter_frozen", {"shortfall": 30}),
    # The record of a lack must be large enough.
    ("room_quarter_staff", {"staff": 0, "shortfall": 1, "frozen_children": 6}),
]


@pytest.mark.parametrize(("constraint", "values"), BREAKS)
def test_raw_insert_of_a_forbidden_row_is_refused(
    room: CareRoom, constraint: str, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        raw_insert(room, **values)

    assert RoomQuarter.objects.count() == 0


@pytest.mark.parametrize(("constraint", "values"), BREAKS)
def test_raw_update_to_a_forbidden_row_is_refused(
    room: CareRoom, constraint: str, values: dict[str, object]
) -> None:
    raw_insert(room)
    stored = RoomQuarter.objects.get()

    with pytest.raises(IntegrityError, match=constraint):
        raw_update(stored.pk, **values)

    now = RoomQuarter.objects.values(*FITS).get()
    assert now == FITS


@pytest.mark.parametrize("column", ["n0", "n1", "n2", "n3", "n45"])
def test_raw_increment_stops_at_the_ratio_not_before(room: CareRoom, column: str) -> None:
    """One more and one more, as a forgotten code path would do: the last that stays is the last that is allowed."""
    raw_insert(room, n1=0, n2=0, staff=3, qualified=3, places=99, infant_limit=99, toddler_limit=99)
    stored = RoomQuarter.objects.get()
    fits = 0
    while True:
        try:
            raw_update(stored.pk, **{column: fits + 1})
        except IntegrityError:
            break
        fits += 1

    index = COLUMNS.index(column)
    law = oracle.Law(plus=1)

    def need(n: int) -> int:
        children = [0] * 5
        children[index] = n
        return oracle.required(tuple(children), law)

    assert need(fits) <= 3 < need(fits + 1)


def test_generated_columns_cannot_be_written(room: CareRoom) -> None:
    raw_insert(room)
    stored = RoomQuarter.objects.get()

    with pytest.raises(DatabaseError):
        raw_update(stored.pk, required=0)

    stored.refresh_from_db()
    assert stored.required == 2


@pytest.mark.parametrize("column", ["r0", "r1", "r2", "r3", "r45", "share_den"])
def test_numbers_of_the_law_cannot_be_zero(room: CareRoom, column: str) -> None:
    """SQLite answers NULL to a division by zero and a CHECK lets NULL pass: the rule must not be switched off so."""
    raw_insert(room)
    stored = RoomQuarter.objects.get()

    with pytest.raises(DatabaseError):
        raw_update(stored.pk, **{column: 0})

    assert RoomQuarter.objects.values(*FITS).get() == FITS


@pytest.mark.parametrize("column", ["n0", "n1", "n2", "n3", "n45"])
def test_counters_cannot_go_below_zero(room: CareRoom, column: str) -> None:
    raw_insert(room)

    with pytest.raises(IntegrityError):
        raw_update(RoomQuarter.objects.get().pk, **{column: -1})


def test_two_rows_for_one_room_and_quarter_are_refused(room: CareRoom) -> None:
    raw_insert(room)

    with pytest.raises(IntegrityError):
        raw_insert(room)


def test_recorded_lack_lets_reality_stand_and_children_leave(room: CareRoom) -> None:
    raw_insert(room, staff=1, shortfall=1, frozen_children=6)
    stored = RoomQuarter.objects.get()

    raw_update(stored.pk, n1=2)

    with pytest.raises(IntegrityError, match="room_quarter_frozen"):
        raw_update(stored.pk, n1=4)
    stored.refresh_from_db()
    assert (stored.n1, stored.required) == (2, 2)
