"""Pages of booking, as a browser without JavaScript meets them; and what htmx asks for."""

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hub.booking import services
from hub.booking.requests import SeatMode
from hub.childcare.enums import ChildStatus, PlaceStatus
from hub.childcare.models import CarePlace, RoomQuarter
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role, VisitSource, VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Membership, Seat, Visit
from tests import factories as make

HTMX = {"HTTP_HX_REQUEST": "true"}
DAY = make.TOMORROW.isoformat()
MORNING = {"hub": "ekimae", "d": DAY, "p": "own", "from": "09:30", "to": "12:30"}


@pytest.fixture(autouse=True)
def _japanese():
    """A request for an English page leaves its language behind in the thread of the test client."""
    with translation.override("ja"):
        yield


def text_of(response):
    """Visible text, white space made one."""
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def heading(response, key="h-av"):
    return re.search(rf'id="{key}">(.*?)</h2>', response.content.decode()).group(1)


def title(response):
    return re.search(r"<title>(.*?)</title>", response.content.decode(), re.S).group(1).strip()


def hidden(response):
    """Hidden fields of the page's forms, as a dict of lists."""
    found = {}
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.content.decode()
    ):
        if name != "csrfmiddlewaretoken":
            found.setdefault(name, []).append(html.unescape(value))
    return found


def book(member, hub, **wish):
    return services.book_visit(actor=member, request=make.request_for(member, hub, **wish)).visit


def fill(cast, count=12):
    """So many one-year-olds of other people from 11 to 13, for two carers and twelve places.

    Twelve: nobody else fits. Eleven: one child more, but not Haru and Yui together.
    """
    for n in range(count):
        other = make.make_member(f"ほか {n}", f"other{n}@demo.example", hub=cast.ekimae)
        child = make.make_child(make.make_household(other), cast.ekimae, 1, name=f"子{n}")
        book(other, cast.ekimae, when=make.period(11, 13), mode=SeatMode.NONE, children=[child])


# ---------------------------------------------------------------- step 1


def test_step_one_opens_on_today_with_what_is_left_of_the_morning(as_, cast):
    page = as_(cast.misaki).get(reverse("book"))

    assert page.status_code == 200
    assert heading(page) == "予約できます"
    assert page.context["a"].day == make.TODAY
    assert page.context["a"].starts.isoformat() == "09:30:00"  # the quarter that runs now may still be booked
    assert [card.child.name for card in page.context["page"].cards] == ["はる", "ゆい"]


EARLY = "お金は かかりません。前の日の 17:00 まで、いつでも やめられます。"
LATE = "来られなくなったら、わかったときに やめてください。お金は かかりません。"


@pytest.mark.parametrize(("day", "said"), [(make.TODAY, LATE), (make.TOMORROW, EARLY)])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_step_one_says_until_when_to_cancel_as_it_is_for_that_day(as_, cast, day, said, headers):
    query = {"hub": "ekimae", "d": day.isoformat(), "p": "own", "from": "13:00", "to": "14:00"}

    page = as_(cast.misaki).get(reverse("book_avail"), query, **headers)

    assert re.search(r'id="until"[^>]*>(.*?)</p>', page.content.decode()).group(1) == said


def test_step_one_for_tomorrow_is_late_after_the_deadline(as_, cast, now):
    now.move_to(make.at(17, 1, make.TODAY))

    page = as_(cast.misaki).get(reverse("book"), MORNING)

    assert page.context["page"].late


def test_step_one_says_free_places_per_zone_and_child(as_, cast):
    book(cast.kenta, cast.ekimae, seat=Seat.objects.get(hub=cast.ekimae, label="A1"))

    page = as_(cast.misaki).get(reverse("book"), MORNING | {"c": [cast.haru.code, cast.yui.code]})

    assert [(zone.slug, free) for zone, free, _s in page.context["page"].zones] == [("quiet", 3), ("talk", 2)]
    assert [(line.child.name, line.word) for line in page.context["page"].lines] == [
        ("はる", "預かれます"),
        ("ゆい", "預かれます"),
    ]
    assert "席も 子どもも 空き" in text_of(page)


def test_full_room_names_the_child_the_limit_and_offers_three_others(as_, cast):
    fill(cast, 11)
    RoomQuarter.objects.update(places=20)

    page = as_(cast.misaki).get(reverse("book"), MORNING | {"c": [cast.haru.code, cast.yui.code]})

    assert heading(page) == "ゆいさんの 預かりが いっぱいです"
    assert "1・2さいは 保育者が 1人 足りません。" in text_of(page)
    assert [(line.child.name, line.word) for line in page.context["page"].lines] == [
        ("はる", "預かれます"),
        ("ゆい", "いっぱい"),
    ]
    assert len(page.context["page"].offers) == 3
    assert [offer.title for offer in page.context["page"].others] == [
        "ゆいだけ 預けて 予約する",
        "はるだけ 預けて 予約する",
    ]
    assert "席をえらぶ" not in text_of(page)


