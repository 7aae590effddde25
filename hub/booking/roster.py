"""The roster and the rooms: every change lays out the room quarters anew, with the children who are booked (I3, I3b).

A change that would leave booked children without carers, places or floor raises `RatioShort` and keeps nothing;
with ``confirm`` it is kept, and the lack is recorded as a shortfall, into which nobody can book.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from hub.booking import services
from hub.childcare import capacity
from hub.childcare.enums import ChangeKind, PlaceStatus, Qualification, RatioTable, Scheme
from hub.childcare.models import CarePlace, Carer, CareRoom, RoomQuarter, Shift, ShiftChange
from hub.core import clock, live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.quarters import start_of
from hub.members.models import Member
from hub.spaces import facts
from hub.spaces.models import Hub

T = TypeVar("T")
CM2_PER_M2 = 10_000


@dataclass(frozen=True)
class Hours:
    """When somebody works, with an optional break inside. A carer counts in quarters untouched by the break."""

    starts: time
    ends: time
    break_starts: time | None = None
    break_ends: time | None = None

    def check(self) -> None:
        """Raises `DomainError` ``not_forward``, ``break_half``, ``break_outside`` (422)."""
        if self.ends <= self.starts:
            raise DomainError("not_forward", _("終わりの時間を、始まりより あとに してください。"), 422)
        if (self.break_starts is None) != (self.break_ends is None):
            raise DomainError("break_half", _("休けいは、始まりと 終わりの 両方を 入れてください。"), 422)
        if self.break_starts is None or self.break_ends is None:
            return
        if not self.starts <= self.break_starts < self.break_ends <= self.ends:
            raise DomainError("break_outside", _("休けいは、働く 時間の 中に してください。"), 422)

    def overlaps(self, starts: time | None, ends: time | None) -> bool:
        return starts is not None and ends is not None and self.starts < ends and starts < self.ends


# ---------------------------------------------------------------- shared


def future_days(room: CareRoom) -> list[date]:
    """Days from today whose quarters of ``room`` exist or will: to the horizon, or further if it was longer before."""
    days = capacity.horizon_days(room.hub)
    last = (
        RoomQuarter.objects.filter(room=room).order_by("-quarter").values_list("quarter", flat=True).first()
    )
    if last is not None:
        last_day = start_of(last).astimezone(room.hub.tz).date()
        days += [days[-1] + timedelta(days=n) for n in range(1, (last_day - days[-1]).days + 1)]
    return days


def _change(
    hub: Hub, work: Callable[[Hub], tuple[T, Iterable[tuple[CareRoom, Iterable[date]]]]], *, confirm: bool
) -> T:
    """Write a change and lay out the quarters that it touches; the hub's row keeps changes one after the other."""

    def inside() -> T:
        fresh = facts.take(hub)
        result, touched = work(fresh)
        facts.touch(fresh)
        by_room: dict[int, tuple[CareRoom, set[date]]] = {}
        for room, days in touched:
            by_room.setdefault(room.pk, (room, set()))[1].update(days)
        lacking: list[RoomQuarter] = []
        for _pk, (room, days) in sorted(by_room.items()):
            room.hub = fresh
            known = set(future_days(room))
            try:
                capacity.rebuild(room, days & known, confirm_shortfall=confirm)
            except capacity.RatioShort as short:
                lacking += short.lacking
        if lacking:
            raise capacity.RatioShort(lacking)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")
        return result

    return run_write(inside)


def _carer(hub: Hub, code: str) -> Carer:
    row = Carer.objects.filter(hub=hub, code=code).first()
    if row is None:
        raise DomainError("carer_unknown", _("その 保育者は 見つかりません。"), 404)
    return row


def room_of(hub: Hub, code: str) -> CareRoom:
    row = CareRoom.objects.filter(hub=hub, code=code).first()
    if row is None:
        raise DomainError("room_unknown", _("その へやは 見つかりません。"), 404)
    return row


def _shift(hub: Hub, code: str) -> Shift:
    row = Shift.objects.filter(room__hub=hub, code=code).select_related("room", "carer").first()
    if row is None:
        raise DomainError("shift_unknown", _("その 当番は 見つかりません。"), 404)
    return row


