"""The children's board on the carers' tablet: the room, one child's sheet, the carers' clock.

Every page carries its hub (`?hub=`), remembered on the device. Carers of that hub only: other staff 403, others 404.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.childcare import absence, attendance, custody
from hub.childcare.adults import Adult, adults_of
from hub.childcare.board import Board, Card, allergy_text, board_of
from hub.childcare.duty import Need, RatioShortNow
from hub.childcare.enums import AttendanceKind, Identified
from hub.childcare.forms import ContactForm, HandOverForm, ReceiveForm
from hub.childcare.models import Attendance, Carer, CareRoom, Custody
from hub.childcare.queries import rooms_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.access import Action, allowed, hub_for, roles_of, staff_hub_ids
from hub.spaces.models import Hub

P = ParamSpec("P")
HUB, ROOM, CARER = "care_hub", "care_room", "care_carer"
A_YEAR = 365 * 24 * 60 * 60


def me(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


# ---------------------------------------------------------------- which hub, which room, who acts


def _hub(request: HttpRequest) -> Hub:
    """The hub of the address, of this device, or the first one where the member is a carer."""
    slug = request.GET.get("hub")
    if slug is not None:
        return hub_for(request.user, slug, Action.CARE_FOR_CHILDREN)
    hubs = list(Hub.objects.filter(pk__in={hub for hub, _role in roles_of(request.user)}).order_by("pk"))
    mine = [hub for hub in hubs if allowed(request.user, Action.CARE_FOR_CHILDREN, hub)]
    if not mine and staff_hub_ids(request.user):
        raise PermissionDenied
    if not mine:
        raise Http404
    return next((hub for hub in mine if hub.slug == request.COOKIES.get(HUB)), mine[0])


def for_carers(
    view: Callable[Concatenate[HttpRequest, Hub, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorator: the page's hub, or 404 / 403; remembered on the device."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        hub = _hub(request)
        answer = view(request, hub, *args, **kwargs)
        _remember(request, answer, HUB, hub.slug)
        return answer

    return inner  # type: ignore[return-value]  # login_required keeps the arguments


def _remember(request: HttpRequest, answer: HttpResponse, name: str, value: str) -> None:
    if request.COOKIES.get(name) != value:
        answer.set_cookie(
            name, value, max_age=A_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )


def _room(request: HttpRequest, hub: Hub) -> CareRoom | None:
    """The room of the address, of this device, or the hub's first; None where a hub has no room."""
    rooms = rooms_of(hub)
    wanted = request.GET.get("room")
    if wanted is not None:
        found = next((room for room in rooms if room.code == wanted), None)
        if found is None:
            raise Http404
        return found
    kept = request.COOKIES.get(ROOM)
    return next((room for room in rooms if room.code == kept), rooms[0] if rooms else None)


def _carers(request: HttpRequest, hub: Hub) -> list[Carer]:
    """Who may be named as acting: the carers at work, the one chosen last on this device first; and oneself."""
    rows = list(Carer.objects.filter(hub=hub, is_active=True).order_by("pk"))
    here = set(
        Attendance.objects.filter(room__hub=hub, ends_at__isnull=True, kind=AttendanceKind.WORK).values_list(
            "carer_id", flat=True
        )
    )
    found = [row for row in rows if row.pk in here or row.member_id == me(request).pk]
    found = found or rows  # nobody has clocked in yet: a child at the door does not wait for that
    last = request.COOKIES.get(CARER)
    return sorted(found, key=lambda row: (row.code != last, row.member_id != me(request).pk))


def _url(name: str, hub: Hub, *args: str, **query: str) -> str:
    return f"{reverse(name, args=args)}?{urlencode({'hub': hub.slug, **query})}"


def _links(hub: Hub) -> dict[str, str]:
    return {
        "board_url": _url("care", hub),
        "staff_url": _url("care_staff", hub),
        "arrivals_url": _url("care_arrivals", hub),
        "cover_url": _url("care_cover", hub),
    }


def _board(request: HttpRequest, hub: Hub, room: CareRoom) -> Board:
    room.hub = hub
    return board_of(room, with_health=allowed(request.user, Action.READ_HEALTH, hub))


