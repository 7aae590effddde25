"""しはらい, ハブの お金, お金の 分けかた: the desk's pages about yen; and a worker's own pages about her pay."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces.access import Action, staff_page
from hub.spaces.joining import home_of
from hub.spaces.models import Hub
from hub.work import ledger, orders, pdf, rates, statements, tables
from hub.work.enums import DeliveryState, OrderState
from hub.work.forms_money import (
    LineForm,
    PaidForm,
    PriceForm,
    ProfileForm,
    RatesForm,
    month_in,
)
from hub.work.models import Delivery, Earning, Order, PayProfile, Statement, WorkRates
from hub.work.views import FORM, PER_PAGE, me, order_page, page, put_error, refused

PAY, LEDGER, RATES = "desk_pay", "desk_ledger", "desk_rates"


def _at_month(name: str, hub: Hub, month: date) -> str:
    return f"{reverse(name, args=[hub.slug])}?{urlencode({'m': f'{month:%Y-%m}'})}"


# ---------------------------------------------------------------- paying, at the desk


def _pay_page(
    request: HttpRequest, hub: Hub, month: date, form: forms.Form, status: int = 200
) -> HttpResponse:
    today = clock.today(hub.tz)
    rows = list(Statement.objects.filter(hub=hub, month=month).order_by("number"))
    newest = statements.newest_month(today)
    context = {
        "month": month, "rows": rows, "months": statements.months_of(hub), "form": form, "today": today,
        "overdue": statements.overdue(hub, today), "newest": newest, "made_from": statements.made_from(month),
        "can_make": month <= newest, "unpaid": sum(1 for row in rows if row.paid_on is None),
        "totals": {
            name: sum(getattr(row, f"{name}_yen") for row in rows) for name in ("work", "director", "withholding", "net")
        },
        "previous": statements.month_before(month), "next": statements.next_month(month),
        "chosen": request.POST.getlist("statement"),
    }  # fmt: skip
    return page(request, hub, "work/pay_desk.html", context, current=PAY, status=status)


@staff_page(Action.PAY_WORK)
@require_GET
def desk_pay(request: HttpRequest, hub: Hub) -> HttpResponse:
    """What is late, the statements of a month with their totals, and all months."""
    today = clock.today(hub.tz)
    month = month_in(request.GET.get("m"), statements.newest_month(today))
    return _pay_page(request, hub, month, PaidForm(initial={"paid_on": today}))


@staff_page(Action.PAY_WORK)
@require_POST
def desk_pay_make(request: HttpRequest, hub: Hub) -> HttpResponse:
    month = month_in(request.POST.get("m"), statements.newest_month(clock.today(hub.tz)))
    back = _at_month(PAY, hub, month)
    try:
        made = statements.make_statements(hub, month)
    except DomainError as error:
        return refused(request, hub, error, back)
    if made:
        messages.success(request, _("明細を %(n)s枚 作りました。") % {"n": len(made)})
    else:
        messages.info(request, _("新しく 作る 明細は ありません。"))
    return redirect(back)


@staff_page(Action.PAY_WORK)
@require_POST
def desk_pay_paid(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Note the day on which the chosen statements were paid."""
    month = month_in(request.POST.get("m"), statements.newest_month(clock.today(hub.tz)))
    form, codes = PaidForm(request.POST), request.POST.getlist("statement")
    if form.is_valid():
        if not codes:
            form.add_error(None, _("はらった 明細を えらんでください"))
            return _pay_page(request, hub, month, form, 422)
        try:
            n = statements.mark_paid(
                actor=me(request), hub=hub, codes=codes, paid_on=form.cleaned_data["paid_on"]
            )
        except DomainError as error:
            return _pay_page(request, hub, month, form, put_error(form, error))
        messages.success(request, _("%(n)s枚を「はらいました」に しました。") % {"n": n})
        return redirect(_at_month(PAY, hub, month))
    return _pay_page(request, hub, month, form, 422)


