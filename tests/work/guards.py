"""The triggers of terms, notices, rates and money, taken away for as long as a test wants: to show the harm, or to clean up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from django.db import connection, transaction

from hub.work.models import (
    Appeal,
    Correction,
    Delivery,
    Earning,
    OrderRate,
    OrderTerms,
    Statement,
    WorkNotice,
)

TERMS = import_module("hub.work.migrations.0002_terms_stay")
MONEY = import_module("hub.work.migrations.0004_money_stays")
#: Tables whose rows refuse to go, and what points at them, in the order in which they can be emptied.
KEPT = (Earning, Statement, Appeal, Correction, Delivery, WorkNotice, OrderRate, OrderTerms)


def sql(text: str, values: Sequence[object] | None = None) -> None:
    """One statement in a transaction of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


def statements(module: ModuleType) -> tuple[list[str], list[str]]:
    """What puts the guards of a migration and what takes them away, on this database."""
    if connection.vendor == "sqlite":
        return module.ON_SQLITE, module.OFF_SQLITE
    return module.ON_POSTGRESQL, module.OFF_POSTGRESQL


@contextmanager
def without(*modules: ModuleType) -> Iterator[None]:
    """The database without the guards of these migrations."""
    pairs = [statements(module) for module in modules]
    connection.check_constraints()  # PostgreSQL takes no trigger away while checks are pending
    for _on, off in pairs:
        for statement in off:
            sql(statement)
    try:
        yield
    finally:
        connection.check_constraints()
        for on, _off in pairs:
            for statement in on:
                sql(statement)


def unguarded() -> Any:
    """Nothing keeps terms, notices, rates, earnings and statements as they were written."""
    return without(TERMS, MONEY)


def _of_deleting(module: ModuleType) -> tuple[list[str], list[str]]:
    """Of the guards of a migration those that refuse to delete (0002 has one trigger for both on PostgreSQL)."""
    on, off = statements(module)

    def chosen(found: list[str], verb: str) -> list[str]:
        return [
            one
            for one in found
            if one.startswith(f"{verb} TRIGGER") and ("_no_delete" in one or "orderterms_stay" in one)
        ]

    return chosen(on, "CREATE"), chosen(off, "DROP")


def empty(models: Sequence[Any]) -> None:
    """Delete every row of these, in their order."""
    with transaction.atomic():
        for model in models:
            rows = model.objects.all()
            rows._raw_delete(rows.db)


@pytest.fixture
def cleanable(transactional_db: None) -> Iterator[None]:
    """As `rows_may_go`, but the guards hold until the test is over."""
    yield
    with unguarded():
        empty(KEPT)


@pytest.fixture
def rows_may_go(transactional_db: None) -> Iterator[None]:
    """For tests that commit: kept rows can be deleted, and are gone when the database is emptied after the test.

    The emptying deletes row by row on SQLite, and the triggers would refuse it. This fixture ends before it.
    """
    for module in (TERMS, MONEY):
        for statement in _of_deleting(module)[1]:
            sql(statement)
    yield
    empty(KEPT)
    for module in (TERMS, MONEY):
        for statement in _of_deleting(module)[0]:
            sql(statement)
