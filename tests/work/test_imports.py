"""A file on its way: read, shown, kept after the yes; what stands in it shows up nowhere else."""

import json
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError, connection, transaction
from django_tasks_db.models import DBTaskResult

from hub.core import tasks
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.notices.models import Notice
from hub.work import imports, orders
from hub.work.enums import ImportState, PartStage, Problem
from hub.work.material import Material, open_unit, reference_key
from hub.work.models import ImportPart, Order, RowError, Unit, UnitImport
from hub.work.sheets import SheetError
from tests import factories as make
from tests.races.arena import without
from tests.work import work

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
SECRET = "ひみつの原稿"


def material(unit: Unit, actor: Member) -> Material:
    return open_unit(actor=actor, unit=unit)


def rows(n: int) -> list[tuple[str, str]]:
    return [(f"A-{i}", f"しごと{i}") for i in range(n)]


def told(source: UnitImport) -> tuple[str, int, int, int]:
    source.refresh_from_db()
    return source.state, source.rows_good, source.rows_bad, source.rows_kept


def errors(source: UnitImport) -> list[tuple[int, str, str]]:
    return list(source.errors.values_list("row", "column", "problem"))


def code_of(call: Any, **kwargs: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as refused:
        call(**kwargs)
    return refused.value.code, refused.value.status


def test_nothing_is_kept_before_the_yes(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=3)
    source = work.send(cast, order, work.csv_of(rows(3)))
    assert told(source) == ("checking", 0, 0, 0)

    tasks.run_pending()
    assert told(source) == ("checked", 3, 0, 0)
    assert Unit.objects.count() == 0

    imports.keep(hub=cast.ekimae, code=source.code)
    tasks.run_pending()
    assert told(source) == ("done", 3, 0, 3)
    order.refresh_from_db()
    assert order.units_kept == 3
    assert [material(unit, cast.director) for unit in order.units.order_by("number")] == [
        Material(f"A-{n}", f"しごと{n}", "") for n in range(3)
    ]
    assert ImportPart.objects.count() == 0  # the file does not stay


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_csv_of_windows_comes_in_as_it_was_written(encoding: str, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    source = work.send(cast, order, "番号,内容\r\n①,髙橋の 店\r\n".encode(encoding))
    tasks.run_pending()
    imports.keep(hub=cast.ekimae, code=source.code)
    tasks.run_pending()

    assert material(order.units.get(), cast.director) == Material("①", "髙橋の 店", "")


def test_formula_in_a_sheet_is_kept_as_text(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    formula = '=HYPERLINK("http://example.org";"x")'
    source = work.send(cast, order, work.xlsx_of([("1", formula)]), "units.XLSX")
    tasks.run_pending()
    imports.keep(hub=cast.ekimae, code=source.code)
    tasks.run_pending()

    assert material(order.units.get(), cast.director).content == formula


def test_five_hundred_bad_rows_are_named_by_row_and_column(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=5000)
    bad = {n * 10 for n in range(500)}
    lines = [(f"A-{n}", "" if n in bad else f"しごと{n}") for n in range(5000)]
    source = work.upload(cast, order, lines)

    assert told(source) == ("checked", 4500, 500, 0)
    assert errors(source) == [(n + 2, "content", "empty") for n in sorted(bad)]
    imports.keep(hub=cast.ekimae, code=source.code)
    tasks.run_pending()
    assert told(source) == ("done", 4500, 500, 4500)
    numbers = list(order.units.order_by("number").values_list("number", "row"))
    assert numbers == list(enumerate((n + 2 for n in range(5000) if n not in bad), 1))


def test_number_that_comes_twice_is_named(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    work.bring(cast, order, [("A-1", "はじめの しごと")])
    source = work.upload(
        cast, order, [("A-2", "x"), ("A-1", "もう ある"), ("A-2", "この中に ある"), ("", "y"), ("", "z")]
    )

    assert told(source) == ("checked", 3, 2, 0)
    assert errors(source) == [(3, "reference", "twice"), (4, "reference", "twice")]


def test_same_number_in_another_order_is_no_clash(cast: SimpleNamespace) -> None:
    first, second = work.make_order(cast), work.make_order(cast)
    work.bring(cast, first, [("A-1", "x")])

    assert told(work.bring(cast, second, [("A-1", "x")])) == ("done", 1, 0, 1)
    assert reference_key(first, "A-1") != reference_key(second, "A-1")


def test_errors_are_counted_beyond_those_that_are_kept(
    cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_ERRORS", 700)
    order = work.make_order(cast, unit_count=2000)
    source = work.upload(cast, order, [(f"A-{n}", "") for n in range(1200)])

    assert told(source) == ("checked", 0, 1200, 0)
    assert source.errors.count() == 700
    assert code_of(imports.keep, hub=cast.ekimae, code=source.code) == ("import_moved", 409)


@pytest.mark.parametrize(
    ("data", "name", "problem"),
    [
        (b"x,y\n1,2\n", "a.csv", "no_header"),
        ("内容\n".encode(), "a.csv", "no_rows"),
        ('内容\n"閉じない\n'.encode(), "a.csv", "quote"),
        ("内容\n".encode() + b"\xff\n", "a.csv", "encoding"),
        (b"PK not really", "a.xlsx", "unreadable"),
    ],
)
def test_file_that_cannot_be_read_says_why_and_frees_the_order(
    data: bytes, name: str, problem: str, cast: SimpleNamespace
) -> None:
    order = work.make_order(cast)
    source = work.send(cast, order, data, name)
    tasks.run_pending()

    assert told(source)[0] == "failed"
    assert source.problem == problem
    assert ImportPart.objects.count() == 0
    assert told(work.upload(cast, order, rows(1)))[0] == "checked"
    assert not DBTaskResult.objects.filter(status="FAILED").exists()


def test_more_units_than_ordered_are_refused(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=3)
    work.bring(cast, order, rows(2))
    source = work.upload(cast, order, [("B-1", "x"), ("B-2", "y")])

    assert told(source) == ("failed", 2, 0, 0)
    assert source.problem == "more_than_ordered"


def test_file_that_is_too_big_is_not_taken(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    call = {"actor": cast.director, "hub": cast.ekimae, "order_code": order.code, "name": "a.csv"}

    assert code_of(imports.upload, **call, size=imports.MOST_BYTES + 1, pieces=list) == ("too_big", 422)
    assert UnitImport.objects.count() == 0


def test_upload_that_met_a_deadlock_is_done_again_with_the_whole_file(
    cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, body = work.make_order(cast), work.csv_of(rows(3))
    enqueue, calls = imports.enqueue, []

    def unlucky(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            cause = Exception()
            cause.sqlstate = "40P01"  # type: ignore[attr-defined]  # as psycopg's errors have it
            raise OperationalError from cause
        enqueue(*args, **kwargs)

    monkeypatch.setattr(imports, "enqueue", unlucky)
    file = SimpleUploadedFile("units.csv", body)
    source = imports.upload(
        actor=cast.director,
        hub=cast.ekimae,
        order_code=order.code,
        name="units.csv",
        size=len(body),
        pieces=file.chunks,
    )
    imports.check_file(source.code)

    assert (len(calls), told(source)) == (2, ("checked", 3, 0, 0))


def test_file_stopped_while_it_turns_out_broken_stays_stopped(
    cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = work.send(cast, work.make_order(cast), b"x")

    def broken(*args: Any) -> None:
        imports.stop(hub=cast.ekimae, code=source.code)
        raise SheetError(Problem.UNREADABLE)

    monkeypatch.setattr(imports, "_read", broken)
    imports.check_file(source.code)

    assert told(source)[0] == "stopped"


def test_one_file_at_a_time_for_an_order(cast: SimpleNamespace) -> None:
    order, other = work.make_order(cast, title="一"), work.make_order(cast, title="二")
    source = work.send(cast, order, work.csv_of(rows(1)))
    call = {"hub": cast.ekimae, "code": order.code}

    with pytest.raises(DomainError, match="import_runs"):
        work.send(cast, order, work.csv_of(rows(1)))
    with pytest.raises(IntegrityError), transaction.atomic():
        UnitImport.objects.create(order=order, is_sheet=False)
    assert work.send(cast, other, work.csv_of(rows(1))).state == "checking"
    assert code_of(orders.withdraw_order, **call)[0] == "import_runs"
    save = {**call, "client_code": order.client.code, "data": work.order_data(unit_count=1)}
    assert code_of(orders.save_order, **save)[0] == "import_runs"
    imports.stop(hub=cast.ekimae, code=source.code)
    assert work.send(cast, order, work.csv_of(rows(1))).state == "checking"


def test_stopped_file_is_not_read_any_more(cast: SimpleNamespace) -> None:
    source = work.send(cast, work.make_order(cast), work.csv_of(rows(3)))
    imports.stop(hub=cast.ekimae, code=source.code)
    tasks.run_pending()

    assert told(source) == ("stopped", 0, 0, 0)
    assert ImportPart.objects.count() == 0
    assert code_of(imports.keep, hub=cast.ekimae, code=source.code) == ("import_moved", 409)
    assert code_of(imports.stop, hub=cast.ekimae, code=source.code) == ("import_moved", 409)


def test_older_reader_stops_when_a_newer_one_began(
    cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was given up for dead reads on beside its successor: rows are there once."""
    monkeypatch.setattr(imports, "BATCH", 2)
    source = work.send(cast, work.make_order(cast), work.csv_of(rows(6)))
    put_aside, turns = imports._put_aside, []

    def slow(*args: Any) -> None:
        turns.append(1)
        if len(turns) == 2:  # in the middle of the first reading
            imports.check_file(source.code)
        put_aside(*args)

    monkeypatch.setattr(imports, "_put_aside", slow)
    imports.check_file(source.code)

    assert told(source) == ("checked", 6, 0, 0)
    parts = [json.loads(part.body) for part in source.parts.all()]
    assert [row[0] for part in parts for row in part] == [2, 3, 4, 5, 6, 7]


def test_file_of_another_hub_is_not_found(cast: SimpleNamespace) -> None:
    source = work.upload(cast, work.make_order(cast), rows(1))

    assert code_of(imports.keep, hub=cast.yagi, code=source.code) == ("unknown_import", 404)
    assert code_of(imports.stop, hub=cast.yagi, code=source.code) == ("unknown_import", 404)
    assert told(source)[0] == "checked"


def test_file_that_nobody_answers_goes_after_two_weeks(cast: SimpleNamespace, now: Any) -> None:
    source = work.upload(cast, work.make_order(cast), rows(1))
    now.shift(timedelta(days=14))
    assert (imports.forget_old(), told(source)[0]) == (0, "checked")

    now.shift(timedelta(minutes=1))
    assert (imports.forget_old(), told(source)[0]) == (1, "stopped")
    assert ImportPart.objects.count() == 0


def keep_twice(source: UnitImport) -> None:
    """The harm: units are made, the worker dies before the part is let go, and the part is done again."""
    body = source.parts.get(stage=PartStage.ROWS).body
    imports.keep(hub=source.order.hub, code=source.code)
    tasks.run_pending()
    again = UnitImport.objects.get(pk=source.pk)
    UnitImport.objects.filter(pk=again.pk).update(state=ImportState.KEEPING)
    imports._add_part(again, PartStage.ROWS, 2, body)
    imports.keep_rows(source.code)


@pytest.mark.django_db(transaction=True)
def test_without_the_guards_a_row_becomes_two_units(cast: SimpleNamespace) -> None:
    source = work.upload(cast, work.make_order(cast), [("", "しごと")])
    with without(Unit, "unit_row_once"):
        keep_twice(source)
        assert list(Unit.objects.values_list("source_id", "row")) == [(source.pk, 2)] * 2
        Unit.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_database_refuses_a_second_unit_of_a_row(cast: SimpleNamespace) -> None:
    source = work.upload(cast, work.make_order(cast), [("", "しごと")])
    with pytest.raises(IntegrityError):
        keep_twice(source)

    assert list(Unit.objects.values_list("number", "row")) == [(1, 2)]


def test_unit_is_kept_once_whoever_runs_the_task_again(cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    source = work.bring(cast, order, rows(3))
    imports.keep_rows(source.code)
    imports.check_file(source.code)

    assert told(source) == ("done", 3, 0, 3)
    assert order.units.count() == 3


# ---------------------------------------------------------------- confidential


def confidential(cast: SimpleNamespace) -> Order:
    return work.make_order(cast, is_confidential=True)


def test_confidential_unit_opens_for_nobody_until_the_gate_stands(cast: SimpleNamespace) -> None:
    order = confidential(cast)
    work.bring(cast, order, [("1", SECRET)])

    for actor in (cast.director, cast.manager, cast.misaki, cast.stranger):
        with pytest.raises(DomainError) as refused:
            material(order.units.get(), actor)
        assert refused.value.code == ("gate_closed" if actor == cast.director else "unknown_unit")


@pytest.mark.parametrize("who", ["manager", "door", "carer", "misaki", "stranger", "yagi_manager"])
def test_unit_opens_for_the_director_of_its_hub_only(who: str, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    work.bring(cast, order, [("1", SECRET)])

    assert material(order.units.get(), cast.director).content == SECRET
    with pytest.raises(DomainError) as refused:
        material(order.units.get(), getattr(cast, who))
    assert (refused.value.code, refused.value.status) == ("unknown_unit", 404)


def everything_stored() -> str:
    """Each text and each blob of the database, as somebody who steals the file would read it."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                cells = [bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]
                found += [
                    cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
                    for cell in cells
                ]
    return "\n".join(found)


def test_secret_stands_in_no_table_task_notice_or_log(
    cast: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    order = confidential(cast)
    lines = [("ひみつ番号", SECRET), ("2", ""), ("ひみつ番号", SECRET)]
    source = work.send(cast, order, work.csv_of(lines))
    assert SECRET not in everything_stored()  # the file as it came
    tasks.run_pending()
    assert told(source) == ("checked", 1, 2, 0)
    assert SECRET not in everything_stored()  # rows that wait for the yes, and errors
    imports.keep(hub=cast.ekimae, code=source.code)
    tasks.run_pending()

    text = everything_stored()
    assert order.units.count() == 1
    assert (SECRET in text, "ひみつ番号" in text) == (False, False)
    assert (SECRET in caplog.text, Notice.objects.count(), RowError.objects.count()) == (False, 0, 2)
    assert source.created_at == make.NOW
