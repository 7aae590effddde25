"""しごと: the worker's pages. Offers to answer, work in hand, what can be taken, her hours."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import clock
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.members.views import me_of
from hub.spaces.models import Hub
from hub.work import handing, jobs, notice, rates
from hub.work.enums import AssignmentState
from hub.work.forms_handing import CountForm, HoursForm
from hub.work.models import Assignment, WorkNotice
from hub.work.views import FORM, put_error
from hub.work.views_handing import key_of


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    if error.status == 404:
        raise Http404
    return render(request, "jobs/refused.html", {"error": error, "tab": "jobs"}, status=error.status)


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """しごと: everything of hers on one page."""
    return render(request, "jobs/jobs.html", _context(request) | {"tab": "jobs"})


def _context(request: HttpRequest, wrong: tuple[Hub, HoursForm] | None = None) -> dict[str, object]:
    found = jobs.jobs_of(me_of(request))
    places = [
        (hub, levels, wrong[1] if wrong and wrong[0] == hub else _hours(hub, minutes), minutes)
        for hub, minutes, levels in found.places
    ]
    return {"jobs": found, "places": places, "form": wrong[1] if wrong else None}


def _hours(hub: Hub, minutes: int) -> HoursForm:
    return HoursForm(initial={"hours": minutes // 60}, auto_id=f"{hub.slug}_%s")


def _offer(request: HttpRequest, code: str) -> Assignment:
    rows = Assignment.objects.filter(member=me_of(request), code=code)
    found = rows.select_related("lot__order__hub", "lot__order__terms", "member").first()
    if found is None:
        raise Http404
    return found


def mine(
    view: Callable[[HttpRequest, Assignment], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Decorator of pages of one assignment: hers, or 404 whatever is asked."""

    @login_required
    @wraps(view)
    def inner(request: HttpRequest, code: str) -> HttpResponse:
        return view(request, _offer(request, code))

    return inner


@mine
@require_GET
def offer(request: HttpRequest, found: Assignment) -> HttpResponse:
    """One offer with its whole notice before she answers; afterwards the notice as it was kept."""
    order = found.lot.order
    kept = WorkNotice.objects.filter(assignment=found).first()
    card = jobs.card_of(found)
    waits = found.state == AssignmentState.OFFERED and card.answer_by and card.answer_by > clock.now()
    context = {
        "card": card, "waits": waits, "kept": kept, "tab": "jobs",
        "lines": notice.lines(kept or notice.of_assignment(found), order) if kept or waits else [],
    }  # fmt: skip
    return render(request, "jobs/offer.html", context)


@mine
@require_POST
def answer(request: HttpRequest, found: Assignment) -> HttpResponse:
    """受ける or 受けない."""
    yes = request.POST.get("answer") == "yes"
    try:
        handing.answer(member=me_of(request), code=found.code, yes=yes)
    except DomainError as error:
        return _refused(request, error)
    if yes:
        messages.success(request, _("受けました。条件を 書類に しました。"))
        return redirect("job_offer", found.code)
    messages.success(request, _("わかりました。しごとは ほかの人に まわします。"))
    return redirect("jobs")


@mine
@require_GET
def notice_text(request: HttpRequest, found: Assignment) -> HttpResponse:
    """The notice of work that she took, as a file. Its name holds a code, nothing of the client."""
    kept = WorkNotice.objects.filter(assignment=found).first()
    if kept is None:
        raise Http404
    kept.assignment = found
    response = HttpResponse(notice.document(kept), content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="notice-{found.code}.txt"'
    return response


@login_required
@require_http_methods(FORM)
def take(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One lot that can be claimed: what the notice will say, how many, taken at once."""
    me, status = me_of(request), 200
    found = jobs.open_of(me, code, number)
    if found is None:
        raise Http404
    most = max(found.takes, 1)
    form = CountForm(initial={"count": most}, most=most)
    if request.method == "POST":
        form, status = CountForm(request.POST, most=most), 422
        if form.is_valid():
            count = form.cleaned_data["count"]
            try:
                taken = handing.claim(member=me, lot=found.lot, count=count, key=key_of(request))
            except DomainError as error:
                if error.code != "count_range":
                    return _refused(request, error)
                status = put_error(form, error)
            else:
                messages.success(request, _taken(taken, count))
                return redirect("job_offer", taken.code)
    due = min(found.due, clock.now() + handing.CLAIM_DUE).astimezone(found.order.hub.tz)
    like = notice.draft(
        order=found.order, terms=found.order.terms, rate=rates.current(found.order), member=me, count=most,
        due_at=due,
    )  # fmt: skip
    context = {
        "one": found, "form": form, "due": due, "lines": notice.lines(like, found.order), "key": new_code(),
        "tab": "jobs",
    }  # fmt: skip
    return render(request, "jobs/take.html", context, status=status)


def _taken(taken: Assignment, asked: int) -> str:
    got = ngettext("%(n)s件 とりました。", "%(n)s件 とりました。", taken.unit_count) % {"n": taken.unit_count}
    if taken.unit_count == asked:
        return got
    return f"{got} {_('のこりが 少なかったので、たのんだ 数より 少ないです。')}"


@mine
@require_http_methods(FORM)
def hand_back(request: HttpRequest, found: Assignment) -> HttpResponse:
    """Give back what is not sent in. No reason is asked for."""
    if request.method == "POST":
        try:
            handing.hand_back(member=me_of(request), code=found.code)
        except DomainError as error:
            return _refused(request, error)
        messages.success(request, _("もどしました。送った分は そのままです。"))
        return redirect("jobs")
    return render(request, "jobs/hand_back.html", {"card": jobs.card_of(found), "tab": "jobs"})


@login_required
@require_POST
def hours(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep how many hours a week she offers at a hub."""
    me = me_of(request)
    hub = next((hub for hub in jobs.hubs_of(me) if hub.slug == slug), None)
    if hub is None:
        raise Http404
    form = HoursForm(request.POST, auto_id=f"{hub.slug}_%s")
    if not form.is_valid():
        return render(request, "jobs/jobs.html", _context(request, (hub, form)) | {"tab": "jobs"}, status=422)
    handing.save_hours(member=me, hub=hub, minutes=form.cleaned_data["hours"] * 60)
    messages.success(request, _("時間を 保存しました。"))
    return redirect(f"{reverse('jobs')}#hours")
