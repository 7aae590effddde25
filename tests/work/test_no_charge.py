"""No path charges a worker for a seat or a care place: every column, every address, every call, every use case, the API.

Each walk is shown to be able to fail by a charge that is put there on purpose.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models
from django.test import Client
from django.test.utils import isolate_apps
from django.urls import get_resolver, resolve, reverse

from hub import tick
from hub.booking import no_show, services
from hub.checkin import walk_in
from hub.core.db import run_write
from hub.members.models import Member
from hub.urls import api
from hub.work import statements
from hub.work.models import (
    Earning,
    LedgerLine,
    OrderRate,
    OrderTerms,
    Statement,
    WorkNotice,
    WorkRates,
)
from tests import factories as make
from tests import test_strangers as walk
from tests.checkin import door
from tests.checkin.door import booked, scan, today, token
from tests.childcare import care
from tests.test_strangers import home
from tests.work import earned
from tests.work.guards import sql, unguarded

pytestmark = pytest.mark.django_db
__all__ = ["home"]  # the fixture: Misaki with a booking, children, work and a statement
MONEY = {
    "yen",
    "amount",
    "price",
    "fee",
    "fees",
    "cost",
    "costs",
    "charge",
    "bill",
    "invoice",
    "payment",
    "balance",
}


def is_money(name: str) -> bool:
    return bool(MONEY & set(re.split(r"[_\W]+|(?<=[a-z])(?=[A-Z])", name.lower())))


# ---------------------------------------------------------------- (a) columns


def money_columns(found: Iterable[type[models.Model]]) -> set[tuple[str, str, str]]:
    """App, table and column of everything that is money."""
    return {
        (model._meta.app_label, model._meta.db_table, str(field.column))
        for model in found
        for field in model._meta.concrete_fields
        if is_money(field.name)
        and isinstance(field, models.IntegerField | models.DecimalField | models.FloatField)
    }


def test_money_stands_in_the_tables_of_work_alone() -> None:
    found = money_columns(apps.get_models(include_auto_created=True))

    assert {app for app, _table, _column in found} == {"work"}
    assert len(found) > 20


@isolate_apps("hub.booking")
def test_walk_finds_a_fee_of_a_seat_that_was_slipped_in() -> None:
    class Bill(models.Model):
        seat_fee = models.IntegerField()

        class Meta:
            app_label = "booking"

    assert money_columns([Bill]) == {("booking", "booking_bill", "seat_fee")}


#: Each column of a table that points to a member, and a statement that makes it what stands for {value} and keeps all sums.
SUMS = {
    "work_earning": {
        **{name: f"{name} = {{value}}, price_yen = price_yen - {name} + {{value}}" for name in
           ("worker_yen", "director_yen", "hub_yen", "platform_yen")},
        "price_yen": "price_yen = {value}, worker_yen = {value}, director_yen = 0, hub_yen = 0, platform_yen = 0",
    },
    "work_statement": {
        "work_yen": "work_yen = {value}, director_yen = 0, withheld_from_yen = {value}, withholding_yen = {value}, net_yen = 0",
        "director_yen": "director_yen = {value}, net_yen = net_yen - director_yen + {value}",
        "withheld_from_yen": "withheld_from_yen = {value}, net_yen = net_yen + withholding_yen - {value}, withholding_yen = {value}",
        "withholding_yen": "withholding_yen = {value}, net_yen = net_yen + withholding_yen - {value}",
        "net_yen": "net_yen = {value}, director_yen = {value}, work_yen = 0, withheld_from_yen = 0, withholding_yen = 0",
    },
    "work_ledgerline": {"yen": "yen = {value}"},
    "work_workrates": {"reference_wage_yen": "reference_wage_yen = {value}"},
    "work_order": {"price_yen": "price_yen = {value}"},
}  # fmt: skip
SUMS["work_orderrate"] = SUMS["work_earning"]
#: Below zero for an order there is a limit of its own, so both may say no.
LIMITS = {"order_has_price"}


def of_members() -> set[tuple[str, str]]:
    """Money columns of tables that point to a member."""
    found = set()
    for model in apps.get_models():
        if any(field.related_model is Member for field in model._meta.concrete_fields if field.is_relation):
            found |= {(table, column) for _app, table, column in money_columns([model])}
    return found


@pytest.fixture
def money(cast: SimpleNamespace) -> SimpleNamespace:
    """A row in each of those tables."""
    earned.earn(earned.order_of(cast, price_yen=1000), cast.misaki, [1])
    run_write(lambda: statements._state(cast.ekimae, cast.misaki.pk, make.TODAY.replace(day=1)))
    LedgerLine.objects.create(hub=cast.ekimae, month=make.TODAY.replace(day=1), kind="rent", yen=9)
    return cast


def test_every_money_column_of_a_member_is_tried() -> None:
    assert of_members() == {(table, column) for table, columns in SUMS.items() for column in columns}


@pytest.mark.both_databases
@pytest.mark.parametrize(("table", "column"), sorted((t, c) for t, columns in SUMS.items() for c in columns))
def test_database_refuses_an_amount_below_zero(table: str, column: str, money: SimpleNamespace) -> None:
    """Below zero would be a debt. Only the CHECK stands in the way: the triggers are away, the sums are kept."""
    change = f"UPDATE {table} SET {SUMS[table][column]}"
    with unguarded():
        sql(change.format(value=1))  # the same with one yen is taken
        with pytest.raises(IntegrityError) as refused:
            sql(change.format(value=-1))
    if connection.vendor == "postgresql":
        said = refused.value.__cause__.diag.constraint_name  # type: ignore[union-attr]
        assert said.endswith("_check") or said in LIMITS, said
    else:  # SQLite names a column's own CHECK by the column
        said = str(refused.value).removeprefix("CHECK constraint failed: ")
        assert said in SUMS[table] or said in LIMITS, said


# ---------------------------------------------------------------- (b) addresses and calls

TABLES = [Earning, LedgerLine, OrderRate, OrderTerms, Statement, WorkNotice, WorkRates]


def books() -> list[Any]:
    """Every row of every table with money in it."""
    return [list(model.objects.order_by("pk").values()) for model in TABLES]  # type: ignore[attr-defined]


def test_books_are_all_tables_of_money() -> None:
    watched = {model._meta.db_table for model in TABLES}
    # Prices of orders and what a file holds are the clients', and no page of a worker writes them.
    assert {table for _app, table, _column in money_columns(apps.get_models())} - watched == {"work_order"}


AMOUNT = re.compile(r"(?:[¥￥]\s*[1-9]|[1-9][\d,]*\s*円|[1-9][\d,]* yen)")
CLAIM = re.compile(
    r"請求|おしはらいください|お支払いください|はらってください|利用料が|料金が|please pay", re.IGNORECASE
)
EVERYTHING = {
    "sure": "on", "hub": "ekimae", "starts": "10:00", "ends": "12:00", "date": "2026-12-09", "d": "2026-12-09",
    "reason": "x", "name": "x", "text": "x", "paid_on": "2026-12-07", "yen": "400", "price_yen": "400", "kind": "other",
    "m": "2026-12", "registration_number": "",
}  # fmt: skip


def charged(home: SimpleNamespace, addresses: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is wrong with these addresses, asked by Misaki: the books changed, or a page shows what she should pay."""
    wrong = []
    before = books()
    for name, path in addresses:
        for ask in ("get", "post"):
            client = Client(raise_request_exception=False)  # the passkey of the cast is none
            misaki = Member.objects.get(pk=home.cast.misaki.pk)
            if not misaki.is_active:
                return [*wrong, (name, "she is gone")]
            client.force_login(misaki, backend="django.contrib.auth.backends.ModelBackend")
            answer = client.get(path) if ask == "get" else client.post(path, EVERYTHING)
            body = answer.content.decode(errors="replace") if not answer.streaming else ""
            of_work = resolve(path).func.__module__.startswith("hub.work")
            if CLAIM.search(body) or (AMOUNT.search(body) and not of_work):
                wrong.append((name, "shows an amount"))
            if books() != before:
                wrong.append((name, "changes the books"))
                before = books()
    return sorted(set(wrong))


