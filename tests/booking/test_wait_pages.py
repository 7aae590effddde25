"""Pages and calls of the waiting list: the whole way without JavaScript, and each state named."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.booking import no_show, services, waiting
from hub.booking.models import Offer, WaitEntry
from hub.members.models import Member
from hub.members.tokens import new_token
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit
from tests import factories as make
from tests.booking.test_waiting import book, full, join, offered

__all__ = ["full"]  # the fixture

ASK = {"hub": "ekimae", "d": make.TOMORROW.isoformat(), "p": "own", "from": "09:00", "to": "12:00"}


def text(answer) -> str:  # type: ignore[no-untyped-def]
    return answer.content.decode()


# ---------------------------------------------------------------- asking


def test_full_page_leads_to_the_line_after_the_alternatives(full, as_):
    body = text(as_(full.misaki).get(reverse("book"), ASK))

    assert body.index("空いている時間") < body.index("空いたら 知らせてもらう") < body.index("ほかの方法")
    assert "キャンセル待ち" not in body


@pytest.mark.parametrize(
    "more", [{"from": "13:00", "to": "16:00"}, {"from": "06:00", "to": "09:00"}, {"d": "2027-06-01"}]
)
def test_page_that_is_not_full_has_no_line(full, as_, more):
    assert "空いたら 知らせてもらう" not in text(as_(full.misaki).get(reverse("book"), ASK | more))


def test_choosing_shows_hours_and_places(full, as_):
    body = text(as_(full.misaki).get(reverse("wait"), ASK | {"c": full.yui.code}))

    assert [
        word in body for word in ("この時間だけ", "この日なら いつでも", "どの席でも", "しずかな席", "ゆい")
    ] == [True] * 5


def test_form_joins_once_and_confirms_with_the_place(full, as_):
    client = as_(full.misaki)
    join(full.others[0], full.ekimae)
    form = ASK | {"c": full.yui.code, "window": "exact", "where": "quiet", "key": "k"}
    first, again = client.post(reverse("wait"), form), client.post(reverse("wait"), form)
    entry = WaitEntry.objects.get(member=full.misaki)
    body = text(client.get(first["Location"]))

    assert (first.status_code, first["Location"]) == (303, f"/waiting/{entry.code}/?did=joined")
    assert again["Location"] == first["Location"]
    assert (entry.zone.slug, [row.child for row in entry.children.all()]) == ("quiet", [full.yui])  # type: ignore[union-attr]
    assert [
        word in body for word in ("空いたら 知らせます", "あなたの 前に 1人 います", "申しこんだ 順です")
    ] == [True] * 3


def test_form_with_tolerance_waits_for_the_day(full, as_):
    book(full.others[1], full.ekimae, make.period(12, 18))  # from 8 to 9 an hour is free, three are not
    as_(full.misaki).post(reverse("wait"), ASK | {"window": "day", "where": "any"})
    entry = WaitEntry.objects.get()

    assert (entry.window, entry.minutes) == (make.period(8, 18), 180)


def test_what_is_free_now_is_offered_for_booking(full, as_):
    answer = as_(full.misaki).post(reverse("wait"), ASK | {"from": "13:00", "to": "15:00", "window": "exact"})

    assert answer.status_code == 409
    assert "いま 空いています" in text(answer)
    assert "from=13%3A00" in text(answer)
    assert WaitEntry.objects.count() == 0


def test_second_time_says_so_and_keeps_the_choice(full, as_):
    client = as_(full.misaki)
    form = ASK | {"window": "exact", "where": "quiet"}
    client.post(reverse("wait"), form)
    answer = client.post(reverse("wait"), form)

    assert (answer.status_code, "この時間は もう 待っています" in text(answer)) == (409, True)
    assert 'value="quiet" checked' in text(answer)


def test_staff_wait_for_a_caller(full, as_):
    answer = as_(full.door).post(reverse("wait"), ASK | {"for": full.misaki.code, "window": "exact"})
    entry = WaitEntry.objects.get()

    assert (entry.member, entry.asked_by) == (full.misaki, full.door)
    assert as_(full.door).get(answer["Location"]).status_code == 200


# ---------------------------------------------------------------- my list


def test_empty_list_says_how(full, as_):
    assert "待っている 予約は ありません" in text(as_(full.misaki).get(reverse("waits")))


def test_list_shows_place_and_why_and_what_ended(full, as_):
    entry = join(full.misaki, full.ekimae)
    gone = join(full.misaki, full.ekimae, make.period(9, 11))
    waiting.leave(actor=full.misaki, code=gone.code)
    body = text(as_(full.misaki).get(reverse("waits")))

    assert [
        word in body
        for word in ("1人の 中の 1番め", "この週に ほかの 予約が ないので", "待つのを やめました")
    ] == [True] * 3
    assert f"/waiting/{entry.code}/" in body


def test_leaving_by_the_button(full, as_):
    entry = join(full.misaki, full.ekimae)
    answer = as_(full.misaki).post(reverse("wait_leave", args=[entry.code]))

    assert answer["Location"] == f"/waiting/{entry.code}/"
    assert WaitEntry.objects.get().state == "left"


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_list_costs_the_same_with_three_entries_of_a_day(full, as_):
    client = as_(full.misaki)
    join(full.misaki, full.ekimae, children=[full.yui])
    queries(client, reverse("waits"))
    one = queries(client, reverse("waits"))
    join(full.misaki, full.ekimae, make.period(9, 11), children=[full.haru])
    join(full.misaki, full.ekimae, make.period(10, 12))

    assert (one, queries(client, reverse("waits"))) == (one, one)
    assert one <= 16


# ---------------------------------------------------------------- an offer


def test_today_shows_the_offer_on_top_and_its_fragment_too(full, as_):
    offer = offered(full, children=[full.yui])
    client = as_(full.misaki)
    for body in (
        text(client.get("/")),
        text(client.get(reverse("today_now"), headers={"HX-Request": "true"})),
    ):
        assert body.index("席が 空きました。行けますか") < body.index("きょうの予約は ありません")
        assert f"/offers/{offer.code}/accept/" in body
        assert "10:40" in body
        assert "ゆいの 預かりも" in body
        assert "live:offer from:body" in body


def test_accepting_by_the_button_leads_to_the_confirmation(full, as_):
    offer = offered(full)
    client = as_(full.misaki)
    answer = client.post(reverse("offer_accept", args=[offer.code]), {"key": "k"})

    assert answer["Location"] == f"/visits/{offer.visit.code}/done/"
    assert client.get(answer["Location"]).status_code == 200
    assert "席が 空きました。行けますか" not in text(client.get("/"))


def test_declining_by_the_button(full, as_):
    offer = offered(full)
    client = as_(full.misaki)
    answer = client.post(reverse("offer_decline", args=[offer.code]))

    assert answer["Location"] == f"/offers/{offer.code}/"
    assert "席は つぎの人に 回りました" in text(client.get(answer["Location"]))
    assert offer.visit.code not in text(
        client.get(reverse("visits"))
    )  # an answered offer is no visit of hers


def test_expired_offer_says_so_with_other_times(full, as_, now):
    offer = offered(full)
    join(full.others[0], full.ekimae)
    now.shift(3600)
    client = as_(full.misaki)
    assert "返事の 時間が すぎました" in text(client.get(reverse("offer", args=[offer.code])))
    answer = client.post(reverse("offer_accept", args=[offer.code]))

    assert answer.status_code == 409
    assert "返事の 時間が すぎました。席は つぎの人に 回りました" in text(answer)
    assert "空いている時間" in text(answer)


def test_offered_visit_leads_to_its_question(full, as_):
    offer = offered(full)
    answer = as_(full.misaki).get(reverse("visit_detail", args=[offer.visit.code]))

    assert answer["Location"] == f"/offers/{offer.code}/"


# ---------------------------------------------------------------- on her way?


@pytest.fixture
def late(full, now) -> Visit:
    """Kenta's visit began twenty minutes ago, and his phone asks."""
    now.move_to(make.at(9, 20))
    no_show.ask_missing(full.ekimae)
    return full.held