def _days_of(room: CareRoom, weekday: int, first: date, last: date | None) -> list[date]:
    return [
        day
        for day in future_days(room)
        if day.weekday() == weekday and first <= day and (last is None or day <= last)
    ]


def _busy(carer: Carer) -> DomainError:
    return DomainError(
        "carer_busy", _("%(name)sさんは その時間に もう 当番が あります。") % {"name": carer.name}, 409
    )


def _check_free_weekly(
    carer: Carer, weekday: int, hours: Hours, first: date, last: date | None, *, ignore: Shift | None = None
) -> None:
    """A carer has one place at a time: no other weekly shift, and no dated one, at these hours (`carer_busy`)."""
    shifts = Shift.objects.filter(carer=carer, weekday=weekday)
    if ignore is not None and ignore.pk:
        shifts = shifts.exclude(pk=ignore.pk)
    for shift in shifts:
        apart = (shift.valid_to is not None and shift.valid_to < first) or (
            last is not None and last < shift.valid_from
        )
        if not apart and hours.overlaps(shift.starts, shift.ends):
            raise _busy(carer)
    for extra in ShiftChange.objects.filter(carer=carer, kind=ChangeKind.EXTRA, date__gte=first):
        if extra.date.weekday() != weekday or (last is not None and extra.date > last):
            continue
        if hours.overlaps(extra.starts, extra.ends):
            raise _busy(carer)


def _shifts_on(carer: Carer, day: date) -> list[Shift]:
    """The weekly shifts of ``carer`` that hold on ``day``, also those from which she is away that day."""
    rows = Shift.objects.filter(carer=carer, weekday=day.weekday(), valid_from__lte=day).select_related(
        "room"
    )
    return [row for row in rows if row.valid_to is None or day <= row.valid_to]


# ---------------------------------------------------------------- carers


def save_carer(
    *,
    hub: Hub,
    code: str | None,
    name: str,
    qualification: str,
    member: Member | None = None,
    confirm: bool = False,
) -> Carer:
    """Add (``code`` None) or edit a carer; another qualification may leave a shortfall (`RatioShort`)."""
    if not nfkc(name) or qualification not in Qualification.values:
        raise DomainError("carer_invalid", _("氏名と 資格を 入れてください。"), 422)

    def work(fresh: Hub) -> tuple[Carer, list[tuple[CareRoom, Iterable[date]]]]:
        row = _carer(fresh, code) if code else Carer(hub=fresh)
        changed = bool(row.pk) and row.qualification != qualification
        row.name, row.qualification = nfkc(name)[:60], qualification
        row.member = member if member is not None else row.member
        row.save()
        return row, _rooms_with(row) if changed else []

    return _change(hub, work, confirm=confirm)


def _rooms_with(carer: Carer) -> list[tuple[CareRoom, Iterable[date]]]:
    """Rooms in which ``carer`` works now or later, with all their future days."""
    ids = set(Shift.objects.filter(carer=carer).values_list("room_id", flat=True))
    ids |= set(ShiftChange.objects.filter(carer=carer).values_list("room_id", flat=True))
    return [(room, future_days(room)) for room in CareRoom.objects.filter(pk__in=ids).select_related("hub")]


def end_carer(*, hub: Hub, code: str, confirm: bool = False) -> Carer:
    """A carer works no more from now on; what she worked stays on record. Raises `RatioShort`."""

    def work(fresh: Hub) -> tuple[Carer, list[tuple[CareRoom, Iterable[date]]]]:
        row = _carer(fresh, code)
        today = clock.today(fresh.tz)
        touched = _rooms_with(row)
        Shift.objects.filter(carer=row, valid_from__gt=today).delete()
        for shift in Shift.objects.filter(carer=row):
            if shift.valid_to is None or shift.valid_to > today:
                shift.valid_to = today
                shift.save(update_fields=["valid_to"])
        ShiftChange.objects.filter(carer=row, date__gt=today).delete()
        row.is_active = False
        row.save(update_fields=["is_active"])
        return row, touched

    return _change(hub, work, confirm=confirm)


