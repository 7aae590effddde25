"""Children who wait for a look at their papers: approve, return, correct a birthday."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.booking.care_changes import correct_birthday
from hub.childcare.capacity import RatioShort
from hub.childcare.children import decide_child
from hub.childcare.enums import ChildStatus
from hub.childcare.models import CareRoom, Child
from hub.childcare.queries import age_class_in
from hub.childcare.ratio import actual_age, class_age
from hub.core import clock
from hub.core.errors import DomainError
from hub.desk.forms import BirthdayForm, ReturnForm
from hub.desk.pages import add_error, ask, confirmed, me, page
from hub.members.queries import guardians_of
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub

CURRENT = "desk_children"
PER_PAGE = 20
STATES = {"pending": ChildStatus.PENDING, "approved": ChildStatus.APPROVED, "returned": ChildStatus.RETURNED}


def _child(hub: Hub, code: str) -> Child:
    child = (
        Child.objects.filter(hub=hub, code=code)
        .exclude(status__in=(ChildStatus.DRAFT, ChildStatus.ENDED))
        .select_related("household", "decided_by")
        .first()
    )
    if child is None:
        raise Http404
    return child


def _ages(child: Child, day: date, room: CareRoom | None) -> dict[str, int]:
    counted = age_class_in(room, child.birthday, day) if room else class_age(child.birthday, day)
    return {"age_class": counted, "age": actual_age(child.birthday, day)}


@staff_page(Action.DECIDE_CHILD)
@require_GET
def children(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who waits, the oldest request first; those decided under ``?s=approved`` and ``?s=returned``."""
    state = request.GET.get("s", "pending")
    status = STATES.get(state, ChildStatus.PENDING)
    order = ("submitted_at", "pk") if status == ChildStatus.PENDING else ("-decided_at", "-pk")
    rows = Child.objects.filter(hub=hub, status=status).order_by(*order)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    today = clock.today(hub.tz)
    room = CareRoom.objects.filter(hub=hub, is_active=True).first()
    found = [
        {"child": child, "submitted": child.submitted_at.astimezone(hub.tz), **_ages(child, today, room)}
        for child in shown
    ]
    context = {
        "page": shown, "rows": found, "state": status.value,
        "query": f"s={status.value}" if status != ChildStatus.PENDING else "",
    }  # fmt: skip
    return page(request, hub, "children.html", CURRENT, context)


def _child_page(
    request: HttpRequest,
    hub: Hub,
    child: Child,
    *,
    return_form: ReturnForm | None = None,
    birthday_form: BirthdayForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = clock.today(hub.tz)
    room = CareRoom.objects.filter(hub=hub, is_active=True).first()
    context: dict[str, Any] = {
        "child": child,
        "submitted": child.submitted_at.astimezone(hub.tz),
        "decided": child.decided_at.astimezone(hub.tz) if child.decided_at else None,
        "guardians": [row.member for row in guardians_of(child.household)],
        "return_form": return_form or ReturnForm(),
        "birthday_form": birthday_form or BirthdayForm(initial={"birthday": child.birthday}, today=today),
        "form": return_form or birthday_form,
        **_ages(child, today, room),
    }
    return page(request, hub, "child.html", CURRENT, context, status=status)


@staff_page(Action.DECIDE_CHILD)
@require_GET
def child(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """One child: birthday, class now, guardians, and the decision. Health text is not for this page."""
    return _child_page(request, hub, _child(hub, code))


@staff_page(Action.DECIDE_CHILD)
@require_POST
def decide(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """``decision=approve``, or return with a reason."""
    row = _child(hub, code)
    approve = request.POST.get("decision") == "approve"
    form = ReturnForm(request.POST)
    if not approve and not form.is_valid():
        return _child_page(request, hub, row, return_form=form, status=422)
    reason = "" if approve else form.cleaned_data["reason"]
    try:
        decide_child(child=row, by=me(request), approve=approve, reason=reason)
    except DomainError as error:
        back = reverse("desk_children", args=[hub.slug])
        return ask(request, hub, error, CURRENT, title=_("もう 決まっています"), back=back)
    text = (
        _("%(name)sさんを 預かれるように しました。")
        if approve
        else _("%(name)sさんの 登録を もどしました。")
    )
    messages.success(request, text % {"name": row.name} + _("保護者に メールで 知らせます。"))
    return redirect("desk_children", hub.slug)


@staff_page(Action.DECIDE_CHILD)
@require_http_methods(["POST"])
def birthday(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Correct a birthday; booked places are counted anew, and a lack that follows is shown first."""
    row = _child(hub, code)
    form = BirthdayForm(request.POST, today=clock.today(hub.tz))
    if not form.is_valid():
        return _child_page(request, hub, row, birthday_form=form, status=422)
    back = reverse("desk_child", args=[hub.slug, code])
    try:
        ended = correct_birthday(
            actor=me(request), child=row, birthday=form.cleaned_data["birthday"], confirm=confirmed(request)
        )
    except RatioShort as short:
        return ask(request, hub, short, CURRENT, title=_("生年月日を なおしますか"), back=back)
    except DomainError as error:
        return _child_page(request, hub, row, birthday_form=form, status=add_error(form, error))
    text = _("生年月日を なおしました。")
    if ended:
        text += _("%(count)s件の 預かりを 中止に して、保護者に 知らせました。") % {"count": len(ended)}
    messages.success(request, text)
    return redirect(back)
