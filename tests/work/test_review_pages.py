"""できあがり, 質問, レベル and 見なおし, as a browser without JavaScript meets them."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.spaces.enums import Role
from hub.work import doing, marking, review
from hub.work.models import Appeal, ControlItem, Correction, Delivery, Earning, Lot, Question, Skill, Unit
from tests import factories as make
from tests.booking.test_pages import text_of
from tests.work import hands_desk as hands
from tests.work import work
from tests.work.hands_desk import SECRET, TEXT

pytestmark = [pytest.mark.django_db]
SECOND_PLACE = TEXT.rindex("春の 味")


@pytest.fixture(autouse=True)
def _japanese():  # type: ignore[no-untyped-def]
    with translation.override("ja"):
        yield


def at(name: str, *codes: object, hub: str = "ekimae") -> str:
    return reverse(name, args=[hub, *codes])


def queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def row(n: int = 0, **typed: str) -> dict[str, str]:
    """One row of marks as the form sends it."""
    said = {"line": "", "words": "", "nth": "", "kind": "fact", "comment": "なおす"} | typed
    return {f"{name}_{n}": value for name, value in said.items()}


def send_back(client: Any, delivery: Delivery, **fields: str) -> Any:
    return client.post(
        at("desk_review_one", delivery.code), {"do": "return", "rows": "3", "reason": ""} | fields
    )


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(said) for name, said in answer.context["form"].errors.items()}


# ---------------------------------------------------------------- places in a text


def test_sentences_are_numbered_and_keep_their_place() -> None:
    found = marking.lines(TEXT + "\n「はい。」と 言う")

    assert [(line.number, line.text) for line in found] == [
        (1, "春の 味です。"), (2, "ぜひ、春の 味を おためしください。"), (3, "「はい。」"), (4, "と 言う"),
    ]  # fmt: skip
    assert [(TEXT + "\n「はい。」と 言う")[line.start : line.end] for line in found] == [
        one.text for one in found
    ]
    assert marking.lines(" \r\n ") == []


def test_words_are_found_whatever_their_width_and_spaces() -> None:
    text = "ＡＢ c\r\nab C です"

    assert marking.places_of(text, "abc") == [(0, 4), (6, 10)]
    assert marking.places_of(text, "Cａｂ") == [(3, 8)]  # over the end of a line
    assert marking.places_of("ああああ", "ああ") == [(0, 2), (1, 3), (2, 4)]
    assert marking.places_of(text, "ない") == []
    assert marking.places_of(text, " ") == []
    assert marking.places_of(text, "abc", (6, len(text))) == [(6, 10)]


# ---------------------------------------------------------------- the queue


def test_the_queue_shows_what_waits_oldest_first_and_narrows(
    as_: Any, cast: SimpleNamespace, now: Any
) -> None:
    client = as_(cast.director)
    assert "確認を 待っている しごとは ありません" in text_of(client.get(at("desk_review")))
    first = hands.sent(cast, 1)[0]
    now.shift(3 * 24 * 3600)
    other = hands.sent(cast, 1, title="品名を 入れる")[0]
    client = as_(cast.director)  # three days later she signs in again
    answer = client.get(at("desk_review"))
    said = text_of(answer)

    assert [one.code for one in answer.context["page"]] == [first.code, other.code]
    assert "確認待ち 2件" in said
    assert ("あと 11日" in said, "あと 14日" in said) == (True, True)
    narrow = client.get(at("desk_review"), {"order": other.unit.order.code})
    assert [one.code for one in narrow.context["page"]] == [other.code]
    assert len(client.get(at("desk_review"), {"order": "NOBODY"}).context["page"]) == 2
    assert TEXT[:4] not in said


def test_several_are_accepted_at_once_and_what_was_decided_stops_none(
    as_: Any, cast: SimpleNamespace
) -> None:
    deliveries = hands.sent(cast, 4)
    hands.accept(cast, deliveries[0])
    client = as_(cast.director)
    codes = [one.code for one in deliveries[:3]]
    done = client.post(at("desk_review_bulk"), {"code": [*codes, "ZZZZZZZZ"]}, follow=True)

    assert hands.states(deliveries[0].unit.order) == ["accepted"] * 3 + ["sent"]
    assert Earning.objects.count() == 3
    assert "2件を 合格に しました。 1件は もう 確認が おわっていました。" in text_of(done)
    nothing = client.post(at("desk_review_bulk"), {})
    assert (nothing.status_code, "合格に する しごとを えらんでください。" in text_of(nothing)) == (422, True)


def test_reading_the_queue_costs_the_same_with_three_and_with_sixty(as_: Any, cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, units=300)
    assignment = hands.take(cast.misaki, order, 60)
    hands.send(assignment, 3)
    client = as_(cast.director)
    few = queries(client, at("desk_review"))
    hands.send(assignment, 57)

    assert (queries(client, at("desk_review")), len(client.get(at("desk_review")).context["page"])) == (
        few,
        30,
    )


def test_reading_one_costs_the_same_with_three_and_with_three_hundred_units(
    as_: Any, cast: SimpleNamespace
) -> None:
    few = hands.sent(cast, 3)[0]
    many = work.accepted_order(cast, units=300)
    sent = hands.send(hands.take(cast.misaki, many, 300), 3)[0]
    client = as_(cast.director)

    assert queries(client, at("desk_review_one", sent.code)) == queries(
        client, at("desk_review_one", few.code)
    )


# ---------------------------------------------------------------- one delivery


def test_accepted_the_next_one_opens(as_: Any, cast: SimpleNamespace) -> None:
    first, second = hands.sent(cast, 2)
    client = as_(cast.director)
    said = text_of(client.get(at("desk_review_one", first.code)))
    assert ("しごと1" in said, "ぜひ、春の 味を おためしください。" in said) == (True, True)
    answer = client.post(at("desk_review_one", first.code), {"do": "accept"})
    assert answer.headers["Location"] == at("desk_review_one", second.code)
    last = client.post(at("desk_review_one", second.code), {"do": "accept"})
    assert last.headers["Location"] == at("desk_review")
    again = client.post(at("desk_review_one", first.code), {"do": "accept"})

    assert (again.status_code, Earning.objects.count()) == (409, 2)
    assert "もう 確認が おわっています" in text_of(again)
    assert "合格に する" not in text_of(client.get(at("desk_review_one", first.code)))


def test_the_way_through_one_order_stays_in_it(as_: Any, cast: SimpleNamespace) -> None:
    hands.sent(cast, 1)
    own = hands.sent(cast, 2, title="品名を 入れる")
    query = f"?order={own[0].unit.order.code}"
    client = as_(cast.director)
    assert (
        at("desk_review") + query in client.get(at("desk_review_one", own[0].code) + query).content.decode()
    )
    answer = client.post(at("desk_review_one", own[0].code) + query, {"do": "accept"})

    assert answer.headers["Location"] == at("desk_review_one", own[1].code) + query


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"line": "１"}, (0, 7)),
        ({"words": "春の味"}, (0, 4)),
        ({"words": "春の味", "nth": "2"}, (SECOND_PLACE, SECOND_PLACE + 4)),
        ({"words": "春の味", "line": "2"}, (SECOND_PLACE, SECOND_PLACE + 4)),
        ({"words": "味です。ぜひ"}, (3, 11)),
    ],
)
def test_a_mark_is_a_line_or_words_that_are_found_again(
    typed: dict[str, str], place: tuple[int, int], as_: Any, cast: SimpleNamespace
) -> None:
    delivery = hands.sent(cast, 2)[0]
    answer = send_back(as_(cast.director), delivery, **row(**typed))

    assert answer.status_code == 302
    kept = Correction.objects.get()
    assert (kept.start, kept.end, kept.kind, kept.comment) == (*place, "fact", "なおす")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"words": "夏"}, {"words_1": ["この ことばは、そこに ありません。文から うつしてください"]}),
        ({"words": "春", "nth": "3"}, {"nth_1": ["この ことばは 2回だけ 出てきます"]}),
        (
            {"words": "ぜひ", "line": "1"},
            {"words_1": ["この ことばは、そこに ありません。文から うつしてください"]},
        ),
        ({"line": "3"}, {"line_1": ["番号は 2 までです"]}),
        ({}, {"line_1": ["どこか わかるように、番号か ことばを 入れてください"]}),
        ({"line": "1", "kind": ""}, {"kind_1": ["種類を えらんでください"]}),
        ({"line": "1", "comment": " "}, {"comment_1": ["どう なおすか 書いてください"]}),
    ],
)
def test_a_mark_that_is_not_found_is_said_at_its_field_and_nothing_typed_is_lost(
    typed: dict[str, str], wrong: dict[str, list[str]], as_: Any, cast: SimpleNamespace
) -> None:
    delivery = hands.sent(cast, 1)[0]
    fields = row(line="1", comment="はじめの 印") | row(1, **typed) | {"reason": "ひとこと 書いた"}
    answer = send_back(as_(cast.director), delivery, **fields)
    page = answer.content.decode()

    assert (answer.status_code, errors(answer)) == (422, wrong)
    assert [("はじめの 印" in page), ("ひとこと 書いた" in page)] == [True, True]
    for field in answer.context["return_form"]:
        if field.name in fields:
            assert field.value() == fields[field.name]
    assert (Delivery.objects.get().state, Correction.objects.count()) == ("sent", 0)


def test_more_rows_keep_what_was_typed(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    client = as_(cast.director)
    fields = {"do": "more", "rows": "3", "reason": "ひとこと"} | row(2, words="春の 味")
    answer = client.post(at("desk_review_one", delivery.code), fields)
    form = answer.context["return_form"]

    assert (answer.status_code, form.rows, form["words_2"].value(), form["reason"].value()) == (
        200, 6, "春の 味", "ひとこと",
    )  # fmt: skip
    most = client.post(at("desk_review_one", delivery.code), fields | {"rows": "49"}).context["return_form"]
    assert most.rows == review.MOST_MARKS
    assert send_back(client, delivery, rows="6", **row(5, line="2")).status_code == 302
    assert Correction.objects.count() == 1


def test_refused_by_the_rule_the_words_are_still_there(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    client = as_(cast.director)
    nothing = send_back(client, delivery)
    assert (nothing.status_code, errors(nothing)) == (
        422, {"reason": ["なおすところに 印を つけるか、ことばで 書いてください。"]},
    )  # fmt: skip
    hands.accept(cast, delivery)
    late = send_back(client, delivery, reason="だいじな ひとこと")

    assert (late.status_code, "だいじな ひとこと" in late.content.decode()) == (409, True)


def test_earlier_tries_stand_beside_the_new_one_with_their_marks(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    hands.send_back(cast, delivery, hands.mark(0, 4, "夏の 味に なおす"), reason="季節が ちがいます")
    again = doing.send_in(member=cast.misaki, unit_code=delivery.unit.code, text="夏の 味です。")
    page = as_(cast.director).get(at("desk_review_one", again.code))
    said = text_of(page)

    assert '<b class="mark-no" aria-hidden="true">印1</b>春の 味</mark>' in page.content.decode()
    assert [words in said for words in ("夏の 味に なおす", "季節が ちがいます", "事実", "2回目")] == [
        True
    ] * 4
    assert page.context["lines"] == marking.lines("夏の 味です。")


def test_rejecting_says_what_is_left_and_asks_for_why_and_how(as_: Any, cast: SimpleNamespace) -> None:
    deliveries = hands.sent(cast, 4)
    client = as_(cast.director)
    path = at("desk_review_one", deliveries[0].code)
    assert "あと 1件 不合格に できます" in text_of(client.get(path))
    empty = client.post(path, {"do": "reject", "no-reason": "だいじな わけ"})
    assert (empty.status_code, errors(empty)) == (422, {"example": ["よい 例を 入れてください"]})
    assert "だいじな わけ" in empty.content.decode()
    done = client.post(path, {"do": "reject", "no-reason": "わけ", "no-example": "例"})
    assert done.headers["Location"] == at("desk_review_one", deliveries[1].code)

    path = at("desk_review_one", deliveries[1].code)
    page = client.get(path)
    assert "いまは 不合格に できません" in text_of(page)
    assert 'name="no-reason"' not in page.content.decode()
    over = client.post(path, {"do": "reject", "no-reason": "わけ", "no-example": "例"})
    assert (over.status_code, hands.states(deliveries[0].unit.order)) == (409, ["rejected"] + ["sent"] * 3)


def test_the_control_item_is_for_the_director_only(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 4)[0]
    order, unit = delivery.unit.order, delivery.unit
    client = as_(cast.director)
    kept = client.post(at("desk_control", order.code, unit.number), {"answer": "ひみつの 答え"})
    assert kept.headers["Location"] == at("desk_unit", order.code, unit.number)
    assert "ひみつの 答え" in client.get(at("desk_unit", order.code, unit.number)).content.decode()
    said = text_of(client.get(at("desk_review_one", delivery.code)))
    assert ("ひみつの 答え" in said, "答えと ちがう" in said) == (True, True)
    assert "答えと ちがう" in text_of(client.get(at("desk_review")))
    hands.reject(cast, delivery)
    found = hands.appeal(cast, delivery)

    manager = as_(cast.manager).get(at("desk_appeal", found.code)).content.decode()
    assert [words in manager for words in ("ひみつの 答え", "答えと")] == [False, False]
    client = as_(cast.director)
    client.post(at("desk_control", order.code, unit.number), {"answer": ""})
    assert ControlItem.objects.count() == 0
    assert client.post(at("desk_control", order.code, 99), {"answer": "x"}).status_code == 404


# ---------------------------------------------------------------- confidential


def test_confidential_work_opens_nowhere_here(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 4, text=SECRET)[0]
    question = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text=f"{SECRET}の 質問")
    found = hands.appeal(cast, hands.reject(cast, delivery, reason=SECRET), SECRET)
    order = delivery.unit.order
    order.is_confidential = True
    order.save()
    waiting = Delivery.objects.filter(state="sent").first()
    assert waiting is not None
    client = as_(cast.director)
    for path in (at("desk_review"), at("desk_questions")):
        assert SECRET not in client.get(path).content.decode()
    for method in (client.get, client.post):
        answer = method(at("desk_review_one", waiting.code), {"do": "accept"})
        assert (answer.status_code, "機密の しごとです" in text_of(answer)) == (403, True)
        assert SECRET not in answer.content.decode()
    for path, fields in (
        (at("desk_question", question.code), {"answer": "はい"}),
        (at("desk_control", order.code, 1), {"answer": "はい"}),
    ):
        assert client.post(path, fields).status_code == 403
    assert client.post(at("desk_review_bulk"), {"code": [waiting.code]}).status_code == 422
    client = as_(cast.manager)
    for method in (client.get, client.post):
        answer = method(at("desk_appeal", found.code), {"answer": "はい", "uphold": "1"})
        assert (answer.status_code, SECRET in answer.content.decode()) == (403, False)

    assert (Earning.objects.count(), Question.objects.get().answered_at, ControlItem.objects.count()) == (
        0,
        None,
        0,
    )
    assert (Delivery.objects.get(pk=waiting.pk).state, Appeal.objects.get().state) == ("sent", "open")


# ---------------------------------------------------------------- questions, courses, levels


def test_questions_are_answered_beside_the_queue(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    client = as_(cast.director)
    assert "答えを 待っている 質問は ありません" in text_of(client.get(at("desk_questions")))
    question = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="何字ですか")
    other = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="いつですか")
    assert "質問 2件" in text_of(client.get(at("desk_review")))
    assert "何字ですか" in text_of(client.get(at("desk_questions")))
    empty = client.post(at("desk_question", question.code), {"answer": " "})
    assert (empty.status_code, errors(empty)) == (422, {"answer": ["答えを 入れてください"]})
    done = client.post(at("desk_question", question.code), {"answer": "200字です"}, follow=True)

    assert ("答えを 送りました" in text_of(done), "200字です" in text_of(done)) == (True, True)
    assert Question.objects.get(pk=question.pk).answered_by == cast.director
    assert client.post(at("desk_question", "ZZZZZZZZ"), {"answer": "x"}).status_code == 404
    assert [one.code for one in client.get(at("desk_questions")).context["page"]] == [other.code]


def test_a_lot_becomes_a_course_from_its_order(as_: Any, cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, units=4)
    client, path = as_(cast.director), at("desk_course", order.code, 1)
    assert path in client.get(at("desk_order", order.code)).content.decode()
    assert client.get(path).context["form"]["units"].value() == 4
    wrong = client.post(path, {"level": "2", "units": "5"})
    assert (wrong.status_code, errors(wrong)) == (422, {"units": ["まとまりの 件数までで 入れてください。"]})
    assert client.post(path, {"level": "2", "units": "３"}).status_code == 302
    assert list(Lot.objects.values_list("opens_level", "course_units")) == [(2, 3)]
    assert client.post(path, {"level": "", "units": "3"}).status_code == 302
    assert Lot.objects.get().opens_level is None
    assert client.get(at("desk_course", order.code, 9)).status_code == 404


def test_levels_are_listed_and_changed(as_: Any, cast: SimpleNamespace) -> None:
    client, path = as_(cast.director), at("desk_level", cast.misaki.code)
    assert "働く人 2人" in text_of(client.get(at("desk_levels")))
    fields = {"writing": "2", "entry": "1", "checking": "1", "voice": "3"}
    assert client.post(path, fields).status_code == 302
    kept = Skill.objects.order_by("kind").values_list("kind", "level", "set_by")
    assert list(kept) == [("voice", 3, cast.director.pk), ("writing", 2, cast.director.pk)]
    assert "くわしい人" in text_of(client.get(at("desk_levels")))
    assert client.post(path, fields | {"voice": "9"}).status_code == 422
    assert client.get(at("desk_level", cast.stranger.code)).status_code == 404

    few = queries(client, at("desk_levels"))
    for n in range(20):
        make.make_member(f"人{n}", f"l{n}@example.org", hub=cast.ekimae)
    assert queries(client, at("desk_levels")) == few


# ---------------------------------------------------------------- appeals


def test_an_appeal_is_read_and_answered(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.manager)
    assert "たのまれた 見なおしは ありません" in text_of(client.get(at("desk_appeals")))
    found = hands.appeal(cast, hands.rejected(cast), "この店の ことです")
    path = at("desk_appeal", found.code)
    assert path in client.get(at("desk_appeals")).content.decode()
    said = text_of(client.get(path))
    words = (
        "この店の ことです",
        "べつの 店の ことです",
        "この店の ことを 書く",
        "ぜひ、春の 味を おためしください。",
    )
    assert [one in said for one in words] == [True] * 4
    empty = client.post(path, {"answer": "", "uphold": "1"})
    assert (empty.status_code, errors(empty)) == (422, {"answer": ["答えを 入れてください"]})
    neither = client.post(path, {"answer": "だいじな 答え"})
    assert (neither.status_code, "だいじな 答え" in neither.content.decode()) == (422, True)
    done = client.post(path, {"answer": "読みました", "uphold": "1"})

    assert done.headers["Location"] == at("desk_appeals")
    assert (Earning.objects.count(), Appeal.objects.get().state) == (1, "upheld")
    again = client.post(path, {"answer": "もう一度", "uphold": "0"})
    assert (again.status_code, Appeal.objects.get().state) == (409, "upheld")
    assert "読みました" in text_of(client.get(path))


def test_refusing_an_appeal_leaves_it_rejected(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.appeal(cast, hands.rejected(cast))
    as_(cast.manager).post(at("desk_appeal", found.code), {"answer": "読みました", "uphold": "0"})

    assert (Earning.objects.count(), Appeal.objects.get().state) == (0, "refused")


def test_who_rejected_it_is_told_kindly_that_another_decides(as_: Any, cast: SimpleNamespace) -> None:
    found = hands.appeal(cast, hands.rejected(cast))
    Delivery.objects.filter(pk=found.delivery_id).update(decided_by=cast.manager)
    client, path = as_(cast.manager), at("desk_appeal", found.code)
    page = client.get(path)
    assert "不合格に した人は、見なおしを きめられません。" in text_of(page)
    assert 'name="uphold"' not in page.content.decode()
    answer = client.post(path, {"answer": "読みました", "uphold": "0"})

    assert (answer.status_code, Appeal.objects.get().state) == (403, "open")


# ---------------------------------------------------------------- methods, rights, hubs


def test_every_page_asks_for_its_method_its_right_and_its_hub(as_: Any, cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    question = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="何字ですか")
    found = hands.appeal(cast, delivery)
    order = delivery.unit.order.code
    pages: list[tuple[str, list[object], str]] = [
        ("desk_review", [], "get"), ("desk_review_bulk", [], "post"), ("desk_review_one", [delivery.code], "both"),
        ("desk_questions", [], "get"), ("desk_question", [question.code], "post"), ("desk_control", [order, 1], "post"),
        ("desk_course", [order, 1], "both"), ("desk_levels", [], "get"), ("desk_level", [cast.misaki.code], "both"),
        ("desk_appeals", [], "get"), ("desk_appeal", [found.code], "both"),
    ]  # fmt: skip
    away = make.make_member("八木 配り", "yd@example.org", hub=cast.yagi, role=Role.DIRECTOR)
    wrong = []
    for name, codes, method in pages:
        right = cast.manager if name.startswith("desk_appeal") else cast.director
        client = as_(right)
        if (
            method != "both"
            and getattr(client, "post" if method == "get" else "get")(at(name, *codes)).status_code != 405
        ):
            wrong.append((name, "method"))
        if client.put(at(name, *codes)).status_code != 405:
            wrong.append((name, "put"))
        for person, hub, status in (
            (cast.misaki, "ekimae", 404), (cast.door, "ekimae", 403), (away, "ekimae", 404), (right, "yagi", 404),
        ):  # fmt: skip
            client = as_(person)
            for call in (client.get, client.post):
                if call(at(name, *codes, hub=hub)).status_code != status:
                    wrong.append((name, person.email, hub))
    for member, hub in (
        (away, "yagi"),
        (cast.yagi_manager, "yagi"),
    ):  # their own hub has none of these things
        client = as_(member)
        for name, codes, method in pages:
            if codes and name.startswith("desk_appeal") == (member is cast.yagi_manager):
                call = client.post if method == "post" else client.get
                if call(at(name, *codes, hub=hub)).status_code != 404:
                    wrong.append((name, "not here"))

    assert wrong == []
    assert Unit.objects.filter(state="rejected").count() == 1


@pytest.mark.parametrize("who", ["director", "manager"])
def test_the_side_list_leads_there(who: str, as_: Any, cast: SimpleNamespace) -> None:
    names = {"director": ["desk_review", "desk_levels"], "manager": ["desk_appeals"]}[who]
    client = as_(getattr(cast, who))
    for name in names:
        nav = client.get(at(name)).context["desk_nav"]
        assert [one["url"] for one in nav if one["current"]] == [at(name)]
