"""What the manager does on the pages, the question before it included."""

from datetime import time

import pytest
from django.contrib.admin import site
from django.urls import reverse

from hub.booking import roster, services
from hub.childcare.enums import ChildStatus
from hub.childcare.models import (
    CarePlace,
    Carer,
    CareRoom,
    ChildClaim,
    RoomClosure,
    RoomQuarter,
    Shift,
    ShiftChange,
)
from hub.core.quarters import quarter_of
from hub.spaces.enums import MembershipStatus, Role, VisitStatus
from hub.spaces.models import Closure, Membership, OpeningHours, Seat, Visit, VisitClaim
from tests import factories as make


@pytest.fixture
def manager(cast, as_):
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    cast.visit = services.book_visit(actor=cast.misaki, request=request).visit
    return as_(cast.manager)


def at(name, *args):
    return reverse(name, args=["ekimae", *args])


def shown(answer):
    """What the form on the page would send: a box without a tick sends nothing."""
    return {name: value for name, value in answer.context["form"].initial.items() if value is not False}


def confirm(client, answer, address):
    """Send the question's own form."""
    assert answer.status_code == 409
    hidden = answer.context["hidden"]
    assert hidden[-1] == ("confirm", "1")
    data: dict[str, list[str]] = {}
    for name, value in hidden:
        data.setdefault(name, []).append(value)
    return client.post(address, data)


CLOSED = {"place": "hub", "part": "all", "cause": "other"}


def test_closure_asks_with_names_and_then_cancels(cast, manager):
    address = at("desk_closures")
    answer = manager.post(address, CLOSED | {"starts_on": "2026-12-08", "reason": "工事"})

    [(what, rows)] = answer.context["groups"]
    assert (what, [(row["member"], row["children"]) for row in rows]) == ("ended", [(cast.misaki, 1)])
    assert Closure.objects.count() == 0
    done = confirm(manager, answer, address)

    assert (done.status_code, done["Location"]) == (302, address)
    cast.visit.refresh_from_db()
    assert cast.visit.status == VisitStatus.CANCELLED_BY_HUB


def test_closure_without_reason_comes_back_with_the_answers(cast, manager):
    answer = manager.post(at("desk_closures"), CLOSED | {"starts_on": "2026-12-08", "reason": ""})

    assert answer.status_code == 422
    assert answer.context["form"].errors.as_data().keys() == {"reason"}
    assert answer.context["form"]["starts_on"].value() == "2026-12-08"


def test_room_closes_from_a_time_on(cast, manager):
    address = at("desk_closures")
    asked = {
        "place": f"room:{cast.room.code}", "part": "from", "at": "11:00", "cause": "infection",
        "starts_on": "2026-12-08", "reason": "水ぼうそう",
    }  # fmt: skip
    answer = manager.post(address, asked)

    [(what, rows)] = answer.context["groups"]
    assert (what, [row["member"] for row in rows]) == ("childless", [cast.misaki])
    assert confirm(manager, answer, address).status_code == 302
    closure = RoomClosure.objects.get()
    assert (closure.closed_from, closure.cause) == (time(11), "infection")
    listed = manager.get(address)
    assert listed.context["rows"] == [closure]
    manager.post(at("desk_closure_end", closure.code))
    assert not RoomClosure.objects.exists()


def test_part_without_a_time_comes_back(cast, manager):
    answer = manager.post(
        at("desk_closures"), CLOSED | {"part": "until", "starts_on": "2026-12-08", "reason": "工事"}
    )

    assert answer.status_code == 422
    assert answer.context["form"].errors.as_data().keys() == {"at"}


def test_form_of_closures_can_be_filled_by_its_address(cast, manager):
    answer = manager.get(at("desk_closures") + "?place=hub&part=from&at=13:00&cause=safety&reason=地震")

    assert answer.context["form"]["cause"].value() == "safety"


