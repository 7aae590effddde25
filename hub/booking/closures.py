"""Changing when a hub, a zone or a care room is open. No visit stays unseen in closed time (I11, RULE-32, RULE-33).

Each change is written first and looked at inside its own transaction: visits that no longer fit are named in a
refusal (`VisitsAffected`, everything rolled back), or, once confirmed, settled by `conflicts`. So what is confirmed is
what is true at that moment, also for a visit booked between the question and the answer.
"""

from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.booking import conflicts, services
from hub.booking.conflicts import Changed, VisitsAffected
from hub.booking.roster import room_of
from hub.booking.seats_admin import zone_of
from hub.childcare import capacity
from hub.childcare.models import RoomClosure
from hub.core import clock, live
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.quarters import on_grid_time
from hub.members.models import Member
from hub.spaces import facts, holidays_import
from hub.spaces.enums import Cause
from hub.spaces.models import ClosedTime, Closure, Holiday, Hub

MAX_CLOSURE_DAYS = 400


def change_open_time(
    hub: Hub, work: Callable[[Hub], None], *, reason: str, confirm: bool, actor: Member | None = None,
    cause: str = Cause.OTHER, days: Iterable[date] | None = None,
    then: Callable[[Hub, Changed], None] | None = None,
) -> Changed:  # fmt: skip
    """Run ``work`` (the change itself) and settle every visit that it leaves in closed time, in one transaction.

    ``days`` are those whose room quarters change, all to the horizon by default. Raises `VisitsAffected` unless
    ``confirm``; then `conflicts.settle` moves, shortens or ends those visits and their people are told, with ``reason``.
    Somebody who has come already is not put out by a database: her visit stays and is named in the answer. ``then`` runs
    last, with what was done.
    """

    def inside() -> Changed:
        fresh = facts.take(hub)
        before = conflicts.standing(fresh)
        work(fresh)
        facts.touch(fresh)
        done = conflicts.settle(fresh, before, actor=actor, reason=reason)
        if done and not confirm:
            raise VisitsAffected(done)
        horizon = capacity.horizon_days(fresh)
        wanted = horizon if days is None else [day for day in days if horizon[0] <= day <= horizon[-1]]
        # The quarters are laid out anew for these days; a lack of staff that shows here was made by nobody's choice now.
        capacity.rebuild_hub(fresh, wanted, confirm_shortfall=True)
        conflicts.tell(fresh, done, reason=reason, cause=cause)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")
        if done.childless or done.inside:
            live.broadcast(f"care.{fresh.slug}", "care")
        if then is not None:
            then(fresh, done)
        return done

    return run_write(inside)


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def add_closure(
    *, actor: Member, hub: Hub, starts_on: date, ends_on: date, reason: str, closed_until: time | None = None,
    closed_from: time | None = None, zone: str = "", room: str = "", cause: str = Cause.OTHER, confirm: bool = False,
) -> Changed:  # fmt: skip
    """Close ``hub``, or one zone or care room of it (by their codes), from a day to a day.

    ``closed_until`` and ``closed_from``: only the morning until then, or only from then on, of each of these days.
    Raises `VisitsAffected`; `DomainError` ``reason_missing``, ``not_forward``, ``in_past``, ``too_long``, ``off_grid``,
    ``two_ends``, ``two_places`` (422), ``zone_unknown``, ``room_unknown`` (404).
    """
    reason = nfkc(reason)[:80]
    _check(hub, starts_on, ends_on, reason, closed_until, closed_from)
    if zone and room:
        raise DomainError("two_places", _("場所か へやの どちらか 1つを えらんでください。"), 422)
    when: dict[str, Any] = {
        "starts_on": starts_on, "ends_on": ends_on, "closed_until": closed_until, "closed_from": closed_from,
        "cause": cause,
    }  # fmt: skip
    why: dict[str, Any] = {"reason": reason, "created_by": actor}

    def work(fresh: Hub) -> None:
        if room:
            _add(RoomClosure.objects.all(), {"room": room_of(fresh, room), **when}, why)
        else:
            _add(
                Closure.objects.all(),
                {"hub": fresh, "zone": zone_of(fresh, zone) if zone else None, **when},
                why,
            )

    days = days_between(starts_on, ends_on)
    return change_open_time(hub, work, reason=reason, confirm=confirm, actor=actor, cause=cause, days=days)


def _add(rows: models.QuerySet[Any], what: dict[str, Any], why: dict[str, Any]) -> None:
    """A second tap finds the row of the first. Of another cause it is another closure: the one of a storm goes when the
    storm does, the one after an earthquake when somebody has looked."""
    if not rows.filter(**what).exists():
        rows.create(**what, **why)


def _check(
    hub: Hub, starts_on: date, ends_on: date, reason: str, closed_until: time | None, closed_from: time | None
) -> None:
    if not reason:
        raise DomainError(
            "reason_missing",
            _("お休みの わけを 書いてください。予約した人に 伝えます。"),
            422,
            field="reason",
        )
    if ends_on < starts_on:
        raise DomainError(
            "not_forward", _("終わりの日を、始まりの日より あとに してください。"), 422, field="ends_on"
        )
    if ends_on < clock.today(hub.tz):
        raise DomainError(
            "in_past",
            _("もう すぎた日です。きょうか、これからの日を えらんでください。"),
            422,
            field="starts_on",
        )
    if (ends_on - starts_on).days > MAX_CLOSURE_DAYS:
        raise DomainError("too_long", _("1回の お休みは 400日までです。"), 422, field="ends_on")
    if closed_until is not None and closed_from is not None:
        raise DomainError(
            "two_ends",
            _("朝の 部分か 夕方の 部分の どちらかを えらんでください。あいだだけの お休みは できません。"),
            422,
        )
    for at, name in ((closed_until, "closed_until"), (closed_from, "closed_from")):
        if at is not None and not on_grid_time(at):
            raise DomainError("off_grid", _("時間は 15分きざみで えらんでください。"), 422, field=name)


def running(hub: Hub) -> list[ClosedTime]:
    """Closed times of ``hub``, its zones and its care rooms that run or come, by day."""
    today = clock.today(hub.tz)
    rows: list[ClosedTime] = [
        *Closure.objects.filter(hub=hub, ends_on__gte=today).select_related("created_by", "zone"),
        *RoomClosure.objects.filter(room__hub=hub, ends_on__gte=today).select_related("created_by", "room"),
    ]
    return sorted(rows, key=lambda row: (row.starts_on, row.created_at))


def end_closure(*, hub: Hub, code: str) -> None:
    """Open again from today on: a closure that has not begun goes, one that runs ends yesterday.

    Raises `DomainError` ``closure_unknown`` (404). Visits that were ended or shortened stay so; people book anew.
    """

    def work() -> None:
        fresh = facts.take(hub)
        today = clock.today(fresh.tz)
        _end(fresh, code, today)
        facts.touch(fresh)
        capacity.rebuild_hub(fresh, confirm_shortfall=True)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")

    run_write(work)


def _end(hub: Hub, code: str, today: date) -> None:
    row: models.Model | None = Closure.objects.filter(hub=hub, code=code, ends_on__gte=today).first()
    row = row or RoomClosure.objects.filter(room__hub=hub, code=code, ends_on__gte=today).first()
    if not isinstance(row, ClosedTime):
        raise DomainError("closure_unknown", _("その お休みは 見つかりません。"), 404)
    if row.starts_on >= today:
        row.delete()
    else:
        row.ends_on = today - timedelta(days=1)
        row.save(update_fields=["ends_on"])


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
