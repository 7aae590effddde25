"""Booking, moving, extending, leaving early, cancelling: what is kept and what is not."""

import pytest

from hub.booking import services
from hub.childcare.models import CarePlace, ChildClaim, RoomQuarter
from hub.core.errors import DomainError
from hub.core.quarters import quarter_of
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, VisitStatus
from hub.spaces.models import Membership, Seat, Visit, VisitClaim
from tests import factories as make


def counters(room, moment):
    row = RoomQuarter.objects.get(room=room, quarter=quarter_of(moment))
    return (row.n0, row.n1, row.n2, row.n3, row.n45)


def test_booking_seat_and_two_children_holds_all(cast):
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])

    visit = services.book_visit(actor=cast.misaki, request=request).visit

    assert visit.seat.label.startswith("A")
    assert VisitClaim.objects.filter(visit=visit).count() == 12
    assert ChildClaim.objects.filter(place__visit=visit).count() == 24
    assert counters(cast.room, make.at(9, 30)) == (0, 1, 0, 0, 1)
    assert counters(cast.room, make.at(12, 30)) == (0, 0, 0, 0, 0)


def test_seat_taken_keeps_nothing_of_the_loser(cast):
    seat = Seat.objects.get(hub=cast.ekimae, label="A1")
    services.book_visit(actor=cast.kenta, request=make.request_for(cast.kenta, cast.ekimae, seat=seat))

    with pytest.raises(DomainError) as refusal:
        services.book_visit(
            actor=cast.misaki,
            request=make.request_for(cast.misaki, cast.ekimae, seat=seat, children=[cast.yui]),
        )

    assert refusal.value.code == "seat_taken"
    assert Visit.objects.filter(member=cast.misaki).count() == 0
    assert counters(cast.room, make.at(10)) == (0, 0, 0, 0, 0)


def test_move_keeps_the_old_when_the_new_does_not_fit(cast):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit
    a1 = Seat.objects.get(hub=cast.ekimae, label="A1")
    services.book_visit(
        actor=cast.kenta, request=make.request_for(cast.kenta, cast.ekimae, make.period(13, 16), seat=a1)
    )

    with pytest.raises(DomainError) as refusal:
        services.move_visit(
            actor=cast.misaki,
            code=visit.code,
            request=make.request_for(
                cast.misaki, cast.ekimae, make.period(13, 16), seat=a1, children=[cast.yui]
            ),
        )

    assert refusal.value.code == "seat_taken"
    visit.refresh_from_db()
    assert (visit.starts_at, visit.ends_at) == (make.at(9, 30), make.at(12, 30))
    assert counters(cast.room, make.at(10)) == (0, 1, 0, 0, 0)


def test_move_shifts_counters_once(cast):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit

    services.move_visit(
        actor=cast.misaki,
        code=visit.code,
        request=make.request_for(
            cast.misaki, cast.ekimae, make.period(11, 14), children=[cast.yui, cast.haru]
        ),
    )

    assert counters(cast.room, make.at(10)) == (0, 0, 0, 0, 0)
    assert counters(cast.room, make.at(12)) == (0, 1, 0, 0, 1)
    assert CarePlace.objects.filter(visit=visit, status="booked").count() == 2


def test_cancel_frees_everything_and_twice_is_harmless(cast):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit

    services.cancel_visit(actor=cast.misaki, code=visit.code)
    again = services.cancel_visit(actor=cast.misaki, code=visit.code).visit

    assert again.status == VisitStatus.CANCELLED
    assert (VisitClaim.objects.count(), ChildClaim.objects.count()) == (0, 0)
    assert counters(cast.room, make.at(10)) == (0, 0, 0, 0, 0)


def test_same_key_books_once(cast):
    request = make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])

    first = services.book_visit(actor=cast.misaki, request=request, key="k1")
    second = services.book_visit(actor=cast.misaki, request=request, key="k1")

    assert (first.replayed, second.replayed) == (False, True)
    assert first.visit.code == second.visit.code
    assert Visit.objects.count() == 1


def test_extend_and_leave_early_while_inside(cast, now):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit
    now.move_to(make.at(10, 7))

    services.extend(actor=cast.misaki, code=visit.code, ends_at=make.at(14))
    assert counters(cast.room, make.at(13, 45)) == (0, 1, 0, 0, 0)
    services.leave_early(actor=cast.misaki, code=visit.code, ends_at=make.at(11))

    visit.refresh_from_db()
    assert visit.ends_at == make.at(11)
    assert counters(cast.room, make.at(10, 45)) == (0, 1, 0, 0, 0)
    assert counters(cast.room, make.at(11)) == (0, 0, 0, 0, 0)
    assert VisitClaim.objects.filter(visit=visit).count() == 6


def test_care_full_names_child_and_missing_staff(cast):
    """Two carers take twelve children of classes 1 and 2 (RULE-03); Haru and the thirteenth would need a third."""
    others = make.make_household(cast.stranger)
    kids = [make.make_child(others, cast.ekimae, 1, name=f"子{n}") for n in range(10)]
    services.book_visit(
        actor=cast.stranger, request=make.request_for(cast.stranger, cast.ekimae, children=kids)
    )

    with pytest.raises(DomainError) as refusal:
        services.book_visit(
            actor=cast.misaki,
            request=make.request_for(
                cast.misaki, cast.ekimae, children=[make.make_child(cast.household, cast.ekimae, 0), cast.yui]
            ),
        )

    binding = refusal.value.facts["binding"]
    assert (refusal.value.code, binding.wish.child, binding.limit, binding.missing) == (
        "care_full", cast.yui, "staff", 1,
    )  # fmt: skip
    assert RoomQuarter.objects.filter(n0__gt=0).count() == 0


def test_replay_after_the_role_ended_shows_nothing(cast):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit
    asked = {"actor": cast.door, "code": visit.code, "ends_at": make.at(14), "key": "k1"}
    assert services.extend(**asked).visit == visit
    assert services.extend(**asked).replayed

    Membership.objects.filter(member=cast.door).update(status=MembershipStatus.ENDED)
    with pytest.raises(DomainError) as refusal:
        services.extend(**(asked | {"actor": Member.objects.get(pk=cast.door.pk)}))

    assert (refusal.value.code, refusal.value.status) == ("visit_unknown", 404)


def test_replay_for_the_other_guardian_who_gave_a_place_back(cast):
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit
    asked = {"actor": cast.kenta, "code": visit.code, "child": cast.yui.code, "key": "k1"}
    services.cancel_child_place(**asked)

    assert services.cancel_child_place(**asked).replayed


def test_leave_at_this_very_moment_is_refused(cast, now):
    """The running quarter stays the child's: a visit that ended at its start would leave her place outside it."""
    visit = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    ).visit
    now.move_to(make.at(10))

    with pytest.raises(DomainError) as refusal:
        services.leave_early(actor=cast.misaki, code=visit.code, ends_at=make.at(10))
    services.leave_early(actor=cast.misaki, code=visit.code, ends_at=make.at(10, 15))

    assert refusal.value.code == "in_past"
    assert CarePlace.objects.get(visit=visit).ends_at == make.at(10, 15)


def test_extend_by_somebody_blocked_is_refused(cast):
    visit = services.book_visit(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)).visit
    Membership.objects.filter(member=cast.misaki).update(status=MembershipStatus.BLOCKED, reason="わけ")

    with pytest.raises(DomainError) as refusal:
        services.extend(actor=cast.misaki, code=visit.code, ends_at=make.at(14))

    assert (refusal.value.code, refusal.value.status) == ("blocked", 403)
