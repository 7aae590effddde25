"""The pages of the door: every way works without JavaScript, nothing of health is there, rights are asked."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.access import TABLE
from hub.checkin.models import Presence, Scan
from hub.spaces.access import Action
from hub.spaces.enums import STAFF_ROLES, Role
from hub.spaces.models import Membership, Visit
from tests import factories as make
from tests.checkin.door import booked, receive, scan, six, today, token


def post_scan(client: Client, **more: Any) -> Any:
    body = {"id": str(uuid4()), "hub": "ekimae", "direction": "in", **more}
    return client.post("/door/scan/", body)


def answer_page(client: Client, **more: Any) -> Any:
    """The page behind the 303."""
    response = post_scan(client, **more)
    assert response.status_code == 303, response.content.decode()[:400]
    return client.get(response["Location"])


def word(page: Any) -> str:
    found = re.search(r'<h1 class="word"[^>]*>([^<]+)', page.content.decode())
    assert found is not None
    return found[1]


def shape(page: Any) -> str:
    found = re.search(r'<body class="door (\w+)"', page.content.decode())
    assert found is not None
    return found[1]


# ---------------------------------------------------------------- the scanner


def test_scanner_shows_counts_and_may_use_the_camera(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae, children=[cast.yui])
    scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae))
    receive(visit, cast.yui)
    booked(cast.kenta, cast.ekimae, today(11, 12))

    page = as_(cast.door).get("/door/")

    assert re.findall(r"<b>(\d+)</b>", page.content.decode()) == ["1", "1", "1"]
    assert "'wasm-unsafe-eval'" in page["Content-Security-Policy"]
    assert "camera=(self)" in page["Permissions-Policy"]
    assert as_(cast.door).get("/door/counts/").content.decode().count("<b>") == 3


def test_other_pages_have_no_camera_and_no_wasm(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_(cast.door).get("/door/search/")

    assert "wasm" not in page["Content-Security-Policy"]
    assert "camera=()" in page["Permissions-Policy"]


def test_door_of_two_hubs_is_asked_for_once_and_remembered(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    Membership.objects.create(member=cast.door, hub=cast.yagi, role=Role.DOOR)
    client = as_(cast.door)

    asked = client.get("/door/").content.decode()
    chosen = client.get("/door/?hub=yagi")
    later = client.get("/door/").content.decode()

    assert re.findall(r'href="(/door/\?hub=\w+)"', asked) == ["/door/?hub=ekimae", "/door/?hub=yagi"]
    assert chosen.cookies["door_hub"].value == "yagi"
    assert "八木ハブ 入口" in later


def test_remembered_hub_counts_only_with_the_right(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    client = as_(cast.door)
    client.cookies["door_hub"] = "yagi"

    assert "駅前ハブ 入口" in client.get("/door/").content.decode()


def test_direction_of_the_address_is_that_of_the_forms(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_(cast.door).get("/door/?dir=out").content.decode()

    assert re.findall(r'name="direction" value="(\w+)"', page) == ["out", "out"]


# ---------------------------------------------------------------- answers


def test_number_typed_without_javascript_lets_in(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    client = as_(cast.door)
    form = client.get("/door/").content.decode()
    fields = dict(re.findall(r'name="(id|hub|direction)" value="([^"]+)"', form))

    response = client.post("/door/scan/", {**fields, "code": six(cast.misaki, cast.ekimae)})

    assert (response.status_code, response["Location"]) == (303, f"/door/scan/{fields['id']}/")
    first, again = client.get(response["Location"]), client.get(response["Location"])
    assert (word(first), shape(first), word(again)) == ("どうぞ", "ok", "どうぞ")
    text = first.content.decode()
    for part in ("山田 みさき さん", "9:30 – 12:30", "子ども 2人", "取り消す"):
        assert part in text


def test_camera_script_gets_the_answer_at_once(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    one = str(uuid4())

    page = as_(cast.door).post(
        "/door/scan/",
        {"id": one, "hub": "ekimae", "direction": "in", "payload": token(cast.misaki, cast.ekimae)},
        headers={"X-Door": "1"},
    )

    assert (page.status_code, page["Content-Location"], word(page)) == (200, f"/door/scan/{one}/", "どうぞ")


@pytest.mark.parametrize(
    ("result", "told", "look"),
    [
        ("ok", "どうぞ", "ok"), ("already_in", "もう 中にいます", "in"), ("out", "おつかれさまでした", "ok"),
        ("not_in", "まだ 入っていません", "in"), ("not_booked", "予約なし", "none"),
        ("wrong_hub", "ちがう ハブ", "wrong"), ("not_today", "日が ちがいます", "none"),
        ("too_early", "まだ 早いです", "none"), ("cancelled", "やめた 予約", "none"),
        ("children_inside", "子どもが 中にいます", "in"), ("blocked", "いまは 入れません", "none"),
        ("invalid", "読めません", "none"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["", "/en"])
def test_every_answer_has_its_word_its_shape_and_a_way_on(  # type: ignore[no-untyped-def]
    cast: SimpleNamespace, as_, result: str, told: str, look: str, language: str
) -> None:
    booked(cast.misaki, cast.ekimae)
    client = as_(cast.door)
    row = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan
    Scan.objects.filter(scan_id=row.scan_id).update(result=result, reason="x")

    page = client.get(f"{language}/door/scan/{row.scan_id}/")

    assert page.status_code == 200
    assert shape(page) == look
    assert "data-next" in page.content.decode()
    if not language:
        assert word(page) == told


def test_already_in_offers_the_way_out(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    client = as_(cast.door)
    answer_page(client, code=six(cast.misaki, cast.ekimae))

    page = answer_page(client, code=six(cast.misaki, cast.ekimae))
    text = page.content.decode()
    assert word(page) == "もう 中にいます"
    assert "9:40 に 入りました（受付：入口 さん）" in text

    fields = dict(re.findall(r'name="(id|hub|direction|member)" value="([^"]+)"', text))
    out = client.get(client.post("/door/scan/", fields)["Location"])
    assert (word(out), Presence.objects.get().ended_as) == ("おつかれさまでした", "out")


def test_parent_may_go_out_for_a_moment_without_her_children(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae, children=[cast.yui])
    client = as_(cast.door)
    answer_page(client, code=six(cast.misaki, cast.ekimae))
    receive(visit, cast.yui)

    page = answer_page(client, code=six(cast.misaki, cast.ekimae), direction="out")
    assert (word(page), "子ども 1人が へやに います" in page.content.decode()) == (
        "子どもが 中にいます",
        True,
    )
    fields = dict(
        re.findall(r'name="(id|hub|direction|member|confirmed)" value="([^"]+)"', page.content.decode())
    )
    out = client.get(client.post("/door/scan/", fields)["Location"])

    assert word(out) == "おつかれさまでした"
    assert Scan.objects.latest("pk").reason == "children_stay"


def test_wrong_hub_shows_the_way_there_and_moves_only_with_the_right(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.yagi)
    payload = token(cast.misaki, cast.yagi)

    without = answer_page(as_(cast.door), payload=payload).content.decode()
    Membership.objects.create(member=cast.door, hub=cast.yagi, role=Role.MANAGER)
    with_right = answer_page(as_(cast.door), payload=payload).content.decode()

    assert "八木ハブの 予約です" in without
    assert 'href="/hubs/yagi/"' in without
    assert f"visit={visit.code}" not in without
    assert f"visit={visit.code}&amp;hub=ekimae" in with_right


def test_no_page_of_the_door_speaks_of_health(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    cast.haru.allergy = "たまごアレルギー"
    cast.haru.save()
    visit = booked(cast.misaki, cast.ekimae, children=[cast.haru])
    client = as_(cast.door)
    pages = [answer_page(client, code=six(cast.misaki, cast.ekimae))]
    receive(visit, cast.haru)
    pages += [
        answer_page(client, code=six(cast.misaki, cast.ekimae), direction="out"),
        client.get("/door/"), client.get("/door/search/?q=みさき"), client.get("/door/counts/"),
    ]  # fmt: skip

    assert [page for page in pages if "たまご" in page.content.decode()] == []


@pytest.mark.parametrize("code", ["", "12", "abcdef", "1234567"])
def test_number_that_is_none_comes_back_with_its_sentence(cast: SimpleNamespace, as_, code: str) -> None:  # type: ignore[no-untyped-def]
    page = post_scan(as_(cast.door), code=code)

    assert page.status_code == 422
    assert 'id="id_code_error"' in page.content.decode()
    assert f'value="{code}"' in page.content.decode() or not code
    assert Scan.objects.count() == 0


@pytest.mark.parametrize(
    "payload",
    ["https://example.org/" + "a" * 200, "x" * 4096, "HP1:AAAA", "\0\0", "<script>alert(1)</script>"],
)
def test_qr_that_is_no_pass_is_said_and_kept_as_a_row(cast: SimpleNamespace, as_, payload: str) -> None:  # type: ignore[no-untyped-def]
    page = answer_page(as_(cast.door), payload=payload)

    assert (word(page), Scan.objects.get().reason) == ("読めません", "unreadable")
    assert payload not in page.content.decode()


def test_same_id_for_another_person_is_refused_on_the_page(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    client, one = as_(cast.door), str(uuid4())
    post_scan(client, id=one, code=six(cast.misaki, cast.ekimae))

    assert post_scan(client, id=one, code=six(cast.kenta, cast.ekimae)).status_code == 422


# ---------------------------------------------------------------- undo


def test_undo_without_javascript(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    visit = booked(cast.misaki, cast.ekimae)
    client = as_(cast.door)
    page = answer_page(client, code=six(cast.misaki, cast.ekimae))
    undo = re.search(r'action="(/door/scan/[^"]+/undo/)"', page.content.decode())
    assert undo is not None

    done = client.post(undo[1])

    page = client.get(done["Location"])
    visit.refresh_from_db()
    assert (done.status_code, word(page), shape(page), visit.status) == (
        303,
        "取り消しました",
        "undone",
        "booked",
    )


def test_late_undo_is_said_on_the_page(cast: SimpleNamespace, as_, now) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    client = as_(cast.door)
    one = str(uuid4())
    post_scan(client, id=one, code=six(cast.misaki, cast.ekimae))
    assert f"/door/scan/{one}/" in client.get("/door/").content.decode()
    now.shift(timedelta(seconds=31))

    page = client.post(f"/door/scan/{one}/undo/")

    assert (page.status_code, "30秒を すぎました" in page.content.decode()) == (409, True)
    assert "/undo/" not in client.get(f"/door/scan/{one}/").content.decode()
    assert f"/door/scan/{one}/" not in client.get("/door/").content.decode()


# ---------------------------------------------------------------- a seat now


def test_seat_at_the_door_is_booked_and_lets_in(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    client = as_(cast.door)
    refused = answer_page(client, code=six(cast.misaki, cast.ekimae)).content.decode()
    path = re.search(r'href="(/door/scan/[^"]+/seat/)"', refused)
    assert path is not None
    page = client.get(path[1]).content.decode()
    assert re.findall(r'name="until"[^>]*value="([\d:]+)"', page) == ["10:45", "11:45", "18:00"]
    new = re.findall(r'name="id" value="([^"]+)"', page)[0]

    given = client.post(path[1], {"id": new, "until": "11:45", "children": "1"})

    visit = Visit.objects.get()
    assert given.status_code == 303
    assert word(client.get(given["Location"])) == "どうぞ"
    assert (visit.source, visit.ends_at, visit.care_places.count()) == (
        "walk_in",
        make.at(11, 45, make.TODAY),
        2,
    )


def test_seat_without_an_end_asks_for_one(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    client = as_(cast.door)
    one = str(uuid4())
    post_scan(client, id=one, code=six(cast.misaki, cast.ekimae))

    page = client.post(f"/door/scan/{one}/seat/", {"id": str(uuid4())})

    assert (page.status_code, "何時までかを えらんでください" in page.content.decode()) == (422, True)


def test_refused_seat_says_why_and_what_else(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    for n in range(6):
        booked(make.make_member(f"人{n}", f"n{n}@example.org", hub=cast.ekimae), cast.ekimae, today(11, 13))
    client = as_(cast.door)
    one = str(uuid4())
    post_scan(client, id=one, code=six(cast.misaki, cast.ekimae))

    page = client.post(f"/door/scan/{one}/seat/", {"id": str(uuid4()), "until": "12:00"})

    text = page.content.decode()
    assert (page.status_code, "その席は 先に うまりました" in text) == (409, True)
    assert f"for={cast.misaki.code}" in text
    assert Visit.objects.filter(member=cast.misaki).count() == 0


def test_full_hub_leads_to_another_time(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    for n in range(6):
        booked(make.make_member(f"人{n}", f"n{n}@example.org", hub=cast.ekimae), cast.ekimae, today(9.5, 13))
    client = as_(cast.door)
    one = str(uuid4())
    post_scan(client, id=one, code=six(cast.misaki, cast.ekimae))

    page = client.get(f"/door/scan/{one}/seat/").content.decode()

    assert "いま とれる 席が ありません" in page
    assert f"for={cast.misaki.code}" in page


# ---------------------------------------------------------------- by name, visitors


def test_name_search_shows_todays_visit_and_lets_in(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    client = as_(cast.door)

    page = client.get("/door/search/", {"q": "みさき"}).content.decode()
    fields = dict(re.findall(r'name="(id|member|direction)" value="([^"]+)"', page))
    done = client.get(client.post("/door/scan/", {**fields, "hub": "ekimae"})["Location"])

    assert "9:30 – 12:30　席 A1" in page or "9:30 – 12:30" in page
    assert (word(done), Scan.objects.get().method) == ("どうぞ", "name")
    assert "中にいます" in client.get("/door/search/", {"q": "みさき"}).content.decode()


def test_name_search_is_short_and_only_of_this_hub(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    for n in range(12):
        make.make_member(f"見本 {n}", f"m{n}@example.org", hub=cast.ekimae)
    client = as_(cast.door)

    many = client.get("/door/search/", {"q": "見本"}).content.decode()
    assert many.count('name="member"') == 8
    assert "ほかにも います" in many
    assert "見つかりませんでした" in client.get("/door/search/", {"q": "遠い"}).content.decode()
    assert "2文字から" in client.get("/door/search/", {"q": "見"}).content.decode()


@pytest.mark.parametrize("people", [1, 3])
def test_name_search_asks_as_many_queries_for_three_as_for_one(  # type: ignore[no-untyped-def]
    cast: SimpleNamespace, as_, people: int
) -> None:
    for n in range(people):
        booked(make.make_member(f"見本 {n}", f"m{n}@example.org", hub=cast.ekimae), cast.ekimae)
    client = as_(cast.door)
    client.get("/door/search/")

    with CaptureQueriesContext(connection) as caught:
        client.get("/door/search/", {"q": "見本"})

    assert len(caught.captured_queries) == 7


def test_visitor_comes_and_goes(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    client = as_(cast.door)
    page = client.get("/door/visitors/").content.decode()
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    body = {"hub": "ekimae", "key": key, "name": "町の 田中"}

    for _tap in range(2):
        assert client.post("/door/visitors/", body).status_code == 303
    code = Presence.objects.get().code
    assert "町の 田中" in client.get("/door/visitors/").content.decode()
    assert client.post(f"/door/visitors/{code}/leave/", {"hub": "ekimae"}).status_code == 303
    assert "いま お客さんは いません" in client.get("/door/visitors/").content.decode()
    assert client.post("/door/visitors/ZZZZ/leave/", {"hub": "ekimae"}).status_code == 404


def test_visitor_without_a_name_is_asked_for_it(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_(cast.door).post("/door/visitors/", {"hub": "ekimae", "key": "k", "name": " "})

    assert (page.status_code, "お客さんの 名前を 入れてください" in page.content.decode()) == (422, True)


# ---------------------------------------------------------------- who may


PAGES = ("door", "door_counts", "door_scan", "door_search", "door_visitor")


@pytest.mark.parametrize("role", Role)
def test_pages_ask_for_the_right_at_this_hub(cast: SimpleNamespace, as_, role: Role) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    row = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan
    client = as_(make.make_member("役 ひとつ", f"{role}@example.org", hub=cast.ekimae, role=role))
    elsewhere = as_
    wanted = 404 if role not in STAFF_ROLES else 200 if role in TABLE[Action.SCAN] else 403
    del elsewhere
    for name in PAGES:
        for query, status in (
            ("", wanted),
            ("?hub=ekimae", wanted),
            ("?hub=yagi", 404),
            ("?hub=nowhere", 404),
        ):
            if name == "door_scan":
                answer = client.post(
                    reverse(name) + query, {"id": str(uuid4()), "direction": "in", "code": "000000"}
                )
                status = 303 if status == 200 else status
            else:
                answer = client.get(reverse(name) + query)
            assert answer.status_code == status, (name, query)
    for name in ("door_result", "door_undo", "door_seat"):
        method = client.post if name == "door_undo" else client.get
        answer = method(reverse(name, args=[row.scan_id]))
        allowed = {"door_seat": 409, "door_undo": 303}.get(name, 200)
        assert answer.status_code == (allowed if wanted == 200 else wanted), name


def test_scan_of_another_hub_is_not_found(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    row = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan
    client = as_(cast.yagi_manager)

    assert client.get(f"/door/scan/{row.scan_id}/").status_code == 404
    assert client.post(f"/door/scan/{row.scan_id}/undo/").status_code == 404
    assert client.get(f"/door/scan/{uuid4()}/").status_code == 404
    assert Presence.objects.get().left_at is None


def test_wrong_method_is_405(cast: SimpleNamespace, as_) -> None:  # type: ignore[no-untyped-def]
    booked(cast.misaki, cast.ekimae)
    row = scan(cast.door, cast.ekimae, token(cast.misaki, cast.ekimae)).scan
    client = as_(cast.door)

    told = [
        client.post("/door/").status_code, client.get("/door/scan/").status_code,
        client.post(f"/door/scan/{row.scan_id}/").status_code, client.get(f"/door/scan/{row.scan_id}/undo/").status_code,
        client.post("/door/search/").status_code, client.put("/door/visitors/").status_code,
    ]  # fmt: skip
    assert told == [405] * 6


def test_manifest_is_the_door_alone(client: Client) -> None:
    answer = client.get("/door.webmanifest")

    assert answer["Content-Type"] == "application/manifest+json"
    assert (answer.json()["start_url"], answer.json()["scope"]) == ("/door/", "/door/")
