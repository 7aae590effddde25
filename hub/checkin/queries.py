"""Who is inside a hub at this moment: the list that is printed and taken along when everybody must leave."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from django.db.models import Q

from hub.checkin.enums import PresenceKind
from hub.checkin.models import Presence
from hub.childcare.enums import AttendanceKind, PlaceStatus
from hub.childcare.models import Attendance, CarePlace, Child, Custody
from hub.core import clock
from hub.members.models import Guardian, Member
from hub.spaces.enums import LIVE_STATUSES
from hub.spaces.models import Hub


class ChildAt(StrEnum):
    """Where a child inside is: with the carers, on the way to them, or back with a parent who is still inside."""

    ROOM = "room"
    ANNOUNCED = "announced"
    WITH_PARENT = "with_parent"


@dataclass(frozen=True)
class InsideAdult:
    """Somebody inside ``since``. ``phone`` is her own; visitors have none. ``visit`` is the code of her booking."""

    name: str
    since: datetime
    kind: str
    phone: str = ""
    seat: str = ""
    visit: str = ""
    on_break: bool = False  # a carer on her break: she may be outside


@dataclass(frozen=True)
class InsideChild:
    """A child inside; ``since`` is when the carers received her, or when her parent came."""

    code: str
    name: str
    at: ChildAt
    since: datetime


@dataclass(frozen=True)
class Contact:
    name: str
    phone: str


@dataclass(frozen=True)
class Family:
    """Adults and children of one household. ``children_alone``: no guardian of theirs is inside, so ``call`` these."""

    adults: tuple[InsideAdult, ...]
    children: tuple[InsideChild, ...]
    children_alone: bool = False
    call: tuple[Contact, ...] = ()


@dataclass(frozen=True)
class Inside:
    """Everybody inside ``hub`` at the moment ``at``; all times in the hub's zone."""

    hub: Hub
    at: datetime
    families: tuple[Family, ...] = ()
    staff: tuple[InsideAdult, ...] = ()
    visitors: tuple[InsideAdult, ...] = ()

    @property
    def adults(self) -> int:
        return sum(len(family.adults) for family in self.families) + len(self.staff) + len(self.visitors)

    @property
    def children(self) -> int:
        return sum(len(family.children) for family in self.families)

    @property
    def total(self) -> int:
        return self.adults + self.children


@dataclass
class _Open:
    """A family while it is being put together."""

    adults: list[InsideAdult] = field(default_factory=list)
    children: dict[int, InsideChild] = field(default_factory=dict)
    household: int | None = None


def inside_of(hub: Hub) -> Inside:
    """Who is inside ``hub`` now, by family, in five queries whatever the number of people.

    A child counts when a carer has her, when her parent came through the door and her place has begun or begins within
    the time in which one may come early (announced), and after the hand-over for as long as that parent is inside: in a
    fire one child too many on the list is looked for, one too few is not.
    """
    now = clock.now().astimezone(hub.tz)
    rows = list(
        Presence.objects.filter(hub=hub, left_at=None)
        .select_related("member", "visit__seat")
        .order_by("entered_at", "pk")
    )
    members = {row.member_id: row for row in rows if row.member_id is not None}
    custodies = list(
        Custody.objects.filter(
            Q(closed_at=None)
            | Q(handover__guardian__in=list(members), closed_at__gt=now - timedelta(days=1)),
            room__hub=hub,
        )
        .select_related("child", "handover")
        .order_by("received_at", "pk")
    )
    announced = CarePlace.objects.filter(
        visit__hub=hub, visit__presences__in=[row.pk for row in rows], visit__status__in=LIVE_STATUSES,
        status=PlaceStatus.BOOKED, ends_at__gt=now, starts_at__lte=now + timedelta(minutes=hub.early_minutes),
        custodies=None,
    ).select_related("child", "visit")  # fmt: skip
    found: dict[int, tuple[Child, InsideChild]] = {}
    for custody in custodies:
        taken_home = custody.handover.guardian_id if custody.handover is not None else None
        if custody.closed_at is None:
            found[custody.child_id] = _child(
                custody.child, ChildAt.ROOM, custody.received_at.astimezone(hub.tz)
            )
        elif (
            taken_home is not None
            and members[taken_home].entered_at <= custody.closed_at
            and custody.child_id not in found
        ):
            found[custody.child_id] = _child(
                custody.child, ChildAt.WITH_PARENT, custody.closed_at.astimezone(hub.tz)
            )
    for place in announced:
        if place.child_id not in found:
            since = members[place.visit.member_id].entered_at if place.visit.member_id in members else now
            found[place.child_id] = _child(place.child, ChildAt.ANNOUNCED, since.astimezone(hub.tz))
    families = _families(hub, rows, [pair for _pk, pair in sorted(found.items())])
    carers = (
        Attendance.objects.filter(room__hub=hub, ends_at=None)
        .exclude(carer__member__in=list(members))
        .select_related("carer__member")
        .order_by("starts_at", "pk")
    )
    staff = [_adult(hub, row) for row in rows if row.kind == PresenceKind.STAFF]
    staff += [
        InsideAdult(
            row.carer.name,
            row.starts_at.astimezone(hub.tz),
            PresenceKind.STAFF,
            row.carer.member.phone if row.carer.member else "",
            on_break=row.kind == AttendanceKind.BREAK,
        )
        for row in carers
    ]
    visitors = [_adult(hub, row) for row in rows if row.kind == PresenceKind.VISITOR]
    return Inside(hub, now, families, tuple(staff), tuple(visitors))


