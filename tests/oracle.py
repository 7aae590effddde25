"""A second opinion: the ratio in exact fractions, and a recount of everything booked, both written from the papers.

Nothing here calls the code that is tested. The arithmetic follows the sentences of domain.md A1.2 to A1.5 with
`fractions.Fraction`; the recount reads headers (visits, care places, roster) and says what claims and counters
should be.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from hub.booking.models import Offer, WaitEntry
from hub.childcare.models import CarePlace, CareRoom, ChildClaim, RoomClosure, RoomQuarter, Shift, ShiftChange
from hub.members.models import Guardian
from hub.spaces.models import Closure, Holiday, Hub, Membership, OpeningHours, Seat, Visit, VisitClaim

LIVE = ("booked", "offered", "in")
COLUMN_OF_CLASS = (0, 1, 2, 3, 4, 4)


class Law(NamedTuple):
    """Children per worker of each class, workers added, qualified share."""

    r0: int = 3
    r1: int = 6
    r2: int = 6
    r3: int = 15
    r45: int = 25
    plus: int = 0
    share: Fraction = Fraction(1, 2)


# --- RULE-01 ------------------------------------------------------------------------------------------------


def age_class(birthday: date, day: date) -> int:
    """Full age on 31 March before the fiscal year of ``day``; an age is reached at the end of the day before the birthday."""
    eve = date(day.year if day.month >= 4 else day.year - 1, 3, 31)
    age = 0
    while _day_before_birthday(birthday, birthday.year + age + 1) <= eve:
        age += 1
    return age


def _day_before_birthday(birthday: date, year: int) -> date:
    if (birthday.month, birthday.day) == (2, 29):
        return date(year, 2, 28)
    return date(year, birthday.month, birthday.day) - timedelta(days=1)


# --- RULE-02 to RULE-04 -------------------------------------------------------------------------------------


def cut(value: Fraction) -> Fraction:
    """Cut off after the first decimal (小数点第2位以下切り捨て)."""
    return Fraction(floor(value * 10), 10)


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def administrative(children: Iterable[int], law: Law) -> int:
    """RULE-02: bands 0 | 1-2 | 3 | 4-5, each cut, added, rounded half up, plus; never under 2 when a child is there."""
    n0, n1, n2, n3, n45 = children
    if n0 + n1 + n2 + n3 + n45 == 0:
        return 0
    together, apart = [Fraction(n1 + n2, law.r1)], [Fraction(n1, law.r1), Fraction(n2, law.r2)]
    ones_and_twos = together if law.r1 == law.r2 else apart
    bands = [Fraction(n0, law.r0), *ones_and_twos, Fraction(n3, law.r3), Fraction(n45, law.r45)]
    return max(2, half_up(sum((cut(band) for band in bands), Fraction(0))) + law.plus)


def strict(children: Iterable[int], law: Law) -> int:
    """RULE-03: the exact sum, rounded up."""
    ratios = (law.r0, law.r1, law.r2, law.r3, law.r45)
    return ceil(sum((Fraction(n, r) for n, r in zip(children, ratios, strict=True)), Fraction(0)))


def required(children: tuple[int, ...], law: Law, *, main_hours: bool = True) -> int:
    """Who must be there now: 2, the strict number and, in main hours, the administrative one, whichever is largest."""
    if sum(children) == 0:
        return 0
    return max(2, strict(children, law), administrative(children, law) if main_hours else 0)


def qualified(children: tuple[int, ...], law: Law) -> int:
    """RULE-04: the share of RULE-02's number, rounded up, at least 1."""
    return max(1, ceil(law.share * administrative(children, law))) if sum(children) else 0


# --- the recount --------------------------------------------------------------------------------------------


def quarters(starts_at: datetime, ends_at: datetime) -> set[int]:
    """Quarters of a half-open range, counted minute by minute rather than divided."""
    found, moment = set(), starts_at
    while moment < ends_at:
        found.add(int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) // 900)
        moment += timedelta(minutes=15)
    return found


def differences(*, roster_from: datetime | None = None) -> list[str]:
    """Everything that claims and counters say otherwise than the headers. Empty means nothing is wrong.

    ``roster_from``: also recount the staff of quarters from then on, from shifts and dated changes.
    """
    return [*_seats(), *_children(), *_rooms(), *_offers(), *(_staff(roster_from) if roster_from else [])]


