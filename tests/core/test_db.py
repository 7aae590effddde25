"""The one write transaction: durable, in a fair line on SQLite, tried again on PostgreSQL."""

import threading
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.models import Model

from hub.checkin.models import Presence
from hub.core import db
from hub.core.errors import DomainError
from hub.core.models import Heartbeat
from hub.members.models import Member
from hub.spaces.models import Visit
from tests import factories as make
from tests.checkin import door

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


class ServerSays(Exception):
    """What psycopg's errors carry."""

    def __init__(self, sqlstate: str = "", constraint: str | None = None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate
        self.diag = SimpleNamespace(constraint_name=constraint)


def operational(sqlstate: str) -> OperationalError:
    error = OperationalError("server")
    error.__cause__ = ServerSays(sqlstate)
    return error


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
def test_deadlock_is_tried_again(sqlstate: str) -> None:
    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise operational(sqlstate)
        return "done"

    assert (db.run_write(work), len(tries)) == ("done", 3)


def test_deadlock_without_end_is_given_up_after_four_times() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise operational("40P01")

    with pytest.raises(OperationalError):
        db.run_write(work)
    assert len(tries) == db.RETRIES == 4


def test_other_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise operational("57P01")

    with pytest.raises(OperationalError):
        db.run_write(work)
    assert len(tries) == 1


def test_refusal_undoes_what_was_written() -> None:
    def work() -> None:
        Heartbeat.objects.create(name="x", beat_at=make.NOW)
        raise DomainError("no", "")

    with pytest.raises(DomainError):
        db.run_write(work)
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_helpers_refuse_to_run_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        db.require_transaction()
    db.run_write(db.require_transaction)


@pytest.mark.django_db(transaction=True)
def test_write_transaction_is_the_outermost_one() -> None:
    def nested() -> None:
        db.run_write(lambda: None)

    with pytest.raises(RuntimeError):
        db.run_write(nested)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_writers_of_one_process_stand_in_one_line() -> None:
    inside, left = threading.Event(), threading.Event()
    seen: list[str] = []

    def first() -> None:
        with db.write_transaction():
            inside.set()
            left.wait(0.2)
            seen.append("first")
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(5)
    db.run_write(lambda: seen.append("second"))
    thread.join(5)

    assert seen == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "constraint", "expected"),
    [
        ("UNIQUE constraint failed: spaces_visitclaim.seat_id, spaces_visitclaim.quarter", None, "seat"),
        ("UNIQUE constraint failed: spaces_visitclaim.member_id, spaces_visitclaim.quarter", None, "member"),
        ("CHECK constraint failed: seat_once", None, "seat"),
        ("FOREIGN KEY constraint failed", None, None),
        ("duplicate key", "member_once", "member"),
        # The server's word counts, whatever stands in the text.
        ("duplicate key ... seat_once", "other_constraint", None),
    ],
)
def test_violated_constraint_is_named(text: str, constraint: str | None, expected: str | None) -> None:
    error = IntegrityError(text)
    error.__cause__ = ServerSays(constraint=constraint)

    found = db.violated(
        error,
        seat=("seat_once", "spaces_visitclaim.seat_id"),
        member=("member_once", "spaces_visitclaim.member_id"),
    )

    assert found == expected


# ---------------------------------------------------------------- written-out statements


@pytest.mark.parametrize("model", [Member, Visit, Presence])
def test_rows_of_reads_what_the_orm_reads(cast: SimpleNamespace, model: type[Model]) -> None:
    door.booked(cast.misaki, cast.ekimae)
    door.scan(cast.door, cast.ekimae, door.token(cast.misaki, cast.ekimae))

    sql = f"SELECT {db.columns_of(model, 'it')}, 7 FROM {model._meta.db_table} it ORDER BY it.id"
    found = db.rows_of(model, sql, [], "seven")

    names = [field.attname for field in model._meta.concrete_fields]
    want = [[getattr(row, name) for name in names] + [7] for row in model._default_manager.order_by("pk")]
    assert [[getattr(row, name) for name in [*names, "seven"]] for row in found] == want
    assert [row._state.adding for row in found] == [False] * len(want)


@pytest.mark.postgres
def test_prepared_statement_is_planned_once(cast: SimpleNamespace) -> None:
    def known() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%members_member it%"]
            )
            return int(cursor.fetchone()[0])

    def ask(pk: int) -> list[Member]:
        sql = f"SELECT {db.columns_of(Member, 'it')} FROM members_member it WHERE it.id = %s"
        return db.rows_of(Member, sql, [pk])

    people = [cast.misaki, cast.kenta, cast.door]

    assert [ask(person.pk) for person in people] == [[person] for person in people]
    assert known() == 1
