"""The worker's pages of doing, as a browser without JavaScript meets them, and the calls of the API."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.members.tokens import new_token
from hub.work import doing, review
from hub.work.models import Appeal, Assignment, Delivery, Draft, Order, Question, Unit
from tests.booking.test_pages import text_of
from tests.work import hands_phone as hands

pytestmark = pytest.mark.django_db
CONTROL = "ひみつの正しい答え"


@pytest.fixture(autouse=True)
def _japanese():  # type: ignore[no-untyped-def]
    with translation.override("ja"):
        yield


def at(name: str, thing: Any) -> str:
    return reverse(name, args=[thing.code])


def since(answer: Any) -> str:
    found = re.search(r'name="since" value="([^"]*)"', answer.content.decode())
    assert found is not None
    return found[1]


def field(answer: Any) -> str:
    found = re.search(
        r"<textarea[^>]*name=\"text\"[^>]*>\n(.*?)</textarea>", answer.content.decode(), re.DOTALL
    )
    assert found is not None
    return found[1]


def queries(client: Any, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


# ---------------------------------------------------------------- the whole way


def test_from_the_first_unit_to_the_last(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 2)
    client, (one, two) = as_(cast.misaki), (hands.unit(found, 1), hands.unit(found, 2))
    page = client.get(at("job_assignment", found))
    assert "2件のうち 0件 送りました" in text_of(page)
    assert f'href="{at("job_unit", one)}">' in page.content.decode()

    shown = client.get(at("job_unit", one))
    assert "1件め／2件 作業中" in text_of(shown)
    assert "12月14日（月） 9:40 までに 送る・およそ 15分" in text_of(shown)
    assert "番号 A-1 内容 しごと1" in text_of(shown)
    kept = client.post(at("job_draft", one), {"text": "書きかけ", "since": since(shown)}, follow=True)
    assert (field(kept), kept.redirect_chain) == ("書きかけ", [(at("job_unit", one), 302)])
    assert "9:40に 保存しました" in text_of(kept)

    sent = client.post(at("job_unit", one), {"text": "できた", "since": since(kept)}, follow=True)
    assert sent.redirect_chain == [(at("job_unit", two), 302)]
    assert "送りました。確認を 待っています。" in text_of(sent)
    last = client.post(at("job_unit", two), {"text": "これも", "since": since(sent)}, follow=True)
    assert last.redirect_chain == [(at("job_assignment", found), 302)]
    assert "2件のうち 2件 送りました" in text_of(last)
    assert "確認待ち 2件・合格すると 390円" in text_of(last)
    assert "ぜんぶ 送りました。いま することは ありません。" in text_of(last)

    hands.accept(cast, Delivery.objects.get(unit=one))
    assert "合格した分 1件・195円" in text_of(client.get(at("job_assignment", found)))
    assert "合格しました 195円 できた" in text_of(client.get(at("job_unit", one)))
    waiting = text_of(client.get(at("job_unit", two)))
    assert "12月21日（月）までに 返事が ないときは 合格に なります。 これも" in waiting
    assert list(Delivery.objects.order_by("pk").values_list("unit__number", "number", "state")) == [
        (1, 1, "accepted"), (2, 1, "sent"),
    ]  # fmt: skip


def test_what_came_back_is_opened_first(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 3)
    hands.send(cast, hands.unit(found, 1))
    back = hands.send_back(cast, hands.send(cast, hands.unit(found, 2)), hands.FACT, hands.STYLE)
    client = as_(cast.misaki)
    page = client.get(at("job_assignment", found))

    assert "なおす しごとを 開く" in text_of(page)
    assert page.context["next"] == back.unit
    assert [(one.number, one.stands) for one in page.context["page"]] == [
        (2, "returned"),
        (3, "held"),
        (1, "sent"),
    ]


def test_corrections_stand_in_the_text_and_beside_it(as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    hands.send_back(cast, hands.send(cast, unit), hands.FACT, hands.STYLE)
    client = as_(cast.misaki)
    page = client.get(at("job_unit", unit))
    html = page.content.decode()

    assert html.count("<mark>") == 2
    assert (
        '<span class="vh">（印1・事実 ここから）</span><mark><b class="mark-no" aria-hidden="true">印1</b>春</mark>'
        '<span class="vh">（印1 ここまで）</span>'
    ) in html
    said = text_of(page)
    assert (
        "印1・事実 季節を たしかめてください 印2・書きかた 「新茶」と 書きます ひとこと もう少し くわしく"
        in said
    )
    assert field(page) == "春の 新しい お茶です。"

    client.post(at("job_unit", unit), {"text": "夏の 新茶です。", "since": since(page)})
    again = text_of(client.get(at("job_unit", unit)))
    assert "前に 送った文 1回めに 送った文" in again
    assert "季節を たしかめてください" in again
    assert [row.text for row in Delivery.objects.order_by("number")] == [
        "春の 新しい お茶です。",
        "夏の 新茶です。",
    ]


def test_typed_markup_is_shown_as_typed(as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    text = "<b>春</b> & </textarea><script>x</script>"
    hands.send_back(cast, hands.send(cast, unit, text), hands.FACT)
    html = as_(cast.misaki).get(at("job_unit", unit)).content.decode()

    assert "<script>x" not in html
    assert "b&gt;春&lt;/b&gt; &amp; &lt;/textarea&gt;" in html


def test_rejected_unit_says_why_until_when_and_who_looks_again(
    as_: Any, cast: SimpleNamespace, now: Any
) -> None:
    found = hands.in_hand(cast, 4)
    unit = hands.unit(found)
    sent = hands.reject(cast, found, hands.send(cast, unit))
    client = as_(cast.misaki)
    page = text_of(client.get(at("job_unit", unit)))
    assert "わけ 店の 名前が ちがいます 例 見本商店の お茶です。" in page
    assert "12月14日（月） 9:40 まで、責任 さんさんに 見なおしを たのめます" in page

    empty = client.post(at("job_appeal", sent), {"appeal": " "})
    assert (empty.status_code, Appeal.objects.count()) == (422, 0)
    assert "どこが ちがうと 思うか、書いてください。" in text_of(empty)
    asked = client.post(at("job_appeal", sent), {"appeal": "名前は 合っています"}, follow=True)
    assert asked.redirect_chain == [(at("job_unit", unit), 302)]
    assert "責任 さんさんに たのみました。 見なおし中 たのんだ ことば 名前は 合っています" in text_of(asked)
    twice = client.post(at("job_appeal", sent), {"appeal": "もう一度"})
    assert (twice.status_code, Appeal.objects.count()) == (409, 1)
    assert "見なおしは もう たのんであります。" in text_of(twice)

    review.decide_appeal(
        actor=cast.manager,
        hub=cast.ekimae,
        code=Appeal.objects.get().code,
        uphold=True,
        answer="合っていました",
    )
    after = text_of(client.get(at("job_unit", unit)))
    assert "合格しました 195円" in after
    assert "合格に かわりました" in after
    assert "答え 合っていました" in after


def test_appeal_after_seven_days_is_closed_and_says_so(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    found = hands.in_hand(cast, 4)
    unit = hands.unit(found)
    sent = hands.reject(cast, found, hands.send(cast, unit))
    now.shift(timedelta(days=7, seconds=1))
    client = as_(cast.misaki)

    page = client.get(at("job_unit", unit))
    assert "見なおしを たのめる 7日は すぎました。" in text_of(page)
    assert at("job_appeal", sent) not in page.content.decode()
    late = client.post(at("job_appeal", sent), {"appeal": "おそい"})
    assert (late.status_code, Appeal.objects.count()) == (409, 0)


def test_question_and_its_answer_stand_on_the_page(as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    client = as_(cast.misaki)
    empty = client.post(at("job_ask", unit), {"question": ""})
    assert (empty.status_code, Question.objects.count()) == (422, 0)
    assert "聞きたいことを 書いてください。" in text_of(empty)
    asked = client.post(at("job_ask", unit), {"question": "店の 名前は？"}, follow=True)
    assert asked.redirect_chain == [(f"{at('job_unit', unit)}#questions", 302)]
    assert "店の 名前は？ 答えを 待っています" in text_of(asked)
    review.answer_question(
        actor=cast.director, hub=cast.ekimae, code=Question.objects.get().code, text="見本商店です"
    )

    assert "店の 名前は？ 答え 見本商店です" in text_of(client.get(at("job_unit", unit)))


# ---------------------------------------------------------------- kept while she types


def test_kept_by_itself_answers_a_fragment(as_: Any, cast: SimpleNamespace, now: Any) -> None:
    unit = hands.unit(hands.in_hand(cast))
    client = as_(cast.misaki)
    page = client.get(at("job_unit", unit))
    htmx = {"headers": {"HX-Request": "true"}}
    now.shift(timedelta(minutes=44))
    first = client.post(at("job_draft", unit), {"text": "お", "since": since(page)}, **htmx)
    now.shift(timedelta(minutes=1))
    second = client.post(at("job_draft", unit), {"text": "お茶", "since": since(first)}, **htmx)

    assert text_of(first).strip() == "10:24に 保存しました"
    assert text_of(second).strip() == "10:25に 保存しました"
    assert since(second) == doing.stamp_of(Draft.objects.get())
    assert (Draft.objects.get().text, first["Cache-Control"]) == ("お茶", "no-store")
    other = client.post(at("job_draft", unit), {"text": "べつ", "since": since(page)}, **htmx)
    assert (other.status_code, Draft.objects.get().text) == (409, "お茶")
    assert (
        text_of(other).strip()
        == "ほかの 画面で 書いた文が あります。どちらを つかうか えらんでください。 2つを くらべる"
    )
    long = client.post(at("job_draft", unit), {"text": "あ" * 20_001, "since": since(second)}, **htmx)
    assert (long.status_code, text_of(long).strip()) == (422, "長すぎます。20,000字までに してください。")


@pytest.mark.parametrize("name", ["job_draft", "job_unit"])
def test_two_tabs_lose_nothing(name: str, as_: Any, cast: SimpleNamespace, now: Any) -> None:
    unit = hands.unit(hands.in_hand(cast))
    client = as_(cast.misaki)
    opened = since(client.get(at("job_unit", unit)))
    client.post(at("job_draft", unit), {"text": "一つめの 画面", "since": opened})
    now.shift(timedelta(seconds=5))
    both = client.post(at(name, unit), {"text": "二つめの 画面", "since": opened})

    assert (both.status_code, field(both)) == (409, "二つめの 画面")
    assert 'id="stored" lang="ja">一つめの 画面</p>' in both.content.decode()
    assert (Draft.objects.get().text, Delivery.objects.count()) == ("一つめの 画面", 0)
    chosen = client.post(at("job_unit", unit), {"text": "二つめの 画面", "since": since(both)})
    assert (chosen.status_code, Delivery.objects.get().text) == (302, "二つめの 画面")


@pytest.mark.parametrize("most", [0, 5])
def test_lease_gone_keeps_the_text_without_blame(most: int, as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    type(found.lot).objects.update(most_per_claim=most)
    unit = hands.unit(found)
    client = as_(cast.misaki)
    opened = since(client.get(at("job_unit", unit)))
    hands.time_up(found)
    late = client.post(at("job_unit", unit), {"text": "おそかった", "since": opened})
    shown = text_of(late)

    assert (late.status_code, Delivery.objects.count()) == (409, 0)
    assert "この しごとは ハブに もどっています。書いた文は のこしてあります。" in shown
    assert "書いた文 おそかった" in shown
    assert ("いまも 空いています。「しごと」で もう一度 とれます。" in shown) is (most > 0)
    assert "しごと1" not in shown  # its material is not hers to read any more
    again = client.get(at("job_unit", unit))
    assert (again.status_code, "書いた文 おそかった" in text_of(again)) == (200, True)
    saved = client.post(
        at("job_draft", unit), {"text": "まだ 書く", "since": since_of()}, headers={"HX-Request": "true"}
    )
    assert "この しごとは ハブに もどっています" in text_of(saved)


def since_of() -> str:
    return doing.stamp_of(Draft.objects.get())


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_text_is_said_at_the_field(text: str, as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    answer = as_(cast.misaki).post(at("job_unit", unit), {"text": text, "since": ""})

    assert (answer.status_code, Delivery.objects.count()) == (422, 0)
    assert "なおすところが 1つ あります まだ 何も 書いていません。書いてから 送ってください。" in text_of(
        answer
    )


def test_too_long_text_stays_in_the_field(as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    answer = as_(cast.misaki).post(at("job_unit", unit), {"text": "あ" * 20_001, "since": ""})

    assert (answer.status_code, len(field(answer))) == (422, 20_001)
    assert "長すぎます。20,000字までに してください。" in text_of(answer)


def test_confidential_unit_shows_the_sentence_and_nothing_of_it(as_: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    Order.objects.update(is_confidential=True)
    answer = as_(cast.misaki).get(at("job_unit", unit))

    assert answer.status_code == 403
    assert "機密の しごとです。ここでは 開けません。" in text_of(answer)
    assert "しごと1" not in text_of(answer)


# ---------------------------------------------------------------- who, how, how many


@pytest.mark.parametrize(
    ("name", "method"),
    [("job_assignment", "post"), ("job_draft", "get"), ("job_ask", "get"), ("job_appeal", "get")],
)
def test_wrong_method(name: str, method: str, as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    sent = hands.send(cast, hands.unit(found))
    thing = {"job_assignment": found, "job_appeal": sent}.get(name, hands.unit(found))

    assert getattr(as_(cast.misaki), method)(at(name, thing)).status_code == 405


@pytest.mark.parametrize("who", ["kenta", "stranger", "director", "manager", "yagi_manager", "carer"])
def test_nobody_else_opens_a_page_of_doing(who: str, as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    sent = hands.send(cast, hands.unit(found))
    client = as_(getattr(cast, who))
    things = {
        "job_assignment": found, "job_unit": sent.unit, "job_draft": sent.unit, "job_ask": sent.unit, "job_appeal": sent
    }  # fmt: skip
    typed = {"text": "x", "question": "x", "appeal": "x", "since": ""}

    for name, thing in things.items():
        for method in ("get", "post"):
            status = getattr(client, method)(at(name, thing), typed).status_code
            assert status == 404 or (status, method) == (405, "get"), name
    assert (Draft.objects.count(), Question.objects.count(), Appeal.objects.count()) == (1, 0, 0)


def test_an_offer_alone_opens_nothing(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    Assignment.objects.update(state="offered", accepted_at=None)
    client = as_(cast.misaki)

    assert client.get(at("job_assignment", found)).status_code == 404
    assert client.get(at("job_unit", hands.unit(found))).status_code == 404


def test_queries_do_not_grow_with_the_units(as_: Any, cast: SimpleNamespace) -> None:
    client, few, many = as_(cast.misaki), hands.in_hand(cast, 3), hands.in_hand(cast, 300)
    unit = queries(client, at("job_unit", hands.unit(few)))

    assert queries(client, at("job_unit", hands.unit(many))) == unit <= 20
    sixty = hands.in_hand(cast, 60)
    assignment = queries(client, at("job_assignment", few))
    assert queries(client, at("job_assignment", sixty)) == assignment <= 16
    second = client.get(at("job_assignment", sixty), {"page": 2})
    assert [one.number for one in second.context["page"]] == list(range(51, 61))


def test_queries_do_not_grow_with_tries_and_corrections(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 2)
    client, one, two = as_(cast.misaki), hands.unit(found, 1), hands.unit(found, 2)
    hands.send_back(cast, hands.send(cast, one), hands.FACT)
    for n in range(3):
        hands.send_back(cast, hands.send(cast, two, f"{n}回めの お茶の 文"), hands.FACT, hands.STYLE)

    assert queries(client, at("job_unit", one)) == queries(client, at("job_unit", two))


# ---------------------------------------------------------------- the API


@pytest.fixture
def call(cast: SimpleNamespace) -> Any:
    def send(method: str, path: str, body: Any = None, *, who: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {new_token(who or cast.misaki, 'test')[1]}"}
        extra = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        answer = getattr(Client(), method)(f"/api/v1{path}", headers=headers, **extra)
        return answer.status_code, answer.json()

    return send


def test_api_lists_what_is_in_my_hands(call: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 2)
    back = hands.send_back(cast, hands.send(cast, hands.unit(found, 2)))
    like = {
        "title": "店の 紹介文を 書く", "kind": "writing", "minutes": 15, "yen": 195, "due_at": "2026-12-14T09:40:00+09:00"
    }  # fmt: skip

    assert call("get", "/tasks") == (
        200,
        {
            "items": [
                {"id": back.unit.code, "state": "returned", "number": 2, **like},
                {"id": hands.unit(found, 1).code, "state": "held", "number": 1, **like},
            ],
            "count": 2,
        },
    )
    assert call("get", "/tasks", who=cast.kenta) == (200, {"items": [], "count": 0})


def test_api_opens_and_sends_in(call: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    path = f"/tasks/{unit.code}"
    assert call("get", f"{path}/material") == (
        200, {"id": unit.code, "reference": "A-1", "content": "しごと1", "note": ""},
    )  # fmt: skip
    sent = {"id": unit.code, "state": "sent", "number": 1, "sent_at": "2026-12-07T09:40:00+09:00"}

    assert call("post", f"{path}/submit", {"text": "できた"}) == (200, sent)
    assert call("post", f"{path}/submit", {"text": "できた"}) == (200, sent)
    assert [call("post", f"{path}/submit", {"text": text})[1]["code"] for text in ("べつ", " ")] == [
        "already_sent", "text_missing",
    ]  # fmt: skip
    assert call("post", f"{path}/submit", {"text": "あ" * 20_001})[1]["code"] == "text_long"
    for who in ("kenta", "stranger", "director"):
        other = getattr(cast, who)
        for method, rest, body in (("get", "material", None), ("post", "submit", {"text": "x"})):
            status, answer = call(method, f"{path}/{rest}", body, who=other)
            assert (status, answer["code"]) == (404, "unknown_unit")
    assert Delivery.objects.count() == 1


def test_api_refuses_confidential_material(call: Any, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    Order.objects.update(is_confidential=True)
    status, answer = call("get", f"/tasks/{unit.code}/material")

    assert (status, answer["code"]) == (403, "gate_closed")
    assert "しごと1" not in json.dumps(answer, ensure_ascii=False)


def test_api_says_lease_gone_and_keeps_the_text(call: Any, cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    unit = hands.unit(found)
    call("get", f"/tasks/{unit.code}/material")
    hands.time_up(found)
    status, answer = call("post", f"/tasks/{unit.code}/submit", {"text": "おそかった"})

    assert (status, answer["code"], Draft.objects.get().text) == (409, "lease_gone", "おそかった")
    assert call("get", "/tasks") == (200, {"items": [], "count": 0})


# ---------------------------------------------------------------- the control item


def test_control_item_shows_nowhere_to_a_worker(as_: Any, call: Any, cast: SimpleNamespace) -> None:
    """In every state of a unit, on every page and in every answer of doing."""
    found = hands.in_hand(cast, 7)
    for number in range(1, 8):
        review.set_control(
            actor=cast.director,
            hub=cast.ekimae,
            order_code=found.lot.order.code,
            number=number,
            answer=CONTROL,
        )
    unit = {n: hands.unit(found, n) for n in range(1, 8)}
    rejected = hands.reject(cast, found, hands.send(cast, unit[1]))
    hands.accept(cast, Delivery.objects.get(unit=unit[2]))
    hands.send_back(cast, Delivery.objects.get(unit=unit[3]), hands.FACT)
    client = as_(cast.misaki)
    read = [client.get(at("job_assignment", found))]
    read += [client.get(at("job_unit", one)) for one in unit.values()]
    read += [
        client.post(at("job_unit", unit[5]), {"text": "べつの 文", "since": ""}, follow=True),
        client.post(
            at("job_draft", unit[6]), {"text": "べつの 文", "since": ""}, headers={"HX-Request": "true"}
        ),
        client.post(at("job_draft", unit[6]), {"text": "ちがう 文", "since": "x"}),
        client.post(at("job_ask", unit[6]), {"question": "これは？"}, follow=True),
        client.post(at("job_appeal", rejected), {"appeal": "もう一度"}, follow=True),
    ]
    answers = [
        call("get", "/tasks"),
        call("get", f"/tasks/{unit[7].code}/material"),
        call("post", f"/tasks/{unit[7].code}/submit", {"text": "べつの 文"}),
    ]
    control = {
        one.control.code for one in Unit.objects.filter(order=found.lot.order).select_related("control")
    }

    assert {one.get_state_display() for one in Unit.objects.all()} >= {
        "合格",
        "不合格",
        "なおし中",
        "確認待ち",
        "作業中",
    }
    assert [answer.status_code for answer in read] == [200] * 10 + [409, 200, 200]
    assert [status for status, _body in answers] == [200] * 3
    everything = [answer.content.decode() for answer in read] + [
        json.dumps(one, ensure_ascii=False) for one in answers
    ]
    for body in everything:
        assert CONTROL not in body
        assert "control" not in body.replace("aria-controls", "")
        assert "matches" not in body
        assert [code for code in control if code in body] == []
