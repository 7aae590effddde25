"""The database itself keeps custody (I7): raw SQL cannot close one without its own hand-over, nor open two for a child.

Each refusal is shown again with its constraint taken away: then the harm happens.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from hub.childcare.models import Custody, Handover
from tests import factories as make
from tests.races.arena import without

pytestmark = pytest.mark.django_db
#: Constraints are dropped, or the foreign keys are looked at: both happen outside a test's own transaction.
committed = pytest.mark.django_db(transaction=True)
NOW = make.NOW


@pytest.fixture
def here(cast: SimpleNamespace) -> SimpleNamespace:
    """Two children in care; nothing of it was written by a service."""
    visit = make_visit(cast)
    rows = [make_custody(cast, visit, child) for child in (cast.haru, cast.yui)]
    carer = cast.room.shifts.first().carer
    return SimpleNamespace(**vars(cast), visit=visit, rows=rows, who=carer)


def make_visit(cast: SimpleNamespace) -> Any:
    from hub.spaces.models import Visit

    return Visit.objects.create(
        member=cast.misaki, hub=cast.ekimae, booked_by=cast.misaki, starts_at=make.at(9, 30, make.TODAY),
        ends_at=make.at(12, 30, make.TODAY),
    )  # fmt: skip


def make_custody(cast: SimpleNamespace, visit: Any, child: Any) -> Custody:
    from hub.childcare.models import CarePlace

    place = CarePlace.objects.create(
        visit=visit, child=child, room=cast.room, starts_at=visit.starts_at, ends_at=visit.ends_at
    )
    return Custody.objects.create(
        place=place, child=child, room=cast.room, age_class=1, received_at=NOW, temperature="36.5",
        received_by=cast.room.shifts.first().carer, recorded_by=cast.carer, brought_by=cast.misaki,
    )  # fmt: skip


def sql(text: str, *values: object) -> None:
    """One statement by cursor, committed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


def close(here: SimpleNamespace, n: int, handover: int | None) -> None:
    sql(
        "UPDATE childcare_custody SET closed_at = %s, handover_id = %s WHERE id = %s",
        NOW, handover, here.rows[n].pk,
    )  # fmt: skip


def insert_handover(here: SimpleNamespace, n: int = 0, **changes: object) -> None:
    cells = {
        "custody_id": here.rows[n].pk, "handed_at": NOW, "carer_id": here.who.pk, "recorded_by_id": here.carer.pk,
        "guardian_id": here.misaki.pk, "pickup_adult_id": None, "identified_by": "known",
    } | changes  # fmt: skip
    names = ", ".join(cells)
    sql(
        f"INSERT INTO childcare_handover ({names}) VALUES ({', '.join(['%s'] * len(cells))})", *cells.values()
    )


def granny(here: SimpleNamespace) -> int:
    from hub.members.models import PickupAdult

    return PickupAdult.objects.create(
        household=here.household, name="祖母", kana="ソボ", relation="祖母", phone="0900000002"
    ).pk


def still_open(here: SimpleNamespace, n: int = 0) -> bool:
    return Custody.objects.filter(pk=here.rows[n].pk, closed_at=None, handover=None).exists()


def test_custody_closes_with_its_own_hand_over(here: SimpleNamespace) -> None:
    insert_handover(here)

    close(here, 0, here.rows[0].pk)

    assert not still_open(here)


def with_another(here: SimpleNamespace) -> None:
    insert_handover(here, 1)
    close(here, 0, here.rows[1].pk)


# What is tried, and the constraint that refuses it.
CLOSINGS: list[tuple[Callable[[SimpleNamespace], None], str]] = [
    (lambda here: close(here, 0, None), "custody_closed_by_handover"),
    (with_another, "custody_closed_by_handover"),
]


