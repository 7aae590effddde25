"""How long notices are kept: read ones 90 days, all 400."""

from datetime import timedelta
from typing import Any

import pytest

from hub import tick
from hub.notices.models import Delivery, Notice, PushSubscription
from tests import factories as make

pytestmark = pytest.mark.both_databases


def old(member: Any, days: int, *, read: bool) -> Notice:
    then = make.NOW - timedelta(days=days)
    notice = Notice.objects.create(
        member=member, kind="change", topic="visit", event=f"{days}{read}", language="ja", title=f"{days} {read}",
        created_at=then, read_at=then if read else None,
    )  # fmt: skip
    Delivery.objects.create(notice=notice, channel="mail", state="sent", due_at=then, ended_at=then)
    return notice


def test_night_forgets_what_was_read_and_what_is_very_old(cast: Any) -> None:
    for days in (89, 91, 399, 401):
        old(cast.misaki, days, read=True)
        old(cast.misaki, days, read=False)

    assert tick.run() == []

    assert sorted(Notice.objects.values_list("title", flat=True)) == [
        "399 False",
        "89 False",
        "89 True",
        "91 False",
    ]
    assert Delivery.objects.count() == 4


def test_it_is_the_work_of_the_night(cast: Any) -> None:
    assert tick.run() == []
    old(cast.misaki, 401, read=True)
    assert tick.run() == []
    assert Notice.objects.count() == 1


def test_device_switched_off_long_ago_is_forgotten(cast: Any) -> None:
    for n, days in enumerate((399, 401)):
        PushSubscription.objects.create(
            member=cast.misaki, endpoint=f"x{n}", device=str(days), server_key="x",
            removed_at=make.NOW - timedelta(days=days),
        )  # fmt: skip
    tick.run()
    assert [row.device for row in PushSubscription.objects.all()] == ["399"]
