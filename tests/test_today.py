"""The front page for strangers, and きょう for members."""

import html
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.booking import services
from hub.checkin.enums import PresenceKind
from hub.checkin.models import Presence
from hub.childcare.enums import ChildStatus
from hub.childcare.models import CarePlace, Carer, Custody, Handover
from hub.core.db import run_write
from hub.spaces import arrivals
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit
from tests import factories as make


@pytest.fixture(autouse=True)
def _japanese():
    """A request for an English page leaves its language behind in the thread of the test client."""
    with translation.override("ja"):
        yield


def text_of(response):
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def book(member, hub, start, end, day=make.TODAY, **wish):
    request = make.request_for(member, hub, make.period(start, end, day), **wish)
    return services.book_visit(actor=member, request=request).visit


def test_front_page_says_free_and_what_is_free_now(client, cast):
    book(cast.misaki, cast.ekimae, 9.5, 12)

    page = client.get("/")

    assert page.status_code == 200
    assert "ぜんぶ 無料です。" in text_of(page)
    assert "5 / 6 空き" in text_of(page)
    assert "これは デモです" not in text_of(page)
    assert reverse("account_login") in page.content.decode()


def test_front_page_of_a_closed_hub_says_when_it_opens(client, cast, now):
    now.move_to(make.at(20, 0, make.TODAY))

    page = client.get("/")

    assert "つぎは 12月8日（火） 8:00 に 開きます。" in text_of(page)
    assert [one.open_now for one, _hours in page.context["hubs"]] == [False, False]


def test_front_page_of_the_demo_shows_the_sign_in(client, cast, settings):
    settings.HIDAMARI_DEMO = True

    page = client.get("/")

    assert "これは デモです" in text_of(page)
    assert settings.DEMO_PASSWORD in text_of(page)


def test_front_page_takes_no_post(client, cast):
    assert client.post("/").status_code == 405


def test_english_front_page(client, cast):
    page = client.get("/en/")

    assert '<html lang="en">' in page.content.decode()
    assert "Ekimae" in text_of(page)


def test_nobody_is_shown_other_peoples_day(client, cast):
    book(cast.misaki, cast.ekimae, 10, 12, children=[cast.yui])

    assert "ゆい" not in text_of(client.get("/"))


def test_today_without_a_visit_says_how_many_seats_are_free(as_, cast):
    book(cast.kenta, cast.ekimae, 9.5, 12)

    page = as_(cast.misaki).get("/")

    assert "おはようございます、 みさきさん" in text_of(page)
    assert "きょうの予約は ありません" in text_of(page)
    assert "いま 駅前ハブは 5席 空いています。" in text_of(page)


def test_today_shows_the_visit_with_seat_children_and_reception(as_, cast):
    visit = book(cast.misaki, cast.ekimae, 10, 12, children=[cast.haru, cast.yui])

    page = as_(cast.misaki).get("/")

    text = text_of(page)
    assert page.context["first"].visit == visit
    assert "きょうの予約 駅前ハブ" in text
    assert "9:50 に 子どもの受付へ どうぞ" in text
    assert visit.seat.label in text
    assert "つぎの予定" not in text


def test_today_in_progress_offers_longer_and_shorter(as_, cast, now):
    visit = book(cast.misaki, cast.ekimae, 10, 12)
    now.move_to(make.at(10, 30, make.TODAY))

    page = as_(cast.misaki).get("/")

    assert "いま 中にいます" not in text_of(page)
    assert "12:00 まで" in text_of(page)
    assert reverse("visit_extend", args=[visit.code]) in page.content.decode()
    Visit.objects.filter(pk=visit.pk).update(arrived_at=make.at(10, 0, make.TODAY), status=VisitStatus.IN)
    assert "いま 中にいます" in text_of(as_(cast.misaki).get("/"))


def test_today_lists_what_comes_next_and_the_other_guardians_visit(as_, cast):
    mine = book(cast.misaki, cast.ekimae, 10, 12, day=make.TOMORROW)
    his = book(cast.kenta, cast.ekimae, 14, 16, day=make.TOMORROW, children=[cast.haru])

    page = as_(cast.misaki).get("/")

    assert [card.visit for card in page.context["next"]] == [mine, his]
    assert f"けんたさんの 予約・駅前ハブ・席 {his.seat.label}・はる" in text_of(page)


def test_today_tells_of_children_that_wait(as_, cast):
    cast.yui.status, cast.yui.return_reason = ChildStatus.RETURNED, "ふりがなを なおしてください"
    cast.yui.save()

    text = text_of(as_(cast.misaki).get("/"))

    assert "ゆいさんの 登録に なおす ところが あります ふりがなを なおしてください" in text


@pytest.mark.parametrize(("who", "count"), [("manager", 1), ("misaki", 0)])
def test_staff_find_their_desk(as_, cast, who, count):
    assert len(as_(getattr(cast, who)).get("/").context["desks"]) == count


def test_today_queries_do_not_grow(as_, cast):
    client = as_(cast.misaki)
    book(cast.misaki, cast.ekimae, 10, 11, children=[cast.haru])
    client.get("/")

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        return len(queries)

    one = count()
    book(cast.misaki, cast.ekimae, 11, 12, children=[cast.yui])
    book(cast.misaki, cast.ekimae, 13, 14)
    # session, person; home hub, households, visits, their children; inside, my children, their care; my roles; notices
    assert (one, count()) == (12, 12)


