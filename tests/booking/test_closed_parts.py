"""A part of a day, a zone, a care room: who is moved, cut short or ended, who is told, and that nobody slips in."""

from datetime import time, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from hub.booking import closure_words, closures, conflicts, no_show, quotes, services, waiting
from hub.booking.availability import day_table, snapshot
from hub.booking.conflicts import VisitsAffected
from hub.booking.models import Excuse, Offer
from hub.childcare import capacity, custody
from hub.childcare.models import CarePlace, Carer, CareRoom, RoomClosure, RoomQuarter
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import Period, quarter_of
from hub.invariants import differences
from hub.notices.models import Notice
from hub.spaces import facts
from hub.spaces.enums import Cause, VisitStatus
from hub.spaces.models import Closure, Hub, Visit, VisitClaim
from tests import factories as make
from tests import oracle


@pytest.fixture
def booked(cast: SimpleNamespace) -> SimpleNamespace:
    """Misaki with both children tomorrow from 9:30 to 12:30 on a quiet seat."""
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    cast.visit = services.book_visit(actor=cast.misaki, request=request).visit
    cast.quiet = cast.ekimae.zones.get(slug="quiet")
    cast.talk = cast.ekimae.zones.get(slug="talk")
    tasks.run_pending()
    mail.outbox.clear()
    return cast


def close(cast, day=make.TOMORROW, *, confirm=True, **fields):
    return closures.add_closure(
        actor=cast.manager,
        hub=cast.ekimae,
        starts_on=day,
        ends_on=day,
        reason="停電",
        confirm=confirm,
        **fields,
    )


def refused(work) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        work()
    return refusal.value


def receive(cast) -> None:
    """Yui is in the carers' hands; her mother has not passed the door."""
    worker = Carer.objects.filter(hub=cast.ekimae).first()
    assert worker is not None
    custody.receive(
        actor=cast.carer, hub=cast.ekimae, child=cast.yui.code, adult=cast.misaki.code, carer=worker.code,
        temperature=Decimal("36.5"), confirm=True,
    )  # fmt: skip


def as_it_is(visit: Visit) -> Visit:
    return Visit.objects.select_related("seat__zone").get(pk=visit.pk)


def holds(visit: Visit) -> list[int]:
    return sorted(VisitClaim.objects.filter(visit=visit).values_list("quarter", flat=True))


def agree() -> bool:
    return (differences(), oracle.differences()) == ([], [])


# ---------------------------------------------------------------- a part of a day


def test_early_end_cuts_the_visit_and_its_children(booked):
    changed = close(booked, closed_from=time(11))

    visit = as_it_is(booked.visit)
    assert [one.pk for one in changed.shortened] == [visit.pk]
    assert visit.period == make.period(9.5, 11)
    assert holds(visit) == list(visit.period.quarters)
    assert {place.period for place in CarePlace.objects.filter(visit=visit)} == {make.period(9.5, 11)}
    assert not RoomQuarter.objects.filter(room=booked.room, quarter__gte=quarter_of(make.at(11)),
                                          quarter__lt=quarter_of(make.at(18))).exists()  # fmt: skip
    assert agree()


def test_late_start_cuts_the_visit_from_the_front(booked):
    close(booked, closed_until=time(11))

    assert as_it_is(booked.visit).period == make.period(11, 12.5)
    assert {place.period for place in CarePlace.objects.filter(visit=booked.visit)} == {make.period(11, 12.5)}
    assert agree()


def test_less_than_an_hour_is_not_worth_the_way(booked):
    changed = close(booked, closed_from=time(10, 15))

    assert [visit.pk for visit in changed.ended] == [booked.visit.pk]
    assert as_it_is(booked.visit).status == VisitStatus.CANCELLED_BY_HUB
    assert agree()


