"""Closing what is booked: who is affected is said first, then every visit is ended, and nobody slips in between."""

from datetime import date, time, timedelta

import pytest
from django.core.management import CommandError, call_command

from hub.booking import closures, hours, seats_admin, services
from hub.booking.conflicts import VisitsAffected
from hub.booking.seats_admin import SeatData, SeatInUse
from hub.childcare.models import RoomQuarter
from hub.core.errors import DomainError
from hub.core.quarters import Period, quarter_of
from hub.spaces import facts
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Closure, Holiday, Seat, Visit, VisitClaim
from tests import factories as make


@pytest.fixture
def booked(cast):
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    cast.visit = services.book_visit(actor=cast.misaki, request=request).visit
    return cast


def close(cast, day=make.TOMORROW, **fields):
    return closures.add_closure(
        actor=cast.manager, hub=cast.ekimae, starts_on=day, ends_on=day, reason="工事", **fields
    )


def test_closure_names_who_is_affected_and_keeps_nothing(booked):
    with pytest.raises(VisitsAffected) as refusal:
        close(booked)

    assert refusal.value.changed.touched == [("ended", booked.visit)]
    assert Closure.objects.count() == 0
    booked.visit.refresh_from_db()
    assert booked.visit.status == VisitStatus.BOOKED


def test_confirmed_closure_ends_visits_frees_places_and_refuses_new_ones(booked):
    changed = close(booked, confirm=True)

    booked.visit.refresh_from_db()
    assert [visit.pk for visit in changed.ended] == [booked.visit.pk]
    assert (booked.visit.status, booked.visit.ended_reason) == (VisitStatus.CANCELLED_BY_HUB, "工事")
    assert VisitClaim.objects.count() == 0
    assert not RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(10))).exists()
    with pytest.raises(DomainError) as refusal:
        services.book_visit(actor=booked.misaki, request=make.request_for(booked.misaki, booked.ekimae))
    assert refusal.value.code == "hub_closed"


def test_visit_booked_between_question_and_answer_is_ended_too(booked):
    with pytest.raises(VisitsAffected) as refusal:
        close(booked)
    assert len(refusal.value.changed.ended) == 1
    services.book_visit(actor=booked.kenta, request=make.request_for(booked.kenta, booked.ekimae))

    assert len(close(booked, confirm=True).ended) == 2


def test_booking_with_facts_from_before_the_closure_is_refused(booked):
    """The page was opened before: its hub row is old, the booking reads it anew under the lock."""
    stale = make.request_for(booked.kenta, booked.ekimae)
    facts.facts_of(booked.ekimae)
    close(booked, confirm=True)

    with pytest.raises(DomainError) as refusal:
        services.book_visit(actor=booked.kenta, request=stale)

    assert refusal.value.code == "hub_closed"


def test_closure_ended_opens_again(booked):
    close(booked, confirm=True)

    closures.end_closure(hub=booked.ekimae, code=Closure.objects.get().code)

    request = make.request_for(booked.misaki, booked.ekimae, children=[booked.yui])
    assert services.book_visit(actor=booked.misaki, request=request).visit.is_live


def test_somebody_inside_is_named_and_not_put_out(booked):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.NOW)

    with pytest.raises(VisitsAffected) as refusal:
        close(booked)
    changed = close(booked, confirm=True)

    assert (refusal.value.changed.ended, refusal.value.changed.inside) == ([], [booked.visit])
    assert (changed.ended, changed.inside) == ([], [booked.visit])
    booked.visit.refresh_from_db()
    assert booked.visit.status == VisitStatus.BOOKED


def test_closure_of_other_days_affects_nobody(booked):
    changed = close(booked, make.TOMORROW + timedelta(days=1))

    assert changed.ended == []


def test_backward_closure_is_refused(booked):
    with pytest.raises(DomainError) as refusal:
        closures.add_closure(
            actor=booked.manager,
            hub=booked.ekimae,
            starts_on=make.TOMORROW,
            ends_on=make.TODAY,
            reason="工事",
        )

    assert refusal.value.code == "not_forward"


def test_shorter_hours_cut_the_visit_to_what_stays_open(booked):
    wanted = {make.TOMORROW.weekday(): (time(10), time(18))}

    with pytest.raises(VisitsAffected):
        hours.set_hours(actor=booked.manager, hub=booked.ekimae, hours=wanted)
    changed = hours.set_hours(actor=booked.manager, hub=booked.ekimae, hours=wanted, confirm=True)

    assert [visit.pk for visit in changed.shortened] == [booked.visit.pk]
    booked.visit.refresh_from_db()
    assert booked.visit.period == Period(make.at(10), make.at(12, 30))
    assert not RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(9))).exists()
    assert RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(10))).exists()


def test_weekday_opened_gets_quarters(booked):
    saturday = make.TODAY + timedelta(days=5)

    hours.set_hours(actor=booked.manager, hub=booked.ekimae, hours={5: (time(9), time(12))})

    assert RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(9, day=saturday))).exists()


