"""Pages of booking: two steps, できました, わたしの予約, changing and cancelling. All of them work without JavaScript."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hub.booking import presenters, queries, quotes, services, week_pages, words
from hub.booking.availability import Snapshot
from hub.booking.calendar import visit_ics
from hub.booking.enums import EntryState, OfferState
from hub.booking.forms import Answers, answers_of_visit, read_answers, read_time
from hub.booking.models import WaitEntry
from hub.booking.presenters import VisitCard
from hub.booking.requests import SeatMode, SeatWish, VisitRequest
from hub.booking.services import Booked, may_change
from hub.booking.templatetags.booking import named
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.core.templatetags.hidamari import jdate, period
from hub.members.models import Member
from hub.spaces.access import Action, allowed, holds, is_staff_at
from hub.spaces.claims import SeatTaken
from hub.spaces.enums import LIVE_STATUSES, VisitSource, VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Seat, Visit
from hub.spaces.staff_frame import frame

P = ParamSpec("P")
PAST_PAGE = 10
form_page = require_http_methods(["GET", "HEAD", "POST"])


def me_of(request: HttpRequest) -> Member:
    """The signed-in member; views call it below `login_required`."""
    assert isinstance(request.user, Member)
    return request.user


def see_other(path: str) -> HttpResponse:
    """303: the page that answers a form is fetched anew."""
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


def new_key() -> str:
    return str(uuid.uuid4())


def _layout(me: Member, hub: Hub, current: str, *, as_staff: bool) -> dict[str, object]:
    """The frame around a page: the phone with her tabs, or the desk's for staff who act for somebody else."""
    if not as_staff:
        return {"layout": "base.html"}
    return {"layout": "base_staff.html", **frame(me, hub, current)}


def _answers_layout(answers: Answers) -> dict[str, object]:
    visit = answers.visit
    hub, current = (visit.hub, "desk") if visit else (answers.hub, "desk_book")
    return _layout(answers.actor, hub, current, as_staff=answers.for_other)


def _card_layout(request: HttpRequest, card: VisitCard) -> dict[str, object]:
    return _layout(me_of(request), card.hub, "desk", as_staff=card.as_staff)


# ---------------------------------------------------------------- step 1


@login_required
@form_page
def book(request: HttpRequest) -> HttpResponse:
    """Step 1, 日時と人; a POST books."""
    if request.method == "POST":
        return _post(request)
    return _step_one(request, read_answers(request.GET, me_of(request)))


def no_booking_page(
    request: HttpRequest, code: str, title: str, hubs: Sequence[Hub], hub: Hub
) -> HttpResponse:
    """Who may not book at all reads why, and who can help: the hub at which she works, or else the one she asked for."""
    me = me_of(request)
    context = {
        "title": words.bare(title),
        "may_join": code == "not_member",
        "helper": next((one for one in hubs if is_staff_at(me, one)), hub),
        "desk": next((one for one in hubs if holds(me, Action.BOOK_FOR_OTHERS, one)), None),
        "tab": "book",
    }
    return render(request, "booking/no_booking.html", context)


def _step_one(request: HttpRequest, answers: Answers) -> HttpResponse:
    page = presenters.step_one(answers)
    hers = next((one for one in page.quote.blockers if one.status == 403), None)
    own = not answers.visit and not answers.for_other
    if hers and own and not holds(answers.actor, Action.BOOK, answers.hub):
        return no_booking_page(request, hers.code, hers.title, answers.hubs, answers.hub)
    status = 422 if page.errors else 200
    return render(request, "booking/book.html", _context_one(page), status=status)


def _context_one(page: presenters.StepOne) -> dict[str, object]:
    return {
        **_answers_layout(page.answers),
        "page": page,
        "a": page.answers,
        "tab": "visits" if page.answers.visit else "book",
        "seat_fields": [
            (k, v) for k, v in page.answers.fields() if k in ("visit", "for", "src", "seat", "view")
        ],
    }