def _seats() -> list[str]:
    wrong: list[str] = []
    claims: dict[int, list[tuple[int, int | None, int]]] = {}
    by_seat: Counter[tuple[int, int]] = Counter()
    by_member: Counter[tuple[int, int]] = Counter()
    for visit_id, member_id, seat_id, quarter in VisitClaim.objects.values_list(
        "visit_id", "member_id", "seat_id", "quarter"
    ):
        claims.setdefault(visit_id, []).append((member_id, seat_id, quarter))
        by_member[member_id, quarter] += 1
        if seat_id is not None:
            by_seat[seat_id, quarter] += 1
    wrong += [f"seat {cell} held {n} times" for cell, n in by_seat.items() if n > 1]
    wrong += [f"member {cell} in {n} places" for cell, n in by_member.items() if n > 1]
    for visit in Visit.objects.all():
        held = sorted(claims.pop(visit.pk, []), key=lambda claim: claim[2])
        wanted = quarters(visit.starts_at, visit.ends_at) if visit.status in LIVE else set()
        due = [(visit.member_id, visit.seat_id, quarter) for quarter in sorted(wanted)]
        if held != due:
            wrong.append(
                f"visit {visit.code} ({visit.status}) holds {len(held)} quarters, its header says {len(due)}"
            )
        if visit.seat is not None and visit.seat.hub_id != visit.hub_id:
            wrong.append(f"visit {visit.code} sits in another hub")
    return wrong


def _children() -> list[str]:
    wrong: list[str] = []
    claims: dict[int, list[tuple[int, int]]] = {}
    twice: Counter[tuple[int, int]] = Counter()
    for place_id, child_id, quarter in ChildClaim.objects.values_list("place_id", "child_id", "quarter"):
        claims.setdefault(place_id, []).append((child_id, quarter))
        twice[child_id, quarter] += 1
    wrong += [f"child {cell} in {n} rooms" for cell, n in twice.items() if n > 1]
    for place in CarePlace.objects.select_related("visit"):
        held = sorted(claims.pop(place.pk, []), key=lambda claim: claim[1])
        live = place.status == "booked" and place.visit.status in LIVE
        wanted = quarters(place.starts_at, place.ends_at) if live else set()
        if held != [(place.child_id, quarter) for quarter in sorted(wanted)]:
            wrong.append(
                f"place {place.pk} ({place.status}) holds {len(held)} quarters, its header says {len(wanted)}"
            )
        if live and not (place.visit.starts_at <= place.starts_at and place.ends_at <= place.visit.ends_at):
            wrong.append(f"place {place.pk} lies outside its visit")
        if place.status == "booked" and place.visit.status in ("cancelled", "cancelled_by_hub"):
            wrong.append(f"place {place.pk} outlived its visit")
    return wrong


@lru_cache(maxsize=4096)
def _needs(children: tuple[int, ...], numbers: tuple[int, ...], main_hours: bool) -> tuple[int, int]:
    """Staff and qualified staff for a row's counts and the law on it; remembered, since rows repeat."""
    *ratios, share_num, share_den = numbers
    law = Law(*ratios, share=Fraction(share_num, share_den))
    return required(children, law, main_hours=main_hours), qualified(children, law)


def _rooms() -> list[str]:
    wrong: list[str] = []
    counted: dict[tuple[int, int], list[int]] = {}
    for room_id, quarter, counted_as in ChildClaim.objects.values_list(
        "place__room_id", "quarter", "age_class"
    ):
        counted.setdefault((room_id, quarter), [0] * 5)[COLUMN_OF_CLASS[counted_as]] += 1
    for row in RoomQuarter.objects.all():
        there = (row.n0, row.n1, row.n2, row.n3, row.n45)
        due = tuple(counted.pop((row.room_id, row.quarter), [0] * 5))
        where = f"room {row.room_id} quarter {row.quarter}"
        if there != due:
            wrong.append(f"{where} counts {there}, claims say {due}")
        numbers = (row.r0, row.r1, row.r2, row.r3, row.r45, row.plus, row.share_num, row.share_den)
        children, needed = sum(there), _needs(there, numbers, row.in_main_hours)
        short, unqualified = max(0, needed[0] - row.staff), max(0, needed[1] - row.qualified)
        over = max(
            0,
            children - row.places,
            row.n0 + row.n1 - row.infant_limit,
            row.n2 + row.n3 + row.n45 - row.toddler_limit,
        )
        if (row.shortfall, row.qualified_shortfall, row.over) != (short, unqualified, over):
            wrong.append(
                f"{where} records lacks {(row.shortfall, row.qualified_shortfall, row.over)}, "
                f"they are {(short, unqualified, over)}"
            )
        if (short or unqualified or over) and row.frozen_children != children:
            wrong.append(f"{where} is short, but {row.frozen_children} are frozen of {children}")
        if (row.required, row.qualified_required) != needed:
            wrong.append(f"{where}: the database reckons {(row.required, row.qualified_required)}")
    wrong += [f"children without a room quarter: {cell}" for cell in counted]
    return wrong


