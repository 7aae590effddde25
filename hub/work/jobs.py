"""Reads of a worker's page しごと: offers, what is in hand, what can be taken, what fits into today's visit. Flat."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.db.models import Count, Q

from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.enums import LIVE_STATUSES, MembershipStatus, Role, VisitStatus
from hub.spaces.models import Hub, Membership, Visit
from hub.work import queries, room
from hub.work.enums import AssignmentState, How, Level, OrderKind, OrderState, UnitState
from hub.work.models import Assignment, Lease, Lot, OfferedHours, Order, Skill, Unit
from hub.work.yields import Yield, yields_of


@dataclass
class Card:
    """An offer or work in hand. Times are in the hub's zone."""

    assignment: Assignment
    order: Order
    gain: Yield
    due: datetime
    answer_by: datetime | None
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        """Units that she has not begun to send in."""
        return self.counts[UnitState.HELD]

    @property
    def returned(self) -> int:
        return self.counts[UnitState.RETURNED]

    @property
    def sent(self) -> int:
        return self.counts[UnitState.SENT]


@dataclass
class Open:
    """A lot of which units may be claimed. ``takes`` is how many she may take now; 0 with ``opens`` above her level."""

    lot: Lot
    order: Order
    gain: Yield
    free: int
    takes: int
    due: datetime
    needs: int | None  # the level that she lacks
    course: str = ""  # the work that opens it, where there is one
    course_units: int = 0

    @property
    def needs_label(self) -> str:
        return str(Level(self.needs).label) if self.needs else ""


@dataclass(frozen=True)
class Fit:
    """So many units of something can be finished before her visit ends."""

    order: Order
    count: int
    gain: Yield
    assignment: Assignment | None
    lot: Lot | None


@dataclass
class Jobs:
    """Everything that the page shows."""

    offers: list[Card]
    hand: list[Card]
    open: list[Open]
    until: datetime | None  # when her current or next visit of today ends
    fits: list[Fit]
    places: list[tuple[Hub, int, list[tuple[str, str]]]]  # hub, minutes a week, kind and level

    @property
    def is_empty(self) -> bool:
        return not (self.offers or self.hand or self.open)


def hubs_of(member: Member) -> list[Hub]:
    """Hubs at which ``member`` is an active worker, the home hub first."""
    rows = Membership.objects.filter(member=member, role=Role.WORKER, status=MembershipStatus.ACTIVE)
    return [row.hub for row in rows.select_related("hub").order_by("-is_home", "hub_id")]


def jobs_of(member: Member) -> Jobs:
    """What ``member`` sees on しごと. The number of queries does not grow with the work."""
    hubs, now = hubs_of(member), clock.now()
    mine = list(
        Assignment.objects.filter(member=member)
        .filter(
            Q(state=AssignmentState.OFFERED, answer_by__gt=now, lot__order__hub__in=hubs)
            | Q(state=AssignmentState.ACCEPTED)
            | Q(accepted_at__isnull=False, leases__unit__state=UnitState.RETURNED)
        )
        .distinct()
        .select_related("lot__order__hub")
        .order_by("due_at", "pk")
    )
    levels = levels_of(member, hubs)
    lots = _claimable(hubs)
    gains = yields_of([*(row.lot.order for row in mine), *(lot.order for lot in lots)])
    counts = _counts(mine)
    cards = [_card(row, gains[row.lot.order_id], counts[row.pk]) for row in mine]
    offers = [card for card in cards if card.assignment.state == AssignmentState.OFFERED]
    hand = [card for card in cards if card.assignment.state != AssignmentState.OFFERED]
    opened = _open(member, lots, levels, gains)
    until, fits = _fits(member, now, hand, opened)
    return Jobs(offers, hand, opened, until, fits, _places(member, hubs, levels))


def _card(row: Assignment, gain: Yield, counts: Counter[str]) -> Card:
    tz = row.lot.order.hub.tz
    until = row.answer_by.astimezone(tz) if row.answer_by else None
    return Card(row, row.lot.order, gain, row.due_at.astimezone(tz), until, counts)


def card_of(row: Assignment) -> Card:
    """The card of one assignment (with its lot, order and hub), for its own page."""
    return _card(row, yields_of([row.lot.order])[row.lot.order_id], _counts([row])[row.pk])


