"""Recounting everything from the headers: what `manage.py check_invariants` says, and the state machine after each step.

The counting here is written a second time on purpose: with exact fractions instead of `childcare.ratio`'s integers,
with Python sets instead of SQL, and without `places.change`. docs/invariants.md says what each line means.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum

from hub.booking.enums import EntryState, OfferState
from hub.booking.models import Offer, WaitEntry
from hub.booking.models_week import DateState, SeriesDate
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, ChildClaim, Custody, Handover, RoomClosure, RoomQuarter
from hub.childcare.queries import age_class_in
from hub.core import clock
from hub.core.db import WRITE_LOCK
from hub.core.models import Heartbeat
from hub.core.quarters import local, quarter_of, start_of
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import ClosedTime, Closure, Hub, Visit, VisitClaim
from hub.work.enums import LEASED, AssignmentState, DeliveryState, OrderState, UnitState
from hub.work.models import Assignment, Earning, Lot, Order, OrderRate, Unit
from hub.work.models import Delivery as WorkDelivery

#: Places of these visits hold no claims, but were used: they stay as history.
USED = (VisitStatus.DONE, VisitStatus.NO_SHOW)
NIGHTLY = "nightly"
CUSTODY_DAYS = timedelta(days=2)  # a night's run sees the day before, whatever the zone


def nightly_name(hub: Hub) -> str:
    """The heartbeat of a hub's nightly clean-up (hub/tick.py)."""
    return f"{NIGHTLY}.{hub.slug}"[:40]


@dataclass
class Picture:
    """Everything from the start of today on, read in a handful of queries."""

    since: dict[int, int] = field(default_factory=dict)  # hub -> first quarter that is looked at
    hubs: dict[int, Hub] = field(default_factory=dict)
    visits: dict[int, Visit] = field(default_factory=dict)  # live ones
    places: list[CarePlace] = field(default_factory=list)


