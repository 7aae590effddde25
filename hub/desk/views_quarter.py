"""Any quarter of any room explained: children, formula with numbers, the limits, the law it was made with."""

from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hub.booking.words import class_words
from hub.childcare import ratio
from hub.childcare.capacity import OnShift, counts_of, on_shift, ratios_on
from hub.childcare.enums import PlaceStatus, Qualification
from hub.childcare.models import CarePlace, CareRoom, CareRule, ChildClaim, RoomQuarter, Shift, ShiftChange
from hub.childcare.places import binding_limit
from hub.childcare.queries import age_class_in, ratios_of, rule_on
from hub.childcare.ratio import Counts, Ratios
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import MINUTES, Period, in_calendar, local, quarter_of, start_of
from hub.desk.pages import page
from hub.spaces.access import Action, roles_of, staff_page
from hub.spaces.enums import Role
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub

CURRENT = "desk_quarter"
NAME_ROLES = {Role.CARER, Role.MANAGER}  # the municipal officer sees counts, never a child's name


@dataclass(frozen=True)
class Band:
    """One band of the formula: children, how many one carer looks after, the quotient cut and exact."""

    label: str
    children: int
    ratio: int
    tenths: int
    exact: Fraction

    @property
    def cut(self) -> str:
        return f"{self.tenths // 10}.{self.tenths % 10}"

    @property
    def fraction(self) -> str:
        if self.exact.denominator == 1:
            return str(self.exact.numerator)
        return f"{self.exact.numerator}/{self.exact.denominator}"