# ---------------------------------------------------------------- weekly shifts


def add_shifts(
    *,
    hub: Hub,
    room: str,
    carer: str,
    weekdays: Iterable[int],
    hours: Hours,
    valid_from: date,
    valid_to: date | None = None,
) -> list[Shift]:
    """Weekly shifts of a carer in a room from a date on, one for each weekday.

    Raises `DomainError` ``carer_busy`` (409), ``carer_ended`` (409), ``not_forward`` and the errors of `Hours.check`.
    """
    hours.check()
    wanted = sorted(set(weekdays))
    if not wanted or not all(0 <= day <= 6 for day in wanted):
        raise DomainError("weekday_missing", _("曜日を えらんでください。"), 422)
    if valid_to is not None and valid_to < valid_from:
        raise DomainError("not_forward", _("終わりの日を、始まりの日より あとに してください。"), 422)
    if valid_from < clock.today(hub.tz):
        raise DomainError("in_past", _("もう すぎた日です。きょうか、これからの日を えらんでください。"), 422)

    def work(fresh: Hub) -> tuple[list[Shift], list[tuple[CareRoom, Iterable[date]]]]:
        place, person = room_of(fresh, room), _carer(fresh, carer)
        if not person.is_active:
            raise DomainError("carer_ended", _("この 保育者は もう 働いていません。"))
        made = []
        touched: list[tuple[CareRoom, Iterable[date]]] = []
        for weekday in wanted:
            _check_free_weekly(person, weekday, hours, valid_from, valid_to)
            made.append(
                Shift.objects.create(
                    room=place, carer=person, weekday=weekday, starts=hours.starts, ends=hours.ends,
                    break_starts=hours.break_starts, break_ends=hours.break_ends,
                    valid_from=valid_from, valid_to=valid_to,
                )
            )  # fmt: skip
            touched.append((place, _days_of(place, weekday, valid_from, valid_to)))
        return made, touched

    # More staff never breaks a ratio; a lack that shows here was there before and is only written again.
    return _change(hub, work, confirm=True)


def edit_shift(*, hub: Hub, code: str, hours: Hours, from_day: date, confirm: bool = False) -> Shift:
    """Other hours for a weekly shift from a day on; what was worked before stays on record. Raises `RatioShort`."""
    hours.check()

    def work(fresh: Hub) -> tuple[Shift, list[tuple[CareRoom, Iterable[date]]]]:
        old = _shift(fresh, code)
        first = max(from_day, clock.today(fresh.tz))
        if old.valid_to is not None and old.valid_to < first:
            raise DomainError("shift_over", _("この 当番は その日より 前に 終わっています。"), 422)
        _check_free_weekly(
            old.carer, old.weekday, hours, max(first, old.valid_from), old.valid_to, ignore=old
        )
        new = old
        if old.valid_from < first:
            new = Shift(
                room=old.room, carer=old.carer, weekday=old.weekday, valid_from=first, valid_to=old.valid_to
            )
            Shift.objects.filter(pk=old.pk).update(valid_to=first - timedelta(days=1))
        new.starts, new.ends = hours.starts, hours.ends
        new.break_starts, new.break_ends = hours.break_starts, hours.break_ends
        new.save()
        return new, [(old.room, _days_of(old.room, old.weekday, first, old.valid_to))]

    return _change(hub, work, confirm=confirm)


def end_shift(*, hub: Hub, code: str, last_day: date, confirm: bool = False) -> None:
    """End a weekly shift after ``last_day``; one that has not begun by then goes. Raises `RatioShort`."""

    def work(fresh: Hub) -> tuple[None, list[tuple[CareRoom, Iterable[date]]]]:
        row = _shift(fresh, code)
        today = clock.today(fresh.tz)
        last = max(last_day, today - timedelta(days=1))
        if last < row.valid_from:
            row.delete()
        else:
            row.valid_to = last if row.valid_to is None else min(last, row.valid_to)
            row.save(update_fields=["valid_to"])
        gone = [day for day in _days_of(row.room, row.weekday, last, None) if day > last]
        return None, [(row.room, gone)]

    _change(hub, work, confirm=confirm)


