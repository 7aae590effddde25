"""Orders, files and units by intent, for the tests of this folder and for the stranger."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from hub.core import tasks
from hub.spaces.models import Hub
from hub.work import imports, orders
from hub.work.models import Client, Order, UnitImport, WorkRates

DEADLINE = date(2027, 1, 29)
TERMS = orders.TermsData(
    ordered_on=date(2026, 12, 4), place="共有フォルダー", inspected_by=date(2027, 2, 5),
    client_pays_on=date(2027, 2, 26), pay_method="銀行ふりこみ",
)  # fmt: skip


def make_client(cast: SimpleNamespace, name: str = "見本商店", **fields: str) -> Client:
    data = {"contact_name": "見本 たんとう", "email": "", "phone": ""} | fields
    return orders.save_client(hub=cast.ekimae, code=None, data=orders.ClientData(name=name, **data))


def order_data(**fields: Any) -> orders.OrderData:
    data = {
        "title": "店の 紹介文を 書く", "kind": "writing", "description": "1件 200字", "unit_count": 10, "price_yen": 300,
        "minutes_per_unit": 15, "level": 1, "deadline": DEADLINE, "is_confidential": False,
    }  # fmt: skip
    return orders.OrderData(**(data | fields))


def make_rates(hub: Hub) -> WorkRates:
    """65 % to the worker, 10 % to the director, 20 % to the hub, 5 % to the platform; 1,100 yen an hour to compare with."""
    row, _made = WorkRates.objects.get_or_create(
        hub=hub,
        valid_from=date(2026, 4, 1),
        defaults={
            "worker": 6500, "director": 1000, "hub_part": 2000, "platform": 500, "reference_wage_yen": 1100,
            "source": "test",
        },
    )  # fmt: skip
    return row


def make_order(cast: SimpleNamespace, client: Client | None = None, **fields: Any) -> Order:
    make_rates(cast.ekimae)
    client = client or Client.objects.first() or make_client(cast)
    return orders.save_order(hub=cast.ekimae, code=None, client_code=client.code, data=order_data(**fields))


def csv_of(rows: Iterable[Sequence[str]], heading: str = "番号,内容") -> bytes:
    return "\n".join([heading, *(",".join(row) for row in rows)]).encode()


def xlsx_of(rows: Iterable[Sequence[Any]], heading: Sequence[str] = ("番号", "内容")) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(heading))
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OF = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def excel_of(rows: Iterable[Sequence[str]], heading: Sequence[str] = ("番号", "内容")) -> bytes:
    """As Excel writes it: texts in a table of their own, cells with their numbers. openpyxl writes them into the cells."""
    texts: dict[str, int] = {}
    lines = []
    for n, row in enumerate([heading, *rows], 1):
        cells = [
            f'<c r="{chr(65 + at)}{n}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'
            for at, text in enumerate(row)
            if text
        ]
        lines.append(f'<row r="{n}">{"".join(cells)}</row>')
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="{kind}.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OF}/officeDocument" '
        f'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OF}"><sheets><sheet name="a" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OF}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{OF}/sharedStrings" '
        f'Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
    }
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name, body in parts.items():
            package.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{body}')
    return file.getvalue()


def send(cast: SimpleNamespace, order: Order, data: bytes, name: str = "units.csv") -> UnitImport:
    """Upload bytes; nothing has read them yet."""
    pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    return imports.upload(
        actor=cast.director,
        hub=order.hub,
        order_code=order.code,
        name=name,
        size=len(data),
        pieces=lambda: pieces,
    )


def upload(cast: SimpleNamespace, order: Order, rows: Iterable[Sequence[str]]) -> UnitImport:
    """Upload rows (number, content) and have them read."""
    source = send(cast, order, csv_of(rows))
    imports.check_file(source.code)
    source.refresh_from_db()
    return source


def bring(cast: SimpleNamespace, order: Order, rows: Iterable[Sequence[str]]) -> UnitImport:
    """Upload rows, say yes, and have all of them kept."""
    source = upload(cast, order, rows)
    imports.keep(hub=order.hub, code=source.code)
    tasks.run_pending()
    source.refresh_from_db()
    return source


def full_order(
    cast: SimpleNamespace, *, title: str, client: str, content: str, accepted: bool = True
) -> Order:
    """An order with one unit in it, accepted."""
    order = make_order(cast, make_client(cast, client), title=title)
    bring(cast, order, [("1", content)])
    if accepted:
        orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=TERMS)
    order.refresh_from_db()
    return order


def accepted_order(cast: SimpleNamespace, units: int = 10, **fields: Any) -> Order:
    """An accepted order with ``units`` units in it, all of them here."""
    order = make_order(cast, unit_count=units, **fields)
    bring(cast, order, [(f"A-{n}", f"しごと{n}") for n in range(1, units + 1)])
    orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=TERMS)
    order.refresh_from_db()
    return order
