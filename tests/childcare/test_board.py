"""The board's page: who stands in which list with which marks, carers against the strict rule, who may look, few queries."""

import re
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hub.booking import services
from hub.childcare import absence, attendance, capacity, custody
from hub.childcare.board import Board, age_words, board_of
from hub.childcare.models import Attendance, Custody, Handover
from hub.core.db import run_write
from hub.spaces.arrivals import arrive, leave
from hub.spaces.enums import Role
from tests import factories as make
from tests.childcare.care import book, hand_over, morning, receive

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def here(cast: SimpleNamespace, now: time_machine.Traveller) -> SimpleNamespace:
    return morning(cast, now)


@pytest.fixture
def tablet(here: SimpleNamespace, client: Client) -> Client:
    client.force_login(here.carer, backend=BACKEND)
    return client


def board(here: SimpleNamespace) -> Board:
    return board_of(here.room)


def names(cards: Any) -> list[str]:
    return [card.child.name for card in cards]


def lists(here: SimpleNamespace) -> tuple[list[str], list[str], list[str]]:
    shown = board(here)
    return names(shown.coming), names(shown.inside), names(shown.gone)


def ask(here: SimpleNamespace, outcome: str) -> None:
    absence.record_contact(actor=here.carer, hub=here.ekimae, child=here.haru.code, outcome=outcome)


# ---------------------------------------------------------------- the three lists


