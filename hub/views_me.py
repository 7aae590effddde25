"""わたし: the page about me, where people, hubs and children meet; and deleting the account."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hub.booking import no_show
from hub.childcare.queries import children_of
from hub.childcare.views_parent import with_classes
from hub.core import sessions
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.leaving import erase_member, why_not
from hub.members.forms import LeaveForm
from hub.members.models import Member
from hub.members.queries import households_with_people
from hub.members.views import me_of
from hub.notices.queries import newest_unread
from hub.spaces.access import holds
from hub.spaces.enums import STAFF_ROLES, MembershipStatus
from hub.spaces.joining import home_of, join_home, open_hubs
from hub.spaces.models import Hub, Membership, Visit
from hub.spaces.staff_frame import NAV, address
from hub.views_welcome import HubForm, home_url
from hub.work.models import Earning

#: After so many bookings わたし offers to put the site on the home screen.
OFFER_APP_AFTER = 2


def staff_url(member: Member, hub: Hub) -> str:
    """The first page of the side list that ``member`` may open at ``hub``; empty if there is none yet."""
    return next((address(name, hub) for name, _w, _i, action in NAV if holds(member, action, hub)), "")


@login_required
@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """Name, home hub, children with their state, household, roles, and the way to everything of mine."""
    member = me_of(request)
    home = home_of(member)
    roles = Membership.objects.filter(member=member, status=MembershipStatus.ACTIVE, role__in=STAFF_ROLES)
    context = {
        "member": member,
        "home": home,
        "children": with_classes(children_of(member)),
        "households": list(households_with_people(member)),
        "roles": [
            (row, staff_url(member, row.hub))
            for row in roles.select_related("hub").order_by("hub_id", "role")
        ],
        "unread": newest_unread(member, 1)[1],
        "shared": sessions.is_shared(request),
        "tab": "me",
        "missed": [
            (one, one.starts_at.astimezone(one.hub.tz), no_show.fades_at(one).astimezone(one.hub.tz))
            for one in no_show.missed_by(member)
        ],
        "offer_app": Visit.objects.filter(member=member)[:OFFER_APP_AFTER].count() == OFFER_APP_AFTER,
    }
    return render(request, "members/me.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def home_hub(request: HttpRequest) -> HttpResponse:
    """Choose another home hub: the one that pages open first. Booking is possible at every hub anyway."""
    member = me_of(request)
    home, hubs = home_of(member), list(open_hubs())
    start = {"hub": home.hub.slug if home else ""}
    form = HubForm(request.POST if request.method == "POST" else None, hubs=hubs, initial=start)
    if request.method == "POST" and form.is_valid():
        hub = next(hub for hub in hubs if hub.slug == form.cleaned_data["hub"])
        run_write(lambda: join_home(member, hub))
        messages.success(request, _("よく使う ハブを 変えました。"))
        return redirect("me")
    return render(request, "members/home_hub.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_delete(request: HttpRequest) -> HttpResponse:
    """What goes, what stays and why; a tick and a button. Refused while bookings stand."""
    member = me_of(request)
    form = LeaveForm(request.POST if request.method == "POST" else None)
    refusal = why_not(member)
    status = 200
    if request.method == "POST":
        status = refusal.status if refusal else 422
        if refusal is None and form.is_valid():
            try:
                erase_member(member)
            except DomainError as error:
                refusal, status = error, error.status
            else:
                language = member.language
                logout(request)
                messages.success(request, _("アカウントを 消しました。ご利用 ありがとうございました。"))
                return redirect(home_url(language))
    context = {
        "form": form, "refusal": refusal, "children": list(children_of(member)),
        "has_pay": Earning.objects.filter(Q(member=member) | Q(director=member)).exists(),
    }  # fmt: skip
    return render(request, "members/account_delete.html", context, status=status)