def test_question_keeps_nothing(booked):
    before = (holds(booked.visit), list(RoomQuarter.objects.order_by("pk").values()))
    with pytest.raises(VisitsAffected) as refusal:
        close(booked, closed_from=time(11), confirm=False)

    assert [what for what, _visit in refusal.value.changed.touched] == ["shortened"]
    assert (holds(booked.visit), list(RoomQuarter.objects.order_by("pk").values())) == before
    assert not Closure.objects.exists()
    assert as_it_is(booked.visit).period == make.period(9.5, 12.5)


def test_closed_part_takes_no_booking_and_the_open_part_does(booked):
    close(booked, closed_from=time(11))
    kenta, hub = booked.kenta, booked.ekimae

    late = refused(
        lambda: services.book_visit(actor=kenta, request=make.request_for(kenta, hub, make.period(10, 12)))
    )
    assert (late.code, late.facts["closes"]) == ("hub_closed", "11:00")
    assert services.book_visit(
        actor=kenta, request=make.request_for(kenta, hub, make.period(9, 11))
    ).visit.is_live


def test_day_says_why_it_is_short(booked):
    close(booked, closed_from=time(11))
    day = facts.facts_of(Hub.objects.get(pk=booked.ekimae.pk)).day(make.TOMORROW)

    assert day.period == make.period(8, 11)
    assert day.reason == "停電"


def test_part_outside_the_usual_hours_is_no_reason(booked):
    close(booked, closed_from=time(20))
    day = facts.facts_of(Hub.objects.get(pk=booked.ekimae.pk)).day(make.TOMORROW)

    assert (day.period, day.reason) == (make.period(8, 18), "")


def test_two_parts_of_a_day_leave_what_both_leave(booked):
    close(booked, closed_until=time(10))
    close(booked, closed_from=time(12))

    assert as_it_is(booked.visit).period == make.period(10, 12)


def test_two_parts_that_meet_close_the_day(booked):
    close(booked, closed_until=time(11))
    close(booked, closed_from=time(10))

    assert as_it_is(booked.visit).status == VisitStatus.CANCELLED_BY_HUB
    assert facts.facts_of(Hub.objects.get(pk=booked.ekimae.pk)).day(make.TOMORROW).period is None


def test_reopened_part_can_be_booked_again(booked):
    close(booked, closed_from=time(11))
    closures.end_closure(hub=booked.ekimae, code=Closure.objects.get().code)

    request = make.request_for(booked.kenta, booked.ekimae, make.period(11, 13))
    assert services.book_visit(actor=booked.kenta, request=request).visit.is_live
    assert RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(11))).exists()
    assert agree()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"closed_from": time(11), "closed_until": time(9)}, "two_ends"),
        ({"closed_from": time(11, 7)}, "off_grid"),
        ({"zone": "nowhere"}, "zone_unknown"),
        ({"room": "nowhere"}, "room_unknown"),
        ({"room": "a", "zone": "b"}, "two_places"),
    ],
)
def test_what_is_no_closure_is_refused(booked, fields, code):
    assert refused(lambda: close(booked, **fields)).code == code
    assert (Closure.objects.count(), RoomClosure.objects.count()) == (0, 0)


def test_second_tap_makes_no_second_closure(booked):
    for _tap in range(2):
        close(booked, closed_from=time(11))
        close(booked, zone=booked.quiet.code)
        close(booked, room=booked.room.code)

    assert (Closure.objects.count(), RoomClosure.objects.count()) == (2, 1)


def test_zone_and_room_of_another_hub_are_unknown(booked):
    other = booked.yagi.zones.first().code
    room = make.make_room(booked.yagi, horizon=False).code

    assert refused(lambda: close(booked, zone=other)).code == "zone_unknown"
    assert refused(lambda: close(booked, room=room)).code == "room_unknown"
    assert (
        refused(lambda: closures.end_closure(hub=booked.yagi, code=_closed(booked))).code == "closure_unknown"
    )


def _closed(cast) -> str:
    close(cast, closed_from=time(17))
    return Closure.objects.get().code


