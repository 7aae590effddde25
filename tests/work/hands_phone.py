"""Units in Misaki's hands and what a director says about them, by intent; for the tests of doing and its pages."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.work import doing, leases, review
from hub.work.enums import CorrectionKind, EndReason
from hub.work.models import Assignment, Delivery, Order, PayProfile, Unit
from hub.work.review import Mark
from tests.work import hands, work


def give(member: Member, order: Order, count: int, *, due: datetime | None = None) -> Assignment:
    """The next ``count`` units of the order's first lot in the hands of ``member``, who took them and was told in writing."""
    return hands.given(member, order, count, due=due or clock.now() + timedelta(days=7))


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
