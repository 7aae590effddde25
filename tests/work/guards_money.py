"""The guards of money taken away: for showing the harm, and so that a test that commits can be cleaned up after."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import pytest
from django.db import connection, transaction

_TERMS = import_module("hub.work.migrations.0002_terms_stay")
_MONEY = import_module("hub.work.migrations.0004_money_stays")


def sql(text: str, values: Sequence[object] | None = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


def _statements(module: object) -> tuple[list[str], list[str]]:
    kind = "SQLITE" if connection.vendor == "sqlite" else "POSTGRESQL"
    return getattr(module, f"ON_{kind}"), getattr(module, f"OFF_{kind}")


@contextmanager
def unguarded() -> Iterator[None]:
    """Nothing keeps terms, rates, earnings and statements as they were written."""
    pairs = [_statements(module) for module in (_TERMS, _MONEY)]
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


@pytest.fixture
def cleanable(transactional_db: None) -> Iterator[None]:
    """After the test its money can be deleted, as the flush of a test that commits does on SQLite.

    Asked for beside `transactional_db`, it ends before the database's own flush does.
    """
    yield
    with unguarded():
        empty()


def empty() -> None:
    """Delete what the guards keep, and what points to it or from it."""
    from hub.notices.models import Delivery as Courier
    from hub.notices.models import Notice
    from hub.work import models

    for model in (
        Courier, Notice, models.Earning, models.Statement, models.Delivery, models.WorkNotice, models.Assignment,
        models.OrderRate, models.OrderTerms,
    ):  # fmt: skip
        rows = model.objects.all()  # type: ignore[attr-defined]
        rows._raw_delete(rows.db)
