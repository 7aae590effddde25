"""A client's file becomes units: upload, check, the director's yes, keep. Nothing is kept before her yes.

Reading and keeping run in the task queue and may be killed at any statement. Reading begins anew (`UnitImport.run` stops
an older reader); keeping goes on after the last part, because a part and its units change in one transaction.
"""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.ids import new_code
from hub.core.tasks import enqueue
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work.enums import LIVE_IMPORTS, Column, ImportState, OrderState, PartStage, Problem
from hub.work.material import Material, pack, reference_key
from hub.work.models import ImportPart, Lot, Order, RowError, Unit, UnitImport
from hub.work.orders import hold
from hub.work.sheets import MOST_BYTES, Fault, Row, Sheet, SheetError

BATCH = 500  # rows in one transaction: short enough that a page behind it does not wait
PARTS_A_TASK = 4  # then the next task: mail goes in between
MOST_ERRORS = 1000  # that are kept to be shown; all are counted
ANSWER_WITHIN = timedelta(days=14)


# ---------------------------------------------------------------- what the director does


def upload(
    *, actor: Member, hub: Hub, order_code: str, name: str, size: int, pieces: Callable[[], Iterable[bytes]]
) -> UnitImport:
    """Take a file for an order and have it read. Raises 404; 409 ``order_withdrawn``, ``import_runs``; 422 ``too_big``.

    ``pieces`` begins at the start of the file each time it is called: after a deadlock the whole is done again.
    """
    if size > MOST_BYTES:
        raise DomainError(
            "too_big", _("ファイルが 大きすぎます。50MBまでに 分けてください"), 422, field="file"
        )

    def work() -> UnitImport:
        order = hold(hub, order_code)
        if order.state == OrderState.WITHDRAWN:
            raise DomainError("order_withdrawn", _("この 受注は やめました。"), 409)
        if order.imports.filter(state__in=LIVE_IMPORTS).exists():
            raise DomainError(
                "import_runs", _("ほかの ファイルを 取りこんでいます。おわるまで 待ってください。"), 409
            )
        source = UnitImport.objects.create(
            order=order, file_name=name[-120:], is_sheet=name.lower().endswith(".xlsx"), created_by=actor
        )
        for number, piece in enumerate(pieces()):
            _add_part(source, PartStage.FILE, number, base64.b64encode(piece).decode())
        enqueue("hub.work.imports.check_file", code=source.code)
        return source

    return run_write(work)


def keep(*, hub: Hub, code: str) -> None:
    """The director's yes: the good rows become units. Raises 404, 409 ``import_moved``, ``more_than_ordered``."""

    def work() -> None:
        source = _held(hub, code)
        if source.state != ImportState.CHECKED or not source.rows_good:
            raise _moved()
        order = Order.objects.select_for_update().get(pk=source.order_id)
        if order.units_kept + source.rows_good > order.unit_count:
            raise DomainError("more_than_ordered", Problem.MORE_THAN_ORDERED.label, 409)
        _settle(source, ImportState.KEEPING)
        enqueue("hub.work.imports.keep_rows", code=code)

    run_write(work)


def stop(*, hub: Hub, code: str) -> None:
    """Let the file go; what is wrong with its rows stays to be read. Raises 404, 409 ``import_moved`` once it is kept."""

    def work() -> None:
        source = _held(hub, code)
        if source.state not in (ImportState.CHECKING, ImportState.CHECKED):
            raise _moved()
        _settle(source, ImportState.STOPPED)

    run_write(work)


def _moved() -> DomainError:
    return DomainError("import_moved", _("この ファイルは もう 先に すすんでいます。"), 409)


def _held(hub: Hub, code: str) -> UnitImport:
    source = UnitImport.objects.select_for_update(of=("self",)).filter(order__hub=hub, code=code).first()
    if source is None:
        raise DomainError("unknown_import", _("この ファイルは 見つかりません。"), 404)
    return source


