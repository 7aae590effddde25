"""The answers of a usual week in a query string or a posted form, as `forms.Answers` does for one visit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from urllib.parse import urlencode

from django.http import Http404, QueryDict

from hub.booking.forms import MORNING, booked_for, home_hub, read_time, steps_between
from hub.booking.services import may_change
from hub.booking.week_plan import Choices, Line, Pattern
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import Child
from hub.childcare.queries import children_of
from hub.core import clock
from hub.core.forms import nfkc
from hub.core.quarters import in_calendar
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Visit

USUAL_WEEKS = 4  # what is proposed; 13 is the most
NO_SEAT = "none"
OFF = "off"


@dataclass(frozen=True)
class DayAnswer:
    """One day of the week: chosen or not, its hours, and which of the children stay at home on it."""

    weekday: int
    chosen: bool
    starts: time
    ends: time
    left_out: frozenset[str]
    options: tuple[time, ...]

    @property
    def date(self) -> date:
        """A date that stands for the day of the week."""
        return date(2024, 1, 1) + timedelta(days=self.weekday)


@dataclass(frozen=True)
class WeekAnswers:
    """Everything that was answered so far. Times are the hub's wall clock."""

    hubs: tuple[Hub, ...]
    hub: Hub
    actor: Member
    member: Member
    family: tuple[Child, ...]
    days: tuple[DayAnswer, ...]
    children: tuple[Child, ...]
    zone: str
    first: date
    last: date
    on: frozenset[str] | None = None  # dates that are left on; None before the preview was seen
    shifts: Mapping[str, str] = field(default_factory=dict)  # date -> "13:00-16:00" or "off"

    @property
    def for_other(self) -> bool:
        """Whether staff ask for somebody else."""
        return self.member.pk != self.actor.pk

    @property
    def pattern(self) -> Pattern:
        """The usual week that these answers ask for. Raises `Http404` for a zone of another hub."""
        zone = None
        if self.zone not in ("", NO_SEAT):
            zone = next((one for one in facts_of(self.hub).zones if one.slug == self.zone), None)
            if zone is None:
                raise Http404
        lines = tuple(
            Line(
                day.weekday, day.starts, day.ends,
                tuple(child for child in self.children if child.code not in day.left_out),
            )
            for day in self.days
            if day.chosen
        )  # fmt: skip
        return Pattern(self.member, self.hub, self.first, self.last, lines, zone, self.zone == NO_SEAT)

    def choices(self, pattern: Pattern) -> Choices:
        """What was decided in the preview about single dates of ``pattern``."""
        off: set[date] = set()
        shifts: dict[date, tuple[time, time]] = {}
        for day, _line in pattern.dates():
            said = self.shifts.get(day.isoformat(), "")
            if said == OFF or (self.on is not None and day.isoformat() not in self.on):
                off.add(day)
            elif said:
                starts, _dash, ends = said.partition("-")
                hours = (read_time(starts), read_time(ends))
                if hours[0] is not None and hours[1] is not None and hours[0] < hours[1]:
                    shifts[day] = (hours[0], hours[1])
        return Choices(frozenset(off), shifts)

    def fields(self) -> list[tuple[str, str]]:
        """Names and values of a form or an address that asks for the same pattern."""
        out = [("hub", self.hub.slug), ("first", self.first.isoformat()), ("last", self.last.isoformat())]
        if self.for_other:
            out.append(("for", self.member.code))
        if self.zone:
            out.append(("zone", self.zone))
        out += [("c", child.code) for child in self.children]
        for day in self.days:
            if day.chosen:
                out += [("wd", str(day.weekday)), (f"f{day.weekday}", f"{day.starts:%H:%M}")]
                out += [(f"t{day.weekday}", f"{day.ends:%H:%M}")]
                out += [(f"no{day.weekday}", code) for code in sorted(day.left_out)]
        return out

    @property
    def query(self) -> str:
        return urlencode(self.fields())


def _read_day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(nfkc(text or ""))
    except ValueError:
        return None
    return day if in_calendar(day) else None


