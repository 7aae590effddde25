"""Opening hours per weekday, and the settings of a hub that decide what may be booked."""

from collections.abc import Mapping
from datetime import time

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.booking import services
from hub.booking.closures import change_open_time
from hub.booking.conflicts import Changed
from hub.booking.enums import Priority
from hub.childcare import capacity
from hub.core import live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import MINUTES, on_grid_time
from hub.members.models import Member
from hub.spaces import facts
from hub.spaces.models import Hub, OpeningHours

PAGE_STEPS = (15, 30, 60)
Hours = tuple[time, time]


def set_hours(
    *, actor: Member, hub: Hub, hours: Mapping[int, Hours | None], confirm: bool = False
) -> Changed:
    """Replace the opening hours of the weekdays in ``hours`` (0 = Monday; None: closed that weekday).

    Raises `VisitsAffected` with the visits that would fall outside, unless ``confirm`` ends them; `DomainError`
    ``not_forward``, ``off_grid`` (422).
    """
    for span in hours.values():
        if span is None:
            continue
        if span[1] <= span[0]:
            raise DomainError("not_forward", _("終わりの時間を、始まりより あとに してください。"), 422)
        if not (on_grid_time(span[0]) and on_grid_time(span[1])):
            raise DomainError("off_grid", _("時間は 15分きざみで えらんでください。"), 422)

    def work(fresh: Hub) -> None:
        for weekday, span in hours.items():
            if span is None:
                OpeningHours.objects.filter(hub=fresh, weekday=weekday).delete()
            else:
                OpeningHours.objects.update_or_create(
                    hub=fresh, weekday=weekday, defaults={"opens": span[0], "closes": span[1]}
                )

    reason = gettext("開いている 時間が 変わりました")
    return change_open_time(hub, work, reason=reason, confirm=confirm, actor=actor)


def update_settings(
    *,
    hub: Hub,
    horizon_days: int,
    page_step: int,
    max_visit_minutes: int,
    max_open_visits: int,
    change_deadline: time,
    wait_order: str = "no_visit",
    offer_minutes: int = 60,
    offer_cutoff: int = 60,
    grace_minutes: int = 20,
    releases_missed: bool = True,
) -> Hub:
    """What may be booked from now on; visits booked before stay as they are. Raises `DomainError` ``setting_invalid`` (422)."""
    if (
        not (1 <= horizon_days <= 120 and 15 <= max_visit_minutes <= 900 and 1 <= max_open_visits <= 100)
        or page_step not in PAGE_STEPS
        or max_visit_minutes % MINUTES
        or not (10 <= offer_minutes <= 1440 and 40 <= offer_cutoff <= 2880 and 5 <= grace_minutes <= 120)
        or set(filter(None, wait_order.split(","))) - set(Priority.values)
    ):
        raise DomainError("setting_invalid", _("えらべる はんいの 数を 入れてください。"), 422)

    def work() -> Hub:
        fresh = facts.take(hub)
        fresh.horizon_days, fresh.page_step = horizon_days, page_step
        fresh.max_visit_minutes, fresh.max_open_visits = max_visit_minutes, max_open_visits
        fresh.change_deadline, fresh.wait_order = change_deadline, wait_order
        fresh.offer_minutes, fresh.offer_cutoff = offer_minutes, offer_cutoff
        fresh.grace_minutes, fresh.releases_missed = grace_minutes, releases_missed
        fresh.save(
            update_fields=[
                "horizon_days", "page_step", "max_visit_minutes", "max_open_visits", "change_deadline", "wait_order",
                "offer_minutes", "offer_cutoff", "grace_minutes", "releases_missed",
            ]
        )  # fmt: skip
        facts.touch(fresh)
        capacity.extend_to_horizon(fresh)
        services.freed(fresh)
        live.broadcast(f"hub.{fresh.slug}", "availability")
        return fresh

    return run_write(work)


def update_storm_steps(
    *, hub: Hub, announce_by: time, normal_by: time, late_by: time, wait_minutes: int, lunch_by: time
) -> Hub:
    """The steps of a storm day (RULE-32). Raises `DomainError` ``not_forward``, ``setting_invalid`` (422)."""
    if late_by < normal_by:
        raise DomainError(
            "not_forward", _("「開ける」時間を、「いつも通り」の 時間より あとに してください。"), 422,
            field="storm_late_by",
        )  # fmt: skip
    if not 0 <= wait_minutes <= 240:
        raise DomainError("setting_invalid", _("えらべる はんいの 数を 入れてください。"), 422)

    def work() -> Hub:
        fresh = facts.take(hub)
        fresh.announce_by, fresh.storm_normal_by, fresh.storm_late_by = announce_by, normal_by, late_by
        fresh.storm_wait_minutes, fresh.storm_lunch_by = wait_minutes, lunch_by
        fresh.save(
            update_fields=[
                "announce_by",
                "storm_normal_by",
                "storm_late_by",
                "storm_wait_minutes",
                "storm_lunch_by",
            ]
        )
        facts.touch(fresh)
        return fresh

    return run_write(work)
