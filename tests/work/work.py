"""Orders, files and units by intent, for the tests of this folder and for the stranger."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

from openpyxl import Workbook

from hub.core import tasks
from hub.work import imports, orders
from hub.work.models import Client, Order, UnitImport

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


def make_order(cast: SimpleNamespace, client: Client | None = None, **fields: Any) -> Order:
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


def send(cast: SimpleNamespace, order: Order, data: bytes, name: str = "units.csv") -> UnitImport:
    """Upload bytes; nothing has read them yet."""
    pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    return imports.upload(
        actor=cast.director, hub=order.hub, order_code=order.code, name=name, size=len(data), pieces=pieces
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
        orders.accept_order(hub=cast.ekimae, code=order.code, data=TERMS)
    order.refresh_from_db()
    return order