def test_database_refuses_a_gap_and_a_closure_that_runs_backwards(booked):
    fields = {"starts_on": make.TOMORROW, "ends_on": make.TOMORROW, "reason": "停電"}
    wrong = [
        lambda: Closure.objects.create(
            hub=booked.ekimae, closed_from=time(9), closed_until=time(8), **fields
        ),
        lambda: RoomClosure.objects.create(
            room=booked.room, closed_from=time(9), closed_until=time(8), **fields
        ),
        lambda: RoomClosure.objects.create(room=booked.room, **{**fields, "ends_on": make.TODAY}),
    ]
    for one in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            one()


# ---------------------------------------------------------------- a zone


def test_visit_in_a_closed_zone_moves_to_another(booked):
    changed = close(booked, zone=booked.quiet.code)

    visit = as_it_is(booked.visit)
    assert [one.pk for one in changed.moved] == [visit.pk]
    assert (visit.seat.zone_id, visit.period) == (booked.talk.pk, make.period(9.5, 12.5))
    assert CarePlace.objects.filter(visit=visit, status="booked").count() == 2
    assert agree()


def test_without_a_free_seat_elsewhere_the_open_part_stays(booked):
    for n, seat in enumerate(booked.talk.seats.all()):
        member = make.make_member(f"話す{n}", hub=booked.ekimae)
        services.book_visit(actor=member, request=make.request_for(member, booked.ekimae, seat=seat))
    changed = close(booked, zone=booked.quiet.code, closed_from=time(11))

    assert [visit.pk for visit in changed.shortened] == [booked.visit.pk]
    assert as_it_is(booked.visit).period == make.period(9.5, 11)
    changed = close(booked, zone=booked.quiet.code)
    assert [visit.pk for visit in changed.ended] == [booked.visit.pk]
    assert agree()


def test_closed_zone_is_not_free_anywhere(booked):
    """Named seat, zone, おまかせ, the picture and the table: one answer."""
    close(booked, zone=booked.quiet.code, closed_from=time(12))
    hub, kenta, window = Hub.objects.get(pk=booked.ekimae.pk), booked.kenta, make.period(11, 13)
    seat = booked.quiet.seats.order_by("label").last()
    asks = [make.request_for(kenta, hub, window, seat=seat), make.request_for(kenta, hub, window)]

    named = refused(lambda: services.book_visit(actor=kenta, request=asks[0]))
    assert (named.code, named.facts["reason"]) == ("zone_closed", "停電")
    shot = snapshot(hub, make.TOMORROW, make.TOMORROW)
    assert {one.zone_id for one in shot.free_seats(window)} == {booked.talk.pk}
    quote = quotes.quote(actor=kenta, request=asks[0])
    assert [blocker.code for blocker in quote.blockers] == ["zone_closed"]
    assert quote.alternatives
    table = {row.quarter: row.seats for row in day_table(hub, make.TOMORROW)}
    assert table[quarter_of(make.at(11, 45))][0] > 0
    assert table[quarter_of(make.at(12))] == (0, 1)  # Misaki was moved there
    visit = services.book_visit(actor=kenta, request=asks[1]).visit
    assert visit.seat is not None
    assert visit.seat.zone_id == booked.talk.pk


def test_visit_is_not_extended_into_a_closed_zone(booked):
    close(booked, zone=booked.quiet.code, closed_from=time(12, 30))

    longer = refused(
        lambda: services.extend(actor=booked.misaki, code=booked.visit.code, ends_at=make.at(13))
    )
    assert longer.code == "zone_closed"


def test_somebody_inside_the_zone_moves_or_is_named(booked, now):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(10, 5))
    assert [visit.pk for visit in close(booked, zone=booked.quiet.code).moved] == [booked.visit.pk]

    changed = close(booked, zone=booked.talk.code)
    assert [visit.pk for visit in changed.inside] == [booked.visit.pk]
    assert as_it_is(booked.visit).status == VisitStatus.IN
    assert [visit.pk for visit in conflicts.misplaced(Hub.objects.get(pk=booked.ekimae.pk))] == [
        booked.visit.pk
    ]


