"""「子どもが 病気です」: one page, one button, and a page that says what became of the days."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hub.booking import sick
from hub.booking.sick import MOST_DAYS, Seat
from hub.booking.views import form_page, me_of, new_key, see_other
from hub.childcare.enums import ChildStatus, PlaceStatus
from hub.childcare.models import CarePlace, Child, Custody, SickLeave
from hub.childcare.queries import children_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.members.models import Guardian, Member
from hub.spaces.models import Visit


@dataclass(frozen=True)
class Coming:
    """A booked place of a child as the page lists it, on the hub's wall clock."""

    visit: Visit
    starts: datetime
    ends: datetime
    own: bool


@dataclass(frozen=True)
class Patient:
    child: Child
    coming: list[Coming]


@dataclass(frozen=True)
class Day:
    """One day of a leave afterwards: what is left of the visit that the child was booked in."""

    visit: Visit
    starts: datetime
    ends: datetime
    own: bool
    state: str  # kept, ended, inside


def _children(me: Member) -> list[Child]:
    return list(children_of(me).filter(status=ChildStatus.APPROVED).select_related("hub"))


def _coming(me: Member, child: Child) -> list[Coming]:
    tz = child.hub.tz
    today = clock.today(tz)
    rows = sick.places_between(child, today, today + timedelta(days=MOST_DAYS - 1))
    return [
        Coming(
            row.visit, row.starts_at.astimezone(tz), row.ends_at.astimezone(tz), row.visit.member_id == me.pk
        )
        for row in rows
    ]


def _read_day(text: str, fallback: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return fallback


@login_required
@form_page
def sick_report(request: HttpRequest) -> HttpResponse:
    """Which child, until when, and what of the seat; a POST tells everybody."""
    me = me_of(request)
    children = _children(me)
    data = request.POST if request.method == "POST" else request.GET
    chosen = next((child for child in children if child.code == data.get("c")), None)
    problem = ""
    tz = (chosen or children[0]).hub.tz if children else None
    today = clock.today(tz) if tz else date.min
    first = _read_day(data.get("from", ""), today)
    last = _read_day(data.get("to", ""), first)
    wanted = data.get("seat", "")
    seat = Seat(wanted) if wanted in Seat.values else Seat.CANCEL
    if request.method == "POST":
        if chosen is None:
            problem = _("どの お子さんかを えらんでください")
        else:
            try:
                done = sick.report(
                    actor=me, child=chosen, first=first, last=last, seat=seat, key=request.POST.get("key") or None
                )  # fmt: skip
                return see_other(reverse("sick_done", args=[done.leave.code]))
            except DomainError as error:
                if error.status == 404:
                    raise Http404 from None
                problem = str(error.message)
    patients = [Patient(child, _coming(me, child)) for child in children]
    if chosen is None and problem == "":
        chosen = next((one.child for one in patients if one.coming), children[0] if children else None)
    context = {
        "patients": patients, "chosen": chosen, "first": first, "last": last, "seat": seat, "seats": Seat.choices,
        "days": [today + timedelta(days=n) for n in range(MOST_DAYS)], "problem": problem,
        "phone": (chosen or children[0]).hub.phone if children else "",
        "has_own": any(row.own for one in patients for row in one.coming), "key": new_key(), "tab": "book",
    }  # fmt: skip
    return render(request, "booking/sick.html", context, status=422 if problem else 200)


@login_required
def sick_done(request: HttpRequest, code: str) -> HttpResponse:
    """What became of the days. Open to the guardians of the child; 404 for everybody else."""
    me = me_of(request)
    leave = SickLeave.objects.select_related("child__hub").filter(code=code).first()
    if leave is None or not Guardian.objects.filter(member=me, household=leave.child.household_id).exists():
        raise Http404
    return _told(request, me, leave)


@require_GET
def _told(request: HttpRequest, me: Member, leave: SickLeave) -> HttpResponse:
    context = {"leave": leave, "child": leave.child, "days": _days(me, leave), "tab": "book"}
    return render(request, "booking/sick_done.html", context)


def _days(me: Member, leave: SickLeave) -> list[Day]:
    child, tz = leave.child, leave.child.hub.tz
    inside = set(
        Custody.objects.filter(child=child, closed_at__isnull=True).values_list("place_id", flat=True)
    )
    rows = CarePlace.objects.filter(
        child=child,
        starts_at__gte=local(leave.first_on, time(0), tz),
        starts_at__lt=local(leave.last_on + timedelta(days=1), time(0), tz),
    ).select_related("visit__hub", "visit__seat", "visit__member")
    found = []
    for row in rows.order_by("starts_at", "pk"):
        starts = row.starts_at.astimezone(tz)
        state = "inside" if row.pk in inside else "kept" if row.visit.is_live else "ended"
        if state != "inside" and row.status == PlaceStatus.BOOKED:
            continue  # booked anew since, or over before the word came
        found.append(Day(row.visit, starts, row.ends_at.astimezone(tz), row.visit.member_id == me.pk, state))
    return found
