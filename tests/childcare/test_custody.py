"""Receiving and handing over: who may, whom, to whom, with which temperature; corrections by new rows; what may not go."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from hub.booking import services
from hub.childcare import custody
from hub.childcare.duty import RatioShortNow
from hub.childcare.enums import Identified, PlaceStatus
from hub.childcare.models import Attendance, Custody, Handover
from hub.childcare.queries import in_care_through
from hub.core import live
from hub.core.errors import DomainError
from hub.invariants import differences
from hub.members.models import Member, PickupAdult
from hub.members.services import add_pickup_adult
from hub.spaces.enums import Role
from tests import factories as make
from tests.childcare.care import hand_over, morning, place_of, receive


@pytest.fixture
def here(cast: SimpleNamespace, now: time_machine.Traveller) -> SimpleNamespace:
    return morning(cast, now)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Groups and kinds of live messages."""
    said: list[tuple[str, str]] = []

    def note(group: str, kind: str, data: dict[str, Any] | None = None) -> None:
        assert data is None
        said.append((group, kind))

    monkeypatch.setattr(live, "broadcast", note)
    return said


def code_of(call: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as refused:
        call()
    return refused.value.code, refused.value.status


# ---------------------------------------------------------------- receiving


def test_received_child_is_in_care_with_everything_on_record(here: SimpleNamespace) -> None:
    done = receive(here, note="  よく ねました ")

    row = Custody.objects.get()
    assert done.custody == row
    assert (row.child, row.room, row.place) == (here.haru, here.room, place_of(here.haru))
    assert (row.age_class, row.temperature, row.note) == (4, Decimal("36.5"), "よく ねました")
    assert (row.received_at, row.received_by, row.recorded_by) == (make.NOW, here.carers[0], here.carer)
    assert (row.brought_by, row.brought_by_adult, row.closed_at) == (here.misaki, None, None)
    assert list(in_care_through(here.misaki)) == [here.haru]
    assert not done.was_short
    assert differences() == []


def test_note_is_not_readable_in_the_database(here: SimpleNamespace) -> None:
    row = receive(here, note="ひみつの せき").custody

    assert "ひみつ".encode() not in bytes(row.note_sealed or b"")
    assert Custody.objects.get().note == "ひみつの せき"


def test_pick_up_adult_may_bring_too(here: SimpleNamespace) -> None:
    row = receive(here, adult=here.granny.code).custody

    assert (row.brought_by, row.brought_by_adult) == (None, here.granny)


def test_parent_need_not_have_passed_the_door(here: SimpleNamespace) -> None:
    receive(here)

    here.visit.refresh_from_db()
    assert here.visit.arrived_at is None


def test_reception_tells_board_day_and_guardians_and_nothing_personal(
    here: SimpleNamespace, told: list[tuple[str, str]]
) -> None:
    receive(here)

    assert told == [
        ("care.ekimae", "care"), ("day.ekimae", "care"), (f"me.{here.misaki.code}", "care"),
        (f"me.{here.kenta.code}", "care"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("degrees", "answer"),
    [
        ("33.9", ("temperature_implausible", 422)), ("42.6", ("temperature_implausible", 422)),
        ("37.5", ("fever", 409)), ("39.0", ("fever", 409)),
    ],
)  # fmt: skip
def test_temperature_that_is_too_high_or_no_temperature_is_refused(
    here: SimpleNamespace, degrees: str, answer: tuple[str, int]
) -> None:
    assert code_of(lambda: receive(here, temperature=Decimal(degrees), confirm=True)) == answer
    assert Custody.objects.count() == 0


def test_fever_limit_is_the_room_s_own(here: SimpleNamespace) -> None:
    here.room.fever_limit = Decimal("38.0")
    here.room.save()

    assert receive(here, temperature=Decimal("37.9")).custody.temperature == Decimal("37.9")
    assert code_of(lambda: receive(here, here.yui, temperature=Decimal("38.0"))) == ("fever", 409)


def test_stranger_and_adult_of_another_household_cannot_bring(here: SimpleNamespace) -> None:
    other = make.make_household(here.stranger)
    aunt = add_pickup_adult(other, name="他 人", kana="たにん", relation="おば", phone="0900000009")
    for who in (here.stranger.code, aunt.code, here.door.code, "ZZZZZZZZ", ""):
        assert code_of(lambda who=who: receive(here, adult=who)) == ("adult_unknown", 404)
    assert Custody.objects.count() == 0


def test_child_without_a_place_now_is_sent_to_the_door_first(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    walk_in = make.make_child(here.household, here.ekimae, 2, name="そら")
    assert code_of(lambda: receive(here, walk_in)) == ("no_place", 409)

    now.move_to(make.at(12, 30, make.TODAY))  # half-open: the place has ended
    assert code_of(lambda: receive(here)) == ("no_place", 409)


def test_child_may_come_as_early_as_her_parent(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    now.move_to(make.at(8, 59, make.TODAY))
    assert code_of(lambda: receive(here)) == ("too_early", 409)

    now.move_to(make.at(9, 0, make.TODAY))
    assert receive(here).custody.received_at == make.at(9, 0, make.TODAY)


def test_cancelled_place_receives_nobody(here: SimpleNamespace) -> None:
    services.cancel_visit(actor=here.misaki, code=here.visit.code)

    assert code_of(lambda: receive(here)) == ("no_place", 409)


def test_child_of_another_hub_is_unknown(here: SimpleNamespace) -> None:
    child = make.make_child(make.make_household(here.stranger), here.yagi, 2)

    assert code_of(lambda: receive(here, child)) == ("child_unknown", 404)
    assert code_of(lambda: receive(here, child=None, hub=here.yagi)) == ("hub_unknown", 404)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CARER])
def test_only_a_carer_of_the_hub_receives_and_hands_over(role: Role, here: SimpleNamespace) -> None:
    row = receive(here).custody
    other = make.make_member("役 ひとつ", "one@example.org", hub=here.ekimae, role=role)
    wanted = ("hub_unknown", 404) if role == Role.WORKER else ("not_a_carer", 403)

    assert code_of(lambda: receive(here, here.yui, actor=other)) == wanted
    assert code_of(lambda: hand_over(here, row, actor=other)) == wanted
    assert code_of(lambda: custody.undo(actor=other, hub=here.ekimae, custody=row.code)) == wanted
    assert (Custody.objects.count(), Handover.objects.count()) == (1, 0)


def test_carer_of_the_other_hub_does_neither(here: SimpleNamespace) -> None:
    row = receive(here).custody
    away = make.make_member("八木 保育", "away@example.org", hub=here.yagi, role=Role.CARER)
    theirs = make.make_carer(here.yagi)

    assert code_of(lambda: receive(here, here.yui, actor=away)) == ("hub_unknown", 404)
    assert code_of(lambda: hand_over(here, row, actor=away)) == ("hub_unknown", 404)
    assert code_of(lambda: hand_over(here, row, actor=away, hub=here.yagi, carer=theirs.code)) == (
        "custody_unknown", 404,
    )  # fmt: skip
    assert code_of(lambda: receive(here, here.yui, carer=theirs.code)) == ("carer_unknown", 404)


def test_second_reception_is_told_who_was_first(here: SimpleNamespace) -> None:
    first = receive(here).custody

    with pytest.raises(custody.AlreadyInCare) as told:
        receive(here, carer=here.carers[1].code)

    assert told.value.facts["custody"] == first
    assert Custody.objects.count() == 1


# ---------------------------------------------------------------- too few carers


def test_reception_without_enough_carers_needs_a_second_word_and_is_recorded(here: SimpleNamespace) -> None:
    Attendance.objects.filter(carer=here.carers[1]).delete()

    with pytest.raises(RatioShortNow) as short:
        receive(here)
    need = short.value.facts["need"]
    assert (need.staff, need.required, need.missing) == (1, 2, 1)
    assert (Custody.objects.count(), Attendance.objects.filter(was_short=True).count()) == (0, 0)

    assert receive(here, confirm=True).was_short
    lack = Attendance.objects.get(was_short=True)
    assert (lack.carer, lack.room, lack.starts_at, lack.ends_at) == (
        here.carers[0], here.room, make.NOW, make.NOW,
    )  # fmt: skip


def test_carer_on_a_break_does_not_count(here: SimpleNamespace) -> None:
    Attendance.objects.filter(carer=here.carers[1]).update(kind="break")

    assert code_of(lambda: receive(here)) == ("ratio_short_now", 409)


def test_enough_people_but_none_qualified_is_short_too(here: SimpleNamespace) -> None:
    for carer in here.carers:
        carer.qualification = "supporter"
        carer.save()

    with pytest.raises(RatioShortNow) as short:
        receive(here)
    assert (short.value.facts["need"].missing, short.value.facts["need"].able_missing) == (0, 1)


# ---------------------------------------------------------------- handing over


def test_handed_over_child_is_out_of_care_and_her_place_stays(here: SimpleNamespace) -> None:
    row = receive(here).custody
    before = place_of(here.haru)

    hand_over(here, row, identified_by=Identified.PAPER)

    row.refresh_from_db()
    made = Handover.objects.get()
    assert (row.closed_at, row.handover) == (make.NOW, made)
    assert (made.guardian, made.pickup_adult, made.identified_by) == (here.misaki, None, "paper")
    assert (made.carer, made.recorded_by, made.handed_at) == (here.carers[1], here.carer, make.NOW)
    after = place_of(here.haru)
    assert (after.status, after.starts_at, after.ends_at) == (before.status, before.starts_at, before.ends_at)
    assert list(in_care_through(here.misaki)) == []
    assert differences() == []


def test_second_guardian_and_grandmother_may_fetch(here: SimpleNamespace) -> None:
    hand_over(here, receive(here).custody, adult=here.kenta.code)
    hand_over(here, receive(here, here.yui).custody, adult=here.granny.code)

    assert list(Handover.objects.order_by("pk").values_list("guardian", "pickup_adult")) == [
        (here.kenta.pk, None), (None, here.granny.pk),
    ]  # fmt: skip


def test_nobody_else_fetches(here: SimpleNamespace) -> None:
    row = receive(here).custody
    other = make.make_household(here.stranger)
    aunt = add_pickup_adult(other, name="他 人", kana="たにん", relation="おば", phone="0900000009")
    PickupAdult.objects.filter(pk=here.granny.pk).update(ended_at=make.NOW)

    for who in (here.stranger.code, aunt.code, here.manager.code, "ZZZZZZZZ", ""):
        assert code_of(lambda who=who: hand_over(here, row, adult=who)) == ("adult_unknown", 404)
    assert code_of(lambda: hand_over(here, row, adult=here.granny.code)) == ("adult_ended", 409)
    assert code_of(lambda: hand_over(here, row, identified_by="hope")) == ("identified_missing", 422)
    assert Handover.objects.count() == 0


def test_second_hand_over_is_told_to_whom_the_child_went(here: SimpleNamespace) -> None:
    row = receive(here).custody
    hand_over(here, row)

    with pytest.raises(custody.AlreadyHandedOver) as told:
        hand_over(here, row, adult=here.kenta.code)

    assert told.value.facts["custody"].handover.guardian == here.misaki
    assert Handover.objects.count() == 1


# ---------------------------------------------------------------- a wrong tap


def test_undone_reception_hands_straight_back(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    row = receive(here, adult=here.granny.code).custody
    now.shift(timedelta(seconds=8))

    custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)

    row.refresh_from_db()
    assert row.closed_at == make.NOW + timedelta(seconds=8)
    assert row.handover is not None
    assert (row.handover.pickup_adult, row.handover.carer) == (here.granny, here.carers[0])
    assert custody.stays([row]) == []
    assert receive(here).custody.pk != row.pk


def test_undone_hand_over_receives_again_with_the_same_data(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    row = receive(here, note="せき", temperature=Decimal("36.9")).custody
    now.shift(timedelta(hours=1))
    hand_over(here, row, adult=here.granny.code)
    now.shift(timedelta(seconds=9))

    again = custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)

    assert Custody.objects.count() == 2
    assert (again.closed_at, again.note, again.temperature) == (None, "せき", Decimal("36.9"))
    assert (again.place, again.brought_by, again.received_by) == (row.place, here.misaki, here.carers[1])
    assert Handover.objects.get().pickup_adult == here.granny, "the wrong hand-over stays on record"


def test_undo_ends_after_half_a_minute_and_twice_is_harmless(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    row = receive(here).custody
    now.shift(timedelta(seconds=31))
    call = lambda: custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)  # noqa: E731
    assert code_of(call) == ("undo_over", 409)

    hand_over(here, row)
    call()
    assert code_of(call) == ("already_in_care", 409)
    assert Custody.objects.filter(closed_at=None).count() == 1


def test_going_home_right_away_with_another_adult_was_a_stay(here: SimpleNamespace) -> None:
    row = receive(here).custody
    hand_over(here, row, adult=here.kenta.code)

    row.refresh_from_db()
    assert custody.stays([row]) == [row]


# ---------------------------------------------------------------- what booking may not do to a child in care


def test_visit_of_a_child_in_care_is_not_cancelled_nor_moved_away(here: SimpleNamespace) -> None:
    receive(here)

    assert code_of(lambda: services.cancel_visit(actor=here.misaki, code=here.visit.code)) == (
        "child_in_care", 409,
    )  # fmt: skip
    here.visit.refresh_from_db()
    assert here.visit.status == "booked"
    assert place_of(here.haru).status == PlaceStatus.BOOKED


def test_early_child_keeps_her_place_until_her_time_and_may_stay_longer(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(9, 15, make.TODAY))
    receive(here)
    later = make.request_for(
        here.misaki, here.ekimae, make.period(13, 15, make.TODAY), children=[here.haru, here.yui]
    )

    for call in (
        lambda: services.cancel_visit(actor=here.misaki, code=here.visit.code),
        lambda: services.move_visit(actor=here.misaki, code=here.visit.code, request=later),
        lambda: services.cancel_child_place(actor=here.misaki, code=here.visit.code, child=here.haru.code),
    ):
        assert code_of(call) == ("child_in_care", 409)
    services.cancel_child_place(actor=here.misaki, code=here.visit.code, child=here.yui.code)
    services.extend(actor=here.misaki, code=here.visit.code, ends_at=make.at(13, 0, make.TODAY))
    assert place_of(here.haru).ends_at == make.at(13, 0, make.TODAY)
    assert differences() == []


def test_wrong_tap_does_not_keep_a_visit_from_being_cancelled(here: SimpleNamespace) -> None:
    row = receive(here).custody
    custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)

    services.cancel_visit(actor=here.misaki, code=here.visit.code)

    assert place_of(here.haru).status == PlaceStatus.CANCELLED
    assert differences() == []


def test_deleted_account_keeps_the_record_and_loses_the_name(here: SimpleNamespace) -> None:
    from hub.leaving import erase_member

    hand_over(here, receive(here).custody, adult=here.kenta.code)
    erase_member(Member.objects.get(pk=here.kenta.pk))
    erase_member(Member.objects.get(pk=here.carer.pk))

    made = Handover.objects.select_related("guardian", "recorded_by").get()
    assert (made.guardian, made.guardian.name, made.recorded_by.name) == (here.kenta, "", "")  # type: ignore[union-attr]  # it has one