def test_every_offer_of_a_refusal_would_fit(as_, cast):
    fill(cast, 11)
    client = as_(cast.misaki)
    page = client.get(reverse("book"), MORNING | {"c": [cast.haru.code, cast.yui.code]})

    for offer in page.context["page"].offers + page.context["page"].others:
        assert heading(client.get(f"{reverse('book')}?{offer.query}")) == "予約できます"


def test_marks_of_the_days_are_worked_out_for_the_chosen_children(as_, cast):
    fill(cast)
    client = as_(cast.misaki)

    alone = client.get(reverse("book"), MORNING)
    together = client.get(reverse("book"), MORNING | {"c": [cast.yui.code]})

    def mark(page):
        return next(day.state for day in page.context["page"].days if day.date == make.TOMORROW)

    assert (mark(alone), mark(together)) == ("free", "full")


def test_closed_day_gives_its_reason(as_, cast):
    Closure.objects.create(hub=cast.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="床の工事")
    touch(cast.ekimae)

    page = as_(cast.misaki).get(reverse("book"), MORNING)

    assert heading(page) == "この日は お休みです（床の工事）"
    assert "お休み 床の工事" in text_of(page)


def test_beyond_the_horizon_is_not_open_yet(as_, cast):
    far = make.TODAY + timedelta(days=cast.ekimae.horizon_days + 1)

    page = as_(cast.misaki).get(reverse("book"), MORNING | {"d": far.isoformat()})

    assert heading(page) == "この日の 予約は まだ 始まっていません"


def test_calendar_field_wins_only_when_it_was_used(as_, cast):
    client = as_(cast.misaki)
    friday = make.TODAY + timedelta(days=4)

    used = client.get(reverse("book"), MORNING | {"was": DAY, "far": friday.isoformat()})
    left = client.get(reverse("book"), MORNING | {"d": friday.isoformat(), "was": DAY, "far": DAY})

    assert (used.context["a"].day, left.context["a"].day) == (friday, friday)


def test_end_before_start_is_an_error_with_every_answer_kept(as_, cast):
    page = as_(cast.misaki).get(
        reverse("book"), MORNING | {"from": "13:00", "to": "11:00", "c": cast.yui.code}
    )

    assert page.status_code == 422
    assert title(page).startswith("エラー：")
    assert "なおすところが 1つ あります" in text_of(page)
    assert page.context["a"].children == (cast.yui,)
    assert '<a href="#to">終わりの時間を、始まりより あとに してください。</a>' in page.content.decode()


def test_part_of_the_time_outside_the_visit_is_an_error(as_, cast):
    query = MORNING | {"c": cast.yui.code, f"cf-{cast.yui.code}": "08:00", f"ct-{cast.yui.code}": "10:00"}

    page = as_(cast.misaki).get(reverse("book"), query)

    assert page.status_code == 422
    assert '<a href="#kids">' in page.content.decode()


def test_child_without_approval_is_shown_with_the_reason_and_cannot_be_chosen(as_, cast):
    cast.yui.status = ChildStatus.PENDING
    cast.yui.save()

    page = as_(cast.misaki).get(reverse("book"), MORNING)

    assert "登録の 確認を 待っています。" in text_of(page)
    assert re.search(rf'value="{cast.yui.code}"[^>]* disabled', page.content.decode())


def test_chosen_child_without_approval_is_refused_in_words(as_, cast):
    cast.yui.status = ChildStatus.RETURNED
    cast.yui.save()

    page = as_(cast.misaki).get(reverse("book"), MORNING | {"c": cast.yui.code})

    assert heading(page).startswith("ゆいさんは まだ 預けられません")


def test_no_children_offers_to_register(as_, cast):
    page = as_(cast.stranger).get(reverse("book"), {"hub": "ekimae"})

    assert "子どもを 登録する（3分）" in text_of(page)


def test_somebody_elses_child_hub_or_visit_is_not_found(as_, cast):
    theirs = book(cast.misaki, cast.ekimae)
    client = as_(cast.stranger)

    assert client.get(reverse("book"), MORNING | {"c": cast.yui.code}).status_code == 404
    assert client.get(reverse("book"), MORNING | {"hub": "nowhere"}).status_code == 404
    assert client.get(reverse("book"), MORNING | {"visit": theirs.code}).status_code == 404
    assert client.get(reverse("book"), MORNING | {"for": cast.misaki.code}).status_code == 404


@pytest.mark.parametrize("name", ["book", "book_avail", "book_seat", "book_seat_pick", "visits"])
def test_signed_out_goes_to_sign_in_and_back(client, cast, name):
    answer = client.get(reverse(name))

    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == reverse("account_login")
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [reverse(name)]


