"""The manager's day as one picture: seats x hours with their visits, who uses what per half hour, five numbers.

The board and the table show the same rows. Times here are the hub's wall clock; positions are quarters from the left
edge, which CSS classes turn into places (docs/desk-day.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from hub.booking.no_show import late_from
from hub.booking.templatetags.booking import named
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace
from hub.childcare.queries import rooms_of
from hub.core.quarters import MINUTES, Period, local
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import HubFacts, facts_of
from hub.spaces.models import Hub, Seat, Visit, Zone

HALF_HOUR = timedelta(minutes=30)
#: A block is drawn at least so long (44 px of the narrowest board): a shorter visit gets a line of its own if it must.
LEAST_SHOWN = timedelta(minutes=45)
SHORT = timedelta(minutes=75)  # blocks up to this length have little room for a name
#: Not on the board: nobody is expected, and the seat is somebody else's by now.
LEFT_OUT = (VisitStatus.CANCELLED, VisitStatus.CANCELLED_BY_HUB)
GAVE_BACK = (VisitStatus.RELEASED,)  # shown, but it uses nothing any more


class State(StrEnum):
    """How a visit stands. The block shows it by fill, border and icon, the table by a tag."""

    HERE = "here"
    OUT = "out"
    SOON = "soon"
    LATE = "late"
    LEFT = "left"
    OVER = "over"
    MISSED = "missed"

    @property
    def word(self) -> str:
        return {
            State.HERE: _("来ている"),
            State.OUT: _("外に 出ている"),
            State.SOON: _("これから"),
            State.LATE: _("まだ 来ていない"),
            State.LEFT: _("帰った"),
            State.OVER: _("終わった"),
            State.MISSED: _("来なかった"),
        }[self]

    @property
    def icon(self) -> str:
        return {
            State.HERE: "check", State.OUT: "cup", State.SOON: "clock", State.LATE: "alert", State.LEFT: "out",
            State.OVER: "out", State.MISSED: "x",
        }[self]  # fmt: skip

    @property
    def tag(self) -> str:
        """The kind of tag in the table."""
        return {State.HERE: "ok", State.OUT: "primary", State.SOON: "primary", State.LATE: "warn"}.get(
            self, ""
        )


def state_of(visit: Visit, now: datetime) -> State:
    """How ``visit`` stands at ``now``. A visit stays live after its person went out: until its end she may come back."""
    if visit.status in (VisitStatus.NO_SHOW, VisitStatus.RELEASED):
        return State.MISSED
    if visit.arrived_at is not None:
        if visit.status == VisitStatus.DONE or (visit.left_at is not None and visit.ends_at <= now):
            return State.LEFT
        return State.HERE if visit.left_at is None else State.OUT
    if visit.status == VisitStatus.DONE:
        return State.OVER  # the night put it away, and no door recorded who came
    if visit.ends_at <= now:
        return State.MISSED
    return State.LATE if late_from(visit) <= now else State.SOON


@dataclass(frozen=True)
class Block:
    """One visit: where it stands on the board, and everything that is said about it. No health text, no child's name."""

    visit: Visit
    starts: datetime
    ends: datetime
    state: State
    children: int
    at: int  # quarters from the left edge
    wide: int  # quarters

    @property
    def short(self) -> bool:
        return self.ends - self.starts <= SHORT

    @property
    def uses(self) -> bool:
        """Whether it holds its seat and places (a released one gave them back)."""
        return self.visit.status not in GAVE_BACK


@dataclass(frozen=True)
class Lane:
    """A seat, or no seat, with its blocks in as many lines as they need."""

    label: str
    lines: list[list[Block]]

    @property
    def blocks(self) -> list[Block]:
        return sorted((b for line in self.lines for b in line), key=lambda b: (b.starts, b.visit.pk))


@dataclass(frozen=True)
class Group:
    name: str
    lanes: list[Lane]


@dataclass(frozen=True)
class Half:
    """Half an hour: seats held and children planned, the most in it."""

    starts: datetime
    ends: datetime
    seats: int
    children: int


@dataclass(frozen=True)
class Strip:
    """How much of what there is is used, per half hour."""

    name: str
    kind: str
    most: int
    of: int
    values: list[int]

    @property
    def bars(self) -> list[tuple[str, str, str]]:
        """x, y and height of each bar in a picture of ``len(values)`` x 100."""
        rows = []
        for n, value in enumerate(self.values):
            high = min(100, round(100 * value / self.of)) if self.of else 0
            rows.append((f"{n + 0.04:.2f}", str(100 - high), str(high)))
        return rows


