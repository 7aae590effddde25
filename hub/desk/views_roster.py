"""The roster: a week of a room, carers, weekly shifts, dated changes."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.booking import roster as use
from hub.childcare.capacity import RatioShort
from hub.childcare.enums import Qualification
from hub.childcare.models import Carer, CareRoom, Shift, ShiftChange
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import in_calendar
from hub.desk.forms import AbsentForm, CarerForm, ExtraForm, LastDayForm, ShiftForm, ShiftHoursForm
from hub.desk.pages import add_error, ask, confirmed, page
from hub.desk.week import monday_of, week_of
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub

CURRENT = "desk_roster"
FORM = ["GET", "HEAD", "POST"]


def day_from(request: HttpRequest, hub: Hub, name: str = "d") -> date:
    """The day of the address, or today at the hub. A day that is none is today."""
    try:
        day = date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        day = date.min
    return day if in_calendar(day) else clock.today(hub.tz)


def active_carers(hub: Hub) -> list[Carer]:
    return list(Carer.objects.filter(hub=hub, is_active=True).order_by("name", "pk"))


def _back(hub: Hub) -> str:
    return reverse("desk_roster", args=[hub.slug])


@staff_page(Action.MANAGE_ROSTER)
@require_GET
def roster_week(request: HttpRequest, hub: Hub) -> HttpResponse:
    """One week of one room: who, from, to, break; staff and need for each hour with its booked children."""
    rooms = list(CareRoom.objects.filter(hub=hub))
    wanted = request.GET.get("room", "")
    room = next((row for row in rooms if row.code == wanted), rooms[0] if rooms else None)
    monday = monday_of(day_from(request, hub))
    today = clock.today(hub.tz)
    columns = week_of(hub, room, monday, get_language() or "ja") if room else []
    weekly: list[Shift] = []
    changes: list[ShiftChange] = []
    if room:
        weekly = list(
            Shift.objects.filter(room=room, carer__is_active=True)
            .exclude(valid_to__lt=today)
            .select_related("carer")
            .order_by("weekday", "starts", "pk")
        )
        changes = list(ShiftChange.objects.filter(room=room, date__gte=today).select_related("carer"))
    context: dict[str, Any] = {
        "rooms": rooms, "room": room, "columns": columns, "monday": monday, "sunday": monday + timedelta(days=6),
        "previous": monday - timedelta(days=7), "next": monday + timedelta(days=7), "today": today,
        "weekly": weekly, "changes": changes, "labels": dict(Qualification.choices),
    }  # fmt: skip
    return page(request, hub, "roster.html", CURRENT, context)


def _write(
    request: HttpRequest,
    hub: Hub,
    form: forms.Form,
    work: Any,
    *,
    title: str,
    done: str,
    back: str | None = None,
) -> HttpResponse | int:
    """Run a change of the roster: a redirect, the question about a lack (409), or the status of the form."""
    target = back or _back(hub)
    try:
        work()
    except RatioShort as short:
        return ask(request, hub, short, CURRENT, title=title, back=target)
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return add_error(form, error)
    messages.success(request, done)
    return redirect(target)


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def shift_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A weekly shift on one or more weekdays."""
    rooms, carers_ = list(CareRoom.objects.filter(hub=hub)), active_carers(hub)
    status = 200
    initial = {
        "valid_from": clock.today(hub.tz),
        "room": request.GET.get("room"),
        "carer": request.GET.get("carer"),
    }
    form = ShiftForm(
        request.POST if request.method == "POST" else None, rooms=rooms, carers=carers_, initial=initial
    )
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data

            def work() -> None:
                use.add_shifts(
                    hub=hub, room=data["room"], carer=data["carer"], weekdays=data["weekdays"], hours=form.hours(),
                    valid_from=data["valid_from"], valid_to=data["valid_to"],
                )  # fmt: skip

            answer = _write(
                request, hub, form, work, title=_("当番を 入れますか"), done=_("当番を 入れました。")
            )
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    context = {"form": form, "title": _("当番を 入れる"), "action": _("入れる"), "back": _back(hub)}
    return page(request, hub, "form.html", CURRENT, context, status=status)


