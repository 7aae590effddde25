"""The demo's "now": the hub is always open when somebody looks at it (design 3, HUB_NOW).

Kept free of Django, since settings call it before any app is loaded.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

TOKYO = ZoneInfo("Asia/Tokyo")
FIRST = time(9, 40)
LAST = time(16, 0)


def is_demo_day(day: date) -> bool:
    """Whether the demo hubs are open: a weekday, no national holiday, not 12-29 to 01-03."""
    if day.weekday() >= 5 or (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
        return False
    return day not in holidays.country_holidays("JP", years=day.year)


def demo_now(real: datetime) -> datetime:
    """``real`` itself while the demo hubs are open, otherwise 9:40 of the next day on which they are."""
    local = real.astimezone(TOKYO)
    day = local.date()
    if is_demo_day(day) and FIRST <= local.time() <= LAST:
        return real
    if local.time() > LAST or not is_demo_day(day):
        day += timedelta(days=1)
    while not is_demo_day(day):
        day += timedelta(days=1)
    return datetime.combine(day, FIRST, tzinfo=TOKYO).astimezone(UTC)
