"""A child is ill: one word from a guardian frees her places, settles the seat and tells everybody who waits for her.

An illness is nobody's fault: nothing here is late and nothing counts (RULE-12, RULE-34). Which illness is not asked.
"""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.booking import services, waiting
from hub.childcare import duty
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, Child, Custody, SickLeave
from hub.childcare.queries import held_children
from hub.core import clock, hooks, idempotency
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.models import Hub, Visit

MOST_DAYS = 14


class Seat(models.TextChoices):
    """What becomes of the guardian's own seat on those days."""

    KEEP = "keep", _("席は そのまま")
    HOME = "home", _("家で しごとを する")
    CANCEL = "cancel", _("わたしも 休む")


#: Kept on the visit, seen by the desk: no word of illness.
REASONS = {Seat.HOME: _("家で しごとを します"), Seat.CANCEL: _("お休みの 連絡が ありました")}


@dataclass
class Report:
    """What a report did: visits that only lost the child's place, visits that ended, and children already received."""

    leave: SickLeave
    freed: list[Visit] = field(default_factory=list)
    ended: list[Visit] = field(default_factory=list)
    inside: list[Visit] = field(default_factory=list)


def places_between(child: Child, first: date, last: date) -> models.QuerySet[CarePlace]:
    """Booked places of ``child`` on these days of her hub that are not over, by start."""
    tz = child.hub.tz
    return (
        CarePlace.objects.filter(
            child=child, status=PlaceStatus.BOOKED, visit__status__in=LIVE_STATUSES, ends_at__gt=clock.now(),
            starts_at__gte=local(first, time(0), tz), starts_at__lt=local(last + timedelta(days=1), time(0), tz),
        )
        .select_related("visit__hub", "room")
        .order_by("starts_at", "pk")
    )  # fmt: skip


def check_days(child: Child, first: date, last: date) -> None:
    """Raises `DomainError` ``in_past``, ``not_forward`` or ``too_long`` (422)."""
    today = clock.today(child.hub.tz)
    if first < today:
        raise DomainError("in_past", _("きょうか、これからの日を えらんでください。"), 422)
    if last < first:
        raise DomainError("not_forward", _("終わりの日を、始まりの日より あとに してください。"), 422)
    if last >= today + timedelta(days=MOST_DAYS):
        raise DomainError("too_long", _("2週間 先までの 日を えらんでください。"), 422)


def report(
    *, actor: Member, child: Child, first: date, last: date, seat: Seat, key: str | None = None
) -> Report:
    """``child`` is ill from ``first`` to ``last``: her places of those days are free again, for whoever waits.

    ``seat`` settles visits of ``actor`` herself that have not begun; those of the other guardian keep their seat. A
    child who was received already stays in the carers' hands until somebody fetches her. Said again it adds days.
    Raises `DomainError` ``child_unknown`` (404) for everybody but her guardians; see `check_days`.
    """
    body = [child.code, first.isoformat(), last.isoformat(), str(seat)]

    def work() -> Report:
        if key is not None:
            stored = idempotency.claim(actor.pk, key, idempotency.fingerprint("sick", body))
            if stored is not None and child.pk in held_children(actor, [child.pk]):
                return _told_before(stored)
        check_days(child, first, last)
        places = places_between(child, first, last)
        for hub in Hub.objects.filter(visits__care_places__in=places).distinct().order_by("pk"):
            services.hold_queue(hub)  # before the child, as everybody who frees something does
        if child.pk not in held_children(actor, [child.pk]):
            raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
        done = Report(_note(actor, child, first, last))
        for place in places.all():  # read again: what was there before the lines were held may be gone
            _settle(done, actor, place, seat)
        waiting.leave_with(child, first, last)
        hooks.emit(
            "child_sick", child=child.code, member=actor.code, first=first.isoformat(), last=last.isoformat(),
            seat=str(seat), visits=[visit.code for visit in [*done.freed, *done.ended]],
        )  # fmt: skip
        duty.tell(child.hub, child)
        if key is not None:
            idempotency.store(actor.pk, key, _stored(done))
        return done

    return run_write(work)


def _note(actor: Member, child: Child, first: date, last: date) -> SickLeave:
    row, _made = SickLeave.objects.get_or_create(
        child=child, first_on=first, defaults={"last_on": last, "reported_by": actor}
    )
    if last > row.last_on:
        row.last_on = last
        row.save(update_fields=["last_on"])
    return row


def _settle(done: Report, actor: Member, place: CarePlace, seat: Seat) -> None:
    visit = (
        Visit.objects.select_for_update(of=("self",)).select_related("hub", "member").get(pk=place.visit_id)
    )
    place.refresh_from_db(fields=["status"])
    if not visit.is_live or place.status != PlaceStatus.BOOKED:
        return  # ended a moment ago by somebody else
    if Custody.objects.filter(place=place).exists():
        done.inside.append(visit)
        return
    mine = visit.member_id == actor.pk and visit.arrived_at is None
    # An offer is one bundle, and somebody else waits for it: without the child it is declined.
    if visit.status == VisitStatus.OFFERED or (mine and seat in REASONS):
        why = str(REASONS.get(seat, REASONS[Seat.CANCEL]))
        done.ended.append(services.end_visit(visit, VisitStatus.CANCELLED, why))
        return
    services.drop_child(visit, place.child, clock.now())
    done.freed.append(visit)


def _stored(done: Report) -> dict[str, Any]:
    lists = {name: [visit.code for visit in getattr(done, name)] for name in ("freed", "ended", "inside")}
    return {"leave": done.leave.code, **lists}


def _told_before(stored: dict[str, Any]) -> Report:
    leave = SickLeave.objects.select_related("child__hub").get(code=stored["leave"])

    def find(name: str) -> list[Visit]:
        rows = Visit.objects.filter(code__in=stored[name])
        return list(rows.select_related("hub", "seat").order_by("starts_at"))

    return Report(leave, find("freed"), find("ended"), find("inside"))
