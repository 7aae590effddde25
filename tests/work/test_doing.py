"""Doing a unit: what she types is kept first, then it may be refused."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.work import doing, leases, marks, material, review, units
from hub.work.enums import CorrectionKind, EndReason, UnitState
from hub.work.models import Correction, Delivery, Draft, Question, Unit
from tests.work import hands_phone as hands

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def refusal(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(DomainError) as found:
        call(**arguments)
    return found.value.status, found.value.code


def texts(unit: Unit) -> list[tuple[int, str, str]]:
    return [
        (row.number, row.text, row.state) for row in Delivery.objects.filter(unit=unit).order_by("number")
    ]


def state(unit: Unit) -> str:
    return Unit.objects.get(pk=unit.pk).state


def draft(cast: SimpleNamespace, unit: Unit) -> str | None:
    return Draft.objects.get(unit=unit, member=cast.misaki).text


# ---------------------------------------------------------------- sending in


def test_double_tap_is_one_delivery(cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    first, again = hands.send(cast, unit, "お茶です\nどうぞ"), hands.send(cast, unit, "お茶です\r\nどうぞ")

    assert first.pk == again.pk
    assert texts(unit) == [(1, "お茶です\nどうぞ", "sent")]
    assert state(unit) == UnitState.SENT
    assert first.accepted_by_silence_at - first.sent_at == timedelta(days=14)


def test_another_text_after_sending_is_refused_and_kept(cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    hands.send(cast, unit, "一つめ")

    assert refusal(doing.send_in, member=cast.misaki, unit_code=unit.code, text="二つめ") == (
        409,
        "already_sent",
    )
    assert (texts(unit), draft(cast, unit)) == ([(1, "一つめ", "sent")], "二つめ")


def test_another_text_after_acceptance_is_not_called_late(cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    hands.accept(cast, hands.send(cast, unit, "一つめ"))

    assert refusal(doing.send_in, member=cast.misaki, unit_code=unit.code, text="二つめ") == (
        409,
        "already_decided",
    )
    assert hands.send(cast, unit, "一つめ").state == "accepted"  # a late tap hears what became of it
    assert texts(unit) == [(1, "一つめ", "accepted")]


def test_mended_text_is_a_second_try_and_the_first_stays(cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    hands.send_back(cast, hands.send(cast, unit, "一つめ"))
    hands.send(cast, unit, "なおした")

    assert texts(unit) == [(1, "一つめ", "returned"), (2, "なおした", "sent")]


@pytest.mark.parametrize("text", ["", " \n　\t"])
def test_empty_text_is_refused_and_touches_nothing(text: str, cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    doing.save_draft(member=cast.misaki, unit_code=unit.code, text="書きかけ")

    assert refusal(doing.send_in, member=cast.misaki, unit_code=unit.code, text=text) == (422, "text_missing")
    assert (texts(unit), draft(cast, unit), state(unit)) == ([], "書きかけ", "held")


def test_longest_text_goes_and_one_more_character_does_not(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    one, two = hands.unit(found, 1), hands.unit(found, 2)
    hands.send(cast, one, "あ" * doing.MOST_TEXT)

    assert len(texts(one)[0][1]) == 20_000
    for call in (doing.send_in, doing.save_draft):
        too_long = {"member": cast.misaki, "unit_code": two.code, "text": "あ" * (doing.MOST_TEXT + 1)}
        assert refusal(call, **too_long) == (422, "text_long")
    assert (texts(two), Draft.objects.filter(unit=two).count()) == ([], 0)


# ---------------------------------------------------------------- typing


def test_second_tab_does_not_write_over_what_the_first_kept(cast: SimpleNamespace, now: Any) -> None:
    unit = hands.unit(hands.in_hand(cast))
    of = {"member": cast.misaki, "unit_code": unit.code}
    doing.begin(**of)
    opened = doing.stamp_of(Draft.objects.get())
    one = doing.save_draft(**of, text="一つめの 画面", since=opened)
    now.shift(timedelta(seconds=5))

    assert refusal(doing.save_draft, **of, text="二つめの 画面", since=opened) == (409, "draft_newer")
    assert refusal(doing.send_in, **of, text="二つめの 画面", since=opened) == (409, "draft_newer")
    assert (draft(cast, unit), texts(unit)) == ("一つめの 画面", [])
    chosen = doing.send_in(**of, text="二つめの 画面", since=doing.stamp_of(one))
    assert (chosen.text, draft(cast, unit)) == ("二つめの 画面", "二つめの 画面")


def test_one_tab_goes_on_where_an_answer_was_lost(cast: SimpleNamespace, now: Any) -> None:
    unit = hands.unit(hands.in_hand(cast))
    of = {"member": cast.misaki, "unit_code": unit.code}
    opened = doing.stamp_of(doing.save_draft(**of, text="は"))
    now.shift(timedelta(seconds=1))
    doing.save_draft(**of, text="はる", since=opened)  # kept, but its answer never arrived
    now.shift(timedelta(seconds=1))

    assert refusal(doing.save_draft, **of, text="はるの", since=opened) == (409, "draft_newer")
    doing.save_draft(**of, text="はるの", since=opened, tried="はる")
    assert draft(cast, unit) == "はるの"
    now.shift(timedelta(seconds=1))
    doing.save_draft(**of, text="はるの", since=opened)  # the same words are no other text
    assert draft(cast, unit) == "はるの"


def test_lease_gone_while_the_page_is_open_keeps_the_text(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    unit = hands.unit(found)
    doing.begin(member=cast.misaki, unit_code=unit.code)  # she opened it; nothing is typed yet
    hands.time_up(found)

    assert refusal(doing.send_in, member=cast.misaki, unit_code=unit.code, text="おそかった") == (
        409,
        "lease_gone",
    )
    assert (draft(cast, unit), texts(unit), state(unit)) == ("おそかった", [], "free")
    doing.save_draft(member=cast.misaki, unit_code=unit.code, text="おそかった。でも のこる")
    assert draft(cast, unit) == "おそかった。でも のこる"


def test_draft_is_hers_alone_when_somebody_else_has_the_unit(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 1)
    unit = hands.unit(found)
    doing.save_draft(member=cast.misaki, unit_code=unit.code, text="みさきの 文")
    hands.time_up(found)
    hands.give(cast.kenta, found.lot.order, 1)
    doing.begin(member=cast.kenta, unit_code=unit.code)

    assert units.page_of(cast.kenta, unit.code).text == ""
    assert refusal(doing.send_in, member=cast.misaki, unit_code=unit.code, text="みさきの 文") == (
        409,
        "lease_gone",
    )
    doing.send_in(member=cast.kenta, unit_code=unit.code, text="けんたの 文")
    page = units.page_of(cast.misaki, unit.code)
    assert (page.text, page.tries, page.stands) == ("みさきの 文", [], "gone")
    assert refusal(material.open_unit, actor=cast.misaki, unit=unit) == (404, "unknown_unit")


def test_stranger_and_who_was_only_asked_find_nothing(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    unit = hands.unit(found)
    for call, more in (
        (doing.save_draft, {"text": "x"}),
        (doing.send_in, {"text": "x"}),
        (doing.ask, {"text": "x"}),
        (doing.begin, {}),
    ):
        for who in (cast.stranger, cast.kenta, cast.director):
            assert refusal(call, member=who, unit_code=unit.code, **more) == (404, "unknown_unit")
    found.state, found.accepted_at = "offered", None
    found.save()
    assert refusal(doing.begin, member=cast.misaki, unit_code=unit.code) == (404, "unknown_unit")
    assert Draft.objects.count() == Delivery.objects.count() == Question.objects.count() == 0


# ---------------------------------------------------------------- time


@pytest.mark.parametrize("shares", [True, False])
def test_time_is_measured_only_where_she_lets_it(shares: bool, cast: SimpleNamespace, now: Any) -> None:
    unit = hands.unit(hands.in_hand(cast))
    if shares:
        hands.lets_time_be_measured(cast.misaki)
    doing.begin(member=cast.misaki, unit_code=unit.code)
    now.shift(timedelta(minutes=12))
    doing.save_draft(member=cast.misaki, unit_code=unit.code, text="半分")
    now.shift(timedelta(minutes=3))
    sent = hands.send(cast, unit)

    assert sent.seconds == (15 * 60 if shares else None)


def test_a_night_and_mending_say_nothing_about_the_time(cast: SimpleNamespace, now: Any) -> None:
    found = hands.in_hand(cast)
    hands.lets_time_be_measured(cast.misaki)
    for number in (1, 2):
        doing.begin(member=cast.misaki, unit_code=hands.unit(found, number).code)
    now.shift(timedelta(minutes=10))
    quick = hands.send(cast, hands.unit(found, 1))
    hands.send_back(cast, quick)
    now.shift(timedelta(hours=4))

    assert hands.send(cast, hands.unit(found, 2)).seconds is None
    assert hands.send(cast, hands.unit(found, 1), "なおした").seconds is None
    assert quick.seconds == 600


# ---------------------------------------------------------------- material, questions, appeal


def test_confidential_never_opens_although_it_is_in_her_hands(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    unit = hands.unit(found)
    type(unit.order).objects.filter(pk=unit.order_id).update(is_confidential=True)

    assert leases.held_by(cast.misaki.pk).filter(unit=unit).exists()
    assert refusal(material.open_unit, actor=cast.misaki, unit=hands.unit(found)) == (403, "gate_closed")


def test_question_once_and_again_after_its_answer(cast: SimpleNamespace) -> None:
    unit = hands.unit(hands.in_hand(cast))
    of = {"member": cast.misaki, "unit_code": unit.code}
    first = doing.ask(**of, text=" 店の 名前は？ ")

    assert doing.ask(**of, text="店の 名前は？").pk == first.pk
    review.answer_question(actor=cast.director, hub=cast.ekimae, code=first.code, text="見本商店です")
    doing.ask(**of, text="店の 名前は？")
    assert [(one.text, one.answer) for one in Question.objects.all()] == [
        ("店の 名前は？", "見本商店です"), ("店の 名前は？", ""),
    ]  # fmt: skip
    assert refusal(doing.ask, **of, text="  ") == (422, "text_missing")
    assert refusal(doing.ask, **of, text="あ" * 1001) == (422, "text_long")


def test_control_item_is_compared_and_changes_nothing_for_her(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast)
    order = found.lot.order
    for number in (1, 2):
        review.set_control(
            actor=cast.director, hub=cast.ekimae, order_code=order.code, number=number, answer="ＡＢＣ 商店"
        )
    sent = [hands.send(cast, hands.unit(found, n), text) for n, text in ((1, "abc商店"), (2, "別"), (3, "x"))]

    assert [one.matches_control for one in sent] == [True, False, None]
    assert [one.state for one in sent] == ["sent"] * 3


def test_marks_cut_the_text_and_overlap() -> None:
    rows = [
        Correction(pk=pk, start=start, end=end, kind=CorrectionKind.FACT)
        for pk, (start, end) in enumerate([(4, 9), (1, 5), (4, 5)], 1)
    ]
    found = marks.pieces("0123456789", marks.numbered(rows))
    shown = [
        (
            piece.text,
            [mark.number for mark in piece.begins],
            [mark.number for mark in piece.covers],
            [mark.number for mark in piece.ends],
        )
        for piece in found
    ]

    assert shown == [
        ("0", [], [], []), ("123", [1], [1], []), ("4", [2, 3], [1, 2, 3], [1, 2]), ("5678", [], [3], [3]),
        ("9", [], [], []),
    ]  # fmt: skip
    assert marks.pieces("そのまま", [])[0].text == "そのまま"
    assert marks.pieces("", []) == []


def test_units_of_an_assignment_stand_as_they_stand_for_her(cast: SimpleNamespace) -> None:
    found = hands.in_hand(cast, 5, units=6)
    hands.accept(cast, hands.send(cast, hands.unit(found, 1)))
    hands.send_back(cast, hands.send(cast, hands.unit(found, 2)))
    hands.send(cast, hands.unit(found, 3))

    def standing() -> list[tuple[int, str]]:
        return [(one.number, one.stands) for one in units.units_of(found)]

    assert standing() == [(2, "returned"), (4, "held"), (5, "held"), (3, "sent"), (1, "accepted")]
    assert units.next_unit(found) == hands.unit(found, 2)
    assert units.progress_of(found) == units.Progress(
        total=5, sent=2, accepted=1, waiting=1, yen=195, waiting_yen=195
    )
    run_write(lambda: leases.give_back(found, EndReason.HANDED_BACK))
    hands.give(cast.kenta, found.lot.order, 3)
    found.refresh_from_db()
    assert standing() == [(3, "sent"), (1, "accepted"), (2, "gone")]
    assert units.next_unit(found) is None


def test_due_of_what_came_back_after_the_assignment_ended(cast: SimpleNamespace, now: Any) -> None:
    found = hands.in_hand(cast)
    unit = hands.unit(found)
    sent = hands.send(cast, unit)
    assert units.page_of(cast.misaki, unit.code).due == found.due_at
    hands.time_up(found)
    now.shift(timedelta(days=8))
    back = hands.send_back(cast, sent)

    page = units.page_of(cast.misaki, unit.code)
    assert (page.due, page.can_write) == (back.decided_at + timedelta(days=7), True)


def test_order_of_another_hub_is_not_mixed_in(cast: SimpleNamespace) -> None:
    first, second = hands.in_hand(cast, 2), hands.in_hand(cast, 2)
    assert [unit.order_id for unit in units.units_of(second)] == [second.lot.order_id] * 2
    assert first.lot.order_id != second.lot.order_id
