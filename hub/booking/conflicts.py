"""Visits that a change leaves in closed time, and what becomes of them: no visit stays there unseen (I11, RULE-32, RULE-33).

Somebody who sits in a closed zone moves to another one. A visit of which an hour or more stays open is cut to that
hour; one of which less is left is ended as cancelled by the hub. Where a care room closes, only the places in it end:
whether she comes without the child is her own choice. Whoever is inside already is not put out by a database.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from hub.booking import no_show, services
from hub.booking.enums import ExcuseKind
from hub.booking.requests import SeatWish
from hub.childcare.custody import stays
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, CareRoom, Custody, RoomClosure
from hub.childcare.places import CareFull, Wish
from hub.core import clock, tasks
from hub.core.db import require_transaction
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces import facts
from hub.spaces.enums import LIVE_STATUSES, Cause, VisitStatus, ZoneKind
from hub.spaces.facts import HubFacts
from hub.spaces.models import Hub, Seat, Visit

#: Less than this of a visit is not worth the way.
LEAST = timedelta(hours=1)
TELL = "hub.booking.closure_words.tell"


@dataclass
class Changed:
    """What a change did to visits: ended by the hub, cut short, put on another seat, left without a child's place.

    ``inside``: people who have come already, or whose child was received: they only have to be told.
    """

    ended: list[Visit] = field(default_factory=list)
    shortened: list[Visit] = field(default_factory=list)
    moved: list[Visit] = field(default_factory=list)
    childless: list[Visit] = field(default_factory=list)
    inside: list[Visit] = field(default_factory=list)
    #: What closes around those who are inside, and when if that is still to come: visit -> (hub, zone or room; moment).
    closing: dict[int, tuple[str, datetime | None]] = field(default_factory=dict)
    #: What each of these visits was before, for the search of another day: visit -> start, end, codes of children.
    before: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def touched(self) -> list[tuple[str, Visit]]:
        """Every visit that is not what it was, with the word for what happened."""
        groups = (
            ("ended", self.ended), ("shortened", self.shortened), ("moved", self.moved), ("childless", self.childless),
        )  # fmt: skip
        return [(what, visit) for what, visits in groups for visit in visits]

    def __bool__(self) -> bool:
        return bool(self.touched or self.inside)


class VisitsAffected(DomainError):
    """A change would leave visits in closed time: ``changed`` says what would become of each."""

    def __init__(self, changed: Changed) -> None:
        super().__init__(
            "visits_affected",
            _("この 変更で、予約が 変わる 人が います。"),
            count=len(changed.touched) + len(changed.inside),
        )
        self.changed = changed


# ---------------------------------------------------------------- who is in closed time


def _live(hub: Hub) -> QuerySet[Visit]:
    """Live visits that are not over, by start. Inside a transaction they are locked: whoever cancels or leaves early at
    this moment does so before or after."""
    rows = Visit.objects.filter(hub=hub, status__in=LIVE_STATUSES, ends_at__gt=clock.now())
    rows = rows.select_related("hub", "member", "seat__zone").order_by("starts_at", "pk")
    return rows.select_for_update(of=("self",)) if connection.in_atomic_block else rows


def _rest(starts_at: Any, ends_at: Any) -> Period:
    return Period(max(starts_at, clock.now()), ends_at)


def stranded(hub: Hub) -> list[Visit]:
    """Live visits whose time, or what is left of it, is not inside the opening hours, by start."""
    known = facts.facts_of(hub)
    found = []
    for visit in _live(hub):
        opening = known.day(visit.starts_at.astimezone(known.tz).date()).period
        if opening is None or not opening.contains(_rest(visit.starts_at, visit.ends_at)):
            found.append(visit)
    return found


def misplaced(hub: Hub) -> list[Visit]:
    """Live visits whose seat is in a zone that is closed during what is left of them, by start."""
    known = facts.facts_of(hub)
    zones = {closed.zone_id for closed in known.closed_zones}
    if not zones:
        return []
    return [
        visit
        for visit in _live(hub).filter(seat__zone__in=zones)
        if visit.seat is not None
        and visit.seat.zone_id in known.zones_closed(_rest(visit.starts_at, visit.ends_at))
    ]


@dataclass(frozen=True)
class Uncared:
    """A live visit with children's places in a room that is closed during them, and what stays of its places.

    ``opening``: when such a room is open on that day.
    """

    visit: Visit
    left: list[Wish]
    opening: Period | None


def uncared(hub: Hub) -> list[Uncared]:
    """Live visits with a place in a care room that is closed during what is left of the place, by start."""
    known, today = facts.facts_of(hub), clock.today(hub.tz)
    rooms = CareRoom.objects.filter(hub=hub, closures__ends_on__gte=today).distinct()
    closed = {
        room.pk: [facts.closed_of(row) for row in RoomClosure.objects.filter(room=room, ends_on__gte=today)]
        for room in rooms
    }
    if not closed:
        return []
    touching = CarePlace.objects.filter(
        room__in=closed, status=PlaceStatus.BOOKED, ends_at__gt=clock.now(), visit__status__in=LIVE_STATUSES
    )
    found = []
    for visit in _live(hub).filter(pk__in=touching.values("visit")):
        left, lost, open_then = [], False, None
        places = CarePlace.objects.filter(visit=visit, status=PlaceStatus.BOOKED).select_related("child")
        for place in places.order_by("pk"):
            rest, day = _rest(place.starts_at, place.ends_at), place.starts_at.astimezone(known.tz).date()
            opening = facts.still_open(closed.get(place.room_id, ()), known.day(day).period, day, known.tz)
            if (
                place.ends_at <= clock.now()
                or place.room_id not in closed
                or (opening and opening.contains(rest))
            ):
                left.append(Wish(place.child, place.period))
                continue
            lost, open_then = True, opening
            if opening is not None and _worth(place.period, opening):
                left += services.cut_wishes([Wish(place.child, place.period)], opening)
        if lost:
            found.append(Uncared(visit, left, open_then))
    return found


def _worth(period: Period, opening: Period) -> bool:
    """Whether enough of ``period``, from now on, is open."""
    return (
        min(period.ends_at, opening.ends_at) - max(period.starts_at, opening.starts_at, clock.now()) >= LEAST
    )


def _is_used(visit: Visit) -> bool:
    """She has come, or a child of hers was received."""
    return visit.arrived_at is not None or _is_received(visit)


def _is_received(visit: Visit) -> bool:
    """A child of this visit is, or was, in the carers' hands."""
    return any(
        stays(Custody.objects.filter(place__visit=visit).select_related("child", "handover").order_by("pk"))
    )