def test_child_goes_from_list_to_list(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    assert lists(here) == (["はる", "ゆい"], [], [])

    row = receive(here).custody
    assert lists(here) == (["ゆい"], ["はる"], [])
    now.shift(timedelta(hours=1))
    hand_over(here, row, adult=here.granny.code)

    assert lists(here) == (["ゆい"], [], ["はる"])
    gone = board(here).gone[0]
    assert (gone.closed, gone.collector and gone.collector.short) == (make.NOW + timedelta(hours=1), "祖母")


def test_undone_taps_put_a_child_back(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    row = receive(here).custody
    custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)
    assert lists(here) == (["はる", "ゆい"], [], [])

    row = receive(here).custody
    now.shift(timedelta(hours=1))
    hand_over(here, row)
    custody.undo(actor=here.carer, hub=here.ekimae, custody=row.code)
    assert lists(here) == (["ゆい"], ["はる"], [])


def test_inside_is_sorted_by_pick_up_time_and_the_next_is_marked(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(8, 0, make.TODAY))
    child = make.make_child(make.make_household(cast.stranger), cast.ekimae, 3, name="そら")
    book(cast.stranger, child, cast, end=11)
    here = morning(cast, now)
    receive(here)
    receive(here, child, adult=cast.stranger.code)

    shown = board(here)

    assert [(card.child.name, card.is_next, card.minutes) for card in shown.inside] == [
        ("そら", True, 80), ("はる", False, 170),
    ]  # fmt: skip
    now.move_to(make.at(11, 10, make.TODAY))
    assert [(card.child.name, card.over) for card in board(here).inside] == [("そら", 10), ("はる", 0)]


def test_child_still_inside_the_day_after_is_not_forgotten(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    receive(here)
    now.move_to(make.at(10, 0))

    assert names(board(here).inside) == ["はる"]


def test_cancelled_place_is_not_expected(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    now.move_to(make.at(9, 20, make.TODAY))
    services.cancel_child_place(actor=here.misaki, code=here.visit.code, child=here.yui.code)
    assert lists(here)[0] == ["はる"]

    now.move_to(make.at(9, 50, make.TODAY))  # begun: the place ends at 10:00, and somebody gave word
    services.cancel_child_place(actor=here.misaki, code=here.visit.code, child=here.haru.code)
    now.move_to(make.at(10, 0, make.TODAY))
    assert lists(here)[0] == []


def test_child_who_never_came_stays_marked_after_her_time(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(13, 0, make.TODAY))
    assert lists(here)[0] == ["はる", "ゆい"]

    ask(here, "no_answer")
    assert lists(here)[0] == ["ゆい"]


# ---------------------------------------------------------------- marks


def test_card_says_when_the_parent_came_and_went(here: SimpleNamespace) -> None:
    assert board(here).coming[0].arrived is None
    run_write(lambda: arrive(here.visit, make.NOW))
    assert board(here).coming[0].arrived == make.NOW

    receive(here)
    run_write(lambda: leave(here.visit, make.NOW))
    assert board(here).inside[0].left == make.NOW


def test_absence_without_word_is_marked_from_fifteen_minutes_on(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    """RULE-12: booked from 9:30."""
    now.move_to(make.at(9, 44, make.TODAY))
    assert [card.is_late for card in board(here).coming] == [False, False]
    now.move_to(make.at(9, 45, make.TODAY))
    assert [card.is_late for card in board(here).coming] == [True, True]

    run_write(lambda: arrive(here.visit, make.at(9, 46, make.TODAY)))
    assert [card.is_late for card in board(here).coming] == [False, False]


@pytest.mark.parametrize(
    ("outcome", "late_now", "late_later"),
    [("coming", False, True), ("absent", False, False), ("no_answer", True, True)],
)
def test_contact_settles_the_mark_or_not(
    outcome: str, late_now: bool, late_later: bool, here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(9, 50, make.TODAY))
    ask(here, outcome)

    def late() -> bool:
        return next(card.is_late for card in board(here).coming if card.child == here.haru)

    assert late() == late_now
    now.shift(timedelta(minutes=31))
    assert late() == late_later


def test_absent_child_stands_last(here: SimpleNamespace) -> None:
    ask(here, "absent")

    assert names(board(here).coming) == ["ゆい", "はる"]


def test_first_time_is_marked_until_the_first_day_is_over(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    assert board(here).coming[0].is_first
    hand_over(here, receive(here).custody, adult=here.kenta.code)
    Custody.objects.update(received_at=make.NOW - timedelta(days=1), closed_at=make.NOW - timedelta(hours=20))

    assert next((card.child.name, card.is_first) for card in board(here).coming) == ("はる", False)


def test_allergies_are_words_and_never_left_out(here: SimpleNamespace, settings: Any, tmp_path: Any) -> None:
    here.haru.allergy = "卵、乳, 小麦、えび、かに"
    here.haru.save()
    card = board(here).coming[0]
    assert (card.allergies, card.more_allergies) == (("卵", "乳", "小麦", "えび"), 1)
    assert board_of(here.room, with_health=False).coming[0].allergies == ()

    settings.FIELD_KEYS = str(tmp_path / "other" / "fields.json")
    assert board(here).coming[0].allergies == ("読めません。書類を 見てください",)


@pytest.mark.parametrize(
    ("born", "words"),
    [((2026, 12, 8), "0か月"), ((2026, 2, 7), "10か月"), ((2025, 12, 8), "11か月"), ((2025, 12, 7), "1さい")],
)
def test_age_is_said_in_months_before_the_first_birthday(born: tuple[int, int, int], words: str) -> None:
    from datetime import date

    assert age_words(date(*born), make.TODAY) == words


# ---------------------------------------------------------------- carers against children


def test_need_follows_the_children_inside_and_the_carers_present(here: SimpleNamespace) -> None:
    need = board(here).need
    assert (need.staff, need.required, need.is_short) == (2, 0, False)

    receive(here)
    attendance.start_break(actor=here.carer, hub=here.ekimae, carer=here.carers[0].code, confirm=True)

    shown = board(here)
    assert (shown.need.staff, shown.need.required, shown.need.missing) == (1, 2, 1)
    assert (shown.at_work, shown.on_break) == ([here.carers[1].name], [here.carers[0].name])


def test_next_hour_counts_the_booked_and_those_inside(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(8, 0, make.TODAY))
    make.make_shift(cast.room, make.make_carer(cast.ekimae))
    run_write(lambda: capacity.rebuild(cast.room, [make.TODAY]))
    home = make.make_household(cast.stranger)
    babies = [make.make_child(home, cast.ekimae, 0, name=f"子{n}") for n in range(7)]
    request = make.request_for(cast.stranger, cast.ekimae, make.period(10.5, 12, make.TODAY), children=babies)
    services.book_visit(actor=cast.stranger, request=request)
    here = morning(cast, now)
    receive(here, here.yui)
    attendance.clock_out(actor=here.carer, hub=here.ekimae, carer=here.carers[2].code)

    shown = board(here)

    # From 10:30 on 7 babies, Yui and Haru: ceil(7/3 + 1/6 + 1/25) = 3; for Yui alone the room needs 2.
    assert (shown.need.required, shown.need.missing) == (2, 0)
    assert (shown.soon.required, shown.soon.missing, shown.soon_at) == (3, 1, make.at(10, 30, make.TODAY))


def test_absent_and_gone_children_are_not_expected_in_the_next_hour(
    here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    assert board(here).soon.required == 2
    hand_over(here, receive(here, here.yui).custody, adult=here.kenta.code)
    ask(here, "absent")

    assert (board(here).soon.required, board(here).soon_at) == (0, None)


def test_bands_show_what_the_carers_of_now_can_take(here: SimpleNamespace) -> None:
    receive(here)  # class 4; two carers, unlicensed: 2 - 1/25 of them are left

    assert [(band.label, band.n, band.limit) for band in board(here).bands] == [
        ("0さい", 0, 5), ("1・2さい", 0, 11), ("3さい", 0, 11), ("4・5さい", 1, 12),
    ]  # fmt: skip
    Attendance.objects.update(kind="break")
    assert [band.limit for band in board(here).bands] == [0, 0, 0, 1]


def test_board_takes_as_many_queries_for_three_children_as_for_one(
    cast: SimpleNamespace, now: time_machine.Traveller, django_assert_num_queries: Any
) -> None:
    now.move_to(make.at(8, 0, make.TODAY))
    sora = make.make_child(cast.household, cast.ekimae, 3, name="そら")
    here = morning(cast, now, children=(cast.haru, cast.yui, sora))
    receive(here)
    with django_assert_num_queries(7):
        assert len(board(here).cards) == 3
    for child in (here.yui, sora):
        receive(here, child)
    hand_over(here, Custody.objects.get(child=sora), adult=here.granny.code)
    with django_assert_num_queries(7):
        assert len(board(here).cards) == 3


# ---------------------------------------------------------------- pages


def url(name: str, *args: str, **query: str) -> str:
    words = "&".join(f"{key}={value}" for key, value in {"hub": "ekimae", **query}.items())
    return f"{reverse(name, args=args)}?{words}"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


PAGES = ("care", "care_arrivals", "care_cover", "care_staff", "care_child")
POSTS = ("care_clock", "care_receive", "care_hand_over", "care_contact", "care_undo")


def args_of(here: SimpleNamespace, name: str) -> list[str]:
    if name == "care_clock":
        return [here.carers[0].code]
    return [here.haru.code] if name not in ("care", "care_arrivals", "care_cover", "care_staff") else []


def test_every_page_opens_for_a_carer(tablet: Client, here: SimpleNamespace) -> None:
    for name in PAGES:
        answer = tablet.get(url(name, *args_of(here, name)))
        assert answer.status_code == 200, name


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CARER])
def test_other_staff_get_403_and_strangers_404(role: Role, here: SimpleNamespace, client: Client) -> None:
    other = make.make_member("役 ひとつ", "one@example.org", hub=here.ekimae, role=role)
    client.force_login(other, backend=BACKEND)
    for name in (*PAGES, *POSTS):
        for path in (url(name, *args_of(here, name)), reverse(name, args=args_of(here, name))):
            for method in (client.get, client.post):
                answer = method(path)
                assert answer.status_code == (404 if role == Role.WORKER else 403), (name, path)
                said = unquote(answer.content.decode()).replace(
                    path, ""
                )  # the address itself is what was asked
                assert here.haru.code not in said


def test_carer_of_the_other_hub_sees_nothing_here(here: SimpleNamespace, client: Client) -> None:
    away = make.make_member("八木 保育", "away@example.org", hub=here.yagi, role=Role.CARER)
    client.force_login(away, backend=BACKEND)
    for name in (*PAGES, *POSTS):
        assert client.get(url(name, *args_of(here, name))).status_code == 404, name
    assert client.get(reverse("care_child", args=[here.haru.code])).status_code == 404
    assert "こどものへやが まだ ありません" in text(client.get(reverse("care")))


def test_wrong_methods_are_405(tablet: Client, here: SimpleNamespace) -> None:
    for name in PAGES:
        assert tablet.post(url(name, *args_of(here, name))).status_code == 405, name
    for name in set(POSTS) - {"care_hand_over"}:
        assert tablet.get(url(name, *args_of(here, name))).status_code == 405, name


def test_signed_out_goes_to_sign_in(here: SimpleNamespace, client: Client) -> None:
    answer = client.get(url("care"))
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")


def test_hub_is_remembered_on_the_device(here: SimpleNamespace, tablet: Client) -> None:
    make.make_room(here.yagi, horizon=False)
    from hub.spaces.models import Membership

    Membership.objects.create(member=here.carer, hub=here.yagi, role=Role.CARER)
    assert "駅前ハブ" in text(tablet.get(reverse("care")))
    tablet.get(url("care", hub="yagi"))
    assert "八木ハブ" in text(tablet.get(reverse("care")))
    assert tablet.get(url("care", room="ZZZZZZZZ")).status_code == 404
    assert tablet.get(url("care", hub="nowhere")).status_code == 404


def test_htmx_gets_the_board_alone(tablet: Client) -> None:
    body = tablet.get(url("care"), headers={"HX-Request": "true"}).content.decode()
    assert body.lstrip().startswith('<div class="board-body" id="board"')


def test_page_asks_itself_anew_without_javascript(tablet: Client) -> None:
    body = tablet.get(url("care")).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in body


FORM = {"temperature": "３６．５℃", "note": "よく ねました"}


def filled(here: SimpleNamespace, **changes: str) -> dict[str, str]:
    return {**FORM, "adult": here.misaki.code, "carer": here.carers[0].code, **changes}


def test_receiving_by_the_page_leads_to_the_board_with_undo(tablet: Client, here: SimpleNamespace) -> None:
    answer = tablet.post(url("care_receive", here.haru.code), filled(here))

    row = Custody.objects.get()
    assert (answer.status_code, row.temperature, row.note) == (303, Decimal("36.5"), "よく ねました")
    page = tablet.get(answer["Location"])
    assert "はるさんを 受け取りました。" in text(page)
    undone = tablet.post(url("care_undo", here.haru.code), {"custody": row.code})
    assert undone.status_code == 303
    assert Custody.objects.exclude(closed_at=None).count() == 1
    assert "受け取りを 取り消しました" in text(tablet.get(undone["Location"]))


def test_undo_is_offered_for_ten_seconds(
    tablet: Client, here: SimpleNamespace, now: time_machine.Traveller
) -> None:
    where = tablet.post(url("care_receive", here.haru.code), filled(here))["Location"]
    now.shift(timedelta(seconds=11))
    assert "取り消す" not in text(tablet.get(where))
    now.shift(timedelta(seconds=30))
    late = tablet.post(url("care_undo", here.haru.code), {"custody": Custody.objects.get().code})
    assert late.status_code == 409
    assert "取り消せるのは すぐ あとだけです" in text(late)
    assert "だれに 渡しますか" in text(late), "by hand it goes on from here"


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"temperature": ""}, 422, "体温を 入れてください"),
        ({"temperature": "あつい"}, 422, "体温は 36.5 のように 入れてください"),
        ({"temperature": "20"}, 422, "体温は 36.5 のように 入れてください"),
        ({"temperature": "37.5"}, 409, "37.5℃からは お預かり できません"),
        ({"adult": ""}, 422, "だれと 来たかを えらんでください"),
        ({"adult": "ZZZZZZZZ"}, 422, "だれと 来たかを えらび直してください"),
        ({"carer": "ZZZZZZZZ"}, 422, "だれが するかを えらび直してください"),
    ],
)
def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(
    changes: dict[str, str], status: int, words: str, tablet: Client, here: SimpleNamespace
) -> None:
    answer = tablet.post(url("care_receive", here.haru.code), filled(here, **changes))

    assert answer.status_code == status
    assert words in text(answer)
    assert "よく ねました" in answer.content.decode()
    assert Custody.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "stored"), [("365", "36.5"), ("36,8", "36.8"), ("37", "37.0"), ("３６．４度", "36.4")]
)
def test_temperature_is_understood(typed: str, stored: str, tablet: Client, here: SimpleNamespace) -> None:
    tablet.post(url("care_receive", here.haru.code), filled(here, temperature=typed))

    assert Custody.objects.get().temperature == Decimal(stored)


