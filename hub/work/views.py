"""しごと配り: the director's pages of clients, orders, lots and terms."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import clock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.access import Action, allowed, staff_page
from hub.spaces.models import Hub
from hub.spaces.staff_frame import frame
from hub.work import orders, queries, terms
from hub.work.enums import LIVE_IMPORTS, OrderState
from hub.work.forms import ClientForm, LotForm, NdaForm, OrderForm, TermsForm
from hub.work.material import open_unit
from hub.work.models import Client, ControlItem, Order, OrderTerms, Unit

P = ParamSpec("P")
PER_PAGE = 20
FILES_SHOWN = 10
ORDERS, CLIENTS = "desk_work", "desk_clients"
FORM = ["GET", "HEAD", "POST"]


def me(request: HttpRequest) -> Member:
    """The signed-in member (every page here asks for the right first)."""
    assert isinstance(request.user, Member)
    return request.user


def page(
    request: HttpRequest,
    hub: Hub,
    template: str,
    context: dict[str, Any],
    *,
    current: str = ORDERS,
    status: int = 200,
) -> HttpResponse:
    """Render a page of work in the frame of the desk."""
    return render(request, template, frame(me(request), hub, current) | context, status=status)


def refused(request: HttpRequest, hub: Hub, error: DomainError, back: str) -> HttpResponse:
    """A refusal as a page with its sentence and a way back; what is not here is a 404."""
    if error.status == 404:
        raise Http404
    context = {"title": str(error.message), "error": error, "back": back}
    return page(request, hub, "desk/confirm_change.html", context, status=error.status)


def put_error(form: forms.Form, error: DomainError) -> int:
    """A refusal at its field if it names one, else above the form. Returns the status; what is not here is a 404."""
    if error.status == 404:
        raise Http404
    field = error.facts.get("field")
    form.add_error(field if field in form.fields else None, str(error.message))
    return error.status


def order_page(
    view: Callable[Concatenate[HttpRequest, Hub, Order, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, str, str, P], HttpResponse]:
    """Decorator of pages of one order: the address's hub and code become the two, or 404 / 403."""

    @staff_page(Action.DIRECT_WORK)  # type: ignore[arg-type]  # wraps keeps the arguments of the view
    @wraps(view)
    def inner(request: HttpRequest, hub: Hub, code: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        order = queries.order_of(hub, code)
        if order is None:
            raise Http404
        return view(request, hub, order, *args, **kwargs)

    return inner  # type: ignore[return-value]  # staff_page turns the hub into its slug


# ---------------------------------------------------------------- clients


@staff_page(Action.DIRECT_WORK)
@require_GET
def clients(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Every client of this hub, twenty a page."""
    shown = Paginator(queries.clients_of(hub), PER_PAGE).get_page(request.GET.get("page"))
    return page(request, hub, "work/clients.html", {"page": shown}, current=CLIENTS)


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def client_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    form, status = ClientForm(request.POST or None), 200
    if request.method == "POST":
        form, status = ClientForm(request.POST), 422
        if form.is_valid():
            try:
                made = orders.save_client(hub=hub, code=None, data=form.data_of())
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("クライアントを 保存しました。"))
                return redirect("desk_client", hub.slug, made.code)
    context = {
        "title": _("クライアントを たす"), "form": form, "action": _("保存する"),
        "back": reverse("desk_clients", args=[hub.slug]),
    }  # fmt: skip
    return page(request, hub, "desk/form.html", context, current=CLIENTS, status=status)


def _client(hub: Hub, code: str) -> Client:
    try:
        return orders.find_client(hub, code)
    except DomainError:
        raise Http404 from None


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def client(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """One client: contact, and the versions of what was promised about secrets."""
    found, status = _client(hub, code), 200
    if request.method == "POST":
        form, status = ClientForm(request.POST), 422
        if form.is_valid():
            try:
                orders.save_client(hub=hub, code=code, data=form.data_of())
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("クライアントを 保存しました。"))
                return redirect("desk_client", hub.slug, code)
    else:
        form = ClientForm(
            initial={name: getattr(found, name) for name in ("name", "contact_name", "email", "phone")}
        )
    today = clock.today(hub.tz)
    context = {
        "client": found, "form": form, "ndas": list(found.ndas.all()), "valid": orders.nda_on(found, today),
        "orders": list(queries.orders_of(hub).filter(client=found)[:PER_PAGE]),
    }  # fmt: skip
    return page(request, hub, "work/client.html", context, current=CLIENTS, status=status)


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def nda_new(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """A new version of the promise about secrets."""
    found, status = _client(hub, code), 200
    if request.method == "POST":
        form, status = NdaForm(request.POST), 422
        if form.is_valid():
            orders.add_nda(hub=hub, client_code=code, **form.cleaned_data)
            messages.success(request, _("秘密の 約束を 保存しました。"))
            return redirect("desk_client", hub.slug, code)
    else:
        newest = found.ndas.first()
        form = NdaForm(initial={"starts_on": clock.today(hub.tz), "text": newest.text if newest else ""})
    context = {
        "title": _("秘密の 約束の 新しい版"), "form": form, "action": _("新しい版を 保存する"),
        "back": reverse("desk_client", args=[hub.slug, code]),
    }  # fmt: skip
    return page(request, hub, "desk/form.html", context, current=CLIENTS, status=status)


# ---------------------------------------------------------------- orders


@staff_page(Action.DIRECT_WORK)
@require_GET
def order_list(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Every order of this hub, twenty a page, those that are due first."""
    shown = Paginator(queries.orders_of(hub), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": shown, "today": clock.today(hub.tz),
        "has_client": bool(shown) or Client.objects.filter(hub=hub).exists(),
    }  # fmt: skip
    return page(request, hub, "work/orders.html", context)


def _order_form(request: HttpRequest, hub: Hub, order: Order | None) -> HttpResponse:
    status = 200
    if request.method == "POST":
        form, status = OrderForm(request.POST, hub=hub), 422
        if form.is_valid():
            try:
                saved = orders.save_order(
                    hub=hub, code=order.code if order else None, client_code=form.cleaned_data["client"],
                    data=form.data_of(),
                )  # fmt: skip
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("受注を 保存しました。"))
                return redirect("desk_order", hub.slug, saved.code)
    elif order:
        form = OrderForm(initial=OrderForm.initial_of(order), hub=hub)
    else:
        form = OrderForm(initial={"client": request.GET.get("client", "")}, hub=hub)
    back = (
        reverse("desk_order", args=[hub.slug, order.code]) if order else reverse("desk_work", args=[hub.slug])
    )
    title = _("受注を 変える") if order else _("受注を たす")
    context = {"title": title, "form": form, "action": _("保存する"), "back": back}
    return page(request, hub, "desk/form.html", context, status=status)


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def order_new(request: HttpRequest, hub: Hub) -> HttpResponse:
    if not Client.objects.filter(hub=hub).exists():
        messages.info(request, _("はじめに クライアントを たしてください。"))
        return redirect("desk_client_new", hub.slug)
    return _order_form(request, hub, None)


@order_page
@require_http_methods(FORM)
def order_edit(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    if order.state != OrderState.DRAFT:
        error = DomainError("order_accepted", _("相談中の 受注だけ 変えられます。"), 409)
        return refused(request, hub, error, reverse("desk_order", args=[hub.slug, order.code]))
    return _order_form(request, hub, order)


@order_page
@require_GET
def order(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """One order: what it is, its lots, the files it came from, and what can be done next."""
    files = list(order.imports.all()[:FILES_SHOWN])
    for file in files:
        file.created_at = file.created_at.astimezone(hub.tz)
    lots = queries.lots_of(order)
    terms_row = OrderTerms.objects.filter(order=order).select_related("order__hub").first()
    context = {
        "order": order, "lots": lots, "files": files, "missing": order.unit_count - order.units_kept,
        "live": next((file for file in files if file.state in LIVE_IMPORTS), None),
        "terms": terms_row, "is_draft": order.state == OrderState.DRAFT,
        "is_withdrawn": order.state == OrderState.WITHDRAWN,
        "is_late": order.state != OrderState.WITHDRAWN and order.deadline < clock.today(hub.tz),
        "minutes": timedelta(minutes=order.minutes_per_unit * order.unit_count),
    }  # fmt: skip
    return page(request, hub, "work/order.html", context)


@order_page
@require_http_methods(FORM)
def order_lots(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """Split a lot in two; ``join`` makes one of all."""
    lots, status = queries.lots_of(order), 200
    back = reverse("desk_order", args=[hub.slug, order.code])
    if "join" in request.POST:
        try:
            orders.join_lots(hub=hub, order_code=order.code)
        except DomainError as error:
            return refused(request, hub, error, back)
        messages.success(request, _("まとまりを 1つに しました。"))
        return redirect("desk_order_lots", hub.slug, order.code)
    if request.method == "POST":
        form, status = LotForm(request.POST, lots=lots), 422
        if form.is_valid():
            try:
                orders.split_lot(
                    hub=hub, order_code=order.code, number=form.cleaned_data["lot"],
                    first=form.cleaned_data["first"], gate_percent=form.cleaned_data["gate_percent"],
                )  # fmt: skip
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("まとまりを 分けました。"))
                return redirect("desk_order_lots", hub.slug, order.code)
    else:
        form = LotForm(initial={"lot": lots[-1]["number"], "gate_percent": 90}, lots=lots)
    can_change = (
        order.state == OrderState.DRAFT and not order.units_kept and queries.live_import(order) is None
    )
    context = {"order": order, "lots": lots, "form": form, "back": back, "can_change": can_change}
    return page(request, hub, "work/lots.html", context, status=status)


@order_page
@require_http_methods(FORM)
def order_accept(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """The last look before an order is taken: from then on its terms stay as they are."""
    back, status = reverse("desk_order", args=[hub.slug, order.code]), 200
    no_rates = may_set_rates = False
    if order.state != OrderState.DRAFT:
        error = DomainError("order_accepted", _("相談中の 受注だけ 受けられます。"), 409)
        return refused(request, hub, error, back)
    if request.method == "POST":
        form, status = TermsForm(request.POST), 422
        if form.is_valid():
            try:
                orders.accept_order(actor=me(request), hub=hub, code=order.code, data=form.data_of())
            except DomainError as error:
                status = put_error(form, error)
                no_rates = error.code == "no_rates"
                may_set_rates = no_rates and allowed(me(request), Action.SEE_LEDGER, hub)
            else:
                messages.success(request, _("受注を 受けました。条件を 書類に しました。"))
                return redirect(back)
    else:
        form = TermsForm(initial={"ordered_on": clock.today(hub.tz), "pay_method": _("銀行ふりこみ")})
    context = {
        "order": order,
        "form": form,
        "back": back,
        "no_rates": no_rates,
        "may_set_rates": may_set_rates,
    }
    return page(request, hub, "work/accept.html", context, status=status)


@order_page
@require_POST
def order_withdraw(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    try:
        orders.withdraw_order(hub=hub, code=order.code)
    except DomainError as error:
        return refused(request, hub, error, reverse("desk_order", args=[hub.slug, order.code]))
    messages.success(request, _("受注を やめました。"))
    return redirect("desk_work", hub.slug)


@order_page
@require_GET
def order_terms(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """The agreed terms as a file. Its name holds the order's code, nothing of the client."""
    found = OrderTerms.objects.filter(order=order).select_related("order__hub").first()
    if found is None:
        raise Http404
    response = HttpResponse(terms.document(found), content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="terms-{order.code}.txt"'
    return response


@order_page
@require_GET
def unit(request: HttpRequest, hub: Hub, order: Order, number: int) -> HttpResponse:
    """One unit as it came, to see that the file was read rightly. Confidential work does not open here."""
    back = reverse("desk_order", args=[hub.slug, order.code])
    found = Unit.objects.filter(order=order, number=number).select_related("lot").first()
    if found is None:
        raise Http404
    found.order = order
    try:
        material = open_unit(actor=me(request), unit=found)
    except DomainError as error:
        return refused(request, hub, error, back)
    control = ControlItem.objects.filter(unit=found).first()
    context = {
        "order": order, "unit": found, "material": material, "back": back, "answer": control.answer if control else "",
    }  # fmt: skip
    return page(request, hub, "work/unit.html", context)