def bands_of(counts: Counts, ratios: Ratios) -> list[Band]:
    """The bands of RULE-02 in their order; one-year-olds by 5 stand alone."""

    def band(label: str, children: int, by: int) -> Band:
        return Band(label, children, by, 10 * children // by, Fraction(children, by))

    if ratios.r1 == ratios.r2:
        young = [band(_("1・2さい"), counts.n1 + counts.n2, ratios.r1)]
    else:
        young = [band(_("1さい"), counts.n1, ratios.r1), band(_("2さい"), counts.n2, ratios.r2)]
    return [
        band(_("0さい"), counts.n0, ratios.r0),
        *young,
        band(_("3さい"), counts.n3, ratios.r3),
        band(_("4・5さい"), counts.n45, ratios.r45),
    ]


def _moment(request: HttpRequest, hub: Hub) -> datetime:
    """The quarter asked for by ``d`` and ``t``; now, or the day's opening, when they say nothing that can be read."""
    now = clock.now().astimezone(hub.tz)
    try:
        day = date.fromisoformat(request.GET.get("d", ""))
    except ValueError:
        day = now.date()
    if not in_calendar(day):
        day = now.date()
    try:
        at = time.fromisoformat(request.GET.get("t", ""))
    except ValueError:
        opening = facts_of(hub).day(day).period
        if day == now.date() and (opening is None or opening.starts_at <= now < opening.ends_at):
            at = now.time()
        else:
            at = opening.starts_at.astimezone(hub.tz).time() if opening else time(10)
    return local(day, time(at.hour, at.minute // MINUTES * MINUTES), hub.tz)


def _link(hub: Hub, room: CareRoom, quarter: int | None) -> str:
    if quarter is None:
        return ""
    moment = start_of(quarter).astimezone(hub.tz)
    query = {"d": f"{moment:%Y-%m-%d}", "t": f"{moment:%H:%M}", "room": room.code}
    return f"{reverse('desk_quarter', args=[hub.slug])}?{urlencode(query)}"


def _working(room: CareRoom, quarter: int, tz: Any) -> list[dict[str, Any]]:
    """Who is on the roster of that day around the quarter, and whether she counts in it."""
    start = start_of(quarter)
    day = start.astimezone(tz).date()
    shifts = list(Shift.objects.filter(room=room, weekday=day.weekday()).select_related("carer"))
    changes = list(ShiftChange.objects.filter(room=room, date=day).select_related("carer"))
    if start <= clock.now():
        for carer in [row.carer for row in shifts] + [row.carer for row in changes]:
            carer.is_active = True  # somebody who ended since was there then
    span = Period(start, start_of(quarter + 1))
    labels = dict(Qualification.choices)

    def entry(row: OnShift) -> dict[str, Any]:
        hours, pause = row.period.in_zone(tz), row.pause.in_zone(tz) if row.pause else None
        return {
            "name": row.name, "qualification": labels[Qualification(row.qualification)], "start": hours.starts_at,
            "end": hours.ends_at, "pause": pause, "counts": row.counts_in(span),
            "on_break": bool(row.pause and row.pause.overlaps(span) and row.period.overlaps(span)),
        }  # fmt: skip

    return [entry(row) for row in on_shift(room, day, shifts, changes) if row.period.overlaps(span)]


def _children(room: CareRoom, quarter: int, day: date) -> list[dict[str, Any]]:
    """Children with a place in that quarter and the class they are counted under; also of days long past."""
    start = start_of(quarter)
    rows = CarePlace.objects.filter(
        room=room, status=PlaceStatus.BOOKED, starts_at__lte=start, ends_at__gt=start
    ).select_related("child")
    counted = dict(
        ChildClaim.objects.filter(place__room=room, quarter=quarter).values_list("child_id", "age_class")
    )
    found = [
        {
            "name": place.child.name, "kana": place.child.kana,
            "age_class": counted.get(place.child_id, age_class_in(room, place.child.birthday, day)),
        }
        for place in rows
    ]  # fmt: skip
    return sorted(found, key=lambda child: (str(child["age_class"]), str(child["kana"])))


@staff_page(Action.EXPLAIN_QUARTER)
@require_GET
def explain(request: HttpRequest, hub: Hub) -> HttpResponse:
    """How the numbers of one quarter come about, for a carer, a manager, or the town's officer (RULE-01 to RULE-05)."""
    rooms = list(CareRoom.objects.filter(hub=hub))
    wanted = request.GET.get("room", "")
    room = next((row for row in rooms if row.code == wanted), None if wanted else next(iter(rooms), None))
    if wanted and room is None:
        raise Http404
    moment = _moment(request, hub)
    quarter = quarter_of(moment)
    context: dict[str, Any] = {
        "rooms": rooms,
        "room": room,
        "moment": moment,
        "d": f"{moment:%Y-%m-%d}",
        "t": f"{moment:%H:%M}",
        "end": start_of(quarter + 1).astimezone(hub.tz),
    }
    if room is not None:
        room.hub = hub
        context |= _explained(request, hub, room, quarter, moment.date())
    return page(request, hub, "quarter.html", CURRENT, context)


def _explained(request: HttpRequest, hub: Hub, room: CareRoom, quarter: int, day: date) -> dict[str, Any]:
    around = RoomQuarter.objects.filter(room=room)
    before = around.filter(quarter__lt=quarter).order_by("-quarter").values_list("quarter", flat=True).first()
    after = around.filter(quarter__gt=quarter).order_by("quarter").values_list("quarter", flat=True).first()
    row = around.filter(quarter=quarter).first()
    context: dict[str, Any] = {
        "previous_url": _link(hub, room, before), "next_url": _link(hub, room, after), "row": row,
        "info": facts_of(hub).day(day),
    }  # fmt: skip
    if row is None:
        return context
    counts, ratios = counts_of(row), ratios_on(row)
    try:
        rule = rule_on(CareRule.objects.filter(scheme=room.scheme, table=room.table), room, day)
    except DomainError:
        rule = None
    names = {role for _hub, role in roles_of(request.user, hub)} & NAME_ROLES
    more = []
    for age_class in range(room.youngest, room.oldest + 1):
        limit = binding_limit(row, counts.plus(age_class))
        more.append(
            {"label": _("%(n)sさい児クラス") % {"n": age_class}, "limit": limit[0].label if limit else "",
             "missing": limit[1] if limit else 0}
        )  # fmt: skip
    bands = bands_of(counts, ratios)
    total = ratio.tenths(counts, ratios)
    exact = sum((band.exact for band in bands), Fraction(0))
    return context | {
        "counts": counts,
        "ratios": ratios,
        "by_class": [
            (class_words(0), counts.n0), (_("1さい"), counts.n1), (_("2さい"), counts.n2), (_("3さい"), counts.n3),
            (_("4・5さい"), counts.n45),
        ],
        "bands": bands,
        "total": f"{total // 10}.{total % 10}",
        "rounded": (total + 5) // 10,
        "exact": f"{exact.numerator}/{exact.denominator}" if exact.denominator > 1 else str(exact.numerator),
        "administrative": ratio.administrative(counts, ratios),
        "strict": ratio.strict(counts, ratios),
        "formula": ratio.formula(counts, ratios, main_hours=row.in_main_hours),
        "working": _working(room, quarter, hub.tz),
        "children": _children(room, quarter, day) if names else None,
        "more": more,
        "rule": rule,
        "rule_differs": rule is not None and ratios_of(rule, room) != ratios,
        "is_short": bool(row.shortfall or row.qualified_shortfall or row.over),
        "top": max(row.staff, row.required, 1),
    }  # fmt: skip
