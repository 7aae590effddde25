"""Clients, their promises about secrets, orders, lots, and accepting an order. Rights are asked by the pages."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q, Sum
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import run_write, violated
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import money, rates
from hub.work.enums import LIVE_IMPORTS, OrderState
from hub.work.models import MOST_YEN, Client, Lot, Nda, Order, OrderRate, OrderTerms

KEPT_YEARS = 3  # the guideline for self-employed telework: terms are kept three years
MOST_LOTS = 20


@dataclass(frozen=True)
class ClientData:
    name: str
    contact_name: str
    email: str
    phone: str


@dataclass(frozen=True)
class OrderData:
    title: str
    kind: str
    description: str
    unit_count: int
    price_yen: int
    minutes_per_unit: int
    level: int
    deadline: date
    is_confidential: bool


@dataclass(frozen=True)
class TermsData:
    """What is agreed beside the order itself; days in the hub's zone."""

    ordered_on: date
    place: str
    inspected_by: date | None
    client_pays_on: date
    pay_method: str


def not_found() -> DomainError:
    return DomainError("unknown_order", _("この 受注は 見つかりません。"), 404)


def save_client(*, hub: Hub, code: str | None, data: ClientData) -> Client:
    """Make a client of ``hub``, or change the one with ``code``. Raises 409 ``client_exists``, 404 ``unknown_client``."""

    def work() -> Client:
        if code is None:
            return Client.objects.create(hub=hub, **asdict(data))
        client = find_client(hub, code)
        for name, value in asdict(data).items():
            setattr(client, name, value)
        client.save()
        return client

    try:
        return run_write(work)
    except IntegrityError as error:
        if violated(error, name=("client_once", "work_client.hub_id, work_client.name")) is None:
            raise
        raise DomainError(
            "client_exists", _("同じ 名前の クライアントが います。"), 409, field="name"
        ) from None


def find_client(hub: Hub, code: str) -> Client:
    """The client of ``hub``, or 404 ``unknown_client``."""
    client = Client.objects.filter(hub=hub, code=code).first()
    if client is None:
        raise DomainError("unknown_client", _("この クライアントは 見つかりません。"), 404)
    return client


def add_nda(*, hub: Hub, client_code: str, text: str, starts_on: date, ends_on: date | None) -> Nda:
    """Keep a new version of the promise about secrets. Raises 404 ``unknown_client``."""

    def work() -> Nda:
        find_client(hub, client_code)
        client = Client.objects.select_for_update().get(code=client_code)
        newest = client.ndas.first()
        return Nda.objects.create(
            client=client, version=newest.version + 1 if newest else 1, text=text, starts_on=starts_on, ends_on=ends_on
        )  # fmt: skip

    return run_write(work)


def nda_on(client: Client, day: date) -> Nda | None:
    """The newest version that holds on ``day``."""
    return client.ndas.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day).first()


# ---------------------------------------------------------------- orders


def hold(hub: Hub, code: str) -> Order:
    """The order of ``hub`` with its row held until the transaction ends, or 404."""
    order = Order.objects.select_for_update().filter(hub=hub, code=code).first()
    if order is None:
        raise not_found()
    return order


def _draft(hub: Hub, code: str) -> Order:
    """An order that may still change, held. After acceptance pay only goes up, with new terms (RULE-27): not by this way."""
    order = hold(hub, code)
    if order.state == OrderState.ACCEPTED:
        raise DomainError("order_accepted", _("受けた あとの 条件は 変えられません。"), 409)
    if order.state == OrderState.WITHDRAWN:
        raise DomainError("order_withdrawn", _("この 受注は やめました。"), 409)
    return order


