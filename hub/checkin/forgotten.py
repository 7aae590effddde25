"""Who forgot to scan on the way out, and passes that nobody shows any more: work of the tick."""

from datetime import datetime, time, timedelta

from hub.checkin import presences
from hub.checkin.enums import PresenceEnd
from hub.checkin.models import Pass, Presence
from hub.childcare.queries import in_care_through
from hub.core import clock
from hub.core.db import run_write
from hub.core.quarters import local
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub

KEEP_PASSES = timedelta(days=7)


def closing_of(presence: Presence) -> datetime:
    """When whoever came then must have gone: that day's closing time, or midnight where it was closed already."""
    hub = presence.hub
    day = presence.entered_at.astimezone(hub.tz).date()
    opening = facts_of(hub).day(day).period
    if opening is not None and presence.entered_at < opening.ends_at:
        return opening.ends_at
    return local(day + timedelta(days=1), time(0), hub.tz)


def close_forgotten(hub: Hub) -> int:
    """At closing time whoever is still inside is taken to have gone home then (``assumed``). Returns how many.

    Who still has a child in care stays inside: she is somewhere, and the child waits for her. Each person is her own
    transaction, so that one who leaves at this moment is waited for alone.
    """
    now = clock.now()
    rows = Presence.objects.filter(hub=hub, left_at=None).select_related("hub").order_by("pk")
    due = [presence.pk for presence in rows if closing_of(presence) <= now]
    return sum(run_write(lambda pk=pk: _close(pk)) for pk in due)  # type: ignore[misc]  # bound now, not late


def _close(pk: int) -> bool:
    member_id = Presence.objects.filter(pk=pk).values_list("member_id", flat=True).first()
    if member_id is not None:
        member = presences.lock_member(member_id)
        if in_care_through(member).exists():
            return False
    rows = Presence.objects.select_for_update(of=("self",), no_key=True).select_related(
        "hub", "member", "visit"
    )
    presence = rows.filter(pk=pk, left_at=None).first()
    if presence is None:
        return False
    presences.close(presence, closing_of(presence), PresenceEnd.ASSUMED, None)
    return True


def prune_passes() -> int:
    """Delete passes of days more than a week ago; scans keep their trace. Returns how many."""
    # The hubs' zones differ by less than a day, which a week does not notice.
    old = Pass.objects.filter(day__lt=clock.now().date() - KEEP_PASSES)
    return run_write(old.delete)[0] if old.exists() else 0
