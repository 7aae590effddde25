"""Units in Misaki's hands and what a director says about them, by intent; for the tests of doing and its pages."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.work import doing, leases, rates, review
from hub.work.enums import AssignmentState, CorrectionKind, EndReason, How
from hub.work.models import Assignment, Delivery, Order, PayProfile, Unit, WorkNotice
from hub.work.review import Mark
from tests.work import work


def give(member: Member, order: Order, count: int, *, due: datetime | None = None) -> Assignment:
    """The next ``count`` units of the order's first lot in the hands of ``member``, who took them and was told in writing."""

    def hand() -> Assignment:
        lot, now = order.lots.get(number=1), clock.now()
        made = Assignment.objects.create(
            lot=lot, member=member, how=How.INVITED, unit_count=count, due_at=due or now + timedelta(days=7),
            state=AssignmentState.ACCEPTED, accepted_at=now,
        )  # fmt: skip
        yen = rates.current(order).worker_yen
        WorkNotice.objects.create(
            assignment=made, noticed_at=now, hub_name=order.hub.name, worker_name=member.name, client_name="見本商店",
            title=order.title, kind=order.kind, description=order.description, unit_count=count, unit_yen=yen,
            amount_yen=yen * count, receipt_by=made.due_at, place="ひだまり", inspected_within_days=14,
            pays_on=date(2027, 1, 25), client_pays_on=date(2027, 2, 26), pay_method="銀行ふりこみ",
            kept_until=date(2032, 12, 31),
        )  # fmt: skip
        leases.take(made, leases.free_units(lot, count))
        return made

    return run_write(hand)


def in_hand(
    cast: SimpleNamespace,
    count: int = 3,
    *,
    units: int | None = None,
    member: Member | None = None,
    **fields: Any,
) -> Assignment:
    """A new accepted order with ``units`` units, ``count`` of them in Misaki's hands."""
    return give(member or cast.misaki, work.accepted_order(cast, units or count, **fields), count)


def unit(assignment: Assignment, number: int = 1) -> Unit:
    return Unit.objects.select_related("order__hub").get(order=assignment.lot.order, number=number)


def send(cast: SimpleNamespace, found: Unit, text: str = "春の 新しい お茶です。") -> Delivery:
    return doing.send_in(member=cast.misaki, unit_code=found.code, text=text)


def send_back(
    cast: SimpleNamespace, sent: Delivery, *marks: Mark, reason: str = "もう少し くわしく"
) -> Delivery:
    return review.send_back(actor=cast.director, hub=cast.ekimae, code=sent.code, marks=marks, reason=reason)


def accept(cast: SimpleNamespace, sent: Delivery) -> Delivery:
    return review.accept(actor=cast.director, hub=cast.ekimae, code=sent.code)


def reject(cast: SimpleNamespace, found: Assignment, sent: Delivery) -> Delivery:
    """Refuse ``sent``. So that it is inside the limit, three more units of hers are sent in first."""
    for number in range(2, 5):
        send(cast, unit(found, number), f"ほかの 文{number}")
    return review.reject(
        actor=cast.director,
        hub=cast.ekimae,
        code=sent.code,
        reason="店の 名前が ちがいます",
        example="見本商店の お茶です。",
    )


def time_up(found: Assignment) -> None:
    """What was not sent in goes back to the hub."""
    run_write(lambda: leases.give_back(found, EndReason.TIME_UP))


def lets_time_be_measured(member: Member) -> None:
    PayProfile.objects.update_or_create(member=member, defaults={"shares_time": True})


FACT = Mark(0, 1, CorrectionKind.FACT, "季節を たしかめてください")
STYLE = Mark(5, 8, CorrectionKind.STYLE, "「新茶」と 書きます")
