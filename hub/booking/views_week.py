"""Pages of a usual week: the pattern, the preview, what became of it, changing and cancelling. Work without JavaScript."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hub.booking import queries, rules, week, week_pages, week_plan
from hub.booking.calendar import visits_ics
from hub.booking.forms import read_time, steps_between
from hub.booking.models_week import Series
from hub.booking.views import (
    _key,
    _layout,
    form_page,
    me_of,
    new_key,
    no_booking_page,
    see_other,
)
from hub.booking.week_forms import RangeAnswers, WeekAnswers, read_range, read_week
from hub.booking.week_pages import SeriesCard
from hub.booking.words import bare
from hub.childcare.models import Child
from hub.childcare.queries import children_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.spaces.access import Action, allowed
from hub.spaces.facts import facts_of
from hub.spaces.models import Visit

# ---------------------------------------------------------------- the pattern, and what would become of it


@login_required
@require_GET
def series_new(request: HttpRequest) -> HttpResponse:
    """Step 1: days, hours, children, place, until when."""
    answers = read_week(request.GET, me_of(request))
    me, hub = answers.actor, answers.hub
    if not answers.for_other and not allowed(me, Action.BOOK, hub):
        try:
            rules.check_member(me, me, hub)
        except DomainError as refusal:
            return no_booking_page(request, refusal.code, str(refusal.message), answers.hubs, hub)
    return _pattern_page(request, answers)


def _answers_layout(answers: WeekAnswers) -> dict[str, object]:
    return _layout(answers.actor, answers.hub, "desk_book", as_staff=answers.for_other)


def _pattern_page(
    request: HttpRequest, answers: WeekAnswers, error: DomainError | None = None
) -> HttpResponse:
    if error is not None and error.status == 404:
        raise Http404
    today = clock.today(answers.hub.tz)
    context = _answers_layout(answers) | {
        "a": answers,
        "zones": facts_of(answers.hub).zones,
        "caller": answers.member.code if answers.for_other else "",
        "problem": bare(str(error.message)) if error else "",
        "today": today,
        "furthest": answers.first + timedelta(days=week_plan.WEEKS * 7 - 1),
        "weeks": week_plan.WEEKS,
        "tab": "book",
    }
    status = 200 if error is None else error.status
    return render(request, "booking/week.html", context, status=status)


@login_required
@require_GET
def series_preview(request: HttpRequest) -> HttpResponse:
    """Step 2: each date, what would become of it and why; each can be switched off or put to other hours."""
    return _preview_page(request, read_week(request.GET, me_of(request)))


def _preview_page(
    request: HttpRequest, answers: WeekAnswers, error: DomainError | None = None
) -> HttpResponse:
    pattern = answers.pattern
    try:
        week_plan.check_pattern(pattern)
        preview = week_plan.preview(pattern, answers.choices(pattern), actor=answers.actor)
    except DomainError as wrong:
        return _pattern_page(request, answers, wrong)
    bookable = preview.count(week_plan.Outlook.OK, week_plan.Outlook.WAITING)
    context = _answers_layout(answers) | {
        "a": answers,
        "weeks": week_pages.weeks_of(preview),
        "totals": week_pages.totals_of(preview),
        "bookable": bookable,
        "problem": bare(str(error.message)) if error else "",
        "key": new_key(),
        "back": f"{reverse('series_new')}?{answers.query}",
        "tab": "book",
    }
    if request.method == "GET" and request.htmx:  # type: ignore[attr-defined]  # HtmxMiddleware
        response = render(request, "booking/week_preview.html#totals", context)
    else:
        response = render(
            request, "booking/week_preview.html", context, status=200 if error is None else error.status
        )
    patch_vary_headers(response, ("HX-Request",))
    return response


@login_required
@form_page
def series_post(request: HttpRequest) -> HttpResponse:
    """Step 3: book, once per key; the same key goes on where it stopped. The result has a page of its own."""
    me = me_of(request)
    if request.method != "POST":
        return see_other(reverse("visits"))
    answers = read_week(request.POST, me)
    pattern = answers.pattern
    try:
        week_plan.check_pattern(pattern)
        made = week.confirm(
            member=answers.member,
            pattern=pattern,
            choices=answers.choices(pattern),
            key=_key(request),
            actor=me,
        )
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        if error.status == 409 or error.code.startswith("key_"):
            return _preview_page(request, answers, error)
        return _pattern_page(request, answers, error)
    return see_other(reverse("series_detail", args=[made.series.code]) + "?did=made")


# ---------------------------------------------------------------- a series that was asked for


def series_page(
    view: Callable[[HttpRequest, Series], HttpResponse],
) -> Callable[[HttpRequest, str], HttpResponse]:
    """Decorator: the URL's code becomes the series that the reader may see (`week.mine`), or 404, whatever the method."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, code: str) -> HttpResponse:
        try:
            series = week.mine(me_of(request), code)
        except DomainError:
            raise Http404 from None
        return view(request, series)

    return inner


DID = ("made", "changed", "cancelled")


def _card_layout(request: HttpRequest, series: Series) -> dict[str, object]:
    """The frame of a page about a series; ``caller``: the code of the member, for staff who act for her."""
    me = me_of(request)
    as_staff = series.member_id != me.pk
    frame = _layout(me, series.hub, "desk_book", as_staff=as_staff)
    return frame | {"as_staff": as_staff, "caller": series.member.code if as_staff else ""}