def _staff(since: datetime) -> list[str]:
    """Staff on shift in every minute of a quarter, and not on a break in any, for quarters from ``since`` on."""
    wrong: list[str] = []
    shifts = list(Shift.objects.select_related("carer"))
    changes = list(ShiftChange.objects.select_related("carer"))
    first = int(since.timestamp()) // 900
    for row in RoomQuarter.objects.filter(quarter__gte=first).select_related("room__hub"):
        start = datetime.fromtimestamp(row.quarter * 900, row.room.hub.tz)
        day = start.date()
        mine = [c for c in changes if c.room_id == row.room_id and c.date == day]
        away = {c.carer_id for c in mine if c.kind == "absent"}
        blocks: list[Shift | ShiftChange] = [c for c in mine if c.kind == "extra"]
        for shift in shifts:
            if shift.room_id != row.room_id or shift.weekday != day.weekday() or shift.carer_id in away:
                continue
            if shift.valid_from <= day and (shift.valid_to is None or day <= shift.valid_to):
                blocks.append(shift)
        minutes = [(start + timedelta(minutes=m)).time() for m in range(15)]
        there = {
            block.carer_id
            for block in blocks
            if block.carer.is_active
            and block.starts is not None
            and block.ends is not None
            and all(block.starts <= minute < block.ends for minute in minutes)
            and not any(
                block.break_starts and block.break_ends and block.break_starts <= minute < block.break_ends
                for minute in minutes
            )
        }
        if len(there) != row.staff:
            wrong.append(
                f"room {row.room_id} {start:%d %H:%M}: staff {row.staff}, the roster says {len(there)}"
            )
    return wrong


# --- the waiting list ---------------------------------------------------------------------------------------


def _offers() -> list[str]:
    """Each offered visit has one open offer, and each open offer an offered visit that is what was waited for."""
    wrong: list[str] = []
    opened = {
        offer.visit_id: offer for offer in Offer.objects.filter(state="open").select_related("entry", "visit")
    }
    offered = set(Visit.objects.filter(status="offered").values_list("pk", flat=True))
    wrong += [f"visit {pk} is held for nobody" for pk in offered - set(opened)]
    wrong += [f"offer of visit {pk} holds nothing" for pk in set(opened) - offered]
    by_entry = Counter(offer.entry_id for offer in opened.values())
    wrong += [f"entry {pk} has {n} open offers" for pk, n in by_entry.items() if n > 1]
    for offer in opened.values():
        entry, visit = offer.entry, offer.visit
        minutes = int((visit.ends_at - visit.starts_at).total_seconds()) // 60
        if entry.state != "waiting" or minutes != entry.minutes:
            wrong.append(f"offer {offer.code}: {entry.state}, {minutes} instead of {entry.minutes} minutes")
        if not (entry.window_starts <= visit.starts_at and visit.ends_at <= entry.window_ends):
            wrong.append(f"offer {offer.code} lies outside its window")
        wanted = set(entry.children.values_list("child_id", flat=True))
        held = set(CarePlace.objects.filter(visit=visit, status="booked").values_list("child_id", flat=True))
        if wanted != held:
            wrong.append(f"offer {offer.code} holds places for {held}, asked for {wanted}")
    return wrong


def shut(closed: Closure | RoomClosure, here: datetime, there: datetime) -> bool:
    """Whether a local time of one day touches a closed time, minute by minute."""
    minute = here
    while minute < there:
        if closed.starts_on <= minute.date() <= closed.ends_on:
            if closed.closed_until is None and closed.closed_from is None:
                return True
            if closed.closed_until is not None and minute.time() < closed.closed_until:
                return True
            if closed.closed_from is not None and minute.time() >= closed.closed_from:
                return True
        minute += timedelta(minutes=15)
    return False