def forget_old() -> int:
    """Files that nobody answered for two weeks are let go: they hold a client's material. Returns how many."""
    old = UnitImport.objects.filter(state=ImportState.CHECKED, changed_at__lt=clock.now() - ANSWER_WITHIN)
    if not old.exists():  # no write transaction just to find nothing
        return 0

    def work() -> int:
        found = list(old.select_for_update())
        for source in found:
            _settle(source, ImportState.STOPPED)
        return len(found)

    return run_write(work)


def _settle(source: UnitImport, state: ImportState, **fields: Any) -> None:
    """Put the file into its next state; what is no longer needed of its material goes."""
    if state in (ImportState.STOPPED, ImportState.FAILED, ImportState.DONE):
        source.parts.all().delete()
    elif state == ImportState.CHECKED:
        source.parts.filter(stage=PartStage.FILE).delete()
    UnitImport.objects.filter(pk=source.pk).update(state=state, changed_at=clock.now(), **fields)


def _add_part(source: UnitImport, stage: PartStage, number: int, body: str) -> None:
    part = ImportPart(source=source, stage=stage, number=number)
    part.body = body
    part.save(force_insert=True)


# ---------------------------------------------------------------- reading (a task)


class _Overtaken(Exception):
    """Somebody stopped this file, or began to read it anew."""


def check_file(code: str) -> None:
    """Task: read the file, keep its good rows aside and say what is wrong with the others."""
    run = new_code()
    source = run_write(lambda: _begin(code, run))
    if source is None:
        return
    try:
        try:
            _read_parts(source, run)
        except SheetError as error:
            problem, row = error.problem, error.row
            run_write(lambda: _finish(source, run, problem, row))
    except (_Overtaken, ImportPart.DoesNotExist):
        return


def _read_parts(source: UnitImport, run: str) -> None:
    """Read from a file without a name: nobody else can open it, and it goes when this process goes."""
    with TemporaryFile() as file:
        for pk in list(source.parts.filter(stage=PartStage.FILE).values_list("pk", flat=True)):
            file.write(base64.b64decode(ImportPart.objects.get(pk=pk).body))
        file.seek(0)
        _read(source, run, file)


def _begin(code: str, run: str) -> UnitImport | None:
    source = UnitImport.objects.select_for_update().filter(code=code, state=ImportState.CHECKING).first()
    if source is None:
        return None
    source.parts.filter(stage=PartStage.ROWS).delete()
    source.errors.all().delete()
    source.run, source.rows_read, source.rows_good, source.rows_bad = run, 0, 0, 0
    source.save(update_fields=["run", "rows_read", "rows_good", "rows_bad"])
    return UnitImport.objects.select_related("order").get(pk=source.pk)


def _still_ours(source: UnitImport, run: str) -> UnitImport:
    """The row held, if it is still being read by this reader."""
    held = (
        UnitImport.objects.select_for_update()
        .filter(pk=source.pk, run=run, state=ImportState.CHECKING)
        .first()
    )
    if held is None:
        raise _Overtaken
    return held


def _read(source: UnitImport, run: str, file: BinaryIO) -> None:
    sheet = Sheet(file, is_sheet=source.is_sheet)
    seen: set[str] = set()  # digests of the client's numbers: 16 bytes a row are all that grows with the file
    batch: list[Row | list[Fault]] = []
    for row in sheet.rows():
        batch.append(row)
        if len(batch) == BATCH:
            _put_aside(source, run, batch, seen)
            batch = []
    if batch:
        _put_aside(source, run, batch, seen)
    unused = "、".join(sheet.unused)[:400]
    run_write(lambda: _finish(source, run, None, None, unused_columns=unused))