# ---------------------------------------------------------------- what becomes of them

#: Visits by the kind of conflict: outside the hours, in a closed zone, with a place in a closed room.
Standing = tuple[frozenset[int], frozenset[int], frozenset[int]]


def standing(hub: Hub) -> Standing:
    """Visits that stand in closed time as things are."""
    return (
        frozenset(visit.pk for visit in stranded(hub)),
        frozenset(visit.pk for visit in misplaced(hub)),
        frozenset(lack.visit.pk for lack in uncared(hub)),
    )


def settle(hub: Hub, before: Standing, *, actor: Member | None, reason: str) -> Changed:
    """Settle every visit of ``hub`` that stands in closed time, in the caller's transaction, which wrote the change.

    ``hub`` is its row as `facts.take` and `facts.touch` left it; ``before``: who stood in closed time before the change and
    is inside was named then. Nobody is told yet (`tell`).
    """
    require_transaction()
    known, done = facts.facts_of(hub), Changed()
    for visit in stranded(hub):
        day = visit.starts_at.astimezone(known.tz).date()
        if _is_used(visit):
            _name(done, visit, before[0], "hub", known.day(day).period)
        else:
            _cut_or_end(done, visit, known.day(day).period, reason)
    for visit in misplaced(hub):
        _note(done, visit)
        assert visit.seat is not None
        opening = known.zone_day(visit.seat.zone_id, visit.starts_at.astimezone(known.tz).date())
        if visit.status != VisitStatus.OFFERED and services.reseat(
            visit, _elsewhere(known, visit), tell=False
        ):
            done.moved.append(visit)
        elif _is_used(visit):
            _name(done, visit, before[1], "zone", opening)
        else:
            _cut_or_end(done, visit, opening, reason)
    for lack in uncared(hub):
        visit = lack.visit
        if _is_received(visit):  # her mother at her desk alone keeps no place in a closed room
            _name(done, visit, before[2], "room", lack.opening)
            continue
        _note(done, visit)
        if visit.status == VisitStatus.OFFERED:  # one bundle: without the child it is no offer any more
            done.ended.append(services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB, reason, tell=False))
            continue
        try:
            services.keep_places(visit, lack.left)
        except CareFull:
            services.keep_places(visit, [])
        done.childless.append(visit)
    # What she makes of the rest is her choice, and never counts.
    for visit in [*done.shortened, *done.childless]:
        no_show.excuse(visit, by=actor, kind=ExcuseKind.CLOSED, reason=reason)
    return done


