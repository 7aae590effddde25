"""A client's file: choosing it, what is wrong with its rows, the director's yes, and how far it is."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core.errors import DomainError
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub
from hub.work import imports, queries
from hub.work.enums import ImportState
from hub.work.forms import FileForm
from hub.work.models import Order, UnitImport
from hub.work.views import FORM, me, order_page, page, put_error, refused

ERRORS_A_PAGE = 50


@order_page
@require_http_methods(FORM)
def import_new(request: HttpRequest, hub: Hub, order: Order) -> HttpResponse:
    """Choose a file. It is read by itself; nothing is kept before the director says so."""
    status = 200
    if request.method == "POST":
        form, status = FileForm(request.POST, request.FILES), 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                source = imports.upload(
                    actor=me(request), hub=hub, order_code=order.code, name=file.name, size=file.size,
                    pieces=file.chunks,
                )  # fmt: skip
            except DomainError as error:
                status = put_error(form, error)
            else:
                return redirect("desk_import", hub.slug, source.code)
    else:
        form = FileForm()
    back = reverse("desk_order", args=[hub.slug, order.code])
    missing = order.unit_count - order.units_kept
    context = {"order": order, "form": form, "back": back, "missing": missing}
    return page(request, hub, "work/import_new.html", context, status=status)


def _import(hub: Hub, code: str) -> UnitImport:
    source = queries.import_of(hub, code)
    if source is None:
        raise Http404
    return source


@staff_page(Action.DIRECT_WORK)
@require_GET
def import_page(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Where a file is: read, waiting for the yes, kept, or why not. Row errors fifty a page, by row and column."""
    source = _import(hub, code)
    errors = Paginator(source.errors.all(), ERRORS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "source": source, "order": source.order, "page": errors, "states": ImportState,
        "running": source.state in (ImportState.CHECKING, ImportState.KEEPING),
        "hidden_errors": source.rows_bad > imports.MOST_ERRORS,
        "can_stop": source.state in (ImportState.CHECKING, ImportState.CHECKED),
    }  # fmt: skip
    return page(request, hub, "work/import.html", context)


@staff_page(Action.DIRECT_WORK)
@require_POST
def import_keep(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Take the good rows."""
    source = _import(hub, code)
    try:
        imports.keep(hub=hub, code=source.code)
    except DomainError as error:
        return refused(request, hub, error, reverse("desk_import", args=[hub.slug, code]))
    return redirect("desk_import", hub.slug, code)


@staff_page(Action.DIRECT_WORK)
@require_POST
def import_stop(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Let the file go."""
    source = _import(hub, code)
    try:
        imports.stop(hub=hub, code=source.code)
    except DomainError as error:
        return refused(request, hub, error, reverse("desk_import", args=[hub.slug, code]))
    messages.success(request, _("この ファイルは 取りこみません。"))
    return redirect("desk_import", hub.slug, code)
