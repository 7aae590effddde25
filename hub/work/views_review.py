"""できあがり: the director looks at what was sent in, answers questions, sets levels; the manager answers appeals."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hub.core import clock
from hub.core.errors import DomainError
from hub.spaces.access import Action, staff_page
from hub.spaces.models import Hub
from hub.work import desk_reads, marking, marks, review, skills
from hub.work.enums import AppealState, DeliveryState, Level, OrderKind
from hub.work.forms_review import (
    MORE_ROWS,
    AnswerForm,
    CourseForm,
    LevelForm,
    RejectForm,
    ReturnForm,
    rows_in,
)
from hub.work.material import open_unit
from hub.work.models import Appeal, Delivery, Lot, Order
from hub.work.views import FORM, me, order_page, page, put_error, refused

PER_PAGE = 30
ANSWERED_SHOWN = 10
REVIEW, LEVELS, APPEALS = "desk_review", "desk_levels", "desk_appeals"


def _closed() -> DomainError:
    return DomainError(
        "gate_closed", _("機密の しごとです。ここでは 開けません。へやの 端末だけで 開きます。"), 403
    )


def _with_order(path: str, order_code: str) -> str:
    return f"{path}?order={order_code}" if order_code else path


def _order_asked(request: HttpRequest, hub: Hub) -> str:
    """The code of the order to which the queue is narrowed, if it is one that has something waiting."""
    asked = request.GET.get("order", "")
    return asked if any(code == asked for code, _title, _n in desk_reads.orders_waiting(hub)) else ""


# ---------------------------------------------------------------- what waits


@staff_page(Action.DIRECT_WORK)
@require_GET
def queue(request: HttpRequest, hub: Hub) -> HttpResponse:
    """What waits for review, the oldest first, and how many questions are open."""
    orders = desk_reads.orders_waiting(hub)
    asked = request.GET.get("order", "")
    chosen = asked if any(code == asked for code, _title, _n in orders) else ""
    shown = Paginator(desk_reads.queue(hub, chosen), PER_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    for one in shown:
        one.days_left = max((one.accepted_by_silence_at - now) // timedelta(days=1), 0)  # type: ignore[attr-defined]  # for the template
        one.sent_at = one.sent_at.astimezone(hub.tz)
    context = {
        "page": shown, "orders": orders, "chosen": chosen, "query": f"order={chosen}" if chosen else "",
        "questions": desk_reads.questions_of(hub, answered=False).count(),
        "can_accept": any(not one.unit.order.is_confidential for one in shown),
    }  # fmt: skip
    return page(request, hub, "work/review.html", context, current=REVIEW)


@staff_page(Action.DIRECT_WORK)
@require_POST
def bulk(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Accept what was ticked, each on its own: one that somebody decided meanwhile stops none of the others."""
    back = _with_order(reverse(REVIEW, args=[hub.slug]), _order_asked(request, hub))
    ticked = request.POST.getlist("code")[:PER_PAGE]
    open_here = Delivery.objects.filter(
        unit__order__hub=hub, code__in=ticked, unit__order__is_confidential=False
    )
    own = open_here.filter(notice__assignment__member=me(request))
    if own.exists():
        messages.info(request, _("自分の しごとは、ほかの人が 確認します。"))
    codes = list(open_here.exclude(pk__in=own).order_by("sent_at", "pk").values_list("code", flat=True))
    if not codes:
        error = DomainError("nothing_ticked", _("合格に する しごとを えらんでください。"), 422)
        return refused(request, hub, error, back)
    done = 0
    for code in codes:
        try:
            review.accept(actor=me(request), hub=hub, code=code)
        except DomainError as error:
            if error.code not in ("already_decided", "unknown_delivery"):
                raise
        else:
            done += 1
    words = ngettext("%(n)s件を 合格に しました。", "%(n)s件を 合格に しました。", done) % {"n": done}
    late = len(codes) - done
    if late:
        more = ngettext(
            "%(n)s件は もう 確認が おわっていました。", "%(n)s件は もう 確認が おわっていました。", late
        )
        words = f"{words} {more % {'n': late}}"
    messages.success(request, words)
    return redirect(back)


