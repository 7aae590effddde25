"""Write transactions, the same on both databases.

SQLite takes one writer at a time and its waiting is not fair: under load one writer waited for seconds. One
process-wide lock around our write transactions makes the wait short and fair (measured: worst 0.15 s instead
of 3.7 s). PostgreSQL needs none of that; there a deadlock or a serialisation failure is tried again.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, Model

T = TypeVar("T")
M = TypeVar("M", bound=Model)
WRITE_LOCK = threading.RLock()
_running = threading.local()  # what is to be done at the end of this thread's write transaction
RETRIES = 4
RETRY_STATES = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available


@contextmanager
def write_transaction() -> Iterator[None]:
    """The outermost transaction of a write. Only use cases open it; helpers assert with `require_transaction`."""
    with WRITE_LOCK if connection.vendor == "sqlite" else nullcontext(), transaction.atomic(durable=True):
        _running.last = {}
        try:
            yield
            while _running.last:
                work, items = _running.last.popitem()
                work(items)
        finally:
            _running.last = None


def at_the_end(work: Callable[[list[Any]], None], item: Any) -> None:
    """Have ``work`` called once with all its items when the running write transaction is about to commit, inside it.

    For what may only be looked at when everything is in its place, such as who waits for what has become free. It may
    refuse nothing: an exception undoes the whole transaction. Without a write transaction of ours it is called at once.
    """
    require_transaction()
    last: dict[Callable[[list[Any]], None], list[Any]] | None = getattr(_running, "last", None)
    if last is None:
        work([item])
        return
    items = last.setdefault(work, [])
    if item not in items:
        items.append(item)


def queue_lock(kind: int, key: int) -> None:
    """Stand in line for (``kind``, ``key``) until this transaction ends; taken again it costs nothing.

    SQLite has one writer at a time anyway. On PostgreSQL it is an advisory lock: it locks no row, so whoever does not
    ask for it (a booking) does not wait.
    """
    require_transaction()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, key])


def run_write(work: Callable[[], T]) -> T:
    """Run ``work`` in a write transaction; on PostgreSQL again after a deadlock, at most four times in all."""
    for attempt in range(1, RETRIES + 1):
        try:
            with write_transaction():
                return work()
        except OperationalError as error:
            if attempt == RETRIES or getattr(error.__cause__, "sqlstate", None) not in RETRY_STATES:
                raise
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311  jitter, not a secret
    raise AssertionError("unreachable")


def require_transaction() -> None:
    """Refuse to write claims outside a transaction: a helper called alone would leave half a booking."""
    if not connection.in_atomic_block:
        raise RuntimeError("this must be called inside a transaction")


def share_lock(of: str = "") -> str:
    """The end of a written-out SELECT whose rows nobody may change until this transaction ends.

    Empty on SQLite, which has one writer at a time. The ORM has no share lock, and with its exclusive one two bookings
    would wait for each other.
    """
    if not connection.features.has_select_for_update:
        return ""
    return f" FOR SHARE OF {of}" if of else " FOR SHARE"


def row_lock(of: str) -> str:
    """As `share_lock`, for rows that this transaction changes; whoever only refers to them does not wait."""
    return f" FOR NO KEY UPDATE OF {of}" if connection.features.has_select_for_update else ""


def moment(value: datetime) -> Any:
    """An aware moment as a parameter of a written-out statement: SQLite keeps text in UTC."""
    return connection.ops.adapt_datetimefield_value(value)


@contextmanager
def prepared() -> Iterator[CursorWrapper]:
    """A cursor for a statement whose text never changes: PostgreSQL reads and plans it once in a connection.

    Django's own cursor writes the values into the text, so that each call is a new statement to the server, and planning
    it takes longer than what it asks for. SQLite knows a text again by itself. While statements are logged (DEBUG, counts
    of queries) it is Django's cursor too: psycopg keeps no text of a prepared one.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and not connection.queries_logged:
            cursor.cursor = psycopg.Cursor(connection.connection)
        yield cursor


@cache
def columns_of(model: type[Model], alias: str) -> str:
    """All columns of ``model`` in the order of its fields: the selection that `rows_of` reads."""
    quote = connection.ops.quote_name
    return ", ".join(f"{alias}.{quote(str(field.column))}" for field in model._meta.concrete_fields)


@cache
def _moments_of(model: type[Model]) -> list[int]:
    return [n for n, field in enumerate(model._meta.concrete_fields) if isinstance(field, DateTimeField)]


def rows_of(model: type[M], sql: str, values: Sequence[Any], *beside: str) -> list[M]:
    """What a `prepared` SELECT finds, as instances: it names `columns_of` first, then one column for each of ``beside``.

    `Manager.raw` does the same and looks at every column of every answer anew, which takes longer than the question.
    For tables of text, numbers, moments (SQLite keeps them as text in UTC) and booleans (from SQLite they come as 0 and 1).
    """
    names = [field.attname for field in model._meta.concrete_fields]
    found = []
    with prepared() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    for row in rows:
        own = list(row[: len(names)])
        if connection.vendor == "sqlite":
            for n in _moments_of(model):
                own[n] = connection.ops.convert_datetimefield_value(own[n], None, connection)  # type: ignore[attr-defined]  # SQLite has it
        one = model.from_db(connection.alias, names, own)
        for name, value in zip(beside, row[len(names) :], strict=True):
            setattr(one, name, value)
        found.append(one)
    return found


MOST_VALUES = 30_000  # in one statement: SQLite takes 32,766, PostgreSQL 65,535


def insert_rows(
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    unique: Sequence[str] = (),
    renew: Sequence[str] = (),
) -> None:
    """Insert plain rows in their order, by as few statements as can be. For tables of many small rows.

    `bulk_create` does the same with one model instance a row, a look at each field of each, and on SQLite several
    statements: ten times as long. Values are integers, booleans or None here; the database's constraints are what
    checks them. A row that is there already by its ``unique`` columns takes the new values of the ``renew`` columns.
    """
    values = list(rows)
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(quote(name) for name in columns)})"
    clash = ""
    if unique:
        new = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in renew)
        clash = f" ON CONFLICT ({', '.join(quote(name) for name in unique)}) DO UPDATE SET {new}"
    mark = f"({', '.join(['%s'] * len(columns))})"
    step = MOST_VALUES // len(columns)
    with connection.cursor() as cursor:
        for first in range(0, len(values), step):
            part = values[first : first + step]
            cursor.execute(
                f"INSERT INTO {into} VALUES {', '.join([mark] * len(part))}{clash}",  # noqa: S608  our own names
                [value for row in part for value in row],
            )


def violated(error: IntegrityError, **constraints: tuple[str, str]) -> str | None:
    """Which constraint an `IntegrityError` speaks of.

    ``constraints`` maps a name of ours to ``(constraint name, SQLite's text)``: PostgreSQL reports the
    constraint, SQLite the columns ("spaces_visitclaim.seat_id, ...") or, for a CHECK, its name.
    """
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    text = str(error)
    for key, (constraint, sqlite_text) in constraints.items():
        if name == constraint or (name is None and (sqlite_text in text or constraint in text)):
            return key
    return None