@contextmanager
def _one_moment() -> Iterator[None]:
    """All reads see the same moment: a booking that commits in between would look like a difference."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with WRITE_LOCK, transaction.atomic():
            yield
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def differences() -> list[str]:
    """What the claims and counters say otherwise than the headers, one sentence each; empty when all is well."""
    with _one_moment():
        picture = _picture()
        return [
            *_visits(picture),
            *_closed_parts(picture),
            *_visit_claims(picture),
            *_places(picture),
            *_child_claims_and_rooms(picture),
            *_custodies(),
            *_offers(),
            *_usual_weeks(),
            *_orders(),
        ]


def stragglers() -> list[str]:
    """Codes of live visits that have not ended and stand in closed time (I11)."""
    with _one_moment():
        rows = Visit.objects.filter(status__in=LIVE_STATUSES, ends_at__gt=clock.now()).select_related("hub")
        return [visit.code for visit in rows.order_by("pk") if _is_in_closed_time(visit)]


def _picture() -> Picture:
    picture = Picture()
    beats = dict(Heartbeat.objects.filter(name__startswith=NIGHTLY).values_list("name", "beat_at"))
    for hub in Hub.objects.all():
        day = clock.today(hub.tz)
        put_away = beats.get(nightly_name(hub))
        if put_away is not None:  # a demo's clock may have gone back over a night that was cleaned up already
            day = max(day, put_away.astimezone(hub.tz).date())
        picture.hubs[hub.pk] = hub
        picture.since[hub.pk] = quarter_of(local(day, time(0), hub.tz))
    if not picture.hubs:
        return picture
    first = start_of(min(picture.since.values()))
    rows = Visit.objects.filter(ends_at__gt=first)
    for visit in rows.filter(status__in=LIVE_STATUSES).select_related("seat").order_by("pk"):
        visit.hub = picture.hubs[visit.hub_id]
        picture.visits[visit.pk] = visit
    places = CarePlace.objects.filter(status=PlaceStatus.BOOKED, visit__ends_at__gt=first)
    picture.places = list(places.select_related("visit", "room", "child").order_by("pk"))
    return picture


def _quarters(starts_at: datetime, ends_at: datetime, since: int) -> list[int]:
    """Every quarter touched by the time, counted by stepping through it."""
    first, last = int(starts_at.timestamp()) // 900, -(-int(ends_at.timestamp()) // 900)
    return [quarter for quarter in range(first, last) if quarter >= since]


def _is_in_closed_time(visit: Visit) -> bool:
    """Whether what is left of it lies outside the hours: a morning that was closed afterwards is over."""
    opening = facts_of(visit.hub).day(visit.starts_at.astimezone(visit.hub.tz).date()).period
    if opening is None:
        return True
    return max(visit.starts_at, clock.now()) < opening.starts_at or visit.ends_at > opening.ends_at


def _is_inside(visit: Visit) -> bool:
    """Who is there already is not put out by a closure: staff are told to speak to her."""
    return visit.arrived_at is not None or Custody.objects.filter(place__visit=visit).exists()


def _touches(closed: ClosedTime, starts_at: datetime, ends_at: datetime, hub: Hub) -> bool:
    """Whether what is left of a time of one local day lies in ``closed``, in part at least."""
    now = clock.now()
    here, there = max(starts_at, now).astimezone(hub.tz), ends_at.astimezone(hub.tz)
    if ends_at <= now or not closed.starts_on <= here.date() <= closed.ends_on:
        return False
    if closed.closed_until is None and closed.closed_from is None:
        return True
    if closed.closed_until is not None:
        return here.time() < closed.closed_until
    assert closed.closed_from is not None
    return there.time() > closed.closed_from or there.date() != here.date()


def _closed_parts(picture: Picture) -> Iterator[str]:
    """Nobody sits in a closed zone and no child is booked into a closed room, but for who was there before."""
    zones: dict[int, list[Closure]] = defaultdict(list)
    for closure in Closure.objects.filter(zone__isnull=False):
        zones[closure.zone_id or 0].append(closure)
    for visit in picture.visits.values() if zones else ():
        closures = zones[visit.seat.zone_id] if visit.seat is not None else []
        closed = any(_touches(one, visit.starts_at, visit.ends_at, visit.hub) for one in closures)
        if closed and not _is_inside(visit):
            yield f"visit {visit.code} has a seat in a closed zone"
    rooms: dict[int, list[RoomClosure]] = defaultdict(list)
    for row in RoomClosure.objects.all():
        rooms[row.room_id].append(row)
    for place in picture.places if rooms else ():
        booked = picture.visits.get(place.visit_id)
        if booked is None:
            continue
        closed = any(
            _touches(one, place.starts_at, place.ends_at, booked.hub) for one in rooms[place.room_id]
        )
        if closed and not Custody.objects.filter(place__visit=booked).exists():
            yield f"visit {booked.code}: a child's place is in a closed room"


def _usual_weeks() -> Iterator[str]:
    """A date that says booked stands for a visit of that very member which nobody ended."""
    ended = (VisitStatus.CANCELLED, VisitStatus.CANCELLED_BY_HUB, VisitStatus.RELEASED)
    wrong = ~Q(visit__member=F("series__member")) | Q(visit__status__in=ended)
    rows = SeriesDate.objects.filter(wrong, state=DateState.BOOKED).order_by("pk")
    for code, day, status in rows.values_list("series__code", "date", "visit__status"):
        yield f"series {code}: {day} is booked, but its visit is {status} or of somebody else"


def _orders() -> Iterator[str]:
    """Units and lots as the order counts them; the terms as they were agreed."""
    orders = list(Order.objects.select_related("terms"))
    if not orders:
        return
    units = {
        row["order"]: row
        for row in Unit.objects.values("order").annotate(
            n=Count("pk"), first=Min("number"), last=Max("number")
        )
    }
    lots = dict(Lot.objects.values_list("order").annotate(all=Sum("size")).values_list("order", "all"))
    for order in orders:
        here = units.get(order.pk, {"n": 0, "first": 1, "last": 0})
        if here["n"] != order.units_kept or (here["first"], here["last"]) != (1, order.units_kept):
            yield f"order {order.code} counts {order.units_kept} units, but {here['n']} are there"
        if lots.get(order.pk) != order.unit_count:
            yield f"order {order.code} has {order.unit_count} units, but its lots {lots.get(order.pk)}"
        terms = getattr(order, "terms", None)
        if (terms is not None) != (order.state == OrderState.ACCEPTED):
            yield f"order {order.code} is {order.state}, but its terms say otherwise"
        elif terms and (terms.unit_count, terms.price_yen) != (order.unit_count, order.price_yen):
            yield f"order {order.code} is not what was agreed"
    if Assignment.objects.exists():
        yield from _units()
        yield from _earnings()


def _units() -> Iterator[str]:
    """Where each unit stands, as its lease and its deliveries say it. Only what is wrong is read."""
    units, sent = Unit.objects.order_by("pk"), WorkDelivery.objects.order_by("pk")

    def codes(rows: QuerySet[Any], *names: str) -> list[tuple[str, ...]]:
        return list(rows.values_list(*names))

    for code, state in codes(units.filter(state__in=LEASED, lease__isnull=True), "code", "state"):
        yield f"unit {code} is {state}, but nobody holds it"
    for code, state in codes(units.filter(lease__isnull=False).exclude(state__in=LEASED), "code", "state"):
        yield f"unit {code} is {state}, but somebody holds it"
    for wanted, delivered in (
        (UnitState.SENT, DeliveryState.SENT),
        (UnitState.RETURNED, DeliveryState.RETURNED),
        (UnitState.ACCEPTED, DeliveryState.ACCEPTED),
        (UnitState.REJECTED, DeliveryState.REJECTED),
    ):
        such = WorkDelivery.objects.filter(unit=OuterRef("pk"), state=delivered)
        for (code,) in codes(units.filter(~Exists(such), state=wanted), "code"):
            yield f"unit {code} is {wanted}, but no delivery of it is"
    for live in (DeliveryState.SENT, DeliveryState.ACCEPTED):
        astray = sent.filter(state=live).exclude(unit__state=live)
        for code, unit, state in codes(astray, "code", "unit__code", "unit__state"):
            yield f"delivery {code} is {live}, but its unit {unit} is {state}"
        twice = WorkDelivery.objects.filter(state=live).values("unit__code").annotate(n=Count("pk"))
        for unit, n in codes(twice.filter(n__gt=1).order_by("unit__code"), "unit__code", "n"):
            yield f"unit {unit} is {live} {n} times"
    said_yes = Assignment.objects.filter(accepted_at__isnull=False).order_by("pk")
    for (code,) in codes(said_yes.filter(notice__isnull=True), "code"):
        yield f"assignment {code} was accepted, but nothing was told in writing"
    done = said_yes.filter(state=AssignmentState.ACCEPTED, leases__isnull=True)
    for (code,) in codes(done, "code"):
        yield f"assignment {code} goes on, but nothing of it is left"


def _earnings() -> Iterator[str]:
    """What was accepted is paid once, to who did it, as a rate of its order says; nothing else is paid."""
    unpaid = WorkDelivery.objects.filter(state=DeliveryState.ACCEPTED, earning__isnull=True)
    for code in unpaid.order_by("pk").values_list("code", flat=True):
        yield f"delivery {code} is accepted, but brings nothing"
    parts = ("price_yen", "worker_yen", "director_yen", "hub_yen", "platform_yen")
    same = {name: OuterRef(name) for name in parts}
    rate = OrderRate.objects.filter(order=OuterRef("order"), **same)
    rows = Earning.objects.annotate(agreed=Exists(rate)).filter(
        ~Q(delivery__state=DeliveryState.ACCEPTED)
        | ~Q(member=F("delivery__notice__assignment__member"))
        | ~Q(order=F("delivery__unit__order"))
        | ~Q(price_yen=F("worker_yen") + F("director_yen") + F("hub_yen") + F("platform_yen"))
        | Q(agreed=False)
    )
    for earning in rows.select_related("delivery__notice__assignment", "delivery__unit").order_by("pk"):
        delivery = earning.delivery
        if delivery.state != DeliveryState.ACCEPTED:
            yield f"delivery {delivery.code} is {delivery.state}, but is paid"
        if (earning.member_id, earning.order_id) != (
            delivery.notice.assignment.member_id,
            delivery.unit.order_id,
        ):
            yield f"delivery {delivery.code} is paid to somebody else, or for another order"
        if not earning.agreed:
            yield f"delivery {delivery.code} is paid otherwise than its order's rate says"


def _at(quarter: int) -> str:
    return f"{start_of(quarter):%Y-%m-%d %H:%M}Z"


def _visits(picture: Picture) -> Iterator[str]:
    now = clock.now()
    by_member: dict[int, list[Visit]] = defaultdict(list)
    by_seat: dict[int, list[Visit]] = defaultdict(list)
    for visit in picture.visits.values():
        by_member[visit.member_id].append(visit)
        if visit.seat_id is not None:
            by_seat[visit.seat_id].append(visit)
        if any(moment.timestamp() % 900 for moment in (visit.starts_at, visit.ends_at)):
            yield f"visit {visit.code} is not on the grid of 15 minutes"
        if visit.ends_at > now and _is_in_closed_time(visit) and not _is_inside(visit):
            yield f"visit {visit.code} stands in closed time"
    for what, groups in (("a member", by_member), ("a seat", by_seat)):
        for group in groups.values():
            group.sort(key=lambda visit: (visit.starts_at, visit.pk))
            for earlier, later in pairwise(group):
                if later.starts_at < earlier.ends_at:
                    yield f"{what} is twice at once: visits {earlier.code} and {later.code}"


def _visit_claims(picture: Picture) -> Iterator[str]:
    if not picture.since:
        return
    found: dict[int, list[tuple[int, int, int | None]]] = defaultdict(list)
    rows = VisitClaim.objects.filter(quarter__gte=min(picture.since.values()))
    for visit_id, hub_id, code, member_id, seat_id, quarter in rows.values_list(
        "visit_id", "visit__hub_id", "visit__code", "member_id", "seat_id", "quarter"
    ):
        if visit_id in picture.visits:
            if quarter >= picture.since[hub_id]:
                found[visit_id].append((quarter, member_id, seat_id))
        elif quarter >= picture.since[hub_id]:
            yield f"visit {code} is not live but holds {_at(quarter)}"
    for pk, visit in picture.visits.items():
        since = picture.since[visit.hub_id]
        wanted = {
            (q, visit.member_id, visit.seat_id) for q in _quarters(visit.starts_at, visit.ends_at, since)
        }
        held = found.get(pk, [])
        for quarter, _member, _seat in sorted(wanted - set(held), key=lambda claim: claim[0]):
            yield f"visit {visit.code} has no claim of its member and seat at {_at(quarter)}"
        for quarter, _member, _seat in sorted(set(held) - wanted, key=lambda claim: claim[0]):
            yield f"visit {visit.code} holds a claim beyond its time, or of another member or seat, at {_at(quarter)}"
        if len(held) != len(set(held)):
            yield f"visit {visit.code} holds a quarter twice"


def _places(picture: Picture) -> Iterator[str]:
    by_child: dict[int, list[CarePlace]] = defaultdict(list)
    for place in picture.places:
        visit = place.visit
        if visit.pk not in picture.visits:
            if visit.status not in USED:
                yield f"visit {visit.code} is {visit.status}, but a child's place in it is still booked"
            continue
        if place.starts_at < visit.starts_at or place.ends_at > visit.ends_at:
            yield f"visit {visit.code}: a child's place lies outside the visit"
        if place.room.hub_id != visit.hub_id:
            yield f"visit {visit.code}: a child's place is in a room of another hub"
        by_child[place.child_id].append(place)
    for group in by_child.values():
        group.sort(key=lambda place: (place.starts_at, place.pk))
        for earlier, later in pairwise(group):
            if later.starts_at < earlier.ends_at:
                yield f"a child is twice at once: visits {earlier.visit.code} and {later.visit.code}"


def _custodies() -> Iterator[str]:
    """Children in the carers' hands: open ones of any age, closed ones of the last days."""
    since = clock.now() - CUSTODY_DAYS
    rows = Custody.objects.filter(Q(closed_at__isnull=True) | Q(received_at__gte=since))
    if not rows.exists():  # composing the rest takes longer than everything else here
        return
    rows = rows.select_related(
        "place__room", "room", "child", "handover", "brought_by_adult", "handover__pickup_adult"
    )
    by_child: dict[int, list[Custody]] = defaultdict(list)
    for row in rows.order_by("received_at", "pk"):
        by_child[row.child_id].append(row)
        place, home, given = row.place, row.child.household_id, row.handover
        straight_back = (
            given is not None
            and row.closed_at is not None
            and (row.closed_at - row.received_at).total_seconds() <= 120
            and (given.guardian_id, given.pickup_adult_id) == (row.brought_by_id, row.brought_by_adult_id)
        )
        if place.status != PlaceStatus.BOOKED and not straight_back:
            yield f"custody {row.code}: the child's place was cancelled, but she was cared for"
        if place.child_id != row.child_id:
            yield f"custody {row.code}: its place is another child's"
        if row.room.hub_id != place.room.hub_id:
            yield f"custody {row.code}: its room is in another hub than its place"
        if row.brought_by_adult is not None and row.brought_by_adult.household_id != home:
            yield f"custody {row.code}: brought by a pick-up adult of another household"
        if given is not None and given.pickup_adult is not None and given.pickup_adult.household_id != home:
            yield f"custody {row.code}: handed to a pick-up adult of another household"
    for group in by_child.values():
        for earlier, later in pairwise(group):
            if earlier.closed_at is None or later.received_at < earlier.closed_at:
                yield f"a child is in care twice at once: custodies {earlier.code} and {later.code}"
    open_ones = Handover.objects.filter(custody__closed_at__isnull=True).order_by("pk")
    for code in open_ones.values_list("custody__code", flat=True):
        yield f"custody {code} is open, but its hand-over is written"


