"""Dated parts of an order's value at a hub, and what one unit of an order brings to whom. Whole yen, from `money`."""

from dataclasses import asdict, dataclass
from datetime import date

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import run_write, violated
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import money
from hub.work.enums import OrderKind
from hub.work.models import Order, OrderRate, WorkRates

#: RULE-29 names fees for writing; data entry and checking are not on the list. A flag of each rate, by kind at first.
WITHHELD = frozenset({OrderKind.WRITING})


def rates_on(hub: Hub, day: date) -> WorkRates:
    """The row of ``hub`` that holds on ``day``. Raises `DomainError` ``no_rates`` (409) before the first."""
    found = WorkRates.objects.filter(hub=hub, valid_from__lte=day).order_by("-valid_from").first()
    if found is None:
        raise DomainError(
            "no_rates",
            _("この日の 分けかたが きまっていません。先に「お金の 分けかた」で きめてください。"),
            409,
        )
    return found


def parts_of(row: WorkRates) -> dict[str, int]:
    """Who gets how much, in basis points and in the order in which `money.split` gives what is left over."""
    return {"worker": row.worker, "director": row.director, "hub": row.hub_part, "platform": row.platform}


def enter_first(order: Order, day: date) -> OrderRate:
    """Write what a unit of ``order`` brings, by the parts of ``day``: later percents do not touch it (B5)."""
    return enter(order, order.price_yen, rates_on(order.hub, day), number=1)


def current(order: Order) -> OrderRate:
    """What a unit accepted now brings. Raises `OrderRate.DoesNotExist` for an order that was not accepted."""
    return order.rates.order_by("-number")[:1].get()


def enter(
    order: Order,
    price_yen: int,
    rates: WorkRates,
    *,
    number: int,
    reason: str = "",
    actor: Member | None = None,
    worker_at_least: int = 0,
) -> OrderRate:
    """Write what a unit brings from now on. The database refuses less than before (RULE-27).

    Sharing by largest remainders can give a part one yen less of a higher price (26 yen and 27 yen by 13.7 / 58.2 / 3.2 /
    24.9 %: 4 and 3). ``worker_at_least`` is what she had: the hub's part, then the platform's, gives the missing yen.
    """
    parts = money.split(price_yen, parts_of(rates))
    for giver in ("hub", "platform", "director"):
        missing = min(max(worker_at_least - parts["worker"], 0), parts[giver])
        parts["worker"] += missing
        parts[giver] -= missing
    return OrderRate.objects.create(
        order=order, number=number, price_yen=price_yen, worker_yen=parts["worker"], director_yen=parts["director"],
        hub_yen=parts["hub"], platform_yen=parts["platform"], withholds=order.kind in WITHHELD, reason=reason,
        made_by=actor, made_at=clock.now(),
    )  # fmt: skip


@dataclass(frozen=True)
class RatesData:
    """Parts in basis points, and the wage to compare with (yen an hour) and where it stands."""

    worker: int
    director: int
    hub_part: int
    platform: int
    reference_wage_yen: int
    source: str


def add_rates(*, actor: Member, hub: Hub, valid_from: date, data: RatesData) -> WorkRates:
    """Let other parts hold from a day on. Orders that are taken already keep theirs.

    The first row may begin today; later ones tomorrow at the earliest, so that every order of a day has the same parts
    and `orders.raise_price` finds those of its day. Raises `DomainError` 422 ``not_whole``, ``rates_past`` (field
    ``valid_from``); 409 ``rates_exist``.
    """

    def work() -> WorkRates:
        if data.worker + data.director + data.hub_part + data.platform != money.WHOLE:
            raise DomainError("not_whole", _("4つを たして 100%に してください。"), 422)
        today = clock.today(hub.tz)
        if valid_from < today:
            raise DomainError(
                "rates_past", _("きょうか その あとの 日に してください"), 422, field="valid_from"
            )
        if valid_from == today and WorkRates.objects.filter(hub=hub, valid_from__lte=today).exists():
            raise DomainError(
                "rates_past", _("きょうの 分は もう きまっています。あしたか その あとに してください"), 422,
                field="valid_from",
            )  # fmt: skip
        return WorkRates.objects.create(hub=hub, valid_from=valid_from, entered_by=actor, **asdict(data))

    try:
        return run_write(work)
    except IntegrityError as error:
        if (
            violated(error, row=("work_rates_once", "work_workrates.hub_id, work_workrates.valid_from"))
            is None
        ):
            raise
        raise DomainError(
            "rates_exist", _("この日からの 分けかたは もう あります。"), 409, field="valid_from"
        ) from None