def _counts(rows: Iterable[Assignment]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    leases = Lease.objects.filter(assignment__in=[row.pk for row in rows])
    for pk, state, n in leases.values_list("assignment_id", "unit__state").annotate(n=Count("pk")).order_by():
        found[pk][state] = n
    return found


# ---------------------------------------------------------------- what can be taken


def levels_of(member: Member, hubs: Iterable[Hub]) -> dict[tuple[int, str], int]:
    """Her level by hub and kind of work; where nothing is said it is the first."""
    found = {(hub.pk, str(kind)): int(Level.FIRST) for hub in hubs for kind in OrderKind}
    rows = Skill.objects.filter(member=member, hub__in=[hub.pk for hub in hubs])
    return found | {(hub, kind): level for hub, kind, level in rows.values_list("hub_id", "kind", "level")}


def _claimable(hubs: Iterable[Hub]) -> list[Lot]:
    lots = Lot.objects.filter(
        most_per_claim__gt=0, order__hub__in=list(hubs), order__state=OrderState.ACCEPTED,
        order__is_confidential=False,
    )  # fmt: skip
    found = list(lots.select_related("order__hub").order_by("order__deadline", "order_id", "number"))
    by_order = {lot.order_id: lot.order for lot in found}
    opened = {lot.pk for rows in queries.open_lots_of(by_order.values()).values() for lot in rows}
    return [lot for lot in found if lot.pk in opened]


def _open(
    member: Member, lots: list[Lot], levels: dict[tuple[int, str], int], gains: dict[int, Yield]
) -> list[Open]:
    pks = [lot.pk for lot in lots]
    free = dict(
        Unit.objects.filter(lot__in=pks, state=UnitState.FREE)
        .values_list("lot_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    mine = Lease.objects.filter(
        assignment__member=member, assignment__how=How.CLAIMED, unit__lot__in=pks, unit__state=UnitState.HELD
    )
    held = dict(mine.values_list("unit__lot_id").annotate(n=Count("pk")).order_by())
    found = []
    for lot in lots:
        order, here = lot.order, free.get(lot.pk, 0)
        try:
            due = room.due_of(order)
        except DomainError:
            continue  # nothing can be sent in any more before the deadline
        if not here:
            continue
        needed = room.level_for(order, lot)
        lacks = levels[order.hub_id, order.kind] < needed
        takes = 0 if lacks else max(min(lot.most_per_claim - held.get(lot.pk, 0), here), 0)
        one = Open(lot, order, gains[order.pk], here, takes, due.at, needed if lacks else None)
        if lacks:
            _name_course(one, lots)
        found.append(one)
    return found


def _name_course(one: Open, lots: list[Lot]) -> None:
    for lot in lots:
        order = lot.order
        if (order.hub_id, order.kind, lot.opens_level) == (one.order.hub_id, one.order.kind, one.needs):
            one.course, one.course_units = order.title, lot.course_units
            return


def open_of(member: Member, order_code: str, number: int) -> Open | None:
    """One lot as ``member`` may claim it; None where she sees nothing to claim."""
    hubs = hubs_of(member)
    lots = [lot for lot in _claimable(hubs) if lot.order.code == order_code and lot.number == number]
    found = _open(member, lots, levels_of(member, hubs), yields_of(lot.order for lot in lots))
    return found[0] if found else None


# ---------------------------------------------------------------- today's visit


def visit_today(member: Member, now: datetime) -> Visit | None:
    """The visit that runs now, or the next one that begins today."""
    rows = Visit.objects.filter(member=member, status__in=LIVE_STATUSES, ends_at__gt=now)
    visit = rows.exclude(status=VisitStatus.OFFERED).select_related("hub").order_by("starts_at").first()
    if visit is None:
        return None
    tz = visit.hub.tz
    midnight = local(now.astimezone(tz).date() + timedelta(days=1), time(0), tz)
    return visit if visit.starts_at < midnight else None


def _fits(
    member: Member, now: datetime, hand: list[Card], opened: list[Open]
) -> tuple[datetime | None, list[Fit]]:
    visit = visit_today(member, now)
    if visit is None:
        return None, []
    seconds = int((visit.ends_at - max(now, visit.starts_at)).total_seconds())
    fits = [
        Fit(card.order, min(card.left, card.gain.fits(seconds)), card.gain, card.assignment, None)
        for card in hand
    ]
    fits += [
        Fit(one.order, min(one.takes, one.gain.fits(seconds)), one.gain, None, one.lot) for one in opened
    ]
    return visit.ends_at.astimezone(visit.hub.tz), [fit for fit in fits if fit.count]


def _places(
    member: Member, hubs: list[Hub], levels: dict[tuple[int, str], int]
) -> list[tuple[Hub, int, list[tuple[str, str]]]]:
    rows = OfferedHours.objects.filter(member=member, hub__in=[hub.pk for hub in hubs])
    hours = dict(rows.values_list("hub_id", "minutes_a_week"))
    return [
        (
            hub,
            hours.get(hub.pk, 0),
            [(str(kind.label), str(Level(levels[hub.pk, str(kind)]).label)) for kind in OrderKind],
        )
        for hub in hubs
    ]
