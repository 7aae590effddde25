"""The pass: what a member shows at the door, and her answer when she forgot to show it on the way out."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from hub.booking.views import me_of, see_other
from hub.checkin import showing
from hub.checkin.models import Presence
from hub.checkin.showing import Shown
from hub.checkin.told import left_already
from hub.core import clock
from hub.core.errors import DomainError
from hub.spaces.joining import open_hubs

#: Session key: the presence whose person said 「まだ います」, and until when she is not asked again (epoch seconds).
STILL = "still_inside"
STILL_SECONDS = 30 * 60


@login_required
@require_GET
def pass_page(request: HttpRequest) -> HttpResponse:
    """`/pass/`: where she is inside, else today's nearest visit, else her hub's pass; ``?hub=`` another hub's."""
    me, slug = me_of(request), request.GET.get("hub", "")
    if not slug:
        return _page(request, showing.nearest(me))
    hub = open_hubs().filter(slug=slug).first()
    if hub is None:
        raise Http404
    return _page(request, showing.of_hub(me, hub))


@login_required
def pass_visit(request: HttpRequest, code: str) -> HttpResponse:
    """The pass of one visit of one's own; anybody else's is not there."""
    shown = showing.of_visit(me_of(request), code)
    if shown is None:
        raise Http404
    return _page(request, shown)


@require_GET  # only here: strangers get 404 whatever they ask
def _page(request: HttpRequest, shown: Shown | None) -> HttpResponse:
    others = (
        [hub for hub in open_hubs() if shown and hub.pk != shown.hub.pk] if shown and not shown.card else []
    )
    context = {"p": shown, "card": shown.card if shown else None, "others": others, "me": request.user}
    is_part = bool(request.htmx)  # type: ignore[attr-defined]  # HtmxMiddleware
    response = render(request, "checkin/pass.html#pass" if is_part else "checkin/pass.html", context)
    patch_vary_headers(response, ("HX-Request",))
    if shown is not None and shown.row is not None:
        response.headers["X-Keep"] = str(
            shown.seconds_left
        )  # the service worker keeps a copy so long (sw.js)
    return response


def _own(request: HttpRequest, code: str) -> Presence:
    presence = Presence.objects.select_related("visit").filter(code=code, member=me_of(request)).first()
    if presence is None:
        raise Http404
    return presence


@login_required
@require_POST
def presence_left(request: HttpRequest, code: str) -> HttpResponse:
    """「はい、帰りました」: at the visit's end, or (``when=now``) just now."""
    presence, at = _own(request, code), clock.now()
    if request.POST.get("when") != "now" and presence.visit is not None:
        at = max(presence.visit.ends_at, presence.entered_at)
    try:
        left_already(member=me_of(request), presence_code=code, at=at)
    except DomainError as error:
        sentence = str(error.message)
        if error.code == "children_inside":
            sentence = (
                _("%(name)sさんは まだ こどものへやに います。お迎えの あとに 答えてください。") % error.facts
            )
        messages.warning(request, sentence)
    else:
        messages.success(request, _("帰ったことを 記録しました。おつかれさまでした。"))
    return see_other(reverse("today"))


@login_required
@require_POST
def presence_still(request: HttpRequest, code: str) -> HttpResponse:
    """「まだ います」: not asked again for half an hour on this phone."""
    _own(request, code)
    request.session[STILL] = [code, clock.now().timestamp() + STILL_SECONDS]
    messages.success(request, _("わかりました。帰るときに 入口で QR を 見せてください。"))
    return see_other(reverse("today"))


def says_still_inside(request: HttpRequest, presence: Presence) -> bool:
    """Whether she answered 「まだ います」 a moment ago."""
    code, until = request.session.get(STILL, ("", 0))
    return bool(code == presence.code and until > clock.now().timestamp())