def _offers() -> Iterator[str]:
    """What is held for somebody who is asked: a visit that is offered and an open offer are the same thing twice."""
    opened = Offer.objects.filter(state=OfferState.OPEN).select_related("visit", "entry")
    for offer in opened.prefetch_related("entry__children", "visit__care_places").order_by("pk"):
        if offer.visit.status != VisitStatus.OFFERED:
            yield f"offer {offer.code} is open, but its visit {offer.visit.code} is {offer.visit.status}"
        if offer.entry.state != EntryState.WAITING:
            yield f"offer {offer.code} is open, but its entry is {offer.entry.state}"
        if offer.visit.member_id != offer.entry.member_id or offer.visit.hub_id != offer.entry.hub_id:
            yield f"offer {offer.code}: its visit is of another member or hub than its entry"
        if not (
            offer.entry.window_starts <= offer.visit.starts_at
            and offer.visit.ends_at <= offer.entry.window_ends
        ):
            yield f"offer {offer.code}: its visit lies outside what was waited for"
        places = [p.child_id for p in offer.visit.care_places.all() if p.status == PlaceStatus.BOOKED]
        if sorted(places) != sorted(row.child_id for row in offer.entry.children.all()):
            yield f"offer {offer.code} does not hold a place for each child of its entry"
    held = Visit.objects.filter(status=VisitStatus.OFFERED).exclude(offer__state=OfferState.OPEN)
    for code in held.order_by("pk").values_list("code", flat=True):
        yield f"visit {code} is held for nobody: it is offered without an open offer"
    booked = WaitEntry.objects.filter(state=EntryState.BOOKED).exclude(offers__state=OfferState.ACCEPTED)
    for code in booked.order_by("pk").values_list("code", flat=True):
        yield f"wait {code} is booked without an accepted offer"