@dataclass(frozen=True)
class Kpi:
    """One of the five numbers with its unit; ``note`` is the line below it, ``link`` where it leads."""

    label: str
    value: str
    unit: str
    note: str
    warns: bool = False
    link: str = ""


@dataclass
class Board:
    """A day of ``hub`` as the manager sees it at ``now`` (hub's wall clock)."""

    hub: Hub
    day: date
    now: datetime
    period: Period | None  # opening hours, in the hub's zone
    reason: str
    starts: datetime  # left edge, a full hour
    hours: int
    groups: list[Group] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    halves: list[Half] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    seats: int = 0
    places: int = 0

    @property
    def is_today(self) -> bool:
        return self.day == self.now.date()

    @property
    def is_past(self) -> bool:
        return self.day < self.now.date()

    @property
    def late(self) -> list[Block]:
        """Whose visit has begun some time ago and who did not come: call her, or give the seat on."""
        return [block for block in self.blocks if block.state == State.LATE]

    @property
    def came(self) -> int:
        return sum(block.visit.arrived_at is not None for block in self.blocks)

    @property
    def missed(self) -> int:
        return sum(block.state == State.MISSED for block in self.blocks)

    @property
    def expected(self) -> int:
        """Everybody with a booking, those who came included; whose seat was given on is not."""
        return sum(block.uses for block in self.blocks)

    @property
    def now_at(self) -> str:
        """Where now is, in percent of the width; empty when it is not on the board."""
        part = (self.now - self.starts) / timedelta(hours=self.hours)
        return f"{100 * part:.2f}%" if 0 <= part <= 1 else ""

    @property
    def marks(self) -> list[datetime]:
        return [self.starts + timedelta(hours=n) for n in range(self.hours)]

    def seats_at(self, moment: datetime) -> int:
        """Seats held at ``moment``."""
        return len({b.visit.seat_id for b in self._running(moment) if b.visit.seat_id is not None})

    def children_at(self, moment: datetime) -> int:
        """Children planned at ``moment``."""
        return sum(
            place.starts_at <= moment < place.ends_at
            for block in self.blocks
            if block.uses
            for place in places_of(block.visit)
        )

    def _running(self, moment: datetime) -> list[Block]:
        return [b for b in self.blocks if b.uses and b.starts <= moment < b.ends]

    @property
    def used_share(self) -> int:
        """Percent of the seat hours of the opening time that are held, over the whole day."""
        if self.period is None or not self.seats:
            return 0
        held = sum(
            max(
                0.0, (min(b.ends, self.period.ends_at) - max(b.starts, self.period.starts_at)).total_seconds()
            )
            for b in self.blocks
            if b.uses and b.visit.seat_id is not None
        )
        return round(100 * held / (self.seats * self.period.length.total_seconds()))


def places_of(visit: Visit) -> list[CarePlace]:
    found: list[CarePlace] = visit.booked_places  # type: ignore[attr-defined]  # the prefetch of `visits_of`
    return found


def visits_of(hub: Hub, day: date) -> list[Visit]:
    """Every visit of a local day with its seat, its person and its children's places, in two queries."""
    first, last = local(day, time(0), hub.tz), local(day + timedelta(days=1), time(0), hub.tz)
    booked = CarePlace.objects.filter(status=PlaceStatus.BOOKED).order_by("pk")
    rows = (
        Visit.objects.filter(hub=hub, starts_at__lt=last, starts_at__gte=first)
        .exclude(status__in=LEFT_OUT)
        .select_related("member", "seat__zone")
        .prefetch_related(Prefetch("care_places", booked, to_attr="booked_places"))
        .order_by("starts_at", "pk")
    )
    return list(rows)


def board_of(hub: Hub, day: date, now: datetime, language: str) -> Board:
    """The whole day. ``now`` is a moment in the hub's zone; nothing here asks the clock."""
    facts = facts_of(hub)
    info = facts.day(day, language)
    period = info.period.in_zone(hub.tz) if info.period else None
    visits = visits_of(hub, day)
    starts, hours = _edges(day, hub, period, visits)
    board = Board(hub, day, now, period, info.reason, starts, hours)
    board.seats, board.places = len(facts.seats), sum(room.places for room in rooms_of(hub))
    board.blocks = [_block(visit, starts, hours, hub, now) for visit in visits]
    board.groups = _groups(facts, board.blocks, facts.zones_closed(info.period) if info.period else {})
    board.halves = _halves(board)
    board.strips = _strips(board)
    return board