def addresses(home: SimpleNamespace) -> list[tuple[str, str]]:
    known = walk.OPEN | walk.STEPS | walk.OWN | set(walk.OTHERS)
    return [
        (name, walk.address(name, home.codes, "ja")) if name in known else (name, reverse(name))
        for name in sorted(walk.names(get_resolver()))
    ]


def test_no_address_charges_a_worker_with_a_booking_and_children(home: SimpleNamespace) -> None:
    found = addresses(home)

    assert len(found) > 150
    assert charged(home, found) == []


def test_walk_finds_addresses_that_charge(home: SimpleNamespace, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.work.charging"
    found = [
        (name, path) for name, path in addresses(home) if name in ("seat_fee", "care_bill", "visits", "pay")
    ]

    assert len(found) == 4
    assert charged(home, found) == [("care_bill", "shows an amount"), ("seat_fee", "changes the books")]


def test_no_call_of_the_api_charges(home: SimpleNamespace) -> None:
    client = Client()
    client.force_login(home.cast.misaki, backend="django.contrib.auth.backends.ModelBackend")
    before = books()
    assert walk.calls() == set(walk.CALLS)
    for method, path in sorted(walk.CALLS):
        answer = walk.ask(client, method, path, home)
        assert not AMOUNT.search(answer.content.decode()), (method, path)
        assert books() == before, (method, path)


# ---------------------------------------------------------------- (c) use cases


def nothing() -> bool:
    return not any(model.objects.exists() for model in TABLES)  # type: ignore[attr-defined]


def test_booking_changing_cancelling_late_and_staying_away_cost_nothing(
    cast: SimpleNamespace, now: Any
) -> None:
    first = booked(cast.misaki, cast.ekimae, today(13, 15), children=[cast.haru, cast.yui])
    services.move_visit(
        actor=cast.misaki, code=first.code,
        request=make.request_for(cast.misaki, cast.ekimae, today(14, 16), children=[cast.haru]),
    )  # fmt: skip
    assert (
        services.cancel_visit(actor=cast.misaki, code=first.code).visit.status == "cancelled"
    )  # on the day: late

    missed = booked(cast.misaki, cast.ekimae, today(11, 12), children=[cast.yui])
    now.move_to(make.at(11, 30, make.TODAY))
    assert no_show.release(actor=cast.door, code=missed.code).status == "released"
    assert tick.run() == []
    assert nothing()


def test_extending_and_leaving_early_cost_nothing(cast: SimpleNamespace) -> None:
    visit = booked(cast.misaki, cast.ekimae, children=[cast.haru])
    scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))
    services.extend(actor=cast.misaki, code=visit.code, ends_at=make.at(14, 0, make.TODAY))
    services.leave_early(actor=cast.misaki, code=visit.code, ends_at=make.at(10, 30, make.TODAY))
    scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae), out=True)
    assert nothing()


