"""`RoomQuarter` rows from roster, rooms, hours and dated law; rebuilt safely while children are booked (I3, I3b)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from operator import attrgetter

from django.utils.translation import gettext_lazy as _

from hub.childcare.enums import QUALIFIED, ChangeKind, Qualification, Scheme
from hub.childcare.models import CareRoom, CareRule, RoomClosure, RoomQuarter, Shift, ShiftChange
from hub.childcare.queries import floor_limits, ratios_of, rooms_of, rule_on
from hub.childcare.ratio import Counts, Ratios, qualified, required
from hub.core import clock
from hub.core.db import insert_rows, require_transaction
from hub.core.errors import DomainError
from hub.core.quarters import Period, local, quarter_of, runs, start_of
from hub.spaces.facts import Closed, closed_of, facts_of, still_open
from hub.spaces.models import Hub

COUNTERS = ("n0", "n1", "n2", "n3", "n45")
MADE_WITH = (
    "staff", "qualified", "places", "infant_limit", "toddler_limit", "r0", "r1", "r2", "r3", "r45", "plus",
    "share_num", "share_den", "in_main_hours", "shortfall", "qualified_shortfall", "over", "frozen_children",
)  # fmt: skip


def counts_of(row: RoomQuarter) -> Counts:
    return Counts(row.n0, row.n1, row.n2, row.n3, row.n45)


def ratios_on(row: RoomQuarter) -> Ratios:
    """The dated rule numbers that ``row`` was made with."""
    return Ratios(row.r0, row.r1, row.r2, row.r3, row.r45, row.plus, row.share_num, row.share_den)


def set_lacks(row: RoomQuarter, counts: Counts) -> bool:
    """Set what is missing at ``counts`` (zero when nothing is), the children frozen with it. True if anything is."""
    ratios = ratios_on(row)
    row.shortfall = max(0, required(counts, ratios, main_hours=row.in_main_hours) - row.staff)
    row.qualified_shortfall = max(0, qualified(counts, ratios) - row.qualified)
    row.over = max(
        0,
        counts.children - row.places,
        counts.infants - row.infant_limit,
        counts.toddlers - row.toddler_limit,
    )
    lacking = bool(row.shortfall or row.qualified_shortfall or row.over)
    row.frozen_children = counts.children if lacking else 0
    return lacking


@dataclass(frozen=True)
class OnShift:
    """One carer's time on one day: counts in quarters wholly inside it and untouched by the break."""

    carer_id: int
    name: str
    qualification: str
    period: Period
    pause: Period | None

    def counts_in(self, quarter: Period) -> bool:
        return self.period.contains(quarter) and not (self.pause and self.pause.overlaps(quarter))


def on_shift(
    room: CareRoom, day: date, shifts: Iterable[Shift], changes: Iterable[ShiftChange]
) -> list[OnShift]:
    """Who works in ``room`` on ``day``: the weekly roster, without those away, with those who come extra."""
    tz = room.hub.tz
    todays = [change for change in changes if change.date == day and change.room_id == room.pk]
    away = {change.carer_id for change in todays if change.kind == ChangeKind.ABSENT}
    rows: list[Shift | ShiftChange] = [
        shift
        for shift in shifts
        if shift.room_id == room.pk
        and shift.weekday == day.weekday()
        and shift.valid_from <= day
        and (shift.valid_to is None or day <= shift.valid_to)
        and shift.carer_id not in away
    ]
    rows += [change for change in todays if change.kind == ChangeKind.EXTRA]
    found = []
    for row in rows:
        if not row.carer.is_active or row.starts is None or row.ends is None:
            continue
        pause = None
        if row.break_starts and row.break_ends:
            pause = Period(local(day, row.break_starts, tz), local(day, row.break_ends, tz))
        period = Period(local(day, row.starts, tz), local(day, row.ends, tz))
        found.append(OnShift(row.carer_id, row.carer.name, row.carer.qualification, period, pause))
    return found


def counted(scheme: str, qualifications: Sequence[str]) -> tuple[int, int]:
    """Workers, and how many of them count as qualified (RULE-04: a nurse may stand in for one, in unlicensed care counts)."""
    teachers = sum(1 for q in qualifications if q in QUALIFIED)
    nurses = sum(1 for q in qualifications if q == Qualification.NURSE)
    if scheme == Scheme.UNLICENSED:
        return len(qualifications), teachers + nurses
    return len(qualifications), teachers + (min(1, nurses) if scheme == Scheme.CORPORATE_LED else 0)


def staff_in(scheme: str, working: Iterable[OnShift], quarter: int) -> tuple[int, int]:
    """Workers and qualified workers in ``quarter`` by the roster."""
    period = Period(start_of(quarter), start_of(quarter + 1))
    present = {w.carer_id: w.qualification for w in working if w.counts_in(period)}
    return counted(scheme, list(present.values()))


class RatioShort(DomainError):
    """A change of roster, licence or floor would leave booked children without enough carers or room."""

    def __init__(self, lacking: Sequence[RoomQuarter]) -> None:
        super().__init__(
            "ratio_short",
            _("この 変更では、預かりの 予約に 保育者か 場所が 足りなくなります。"),
            periods=runs(row.quarter for row in lacking),
            missing=max(max(row.shortfall, row.qualified_shortfall, row.over) for row in lacking),
        )
        self.lacking = list(lacking)  # unsaved rows, for the page that names each lack


