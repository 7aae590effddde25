"""Reads of who is inside, for the person herself: her open presence, and whether she forgot to scan on the way out."""

from datetime import datetime, timedelta

from hub.checkin.models import Presence
from hub.members.models import Member

#: So long after the end of a visit the phone asks whether its person has gone.
ASK_AFTER = timedelta(minutes=15)


def open_presence(member: Member) -> Presence | None:
    """The one presence of ``member`` that nobody closed (I7), with its hub and visit."""
    return Presence.objects.select_related("hub", "visit").filter(member=member, left_at=None).first()


def is_overdue(presence: Presence, now: datetime) -> bool:
    """Whether the visit ended `ASK_AFTER` ago and the door has seen nobody leave."""
    return presence.visit is not None and presence.visit.ends_at + ASK_AFTER <= now
