"""What is free: one look at claims and room quarters of some days, then pure arithmetic over it.

The same snapshot answers the date strip, the hour bar, the verdict and the search for alternatives, so the page
never says free where the quote says full. It takes no lock: booking decides.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta

from django.db import connection
from django.db.models import Q

from hub.booking import rules
from hub.booking.requests import SeatMode, SeatWish, VisitRequest
from hub.booking.services import candidates
from hub.childcare.capacity import counts_of
from hub.childcare.models import Child, ChildClaim, RoomQuarter
from hub.childcare.places import (
    NOTHING_LEFT,
    STATE,
    Assigned,
    Binding,
    Cell,
    Left,
    Wish,
    assign,
    best_left,
    left_by_class,
    state_of,
)
from hub.childcare.queries import rooms_of
from hub.childcare.ratio import Counts
from hub.core.quarters import Period, local, quarter_of
from hub.members.models import Member
from hub.spaces.facts import HubFacts, facts_of
from hub.spaces.models import Hub, Seat, Visit, VisitClaim, Zone

FEW_SEATS = 2


@dataclass(frozen=True)
class Verdict:
    """Whether a request would fit: free seats for it, children placed, or what stands in the way."""

    seats: tuple[Seat, ...]
    seat_ok: bool
    placed: tuple[Assigned, ...] = ()
    binding: Binding | None = None
    member_busy: bool = False
    child_busy: Child | None = None

    @property
    def ok(self) -> bool:
        return self.seat_ok and self.binding is None and not self.member_busy and self.child_busy is None


@dataclass
class Snapshot:
    """Claims and room quarters of ``hub`` from ``first`` to ``last`` (local days, both included)."""

    hub: Hub
    first: date
    last: date
    facts: HubFacts
    taken: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # quarter -> seats
    rows: dict[Cell, RoomQuarter] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)  # quarters in which the member is somewhere
    children_busy: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def free_seats(self, period: Period, seats: Sequence[Seat] | None = None) -> list[Seat]:
        """Seats free through the whole period."""
        gone: set[int] = set()
        for quarter in period.quarters:
            gone |= self.taken.get(quarter, set())
        return [seat for seat in (self.facts.seats if seats is None else seats) if seat.pk not in gone]

    def free_by_zone(self, period: Period) -> list[tuple[Zone, int, int]]:
        """Zone, seats free through the period, seats in all."""
        free = self.free_seats(period)
        return [
            (
                zone,
                sum(1 for seat in free if seat.zone_id == zone.pk),
                sum(1 for seat in self.facts.seats if seat.zone_id == zone.pk),
            )
            for zone in self.facts.zones
        ]

    def care(self, wishes: Sequence[Wish]) -> list[Assigned] | Binding:
        """Would these children fit together, beside those booked?"""
        return assign(wishes, rooms_of(self.hub), self.rows, {})

    def verdict(self, request: VisitRequest) -> Verdict:
        """The whole request at once."""
        options = candidates(self.hub, request.seat, near_children=bool(request.children))
        free = self.free_seats(request.period, options)
        seat_ok = bool(free) or request.seat.mode == SeatMode.NONE
        wishes = request.wishes
        result = self.care(wishes) if wishes else []
        child_busy = next(
            (
                w.child
                for w in wishes
                if any(q in self.children_busy.get(w.child.pk, ()) for q in w.period.quarters)
            ),
            None,
        )
        return Verdict(
            seats=tuple(free),
            seat_ok=seat_ok,
            placed=() if isinstance(result, Binding) else tuple(result),
            binding=result if isinstance(result, Binding) else None,
            member_busy=any(quarter in self.busy for quarter in request.period.quarters),
            child_busy=child_busy,
        )

    def care_left(self, quarter: int) -> dict[str, tuple[int, str]]:
        """Care places left in ``quarter`` by age class ("0".."5"), and the limit that binds when none is."""
        lefts = [
            left_by_class(state_of(self.rows[(room.pk, quarter)]), room.youngest, room.oldest)
            for room in rooms_of(self.hub)
            if (room.pk, quarter) in self.rows
        ]
        return {str(age): left for age, left in enumerate(best_left(lefts))}


@dataclass(frozen=True)
class QuarterLeft:
    """One quarter of a day: free seats in the order of the hub's zones, care places left by class."""

    quarter: int
    seats: tuple[int, ...]
    care: Left


# Written out: this is the most frequent read of the site, and composing it took the ORM four times as long as
# running it takes the database.
_TAKEN = """
SELECT claim.quarter, claim.seat_id FROM spaces_visitclaim claim JOIN spaces_seat seat ON seat.id = claim.seat_id
WHERE claim.quarter >= %s AND claim.quarter < %s AND seat.hub_id = %s
"""
_ROOMS = f"""
SELECT row.room_id, row.quarter, {", ".join(f"row.{name}" for name in STATE)}
FROM childcare_roomquarter row JOIN childcare_careroom room ON room.id = row.room_id
WHERE row.quarter >= %s AND row.quarter < %s AND room.hub_id = %s
"""  # noqa: S608  the names are our own columns


