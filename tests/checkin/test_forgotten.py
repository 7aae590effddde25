"""Forgotten exits are closed at closing time as assumed; a parent whose child is still here stays inside."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine

from hub import tick
from hub.checkin import forgotten, visitors
from hub.checkin.models import Pass, Presence, Scan
from hub.spaces.models import OpeningHours
from tests import factories as make
from tests.checkin.door import booked, receive, scan, token

pytestmark = pytest.mark.both_databases
CLOSING = make.at(18, 0, make.TODAY)


def test_before_closing_nobody_is_sent_home(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))
    now.move_to(CLOSING - timedelta(minutes=1))

    assert forgotten.close_forgotten(cast.ekimae) == 0


def test_at_closing_everybody_has_gone_at_closing(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    visit = booked(cast.misaki, cast.ekimae)
    scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))
    scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))
    visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="田中")
    now.move_to(CLOSING + timedelta(hours=3))

    assert tick.run() == []

    rows = set(Presence.objects.values_list("left_at", "left_by", "ended_as"))
    visit.refresh_from_db()
    assert rows == {(CLOSING, None, "assumed")}
    assert visit.left_at == CLOSING
    assert forgotten.close_forgotten(cast.ekimae) == 0


def test_parent_with_a_child_in_care_stays_inside(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    visit = booked(cast.misaki, cast.ekimae, children=[cast.yui])
    scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))
    custody = receive(visit, cast.yui)
    now.move_to(CLOSING + timedelta(minutes=1))

    assert forgotten.close_forgotten(cast.ekimae) == 0
    custody.delete()
    assert forgotten.close_forgotten(cast.ekimae) == 1


def test_other_hubs_are_left_alone(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))
    now.move_to(CLOSING + timedelta(minutes=1))

    assert forgotten.close_forgotten(cast.yagi) == 0


def test_who_came_after_closing_or_on_a_closed_day_is_gone_at_midnight(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(CLOSING + timedelta(minutes=30))
    scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))
    OpeningHours.objects.filter(hub=cast.yagi).delete()
    scan(cast.yagi_manager, cast.yagi, token(cast.yagi_manager, cast.yagi))
    assert forgotten.close_forgotten(cast.ekimae) + forgotten.close_forgotten(cast.yagi) == 0

    now.move_to(make.at(0, 5, make.TOMORROW))
    assert forgotten.close_forgotten(cast.ekimae) + forgotten.close_forgotten(cast.yagi) == 2
    assert set(Presence.objects.values_list("left_at", flat=True)) == {make.at(0, 0, make.TOMORROW)}


def test_passes_of_more_than_a_week_ago_are_put_away_and_nothing_else(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    scan(cast.door, cast.ekimae, token(cast.carer, cast.ekimae))
    old = make.TODAY - timedelta(days=8)
    kept = make.TODAY - timedelta(days=7)
    for day in (old, kept):
        token(cast.misaki, cast.ekimae, day)

    assert tick.run() == []

    assert set(Pass.objects.values_list("day", flat=True)) == {kept, make.TODAY}
    assert (Scan.objects.count(), Presence.objects.count()) == (1, 1)
