"""What seldom changes about a hub, read once per revision: zones, seats, hours, closures, holidays.

`Hub.revision` is drawn anew in the transaction of every such change, and the hub row is read for each request,
so a cached answer is never older than the row that named it.
"""

from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import connection

from hub.core.db import require_transaction, share_lock
from hub.core.ids import new_code
from hub.core.quarters import Period, local
from hub.spaces.models import Hub, Seat, Zone


@dataclass(frozen=True)
class Day:
    """One local day of a hub: open in ``period``, or closed for a ``reason`` (empty: closed that weekday)."""

    date: date
    period: Period | None
    reason: str = ""


@dataclass(frozen=True)
class HubFacts:
    tz: ZoneInfo
    is_open: bool
    zones: tuple[Zone, ...]
    seats: tuple[Seat, ...]  # active ones, in their order on the plan
    hours: dict[int, tuple[time, time]]  # weekday -> opens, closes
    closures: tuple[tuple[date, date, str], ...]
    holidays: dict[date, tuple[str, str]]  # closed holidays: name, English name

    def day(self, day: date, language: str = "ja") -> Day:
        """When the hub is open on a local day (RULE-33: closures, holidays, then the weekday's hours)."""
        if not self.is_open:
            return Day(day, None)
        for starts_on, ends_on, reason in self.closures:
            if starts_on <= day <= ends_on:
                return Day(day, None, reason)
        if day in self.holidays:
            name, name_en = self.holidays[day]
            return Day(day, None, (name_en or name) if language.startswith("en") else name)
        if day.weekday() not in self.hours:
            return Day(day, None)
        opens, closes = self.hours[day.weekday()]
        return Day(day, Period(local(day, opens, self.tz), local(day, closes, self.tz)))

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
    return HubFacts(
        tz=hub.tz,
        is_open=hub.is_open,
        zones=tuple(hub.zones.all()),
        seats=tuple(
            sorted(seats, key=lambda seat: (seat.zone.position, seat.zone_id, seat.position, seat.pk))
        ),
        hours={row.weekday: (row.opens, row.closes) for row in hub.opening_hours.all()},
        closures=tuple(hub.closures.values_list("starts_on", "ends_on", "reason")),
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
