"""The pass page: whose it is, which state it shows, and that a QR stands there only while it opens the door."""

import html
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.booking import services
from hub.checkin import tokens
from hub.checkin.enums import PresenceKind
from hub.checkin.models import Pass, Presence
from hub.core import qr
from hub.core.db import run_write
from hub.spaces import arrivals
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Membership, Visit
from tests import factories as make

OVER = "使えません"


@pytest.fixture(autouse=True)
def _japanese() -> Any:
    with translation.override("ja"):
        yield


def text_of(response: Any) -> str:
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def book(
    cast: Any, start: float, end: float, day: Any = make.TODAY, who: str = "misaki", **wish: Any
) -> Visit:
    member = getattr(cast, who)
    request = make.request_for(member, wish.pop("hub", cast.ekimae), make.period(start, end, day), **wish)
    return services.book_visit(actor=member, request=request).visit


def comes(cast: Any, visit: Visit, at: Any) -> Presence:
    """As the door writes it."""
    run_write(lambda: arrivals.arrive(visit, at))
    return Presence.objects.create(
        hub=visit.hub,
        member=visit.member,
        kind=PresenceKind.WORKER,
        visit=visit,
        entered_at=at,
        entered_by=cast.door,
    )


def shown_token(page: Any) -> str:
    """What the drawn QR says: the path is the one of the token that the context holds."""
    token: str = page.context["p"].token
    assert f'd="{qr.square(token).path}"' in page.content.decode()
    return token


def test_pass_of_todays_visit(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12, children=[cast.haru, cast.yui])
    page = as_(cast.misaki).get("/pass/")
    row = Pass.objects.get()
    text = text_of(page)
    assert tokens.read(shown_token(page)) == tokens.Claim("ekimae", cast.misaki.code, make.TODAY, row.pass_id)
    assert f"{row.fallback[:3]}-{row.fallback[3:]}" in text
    assert "きょう 12月7日（月） 10:00 – 12:00 予約ずみ" in text
    assert visit.seat is not None
    assert f"ハブ 駅前ハブ 席 {visit.seat.label} 子ども はる（4さい児） ・ ゆい（1さい児）" in text
    assert OVER not in text


def test_code_is_drawn_with_a_quiet_zone_of_four_modules(as_: Any, cast: Any) -> None:
    book(cast, 10, 12)
    body = as_(cast.misaki).get("/pass/").content.decode()
    assert 'width="49" height="49" viewBox="-4 -4 49 49"' in body  # version 6: 41 modules
    assert 'd="M-4-4h49v49H-4z"' in body


def test_pass_stays_the_same_all_day(as_: Any, cast: Any) -> None:
    book(cast, 10, 12)
    client = as_(cast.misaki)
    first, second = client.get("/pass/"), client.get("/pass/")
    assert shown_token(first) == shown_token(second)
    assert Pass.objects.count() == 1


def test_nearest_visit_is_shown_and_the_other_one_named(as_: Any, cast: Any, now: Any) -> None:
    morning, evening = book(cast, 10, 11), book(cast, 15, 16)
    client = as_(cast.misaki)
    page = client.get("/pass/")
    assert page.context["card"].visit == morning
    assert reverse("pass_visit", args=[evening.code]) in page.content.decode()
    now.move_to(make.at(11, 5, make.TODAY))
    assert client.get("/pass/").context["card"].visit == evening


def test_pass_of_a_later_day_says_which_day_it_holds(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12, make.TOMORROW)
    page = as_(cast.misaki).get(reverse("pass_visit", args=[visit.code]))
    assert tokens.read(shown_token(page)).day == make.TOMORROW
    assert "この QR は 12月8日（火） に 使えます" in text_of(page)


def test_without_a_visit_the_hubs_pass_and_the_next_date(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12, make.TOMORROW)
    page = as_(cast.misaki).get("/pass/")
    text = text_of(page)
    assert tokens.read(shown_token(page)).day == make.TODAY
    assert "きょうの予約は ありません" in text
    assert "つぎの 予約は 12月8日（火） 10:00 です" in text
    assert reverse("pass_visit", args=[visit.code]) in page.content.decode()


@pytest.mark.parametrize(
    ("who", "slug"), [("door", "ekimae"), ("stranger", "yagi"), ("yagi_manager", "yagi")]
)
def test_staff_and_people_without_booking_have_the_pass_of_their_hub(
    as_: Any, cast: Any, who: str, slug: str
) -> None:
    page = as_(getattr(cast, who)).get("/pass/")
    assert tokens.read(shown_token(page)).hub == slug


