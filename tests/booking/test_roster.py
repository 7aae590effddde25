"""The roster changes while children are booked: refused, then recorded as a shortfall that takes nobody else."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from hub.booking import roster, services
from hub.booking.roster import Hours
from hub.childcare.capacity import RatioShort
from hub.childcare.enums import RatioTable
from hub.childcare.models import Carer, RoomQuarter, Shift, ShiftChange
from hub.core.errors import DomainError
from hub.core.quarters import quarter_of
from tests import factories as make

WEEKDAY = make.TOMORROW.weekday()


@pytest.fixture
def booked(cast):
    """Yui is booked tomorrow from 9:30 to 12:30; two carers are on shift, two are needed."""
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    cast.visit = services.book_visit(actor=cast.misaki, request=request).visit
    cast.first, cast.second = Carer.objects.filter(hub=cast.ekimae).order_by("pk")
    return cast


def row_at(room, hour, minute=0, day=make.TOMORROW):
    return RoomQuarter.objects.get(room=room, quarter=quarter_of(make.at(hour, minute, day)))


def test_absence_with_children_booked_is_refused_and_keeps_nothing(booked):
    with pytest.raises(RatioShort) as refusal:
        roster.set_absent(hub=booked.ekimae, carer=booked.first.code, day=make.TOMORROW)

    [period] = refusal.value.facts["periods"]
    assert (period.starts_at, period.ends_at) == (make.at(9, 30), make.at(12, 30))
    assert refusal.value.facts["missing"] == 1
    assert ShiftChange.objects.count() == 0
    assert row_at(booked.room, 10).staff == 2


def test_confirmed_absence_is_a_shortfall_that_refuses_a_new_booking(booked):
    roster.set_absent(hub=booked.ekimae, carer=booked.first.code, day=make.TOMORROW, confirm=True)

    row = row_at(booked.room, 10)
    assert (row.staff, row.shortfall, row.frozen_children, row.n1) == (1, 1, 1, 1)
    assert row_at(booked.room, 14).shortfall == 0
    with pytest.raises(DomainError) as refusal:
        services.book_visit(
            actor=booked.kenta,
            request=make.request_for(
                booked.kenta, booked.ekimae, make.period(10, 11), children=[booked.haru]
            ),
        )
    assert (refusal.value.code, refusal.value.status) == ("care_full", 409)


def test_absence_taken_back_heals_the_shortfall(booked):
    [change] = roster.set_absent(hub=booked.ekimae, carer=booked.first.code, day=make.TOMORROW, confirm=True)

    roster.remove_change(hub=booked.ekimae, code=change.code)

    row = row_at(booked.room, 10)
    assert (row.staff, row.shortfall, row.frozen_children) == (2, 0, 0)


def test_break_inside_a_quarter_does_not_count_there(booked):
    third = make.make_carer(booked.ekimae, name="三人目")
    roster.add_extra(
        hub=booked.ekimae,
        room=booked.room.code,
        carer=third.code,
        day=make.TOMORROW,
        hours=Hours(time(9), time(16), time(12, 5), time(12, 20)),
    )

    staff = [
        row_at(booked.room, 11, 45).staff,
        row_at(booked.room, 12).staff,
        row_at(booked.room, 12, 15).staff,
    ]
    assert staff == [3, 2, 2]
    assert row_at(booked.room, 12, 30).staff == 3


def test_shift_that_begins_inside_a_quarter_counts_from_the_next(booked):
    third = make.make_carer(booked.ekimae, name="三人目")
    roster.add_extra(
        hub=booked.ekimae,
        room=booked.room.code,
        carer=third.code,
        day=make.TOMORROW,
        hours=Hours(time(10, 5), time(11)),
    )

    assert [row_at(booked.room, 10, m).staff for m in (0, 15, 45)] == [2, 3, 3]
    assert row_at(booked.room, 11).staff == 2


def test_weekly_shift_ended_from_a_day_keeps_the_days_before(booked):
    shift = Shift.objects.get(carer=booked.first, weekday=WEEKDAY)

    with pytest.raises(RatioShort):
        roster.end_shift(hub=booked.ekimae, code=shift.code, last_day=make.TODAY)
    roster.end_shift(hub=booked.ekimae, code=shift.code, last_day=make.TOMORROW)

    assert row_at(booked.room, 10).staff == 2
    assert row_at(booked.room, 10, day=make.TOMORROW + timedelta(days=7)).staff == 1


def test_shift_ended_at_the_end_of_the_calendar_stays(booked):
    shift = Shift.objects.get(carer=booked.first, weekday=WEEKDAY)

    roster.end_shift(hub=booked.ekimae, code=shift.code, last_day=date.max)

    shift.refresh_from_db()
    assert shift.valid_to == date.max
    assert row_at(booked.room, 10).staff == 2


def test_shift_edited_from_a_day_becomes_two_rows(booked):
    shift = Shift.objects.get(carer=booked.first, weekday=WEEKDAY)
    later = make.TOMORROW + timedelta(days=7)

    new = roster.edit_shift(
        hub=booked.ekimae, code=shift.code, hours=Hours(time(10), time(18)), from_day=later
    )

    shift.refresh_from_db()
    assert (shift.valid_to, new.valid_from, new.starts) == (later - timedelta(days=1), later, time(10))
    assert row_at(booked.room, 9).staff == 2
    assert row_at(booked.room, 9, day=later).staff == 1


def test_carer_cannot_be_in_two_rooms_at_once(booked):
    other = make.make_room(booked.ekimae, carers=0)

    with pytest.raises(DomainError) as refusal:
        roster.add_shifts(
            hub=booked.ekimae, room=other.code, carer=booked.first.code, weekdays=[WEEKDAY],
            hours=Hours(time(17), time(18)), valid_from=make.TODAY,
        )  # fmt: skip

    assert refusal.value.code == "carer_busy"


def test_extra_beside_the_weekly_shift_is_refused_when_they_overlap(booked):
    with pytest.raises(DomainError) as refusal:
        roster.add_extra(
            hub=booked.ekimae, room=booked.room.code, carer=booked.first.code, day=make.TOMORROW,
            hours=Hours(time(17), time(18)),
        )  # fmt: skip

    assert refusal.value.code == "carer_busy"


def test_shift_of_another_hub_is_unknown(booked):
    shift = Shift.objects.get(carer=booked.first, weekday=WEEKDAY)

    with pytest.raises(DomainError) as refusal:
        roster.end_shift(hub=booked.yagi, code=shift.code, last_day=make.TODAY, confirm=True)

    assert (refusal.value.code, refusal.value.status) == ("shift_unknown", 404)


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        (Hours(time(10), time(10)), "not_forward"),
        (Hours(time(10), time(12), time(11)), "break_half"),
        (Hours(time(10), time(12), time(9), time(11)), "break_outside"),
    ],
)
def test_hours_that_make_no_sense_are_refused(hours, code):
    with pytest.raises(DomainError) as refusal:
        hours.check()

    assert refusal.value.code == code


def test_carer_who_ends_is_asked_about_first(booked):
    with pytest.raises(RatioShort):
        roster.end_carer(hub=booked.ekimae, code=booked.first.code)
    roster.end_carer(hub=booked.ekimae, code=booked.first.code, confirm=True)

    assert row_at(booked.room, 10).shortfall == 1
    assert set(Shift.objects.filter(carer=booked.first).values_list("valid_to", flat=True)) == {make.TODAY}


def test_lower_qualification_can_leave_a_shortfall(booked):
    roster.save_carer(hub=booked.ekimae, code=booked.first.code, name="一", qualification="other")
    with pytest.raises(RatioShort):
        roster.save_carer(hub=booked.ekimae, code=booked.second.code, name="二", qualification="other")
    roster.save_carer(
        hub=booked.ekimae, code=booked.second.code, name="二", qualification="other", confirm=True
    )

    assert row_at(booked.room, 10).qualified_shortfall == 1


def room_data(room, **changes):
    values = {
        "name": room.name, "scheme": room.scheme, "table": room.table, "places": room.places,
        "area_infant": Decimal("60.00"), "area_toddler": Decimal("60.00"),
    }  # fmt: skip
    return roster.RoomData(**values | changes)


def test_licence_lowered_below_the_booked_is_over_after_confirming(booked):
    with pytest.raises(RatioShort):
        roster.save_room(hub=booked.ekimae, code=booked.room.code, data=room_data(booked.room, places=0))
    roster.save_room(
        hub=booked.ekimae, code=booked.room.code, data=room_data(booked.room, places=0), confirm=True
    )

    row = row_at(booked.room, 10)
    assert (row.places, row.over, row.frozen_children) == (0, 1, 1)


def test_area_is_kept_exactly():
    assert roster.cm2(Decimal("39.65")) == 396_500
    assert roster.cm2(Decimal("0.01")) == 100
    with pytest.raises(ValueError, match="two decimals"):
        roster.cm2(Decimal("39.651"))


def test_former_table_needs_a_written_reason(booked):
    with pytest.raises(DomainError) as refusal:
        room_data(booked.room, table=RatioTable.FORMER).check()

    assert refusal.value.facts["field"] == "table_reason"


def test_room_with_booked_children_cannot_be_closed_for_good(booked):
    with pytest.raises(DomainError) as refusal:
        roster.save_room(
            hub=booked.ekimae, code=booked.room.code, data=room_data(booked.room, is_active=False)
        )

    assert refusal.value.code == "room_in_use"


def test_past_day_cannot_be_changed(booked):
    with pytest.raises(DomainError) as refusal:
        roster.set_absent(hub=booked.ekimae, carer=booked.first.code, day=date(2026, 12, 4))

    assert refusal.value.code == "in_past"
