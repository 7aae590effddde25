"""The only reader of the clock (lint bans the others), so that a demo or a test can choose "now".

``HUB_NOW`` shifts the clock by a fixed offset; it runs on from there. Sign-in codes, sessions and the
task queue live on the machine's own time: only the rules of the hub follow this clock.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo

from django.conf import settings


def machine_now() -> datetime:
    """The machine's own time in UTC, without the demo's shift: for queues, logs and expiry of secrets."""
    return datetime.now(UTC)


def now() -> datetime:
    """Current time in UTC, shifted by ``settings.CLOCK_OFFSET`` (zero outside demo and tests)."""
    offset: timedelta = settings.CLOCK_OFFSET
    return machine_now() + offset


def today(tz: tzinfo) -> date:
    """The calendar day it is now in ``tz``."""
    return now().astimezone(tz).date()