def _push_end(answers: Answers, here: Mapping[str, list[str]]) -> tuple[Answers, bool]:
    """A start chosen behind the end takes the end along: nobody is scolded between two fields."""
    before, after = read_time(here.get("from", [""])[0]), read_time(here.get("to", [""])[0])
    if answers.preset != "own" or answers.starts < answers.ends or answers.starts == before:
        return answers, False
    start = datetime.combine(answers.day, answers.starts)
    length = timedelta(hours=1)
    if before and after and before < after:
        length = datetime.combine(answers.day, after) - datetime.combine(answers.day, before)
    end = start + length
    opening = facts_of(answers.hub).day(answers.day).period
    if opening is not None:
        end = min(end, opening.ends_at.astimezone(answers.hub.tz).replace(tzinfo=None))
    if not start < end or end.date() != start.date():
        return answers, False
    return replace(answers, ends=end.time()), True


def data_was(request: HttpRequest) -> str:
    """The day that the page was drawn with, where its address does not say."""
    return request.GET.get("was", "")


@login_required
@require_GET
def book_avail(request: HttpRequest) -> HttpResponse:
    """The answer to a tap on step 1: the result card, the bar, and the part of the form that was not touched.

    Without htmx the same address shows the whole page.
    """
    answers = read_answers(request.GET, me_of(request))
    if not request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware
        return _step_one(request, answers)
    try:
        here = parse_qs(urlsplit(request.headers.get("HX-Current-URL", "")).query)
    except ValueError:  # not an address
        here = {}
    answers, pushed = _push_end(answers, here)
    page = presenters.step_one(answers)
    # What was touched stays as it is: a new day changes the hours below it, anything else the marks of the days.
    same_day = here.get("d", [data_was(request)])[0] == answers.day.isoformat()
    same_hub = here.get("hub", [answers.hub.slug])[0] == answers.hub.slug
    context = _context_one(page) | {
        "swap_days": same_day or answers.far or not same_hub,
        "swap_times": not same_day or not same_hub or pushed,
    }
    # 200 also where the times make no sense: nothing was sent yet, and the card says it.
    response = render(request, "booking/book.html#answer", context)
    response.headers["HX-Replace-Url"] = f"{reverse('book')}?{answers.query()}"
    patch_vary_headers(response, ("HX-Request",))
    return response


# ---------------------------------------------------------------- step 2


@login_required
@require_GET
def book_seat(request: HttpRequest) -> HttpResponse:
    """Step 2, 席, on the plan or as a list. What does not fit goes back to step 1, which says why.

    The seat is not held while the page is open: two people may look at the same one, and the second is told.
    """
    answers = read_answers(request.GET, me_of(request))
    verdict, shot, _first = presenters.look(answers)
    if not verdict.ok or verdict.verdict is None:
        return see_other(f"{reverse('book')}?{answers.query()}")
    return _seat_page(request, answers, shot)


