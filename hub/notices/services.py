"""Telling: the notice and its couriers are rows of the transaction in which it happened (I9)."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation

from hub.core import clock, live, tasks
from hub.core.db import require_transaction, run_write
from hub.members.models import Member
from hub.notices import queries, quiet, topics
from hub.notices.enums import Channel, Kind
from hub.notices.models import Choice, Delivery, Notice, PushSubscription
from hub.notices.queries import Wish

DELIVER = "hub.notices.delivery.deliver"


def tell(
    member: Member, topic: str, *, event: str, data: dict[str, Any], urgent: bool = False, own: bool = False
) -> Notice | None:
    """Tell ``member`` about ``event``, once however often this is called, inside the caller's transaction.

    ``urgent`` breaks quiet hours and cannot be switched off; ``own`` is the answer to what she did just now, which
    comes at once too, by mail alone. None when she was told before, there is nothing to say, or her account is stopped or
    deleted. ``data`` is JSON.
    """
    require_transaction()
    if not member.is_active:
        return None
    known = topics.topic(topic)
    with translation.override(member.language):
        message = known.compose(data)
    if message is None:
        return None
    try:
        with transaction.atomic():
            notice = Notice.objects.create(
                member=member, kind=known.kind, topic=topic, event=event, data=data, language=member.language,
                title=message.title[:120], text=message.text[:240], path=message.path[:200], is_urgent=urgent,
            )  # fmt: skip
    except IntegrityError:
        if not Notice.objects.filter(member=member, event=event).exists():
            raise
        return None
    now = clock.now()
    _send(notice, now if urgent or own else quiet.not_before(now), now, own=own)
    live.broadcast(f"me.{member.code}", "notice")
    return notice


def _send(notice: Notice, due: datetime, now: datetime, *, own: bool) -> None:
    for channel in channels_of(notice, own=own):
        row = Delivery.objects.create(notice=notice, channel=channel, due_at=due)
        if due <= now:
            tasks.enqueue(DELIVER, delivery=row.pk)


def channels_of(notice: Notice, *, own: bool = False) -> list[Channel]:
    """How this notice travels, by what its member has and chose. Her ``own`` doing does not ring: she holds the phone."""
    member = notice.member
    chosen = queries.choice_of(member, Kind(notice.kind))
    ways = []
    if member.email and (notice.is_urgent or chosen.by_mail):
        ways.append(Channel.MAIL)
    devices = PushSubscription.objects.filter(member=member, removed_at=None)
    if (notice.is_urgent or (chosen.by_push and not own)) and devices.exists():
        ways.append(Channel.PUSH)
    return ways


def mark_read(notices: Iterable[Notice]) -> int:
    """Mark these notices, which their member has just seen, as read; returns how many were new."""
    new = [notice.pk for notice in notices if notice.read_at is None]
    if not new:
        return 0
    rows = Notice.objects.filter(pk__in=new, read_at=None)
    return run_write(lambda: rows.update(read_at=clock.now()))


def settle(member: Member, event: str) -> None:
    """What ``event`` told needs no look any more: she has answered, or it is over. In the caller's transaction."""
    require_transaction()
    if Notice.objects.filter(member=member, event=event, read_at=None).update(read_at=clock.now()):
        live.broadcast(f"me.{member.code}", "notice")


def choose(member: Member, wishes: dict[Kind, Wish]) -> None:
    """Keep how ``member`` wants each kind of notice."""

    def work() -> None:
        for kind, wish in wishes.items():
            Choice.objects.update_or_create(member=member, kind=kind, defaults=asdict(wish))

    run_write(work)
