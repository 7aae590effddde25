"""Reading the client's file row by row: CSV in UTF-8 or CP932, or the first sheet of an XLSX.

Memory does not grow with the file, apart from the shared texts of an XLSX, whose size is limited. A formula is text here:
openpyxl hands it over as it is written, and nothing works it out.
"""

import codecs
import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

from openpyxl import load_workbook

from hub.core.forms import nfkc
from hub.work.enums import Column, Problem
from hub.work.models import MOST_UNITS

MOST_BYTES = 50_000_000
MOST_UNPACKED = 300_000_000  # of an XLSX, all parts
MOST_SHARED = 60_000_000  # its shared texts, which are held in memory
MOST_COLUMNS = 40
PIECE = 65_536
LENGTHS = {Column.REFERENCE: 40, Column.CONTENT: 4000, Column.NOTE: 1000}
#: Headings that are understood. Everything else is named to the director and left out.
HEADINGS = {
    "番号": Column.REFERENCE, "管理番号": Column.REFERENCE, "number": Column.REFERENCE,
    "内容": Column.CONTENT, "content": Column.CONTENT,
    "参考": Column.NOTE, "notes": Column.NOTE,
}  # fmt: skip
#: Control characters, halves of surrogates, what CP932 makes of bytes that mean nothing, and the sign for a character lost
#: on the way.
BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80\ud800-\udfff\uf8f0-\uf8f3\ufffd]")


class SheetError(Exception):
    """The file as a whole cannot be taken: why, and at which row where that is known."""

    def __init__(self, problem: Problem, row: int | None = None) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.row = row


@dataclass(frozen=True)
class Row:
    """A row that can be taken. ``number`` counts as a spreadsheet does: the heading is row 1."""

    number: int
    reference: str
    content: str
    note: str


@dataclass(frozen=True)
class Fault:
    """A cell that cannot be taken."""

    number: int
    column: Column
    problem: Problem


class Sheet:
    """A file with its headings read. ``for cells in sheet.rows()`` then gives each row, judged. Raises `SheetError`."""

    def __init__(self, file: BinaryIO, *, is_sheet: bool) -> None:
        self._lines = _numbered(_xlsx(file) if is_sheet else _csv(file))
        heading = next(self._lines, (1, []))[1]
        names = [nfkc(name) for name in heading]
        while names and not names[-1]:
            names.pop()
        self.columns = [HEADINGS.get(name.lower()) for name in names]
        known = [column for column in self.columns if column]
        if Column.CONTENT not in known:
            raise SheetError(Problem.NO_HEADER)
        if len(known) != len(set(known)):
            raise SheetError(Problem.HEADER_TWICE)
        self.unused = [name for name, column in zip(names, self.columns, strict=True) if name and not column]

    def rows(self) -> Iterator[Row | list[Fault]]:
        """Every row that is not blank: as it can be taken, or what is wrong with it."""
        for read, (number, cells) in enumerate(self._lines):
            if read >= MOST_UNITS:
                raise SheetError(Problem.TOO_MANY_ROWS, number)
            yield self._judge(number, cells)

    def _judge(self, number: int, cells: list[str]) -> Row | list[Fault]:
        if any(cells[len(self.columns) :]):
            return [Fault(number, Column.ROW, Problem.TOO_MANY_CELLS)]
        values = dict.fromkeys(LENGTHS, "")
        values |= {column: cell for column, cell in zip(self.columns, cells, strict=False) if column}
        faults = [
            Fault(number, column, problem)
            for column, value in values.items()
            if (problem := _wrong(column, value)) is not None
        ]
        if faults:
            return faults
        return Row(number, values[Column.REFERENCE], values[Column.CONTENT], values[Column.NOTE])


def _wrong(column: Column, value: str) -> Problem | None:
    if column == Column.CONTENT and not value:
        return Problem.EMPTY
    if len(value) > LENGTHS[column]:
        return Problem.TOO_LONG
    return Problem.BAD_CHARACTER if BAD.search(value) else None


def _numbered(lines: Iterator[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not blank, each with its number in the file."""
    for number, line in enumerate(lines, 1):
        cells = [cell.replace("\r\n", "\n").strip() for cell in line]
        if any(cells):
            yield number, cells


# ---------------------------------------------------------------- CSV


def _csv(file: BinaryIO) -> Iterator[Sequence[str]]:
    encoding = _encoding(file)
    # Cutting the bytes at line ends is right in both encodings: none of their longer characters holds the byte of one.
    reader = csv.reader((line.decode(encoding) for line in file), strict=True)
    row = 1
    try:
        for line in reader:
            yield line
            row += 1
    except csv.Error:
        raise SheetError(Problem.QUOTE, row) from None


def _encoding(file: BinaryIO) -> str:
    """UTF-8 where every byte fits, else CP932; tried on the whole file, since one bad row may stand at its end."""
    for encoding in ("utf-8-sig", "cp932"):
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        file.seek(0)
        return encoding
    raise SheetError(Problem.ENCODING)


# ---------------------------------------------------------------- XLSX


def _xlsx(file: BinaryIO) -> Iterator[Sequence[str]]:
    try:
        _fits_in_memory(file)
        book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says about its own size may be wrong
        for line in sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True):
            yield [_text(value) for value in line]
    except SheetError:
        raise
    except Exception:  # a broken package, bad XML, a forbidden entity: they have no error in common
        raise SheetError(Problem.UNREADABLE) from None


def _fits_in_memory(file: BinaryIO) -> None:
    """Refuses a small file that unpacks to a huge one. The module unpacks no more than the sizes say."""
    with zipfile.ZipFile(file) as package:
        parts = package.infolist()
    shared = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if shared > MOST_SHARED or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise SheetError(Problem.TOO_BIG)


def _text(value: Any) -> str:
    """A cell as text. ``value`` is what openpyxl makes of it; of a formula, its words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        whole_day = value.time() == time()
        return value.date().isoformat() if whole_day else value.isoformat(" ", "minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(getattr(value, "text", value))  # an array formula is an object with its text