class World:
    """Everything that decides whether a wish fits, read once as plain Python. ``without``: visits thought away."""

    def __init__(self, without: frozenset[int] = frozenset()) -> None:
        self.visits = [v for v in Visit.objects.filter(status__in=LIVE) if v.pk not in without]
        self.places = [
            p
            for p in CarePlace.objects.filter(status="booked", visit__status__in=LIVE).select_related(
                "child", "room"
            )
            if p.visit_id not in without
        ]
        self.hubs = {hub.pk: hub for hub in Hub.objects.all()}
        self.seats = list(Seat.objects.filter(is_active=True).select_related("zone"))
        self.rooms = list(CareRoom.objects.filter(is_active=True).order_by("position", "pk"))
        self.rows = {(row.room_id, row.quarter): row for row in RoomQuarter.objects.all()}
        self.hours = {(h.hub_id, h.weekday): (h.opens, h.closes) for h in OpeningHours.objects.all()}
        self.closures = list(Closure.objects.all())
        self.rooms_closed = list(RoomClosure.objects.all())
        self.holidays = {(h.hub_id, h.date) for h in Holiday.objects.filter(is_closed=True)}
        counted: dict[tuple[int, int], list[int]] = {}
        for room_id, quarter, counted_as, visit_id in ChildClaim.objects.values_list(
            "place__room_id", "quarter", "age_class", "place__visit_id"
        ):
            if visit_id not in without:
                counted.setdefault((room_id, quarter), [0] * 5)[COLUMN_OF_CLASS[counted_as]] += 1
        self.counted = counted

    def is_open(self, hub: Hub, start: datetime, end: datetime) -> bool:
        here, there = start.astimezone(hub.tz), end.astimezone(hub.tz)
        day = here.date()
        if not hub.is_open or (hub.pk, day) in self.holidays or (hub.pk, day.weekday()) not in self.hours:
            return False
        if any(c.hub_id == hub.pk and c.zone_id is None and shut(c, here, there) for c in self.closures):
            return False
        opens, closes = self.hours[hub.pk, day.weekday()]
        return opens <= here.time() and there.time() <= closes and there.date() == day

    def rank(self, entry: WaitEntry) -> tuple[object, ...]:
        """The order of the hub's written classes, then the time of asking."""
        hub = self.hubs[entry.hub_id]
        week = entry.day.isocalendar()[:2]
        used = any(
            v.member_id == entry.member_id and v.starts_at.astimezone(hub.tz).date().isocalendar()[:2] == week
            for v in Visit.objects.filter(status__in=("booked", "in", "done"), member_id=entry.member_id)
        )
        first = {"no_visit": not used, "with_children": entry.children.exists()}
        return (*(not first[word] for word in hub.wait_order.split(",") if word), entry.asked_at, entry.pk)

    def may(self, entry: WaitEntry, now: datetime, start: datetime) -> bool:
        """The person: active, not blocked here, below the most open bookings; her children, approved and of age."""
        hub = self.hubs[entry.hub_id]
        roles = list(Membership.objects.filter(member_id=entry.member_id))
        if any(r.hub_id == hub.pk and r.status == "blocked" for r in roles):
            return False
        if not any(r.role == "worker" and r.status == "active" for r in roles):
            return False
        if (
            sum(1 for v in self.visits if v.member_id == entry.member_id and v.ends_at > now)
            >= hub.max_open_visits
        ):
            return False
        homes = set(Guardian.objects.filter(member_id=entry.member_id).values_list("household_id", flat=True))
        day = start.astimezone(hub.tz).date()
        for row in entry.children.select_related("child"):
            child = row.child
            if child.status != "approved" or child.household_id not in homes or child.birthday > day:
                return False
        return True

    def fits(self, entry: WaitEntry, start: datetime, now: datetime) -> bool:
        hub = self.hubs[entry.hub_id]
        end = start + timedelta(minutes=entry.minutes)
        wanted = quarters(start, end)
        if not self.is_open(hub, start, end) or not self.may(entry, now, start):
            return False
        if (start.astimezone(hub.tz).date() - now.astimezone(hub.tz).date()).days > hub.horizon_days:
            return False
        if entry.minutes > hub.max_visit_minutes:
            return False
        touching = [v for v in self.visits if v.starts_at < end and start < v.ends_at]
        if any(v.member_id == entry.member_id for v in touching):
            return False
        if entry.wants_seat:
            here, there = start.astimezone(hub.tz), end.astimezone(hub.tz)
            zones = {c.zone_id for c in self.closures if c.zone_id is not None and shut(c, here, there)}
            free = [
                s
                for s in self.seats
                if s.hub_id == hub.pk and s.zone_id not in zones and s.pk not in {v.seat_id for v in touching}
            ]
            if not any(
                s.zone_id == entry.zone_id if entry.zone_id else s.zone.kind != "onsite" for s in free
            ):
                return False
        added: Counter[tuple[int, int, int]] = Counter()
        for row in entry.children.select_related("child").order_by("pk"):
            child = row.child
            if any(p.child_id == child.pk and p.starts_at < end and start < p.ends_at for p in self.places):
                return False
            age = age_class(child.birthday, start.astimezone(hub.tz).date())
            for room in self.rooms:
                closed = any(
                    c.room_id == room.pk and shut(c, start.astimezone(hub.tz), end.astimezone(hub.tz))
                    for c in self.rooms_closed
                )
                if room.hub_id == hub.pk and not closed and self._takes(room, age, wanted, added):
                    added.update((room.pk, quarter, COLUMN_OF_CLASS[age]) for quarter in wanted)
                    break
            else:
                return False
        return True

    def _takes(
        self, room: CareRoom, age: int, wanted: set[int], added: Counter[tuple[int, int, int]]
    ) -> bool:
        if age > 5 or not room.youngest <= age <= room.oldest:
            return False
        for quarter in wanted:
            row = self.rows.get((room.pk, quarter))
            if row is None or row.shortfall or row.qualified_shortfall or row.over:
                return False
            there = list(self.counted.get((room.pk, quarter), [0] * 5))
            for column in range(5):
                there[column] += added[room.pk, quarter, column]
            there[COLUMN_OF_CLASS[age]] += 1
            numbers = (row.r0, row.r1, row.r2, row.r3, row.r45, row.plus, row.share_num, row.share_den)
            staff, able = _needs(tuple(there), numbers, row.in_main_hours)
            if staff > row.staff or able > row.qualified or sum(there) > row.places:
                return False
            if there[0] + there[1] > row.infant_limit or sum(there[2:]) > row.toddler_limit:
                return False
        return True

    def comes_true(self, entry: WaitEntry, now: datetime) -> datetime | None:
        """The first quarter at which the wish fits and may still be offered, or None."""
        start = entry.window_starts
        last = entry.window_ends - timedelta(minutes=entry.minutes)
        soonest = now + timedelta(minutes=self.hubs[entry.hub_id].offer_cutoff)
        while start <= last:
            if start >= soonest and self.fits(entry, start, now):
                return start
            start += timedelta(minutes=15)
        return None


