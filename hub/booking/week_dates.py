"""What may become of one date of a usual week: each step looks at the row under its lock, so none happens twice.

The date's row is locked before anything else of a booking (decision 0016).
"""

from django.utils.translation import gettext_lazy as _

from hub.booking.models_week import BOOKABLE, DateState, SeriesDate
from hub.core import clock
from hub.core.db import require_transaction
from hub.core.errors import DomainError
from hub.spaces.models import Visit


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


def keep(row: SeriesDate, visit: Visit) -> None:
    """The date is booked: in the transaction that made ``visit``."""
    require_transaction()
    row.state, row.visit = DateState.BOOKED, visit
    row.reason_code = row.reason = ""
    row.changed_at = clock.now()
    row.save(update_fields=["state", "visit", "reason_code", "reason", "changed_at"])


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
    rows = SeriesDate.objects.filter(pk=pk, state__in=(DateState.PLANNED, DateState.WAITING))
    return bool(rows.update(state=DateState.CANCELLED, changed_at=clock.now()))


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
