"""Units that come back by themselves: nobody answered, time is up, a child is ill. Nobody is blamed for any of them."""

from collections import defaultdict
from datetime import date, time, timedelta
from typing import Any

from django.db.models import Q

from hub.core import clock
from hub.core.db import require_transaction, run_write
from hub.core.quarters import local
from hub.notices import services as notices
from hub.work import leases, offer_words
from hub.work.enums import AssignmentState, EndReason
from hub.work.handing import hold_order
from hub.work.models import Assignment

#: Work that is due so soon after the last day of an illness cannot be done in peace.
AFTER_ILLNESS = timedelta(days=2)


def sweep() -> int:
    """End offers that were not answered in time and work whose time is up; returns how many ended.

    Safe at any moment and by several at once: each order is its own transaction, which looks again. Nothing is written when
    nothing is due.
    """
    now = clock.now()
    due = Assignment.objects.filter(
        Q(state=AssignmentState.OFFERED, answer_by__lte=now)
        | Q(state=AssignmentState.ACCEPTED, due_at__lte=now)
    )
    by_order: dict[int, list[int]] = defaultdict(list)
    for order_pk, pk in due.order_by("lot__order_id", "pk").values_list("lot__order_id", "pk"):
        by_order[order_pk].append(pk)
    return sum(
        run_write(lambda order_pk=order_pk, pks=pks: _end_due(order_pk, pks))  # type: ignore[misc]  # bound now, not late
        for order_pk, pks in by_order.items()
    )


def _held(order_pk: int, pks: list[int]) -> list[Assignment]:
    """These assignments as they are now, with the order's row and their own held."""
    require_transaction()
    hold_order(order_pk)
    rows = Assignment.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=pks)
    return list(rows.select_related("member").order_by("pk"))


def _end_due(order_pk: int, pks: list[int]) -> int:
    now, ended = clock.now(), 0
    for one in _held(order_pk, pks):
        if one.state == AssignmentState.OFFERED and one.answer_by is not None and one.answer_by <= now:
            leases.give_back(one, EndReason.UNANSWERED)
            notices.settle(one.member, offer_words.event_of(one))
        elif one.state == AssignmentState.ACCEPTED and one.due_at <= now:
            _time_up(one)
        else:
            continue  # settled a moment ago by somebody else
        ended += 1
    return ended


def _time_up(assignment: Assignment) -> None:
    back = leases.give_back(assignment, EndReason.TIME_UP)
    if back:
        offer_words.tell_back(assignment, EndReason.TIME_UP, back)
    else:  # everything was sent in: that is no lateness
        Assignment.objects.filter(pk=assignment.pk).update(end_reason=EndReason.DONE)


def child_sick(*, member: str, last: str, **_: Any) -> None:
    """Subscriber of ``child_sick``: what ``member`` has to send in before two days after the illness goes back to the pool.

    Only units that were not sent in. Later work stays hers; she can hand it back. Safe to run twice.
    """
    until = date.fromisoformat(last) + timedelta(days=1) + AFTER_ILLNESS
    rows = Assignment.objects.filter(member__code=member).exclude(state=AssignmentState.ENDED)
    by_order: dict[int, list[int]] = defaultdict(list)
    for one in rows.select_related("lot__order__hub").order_by("lot__order_id", "pk"):
        order = one.lot.order
        if one.due_at < local(until, time(0), order.hub.tz):
            by_order[order.pk].append(one.pk)
    for order_pk, pks in by_order.items():
        run_write(lambda order_pk=order_pk, pks=pks: _end_ill(order_pk, pks))  # type: ignore[misc]  # bound now, not late


def _end_ill(order_pk: int, pks: list[int]) -> None:
    for one in _held(order_pk, pks):
        if one.state == AssignmentState.ENDED:
            continue
        if not leases.held_of(one).exists():
            continue  # all of it is sent in and waits for review
        back = leases.give_back(one, EndReason.CHILD_SICK)
        notices.settle(one.member, offer_words.event_of(one))
        offer_words.tell_back(one, EndReason.CHILD_SICK, back)
