"""When the hub is open: weekdays, settings, closures, holidays."""

from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.booking import closures as use
from hub.booking import conflicts, weather
from hub.booking import hours as use_hours
from hub.booking.conflicts import Changed, VisitsAffected
from hub.childcare.capacity import RatioShort
from hub.core import clock
from hub.core.errors import DomainError
from hub.desk.forms import (
    ClosureForm,
    HolidayForm,
    HoursForm,
    SettingsForm,
    StormForm,
    StormStepsForm,
    YearForm,
)
from hub.desk.pages import add_error, ask, confirmed, local_visits, me, page, refused
from hub.spaces.access import Action, staff_page
from hub.spaces.enums import Cause
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub

CURRENT = "desk_hours"
FORM = ["GET", "HEAD", "POST"]


def _say(request: HttpRequest, text: str, changed: Changed) -> None:
    """The toast after a change: what happened to visits, too."""
    if changed.touched:
        text += _("%(count)s件の 予約が 変わり、その人に 知らせました。") % {"count": len(changed.touched)}
    if changed.inside:
        text += _("いま 来ている %(count)s人に、声を かけてください。") % {"count": len(changed.inside)}
    messages.success(request, text)


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def hours(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Opening hours per weekday; visits that would fall outside are shown before anything is kept."""
    form: HoursForm
    status = 200
    if request.method == "POST":
        form = HoursForm(request.POST)
        status = 422
        if form.is_valid():
            try:
                changed = use_hours.set_hours(
                    actor=me(request), hub=hub, hours=form.hours(), confirm=confirmed(request)
                )
            except (VisitsAffected, RatioShort) as error:
                return ask(
                    request,
                    hub,
                    error,
                    CURRENT,
                    title=_("開く時間を 変えますか"),
                    back=reverse("desk_hours", args=[hub.slug]),
                )
            except DomainError as error:
                status = add_error(form, error)
            else:
                _say(request, _("開く時間を 変えました。"), changed)
                return redirect("desk_hours", hub.slug)
    else:
        initial: dict[str, object] = {}
        for row in hub.opening_hours.all():
            initial |= {
                f"open_{row.weekday}": True, f"opens_{row.weekday}": row.opens, f"closes_{row.weekday}": row.closes
            }  # fmt: skip
        form = HoursForm(initial=initial)
    return page(
        request,
        hub,
        "hours.html",
        CURRENT,
        {"form": form, "part": "hours", "left": _left(hub)},
        status=status,
    )


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def hub_settings(request: HttpRequest, hub: Hub) -> HttpResponse:
    """How far ahead, in which steps, how long, how many, until when."""
    names = (
        "horizon_days", "page_step", "max_visit_minutes", "max_open_visits", "change_deadline", "wait_order",
        "offer_minutes", "offer_cutoff", "grace_minutes", "releases_missed",
    )  # fmt: skip
    status = 200
    if request.method == "POST":
        form = SettingsForm(request.POST)
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            try:
                use_hours.update_settings(
                    hub=hub, **{name: data[name] for name in names if name != "page_step"},
                    page_step=int(data["page_step"]),
                )  # fmt: skip
            except DomainError as error:
                status = add_error(form, error)
            else:
                messages.success(request, _("設定を 変えました。"))
                return redirect("desk_settings", hub.slug)
    else:
        form = SettingsForm(initial={name: getattr(hub, name) for name in names})
    return page(request, hub, "settings.html", CURRENT, {"form": form, "part": "settings"}, status=status)


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def closures(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Closures that run or come, of the hub, its zones and rooms, and a form for one more."""
    status = 200
    form = ClosureForm(
        request.POST if request.method == "POST" else None, hub=hub, initial=request.GET.dict()
    )
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                changed = use.add_closure(
                    actor=me(request), hub=hub, confirm=confirmed(request), **form.closure()
                )
            except (VisitsAffected, RatioShort) as error:
                back = reverse("desk_closures", args=[hub.slug])
                return ask(request, hub, error, CURRENT, title=_("この お休みを 入れますか"), back=back)
            except DomainError as error:
                status = add_error(form, error)
            else:
                _say(request, _("お休みを 入れました。"), changed)
                return redirect("desk_closures", hub.slug)
    context = {
        "form": form, "rows": use.running(hub), "today": clock.today(hub.tz), "part": "closures", "left": _left(hub),
    }  # fmt: skip
    return page(request, hub, "closures.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def storm(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A warning stands or is lifted: what the hub's steps make of today (RULE-32), and who is told."""
    status = 200
    here = reverse("desk_storm", args=[hub.slug])
    form = StormForm(request.POST if request.method == "POST" else None, initial={"state": "on"})
    if request.method == "POST":
        status = 422
        if form.is_valid():
            lifted = form.lifted()
            try:
                plan, changed = weather.carry_out(
                    actor=me(request), hub=hub, lifted_at=lifted, reason=form.cleaned_data["reason"],
                    confirm=confirmed(request),
                )  # fmt: skip
            except VisitsAffected as error:
                title = weather.sentence(hub, weather.plan(hub, lifted_at=lifted))
                return ask(request, hub, error, CURRENT, title=title, back=here)
            except DomainError as error:
                status = add_error(form, error)
            else:
                _say(request, weather.sentence(hub, plan) + _("きょう 来る人に 知らせました。"), changed)
                return redirect(here)
    today = clock.today(hub.tz)
    context = {
        "form": form, "part": "storm", "left": _left(hub), "today": facts_of(hub).day(today),
        "usual": weather.usual_hours(hub, today), "safety": _safety(hub, today),
    }  # fmt: skip
    return page(request, hub, "storm.html", CURRENT, context, status=status)


def _safety(hub: Hub, today: date) -> str:
    """The form of closures filled in for "from now on", as a query."""
    at = weather.next_quarter(clock.now().astimezone(hub.tz))
    filled = {
        "starts_on": today.isoformat(),
        "part": "from",
        "at": f"{at:%H:%M}",
        "cause": Cause.SAFETY.value,
    }
    return urlencode({**filled, "reason": _("安全を たしかめる ため")})


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def storm_steps(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The hub's own hours of RULE-32."""
    names = ("announce_by", "storm_normal_by", "storm_late_by", "storm_wait_minutes", "storm_lunch_by")
    status = 200
    form = StormStepsForm(request.POST or None, initial={name: getattr(hub, name) for name in names})
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            try:
                use_hours.update_storm_steps(
                    hub=hub, **{name.removeprefix("storm_"): data[name] for name in names}
                )
            except DomainError as error:
                status = add_error(form, error)
            else:
                messages.success(request, _("警報の 日の きまりを 変えました。"))
                return redirect("desk_storm", hub.slug)
    context = {"form": form, "part": "storm", "back": reverse("desk_storm", args=[hub.slug])}
    return page(request, hub, "storm_steps.html", CURRENT, context, status=status)


def _left(hub: Hub) -> list[dict[str, object]]:
    """Visits that stand in closed time all the same (people who are inside): shown until somebody has spoken to them."""
    found = [*conflicts.stranded(hub), *conflicts.misplaced(hub)]
    return local_visits({visit.pk: visit for visit in found}.values(), hub)


@staff_page(Action.MANAGE_HOURS)
@require_POST
def closure_end(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    try:
        use.end_closure(hub=hub, code=code)
    except DomainError as error:
        return refused(request, hub, error, CURRENT, back=reverse("desk_closures", args=[hub.slug]))
    messages.success(request, _("お休みを 終わりに しました。予約を とれるように なりました。"))
    return redirect("desk_closures", hub.slug)


def _holidays_page(
    request: HttpRequest,
    hub: Hub,
    *,
    form: HolidayForm | None = None,
    year_form: YearForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = clock.today(hub.tz)
    last = hub.holidays.order_by("-date").values_list("date", flat=True).first()
    guess = min(max(today.year, last.year + 1), today.year + 1) if last else today.year
    context = {
        "rows": list(hub.holidays.filter(date__gte=today - timedelta(days=7))),
        "add_form": form or HolidayForm(initial={"is_closed": True}),
        "year_form": year_form or YearForm(initial={"year": guess}),
        "form": form or year_form,
        "part": "holidays",
    }
    return page(request, hub, "holidays.html", CURRENT, context, status=status)


def _set_holiday(request: HttpRequest, hub: Hub, form: HolidayForm) -> HttpResponse | int:
    """Keep a holiday; a response, or the status of a form that came back."""
    if not form.is_valid():
        return 422
    data = form.cleaned_data
    try:
        changed = use.set_holiday(
            hub=hub, day=data["date"], name=data["name"], name_en=data["name_en"], is_closed=data["is_closed"],
            confirm=confirmed(request),
        )  # fmt: skip
    except (VisitsAffected, RatioShort) as error:
        back = reverse("desk_holidays", args=[hub.slug])
        return ask(request, hub, error, CURRENT, title=_("この日を お休みに しますか"), back=back)
    except DomainError as error:
        return add_error(form, error)
    _say(request, _("祝日の 表を 変えました。"), changed)
    return redirect("desk_holidays", hub.slug)


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def holidays(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The hub's own table of holidays; a POST adds one by hand."""
    if request.method != "POST":
        return _holidays_page(request, hub)
    form = HolidayForm(request.POST)
    answer = _set_holiday(request, hub, form)
    return (
        answer if isinstance(answer, HttpResponse) else _holidays_page(request, hub, form=form, status=answer)
    )


@staff_page(Action.MANAGE_HOURS)
@require_http_methods(FORM)
def holiday_edit(request: HttpRequest, hub: Hub, day: str) -> HttpResponse:
    """One holiday: its names, and whether the hub is closed on it."""
    try:
        row = hub.holidays.filter(date=date.fromisoformat(day)).first()
    except ValueError:
        row = None
    if row is None:
        raise Http404
    status = 200
    if request.method == "POST":
        form = HolidayForm({**request.POST.dict(), "date": row.date.isoformat()})
        answer = _set_holiday(request, hub, form)
        if isinstance(answer, HttpResponse):
            return answer
        status = answer
    else:
        names = ("date", "name", "name_en", "is_closed")
        form = HolidayForm(initial={name: getattr(row, name) for name in names})
    return page(request, hub, "holiday.html", CURRENT, {"form": form, "row": row}, status=status)


@staff_page(Action.MANAGE_HOURS)
@require_POST
def holidays_import(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Import the holidays of a year (RULE-33); rows that a person edited stay."""
    form = YearForm(request.POST)
    if not form.is_valid():
        return _holidays_page(request, hub, year_form=form, status=422)
    try:
        count, changed = use.import_holidays(
            hub=hub, year=form.cleaned_data["year"], confirm=confirmed(request)
        )
    except (VisitsAffected, RatioShort) as error:
        back = reverse("desk_holidays", args=[hub.slug])
        return ask(request, hub, error, CURRENT, title=_("祝日を お休みに しますか"), back=back)
    except DomainError as error:
        return _holidays_page(request, hub, year_form=form, status=add_error(form, error))
    _say(request, _("%(count)s日を 取りこみました。") % {"count": count}, changed)
    return redirect("desk_holidays", hub.slug)