def read_week(data: QueryDict, actor: Member) -> WeekAnswers:
    """The answers of ``actor``, for herself or for a caller.

    Raises `Http404`: an unknown hub, a visit or a child that is not hers, somebody whom she may not book for.
    """
    hubs = tuple(Hub.objects.filter(is_open=True).order_by("pk"))
    visit = _visit(data.get("visit"), actor)
    slug = data.get("hub") or (visit.hub.slug if visit else "")
    hub = next((one for one in hubs if one.slug == slug), None) if slug else home_hub(actor, hubs)
    if hub is None:
        raise Http404
    member = booked_for(data.get("for"), actor, hub) if visit is None else actor
    if member.pk != actor.pk:
        hubs = tuple(one for one in hubs if allowed(actor, Action.BOOK_FOR_OTHERS, one))
    family = tuple(children_of(member))
    codes = set(data.getlist("c"))
    if codes - {child.code for child in family}:
        raise Http404
    if visit is not None:
        places = visit.care_places.filter(status=PlaceStatus.BOOKED)
        codes |= set(places.values_list("child__code", flat=True)) & {child.code for child in family}
    today = clock.today(hub.tz)
    first = _read_day(data.get("first")) or _first_day(visit, hub, today)
    last = _read_day(data.get("last")) or first + timedelta(days=USUAL_WEEKS * 7 - 1)
    zone = data.get("zone", "")
    if visit is not None and not zone:
        zone = visit.seat.zone.slug if visit.seat else NO_SEAT
    return WeekAnswers(
        hubs=hubs, hub=hub, actor=actor, member=member, family=family, days=_days(data, hub, visit),
        children=tuple(child for child in family if child.code in codes), zone=zone, first=first, last=last,
        on=frozenset(data.getlist("on")) if "picked" in data else None,
        shifts={key[2:]: value for key, value in data.items() if key.startswith("s-") and isinstance(value, str)},
    )  # fmt: skip


def _visit(code: str | None, member: Member) -> Visit | None:
    """The visit that becomes a usual week."""
    if not code:
        return None
    visit = Visit.objects.select_related("hub", "member", "seat__zone").filter(code=code).first()
    if visit is None or visit.member_id != member.pk or not may_change(member, visit):
        raise Http404
    return visit


def _first_day(visit: Visit | None, hub: Hub, today: date) -> date:
    """Tomorrow, or a week after the visit from which the usual week is made: that day itself is booked."""
    tomorrow = today + timedelta(days=1)
    if visit is None:
        return tomorrow
    return max(tomorrow, visit.starts_at.astimezone(hub.tz).date() + timedelta(days=7))


def _days(data: QueryDict, hub: Hub, visit: Visit | None) -> tuple[DayAnswer, ...]:
    """The days of the week on which the hub is open, each with the hours that can be chosen."""
    when = visit.period.in_zone(hub.tz) if visit else None
    chosen = set(data.getlist("wd"))
    if when is not None and not chosen:
        chosen = {str(when.starts_at.weekday())}
    found = []
    for weekday, (opens, closes) in sorted(facts_of(hub).hours.items()):
        usual = (max(MORNING[0], opens), min(MORNING[1], closes))
        if usual[0] >= usual[1]:  # a hub that opens in the afternoon
            usual = (opens, closes)
        if when is not None:
            usual = (when.starts_at.time(), when.ends_at.time())
        starts = read_time(data.get(f"f{weekday}")) or usual[0]
        ends = read_time(data.get(f"t{weekday}")) or usual[1]
        steps = {*steps_between(opens, closes, hub.page_step), closes, starts, ends}
        found.append(
            DayAnswer(
                weekday, str(weekday) in chosen, starts, ends,
                frozenset(data.getlist(f"no{weekday}")), tuple(sorted(steps)),
            )
        )  # fmt: skip
    return tuple(found)


@dataclass(frozen=True)
class RangeAnswers:
    """From which date to which one (None: to the end)."""

    first: date
    last: date | None

    @property
    def fields(self) -> list[tuple[str, str]]:
        out = [("from", self.first.isoformat())]
        return [*out, ("to", self.last.isoformat())] if self.last else out


def read_range(data: QueryDict, today: date) -> RangeAnswers:
    """The range of a change; without one from today to the end."""
    return RangeAnswers(_read_day(data.get("from")) or today, _read_day(data.get("to")))
