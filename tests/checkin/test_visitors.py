"""Visitors: a name at the door, inside until somebody says that they went."""

from types import SimpleNamespace

import pytest

from hub.checkin import visitors
from hub.checkin.models import Presence
from hub.core import clock
from hub.core.errors import DomainError
from tests.checkin.door import fresh

pytestmark = pytest.mark.both_databases


def test_visitor_is_inside_under_the_name_that_was_told(cast: SimpleNamespace) -> None:
    presence = visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="  建築課　田中 ", key="tap")

    assert (presence.kind, presence.visitor_name, presence.member, presence.left_at) == (
        "visitor", "建築課 田中", None, None,
    )  # fmt: skip


def test_double_tap_lets_in_once(cast: SimpleNamespace) -> None:
    first = visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="田中", key="tap")

    assert visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="田中", key="tap") == first
    assert Presence.objects.count() == 1


def test_visitor_leaves_once(cast: SimpleNamespace) -> None:
    presence = visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="田中")

    for _tap in range(2):
        left = visitors.leave_visitor(actor=cast.manager, hub=cast.ekimae, code=presence.code)
        assert (left.left_at, left.ended_as) == (clock.now(), "out")


@pytest.mark.parametrize("name", ["", " 　", "\0"])
def test_visitor_needs_a_name(cast: SimpleNamespace, name: str) -> None:
    with pytest.raises(DomainError) as refused:
        visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name=name)

    assert (refused.value.code, Presence.objects.count()) == ("name_missing", 0)


def test_long_name_is_cut(cast: SimpleNamespace) -> None:
    assert len(visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="あ" * 200).visitor_name) == 60


def test_other_staff_and_other_hubs_have_no_visitors_here(cast: SimpleNamespace) -> None:
    presence = visitors.enter_visitor(actor=cast.door, hub=cast.ekimae, name="田中")
    calls = [
        lambda: visitors.enter_visitor(actor=fresh(cast.carer), hub=cast.ekimae, name="田中"),
        lambda: visitors.leave_visitor(actor=fresh(cast.carer), hub=cast.ekimae, code=presence.code),
        lambda: visitors.leave_visitor(actor=fresh(cast.yagi_manager), hub=cast.yagi, code=presence.code),
    ]
    told = []
    for call in calls:
        with pytest.raises(DomainError) as refused:
            call()
        told.append(refused.value.status)

    assert told == [403, 403, 404]
    assert Presence.objects.get().left_at is None
