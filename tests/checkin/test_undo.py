"""Taking a scan back: within 30 seconds, the newest first, never over a child's head."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from hub.checkin import undo as undoing
from hub.checkin.answers import Answer
from hub.checkin.models import Presence, Scan
from hub.core import clock
from hub.core.errors import DomainError
from hub.spaces.models import Visit
from tests import factories as make
from tests.checkin.door import booked, fresh, receive, scan, today, token

pytestmark = pytest.mark.both_databases


def undo(actor: Any, answer: Answer) -> Answer:
    return undoing.undo(actor=fresh(actor), hub=answer.hub, scan_id=answer.scan.scan_id)


def refusal(actor: Any, answer: Answer) -> str:
    with pytest.raises(DomainError) as refused:
        undo(actor, answer)
    return refused.value.code


@pytest.fixture
def text(cast: SimpleNamespace) -> str:
    return token(cast.misaki, cast.ekimae)


def state(visit: Visit) -> tuple[str, object, object]:
    visit.refresh_from_db()
    return visit.status, visit.arrived_at, visit.left_at


def test_entry_undone_is_as_if_nobody_had_come(cast: SimpleNamespace, text: str) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, text)

    undo(cast.manager, entered)

    presence, row = Presence.objects.get(), Scan.objects.get()
    assert state(visit) == ("booked", None, None)
    assert (presence.ended_as, presence.left_at, presence.left_by) == ("undone", clock.now(), cast.manager)
    assert (row.result, row.undone_at, row.undone_by) == ("ok", clock.now(), cast.manager)


def test_after_an_undo_she_can_come_in_again(cast: SimpleNamespace, text: str) -> None:
    booked(cast.misaki, cast.ekimae)
    undo(cast.door, scan(cast.door, cast.ekimae, text))

    assert scan(cast.door, cast.ekimae, text).reason == "booked"


def test_second_tap_changes_nothing(cast: SimpleNamespace, text: str, now: time_machine.Traveller) -> None:
    booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, text)
    undo(cast.door, entered)
    first = Scan.objects.get().undone_at
    now.shift(timedelta(minutes=2))

    assert undo(cast.manager, entered).replayed
    assert (Scan.objects.get().undone_at, Scan.objects.get().undone_by) == (first, cast.door)


def test_exit_undone_leaves_her_inside(cast: SimpleNamespace, text: str) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)

    undo(cast.door, scan(cast.door, cast.ekimae, text, out=True))

    presence = Presence.objects.get()
    assert (presence.left_at, presence.ended_as, presence.left_by) == (None, "", None)
    assert state(visit) == ("in", make.NOW, None)


def test_return_undone_leaves_her_outside_with_her_first_arrival(
    cast: SimpleNamespace, text: str, now: time_machine.Traveller
) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, text)
    now.shift(timedelta(hours=1))
    scan(cast.door, cast.ekimae, text, out=True)
    went = clock.now()
    now.shift(timedelta(minutes=40))

    undo(cast.door, scan(cast.door, cast.ekimae, text))

    assert state(visit) == ("in", make.NOW, went)


def test_after_thirty_seconds_it_is_too_late(
    cast: SimpleNamespace, text: str, now: time_machine.Traveller
) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, text)
    now.shift(timedelta(seconds=31))

    assert refusal(cast.door, entered) == "undo_too_late"
    assert state(visit) == ("in", make.NOW, None)


def test_only_the_newest_can_be_taken_back(cast: SimpleNamespace, text: str) -> None:
    booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, text)
    left = scan(cast.door, cast.ekimae, text, out=True)

    assert refusal(cast.door, entered) == "undo_not_newest"
    undo(cast.door, left)
    undo(cast.door, entered)
    assert Presence.objects.get().ended_as == "undone"


def test_exit_before_an_entry_elsewhere_cannot_be_taken_back(cast: SimpleNamespace, text: str) -> None:
    booked(cast.misaki, cast.ekimae, today(9.5, 9.75))
    booked(cast.misaki, cast.yagi, today(9.75, 11))
    scan(cast.door, cast.ekimae, text)
    left = scan(cast.door, cast.ekimae, text, out=True)
    scan(cast.yagi_manager, cast.yagi, token(cast.misaki, cast.yagi))

    assert refusal(cast.door, left) == "undo_not_newest"
    assert Presence.objects.filter(left_at=None).count() == 1


def test_entry_undone_brings_back_the_presence_that_it_had_moved(cast: SimpleNamespace, text: str) -> None:
    booked(cast.misaki, cast.yagi, today(9.5, 9.75))
    booked(cast.misaki, cast.ekimae, today(9.75, 11))
    scan(cast.yagi_manager, cast.yagi, token(cast.misaki, cast.yagi))

    undo(cast.door, scan(cast.door, cast.ekimae, text))

    assert list(Presence.objects.filter(left_at=None).values_list("hub__slug", flat=True)) == ["yagi"]


def test_child_already_received_holds_the_entry(cast: SimpleNamespace, text: str) -> None:
    visit = booked(cast.misaki, cast.ekimae, children=[cast.yui])
    entered = scan(cast.door, cast.ekimae, text)
    receive(visit, cast.yui)

    assert refusal(cast.door, entered) == "children_received"
    assert state(visit)[0] == "in"


def test_refusal_has_nothing_to_take_back(cast: SimpleNamespace, text: str) -> None:
    assert refusal(cast.door, scan(cast.door, cast.ekimae, text)) == "not_undoable"


def test_scan_of_another_hub_is_not_found_and_without_the_right_refused(
    cast: SimpleNamespace, text: str
) -> None:
    booked(cast.misaki, cast.ekimae)
    entered = scan(cast.door, cast.ekimae, text)

    for actor, hub, id, code in (
        (cast.yagi_manager, cast.yagi, entered.scan.scan_id, "scan_unknown"),
        (cast.door, cast.ekimae, uuid4(), "scan_unknown"),
        (cast.carer, cast.ekimae, entered.scan.scan_id, "not_allowed"),
    ):
        with pytest.raises(DomainError) as refused:
            undoing.undo(actor=fresh(actor), hub=hub, scan_id=id)
        assert refused.value.code == code
