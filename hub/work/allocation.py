"""Sharing units out among people: pure, no database and no clock. The same input gives the same shares, whatever its order.

Max-min fair ("water filling"): everybody gets the same number, and who has less room gets what she has room for, so that
nobody goes without while somebody else has more than the fair share. Sources: domain.md B5.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """Somebody who may get units: how many her hours have room for, how many one person gets at most (None: no cap),
    and how many minutes of work she was handed lately."""

    code: str
    hours_units: int
    recent_minutes: int = 0
    cap: int | None = None

    def __post_init__(self) -> None:
        if self.hours_units < 0 or (self.cap is not None and self.cap < 0):
            raise ValueError("room is 0 or more")

    @property
    def room(self) -> int:
        return self.hours_units if self.cap is None else min(self.hours_units, self.cap)


class Binds(StrEnum):
    """What kept somebody's count where it is."""

    SHARE = "share"  # all units are given: she has what everybody has
    HOURS = "hours"
    CAP = "cap"


@dataclass(frozen=True)
class Share:
    """How many units somebody gets and why: ``fair`` for each of the ``people`` who are not bound by hours or cap, and
    perhaps one ``extra`` of what was left over."""

    code: str
    count: int
    binds: Binds
    fair: int
    people: int
    extra: bool
    hours_units: int
    cap: int | None

    def facts(self) -> dict[str, Any]:
        """As `Assignment.explanation` keeps it: numbers, no names."""
        return {name: value for name, value in asdict(self).items() if name != "code"}


def _fair(total: int, rooms: Sequence[int]) -> int:
    """The highest level to which all can be filled: the sum of min(room, level) is not over ``total``."""
    left, level = total, 0
    waiting = len(rooms)
    for room in sorted(rooms):
        if (room - level) * waiting > left:
            return level + left // waiting
        left -= (room - level) * waiting
        level, waiting = room, waiting - 1
    return level


def allocate(total: int, people: Sequence[Candidate]) -> list[Share]:
    """Share ``total`` units out among ``people``; the answer is in the order of their codes.

    Together it is all of ``total``, or all that there is room for. What is left over after equal shares goes one each:
    first to who was handed the fewest minutes lately, then by code. Raises ValueError for a code that stands there twice.
    """
    if total < 0 or len({one.code for one in people}) != len(people):
        raise ValueError("0 units or more, and each code once")
    fair = _fair(total, [one.room for one in people])
    able = [one for one in people if one.room > fair]
    rest = total - sum(min(one.room, fair) for one in people)
    lucky = {one.code for one in sorted(able, key=lambda one: (one.recent_minutes, one.code))[:rest]}
    sharing = len(able)
    shares = []
    for one in sorted(people, key=lambda one: one.code):
        count = min(one.room, fair) + (one.code in lucky)
        bound = Binds.CAP if one.cap is not None and one.cap < one.hours_units else Binds.HOURS
        binds = Binds.SHARE if one.room > fair else bound
        shares.append(
            Share(one.code, count, binds, fair, sharing, one.code in lucky, one.hours_units, one.cap)
        )
    return shares


def inputs_of(total: int, people: Iterable[Candidate]) -> dict[str, Any]:
    """What `allocate` is given, as `HandOut.inputs` keeps it: codes and numbers."""
    return {"total": total, "people": [asdict(one) for one in sorted(people, key=lambda one: one.code)]}


def again(inputs: Mapping[str, Any]) -> list[Share]:
    """The shares of a hand-out that was made before, from what it kept."""
    return allocate(inputs["total"], [Candidate(**one) for one in inputs["people"]])


# ---------------------------------------------------------------- room by hours


def weeks_ahead(open_days: Iterable[date], usual_days: int) -> Fraction:
    """How many weeks of work lie in ``open_days``: each ISO week counts by the part of the hub's ``usual_days`` that is
    really open and still ahead, and never more than once. A closed week gives nothing."""
    found: dict[tuple[int, int], int] = {}
    for day in set(open_days):
        week = day.isocalendar()[:2]
        found[week] = found.get(week, 0) + 1
    if usual_days < 1:
        return Fraction(0)
    return sum((min(Fraction(days, usual_days), Fraction(1)) for days in found.values()), Fraction(0))


def hours_units(minutes_a_week: int, weeks: Fraction, busy_minutes: int, minutes_per_unit: int) -> int:
    """How many units the offered time has room for beside what is in hand already; never under 0."""
    return max(int((minutes_a_week * weeks - busy_minutes) // minutes_per_unit), 0)
