"""Usual weeks for tests: Misaki on some days, half past nine to half past twelve, from tomorrow on."""

from collections.abc import Sequence
from datetime import date, time, timedelta

from hub.booking.models_week import Series
from hub.booking.week_plan import Line, Pattern
from hub.childcare.models import Child
from hub.members.models import Member
from hub.spaces.facts import touch
from hub.spaces.models import Holiday, Hub, Zone
from tests import factories as make

HOURS = (time(9, 30), time(12, 30))


def pattern(
    member: Member, hub: Hub, *, days: Sequence[int] = (1, 3), weeks: int = 2, children: Sequence[Child] = (),
    hours: tuple[time, time] = HOURS, first: date = make.TOMORROW, zone: Zone | None = None,
    without_seat: bool = False,
) -> Pattern:  # fmt: skip
    """Tuesdays and Thursdays for two weeks from tomorrow (a Tuesday), unless said otherwise."""
    lines = tuple(Line(day, *hours, tuple(children)) for day in days)
    last = first + timedelta(days=weeks * 7 - 1)
    return Pattern(member, hub, first, last, lines, zone, without_seat)


def states(series: Series) -> list[tuple[str, str, str]]:
    """Date, state and code of every date."""
    return [
        (f"{day:%m-%d}", state, code)
        for day, state, code in series.dates.values_list("date", "state", "reason_code")
    ]


def holiday(hub: Hub, day: date, name: str) -> None:
    Holiday.objects.create(hub=hub, date=day, name=name, name_en=f"{name} (en)")
    touch(hub)
