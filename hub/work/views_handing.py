"""配る: the director's board of one order, sharing out, asking chosen people, opening first-come claims."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.spaces.models import Hub
from hub.work import board, handing, room, share_words
from hub.work.enums import Level
from hub.work.forms_handing import LINE, LinesForm, ShareForm
from hub.work.models import HandOut, Order
from hub.work.views import FORM, me, order_page, page, put_error, refused
from hub.work.yields import yield_of

PER_PAGE = 50
MOST_KEY = 64


def _back(hub: Hub, order: Order) -> str:
    return reverse("desk_hand", args=[hub.slug, order.code])


def _board(request: HttpRequest, hub: Hub, order: Order, form: ShareForm | None, status: int) -> HttpResponse:
    """The board: everything is read anew, so a form that came back stands beside the numbers of now."""
    lots = board.lots_of(order)
    why_not: DomainError | None = None
    due = None
    try:
        handing.check_order(order)
        due = room.due_of(order)
    except DomainError as error:
        why_not = error
    shown = Paginator(board.assignments_of(order), PER_PAGE).get_page(request.GET.get("page"))
    for one in shown:
        one.sentence = share_words.sentence(one.how, one.explanation)  # type: ignore[attr-defined]  # for the template
        one.due_at = one.due_at.astimezone(hub.tz)
        one.answer_by = one.answer_by.astimezone(hub.tz) if one.answer_by else None
    can = [(row.lot.number, row.free) for row in lots if row.is_open and row.free] if why_not is None else []
    context = {
        "order": order, "lots": lots, "due": due, "why_not": why_not, "page": shown, "people": board.progress_of(order),
        "form": (form or ShareForm(lots=can)) if can else None, "can": can,
        "gain": yield_of(order) if why_not is None else None, "most": handing.MOST_PER_CLAIM,
        "back": reverse("desk_order", args=[hub.slug, order.code]),
    }  # fmt: skip
    return page(request, hub, "work/hand.html", context, status=status)


@order_page
@require_GET
def hand(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """One order: its lots and where their units stand, who is how far, what can be handed out."""
    return _board(request, hub, order, None, 200)


WHY_CHANGED = gettext_lazy("案と ちがう 数に するときに 書きます。本人には 見せません。")
WHY_ABOVE = gettext_lazy("レベルより 上の 人に 頼むときに 書きます。本人には 見せません。")


@order_page
@require_http_methods(FORM)
def share(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """How a lot would be shared out, with numbers that can be changed; a POST offers it to the people."""
    sent = request.method == "POST"
    lots = [(row.lot.number, row.free) for row in board.lots_of(order)]
    wish = ShareForm(request.POST if sent else request.GET, lots=lots)
    if not wish.is_valid():
        return _board(request, hub, order, wish, 422)
    asked = wish.cleaned_data
    number, cap = asked["lot"], asked["cap"]
    try:
        found = handing.propose(
            hub=hub, order_code=order.code, lot_number=number, units=asked["units"], cap=cap
        )
    except DomainError as error:
        return refused(request, hub, error, _back(hub, order))
    people = [(row.share.code, row.person.member.name) for row in found.rows]
    form, status = LinesForm(people=people, why=WHY_CHANGED, counts=found.lines), 200
    if sent:
        form, status = LinesForm(request.POST, people=people, why=WHY_CHANGED), 422
        if form.is_valid():
            try:
                made = handing.hand_out(
                    actor=me(request), hub=hub, order_code=order.code, lot_number=number,
                    units=asked["units"] or found.total, cap=cap, lines=form.lines, reason=form.cleaned_data["reason"],
                    seen=request.POST.get("seen", ""), key=key_of(request),
                )  # fmt: skip
            except DomainError as error:
                if error.code in ("proposal_changed", "units_gone"):  # new numbers, not the old ones again
                    form = LinesForm({LINE + code: n for code, n in found.lines.items()}, people=people, why=WHY_CHANGED)  # fmt: skip
                    form.is_valid()
                status = put_error(form, error)
            else:
                return _done(request, hub, order, made)
    rows = [
        (row, form[LINE + row.share.code], share_words.sentence("allocated", row.share.facts()))
        for row in found.rows
    ]
    context = {
        "order": order, "found": found, "form": form, "rows": rows, "units": asked["units"] or found.total, "cap": cap,
        "key": new_code(), "back": _back(hub, order), "gain": yield_of(order), "needed": _needed(order, found.lot),
    }  # fmt: skip
    return page(request, hub, "work/share.html", context, status=status)


def _needed(order: Order, lot: Any) -> str:
    return str(Level(room.level_for(order, lot)).label)


def key_of(request: HttpRequest) -> str | None:
    return request.POST.get("key", "")[:MOST_KEY] or None


def _done(request: HttpRequest, hub: Hub, order: Order, made: HandOut) -> HttpResponse:
    people = made.assignments.count()
    words = ngettext(
        "%(people)s人に %(units)s件を 頼みました。48時間の うちに 返事が きます。",
        "%(people)s人に %(units)s件を 頼みました。48時間の うちに 返事が きます。",
        people,
    )
    messages.success(request, words % {"people": people, "units": f"{made.unit_count:,}"})
    return redirect(_back(hub, order))


@order_page
@require_http_methods(FORM)
def invite(request: HttpRequest, hub: Hub, order: Order, number: int) -> HttpResponse:
    """Ask chosen people for so many units each, also above their level, with a reason."""
    try:
        lot = handing.open_lot(order, number)
        due = room.due_of(order)
    except DomainError as error:
        return refused(request, hub, error, _back(hub, order))
    needed = room.level_for(order, lot)
    people = room.people_of(order)
    named = [(person.member.code, person.member.name) for person in people]
    form, status = LinesForm(people=named, why=WHY_ABOVE), 200
    if request.method == "POST":
        form, status = LinesForm(request.POST, people=named, why=WHY_ABOVE), 422
        if form.is_valid():
            try:
                made = handing.invite(
                    actor=me(request), hub=hub, order_code=order.code, lot_number=number, lines=form.lines,
                    reason=form.cleaned_data["reason"], key=key_of(request),
                )  # fmt: skip
            except DomainError as error:
                status = put_error(form, error)
            else:
                return _done(request, hub, order, made)
    rows = [
        (
            person, Level(person.level).label, form[LINE + person.member.code],
            share_words.level_remark(person.level, needed) if person.level < needed else "",
        )
        for person in people
    ]  # fmt: skip
    context = {
        "order": order, "lot": lot, "due": due, "form": form, "rows": rows, "free": handing.free_of(lot),
        "key": new_code(), "back": _back(hub, order), "needed": Level(needed).label,
    }  # fmt: skip
    return page(request, hub, "work/invite.html", context, status=status)


@order_page
@require_POST
def claims(request: HttpRequest, hub: Hub, order: Order, number: int) -> HttpResponse:
    """Open first-come claims of a lot, or close them (0)."""
    typed = request.POST.get("most", "")
    try:
        handing.set_claims(
            actor=me(request), hub=hub, order_code=order.code, lot_number=number,
            most_per_claim=int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else -1,
        )  # fmt: skip
    except DomainError as error:
        return refused(request, hub, error, _back(hub, order))
    opened = typed.lstrip("0") != ""
    messages.success(
        request, _("自分で とれるように しました。") if opened else _("自分で とれないように しました。")
    )
    return redirect(_back(hub, order))
