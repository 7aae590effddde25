"""A seat at the door: a real booking by staff, and the entry with a scan of its own."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.booking import quotes
from hub.checkin import walk_in
from hub.checkin.answers import Answer
from hub.checkin.models import Presence, Scan
from hub.core.errors import DomainError
from hub.spaces.models import Visit
from tests import factories as make
from tests.checkin.door import booked, fresh, scan, today, token, told

pytestmark = pytest.mark.both_databases
START = make.at(9, 30, make.TODAY)


def at(hour: int, minute: int = 0) -> Any:
    return make.at(hour, minute, make.TODAY)


@pytest.fixture
def refused(cast: SimpleNamespace) -> UUID:
    return scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan.scan_id


def give(
    cast: SimpleNamespace, scan_id: UUID, *, actor: Any = None, new: UUID | None = None, **more: Any
) -> Answer:
    return walk_in.give_seat(
        actor=fresh(actor or cast.door), hub=cast.ekimae, scan_id=scan_id, new_scan_id=new or uuid4(),
        **({"ends_at": at(12)} | more),
    )  # fmt: skip


def test_ends_are_one_hour_two_hours_and_closing(cast: SimpleNamespace) -> None:
    found = walk_in.seats_now(cast.ekimae, cast.misaki)

    assert (found.start, found.ends, found.free) == (START, (at(10, 45), at(11, 45), at(18)), 6)
    assert found.children == (cast.haru, cast.yui)


def test_own_next_booking_ends_the_longest(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae, today(11, 12))

    assert walk_in.seats_now(cast.ekimae, cast.misaki).ends == (at(10, 45), at(11))


def test_last_free_seat_ends_the_longest(cast: SimpleNamespace) -> None:
    for n in range(6):
        other = make.make_member(f"人{n}", f"n{n}@example.org", hub=cast.ekimae)
        booked(other, cast.ekimae, today(11.5, 13) if n else today(10.25, 13))

    assert walk_in.seats_now(cast.ekimae, cast.misaki).ends == (at(10, 45), at(11, 30))


def test_full_or_closed_hub_offers_nothing(cast: SimpleNamespace, now: Any) -> None:
    for n in range(6):
        booked(make.make_member(f"人{n}", f"n{n}@example.org", hub=cast.ekimae), cast.ekimae, today(9.5, 13))
    full = walk_in.seats_now(cast.ekimae, cast.misaki)
    now.move_to(at(18, 5))
    closed = walk_in.seats_now(cast.ekimae, cast.misaki)

    assert (full.ends, full.free, closed.ends) == ((), 0, ())


def test_seat_is_a_booking_by_staff_and_she_is_inside(cast: SimpleNamespace, refused: UUID) -> None:
    new = uuid4()

    answer = give(cast, refused, new=new)

    visit = Visit.objects.get()
    assert told(answer) == ("ok", "booked")
    assert answer.scan.scan_id == new
    assert (visit.source, visit.booked_by, visit.member, visit.status) == (
        "walk_in",
        cast.door,
        cast.misaki,
        "in",
    )
    assert (visit.starts_at, visit.ends_at, visit.seat is not None) == (START, at(12), True)
    assert Presence.objects.get().visit == visit


def test_children_come_too_when_asked(cast: SimpleNamespace, refused: UUID) -> None:
    assert give(cast, refused, with_children=True).children == 2


def test_double_tap_gives_one_seat_and_one_answer(cast: SimpleNamespace, refused: UUID, now: Any) -> None:
    new = uuid4()
    first = give(cast, refused, new=new)
    now.shift(timedelta(minutes=20))  # in the next quarter the booking would have another start

    again = give(cast, refused, new=new)

    assert (told(again), again.presence, again.replayed) == (told(first), first.presence, True)
    assert (Visit.objects.count(), Scan.objects.count()) == (1, 2)


def test_refusal_keeps_nothing_and_can_be_answered_with_alternatives(
    cast: SimpleNamespace, refused: UUID
) -> None:
    for n in range(6):
        booked(make.make_member(f"人{n}", f"n{n}@example.org", hub=cast.ekimae), cast.ekimae, today(10, 13))
    before = Visit.objects.count(), Scan.objects.count()

    with pytest.raises(DomainError) as error:
        give(cast, refused)

    assert error.value.code == "seat_taken"
    assert quotes.next_best(actor=cast.door, request=error.value.facts["request"]) != []
    assert (Visit.objects.count(), Scan.objects.count()) == before


@pytest.mark.parametrize("ends_at", [at(10, 7), at(9), at(23)])
def test_end_must_be_a_time_that_can_be_booked(cast: SimpleNamespace, refused: UUID, ends_at: Any) -> None:
    with pytest.raises(DomainError):
        give(cast, refused, ends_at=ends_at)

    assert Visit.objects.count() == 0


def test_who_is_inside_needs_no_seat(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    with pytest.raises(DomainError) as error:
        give(cast, entered.scan.scan_id)

    assert error.value.code == "seat_not_needed"


def test_without_the_right_there_is_no_seat(cast: SimpleNamespace, refused: UUID) -> None:
    with pytest.raises(DomainError) as error:
        give(cast, refused, actor=cast.carer)

    assert (error.value.status, Visit.objects.count()) == (403, 0)