def day_table(hub: Hub, day: date) -> list[QuarterLeft]:
    """What is left in every quarter of the opening hours of ``day``, in two queries and no model instance."""
    facts = facts_of(hub)
    period = facts.day(day).period
    if period is None:
        return []
    window = (period.quarters.start, period.quarters.stop, hub.pk)
    order = {zone.pk: n for n, zone in enumerate(facts.zones)}
    zone_of = {seat.pk: order[seat.zone_id] for seat in facts.seats}
    totals = [0] * len(order)
    for n in zone_of.values():
        totals[n] += 1
    free = {quarter: list(totals) for quarter in period.quarters}
    rooms = {room.pk: (room.youngest, room.oldest) for room in rooms_of(hub)}
    lefts: dict[int, list[Left]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, window)
        for quarter, seat_id in cursor.fetchall():
            if seat_id in zone_of:  # a seat taken out of use may still be held
                free[quarter][zone_of[seat_id]] -= 1
        for zone_id, quarters in facts.closed_cells(day).items():
            for quarter in quarters:
                free[quarter][order[zone_id]] = 0
        cursor.execute(_ROOMS, window)
        for room_id, quarter, *state in cursor.fetchall():
            if room_id in rooms:
                lefts[quarter].append(left_by_class(tuple(state), *rooms[room_id]))
    return [
        QuarterLeft(
            quarter, tuple(free[quarter]), best_left(lefts[quarter]) if lefts[quarter] else NOTHING_LEFT
        )
        for quarter in period.quarters
    ]


def snapshot(
    hub: Hub,
    first: date,
    last: date,
    *,
    member: Member | None = None,
    children: Sequence[Child] = (),
    ignore: Visit | None = None,
) -> Snapshot:
    """Read the days in at most three queries (claims, room quarters, children's claims).

    ``ignore`` leaves out a visit's own claims: the question is then whether it could move.
    """
    facts = facts_of(hub)
    start = quarter_of(local(first, time(0), facts.tz))
    stop = quarter_of(local(last + timedelta(days=1), time(0), facts.tz))
    shot = Snapshot(hub, first, last, facts)
    window = Q(quarter__gte=start, quarter__lt=stop)
    whose = Q(seat_id__in=[seat.pk for seat in facts.seats])
    if member is not None:
        whose |= Q(member=member)
    for quarter, seat_id, member_id, visit_id in VisitClaim.objects.filter(window & whose).values_list(
        "quarter", "seat_id", "member_id", "visit_id"
    ):
        if ignore is not None and visit_id == ignore.pk:
            continue
        if seat_id is not None:
            shot.taken[quarter].add(seat_id)
        if member is not None and member_id == member.pk:
            shot.busy.add(quarter)
    _close_zones(shot)
    rooms = rooms_of(hub)
    if rooms:
        for row in RoomQuarter.objects.filter(window, room_id__in=[room.pk for room in rooms]):
            shot.rows[(row.room_id, row.quarter)] = row
    if children:
        rows = ChildClaim.objects.filter(window, child__in=children)
        for child_id, quarter, room_id, age_class, visit_id in rows.values_list(
            "child_id", "quarter", "place__room_id", "age_class", "place__visit_id"
        ):
            if ignore is None or visit_id != ignore.pk:
                shot.children_busy[child_id].add(quarter)
            else:
                _give_back(shot, (room_id, quarter), age_class)
    return shot


def _close_zones(shot: Snapshot) -> None:
    """Seats of a zone count as taken while it is closed."""
    if not shot.facts.closed_zones:
        return
    for n in range((shot.last - shot.first).days + 1):
        for zone_id, quarters in shot.facts.closed_cells(shot.first + timedelta(days=n)).items():
            seats = {seat.pk for seat in shot.facts.seats if seat.zone_id == zone_id}
            for quarter in quarters:
                shot.taken[quarter] |= seats


def _give_back(shot: Snapshot, cell: Cell, age_class: int) -> None:
    """In the picture of a move the visit's own children have left; a lack they were part of shrinks with them."""
    row = shot.rows.get(cell)
    if row is None:
        return
    counts: Counts = counts_of(row).plus(age_class, -1)
    row.n0, row.n1, row.n2, row.n3, row.n45 = counts
    if row.frozen_children:
        row.staff += row.shortfall
        row.qualified += row.qualified_shortfall
        row.places += row.over
        row.infant_limit += row.over
        row.toddler_limit += row.over
        row.shortfall = row.qualified_shortfall = row.over = row.frozen_children = 0


def sign(free: int, total: int) -> str:
    """○ △ × by the share that is left: △ at two or fewer, or at a fifth or less (ux.md 13)."""
    if free <= 0:
        return "full"
    return "few" if free <= FEW_SEATS or free * 5 <= total else "ok"


def any_seat(request: VisitRequest) -> VisitRequest:
    """The same request with おまかせ: alternatives at another time should not fail over one chair, or a closed zone."""
    if rules.closed_zone_of(request) is not None:
        return replace(request, seat=SeatWish())
    if request.seat.mode in (SeatMode.NONE, SeatMode.ANY):
        return request
    zone = request.seat.zone or (request.seat.seat.zone if request.seat.seat else None)
    same_hub = zone is not None and zone.hub_id == request.hub.pk
    return replace(request, seat=SeatWish(SeatMode.ZONE, zone=zone) if same_hub else SeatWish())
