"""Zones and seats. A seat that was ever used is never deleted: it is put out of use, and its visits move first."""

from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from hub.booking import services
from hub.core import clock, live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.ids import new_code
from hub.spaces import facts
from hub.spaces.enums import LIVE_STATUSES, ZoneKind
from hub.spaces.models import Hub, Seat, Visit, Zone

PLAN_COLUMNS, PLAN_ROWS = 6, 12


class SeatInUse(DomainError):
    """The seat cannot go: these visits found no other free seat in its zone."""

    def __init__(self, visits: list[Visit]) -> None:
        super().__init__("seat_in_use", _("この席の 予約を 移せる 席が ありません。"), count=len(visits))
        self.visits = visits


@dataclass(frozen=True)
class SeatData:
    """What can be said about a seat; ``plan_x`` and ``plan_y`` count cells of the plan from the top left."""

    label: str
    has_window: bool = False
    has_power: bool = True
    has_monitor: bool = False
    plan_x: int = 0
    plan_y: int = 0


def _told(hub: Hub) -> None:
    facts.touch(hub)
    services.freed(hub)
    live.broadcast(f"hub.{hub.slug}", "availability")


# ---------------------------------------------------------------- zones


def zone_of(hub: Hub, code: str) -> Zone:
    row = Zone.objects.filter(hub=hub, code=code).first()
    if row is None:
        raise DomainError("zone_unknown", _("その 場所は 見つかりません。"), 404)
    return row


def save_zone(*, hub: Hub, code: str | None, name: str, name_en: str, kind: str, position: int) -> Zone:
    """Add (``code`` None) or edit a zone. Raises `DomainError` ``zone_unknown`` (404), ``zone_invalid`` (422)."""
    if kind not in ZoneKind.values or not nfkc(name):
        raise DomainError("zone_invalid", _("名前と 種類を 入れてください。"), 422)

    def work() -> Zone:
        fresh = facts.take(hub)
        row = zone_of(fresh, code) if code else Zone(hub=fresh, slug=f"z-{new_code().lower()}")
        row.name, row.name_en, row.kind, row.position = nfkc(name)[:40], nfkc(name_en)[:40], kind, position
        row.save()
        _told(fresh)
        return row

    return run_write(work)


def delete_zone(*, hub: Hub, code: str) -> None:
    """Delete a zone without seats. Raises `DomainError` ``zone_has_seats`` (409)."""

    def work() -> None:
        fresh = facts.take(hub)
        row = zone_of(fresh, code)
        if row.seats.exists():
            raise DomainError(
                "zone_has_seats", _("席の ある 場所は 消せません。先に 席を ほかへ 移してください。")
            )
        row.delete()
        _told(fresh)

    run_write(work)


# ---------------------------------------------------------------- seats


def _seat(hub: Hub, code: str) -> Seat:
    row = Seat.objects.select_related("zone").filter(hub=hub, code=code).first()
    if row is None:
        raise DomainError("seat_unknown", _("その席は このハブに ありません。"), 404)
    return row


def _check_place(hub: Hub, data: SeatData, seat: Seat | None) -> None:
    others = Seat.objects.filter(hub=hub)
    if seat is not None and seat.pk:
        others = others.exclude(pk=seat.pk)
    if others.filter(label=data.label).exists():
        raise DomainError("label_taken", _("その 番号の 席は もう あります。"), 409, field="label")
    if not (0 <= data.plan_x < PLAN_COLUMNS and 0 <= data.plan_y < PLAN_ROWS):
        raise DomainError("plan_outside", _("地図の 中の 場所を 入れてください。"), 422, field="plan_x")
    if others.filter(is_active=True, plan_x=data.plan_x, plan_y=data.plan_y).exists():
        raise DomainError("cell_taken", _("地図の その場所には 別の 席が あります。"), 409, field="plan_x")


def save_seat(*, hub: Hub, code: str | None, zone: str, data: SeatData) -> Seat:
    """Add (``code`` None) or edit a seat. Visits on it stay: a new name or zone does not move anybody.

    Raises `DomainError` ``label_taken``, ``cell_taken`` (409), ``plan_outside`` (422), ``seat_unknown`` (404).
    """

    def work() -> Seat:
        fresh = facts.take(hub)
        row = _seat(fresh, code) if code else Seat(hub=fresh, position=Seat.objects.filter(hub=fresh).count())
        row.zone = zone_of(fresh, zone)
        _check_place(fresh, data, row)
        row.label = data.label
        row.has_window, row.has_power, row.has_monitor = data.has_window, data.has_power, data.has_monitor
        row.plan_x, row.plan_y = data.plan_x, data.plan_y
        row.save()
        _told(fresh)
        return row

    return run_write(work)


def visits_on(seat: Seat) -> list[Visit]:
    """Live visits on ``seat`` that have not ended, by start. Inside a transaction they are locked.

    Without the lock a visit cancelled at this very moment would be given claims on its new seat.
    """
    rows = Visit.objects.filter(seat=seat, status__in=LIVE_STATUSES, ends_at__gt=clock.now())
    if connection.in_atomic_block:
        rows = rows.select_for_update(of=("self",))
    return list(rows.select_related("hub", "member", "seat").order_by("starts_at", "pk"))


def deactivate_seat(*, hub: Hub, code: str) -> list[Visit]:
    """Put a seat out of use; each visit on it moves to a free seat of the same zone, and its person is told.

    Returns the visits moved. Raises `SeatInUse` with those that found none; then nothing has changed.
    """

    def work() -> list[Visit]:
        fresh = facts.take(hub)
        seat = _seat(fresh, code)
        options = list(Seat.objects.filter(zone=seat.zone, is_active=True).exclude(pk=seat.pk))
        moved: list[Visit] = []
        stuck: list[Visit] = []
        for visit in visits_on(seat):
            (moved if services.reseat(visit, options) else stuck).append(visit)
        if stuck:
            raise SeatInUse(stuck)
        seat.is_active = False
        seat.save(update_fields=["is_active"])
        _told(fresh)
        return moved

    return run_write(work)


def activate_seat(*, hub: Hub, code: str) -> Seat:
    """Bring a seat back into use. Raises `DomainError` ``cell_taken`` (409) when another stands there now."""

    def work() -> Seat:
        fresh = facts.take(hub)
        seat = _seat(fresh, code)
        _check_place(fresh, SeatData(seat.label, plan_x=seat.plan_x, plan_y=seat.plan_y), seat)
        seat.is_active = True
        seat.save(update_fields=["is_active"])
        _told(fresh)
        return seat

    return run_write(work)
