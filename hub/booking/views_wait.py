"""Pages of the waiting list: asking to be told, where one stands, answering an offer; and of 「行けますか」."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import wraps
from typing import TypeVar

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hub.booking import no_show, presenters_wait, quotes, services, waiting, week_dates, words
from hub.booking.enums import EntryState
from hub.booking.forms import Answers, read_answers
from hub.booking.models import Offer, WaitEntry
from hub.booking.requests import SeatMode, SeatWish, VisitRequest
from hub.booking.views import _answers_layout, _key, _layout, form_page, me_of, new_key, see_other
from hub.booking.waiting import FitsNow
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import in_calendar
from hub.members.models import Member
from hub.spaces.access import Action, allowed, staff_page
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub
from hub.spaces.staff_frame import frame

T = TypeVar("T")

# ---------------------------------------------------------------- asking


@login_required
@form_page
def wait(request: HttpRequest) -> HttpResponse:
    """空いたら 知らせてもらう: which hours and which seat would do; a POST joins the line."""
    me = me_of(request)
    if request.method != "POST":
        return _wait_page(request, read_answers(request.GET, me))
    answers = read_answers(request.POST, me)
    windows = presenters_wait.windows_of(answers)
    chosen = next((one for one in windows if one.code == request.POST.get("window")), windows[0])
    window = chosen.period
    minutes = answers.period.minutes
    try:
        question = VisitRequest(
            answers.member, answers.hub, window, _seat_wish(answers, request), answers.wishes
        )
        series = request.POST.get("series", "")
        joined = waiting.join(
            actor=me, request=_whole(question), minutes=minutes, key=_key(request),
            series_date=week_dates.asked_from(answers.member, answers.hub, series, answers.day) if series else None,
        )  # fmt: skip
    except FitsNow as fits:
        return _wait_page(request, answers, status=409, found=fits.request)
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        problem = words.blocker_of(error, answers.request())
        return _wait_page(request, answers, status=error.status, problem=problem.title, why=problem.why)
    return see_other(f"{reverse('wait_entry', args=[joined.entry.code])}?did=joined")


def _whole(question: VisitRequest) -> VisitRequest:
    """Every child for the whole time, however long she waits for: parts of it have no hour yet."""
    kids = tuple(type(want)(want.child) for want in question.children)
    return VisitRequest(question.member, question.hub, question.period, question.seat, kids)


def _seat_wish(answers: Answers, request: HttpRequest) -> SeatWish:
    text = request.POST.get("where", "")
    if text == SeatMode.NONE:
        return SeatWish(SeatMode.NONE)
    zone = next((zone for zone in facts_of(answers.hub).zones if zone.slug == text), None)
    return SeatWish(SeatMode.ZONE, zone=zone) if zone else SeatWish()


def _wait_page(
    request: HttpRequest, answers: Answers, *, status: int = 200, problem: str = "", why: str = "",
    found: VisitRequest | None = None,
) -> HttpResponse:  # fmt: skip
    facts = facts_of(answers.hub)
    with_seats = {seat.zone_id for seat in facts.seats}
    when = answers.period.in_zone(answers.hub.tz)
    windows = presenters_wait.windows_of(answers)
    chosen = request.POST.get("window", "")
    there = found.period.in_zone(found.hub.tz) if found else None
    context = _answers_layout(answers) | {
        "a": answers,
        "tab": "book",
        "starts": when.starts_at,
        "ends": when.ends_at,
        "length": when.length,
        "windows": windows,
        "window": chosen if chosen in {one.code for one in windows} else windows[0].code,
        "zones": [zone for zone in facts.zones if zone.pk in with_seats],
        "where": request.POST.get("where", "any"),
        "parts": any(want.period for want in answers.wishes),
        "keep": answers.exact().fields(
            seat=None, view=None, series=request.POST.get("series") or request.GET.get("series")
        ),
        "key": new_key(),
        "problem": problem,
        "why": why,
        "found": found and answers.query_for(found),
        "found_starts": there and there.starts_at,
        "found_ends": there and there.ends_at,
        "back": f"{reverse('book')}?{answers.query()}",
    }
    return render(request, "booking/wait.html", context, status=status)


@login_required
@require_GET
def waits(request: HttpRequest) -> HttpResponse:
    """What I wait for: where I stand and why; below it what became of the others."""
    cards = presenters_wait.entry_cards(waiting.entries_of(me_of(request)))
    context = {
        "open": [card for card in cards if card.waits],
        "ended": [card for card in cards if not card.waits],
        "tab": "visits",
    }
    return render(request, "booking/waits.html", context)


def named(
    find: Callable[[Member, str], T],
) -> Callable[[Callable[[HttpRequest, T], HttpResponse]], Callable[[HttpRequest, str], HttpResponse]]:
    """Decorator: the URL's code becomes what it names, if the reader may see it, or 404, whatever the method."""

    def wrap(view: Callable[[HttpRequest, T], HttpResponse]) -> Callable[[HttpRequest, str], HttpResponse]:
        @wraps(view)
        @login_required
        def inner(request: HttpRequest, code: str) -> HttpResponse:
            try:
                thing = find(me_of(request), code)
            except DomainError:
                raise Http404 from None
            return view(request, thing)

        return inner

    return wrap


