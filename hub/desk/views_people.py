"""People and roles: search, grant, end, block, invite."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.booking import no_show
from hub.booking.blocks import block_member, open_visits, unblock_member
from hub.core.errors import DomainError
from hub.desk.forms import BlockForm, FactorsResetForm, InviteForm, RoleForm, WaiveForm
from hub.desk.pages import add_error, ask, local_visits, me, page
from hub.members.models import Member
from hub.spaces import people
from hub.spaces.access import Action, staff_page
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub, Membership, RoleInvitation

PER_PAGE = 20
CURRENT = "desk_people"


def _person(hub: Hub, code: str) -> Member:
    member = people.person_of(hub, code)
    if member is None:
        raise Http404
    return member


@staff_page(Action.MANAGE_PEOPLE)
@require_GET
def people_list(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Everybody of this hub, twenty a page, with their roles here; open invitations beside."""
    query = request.GET.get("q", "").strip()[:60]
    shown = Paginator(people.people_of(hub, query), PER_PAGE).get_page(request.GET.get("page"))
    roles: dict[int, list[Membership]] = {}
    for row in Membership.objects.filter(hub=hub, member__in=list(shown)).exclude(
        status=MembershipStatus.ENDED
    ):
        roles.setdefault(row.member_id, []).append(row)
    rows = [
        {
            "member": member,
            "roles": [row for row in roles.get(member.pk, []) if row.status == MembershipStatus.ACTIVE],
            "blocked": any(row.status == MembershipStatus.BLOCKED for row in roles.get(member.pk, [])),
        }
        for member in shown
    ]
    context = {
        "page": shown, "rows": rows, "q": query, "query": urlencode({"q": query}) if query else "",
        "invitations": list(people.open_invitations(hub)),
    }  # fmt: skip
    return page(request, hub, "people.html", CURRENT, context)


