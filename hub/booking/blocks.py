"""Stopping somebody's bookings: the block itself, and the visits she still holds."""

from django.db import connection

from hub.booking import services, waiting
from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces import facts, people
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.models import Hub, Visit


def open_visits(hub: Hub, member: Member) -> list[Visit]:
    """Live visits of ``member`` at ``hub`` to which nobody has come yet, by start. Inside a transaction: locked."""
    rows = Visit.objects.filter(
        member=member, hub=hub, status__in=LIVE_STATUSES, ends_at__gt=clock.now(), arrived_at=None
    )
    if connection.in_atomic_block:
        rows = rows.select_for_update(of=("self",))
    return list(rows.select_related("hub", "member", "seat").order_by("starts_at", "pk"))


def block_member(*, actor: Member, hub: Hub, member: Member, reason: str, cancel_visits: bool) -> list[Visit]:
    """Stop ``member`` from booking at ``hub``; her visits there are ended only with ``cancel_visits``.

    Returns the visits ended. Raises `DomainError` ``reason_missing`` (422).
    """

    def work() -> list[Visit]:
        fresh = facts.take(hub)  # a booking that runs now is seen here, a later one meets the block
        people.set_blocked(actor=actor, hub=fresh, member=member, blocked=True, reason=reason)
        ended = open_visits(fresh, member) if cancel_visits else []
        for visit in ended:
            services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB, reason)
        waiting.withdraw_of(member, fresh)  # an offer is no booking yet: it goes in any case
        return ended

    return run_write(work)


def unblock_member(*, actor: Member, hub: Hub, member: Member) -> None:
    """Let ``member`` book at ``hub`` again."""

    def work() -> None:
        fresh = facts.take(hub)
        people.set_blocked(actor=actor, hub=fresh, member=member, blocked=False)
        services.freed(fresh)  # what she waits for may fit by now

    run_write(work)
