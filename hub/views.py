"""Pages where all apps meet: the front page, today, errors."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from hub.booking import no_show, presenters, presenters_wait, queries, waiting
from hub.checkin.stays import is_overdue, open_presence
from hub.checkin.views_pass import says_still_inside
from hub.childcare.enums import ChildStatus
from hub.childcare.queries import children_now, children_of
from hub.core import clock
from hub.core import styleguide as styles
from hub.core.quarters import local
from hub.members.models import Member
from hub.members.views import me_of
from hub.notices.presenters import rows_of
from hub.notices.queries import newest_unread
from hub.spaces.access import staff_hub_ids
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import Day, facts_of
from hub.spaces.joining import home_of, open_hubs
from hub.spaces.models import Hub
from hub.spaces.staff_frame import entrance

NEXT_SHOWN = 3
NOTICES_SHOWN = 2


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old, or came from elsewhere: nothing was changed."""
    return render(request, "403_csrf.html", status=403)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """`/`: today for members, the front page for everybody else."""
    return today(request) if request.user.is_authenticated else front(request)


@require_GET
def front(request: HttpRequest) -> HttpResponse:
    """For strangers: free of charge, for whom, when, who pays, what is free right now, how to come."""
    hubs = [(presenters.hub_now(hub), presenters.hours_of(hub)) for hub in open_hubs()]
    password = settings.DEMO_PASSWORD if settings.HIDAMARI_DEMO else ""
    return render(request, "front.html", {"hubs": hubs, "demo_password": password})


@login_required
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """きょう: today's visit first, then what comes next and what waits for an answer."""
    context = _today(request)
    response = render(request, "today.html", context)
    # The service worker keeps a copy until midnight (sw.js); its middleware still says no-store to everybody else.
    response.headers["X-Keep"] = str(context["keep_seconds"])
    return response


@login_required
@require_GET
def today_now(request: HttpRequest) -> HttpResponse:
    """The part of きょう that changes while she is there: asked for anew when the door or the carers said something."""
    if not request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware
        return redirect("today")
    return render(request, "today.html#now", _today(request))


@login_required
@require_GET
def today_notices(request: HttpRequest) -> HttpResponse:
    """The part of きょう that shows what is new: asked for anew when somebody told her something."""
    if not request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware
        return redirect("today")
    return render(request, "today.html#notices", _new_notices(me_of(request)))


def _new_notices(me: Member) -> dict[str, Any]:
    found, count = newest_unread(me, NOTICES_SHOWN)
    return {"notices": rows_of(found), "notices_count": count}


def _short_days(hubs: dict[int, Hub], today: date) -> list[tuple[Hub, Day]]:
    """Her hubs that are closed, open late or close early today for a reason of their own."""
    days = [(hub, facts_of(hub).day(today, get_language() or "ja")) for hub in hubs.values()]
    return [(hub, day) for hub, day in days if day.reason]


def _today(request: HttpRequest) -> dict[str, Any]:
    me = request.user
    assert isinstance(me, Member)
    home_row = home_of(me)
    hub = home_row.hub if home_row else open_hubs().first()
    now = clock.now()
    here = now.astimezone(hub.tz) if hub else now
    midnight = local(here.date() + timedelta(days=1), here.time().min, hub.tz) if hub else now
    rows = (
        queries.visits_seen_by(me)
        .filter(status__in=(VisitStatus.BOOKED, VisitStatus.IN), ends_at__gt=now)
        .order_by("starts_at", "pk")
    )
    households = queries.households_of(me)
    cards = [
        presenters.card_of(row, me, may_change=row.member_id == me.pk, households=households)
        for row in queries.with_places(rows)[: NEXT_SHOWN + 2]
    ]
    first = next((card for card in cards if card.own and card.visit.starts_at < midnight), None)
    presence = open_presence(me)
    if presence is not None and not (first and first.inside):
        first = None  # she is inside by a visit that is over, or without one: that is what matters now
    family = list(children_of(me))
    care = children_now(me, midnight - timedelta(days=1), midnight) if family else []
    ask = no_show.open_ask(first.visit) if first and first.begun and first.own else None
    own = first.visit.pk if first else presence.visit_id if presence else None
    return {
        "tab": "today",
        "me": me,
        "hub": hub,
        "greeting": presenters.greeting(here),
        "date": here.date(),
        "first": first,
        "next": [card for card in cards if card is not first][:NEXT_SHOWN],
        "now": presenters.hub_now(hub, with_care=False) if hub and first is None and not presence else None,
        "short_days": _short_days(
            {one.pk: one for one in [hub, *(card.hub for card in cards)] if one}, here.date()
        ),
        "presence": None if first else presence,
        "offers": [presenters_wait.offer_card(row) for row in waiting.open_offers(me)],
        "ask": ask,
        "ask_until": no_show.answer_by(ask).astimezone(here.tzinfo) if ask else None,
        "asks": presence is not None
        and is_overdue(presence, now)
        and not says_still_inside(request, presence),
        "care": [child for child in care if child.visit_id == own],
        "care_elsewhere": [child for child in care if child.visit_id != own],
        "tz": here.tzinfo,
        "waiting": [child for child in family if child.status in (ChildStatus.PENDING, ChildStatus.RETURNED)],
        "may_be_sick": any(place.mine for card in cards for place in card.places),
        "desks": _desks(me),
        "taken": here,
        "keep_seconds": max(0, int((midnight - now).total_seconds())),
        **_new_notices(me),
    }


def _desks(me: Member) -> list[tuple[Hub, str]]:
    """Hubs where the member works, with the address of the first page that is hers there."""
    hubs = Hub.objects.filter(pk__in=staff_hub_ids(me)).order_by("pk")
    return [(hub, entrance(me, hub)) for hub in hubs]


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component of the design language on one page, for whoever builds pages. Demo only."""
    if not settings.HIDAMARI_DEMO:
        raise Http404
    name = "styleguide_desk.html" if request.GET.get("part") == "desk" else "styleguide.html"
    return render(request, name, styles.context())