def _person_page(
    request: HttpRequest, hub: Hub, member: Member, *, role_form: RoleForm | None = None, status: int = 200
) -> HttpResponse:
    rows = list(
        Membership.objects.filter(hub=hub, member=member).select_related("changed_by").order_by("role")
    )
    for row in rows:  # times of change in the hub's zone
        row.changed_at = row.changed_at.astimezone(hub.tz)
    context = {
        "person": member,
        "staff_roles": [row for row in rows if row.role != Role.WORKER],
        "worker": next((row for row in rows if row.role == Role.WORKER), None),
        "visits": local_visits(open_visits(hub, member)[:5], hub),
        "may_reset": people.why_no_reset(actor=me(request), hub=hub, member=member) is None,
        "missed": [
            (visit, visit.starts_at.astimezone(visit.hub.tz), no_show.fades_at(visit))
            for visit in no_show.missed_by(member)
        ],
        "role_form": role_form or RoleForm(),
        "form": role_form,
    }
    return page(request, hub, "person.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_GET
def person(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """One person: roles here with who gave them, next visits, block."""
    return _person_page(request, hub, _person(hub, code))


@staff_page(Action.MANAGE_PEOPLE)
@require_POST
def role_add(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    member = _person(hub, code)
    form = RoleForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            row = people.grant(actor=me(request), hub=hub, member=member, role=form.cleaned_data["role"])
        except DomainError as error:
            status = add_error(form, error)
        else:
            messages.success(
                request,
                _("%(name)sさんに「%(role)s」の 役わりを つけました。")
                % {"name": member, "role": row.get_role_display()},
            )
            return redirect("desk_person", hub.slug, code)
    return _person_page(request, hub, member, role_form=form, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def role_end(request: HttpRequest, hub: Hub, code: str, role: str) -> HttpResponse:
    """A page that asks, then the end of a role."""
    member = _person(hub, code)
    if role not in Role.values:
        raise Http404
    back = reverse("desk_person", args=[hub.slug, code])
    if request.method == "POST":
        try:
            people.end_role(actor=me(request), hub=hub, member=member, role=role)
        except DomainError as error:
            return ask(request, hub, error, CURRENT, title=_("役わりを 終わりに できません"), back=back)
        messages.success(
            request, _("「%(role)s」の 役わりを 終わりに しました。") % {"role": Role(role).label}
        )
        if member == me(request) and role == Role.MANAGER:
            return redirect("today")
        return redirect(back)
    context = {"person": member, "role": Role(role).label, "back": back, "own": member == me(request)}
    return page(request, hub, "role_end.html", CURRENT, context)


@staff_page(Action.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def factors_reset(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Somebody lost her phone and came in person: a page that says what happens, a tick, and her factors are gone."""
    member = _person(hub, code)
    back = reverse("desk_person", args=[hub.slug, code])
    form = FactorsResetForm(request.POST if request.method == "POST" else None)
    refusal = people.why_no_reset(actor=me(request), hub=hub, member=member)
    status = 200
    if request.method == "POST":
        status = refusal.status if refusal else 422
        if refusal is None and form.is_valid():
            try:
                people.reset_factors(actor=me(request), hub=hub, member=member)
            except DomainError as error:
                refusal, status = error, error.status
            else:
                messages.success(
                    request,
                    _("%(name)sさんの かぎを 消しました。メールの 番号で 入れます。") % {"name": member},
                )
                return redirect(back)
    context = {"person": member, "form": form, "refusal": refusal, "back": back}
    return page(request, hub, "factors_reset.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Stop somebody's bookings; her open visits are listed, and ended only when ticked."""
    member = _person(hub, code)
    form = BlockForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                ended = block_member(actor=me(request), hub=hub, member=member, **form.cleaned_data)
            except DomainError as error:
                status = add_error(form, error)
            else:
                text = _("%(name)sさんの 予約を 止めました。") % {"name": member}
                if ended:
                    text += _("%(count)s件の 予約を 中止に しました。") % {"count": len(ended)}
                messages.success(request, text)
                return redirect("desk_person", hub.slug, code)
    context = {
        "person": member, "form": form, "visits": local_visits(open_visits(hub, member), hub),
        "back": reverse("desk_person", args=[hub.slug, code]),
    }  # fmt: skip
    return page(request, hub, "block.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def waive(request: HttpRequest, hub: Hub, code: str, visit: str) -> HttpResponse:
    """A missed visit of this hub that shall not count, with the reason."""
    member = _person(hub, code)
    back = reverse("desk_person", args=[hub.slug, code])
    row = next((one for one in no_show.missed_by(member) if one.code == visit and one.hub == hub), None)
    if row is None:
        raise Http404
    form = WaiveForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                no_show.waive(actor=me(request), hub=hub, code=visit, reason=form.cleaned_data["reason"])
            except DomainError as error:
                status = add_error(form, error)
            else:
                messages.success(request, _("この予約は 数えないことに しました。"))
                return redirect(back)
    context = {"person": member, "form": form, "back": back, "starts": row.starts_at.astimezone(hub.tz)}
    return page(request, hub, "waive.html", CURRENT, context, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_POST
def unblock(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    member = _person(hub, code)
    unblock_member(actor=me(request), hub=hub, member=member)
    messages.success(request, _("%(name)sさんは また 予約できます。") % {"name": member})
    return redirect("desk_person", hub.slug, code)


@staff_page(Action.MANAGE_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, hub: Hub) -> HttpResponse:
    """A staff role by e-mail: at once for a member, otherwise when she signs up."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = form.cleaned_data
            try:
                row = people.invite(actor=me(request), hub=hub, email=data["email"], role=data["role"])
            except DomainError as error:
                status = add_error(form, error)
            else:
                if isinstance(row, RoleInvitation):
                    messages.success(request, _("招待の メールを 送りました。登録すると 役わりが つきます。"))
                    return redirect("desk_people", hub.slug)
                messages.success(request, _("もう 登録している 人です。役わりを つけました。"))
                return redirect("desk_person", hub.slug, row.member.code)
    return page(request, hub, "invite.html", CURRENT, {"form": form}, status=status)


@staff_page(Action.MANAGE_PEOPLE)
@require_POST
def withdraw(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    if not people.withdraw_invitation(hub=hub, code=code):
        raise Http404
    messages.success(request, _("招待を とりけしました。"))
    return redirect("desk_people", hub.slug)
