"""What the door writes on a visit: came, went, and taking either back. In the caller's transaction.

A visit stays live after somebody went out, with its claims: she may only have gone for lunch. Giving the rest back
is `booking.services.leave_early`; the night ends what nobody ended.
"""

from datetime import datetime

from hub.core.db import moment, prepared, require_transaction
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit


def arrive(visit: Visit, at: datetime) -> None:
    """``visit`` has begun: its first arrival is kept, whoever comes back is no longer gone."""
    require_transaction()
    visit.arrived_at, visit.left_at, visit.status = visit.arrived_at or at, None, VisitStatus.IN
    with prepared() as cursor:  # written out: on the path of every scan (decision 0006)
        cursor.execute(
            "UPDATE spaces_visit SET arrived_at = %s, left_at = NULL, status = %s WHERE id = %s",
            [moment(visit.arrived_at), VisitStatus.IN.value, visit.pk],
        )


def leave(visit: Visit, at: datetime) -> None:
    require_transaction()
    visit.left_at = at
    visit.save(update_fields=["left_at"])


def undo_arrival(visit: Visit) -> None:
    """As if nobody had come yet."""
    require_transaction()
    visit.arrived_at, visit.left_at, visit.status = None, None, VisitStatus.BOOKED
    visit.save(update_fields=["arrived_at", "left_at", "status"])


def undo_leave(visit: Visit) -> None:
    require_transaction()
    visit.left_at = None
    visit.save(update_fields=["left_at"])