@pytest.mark.parametrize("name", ["book_avail", "book_seat", "book_seat_pick", "visits"])
def test_reading_pages_take_no_post(as_, cast, name):
    answer = as_(cast.misaki).post(reverse(name))

    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_english_page_speaks_english_addresses(as_, cast):
    page = as_(cast.misaki).get("/en/book/", MORNING)

    assert '<html lang="en">' in page.content.decode()
    assert 'action="/en/book/seat/"' in page.content.decode()
    assert "Ekimae" in text_of(page)


# ---------------------------------------------------------------- step 1 with htmx


def test_fragment_has_the_card_and_the_bar_and_the_address(as_, cast):
    page = as_(cast.misaki).get(reverse("book_avail"), MORNING | {"c": cast.haru.code}, **HTMX)

    body = page.content.decode()
    assert "<html" not in body
    assert body.count('id="avail"') == 1
    assert '<div id="verdict" hx-swap-oob="innerHTML">' in body
    assert page["HX-Replace-Url"] == (
        f"/book/?hub=ekimae&d={DAY}&p=own&from=09%3A30&to=12%3A30&c={cast.haru.code}"
    )
    assert "HX-Request" in page["Vary"]


@pytest.mark.parametrize(("before", "swapped"), [(DAY, "days"), ("2026-12-10", "times")])
def test_fragment_leaves_the_part_that_was_touched(as_, cast, before, swapped):
    here = {"HTTP_HX_CURRENT_URL": f"http://testserver/book/?hub=ekimae&d={before}"}

    body = as_(cast.misaki).get(reverse("book_avail"), MORNING, **HTMX, **here).content.decode()

    assert [key for key in ("days", "times") if f'id="{key}" hx-swap-oob="true"' in body] == [swapped]


def test_start_moved_behind_the_end_takes_the_end_along(as_, cast):
    here = {"HTTP_HX_CURRENT_URL": f"http://testserver/book/?hub=ekimae&d={DAY}&p=own&from=09:30&to=11:30"}

    page = as_(cast.misaki).get(
        reverse("book_avail"), MORNING | {"from": "13:00", "to": "11:30"}, **HTMX, **here
    )

    assert parse_qs(urlsplit(page["HX-Replace-Url"]).query)["to"] == ["15:00"]
    assert 'id="times" hx-swap-oob="true"' in page.content.decode()


def test_fragment_without_htmx_is_the_whole_page(as_, cast):
    page = as_(cast.misaki).get(reverse("book_avail"), MORNING)

    assert page.content.decode().count("<main") == 1


@pytest.mark.parametrize("path", ["book", "book_avail"])
def test_queries_do_not_grow_with_what_is_booked(as_, cast, path):
    client = as_(cast.misaki)
    query = MORNING | {"c": [cast.haru.code, cast.yui.code]}
    client.get(reverse(path), query, **HTMX)  # facts of the hub are read once per revision
    book(cast.kenta, cast.ekimae)

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(path), query, **HTMX).status_code == 200
        return len(queries)

    one = count()
    for n in range(3):
        book(make.make_member(f"人 {n}", f"m{n}@demo.example", hub=cast.ekimae), cast.ekimae)
    # session, person, hubs, children; claims, room quarters, children's claims; roles, open visits, guardians
    assert (one, count()) == (10, 10)


# ---------------------------------------------------------------- step 2 and booking, without JavaScript


def test_whole_booking_by_plain_forms(as_, cast):
    client = as_(cast.misaki)
    first = client.get(reverse("book"), MORNING | {"c": [cast.haru.code, cast.yui.code]})
    assert heading(first) == "予約できます"
    second = client.get(reverse("book_seat"), MORNING | {"c": [cast.haru.code, cast.yui.code]})
    assert second.status_code == 200

    answer = client.post(reverse("book"), hidden(second) | {"seat": "A3"})

    visit = Visit.objects.get(member=cast.misaki)
    assert (answer.status_code, answer["Location"]) == (303, reverse("visit_done", args=[visit.code]))
    assert (visit.seat.label, visit.source) == ("A3", VisitSource.SELF)
    assert (visit.starts_at, visit.ends_at) == (make.at(9, 30), make.at(12, 30))
    assert CarePlace.objects.filter(visit=visit).count() == 2
    done = client.get(answer["Location"])
    assert "<h1>予約できました</h1>" in done.content.decode()
    assert "9:20 に 受付へ どうぞ" in text_of(done)


def test_same_form_twice_books_once(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING)) | {"seat": "A1"}

    first, again = client.post(reverse("book"), form), client.post(reverse("book"), form)

    assert first["Location"] == again["Location"]
    assert Visit.objects.filter(member=cast.misaki).count() == 1