def test_walking_in_costs_nothing(cast: SimpleNamespace) -> None:
    refused = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan
    walk_in.give_seat(
        actor=door.fresh(cast.door), hub=cast.ekimae, scan_id=refused.scan_id, new_scan_id=uuid4(),
        ends_at=make.at(12, 0, make.TODAY),
    )  # fmt: skip
    assert nothing()


def test_care_from_hand_to_hand_and_a_late_pick_up_cost_nothing(cast: SimpleNamespace, now: Any) -> None:
    here = care.morning(cast, now)
    row = care.receive(here).custody
    now.shift(timedelta(hours=5))  # two hours after the booked end
    care.hand_over(here, row)
    now.shift(timedelta(days=60))
    assert tick.run() == []
    assert nothing()


# ---------------------------------------------------------------- (d) the API's own description


def money_words(schema: dict[str, Any]) -> set[str]:
    """Names of fields and parameters that are money, anywhere outside the calls of work."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                name = str(node["$ref"]).rpartition("/")[2]
                if name not in seen:
                    seen.add(name)
                    look(schema["components"]["schemas"][name])
                return
            found.update(name for name in node.get("properties", {}) if is_money(name))
            if "in" in node and is_money(str(node.get("name", ""))):
                found.add(str(node["name"]))
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    seen: set[str] = set()
    for path, calls in schema["paths"].items():
        if not re.search(r"/api/v1/(tasks|work)\b", path):
            look(calls)
    return found


def test_api_has_no_field_of_money_outside_of_work() -> None:
    assert money_words(api.get_openapi_schema(path_prefix="/api/v1/")) == set()


def test_walk_finds_a_price_in_a_description() -> None:
    schema = {
        "paths": {
            "/api/v1/visits": {"post": {"schema": {"$ref": "#/components/schemas/Visit"}}},
            "/api/v1/tasks": {"get": {"schema": {"$ref": "#/components/schemas/Task"}}},
        },
        "components": {
            "schemas": {
                "Visit": {"properties": {"code": {}, "seat": {"$ref": "#/components/schemas/Seat"}}},
                "Seat": {"properties": {"label": {}, "price_yen": {}}},
                "Task": {"properties": {"unit_yen": {}}},
            }
        },
    }
    assert money_words(schema) == {"price_yen"}