def _child_claims_and_rooms(picture: Picture) -> Iterator[str]:
    if not picture.since:
        return
    first = min(picture.since.values())
    now = quarter_of(clock.now())
    live = {place.pk: place for place in picture.places if place.visit_id in picture.visits}
    held: dict[int, list[int]] = defaultdict(list)
    counted: Counter[tuple[int, int, str]] = Counter()  # room, quarter, counter
    columns = (
        "place_id",
        "place__room_id",
        "place__room__hub_id",
        "place__visit__code",
        "child_id",
        "quarter",
        "age_class",
    )
    for place_id, room_id, hub_id, code, child_id, quarter, age_class in ChildClaim.objects.filter(
        quarter__gte=first
    ).values_list(*columns):
        if quarter < picture.since[hub_id]:
            continue
        counted[room_id, quarter, "n45" if age_class >= 4 else f"n{age_class}"] += 1
        place = live.get(place_id)
        if place is None:
            yield f"visit {code}: a child's place that is not live holds {_at(quarter)}"
            continue
        held[place_id].append(quarter)
        if place.child_id != child_id:
            yield f"visit {code}: a claim names another child at {_at(quarter)}"
        day = start_of(quarter).astimezone(picture.hubs[hub_id].tz).date()
        age = age_class_in(place.room, place.child.birthday, day)
        if quarter > now and age <= 5 and age != age_class:
            yield f"visit {code}: a child is counted as {age_class} instead of {age} at {_at(quarter)}"
    for pk, place in live.items():
        wanted = _quarters(place.starts_at, place.ends_at, picture.since[place.visit.hub_id])
        for quarter in sorted(set(wanted) - set(held.get(pk, []))):
            yield f"visit {place.visit.code}: a child's place has no claim at {_at(quarter)}"
        for quarter in sorted(set(held.get(pk, [])) - set(wanted)):
            yield f"visit {place.visit.code}: a child's place holds {_at(quarter)} beyond its time"
    rows = {
        (row.room_id, row.quarter): row
        for row in RoomQuarter.objects.filter(quarter__gte=first).select_related("room")
        if row.quarter >= picture.since[row.room.hub_id]
    }
    for room_id, quarter in sorted({(room_id, quarter) for room_id, quarter, _n in counted} - set(rows)):
        yield f"room {room_id} has children at {_at(quarter)}, but no row for that quarter"
    for (room_id, quarter), row in rows.items():
        recount = tuple(counted[room_id, quarter, name] for name in ("n0", "n1", "n2", "n3", "n45"))
        yield from _room_quarter(row, recount)


