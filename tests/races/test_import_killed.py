"""A worker killed at any statement of reading or keeping a file: run again, every row is one unit, none is two."""

from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection

from hub.core import tasks
from hub.work import imports
from hub.work.models import ImportPart, Unit, UnitImport
from tests.races import arena
from tests.races.test_waiting_killed import KILLS, SEED, tell, worker
from tests.work import work

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
__all__ = ["worker"]  # the fixture: a process that kills a child of its own
ROWS = 1200  # three parts


@pytest.fixture
def world(cast: SimpleNamespace) -> SimpleNamespace:
    return cast


def test_workers_that_keep_the_same_file_at_once_make_each_unit_once(world, people) -> None:  # type: ignore[no-untyped-def]
    """A worker given up for dead works on beside its successor."""
    order = work.make_order(world, unit_count=ROWS)
    source = work.upload(world, order, [(f"A-{row}", f"しごと{row}") for row in range(ROWS)])
    imports.keep(hub=world.ekimae, code=source.code)
    outcomes = people.race([lambda: imports.keep_rows(source.code)] * arena.CONTENDERS)

    assert [outcome.code for outcome in outcomes] == ["ok"] * arena.CONTENDERS
    tasks.run_pending()
    source.refresh_from_db()
    kept = list(Unit.objects.filter(order=order).order_by("number").values_list("number", "row"))
    assert kept == [(number, number + 1) for number in range(1, ROWS + 1)]
    assert (source.state, source.rows_kept) == ("done", ROWS)


def test_killed_at_any_statement_no_unit_is_there_twice(world, worker) -> None:  # type: ignore[no-untyped-def]
    chance = Random(SEED)
    seen = set()
    for n in range(KILLS):
        order = work.make_order(world, unit_count=ROWS)
        source = work.send(world, order, work.csv_of((f"A-{row}", f"しごと{row}") for row in range(ROWS)))
        operation = ("check", "keep")[n % 2]
        if operation == "keep":
            imports.check_file(source.code)
            imports.keep(hub=world.ekimae, code=source.code)
        connection.close()  # the file is the other's alone
        seen.add((operation, tell(worker, operation, source.code, chance.randint(1, 40))))

        imports.check_file(source.code)  # the tick has requeued what the dead one left
        if UnitImport.objects.get(pk=source.pk).state == "checked":
            imports.keep(hub=world.ekimae, code=source.code)
        imports.keep_rows(source.code)
        tasks.run_pending()

        source.refresh_from_db()
        order.refresh_from_db()
        assert (source.state, source.rows_good, source.rows_kept) == ("done", ROWS, ROWS)
        kept = list(Unit.objects.filter(order=order).order_by("number").values_list("number", "row"))
        assert kept == [(number, number + 1) for number in range(1, ROWS + 1)]
        assert (order.units_kept, ImportPart.objects.count()) == (ROWS, 0)

    assert {said for _operation, said in seen} <= {"killed", "done"}
    assert {operation for operation, said in seen if said == "killed"} == {"check", "keep"}
