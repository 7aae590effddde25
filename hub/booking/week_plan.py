"""A usual week as it is asked for, and what would become of each of its dates. Changes nothing.

The preview reads the bookings of the whole time once (`availability.snapshot`) and answers each date from that picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from hub.booking import rules, words
from hub.booking.availability import Snapshot, snapshot
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.words import Blocker
from hub.childcare.models import Child
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import Period, in_calendar, local, quarter_of
from hub.members.models import Member
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Zone

WEEKS = 13  # three months: longer plans change anyway (decision 0016)
MOST_FITS = 4  # other hours that are offered for a date


class Outlook(StrEnum):
    """What would become of a date."""

    OK = "ok"
    FULL = "full"
    CLASH = "clash"  # she or a child is somewhere else then
    CLOSED = "closed"
    WAITING = "waiting"  # beyond the horizon: booked when it opens
    REFUSED = "refused"  # papers, school age, in the past


FULL = frozenset({"care_full", "seat_taken"})
CLASH = frozenset({"member_busy", "child_busy"})


def outlook_of(code: str) -> Outlook:
    """The kind of a refusal by its code."""
    if code in FULL:
        return Outlook.FULL
    if code in CLASH:
        return Outlook.CLASH
    return {"hub_closed": Outlook.CLOSED, "zone_closed": Outlook.CLOSED, "not_open_yet": Outlook.WAITING}.get(
        code, Outlook.REFUSED
    )


@dataclass(frozen=True)
class Line:
    """One day of the week: hours on the hub's wall clock, and who is brought."""

    weekday: int
    starts: time
    ends: time
    children: tuple[Child, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """A usual week of ``member`` at ``hub`` from ``first`` to ``last`` (both included)."""

    member: Member
    hub: Hub
    first: date
    last: date
    lines: tuple[Line, ...]
    zone: Zone | None = None
    without_seat: bool = False

    @property
    def seat(self) -> SeatWish:
        if self.without_seat:
            return SeatWish(SeatMode.NONE)
        return SeatWish(SeatMode.ZONE, zone=self.zone) if self.zone else SeatWish()

    @property
    def children(self) -> list[Child]:
        """Everybody who comes along on some day."""
        return list({child.pk: child for line in self.lines for child in line.children}.values())

    def dates(self) -> list[tuple[date, Line]]:
        """Every date of the pattern, ascending."""
        by_day = {line.weekday: line for line in self.lines}
        days = (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))
        return [(day, by_day[day.weekday()]) for day in days if day.weekday() in by_day]

    def request(self, day: date, line: Line, hours: tuple[time, time] | None = None) -> VisitRequest:
        """The booking of one date; ``hours`` where they are not those of the line."""
        starts, ends = hours or (line.starts, line.ends)
        return request_at(self.member, self.hub, day, starts, ends, self.seat, line.children)


def request_at(
    member: Member, hub: Hub, day: date, starts: time, ends: time, seat: SeatWish, children: tuple[Child, ...]
) -> VisitRequest:
    """A booking by wall clock: the same hours also where a zone's clock changes in between."""
    period = Period(local(day, starts, hub.tz), local(day, ends, hub.tz))
    return VisitRequest(member, hub, period, seat, tuple(ChildWish(child) for child in children))


@dataclass(frozen=True)
class Choices:
    """What was decided about single dates of the preview."""

    off: frozenset[date] = frozenset()
    shifts: Mapping[date, tuple[time, time]] = field(default_factory=dict)


@dataclass(frozen=True)
class DateOutlook:
    """One date: what would become of it and why, in one sentence. ``fits``: other hours that would do."""

    date: date
    line: Line
    period: Period
    outlook: Outlook
    blocker: Blocker | None = None
    is_off: bool = False
    is_shifted: bool = False
    fits: tuple[Period, ...] = ()


@dataclass(frozen=True)
class Preview:
    pattern: Pattern
    dates: tuple[DateOutlook, ...]

    def count(self, *kinds: Outlook) -> int:
        """How many dates that are not switched off look like this."""
        return sum(1 for one in self.dates if one.outlook in kinds and not one.is_off)


_SHAPE = {
    "no_days": _("来る曜日を えらんでください。"),
    "not_forward": _("終わりの日を、始まりの日より あとに してください。"),
    "too_long": _("いつもの 1週間は 13週間さきまでです。"),
    "in_past": _("始まりの日は、きょうか これからの日に してください。"),
    "no_dates": _("えらんだ 曜日の日が ありません。終わりの日を のばしてください。"),
}