def test_today_asks_and_keeps_by_one_tap(full, late, as_):
    client = as_(full.kenta)
    body = text(client.get("/"))
    assert ("席を 20分 とっておきました。行けますか" in body, "9:30" in body) == (True, True)
    answer = client.post(reverse("visit_coming", args=[late.code]))

    assert answer["Location"] == "/"
    assert "席を とってあります" in text(client.get("/"))


def test_not_coming_cancels_in_one_tap(full, late, as_):
    answer = as_(full.kenta).post(reverse("visit_not_coming", args=[late.code]))

    assert answer["Location"] == f"/visits/{late.code}/done/?did=cancelled"
    assert Visit.objects.get(pk=late.pk).status == VisitStatus.CANCELLED


def test_answer_too_late_says_what_became_of_it(full, late, as_, now):
    now.move_to(make.at(9, 31))
    no_show.release_missing(full.ekimae)
    answer = as_(full.kenta).post(reverse("visit_coming", args=[late.code]))

    assert (answer.status_code, "席を つぎの人に ゆずりました" in text(answer)) == (409, True)


def test_me_and_the_manager_see_what_was_missed_until_it_is_waived(full, late, as_, now):
    now.move_to(make.at(9, 31))
    no_show.release_missing(full.ekimae)
    assert "来なかった 予約が 1件" in text(as_(full.kenta).get(reverse("me")))
    manager = as_(full.manager)
    person = reverse("desk_person", args=["ekimae", full.kenta.code])
    assert "来なかった 予約 1件" in text(manager.get(person))
    path = reverse("desk_waive", args=["ekimae", full.kenta.code, late.code])
    assert manager.post(path, {"reason": ""}).status_code == 422
    assert manager.post(path, {"reason": "電車が 止まった"})["Location"] == person
    assert "来なかった 予約" not in text(manager.get(person))
    assert "来なかった 予約" not in text(as_(full.kenta).get(reverse("me")))


