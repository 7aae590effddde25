"""What seldom changes about a hub, read once per revision: zones, seats, hours, closed times, holidays.

`Hub.revision` is drawn anew in the transaction of every such change, and the hub row is read for each request,
so a cached answer is never older than the row that named it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import connection

from hub.core.db import require_transaction, share_lock
from hub.core.ids import new_code
from hub.core.quarters import Period, local
from hub.spaces.models import ClosedTime, Hub, Seat, Zone


@dataclass(frozen=True)
class Day:
    """One local day of a hub: open in ``period``, or closed (None).

    ``reason``: why it is closed, or opens late or closes early; empty on a usual day and a usual day off.
    """

    date: date
    period: Period | None
    reason: str = ""


@dataclass(frozen=True)
class Closed:
    """A `ClosedTime` as it is asked about: local days, and the part of each that is closed (both None: all of it)."""

    first: date
    last: date
    until: time | None
    since: time | None
    reason: str
    zone_id: int | None = None

    def on(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def is_whole(self) -> bool:
        return self.until is None and self.since is None

    def rest(self, opening: Period | None, day: date, tz: ZoneInfo) -> Period | None:
        """What of the open time ``opening`` of ``day`` stays open; None when nothing does."""
        if opening is None or not self.on(day):
            return opening
        if self.is_whole:
            return None
        starts, ends = opening.starts_at, opening.ends_at
        if self.until is not None:
            starts = max(starts, local(day, self.until, tz))
        if self.since is not None:
            ends = min(ends, local(day, self.since, tz))
        return Period(starts, ends) if starts < ends else None


def closed_of(row: ClosedTime, zone_id: int | None = None) -> Closed:
    return Closed(row.starts_on, row.ends_on, row.closed_until, row.closed_from, row.reason, zone_id)


def still_open(closed: Iterable[Closed], opening: Period | None, day: date, tz: ZoneInfo) -> Period | None:
    """What of the open time ``opening`` of ``day`` every one of ``closed`` leaves open."""
    for one in closed:
        opening = one.rest(opening, day, tz)
    return opening


@dataclass(frozen=True)
class HubFacts:
    tz: ZoneInfo
    is_open: bool
    zones: tuple[Zone, ...]
    seats: tuple[Seat, ...]  # active ones, in their order on the plan
    hours: dict[int, tuple[time, time]]  # weekday -> opens, closes
    closures: tuple[Closed, ...]  # of the whole hub
    closed_zones: tuple[Closed, ...]
    holidays: dict[date, tuple[str, str]]  # closed holidays: name, English name

    def day(self, day: date, language: str = "ja") -> Day:
        """When the hub is open on a local day (RULE-33: whole closures, holidays, the weekday's hours, parts of a day)."""
        if not self.is_open:
            return Day(day, None)
        todays = [closed for closed in self.closures if closed.on(day)]
        for closed in todays:
            if closed.is_whole:
                return Day(day, None, closed.reason)
        if day in self.holidays:
            name, name_en = self.holidays[day]
            return Day(day, None, (name_en or name) if language.startswith("en") else name)
        if day.weekday() not in self.hours:
            return Day(day, None)
        opens, closes = self.hours[day.weekday()]
        usual = Period(local(day, opens, self.tz), local(day, closes, self.tz))
        if not todays:
            return Day(day, usual)
        # A part that lies outside the usual hours anyway is no reason to name.
        named = next((closed.reason for closed in todays if closed.rest(usual, day, self.tz) != usual), "")
        return Day(day, still_open(todays, usual, day, self.tz), named)

    def zone_day(self, zone_id: int, day: date) -> Period | None:
        """When the seats of a zone may be used on ``day``: the hub's open time without what is closed of the zone."""
        closed = [one for one in self.closed_zones if one.zone_id == zone_id]
        return still_open(closed, self.day(day).period, day, self.tz)

    def closed_cells(self, day: date) -> dict[int, set[int]]:
        """Zones of which some part of the open time of ``day`` is closed, each with those quarters."""
        opening = self.day(day).period
        zones = {closed.zone_id for closed in self.closed_zones if closed.on(day)} - {None}
        if opening is None or not zones:
            return {}
        found = {}
        for zone_id in zones:
            left = self.zone_day(zone_id, day) if zone_id is not None else None
            found[zone_id] = set(opening.quarters) - set(left.quarters if left else ())
        return {zone_id: gone for zone_id, gone in found.items() if zone_id is not None and gone}

    def zones_closed(self, period: Period) -> dict[int, str]:
        """Zones that are closed in some part of ``period`` (inside the open time of one day), with the reason."""
        if not self.closed_zones:
            return {}
        day = period.starts_at.astimezone(self.tz).date()
        return {
            closed.zone_id: closed.reason
            for closed in self.closed_zones
            if closed.zone_id is not None and closed.on(day) and closed.rest(period, day, self.tz) != period
        }

    def seat(self, pk: int | None) -> Seat | None:
        return next((seat for seat in self.seats if seat.pk == pk), None)


@lru_cache(maxsize=64)
def known_hub(pk: int, revision: str) -> Hub:
    """The hub's row as of ``revision``, which the caller has just read. Not for changing."""
    return Hub.objects.get(pk=pk)


def find_hub(slug: str) -> Hub | None:
    """The hub of this slug: its revision is read now, the row behind it once per revision. Not for changing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, revision FROM spaces_hub WHERE slug = %s", [slug])
        found = cursor.fetchone()
    return known_hub(*found) if found else None


@lru_cache(maxsize=64)
def _load(hub_pk: int, revision: str) -> HubFacts:
    hub = Hub.objects.get(pk=hub_pk)
    seats = tuple(Seat.objects.filter(hub=hub, is_active=True).select_related("zone"))
    closed = list(hub.closures.all())
    return HubFacts(
        tz=hub.tz,
        is_open=hub.is_open,
        zones=tuple(hub.zones.all()),
        seats=tuple(
            sorted(seats, key=lambda seat: (seat.zone.position, seat.zone_id, seat.position, seat.pk))
        ),
        hours={row.weekday: (row.opens, row.closes) for row in hub.opening_hours.all()},
        closures=tuple(closed_of(row) for row in closed if row.zone_id is None),
        closed_zones=tuple(closed_of(row, row.zone_id) for row in closed if row.zone_id is not None),
        holidays={h.date: (h.name, h.name_en) for h in hub.holidays.filter(is_closed=True)},
    )


def facts_of(hub: Hub) -> HubFacts:
    """The facts of ``hub`` as of the revision on this very row."""
    return _load(hub.pk, hub.revision)


def touch(hub: Hub) -> None:
    """Draw a new revision: call in the transaction of every change of hours, closures, zones, seats or rooms."""
    hub.revision = new_code()
    hub.save(update_fields=["revision"])


def hold(hub: Hub) -> Hub:
    """The hub's row as it is now, share-locked until this transaction ends: call first in every booking.

    Whoever changes hours, closures or seats locks the row for writing (`take`), so a booking has either committed
    before and is seen by that change, or waits here and then reads the new facts (I11, decision 0005). Bookings do
    not wait for each other. SQLite has one writer at a time anyway. Only the revision is read: while it is the one of
    ``hub``, that row is the row as it is now.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT revision FROM spaces_hub WHERE id = %s{share_lock()}", [hub.pk])  # noqa: S608  no value in it
        found = cursor.fetchone()
    return hub if found == (hub.revision,) else Hub.objects.get(pk=hub.pk)


def take(hub: Hub) -> Hub:
    """The hub's row, locked for a change of its facts: waits for running bookings, new ones wait for it.

    Call it first, then write the change, then `touch`; the other order would cache the facts too early.
    """
    require_transaction()
    return Hub.objects.select_for_update(no_key=True).get(pk=hub.pk)