def _wrong(code: str) -> DomainError:
    return DomainError(code, _SHAPE[code], 422)


def check_pattern(pattern: Pattern) -> None:
    """Raises `DomainError` (422): no day, days or hours that run backwards, more than 13 weeks, off the grid."""
    first, last = pattern.first, pattern.last
    if not pattern.lines:
        raise _wrong("no_days")
    if not (in_calendar(first) and in_calendar(last)) or (last - first).days >= WEEKS * 7:
        raise _wrong("not_forward" if last < first else "too_long")
    if last < first:
        raise _wrong("not_forward")
    if first < clock.today(pattern.hub.tz):
        raise _wrong("in_past")
    days = pattern.dates()
    if not days:
        raise _wrong("no_dates")
    weekdays = [line.weekday for line in pattern.lines]
    if len(set(weekdays)) != len(weekdays) or not all(0 <= day <= 6 for day in weekdays):
        raise _wrong("no_days")
    seen = set()
    for day, line in days:
        if line.weekday not in seen:
            seen.add(line.weekday)
            rules.check_shape(pattern.request(day, line))


def known_blocker(request: VisitRequest, households: set[int], now: datetime) -> Blocker | None:
    """What stands against a date without a look at other bookings: rules of time, place and children.

    Unlike at a booking, a closed day is told before the horizon: New Year stays closed however early one asks.
    """
    try:
        rules.check_shape(request)
        rules.check_not_past(request.period, now)
        rules.check_open(request.hub, request.period)
        rules.check_length(request.hub, request.period)
        rules.check_children(request, households)
        rules.check_horizon(request.hub, request.period, now)
    except DomainError as error:
        return words.blocker_of(error, request)
    return None


def preview(pattern: Pattern, choices: Choices | None = None, *, actor: Member | None = None) -> Preview:
    """What would become of each date now. Reads the bookings once for all of them.

    ``actor``: staff who ask for a caller. Raises `DomainError`: the shape (422), or a member who may not book here (403).
    """
    choices = choices or Choices()
    check_pattern(pattern)
    member, hub, now = pattern.member, pattern.hub, clock.now()
    rules.check_member(actor or member, member, hub)
    households = rules.households_of(member)
    horizon = now.astimezone(hub.tz).date() + timedelta(days=hub.horizon_days)
    shot = None
    if pattern.first <= horizon:
        shot = snapshot(
            hub, pattern.first, min(pattern.last, horizon), member=member, children=pattern.children
        )
    found = []
    for day, line in pattern.dates():
        hours = choices.shifts.get(day)
        request = pattern.request(day, line, hours)
        blocker = known_blocker(request, households, now)
        if blocker is None:
            assert shot is not None
            against = words.blockers_of(shot.verdict(request), request)
            blocker = against[0] if against else None
        outlook = Outlook.OK if blocker is None else outlook_of(blocker.code)
        fits: tuple[Period, ...] = ()
        if outlook is not Outlook.REFUSED:
            picture = None if outlook is Outlook.WAITING else shot
            fits = _fits(pattern.request(day, line), request, picture, now)
        found.append(
            DateOutlook(
                day, line, request.period, outlook, blocker, day in choices.off,
                request.period != pattern.request(day, line).period, fits,
            )
        )  # fmt: skip
    return Preview(pattern, tuple(found))


def _fits(
    usual: VisitRequest, now_asked: VisitRequest, shot: Snapshot | None, now: datetime
) -> tuple[Period, ...]:
    """The nearest other hours of the same length that would do on that day (``shot`` None: not open yet)."""
    hub = usual.hub
    opening = facts_of(hub).day(usual.period.starts_at.date()).period
    if opening is None:
        return ()
    step, length = timedelta(minutes=hub.page_step), usual.period.length
    starts = []
    start = opening.starts_at
    while start + length <= opening.ends_at:
        if start != usual.period.starts_at and quarter_of(start) >= quarter_of(now):
            starts.append(start)
        start += step
    starts.sort(key=lambda at: (abs(at - usual.period.starts_at), at))
    found = (
        [now_asked.period] if now_asked.period != usual.period else []
    )  # what was chosen stays in the list
    for at in starts:
        if len(found) >= MOST_FITS:
            break
        other = Period(at, at + length)
        if other not in found and (shot is None or shot.verdict(usual.at(other)).ok):
            found.append(other)
    return tuple(sorted(found))


def sentence_of(blocker: Blocker) -> str:
    """A refusal as the one or two sentences that are kept with its date."""
    return words.joined(blocker.title, blocker.why) if blocker.why else blocker.title
