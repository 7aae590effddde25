"""CSV for accounting: UTF-8 with BOM, so that spreadsheets read Japanese, and no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from hub.spaces.models import Hub
from hub.work.models import Earning, Statement
from hub.work.statements import next_month

#: A spreadsheet takes a cell that begins so as a formula (OWASP, CSV injection); full-width ones become these by NFKC.
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: object) -> str:
    """``cell`` as text that no spreadsheet runs: an apostrophe stands before what would be a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(RUNS) else text


def csv_of(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The table as bytes of a CSV file."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([defused(cell) for cell in heading])
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def statements_csv(hub: Hub, month: date) -> bytes:
    """One line a statement of ``month``."""
    heading = [
        _("番号"), _("月"), _("氏名"), _("登録番号"), _("しごと（円）"), _("ディレクター（円）"), _("源泉徴収（円）"),
        _("しはらう 金額（円）"), _("控除できる 割合（%）"), _("しはらいの 日"), _("はらった日"),
    ]  # fmt: skip
    rows = Statement.objects.filter(hub=hub, month=month).order_by("number")
    return csv_of(
        heading,
        (
            (
                row.number, f"{row.month:%Y-%m}", row.member_name, row.registration_number, row.work_yen, row.director_yen,
                row.withholding_yen, row.net_yen, row.deduction_percent, row.pays_on, row.paid_on,
            )
            for row in rows
        ),
    )  # fmt: skip


def orders_csv(hub: Hub, month: date) -> bytes:
    """What each order brought to whom by work received in ``month``, one line an order and rate."""
    heading = [
        _("月"), _("受注"), _("しごと"), _("件数"), _("1件の 金額（円）"), _("金額（円）"), _("働く人（円）"),
        _("ディレクター（円）"), _("ハブ（円）"), _("しくみの 会社（円）"),
    ]  # fmt: skip
    received = Earning.objects.filter(hub=hub, received_on__gte=month, received_on__lt=next_month(month))
    rows = (
        received.order_by()
        .values_list("order__code", "order__title", "price_yen")
        .annotate(
            n=Count("pk"), price=Sum("price_yen"), worker=Sum("worker_yen"), director=Sum("director_yen"),
            hub=Sum("hub_yen"), platform=Sum("platform_yen"),
        )
        .order_by("order_id", "price_yen")
    )  # fmt: skip
    return csv_of(
        heading,
        (
            (f"{month:%Y-%m}", code, title, n, each, price, worker, director, part, platform)
            for code, title, each, n, price, worker, director, part, platform in rows
        ),
    )
