"""What may become of one date of a usual week: each step looks at the row under its lock, so none happens twice.

The date's row is locked before anything else of a booking (decision 0016).
"""

from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hub.booking.models_week import BOOKABLE, PENDING, DateState, SeriesDate
from hub.core import clock
from hub.core.db import require_transaction
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.models import Hub, Visit


class DateSettled(DomainError):
    """Somebody else (a second tap, the tick) settled this date meanwhile: nothing is left to do."""

    def __init__(self) -> None:
        super().__init__("date_settled", _("この日は もう きまっています。"))


def hold(pk: int) -> SeriesDate:
    """The date, locked until this transaction ends. Raises `DateSettled` unless it may still become a visit."""
    require_transaction()
    row = SeriesDate.objects.select_for_update().filter(pk=pk).first()
    if row is None or row.state not in BOOKABLE:
        raise DateSettled
    return row


def asked_from(member: Member, hub: Hub, series: str, day: date) -> SeriesDate | None:
    """The date of ``member``'s series with this code from which she asks to be told; None when there is no such date."""
    rows = SeriesDate.objects.filter(series__code=series, series__member=member, series__hub=hub, date=day)
    return rows.filter(state__in=BOOKABLE).first()


def hold_for(visit: Visit, linked: int | None) -> SeriesDate | None:
    """The date, locked, that has come true when ``visit`` is booked: ``linked`` (a primary key), or the one whose hours it takes.

    Somebody is in one place at a time, so a visit at the hours of a date that was refused at that hub leaves nothing of
    it to be booked: it is what became of the date, whoever of the children comes along. Of several dates that of the
    most common time, then the one that was asked for first. None: it is of no usual week, or the date was settled meanwhile.
    """
    require_transaction()
    when = visit.period.in_zone(visit.hub.tz)
    rows = SeriesDate.objects.select_for_update(of=("self",)).select_related("series")
    rows = rows.filter(series__member=visit.member_id, date=when.starts_at.date(), state__in=BOOKABLE)
    found = list(rows.filter(Q(pk=linked) | Q(series__hub=visit.hub_id)).order_by("pk"))

    def shared(row: SeriesDate) -> timedelta:
        starts = max(when.starts_at, local(row.date, row.starts, visit.hub.tz))
        return min(when.ends_at, local(row.date, row.ends, visit.hub.tz)) - starts

    fitting = [row for row in found if row.pk == linked or shared(row) > timedelta(0)]
    fitting.sort(key=lambda row: (row.pk != linked, -shared(row), row.series.made_at, row.pk))
    return fitting[0] if fitting else None


def keep(row: SeriesDate, visit: Visit, children: list[str] | None = None) -> None:
    """The date is booked: in the transaction that made ``visit``, whose hours it takes, or ``children`` (codes) where given."""
    require_transaction()
    when = visit.period.in_zone(visit.hub.tz)
    hours = (when.starts_at.time(), when.ends_at.time())
    row.is_shifted = row.is_shifted or hours != (row.starts, row.ends)
    row.starts, row.ends = hours
    row.children = row.children if children is None else children
    row.state, row.visit = DateState.BOOKED, visit
    row.reason_code = row.reason = ""
    row.changed_at = clock.now()
    row.save(
        update_fields=[
            "state", "visit", "starts", "ends", "children", "is_shifted", "reason_code", "reason", "changed_at",
        ]
    )  # fmt: skip


def refuse(pk: int, code: str, reason: str) -> bool:
    """Keep the refusal as a record, unless the date was settled meanwhile. Returns whether it was kept."""
    require_transaction()
    rows = SeriesDate.objects.filter(pk=pk, state__in=BOOKABLE)
    return bool(
        rows.update(
            state=DateState.REFUSED, reason_code=code[:40], reason=reason[:300], changed_at=clock.now()
        )
    )


def wait(pk: int) -> None:
    """Not open yet: the tick books it when it is."""
    require_transaction()
    SeriesDate.objects.filter(pk=pk, state=DateState.PLANNED).update(
        state=DateState.WAITING, changed_at=clock.now()
    )


def give_up(pk: int) -> bool:
    """Cancel a date that has no visit yet. False when it was settled meanwhile: then its visit is what to cancel."""
    require_transaction()
    rows = SeriesDate.objects.filter(PENDING, pk=pk)
    return bool(rows.update(state=DateState.CANCELLED, reason_code="", reason="", changed_at=clock.now()))


def close(visit: Visit) -> None:
    """``visit`` ended before its time, whoever ended it: so did its date, if it is one of a usual week."""
    require_transaction()
    SeriesDate.objects.filter(visit=visit, state=DateState.BOOKED).update(
        state=DateState.CANCELLED, reason_code="", reason="", changed_at=clock.now()
    )


def note(pk: int, code: str, reason: str) -> None:
    """Keep beside a date why its last change did not work (empty: it did); its state stays."""
    require_transaction()
    SeriesDate.objects.filter(pk=pk).update(
        reason_code=code[:40], reason=reason[:300], changed_at=clock.now()
    )
