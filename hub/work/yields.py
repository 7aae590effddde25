"""How long a unit really takes and what an hour of it brings: shown before anybody says yes (B5)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_low

from hub.core import clock
from hub.spaces.models import Hub
from hub.work.models import Delivery, Order, OrderRate, WorkRates

ENOUGH = 5  # measured units from which their median counts more than the estimate


@dataclass(frozen=True)
class Yield:
    """What one unit brings and takes. ``measured`` is how many units the time comes from; 0 is the director's estimate."""

    unit_yen: int
    unit_seconds: int
    measured: int
    reference_yen: int  # 0: no wage to compare with

    @property
    def hour_yen(self) -> int:
        """Expected yen per hour, rounded down."""
        return self.unit_yen * 3600 // self.unit_seconds

    @property
    def is_low(self) -> bool:
        """Under the wage that the hub compares with. It is a reference, no promise: nobody is employed here."""
        return self.hour_yen < self.reference_yen

    @property
    def minutes(self) -> int:
        """Whole minutes of one unit, rounded up."""
        return -(-self.unit_seconds // 60)

    def fits(self, seconds: int) -> int:
        """How many units can be finished in so many seconds."""
        return max(seconds, 0) // self.unit_seconds


def current_rates(orders: Iterable[Order]) -> dict[int, OrderRate]:
    """The rate that holds now, by order; orders that were not accepted have none."""
    rows = OrderRate.objects.filter(order__in=[order.pk for order in orders]).order_by("number")
    return {row.order_id: row for row in rows}


def reference_wages(hubs: Iterable[Hub]) -> dict[int, int]:
    """The wage to compare with, by hub, today."""
    by_pk = {hub.pk: hub for hub in hubs}
    found: dict[int, int] = {}
    for row in WorkRates.objects.filter(hub__in=by_pk).order_by("valid_from"):
        if row.valid_from <= clock.today(by_pk[row.hub_id].tz):
            found[row.hub_id] = row.reference_wage_yen
    return found


def yields_of(orders: Iterable[Order]) -> dict[int, Yield]:
    """What a unit of each accepted order brings and takes, by order. Three queries, however many orders."""
    known = {order.pk: order for order in orders}
    rates = current_rates(known.values())
    wages = reference_wages({order.hub_id: order.hub for order in known.values()}.values())
    times: dict[int, list[int]] = defaultdict(list)
    measured = Delivery.objects.filter(unit__order__in=known, seconds__isnull=False)
    for order_pk, seconds in measured.values_list("unit__order_id", "seconds"):
        times[order_pk].append(int(seconds or 0))
    found = {}
    for pk, rate in rates.items():
        order, taken = known[pk], times[pk]
        enough = len(taken) >= ENOUGH
        seconds = max(median_low(taken), 1) if enough else order.minutes_per_unit * 60
        found[pk] = Yield(rate.worker_yen, seconds, len(taken) if enough else 0, wages.get(order.hub_id, 0))
    return found


def yield_of(order: Order) -> Yield:
    """The same for one order. Raises KeyError where it was not accepted."""
    return yields_of([order])[order.pk]
