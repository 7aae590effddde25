"""The first manager's page: today at this hub in a few numbers. The full day board comes with the door."""

from datetime import time, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from hub.childcare.capacity import counts_of, on_shift
from hub.childcare.enums import ChildStatus
from hub.childcare.models import CareRoom, Child, RoomQuarter, Shift, ShiftChange
from hub.core import clock
from hub.core.quarters import local, quarter_of, start_of
from hub.desk.pages import lacks, local_visits, page
from hub.spaces.access import Action, allowed, staff_page
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Visit, VisitClaim

SHORTFALL_DAYS = 14
#: More visits than one hub can hold in a day; only so that the page stays finite.
SHOWN = 200


@staff_page(Action.SEE_DAY)
@require_GET
def day(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Visits, seats, children, carers now; shortfalls of the next two weeks; who comes next. No health text."""
    now = clock.now()
    today = now.astimezone(hub.tz).date()
    first, last = local(today, time(0), hub.tz), local(today + timedelta(days=1), time(0), hub.tz)
    quarter = quarter_of(now)
    facts = facts_of(hub)
    rooms = list(CareRoom.objects.filter(hub=hub, is_active=True))
    for room in rooms:
        room.hub = hub
    kept = (*LIVE_STATUSES, VisitStatus.DONE)
    visits_today = Visit.objects.filter(
        hub=hub, status__in=kept, starts_at__gte=first, starts_at__lt=last
    ).count()
    coming = (
        Visit.objects.filter(
            hub=hub, status=VisitStatus.BOOKED, starts_at__lt=last, ends_at__gt=now, arrived_at=None
        )
        .select_related("member", "seat")
        .order_by("starts_at", "pk")[:SHOWN]
    )
    rows = list(RoomQuarter.objects.filter(room__in=rooms, quarter=quarter))
    counts = [counts_of(row) for row in rows]
    classes = [sum(numbers) for numbers in zip(*counts, strict=True)] if counts else [0] * 5
    shifts = list(Shift.objects.filter(room__in=rooms, weekday=today.weekday()).select_related("carer"))
    changes = list(ShiftChange.objects.filter(room__in=rooms, date=today).select_related("carer"))
    here = [
        row
        for room in rooms
        for row in on_shift(room, today, shifts, changes)
        if row.period.starts_at <= now < row.period.ends_at
    ]
    short = (
        RoomQuarter.objects.filter(
            room__in=rooms, quarter__gte=quarter, quarter__lt=quarter_of(last + timedelta(days=SHORTFALL_DAYS)),
            frozen_children__gt=0,
        )
        .select_related("room")
        .order_by("quarter")
    )  # fmt: skip
    info = facts.day(today, get_language() or "ja")
    lacking = lacks(hub, list(short))
    context = {
        "today": today,
        "now": now.astimezone(hub.tz),
        "info": info.period.in_zone(hub.tz) if info.period else None,
        "closed_reason": info.reason,
        "visits_today": visits_today,
        "seats_now": VisitClaim.objects.filter(visit__hub=hub, quarter=quarter, seat__isnull=False).count(),
        "seats_all": len(facts.seats),
        "classes": classes,
        "children_now": sum(classes),
        "places_all": sum(room.places for room in rooms),
        "carers_now": here,
        "needed_now": sum(row.required for row in rows),
        "pending": Child.objects.filter(hub=hub, status=ChildStatus.PENDING).count(),
        "shortfalls": lacking,
        "shortfall_day": lacking[0]["start"].date().isoformat() if lacking else "",
        "coming": local_visits(coming, hub),
        "may_decide": allowed(request.user, Action.DECIDE_CHILD, hub),
        "may_roster": allowed(request.user, Action.MANAGE_ROSTER, hub),
        "may_book": allowed(request.user, Action.BOOK_FOR_OTHERS, hub),
        "quarter_start": start_of(quarter).astimezone(hub.tz),
    }
    return page(request, hub, "day.html", "desk", context)