def test_same_key_with_another_seat_is_told_and_gets_a_fresh_form(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING))
    client.post(reverse("book"), form | {"seat": "A1"})

    page = client.post(reverse("book"), form | {"seat": "A2"})

    assert page.status_code == 422
    assert title(page).startswith("エラー：")
    assert hidden(page)["key"] != form["key"]
    assert Visit.objects.filter(member=cast.misaki).count() == 1


def test_child_for_a_part_of_the_time(as_, cast):
    client = as_(cast.misaki)
    query = MORNING | {"c": cast.yui.code, f"cf-{cast.yui.code}": "10:00", f"ct-{cast.yui.code}": "11:00"}

    client.post(reverse("book"), hidden(client.get(reverse("book_seat"), query)) | {"seat": "any"})

    place = CarePlace.objects.get()
    assert (place.starts_at, place.ends_at) == (make.at(10), make.at(11))


@pytest.mark.parametrize(("seat", "zone"), [("any", "quiet"), ("zone:talk", "talk"), ("none", None)])
def test_ways_to_book_without_naming_a_seat(as_, cast, seat, zone):
    client = as_(cast.misaki)

    client.post(reverse("book"), hidden(client.get(reverse("book_seat"), MORNING)) | {"seat": seat})

    visit = Visit.objects.get()
    assert (visit.seat.zone.slug if visit.seat else None) == zone


def test_seat_lost_meanwhile_names_it_and_its_free_neighbours(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING | {"c": cast.yui.code}))
    book(cast.stranger, cast.ekimae, seat=Seat.objects.get(hub=cast.ekimae, label="A2"))

    page = client.post(reverse("book"), form | {"seat": "A2"})

    assert page.status_code == 409
    assert heading(page, "h-no") == "席が 先に うまりました"
    assert [label for label, _about, _action in page.context["seats"]] == ["A1", "A3", "A4"]
    assert Visit.objects.filter(member=cast.misaki).count() == 0
    again = client.post(reverse("book"), hidden(page) | {"seat": "A3"})
    assert again.status_code == 303
    assert CarePlace.objects.get().child == cast.yui


def test_place_lost_meanwhile_gives_the_reason_and_alternatives(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING | {"c": cast.yui.code}))
    fill(cast)

    page = client.post(reverse("book"), form | {"seat": "A2"})

    assert page.status_code == 409
    assert heading(page, "h-no") == "ゆいさんの 預かりが いっぱいです"
    assert "定員 12人まで うまっています。" in text_of(page)
    assert len(page.context["offers"]) == 3
    assert Visit.objects.filter(member=cast.misaki).count() == 0


def test_seat_of_another_hub_is_not_found(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING))

    assert client.post(reverse("book"), form | {"seat": "Z9"}).status_code == 404
    assert Visit.objects.count() == 0


def test_blocked_member_reads_why_on_the_page(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("book_seat"), MORNING))
    Membership.objects.filter(member=cast.misaki).update(status=MembershipStatus.BLOCKED)

    page = client.post(reverse("book"), form | {"seat": "A1"})

    assert page.status_code == 403
    assert heading(page, "h-no") == "いまは 予約を 止めています。ハブに 電話してください"


def test_seat_page_of_a_full_time_goes_back_to_step_one(as_, cast):
    fill(cast)

    answer = as_(cast.misaki).get(reverse("book_seat"), MORNING | {"c": cast.yui.code})

    assert answer.status_code == 303
    assert urlsplit(answer["Location"]).path == reverse("book")


def test_list_and_plan_offer_the_same_seats(as_, cast):
    book(cast.kenta, cast.ekimae, seat=Seat.objects.get(hub=cast.ekimae, label="A1"))
    client = as_(cast.misaki)

    def seats(view):
        body = client.get(reverse("book_seat"), MORNING | {"view": view}).content.decode()
        return re.findall(r'type="radio" name="seat"[^>]* value="([AB]\d)"', body)

    assert seats("map") == seats("list") == ["A2", "A3", "A4", "B1", "B2"]


def test_two_seats_on_one_spot_are_shown_as_a_list(as_, cast):
    Seat.objects.filter(hub=cast.ekimae).update(plan_x=0, plan_y=0)
    touch(cast.ekimae)

    page = as_(cast.misaki).get(reverse("book_seat"), MORNING)

    assert page.context["view"] == "list"


def test_tap_on_a_seat_says_it_in_the_bar(as_, cast):
    page = as_(cast.misaki).get(reverse("book_seat_pick"), MORNING | {"seat": "B2"}, **HTMX)

    assert "B2 で 予約する" in text_of(page)
    assert "話せる席・電源あり" in text_of(page)


# ---------------------------------------------------------------- my visits


