"""One reader of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import time_machine

from hub.core import clock


@time_machine.travel(datetime(2026, 12, 7, 15, 30, tzinfo=UTC), tick=False)
def test_now_is_shifted_by_the_offset_and_machine_now_is_not(settings) -> None:  # type: ignore[no-untyped-def]
    settings.CLOCK_OFFSET = timedelta(days=2, minutes=5)

    assert clock.now() == datetime(2026, 12, 9, 15, 35, tzinfo=UTC)
    assert clock.machine_now() == datetime(2026, 12, 7, 15, 30, tzinfo=UTC)


@time_machine.travel(datetime(2026, 12, 7, 15, 30, tzinfo=UTC), tick=False)
def test_today_is_the_day_of_the_zone() -> None:
    assert clock.today(ZoneInfo("Asia/Tokyo")) == date(2026, 12, 8)
    assert clock.today(ZoneInfo("Europe/Berlin")) == date(2026, 12, 7)
