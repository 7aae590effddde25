"""Carers clock in, take a break, come back and go; leaving children short needs a second word and is on record."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from hub.childcare import attendance
from hub.childcare.models import Attendance, Carer, CareRoom
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces.enums import Role
from tests import factories as make
from tests.childcare.care import morning, receive


@pytest.fixture
def here(cast: SimpleNamespace, now: time_machine.Traveller) -> SimpleNamespace:
    return morning(cast, now)


def rows(carer: Carer) -> list[tuple[str, bool, bool]]:
    """Kind, whether open, whether short; the oldest first."""
    found = Attendance.objects.filter(carer=carer).order_by("starts_at", "pk")
    return [(row.kind, row.ends_at is None, row.was_short) for row in found]


def call(here: SimpleNamespace, what: Any, n: int = 0, **more: Any) -> Any:
    return what(actor=here.carer, hub=here.ekimae, carer=here.carers[n].code, **more)


def code_of(work: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as refused:
        work()
    return refused.value.code, refused.value.status


def test_day_of_a_carer(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    call(here, attendance.start_break)
    now.shift(timedelta(hours=1))
    call(here, attendance.end_break)
    now.shift(timedelta(hours=1))
    call(here, attendance.clock_out)

    assert rows(here.carers[0]) == [("work", False, False), ("break", False, False), ("work", False, False)]
    times = list(
        Attendance.objects.filter(carer=here.carers[0]).order_by("pk").values_list("starts_at", "ends_at")
    )
    assert times[0][1] == times[1][0] == make.NOW
    assert times[1][1] == times[2][0] == make.NOW + timedelta(hours=1)


def test_each_tap_may_be_repeated(here: SimpleNamespace) -> None:
    for what, wanted in (
        (attendance.start_break, "break"), (attendance.start_break, "break"), (attendance.end_break, "work"),
        (attendance.end_break, "work"),
    ):  # fmt: skip
        assert call(here, what).kind == wanted
    assert call(here, attendance.clock_in, room=here.room).kind == "work"
    call(here, attendance.clock_out)
    assert call(here, attendance.clock_out) is None
    assert Attendance.objects.filter(carer=here.carers[0]).count() == 3


def test_clocking_in_ends_a_break(here: SimpleNamespace) -> None:
    call(here, attendance.start_break)

    call(here, attendance.clock_in, room=here.room)

    assert rows(here.carers[0])[-2:] == [("break", False, False), ("work", True, False)]


def test_who_is_not_there_takes_no_break(here: SimpleNamespace) -> None:
    call(here, attendance.clock_out)

    assert code_of(lambda: call(here, attendance.start_break)) == ("not_at_work", 409)
    assert code_of(lambda: call(here, attendance.end_break)) == ("not_at_work", 409)


def test_carer_is_in_one_room_at_a_time(here: SimpleNamespace) -> None:
    other = CareRoom.objects.create(
        hub=here.ekimae, name="ちいさい へや", scheme=here.room.scheme, places=4, area_infant_cm2=100_000,
        area_toddler_cm2=100_000,
    )  # fmt: skip

    assert code_of(lambda: call(here, attendance.clock_in, room=other)) == ("works_elsewhere", 409)


@pytest.mark.parametrize("what", [attendance.start_break, attendance.clock_out])
def test_leaving_children_short_needs_a_second_word(here: SimpleNamespace, what: Any) -> None:
    receive(here)

    with pytest.raises(DomainError) as refused:
        call(here, what)
    need = refused.value.facts["need"]
    assert (refused.value.code, need.staff, need.required) == ("ratio_short_now", 1, 2)
    assert rows(here.carers[0]) == [("work", True, False)]

    call(here, what, confirm=True)
    assert rows(here.carers[0])[0] == ("work", False, True)


def test_leaving_an_empty_room_needs_no_word(here: SimpleNamespace) -> None:
    for n in (0, 1):
        call(here, attendance.clock_out, n)
    assert rows(here.carers[1]) == [("work", False, False)]


def test_going_home_from_a_break_changes_nothing_for_the_children(here: SimpleNamespace) -> None:
    receive(here)
    call(here, attendance.start_break, confirm=True)

    call(here, attendance.clock_out)

    assert rows(here.carers[0]) == [("work", False, True), ("break", False, False)]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CARER])
def test_only_a_carer_of_the_hub_uses_the_clock(role: Role, here: SimpleNamespace) -> None:
    other = make.make_member("役 ひとつ", "one@example.org", hub=here.ekimae, role=role)
    wanted = ("hub_unknown", 404) if role == Role.WORKER else ("not_a_carer", 403)
    for what in (attendance.start_break, attendance.end_break, attendance.clock_out):
        assert (
            code_of(lambda what=what: what(actor=other, hub=here.ekimae, carer=here.carers[0].code)) == wanted
        )
    assert rows(here.carers[0]) == [("work", True, False)]


def test_carer_of_another_hub_is_unknown(here: SimpleNamespace) -> None:
    theirs = make.make_carer(here.yagi)

    for code in (theirs.code, "ZZZZZZZZ", ""):
        assert code_of(
            lambda code=code: attendance.clock_in(
                actor=here.carer, hub=here.ekimae, carer=code, room=here.room
            )
        ) == ("carer_unknown", 404)


def test_night_ends_what_was_forgotten_at_closing_time(here: SimpleNamespace) -> None:
    assert run_write(lambda: attendance.close_forgotten(here.ekimae, make.at(0, 0, make.TODAY))) == 0

    assert run_write(lambda: attendance.close_forgotten(here.ekimae, make.at(0, 0))) == 2

    assert set(Attendance.objects.values_list("ends_at", flat=True)) == {make.at(18, 0, make.TODAY)}