def test_list_shows_what_comes_and_what_was(as_, cast):
    coming = book(cast.misaki, cast.ekimae, children=[cast.haru])
    dropped = book(cast.misaki, cast.ekimae, when=make.period(14, 16))
    services.cancel_visit(actor=cast.misaki, code=dropped.code)

    page = as_(cast.misaki).get(reverse("visits"))

    assert [card.visit for card in page.context["upcoming"]] == [coming]
    assert [(card.visit, card.state[1]) for card in page.context["past"]] == [(dropped, "やめました")]


def test_list_queries_do_not_grow(as_, cast):
    client = as_(cast.misaki)
    book(cast.misaki, cast.ekimae, children=[cast.haru])

    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("visits"))
        return len(queries)

    one = count()
    book(cast.misaki, cast.ekimae, when=make.period(13, 14), children=[cast.yui])
    book(cast.misaki, cast.ekimae, when=make.period(14, 15))
    assert count() == one


@pytest.mark.parametrize(
    "name",
    [
        "visit_detail",
        "visit_done",
        "visit_change",
        "visit_extend",
        "visit_leave",
        "visit_cancel",
        "visit_ics",
    ],
)
def test_stranger_finds_no_visit(as_, cast, name):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])

    assert as_(cast.stranger).get(reverse(name, args=[visit.code])).status_code == 404


@pytest.mark.parametrize("name", ["visit_change", "visit_extend", "visit_leave", "visit_cancel"])
def test_stranger_and_other_guardian_change_nothing(as_, cast, name):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])
    form = MORNING | {"from": "13:00", "to": "14:00"}

    assert as_(cast.stranger).post(reverse(name, args=[visit.code]), form).status_code == 404
    assert as_(cast.kenta).post(reverse(name, args=[visit.code]), form).status_code == 404
    visit.refresh_from_db()
    assert (visit.status, visit.ends_at) == (VisitStatus.BOOKED, make.at(12, 30))


def test_other_guardian_reads_the_visit_and_gives_back_the_childs_place(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    client = as_(cast.kenta)
    assert [card.visit for card in client.get(reverse("visits")).context["upcoming"]] == [visit]
    page = client.get(reverse("visit_detail", args=[visit.code]))
    assert "みさきさんの 予約" in text_of(page)
    assert reverse("visit_cancel", args=[visit.code]) + '"' not in page.content.decode()
    url = reverse("visit_cancel_child", args=[visit.code, cast.yui.code])

    answer = client.post(url, hidden(client.get(url)))

    assert answer["Location"] == reverse("visit_done", args=[visit.code]) + "?did=child"
    places = dict(CarePlace.objects.filter(visit=visit).values_list("child__name", "status"))
    assert places == {"はる": PlaceStatus.BOOKED, "ゆい": PlaceStatus.CANCELLED}
    visit.refresh_from_db()
    assert (visit.status, visit.sequence) == (VisitStatus.BOOKED, 1)


def test_stranger_gives_back_nobodys_place(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])

    answer = as_(cast.stranger).post(reverse("visit_cancel_child", args=[visit.code, cast.yui.code]))

    assert answer.status_code == 404
    with pytest.raises(DomainError) as refusal:
        services.cancel_child_place(actor=cast.stranger, code=visit.code, child=cast.yui.code)
    assert refusal.value.code == "visit_unknown"
    assert CarePlace.objects.get().status == PlaceStatus.BOOKED


def test_change_starts_from_the_visit_and_moves_it(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])
    client = as_(cast.misaki)
    start = client.get(reverse("visit_change", args=[visit.code]))
    page = client.get(start["Location"])
    assert heading(page) == "予約できます"
    assert page.context["a"].children == (cast.yui,)
    query = parse_qs(urlsplit(start["Location"]).query)
    second = client.get(reverse("book_seat"), query | {"from": "13:00", "to": "15:00"})

    answer = client.post(reverse("visit_change", args=[visit.code]), hidden(second) | {"seat": "B1"})

    assert answer["Location"] == reverse("visit_done", args=[visit.code]) + "?did=moved"
    visit.refresh_from_db()
    assert (visit.starts_at, visit.ends_at, visit.seat.label) == (make.at(13), make.at(15), "B1")
    assert "<h1>予約を 変えました</h1>" in client.get(answer["Location"]).content.decode()


def test_move_into_a_full_time_keeps_the_old_visit(as_, cast):
    visit = book(cast.misaki, cast.ekimae, when=make.period(8, 10), children=[cast.yui])
    fill(cast)
    form = MORNING | {"c": cast.yui.code, "seat": "any", "key": "k1"}

    page = as_(cast.misaki).post(reverse("visit_change", args=[visit.code]), form)

    assert page.status_code == 409
    assert "いまの 予約は そのまま 残っています。" in text_of(page)
    visit.refresh_from_db()
    assert visit.starts_at == make.at(8)