# ---------------------------------------------------------------- a care room


def test_closed_room_ends_the_places_and_leaves_the_seat(booked):
    changed = close(booked, room=booked.room.code, cause=Cause.INFECTION)

    visit = as_it_is(booked.visit)
    assert [one.pk for one in changed.childless] == [visit.pk]
    assert (visit.status, visit.period) == (VisitStatus.BOOKED, make.period(9.5, 12.5))
    assert not CarePlace.objects.filter(visit=visit, status="booked").exists()
    assert not RoomQuarter.objects.filter(room=booked.room, quarter=quarter_of(make.at(10))).exists()
    assert agree()


def test_closed_room_takes_no_child_and_opens_again(booked):
    close(booked, room=booked.room.code)
    request = make.request_for(booked.misaki, booked.ekimae, make.period(13, 15), children=[booked.yui])
    care = refused(lambda: services.book_visit(actor=booked.misaki, request=request))
    assert care.code == "care_full"
    closures.end_closure(hub=booked.ekimae, code=RoomClosure.objects.get().code)

    assert services.book_visit(actor=booked.misaki, request=request).visit.is_live
    assert agree()


def test_room_closed_from_noon_keeps_the_morning(booked):
    close(booked, room=booked.room.code, closed_from=time(11))

    assert as_it_is(booked.visit).period == make.period(9.5, 12.5)
    places = CarePlace.objects.filter(visit=booked.visit, status="booked")
    assert {place.period for place in places} == {make.period(9.5, 11)}
    assert agree()


def test_new_days_of_the_horizon_stay_closed(booked, now):
    last = make.TODAY + timedelta(days=booked.ekimae.horizon_days + 1)
    closures.add_closure(
        actor=booked.manager, hub=booked.ekimae, starts_on=make.TOMORROW, ends_on=last, reason="工事",
        room=booked.room.code, confirm=True,
    )  # fmt: skip
    now.move_to(make.NOW + timedelta(days=1))
    assert run_write(lambda: capacity.extend_to_horizon(Hub.objects.get(pk=booked.ekimae.pk))) == 0
    assert not RoomQuarter.objects.filter(
        room=booked.room, quarter=quarter_of(make.at(10, day=last))
    ).exists()


def test_child_who_is_there_keeps_her_place_and_nobody_joins_her(booked, now):
    """The carers have her in their hands: the closed quarters count her as too many."""
    now.move_to(make.at(9, 35))
    receive(booked)
    changed = close(booked, room=booked.room.code)

    assert [visit.pk for visit in changed.inside] == [booked.visit.pk]
    assert CarePlace.objects.filter(visit=booked.visit, status="booked").count() == 2
    row = RoomQuarter.objects.get(room=booked.room, quarter=quarter_of(make.at(10)))
    assert (row.places, row.over) == (0, 2)
    other = make.make_child(make.make_household(booked.stranger), booked.ekimae, 3, name="友")
    request = make.request_for(booked.stranger, booked.ekimae, make.period(10, 12), children=[other])
    assert refused(lambda: services.book_visit(actor=booked.stranger, request=request)).code == "care_full"
    assert oracle.differences() == []


# ---------------------------------------------------------------- the queue, excuses


def _offer_to_kenta(booked):
    """The quiet zone is full, Kenta waits for it, and Misaki cancels. Returns what he asked for."""
    for n, seat in enumerate(booked.quiet.seats.exclude(pk=booked.visit.seat_id)):
        member = make.make_member(f"静か{n}", hub=booked.ekimae)
        services.book_visit(actor=member, request=make.request_for(member, booked.ekimae, seat=seat))
    wish = make.request_for(booked.kenta, booked.ekimae, zone=booked.quiet)
    entry = waiting.join(actor=booked.kenta, request=wish, minutes=180).entry
    services.cancel_visit(actor=booked.misaki, code=booked.visit.code)
    return entry