# ---------------------------------------------------------------- one delivery


def _one_page(
    request: HttpRequest, hub: Hub, delivery: Delivery, back: ReturnForm | None, no: RejectForm | None, status: int
) -> HttpResponse:  # fmt: skip
    """The page of a delivery; a form that came back stands in it with what was typed."""
    unit, text = delivery.unit, delivery.text
    material = open_unit(actor=me(request), unit=unit)
    rejected, sent = review.rejected_share(delivery.notice.assignment.member, unit.order)
    earlier = []
    for one in desk_reads.tries_before(delivery):
        numbered = marks.numbered(one.corrections.all())
        earlier.append((one, marks.pieces(one.text, numbered), numbered))
    corrections = marks.numbered(delivery.corrections.all())
    waiting = delivery.state == DeliveryState.SENT
    chosen = request.GET.get("order", "")
    delivery.sent_at = delivery.sent_at.astimezone(hub.tz)
    context = {
        "delivery": delivery, "unit": unit, "order": unit.order, "material": material, "text": text,
        "lines": marking.lines(text), "earlier": earlier, "marks": corrections,
        "pieces": marks.pieces(text, corrections),
        "control": desk_reads.control_of(unit.pk), "waiting": waiting,
        "return_form": back or ReturnForm(text=text), "reject_form": no or RejectForm(prefix="no"),
        "form": back or no, "rejected": rejected, "sent": sent, "room": max(review.most_rejected(sent) - rejected, 0),
        "until": delivery.accepted_by_silence_at.astimezone(hub.tz), "query": f"?order={chosen}" if chosen else "",
        "back": _with_order(reverse(REVIEW, args=[hub.slug]), chosen),
    }  # fmt: skip
    return page(request, hub, "work/review_one.html", context, current=REVIEW, status=status)


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def one(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """One delivery beside its material and its earlier tries; a POST accepts, gives back or rejects it."""
    delivery = desk_reads.delivery_of(hub, code)
    if delivery is None:
        raise Http404
    if delivery.unit.order.is_confidential:
        return refused(request, hub, _closed(), reverse(REVIEW, args=[hub.slug]))
    wish = request.POST.get("do", "") if request.method == "POST" else ""
    if wish == "accept":
        return _accept(request, hub, delivery)
    if wish == "reject":
        return _reject(request, hub, delivery)
    if wish in ("return", "more"):
        return _return(request, hub, delivery, more=wish == "more")
    return _one_page(request, hub, delivery, None, None, 200)


def _next(request: HttpRequest, hub: Hub) -> HttpResponse:
    """On to the next one that waits, or back to the list."""
    chosen = _order_asked(request, hub)
    code = desk_reads.next_waiting(hub, chosen)
    path = reverse("desk_review_one", args=[hub.slug, code]) if code else reverse(REVIEW, args=[hub.slug])
    return redirect(_with_order(path, chosen))


def _accept(request: HttpRequest, hub: Hub, delivery: Delivery) -> HttpResponse:
    try:
        review.accept(actor=me(request), hub=hub, code=delivery.code)
    except DomainError as error:
        return refused(request, hub, error, reverse(REVIEW, args=[hub.slug]))
    messages.success(request, _("合格に しました。"))
    return _next(request, hub)


def _return(request: HttpRequest, hub: Hub, delivery: Delivery, *, more: bool) -> HttpResponse:
    rows = rows_in(request.POST)
    if more:
        rows = min(rows + MORE_ROWS, review.MOST_MARKS)
        typed = {name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
        return _one_page(
            request, hub, delivery, ReturnForm(initial=typed, text=delivery.text, rows=rows), None, 200
        )
    form = ReturnForm(request.POST, text=delivery.text, rows=rows)
    status = 422
    if form.is_valid():
        try:
            review.send_back(
                actor=me(request), hub=hub, code=delivery.code, marks=form.marks,
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except DomainError as error:
            status = put_error(form, error)
        else:
            messages.success(request, _("なおしを たのみました。"))
            return _next(request, hub)
    return _one_page(request, hub, delivery, form, None, status)


def _reject(request: HttpRequest, hub: Hub, delivery: Delivery) -> HttpResponse:
    form, status = RejectForm(request.POST, prefix="no"), 422
    if form.is_valid():
        try:
            review.reject(actor=me(request), hub=hub, code=delivery.code, **form.cleaned_data)
        except DomainError as error:
            status = put_error(form, error)
        else:
            messages.success(request, _("不合格に しました。わけと 例を 本人に 知らせました。"))
            return _next(request, hub)
    return _one_page(request, hub, delivery, None, form, status)


# ---------------------------------------------------------------- questions


def _questions(
    request: HttpRequest, hub: Hub, form: AnswerForm | None = None, code: str = "", status: int = 200
) -> HttpResponse:
    shown = Paginator(desk_reads.questions_of(hub, answered=False), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = []
    for question in shown:
        mine = (
            form if form is not None and question.code == code else AnswerForm(auto_id=f"{question.code}_%s")
        )
        question.asked_at = question.asked_at.astimezone(hub.tz)
        rows.append((question, mine))
    context = {
        "page": shown, "rows": rows, "form": form, "back": reverse(REVIEW, args=[hub.slug]),
        "answered": desk_reads.questions_of(hub, answered=True)[:ANSWERED_SHOWN],
    }  # fmt: skip
    return page(request, hub, "work/questions.html", context, current=REVIEW, status=status)


@staff_page(Action.DIRECT_WORK)
@require_GET
def questions(request: HttpRequest, hub: Hub) -> HttpResponse:
    """What workers asked: open ones with a field for the answer, and the last answered ones."""
    return _questions(request, hub)


@staff_page(Action.DIRECT_WORK)
@require_POST
def question(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """Answer a question. That of confidential work is answered at the terminal."""
    found = desk_reads.question_of(hub, code)
    if found is None:
        raise Http404
    if found.unit.order.is_confidential:
        return refused(request, hub, _closed(), reverse("desk_questions", args=[hub.slug]))
    form = AnswerForm(request.POST, auto_id=f"{code}_%s")
    status = 422
    if form.is_valid():
        try:
            review.answer_question(actor=me(request), hub=hub, code=code, text=form.cleaned_data["answer"])
        except DomainError as error:
            status = put_error(form, error)
        else:
            messages.success(request, _("答えを 送りました。"))
            return redirect("desk_questions", hub.slug)
    return _questions(request, hub, form, code, status)


# ---------------------------------------------------------------- control items, courses, levels


@order_page
@require_POST
def control(request: HttpRequest, hub: Hub, order: Order, number: int) -> HttpResponse:
    """Note the answer that a unit is known to have, or take it away."""
    back = reverse("desk_unit", args=[hub.slug, order.code, number])
    if order.is_confidential:
        return refused(request, hub, _closed(), reverse("desk_order", args=[hub.slug, order.code]))
    answer = request.POST.get("answer", "")
    try:
        review.set_control(actor=me(request), hub=hub, order_code=order.code, number=number, answer=answer)
    except DomainError as error:
        return refused(request, hub, error, back)
    messages.success(
        request, _("わかっている 答えを 保存しました。") if answer.strip() else _("わかっている 答えを 消しました。")
    )  # fmt: skip
    return redirect(back)


@order_page
@require_http_methods(FORM)
def course(request: HttpRequest, hub: Hub, order: Order, number: int) -> HttpResponse:
    """Make a lot a course that opens a level."""
    lot = Lot.objects.filter(order=order, number=number).first()
    if lot is None:
        raise Http404
    back, form, status = reverse("desk_order", args=[hub.slug, order.code]), CourseForm.of(lot), 200
    if request.method == "POST":
        form, status = CourseForm(request.POST), 422
        if form.is_valid():
            try:
                skills.set_course(
                    actor=me(request), hub=hub, order_code=order.code, lot_number=number, **form.cleaned_data
                )
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(request, _("コースを 保存しました。"))
                return redirect(back)
    context = {"order": order, "lot": lot, "form": form, "back": back}
    return page(request, hub, "work/review_course.html", context, status=status)


@staff_page(Action.DIRECT_WORK)
@require_GET
def levels(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who is of which level in which kind of work."""
    shown = Paginator(desk_reads.workers_of(hub), PER_PAGE).get_page(request.GET.get("page"))
    found = desk_reads.levels_of(hub, list(shown))
    rows = [
        (member, [(kind.label, Level(found[member.pk][kind]).label) for kind in OrderKind])
        for member in shown
    ]
    context = {"page": shown, "rows": rows, "kinds": [kind.label for kind in OrderKind]}
    return page(request, hub, "work/levels.html", context, current=LEVELS)


@staff_page(Action.DIRECT_WORK)
@require_http_methods(FORM)
def level(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """The levels of one worker, changed by the director."""
    member = desk_reads.workers_of(hub).filter(code=code).first()
    if member is None:
        raise Http404
    now = desk_reads.levels_of(hub, [member])[member.pk]
    form, status = LevelForm(levels=now), 200
    if request.method == "POST":
        form, status = LevelForm(request.POST, levels=now), 422
        if form.is_valid():
            for kind, wanted in form.cleaned_data.items():
                if wanted != now[kind]:
                    skills.set_level(actor=me(request), hub=hub, member_code=code, kind=kind, level=wanted)
            messages.success(request, _("レベルを 保存しました。"))
            return redirect(LEVELS, hub.slug)
    context = {
        "title": _("%(name)sさんの レベル") % {"name": member.name}, "form": form, "action": _("保存する"),
        "back": reverse(LEVELS, args=[hub.slug]),
    }  # fmt: skip
    return page(request, hub, "desk/form.html", context, current=LEVELS, status=status)


# ---------------------------------------------------------------- appeals


@staff_page(Action.ANSWER_APPEAL)
@require_GET
def appeals(request: HttpRequest, hub: Hub) -> HttpResponse:
    """Who asked for a second look: open ones first."""
    shown = Paginator(desk_reads.appeals_of(hub), PER_PAGE).get_page(request.GET.get("page"))
    for one in shown:
        one.made_at = one.made_at.astimezone(hub.tz)
    return page(request, hub, "work/appeals.html", {"page": shown}, current=APPEALS)


@staff_page(Action.ANSWER_APPEAL)
@require_http_methods(FORM)
def appeal(request: HttpRequest, hub: Hub, code: str) -> HttpResponse:
    """One appeal: what was sent in, why it was rejected, her words; and the answer."""
    found = desk_reads.appeal_of(hub, code)
    if found is None:
        raise Http404
    if found.delivery.unit.order.is_confidential:
        return refused(request, hub, _closed(), reverse(APPEALS, args=[hub.slug]))
    form, status = AnswerForm(), 200
    if request.method == "POST":
        form, status = AnswerForm(request.POST), 422
        uphold = request.POST.get("uphold", "")
        if form.is_valid() and uphold in ("0", "1"):
            try:
                review.decide_appeal(
                    actor=me(request), hub=hub, code=code, uphold=uphold == "1", answer=form.cleaned_data["answer"]
                )  # fmt: skip
            except DomainError as error:
                status = put_error(form, error)
            else:
                messages.success(
                    request,
                    _("合格に かえました。本人に 知らせました。")
                    if uphold == "1"
                    else _("答えを 送りました。"),
                )
                return redirect(APPEALS, hub.slug)
    return page(request, hub, "work/appeal.html", _appeal_context(request, hub, found, form), current=APPEALS, status=status)  # fmt: skip


def _appeal_context(request: HttpRequest, hub: Hub, found: Appeal, form: AnswerForm) -> dict[str, Any]:
    is_open = found.state == AppealState.OPEN
    own = is_open and found.delivery.decided_by_id == me(request).pk
    found.made_at = found.made_at.astimezone(hub.tz)
    return {
        "appeal": found, "delivery": found.delivery, "order": found.delivery.unit.order, "form": form,
        "is_open": is_open, "own": own, "back": reverse(APPEALS, args=[hub.slug]),
    }  # fmt: skip
