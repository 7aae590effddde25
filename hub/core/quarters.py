"""Bookable time is cut into quarters: a quarter is the integer ``epoch seconds // 900`` (15 minutes, UTC)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

SECONDS = 900
MINUTES = 15


def quarter_of(moment: datetime) -> int:
    """The quarter that contains ``moment`` (aware)."""
    return int(moment.timestamp()) // SECONDS


def start_of(quarter: int) -> datetime:
    """The moment at which ``quarter`` begins, in UTC."""
    return datetime.fromtimestamp(quarter * SECONDS, UTC)


def on_grid(moment: datetime, minutes: int = MINUTES) -> bool:
    """Whether ``moment`` lies on a step of ``minutes`` counted from local midnight."""
    return (moment.hour * 60 + moment.minute) % minutes == 0 and not (moment.second or moment.microsecond)


def on_grid_time(at: time) -> bool:
    """`on_grid` for a time of day."""
    return (at.hour * 60 + at.minute) % MINUTES == 0 and not (at.second or at.microsecond)


def local(day: date, at: time, tz: tzinfo) -> datetime:
    """The moment of a wall-clock time on a day in ``tz``."""
    return datetime.combine(day, at, tzinfo=tz)


@dataclass(frozen=True, order=True)
class Period:
    """A half-open range ``[starts_at, ends_at)`` of aware moments."""

    starts_at: datetime
    ends_at: datetime

    @property
    def quarters(self) -> range:
        """The quarters inside, ascending. Both ends lie on the grid."""
        return range(quarter_of(self.starts_at), quarter_of(self.ends_at))

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at

    @property
    def minutes(self) -> int:
        return int(self.length.total_seconds()) // 60

    def contains(self, other: "Period") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def overlaps(self, other: "Period") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def shifted(self, by: timedelta) -> "Period":
        return Period(self.starts_at + by, self.ends_at + by)

    def in_zone(self, tz: tzinfo) -> "Period":
        return Period(self.starts_at.astimezone(tz), self.ends_at.astimezone(tz))


def in_calendar(moment: date) -> bool:
    """Whether a day or moment is far enough from both ends of Python's calendar to count around it.

    0001-01-01 and 9999-12-31 are dates too, but the week around them, or the same moment in another zone, is not.
    """
    return 1900 <= moment.year < 9000


def runs(quarters: Iterable[int]) -> list[Period]:
    """Consecutive quarters joined to periods in UTC, ascending: for sentences like 11:00 to 13:00."""
    out: list[Period] = []
    first = last = None
    for quarter in sorted(set(quarters)):
        if last is not None and quarter == last + 1:
            last = quarter
            continue
        if first is not None and last is not None:
            out.append(Period(start_of(first), start_of(last + 1)))
        first = last = quarter
    if first is not None and last is not None:
        out.append(Period(start_of(first), start_of(last + 1)))
    return out
