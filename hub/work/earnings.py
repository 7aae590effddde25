"""What an accepted unit brings, written in the transaction that accepts it."""

from hub.core.db import require_transaction
from hub.work import money, rates
from hub.work.models import Delivery, Earning


def enter(delivery: Delivery) -> Earning:
    """Write the earning of ``delivery``, which this transaction accepts. The day of sending in is the day of receipt (RULE-26)."""
    require_transaction()
    order = delivery.unit.order
    hub = order.hub
    rate = rates.current(order)
    assert delivery.decided_at is not None  # this transaction decided
    accepted = delivery.decided_at.astimezone(hub.tz).date()
    received = delivery.sent_at.astimezone(hub.tz).date()
    return Earning.objects.create(
        delivery=delivery, hub=hub, order=order, member_id=delivery.notice.assignment.member_id,
        director_id=order.director_id, received_on=received, accepted_on=accepted,
        latest_on=money.latest_payment(received), price_yen=rate.price_yen, worker_yen=rate.worker_yen,
        director_yen=rate.director_yen, hub_yen=rate.hub_yen, platform_yen=rate.platform_yen, withholds=rate.withholds,
    )  # fmt: skip
