"""What somebody asks for: a period at a hub, a seat or a way to find one, children for all or part of the time."""

from dataclasses import dataclass, replace
from enum import StrEnum

from hub.childcare.models import Child
from hub.childcare.places import Wish
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces.models import Hub, Seat, Zone


class SeatMode(StrEnum):
    SEAT = "seat"  # this one
    ZONE = "zone"  # any in this zone
    ANY = "any"  # おまかせ
    NONE = "none"  # childcare or a meeting without a seat


@dataclass(frozen=True)
class SeatWish:
    mode: SeatMode = SeatMode.ANY
    seat: Seat | None = None
    zone: Zone | None = None


@dataclass(frozen=True)
class ChildWish:
    """A child, the whole time (``period`` None) or a part inside the visit."""

    child: Child
    period: Period | None = None


@dataclass(frozen=True)
class VisitRequest:
    member: Member
    hub: Hub
    period: Period
    seat: SeatWish = SeatWish()
    children: tuple[ChildWish, ...] = ()

    @property
    def wishes(self) -> tuple[Wish, ...]:
        return tuple(Wish(want.child, want.period or self.period) for want in self.children)

    def at(self, period: Period) -> "VisitRequest":
        """The same wish at another time: parts of the time keep their distance from the start, cut to fit."""
        by = period.starts_at - self.period.starts_at
        moved = []
        for want in self.children:
            if want.period is None:
                moved.append(want)
                continue
            part = want.period.shifted(by)
            part = Period(max(part.starts_at, period.starts_at), min(part.ends_at, period.ends_at))
            moved.append(replace(want, period=part if part.starts_at < part.ends_at else None))
        return replace(self, period=period, children=tuple(moved))
