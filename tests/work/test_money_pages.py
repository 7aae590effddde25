"""しはらい, お金の 分けかた, ハブの お金, and a worker's own pay, as a browser without JavaScript meets them."""

import csv
import io
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from hub.work import pdf, statements, tables
from hub.work.models import LedgerLine, OrderRate, OrderTerms, PayProfile, Statement, WorkRates
from tests import factories as make
from tests.booking.test_pages import text_of
from tests.work import earned, work

pytestmark = pytest.mark.django_db
DECEMBER = date(2026, 12, 1)
MADE = datetime(2027, 1, 16, 9, tzinfo=make.TOKYO)
RATES = {
    "valid_from": "2026-12-08", "worker": "６５．５", "director": "10", "hub_part": "20.0%", "platform": "4.5",
    "reference_wage_yen": "1,085".replace(",", ""), "source": "最低賃金 2026年",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _japanese():  # type: ignore[no-untyped-def]
    with translation.override("ja"):
        yield


def at(name: str, *codes: object) -> str:
    return reverse(name, args=["ekimae", *codes])


@pytest.fixture
def stated(cast: SimpleNamespace, now: Any) -> Statement:
    """Misaki's December: three units of 10,001 yen; it is 16 January."""
    earned.earn(earned.order_of(cast, price_yen=10_001), cast.misaki, [1, 2, 3])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    return Statement.objects.get(member=cast.misaki)


# ---------------------------------------------------------------- しはらい


def test_from_units_to_a_paid_month(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast, price_yen=10_001), cast.misaki, [1, 2, 3])
    client = as_(cast.director)
    early = client.post(at("desk_pay_make"), {"m": "2026-12"})
    assert (early.status_code, Statement.objects.count()) == (409, 0)
    assert "つぎの月の 16日から 作れます" in text_of(early)

    now.move_to(MADE)
    client = as_(cast.director)  # staff sign in every 12 hours
    made = client.post(at("desk_pay_make"), {"m": "2026-12"})
    assert made.headers["Location"] == f"{at('desk_pay')}?m=2026-12"
    shown = text_of(client.get(made.headers["Location"]))
    assert "明細を 2枚 作りました" in shown
    assert "しはらう 金額 20,512円" in shown
    assert "しごと 19,503円、ディレクター 3,000円、源泉徴収 1,991円" in shown

    codes = list(Statement.objects.values_list("code", flat=True))
    none = client.post(at("desk_pay_paid"), {"m": "2026-12", "paid_on": "2027-01-16"})
    assert (none.status_code, "はらった 明細を えらんでください" in text_of(none)) == (422, True)
    paid = {"m": "2026-12", "statement": codes, "paid_on": "2027-01-17"}
    late = client.post(at("desk_pay_paid"), paid)
    assert (late.status_code, list(late.context["form"].errors)) == (422, ["paid_on"])
    assert late.content.decode().count(" checked") == 2  # what was chosen stays chosen
    client.post(at("desk_pay_paid"), paid | {"paid_on": "2027-01-16"})
    assert set(Statement.objects.values_list("paid_on", flat=True)) == {date(2027, 1, 16)}

    client.post(at("desk_pay_undo", codes[0]))
    assert Statement.objects.get(code=codes[0]).paid_on is None
    assert client.post(at("desk_pay_undo", "ZZZZ")).status_code == 404


def test_late_payment_stands_on_top_with_its_legal_day(
    as_: Any, cast: SimpleNamespace, stated: Statement, now: Any
) -> None:
    client = as_(cast.manager)
    assert "期限が すぎたか 近い" not in text_of(client.get(at("desk_pay")))
    now.move_to(datetime(2027, 2, 6, 9, tzinfo=make.TOKYO))
    shown = text_of(as_(cast.manager).get(at("desk_pay")))

    assert (
        "法律の 期限は 2月4日（木）でした。2日 すぎています。 しはらいの 日 1月25日（月）が すぎています。"
        in shown
    )


