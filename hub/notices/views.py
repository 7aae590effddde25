"""お知らせ: everything that I was told, and how I want to be told."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import sessions
from hub.core.errors import DomainError
from hub.members.views import me_of
from hub.notices import devices, queries, services, topics, vapid
from hub.notices.forms import NotifyForm
from hub.notices.models import PushSubscription
from hub.notices.presenters import rows_of
from hub.notices.quiet import ZONE

PER_PAGE = 20


@login_required
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Everything that I was told, twenty a page. What this page showed as new is read from then on."""
    shown = Paginator(queries.notices_of(me_of(request)), PER_PAGE).get_page(request.GET.get("page"))
    found = list(shown)
    page = render(request, "notices/notices.html", {"page": shown, "rows": rows_of(found), "tab": "me"})
    services.mark_read(found)
    return page


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notify(request: HttpRequest) -> HttpResponse:
    """Per kind of notice: by mail, on the phone, both or neither."""
    me = me_of(request)
    wishes = queries.choices_of(me, topics.kinds())
    form = NotifyForm(request.POST if request.method == "POST" else None, wishes=wishes)
    if request.method == "POST" and form.is_valid():
        services.choose(me, form.wishes())
        messages.success(request, _("受け取りかたを 変えました。"))
        return redirect("notify")
    context = {
        "form": form,
        "member": me,
        "tab": "me",
        "push_key": vapid.public_key(),
        "shared": sessions.is_shared(request),
        "devices": [(row, _seen(row)) for row in devices.devices_of(me)],
    }
    return render(request, "notices/notify.html", context)


def _seen(row: PushSubscription) -> date:
    """The day on which this browser was last reached, or added."""
    return (row.last_ok_at or row.created_at).astimezone(ZONE).date()


@login_required
@require_POST
def push_subscribe(request: HttpRequest) -> HttpResponse:
    """Called by js/push.js: this browser takes notices (``renew=1``: still does), or no longer (``off=1``).

    Answers 409 with our key when it has to subscribe anew, and with a sentence otherwise.
    """
    me = me_of(request)
    endpoint, p256dh, auth, key = (
        request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth", "key")
    )
    if request.POST.get("off"):
        devices.leave(me, endpoint)
        return JsonResponse({})
    renews = bool(request.POST.get("renew"))
    try:
        if sessions.is_shared(request):
            raise DomainError("shared_device", _("みんなで 使う 端末では 受け取れません。"), 403)
        row = devices.subscribe(
            me, endpoint=endpoint, p256dh=p256dh, auth=auth, key=key, renews=renews,
            user_agent=request.headers.get("User-Agent", ""),
        )  # fmt: skip
    except DomainError as error:
        body = {"code": error.code, "message": str(error.message)}
        if error.code == "anew":
            body["key"] = vapid.public_key()
        return JsonResponse(body, status=error.status)
    if sessions.by_a_person(request):
        messages.success(request, _("この端末で 受け取ります。"))
    return JsonResponse({"device": row.device})


@login_required
@require_POST
def push_remove(request: HttpRequest, code: str) -> HttpResponse:
    """Send no more to one of my devices, for example one that was lost."""
    if not devices.switch_off(me_of(request), code):
        raise Http404
    messages.success(request, _("その端末には もう 送りません。"))
    return redirect("notify")
