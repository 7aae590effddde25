"""Reads of the director's pages. None of them touches what stands in a unit."""

from collections.abc import Iterable

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from hub.spaces.models import Hub
from hub.work.enums import LIVE_IMPORTS, OrderState, UnitState
from hub.work.models import Client, Lot, Order, Unit, UnitImport


def orders_of(hub: Hub) -> QuerySet[Order]:
    """Orders of ``hub``: those that are due first, those given up last."""
    last = Case(
        When(state=OrderState.WITHDRAWN, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    return Order.objects.filter(hub=hub).select_related("client").order_by(last, "deadline", "pk")


def order_of(hub: Hub, code: str) -> Order | None:
    return Order.objects.filter(hub=hub, code=code).select_related("client", "hub").first()


def clients_of(hub: Hub) -> QuerySet[Client]:
    """Clients of ``hub`` with how many orders of theirs are not given up."""
    live = Count("orders", filter=~Q(orders__state=OrderState.WITHDRAWN))
    return Client.objects.filter(hub=hub).annotate(order_count=live).order_by("name", "pk")


def import_of(hub: Hub, code: str) -> UnitImport | None:
    return UnitImport.objects.filter(order__hub=hub, code=code).select_related("order__hub").first()


def live_import(order: Order) -> UnitImport | None:
    """The file that is on its way into ``order`` now."""
    return order.imports.filter(state__in=LIVE_IMPORTS).first()


def lots_of(order: Order) -> list[dict[str, int]]:
    """The lots with how many of their units are here: they are filled in their order."""
    rows, before = [], 0
    for lot in order.lots.all():
        here = min(max(order.units_kept - before, 0), lot.size)
        rows.append({"number": lot.number, "size": lot.size, "gate": lot.gate_percent, "here": here})
        before += lot.size
    return rows


def open_lots_of(orders: Iterable[Order]) -> dict[int, list[Lot]]:
    """The lots that may be handed out, by order: the first, and each next one once so many percent of the one before were
    accepted (B5). Two queries, however many orders."""
    pks = [order.pk for order in orders]
    done = dict(
        Unit.objects.filter(order__in=pks, state=UnitState.ACCEPTED)
        .values_list("lot")
        .annotate(n=Count("pk"))
        .order_by()
    )
    found: dict[int, list[Lot]] = {pk: [] for pk in pks}
    shut: set[int] = set()
    for lot in Lot.objects.filter(order__in=pks).order_by("order_id", "number"):
        if lot.order_id not in shut:
            found[lot.order_id].append(lot)
            if done.get(lot.pk, 0) * 100 < lot.gate_percent * lot.size:
                shut.add(lot.order_id)
    return found


def open_lots(order: Order) -> list[Lot]:
    """The same for one order."""
    return open_lots_of([order])[order.pk]
