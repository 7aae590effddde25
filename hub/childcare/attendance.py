"""Carers clock in, go on a break, come back and clock out. Only open ``work`` counts for the ratio (RULE-03).

Each tap is safe to repeat: who is at work already stays at work. A carer is in one room at a time; the database keeps that.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from hub.childcare.duty import (
    RatioShortNow,
    carer_of,
    check_right,
    counts_inside,
    hold_duty,
    law_of,
    need_of,
    tell,
    working,
)
from hub.childcare.enums import AttendanceKind
from hub.childcare.models import Attendance, Carer, CareRoom
from hub.core import clock
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub


def _open_row(carer: Carer) -> Attendance | None:
    rows = Attendance.objects.filter(carer=carer, ends_at__isnull=True)
    return rows.select_related("room__hub", "carer").first()


def _start(carer: Carer, room: CareRoom, kind: AttendanceKind, now: datetime) -> Attendance:
    try:
        with transaction.atomic():
            return Attendance.objects.create(carer=carer, room=room, kind=kind, starts_at=now)
    except IntegrityError:  # the same tap on two tablets
        found = _open_row(carer)
        assert found is not None
        return found


def _end(row: Attendance, now: datetime, *, was_short: bool = False) -> None:
    row.ends_at, row.was_short = max(now, row.starts_at), row.was_short or was_short
    row.save(update_fields=["ends_at", "was_short"])


def _leaves_short(row: Attendance, confirm: bool) -> bool:
    """Whether the children inside need the carer of ``row``. Raises `RatioShortNow` unless confirmed."""
    room, now = row.room, clock.now()
    others = [other for other in hold_duty(room) if other.pk != row.pk]
    need = need_of(room, law_of(room, now), counts_inside(room), working(others), now)
    if need.is_short and not confirm:
        raise RatioShortNow(need)
    return need.is_short


def clock_in(*, actor: Member, hub: Hub, carer: str, room: CareRoom) -> Attendance:
    """A carer begins to work in ``room``, or comes back from a break. Raises ``works_elsewhere`` (409), 403, 404."""

    def work() -> Attendance:
        check_right(actor, hub)
        who, now = carer_of(hub, carer), clock.now()
        row = _open_row(who)
        if row is not None and row.room_id != room.pk:
            raise DomainError(
                "works_elsewhere",
                _("この人は ほかの へやで しごと中です。先に そこで「帰る」を おしてください。"),
            )
        if row is not None and row.kind == AttendanceKind.WORK:
            return row
        if row is not None:
            _end(row, now)
        made = _start(who, room, AttendanceKind.WORK, now)
        tell(hub)
        return made

    return run_write(work)


def end_break(*, actor: Member, hub: Hub, carer: str) -> Attendance:
    """Back at work in the room where the break began. Raises ``not_at_work`` (409)."""

    def work() -> Attendance:
        check_right(actor, hub)
        row = _needs_row(carer_of(hub, carer))
        if row.kind == AttendanceKind.WORK:
            return row
        now = clock.now()
        _end(row, now)
        made = _start(row.carer, row.room, AttendanceKind.WORK, now)
        tell(hub)
        return made

    return run_write(work)


def start_break(*, actor: Member, hub: Hub, carer: str, confirm: bool = False) -> Attendance:
    """A break begins. Raises `RatioShortNow` when the children inside need her, unless ``confirm``: then her working
    time ends ``was_short``. Raises ``not_at_work`` (409)."""

    def work() -> Attendance:
        check_right(actor, hub)
        row = _needs_row(carer_of(hub, carer))
        if row.kind == AttendanceKind.BREAK:
            return row
        short = _leaves_short(row, confirm)
        now = clock.now()
        _end(row, now, was_short=short)
        made = _start(row.carer, row.room, AttendanceKind.BREAK, now)
        tell(hub)
        return made

    return run_write(work)


def clock_out(*, actor: Member, hub: Hub, carer: str, confirm: bool = False) -> Attendance | None:
    """The carer goes home; None when she was not there. Raises `RatioShortNow` as `start_break` does."""

    def work() -> Attendance | None:
        check_right(actor, hub)
        row = _open_row(carer_of(hub, carer))
        if row is None:
            return None
        short = row.kind == AttendanceKind.WORK and _leaves_short(row, confirm)
        _end(row, clock.now(), was_short=short)
        tell(hub)
        return row

    return run_write(work)


def _needs_row(carer: Carer) -> Attendance:
    row = _open_row(carer)
    if row is None:
        raise DomainError("not_at_work", _("先に「来た」を おしてください。"))
    return row


def close_forgotten(hub: Hub, before: datetime) -> int:
    """End what carers forgot to end before the day that begins at ``before``: at that day's closing, or at once.

    In the caller's transaction (the nightly tick). Returns how many.
    """
    require_transaction()
    rows = Attendance.objects.select_for_update().filter(
        room__hub=hub, ends_at__isnull=True, starts_at__lt=before
    )
    forgotten = list(rows.order_by("pk"))
    for row in forgotten:
        opening = facts_of(hub).day(row.starts_at.astimezone(hub.tz).date()).period
        _end(row, opening.ends_at if opening else row.starts_at)
    return len(forgotten)