# ---------------------------------------------------------------- the desk


def test_desk_shows_the_line_without_a_childs_name(full, as_):
    book(full.others[0], full.ekimae, make.period(13, 15))
    join(full.others[0], full.ekimae)
    join(full.misaki, full.ekimae, children=[full.yui])
    body = text(as_(full.plaza).get(reverse("desk_waiting", args=["ekimae"])))

    assert body.index("山田 みさき") < body.index("ほか 0")
    assert ("子ども 1人" in body, "ゆい" in body) == (True, False)


def test_desk_of_a_day_for_which_nobody_waits(full, as_):
    body = text(as_(full.manager).get(reverse("desk_waiting", args=["ekimae"]), {"d": "2026-12-24"}))

    assert "12月24日（木）を 待っている人は いません。" in body


def test_desk_costs_the_same_with_three(full, as_):
    client = as_(full.manager)
    path = reverse("desk_waiting", args=["ekimae"])
    join(full.others[0], full.ekimae, children=[full.kids[0]])
    queries(client, path)
    one = queries(client, path)
    for n in (1, 2):
        join(full.others[n], full.ekimae, children=[full.kids[n]])

    assert (one, queries(client, path)) == (one, one)


def test_settings_of_the_line_are_on_the_desk(full, as_):
    client, path = as_(full.manager), reverse("desk_settings", args=["ekimae"])
    form = {
        "horizon_days": 42, "page_step": 30, "max_visit_minutes": 600, "max_open_visits": 20, "change_deadline": "17:00",
        "wait_order": "with_children,no_visit", "offer_minutes": 30, "offer_cutoff": 90, "grace_minutes": 15,
    }  # fmt: skip
    assert client.post(path, form).status_code == 302
    hub = Hub.objects.get(pk=full.ekimae.pk)

    assert (hub.wait_order, hub.offer_minutes, hub.offer_cutoff) == ("with_children,no_visit", 30, 90)
    assert (hub.grace_minutes, hub.releases_missed) == (15, False)
    assert client.post(path, form | {"offer_cutoff": 10}).status_code == 422


# ---------------------------------------------------------------- the desk answers for a caller


STAFF_WHO_ANSWER = ["door", "plaza", "manager"]


def test_desk_leads_from_the_line_to_the_offer(full, as_):
    offer = offered(full)
    second = join(full.others[0], full.ekimae)
    body = text(as_(full.plaza).get(reverse("desk_waiting", args=["ekimae"])))

    assert body.count("代わりに 返事を する") == 1
    assert f'href="{reverse("offer", args=[offer.code])}"' in body
    assert second.code not in body


@pytest.mark.parametrize("who", STAFF_WHO_ANSWER)
def test_staff_accept_for_a_caller(full, as_, who):
    offer, client = offered(full, children=[full.yui]), as_(getattr(full, who))
    page = text(client.get(reverse("offer", args=[offer.code])))
    assert "<b>山田 みさきさん</b>の 代わりに 返事を します。" in page

    answer = client.post(reverse("offer_accept", args=[offer.code]), {"key": "k"})

    visit = Visit.objects.get(pk=offer.visit_id)
    assert (answer["Location"], visit.status) == (f"/visits/{visit.code}/done/", VisitStatus.BOOKED)
    assert client.get(answer["Location"]).status_code == 200
    assert (visit.member, WaitEntry.objects.get().state) == (full.misaki, "booked")


@pytest.mark.parametrize("who", STAFF_WHO_ANSWER)
def test_staff_decline_for_a_caller_and_the_next_is_asked(full, as_, who):
    offer, second = offered(full), join(full.others[0], full.ekimae)
    client = as_(getattr(full, who))

    answer = client.post(reverse("offer_decline", args=[offer.code]))

    assert "もどる" in text(client.get(answer["Location"]))
    assert (Offer.objects.get(pk=offer.pk).state, Offer.objects.get(entry=second).state) == (
        "declined",
        "open",
    )


