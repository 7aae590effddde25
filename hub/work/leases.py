"""Units in somebody's hands. Every change of who has a unit goes through here, inside the caller's transaction.

`Unit.state`, the lease and the assignment change together: FREE has no lease; HELD, SENT and RETURNED have one; a settled
unit (ACCEPTED, REJECTED) has none. `check_invariants` recounts it.
"""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import insert_rows, require_transaction
from hub.core.errors import DomainError
from hub.work.enums import AssignmentState, EndReason, UnitState
from hub.work.models import Assignment, Lease, Lot, Unit

STEP = 5_000  # rows named in one statement


def free_units(lot: Lot, count: int) -> list[int]:
    """Primary keys of the next ``count`` free units of ``lot``, in their order, held until the transaction ends.

    Rows that somebody else is just taking are passed over on PostgreSQL (SKIP LOCKED); SQLite has one writer.
    """
    require_transaction()
    units = Unit.objects.select_for_update(skip_locked=True).filter(lot=lot, state=UnitState.FREE)
    return list(units.order_by("number").values_list("pk", flat=True)[:count])


def take(assignment: Assignment, units: Sequence[int]) -> None:
    """Lease ``units`` (primary keys) to ``assignment``. The unique constraint of `Lease` refuses a second owner (IntegrityError)."""
    require_transaction()
    insert_rows(Lease, ("unit_id", "assignment_id"), [(pk, assignment.pk) for pk in units])
    for first in range(0, len(units), STEP):
        Unit.objects.filter(pk__in=units[first : first + STEP]).update(state=UnitState.HELD)


def give_back(assignment: Assignment, reason: EndReason) -> int:
    """End ``assignment`` for ``reason``: what was not sent in is free again, what was sent in stays hers. Returns how many.

    What came back with corrections goes only when she lets it go herself: time that is up, or an illness, leaves it to her
    for another week (`review.free_unmended`). What she typed stays in her draft.
    """
    require_transaction()
    own_doing = reason not in (EndReason.TIME_UP, EndReason.CHILD_SICK)
    states = (UnitState.HELD, UnitState.RETURNED) if own_doing else (UnitState.HELD,)
    # Their rows are held: one that is being sent in at this moment is seen as sent, not taken away.
    held = held_of(assignment).filter(state__in=states).select_for_update(of=("self",), no_key=True)
    units = list(held.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(units), STEP):
        part = units[first : first + STEP]
        Lease.objects.filter(unit__in=part).delete()
        Unit.objects.filter(pk__in=part).update(state=UnitState.FREE)
    end(assignment, reason)
    return len(units)


def held_of(assignment: Assignment) -> QuerySet[Unit]:
    """The units of ``assignment`` that were not sent in, or were returned."""
    return Unit.objects.filter(lease__assignment=assignment, state__in=(UnitState.HELD, UnitState.RETURNED))


def end(assignment: Assignment, reason: EndReason) -> None:
    """Write down that ``assignment`` ended. Units that are being reviewed keep their lease until they are settled."""
    Assignment.objects.filter(pk=assignment.pk).exclude(state=AssignmentState.ENDED).update(
        state=AssignmentState.ENDED, end_reason=reason, ended_at=clock.now()
    )


def settle(unit: Unit, state: UnitState) -> None:
    """``unit`` is ACCEPTED or REJECTED: nobody holds it any more; the assignment ends with its last unit."""
    require_transaction()
    lease = Lease.objects.select_related("assignment").filter(unit=unit).first()
    Unit.objects.filter(pk=unit.pk).update(state=state)
    if lease is not None:
        # Whoever settles another unit of it at this moment waits here; else neither would see that it was the last.
        Assignment.objects.select_for_update(no_key=True).get(pk=lease.assignment_id)
        lease.delete()
        if not lease.assignment.leases.exists():
            end(lease.assignment, EndReason.DONE)


def set_free(units: Iterable[int]) -> None:
    """Rejected units may be done by somebody else now."""
    require_transaction()
    Unit.objects.filter(pk__in=list(units), state=UnitState.REJECTED).update(state=UnitState.FREE)


def held_by(member_pk: int) -> QuerySet[Lease]:
    """What ``member_pk`` has in hand and may open: leases of assignments that she took, also of one that ended meanwhile."""
    return Lease.objects.filter(
        assignment__member_id=member_pk, assignment__accepted_at__isnull=False
    ).select_related("unit", "assignment__lot__order__hub")


def hold(unit: Unit) -> Unit:
    """The row of ``unit``, held until the transaction ends. Raises `DomainError` ``unknown_unit`` (404)."""
    held = Unit.objects.select_for_update().filter(pk=unit.pk).first()
    if held is None:
        raise DomainError("unknown_unit", _("この しごとは 見つかりません。"), 404)
    return held