def test_short_reception_asks_once_more_and_then_receives(tablet: Client, here: SimpleNamespace) -> None:
    Attendance.objects.filter(carer=here.carers[1]).delete()

    asked = tablet.post(url("care_receive", here.haru.code), filled(here))
    assert asked.status_code == 409
    assert "保育者が 1人 足りなくなります" in text(asked)
    done = tablet.post(url("care_receive", here.haru.code), filled(here, confirm="1"))

    assert done.status_code == 303
    assert Attendance.objects.filter(was_short=True).count() == 1


def test_second_tablet_sees_the_truth(tablet: Client, here: SimpleNamespace) -> None:
    receive(here)

    answer = tablet.post(url("care_receive", here.haru.code), filled(here))

    assert answer.status_code == 409
    assert "もう 受け取ってあります" in text(answer)
    assert "だれに 渡しますか" in text(answer)


def test_handing_over_reads_the_choice_out_and_then_does_it(tablet: Client, here: SimpleNamespace) -> None:
    row = receive(here).custody
    choice = {"adult": here.granny.code, "how": "known", "carer": here.carers[1].code}

    page = tablet.get(url("care_hand_over", here.haru.code, **choice))
    assert "はるさんを 渡しますか" in text(page)
    assert "山田 うめ" in text(page)
    assert Handover.objects.count() == 0
    done = tablet.post(url("care_hand_over", here.haru.code), {**choice, "custody": row.code})

    assert done.status_code == 303
    assert Handover.objects.get().pickup_adult == here.granny
    assert "はるさんを 渡しました（山田 うめ）。" in text(tablet.get(done["Location"]))
    again = tablet.post(url("care_hand_over", here.haru.code), {**choice, "custody": row.code})
    assert again.status_code == 409
    assert "もう 渡してあります" in text(again)