def _put_aside(source: UnitImport, run: str, batch: list[Row | list[Fault]], seen: set[str]) -> None:
    order = source.order
    keys = {row.number: reference_key(order, row.reference) or "" for row in batch if isinstance(row, Row)}
    here = set(
        Unit.objects.filter(order=order, reference_key__in=[key for key in keys.values() if key]).values_list(
            "reference_key", flat=True
        )
    )
    good: list[Row] = []
    faults: list[Fault] = []
    for row in batch:
        if not isinstance(row, Row):
            faults += row
            continue
        key = keys[row.number]
        if key and (key in seen or key in here):
            faults.append(Fault(row.number, Column.REFERENCE, Problem.TWICE))
            continue
        if key:
            seen.add(key)
        good.append(row)

    def work() -> None:
        held = _still_ours(source, run)
        body = json.dumps(
            [[row.number, row.reference, row.content, row.note] for row in good], ensure_ascii=False
        )
        if good:
            _add_part(held, PartStage.ROWS, good[0].number, body)
        room = max(0, MOST_ERRORS - held.errors.count()) if faults else 0
        RowError.objects.bulk_create(
            RowError(source=held, row=fault.number, column=fault.column, problem=fault.problem)
            for fault in faults[:room]
        )
        UnitImport.objects.filter(pk=held.pk).update(
            rows_read=F("rows_read") + len(batch), rows_good=F("rows_good") + len(good),
            rows_bad=F("rows_bad") + len(batch) - len(good), changed_at=clock.now(),
        )  # fmt: skip

    run_write(work)


def _finish(source: UnitImport, run: str, problem: Problem | None, row: int | None, **fields: Any) -> None:
    held = _still_ours(source, run)
    order = Order.objects.get(pk=held.order_id)
    if problem is None and not held.rows_read:
        problem = Problem.NO_ROWS
    if problem is None and order.units_kept + held.rows_good > order.unit_count:
        problem = Problem.MORE_THAN_ORDERED
    if problem is None:
        _settle(held, ImportState.CHECKED, **fields)
    else:
        _settle(held, ImportState.FAILED, problem=problem, problem_row=row, **fields)


# ---------------------------------------------------------------- keeping (a task)


def keep_rows(code: str) -> None:
    """Task: some parts of the good rows become units; another task goes on from there."""
    for turn in range(1, PARTS_A_TASK + 1):
        if not run_write(lambda turn=turn: _keep_part(code, hand_on=turn == PARTS_A_TASK)):  # type: ignore[misc]  # bound now
            return


def _keep_part(code: str, *, hand_on: bool) -> bool:
    """Make units of the next part, in one transaction with letting the part go. False when there is nothing to do."""
    source = UnitImport.objects.select_for_update().filter(code=code, state=ImportState.KEEPING).first()
    if source is None:
        return False
    part = source.parts.filter(stage=PartStage.ROWS).first()
    if part is None:
        _settle(source, ImportState.DONE)
        return False
    order = Order.objects.select_for_update().get(pk=source.order_id)
    rows = json.loads(part.body)
    lots = list(order.lots.all())
    units = []
    for number, (row, reference, content, note) in enumerate(rows, order.units_kept + 1):
        unit = Unit(
            order=order, lot=_lot_of(lots, number), number=number, source=source, row=row,
            reference_key=reference_key(order, reference),
        )  # fmt: skip
        unit.content = pack(Material(reference, content, note))
        units.append(unit)
    Unit.objects.bulk_create(units)
    part.delete()
    Order.objects.filter(pk=order.pk).update(units_kept=F("units_kept") + len(units))
    UnitImport.objects.filter(pk=source.pk).update(
        rows_kept=F("rows_kept") + len(units), changed_at=clock.now()
    )
    if hand_on:
        enqueue("hub.work.imports.keep_rows", code=code)
    return True


def _lot_of(lots: list[Lot], number: int) -> Lot:
    """The lot of the unit with ``number``: lots are filled in their order."""
    for lot in lots[:-1]:
        if number <= lot.size:
            return lot
        number -= lot.size
    return lots[-1]