# ---------------------------------------------------------------- the board


@for_carers
@require_GET
def board(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The room as it is; the same address answers htmx with the board alone."""
    room = _room(request, hub)
    shown = _board(request, hub, room) if room else None
    context: dict[str, Any] = {
        "hub": hub, "room": room, "rooms": rooms_of(hub), "board": shown, **_links(hub),
        "here_url": _url("care", hub, room=room.code) if room else _url("care", hub),
    }  # fmt: skip
    if request.headers.get("HX-Request") == "true":
        return render(request, "childcare/_board.html", context)
    context["undo"] = _undo_of(hub, shown, request.GET.get("done", ""))
    answer = render(request, "childcare/board.html", context)
    if room is not None:
        _remember(request, answer, ROOM, room.code)
    return answer


def _undo_of(hub: Hub, shown: Board | None, code: str) -> dict[str, Any] | None:
    """What was just done and can be taken back: for ten seconds. ``next`` is the card that comes next."""
    rows = Custody.objects.filter(code=code, room__hub=hub) if code else Custody.objects.none()
    row = rows.select_related("child", "handover__guardian", "handover__pickup_adult").first()
    if row is None:
        return None
    since = (clock.now() - (row.closed_at or row.received_at)).total_seconds()
    if not 0 <= since <= custody.UNDO_SECONDS:
        return None
    if row.handover is None:
        text = _("%(name)sさんを 受け取りました。") % {"name": row.child.name}
    else:
        adult = Adult(row.handover.guardian, row.handover.pickup_adult)
        text = _("%(name)sさんを 渡しました（%(adult)s）。") % {"name": row.child.name, "adult": adult.name}
    following = (shown.coming if row.handover is None else shown.inside) if shown else []
    return {
        "text": text,
        "code": row.code,
        "next": next((f"kid-{card.state}-{card.code}" for card in following), "main"),
        "url": _url("care_undo", hub, row.child.code),
        "seconds": custody.UNDO_SECONDS,
    }


@for_carers
@require_GET
def arrivals(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who is to come, in large rows, those first whose parent has passed the door; and what to do without a booking."""
    room = _room(request, hub)
    shown = _board(request, hub, room) if room else None
    cards = [card for card in shown.coming if not card.is_absent] if shown else []
    cards.sort(key=lambda card: (card.arrived is None, card.starts, card.child.kana))
    context = {"hub": hub, "room": room, "cards": cards, "board": shown, **_links(hub)}
    return render(request, "childcare/board_arrivals.html", context)


@for_carers
@require_GET
def cover(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A page without any name, for a tablet that lies around; board.js shows the same over the board."""
    return render(request, "childcare/board_cover.html", {"hub": hub, **_links(hub)})


# ---------------------------------------------------------------- one child


def _card(request: HttpRequest, hub: Hub, code: str) -> Card:
    """The child's card in whichever room of the hub she is booked or inside. `Http404` when she is on no board today."""
    for room in rooms_of(hub):
        shown = _board(request, hub, room)
        card = next((card for card in shown.cards if card.code == code), None)
        if card is not None:
            return card
    raise Http404


def _sheet(
    request: HttpRequest,
    hub: Hub,
    code: str,
    *,
    status: int = 200,
    refusal: DomainError | None = None,
    need: Need | None = None,
    **forms: Any,
) -> HttpResponse:
    """The sheet of a child as she is now, with the form that came back."""
    card = _card(request, hub, code)
    people = adults_of(card.child.household_id)
    carers = _carers(request, hub)
    mine = next((adult.code for adult in people if adult.guardian == card.parent), "")
    first = {"carer": carers[0].code if carers else ""}
    context = {
        "hub": hub, "card": card, "people": people, "refusal": refusal, "need": need,
        "receive_form": forms.get("receive_form")
        or ReceiveForm(adults=people, carers=carers, initial={"adult": mine, **first}),
        "hand_form": forms.get("hand_form") or HandOverForm(adults=people, carers=carers, initial=first),
        "contact_form": forms.get("contact_form") or ContactForm(),
        "receive_url": _url("care_receive", hub, code), "hand_url": _url("care_hand_over", hub, code),
        "contact_url": _url("care_contact", hub, code), "allergy": _allergy(request, hub, card),
        "note": _note(request, hub, card), **_links(hub),
    }  # fmt: skip
    context["form"] = next((form for form in forms.values() if form is not None), None)
    return render(request, "childcare/board_child.html", context, status=status)


def _allergy(request: HttpRequest, hub: Hub, card: Card) -> str:
    return allergy_text(card.child) if allowed(request.user, Action.READ_HEALTH, hub) else ""


def _note(request: HttpRequest, hub: Hub, card: Card) -> str:
    return card.custody.note if card.custody and allowed(request.user, Action.READ_HEALTH, hub) else ""


@for_carers
@require_GET
def child(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """A child's sheet: what to mind, then the one step that comes next."""
    return _sheet(request, hub, code)


def _refused(request: HttpRequest, hub: Hub, code: str, error: DomainError, **forms: Any) -> HttpResponse:
    """The sheet once more, with the truth: the refusal at its field, or above, or the question to confirm."""
    if error.status in (403, 404) and error.code in (
        "not_a_carer",
        "hub_unknown",
        "child_unknown",
        "custody_unknown",
    ):
        raise PermissionDenied if error.status == 403 else Http404
    if isinstance(error, RatioShortNow):
        return _sheet(request, hub, code, status=409, need=error.facts["need"], **forms)
    field = error.facts.get("field")
    form = next(iter(forms.values()), None)
    if form is not None and field in form.fields:
        form.add_error(field, str(error.message))
        return _sheet(request, hub, code, status=error.status, **forms)
    # The card has moved on (two tablets): its form belongs to a state that is over.
    over = error.code in ("already_in_care", "already_handed_over", "undo_over")
    return _sheet(request, hub, code, status=error.status, refusal=error, **({} if over else forms))


def _done(request: HttpRequest, hub: Hub, row: Custody, carer: str) -> HttpResponse:
    answer = redirect(_url("care", hub, done=row.code))
    answer.status_code = 303
    _remember(request, answer, CARER, carer)
    return answer


@for_carers
@require_POST
def receive(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """受け取る: 303 to the board, 409 with the question when carers are missing, 422 with the fields to put right."""
    card = _card(request, hub, code)
    form = ReceiveForm(request.POST, adults=adults_of(card.child.household_id), carers=_carers(request, hub))
    if not form.is_valid():
        return _sheet(request, hub, code, status=422, receive_form=form)
    data = form.cleaned_data
    try:
        done = custody.receive(
            actor=me(request), hub=hub, child=code, adult=data["adult"], temperature=data["temperature"],
            carer=data["carer"], note=data["note"], confirm=request.POST.get("confirm") == "1",
        )  # fmt: skip
    except DomainError as error:
        return _refused(request, hub, code, error, receive_form=form)
    return _done(request, hub, done.custody, data["carer"])


@for_carers
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """渡す: what was chosen is read out once more (GET), then done (POST, 303 to the board)."""
    card = _card(request, hub, code)
    people = adults_of(card.child.household_id)
    asked = request.POST if request.method == "POST" else request.GET
    form = HandOverForm(asked, adults=people, carers=_carers(request, hub))
    if card.custody is None or card.state != "inside":
        return _sheet(request, hub, code, status=409, refusal=_not_inside(card))
    if not form.is_valid():
        return _sheet(request, hub, code, status=422, hand_form=form)
    data = form.cleaned_data
    if request.method == "POST":
        try:
            row = custody.hand_over(
                actor=me(request), hub=hub, custody=request.POST.get("custody", ""), adult=data["adult"],
                carer=data["carer"], identified_by=data["how"],
            )  # fmt: skip
        except DomainError as error:
            return _refused(request, hub, code, error, hand_form=form)
        return _done(request, hub, row, data["carer"])
    context = {
        "hub": hub, "card": card, "adult": next(one for one in people if one.code == data["adult"]),
        "how": Identified(data["how"]).label, "carer": dict(form.fields["carer"].choices)[data["carer"]],
        "hidden": [("custody", card.custody.code), *[(name, data[name]) for name in ("adult", "how", "carer")]],
        "hand_url": _url("care_hand_over", hub, code), "back": _url("care_child", hub, code), **_links(hub),
    }  # fmt: skip
    return render(request, "childcare/board_hand_over.html", context)


def _not_inside(card: Card) -> DomainError:
    if card.state == "gone" and card.custody is not None:
        return custody.AlreadyHandedOver(card.custody)
    return DomainError("not_inside", _("この子は まだ へやに いません。"))


@for_carers
@require_POST
def contact(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """連絡した: what came of asking after a child who is not here (RULE-12)."""
    _card(request, hub, code)
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _sheet(request, hub, code, status=422, contact_form=form)
    try:
        absence.record_contact(actor=me(request), hub=hub, child=code, **form.cleaned_data)
    except DomainError as error:
        return _refused(request, hub, code, error, contact_form=form)
    messages.success(request, _("連絡を 記録しました。"))
    return _see_other(_url("care", hub))


@for_carers
@require_POST
def undo(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """取り消す: the last tap taken back by new rows."""
    try:
        row = custody.undo(actor=me(request), hub=hub, custody=request.POST.get("custody", ""))
    except DomainError as error:
        return _refused(request, hub, code, error)
    name = row.child.name
    messages.success(
        request,
        (
            _("%(name)sさんの 受け取りを 取り消しました。")
            if row.closed_at
            else _("%(name)sさんは へやに います。")
        )
        % {"name": name},
    )
    return _see_other(_url("care", hub))


def _see_other(url: str) -> HttpResponse:
    answer = redirect(url)
    answer.status_code = 303
    return answer


# ---------------------------------------------------------------- the carers' clock


def _staff(
    request: HttpRequest, hub: Hub, *, status: int = 200, refusal: DomainError | None = None, **asked: Any
) -> HttpResponse:
    rows = list(Carer.objects.filter(hub=hub, is_active=True).order_by("pk"))
    open_rows = Attendance.objects.filter(room__hub=hub, ends_at__isnull=True).select_related("room")
    known = {row.carer_id: row for row in open_rows}
    people = [
        {
            "carer": row, "row": known.get(row.pk), "url": _url("care_clock", hub, row.code),
            "since": known[row.pk].starts_at.astimezone(hub.tz) if row.pk in known else None,
        }
        for row in rows
    ]  # fmt: skip
    context = {
        "hub": hub,
        "room": _room(request, hub),
        "people": people,
        "refusal": refusal,
        **_links(hub),
        **asked,
    }
    return render(request, "childcare/board_staff.html", context, status=status)


@for_carers
@require_GET
def staff(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who is at work and who is on a break, with the buttons to change it."""
    return _staff(request, hub)


@for_carers
@require_POST
def clock_carer(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """来た, 休けい, もどった, 帰る of one carer; 409 with the question when the children inside need her."""
    what, confirm = request.POST.get("what", ""), request.POST.get("confirm") == "1"
    room = _room(request, hub)
    if room is None or what not in ("in", "break", "back", "out"):
        raise Http404
    call: dict[str, Any] = {"actor": me(request), "hub": hub, "carer": code}
    try:
        if what == "in":
            attendance.clock_in(**call, room=room)
        elif what == "back":
            attendance.end_break(**call)
        elif what == "break":
            attendance.start_break(**call, confirm=confirm)
        else:
            attendance.clock_out(**call, confirm=confirm)
    except RatioShortNow as short:
        carer = Carer.objects.get(hub=hub, code=code)
        return _staff(
            request, hub, status=409, need=short.facts["need"], asked=carer, what=what,
            asked_url=_url("care_clock", hub, code),
        )  # fmt: skip
    except DomainError as error:
        if error.status == 404:
            raise Http404 from None
        return _staff(request, hub, status=error.status, refusal=error)
    return _see_other(_url("care_staff", hub))