@pytest.mark.parametrize(
    ("left_out", "words"), [("adult", "だれに 渡すかを"), ("how", "どうやって たしかめたかを")]
)
def test_handing_over_asks_for_each_choice(
    left_out: str, words: str, tablet: Client, here: SimpleNamespace
) -> None:
    receive(here)
    choice = {"adult": here.misaki.code, "how": "known", "carer": here.carers[1].code} | {left_out: ""}

    answer = tablet.get(url("care_hand_over", here.haru.code, **choice))

    assert answer.status_code == 422
    assert f"{words} えらんでください" in text(answer)


def test_contact_by_the_page(tablet: Client, here: SimpleNamespace, now: time_machine.Traveller) -> None:
    now.move_to(make.at(9, 50, make.TODAY))
    assert "連絡が ありません" in text(tablet.get(url("care")))

    assert tablet.post(url("care_contact", here.haru.code), {"outcome": ""}).status_code == 422
    assert tablet.post(url("care_contact", here.haru.code), {"outcome": "no_answer"}).status_code == 303

    assert "つながらない 9:50" in text(tablet.get(url("care")))


def test_carers_clock_by_the_page(tablet: Client, here: SimpleNamespace) -> None:
    receive(here)
    path = url("care_clock", here.carers[0].code)

    asked = tablet.post(path, {"what": "break"})
    assert asked.status_code == 409
    assert "保育者が 1人 足りなくなります" in text(asked)
    assert tablet.post(path, {"what": "break", "confirm": "1"}).status_code == 303
    assert tablet.post(path, {"what": "back"}).status_code == 303
    assert tablet.post(path, {"what": "out", "confirm": "1"}).status_code == 303
    assert tablet.post(path, {"what": "in"}).status_code == 303
    assert tablet.post(path, {"what": "dance"}).status_code == 404
    kinds = list(
        Attendance.objects.filter(carer=here.carers[0]).order_by("pk").values_list("kind", "was_short")
    )
    assert kinds == [("work", True), ("break", False), ("work", True), ("work", False)]


def test_empty_room_says_so_and_when_the_first_comes(tablet: Client, here: SimpleNamespace) -> None:
    page = text(tablet.get(url("care")))
    assert "まだ だれも いません" in page
    assert "さいしょは 9:30 に 来ます" in page


def test_cover_holds_no_name(tablet: Client, here: SimpleNamespace) -> None:
    receive(here)
    page = text(tablet.get(url("care_cover")))
    assert not [name for name in ("はる", "ゆい", "みさき") if name in page]
