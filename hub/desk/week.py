"""One week of a care room for the roster page: who works when, and staff beside need, hour by hour."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta

from hub.childcare.capacity import OnShift, on_shift
from hub.childcare.models import CareRoom, RoomQuarter, Shift, ShiftChange
from hub.core.quarters import local, quarter_of, start_of
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub

QUARTERS_PER_HOUR = 4


@dataclass(frozen=True)
class Hour:
    """The tightest quarter of an hour: what counts is the worst quarter in it."""

    start: time
    quarter: int
    staff: int
    required: int
    qualified: int
    qualified_required: int
    children: int

    @property
    def missing(self) -> int:
        return max(0, self.required - self.staff)

    @property
    def qualified_missing(self) -> int:
        return max(0, self.qualified_required - self.qualified)

    @property
    def short(self) -> bool:
        return bool(self.missing or self.qualified_missing)

    @property
    def top(self) -> int:
        """The end of the meter."""
        return max(self.staff, self.required, 1)


@dataclass
class DayColumn:
    day: date
    is_open: bool
    reason: str
    shifts: list[OnShift]
    away: list[ShiftChange]
    extras: list[ShiftChange]
    hours: list[Hour] = field(default_factory=list)

    @property
    def most_children(self) -> int:
        return max((hour.children for hour in self.hours), default=0)

    @property
    def is_short(self) -> bool:
        return any(hour.short for hour in self.hours)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _children(row: RoomQuarter) -> int:
    return row.n0 + row.n1 + row.n2 + row.n3 + row.n45


def _hour(start: time, rows: list[RoomQuarter]) -> Hour:
    worst = max(
        rows,
        key=lambda row: (
            row.required - row.staff,
            row.qualified_required - row.qualified,
            row.required,
            _children(row),
        ),
    )
    return Hour(
        start, worst.quarter, worst.staff, worst.required, worst.qualified, worst.qualified_required,
        max(_children(row) for row in rows),
    )  # fmt: skip


def week_of(hub: Hub, room: CareRoom, monday: date, language: str) -> list[DayColumn]:
    """Seven days of ``room`` from ``monday``, in three queries whatever the size of the roster."""
    days = [monday + timedelta(days=n) for n in range(7)]
    shifts = list(Shift.objects.filter(room=room).select_related("carer"))
    changes = list(
        ShiftChange.objects.filter(room=room, date__gte=days[0], date__lte=days[-1]).select_related("carer")
    )
    first = quarter_of(local(days[0], time(0), hub.tz))
    last = quarter_of(local(days[-1] + timedelta(days=1), time(0), hub.tz))
    rows = RoomQuarter.objects.filter(room=room, quarter__gte=first, quarter__lt=last).order_by("quarter")
    by_hour: dict[tuple[date, time], list[RoomQuarter]] = {}
    for row in rows:
        moment = start_of(row.quarter).astimezone(hub.tz)
        by_hour.setdefault((moment.date(), time(moment.hour)), []).append(row)
    known = facts_of(hub)
    columns = []
    room.hub = hub
    for day in days:
        info = known.day(day, language)
        working = sorted(
            on_shift(room, day, shifts, changes), key=lambda row: (row.period.starts_at, row.name)
        )
        columns.append(
            DayColumn(
                day=day,
                is_open=info.period is not None,
                reason=info.reason,
                shifts=[
                    OnShift(
                        row.carer_id, row.name, row.qualification, row.period.in_zone(hub.tz),
                        row.pause.in_zone(hub.tz) if row.pause else None,
                    )
                    for row in working
                ],
                away=[change for change in changes if change.date == day and change.kind == "absent"],
                extras=[change for change in changes if change.date == day and change.kind == "extra"],
                hours=[_hour(at, found) for (on, at), found in sorted(by_hour.items()) if on == day],
            )
        )  # fmt: skip
    return columns