def _room_quarter(row: RoomQuarter, recount: tuple[int, ...]) -> Iterator[str]:
    """One quarter of a room: counters, what the law asks, and whether a lack is recorded as large as it is."""
    here = f"room {row.room.code} at {_at(row.quarter)}"
    counters = (row.n0, row.n1, row.n2, row.n3, row.n45)
    if counters != recount:
        yield f"{here}: counters {counters}, but the claims are {recount}"
    required, qualified = needed(row, counters)
    children = sum(counters)
    infants = row.n0 + row.n1
    over = max(0, children - row.places, infants - row.infant_limit, children - infants - row.toddler_limit)
    said: dict[str, tuple[int, int]] = {
        "required": (row.required, required),
        "qualified_required": (row.qualified_required, qualified),
        "shortfall": (row.shortfall, max(0, required - row.staff)),
        "qualified_shortfall": (row.qualified_shortfall, max(0, qualified - row.qualified)),
        "over": (row.over, over),
    }
    for name, (stored, right) in said.items():
        if stored != right:
            yield f"{here}: {name} is {stored} and should be {right}"
    if any(right for _name, (_stored, right) in list(said.items())[2:]):
        if row.frozen_children < children:
            yield f"{here}: {children} children in a shortfall that was confirmed for {row.frozen_children}"
    elif row.frozen_children:
        yield f"{here}: marked as a shortfall, but nothing is missing"


def needed(row: RoomQuarter, counters: tuple[int, ...]) -> tuple[int, int]:
    """Workers and qualified workers by RULE-02 to RULE-04, in exact fractions as the law words them."""
    if not any(counters):
        return 0, 0
    ratios = (row.r0, row.r1, row.r2, row.r3, row.r45)
    if row.r1 == row.r2:
        bands = [
            (counters[0], row.r0),
            (counters[1] + counters[2], row.r1),
            (counters[3], row.r3),
            (counters[4], row.r45),
        ]
    else:
        bands = list(zip(counters, ratios, strict=True))
    cut: Callable[[Fraction], Fraction] = lambda number: Fraction(floor(number * 10), 10)  # noqa: E731  the type stands beside it
    formula = sum((cut(Fraction(n, ratio)) for n, ratio in bands), Fraction(0))
    administrative = max(2, floor(formula + Fraction(1, 2)) + row.plus)
    strict = ceil(sum((Fraction(n, ratio) for n, ratio in zip(counters, ratios, strict=True)), Fraction(0)))
    required = max(2, strict, administrative if row.in_main_hours else 0)
    return required, max(1, ceil(Fraction(row.share_num, row.share_den) * administrative))
