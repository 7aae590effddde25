"""配る and しごと, as a browser without JavaScript meets them."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.booking import services
from hub.spaces.enums import Role
from hub.work import handing, returning, yields
from hub.work.models import Assignment, HandOut, Lease, Lot, OfferedHours, Order, Unit, WorkRates
from tests import factories as make
from tests.booking.test_pages import text_of
from tests.work import hands, work

pytestmark = pytest.mark.django_db


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


@pytest.fixture
def order(cast: SimpleNamespace) -> Order:
    return work.accepted_order(cast)


def open_claims(cast: SimpleNamespace, order: Order, most: int = 4) -> None:
    handing.set_claims(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=1, most_per_claim=most
    )


def share_form(client: Any, order: Order, **query: str) -> dict[str, str]:
    """The form of the proposal as the page shows it."""
    context = client.get(at("desk_hand_share", order.code), {"lot": "1"} | query).context
    found = context["found"]
    numbers = {f"n_{code}": str(count) for code, count in found.lines.items()}
    return {
        "lot": "1", "units": str(found.total), "cap": query.get("cap", ""), "seen": found.digest, "key": context["key"],
        "reason": "", **numbers,
    }  # fmt: skip


# ---------------------------------------------------------------- the director


def test_from_the_order_to_offers_on_the_board(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    client = as_(cast.director)
    first, second = hands.workers(cast.ekimae, 2)
    assert at("desk_hand", order.code) in client.get(at("desk_order", order.code)).content.decode()
    board = text_of(client.get(at("desk_hand", order.code)))
    assert "1月29日（金） 18:00 までに 送ってもらいます。" in board
    assert "まだ だれにも 頼んでいません。" in board

    shown = client.get(at("desk_hand_share", order.code), {"lot": "1", "units": "９", "cap": ""})
    assert "2人で 同じ数ずつ 4件です。 あまりから 1件 たしました。" in text_of(shown)
    assert "出してもらった 時間に いま 空きが ありません。" in text_of(shown)  # Misaki and Kenta offered none
    form = share_form(client, order)
    sent = client.post(at("desk_hand_share", order.code), form)
    assert sent.headers["Location"] == at("desk_hand", order.code)
    board = text_of(client.get(at("desk_hand", order.code)))

    assert "2人に 10件を 頼みました。" in board
    assert "返事は 12月9日（水） 9:40 まで" in board
    assert sorted(Assignment.objects.values_list("member_id", "unit_count")) == sorted(
        [(first.pk, 5), (second.pk, 5)]
    )


def test_changed_number_asks_for_a_reason_and_keeps_what_was_typed(
    as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    client = as_(cast.director)
    one = hands.workers(cast.ekimae, 1)[0]
    form = share_form(client, order) | {f"n_{one.code}": "７"}
    answer = client.post(at("desk_hand_share", order.code), form)

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["reason"])
    assert answer.context["form"][f"n_{one.code}"].value() == "７"
    client.post(at("desk_hand_share", order.code), form | {"reason": "少しずつ"})
    assert Assignment.objects.get().unit_count == 7
    assert "変えた わけ：少しずつ" in text_of(client.get(at("desk_hand", order.code)))


def test_what_changed_meanwhile_is_shown_anew(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    client = as_(cast.director)
    one = hands.workers(cast.ekimae, 1)[0]
    form = share_form(client, order)
    hands.ask(cast, order, cast.misaki, 4)
    answer = client.post(at("desk_hand_share", order.code), form)

    assert answer.status_code == 409
    assert "のこりが 6件に なりました。" in text_of(answer)
    assert answer.context["form"][f"n_{one.code}"].value() == 6
    assert HandOut.objects.filter(how="allocated").count() == 0


def test_shape_of_the_form_is_checked(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    client = as_(cast.director)
    one = hands.workers(cast.ekimae, 1)[0]
    wrong = client.get(at("desk_hand_share", order.code), {"lot": "9", "units": "x"})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["lot", "units"])
    form = share_form(client, order) | {f"n_{one.code}": "たくさん"}
    wrong = client.post(at("desk_hand_share", order.code), form)
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, [f"n_{one.code}"])


def test_chosen_people_are_asked_with_a_remark_above_their_level(as_: Any, cast: SimpleNamespace) -> None:
    client, order = as_(cast.director), work.accepted_order(cast, level=2)
    page = at("desk_hand_invite", order.code, 1)
    assert "いまの レベルは「はじめてでも できる」です。しごとは「なれた人」です。" in text_of(
        client.get(page)
    )
    line = {f"n_{cast.misaki.code}": "3"}
    assert client.post(page, line).status_code == 422
    assert client.post(page, line | {"reason": "うまい"}).headers["Location"] == at("desk_hand", order.code)
    assert "えらんで 頼みました。 いまの レベルは" in text_of(client.get(at("desk_hand", order.code)))


def test_claims_are_opened_and_closed(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    client = as_(cast.director)
    for typed, kept in (("５", 0), ("5", 5), ("0", 0)):
        client.post(at("desk_hand_claims", order.code, 1), {"most": typed})
        assert Lot.objects.get(order=order).most_per_claim == kept


def test_offer_that_was_let_go_leaves_nothing_on_the_board(
    as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    handing.answer(member=one, code=offered.code, yes=False)
    board = text_of(as_(cast.director).get(at("desk_hand", order.code)))

    assert one.name not in board
    assert "受けませんでした" not in board


def test_board_says_nothing_of_an_illness(as_: Any, cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, deadline=make.TOMORROW)
    mine = hands.ask(cast, order, cast.misaki, 3)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    returning.child_sick(child="x", member=cast.misaki.code, first="2026-12-07", last="2026-12-07")
    board = text_of(as_(cast.director).get(at("desk_hand", order.code)))

    assert "おわりました" in board
    assert "病気" not in board


def test_empty_states_say_why(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.director)
    draft = work.make_order(cast)
    assert "まだ 受けていない 受注は 配れません。" in text_of(client.get(at("desk_hand", draft.code)))
    order = work.accepted_order(cast, client=work.make_client(cast, "二つめ"))
    shown = text_of(client.get(at("desk_hand_share", order.code), {"lot": "1"}))
    assert "時間を 出している人が いません。" in shown
    Order.objects.filter(pk=order.pk).update(is_confidential=True)
    assert "機密の しごとです。" in text_of(client.get(at("desk_hand", order.code)))
    Order.objects.filter(pk=order.pk).update(is_confidential=False)
    Unit.objects.update(state="accepted")
    assert "いま 配れる しごとは ありません。" in text_of(client.get(at("desk_hand", order.code)))


def test_board_asks_the_same_number_of_questions_whatever_its_size(as_: Any, cast: SimpleNamespace) -> None:
    client, counts = as_(cast.director), []
    client.get(at("desk_hand", work.accepted_order(cast).code))
    for units, people in ((3, 3), (300, 30)):
        order = work.accepted_order(cast, client=work.make_client(cast, f"店{units}"), units=units)
        hands.workers(cast.ekimae, people, first=units)
        hands.share(cast, order)
        for one in Assignment.objects.filter(lot__order=order):
            handing.answer(member=one.member, code=one.code, yes=True)
        counts.append(queries(client, at("desk_hand", order.code)))

    assert counts[0] == counts[1]
    assert counts[0] <= 24


def test_share_page_asks_the_same_number_of_questions_whatever_its_size(
    as_: Any, cast: SimpleNamespace
) -> None:
    client, counts = as_(cast.director), []
    client.get(at("desk_hand", work.accepted_order(cast).code))
    for units, people in ((3, 3), (300, 30)):
        order = work.accepted_order(cast, client=work.make_client(cast, f"店{units}"), units=units)
        hands.workers(cast.ekimae, people, first=units)
        counts.append(queries(client, f"{at('desk_hand_share', order.code)}?lot=1"))

    assert counts[0] == counts[1]
    assert counts[0] <= 26


PAGES = ["desk_hand", "desk_hand_share", "desk_hand_invite", "desk_hand_claims"]


@pytest.mark.parametrize("name", PAGES)
def test_director_of_another_hub_finds_nothing(
    name: str, as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    other = make.make_member("よその 人", "other@work.example", hub=cast.yagi, role=Role.DIRECTOR)
    lot = [1] if name.endswith(("invite", "claims")) else []
    client = as_(other)
    for method in (client.get, client.post):
        assert method(at(name, order.code, *lot)).status_code == 404
        assert method(reverse(name, args=["yagi", order.code, *lot])).status_code in (404, 405)


@pytest.mark.parametrize(("name", "method"), [("desk_hand", "post"), ("desk_hand_claims", "get")])
def test_wrong_method(name: str, method: str, as_: Any, cast: SimpleNamespace, order: Order) -> None:
    lot = [1] if name.endswith("claims") else []
    assert getattr(as_(cast.director), method)(at(name, order.code, *lot)).status_code == 405


# ---------------------------------------------------------------- the worker


def test_nothing_to_do_says_so(as_: Any, cast: SimpleNamespace) -> None:
    shown = text_of(as_(cast.misaki).get(reverse("jobs")))

    assert "いま 頼める しごとは ありません。出たら 知らせます" in shown
    assert "文章を 書く はじめてでも できる" in shown


def test_offer_shows_everything_before_the_answer_and_its_notice_after(
    as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    offered = hands.ask(cast, order, cast.misaki, 3)
    client, page = as_(cast.misaki), reverse("job_offer", args=[offered.code])
    shown = text_of(client.get(reverse("jobs")))
    assert "店の 紹介文を 書く 3件" in shown
    assert "1件 15分・1件 195円" in shown
    assert "1時間で およそ 780円 くらべる 時給 1,100円より 少ないです。" in shown
    assert "金額 585円" in text_of(client.get(page))
    assert "もとの クライアント 見本商店（ハブが 受けた しごとの 再委託です）" in text_of(client.get(page))
    assert client.get(reverse("job_notice", args=[offered.code])).status_code == 404

    sent = client.post(reverse("job_answer", args=[offered.code]), {"answer": "yes"})
    assert sent.headers["Location"] == page
    assert "受けました。条件を 書類に しました。" in text_of(client.get(page))
    text = client.get(reverse("job_notice", args=[offered.code]))
    assert text.headers["Content-Disposition"] == f'attachment; filename="notice-{offered.code}.txt"'
    lines = text.content.decode().splitlines()
    assert "いつまでに 送る: 2027-01-29 18:00" in lines
    assert "しはらいの 日: 2027-02-25" in lines
    assert "クライアントが はらう日: 2027-02-26" in lines
    shown = text_of(client.get(reverse("jobs")))
    assert "あと 3件 ・1件 15分・1件 195円" in shown
    again = client.post(reverse("job_answer", args=[offered.code]), {"answer": "yes"})
    assert (again.status_code, "もう 返事を もらっています。" in text_of(again)) == (409, True)


def test_no_leads_back_without_a_word_why(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    offered = hands.ask(cast, order, cast.misaki, 3)
    client = as_(cast.misaki)
    sent = client.post(reverse("job_answer", args=[offered.code]), {"answer": "no"})

    assert sent.headers["Location"] == reverse("jobs")
    assert "いま 頼める しごとは ありません" in text_of(client.get(reverse("jobs")))
    assert "この おねがいは もう ありません。" in text_of(
        client.get(reverse("job_offer", args=[offered.code]))
    )


def test_work_is_handed_back_by_its_page(as_: Any, cast: SimpleNamespace, order: Order) -> None:
    mine = hands.ask(cast, order, cast.misaki, 3)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    client, page = as_(cast.misaki), reverse("job_hand_back", args=[mine.code])
    assert "まだの 3件を ハブに もどします。 わけは 聞きません。" in text_of(client.get(page))
    client.post(page)

    assert (Lease.objects.count(), client.post(page).status_code) == (0, 409)


def test_lot_is_taken_by_its_page_with_as_many_as_are_left(
    as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    open_claims(cast, order)
    client, page = as_(cast.misaki), reverse("job_take", args=[order.code, 1])
    assert "のこり 10件・1件 15分・1件 195円・1時間で およそ 780円" in text_of(client.get(reverse("jobs")))
    assert client.post(page, {"count": "5"}).status_code == 422
    hands.ask(cast, order, cast.kenta, 8)
    Lot.objects.update(most_per_claim=2)
    sent = client.post(page, {"count": "２", "key": "x"}, follow=True)

    assert "2件 とりました。" in text_of(sent)
    assert Assignment.objects.get(member=cast.misaki).unit_count == 2
    assert client.get(page).status_code == 404  # nothing is left


def test_fewer_than_asked_are_said_to_be_fewer(
    as_: Any, cast: SimpleNamespace, order: Order, monkeypatch: Any
) -> None:
    """Somebody was quicker between the page and the tap."""
    open_claims(cast, order)
    from hub.work import leases

    real = leases.free_units
    monkeypatch.setattr(leases, "free_units", lambda lot, count: real(lot, 1))
    sent = as_(cast.misaki).post(reverse("job_take", args=[order.code, 1]), {"count": "3"}, follow=True)

    assert "1件 とりました。 のこりが 少なかったので、たのんだ 数より 少ないです。" in text_of(sent)


def test_work_above_her_level_is_seen_with_what_opens_it(as_: Any, cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, level=2)
    open_claims(cast, order)
    client, page = as_(cast.misaki), reverse("job_take", args=[order.code, 1])
    sentence = "「なれた人」の レベルが ひらくと とれます。"
    assert f"{sentence} しごと配りの 人に きいてください。" in text_of(client.get(reverse("jobs")))
    assert page not in client.get(reverse("jobs")).content.decode()
    assert sentence in text_of(client.get(page))
    answer = client.post(page, {"count": "1"})
    assert (answer.status_code, Lease.objects.count()) == (403, 0)

    course = work.accepted_order(cast, client=work.make_client(cast, "講座"), title="書きかた 講座")
    open_claims(cast, course)
    Lot.objects.filter(order=course).update(opens_level=2, course_units=6)
    assert f"{sentence} 「書きかた 講座」で 6件 合格すると ひらきます。" in text_of(
        client.get(reverse("jobs"))
    )


def test_what_fits_into_today_s_visit(as_: Any, cast: SimpleNamespace) -> None:
    """9:40, a visit from 13:00 to 14:30: 90 minutes, six units of 15, or three of 30; 100 minutes fit nothing."""
    visit = services.book_visit(
        actor=cast.misaki,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(13, 14.5, make.TODAY)),
    ).visit
    for name, minutes, count in (("短い", 15, 10), ("中くらい", 30, 2), ("長い", 100, 1)):
        order = work.accepted_order(
            cast, client=work.make_client(cast, name), title=name, minutes_per_unit=minutes
        )
        mine = hands.ask(cast, order, cast.misaki, count)
        handing.answer(member=cast.misaki, code=mine.code, yes=True)
    client = as_(cast.misaki)
    shown = text_of(client.get(reverse("jobs")))

    assert "14:30 までに できる しごと" in shown
    fits = client.get(reverse("jobs")).context["jobs"].fits
    assert [(fit.order.title, fit.count) for fit in fits] == [("短い", 6), ("中くらい", 2)]
    type(visit).objects.filter(pk=visit.pk).update(status="cancelled")
    assert "までに できる しごと" not in text_of(client.get(reverse("jobs")))


def test_visit_that_runs_counts_from_now(cast: SimpleNamespace, now: Any) -> None:
    from hub.work import jobs

    services.book_visit(
        actor=cast.misaki,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(13, 14.5, make.TODAY)),
    )
    mine = hands.ask(cast, work.accepted_order(cast), cast.misaki, 10)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    now.move_to(make.at(14, day=make.TODAY))

    assert [fit.count for fit in jobs.jobs_of(cast.misaki).fits] == [2]


def test_hours_are_kept_by_the_page_and_wrong_ones_come_back(as_: Any, cast: SimpleNamespace) -> None:
    client, page = as_(cast.misaki), reverse("job_hours", args=["ekimae"])
    wrong = client.post(page, {"hours": "61"})
    assert (wrong.status_code, OfferedHours.objects.count()) == (422, 0)
    assert client.post(page, {"hours": "１０"}).headers["Location"] == f"{reverse('jobs')}#hours"
    assert OfferedHours.objects.get().minutes_a_week == 600
    assert client.post(reverse("job_hours", args=["yagi"]), {"hours": "1"}).status_code == 404


def test_offers_of_a_hub_where_she_works_no_more_are_not_shown(
    as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    hands.ask(cast, order, cast.misaki, 3)
    cast.misaki.memberships.update(status="ended")

    assert "いま 頼める しごとは ありません" in text_of(as_(cast.misaki).get(reverse("jobs")))


def test_jobs_ask_the_same_number_of_questions_whatever_their_number(as_: Any, cast: SimpleNamespace) -> None:
    client, counts = as_(cast.misaki), []
    for n in range(3):
        order = work.accepted_order(cast, client=work.make_client(cast, f"店{n}"), units=20)
        open_claims(cast, order)
        hands.ask(cast, order, cast.misaki, 2)
        handing.answer(member=cast.misaki, code=hands.ask(cast, order, cast.misaki, 2).code, yes=True)
        handing.claim(member=cast.misaki, lot=order.lots.get(), count=1)
        client.get(reverse("jobs"))
        counts.append(queries(client, reverse("jobs")))

    assert counts[0] == counts[2]
    assert counts[0] <= 20


@pytest.mark.parametrize(
    ("name", "method"), [("job_answer", "get"), ("job_offer", "post"), ("job_notice", "post")]
)
def test_wrong_method_of_the_worker(
    name: str, method: str, as_: Any, cast: SimpleNamespace, order: Order
) -> None:
    offered = hands.ask(cast, order, cast.misaki, 3)
    assert getattr(as_(cast.misaki), method)(reverse(name, args=[offered.code])).status_code == 405


def test_tabs_lead_to_jobs_and_my_bookings_are_one_tap_away(as_: Any, cast: SimpleNamespace) -> None:
    client = as_(cast.misaki)
    tabs = client.get(reverse("jobs")).content.decode().partition('<nav class="tabs"')[2]
    assert f'href="{reverse("jobs")}" aria-current="page"' in tabs
    assert f'href="{reverse("visits")}"' not in tabs
    for name in ("today", "book"):
        assert f'href="{reverse("visits")}"' in client.get(reverse(name)).content.decode()


# ---------------------------------------------------------------- yen per hour


@pytest.mark.parametrize(("wage", "low"), [(780, False), (781, True)])
def test_warning_at_one_yen_below_the_reference(wage: int, low: bool, order: Order) -> None:
    WorkRates.objects.update(reference_wage_yen=wage)
    found = yields.yield_of(order)

    assert (found.hour_yen, found.is_low) == (780, low)


def test_measured_time_counts_from_five_units_on(cast: SimpleNamespace, order: Order) -> None:
    mine = hands.ask(cast, order, cast.misaki, 9)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    for seconds in (300, 600, 700, 900):
        hands.send(mine, 1, seconds=seconds)
    hands.send(mine, 1)  # she did not let this one be measured
    assert yields.yield_of(order) == yields.Yield(195, 900, 0, 1100)
    hands.send(mine, 1, seconds=1000)

    found = yields.yield_of(order)
    assert (found.unit_seconds, found.measured, found.hour_yen, found.minutes) == (700, 5, 1002, 12)


def test_rate_that_rose_counts_from_then_on(cast: SimpleNamespace, order: Order) -> None:
    from hub.work import orders

    orders.raise_price(actor=cast.director, hub=cast.ekimae, code=order.code, price_yen=400, reason="多く")

    assert yields.yield_of(order).unit_yen == 260