def test_longer_horizon_opens_more_days(booked):
    hours.update_settings(
        hub=booked.ekimae, horizon_days=60, page_step=15, max_visit_minutes=600, max_open_visits=5,
        change_deadline=time(18),
    )  # fmt: skip

    last = make.TODAY + timedelta(days=60)
    last -= timedelta(days=max(0, last.weekday() - 4))
    assert RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(10, day=last))).exists()


# ---------------------------------------------------------------- holidays


def test_import_writes_holidays_and_new_year_and_leaves_edited_rows(booked):
    Holiday.objects.create(
        hub=booked.ekimae, date=date(2027, 1, 1), name="初もうで", is_closed=False, is_manual=True
    )

    closures.import_holidays(hub=booked.ekimae, year=2027)

    rows = {row.date: row for row in Holiday.objects.filter(hub=booked.ekimae)}
    assert rows[date(2027, 1, 1)].name == "初もうで"
    assert rows[date(2027, 1, 2)].name == "年末年始のお休み"
    assert rows[date(2027, 12, 29)].is_closed is True
    assert (rows[date(2027, 2, 11)].name, rows[date(2027, 2, 11)].name_en) == (
        "建国記念の日",
        "Foundation Day",
    )


def test_import_twice_changes_nothing(booked):
    closures.import_holidays(hub=booked.ekimae, year=2027)

    count, _changed = closures.import_holidays(hub=booked.ekimae, year=2027)

    assert count == 0


def test_import_command_refuses_while_somebody_is_booked_then(booked):
    day = date(2026, 12, 29)
    request = make.request_for(booked.misaki, booked.ekimae, make.period(10, 11, day))
    visit = services.book_visit(actor=booked.misaki, request=request).visit

    with pytest.raises(CommandError, match=visit.code):
        call_command("import_holidays", "--year", "2026", "--hub", "ekimae")
    assert Holiday.objects.filter(hub=booked.ekimae).count() == 0
    call_command("import_holidays", "--year", "2026", "--hub", "ekimae", "--confirm")

    visit.refresh_from_db()
    assert visit.status == VisitStatus.CANCELLED_BY_HUB


def test_holiday_edited_to_open_can_be_booked(booked):
    closures.import_holidays(hub=booked.ekimae, year=2026)
    day = date(2026, 12, 29)

    closures.set_holiday(hub=booked.ekimae, day=day, name="年末", is_closed=False)

    request = make.request_for(booked.misaki, booked.ekimae, make.period(10, 11, day), children=[booked.yui])
    assert services.book_visit(actor=booked.misaki, request=request).visit.is_live


# ---------------------------------------------------------------- seats


def test_seat_off_moves_its_visit_inside_the_zone(booked):
    old = booked.visit.seat

    [moved] = seats_admin.deactivate_seat(hub=booked.ekimae, code=old.code)

    booked.visit.refresh_from_db()
    assert (moved.pk, booked.visit.seat.zone_id, booked.visit.sequence) == (booked.visit.pk, old.zone_id, 1)
    assert booked.visit.seat != old
    assert set(VisitClaim.objects.values_list("seat_id", flat=True)) == {booked.visit.seat_id}


def test_seat_off_with_no_free_seat_is_refused_with_the_list(booked):
    quiet = Seat.objects.filter(hub=booked.ekimae, label__startswith="A")
    for seat in quiet.exclude(pk=booked.visit.seat_id):
        member = make.make_member(seat.label, hub=booked.ekimae)
        services.book_visit(actor=member, request=make.request_for(member, booked.ekimae, seat=seat))

    with pytest.raises(SeatInUse) as refusal:
        seats_admin.deactivate_seat(hub=booked.ekimae, code=booked.visit.seat.code)

    assert refusal.value.visits == [booked.visit]
    assert Seat.objects.filter(hub=booked.ekimae, is_active=False).count() == 0


def test_seat_label_and_cell_are_taken_once(booked):
    zone = booked.ekimae.zones.get(slug="quiet").code

    with pytest.raises(DomainError) as label:
        seats_admin.save_seat(
            hub=booked.ekimae, code=None, zone=zone, data=SeatData("A1", plan_x=5, plan_y=5)
        )
    with pytest.raises(DomainError) as cell:
        seats_admin.save_seat(
            hub=booked.ekimae, code=None, zone=zone, data=SeatData("A9", plan_x=0, plan_y=0)
        )

    assert (label.value.code, cell.value.code) == ("label_taken", "cell_taken")


def test_new_seat_can_be_booked_at_once(booked):
    zone = booked.ekimae.zones.get(slug="quiet").code
    seat = seats_admin.save_seat(
        hub=booked.ekimae, code=None, zone=zone, data=SeatData("A9", plan_x=5, plan_y=5)
    )

    visit = services.book_visit(
        actor=booked.kenta, request=make.request_for(booked.kenta, booked.ekimae, seat=seat)
    ).visit

    assert visit.seat == seat


def test_zone_with_seats_stays(booked):
    with pytest.raises(DomainError) as refusal:
        seats_admin.delete_zone(hub=booked.ekimae, code=booked.ekimae.zones.get(slug="quiet").code)

    assert refusal.value.code == "zone_has_seats"