@series_page
@require_GET
def series_detail(request: HttpRequest, series: Series) -> HttpResponse:
    """The series with its dates as they stand now; after an act with its heading."""
    card = week_pages.card_of(series)
    did = request.GET.get("did", "")
    did = did if did in DID else ""
    headings = {
        "": _("いつもの 1週間"),
        "made": _("いつもの 1週間を 予約しました"),
        "changed": _("いつもの 1週間を 変えました"),
        "cancelled": _("いつもの 1週間を やめました"),
    }
    if did == "made" and card.running:
        headings["made"] = _("いま 予約しています")
    elif did == "made" and card.all_refused:
        headings["made"] = _("予約できた日は ありません")
    context = _card_layout(request, series) | {
        "card": card, "did": did, "heading": headings[did], "tab": "visits", "by_staff": week.by_staff(series),
    }  # fmt: skip
    return render(request, "booking/series.html", context)


@series_page
@require_GET
def series_file(request: HttpRequest, series: Series) -> HttpResponse:
    """All visits of the series as one calendar file; importing it again updates the entries."""
    rows = queries.with_places(Visit.objects.filter(series_date__series=series)).order_by("starts_at")
    content = visits_ics(rows, get_language() or "ja")
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{series.code.lower()}.ics"'
    return response


def _range_context(card: SeriesCard, asked: RangeAnswers, problem: DomainError | None) -> dict[str, object]:
    only = asked.last is not None and asked.last == asked.first
    return {
        "card": card,
        "range": asked,
        "scope": "one" if only else "range" if asked.last else "on",
        "today": clock.today(card.series.hub.tz),
        "problem": bare(str(problem.message)) if problem else "",
        "tab": "visits",
    }


@series_page
@form_page
def series_cancel(request: HttpRequest, series: Series) -> HttpResponse:
    """Cancel one date, a range, or from a date on: what goes is shown before the button."""
    me, code = me_of(request), series.code
    card = week_pages.card_of(series)
    today = clock.today(card.series.hub.tz)
    asked = read_range(request.POST if request.method == "POST" else request.GET, today)
    problem = None
    try:
        if request.method == "POST":
            week.cancel(member=me, code=code, first=asked.first, last=asked.last)
            return see_other(reverse("series_detail", args=[code]) + "?did=cancelled")
        affected = week.cancellable(card.series, asked.first, asked.last)
    except DomainError as error:
        problem, affected = error, []
    rows = week_pages.rows_of(affected)
    context = _card_layout(request, series) | _range_context(card, asked, problem) | {"rows": rows}
    return render(request, "booking/series_cancel.html", context, status=problem.status if problem else 200)


@series_page
@form_page
def series_change(request: HttpRequest, series: Series) -> HttpResponse:
    """Other hours or children for one date, a range, or from a date on; where they do not fit the old stays."""
    me, code = me_of(request), series.code
    card = week_pages.card_of(series)
    hub = card.series.hub
    asked = read_range(request.POST if request.method == "POST" else request.GET, clock.today(hub.tz))
    family = tuple(children_of(series.member))
    problem = None
    try:
        if request.method == "POST":
            to = _read_change(request, family)
            week.change(member=me, code=code, first=asked.first, last=asked.last, to=to)
            return see_other(reverse("series_detail", args=[code]) + "?did=changed")
        affected = week.changeable(card.series, asked.first, asked.last)
    except DomainError as error:
        problem, affected = error, []
        if error.code != "not_forward" or asked.last is None or asked.last >= asked.first:
            affected = week.changeable(card.series, asked.first, asked.last)
    hours = facts_of(hub).hours.values()
    steps = sorted(
        {at for opens, closes in hours for at in (*steps_between(opens, closes, hub.page_step), closes)}
    )
    context = (
        _card_layout(request, series)
        | _range_context(card, asked, problem)
        | {
            "rows": week_pages.rows_of(affected),
            "family": family,
            "options": steps,
            "chosen": set(request.POST.getlist("c")),
            "who": request.POST.get("who", "same"),
            "f": request.POST.get("f", ""),
            "t": request.POST.get("t", ""),
        }
    )
    return render(request, "booking/series_change.html", context, status=problem.status if problem else 200)


def _read_change(request: HttpRequest, family: tuple[Child, ...]) -> week.Change:
    """New hours and children. Raises `DomainError` (422) when nothing is to change or half of the hours is missing."""
    starts, ends = read_time(request.POST.get("f")), read_time(request.POST.get("t"))
    if (starts is None) != (ends is None):
        raise DomainError("hours_half", _("始まりと 終わりの 両方を えらんでください。"), 422)
    hours = (starts, ends) if starts is not None and ends is not None else None
    children = None
    if request.POST.get("who") == "new":
        codes = set(request.POST.getlist("c"))
        if codes - {child.code for child in family}:
            raise Http404
        children = tuple(child for child in family if child.code in codes)
    if hours is None and children is None:
        raise DomainError("nothing_new", _("変える 時間か 子どもを えらんでください。"), 422)
    return week.Change(hours, children)