def closed_times(room: CareRoom, first: date, last: date) -> list[Closed]:
    """The room's own closed times that touch these days."""
    rows = RoomClosure.objects.filter(room=room, starts_on__lte=last, ends_on__gte=first)
    return [closed_of(row) for row in rows]


def rebuild(room: CareRoom, days: Iterable[date], *, confirm_shortfall: bool = False) -> int:
    """Make or renew the quarters of ``room`` on ``days``; children booked stay. Returns quarters that lack something.

    Quarters that lie in the past are left as they were. Where the room is closed there are none, but for children who
    are there all the same: they count as too many, so that nobody joins them. Raises `RatioShort` when booked children would lack
    staff, places or floor, unless ``confirm_shortfall`` records that as reality (I3b).
    """
    require_transaction()
    wanted = sorted(set(days))
    if not wanted:
        return 0
    hub_facts = facts_of(room.hub)
    tz = hub_facts.tz
    rules = list(CareRule.objects.filter(scheme=room.scheme, table=room.table))
    shifts = list(Shift.objects.filter(room=room).select_related("carer"))
    changes = list(
        ShiftChange.objects.filter(room=room, date__gte=wanted[0], date__lte=wanted[-1]).select_related(
            "carer"
        )
    )
    first_open = quarter_of(clock.now())
    bounds = (
        max(first_open, quarter_of(local(wanted[0], time(0), tz))),
        quarter_of(local(wanted[-1] + timedelta(days=1), time(0), tz)),
    )
    rows = RoomQuarter.objects.select_for_update().filter(
        room=room, quarter__gte=bounds[0], quarter__lt=bounds[1]
    )
    existing = {row.quarter: row for row in rows.order_by("room", "quarter")}
    closed = closed_times(room, wanted[0], wanted[-1])
    fresh: list[RoomQuarter] = []
    stale: list[int] = []
    lacking: list[RoomQuarter] = []
    for day in wanted:
        rule = rule_on(rules, room, day)
        ratios = ratios_of(rule, room)
        infants, toddlers = floor_limits(rule, room)
        working = on_shift(room, day, shifts, changes)
        main = Period(local(day, room.main_from, tz), local(day, room.main_to, tz))
        opening = hub_facts.day(day).period
        period = still_open(closed, opening, day, tz)
        open_quarters = set(period.quarters) if room.is_active and period else set()
        shut = set(opening.quarters) - open_quarters if opening and room.is_active else set()
        known = {q for q in existing if start_of(q).astimezone(tz).date() == day}
        for quarter in sorted(open_quarters | known):
            if quarter < first_open:
                continue
            old = existing.get(quarter)
            counts = counts_of(old) if old else Counts()
            if quarter not in open_quarters and not counts.children:
                stale.append(quarter)
                continue
            staff, able = staff_in(room.scheme, working, quarter)
            licensed = 0 if quarter in shut else room.places
            row = RoomQuarter(
                room=room, quarter=quarter, **counts._asdict(), staff=staff, qualified=able, places=licensed,
                infant_limit=infants, toddler_limit=toddlers, r0=ratios.r0, r1=ratios.r1, r2=ratios.r2, r3=ratios.r3,
                r45=ratios.r45, plus=ratios.plus, share_num=ratios.share_num, share_den=ratios.share_den,
                in_main_hours=main.starts_at <= start_of(quarter) < main.ends_at,
            )  # fmt: skip
            if set_lacks(row, counts):
                known_lack = old is not None and all(
                    getattr(old, lack) >= getattr(row, lack)
                    for lack in ("shortfall", "qualified_shortfall", "over")
                )
                if not known_lack:  # an older, confirmed lack that does not grow needs no second confirmation
                    lacking.append(row)
            fresh.append(row)
    if lacking and not confirm_shortfall:
        raise RatioShort(lacking)
    RoomQuarter.objects.filter(room=room, quarter__in=stale).delete()
    key = ("room_id", "quarter")
    columns = (*key, *COUNTERS, *MADE_WITH)
    read = attrgetter(*columns)
    insert_rows(RoomQuarter, columns, map(read, fresh), unique=key, renew=MADE_WITH)
    return sum(1 for row in fresh if row.frozen_children)


def horizon_days(hub: Hub) -> list[date]:
    """The local days from today to the hub's horizon, both included."""
    first = clock.today(hub.tz)
    return [first + timedelta(days=n) for n in range(hub.horizon_days + 1)]


def rebuild_hub(hub: Hub, days: Iterable[date] | None = None, *, confirm_shortfall: bool = False) -> int:
    """`rebuild` for every room of ``hub``, to the horizon when no days are given."""
    wanted = list(days) if days is not None else horizon_days(hub)
    return sum(
        rebuild(room, wanted, confirm_shortfall=confirm_shortfall)
        for room in CareRoom.objects.filter(hub=hub)
    )


def extend_to_horizon(hub: Hub) -> int:
    """Make the quarters of days that have none yet (the tick calls this every minute). Returns the days made."""
    require_transaction()
    made = 0
    for room in rooms_of(hub):
        last = (
            RoomQuarter.objects.filter(room=room)
            .order_by("-quarter")
            .values_list("quarter", flat=True)
            .first()
        )
        days = horizon_days(hub)
        if last is not None:
            last_day = start_of(last).astimezone(hub.tz).date()
            days = [day for day in days if day > last_day]
        if not days:
            continue
        closed = closed_times(room, days[0], days[-1])
        known = facts_of(hub)
        if any(still_open(closed, known.day(day).period, day, known.tz) for day in days):
            rebuild(room, days)
            made += len(days)
    return made
