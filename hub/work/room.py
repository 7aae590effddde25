"""Who may get units of a lot, how many each has time for, and until when: the facts that sharing out starts from. Reads."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from django.db.models import Count, F, Sum
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Membership
from hub.work import allocation
from hub.work.allocation import Candidate
from hub.work.enums import AssignmentState, Level, UnitState
from hub.work.models import Assignment, Delivery, Lease, Lot, OfferedHours, Order, Skill

RECENT = timedelta(days=28)
FAR = 730  # days: what lies beyond is not looked at


@dataclass(frozen=True)
class Due:
    """When units of an order have to be sent in, and how much time for work lies before it."""

    at: datetime
    deadline: date
    weeks: Fraction

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def is_earlier(self) -> bool:
        """The deadline lies in closed time: units are due on the last open day before it."""
        return self.day < self.deadline


def due_of(order: Order) -> Due:
    """The end of the last open day of the hub on or before the deadline, in the hub's zone.

    Raises `DomainError` ``deadline_closed`` (409) if no open time lies between now and then.
    """
    facts, now = facts_of(order.hub), clock.now()
    today = clock.today(facts.tz)
    ends = {}
    for n in range(min((order.deadline - today).days, FAR) + 1):
        opening = facts.day(today + timedelta(days=n)).period
        if opening is not None and opening.ends_at > now:
            ends[today + timedelta(days=n)] = opening.ends_at
    if not ends:
        raise DomainError(
            "deadline_closed", _("納める日までに ハブが 開く日が ありません。納める日を クライアントと 決めなおしてください。"), 409
        )  # fmt: skip
    weeks = allocation.weeks_ahead(ends, len(facts.hours))
    return Due(ends[max(ends)].astimezone(facts.tz), order.deadline, weeks)


def level_for(order: Order, lot: Lot) -> int:
    """The level that units of ``lot`` need. A course is open to who stands one level below what it opens (B4)."""
    if lot.opens_level is None:
        return order.level
    return max(lot.opens_level - 1, Level.FIRST)


def levels_of(hub: Hub, kind: str, members: Iterable[int]) -> dict[int, int]:
    """The level in this kind of work, by member; who has no row is at the first."""
    found = dict.fromkeys(members, int(Level.FIRST))
    rows = Skill.objects.filter(hub=hub, kind=kind, member__in=found)
    return found | dict(rows.values_list("member_id", "level"))


def works_at(member: Member, hub: Hub) -> bool:
    """Whether ``member`` is an active worker of ``hub``; asked of the database, because a use case decides by it."""
    rows = Membership.objects.filter(
        member=member, hub=hub, role=Role.WORKER, status=MembershipStatus.ACTIVE, member__is_active=True
    )
    return rows.exists()


@dataclass(frozen=True)
class Person:
    """A worker of the hub as the sharing out sees her."""

    member: Member
    level: int
    week_minutes: int
    busy_minutes: int
    recent_minutes: int


def people_of(order: Order) -> list[Person]:
    """Every active worker of the order's hub with her level in its kind of work and her time, by code. Six queries."""
    rows = Membership.objects.filter(
        hub=order.hub, role=Role.WORKER, status=MembershipStatus.ACTIVE, member__is_active=True
    )
    members = [row.member for row in rows.select_related("member")]
    pks = [member.pk for member in members]
    levels = levels_of(order.hub, order.kind, pks)
    hours = dict(OfferedHours.objects.filter(hub=order.hub).values_list("member_id", "minutes_a_week"))
    busy, recent = _busy(order.hub), _recent(order.hub)
    return [
        Person(member, levels[member.pk], hours.get(member.pk, 0), busy.get(member.pk, 0), recent[member.pk])
        for member in sorted(members, key=lambda member: member.code)
    ]


MINUTES = "assignment__lot__order__minutes_per_unit"


def _busy(hub: Hub) -> dict[int, int]:
    """Minutes of units that people have in hand at ``hub``, offers that wait for an answer among them."""
    held = Lease.objects.filter(
        assignment__lot__order__hub=hub, unit__state__in=(UnitState.HELD, UnitState.RETURNED)
    )
    return dict(held.values_list("assignment__member_id").annotate(n=Sum(MINUTES)).order_by())


def _recent(hub: Hub) -> Counter[int]:
    """Minutes handed to people in the last four weeks. What somebody gave back, for whatever reason, does not count: only
    what she sent in of it."""
    made = Assignment.objects.filter(lot__order__hub=hub, made_at__gte=clock.now() - RECENT)
    live = made.exclude(state=AssignmentState.ENDED).values_list("member_id")
    found = Counter(
        dict(live.annotate(n=Sum(F("unit_count") * F("lot__order__minutes_per_unit"))).order_by())
    )
    ended = made.filter(state=AssignmentState.ENDED)
    done = Delivery.objects.filter(notice__assignment__in=ended).values_list(
        "notice__assignment__member_id", "unit__order__minutes_per_unit"
    )
    for member, minutes, units in done.annotate(n=Count("unit", distinct=True)).order_by():
        found[member] += minutes * units
    return found


def candidate(person: Person, order: Order, weeks: Fraction, cap: int | None) -> Candidate:
    """``person`` as `allocation.allocate` takes her."""
    room = allocation.hours_units(person.week_minutes, weeks, person.busy_minutes, order.minutes_per_unit)
    return Candidate(person.member.code, room, person.recent_minutes, cap)
