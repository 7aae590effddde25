"""Clients, orders, lots, and what is frozen when an order is accepted."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from hub.core.errors import DomainError
from hub.work import orders
from hub.work.models import Client, Lot, Order, OrderTerms
from hub.work.queries import lots_of
from tests import factories as make
from tests.work import work

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def code_of(call: Any, *args: Any, **kwargs: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as refused:
        call(*args, **kwargs)
    return refused.value.code, refused.value.status


def sizes(order: Order) -> list[tuple[int, int, int]]:
    return list(order.lots.values_list("number", "size", "gate_percent"))


def accept(cast: SimpleNamespace, order: Order, **changes: Any) -> OrderTerms:
    data = orders.TermsData(**(vars(work.TERMS) | changes))
    return orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=data)


def test_client_of_the_same_name_is_refused_here_only(cast: SimpleNamespace) -> None:
    work.make_client(cast, "見本商店")

    assert code_of(work.make_client, cast, "見本商店") == ("client_exists", 409)
    data = orders.ClientData("見本商店", "別の人", "", "")
    assert orders.save_client(hub=cast.yagi, code=None, data=data).hub == cast.yagi


def test_client_and_order_of_another_hub_are_not_found(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    data = orders.ClientData("よその名前", "だれか", "", "")

    assert code_of(orders.save_client, hub=cast.yagi, code=order.client.code, data=data) == (
        "unknown_client", 404
    )  # fmt: skip
    save = {"hub": cast.yagi, "code": order.code, "client_code": order.client.code, "data": work.order_data()}
    assert code_of(orders.save_order, **save)[1] == 404
    foreign = {"actor": cast.director, "hub": cast.yagi, "code": order.code, "data": work.TERMS}
    assert code_of(orders.accept_order, **foreign)[1] == 404
    assert code_of(orders.withdraw_order, hub=cast.yagi, code=order.code)[1] == 404
    assert (
        code_of(orders.split_lot, hub=cast.yagi, order_code=order.code, number=1, first=1, gate_percent=90)[1]
        == 404
    )
    order.refresh_from_db()
    assert (order.state, Client.objects.get().name) == ("draft", "見本商店")


def test_new_wording_of_the_promise_is_a_new_version(cast: SimpleNamespace) -> None:
    client = work.make_client(cast)
    add = {"hub": cast.ekimae, "client_code": client.code}
    orders.add_nda(**add, text="第1", starts_on=date(2026, 4, 1), ends_on=date(2026, 12, 6))
    orders.add_nda(**add, text="第2", starts_on=date(2027, 1, 1), ends_on=None)

    assert [(nda.version, nda.text) for nda in client.ndas.all()] == [(2, "第2"), (1, "第1")]
    found = [orders.nda_on(client, day) for day in (date(2026, 12, 6), make.TODAY, date(2027, 1, 1))]
    assert [nda and nda.version for nda in found] == [1, None, 2]


def test_lots_always_make_the_whole_order(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=1000)
    split = {"hub": cast.ekimae, "order_code": order.code}
    orders.split_lot(**split, number=1, first=100, gate_percent=95)
    orders.split_lot(**split, number=2, first=300, gate_percent=90)
    orders.split_lot(**split, number=1, first=20, gate_percent=80)

    assert sizes(order) == [(1, 20, 80), (2, 80, 95), (3, 300, 90), (4, 600, 90)]
    assert code_of(orders.split_lot, **split, number=1, first=20, gate_percent=90) == ("lot_too_small", 409)
    change = {"hub": cast.ekimae, "code": order.code, "client_code": order.client.code}
    orders.save_order(**change, data=work.order_data(unit_count=401))
    assert sizes(order)[-1] == (4, 1, 90)
    assert code_of(orders.save_order, **change, data=work.order_data(unit_count=400)) == ("lots_too_big", 409)

    orders.join_lots(**split)
    assert [(number, size) for number, size, _gate in sizes(order)] == [(1, 401)]


def test_units_fill_the_lots_in_their_order(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=10)
    orders.split_lot(hub=cast.ekimae, order_code=order.code, number=1, first=3, gate_percent=90)
    work.bring(cast, order, [(str(n), f"しごと{n}") for n in range(5)])
    order.refresh_from_db()

    assert list(order.units.order_by("number").values_list("number", "lot__number")) == [
        (1, 1), (2, 1), (3, 1), (4, 2), (5, 2)
    ]  # fmt: skip
    assert [(lot["size"], lot["here"]) for lot in lots_of(order)] == [(3, 3), (7, 2)]
    split = {"hub": cast.ekimae, "order_code": order.code}
    assert code_of(orders.split_lot, **split, number=2, first=1, gate_percent=90) == ("units_here", 409)
    assert code_of(orders.join_lots, **split) == ("units_here", 409)


def test_terms_hold_what_rule_25_asks_for(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=120, price_yen=450)
    terms = accept(cast, order)

    assert (terms.client_name, terms.contact_name, terms.hub_name) == (
        "見本商店",
        "見本 たんとう",
        "駅前ハブ",
    )
    assert (terms.unit_count, terms.price_yen, terms.amount_yen) == (120, 450, 54_000)
    assert (terms.ordered_on, terms.deliver_on, terms.place) == (
        date(2026, 12, 4), date(2027, 1, 29), "共有フォルダー"
    )  # fmt: skip
    assert (terms.inspected_by, terms.client_pays_on) == (date(2027, 2, 5), date(2027, 2, 26))
    assert terms.worker_pays_on == date(2027, 2, 25)  # RULE-26: the month after the day of delivery
    assert terms.kept_until == date(2030, 12, 31)
    assert terms.accepted_at == make.NOW
    order.refresh_from_db()
    assert order.state == "accepted"


def test_greatest_order_fits(cast: SimpleNamespace) -> None:
    """The database multiplies units and price to check the amount: more than four bytes hold."""
    terms = accept(cast, work.make_order(cast, unit_count=50_000, price_yen=1_000_000))

    assert terms.amount_yen == 50_000_000_000


def test_accepted_order_changes_no_more(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    accept(cast, order)
    save = {"hub": cast.ekimae, "code": order.code, "client_code": order.client.code}

    assert code_of(orders.save_order, **save, data=work.order_data(price_yen=299)) == ("order_accepted", 409)
    assert code_of(accept, cast, order) == ("order_accepted", 409)
    assert code_of(orders.withdraw_order, hub=cast.ekimae, code=order.code) == ("order_accepted", 409)
    assert code_of(orders.join_lots, hub=cast.ekimae, order_code=order.code) == ("order_accepted", 409)
    order.refresh_from_db()
    assert (order.price_yen, order.terms.price_yen) == (300, 300)


def test_name_of_the_client_changes_and_the_terms_do_not(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    terms = accept(cast, order)
    data = orders.ClientData("新しい名前", "新しい人", "", "")
    orders.save_client(hub=cast.ekimae, code=order.client.code, data=data)
    terms.refresh_from_db()

    assert (terms.client_name, terms.contact_name) == ("見本商店", "見本 たんとう")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"ordered_on": date(2026, 12, 8)}, "ordered_late", "ordered_on"),
        ({"inspected_by": date(2027, 1, 28)}, "inspection_early", "inspected_by"),
        ({"client_pays_on": date(2026, 12, 3)}, "payment_early", "client_pays_on"),
    ],
)
def test_days_that_cannot_be_are_refused_at_their_field(
    change: dict[str, Any], code: str, field: str, cast: SimpleNamespace
) -> None:
    order = work.make_order(cast)
    with pytest.raises(DomainError) as refused:
        accept(cast, order, **change)

    assert (refused.value.code, refused.value.status, refused.value.facts) == (code, 422, {"field": field})
    order.refresh_from_db()
    assert (order.state, OrderTerms.objects.count()) == ("draft", 0)


def test_order_whose_day_has_passed_is_not_accepted(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, deadline=date(2026, 12, 6))
    assert code_of(accept, cast, order) == ("deadline_past", 409)


def test_confidential_order_needs_a_promise_that_holds_today(cast: SimpleNamespace) -> None:
    client = work.make_client(cast)
    order = work.make_order(cast, client, is_confidential=True)
    add = {"hub": cast.ekimae, "client_code": client.code, "text": "秘密に します"}
    orders.add_nda(**add, starts_on=date(2026, 4, 1), ends_on=date(2026, 12, 6))
    assert code_of(accept, cast, order) == ("nda_missing", 409)

    orders.add_nda(**add, starts_on=date(2026, 12, 7), ends_on=None)
    assert accept(cast, order).nda_version == 2


def test_database_refuses_sums_and_counts_that_are_wrong(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    for wrong in ({"units_kept": 11}, {"unit_count": 0}, {"price_yen": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(**wrong)
    for wrong in ({"size": 0}, {"gate_percent": 101}, {"gate_percent": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Lot.objects.filter(order=order).update(**wrong)


def test_withdrawn_order_takes_nothing_more(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    orders.withdraw_order(hub=cast.ekimae, code=order.code)

    assert code_of(accept, cast, order) == ("order_withdrawn", 409)
    assert code_of(work.send, cast, order, b"x") == ("order_withdrawn", 409)
