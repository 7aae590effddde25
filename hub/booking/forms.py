"""What the pages of booking send and keep: the answers of a booking in a query string, and a caller's name.

The whole state of the two steps stands in the address, so that Back, reload, a shared link and a page without
JavaScript all work. A value that makes no sense falls back to the usual one; somebody else's things are 404.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, QueryDict
from django.utils.translation import gettext_lazy as _

from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.services import may_change, wishes_of
from hub.childcare.models import Child
from hub.childcare.queries import children_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.forms import HidamariForm, KanaField, NameField, PhoneField, nfkc
from hub.core.quarters import MINUTES, Period, in_calendar, local
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.enums import LIVE_STATUSES
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Membership, Visit

STRIP_DAYS = 14
LEAST = 60  # minutes: a preset shorter than this is not offered
MORNING = (time(9, 30), time(12, 30))
AFTERNOON = (time(13), time(16))


@dataclass(frozen=True)
class Preset:
    """One tap for a usual stretch of the day, cut to the hub's hours of that weekday."""

    code: str
    starts: time
    ends: time


@dataclass(frozen=True)
class Answers:
    """Everything that was answered so far. Times are the hub's wall clock."""

    hubs: tuple[Hub, ...]
    hub: Hub
    actor: Member
    member: Member
    family: tuple[Child, ...]  # every child that could be chosen
    day: date
    preset: str
    starts: time
    ends: time
    children: tuple[Child, ...] = ()
    parts: Mapping[str, tuple[time | None, time | None]] = field(default_factory=dict)  # by child code
    seat: str = ""
    view: str = "map"
    visit: Visit | None = None
    walk_in: bool = False
    far: bool = False  # the day came from the calendar field

    @property
    def today(self) -> date:
        return clock.today(self.hub.tz)

    @property
    def last_day(self) -> date:
        """The last day that can be booked."""
        return self.today + timedelta(days=self.hub.horizon_days)

    @property
    def for_other(self) -> bool:
        """Whether staff book for somebody else."""
        return self.member.pk != self.actor.pk

    @property
    def period(self) -> Period:
        tz = self.hub.tz
        return Period(local(self.day, self.starts, tz), local(self.day, self.ends, tz))

    def request(self, seat: SeatWish | None = None) -> VisitRequest:
        """The question that these answers ask; without ``seat`` any seat would do."""
        return VisitRequest(self.member, self.hub, self.period, seat or SeatWish(), self.wishes)

    @property
    def wishes(self) -> tuple[ChildWish, ...]:
        return tuple(ChildWish(child, self._part(child)) for child in self.children)

    def _part(self, child: Child) -> Period | None:
        starts, ends = self.parts.get(child.code, (None, None))
        if starts is None and ends is None:
            return None
        tz = self.hub.tz
        part = Period(local(self.day, starts or self.starts, tz), local(self.day, ends or self.ends, tz))
        return None if part == self.period else part

    @property
    def seat_wish(self) -> SeatWish:
        """The seat that was picked. Raises `DomainError` ``seat_unknown`` (404) for a seat of another hub."""
        facts = facts_of(self.hub)
        if self.seat in ("", SeatMode.ANY):
            return SeatWish()
        if self.seat == SeatMode.NONE:
            return SeatWish(SeatMode.NONE)
        if self.seat.startswith("zone:"):
            zone = next((zone for zone in facts.zones if zone.slug == self.seat[5:]), None)
            if zone is not None:
                return SeatWish(SeatMode.ZONE, zone=zone)
        seat = next((seat for seat in facts.seats if seat.label == self.seat), None)
        if seat is None:
            raise DomainError("seat_unknown", _("その席は このハブに ありません。"), 404)
        return SeatWish(SeatMode.SEAT, seat)

    def fields(self, **change: Any) -> list[tuple[str, str]]:
        """Names and values of a form or an address that says the same; ``change`` replaces some, None drops."""
        values: dict[str, Any] = {"hub": self.hub.slug, "d": self.day.isoformat(), "p": self.preset}
        if self.preset == "own":
            values |= {"from": f"{self.starts:%H:%M}", "to": f"{self.ends:%H:%M}"}
        values["c"] = [child.code for child in self.children]
        for child in self.children:
            starts, ends = self.parts.get(child.code, (None, None))
            values[f"cf-{child.code}"] = starts and f"{starts:%H:%M}"
            values[f"ct-{child.code}"] = ends and f"{ends:%H:%M}"
        values["seat"] = self.seat
        values["view"] = "" if self.view == "map" else self.view
        values["visit"] = self.visit.code if self.visit else ""
        values["for"] = self.member.code if self.for_other and not self.visit else ""
        values["src"] = "walk_in" if self.walk_in else ""
        values |= {key.rstrip("_"): value for key, value in change.items()}
        out: list[tuple[str, str]] = []
        for name, value in values.items():
            out += [(name, str(one)) for one in (value if isinstance(value, list) else [value]) if one]
        return out

    def exact(self) -> "Answers":
        """With the very times instead of a preset: what is posted must not shift with the clock."""
        return replace(self, preset="own")

    def query(self, **change: Any) -> str:
        return urlencode(self.fields(**change))

    def query_for(self, request: VisitRequest, **change: Any) -> str:
        """The address of another request: an alternative, or one child fewer."""
        when = request.period.in_zone(request.hub.tz)
        parts: dict[str, tuple[time | None, time | None]] = {}
        for want in request.children:
            if want.period is not None:
                part = want.period.in_zone(request.hub.tz)
                parts[want.child.code] = (part.starts_at.time(), part.ends_at.time())
        other = replace(
            self, hub=request.hub, day=when.starts_at.date(), preset="own", starts=when.starts_at.time(),
            ends=when.ends_at.time(), children=tuple(want.child for want in request.children), parts=parts, seat="",
        )  # fmt: skip
        return other.query(**change)


