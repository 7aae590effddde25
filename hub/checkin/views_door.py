"""Pages of the door: the scanner, one answer per scan, search by name, visitors, a seat for a walk-in.

Every page works without JavaScript; `door.js` adds the camera and swaps answers in, so that the camera stays warm.
"""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from csp.constants import WASM_UNSAFE_EVAL
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.checkin import door_lists, door_words, services, visitors, walk_in
from hub.checkin import undo as undoing
from hub.checkin.answers import SHOWN, Answer
from hub.checkin.enums import Direction
from hub.checkin.forms import ScanForm, SearchForm, SeatForm, VisitorForm
from hub.checkin.models import Scan
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.access import Action, allowed, hub_for, staff_hub_ids
from hub.spaces.models import Hub

P = ParamSpec("P")
COOKIE = "door_hub"
A_YEAR = 365 * 24 * 3600
SWAP = "X-Door"  # door.js asks with it for the answer itself instead of a redirect
form_page = require_http_methods(["GET", "HEAD", "POST"])


def _me(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


def _doors_of(member: Member) -> list[Hub]:
    """Hubs where this person may scan. Raises 404 for strangers, 403 for other staff."""
    hubs = list(Hub.objects.filter(pk__in=staff_hub_ids(member)).order_by("pk"))
    if not hubs:
        raise Http404
    found = [hub for hub in hubs if allowed(member, Action.SCAN, hub)]
    if not found:
        raise PermissionDenied
    return found


def _here(request: HttpRequest) -> Hub | None:
    """The door's hub: of the address, else remembered by this device, else the only one; None: ask."""
    given = request.GET.get("hub") or request.POST.get("hub")
    if given:
        return hub_for(request.user, given, Action.SCAN)
    hubs = _doors_of(_me(request))
    kept = request.COOKIES.get(COOKIE)
    return next((hub for hub in hubs if hub.slug == kept), hubs[0] if len(hubs) == 1 else None)


def door_page(
    view: Callable[Concatenate[HttpRequest, Hub, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorator of pages of a door: signed in, with the right to scan there; the device remembers the hub."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        hub = _here(request)
        if hub is None:
            return render(
                request, "checkin/door_choose.html", {"hubs": _doors_of(_me(request)), "path": request.path}
            )
        response = view(request, hub, *args, **kwargs)
        if request.COOKIES.get(COOKIE) != hub.slug:
            response.set_cookie(
                COOKIE, hub.slug, max_age=A_YEAR, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
            )  # fmt: skip
        return response

    return inner  # type: ignore[return-value]  # login_required keeps the arguments


def scan_page(
    view: Callable[[HttpRequest, Scan], HttpResponse],
) -> Callable[[HttpRequest, uuid.UUID], HttpResponse]:
    """Decorator of pages about one scan: 404 for everybody but the staff of its hub, 403 without the right."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, scan_id: uuid.UUID) -> HttpResponse:
        row = Scan.objects.select_related(*SHOWN).filter(scan_id=scan_id).first()
        hub_for(request.user, row.hub.slug if row else "", Action.SCAN)
        assert row is not None
        return view(request, row)

    return inner


def _with_camera(response: HttpResponse) -> HttpResponse:
    response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY.replace("camera=()", "camera=(self)")
    return response


def _see_other(path: str) -> HttpResponse:
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


# ---------------------------------------------------------------- the scanner


@csp_update({"script-src": [WASM_UNSAFE_EVAL]})
@door_page
@require_GET
def door(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The scanner: camera, six digits, who is inside, and the other ways of finding somebody."""
    return _scanner(request, hub)


def _scanner(request: HttpRequest, hub: Hub, form: ScanForm | None = None) -> HttpResponse:
    told = request.POST.get("direction") or request.GET.get("dir")
    direction = Direction.OUT if told == Direction.OUT else Direction.IN
    context = {
        "hub": hub, "direction": direction, "form": form or ScanForm(), "scan_id": uuid.uuid4(),
        "counts": door_lists.counts_of(hub), "last": door_lists.newest_undoable(_me(request), hub),
        "here": reverse("door"),
    }  # fmt: skip
    status = 422 if form is not None else 200
    return _with_camera(render(request, "checkin/door.html", context, status=status))


@door_page
@require_GET
def door_counts(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The three numbers alone: fetched anew when somebody comes or goes."""
    return render(request, "checkin/_door_counts.html", {"hub": hub, "counts": door_lists.counts_of(hub)})


@csp_update({"script-src": [WASM_UNSAFE_EVAL]})
@door_page
@require_POST
def door_scan(request: HttpRequest, hub: Hub) -> HttpResponse:
    """One scan. 303 to its answer; a form that makes no sense comes back with its error (422)."""
    form = ScanForm(request.POST)
    if not form.is_valid():
        return _scanner(request, hub, form)
    data = form.cleaned_data
    try:
        answer = services.scan(
            actor=_me(request), hub=hub, scan_id=data["id"], direction=data["direction"], payload=data["payload"],
            code=data["code"], member=data["member"], confirmed=data["confirmed"],
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, str(error.message))
        return _scanner(request, hub, form)
    return _to_answer(request, answer)


def _to_answer(request: HttpRequest, answer: Answer) -> HttpResponse:
    """303 to the page of the answer, or for door.js that page at once: one way over the network instead of two."""
    path = reverse("door_result", args=[answer.scan.scan_id])
    if SWAP not in request.headers:
        return _see_other(path)
    response = _result(request, Answer(_row(answer)))
    response.headers["Content-Location"] = path
    return response


def _row(answer: Answer) -> Scan:
    """The row with everything the page shows."""
    return Scan.objects.select_related(*SHOWN).get(scan_id=answer.scan.scan_id)


def _result(request: HttpRequest, answer: Answer, *, problem: str = "", status: int = 200) -> HttpResponse:
    page = door_words.page_of(answer, _me(request))
    context = {
        "hub": answer.hub, "page": page, "new_id": uuid.uuid4(), "problem": problem,
        "back": f"{reverse('door')}?hub={answer.hub.slug}&dir={answer.scan.direction}",
    }  # fmt: skip
    return render(request, "checkin/door_result.html", context, status=status)


@scan_page
@require_GET
def door_result(request: HttpRequest, row: Scan) -> HttpResponse:
    """The answer to one scan as a full page; reloading shows the same."""
    return _result(request, Answer(row))


@scan_page
@require_POST
def door_undo(request: HttpRequest, row: Scan) -> HttpResponse:
    """Take the scan back; a refusal is said on its page (409)."""
    try:
        answer = undoing.undo(actor=_me(request), hub=row.hub, scan_id=row.scan_id)
    except DomainError as error:
        return _result(request, Answer(row), problem=str(error.message), status=error.status)
    return _to_answer(request, answer)


# ---------------------------------------------------------------- a seat now


@scan_page
@form_page
def door_seat(request: HttpRequest, row: Scan) -> HttpResponse:
    """A seat from now on for whom the door just refused: until when, with the children or without."""
    me, hub = _me(request), row.hub
    try:
        walk_in.refused_scan(me, hub, row.scan_id)
    except DomainError as error:
        return _result(request, Answer(row), problem=str(error.message), status=error.status)
    assert row.member is not None
    form = SeatForm(request.POST if request.method == "POST" else None)
    refusal, status = None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            day = clock.now().astimezone(hub.tz).date()
            try:
                answer = walk_in.give_seat(
                    actor=me, hub=hub, scan_id=row.scan_id, new_scan_id=data["id"], with_children=data["children"],
                    ends_at=local(day, data["until"], hub.tz),
                )  # fmt: skip
            except DomainError as error:
                refusal, status = door_words.refusal_of(error, me), error.status
            else:
                return _to_answer(request, answer)
    seats = walk_in.seats_now(hub, row.member)
    ends = [end.astimezone(hub.tz) for end in seats.ends]
    context = {
        "hub": hub, "scan": row, "member": row.member, "form": form, "seats": seats, "ends": ends, "refusal": refusal,
        "start": seats.start.astimezone(hub.tz), "new_id": uuid.uuid4(),
        "chosen": _chosen(form, ends), "back": reverse("door_result", args=[row.scan_id]),
    }  # fmt: skip
    return render(request, "checkin/door_seat.html", context, status=status)


def _chosen(form: SeatForm, ends: list[datetime]) -> str:
    """The end that is marked: the one that was chosen before, else the longest but one."""
    given = form.data.get("until", "")
    offered = [f"{end:%H:%M}" for end in ends]
    if given in offered:
        return str(given)
    return offered[min(1, len(offered) - 1)] if offered else ""


# ---------------------------------------------------------------- by name, and visitors


@door_page
@require_GET
def door_search(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Somebody without phone and number: found by name, let in or out by a scan of the kind ``name``."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    hits, more = door_lists.hits_of(hub, text)
    context = {
        "hub": hub, "q": text, "hits": [(hit, uuid.uuid4()) for hit in hits], "more": more,
        "too_short": bool(text) and len(text.replace(" ", "")) < door_lists.LEAST_LETTERS,
    }  # fmt: skip
    return render(request, "checkin/door_search.html", context)


@door_page
@form_page
def door_visitor(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Visitors: write a name to let somebody in, and see who of them is inside."""
    form = VisitorForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                presence = visitors.enter_visitor(actor=_me(request), hub=hub, **form.cleaned_data)
            except DomainError as error:
                form.add_error(error.facts.get("field"), str(error.message))
            else:
                messages.success(request, _("%(name)sさんが 入りました。") % {"name": presence.visitor_name})
                return _see_other(f"{reverse('door_visitor')}?hub={hub.slug}")
    context = {"hub": hub, "form": form, "key": uuid.uuid4(), "inside": door_lists.visitors_inside(hub)}
    return render(request, "checkin/door_visitor.html", context, status=status)


@door_page
@require_POST
def door_visitor_leave(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    try:
        presence = visitors.leave_visitor(actor=_me(request), hub=hub, code=code)
    except DomainError:
        raise Http404 from None
    messages.success(request, _("%(name)sさんが 帰りました。") % {"name": presence.visitor_name})
    return _see_other(f"{reverse('door_visitor')}?hub={hub.slug}")


# ---------------------------------------------------------------- installed on a phone


@require_GET
def door_manifest(request: HttpRequest) -> HttpResponse:
    """The door as an app of its own, beside that of the members."""
    name = _("入口")
    manifest = {
        "id": "/door/", "name": f"{settings.PRODUCT_NAME} {name}", "short_name": name, "lang": "ja",
        "start_url": "/door/", "scope": "/door/", "display": "standalone", "orientation": "portrait",
        "background_color": "#16130f", "theme_color": "#16130f",
        "icons": [
            {"src": static("img/touch-icon.png"), "sizes": "180x180", "type": "image/png"},
            {"src": static("img/favicon.svg"), "sizes": "any", "type": "image/svg+xml"},
        ],
    }  # fmt: skip
    text = json.dumps(manifest, ensure_ascii=False)
    return HttpResponse(
        text, content_type="application/manifest+json", headers={"Cache-Control": "max-age=3600"}
    )
