"""Files as clients send them: encodings, formulas, broken rows, broken packages."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest

from hub.work import sheets
from hub.work.enums import Column, Problem
from hub.work.sheets import Fault, Row, Sheet, SheetError
from tests.work.work import excel_of, xlsx_of


def read(data: bytes, *, is_sheet: bool = False) -> list[Any]:
    return list(Sheet(io.BytesIO(data), is_sheet=is_sheet).rows())


def problem_of(data: bytes, *, is_sheet: bool = False) -> tuple[Problem, int | None]:
    with pytest.raises(SheetError) as refused:
        read(data, is_sheet=is_sheet)
    return refused.value.problem, refused.value.row


TEXT = "番号,内容,参考\r\nA-1,髙島屋の ①番 〜 表,駅から 3分\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_csv_is_read_in_every_usual_encoding(encoding: str) -> None:
    text = TEXT.replace("〜", "～") if encoding == "cp932" else TEXT
    assert read(text.encode(encoding)) == [Row(2, "A-1", text.split(",")[3].strip(), "駅から 3分")]


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    data = '内容\n"二行に\nわたる"\n\n,,\nつぎ\n'.encode()
    assert read(data) == [Row(2, "", "二行に\nわたる", ""), Row(5, "", "つぎ", "")]


@pytest.mark.parametrize("is_sheet", [False, True])
def test_formula_is_text(is_sheet: bool) -> None:
    formulas = ["=1+1", '=HYPERLINK("http://example.org")', "@SUM(A1)", "+1", "-1"]
    if is_sheet:
        data = xlsx_of([("", text) for text in formulas])
    else:
        data = "\n".join(["内容", *('"' + text.replace('"', '""') + '"' for text in formulas)]).encode()

    assert [row.content for row in read(data, is_sheet=is_sheet)] == formulas


def test_cells_of_a_sheet_become_the_text_that_people_see() -> None:
    values = [1, 1.0, 1.5, True, date(2027, 1, 29), datetime(2027, 1, 29, 9, 30), "  余白  ", "007"]
    data = xlsx_of([("", value) for value in values])

    found = [row.content for row in read(data, is_sheet=True)]
    assert found == ["1", "1", "1.5", "TRUE", "2027-01-29", "2027-01-29 09:30", "余白", "007"]


def test_sheet_is_read_as_excel_writes_it() -> None:
    data = excel_of([("A-1", "店の <紹介>"), ("", "店の <紹介>"), ("A-3", "")])

    assert read(data, is_sheet=True) == [
        Row(2, "A-1", "店の <紹介>", ""),
        Row(3, "", "店の <紹介>", ""),
        [Fault(4, Column.CONTENT, Problem.EMPTY)],
    ]


def test_wrong_cells_are_named_by_row_and_column() -> None:
    long = "あ" * 4001
    data = f"番号,内容,参考\n1,,x\n{'9' * 41},よい,\n3,{long},\n4,a\x07b,\n5,c,d,e\n6,よい,\n".encode()

    assert read(data) == [
        [Fault(2, Column.CONTENT, Problem.EMPTY)],
        [Fault(3, Column.REFERENCE, Problem.TOO_LONG)],
        [Fault(4, Column.CONTENT, Problem.TOO_LONG)],
        [Fault(5, Column.CONTENT, Problem.BAD_CHARACTER)],
        [Fault(6, Column.ROW, Problem.TOO_MANY_CELLS)],
        Row(7, "6", "よい", ""),
    ]


def test_headings_are_understood_in_english_too() -> None:
    assert read(b"Number,Content,Notes\n1,work,with care\n") == [Row(2, "1", "work", "with care")]


def test_columns_that_mean_nothing_here_are_named_and_left_out() -> None:
    sheet = Sheet(io.BytesIO("備考,内容,担当\nx,仕事,y\n".encode()), is_sheet=False)

    assert sheet.unused == ["備考", "担当"]
    assert list(sheet.rows()) == [Row(2, "", "仕事", "")]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("番号,なまえ\n1,2\n".encode(), (Problem.NO_HEADER, None)),
        (b"", (Problem.NO_HEADER, None)),
        ("内容,内容\n1,2\n".encode(), (Problem.HEADER_TWICE, None)),
        ('内容\nよい\n"閉じない\n'.encode(), (Problem.QUOTE, 3)),
        ("内容\n".encode() + b"\xff\xff\n", (Problem.ENCODING, None)),
        ("内容\nしごと\n".encode("utf-16"), (Problem.ENCODING, None)),
    ],
)
def test_csv_that_cannot_be_read_says_why(data: bytes, problem: tuple[Problem, int | None]) -> None:
    assert problem_of(data) == problem


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_UNITS", 3)
    assert len(read("内容\n1\n2\n3\n".encode())) == 3
    assert problem_of("内容\n1\n2\n3\n4\n".encode()) == (Problem.TOO_MANY_ROWS, 5)


def repacked(data: bytes, name: str, body: bytes) -> bytes:
    """An XLSX with one part put in or replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part.filename, old.read(part))
        new.writestr(name, body)
    return file.getvalue()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b'<row r="1"><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
)


def test_broken_sheets_say_so() -> None:
    good = xlsx_of([("1", "仕事")])
    part = "xl/worksheets/sheet1.xml"

    assert read(good, is_sheet=True) == [Row(2, "1", "仕事", "")]
    for bad in (
        b"not a package",
        good[:200],
        repacked(good, part, b"<worksheet"),
        repacked(good, part, BOMB),
    ):
        assert problem_of(bad, is_sheet=True) == (Problem.UNREADABLE, None)


def test_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = repacked(xlsx_of([("1", "仕事")]), "junk.bin", b"0" * 3_000_000)
    assert len(zeros) < 20_000
    assert len(read(zeros, is_sheet=True)) == 1  # a harmless part, under the limit

    monkeypatch.setattr(sheets, "MOST_UNPACKED", 2_000_000)
    assert problem_of(zeros, is_sheet=True) == (Problem.TOO_BIG, None)