def test_offer_in_closed_time_is_withdrawn_and_the_entry_waits(booked):
    entry = _offer_to_kenta(booked)
    offer = Offer.objects.get(entry=entry)
    close(booked, zone=booked.quiet.code)

    offer.refresh_from_db()
    entry.refresh_from_db()
    assert (offer.state, entry.state) == ("withdrawn", "waiting")
    closures.end_closure(hub=booked.ekimae, code=Closure.objects.get().code)
    assert Offer.objects.filter(entry=entry, state="open").exists()
    assert agree()


def test_what_the_hub_changed_never_counts(booked, now):
    close(booked, closed_from=time(11))
    assert Excuse.objects.get(visit=booked.visit).kind == "closed"
    now.move_to(make.at(9, 55))
    no_show.release(actor=booked.door, code=booked.visit.code)

    assert as_it_is(booked.visit).status == VisitStatus.RELEASED
    assert no_show.missed_by(booked.misaki) == []


def test_excuse_ends_when_she_moves_the_visit_herself(booked):
    close(booked, closed_from=time(11))
    request = make.request_for(booked.misaki, booked.ekimae, make.period(9, 10))
    services.move_visit(actor=booked.misaki, code=booked.visit.code, request=request)

    assert not Excuse.objects.exists()


def test_move_to_another_seat_is_no_excuse(booked):
    close(booked, zone=booked.quiet.code)

    assert not Excuse.objects.exists()


# ---------------------------------------------------------------- telling


def test_one_notice_for_all_her_visits_with_other_days(booked):
    second = make.TOMORROW + timedelta(days=1)
    request = make.request_for(
        booked.misaki, booked.ekimae, make.period(9, 12, second), children=[booked.yui]
    )
    services.book_visit(actor=booked.misaki, request=request)
    tasks.run_pending()
    mail.outbox.clear()
    closures.add_closure(
        actor=booked.manager,
        hub=booked.ekimae,
        starts_on=make.TOMORROW,
        ends_on=second,
        reason="工事",
        confirm=True,
    )
    tasks.run_pending()

    [notice] = Notice.objects.filter(member=booked.misaki, topic="closure")
    assert notice.path == reverse("visits")
    [message] = mail.outbox
    assert message.to == ["misaki@demo.example"]
    body = message.body
    assert body.count("中止") >= 2
    assert "工事" in body
    assert "12月10日" in body  # the first open day after both
    assert "?hub=ekimae&d=2026-12-10" in body
    assert "ゆい" not in body
    [(name, content, mime)] = message.attachments
    assert (name, mime) == ("hidamari.ics", "text/calendar")
    assert str(content).count("STATUS:CANCELLED") == 2


def test_single_ended_visit_reaches_the_calendar_as_a_cancellation(booked):
    close(booked)
    tasks.run_pending()

    [message] = mail.outbox
    [(_name, content, _mime)] = message.attachments
    assert "METHOD:CANCEL" in str(content)


def test_infection_is_named_on_the_page_only(booked):
    closures.add_closure(
        actor=booked.manager, hub=booked.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW,
        reason="水ぼうそう", room=booked.room.code, cause=Cause.INFECTION, confirm=True,
    )  # fmt: skip
    tasks.run_pending()

    [message] = mail.outbox
    assert "水ぼうそう" not in message.subject + message.body
    assert "水ぼうそう" not in str(Notice.objects.values_list("title", "text", "data"))


def test_change_of_her_own_after_the_closure_is_not_told_as_the_hubs(booked):
    close(booked, closed_from=time(11))
    services.cancel_visit(actor=booked.misaki, code=booked.visit.code)
    tasks.run_pending()

    assert not Notice.objects.filter(topic="closure").exists()


def test_who_has_a_child_inside_is_asked_to_fetch_her(booked, now):
    now.move_to(make.at(10, 5))
    receive(booked)
    close(booked, closed_from=time(10, 30), cause=Cause.WEATHER)
    tasks.run_pending()

    told = Notice.objects.filter(topic="closing")
    assert {notice.member_id for notice in told} == {booked.misaki.pk, booked.kenta.pk}
    assert all("10:30" in notice.text and notice.is_urgent for notice in told)


