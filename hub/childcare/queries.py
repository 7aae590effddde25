"""Reads of rooms, rules and children."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db.models import Prefetch, QuerySet

from hub.childcare.enums import AgeBasis, PlaceStatus
from hub.childcare.models import CarePlace, CareRoom, CareRule, Child, Custody
from hub.childcare.ratio import Ratios, actual_age, area_limit, class_age
from hub.core.db import require_transaction, share_lock
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.models import Hub


@lru_cache(maxsize=64)
def _rooms(hub_pk: int, revision: str) -> tuple[CareRoom, ...]:
    return tuple(CareRoom.objects.filter(hub_id=hub_pk, is_active=True).select_related("hub"))


def rooms_of(hub: Hub) -> tuple[CareRoom, ...]:
    """The hub's active care rooms in order, read once per `Hub.revision`."""
    return _rooms(hub.pk, hub.revision)


def children_of(member: Member) -> QuerySet[Child]:
    """Children of every household that ``member`` guards, oldest first."""
    return (
        Child.objects.filter(household__guardians__member=member)
        .exclude(status="ended")
        .order_by("birthday", "pk")
    )


def in_care_through(member: Member) -> QuerySet[Child]:
    """Children inside now whom ``member``'s own visit brought: she cannot simply go home."""
    return Child.objects.filter(
        custodies__closed_at__isnull=True, custodies__place__visit__member=member
    ).order_by("birthday", "pk")


_OWN = """
SELECT child.* FROM childcare_child child JOIN members_guardian guardian ON guardian.household_id = child.household_id
WHERE guardian.member_id = %s
"""


def own_children(member: Member) -> list[Child]:
    """Children of every household that ``member`` guards, also ended ones: `children_of` for the API's booking."""
    return list(Child.objects.raw(_OWN, [member.pk]))


def held_children(member: Member, pks: Collection[int]) -> dict[int, Child]:
    """Those of ``pks`` that ``member`` guards, as they are now and share-locked until this transaction ends.

    A booking counts a child by her birthday. Whoever corrects it locks her row (`booking.care_changes`), so a booking
    has either committed before and is counted anew, or waits here and reads the new birthday.
    """
    require_transaction()
    if not pks:
        return {}
    wanted = sorted(pks)
    marks = ", ".join(["%s"] * len(wanted))
    sql = f"{_OWN} AND child.id IN ({marks}) ORDER BY child.id{share_lock('child')}"
    return {child.pk: child for child in Child.objects.raw(sql, [member.pk, *wanted])}


@dataclass(frozen=True)
class ChildNow:
    """A child on a day of care as her guardians see her: ``to_come``, ``in`` or ``home``, since when (None: to come)."""

    child: Child
    room: CareRoom
    state: str
    at: datetime | None
    visit_id: int


def children_now(member: Member, start: datetime, end: datetime) -> list[ChildNow]:
    """Children of ``member``'s households whose visit of that day has begun at the door, oldest first.

    ``start`` and ``end`` are the ends of the local day. Two queries, the second only where there is a child.
    """
    custodies = Custody.objects.order_by("received_at")
    places = (
        CarePlace.objects.filter(
            child__household__guardians__member=member,
            status=PlaceStatus.BOOKED,
            starts_at__gte=start,
            starts_at__lt=end,
            visit__arrived_at__isnull=False,
        )
        .select_related("child", "room")
        .prefetch_related(Prefetch("custodies", queryset=custodies, to_attr="custody_rows"))
        .order_by("child__birthday", "child_id", "starts_at")
    )
    found = []
    for place in places:
        rows: list[Custody] = place.custody_rows  # the prefetch above
        last = rows[-1] if rows else None
        state, at = ("to_come", None) if last is None else ("in", last.received_at)
        if last is not None and last.closed_at is not None:
            state, at = "home", last.closed_at
        found.append(ChildNow(place.child, place.room, state, at, place.visit_id))
    return found


def age_class_in(room: CareRoom, birthday: date, day: date) -> int:
    """The class under which ``room`` counts a child on ``day`` (RULE-01, CFG age_basis)."""
    return (actual_age if room.age_basis == AgeBasis.ACTUAL else class_age)(birthday, day)


def rule_on(rules: Iterable[CareRule], room: CareRoom, day: date) -> CareRule:
    """The dated rule that holds for ``room`` on ``day``. Raises `DomainError` ``no_rule`` where law is missing."""
    fitting = [r for r in rules if r.scheme == room.scheme and r.table == room.table and r.valid_from <= day]
    if not fitting:
        raise DomainError("no_rule", f"no care rule for {room.scheme} on {day}", 409)
    return max(fitting, key=lambda rule: rule.valid_from)


def ratios_of(rule: CareRule, room: CareRoom) -> Ratios:
    """A rule with the room's own choices: one-year-olds by 5, three quarters qualified."""
    return Ratios(
        r0=rule.r0, r1=5 if room.one_by_five else rule.r1, r2=rule.r2, r3=rule.r3, r45=rule.r45, plus=rule.plus,
        share_num=3 if room.three_quarters_qualified else rule.share_num,
        share_den=4 if room.three_quarters_qualified else rule.share_den,
    )  # fmt: skip


def floor_limits(rule: CareRule, room: CareRoom) -> tuple[int, int]:
    """How many infants (classes 0-1) and toddlers (2-5) the floors take (RULE-05)."""
    return (
        area_limit(room.area_infant_cm2, rule.area_infant_cm2),
        area_limit(room.area_toddler_cm2, rule.area_toddler_cm2),
    )