# ---------------------------------------------------------------- after the door


@pytest.fixture
def inside(cast, now):
    """Misaki came at 10:00 with both children; it is 10:30."""
    visit = book(cast.misaki, cast.ekimae, 10, 12, children=[cast.haru, cast.yui])
    run_write(lambda: arrivals.arrive(visit, make.at(10, 0, make.TODAY)))
    Presence.objects.create(
        hub=cast.ekimae, member=cast.misaki, kind=PresenceKind.WORKER, visit=visit, entered_at=make.at(10, 0, make.TODAY),
        entered_by=cast.door,
    )  # fmt: skip
    now.move_to(make.at(10, 30, make.TODAY))
    return visit


def receive(cast, child):
    place = CarePlace.objects.get(child=child)
    return Custody.objects.create(
        place=place, child=child, room=place.room, age_class=1, received_at=make.at(10, 5, make.TODAY),
        received_by=Carer.objects.first(), recorded_by=cast.carer, brought_by=cast.misaki, temperature=Decimal("36.5"),
    )  # fmt: skip


def hand_over(cast, custody, at):
    """As the carers' board writes it: the row of the hand-over, then the custody that names it."""

    def work():
        row = Handover.objects.create(
            custody=custody, handed_at=at, carer=custody.received_by, recorded_by=cast.carer, guardian=cast.kenta,
            identified_by="known",
        )  # fmt: skip
        Custody.objects.filter(pk=custody.pk).update(closed_at=at, handover=row)

    run_write(work)


def test_today_inside_says_until_when_and_where_the_children_are(as_, cast, inside):
    receive(cast, cast.haru)

    text = text_of(as_(cast.misaki).get("/"))

    assert "いま 中にいます 駅前ハブ 12:00 まで" in text
    assert "はる さんは こどものへやに います（ 10:05 から）" in text
    assert "ゆい さんは まだ 受け取っていません" in text
    assert "QR を 見せて 帰る" in text
    assert "延ばす 早く 帰る" in text


def test_today_says_when_a_child_was_picked_up(as_, cast, inside):
    hand_over(cast, receive(cast, cast.haru), make.at(10, 20, make.TODAY))

    assert "はる さんは お迎え ずみ（ 10:20 ）" in text_of(as_(cast.misaki).get("/"))


def test_today_of_the_other_guardian_shows_the_children_too(as_, cast, inside):
    receive(cast, cast.haru)

    text = text_of(as_(cast.kenta).get("/"))

    assert "子どもの いまの ようす はる さんは こどものへやに います（ 10:05 から）" in text
    assert "いま 中にいます" not in text.partition("つぎの予定")[0]


def test_today_of_another_family_says_nothing_of_them(as_, cast, inside):
    receive(cast, cast.haru)

    assert "はる" not in text_of(as_(cast.stranger).get("/"))


def test_today_outside_for_a_while_offers_to_come_back_or_give_back(as_, cast, inside):
    run_write(lambda: arrivals.leave(inside, make.at(10, 25, make.TODAY)))
    Presence.objects.update(left_at=make.at(10, 25, make.TODAY), ended_as="out")

    page = as_(cast.misaki).get("/")

    text = text_of(page)
    assert "いま 外に います" in text
    assert "もどる ときも QR を 見せてください" in text
    assert "のこりの 時間を 返す" in text
    assert reverse("visit_leave", args=[inside.code]) in page.content.decode()


def test_today_of_staff_inside_without_a_visit(as_, cast):
    Presence.objects.create(
        hub=cast.yagi, member=cast.door, kind=PresenceKind.STAFF, entered_at=make.at(9, 5, make.TODAY),
        entered_by=cast.door,
    )  # fmt: skip

    text = text_of(as_(cast.door).get("/"))

    assert "いま 中にいます 八木ハブ 9:05 に 来ました" in text
    assert "きょうの予約は ありません" not in text


def test_today_listens_to_its_own_group_and_fetches_the_part_that_changed(as_, cast, inside):
    client = as_(cast.misaki)
    body = client.get("/").content.decode()
    assert f'data-live="me.{cast.misaki.code}"' in body
    assert f'hx-get="{reverse("today_now")}"' in body

    part = client.get(reverse("today_now"), headers={"HX-Request": "true"})

    assert part.content.decode().lstrip().startswith('<div id="now"')
    assert "いま 中にいます" in text_of(part)
    assert "X-Keep" not in part.headers


def test_part_of_today_alone_leads_to_the_page_and_to_the_entrance(client, as_, cast):
    lost = client.get(reverse("today_now"), headers={"HX-Request": "true"})
    assert lost.headers["HX-Redirect"].startswith("/accounts/login/")
    assert as_(cast.misaki).get(reverse("today_now")).headers["Location"] == "/"


def test_today_inside_queries_do_not_grow_with_the_children(as_, cast, inside):
    client = as_(cast.misaki)
    client.get("/")

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        return len(queries)

    one = count()
    receive(cast, cast.haru)
    receive(cast, cast.yui)
    # as above, and the custodies of the places
    assert (one, count()) == (13, 13)


@pytest.mark.parametrize("who", ["door", "carer", "plaza", "director", "manager", "town"])
def test_way_to_the_hub_s_work_leads_to_a_page_that_opens(who, as_, cast):
    client = as_(getattr(cast, who))
    ((_hub, url),) = client.get("/").context["desks"]

    assert client.get(url).status_code == 200