@named(waiting.entry_for)
@require_GET
def wait_entry(request: HttpRequest, entry: WaitEntry) -> HttpResponse:
    """One entry: the confirmation after joining, and later where it stands."""
    me = me_of(request)
    as_staff = entry.member_id != me.pk
    (card,) = presenters_wait.entry_cards([entry])
    context = _layout(me, entry.hub, "desk_waiting", as_staff=as_staff) | {
        "card": card, "joined": request.GET.get("did") == "joined", "tab": "visits", "as_staff": as_staff,
    }  # fmt: skip
    return render(request, "booking/wait_entry.html", context)


@named(waiting.entry_for)
@require_POST
def wait_leave(request: HttpRequest, entry: WaitEntry) -> HttpResponse:
    """Wait no more; an offer that was taken meanwhile stays a booking."""
    with suppress(DomainError):
        waiting.leave(actor=me_of(request), code=entry.code)
    return see_other(reverse("wait_entry", args=[entry.code]))


# ---------------------------------------------------------------- answering


@named(waiting.offer_for)
@require_GET
def offer(request: HttpRequest, row: Offer) -> HttpResponse:
    """What is held for her and until when; later what became of it."""
    return _offer_page(request, row)


def _offer_page(request: HttpRequest, row: Offer, refusal: DomainError | None = None) -> HttpResponse:
    """With ``refusal``: why it cannot be taken any more, and what else there is (its own status)."""
    me = me_of(request)
    if refusal is not None:
        row.refresh_from_db(fields=["state", "ended_at"])
    as_staff = row.entry.member_id != me.pk
    others: list[presenters_wait.Another] = []
    question: VisitRequest | None = refusal.facts.get("request") if refusal else None
    if question is not None and refusal is not None and refusal.status == 409:
        found = quotes.next_best(actor=me, request=question)
        others = presenters_wait.others_of(question, found, as_staff=as_staff)
    context = _layout(me, row.entry.hub, "desk_waiting", as_staff=as_staff) | {
        "card": presenters_wait.offer_card(row),
        "key": new_key(),
        "problem": words.bare(str(refusal.message)) if refusal else "",
        "offers": others,
        "as_staff": as_staff,
        "tab": "today",
    }
    return render(request, "booking/offer.html", context, status=refusal.status if refusal else 200)


@named(waiting.offer_for)
@require_POST
def offer_accept(request: HttpRequest, row: Offer) -> HttpResponse:
    """行きます."""
    try:
        booked = waiting.accept(actor=me_of(request), code=row.code, key=_key(request))
    except DomainError as error:
        return _offer_page(request, row, error)
    return see_other(reverse("visit_done", args=[booked.visit.code]))


@named(waiting.offer_for)
@require_POST
def offer_decline(request: HttpRequest, row: Offer) -> HttpResponse:
    """やめます: the next in the line is asked at once."""
    try:
        waiting.decline(actor=me_of(request), code=row.code, key=_key(request))
    except DomainError as error:
        return _offer_page(request, row, error)
    return see_other(reverse("offer", args=[row.code]))


# ---------------------------------------------------------------- on her way?


@login_required
@require_POST
def visit_coming(request: HttpRequest, code: str) -> HttpResponse:
    """行きます: the seat is kept once more; きょう says until when."""
    try:
        no_show.coming(actor=me_of(request), code=code)
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return _late_page(request, str(error.message), error.status)
    return see_other(reverse("today"))


@login_required
@require_POST
def visit_not_coming(request: HttpRequest, code: str) -> HttpResponse:
    """やめます: cancelled in one tap."""
    try:
        services.cancel_visit(actor=me_of(request), code=code)
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return _late_page(request, str(error.message), error.status)
    return see_other(f"{reverse('visit_done', args=[code])}?did=cancelled")


def _late_page(request: HttpRequest, text: str, status: int) -> HttpResponse:
    return render(request, "booking/late.html", {"problem": words.bare(text), "tab": "today"}, status=status)


# ---------------------------------------------------------------- the desk


@staff_page(Action.SEE_WAITING)
@require_GET
def desk_waiting(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who waits, per day, in the order in which it is offered. ``?d=`` another day."""
    today = clock.today(hub.tz)
    rows = WaitEntry.objects.filter(hub=hub, state=EntryState.WAITING, day__gte=today).values("day")
    days = [(row["day"], row["count"]) for row in rows.annotate(count=Count("pk")).order_by("day")]
    try:
        day = date.fromisoformat(request.GET.get("d", ""))
    except ValueError:
        day = days[0][0] if days else today
    if not in_calendar(day):
        day = today
    context = frame(me_of(request), hub, "desk_waiting") | {
        "day": day,
        "days": days,
        "rows": presenters_wait.line_rows(hub, day),
        "may_answer": allowed(request.user, Action.BOOK_FOR_OTHERS, hub),
        "order": [name.label for name in waiting.order_of(hub)],
        "minutes": timedelta(minutes=hub.offer_minutes),
        "cutoff": timedelta(minutes=hub.offer_cutoff),
        "title": _("待っている人"),
    }
    return render(request, "desk/waiting.html", context)
