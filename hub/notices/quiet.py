"""Quiet hours: between 21:00 and 7:00 nothing rings, except what cannot wait (ux.md 7)."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.core.quarters import local

ZONE = ZoneInfo("Asia/Tokyo")  # where the hubs are; a person has no zone of her own
BEGINS, ENDS = time(21), time(7)


def not_before(moment: datetime) -> datetime:
    """The first moment from ``moment`` on at which a phone may ring."""
    here = moment.astimezone(ZONE)
    if here.time() >= BEGINS:
        return local(here.date() + timedelta(days=1), ENDS, ZONE)
    if here.time() < ENDS:
        return local(here.date(), ENDS, ZONE)
    return moment


def next_begin(moment: datetime) -> datetime:
    """When the quiet hours after ``moment`` begin; from 21:00 on, those of the next evening."""
    here = moment.astimezone(ZONE)
    day = here.date() if here.time() < BEGINS else here.date() + timedelta(days=1)
    return local(day, BEGINS, ZONE)
