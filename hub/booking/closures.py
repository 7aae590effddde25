"""Changing when a hub is open: closures and holidays. No visit stays unseen in closed time (I11, RULE-33).

Each change is written first and looked at inside its own transaction: visits that no longer fit are named in a
refusal (`VisitsAffected`, everything rolled back), or, once confirmed, ended by the hub with a mail. So what is
confirmed is what is true at that moment, also for a visit booked between the question and the answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils.translation import gettext_lazy as _

from hub.booking import services
from hub.childcare import capacity
from hub.core import clock, live
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces import facts, holidays_import
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.models import Closure, Holiday, Hub, Visit

MAX_CLOSURE_DAYS = 400


class VisitsAffected(DomainError):
    """A change of open time would leave these visits in closed time. ``inside``: people who have come already."""

    def __init__(self, visits: list[Visit], inside: list[Visit]) -> None:
        super().__init__(
            "visits_affected",
            _("この 変更で、予約が 中止に なる 人が います。"),
            count=len(visits) + len(inside),
        )
        self.visits = visits
        self.inside = inside


@dataclass(frozen=True)
class Changed:
    """What a confirmed change did: visits ended by the hub, and people inside who only have to be told."""

    ended: list[Visit]
    inside: list[Visit]


def stranded(hub: Hub) -> list[Visit]:
    """Live visits of ``hub`` whose time, or what is left of it, is not inside the opening hours, by start.

    Inside a transaction they are locked: whoever cancels or leaves early at this moment does so before or after.
    """
    now = clock.now()
    known = facts.facts_of(hub)
    rows = (
        Visit.objects.filter(hub=hub, status__in=LIVE_STATUSES, ends_at__gt=now)
        .select_related("hub", "member", "seat")
        .order_by("starts_at", "pk")
    )
    if connection.in_atomic_block:
        rows = rows.select_for_update(of=("self",))
    found = []
    for visit in rows:
        rest = Period(max(visit.starts_at, now), visit.ends_at)
        opening = known.day(visit.starts_at.astimezone(known.tz).date()).period
        if opening is None or not opening.contains(rest):
            found.append(visit)
    return found


def change_open_time(
    hub: Hub, work: Callable[[Hub], None], *, reason: str, confirm: bool, days: Iterable[date] | None = None
) -> Changed:
    """Run ``work`` (the change itself) and settle every visit that it leaves in closed time, in one transaction.

    ``days`` are those whose room quarters change, all to the horizon by default. Raises `VisitsAffected` unless
    ``confirm``; then those visits are ended as cancelled by the hub, with ``reason`` in their mail. Somebody who has
    come already is not put out by a database: her visit stays and is named in the answer.
    """

    def inside() -> Changed:
        fresh = facts.take(hub)
        work(fresh)
        facts.touch(fresh)
        affected = stranded(fresh)
        present = [visit for visit in affected if visit.arrived_at is not None]
        ended = [visit for visit in affected if visit.arrived_at is None]
        if affected and not confirm:
            raise VisitsAffected(ended, present)
        for visit in ended:
            services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB, reason)
        horizon = capacity.horizon_days(fresh)
        wanted = horizon if days is None else [day for day in days if horizon[0] <= day <= horizon[-1]]
        # The quarters are laid out anew for these days; a lack of staff that shows here was made by nobody's choice now.
        capacity.rebuild_hub(fresh, wanted, confirm_shortfall=True)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")
        return Changed(ended, present)

    return run_write(inside)


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def add_closure(
    *, actor: Member, hub: Hub, starts_on: date, ends_on: date, reason: str, confirm: bool = False
) -> Changed:
    """Close ``hub`` from a day to a day. Raises `VisitsAffected`; `DomainError` ``not_forward``, ``in_past``, ``too_long``."""
    reason = nfkc(reason)
    if not reason:
        raise DomainError("reason_missing", _("お休みの わけを 書いてください。予約した人に 伝えます。"), 422)
    if ends_on < starts_on:
        raise DomainError("not_forward", _("終わりの日を、始まりの日より あとに してください。"), 422)
    if ends_on < clock.today(hub.tz):
        raise DomainError("in_past", _("もう すぎた日です。きょうか、これからの日を えらんでください。"), 422)
    if (ends_on - starts_on).days > MAX_CLOSURE_DAYS:
        raise DomainError("too_long", _("1回の お休みは 400日までです。"), 422)

    def work(fresh: Hub) -> None:
        Closure.objects.create(
            hub=fresh, starts_on=starts_on, ends_on=ends_on, reason=reason[:80], created_by=actor
        )

    return change_open_time(hub, work, reason=reason, confirm=confirm, days=days_between(starts_on, ends_on))


def end_closure(*, hub: Hub, code: str) -> None:
    """Open again from today on: a closure that has not begun goes, one that runs ends yesterday.

    Raises `DomainError` ``closure_unknown`` (404). Visits that were ended stay ended; people book anew.
    """

    def work() -> None:
        fresh = facts.take(hub)
        row = Closure.objects.filter(hub=fresh, code=code).first()
        today = clock.today(fresh.tz)
        if row is None or row.ends_on < today:
            raise DomainError("closure_unknown", _("その お休みは 見つかりません。"), 404)
        if row.starts_on >= today:
            row.delete()
        else:
            row.ends_on = today - timedelta(days=1)
            row.save(update_fields=["ends_on"])
        facts.touch(fresh)
        capacity.rebuild_hub(fresh, confirm_shortfall=True)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")

    run_write(work)


def set_holiday(
    *, hub: Hub, day: date, name: str, name_en: str = "", is_closed: bool = True, confirm: bool = False
) -> Changed:
    """Add a holiday by hand, or edit one: its names, and whether the hub is closed on it. Raises `VisitsAffected`."""
    name = nfkc(name)
    if not name:
        raise DomainError("name_missing", _("名前を 入れてください"), 422)

    def work(fresh: Hub) -> None:
        Holiday.objects.update_or_create(
            hub=fresh,
            date=day,
            defaults={
                "name": name[:60], "name_en": nfkc(name_en)[:80], "is_closed": is_closed, "is_manual": True,
            },
        )  # fmt: skip

    return change_open_time(hub, work, reason=name, confirm=confirm, days=[day])


def import_holidays(*, hub: Hub, year: int, confirm: bool = False) -> tuple[int, Changed]:
    """Import the holidays of ``year`` (RULE-33); returns how many rows changed. Raises `VisitsAffected`, ``year_unknown``."""
    if year not in holidays_import.YEARS:
        raise DomainError("year_unknown", _("その年の 祝日は わかりません。"), 422)
    count = 0

    def work(fresh: Hub) -> None:
        nonlocal count
        require_transaction()
        count = holidays_import.import_year(fresh, year)

    days = list(holidays_import.days_of(year))
    changed = change_open_time(hub, work, reason=str(_("祝日の お休み")), confirm=confirm, days=days)
    return count, changed