def _name(done: Changed, visit: Visit, before: frozenset[int], what: str, opening: Period | None) -> None:
    """Name somebody who is inside, once: the hub and her child's room may both close. ``opening``: what is left of the day
    of that which closes; it says when, unless it is closed already."""
    if visit.pk not in before and visit not in done.inside:
        done.inside.append(visit)
        running = opening is not None and opening.starts_at <= clock.now() < opening.ends_at
        done.closing[visit.pk] = (what, opening.ends_at if opening and running else None)


def _note(done: Changed, visit: Visit) -> None:
    """Remember what ``visit`` was before."""
    done.before.setdefault(
        visit.pk,
        {
            "starts": visit.starts_at.isoformat(),
            "ends": visit.ends_at.isoformat(),
            "offered": visit.status == VisitStatus.OFFERED,
            "children": [wish.child.code for wish in services.wishes_of(visit)],
        },
    )


def _cut_or_end(done: Changed, visit: Visit, opening: Period | None, reason: str) -> None:
    _note(done, visit)
    if opening is not None and visit.status != VisitStatus.OFFERED and _worth(visit.period, opening):
        rest = Period(max(visit.starts_at, opening.starts_at), min(visit.ends_at, opening.ends_at))
        try:
            services.shorten(visit, rest)
        except CareFull:
            pass  # its room would not take it anew: it ends
        else:
            done.shortened.append(visit)
            return
    done.ended.append(services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB, reason, tell=False))


def _elsewhere(known: HubFacts, visit: Visit) -> list[Seat]:
    """Seats outside closed zones for what is left of ``visit``; the room for on-site work only for who sat there."""
    closed = known.zones_closed(_rest(visit.starts_at, visit.ends_at))
    assert visit.seat is not None
    onsite = visit.seat.zone.kind == ZoneKind.ONSITE
    seats = services.candidates(visit.hub, SeatWish(), near_children=bool(services.wishes_of(visit)))
    if onsite:
        seats = [seat for seat in known.seats if seat.zone.kind == ZoneKind.ONSITE] + seats
    return [seat for seat in seats if seat.zone_id not in closed]


# ---------------------------------------------------------------- telling


def tell(hub: Hub, done: Changed, *, reason: str, cause: str = Cause.OTHER) -> None:
    """One notice for each person about all of her visits that changed, and one for everybody inside or whose child is.

    Of an offer that is withdrawn its own notice tells. What was done twice to one visit is told by its worst word.
    """
    require_transaction()
    by_member: dict[str, dict[int, dict[str, Any]]] = {}
    for what, visit in done.touched:
        row = {"visit": visit.code, "sequence": visit.sequence, "what": what, **done.before[visit.pk]}
        if row.pop("offered"):
            continue
        known = by_member.setdefault(visit.member.code, {}).setdefault(visit.pk, row)
        known["sequence"] = max(known["sequence"], visit.sequence)
    event = f"closure/{new_code()}"
    for code, rows in by_member.items():
        # An infection is named on the page only: no health word leaves it.
        words = "" if cause == Cause.INFECTION else reason
        tasks.enqueue(TELL, member=code, event=event, hub=hub.slug, reason=words, rows=list(rows.values()))
    for code, data in _closing(done).items():
        tasks.enqueue(f"{TELL}_inside", member=code, event=f"{event}/inside", hub=hub.slug, **data)


def _closing(done: Changed) -> dict[str, dict[str, Any]]:
    """Whom to tell what closes around her or her child: member -> the words' data.

    Guardians of children who are in care now are asked to fetch them, but for a seat's zone: the children's room is open.
    A room that closes says nothing to whoever has no child in it.
    """
    found: dict[str, dict[str, Any]] = {}
    for visit in done.inside:
        what, until = done.closing[visit.pk]
        data = {"what": what, "until": until.isoformat() if until else None}
        children = Custody.objects.filter(place__visit=visit, closed_at=None).values("child")
        guardians = Member.objects.filter(guardianships__household__children__in=children)
        fetching = set() if what == "zone" else set(guardians.values_list("code", flat=True))
        for code in fetching:
            found[code] = {**data, "fetch": True}
        if what != "room":
            found.setdefault(visit.member.code, {**data, "fetch": False})
    return found