def _seat_page(
    request: HttpRequest, answers: Answers, shot: Snapshot, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    best = shot.verdict(answers.request()).seats
    if answers.seat not in ("", SeatMode.ANY, SeatMode.NONE):
        try:
            _wish = answers.seat_wish
        except DomainError:
            answers = replace(answers, seat="")  # a seat of the hub that was chosen before
    page = presenters.step_two(answers, shot, best)
    page.key = new_key()
    view = "list" if answers.view == "list" or not page.marks else "map"
    context = _answers_layout(answers) | {
        "page": page,
        "a": answers,
        "view": view,
        "problem": problem,
        "tab": "visits" if answers.visit else "book",
        "keep": answers.exact().fields(seat=None, view=None),
        "post_url": reverse("visit_change", args=[answers.visit.code]) if answers.visit else reverse("book"),
    }
    return render(request, "booking/seat.html", context, status=status)


@login_required
@require_GET
def book_seat_pick(request: HttpRequest) -> HttpResponse:
    """A tap on a seat: its words and the button's words. Looks at nothing that others do."""
    answers = read_answers(request.GET, me_of(request))
    try:
        wish = answers.seat_wish
    except DomainError:
        raise Http404 from None
    about = presenters.seat_words(wish.seat) if wish.seat else ""
    context = {
        "title": presenters.seat_title(answers, answers.seat),
        "about": about,
        "action": presenters.action_words(answers, answers.seat),
        "a": answers,
    }
    if not request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware
        return see_other(f"{reverse('book_seat')}?{answers.query()}")
    response = render(request, "booking/_picked.html", context)
    response.headers["HX-Replace-Url"] = f"{reverse('book_seat')}?{answers.query()}"
    patch_vary_headers(response, ("HX-Request",))
    return response


# ---------------------------------------------------------------- booking and moving


def _post(request: HttpRequest) -> HttpResponse:
    """Book, once per key, or say why not with every answer kept."""
    me = me_of(request)
    answers = read_answers(request.POST, me)
    source = (
        VisitSource.WALK_IN
        if answers.walk_in
        else VisitSource.STAFF
        if answers.for_other
        else VisitSource.SELF
    )

    def work() -> Booked:
        question = answers.request(answers.seat_wish)
        return services.book_visit(actor=me, request=question, key=_key(request), source=source)

    return _settle(request, answers, work, "")


def _key(request: HttpRequest) -> str | None:
    """The form's idempotency key. A form without one (typed by hand) is taken as it is."""
    return request.POST.get("key") or None


def _settle(request: HttpRequest, answers: Answers, work: Callable[[], Booked], did: str) -> HttpResponse:
    try:
        booked = work()
    except DomainError as error:
        return _refused(request, answers, error)
    done = reverse("visit_done", args=[booked.visit.code])
    return see_other(f"{done}?did={did}" if did else done)


def _refused(request: HttpRequest, answers: Answers, error: DomainError) -> HttpResponse:
    """404 as such; a form that makes no sense goes back to its step; everything else gets a page of its own (409)."""
    if error.status == 404:
        raise Http404
    if error.status == 403 and error.code != "blocked" and error.code != "not_member":
        raise PermissionDenied(str(error.message))
    if error.status == 422 and error.code.startswith("key_"):
        shot = presenters.look(answers)[1]
        return _seat_page(request, answers, shot, status=422, problem=str(error.message))
    if error.status == 422:
        return _step_one(request, answers)
    try:
        wish = answers.seat_wish
    except DomainError:
        wish = SeatWish()
    question = answers.request(wish)
    verdict, shot, _first = presenters.look(answers)
    blocker = words.blocker_of(error, question)
    seats = []
    if isinstance(error, SeatTaken):
        blocker = words.Blocker(error.code, _("席が 先に うまりました"), _taken_words(wish))
        if verdict.verdict is not None:
            seats = _neighbours(verdict.verdict.seats, wish)
    found = verdict.alternatives
    if not found and not seats and verdict.ok:
        found = tuple(quotes.next_best(actor=answers.actor, request=question, visit=answers.visit, shot=shot))
    when = answers.period
    context = _answers_layout(answers) | {
        "a": answers,
        "blocker": blocker,
        "title": words.bare(blocker.title),
        "starts": when.starts_at,
        "ends": when.ends_at,
        "seats": [
            (seat.label, presenters.seat_words(seat), presenters.action_words(answers, seat.label))
            for seat in seats
        ],
        "offers": presenters.offers_of(answers, found),
        "can_wait": answers.visit is None and error.code in ("seat_taken", "care_full"),
        "keep": answers.exact().fields(seat=None, view=None),
        "key": new_key(),
        "tab": "visits" if answers.visit else "book",
        "post_url": reverse("visit_change", args=[answers.visit.code]) if answers.visit else reverse("book"),
        "back": f"{reverse('book')}?{answers.query(seat=None)}",
    }
    return render(request, "booking/refused.html", context, status=error.status)


def _taken_words(wish: SeatWish) -> str:
    if wish.seat is None:
        return _("えらんでいる あいだに、ほかの人が 予約しました。")
    return _("%(label)s は、えらんでいる あいだに ほかの人が 予約しました。") % {"label": wish.seat.label}


def _neighbours(free: tuple[Seat, ...], wish: SeatWish) -> list[Seat]:
    """Up to three free seats, the nearest to the lost one first."""
    lost = wish.seat
    if lost is None:
        return list(free[:3])
    near = sorted(
        free,
        key=lambda seat: (
            seat.zone_id != lost.zone_id,
            abs(seat.plan_x - lost.plan_x) + abs(seat.plan_y - lost.plan_y),
            seat.position,
        ),
    )
    return near[:3]


@login_required
@form_page
def visit_change(request: HttpRequest, code: str) -> HttpResponse:
    """Change: the same two steps with the visit's answers filled in; a POST moves it, all or nothing."""
    me = me_of(request)
    visit = _changeable(me, code)
    if request.method != "POST":
        return see_other(f"{reverse('book')}?{urlencode(answers_of_visit(visit))}")
    data = request.POST.copy()
    data["visit"] = code
    answers = read_answers(data, me)

    def work() -> Booked:
        question = answers.request(answers.seat_wish)
        return services.move_visit(actor=me, code=code, request=question, key=_key(request))

    return _settle(request, answers, work, "moved")


def _changeable(me: Member, code: str) -> Visit:
    visit = Visit.objects.select_related("hub", "member", "seat__zone").filter(code=code).first()
    if visit is None or not may_change(me, visit):
        raise Http404
    return visit


# ---------------------------------------------------------------- my visits


def visible(me: Member, code: str) -> Visit | None:
    """The visit of this code, if ``me`` may see it: her own, with a child of hers, or as staff of the hub."""
    visit = queries.with_places(Visit.objects.filter(code=code)).first()
    if visit is None or may_change(me, visit) or allowed(me, Action.SEE_DAY, visit.hub):
        return visit
    return visit if queries.visits_seen_by(me).filter(pk=visit.pk).exists() else None


def visit_page(
    view: Callable[Concatenate[HttpRequest, VisitCard, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, str, P], HttpResponse]:
    """Decorator: the URL's code becomes the visit as the reader may see it, or 404."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, code: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        me = me_of(request)
        visit = visible(me, code)
        if visit is None:
            raise Http404
        card = presenters.card_of(
            visit, me, may_change=may_change(me, visit), households=queries.households_of(me)
        )
        return view(request, card, *args, **kwargs)

    return inner  # type: ignore[return-value]  # login_required keeps the arguments


@login_required
@require_GET
def visits(request: HttpRequest) -> HttpResponse:
    """わたしの予約: what comes, then what was, ten to a page."""
    me = me_of(request)
    now = clock.now()
    seen = queries.visits_seen_by(me)
    answered = seen.exclude(offer__state__in=[state for state in OfferState if state != OfferState.ACCEPTED])
    coming = answered.filter(status__in=LIVE_STATUSES, ends_at__gt=now)
    past = answered.exclude(pk__in=coming.values("pk")).order_by("-starts_at", "-pk")
    page = Paginator(past, PAST_PAGE).get_page(request.GET.get("page"))
    households = queries.households_of(me)

    def cards(rows: list[Visit]) -> list[VisitCard]:
        return [
            presenters.card_of(row, me, may_change=row.member_id == me.pk, households=households)
            for row in rows
        ]

    upcoming = cards(list(queries.with_places(coming).order_by("starts_at", "pk")))
    shown = list(queries.with_places(Visit.objects.filter(pk__in=[row.pk for row in page.object_list])))
    shown.sort(key=lambda row: (row.starts_at, row.pk), reverse=True)
    waits = WaitEntry.objects.filter(member=me, state=EntryState.WAITING).count()
    context = {
        "upcoming": upcoming, "past": cards(shown), "page": page, "series": week_pages.cards_of(me), "tab": "visits",
        "waits": waits,
    }  # fmt: skip
    return render(request, "booking/visits.html", context)


@visit_page
@require_GET
def visit_detail(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """One visit: its state, and everything that can be done with it. One that is only offered shows its question."""
    if card.own and card.visit.status == VisitStatus.OFFERED and hasattr(card.visit, "offer"):
        return see_other(reverse("offer", args=[card.visit.offer.code]))
    context = _card_layout(request, card) | {"card": card, "tab": "visits"}
    return render(request, "booking/visit.html", context)


DID = ("moved", "extended", "left", "cancelled", "child")


@visit_page
@require_GET
def visit_done(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """できました: what was booked, moved or cancelled, and what comes next. Opened later it shows the visit."""
    did = request.GET.get("did", "")
    if card.visit.status in (VisitStatus.CANCELLED, VisitStatus.CANCELLED_BY_HUB):
        did = "cancelled"
    elif did not in DID or did == "cancelled":
        did = ""
    headings = {
        "": _("予約できました"),
        "moved": _("予約を 変えました"),
        "extended": _("予約を 延ばしました"),
        "left": _("早く 帰ることに しました"),
        "cancelled": _("予約を やめました"),
        "child": _("預かりを やめました"),
    }
    context = _card_layout(request, card) | {
        "card": card,
        "did": did,
        "heading": headings[did],
        "google": _google(card),
        "share": _share(request, card),
        "small": [place for place in card.places if place.age_class <= 2],
        "tab": "visits",
    }
    return render(request, "booking/done.html", context)


def _google(card: VisitCard) -> str:
    """A link that fills in Google's own form; nothing is sent before the person follows it. No child's name in it."""

    def stamp(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    values = {
        "action": "TEMPLATE",
        "text": _("%(hub)sに 行く") % {"hub": named(card.hub)},
        "dates": f"{stamp(card.visit.starts_at)}/{stamp(card.visit.ends_at)}",
        "location": card.hub.address,
    }
    return f"https://calendar.google.com/calendar/render?{urlencode(values)}"


def _share(request: HttpRequest, card: VisitCard) -> dict[str, str]:
    """Plain text for the family, and a mail that holds it."""
    lines = [
        f"{jdate(card.starts)} {period(card.starts, card.ends)}",
        _("%(hub)s（電話 %(phone)s）") % {"hub": named(card.hub), "phone": card.hub.phone},
    ]
    if card.places:
        lines.append(_("子ども %(names)s") % {"names": card.names})
        if card.reception:
            lines.append(_("%(time)s に 子どもの受付へ") % {"time": f"{card.reception:%-H:%M}"})
    text = "\n".join(lines)
    subject = _("%(hub)sの 予約") % {"hub": named(card.hub)}
    # mailto knows no plus sign for a space (RFC 6068).
    return {
        "text": text,
        "mailto": "mailto:?" + urlencode({"subject": subject, "body": text}).replace("+", "%20"),
    }


@visit_page
@require_GET
def visit_file(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """The calendar file: a stable UID, so that importing it again updates the entry."""
    if not (card.own or card.may_change):
        raise Http404
    response = HttpResponse(visit_ics(card.visit), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{card.visit.code.lower()}.ics"'
    return response


# ---------------------------------------------------------------- longer, shorter, never


def _own_page(
    request: HttpRequest, card: VisitCard, template: str, context: dict[str, object]
) -> HttpResponse:
    """A page about a visit with a form: 200, or 409 / 422 when it comes back with a problem."""
    status = context.pop("status", 200)
    assert isinstance(status, int)
    base = _card_layout(request, card) | {"card": card, "key": new_key(), "tab": "visits"}
    return render(request, template, base | context, status=status)


def _problem(error: DomainError, card: VisitCard) -> dict[str, object]:
    if error.status == 404 or (error.status == 403 and error.code != "blocked"):
        raise Http404
    question = VisitRequest(card.visit.member, card.hub, card.visit.period)
    blocker = words.blocker_of(error, question)
    return {"problem": blocker.title, "why": blocker.why, "status": error.status}


def _read_end(request: HttpRequest, card: VisitCard) -> datetime:
    """The chosen new end, on the day of the visit. Raises `DomainError` (422) ``end_missing``."""
    at = read_time(request.POST.get("to"))
    if at is None:
        raise DomainError("end_missing", _("何時までかを えらんでください"), 422)
    return local(card.ends.date(), at, card.hub.tz)


@visit_page
@form_page
def visit_extend(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """Stay longer: the ends that fit, each looked at; the first that does not is named with its reason."""
    if not card.may_change:
        raise Http404
    context: dict[str, object] = {}
    if request.method == "POST":
        try:
            services.extend(
                actor=me_of(request),
                code=card.visit.code,
                ends_at=_read_end(request, card),
                key=_key(request),
            )
        except DomainError as error:
            context = _problem(error, card)
        else:
            return see_other(reverse("visit_done", args=[card.visit.code]) + "?did=extended")
    context["choices"] = presenters.longer_ends(card) if card.live else []
    return _own_page(request, card, "booking/extend.html", context)


@visit_page
@form_page
def visit_leave(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """Leave earlier: the rest of the seat and of the children's places is given back."""
    if not card.may_change:
        raise Http404
    context: dict[str, object] = {}
    if request.method == "POST":
        try:
            services.leave_early(
                actor=me_of(request),
                code=card.visit.code,
                ends_at=_read_end(request, card),
                key=_key(request),
            )
        except DomainError as error:
            context = _problem(error, card)
        else:
            return see_other(reverse("visit_done", args=[card.visit.code]) + "?did=left")
    context["choices"] = presenters.earlier_ends(card) if card.can_stay_or_leave else []
    return _own_page(request, card, "booking/leave.html", context)


@visit_page
@form_page
def visit_cancel(request: HttpRequest, card: VisitCard) -> HttpResponse:
    """Cancel: what is lost, that it costs nothing, and whether it is late; then one button."""
    if not card.may_change:
        raise Http404
    context: dict[str, object] = {}
    if request.method == "POST":
        try:
            services.cancel_visit(actor=me_of(request), code=card.visit.code, key=_key(request))
        except DomainError as error:
            context = _problem(error, card)
        else:
            return see_other(reverse("visit_done", args=[card.visit.code]) + "?did=cancelled")
    return _own_page(request, card, "booking/cancel.html", context)


@visit_page
@form_page
def visit_cancel_child(request: HttpRequest, card: VisitCard, child: str) -> HttpResponse:
    """Give back one child's place: for the one who booked, and for the child's other guardian."""
    place = next((one for one in card.places if one.child.code == child), None)
    if place is None or not (card.may_change or place.mine) or not card.live:
        raise Http404
    context: dict[str, object] = {"place": place}
    if request.method == "POST":
        try:
            services.cancel_child_place(
                actor=me_of(request), code=card.visit.code, child=child, key=_key(request)
            )
        except DomainError as error:
            context |= _problem(error, card)
        else:
            if card.own or card.may_change or len(card.places) > 1:
                return see_other(reverse("visit_done", args=[card.visit.code]) + "?did=child")
            return see_other(reverse("visits"))  # nothing of hers is left in that visit
    return _own_page(request, card, "booking/cancel_child.html", context)


# ---------------------------------------------------------------- a hub


@require_GET
def hub_page(request: HttpRequest, slug: str) -> HttpResponse:
    """行き方: where the hub is, when it is open, its telephone. For everybody."""
    hub = Hub.objects.filter(slug=slug, is_open=True).first()
    if hub is None:
        raise Http404
    context = {"now": presenters.hub_now(hub), "hub": hub, "hours": presenters.hours_of(hub)}
    return render(request, "booking/hub.html", context)
