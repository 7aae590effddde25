"""The worker's pages of doing: an assignment, one unit to a page, what she types, questions, the appeal."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.core.errors import DomainError
from hub.core.templatetags.hidamari import jtime
from hub.members.models import Member
from hub.members.views import me_of
from hub.work import doing, material, review, units
from hub.work.enums import LEASED, AssignmentState, UnitState
from hub.work.forms_doing import AppealForm, AskForm, UnitForm
from hub.work.models import Assignment, Delivery, Draft
from hub.work.units import UnitPage
from hub.work.views import FORM, put_error

PER_PAGE = 50


# ---------------------------------------------------------------- an assignment


@login_required
def assignment(request: HttpRequest, code: str) -> HttpResponse:
    """How far she is, what it brought, what comes next, and every unit of it. A stranger gets 404 whatever is asked."""
    found = units.assignment_of(me_of(request), code)
    if found is None:
        raise Http404
    return _assignment(request, found)


@require_safe
def _assignment(request: HttpRequest, found: Assignment) -> HttpResponse:
    order = found.lot.order
    page = Paginator(units.units_of(found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "assignment": found, "order": order, "hub": order.hub, "progress": units.progress_of(found), "page": page,
        "next": units.next_unit(found), "due": found.due_at.astimezone(order.hub.tz), "tab": "jobs",
        "words": {state.value: state.label for state in UnitState},
        "is_open": found.state == AssignmentState.ACCEPTED,
    }  # fmt: skip
    return render(request, "jobs/assignment.html", context)


# ---------------------------------------------------------------- one unit


def _page(request: HttpRequest, code: str) -> UnitPage:
    try:
        return units.page_of(me_of(request), code)
    except DomainError as error:
        raise Http404 from error


@login_required
@require_http_methods(FORM)
def unit(request: HttpRequest, code: str) -> HttpResponse:
    """One unit: what is to be done, the field, what was said about it. POST sends it in and opens the next one."""
    found = _page(request, code)
    if request.method == "POST":
        return _send(request, found)
    if found.can_write and request.method == "GET":
        doing.begin(member=me_of(request), unit_code=code)
    return _show(request, found)


def _typed(request: HttpRequest) -> dict[str, str]:
    post = request.POST
    return {"text": post.get("text", ""), "since": post.get("since", ""), "tried": post.get("tried", "")}


def _send(request: HttpRequest, found: UnitPage) -> HttpResponse:
    me, code = me_of(request), found.unit.code
    try:
        delivery = doing.send_in(member=me, unit_code=code, **_typed(request))
    except DomainError as error:
        return _not_taken(request, code, error)
    taken = delivery.notice.assignment
    messages.success(request, _("送りました。確認を 待っています。"))
    following = units.next_unit(taken)
    if following is not None:
        return redirect("job_unit", following.code)
    return redirect("job_assignment", taken.code)


def _not_taken(request: HttpRequest, code: str, error: DomainError) -> HttpResponse:
    """Why the text was not sent in or kept, with the text itself still in the field."""
    found = _page(request, code)  # as it stands now
    form = UnitForm(request.POST, code=code)
    form.is_valid()
    if error.status == 409 and not found.can_write:  # no field any more: her words are shown, to be copied
        typed = doing.lines_as_kept(request.POST.get("text", ""))
        if error.code == "draft_newer":
            sentence = _(
                "この しごとは もう 書けません。下の「この画面の 文」は 保存していません。いるときは うつしてください。"
            )
            error = DomainError("not_kept", sentence, 409)
        return _show(request, found, error=error, typed="" if typed == found.text else typed, status=409)
    if error.code == "draft_newer":
        return _show(request, found, form=form, error=error, stored=found.draft, status=409)
    if not form.errors:
        put_error(form, error)
    return _show(request, found, form=form, status=error.status)


def _show(
    request: HttpRequest,
    found: UnitPage,
    *,
    form: UnitForm | None = None,
    ask_form: AskForm | None = None,
    appeal_form: AppealForm | None = None,
    error: DomainError | None = None,
    stored: Draft | None = None,
    typed: str = "",
    status: int = 200,
) -> HttpResponse:
    unit, tz = found.unit, found.unit.order.hub.tz
    content = None
    if found.holds:
        try:
            content = material.open_unit(actor=request.user, unit=unit)
        except DomainError as refusal:
            if refusal.status == 404:
                raise Http404 from refusal
            context = {"error": refusal, "page": found, "tab": "jobs"}
            return render(request, "jobs/unit_closed.html", context, status=refusal.status)

    def here(moment: datetime | None) -> datetime | None:
        return moment.astimezone(tz) if moment else None

    context = {
        "page": found, "unit": unit, "order": unit.order, "hub": unit.order.hub, "material": content,
        "form": form or UnitForm(initial={"text": found.text}, code=unit.code),
        "ask_form": ask_form or AskForm(), "appeal_form": appeal_form or AppealForm(),
        "wrong": next((one for one in (form, ask_form, appeal_form) if one and one.errors), None),
        "error": error, "stored": stored, "typed": typed, "due": here(found.due), "appeal_until": here(found.appeal_until),
        "saved_at": here(found.draft.saved_at if found.stamp and found.draft else None),
        "silent_on": here(found.last.delivery.accepted_by_silence_at if found.last else None),
        "is_gone": found.stands == units.GONE, "tab": "jobs",
    }  # fmt: skip
    return render(request, "jobs/unit.html", context, status=status)


@login_required
@require_POST
def draft(request: HttpRequest, code: str) -> HttpResponse:
    """Keep what she typed: by itself while she types (htmx), or by 保存する."""
    me, by_itself = me_of(request), bool(request.htmx)  # type: ignore[attr-defined]  # HtmxMiddleware
    try:
        kept = doing.save_draft(member=me, unit_code=code, **_typed(request))
    except DomainError as error:
        if error.status == 404:
            raise Http404 from error
        if by_itself:
            context = {"error": error, "since": request.POST.get("since", ""), "code": code}
            return render(request, "jobs/_saved.html", context, status=error.status)
        return _not_taken(request, code, error)
    at = kept.saved_at.astimezone(kept.unit.order.hub.tz)
    if by_itself:
        context = {
            "saved_at": at, "since": doing.stamp_of(kept), "code": code, "is_gone": not _in_hand(me, code)
        }  # fmt: skip
        return render(request, "jobs/_saved.html", context)
    messages.success(request, _("%(at)sに 保存しました。") % {"at": jtime(at)})
    return redirect("job_unit", code)


def _in_hand(member: Member, code: str) -> bool:
    held = Assignment.objects.filter(
        member=member, accepted_at__isnull=False, leases__unit__code=code, leases__unit__state__in=LEASED
    )
    return held.exists()


# ---------------------------------------------------------------- asking, and asking to look again


@login_required
@require_POST
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """A question to the director about this unit."""
    found = _page(request, code)
    form = AskForm(request.POST)
    if form.is_valid():
        try:
            doing.ask(member=me_of(request), unit_code=code, text=form.cleaned_data["question"])
        except DomainError as error:
            put_error(form, error)
        else:
            messages.success(request, _("質問を 送りました。答えは ここで 読めます。"))
            return redirect(f"{reverse('job_unit', args=[code])}#questions")
    return _show(request, found, ask_form=form, status=422)


@login_required
@require_POST
def appeal(request: HttpRequest, code: str) -> HttpResponse:
    """Ask the named person to look at a rejected unit again."""
    me = me_of(request)
    own = Delivery.objects.filter(code=code, notice__assignment__member=me)
    unit_code = own.values_list("unit__code", flat=True).first()
    if unit_code is None:
        raise Http404
    form = AppealForm(request.POST)
    if form.is_valid():
        try:
            review.appeal(member=me, code=code, text=form.cleaned_data["appeal"])
        except DomainError as error:
            if error.status == 409:
                return _show(request, _page(request, unit_code), error=error, status=409)
            put_error(form, error)
        else:
            messages.success(request, _("見なおしを たのみました。"))
            return redirect("job_unit", unit_code)
    return _show(request, _page(request, unit_code), appeal_form=form, status=422)
