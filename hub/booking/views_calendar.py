"""Calendar feeds: the address that a program asks, and the pages on which it is made and taken back."""

import hashlib

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hub.booking import feeds
from hub.booking.forms_calendar import FeedForm
from hub.booking.models import CalendarFeed
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.members.views import form_page, me_of, prove_anew
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub
from hub.spaces.staff_frame import frame


@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar behind a secret address; no session is looked at. 304 where nothing has changed (RFC 9110 13)."""
    feed = feeds.feed_of(secret)
    if feed is None:
        raise Http404
    body = feeds.render(feed)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        body, content_type="text/calendar; charset=utf-8"
    )
    told = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Content-Disposition": 'inline; filename="hidamari.ics"',
    }
    for name, value in told.items():
        response.headers[name] = value
    return response


def _page(
    request: HttpRequest, hub: Hub | None, form: FeedForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    me = me_of(request)
    layout = {"layout": "base_desk.html", **frame(me, hub, "desk_seats")} if hub else {"layout": "base.html"}
    context = layout | {
        "feeds": feeds.feeds_of(me, hub), "form": form, "hub": hub,
        "address": settings.SITE_URL.rstrip("/") + reverse("calendar_feed", args=[secret]) if secret else "",
    }  # fmt: skip
    answer = render(request, "booking/calendars.html", context, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(request: HttpRequest, hub: Hub | None) -> HttpResponse:
    form = FeedForm(request.POST if request.method == "POST" else None, hub=hub)
    if request.method != "POST":
        return _page(request, hub, form)
    if not settings.HIDAMARI_DEMO:
        prove_anew(request)  # a phone that is signed in and found shall give no lasting key away
    if not form.is_valid():
        return _page(request, hub, form, status=422)
    data = form.cleaned_data
    try:
        _feed, secret = feeds.new_feed(
            me_of(request), data["label"], with_details=data["with_details"], hub=hub, seat=data.get("seat")
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return _page(request, hub, form, status=error.status)
    return _page(request, hub, FeedForm(hub=hub), secret=secret)


@login_required
@form_page
def calendars(request: HttpRequest) -> HttpResponse:
    """My own visits for my calendar program. The address is shown in the answer that makes it and never again."""
    return _answer(request, None)


@staff_page(Action.MANAGE_SEATS)
@form_page
def desk_calendars(request: HttpRequest, hub: Hub) -> HttpResponse:
    """The seats of a hub, or one of them, for a manager's calendar program."""
    return _answer(request, hub)


@login_required
@require_POST
def calendar_revoke(request: HttpRequest, code: str) -> HttpResponse:
    """End one of my own feeds."""
    feed = _own(me_of(request), code)
    if not feeds.revoke(feed.member, code):
        raise Http404
    messages.success(request, _("アドレスを とめました。"))
    return redirect("desk_calendars", feed.hub.slug) if feed.hub else redirect("calendars")


@login_required
@require_POST
def calendar_renew(request: HttpRequest, code: str) -> HttpResponse:
    """Give one of my own feeds a new address; the old one is dead at once."""
    if not settings.HIDAMARI_DEMO:
        prove_anew(request)
    feed = _own(me_of(request), code)
    renewed = feeds.renew(feed.member, code)
    if renewed is None:
        raise Http404
    return _page(request, feed.hub, FeedForm(hub=feed.hub), secret=renewed[1])


def _own(me: Member, code: str) -> CalendarFeed:
    feed = (
        CalendarFeed.objects.select_related("hub", "member")
        .filter(member=me, code=code, revoked_at=None)
        .first()
    )
    if feed is None:
        raise Http404
    return feed