def _edges(day: date, hub: Hub, period: Period | None, visits: Sequence[Visit]) -> tuple[datetime, int]:
    """Full hours around the opening time and every visit, so that nothing falls off the board."""
    moments = [m for v in visits for m in (v.starts_at.astimezone(hub.tz), v.ends_at.astimezone(hub.tz))]
    moments += [period.starts_at, period.ends_at] if period else []
    if not moments:
        moments = [local(day, time(9), hub.tz), local(day, time(17), hub.tz)]
    starts = min(moments).replace(minute=0, second=0, microsecond=0)
    length = max(moments) - starts
    return starts, min(24, max(1, -(-length // timedelta(hours=1))))


def _block(visit: Visit, left: datetime, hours: int, hub: Hub, now: datetime) -> Block:
    when = visit.period.in_zone(hub.tz)
    visit.hub = hub
    at = int((when.starts_at - left).total_seconds()) // (MINUTES * 60)
    wide = max(1, when.minutes // MINUTES)
    children = len(places_of(visit))
    return Block(
        visit, when.starts_at, when.ends_at, state_of(visit, now), children, at, min(wide, hours * 4 - at)
    )


def _groups(facts: HubFacts, blocks: Sequence[Block], closed: Mapping[int, str]) -> list[Group]:
    """A lane for each seat by zone (``closed``: with the reason); seats out of use only where somebody holds one; last,
    visits without a seat."""
    by_seat: dict[int | None, list[Block]] = defaultdict(list)
    for block in blocks:
        by_seat[block.visit.seat_id].append(block)

    def lane(seat: Seat) -> Lane:
        return Lane(seat.label, _lines(by_seat.get(seat.pk, [])))

    def title(zone: Zone) -> str:
        if zone.pk not in closed:
            return named(zone)
        return _("%(zone)s（お休み：%(reason)s）") % {"zone": named(zone), "reason": closed[zone.pk]}

    found = [
        Group(title(zone), [lane(seat) for seat in facts.seats if seat.zone_id == zone.pk])
        for zone in facts.zones
    ]
    known = {seat.pk for seat in facts.seats}
    gone = {b.visit.seat.pk: b.visit.seat for b in blocks if b.visit.seat and b.visit.seat.pk not in known}
    found.append(Group(_("いまは 使っていない 席"), [lane(seat) for seat in gone.values()]))
    if by_seat.get(None):
        found.append(Group(_("席なし"), [Lane(_("席なし"), _lines(by_seat[None]))]))
    return [group for group in found if group.lanes]


def _lines(blocks: Iterable[Block]) -> list[list[Block]]:
    """Blocks that would cover each other come into lines below each other; an empty lane has one empty line."""
    lines: list[list[Block]] = [[]]
    for block in blocks:
        fitting = (line for line in lines if not line or _shown_until(line[-1]) <= block.starts)
        line = next(fitting, None)
        if line is None:
            lines.append(line := [])
        line.append(block)
    return lines


def _shown_until(block: Block) -> datetime:
    return max(block.ends, block.starts + LEAST_SHOWN)


def _halves(board: Board) -> list[Half]:
    found = []
    for n in range(board.hours * 2):
        starts = board.starts + n * HALF_HOUR
        quarters = [starts, starts + HALF_HOUR / 2]
        seats, children = max(map(board.seats_at, quarters)), max(map(board.children_at, quarters))
        found.append(Half(starts, starts + HALF_HOUR, seats, children))
    return found


def _strips(board: Board) -> list[Strip]:
    seats = [half.seats for half in board.halves]
    children = [half.children for half in board.halves]
    found = [Strip(_("席"), "seats", max(seats, default=0), board.seats, seats)]
    if board.places or any(children):
        found.append(Strip(_("子ども"), "care", max(children, default=0), board.places, children))
    return found


def next_opening(hub: Hub, day: date) -> date | None:
    """The first day after ``day`` on which the hub is open, within its horizon."""
    facts = facts_of(hub)
    days = (day + timedelta(days=n) for n in range(1, hub.horizon_days + 1))
    return next((one for one in days if facts.day(one).period), None)