def test_pass_of_another_hub_for_somebody_who_just_drops_in(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    assert "/pass/?hub=yagi" in client.get("/pass/").content.decode()
    assert tokens.read(shown_token(client.get("/pass/?hub=yagi"))).hub == "yagi"


@pytest.mark.parametrize("slug", ["nowhere", "closed"])
def test_hub_that_is_not_there_has_no_pass(as_: Any, cast: Any, slug: str) -> None:
    make.make_hub("closed")
    Hub.objects.filter(slug="closed").update(is_open=False)
    assert as_(cast.misaki).get(f"/pass/?hub={slug}").status_code == 404
    assert Pass.objects.count() == 0


def test_nobody_has_a_hub_at_all(as_: Any, cast: Any) -> None:
    Membership.objects.filter(member=cast.misaki).delete()
    Hub.objects.update(is_open=False)
    assert "QR は まだ ありません" in text_of(as_(cast.misaki).get("/pass/"))


def test_cancelled_visit_has_no_qr(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12)
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    page = as_(cast.misaki).get(reverse("pass_visit", args=[visit.code]))
    text = text_of(page)
    assert f"{OVER} やめました" in text
    assert "読めないときは" not in text
    assert Pass.objects.count() == 0


def test_visit_that_is_over_has_no_qr(as_: Any, cast: Any, now: Any) -> None:
    visit = book(cast, 10, 11)
    now.move_to(make.at(11, 0, make.TODAY))
    page = as_(cast.misaki).get(reverse("pass_visit", args=[visit.code]))
    assert f"{OVER} 終わりました" in text_of(page)
    assert page.headers.get("X-Keep") is None


def test_inside_the_pass_is_for_leaving_too_also_after_the_end(as_: Any, cast: Any, now: Any) -> None:
    visit = book(cast, 10, 11)
    comes(cast, visit, make.at(9, 58, make.TODAY))
    client = as_(cast.misaki)
    now.move_to(make.at(10, 30, make.TODAY))
    assert "帰るときも この QR を 見せてください" in text_of(client.get("/pass/"))
    now.move_to(make.at(11, 30, make.TODAY))
    page = client.get("/pass/")
    assert "いま 中にいます" in text_of(page)
    assert tokens.read(shown_token(page)).member == cast.misaki.code


def test_staff_inside_see_the_pass_of_where_they_are(as_: Any, cast: Any) -> None:
    Presence.objects.create(
        hub=cast.yagi, member=cast.door, kind=PresenceKind.STAFF, entered_at=make.NOW, entered_by=cast.door
    )
    page = as_(cast.door).get("/pass/")
    assert tokens.read(shown_token(page)).hub == "yagi"
    assert "いま 中にいます" in text_of(page)


def test_visit_put_away_while_she_is_inside_still_lets_her_out(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 11)
    comes(cast, visit, make.NOW)
    Visit.objects.filter(pk=visit.pk).update(status=VisitStatus.DONE)
    page = as_(cast.misaki).get("/pass/")
    assert tokens.read(shown_token(page)).hub == "ekimae"


def test_other_guardian_has_no_pass_of_this_visit(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12, children=[cast.haru])
    assert as_(cast.kenta).get(reverse("pass_visit", args=[visit.code])).status_code == 404
    assert as_(cast.manager).get(reverse("pass_visit", args=[visit.code])).status_code == 404
    assert Pass.objects.count() == 0


@pytest.mark.parametrize(("path", "status"), [("/pass/", 405), ("/pass/AAAAAAAAAA/", 404)])
def test_pass_takes_no_post_and_no_stranger(client: Any, as_: Any, cast: Any, path: str, status: int) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")
    assert as_(cast.misaki).post(path).status_code == status


def test_english_pass(as_: Any, cast: Any) -> None:
    book(cast, 10, 12)
    text = text_of(as_(cast.misaki).get("/en/pass/"))
    assert "Show this at the door" in text
    assert "Today Mon 7 Dec 10:00 – 12:00 Booked" in text


def test_swapped_part_is_the_card_alone(as_: Any, cast: Any) -> None:
    book(cast, 10, 12)
    page = as_(cast.misaki).get("/pass/", headers={"HX-Request": "true"})
    assert page.content.decode().lstrip().startswith('<div id="pass"')
    assert "HX-Request" in page.headers["Vary"]


def test_copy_may_be_kept_until_midnight_by_its_owner(as_: Any, cast: Any) -> None:
    book(cast, 10, 12)
    page = as_(cast.misaki).get("/pass/")
    assert page.headers["X-Keep"] == str((24 - 9) * 3600 - 40 * 60)
    assert page.headers["Cache-Control"] == "no-store"
    assert len(page.headers["X-Who"]) == 16
    assert page.headers["X-Who"] != as_(cast.kenta).get("/pass/").headers["X-Who"]


@pytest.mark.parametrize("children", [0, 2])
def test_pass_queries(as_: Any, cast: Any, children: int) -> None:
    book(cast, 10, 12, children=[cast.haru, cast.yui][:children])
    client = as_(cast.misaki)
    client.get("/pass/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/pass/")
    # session, person; inside, visits, their children, today's pass
    assert len(queries) == 6


def test_own_pass_takes_no_post(as_: Any, cast: Any) -> None:
    visit = book(cast, 10, 12)
    assert as_(cast.misaki).post(reverse("pass_visit", args=[visit.code])).status_code == 405