def test_storm_asks_says_what_it_means_and_closes(cast, manager):
    request = make.request_for(cast.kenta, cast.ekimae, make.period(14, 16, make.TODAY))
    visit = services.book_visit(actor=cast.kenta, request=request).visit
    answer = manager.post(at("desk_storm"), {"state": "on", "reason": "暴風警報"})

    assert "9:45" in answer.context["title"]  # it is 9:40, and open
    done = confirm(manager, answer, at("desk_storm"))
    assert (done.status_code, done["Location"]) == (302, at("desk_storm"))
    visit.refresh_from_db()
    assert visit.status == VisitStatus.CANCELLED_BY_HUB
    assert Closure.objects.get().closed_from == time(9, 45)
    manager.post(at("desk_storm"), {"state": "off", "lifted_at": "06:50", "reason": "暴風警報"})
    assert not Closure.objects.exists()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"state": "off", "reason": "暴風警報"}, "lifted_at"),
        ({"state": "off", "lifted_at": "09:50", "reason": "暴風警報"}, "lifted_at"),
        ({"state": "on"}, "reason"),
    ],
)
def test_storm_that_cannot_be_comes_back(cast, manager, sent, field):
    answer = manager.post(at("desk_storm"), sent)

    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_steps_of_a_storm_are_kept(cast, manager):
    address = at("desk_storm_steps")
    wanted = shown(manager.get(address)) | {"storm_wait_minutes": "90", "storm_late_by": "12:00"}
    assert manager.post(address, wanted).status_code == 302
    cast.ekimae.refresh_from_db()
    assert (cast.ekimae.storm_wait_minutes, cast.ekimae.storm_late_by) == (90, time(12))

    wrong = manager.post(address, wanted | {"storm_late_by": "06:00"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["storm_late_by"])


def test_who_is_inside_in_closed_time_stays_on_the_page(cast, manager):
    Visit.objects.filter(pk=cast.visit.pk).update(arrived_at=make.NOW, status=VisitStatus.IN)
    address = at("desk_closures")
    confirm(manager, manager.post(address, CLOSED | {"starts_on": "2026-12-08", "reason": "停電"}), address)
    for zone in cast.ekimae.zones.order_by("-position"):  # twice in closed time: named once
        part = {"place": f"zone:{zone.code}", "starts_on": "2026-12-08", "reason": "工事", "confirm": "1"}
        manager.post(address, CLOSED | part)

    for name in ("desk_hours", "desk_closures", "desk_storm"):
        assert [row["member"] for row in manager.get(at(name)).context["left"]] == [cast.misaki]


def test_hours_ask_and_then_change(cast, manager):
    data = {
        f"{part}_{day}": value
        for day in range(5)
        for part, value in (("open", "on"), ("opens", "10:00"), ("closes", "18:00"))
    }
    answer = manager.post(at("desk_hours"), data)
    done = confirm(manager, answer, at("desk_hours"))

    assert done.status_code == 302
    assert set(OpeningHours.objects.filter(hub=cast.ekimae).values_list("opens", flat=True)) == {time(10)}


def test_absence_names_the_hours_and_records_the_shortfall(cast, manager):
    carer = Carer.objects.filter(hub=cast.ekimae).first()
    answer = manager.post(at("desk_absent"), {"carer": carer.code, "day": "2026-12-08", "note": "熱"})

    [lack] = answer.context["lacks"]
    assert (lack["start"], lack["end"], lack["staff_missing"]) == (make.at(9, 30), make.at(12, 30), 1)
    assert ShiftChange.objects.count() == 0
    confirm(manager, answer, at("desk_absent"))

    assert ShiftChange.objects.get().note == "熱"
    assert RoomQuarter.objects.get(room=cast.room, quarter=quarter_of(make.at(10))).shortfall == 1
    shown = manager.get(at("desk")).context["shortfalls"]
    assert [(row["start"], row["staff_missing"]) for row in shown] == [(make.at(9, 30), 1)]


def test_shift_is_added_for_several_weekdays(cast, manager):
    carer = make.make_carer(cast.ekimae, name="新しい人")
    data = {
        "room": cast.room.code, "carer": carer.code, "weekdays": ["0", "1"], "starts": "9:00", "ends": "12:00",
        "valid_from": "2026-12-07",
    }  # fmt: skip

    assert manager.post(at("desk_shift_new"), data).status_code == 302
    assert Shift.objects.filter(carer=carer).count() == 2
    assert RoomQuarter.objects.get(room=cast.room, quarter=quarter_of(make.at(10))).staff == 3


def test_shift_that_overlaps_is_said_on_the_form(cast, manager):
    carer = Carer.objects.filter(hub=cast.ekimae).first()
    data = {
        "room": cast.room.code, "carer": carer.code, "weekdays": ["1"], "starts": "9:00", "ends": "12:00",
        "valid_from": "2026-12-07",
    }  # fmt: skip

    answer = manager.post(at("desk_shift_new"), data)

    assert answer.status_code == 409
    assert answer.context["form"].non_field_errors() == [
        f"{carer.name}さんは その時間に もう 当番が あります。"
    ]


def test_room_keeps_its_area_exactly(cast, manager):
    address = at("desk_room", cast.room.code)
    data = shown(manager.get(address))
    done = manager.post(
        address,
        data | {"area_infant": "３９．６５", "main_from": "08:00", "main_to": "19:00", "fever_limit": "38.0"},
    )

    assert done.status_code == 302
    assert CareRoom.objects.get(pk=cast.room.pk).area_infant_cm2 == 396_500


def test_licence_lowered_on_the_page_asks_first(cast, manager):
    address = at("desk_room", cast.room.code)
    data = shown(manager.get(address))
    answer = manager.post(
        address, data | {"places": "0", "main_from": "08:00", "main_to": "19:00", "fever_limit": "38.0"}
    )

    assert [row["over"] for row in answer.context["lacks"]] == [1]
    assert confirm(manager, answer, address).status_code == 302


def test_last_manager_is_told_why_not(cast, manager):
    answer = manager.post(at("desk_role_end", cast.manager.code, "manager"))

    assert (answer.status_code, answer.context["error"].code) == (409, "last_manager")
    assert Membership.objects.get(member=cast.manager, role=Role.MANAGER).status == MembershipStatus.ACTIVE


def test_block_page_lists_visits_and_ends_them_when_ticked(cast, manager):
    address = at("desk_block", cast.misaki.code)

    assert [row["code"] for row in manager.get(address).context["visits"]] == [cast.visit.code]
    assert manager.post(address, {"reason": "約束", "cancel_visits": "on"}).status_code == 302
    cast.visit.refresh_from_db()
    assert cast.visit.status == VisitStatus.CANCELLED_BY_HUB


def test_seat_that_cannot_give_its_visit_away_shows_the_list(cast, manager):
    Seat.objects.filter(hub=cast.ekimae).exclude(pk=cast.visit.seat_id).update(is_active=False)

    answer = manager.post(at("desk_seat_off", cast.visit.seat.code))

    assert answer.status_code == 409
    assert [row["code"] for row in answer.context["stuck"]] == [cast.visit.code]


def test_child_is_approved_and_cannot_be_decided_twice(cast, manager):
    child = make.make_child(cast.household, cast.ekimae, 2, name="まち", status=ChildStatus.PENDING)
    address = at("desk_child_decide", child.code)

    assert manager.post(address, {"decision": "approve"}).status_code == 302
    child.refresh_from_db()
    assert (child.status, child.decided_by) == (ChildStatus.APPROVED, cast.manager)
    again = manager.post(address, {"decision": "approve"})
    assert (again.status_code, again.context["error"].code) == (409, "already_decided")


def test_child_returned_needs_a_reason(cast, manager):
    child = make.make_child(cast.household, cast.ekimae, 2, name="まち", status=ChildStatus.PENDING)

    answer = manager.post(at("desk_child_decide", child.code), {"decision": "return", "reason": ""})

    assert answer.status_code == 422
    child.refresh_from_db()
    assert child.status == ChildStatus.PENDING


def test_birthday_corrected_to_a_younger_class_counts_anew(cast, manager):
    born = make.born(0)
    data = {"birthday_year": born.year, "birthday_month": born.month, "birthday_day": born.day}

    assert manager.post(at("desk_child_birthday", cast.yui.code), data).status_code == 302
    row = RoomQuarter.objects.get(room=cast.room, quarter=quarter_of(make.at(10)))
    assert (row.n0, row.n1) == (1, 0)


# ---------------------------------------------------------------- the quarter explained


def quarter(client, day="2026-12-08", t="10:00"):
    return client.get(at("desk_quarter"), {"d": day, "t": t})


def test_quarter_shows_formula_limits_and_law(cast, manager):
    context = quarter(manager).context

    assert [(band.children, band.ratio, band.cut, band.fraction) for band in context["bands"]] == [
        (0, 3, "0.0", "0"), (1, 6, "0.1", "1/6"), (0, 15, "0.0", "0"), (0, 25, "0.0", "0"),
    ]  # fmt: skip
    assert (context["row"].required, context["administrative"], context["strict"]) == (2, 2, 1)
    assert [child["name"] for child in context["children"]] == ["ゆい"]
    assert [entry["counts"] for entry in context["working"]] == [True, True]
    assert [one["limit"] for one in context["more"]] == [""] * 6
    assert context["rule"].source != ""


def test_officer_sees_counts_and_no_name(cast, manager, as_):
    answer = quarter(as_(cast.town))

    assert (answer.context["children"], answer.context["counts"].children) == (None, 1)
    assert "ゆい" not in answer.content.decode()


def test_quarter_of_the_past_keeps_a_carer_who_left(cast, manager, now):
    now.move_to(make.at(13))
    roster.end_carer(hub=cast.ekimae, code=Carer.objects.filter(hub=cast.ekimae).first().code)

    context = quarter(as_manager(manager, cast)).context
    assert (context["row"].staff, len(context["working"])) == (2, 2)
    assert [child["age_class"] for child in context["children"]] == [1]


def as_manager(client, cast):
    client.force_login(cast.manager, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_quarter_that_does_not_exist_says_so(cast, manager):
    answer = quarter(manager, t="22:00")

    assert (answer.status_code, answer.context["row"]) == (200, None)


def test_room_of_another_hub_is_not_explained(cast, manager):
    other = make.make_room(cast.yagi, horizon=False)

    assert manager.get(at("desk_quarter"), {"room": other.code}).status_code == 404


# ---------------------------------------------------------------- admin


@pytest.mark.parametrize("model", [Visit, VisitClaim, CarePlace, ChildClaim, RoomQuarter])
def test_admin_only_looks_at_what_is_guarded(rf, cast, model):
    cast.manager.is_staff = cast.manager.is_superuser = True
    request = rf.get("/")
    request.user = cast.manager
    page = site._registry[model]

    assert page.has_view_permission(request) is True
    assert (
        page.has_add_permission(request), page.has_change_permission(request), page.has_delete_permission(request)
    ) == (False, False, False)  # fmt: skip