def test_second_run_of_the_task_tells_nobody_twice(booked):
    close(booked)
    tasks.run_pending()
    data = Notice.objects.get(topic="closure")
    closure_words.tell(
        member=booked.misaki.code, event=data.event, hub="ekimae", reason="停電", rows=data.data["rows"]
    )

    assert Notice.objects.filter(topic="closure").count() == 1


def test_period_type_is_what_it_says():
    """`Closed.rest` cuts at one end only, and says None when nothing is left."""
    closed = facts.Closed(make.TOMORROW, make.TOMORROW, time(11), None, "停電")
    opening = make.period(8, 18)

    assert closed.rest(opening, make.TOMORROW, make.TOKYO) == make.period(11, 18)
    assert closed.rest(Period(make.at(9), make.at(11)), make.TOMORROW, make.TOKYO) is None
    assert closed.rest(opening, make.TODAY, make.TOKYO) == opening


def test_who_was_named_before_is_not_named_by_a_change_elsewhere(booked):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.NOW)
    assert [visit.pk for visit in close(booked).inside] == [booked.visit.pk]

    assert not close(booked, make.TOMORROW + timedelta(days=1), confirm=False)


# ---------------------------------------------------------------- seen by fresh eyes


def test_sister_in_the_open_room_stays_there(cast):
    """The place that one child leaves in the closing room must not draw her sister into it."""
    second = make.make_room(cast.ekimae)
    CareRoom.objects.filter(pk=cast.room.pk).update(places=1)
    run_write(lambda: capacity.rebuild_hub(Hub.objects.get(pk=cast.ekimae.pk)))
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    visit = services.book_visit(actor=cast.misaki, request=request).visit
    close(cast, room=cast.room.code)

    places = CarePlace.objects.filter(visit=visit, status="booked")
    assert [(place.child, place.room) for place in places] == [(cast.yui, second)]
    assert agree()


def test_mother_at_her_desk_keeps_no_place_in_the_closed_room(booked, now):
    """Her child was not received yet: the infection of the room is no reason to let her in."""
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(9, 35))
    changed = close(booked, room=booked.room.code)

    assert (changed.inside, [visit.pk for visit in changed.childless]) == ([], [booked.visit.pk])
    assert as_it_is(booked.visit).status == VisitStatus.IN
    assert refused(lambda: receive(booked)).code == "no_place"
    assert agree()


def closing_words() -> dict[str, str]:
    tasks.run_pending()
    return {
        notice.member.name: f"{notice.title}：{notice.text}"
        for notice in Notice.objects.filter(topic="closing")
    }


def test_room_that_closes_now_asks_to_fetch_now(booked, now):
    """Not 「駅前ハブは きょう 18:00 に 閉めます」: nobody would come before six."""
    now.move_to(make.at(9, 35))
    receive(booked)
    close(booked, room=booked.room.code)

    words = "お迎えを お願いします：駅前ハブの こどものへやを 閉めます。お子さんの お迎えを お願いします。"
    assert closing_words() == {"山田 みさき": words, "山田 けんた": words}


def test_room_that_closes_later_says_when(booked, now):
    now.move_to(make.at(9, 35))
    receive(booked)
    close(booked, room=booked.room.code, closed_from=time(11))

    assert "こどものへやを きょう 11:00 に" in closing_words()["山田 けんた"]


def test_zone_that_closes_around_somebody_asks_for_no_child(booked, now):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(10, 5))
    close(booked, zone=booked.talk.code)
    close(booked, zone=booked.quiet.code)

    words = "まもなく 閉めます：駅前ハブの いまの 場所を 閉めます。スタッフが 声を かけます。"
    assert closing_words() == {"山田 みさき": words}