def overlooked(now: datetime) -> list[str]:
    """Whoever waits without an offer although everything that she waits for is free: must be nobody."""
    asked = set(Offer.objects.filter(state="open").values_list("entry_id", flat=True))
    waiting = [e for e in WaitEntry.objects.filter(state="waiting").order_by("pk") if e.pk not in asked]
    if not waiting:
        return []
    world = World()
    found = []
    for entry in waiting:
        start = world.comes_true(entry, now)
        if start is not None:
            found.append(f"entry {entry.code} ({entry.pk}) waits, but {start:%d %H:%M}Z is free for it")
    return found


def jumped(offers: list[Offer], now: datetime) -> list[str]:
    """Whoever stood before one of ``offers`` and would have fitted into what it took."""
    wrong = []
    asked = set(Offer.objects.filter(state="open").values_list("entry_id", flat=True))
    for offer in offers:
        world = World(frozenset({offer.visit_id}))
        mine = world.rank(offer.entry)
        for entry in WaitEntry.objects.filter(state="waiting", hub=offer.entry.hub_id, day=offer.entry.day):
            if entry.pk in asked or world.rank(entry) >= mine:
                continue
            if world.comes_true(entry, now) is not None:
                wrong.append(f"entry {entry.pk} stood before {offer.entry_id} and would have fitted")
    return wrong