# ---------------------------------------------------------------- dated changes


def set_absent(
    *, hub: Hub, carer: str, day: date, note: str = "", confirm: bool = False
) -> list[ShiftChange]:
    """A carer is away on ``day``, from every room of her weekly roster; dated shifts of that day go too.

    Raises `RatioShort`; `DomainError` ``not_on_shift`` (409), ``in_past`` (422).
    """
    _check_day(hub, day)

    def work(fresh: Hub) -> tuple[list[ShiftChange], list[tuple[CareRoom, Iterable[date]]]]:
        person = _carer(fresh, carer)
        rooms = {shift.room_id: shift.room for shift in _shifts_on(person, day)}
        extras = list(
            ShiftChange.objects.filter(carer=person, date=day, kind=ChangeKind.EXTRA).select_related("room")
        )
        if not rooms and not extras:
            raise DomainError("not_on_shift", _("この人は その日に 当番が ありません。"))
        touched: list[tuple[CareRoom, Iterable[date]]] = [(extra.room, [day]) for extra in extras]
        for extra in extras:
            extra.delete()
        made = []
        for room in rooms.values():
            row, _created = ShiftChange.objects.get_or_create(
                room=room, carer=person, date=day, kind=ChangeKind.ABSENT, defaults={"note": nfkc(note)[:100]}
            )
            made.append(row)
            touched.append((room, [day]))
        return made, touched

    return _change(hub, work, confirm=confirm)


def _check_day(hub: Hub, day: date) -> None:
    if day < clock.today(hub.tz):
        raise DomainError("in_past", _("もう すぎた日です。きょうか、これからの日を えらんでください。"), 422)


def add_extra(*, hub: Hub, room: str, carer: str, day: date, hours: Hours, note: str = "") -> ShiftChange:
    """A carer works in a room on ``day`` only. Raises `DomainError` ``carer_busy``, ``carer_ended`` (409), ``in_past`` (422)."""
    _check_day(hub, day)
    hours.check()

    def work(fresh: Hub) -> tuple[ShiftChange, list[tuple[CareRoom, Iterable[date]]]]:
        place, person = room_of(fresh, room), _carer(fresh, carer)
        if not person.is_active:
            raise DomainError("carer_ended", _("この 保育者は もう 働いていません。"))
        changes = list(ShiftChange.objects.filter(carer=person, date=day))
        away = {change.room_id for change in changes if change.kind == ChangeKind.ABSENT}
        taken = [(row.starts, row.ends) for row in _shifts_on(person, day) if row.room_id not in away]
        taken += [(c.starts, c.ends) for c in changes if c.kind == ChangeKind.EXTRA and c.starts and c.ends]
        if any(hours.overlaps(starts, ends) for starts, ends in taken) or any(
            c.kind == ChangeKind.EXTRA and c.room_id == place.pk for c in changes
        ):
            raise _busy(person)
        row = ShiftChange.objects.create(
            room=place, carer=person, date=day, kind=ChangeKind.EXTRA, starts=hours.starts, ends=hours.ends,
            break_starts=hours.break_starts, break_ends=hours.break_ends, note=nfkc(note)[:100],
        )  # fmt: skip
        return row, [(place, [day])]

    return _change(hub, work, confirm=True)


def remove_change(*, hub: Hub, code: str, confirm: bool = False) -> None:
    """Take a dated change back. Raises `RatioShort`; `DomainError` ``change_unknown`` (404), ``carer_busy`` (409)."""

    def work(fresh: Hub) -> tuple[None, list[tuple[CareRoom, Iterable[date]]]]:
        row = ShiftChange.objects.filter(room__hub=fresh, code=code).select_related("room", "carer").first()
        if row is None or row.date < clock.today(fresh.tz):
            raise DomainError("change_unknown", _("その 変更は 見つかりません。"), 404)
        if row.kind == ChangeKind.ABSENT:
            extras = ShiftChange.objects.filter(carer=row.carer, date=row.date, kind=ChangeKind.EXTRA)
            for shift in _shifts_on(row.carer, row.date):
                back = Hours(shift.starts, shift.ends)
                if shift.room_id == row.room_id and any(back.overlaps(e.starts, e.ends) for e in extras):
                    raise _busy(row.carer)
        row.delete()
        return None, [(row.room, [row.date])]

    _change(hub, work, confirm=confirm)