def test_extend_offers_only_ends_that_fit_and_says_why_not(as_, cast):
    visit = book(cast.misaki, cast.ekimae, seat=Seat.objects.get(hub=cast.ekimae, label="A1"))
    book(cast.kenta, cast.ekimae, when=make.period(13.5, 15), seat=visit.seat)
    client = as_(cast.misaki)

    page = client.get(reverse("visit_extend", args=[visit.code]))
    assert [(f"{one.ends:%H:%M}", one.why) for one in page.context["choices"]] == [
        ("13:00", ""),
        ("13:30", ""),
        ("14:00", "席 A1 は その時間 うまっています。"),
    ]
    answer = client.post(reverse("visit_extend", args=[visit.code]), hidden(page) | {"to": "13:30"})

    assert answer["Location"] == reverse("visit_done", args=[visit.code]) + "?did=extended"
    visit.refresh_from_db()
    assert visit.ends_at == make.at(13, 30)


def test_extend_past_the_neighbour_is_refused_with_the_reason(as_, cast):
    visit = book(cast.misaki, cast.ekimae, seat=Seat.objects.get(hub=cast.ekimae, label="A1"))
    book(cast.kenta, cast.ekimae, when=make.period(13.5, 15), seat=visit.seat)

    page = as_(cast.misaki).post(reverse("visit_extend", args=[visit.code]), {"to": "14:00", "key": "k"})

    assert page.status_code == 409
    assert title(page).startswith("エラー：")
    visit.refresh_from_db()
    assert visit.ends_at == make.at(12, 30)


def test_leaving_early_gives_back_the_rest(as_, cast, now):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])
    now.move_to(make.at(10, 5))
    client = as_(cast.misaki)

    page = client.get(reverse("visit_leave", args=[visit.code]))
    assert [f"{one.ends:%H:%M}" for one in page.context["choices"]] == [
        "10:15",
        "10:30",
        "11:00",
        "11:30",
        "12:00",
    ]
    answer = client.post(reverse("visit_leave", args=[visit.code]), hidden(page) | {"to": "10:30"})

    assert answer["Location"] == reverse("visit_done", args=[visit.code]) + "?did=left"
    visit.refresh_from_db()
    assert visit.ends_at == make.at(10, 30)


def test_new_end_left_out_is_a_422(as_, cast):
    visit = book(cast.misaki, cast.ekimae)

    page = as_(cast.misaki).post(reverse("visit_extend", args=[visit.code]))

    assert page.status_code == 422
    assert "何時までかを えらんでください" in text_of(page)


def test_cancel_says_what_goes_and_that_it_is_free(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui])
    client = as_(cast.misaki)
    page = client.get(reverse("visit_cancel", args=[visit.code]))
    assert "席と はる・ゆいの 預かりが なくなります。 お金は かかりません。" in text_of(page)
    assert "しめきり" not in text_of(page)

    answer = client.post(reverse("visit_cancel", args=[visit.code]), hidden(page))

    assert answer["Location"] == reverse("visit_done", args=[visit.code]) + "?did=cancelled"
    visit.refresh_from_db()
    assert (visit.status, visit.is_late_change) == (VisitStatus.CANCELLED, False)
    assert "<h1>予約を やめました</h1>" in client.get(answer["Location"]).content.decode()


def test_late_cancel_is_possible_and_says_so(as_, cast, now):
    visit = book(cast.misaki, cast.ekimae)
    now.move_to(make.at(17, 30, make.TODAY))
    client = as_(cast.misaki)

    page = client.get(reverse("visit_cancel", args=[visit.code]))
    assert "しめきり（12月7日（月） 17:00）を すぎています" in text_of(page)
    client.post(reverse("visit_cancel", args=[visit.code]), hidden(page))

    visit.refresh_from_db()
    assert (visit.status, visit.is_late_change) == (VisitStatus.CANCELLED, True)


def test_calendar_file_for_the_owner_only(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])

    answer = as_(cast.misaki).get(reverse("visit_ics", args=[visit.code]))

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{visit.code.lower()}.ics"'
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert as_(cast.kenta).get(reverse("visit_ics", args=[visit.code])).status_code == 404


def test_outside_calendar_gets_no_childs_name(as_, cast):
    visit = book(cast.misaki, cast.ekimae, children=[cast.yui])

    page = as_(cast.misaki).get(reverse("visit_done", args=[visit.code]))

    query = parse_qs(urlsplit(page.context["google"]).query)
    assert query["dates"] == ["20261208T003000Z/20261208T033000Z"]
    assert "ゆい" not in str(query)


# ---------------------------------------------------------------- staff book for others