def presets_of(hub: Hub, day: date, now: datetime) -> list[Preset]:
    """Morning and afternoon inside the hub's hours of that day; of today only what is left of them."""
    opening = facts_of(hub).day(day).period
    if opening is None:
        return []
    hours = opening.in_zone(hub.tz)
    here = now.astimezone(hub.tz)
    earliest = hours.starts_at.time()
    if day < here.date():
        return []
    if day == here.date():
        earliest = max(
            earliest,
            running_quarter(here)
            if _is_step(running_quarter(here), hub)
            else _step_up(here.time(), hub.page_step),
        )
    found = []
    for code, (starts, ends) in (("am", MORNING), ("pm", AFTERNOON)):
        starts, ends = _step_up(max(starts, earliest), hub.page_step), min(ends, hours.ends_at.time())
        if _minutes(ends) - _minutes(starts) >= LEAST:
            found.append(Preset(code, starts, ends))
    return found


def running_quarter(here: datetime) -> time:
    """The start of the quarter that runs at this local moment: a walk-in may still book it."""
    return time(here.hour, here.minute // MINUTES * MINUTES)


def _is_step(at: time, hub: Hub) -> bool:
    return _minutes(at) % hub.page_step == 0


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _step_up(at: time, step: int) -> time:
    minutes = min(-(-_minutes(at) // step) * step, 24 * 60 - step)
    return time(minutes // 60, minutes % 60)


def steps_between(first: time, last: time, step: int) -> list[time]:
    """Every ``step`` minutes from ``first`` to ``last``, both included where they lie on a step."""
    at = -(-_minutes(first) // step) * step
    return [time(m // 60, m % 60) for m in range(at, min(_minutes(last), 24 * 60 - 1) + 1, step)]


def read_time(text: str | None) -> time | None:
    """9:30, 09:30, also in full-width digits; None for anything else."""
    try:
        return datetime.strptime(nfkc(text or ""), "%H:%M").time()
    except ValueError:
        return None


def _read_day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(nfkc(text or ""))
    except ValueError:
        return None
    return day if in_calendar(day) else None


def _is_far(data: QueryDict) -> bool:
    """Whether the calendar field was used: it says something else than the day it was filled in with."""
    far = _read_day(data.get("far"))
    return far is not None and far != _read_day(data.get("was"))


def home_hub(member: Member, hubs: tuple[Hub, ...]) -> Hub:
    """The member's home hub, or the first that takes bookings. Raises `Http404` where none does."""
    if not hubs:
        raise Http404
    home = Membership.objects.filter(member=member, is_home=True).values_list("hub_id", flat=True).first()
    return next((hub for hub in hubs if hub.pk == home), hubs[0])


def booked_for(code: str | None, actor: Member, hub: Hub) -> Member:
    """The member with this code for whom ``actor`` books at ``hub``, or herself. Raises `Http404` where she may not."""
    if not code:
        return actor
    other = Member.objects.filter(code=code, is_active=True).first()
    if other is None or not (other.pk == actor.pk or allowed(actor, Action.BOOK_FOR_OTHERS, hub)):
        raise Http404
    return other


def read_answers(data: QueryDict, actor: Member) -> Answers:
    """The answers in a query string or a posted form.

    Raises `Http404`: an unknown hub, a visit or child that is not hers, somebody whom she may not book for.
    """
    visit = None
    if data.get("visit"):
        visit = Visit.objects.select_related("hub", "member", "seat__zone").filter(code=data["visit"]).first()
        if visit is None or not may_change(actor, visit):
            raise Http404
    hubs = tuple(Hub.objects.filter(is_open=True).order_by("pk"))
    if data.get("hub"):
        chosen = next((hub for hub in hubs if hub.slug == data["hub"]), None)
        if chosen is None:
            raise Http404
        hub = chosen
    else:
        there = next((hub for hub in hubs if visit and hub.pk == visit.hub_id), None)
        hub = there or home_hub(visit.member if visit else actor, hubs)
    member = visit.member if visit else booked_for(data.get("for"), actor, hub)
    family = tuple(children_of(member))
    codes = data.getlist("c")
    children = tuple(child for child in family if child.code in codes)
    if set(codes) - {child.code for child in family}:
        raise Http404
    walk_in = data.get("src") == "walk_in" and member.pk != actor.pk
    day, preset, starts, ends = _read_when(data, hub, member, walk_in)
    parts = {
        child.code: (read_time(data.get(f"cf-{child.code}")), read_time(data.get(f"ct-{child.code}")))
        for child in family
    }
    return Answers(
        hubs=hubs, hub=hub, actor=actor, member=member, family=family, day=day, preset=preset, starts=starts,
        ends=ends, children=children, parts=parts, seat=data.get("pick") or data.get("seat", ""),
        view="list" if data.get("view") == "list" else "map", visit=visit, walk_in=walk_in,
        far=_is_far(data),
    )  # fmt: skip


def _days_taken(member: Member, hub: Hub, first: date) -> set[date]:
    """Local days of the strip on which the member comes already."""
    start = local(first, time(0), hub.tz)
    rows = Visit.objects.filter(
        member=member,
        status__in=LIVE_STATUSES,
        ends_at__gt=start,
        starts_at__lt=start + timedelta(days=STRIP_DAYS),
    )
    return {moment.astimezone(hub.tz).date() for moment in rows.values_list("starts_at", flat=True)}


def _read_when(data: QueryDict, hub: Hub, member: Member, walk_in: bool) -> tuple[date, str, time, time]:
    """Day, preset, start and end, each as asked or else the nearest that makes sense."""
    now = clock.now()
    today = now.astimezone(hub.tz).date()
    day = _read_day(data.get("far")) if _is_far(data) else _read_day(data.get("d"))
    if day is None:
        days = [today + timedelta(days=n) for n in range(STRIP_DAYS)]
        if walk_in:
            day = today
        else:  # the first day that still asks for an answer: open, in time, and without a visit of hers
            taken = _days_taken(member, hub, today)
            possible = [one for one in days if presets_of(hub, one, now)]
            day = next((one for one in possible if one not in taken), possible[0] if possible else today)
    starts, ends = read_time(data.get("from")), read_time(data.get("to"))
    presets = presets_of(hub, day, now)
    asked = data.get("p", "")
    if not asked and starts is None and walk_in:
        starts = running_quarter(now.astimezone(hub.tz))
        ends = next((one.ends for one in presets if one.ends > starts), None)
        asked = "own"
    if asked != "own":
        same = next((one for one in presets if (one.starts, one.ends) == (starts, ends)), None)
        named = next((one for one in presets if one.code == asked), None)
        if named is None and asked in ("am", "pm") and presets:
            named = presets[0]  # the morning is over: the afternoon is what is left
        preset = (
            named or (same if not asked else None) or (presets[0] if presets and starts is None else None)
        )
        if preset is not None:
            return day, preset.code, preset.starts, preset.ends
    opening = facts_of(hub).day(day).period
    opens, closes = MORNING
    if opening is not None:
        hours = opening.in_zone(hub.tz)
        opens, closes = hours.starts_at.time(), hours.ends_at.time()
    return day, "own", starts or opens, ends or closes


def answers_of_visit(visit: Visit) -> list[tuple[str, str]]:
    """The query that shows ``visit`` as it stands now: where a change begins."""
    when = visit.period.in_zone(visit.hub.tz)
    out = [
        ("visit", visit.code), ("hub", visit.hub.slug), ("d", when.starts_at.date().isoformat()),
        ("from", f"{when.starts_at:%H:%M}"), ("to", f"{when.ends_at:%H:%M}"),
        ("seat", visit.seat.label if visit.seat else SeatMode.NONE.value),
    ]  # fmt: skip
    for wish in wishes_of(visit):
        out.append(("c", wish.child.code))
        if wish.period != visit.period:
            part = wish.period.in_zone(visit.hub.tz)
            out += [(f"cf-{wish.child.code}", f"{part.starts_at:%H:%M}")]
            out += [(f"ct-{wish.child.code}", f"{part.ends_at:%H:%M}")]
    return out


class CallerForm(HidamariForm):
    """Somebody without an e-mail address: the hub books for her."""

    name = NameField(label=_("氏名"))
    kana = KanaField(label=_("ふりがな"))
    phone = PhoneField(label=_("電話番号"), help_text=_("変わったことが あるときに かけます"))


class SearchForm(forms.Form):
    """Who is calling: part of a name, of the furigana, or an e-mail address."""

    q = forms.CharField(label=_("だれの 予約ですか"), required=False, max_length=60)
