"""Zones and seats as lists."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.booking import seats_admin as use
from hub.booking.seats_admin import SeatInUse
from hub.core.errors import DomainError
from hub.desk.forms import SeatForm, ZoneForm
from hub.desk.pages import add_error, local_visits, page, refused
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub, Seat, Zone

CURRENT = "desk_seats"
FORM = ["GET", "HEAD", "POST"]


@staff_page(Action.MANAGE_SEATS)
@require_GET
def seats(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Every zone with its seats, those out of use too."""
    zones = list(hub.zones.prefetch_related("seats"))
    return page(request, hub, "seats.html", CURRENT, {"zones": zones})


def _zone_form(request: HttpRequest, hub: Hub, zone: Zone | None) -> HttpResponse:
    status = 200
    if request.method == "POST":
        form = ZoneForm(request.POST)
        status = 422
        if form.is_valid():
            try:
                use.save_zone(hub=hub, code=zone.code if zone else None, **form.cleaned_data)
            except DomainError as error:
                status = add_error(form, error)
            else:
                messages.success(request, _("場所を 保存しました。"))
                return redirect("desk_seats", hub.slug)
    elif zone:
        form = ZoneForm(
            initial={name: getattr(zone, name) for name in ("name", "name_en", "kind", "position")}
        )
    else:
        form = ZoneForm(initial={"position": hub.zones.count()})
    empty = zone is not None and not zone.seats.exists()
    return page(
        request, hub, "zone.html", CURRENT, {"form": form, "zone": zone, "empty": empty}, status=status
    )


@staff_page(Action.MANAGE_SEATS)
@require_http_methods(FORM)
def zone_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    return _zone_form(request, hub, None)


@staff_page(Action.MANAGE_SEATS)
@require_http_methods(FORM)
def zone_edit(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    zone = hub.zones.filter(code=code).first()
    if zone is None:
        raise Http404
    return _zone_form(request, hub, zone)


@staff_page(Action.MANAGE_SEATS)
@require_POST
def zone_delete(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    try:
        use.delete_zone(hub=hub, code=code)
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return refused(request, hub, error, CURRENT, back=reverse("desk_seats", args=[hub.slug]))
    messages.success(request, _("場所を 消しました。"))
    return redirect("desk_seats", hub.slug)


def _seat(hub: Hub, code: str) -> Seat:
    seat = hub.seats.select_related("zone").filter(code=code).first()
    if seat is None:
        raise Http404
    return seat


def _seat_form(request: HttpRequest, hub: Hub, seat: Seat | None) -> HttpResponse:
    status = 200
    if request.method == "POST":
        form = SeatForm(request.POST, hub=hub)
        status = 422
        if form.is_valid():
            try:
                use.save_seat(
                    hub=hub,
                    code=seat.code if seat else None,
                    zone=form.cleaned_data["zone"],
                    data=form.data_of(),
                )
            except DomainError as error:
                status = add_error(form, error)
            else:
                messages.success(request, _("席を 保存しました。"))
                return redirect("desk_seats", hub.slug)
    elif seat:
        form = SeatForm(initial=SeatForm.initial_of(seat), hub=hub)
    else:
        zone = request.GET.get("zone", "")
        form = SeatForm(initial={"has_power": True, "zone": zone}, hub=hub)
    count = len(use.visits_on(seat)) if seat else 0
    return page(
        request, hub, "seat.html", CURRENT, {"form": form, "seat": seat, "visit_count": count}, status=status
    )


@staff_page(Action.MANAGE_SEATS)
@require_http_methods(FORM)
def seat_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    return _seat_form(request, hub, None)


@staff_page(Action.MANAGE_SEATS)
@require_http_methods(FORM)
def seat_edit(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    return _seat_form(request, hub, _seat(hub, code))


@staff_page(Action.MANAGE_SEATS)
@require_http_methods(FORM)
def seat_off(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Put a seat out of use: its visits are shown first, then moved inside the zone, or the list of those that cannot."""
    seat = _seat(hub, code)
    stuck: list[dict[str, object]] = []
    status = 200
    if request.method == "POST":
        try:
            moved = use.deactivate_seat(hub=hub, code=code)
        except SeatInUse as error:
            stuck, status = local_visits(error.visits, hub), error.status
        else:
            text = _("席 %(label)s を 止めました。") % {"label": seat.label}
            if moved:
                text += _("%(count)s件の 予約を 同じ 場所の 席へ 移して、メールで 知らせました。") % {
                    "count": len(moved)
                }
            messages.success(request, text)
            return redirect("desk_seats", hub.slug)
    visits = local_visits(use.visits_on(seat), hub)
    context = {
        "seat": seat,
        "visits": visits,
        "stuck": stuck,
        "back": reverse("desk_seat", args=[hub.slug, code]),
    }
    return page(request, hub, "seat_off.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_SEATS)
@require_POST
def seat_on(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    seat = _seat(hub, code)
    try:
        use.activate_seat(hub=hub, code=code)
    except DomainError as error:
        return refused(request, hub, error, CURRENT, back=reverse("desk_seat", args=[hub.slug, code]))
    messages.success(request, _("席 %(label)s を また 使えます。") % {"label": seat.label})
    return redirect("desk_seats", hub.slug)