# ---------------------------------------------------------------- rooms


@dataclass(frozen=True)
class RoomData:
    """What a manager may say about a room. Areas in square metres with at most two decimals."""

    name: str
    scheme: str
    table: str
    places: int
    area_infant: Decimal
    area_toddler: Decimal
    name_en: str = ""
    table_reason: str = ""
    one_by_five: bool = False
    three_quarters_qualified: bool = False
    youngest: int = 0
    oldest: int = 5
    main_from: time = time(8)
    main_to: time = time(19)
    fever_limit: Decimal = Decimal("37.5")
    is_active: bool = True

    def check(self) -> None:
        """Raises `DomainError` (422) with the field in ``facts["field"]``."""
        if not nfkc(self.name):
            raise DomainError("room_invalid", _("名前を 入れてください"), 422, field="name")
        if self.scheme not in Scheme.values or self.table not in RatioTable.values:
            raise DomainError("room_invalid", _("しくみを えらんでください"), 422, field="scheme")
        if self.table == RatioTable.FORMER and not nfkc(self.table_reason):
            raise DomainError(
                "table_reason_missing",
                _("ゆるい ほうの きまりを えらぶ わけを 書いてください。"),
                422,
                field="table_reason",
            )
        if not 0 <= self.youngest <= self.oldest <= 5:
            raise DomainError(
                "room_classes",
                _("いちばん 上の クラスを、下の クラスと 同じか それより 上に してください。"),
                422,
                field="oldest",
            )
        if self.main_to <= self.main_from:
            raise DomainError(
                "not_forward", _("終わりの時間を、始まりより あとに してください。"), 422, field="main_to"
            )


def cm2(square_metres: Decimal) -> int:
    """Square metres with two decimals as whole square centimetres, exactly. Raises ValueError when there are more."""
    value = square_metres * CM2_PER_M2
    if value != value.to_integral_value() or square_metres.as_tuple().exponent < -2:  # type: ignore[operator]  # forms let only finite numbers through
        raise ValueError(f"{square_metres} has more than two decimals")
    return int(value)


def save_room(*, hub: Hub, code: str | None, data: RoomData, confirm: bool = False) -> CareRoom:
    """Add (``code`` None) or edit a care room: scheme, licence, floor, hours. Raises `RatioShort` for booked children.

    `DomainError` ``room_in_use`` (409) when a room with booked children would be closed for good.
    """
    data.check()

    def work(fresh: Hub) -> tuple[CareRoom, list[tuple[CareRoom, Iterable[date]]]]:
        row = room_of(fresh, code) if code else CareRoom(hub=fresh, position=fresh.care_rooms.count())
        if row.pk and row.is_active and not data.is_active:
            booked = CarePlace.objects.filter(
                room=row, status=PlaceStatus.BOOKED, ends_at__gt=clock.now()
            ).count()
            if booked:
                raise DomainError(
                    "room_in_use",
                    _("預かりの 予約が %(count)s件 あります。先に その日を お休みに してください。")
                    % {"count": booked},
                    409,
                    field="is_active",
                )
        row.name, row.name_en = nfkc(data.name)[:40], nfkc(data.name_en)[:40]
        row.scheme, row.table = data.scheme, data.table
        row.table_reason = nfkc(data.table_reason)[:200] if data.table == RatioTable.FORMER else ""
        row.one_by_five, row.three_quarters_qualified = data.one_by_five, data.three_quarters_qualified
        row.places = data.places
        row.area_infant_cm2, row.area_toddler_cm2 = cm2(data.area_infant), cm2(data.area_toddler)
        row.youngest, row.oldest = data.youngest, data.oldest
        row.main_from, row.main_to, row.is_active = data.main_from, data.main_to, data.is_active
        row.fever_limit = data.fever_limit
        row.save()
        row.hub = fresh
        return row, [(row, future_days(row))]

    return _change(hub, work, confirm=confirm)
