"""The director's pages, as a browser without JavaScript meets them."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.core import tasks
from hub.spaces.enums import Role
from hub.work import orders
from hub.work.models import Client, Order, Unit, UnitImport
from tests import factories as make
from tests.booking.test_pages import text_of
from tests.work import work

pytestmark = pytest.mark.django_db
ORDER = {
    "title": "店の 紹介文を 書く", "kind": "writing", "description": "200字", "unit_count": "１０", "price_yen": "300",
    "minutes_per_unit": "15", "level": "1", "deadline": "2027-01-29",
}  # fmt: skip
AGREED = {
    "ordered_on": "2026-12-04", "place": "共有フォルダー", "client_pays_on": "2027-02-26", "pay_method": "銀行ふりこみ"
}  # fmt: skip
SECRET = "ひみつの原稿"


@pytest.fixture(autouse=True)
def _japanese():  # type: ignore[no-untyped-def]
    with translation.override("ja"):
        yield


def at(name: str, *codes: object) -> str:
    return reverse(name, args=["ekimae", *codes])


def queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_from_an_empty_hub_to_a_kept_file(as_: Any, cast: SimpleNamespace) -> None:
    """The whole way: client, order, lots, acceptance, file, yes, first unit, terms."""
    work.make_rates(cast.ekimae)
    client = as_(cast.director)
    assert "はじめに クライアントを たしてください" in text_of(client.get(at("desk_work")))
    assert client.get(at("desk_order_new")).headers["Location"] == at("desk_client_new")

    client.post(at("desk_client_new"), {"name": "見本商店", "contact_name": "架空 はじめ"})
    found = Client.objects.get()
    assert "受注を たす" in text_of(client.get(at("desk_work")))
    made = client.post(at("desk_order_new"), ORDER | {"client": found.code})
    order = Order.objects.get()
    assert (made.headers["Location"], order.unit_count) == (at("desk_order", order.code), 10)

    client.post(at("desk_order_lots", order.code), {"lot": "1", "first": "3", "gate_percent": "90"})
    assert [lot.size for lot in order.lots.all()] == [3, 7]
    client.post(at("desk_order_accept", order.code), AGREED)
    order.refresh_from_db()
    assert order.state == "accepted"

    file = SimpleUploadedFile("units.csv", work.csv_of([("A-1", "一つめ"), ("A-2", "")]))
    sent = client.post(at("desk_import_new", order.code), {"file": file})
    source = UnitImport.objects.get()
    assert sent.headers["Location"] == at("desk_import", source.code)
    assert "たしかめています" in text_of(client.get(at("desk_import", source.code)))
    tasks.run_pending()
    shown = text_of(client.get(at("desk_import", source.code)))
    assert "取りこめる しごとは 1件です" in shown
    assert "3 内容 空です。内容を 入れてください" in shown
    client.post(at("desk_import_keep", source.code))
    assert "1件のうち 0件です" in text_of(client.get(at("desk_import", source.code)))
    tasks.run_pending()
    assert "1件を 取りこみました" in text_of(client.get(at("desk_import", source.code)))
    assert "一つめ" in text_of(client.get(at("desk_unit", order.code, 1)))

    terms = client.get(at("desk_order_terms", order.code))
    assert terms.headers["Content-Disposition"] == f'attachment; filename="terms-{order.code}.txt"'
    lines = terms.content.decode().splitlines()
    assert "注文した 人: 見本商店（担当：架空 はじめ）" in lines
    assert "金額: 3,000円" in lines
    assert "しはらいの 日: 2027-02-26" in lines
    assert "働く人への しはらい: 2027-02-25まで。ハブが 働く人に たのむ 再委託です。" in lines


def test_form_says_what_to_do_and_keeps_what_was_typed(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.director)
    found = work.make_client(cast)
    answer = client.post(
        at("desk_order_new"), ORDER | {"client": found.code, "price_yen": "0", "deadline": ""}
    )

    assert answer.status_code == 422
    assert "納める日を 入れてください" in text_of(answer)
    assert answer.context["form"]["title"].value() == "店の 紹介文を 書く"
    assert Order.objects.count() == 0


def test_client_of_another_hub_cannot_be_chosen(as_: Any, cast: SimpleNamespace) -> None:
    data = orders.ClientData("よその会社", "だれか", "", "")
    other = orders.save_client(hub=cast.yagi, code=None, data=data)
    work.make_client(cast)
    answer = as_(cast.director).post(at("desk_order_new"), ORDER | {"client": other.code})

    assert (answer.status_code, Order.objects.count()) == (422, 0)
    assert "よその会社" not in text_of(answer)


def test_refusals_of_use_cases_stand_at_their_field(as_: Any, cast: SimpleNamespace) -> None:
    client, order = as_(cast.director), work.make_order(cast)
    early = AGREED | {"inspected_by": "2027-01-01"}
    answer = client.post(at("desk_order_accept", order.code), early)

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["inspected_by"])
    answer = client.post(at("desk_client_new"), {"name": order.client.name, "contact_name": "x"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (409, ["name"])
    too_many = {"lot": "1", "first": "10", "gate_percent": "90"}
    answer = client.post(at("desk_order_lots", order.code), too_many)
    assert (answer.status_code, list(answer.context["form"].errors)) == (409, ["first"])


@pytest.mark.parametrize("name", ["desk_order_edit", "desk_order_accept", "desk_order_withdraw"])
def test_accepted_order_is_refused_with_a_way_back(name: str, as_: Any, cast: SimpleNamespace) -> None:
    order = work.full_order(cast, title="受けたもの", client="見本商店", content="x")
    answer = as_(cast.director).post(at(name, order.code), ORDER)

    assert answer.status_code == 409
    assert at("desk_order", order.code) in answer.content.decode()
    order.refresh_from_db()
    assert (order.state, order.title) == ("accepted", "受けたもの")


def test_order_can_be_given_up_and_stays_on_the_list(as_: Any, cast: SimpleNamespace) -> None:
    client, order = as_(cast.director), work.make_order(cast)
    answer = client.post(at("desk_order_withdraw", order.code))

    assert answer.headers["Location"] == at("desk_work")
    assert "やめました" in text_of(client.get(at("desk_work")))


@pytest.mark.parametrize(
    ("name", "sentence"), [("units.pdf", "CSV か XLSX の ファイルを"), ("", "ファイルを えらんでください")]
)
def test_wrong_or_no_file_says_so(name: str, sentence: str, as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    data = {"file": SimpleUploadedFile(name, b"x")} if name else {}
    answer = as_(cast.director).post(at("desk_import_new", order.code), data)

    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert UnitImport.objects.count() == 0


def test_file_that_failed_says_why_and_offers_another(as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=1)
    source = work.upload(cast, order, [("1", "a"), ("2", "b")])
    shown = text_of(as_(cast.director).get(at("desk_import", source.code)))

    assert "取りこめません。 受注の 件数より 多く なります" in shown
    assert "受注は 1件、もう ある分は 0件、ファイルは 2件です。" in shown
    assert (
        at("desk_import_new", order.code)
        in as_(cast.director).get(at("desk_import", source.code)).content.decode()
    )


def test_stopping_leaves_the_errors_to_be_read(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.director)
    source = work.upload(cast, work.make_order(cast), [("1", "a"), ("2", "")])
    client.post(at("desk_import_stop", source.code))
    shown = text_of(client.get(at("desk_import", source.code)))

    assert "この ファイルは 取りこみませんでした。" in shown
    assert "3 内容 空です" in shown
    assert client.post(at("desk_import_keep", source.code)).status_code == 409


def test_text_of_a_unit_is_shown_as_text(as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast)
    work.bring(cast, order, [("1", "<script>alert(1)</script>"), ("2", "=1+1")])
    client = as_(cast.director)

    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt;" in client.get(at("desk_unit", order.code, 1)).content.decode()
    )
    assert "=1+1" in text_of(client.get(at("desk_unit", order.code, 2)))
    assert client.get(at("desk_unit", order.code, 3)).status_code == 404


def test_confidential_material_is_on_no_page(as_: Any, cast: SimpleNamespace) -> None:
    order = work.make_order(cast, is_confidential=True, title="台帳")
    source = work.bring(cast, order, [("ひみつ番号", SECRET)])
    client = as_(cast.director)
    refused = client.get(at("desk_unit", order.code, 1))
    assert refused.status_code == 403
    assert "へやの 端末だけで 開きます" in text_of(refused)
    pages = [
        refused, client.get(at("desk_work")), client.get(at("desk_order", order.code)),
        client.get(at("desk_import", source.code)), client.get(at("desk_client", order.client.code)),
    ]  # fmt: skip
    for page in pages:
        assert (SECRET in page.content.decode(), "ひみつ番号" in page.content.decode()) == (False, False)
    assert "内容は この画面では 開きません" in text_of(pages[2])


def test_things_of_another_hub_are_not_found_by_its_director(as_: Any, cast: SimpleNamespace) -> None:
    order = work.full_order(cast, title="よその受注", client="見本商店", content="x")
    source = UnitImport.objects.get()
    yagi = make.make_member("八木 くばり", "yd@demo.example", hub=cast.yagi, role=Role.DIRECTOR)
    client = as_(yagi)
    for name, codes in (
        ("desk_order", [order.code]), ("desk_order_terms", [order.code]), ("desk_unit", [order.code, 1]),
        ("desk_import", [source.code]), ("desk_client", [order.client.code]), ("desk_import_new", [order.code]),
        ("desk_order_lots", [order.code]),
    ):  # fmt: skip
        assert client.get(reverse(name, args=["yagi", *codes])).status_code == 404, name
        assert client.get(reverse(name, args=["ekimae", *codes])).status_code == 404, name
    assert "よその受注" not in text_of(client.get(reverse("desk_work", args=["yagi"])))


def fill(cast: SimpleNamespace, n: int) -> None:
    for at in range(n):
        client = work.make_client(cast, f"見本商店{at}-{n}")
        order = work.make_order(
            cast, client, title=f"しごと{at}-{n}", deadline=work.DEADLINE + timedelta(days=at)
        )
        work.bring(cast, order, [("1", "x"), ("2", "")])


@pytest.mark.parametrize("name", ["desk_work", "desk_clients"])
def test_lists_cost_the_same_queries_with_one_and_with_three(
    name: str, as_: Any, cast: SimpleNamespace
) -> None:
    client = as_(cast.director)
    fill(cast, 1)
    one = queries(client, at(name))
    fill(cast, 3)

    assert queries(client, at(name)) == one


def test_page_of_an_order_costs_the_same_with_many_units(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.director)
    few, many = work.make_order(cast), work.make_order(cast, unit_count=3000)
    work.bring(cast, few, [("1", "x")])
    work.bring(cast, many, [(str(n), "x") for n in range(3000)])

    for name, more in (("desk_order", []), ("desk_unit", [1])):
        assert queries(client, at(name, few.code, *more)) == queries(client, at(name, many.code, *more))
    assert Unit.objects.filter(order=many).count() == 3000


def test_page_of_errors_costs_the_same_with_many(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.director)
    one = work.upload(cast, work.make_order(cast), [("1", "")])
    many = work.upload(cast, work.make_order(cast, unit_count=200), [(str(n), "") for n in range(200)])

    assert queries(client, at("desk_import", one.code)) == queries(client, at("desk_import", many.code))
    last = text_of(client.get(at("desk_import", many.code), {"page": "4"}))
    assert "201 内容 空です" in last


def test_new_version_of_a_promise_starts_from_the_last_one(as_: Any, cast: SimpleNamespace) -> None:
    client, found = as_(cast.director), work.make_client(cast)
    assert "機密の しごとを 受ける前に 入れてください" in text_of(client.get(at("desk_client", found.code)))
    path = at("desk_nda_new", found.code)
    wrong = client.post(path, {"text": "秘密", "starts_on": "2026-12-07", "ends_on": "2026-12-06"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["ends_on"])
    client.post(path, {"text": "秘密に します", "starts_on": "2026-12-07"})

    assert client.get(path).context["form"].initial["text"] == "秘密に します"
    assert "いま 使う版" in text_of(client.get(at("desk_client", found.code)))
    assert [(nda.version, nda.starts_on) for nda in found.ndas.all()] == [(1, date(2026, 12, 7))]
