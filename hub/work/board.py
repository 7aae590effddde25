"""Reads of the director's board of one order: its lots, who has how many, what was offered. Flat, whatever the numbers."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from hub.members.models import Member
from hub.work import queries
from hub.work.enums import AssignmentState, DeliveryState, EndReason, UnitState
from hub.work.models import Assignment, Delivery, Lease, Lot, Order, Unit

#: An offer that was not taken leaves nothing on the board: the units are free again, and that is all there is to know.
UNSEEN = (EndReason.DECLINED, EndReason.UNANSWERED)


@dataclass
class Counts:
    """How many units stand where, by `UnitState`."""

    counts: dict[str, int]

    @property
    def free(self) -> int:
        return self.counts.get(UnitState.FREE, 0)

    @property
    def held(self) -> int:
        return self.counts.get(UnitState.HELD, 0)

    @property
    def sent(self) -> int:
        return self.counts.get(UnitState.SENT, 0)

    @property
    def returned(self) -> int:
        return self.counts.get(UnitState.RETURNED, 0)

    @property
    def accepted(self) -> int:
        return self.counts.get(UnitState.ACCEPTED, 0)

    @property
    def rejected(self) -> int:
        return self.counts.get(UnitState.REJECTED, 0)


@dataclass
class LotRow(Counts):
    lot: Lot
    is_open: bool
    is_last: bool


def lots_of(order: Order) -> list[LotRow]:
    """Every lot with whether it is open and where its units stand. Four queries."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Unit.objects.filter(order=order).values_list("lot_id", "state").annotate(n=Count("pk"))
    for lot_pk, state, n in rows.order_by():
        counts[lot_pk][state] = n
    opened = {lot.pk for lot in queries.open_lots(order)}
    lots = list(order.lots.all())
    return [LotRow(counts[lot.pk], lot, lot.pk in opened, lot is lots[-1]) for lot in lots]


@dataclass
class PersonRow(Counts):
    """How far somebody is with an order: units in hand by state, and deliveries of hers that were decided."""

    member: Member


def progress_of(order: Order) -> list[PersonRow]:
    """Everybody who took units of ``order``, by name. Three queries. Offers that wait for an answer are not in it."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    leases = Lease.objects.filter(assignment__lot__order=order, assignment__accepted_at__isnull=False)
    for pk, state, n in (
        leases.values_list("assignment__member_id", "unit__state").annotate(n=Count("pk")).order_by()
    ):
        found[pk][state] = n
    decided = Delivery.objects.filter(
        unit__order=order, state__in=(DeliveryState.ACCEPTED, DeliveryState.REJECTED)
    )
    grouped = decided.values_list("notice__assignment__member_id", "state").annotate(n=Count("pk"))
    for pk, state, n in grouped.order_by():
        found[pk][state] = n
    people = Member.objects.filter(pk__in=found).order_by("kana", "pk")
    return [PersonRow(found[member.pk], member) for member in people]


def assignments_of(order: Order) -> QuerySet[Assignment]:
    """What was offered and taken, newest first, without offers that were not taken."""
    rows = Assignment.objects.filter(lot__order=order).exclude(
        state=AssignmentState.ENDED, end_reason__in=UNSEEN
    )
    return rows.select_related("member", "lot").order_by("-pk")