def test_hub_that_closes_asks_only_parents_to_fetch(booked, now):
    kenta = services.book_visit(
        actor=booked.kenta, request=make.request_for(booked.kenta, booked.ekimae)
    ).visit
    worker = make.make_member("ひとり", hub=booked.ekimae)
    alone = services.book_visit(actor=worker, request=make.request_for(worker, booked.ekimae)).visit
    Visit.objects.filter(pk__in=[kenta.pk, alone.pk]).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(9, 35))
    receive(booked)
    close(booked, closed_from=time(10))

    assert closing_words() == {
        "ひとり": "まもなく 閉めます：駅前ハブは きょう 10:00 に 閉めます。",
        "山田 みさき": "お迎えを お願いします：駅前ハブは きょう 10:00 に 閉めます。お子さんの お迎えを お願いします。",
        "山田 けんた": "お迎えを お願いします：駅前ハブは きょう 10:00 に 閉めます。お子さんの お迎えを お願いします。",
    }


def test_hub_closed_until_later_does_not_say_when_the_day_ends(booked, now):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(9, 35))
    close(booked, closed_until=time(11))

    assert closing_words() == {
        "山田 みさき": "まもなく 閉めます：駅前ハブを 閉めます。スタッフが 声を かけます。"
    }


def test_withdrawn_offer_is_not_told_as_a_cancelled_booking(booked):
    """She never had one: a calendar file that cancels it would puzzle her, and twice is once too often."""
    _offer_to_kenta(booked)
    tasks.run_pending()
    close(booked)
    tasks.run_pending()

    assert list(Notice.objects.filter(member=booked.kenta).values_list("topic", flat=True)) == [
        "offer",
        "offer",
    ]


def test_morning_that_is_left_in_the_room_is_not_told_as_lost(booked):
    close(booked, room=booked.room.code, closed_from=time(11))
    tasks.run_pending()

    [message] = mail.outbox
    assert message.subject.startswith("こどものへやの 都合で 預かりが 変わりました")
    assert "預かりの 一部が できません。" in message.body
    assert "預かりが できません" not in message.body


def test_what_befell_one_visit_twice_is_told_by_its_worst_word(booked, now):
    """The door took her entry back, so two closures settle her at once: cut by the one, ended by the other."""
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(9, 35))
    close(booked, zone=booked.talk.code)
    close(booked, zone=booked.quiet.code)
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=None, status=VisitStatus.BOOKED)
    tasks.run_pending()
    mail.outbox.clear()
    close(booked, closed_from=time(12))
    tasks.run_pending()

    assert as_it_is(booked.visit).status == VisitStatus.CANCELLED_BY_HUB
    assert [message.subject.split(" | ")[0] for message in mail.outbox] == [
        "ハブの 都合で 予約が 中止に なりました"
    ]


def test_morning_closed_when_it_is_over_puts_nobody_wrong(booked, now):
    """Said at 9:50, closed until 9:45: what is left of her visit lies in open time, and no check complains at night."""
    now.move_to(make.at(9, 50))

    assert not close(booked, closed_until=time(9, 45), confirm=False)
    assert as_it_is(booked.visit).period == make.period(9.5, 12.5)
    assert agree()


def test_who_stayed_inside_may_stay_longer_when_the_hub_opens_again(booked, now):
    """The morning that was closed around her lies behind her: only what is added must be open, as her page offers it."""
    visit = services.book_visit(
        actor=booked.kenta, request=make.request_for(booked.kenta, booked.ekimae)
    ).visit
    Visit.objects.filter(pk=visit.pk).update(arrived_at=make.at(9, 30), status=VisitStatus.IN)
    now.move_to(make.at(9, 50))
    assert [one.pk for one in close(booked, closed_until=time(11)).inside] == [visit.pk]
    now.move_to(make.at(11, 20))

    longer = services.extend(actor=booked.kenta, code=visit.code, ends_at=make.at(13)).visit
    assert longer.period == make.period(9.5, 13)
    late = refused(lambda: services.extend(actor=booked.kenta, code=visit.code, ends_at=make.at(18, 15)))
    assert late.code == "hub_closed"