def test_staff_finds_a_caller_and_books_for_her(as_, cast):
    client = as_(cast.door)
    page = client.get(reverse("desk_book", args=["ekimae"]), {"q": "みさき"})
    assert [member for member, _later, _now in page.context["hits"]] == [cast.misaki]
    step = client.get(page.context["hits"][0][1] + f"&d={DAY}&p=own&from=09:30&to=12:30&c={cast.yui.code}")
    assert "山田 みさきさん の 予約を しています。" in text_of(step)
    query = {"for": cast.misaki.code, "c": cast.yui.code} | MORNING

    client.post(reverse("book"), hidden(client.get(reverse("book_seat"), query)) | {"seat": "A1"})

    visit = Visit.objects.get()
    assert (visit.member, visit.booked_by, visit.source) == (cast.misaki, cast.door, VisitSource.STAFF)


def test_walk_in_starts_in_the_quarter_that_runs(as_, cast):
    client = as_(cast.door)

    page = client.get(reverse("book"), {"for": cast.misaki.code, "hub": "ekimae", "src": "walk_in"})
    assert (page.context["a"].day, f"{page.context['a'].starts:%H:%M}") == (make.TODAY, "09:30")
    query = {"for": cast.misaki.code, "hub": "ekimae", "src": "walk_in"}
    client.post(reverse("book"), hidden(client.get(reverse("book_seat"), query)) | {"seat": "any"})

    assert Visit.objects.get().source == VisitSource.WALK_IN


def test_member_without_mail_is_registered_and_booked(as_, cast):
    client = as_(cast.door)

    answer = client.post(
        reverse("desk_new_member", args=["ekimae"]),
        {"name": "木村 はな", "kana": "キムラ ハナ", "phone": "090-1234-5678"},
    )

    hana = Member.objects.get(name="木村 はな")
    assert (hana.email, hana.kana, hana.phone) == (None, "きむら はな", "09012345678")
    assert parse_qs(urlsplit(answer["Location"]).query)["for"] == [hana.code]
    assert heading(client.get(answer["Location"])) == "予約できます"


def test_member_without_name_is_a_422(as_, cast):
    page = as_(cast.door).post(reverse("desk_new_member", args=["ekimae"]), {"phone": "1"})

    assert page.status_code == 422
    assert "なおすところが 3つ あります" in text_of(page)


NEW_MEMBER = {"name": "木村 はな", "kana": "キムラ ハナ", "phone": "090-1234-5678"}


def test_same_form_of_a_new_member_twice_registers_once(as_, cast):
    client, path = as_(cast.door), reverse("desk_new_member", args=["ekimae"])
    form = hidden(client.get(path)) | NEW_MEMBER

    first, second = client.post(path, form), client.post(path, form)

    assert Member.objects.filter(name="木村 はな").count() == 1
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]


def test_same_form_with_another_name_is_told_and_gets_a_fresh_key(as_, cast):
    client, path = as_(cast.door), reverse("desk_new_member", args=["ekimae"])
    form = hidden(client.get(path)) | NEW_MEMBER
    client.post(path, form)

    page = client.post(path, form | {"name": "木村 ゆり"})

    assert page.status_code == 422
    assert hidden(page)["key"] != form["key"]
    assert Member.objects.filter(name__startswith="木村").count() == 1


# ---------------------------------------------------------------- the frame around a page


def frame_of(page):
    """Which menus the page has: the desk's side list, the tabs of the phone; and the current entry of the side list."""
    nav = page.context.get("desk_nav") or []
    body = page.content.decode()
    return 'class="side ' in body, 'class="tabs"' in body, [one["label"] for one in nav if one["current"]]


@pytest.mark.parametrize(
    "name", ["visit_detail", "visit_done", "visit_extend", "visit_leave", "visit_cancel"]
)
def test_visit_has_the_frame_of_the_desk_for_staff_and_tabs_for_her(as_, cast, name):
    visit = book(cast.misaki, cast.ekimae)
    path = reverse(name, args=[visit.code])

    assert frame_of(as_(cast.door).get(path)) == (True, False, ["きょうのハブ"])
    assert frame_of(as_(cast.misaki).get(path)) == (False, True, [])


def test_steps_have_the_frame_of_the_desk_for_a_caller_only(as_, cast):
    Membership.objects.create(
        member=cast.door, hub=cast.ekimae, role=Role.WORKER
    )  # she books for herself too
    client = as_(cast.door)
    query = MORNING | {"for": cast.misaki.code}

    for name in ("book", "book_seat"):
        assert frame_of(client.get(reverse(name), query)) == (True, False, ["予約を 入れる"])
        assert frame_of(client.get(reverse(name), MORNING)) == (False, False, [])


def test_staff_who_cancelled_for_a_caller_may_book_another_day_for_her(as_, cast):
    visit = book(cast.misaki, cast.ekimae)
    services.cancel_visit(actor=cast.door, code=visit.code)

    body = as_(cast.door).get(reverse("visit_done", args=[visit.code])).content.decode()

    assert f'href="/book/?hub=ekimae&amp;for={cast.misaki.code}"' in body