@staff_page(Action.PAY_WORK)
@require_POST
def desk_pay_undo(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """A slip of the hand: this statement is unpaid again."""
    try:
        statements.unmark_paid(actor=me(request), hub=hub, code=code)
    except DomainError as error:
        return refused(request, hub, error, reverse(PAY, args=[hub.slug]))
    messages.success(request, _("「まだ」に もどしました。"))
    return redirect(_at_month(PAY, hub, Statement.objects.get(hub=hub, code=code).month))


def _csv(request: HttpRequest, hub: Hub, name: str) -> HttpResponse:
    month = month_in(request.GET.get("m"), statements.newest_month(clock.today(hub.tz)))
    body = (tables.statements_csv if name == "statements" else tables.orders_csv)(hub, month)
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{hub.slug}-{month:%Y-%m}.csv"'
    return response


@staff_page(Action.PAY_WORK)
@require_GET
def desk_pay_csv(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The month's statements for accounting."""
    return _csv(request, hub, "statements")


@staff_page(Action.PAY_WORK)
@require_GET
def desk_pay_orders_csv(request: HttpRequest, hub: Hub) -> HttpResponse:
    """What each order brought in the month, for accounting."""
    return _csv(request, hub, "orders")


# ---------------------------------------------------------------- percents, prices, the hub's month


@staff_page(Action.SEE_LEDGER)
@require_http_methods(FORM)
def desk_rates(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who gets how much, by date; a new row from a day on."""
    today, status = clock.today(hub.tz), 200
    rows = list(WorkRates.objects.filter(hub=hub).select_related("entered_by").order_by("-valid_from"))
    current = next((row for row in rows if row.valid_from <= today), None)
    if request.method == "POST":
        form, status = RatesForm(request.POST), 422
        if form.is_valid():
            try:
                rates.add_rates(
                    actor=me(request),
                    hub=hub,
                    valid_from=form.cleaned_data["valid_from"],
                    data=form.data_of(),
                )
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("分けかたを 保存しました。"))
                return redirect(RATES, hub.slug)
    else:
        start: dict[str, Any] = {}
        if current:
            start = {name: f"{getattr(current, name) / 100:.1f}" for name in RatesForm.PARTS}
            start |= {"reference_wage_yen": current.reference_wage_yen, "source": current.source}
        form = RatesForm(initial=start)
    shown = [
        {
            "row": row, "parts": [f"{getattr(row, name) / 100:.1f}" for name in RatesForm.PARTS],
            "is_current": row is current, "is_future": row.valid_from > today,
        }
        for row in rows
    ]  # fmt: skip
    return page(request, hub, "work/rates.html", {"rows": shown, "form": form}, current=RATES, status=status)


@order_page
@require_http_methods(FORM)
def desk_price(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """Raise the price of an accepted order from now on."""
    back, status = reverse("desk_order", args=[hub.slug, order.code]), 200
    if order.state != OrderState.ACCEPTED:
        error = DomainError("order_open", _("まだ 受けていない 受注は、条件を なおしてください。"), 409)
        return refused(request, hub, error, back)
    if request.method == "POST":
        form, status = PriceForm(request.POST), 422
        if form.is_valid():
            try:
                orders.raise_price(actor=me(request), hub=hub, code=order.code, **form.cleaned_data)
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("1件の 金額を 上げました。"))
                return redirect(back)
    else:
        form = PriceForm()
    context = {"order": order, "form": form, "back": back, "rates": list(order.rates.order_by("number"))}
    return page(request, hub, "work/price.html", context, status=status)


@staff_page(Action.SEE_LEDGER)
@require_http_methods(FORM)
def desk_ledger(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A month of the hub: what the work brought, costs, and how much ordered work would carry it."""
    this = statements.month_of(clock.today(hub.tz))
    month = month_in(request.POST.get("m") or request.GET.get("m"), this)
    status = 200
    if request.method == "POST":
        form, status = LineForm(request.POST), 422
        if form.is_valid():
            try:
                ledger.add_line(actor=me(request), hub=hub, month=month, **form.cleaned_data)
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("行を たしました。"))
                return redirect(_at_month(LEDGER, hub, month))
    else:
        form = LineForm()
    found = ledger.month_of_hub(hub, month)
    needed = found.needed
    context = {
        "found": found, "month": month, "form": form, "previous": statements.month_before(month),
        "next": statements.next_month(month), "is_future": month > this, "is_now": month == this,
        "share": f"{found.share / 100:.1f}" if found.share is not None else "",
        "here": min(found.parts["price_yen"], needed) if needed else 0,
        "missing": max(needed - found.parts["price_yen"], 0) if needed else 0,
    }  # fmt: skip
    return page(request, hub, "work/ledger.html", context, current=LEDGER, status=status)


@staff_page(Action.SEE_LEDGER)
@require_POST
def desk_ledger_remove(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    try:
        line = ledger.remove_line(hub=hub, code=code)
    except DomainError as error:
        return refused(request, hub, error, reverse(LEDGER, args=[hub.slug]))
    messages.success(request, _("行を 消しました。"))
    return redirect(_at_month(LEDGER, hub, line.month))


# ---------------------------------------------------------------- a worker's own pay


@login_required
@require_GET
def pay(request: HttpRequest) -> HttpResponse:
    """This month so far, and every statement with its day of payment."""
    member = me(request)
    home = home_of(member)
    today = clock.today(home.hub.tz) if home else clock.now().date()
    month = statements.month_of(today)
    mine = Earning.objects.filter(member=member, received_on__gte=month)
    directed = Earning.objects.filter(director=member, received_on__gte=month)
    unstated = Earning.objects.filter(member=member, statement=None).exclude(received_on__gte=month)
    waiting = Delivery.objects.filter(notice__assignment__member=member, state=DeliveryState.SENT)
    shown = Paginator(
        Statement.objects.filter(member=member).order_by("-month", "hub_name", "-number"), PER_PAGE
    ).get_page(request.GET.get("page"))
    context = {
        "month": month, "page": shown,
        "so_far": mine.aggregate(n=Count("pk"), yen=Sum("worker_yen")),
        "directed": directed.aggregate(yen=Sum("director_yen"))["yen"] or 0,
        "before": unstated.aggregate(n=Count("pk"), yen=Sum("worker_yen")),
        "waiting": waiting.count(), "year": today.year, "tab": "jobs",
    }  # fmt: skip
    return render(request, "work/pay.html", context)


def _mine(request: HttpRequest, code: str) -> Statement:
    found = Statement.objects.select_related("hub").filter(member=me(request), code=code).first()
    if found is None:
        raise Http404
    return found


def _statement_context(statement: Statement) -> dict[str, Any]:
    worked, directed = statements.lines_of(statement)
    return {
        "statement": statement, "worked": worked, "directed": directed, "hub": statement.hub,
        "gross": statement.work_yen + statement.director_yen,
        "over": statement.withheld_from_yen > 1_000_000,
        "made_on": statement.made_at.astimezone(statement.hub.tz).date(),
    }  # fmt: skip


@login_required
def pay_statement(request: HttpRequest, code: str) -> HttpResponse:
    """One statement: its lines, how the tax was worked out, and when it is paid. Not hers: 404, whatever is asked."""
    return _show_statement(request, _mine(request, code))


@require_GET
def _show_statement(request: HttpRequest, statement: Statement) -> HttpResponse:
    context = _statement_context(statement) | {"can_pdf": pdf.available(), "tab": "jobs"}
    return render(request, "work/pay_statement.html", context)


@login_required
def pay_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """The same as PDF; without WeasyPrint or Pango the way back says that printing is possible."""
    return _send_pdf(request, _mine(request, code))


@require_GET
def _send_pdf(request: HttpRequest, statement: Statement) -> HttpResponse:
    if not pdf.available():
        messages.info(request, _("この ハブでは PDFを 作れません。ページを 印刷してください。"))
        return redirect("pay_statement", statement.code)
    body = pdf.render(render_to_string("work/statement_pdf.html", _statement_context(statement), request))
    response = HttpResponse(body, content_type="application/pdf")
    name = f"statement-{statement.month:%Y-%m}-{statement.number}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_http_methods(FORM)
def pay_profile(request: HttpRequest) -> HttpResponse:
    """The registration number, and whether time may be measured. Neither changes what she gets."""
    member, status = me(request), 200
    known = PayProfile.objects.filter(member=member).first()
    if request.method == "POST":
        form, status = ProfileForm(request.POST), 422
        if form.is_valid():
            values = form.cleaned_data | {"changed_at": clock.now()}
            run_write(lambda: PayProfile.objects.update_or_create(member=member, defaults=values))
            messages.success(request, _("保存しました。"))
            return redirect("pay")
    else:
        form = ProfileForm(
            initial={
                "registration_number": known.registration_number if known else "",
                "shares_time": known.shares_time if known else False,
            }
        )
    return render(request, "work/pay_profile.html", {"form": form, "tab": "jobs"}, status=status)


@login_required
@require_GET
def pay_year(request: HttpRequest) -> HttpResponse:
    """What was paid in a calendar year, by hub."""
    member = me(request)
    home = home_of(member)
    this = (clock.today(home.hub.tz) if home else clock.now().date()).year
    text = request.GET.get("y", "")
    year = int(text) if text.isascii() and text.isdigit() and 2000 <= int(text) <= 2100 else this
    rows = statements.year_of(member, year)
    total = {name: sum(row[name] for row in rows) for name in ("n", "work", "director", "tax", "net")}
    context = {
        "year": year,
        "rows": rows,
        "total": total,
        "previous": year - 1,
        "next": year + 1,
        "tab": "jobs",
    }
    return render(request, "work/pay_year.html", context)