def save_order(*, hub: Hub, code: str | None, client_code: str, data: OrderData) -> Order:
    """Make an order of one lot, or change a draft; a change of the number of units goes to its last lot.

    Raises 404 for an unknown client or order; 409 ``order_accepted``, ``order_withdrawn``, ``lots_too_big``,
    ``import_runs``, ``units_here`` (fewer units than are here, or no longer confidential while there are some).
    """

    def work() -> Order:
        client = find_client(hub, client_code)
        if code is None:
            order = Order.objects.create(hub=hub, client=client, **asdict(data))
            Lot.objects.create(order=order, number=1, size=data.unit_count)
            return order
        order = _draft(hub, code)
        if order.imports.filter(state__in=LIVE_IMPORTS).exists():
            raise DomainError(
                "import_runs", _("ファイルを 取りこんでいます。おわってから 変えてください。"), 409
            )
        before = order.lots.exclude(number=order.lots.count()).aggregate(all=Sum("size"))["all"] or 0
        if data.unit_count <= before:
            raise DomainError(
                "lots_too_big", _("まとまりの 合計より 少なく できません。先に まとまりを 1つに してください。"), 409,
                field="unit_count",
            )  # fmt: skip
        if data.unit_count < order.units_kept:
            raise DomainError(
                "units_here", _("取りこんだ 件数より 少なく できません。"), 409, field="unit_count"
            )
        if order.is_confidential and not data.is_confidential and order.units_kept:
            raise DomainError(
                "units_here", _("取りこんだ あとは、機密を やめられません。"), 409, field="is_confidential"
            )
        order.client = client
        for name, value in asdict(data).items():
            setattr(order, name, value)
        order.save()
        order.lots.filter(number=order.lots.count()).update(size=data.unit_count - before)
        return order

    return run_write(work)


def split_lot(*, hub: Hub, order_code: str, number: int, first: int, gate_percent: int) -> None:
    """Make two lots of one: ``first`` units, whose accepted rate opens the next, and the rest (分割発注, B5).

    Raises 404, 409 as `save_order`, ``units_here`` once units are in the lots, ``lot_too_small``, ``lots_many``.
    """

    def work() -> None:
        order = _movable(hub, order_code)
        lot = order.lots.filter(number=number).first()
        if lot is None:
            raise not_found()
        if first >= lot.size:
            raise DomainError(
                "lot_too_small", _("この まとまりの 件数より 少なく してください。"), 409, field="first"
            )
        if order.lots.count() >= MOST_LOTS:
            raise DomainError("lots_many", _("まとまりは 20までです。"), 409)
        for later in order.lots.filter(number__gt=number).order_by("-number"):
            Lot.objects.filter(pk=later.pk).update(number=F("number") + 1)
        Lot.objects.create(
            order=order, number=number + 1, size=lot.size - first, gate_percent=lot.gate_percent
        )
        Lot.objects.filter(pk=lot.pk).update(size=first, gate_percent=gate_percent)

    run_write(work)


def join_lots(*, hub: Hub, order_code: str) -> None:
    """Make one lot of all. Raises as `split_lot`."""

    def work() -> None:
        order = _movable(hub, order_code)
        order.lots.exclude(number=1).delete()
        order.lots.update(size=order.unit_count)

    run_write(work)


def _movable(hub: Hub, code: str) -> Order:
    order = _draft(hub, code)
    if order.units_kept or order.imports.filter(state__in=LIVE_IMPORTS).exists():
        raise DomainError("units_here", _("しごとを 取りこんだ あとは、まとまりを 変えられません。"), 409)
    return order


