"""Pages of guardians about their children. Everybody else gets 404 (design 1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hub.childcare import children as services
from hub.childcare.enums import ChildStatus
from hub.childcare.forms import ChildForm
from hub.childcare.models import Child
from hub.childcare.queries import children_of
from hub.childcare.ratio import class_age
from hub.core import clock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.members.queries import guardians_of, household_for
from hub.spaces.joining import home_of, open_hubs

form_page = require_http_methods(["GET", "HEAD", "POST"])

#: How a state looks on the page: kind of the tag and its icon; the word is the state's own.
LOOK = {
    ChildStatus.DRAFT: ("warn", "pencil"),
    ChildStatus.PENDING: ("primary", "clock"),
    ChildStatus.APPROVED: ("ok", "check"),
    ChildStatus.RETURNED: ("warn", "alert"),
    ChildStatus.ENDED: ("", ""),
}


@dataclass(frozen=True)
class Row:
    """A child as a list shows it, with the age class of today at her hub."""

    child: Child
    age_class: int
    kind: str
    icon: str
    is_school_age: bool


def with_classes(found: Iterable[Child]) -> list[Row]:
    """Children with class and state, ready for a list."""
    rows = []
    listed = list(found)
    prefetch_related_objects(listed, "hub")
    for child in listed:
        age_class = class_age(child.birthday, clock.today(child.hub.tz))
        kind, icon = LOOK[ChildStatus(child.status)]
        rows.append(Row(child, age_class, kind, icon, age_class >= 6))
    return rows


def _me(request: HttpRequest) -> Member:
    assert isinstance(request.user, Member)
    return request.user


@login_required
@require_GET
def children(request: HttpRequest) -> HttpResponse:
    """My household's children: class, state, and why one was returned."""
    return render(request, "childcare/child_list.html", {"children": with_classes(children_of(_me(request)))})


@login_required
@form_page
def child_add(request: HttpRequest) -> HttpResponse:
    """Register a child: name, birthday, what to take care of."""
    member = _me(request)
    home = home_of(member)
    hubs = list(open_hubs())
    if home is not None and home.hub in hubs:
        hubs.sort(key=lambda hub: hub.pk != home.hub.pk)
    if not hubs:
        raise Http404
    today = clock.today(hubs[0].tz)
    form = ChildForm(
        request.POST if request.method == "POST" else None,
        today=today,
        hubs=hubs,
        initial={"hub": hubs[0].slug},
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        hub = next((hub for hub in hubs if hub.slug == data.get("hub", hubs[0].slug)), hubs[0])
        try:
            child = services.register_child(
                guardian=member,
                hub=hub,
                name=data["name"],
                kana=data["kana"],
                birthday=data["birthday"],
                allergy=data["allergy"],
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
            status = error.status
        else:
            messages.success(
                request, _("%(name)sさんを 登録しました。ハブが 確認します。") % {"name": child.name}
            )
            return redirect("children")
    return render(request, "childcare/child_add.html", {"form": form}, status=status)


@login_required
@form_page
def child_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Correct a child. The birthday is fixed once a place was booked: then the hub corrects it."""
    child = services.child_for(_me(request), code)
    fixed = services.has_places(child)
    start: dict[str, Any] = {
        "name": child.name,
        "kana": child.kana,
        "birthday": child.birthday,
        "allergy": child.allergy,
        "consent": bool(child.allergy_sealed),
    }
    form = ChildForm(
        request.POST if request.method == "POST" else None,
        today=clock.today(child.hub.tz),
        birthday_fixed=fixed,
        initial=start,
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            after = services.update_child(
                child,
                name=data["name"],
                kana=data["kana"],
                allergy=data["allergy"],
                birthday=data.get("birthday"),
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
            status = error.status
        else:
            again = after.status == ChildStatus.PENDING and child.status != ChildStatus.PENDING
            said = _("直しました。ハブが もう一度 確認します。") if again else _("直しました。")
            messages.success(request, said)
            return redirect("children")
    row = with_classes([child])[0]
    return render(
        request, "childcare/child_edit.html", {"form": form, "row": row, "fixed": fixed}, status=status
    )


@login_required
@form_page
def household_leave(request: HttpRequest, code: str) -> HttpResponse:
    """Stop being a guardian of a household; asked once more before."""
    member = _me(request)
    household = household_for(member, code)
    if household is None:
        raise Http404
    refusal: DomainError | None = None
    if request.method == "POST":
        try:
            services.leave_household(household, member=member)
        except DomainError as error:
            refusal = error
        else:
            messages.success(request, _("家族から ぬけました。"))
            return redirect("me")
    context = {
        "household": household,
        "children": list(household.children.exclude(status=ChildStatus.ENDED).order_by("birthday", "pk")),
        "others": [row.member for row in guardians_of(household) if row.member_id != member.pk],
        "refusal": refusal,
    }
    return render(
        request, "childcare/child_household_leave.html", context, status=refusal.status if refusal else 200
    )