def _shift(hub: Hub, code: str) -> Shift:
    shift = Shift.objects.filter(room__hub=hub, code=code).select_related("room", "carer").first()
    if shift is None:
        raise Http404
    return shift


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def shift_edit(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Other hours from a day on, or the end of a weekly shift."""
    shift = _shift(hub, code)
    names = ("starts", "ends", "break_starts", "break_ends")
    today = clock.today(hub.tz)
    status = 200
    if request.method == "POST":
        form = ShiftHoursForm(request.POST)
        status = 422
        if form.is_valid():

            def work() -> None:
                use.edit_shift(
                    hub=hub, code=code, hours=form.hours(), from_day=form.cleaned_data["from_day"],
                    confirm=confirmed(request),
                )  # fmt: skip

            answer = _write(
                request, hub, form, work, title=_("当番を 変えますか"), done=_("当番を 変えました。")
            )
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    else:
        form = ShiftHoursForm(initial={name: getattr(shift, name) for name in names} | {"from_day": today})
    context = {
        "form": form,
        "shift": shift,
        "end_form": LastDayForm(initial={"last_day": today}),
        "back": _back(hub),
    }
    return page(request, hub, "shift.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_ROSTER)
@require_POST
def shift_end(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    shift = _shift(hub, code)
    form = LastDayForm(request.POST)
    status = 422
    if form.is_valid():

        def work() -> None:
            use.end_shift(
                hub=hub, code=code, last_day=form.cleaned_data["last_day"], confirm=confirmed(request)
            )

        answer = _write(
            request,
            hub,
            form,
            work,
            title=_("この 当番を 終わりに しますか"),
            done=_("当番を 終わりに しました。"),
        )
        if isinstance(answer, HttpResponse):
            return answer
        status = answer
    names = ("starts", "ends", "break_starts", "break_ends")
    first = ShiftHoursForm(
        initial={name: getattr(shift, name) for name in names} | {"from_day": clock.today(hub.tz)}
    )
    context = {"form": first, "shift": shift, "end_form": form, "back": _back(hub)}
    return page(request, hub, "shift.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def absent(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A carer is away on a day."""
    status = 200
    initial = {"day": day_from(request, hub), "carer": request.GET.get("carer")}
    form = AbsentForm(
        request.POST if request.method == "POST" else None, carers=active_carers(hub), initial=initial
    )
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data

            def work() -> None:
                use.set_absent(hub=hub, confirm=confirmed(request), **data)

            back = f"{_back(hub)}?d={data['day'].isoformat()}"
            answer = _write(
                request,
                hub,
                form,
                work,
                title=_("この日を 休みに しますか"),
                done=_("休みを 入れました。"),
                back=back,
            )
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    context = {"form": form, "title": _("この日は 休み"), "action": _("休みに する"), "back": _back(hub)}
    return page(request, hub, "form.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def extra(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A carer works on one day beside the weekly roster."""
    status = 200
    rooms = list(CareRoom.objects.filter(hub=hub))
    initial = {"day": day_from(request, hub), "room": request.GET.get("room")}
    form = ExtraForm(
        request.POST if request.method == "POST" else None,
        rooms=rooms,
        carers=active_carers(hub),
        initial=initial,
    )
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data

            def work() -> None:
                use.add_extra(
                    hub=hub,
                    room=data["room"],
                    carer=data["carer"],
                    day=data["day"],
                    hours=form.hours(),
                    note=data["note"],
                )

            back = f"{_back(hub)}?d={data['day'].isoformat()}"
            answer = _write(
                request,
                hub,
                form,
                work,
                title=_("この日だけ 入る"),
                done=_("この日の 当番を 入れました。"),
                back=back,
            )
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    context = {"form": form, "title": _("この日だけ 入る"), "action": _("入れる"), "back": _back(hub)}
    return page(request, hub, "form.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_ROSTER)
@require_POST
def change_remove(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    try:
        use.remove_change(hub=hub, code=code, confirm=confirmed(request))
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return ask(request, hub, error, CURRENT, title=_("この 変更を とりけしますか"), back=_back(hub))
    messages.success(request, _("変更を とりけしました。"))
    return redirect(_back(hub))


# ---------------------------------------------------------------- carers


@staff_page(Action.MANAGE_ROSTER)
@require_GET
def carers(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Everybody on the roster; those who ended stand below."""
    rows = list(Carer.objects.filter(hub=hub).order_by("-is_active", "name", "pk"))
    return page(request, hub, "carers.html", CURRENT, {"rows": rows})


def _carer_form(request: HttpRequest, hub: Hub, carer: Carer | None) -> HttpResponse:
    back = reverse("desk_carers", args=[hub.slug])
    status = 200
    if request.method == "POST":
        form = CarerForm(request.POST)
        status = 422
        if form.is_valid():

            def work() -> None:
                use.save_carer(
                    hub=hub,
                    code=carer.code if carer else None,
                    confirm=confirmed(request),
                    **form.cleaned_data,
                )

            answer = _write(
                request,
                hub,
                form,
                work,
                title=_("保育者を 変えますか"),
                done=_("保育者を 保存しました。"),
                back=back,
            )
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    elif carer:
        form = CarerForm(initial={"name": carer.name, "qualification": carer.qualification})
    else:
        form = CarerForm()
    return page(
        request, hub, "carer.html", CURRENT, {"form": form, "carer": carer, "back": back}, status=status
    )


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def carer_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    return _carer_form(request, hub, None)


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def carer_edit(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    carer = Carer.objects.filter(hub=hub, code=code).first()
    if carer is None:
        raise Http404
    return _carer_form(request, hub, carer)


@staff_page(Action.MANAGE_ROSTER)
@require_POST
def carer_end(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """A carer works no more; children who are booked may keep it from happening unasked."""
    back = reverse("desk_carers", args=[hub.slug])
    try:
        use.end_carer(hub=hub, code=code, confirm=confirmed(request))
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return ask(request, hub, error, CURRENT, title=_("この 保育者を 終わりに しますか"), back=back)
    messages.success(request, _("保育者を 終わりに しました。これまでの 当番は 残ります。"))
    return redirect(back)
