"""Carers really present against children really inside: RULE-03 and RULE-04 at this moment, and who may write.

The roster says who should be there (`capacity`); what counts here is the clock on the tablet and the open custodies.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from hub.childcare.capacity import counted
from hub.childcare.enums import AttendanceKind
from hub.childcare.models import Attendance, Carer, CareRoom, CareRule, Child, Custody
from hub.childcare.queries import floor_limits, ratios_of, rule_on
from hub.childcare.ratio import Counts, Ratios, qualified, required
from hub.core import live
from hub.core.db import require_transaction
from hub.core.errors import DomainError
from hub.members.models import Guardian, Member
from hub.spaces.access import Action, allowed, is_staff_at
from hub.spaces.models import Hub


@dataclass(frozen=True)
class Law:
    """What the dated law says of one room on one day."""

    ratios: Ratios
    infant_limit: int
    toddler_limit: int


@dataclass(frozen=True)
class Need:
    """Carers present and needed at one moment; ``able`` are those who count for the qualified share."""

    staff: int
    able: int
    required: int
    qualified: int

    @property
    def missing(self) -> int:
        return max(0, self.required - self.staff)

    @property
    def able_missing(self) -> int:
        return max(0, self.qualified - self.able)

    @property
    def is_short(self) -> bool:
        return bool(self.missing or self.able_missing)


class RatioShortNow(DomainError):
    """With this step the children inside would have too few carers; a person may confirm it, and that is recorded."""

    def __init__(self, need: Need) -> None:
        super().__init__(
            "ratio_short_now", _("いまいる 子どもに 保育者が 足りなくなります。"), 409, need=need
        )


def law_of(room: CareRoom, at: datetime) -> Law:
    """The law for ``room`` at a moment. Raises `DomainError` ``no_rule`` where it is missing."""
    rules = CareRule.objects.filter(scheme=room.scheme, table=room.table)
    rule = rule_on(rules, room, at.astimezone(room.hub.tz).date())
    return Law(ratios_of(rule, room), *floor_limits(rule, room))


def in_main_hours(room: CareRoom, at: datetime) -> bool:
    return room.main_from <= at.astimezone(room.hub.tz).time() < room.main_to


def need_of(room: CareRoom, law: Law, children: Counts, qualifications: Iterable[str], at: datetime) -> Need:
    """What ``children`` need at ``at``, with carers of these ``qualifications`` present."""
    staff, able = counted(room.scheme, list(qualifications))
    return Need(
        staff,
        able,
        required(children, law.ratios, main_hours=in_main_hours(room, at)),
        qualified(children, law.ratios),
    )


def counts_inside(room: CareRoom) -> Counts:
    """Children inside now by the class under which they were received."""
    counts = Counts()
    for age_class in Custody.objects.filter(room=room, closed_at__isnull=True).values_list(
        "age_class", flat=True
    ):
        counts = counts.plus(age_class)
    return counts


def hold_duty(room: CareRoom) -> list[Attendance]:
    """The open attendances of ``room``, locked in their order: receptions and breaks of one room go one by one.

    Locked after the visit and before any custody.
    """
    require_transaction()
    rows = Attendance.objects.select_for_update(of=("self",)).select_related("carer")
    return list(rows.filter(room=room, ends_at__isnull=True).order_by("pk"))


def working(rows: Iterable[Attendance]) -> list[str]:
    """Qualifications of those at work; a person on a break does not count (RULE-03)."""
    return [row.carer.qualification for row in rows if row.kind == AttendanceKind.WORK]


# ---------------------------------------------------------------- who may, and who is told


def check_right(actor: Member, hub: Hub) -> None:
    """Raises `DomainError` ``hub_unknown`` (404) for strangers to the staff, ``not_a_carer`` (403) for other staff."""
    if allowed(actor, Action.CARE_FOR_CHILDREN, hub):
        return
    if is_staff_at(actor, hub):
        raise DomainError("not_a_carer", _("これは 保育者だけが できます。"), 403)
    raise DomainError("hub_unknown", _("そのハブは 見つかりません。"), 404)


def carer_of(hub: Hub, code: str) -> Carer:
    """The active carer of ``hub`` with this code. Raises `DomainError` ``carer_unknown`` (404)."""
    carer = Carer.objects.filter(hub=hub, code=code, is_active=True).first()
    if carer is None:
        raise DomainError(
            "carer_unknown", _("その保育者は 見つかりません。だれが するかを えらび直してください。"), 404
        )
    return carer


def tell(hub: Hub, child: Child | None = None) -> None:
    """Word to the open pages, on commit: the board changed. To the child's guardians too, without a name."""
    live.broadcast(f"care.{hub.slug}", "care")
    live.broadcast(f"day.{hub.slug}", "care")
    if child is not None:
        rows = Guardian.objects.filter(household_id=child.household_id)
        for code in rows.order_by("pk").values_list("member__code", flat=True):
            live.broadcast(f"me.{code}", "care")
