"""Care rooms: scheme, licence, floor, hours."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.booking.roster import save_room
from hub.childcare.capacity import RatioShort
from hub.childcare.models import CareRoom, CareRule
from hub.core.errors import DomainError
from hub.desk.forms import RoomForm
from hub.desk.pages import add_error, ask, confirmed, page
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub

CURRENT = "desk_roster"
FORM = ["GET", "HEAD", "POST"]


def _room_form(request: HttpRequest, hub: Hub, room: CareRoom | None) -> HttpResponse:
    back = reverse("desk_roster", args=[hub.slug])
    status = 200
    if request.method == "POST":
        form = RoomForm(request.POST)
        status = 422
        if form.is_valid():
            try:
                save_room(
                    hub=hub, code=room.code if room else None, data=form.data_of(), confirm=confirmed(request)
                )
            except RatioShort as short:
                return ask(request, hub, short, CURRENT, title=_("へやを 変えますか"), back=back)
            except DomainError as error:
                if error.code == "no_rule":
                    error = DomainError(
                        "no_rule",
                        _("この しくみと きまりの 組み合わせは、まだ 使えません。"),
                        409,
                        field="scheme",
                    )
                status = add_error(form, error)
            else:
                messages.success(request, _("へやを 保存しました。"))
                return redirect(back)
    elif room:
        form = RoomForm(initial=RoomForm.initial_of(room))
    else:
        initial: dict[str, Any] = {
            "is_active": True,
            "youngest": 0,
            "oldest": 5,
            "main_from": "08:00",
            "main_to": "19:00",
            "fever_limit": "37.5",
        }
        form = RoomForm(initial=initial)
    rules = (
        CareRule.objects.filter(scheme=room.scheme, table=room.table).order_by("-valid_from")
        if room
        else None
    )
    return page(
        request,
        hub,
        "room.html",
        CURRENT,
        {"form": form, "room": room, "rules": rules, "back": back},
        status=status,
    )


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def room_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    return _room_form(request, hub, None)


@staff_page(Action.MANAGE_ROSTER)
@require_http_methods(FORM)
def room_edit(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    room = CareRoom.objects.filter(hub=hub, code=code).first()
    if room is None:
        raise Http404
    return _room_form(request, hub, room)
