"""Levels (B4): opened by a course, a part of an order whose units are corrected and paid like any other, or by a director."""

from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub
from hub.work import review_words
from hub.work.enums import DeliveryState, Level, OrderKind
from hub.work.models import Delivery, Lot, Skill
from hub.work.orders import not_found


def note_course(delivery: Delivery) -> None:
    """After an acceptance: if its lot is a course and she has enough of it accepted, her level rises. It never falls."""
    require_transaction()
    lot, member, order = delivery.unit.lot, delivery.notice.assignment.member, delivery.unit.order
    if lot.opens_level is None:
        return
    # Two acceptances at once would otherwise each count without the other, and the level would stay shut.
    lot = Lot.objects.select_for_update(no_key=True).get(pk=lot.pk)
    if lot.opens_level is None:
        return
    done = Delivery.objects.filter(
        unit__lot=lot, notice__assignment__member=member, state=DeliveryState.ACCEPTED
    ).count()
    if done < lot.course_units:
        return
    row = Skill.objects.select_for_update().filter(member=member, hub=order.hub, kind=order.kind).first()
    if row is None:
        row = Skill(member=member, hub=order.hub, kind=order.kind, level=Level.FIRST)
    if row.level >= lot.opens_level:
        return
    row.level, row.lot, row.set_by, row.opened_at = lot.opens_level, lot, None, clock.now()
    row.save()
    review_words.tell_level(row)


def set_level(*, actor: Member, hub: Hub, member_code: str, kind: str, level: int) -> Skill:
    """A director's word about somebody's level; she is told when it rises. Raises 404 ``unknown_member``, 422 ``level_range``."""
    if kind not in OrderKind.values or level not in Level.values:
        raise DomainError("level_range", _("レベルを えらんでください。"), 422, field="level")

    def work() -> Skill:
        member = Member.objects.filter(
            code=member_code, memberships__hub=hub, memberships__role=Role.WORKER,
            memberships__status=MembershipStatus.ACTIVE,
        ).first()  # fmt: skip
        if member is None:
            raise DomainError("unknown_member", _("この人は 見つかりません。"), 404)
        before = (
            Skill.objects.filter(member=member, hub=hub, kind=kind).values_list("level", flat=True).first()
        )
        row, _made = Skill.objects.update_or_create(
            member=member, hub=hub, kind=kind,
            defaults={"level": level, "lot": None, "set_by": actor, "opened_at": clock.now()},
        )  # fmt: skip
        if level > (before or Level.FIRST):
            review_words.tell_level(row)
        return row

    return run_write(work)


def set_course(
    *, actor: Member, hub: Hub, order_code: str, lot_number: int, level: int | None, units: int
) -> Lot:
    """Make a lot a course that opens ``level`` after ``units`` accepted ones, or an ordinary lot again (None).

    Raises 404 ``unknown_order``, 422 ``level_range``, ``course_units``.
    """

    def work() -> Lot:
        lot = (
            Lot.objects.select_for_update()
            .filter(order__hub=hub, order__code=order_code, number=lot_number)
            .first()
        )
        if lot is None:
            raise not_found()
        if level is not None and level not in (Level.SECOND, Level.THIRD):
            raise DomainError("level_range", _("レベルを えらんでください。"), 422, field="level")
        if not 1 <= units <= lot.size:
            raise DomainError("course_units", _("まとまりの 件数までで 入れてください。"), 422, field="units")
        lot.opens_level, lot.course_units = level, units
        lot.save(update_fields=["opens_level", "course_units"])
        return lot

    return run_write(work)