@pytest.mark.parametrize(("attempt", "constraint"), CLOSINGS, ids=["without", "of another child"])
def test_custody_is_not_closed_without_its_own_hand_over(
    here: SimpleNamespace, attempt: Callable[[SimpleNamespace], None], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        attempt(here)

    assert still_open(here)


@committed
@pytest.mark.parametrize(("attempt", "constraint"), CLOSINGS, ids=["without", "of another child"])
def test_without_the_constraint_a_child_leaves_with_nobody_on_record(
    here: SimpleNamespace, attempt: Callable[[SimpleNamespace], None], constraint: str
) -> None:
    with without(Custody, constraint):
        attempt(here)

        harm = Custody.objects.exclude(closed_at=None).exclude(pk__in=Handover.objects.values("custody"))
        assert [row.pk for row in harm] == [here.rows[0].pk]


@committed
def test_hand_over_that_does_not_exist_closes_nothing(here: SimpleNamespace) -> None:
    """The foreign key is looked at when the transaction ends."""
    with pytest.raises(IntegrityError):
        close(here, 0, here.rows[0].pk)

    assert still_open(here)


@committed
def test_hand_over_of_a_closed_custody_cannot_be_taken_away(here: SimpleNamespace) -> None:
    insert_handover(here)
    close(here, 0, here.rows[0].pk)

    with pytest.raises(IntegrityError):
        sql("DELETE FROM childcare_handover")
    with pytest.raises(IntegrityError, match="custody_closed_by_handover"):
        sql("UPDATE childcare_custody SET handover_id = NULL WHERE handover_id IS NOT NULL")

    assert Handover.objects.count() == 1


ADULTS: list[tuple[Callable[[SimpleNamespace], dict[str, object]], str]] = [
    (lambda here: {"guardian_id": None}, "handover_one_adult"),
    (lambda here: {"pickup_adult_id": granny(here)}, "handover_one_adult"),
    (lambda here: {"identified_by": ""}, "handover_identified"),
]
NAMES = ["nobody", "two adults", "not identified"]


@pytest.mark.parametrize(("changes", "constraint"), ADULTS, ids=NAMES)
def test_hand_over_names_one_adult_and_how_she_was_known(
    here: SimpleNamespace, changes: Callable[[SimpleNamespace], dict[str, object]], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        insert_handover(here, **changes(here))

    assert Handover.objects.count() == 0


@committed
@pytest.mark.parametrize(("changes", "constraint"), ADULTS, ids=NAMES)
def test_without_the_constraint_the_record_says_nothing(
    here: SimpleNamespace, changes: Callable[[SimpleNamespace], dict[str, object]], constraint: str
) -> None:
    with without(Handover, constraint):
        insert_handover(here, **changes(here))

        row = Handover.objects.get()
        assert (row.guardian_id is None) == (row.pickup_adult_id is None) or row.identified_by == ""


@committed
@pytest.mark.parametrize("column", ["carer_id", "recorded_by_id"])
def test_hand_over_names_a_carer(here: SimpleNamespace, column: str) -> None:
    with pytest.raises(IntegrityError):
        insert_handover(here, **{column: None})
    with pytest.raises(IntegrityError):
        insert_handover(here, **{column: 10**9})

    assert Handover.objects.count() == 0


COPY = (
    "INSERT INTO childcare_custody (code, place_id, child_id, room_id, age_class, received_at, received_by_id,"
    " recorded_by_id, brought_by_id, temperature) SELECT %s, place_id, child_id, room_id, age_class, received_at,"
    " received_by_id, recorded_by_id, brought_by_id, temperature FROM childcare_custody WHERE id = %s"
)


def test_child_has_one_open_custody(here: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError):
        sql(COPY, "SECOND01", here.rows[0].pk)

    assert Custody.objects.filter(child=here.haru).count() == 1


@committed
def test_without_the_constraint_a_child_is_in_care_twice(here: SimpleNamespace) -> None:
    with without(Custody, "one_open_custody"):
        sql(COPY, "SECOND01", here.rows[0].pk)

        assert Custody.objects.filter(child=here.haru, closed_at=None).count() == 2


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("temperature", "33.9", "custody_plausible"), ("temperature", "42.6", "custody_plausible"),
        ("age_class", 6, "custody_plausible"), ("brought_by_id", None, "custody_one_adult"),
    ],
)  # fmt: skip
def test_reception_names_one_adult_and_plausible_numbers(
    here: SimpleNamespace, column: str, value: object, constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        sql(f"UPDATE childcare_custody SET {column} = %s WHERE id = %s", value, here.rows[0].pk)
