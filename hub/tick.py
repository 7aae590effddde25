"""Periodic work, safe to run at any moment and by several processes: once a minute, and a part once a night.

Every step has its own transaction and may be repeated. A step that fails does not keep the others from running; its
name stands in the heartbeat, which the health page shows.
"""

from collections.abc import Callable
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.contrib.sessions.models import Session

from hub.booking import no_show, reminders, services, waiting, week
from hub.booking.models_week import Series
from hub.checkin import forgotten
from hub.childcare import attendance, capacity, children, custody, ratio
from hub.childcare.models import Attendance, ChildClaim, SickLeave
from hub.core import clock, tasks
from hub.core.db import run_write
from hub.core.idempotency import KEEP_HOURS
from hub.core.models import Heartbeat, IdempotencyKey
from hub.core.quarters import local, quarter_of
from hub.invariants import nightly_name, stragglers
from hub.notices import delivery, retention
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit, VisitClaim
from hub.work import imports, returning, review, statements

log = structlog.get_logger(__name__)
TICK = "tick"
TOKYO = ZoneInfo("Asia/Tokyo")  # the fiscal year of the law, whatever the hub's zone
STRAGGLERS = "stragglers"


def run() -> list[str]:
    """Everything that is due; returns the names of steps that failed (empty when all went well)."""
    failed: list[str] = []

    def step(name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            failed.append(name)
            log.exception("tick_failed", step=name)

    hubs = list(Hub.objects.order_by("pk"))
    for hub in hubs:
        step(f"horizon {hub.slug}", lambda hub=hub: run_write(lambda: _horizon(hub)))  # type: ignore[misc]  # bound now, not late
    for hub in hubs:  # right after their quarters are laid out: who asked weeks ago comes before who asks now
        step(f"usual weeks {hub.slug}", lambda hub=hub: week.open_dates(hub))  # type: ignore[misc]  # bound now, not late
    step("unfinished weeks", week.resume)
    for hub in hubs:
        step(f"exits {hub.slug}", lambda hub=hub: forgotten.close_forgotten(hub))  # type: ignore[misc]  # bound now, not late
    for hub in hubs:
        step(f"reminders {hub.slug}", lambda hub=hub: reminders.remind(hub))  # type: ignore[misc]  # bound now, not late
    step("offers", waiting.settle_due)
    step("offers that no longer fit", waiting.settle_unfit)
    for hub in hubs:
        step(f"waiting {hub.slug}", lambda hub=hub: _waiting(hub))  # type: ignore[misc]  # bound now, not late
    step("passes", forgotten.prune_passes)
    step("notices", delivery.hand_on_due)
    step("stale tasks", lambda: run_write(tasks.requeue_stale))
    nights = [hub for hub in hubs if _night_is_due(hub)]
    if nights:
        step("old notices", lambda: run_write(retention.forget_old))
    for hub in nights:  # once a day: what may be stated since the 16th, and what is late
        step(f"statements {hub.slug}", lambda hub=hub: statements.make_due(hub))  # type: ignore[misc]  # bound now, not late
        step(f"late payments {hub.slug}", lambda hub=hub: statements.tell_overdue(hub))  # type: ignore[misc]  # bound now, not late
    for hub in nights:
        step(f"night {hub.slug}", lambda hub=hub: run_write(lambda: night(hub)))  # type: ignore[misc]  # bound now, not late
    step("old rows", _prune)
    step("retention", _forget)
    step("old waits", waiting.forget_old)
    step("unanswered files", imports.forget_old)
    step("silence accepts", review.accept_silent)
    step("rejected units", review.free_rejected)
    step("unmended units", review.free_unmended)
    step("work that comes back", returning.sweep)
    step("stragglers", _look_for_stragglers)
    run_write(lambda: _beat(TICK, ", ".join(failed)))
    return failed


def _beat(name: str, note: str = "") -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": clock.now(), "note": note[:200]})


def _horizon(hub: Hub) -> int:
    """New days are laid out with the hub's row held: a roster that changes now is seen here or lays them out itself."""
    made = capacity.extend_to_horizon(services.hold_queue(hub))
    if made:
        services.freed(hub)
    return made


def _waiting(hub: Hub) -> None:
    """Who did not come is asked, then what she held goes on; who can no longer come true is let go; the list is healed."""
    no_show.ask_missing(hub)
    no_show.release_missing(hub)
    waiting.end_past(hub)
    waiting.heal(hub)


def _night_is_due(hub: Hub) -> bool:
    last = Heartbeat.objects.filter(name=nightly_name(hub)).values_list("beat_at", flat=True).first()
    return last is None or last.astimezone(hub.tz).date() < clock.today(hub.tz)


def night(hub: Hub) -> int:
    """Put the days before today away: claims are deleted, visits get their last state. Returns claims deleted.

    History lives in the headers, so the claim tables stay small (design 4). A visit in the past that was never
    ended becomes ``done``: until the door records arrivals nobody can be known to have stayed away, and calling
    somebody a no-show who came would be worse than the other way round.
    """
    start = local(clock.today(hub.tz), time(0), hub.tz)
    first = quarter_of(start)
    open_ones = Visit.objects.filter(
        hub=hub, ends_at__lte=start, status__in=(VisitStatus.BOOKED, VisitStatus.IN)
    )
    open_ones.update(status=VisitStatus.DONE, changed_at=clock.now())
    deleted = ChildClaim.objects.filter(quarter__lt=first, place__room__hub=hub).delete()[0]
    deleted += VisitClaim.objects.filter(quarter__lt=first, visit__hub=hub).delete()[0]
    attendance.close_forgotten(hub, start)
    _beat(nightly_name(hub), f"{deleted} claims")
    return deleted


def _prune() -> None:
    """Finished tasks after two weeks, keys of double taps after 72 hours, sessions that ended; a few at a time."""
    now = clock.machine_now()
    old_keys = IdempotencyKey.objects.filter(created_at__lt=now - timedelta(hours=KEEP_HOURS))
    if old_keys.exists():
        run_write(old_keys.delete)
    ended = Session.objects.filter(expire_date__lt=now)
    if ended.exists():
        run_write(ended.delete)
    run_write(tasks.prune)


def _forget() -> None:
    """What may be kept no longer (RULE-16): visits with custodies and attendance after five fiscal years, health text of
    children grown up, word of an illness after the fiscal year that follows it."""
    today = clock.today(TOKYO)
    before = date(ratio.fiscal_year(today) - 5, 4, 1)
    moment = local(before, time(0), TOKYO)
    old = Visit.objects.filter(ends_at__lt=moment)
    if old.exists():
        run_write(lambda: (custody.forget_before(moment), old.delete()))
    weeks = Series.objects.filter(ends_on__lt=before)
    if weeks.exists():
        run_write(weeks.delete)
    clocked = Attendance.objects.filter(ends_at__lt=moment)
    if clocked.exists():
        run_write(clocked.delete)
    children.forget_health(today)
    ill = SickLeave.objects.filter(last_on__lt=date(ratio.fiscal_year(today) - 1, 4, 1))
    if ill.exists():
        run_write(ill.delete)


def _look_for_stragglers() -> None:
    """A live visit in closed time is reported, never changed: somebody must talk to that person (I11)."""
    found = stragglers()
    if found:
        log.warning("visits_in_closed_time", count=len(found), visits=found[:20])
    run_write(lambda: _beat(STRAGGLERS, str(len(found))))