@pytest.mark.parametrize("name", ["desk_book", "desk_new_member"])
@pytest.mark.parametrize(
    ("who", "status"), [("carer", 403), ("misaki", 404), ("yagi_manager", 404), ("manager", 200)]
)
def test_staff_pages_follow_the_table_of_rights(as_, cast, name, who, status):
    assert as_(getattr(cast, who)).get(reverse(name, args=["ekimae"])).status_code == status


def test_search_needs_two_letters(as_, cast):
    page = as_(cast.door).get(reverse("desk_book", args=["ekimae"]), {"q": "山"})

    assert page.context["hits"] == []


# ---------------------------------------------------------------- a hub


def test_hub_page_is_open_to_everybody(client, cast):
    cast.ekimae.address = "見本県 ひだまり市 1-2-3"
    cast.ekimae.save()

    page = client.get(reverse("hub_page", args=["ekimae"]))

    assert "見本県 ひだまり市 1-2-3" in text_of(page)
    assert "月 – 金 8:00 – 18:00" in text_of(page)
    assert client.post(reverse("hub_page", args=["ekimae"])).status_code == 405
    assert client.get(reverse("hub_page", args=["nowhere"])).status_code == 404


def test_book_page_opens_on_a_day_that_still_needs_an_answer(cast, as_):
    """She comes today already; the page asks about tomorrow."""
    services.book_visit(
        actor=cast.misaki,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(13, 16, make.TODAY)),
    )

    response = as_(cast.misaki).get("/book/")

    assert response.context["a"].day == make.TOMORROW


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-30", "0001-01-01"])
@pytest.mark.parametrize("page", ["book", "book_avail", "book_seat"])
def test_day_at_an_end_of_the_calendar_is_taken_as_none(cast, as_, page, day):
    client = as_(cast.misaki)

    known, odd = (client.get(reverse(page), query) for query in ({}, {"d": day}))

    assert odd.status_code == known.status_code
    assert odd.headers.get("Location") == known.headers.get("Location")


def test_avail_with_a_current_url_that_is_none(cast, as_):
    odd = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://["}

    answer = as_(cast.misaki).get(reverse("book_avail"), MORNING, **odd)

    assert (answer.status_code, "HX-Replace-Url" in answer.headers) == (200, True)


@pytest.mark.parametrize("code", ["%00", "A%00"])
def test_visit_code_with_a_nul_is_unknown(cast, as_, code):
    assert as_(cast.misaki).get(f"/visits/{code}/").status_code == 404


# ---------------------------------------------------------------- who may not book at all


@pytest.mark.parametrize("name", ["book", "series_new"])
def test_who_only_works_at_the_door_reads_so_before_the_form(as_, cast, name):
    page = as_(cast.door).get(reverse(name))

    body = page.content.decode()
    assert (page.status_code, page.templates[0].name) == (200, "booking/no_booking.html")
    assert "予約には 登録が いります" in text_of(page)
    assert "<form" not in body.partition("<main")[2].partition("</main>")[0]
    links = ("/me/hub/", "/desk/ekimae/book/", "tel:0000000000")
    assert [f'href="{link}"' in body for link in links] == [True] * 3


def test_who_works_and_may_not_book_for_others_is_led_to_the_hub_alone(as_, cast):
    body = as_(cast.carer).get(reverse("book")).content.decode()

    assert ("/desk/ekimae/book/" in body, 'href="tel:0000000000"' in body) == (False, True)


def test_blocked_worker_reads_why_before_the_form(as_, cast):
    Membership.objects.filter(member=cast.misaki).update(status="blocked", reason="わけ")

    page = as_(cast.misaki).get(reverse("book"))

    assert "いまは 予約を 止めています。ハブに 電話してください" in text_of(page)
    assert "/me/hub/" not in page.content.decode()


def test_who_is_blocked_at_one_hub_alone_sees_the_form_with_the_other_hubs(as_, cast):
    Membership.objects.filter(member=cast.misaki).update(status="blocked", reason="わけ")
    Membership.objects.create(member=cast.misaki, hub=cast.yagi, role="worker")

    assert as_(cast.misaki).get(reverse("book"), {"hub": "ekimae"}).templates[0].name == "booking/book.html"


def test_door_that_books_for_others_and_a_worker_who_also_works_see_the_form(as_, cast):
    Membership.objects.create(member=cast.plaza, hub=cast.yagi, role="worker")
    client = as_(cast.door)

    for asked in ({"for": cast.misaki.code, "hub": "ekimae"}, None):
        page = (client if asked else as_(cast.plaza)).get(reverse("book"), asked or {})
        assert page.templates[0].name == "booking/book.html"