def _child(child: Child, at: ChildAt, since: datetime) -> tuple[Child, InsideChild]:
    return child, InsideChild(child.code, child.name, at, since)


def _adult(hub: Hub, row: Presence) -> InsideAdult:
    seat = row.visit.seat if row.visit else None
    return InsideAdult(
        row.member.name if row.member else row.visitor_name, row.entered_at.astimezone(hub.tz), row.kind,
        row.member.phone if row.member else "", seat.label if seat else "", row.visit.code if row.visit else "",
    )  # fmt: skip


def _families(
    hub: Hub, rows: Sequence[Presence], children: Sequence[tuple[Child, InsideChild]]
) -> tuple[Family, ...]:
    """Workers with their households, children with theirs; those whose parent is not inside come first."""
    workers = [row for row in rows if row.kind == PresenceKind.WORKER and row.member_id is not None]
    with_children = {child.household_id for child, _inside in children}
    guardians = list(
        Guardian.objects.filter(
            Q(member__in=[row.member_id for row in workers]) | Q(household__in=with_children)
        )
        .select_related("member")
        .order_by("pk")
    )
    homes: dict[int, list[int]] = defaultdict(list)  # member -> households, those with children inside first
    parents: dict[int, list[Member]] = defaultdict(list)
    for row in sorted(guardians, key=lambda row: row.household_id not in with_children):
        homes[row.member_id].append(row.household_id)
        parents[row.household_id].append(row.member)
    groups: dict[tuple[str, int], _Open] = {}
    for presence in workers:
        assert presence.member_id is not None
        home = next(iter(homes[presence.member_id]), None)
        key = ("alone", presence.member_id) if home is None else ("home", home)
        groups.setdefault(key, _Open(household=home)).adults.append(_adult(hub, presence))
    for child, inside in children:
        group = groups.setdefault(("home", child.household_id), _Open(household=child.household_id))
        group.children[child.pk] = inside
    present = {row.member_id for row in rows}
    made = []
    for group in groups.values():
        guards = parents[group.household] if group.household is not None else []
        alone = bool(group.children) and not any(member.pk in present for member in guards)
        made.append(
            Family(
                tuple(group.adults),
                tuple(sorted(group.children.values(), key=lambda child: child.name)),
                alone,
                tuple(Contact(member.name, member.phone) for member in guards) if alone else (),
            )
        )
    return tuple(sorted(made, key=lambda family: (not family.children_alone, _first(family))))


def _first(family: Family) -> datetime:
    return min(one.since for one in chain[InsideAdult | InsideChild](family.adults, family.children))