def test_csv_of_statements_is_what_accounting_wants(
    as_: Any, cast: SimpleNamespace, stated: Statement
) -> None:
    answer = as_(cast.manager).get(at("desk_pay_csv"), {"m": "2026-12"})

    assert answer.headers["Content-Disposition"] == 'attachment; filename="statements-ekimae-2026-12.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == [
        "番号", "月", "氏名", "登録番号", "しごと（円）", "ディレクター（円）", "源泉徴収（円）", "しはらう 金額（円）",
        "控除できる 割合（%）", "しはらいの 日", "はらった日",
    ]  # fmt: skip
    line = [
        str(stated.number),
        "2026-12",
        "山田 みさき",
        "",
        "19503",
        "0",
        "1991",
        "17512",
        "70",
        "2027-01-25",
        "",
    ]
    assert sorted(rows[1:])[stated.number - 1] == line


def test_csv_of_orders_splits_every_yen(as_: Any, cast: SimpleNamespace, stated: Statement) -> None:
    answer = as_(cast.manager).get(at("desk_pay_orders_csv"), {"m": "2026-12"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert [row[2:] for row in rows[1:]] == [
        ["店の 紹介文を 書く", "3", "10001", "30003", "19503", "3000", "6000", "1500"]
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "－1"])
def test_cell_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert tables.defused(text) == f"'{text}"
    read = list(csv.reader(io.StringIO(tables.csv_of(["a"], [[text]]).decode("utf-8-sig"), newline="")))
    assert read == [["a"], [f"'{text}"]]


def test_name_that_is_a_formula_is_no_formula_in_the_file(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    cast.misaki.name = '=HYPERLINK("http://example.org")'
    cast.misaki.save()
    earned.earn(earned.order_of(cast, title="@SUM(A1)"), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    client = as_(cast.manager)

    for name in ("desk_pay_csv", "desk_pay_orders_csv"):
        body = client.get(at(name), {"m": "2026-12"}).content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(body)) for cell in row]
        assert [cell for cell in cells if cell.startswith(tables.RUNS)] == []
        assert any("HYPERLINK" in cell or "SUM" in cell for cell in cells)


def test_whole_number_and_day_stay_as_they_are() -> None:
    assert [tables.defused(cell) for cell in (12, None, date(2026, 12, 1), "T1234567890123")] == [
        "12", "", "2026-12-01", "T1234567890123"
    ]  # fmt: skip


def test_month_page_costs_the_same_queries_with_one_and_with_three(
    as_: Any, cast: SimpleNamespace, now: Any
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(at("desk_pay"), {"m": "2026-12"}).status_code == 200
        return len(found)

    order = earned.order_of(cast)
    earned.earn(order, cast.misaki, [1])
    now.move_to(MADE)
    client = as_(cast.director)
    statements.make_statements(cast.ekimae, DECEMBER)
    client.get(at("desk_pay"))
    few = count()
    for n, member in enumerate((cast.kenta, cast.door, cast.plaza), 2):
        earned.earn(order, member, [n], date(2026, 12, 8))
    statements.make_statements(cast.ekimae, DECEMBER)

    assert (Statement.objects.count(), count()) == (5, few)


# ---------------------------------------------------------------- お金の 分けかた


def test_percents_hold_from_their_day_and_old_orders_keep_theirs(
    as_: Any, cast: SimpleNamespace, now: Any
) -> None:
    old = earned.order_of(cast, price_yen=1000)
    client = as_(cast.manager)
    assert client.post(at("desk_rates"), RATES).status_code == 302
    row = WorkRates.objects.get(valid_from=date(2026, 12, 8))
    assert (row.worker, row.director, row.hub_part, row.platform) == (6550, 1000, 2000, 450)
    shown = text_of(client.get(at("desk_rates")))
    assert "もう 受けた 受注は、受けた日の 分けかたの ままです。" in shown
    assert "最低賃金 2026年" in shown

    now.move_to(datetime(2026, 12, 8, 9, tzinfo=make.TOKYO))
    new = earned.order_of(cast, price_yen=1000)
    assert [order.rates.get().worker_yen for order in (old, new)] == [650, 655]
    from hub.work import orders

    orders.raise_price(actor=cast.director, hub=cast.ekimae, code=old.code, price_yen=2000, reason="x")
    assert old.rates.get(number=2).worker_yen == 1300  # 65 %, as on the day it was taken


@pytest.mark.parametrize(
    ("change", "status", "field", "sentence"),
    [
        ({"platform": "4.4"}, 422, "platform", "4つを たすと 99.9%です。ちょうど 100%に してください"),
        ({"worker": "65.55"}, 422, "worker", "小数は 1けたまでに してください"),
        ({"valid_from": "2026-12-06"}, 422, "valid_from", "きょうか その あとの 日に してください"),
        ({"valid_from": "2026-12-07"}, 422, "valid_from", "きょうの 分は もう きまっています"),
        ({"worker": "-1", "platform": "71"}, 422, "worker", "0"),
    ],
)
def test_percents_that_cannot_be_are_refused_at_their_field(
    change: dict[str, str], status: int, field: str, sentence: str, as_: Any, cast: SimpleNamespace
) -> None:
    work.make_rates(cast.ekimae)
    answer = as_(cast.manager).post(at("desk_rates"), RATES | change)

    assert (answer.status_code, list(answer.context["form"].errors)[:1]) == (status, [field])
    assert sentence in text_of(answer)
    assert WorkRates.objects.count() == 1


def test_first_percents_hold_from_today_and_a_day_has_one_row(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.manager)
    assert "まだ きまっていません" in text_of(client.get(at("desk_rates")))
    today = RATES | {"valid_from": "2026-12-07"}
    assert client.post(at("desk_rates"), today).status_code == 302
    assert client.post(at("desk_rates"), RATES).status_code == 302
    again = client.post(at("desk_rates"), RATES)
    assert (again.status_code, list(again.context["form"].errors)) == (409, ["valid_from"])


AGREED = {
    "ordered_on": "2026-12-04", "place": "共有フォルダー", "client_pays_on": "2027-02-26", "pay_method": "銀行ふりこみ"
}  # fmt: skip


def test_order_without_percents_says_who_can_set_them(as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    WorkRates.objects.all().delete()
    answer = as_(cast.director).post(at("desk_order_accept", order.code), AGREED)
    assert answer.status_code == 409
    assert "分けかたは、ハブの 責任者が きめます。責任者に 話してください。" in text_of(answer)
    assert at("desk_rates") not in answer.content.decode()

    from hub.spaces.enums import Role
    from hub.spaces.models import Membership

    Membership.objects.create(member=cast.director, hub=cast.ekimae, role=Role.MANAGER)
    both = as_(cast.director).post(at("desk_order_accept", order.code), AGREED)
    assert (both.status_code, f'<a href="{at("desk_rates")}"' in both.content.decode()) == (409, True)


# ---------------------------------------------------------------- a price


def test_price_rises_with_a_reason_and_never_falls(as_: Any, cast: SimpleNamespace) -> None:
    order = earned.order_of(cast, price_yen=1000)
    client, path = as_(cast.director), at("desk_price", order.code)
    lower = client.post(path, {"price_yen": "999", "reason": "安く"})
    assert (lower.status_code, list(lower.context["form"].errors)) == (409, ["price_yen"])
    assert "受けた あとの 金額は、上げることだけ できます。" in text_of(lower)
    assert client.post(path, {"price_yen": "1200", "reason": ""}).status_code == 422
    assert OrderRate.objects.count() == 1

    assert client.post(path, {"price_yen": "１２００", "reason": "むずかしいから"}).status_code == 302
    terms = client.get(at("desk_order_terms", order.code)).content.decode().splitlines()
    assert "あとから 上げた 金額: 2026-12-07から 1件 1,200円。わけ：むずかしいから" in terms
    assert OrderTerms.objects.get(order=order).price_yen == 1000  # what was agreed stays


def test_price_of_a_draft_is_changed_elsewhere(as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    assert as_(cast.director).get(at("desk_price", order.code)).status_code == 409


# ---------------------------------------------------------------- ハブの お金


def line(client: Any, kind: str, yen: int, month: str = "2026-12") -> Any:
    return client.post(at("desk_ledger"), {"m": month, "kind": kind, "yen": str(yen), "note": ""})


def test_break_even_of_the_worked_example(as_: Any, cast: SimpleNamespace) -> None:  # B9
    work.make_rates(cast.ekimae)
    client = as_(cast.manager)
    for kind, yen in (
        ("rent", 300_000), ("staff", 500_000), ("care", 300_000), ("platform", 60_000), ("other", 40_000),
        ("subsidy", 700_000), ("grant", 100_000),
    ):  # fmt: skip
        assert line(client, kind, yen).headers["Location"] == f"{at('desk_ledger')}?m=2026-12"
    shown = text_of(client.get(at("desk_ledger"), {"m": "2026-12"}))

    assert "2,000,000円の しごとが いります" in shown
    formula = (
        "（かかった お金 1,200,000 − 補助金 700,000 − 交付金 100,000）÷ ハブの 取り分 20.0% = 2,000,000円"
    )
    assert formula in shown
    assert "いままでに 0円。 あと 2,000,000円です。" in shown
    assert "-400,000円。足りません。" in shown


def test_month_counts_the_work_received_in_it(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast, price_yen=10_001)
    earned.earn(order, cast.misaki, [1, 2], date(2026, 12, 31))
    earned.earn(order, cast.misaki, [3], date(2027, 1, 1))
    client = as_(cast.manager)
    line(client, "rent", 4_000)
    shown = text_of(client.get(at("desk_ledger"), {"m": "2026-12"}))

    assert "ハブの 取り分 4,000円" in shown
    assert (
        "しごとの 金額 20,002円のうち、働く人 13,002円、ディレクター 2,000円、しくみの 会社 1,000円" in shown
    )
    assert "いままでに 20,002円。 とどきました。" in shown  # needed: 4,000 / 20 % = 20,000


def test_empty_month_month_to_come_and_month_before_the_first_rates(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.manager)
    assert "お金の 分けかたが きまっていないので、計算できません。" in text_of(client.get(at("desk_ledger")))
    work.make_rates(cast.ekimae)
    assert "この月には まだ 何も 入れていません。" in text_of(client.get(at("desk_ledger")))
    assert "受注は いりません。" in text_of(client.get(at("desk_ledger")))
    assert "これからの 月です。" in text_of(client.get(at("desk_ledger"), {"m": "2027-03"}))
    assert "計算できません" in text_of(client.get(at("desk_ledger"), {"m": "2026-03"}))
    assert client.get(at("desk_ledger"), {"m": "rubbish"}).status_code == 200


def test_line_is_taken_away_again_and_another_hub_s_is_not_found(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.manager)
    line(client, "rent", 5)
    assert line(client, "rent", 0).status_code == 422
    mine = LedgerLine.objects.get()
    theirs = LedgerLine.objects.create(hub=cast.yagi, month=DECEMBER, kind="rent", yen=7)
    assert client.post(at("desk_ledger_remove", theirs.code)).status_code == 404
    assert client.post(at("desk_ledger_remove", mine.code)).status_code == 302
    assert list(LedgerLine.objects.values_list("yen", flat=True)) == [7]


# ---------------------------------------------------------------- a worker's own pages


def test_worker_sees_her_month_her_statements_and_how_it_was_worked_out(
    as_: Any, cast: SimpleNamespace, stated: Statement
) -> None:
    order = earned.order_of(cast, price_yen=100)
    earned.earn(order, cast.misaki, [1], date(2027, 1, 10))
    client = as_(cast.misaki)
    shown = text_of(client.get(reverse("pay")))
    assert "1月の いままで 合格 1件、65円" in shown
    assert "確認を 待っている しごとは ありません。" in shown
    assert "2026年 12月 17,512円" in shown.replace("\u3000", " ")

    detail = text_of(client.get(reverse("pay_statement", args=[stated.code])))
    for words in (
        "受けとる 金額 17,512円", "2027年1月25日（月）", "2027年2月4日（木）", "3件 × 6,501円 19,503円",
        "19,503円 × 10.21% = 1,991円", "わからないことは 駅前ハブに 聞いてください。", "まだ はらっていません。",
    ):  # fmt: skip
        assert words in detail, words


def test_statement_of_somebody_else_is_not_found(as_: Any, cast: SimpleNamespace, stated: Statement) -> None:
    for person in (cast.kenta, cast.manager, cast.stranger):
        for name in ("pay_statement", "pay_pdf"):
            assert as_(person).get(reverse(name, args=[stated.code])).status_code == 404
    assert as_(cast.misaki).post(reverse("pay_statement", args=[stated.code])).status_code == 405


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("", ""), ("ｔ１２３４５６７８９０１２３", "T1234567890123"), ("T1234-5678-90123", "T1234567890123")],
)
def test_registration_number_is_put_right(typed: str, kept: str, as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.misaki)
    assert "受けとる 金額は 変わりません" in text_of(client.get(reverse("pay_profile")))
    assert client.post(reverse("pay_profile"), {"registration_number": typed}).status_code == 302
    profile = PayProfile.objects.get(member=cast.misaki)
    assert (profile.registration_number, profile.shares_time) == (kept, False)


@pytest.mark.parametrize("typed", ["T123", "1234567890123", "TT123456789012", "T12345678901234"])
def test_wrong_registration_number_is_refused(typed: str, as_: Any, cast: SimpleNamespace) -> None:
    answer = as_(cast.misaki).post(reverse("pay_profile"), {"registration_number": typed})
    assert (answer.status_code, PayProfile.objects.count()) == (422, 0)
    assert answer.context["form"]["registration_number"].value() == typed


def test_year_counts_by_the_day_of_paying(as_: Any, cast: SimpleNamespace, stated: Statement) -> None:
    client = as_(cast.misaki)
    assert "この年に はらわれた お金は ありません。" in text_of(client.get(reverse("pay_year")))
    statements.mark_paid(actor=cast.manager, hub=cast.ekimae, codes=[stated.code], paid_on=MADE.date())
    shown = text_of(client.get(reverse("pay_year"), {"y": "2027"}))
    assert "しごと 19,503円 源泉徴収 1,991円 受けとった 金額 17,512円" in shown
    for other in ("2026", "99999", "x", "²"):
        assert client.get(reverse("pay_year"), {"y": other}).status_code == 200
    assert "ありません" in text_of(client.get(reverse("pay_year"), {"y": "2026"}))


def test_account_page_says_what_stays_of_her_work_and_why(
    as_: Any, cast: SimpleNamespace, stated: Statement
) -> None:
    words = "まだ はらっていない お金は、明細に して、消した あとも しはらいます。"
    assert words in text_of(as_(cast.misaki).get(reverse("account_delete")))
    assert words not in text_of(as_(cast.kenta).get(reverse("account_delete")))


# ---------------------------------------------------------------- PDF


@pytest.mark.pdf
def test_pdf_says_what_the_page_says(as_: Any, cast: SimpleNamespace, stated: Statement) -> None:
    answer = as_(cast.misaki).get(reverse("pay_pdf", args=[stated.code]))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-2026-12-1.pdf"'
    reader = PdfReader(io.BytesIO(answer.content))
    text = "".join("".join(page.extract_text().split()) for page in reader.pages)

    assert len(reader.pages) == 1
    for words in (
        "2026年12月の明細", "受けとる金額17,512円", "山田みさきさま", "駅前ハブ", "2027年1月25日（月）", "3件×6,501円",
        "19,503円×10.21%=1,991円",
    ):  # fmt: skip
        assert words in text, (words, text)
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert fonts
    assert all("Noto-Sans-CJK-JP" in name or "NotoSansCJKjp" in name for name in fonts), fonts


@pytest.mark.pdf
def test_pdf_of_many_orders_has_more_pages(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    for n in range(30):
        earned.earn(earned.order_of(cast, title=f"しごと {n}"), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    code = Statement.objects.get(member=cast.misaki).code
    body = as_(cast.misaki).get(reverse("pay_pdf", args=[code])).content
    reader = PdfReader(io.BytesIO(body))

    assert len(reader.pages) == 2
    assert all(f"しごと{n}" in "".join(reader.pages[0].extract_text().split()) for n in range(5))


@pytest.mark.pdf
def test_pdf_fetches_nothing() -> None:
    body = pdf.render('<img src="file:///etc/passwd"><link rel="stylesheet" href="http://127.0.0.1:9/">ok')
    assert body.startswith(b"%PDF")
    assert b"/Image" not in body


def test_without_weasyprint_the_page_offers_printing(
    as_: Any, cast: SimpleNamespace, stated: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_weasyprint", lambda: None)
    client = as_(cast.misaki)
    page = reverse("pay_statement", args=[stated.code])
    assert "この ハブでは PDFを 作れません。この ページを 印刷するか" in text_of(client.get(page))
    assert reverse("pay_pdf", args=[stated.code]) not in client.get(page).content.decode()
    away = client.get(reverse("pay_pdf", args=[stated.code]))
    assert away.headers["Location"] == page