@pytest.mark.parametrize("who", ["stranger", "kenta", "yagi_manager", "carer", "director", "town"])
def test_nobody_else_finds_or_answers_the_offer(full, as_, who):
    offer, client = offered(full), as_(getattr(full, who))
    asked = [
        client.get(reverse("offer", args=[offer.code])),
        client.post(reverse("offer_accept", args=[offer.code])),
        client.post(reverse("offer_decline", args=[offer.code])),
    ]

    assert [answer.status_code for answer in asked] == [404] * 3
    assert Offer.objects.get().state == "open"


def test_offer_that_is_over_shows_staff_other_times_for_her(full, as_, now):
    offer = offered(full)
    now.shift(3600)

    answer = as_(full.door).post(reverse("offer_accept", args=[offer.code]))

    assert answer.status_code == 409
    assert {one.query.partition("&for=")[2] for one in answer.context["offers"]} == {full.misaki.code}
    assert f'href="/book/?hub=ekimae&amp;for={full.misaki.code}"' in text(answer)


# ---------------------------------------------------------------- the API


def call(member: Member, method: str, path: str, body: dict[str, object] | None = None, **headers: str):  # type: ignore[no-untyped-def]
    client = Client(headers={"Authorization": f"Bearer {new_token(member, 'test')[1]}", **headers})
    data = json.dumps(body) if body is not None else ""
    answer = getattr(client, method)(f"/api/v1{path}", data, content_type="application/json")
    return answer.status_code, answer.json()


def wish(full: SimpleNamespace, **more: object) -> dict[str, object]:
    return {"hub": "ekimae", "starts_at": make.at(9).isoformat(), "ends_at": make.at(12).isoformat(), **more}


def test_api_joins_lists_and_leaves(full):
    status, made = call(
        full.misaki, "post", "/waiting", wish(full, children=[full.yui.code]), **{"Idempotency-Key": "k"}
    )
    again, same = call(
        full.misaki, "post", "/waiting", wish(full, children=[full.yui.code]), **{"Idempotency-Key": "k"}
    )
    _status, page = call(full.misaki, "get", "/waiting")

    assert (status, again, same["code"]) == (201, 200, made["code"])
    assert (made["place"], made["waiting"], made["minutes"], made["offer"]) == (1, 1, 180, None)
    assert [row["code"] for row in page["items"]] == [made["code"]]
    assert call(full.misaki, "get", f"/waiting/{made['code']}")[1]["children"] == [full.yui.code]
    assert call(full.misaki, "delete", f"/waiting/{made['code']}")[1]["state"] == "left"
    assert call(full.stranger, "delete", f"/waiting/{made['code']}")[0] == 404


def test_api_refuses_what_fits_now(full):
    status, answer = call(
        full.misaki, "post", "/waiting", wish(full) | {"ends_at": make.at(15).isoformat(), "minutes": 120}
    )

    assert (status, answer["code"]) == (409, "fits_now")
    assert (
        answer["alternatives"][0]["starts_at"].startswith("2026-12-08T12:00") or answer["alternatives"] != []
    )


def test_api_accepts_and_declines(full):
    offer = offered(full)
    _status, page = call(full.misaki, "get", "/waiting")
    shown = page["items"][0]["offer"]
    assert (shown["code"], shown["seat"], shown["state"]) == (offer.code, "A1", "open")

    status, visit = call(full.misaki, "post", f"/offers/{offer.code}/accept", **{"Idempotency-Key": "a"})
    assert (status, visit["status"], visit["code"]) == (200, "booked", offer.visit.code)
    assert call(full.misaki, "post", f"/offers/{offer.code}/decline")[1]["code"] == "offer_accepted"
    assert call(full.stranger, "post", f"/offers/{offer.code}/accept")[0] == 404


def test_api_says_expired_with_alternatives(full, now):
    offer = offered(full)
    now.shift(3600)
    status, answer = call(full.misaki, "post", f"/offers/{offer.code}/accept")

    assert (status, answer["code"]) == (409, "offer_expired")
    assert answer["alternatives"] != []
    assert Offer.objects.get().state == "expired"


def test_api_moves_no_offered_visit(full):
    offer = offered(full)
    status, answer = call(
        full.misaki, "patch", f"/visits/{offer.visit.code}", {"ends_at": make.at(11).isoformat()}
    )

    assert (status, answer["code"]) == (409, "offer_open")


def test_old_visits_do_not_matter_to_the_class_of_another_week(full):
    services.book_visit(
        actor=full.misaki,
        request=make.request_for(
            full.misaki, full.ekimae, make.period(9, 11, make.TODAY + timedelta(days=7))
        ),
    )
    join(full.misaki, full.ekimae)
    (standing,) = waiting.line_of(full.ekimae, make.TOMORROW)

    assert standing.classes == (waiting.Priority.NO_VISIT,)
