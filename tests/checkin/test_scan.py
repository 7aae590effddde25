"""What the door answers, rule by rule, and what each answer writes."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
import time_machine

from hub.booking import blocks
from hub.booking import services as booking
from hub.checkin.models import Presence, Scan
from hub.core import clock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.models import Visit
from tests import factories as make
from tests.checkin.door import booked, receive, scan, six, today, token, told

pytestmark = pytest.mark.both_databases
YESTERDAY = make.TODAY - timedelta(days=1)


def state(visit: Visit) -> tuple[str, bool, bool]:
    """Status, whether arrived, whether gone."""
    visit.refresh_from_db()
    return visit.status, visit.arrived_at is not None, visit.left_at is not None


def test_booked_visit_lets_in_and_writes_presence_visit_and_scan(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    presence = Presence.objects.get()
    row = Scan.objects.get()
    assert told(answer) == ("ok", "booked")
    assert (answer.member, answer.visit, answer.presence, answer.children) == (
        cast.misaki,
        visit,
        presence,
        2,
    )
    assert state(visit) == ("in", True, False)
    assert (presence.kind, presence.hub, presence.visit, presence.entered_by) == (
        "worker", cast.ekimae, visit, cast.door,
    )  # fmt: skip
    assert presence.entered_at == clock.now()
    assert (row.method, row.direction, row.result, row.reason, row.member, row.visit, row.presence) == (
        "qr", "in", "ok", "booked", cast.misaki, visit, presence,
    )  # fmt: skip
    assert len(row.digest) == 64


def test_six_digits_let_in_like_the_qr(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    typed = six(cast.misaki, cast.ekimae)

    assert told(scan(cast.door, cast.ekimae, code=f"{typed[:3]}-{typed[3:]}")) == ("ok", "booked")
    assert Scan.objects.get().method == "code"


def test_name_lets_in_and_says_so_in_the_row(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)

    assert told(scan(cast.door, cast.ekimae, member=cast.misaki.code)) == ("ok", "booked")
    assert Scan.objects.get().method == "name"


def test_member_of_another_hub_cannot_be_let_in_by_name(cast: SimpleNamespace) -> None:
    assert told(scan(cast.door, cast.ekimae, member=cast.stranger.code)) == ("invalid", "unknown_code")


def test_second_entry_is_told_when_and_by_whom(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    booked(cast.misaki, cast.ekimae)
    text = token(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)
    now.shift(timedelta(hours=1))

    answer = scan(cast.manager, cast.ekimae, text)

    assert told(answer) == ("already_in", "inside")
    assert answer.presence is not None
    assert (answer.presence.entered_at, answer.presence.entered_by) == (make.NOW, cast.door)
    assert Presence.objects.count() == 1


def test_exit_closes_the_presence_and_keeps_the_visit_live(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    text = token(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)
    now.shift(timedelta(hours=2))

    answer = scan(cast.door, cast.ekimae, text, out=True)

    presence = Presence.objects.get()
    assert told(answer) == ("out", "left")
    assert (presence.left_at, presence.left_by, presence.ended_as) == (clock.now(), cast.door, "out")
    assert state(visit) == ("in", True, True)
    assert visit.claims.count() == 12


def test_back_from_lunch_is_a_second_presence_of_the_same_visit(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    text = token(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)
    now.shift(timedelta(hours=1))
    scan(cast.door, cast.ekimae, text, out=True)
    now.shift(timedelta(minutes=40))

    assert told(scan(cast.door, cast.ekimae, text)) == ("ok", "re_entry")
    assert state(visit) == ("in", True, False)
    assert visit.arrived_at == make.NOW
    assert Presence.objects.filter(visit=visit).count() == 2


def test_exit_without_entry_is_told_so(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae), out=True)) == (
        "not_in",
        "outside",
    )


def test_exit_of_somebody_inside_another_hub(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.yagi)
    scan(cast.yagi_manager, cast.yagi, token(cast.misaki, cast.yagi))

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae), out=True)

    assert told(answer) == ("not_in", "elsewhere")
    assert Presence.objects.filter(left_at=None).count() == 1


def test_nobody_expected_names_the_next_visit(cast: SimpleNamespace) -> None:
    later = booked(cast.misaki, cast.ekimae, make.period(13, 15))

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    assert told(answer) == ("not_booked", "no_visit")
    assert answer.visit == later
    assert Presence.objects.count() == 0


def test_visit_that_is_over_lets_nobody_in(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    booked(cast.misaki, cast.ekimae, today(9.75, 10.5))
    now.shift(timedelta(minutes=50))

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))) == ("not_booked", "no_visit")


def test_seat_that_was_given_away_is_said(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    Visit.objects.filter(pk=visit.pk).update(status="released")

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))) == ("not_booked", "released")


def test_visit_later_today_is_too_early_until_half_an_hour_before(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    visit = booked(cast.misaki, cast.ekimae, today(11, 12))
    text = token(cast.misaki, cast.ekimae)

    early = scan(cast.door, cast.ekimae, text)
    now.move_to(make.at(10, 29, make.TODAY))
    still = scan(cast.door, cast.ekimae, text)
    now.move_to(make.at(10, 30, make.TODAY))
    late = scan(cast.door, cast.ekimae, text)

    assert [told(one) for one in (early, still, late)] == [
        ("too_early", "later_today"), ("too_early", "later_today"), ("ok", "booked"),
    ]  # fmt: skip
    assert early.visit == visit


def test_cancelled_visit_is_named(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    booking.cancel_visit(actor=cast.misaki, code=visit.code)

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    assert told(answer) == ("cancelled", "cancelled")
    assert answer.visit == visit
    assert Presence.objects.count() == 0


def test_new_booking_after_a_cancelled_one_lets_in(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    booking.cancel_visit(actor=cast.misaki, code=visit.code)
    again = booked(cast.misaki, cast.ekimae, today(9.5, 11))

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    assert told(answer) == ("ok", "booked")
    assert answer.visit == again


def test_pass_of_another_hub_is_the_wrong_hub(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.yagi)

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.yagi))

    assert told(answer) == ("wrong_hub", "booked_elsewhere")
    assert (answer.visit, answer.other_hub) == (visit, cast.yagi)
    assert Presence.objects.count() == 0


def test_pass_of_another_hub_without_a_visit_names_that_hub(cast: SimpleNamespace) -> None:
    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.yagi))

    assert told(answer) == ("wrong_hub", "other_pass")
    assert answer.other_hub == cast.yagi


def test_booking_here_counts_more_than_the_pass_of_another_hub(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.yagi))) == ("ok", "booked")


@pytest.mark.parametrize("day", [YESTERDAY, make.TOMORROW])
def test_pass_of_another_day_opens_nothing(cast: SimpleNamespace, day: object) -> None:
    booked(cast.misaki, cast.ekimae)

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae, day))) == (
        "not_today",
        "other_day",
    )
    assert Presence.objects.count() == 0


def test_six_digits_of_another_day_are_unknown(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    typed = six(cast.misaki, cast.ekimae, YESTERDAY)

    assert told(scan(cast.door, cast.ekimae, code=typed)) == ("invalid", "unknown_code")


def test_six_digits_of_another_hub_are_unknown(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    typed = six(cast.misaki, cast.yagi)

    assert told(scan(cast.door, cast.ekimae, code=typed)) == ("invalid", "unknown_code")


def flipped(text: str) -> str:
    """The same token with one letter of the signature changed."""
    return text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (flipped, "bad_signature"),
        (lambda text: text[:-1], "unreadable"),
        (lambda text: text + "A", "unreadable"),
        (lambda text: text.lower(), "unreadable"),
        (lambda text: "https://example.org/pass?x=" + text, "unreadable"),
        (lambda text: "あ" * 4096, "unreadable"),
        (lambda text: "\ud800\0", "unreadable"),
        (lambda text: " ", "unreadable"),
    ],
)
def test_what_is_no_pass_of_ours_is_a_row_with_its_reason(cast: SimpleNamespace, spoil, reason: str) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)

    answer = scan(cast.door, cast.ekimae, spoil(token(cast.misaki, cast.ekimae)))

    row = Scan.objects.get()
    assert told(answer) == ("invalid", reason)
    assert (row.result, row.reason, row.member, row.presence, len(row.digest)) == (
        "invalid",
        reason,
        None,
        None,
        64,
    )
    assert Presence.objects.count() == 0


def test_signed_pass_that_was_never_issued_opens_nothing(cast: SimpleNamespace) -> None:
    from hub.checkin import tokens

    booked(cast.misaki, cast.ekimae)
    text = tokens.issue(hub="ekimae", member=cast.misaki.code, day=make.TODAY, pass_id=7)

    assert told(scan(cast.door, cast.ekimae, text)) == ("invalid", "unknown_pass")


def test_staff_come_in_without_a_booking(cast: SimpleNamespace) -> None:
    answer = scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))

    assert told(answer) == ("ok", "staff")
    assert answer.presence is not None
    assert (answer.presence.kind, answer.presence.visit) == ("staff", None)


def test_staff_of_another_hub_need_a_booking_here(cast: SimpleNamespace) -> None:
    answer = scan(cast.door, cast.ekimae, token(cast.yagi_manager, cast.ekimae))

    assert told(answer) == ("not_booked", "no_visit")


def test_blocked_member_stays_outside_though_booked(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    blocks.block_member(
        actor=cast.manager, hub=cast.ekimae, member=cast.misaki, reason="わけ", cancel_visits=False
    )

    assert told(scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))) == ("blocked", "blocked")
    assert Presence.objects.count() == 0


def test_member_who_left_for_good_stays_outside(cast: SimpleNamespace) -> None:
    text = token(cast.misaki, cast.ekimae)
    Member.objects.filter(pk=cast.misaki.pk).update(is_active=False)

    assert told(scan(cast.door, cast.ekimae, text)) == ("blocked", "left")


def test_entry_while_inside_another_hub_closes_that_presence_as_moved(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    first = booked(cast.misaki, cast.yagi, today(9.5, 10.5))
    booked(cast.misaki, cast.ekimae, today(10.5, 12))
    scan(cast.yagi_manager, cast.yagi, token(cast.misaki, cast.yagi))
    now.shift(timedelta(minutes=50))

    answer = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))

    old = Presence.objects.get(hub=cast.yagi)
    assert told(answer) == ("ok", "booked")
    assert (old.left_at, old.ended_as) == (clock.now(), "moved")
    assert state(first) == ("in", True, True)


def test_children_in_care_hold_back_until_confirmed(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae, children=[cast.yui])
    text = token(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)
    receive(visit, cast.yui)

    asked = scan(cast.door, cast.ekimae, text, out=True)
    assert told(asked) == ("children_inside", "children_inside")
    assert Presence.objects.get().left_at is None

    confirmed = scan(cast.door, cast.ekimae, text, out=True, confirmed=True)
    assert told(confirmed) == ("out", "children_stay")
    assert Presence.objects.get().ended_as == "out"


def test_child_brought_by_another_guardian_does_not_hold_back(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    brought = booked(cast.kenta, cast.ekimae, children=[cast.yui])
    receive(brought, cast.yui)
    text = token(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)

    assert told(scan(cast.door, cast.ekimae, text, out=True)) == ("out", "left")


# ---------------------------------------------------------------- once, and whose


def test_same_id_again_is_the_same_answer_and_changes_nothing(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    booked(cast.misaki, cast.ekimae)
    text, one = token(cast.misaki, cast.ekimae), uuid4()
    first = scan(cast.door, cast.ekimae, text, id=one)
    scan(cast.door, cast.ekimae, text, out=True)
    now.shift(timedelta(hours=1))

    again = scan(cast.manager, cast.ekimae, text, id=one)

    assert (told(again), again.presence, again.visit) == (told(first), first.presence, first.visit)
    assert (first.replayed, again.replayed) == (False, True)
    assert Presence.objects.count() == 1
    assert Presence.objects.get().ended_as == "out"


def test_lost_answer_may_be_asked_for_again_as_an_offline_scan(cast: SimpleNamespace) -> None:
    booked(cast.misaki, cast.ekimae)
    text, one = token(cast.misaki, cast.ekimae), uuid4()
    scan(cast.door, cast.ekimae, text, id=one)

    assert told(scan(cast.door, cast.ekimae, text, id=one, offline=True)) == ("ok", "booked")


@pytest.mark.parametrize("change", ["text", "direction", "hub"])
def test_same_id_for_something_else_is_refused(cast: SimpleNamespace, change: str) -> None:
    booked(cast.misaki, cast.ekimae)
    text, one = token(cast.misaki, cast.ekimae), uuid4()
    scan(cast.door, cast.ekimae, text, id=one)
    other = token(cast.kenta, cast.ekimae) if change == "text" else text
    actor, hub = (cast.yagi_manager, cast.yagi) if change == "hub" else (cast.door, cast.ekimae)

    with pytest.raises(DomainError) as refused:
        scan(actor, hub, other, id=one, out=change == "direction")

    assert (refused.value.code, refused.value.status) == ("scan_reused", 422)
    assert Scan.objects.count() == 1


def test_without_the_right_nothing_is_written(cast: SimpleNamespace) -> None:
    for actor, hub in ((cast.carer, cast.ekimae), (cast.misaki, cast.ekimae), (cast.door, cast.yagi)):
        with pytest.raises(DomainError) as refused:
            scan(actor, hub, token(cast.misaki, cast.ekimae))
        assert (refused.value.code, refused.value.status) == ("not_allowed", 403)

    assert Scan.objects.count() == 0


@pytest.mark.parametrize("given", [{}, {"code": "123456", "member": "AAAAAAAAAA"}])
def test_one_way_of_saying_who_is_needed(cast: SimpleNamespace, given: dict[str, str]) -> None:
    with pytest.raises(DomainError) as refused:
        scan(cast.door, cast.ekimae, **given)

    assert refused.value.code == "nothing_read"


# ---------------------------------------------------------------- offline


@pytest.mark.parametrize(("hours", "counted"), [(-1, -1), (-30, -12), (3, 0)])
def test_time_of_an_offline_scan_is_taken_within_twelve_hours(
    cast: SimpleNamespace, hours: int, counted: int
) -> None:
    said = clock.now() + timedelta(hours=hours)

    answer = scan(cast.door, cast.ekimae, member=cast.carer.code, scanned_at=said, offline=True)

    row = Scan.objects.get()
    assert told(answer) == ("ok", "staff")
    assert (row.is_offline, row.scanned_at, row.received_at) == (
        True, clock.now() + timedelta(hours=counted), clock.now(),
    )  # fmt: skip
    assert Presence.objects.get().entered_at == row.scanned_at


def test_time_of_a_scan_with_network_is_the_servers(cast: SimpleNamespace) -> None:
    scan(cast.door, cast.ekimae, member=cast.carer.code, scanned_at=clock.now() - timedelta(hours=2))

    assert Presence.objects.get().entered_at == clock.now()