def accept_order(*, actor: Member, hub: Hub, code: str, data: TermsData) -> OrderTerms:
    """Take the order and write down what was agreed, once and for good (RULE-25, RULE-26).

    Workers are paid by the hub's own rule, counted from the day of delivery. ``actor`` directs it from then on. Raises
    404, 409 ``order_accepted``, ``order_withdrawn``, ``deadline_past``, ``nda_missing``, ``no_rates``; 422 with a field:
    ``ordered_late``, ``inspection_early``, ``payment_early``.
    """

    def work() -> OrderTerms:
        order = _draft(hub, code)
        today = clock.today(hub.tz)
        client = order.client
        if order.deadline < today:
            raise DomainError("deadline_past", _("納める日が すぎています。先に 日を 変えてください。"), 409)
        nda = nda_on(client, today)
        if order.is_confidential and nda is None:
            raise DomainError(
                "nda_missing", _("機密の しごとには、クライアントとの 秘密の 約束が いります。先に 入れてください。"), 409
            )  # fmt: skip
        _check_days(order, data, today)
        paid = money.payment_day(order.deadline)
        last = max(paid, data.client_pays_on, data.inspected_by or order.deadline)
        terms = OrderTerms.objects.create(
            order=order, accepted_at=clock.now(), client_name=client.name, contact_name=client.contact_name,
            hub_name=hub.name, amount_yen=order.amount_yen, deliver_on=order.deadline, worker_pays_on=paid,
            nda_version=nda.version if nda else None, kept_until=date(last.year + KEPT_YEARS, 12, 31),
            **{name: getattr(order, name) for name in FROZEN}, **asdict(data),
        )  # fmt: skip
        rates.enter_first(order, today)
        Order.objects.filter(pk=order.pk).update(state=OrderState.ACCEPTED, director=actor)
        return terms

    return run_write(work)


FROZEN = (
    "title", "kind", "description", "unit_count", "price_yen", "minutes_per_unit", "level", "is_confidential"
)  # fmt: skip


def _check_days(order: Order, data: TermsData, today: date) -> None:
    def refuse(code: str, sentence: Any, field: str) -> None:
        raise DomainError(code, sentence, 422, field=field)

    if data.ordered_on > today:
        refuse("ordered_late", _("注文の 日は、きょうか その前に してください"), "ordered_on")
    if data.inspected_by and data.inspected_by < order.deadline:
        refuse(
            "inspection_early", _("たしかめおわる日は、納める日か そのあとに してください"), "inspected_by"
        )
    if data.client_pays_on < data.ordered_on:
        refuse("payment_early", _("しはらいの 日は、注文の 日か そのあとに してください"), "client_pays_on")


def withdraw_order(*, hub: Hub, code: str) -> None:
    """Give up an order that was not accepted. Raises 404, 409 as `save_order`, ``import_runs`` while a file is read."""

    def work() -> None:
        order = _draft(hub, code)
        if order.imports.filter(state__in=LIVE_IMPORTS).exists():
            raise DomainError(
                "import_runs", _("ファイルを 取りこんでいます。先に それを やめてください。"), 409
            )
        Order.objects.filter(pk=order.pk).update(state=OrderState.WITHDRAWN)

    run_write(work)


def raise_price(*, actor: Member, hub: Hub, code: str, price_yen: int, reason: str) -> OrderRate:
    """Let units that are accepted from now on bring more. A lower price is refused (RULE-27), here and by the database.

    Raises 404 ``unknown_order``; 409 ``order_open`` before acceptance (edit it instead), ``price_lower``; 422
    ``price_range``. The percents stay those of the order's first rate.
    """

    def work() -> OrderRate:
        order = hold(hub, code)
        if order.state != OrderState.ACCEPTED:
            raise DomainError("order_open", _("まだ 受けていない 受注は、条件を なおしてください。"), 409)
        if not 1 <= price_yen <= MOST_YEN:
            raise DomainError("price_range", _("金額を たしかめてください。"), 422, field="price_yen")
        before = rates.current(order)
        if price_yen <= before.price_yen:
            raise DomainError(
                "price_lower", _("受けた あとの 金額は、上げることだけ できます。"), 409, field="price_yen"
            )
        first = order.rates.get(number=1)
        parts = rates.rates_on(hub, first.made_at.astimezone(hub.tz).date())
        return rates.enter(
            order, price_yen, parts, number=before.number + 1, reason=reason, actor=actor,
            worker_at_least=before.worker_yen,
        )  # fmt: skip

    return run_write(work)
