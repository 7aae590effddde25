"""Pages of a usual week, as a browser without JavaScript meets them."""

from datetime import date, time, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from icalendar import Calendar

from hub import tick
from hub.booking import services, week, week_plan
from hub.booking.models import WaitEntry
from hub.booking.models_week import DateState, Series, SeriesDate
from hub.booking.week_plan import Choices
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.spaces.enums import MembershipStatus, VisitSource
from hub.spaces.facts import touch
from hub.spaces.models import Membership, Seat, Visit
from tests import factories as make
from tests import oracle
from tests.booking.test_pages import hidden, text_of
from tests.booking.usual import holiday, pattern, states

TUE, THU = make.TOMORROW, make.TOMORROW + timedelta(days=2)
ASKED = {
    "hub": "ekimae", "wd": ["1", "3"], "f1": "09:30", "t1": "12:30", "f3": "13:00", "t3": "16:00",
    "first": "2026-12-08", "last": "2026-12-21",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _japanese():
    with translation.override("ja"):
        yield


def confirm(cast, **change):
    return week.confirm(member=cast.misaki, pattern=pattern(cast.misaki, cast.ekimae, **change)).series


def count(client, path, data=None):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path, data or {}).status_code == 200
    return len(queries)


# ---------------------------------------------------------------- step 1


def test_pattern_page_proposes_four_weeks_from_tomorrow(as_, cast):
    page = as_(cast.misaki).get(reverse("series_new"))

    answers = page.context["a"]
    assert (answers.first, answers.last) == (TUE, date(2027, 1, 4))
    assert [day.weekday for day in answers.days] == [0, 1, 2, 3, 4]
    assert [child.name for child in answers.family] == ["はる", "ゆい"]
    assert "何曜日に 来ますか" in text_of(page)


def test_pattern_from_a_visit_is_filled_in(as_, cast):
    talk = cast.ekimae.zones.get(slug="talk")
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(10, 15), zone=talk, children=[cast.yui])
    visit = services.book_visit(actor=cast.misaki, request=wish).visit

    answers = as_(cast.misaki).get(reverse("series_new"), {"visit": visit.code}).context["a"]

    chosen = [(day.weekday, day.starts, day.ends) for day in answers.days if day.chosen]
    assert chosen == [(1, time(10), time(15))]
    assert (answers.children, answers.zone, answers.first) == ((cast.yui,), "talk", TUE + timedelta(days=7))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wd": []}, "来る曜日を えらんでください"),
        ({"last": "2026-12-01"}, "終わりの日を、始まりの日より あとに してください"),
        ({"last": "2027-03-09"}, "いつもの 1週間は 13週間さきまでです"),
        ({"first": "2026-12-06"}, "始まりの日は、きょうか これからの日に してください"),
        ({"t1": "09:00"}, "終わりの時間を、始まりより あとに してください"),
        ({"f1": "09:40"}, "時間は 15分きざみで えらんでください"),
    ],
)
def test_pattern_that_makes_no_sense_comes_back_with_its_answers(as_, cast, change, said):
    client = as_(cast.misaki)
    for page in (
        client.get(reverse("series_preview"), ASKED | change),
        client.post(reverse("series_post"), ASKED | change),
    ):
        assert page.status_code == 422
        assert said in text_of(page)
        assert page.context["a"].hub.slug == "ekimae"
    assert Series.objects.count() == 0


@pytest.mark.parametrize(
    "change", [{"hub": "nowhere"}, {"zone": "nowhere"}, {"c": "ZZZZZZZZ"}, {"visit": "ZZZZZZZZ"}]
)
@pytest.mark.parametrize("name", ["series_preview", "series_post"])
def test_things_that_are_not_there_are_not_found(as_, cast, name, change):
    client = as_(cast.misaki)
    ask = client.post if name == "series_post" else client.get

    assert ask(reverse(name), ASKED | change).status_code == 404


def test_visit_and_child_of_somebody_else_are_not_found(as_, cast):
    wish = make.request_for(cast.misaki, cast.ekimae)
    visit = services.book_visit(actor=cast.misaki, request=wish).visit
    client = as_(cast.stranger)

    for change in ({"visit": visit.code}, {"c": cast.yui.code}):
        assert client.get(reverse("series_new"), change).status_code == 404
        assert client.post(reverse("series_post"), ASKED | change).status_code == 404


def test_somebody_blocked_reads_why(as_, cast):
    Membership.objects.filter(member=cast.misaki).update(status=MembershipStatus.BLOCKED, reason="わけ")

    page = as_(cast.misaki).get(reverse("series_preview"), ASKED)

    assert page.status_code == 403
    assert "いまは 予約を 止めています。ハブに 電話してください" in text_of(page)


# ---------------------------------------------------------------- step 2


def test_preview_lists_dates_by_week_with_words_and_totals(as_, cast):
    holiday(cast.ekimae, date(2026, 12, 15), "ためしの祝日")
    for n, seat in enumerate(Seat.objects.filter(hub=cast.ekimae)):
        other = make.make_member(f"ほか {n}", f"o{n}@demo.example", hub=cast.ekimae)
        services.book_visit(actor=other, request=make.request_for(other, cast.ekimae, seat=seat))

    page = as_(cast.misaki).get(reverse("series_preview"), ASKED | {"c": cast.yui.code})

    words = [(row.day, row.word, row.sentence) for one in page.context["weeks"] for row in one.rows]
    assert words == [
        ("2026-12-08", "いっぱい", "その時間の 席が いっぱいです"), ("2026-12-10", "予約できます", ""),
        ("2026-12-15", "休み", "この日は お休みです（ためしの祝日）。"), ("2026-12-17", "予約できます", ""),
    ]  # fmt: skip
    assert page.context["totals"] == [
        "4日の うち、いま 予約できるのは 2日です。", "1日は いっぱいです。", "1日は お休みです。",
    ]  # fmt: skip
    assert "12月10日（木） 13:00 – 16:00" in text_of(page)


def test_preview_queries_do_not_grow_with_the_dates(as_, cast):
    client = as_(cast.misaki)
    path = reverse("series_preview")
    client.get(path, ASKED)  # caches of facts and rooms

    few = count(client, path, ASKED | {"last": "2026-12-08"})
    many = count(client, path, ASKED | {"last": "2027-03-08", "wd": ["0", "1", "2", "3", "4"]})

    assert few == many == 8


def test_preview_without_a_date_that_fits_says_so(as_, cast):
    Seat.objects.filter(hub=cast.ekimae).update(is_active=False)
    touch(cast.ekimae)

    page = as_(cast.misaki).get(reverse("series_preview"), ASKED)

    assert "予約できる日が ありません。" in text_of(page)


def test_htmx_asks_for_the_totals_alone(as_, cast):
    data = ASKED | {"picked": "1", "on": ["2026-12-08", "2026-12-10"]}

    page = as_(cast.misaki).get(reverse("series_preview"), data, HTTP_HX_REQUEST="true")

    assert text_of(page).split() == (
        ["4日の", "うち、いま", "予約できるのは", "2日です。", "2日は", "行かない日に", "しました。"]
    )
    assert "HX-Request" in page["Vary"]


# ---------------------------------------------------------------- step 3


def test_confirmed_page_books_and_shows_what_became_of_each_date(as_, cast):
    client = as_(cast.misaki)
    step = client.get(reverse("series_preview"), ASKED | {"c": cast.yui.code})
    form = hidden(step) | {"on": ["2026-12-08", "2026-12-10", "2026-12-15"], "s-2026-12-08": "13:00-16:00"}

    answer = client.post(reverse("series_post"), form)

    series = Series.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == reverse("series_detail", args=[series.code]) + "?did=made"
    assert states(series) == [
        ("12-08", "booked", ""), ("12-10", "booked", ""), ("12-15", "booked", ""), ("12-17", "off", ""),
    ]  # fmt: skip
    assert Visit.objects.earliest("starts_at").starts_at == make.at(13)
    page = client.get(answer["Location"])
    assert '<h1 class="grow">いつもの 1週間を 予約しました</h1>' in page.content.decode()
    assert "3日 予約できています。" in text_of(page)
    assert "火 9:30 – 12:30 ゆい" in text_of(page)


def test_second_tap_leads_to_the_same_page_and_books_nothing(as_, cast):
    client = as_(cast.misaki)
    form = hidden(client.get(reverse("series_preview"), ASKED)) | {"on": ["2026-12-08"]}

    answers = [client.post(reverse("series_post"), form)["Location"] for _tap in range(2)]

    assert answers[0] == answers[1]
    assert (Series.objects.count(), Visit.objects.count()) == (1, 1)


def test_form_without_a_key_is_taken_as_it_is(as_, cast):
    answer = as_(cast.misaki).post(reverse("series_post"), ASKED)

    assert answer.status_code == 303
    assert Visit.objects.count() == 4


def test_third_series_is_refused_on_the_preview(as_, cast):
    confirm(cast)
    confirm(cast, hours=(time(13), time(14)))

    page = as_(cast.misaki).post(reverse("series_post"), ASKED)

    assert page.status_code == 409
    assert "いつもの 1週間は 同時に 2つまでです。先に どれかを やめてください" in text_of(page)


def test_post_page_by_get_leads_to_the_list(as_, cast):
    assert as_(cast.misaki).get(reverse("series_post"))["Location"] == reverse("visits")


def test_running_confirmation_is_visible(as_, cast):
    plan = pattern(cast.misaki, cast.ekimae)
    made = run_write(lambda: week._write_down(cast.misaki, plan, Choices(), None))
    SeriesDate.objects.filter(date=TUE).update(state=DateState.OFF)

    page = as_(cast.misaki).get(reverse("series_detail", args=[made.series.code]), {"did": "made"})

    assert "いま 予約しています。4日のうち 1日が おわりました。" in text_of(page)
    assert 'http-equiv="refresh"' in page.content.decode()


def test_all_refused_is_named(as_, cast):
    theirs = week.confirm(member=cast.kenta, pattern=pattern(cast.kenta, cast.ekimae, children=[cast.yui]))
    assert theirs.series.dates.filter(state="booked").count() == 4
    series = confirm(cast, children=[cast.yui])

    page = as_(cast.misaki).get(reverse("series_detail", args=[series.code]), {"did": "made"})

    assert "予約できた日は ありません" in text_of(page)
    assert "ほかの予約" in text_of(page)
    assert "ゆいさんは その時間に もう 預かりの 予約が あります" in text_of(page)


def test_series_that_is_over_says_so(as_, cast):
    series = confirm(cast)
    week.cancel(member=cast.misaki, code=series.code, first=TUE)

    page = as_(cast.misaki).get(reverse("series_detail", args=[series.code]))

    assert "この いつもの 1週間は 終わりました。" in text_of(page)
    assert as_(cast.misaki).get(reverse("visits")).context["series"] == []


def test_visit_moved_by_hand_shows_its_new_time_in_the_series(as_, cast):
    series = confirm(cast)
    visit = series.dates.first().visit
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(14, 15))
    services.move_visit(actor=cast.misaki, code=visit.code, request=wish)

    page = as_(cast.misaki).get(reverse("series_detail", args=[series.code]))

    assert "12月8日（火） 14:00 – 15:00" in text_of(page)


def test_series_page_queries_do_not_grow(as_, cast):
    client = as_(cast.misaki)
    short = confirm(cast, days=[1], weeks=1)
    long = confirm(cast, hours=(time(13), time(14)), weeks=13)

    one, many = (count(client, reverse("series_detail", args=[s.code])) for s in (short, long))

    assert one == many == 6


def test_list_of_my_visits_names_the_series_without_more_queries_per_series(as_, cast):
    client = as_(cast.misaki)
    confirm(cast, days=[1], weeks=1, hours=(time(13), time(14)))
    one = count(client, reverse("visits"))
    confirm(cast, weeks=2)

    page = client.get(reverse("visits"))

    assert [card.short for card in page.context["series"]] == ["火・木　駅前ハブ", "火　駅前ハブ"]
    assert count(client, reverse("visits")) == one


def test_calendar_file_holds_every_visit(as_, cast):
    series = confirm(cast, weeks=7)

    answer = as_(cast.misaki).get(reverse("series_ics", args=[series.code]))

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert len(Calendar.from_ical(answer.content).walk("VEVENT")) == 12


# ---------------------------------------------------------------- changing and cancelling


def test_cancel_page_shows_what_goes_and_cancels_it(as_, cast):
    series = confirm(cast)
    client = as_(cast.misaki)
    url = reverse("series_cancel", args=[series.code])

    page = client.get(url, {"from": "2026-12-10", "to": "2026-12-15"})
    assert [row.date for row in page.context["rows"]] == [THU, TUE + timedelta(days=7)]
    assert "この 2日を やめますか" in text_of(page)
    answer = client.post(url, hidden(page))

    assert answer["Location"] == reverse("series_detail", args=[series.code]) + "?did=cancelled"
    assert [state for _day, state, _code in states(series)] == ["booked", "cancelled", "cancelled", "booked"]


def test_change_page_gives_new_hours_from_a_date_on(as_, cast):
    series = confirm(cast, children=[cast.yui])
    client = as_(cast.misaki)
    url = reverse("series_change", args=[series.code])

    page = client.get(url, {"from": "2026-12-15"})
    assert "2日 あります" in text_of(page)
    answer = client.post(url, hidden(page) | {"f": "13:00", "t": "15:00", "who": "same"})

    assert answer["Location"] == reverse("series_detail", args=[series.code]) + "?did=changed"
    hours = [
        f"{visit.starts_at.astimezone(make.TOKYO):%H:%M}" for visit in Visit.objects.order_by("starts_at")
    ]
    assert hours == ["09:30", "09:30", "13:00", "13:00"]


def test_date_that_could_not_be_changed_says_why_on_the_page(as_, cast):
    series = confirm(cast, days=[1], weeks=1)
    wish = make.request_for(cast.misaki, cast.yagi, make.period(13, 16))
    services.book_visit(actor=cast.misaki, request=wish)
    client = as_(cast.misaki)

    client.post(
        reverse("series_change", args=[series.code]), {"from": "2026-12-08", "f": "13:00", "t": "15:00"}
    )
    page = client.get(reverse("series_detail", args=[series.code]))

    assert "変えられませんでした。その時間には もう 別の 予約が あります。" in text_of(page)
    assert "12月8日（火） 9:30 – 12:30" in text_of(page)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "変える 時間か 子どもを えらんでください"),
        ({"f": "10:00"}, "始まりと 終わりの 両方を えらんでください"),
        ({"f": "12:00", "t": "10:00"}, "終わりの時間を、始まりより あとに してください"),
        (
            {"f": "10:00", "t": "12:00", "from": "2026-12-20", "to": "2026-12-10"},
            "終わりの日を、始まりの日より あとに してください",
        ),
    ],
)
def test_change_that_makes_no_sense_comes_back(as_, cast, form, said):
    series = confirm(cast)

    page = as_(cast.misaki).post(reverse("series_change", args=[series.code]), form)

    assert (page.status_code, said in text_of(page)) == (422, True)
    assert Visit.objects.filter(sequence=0).count() == 4


@pytest.mark.parametrize("name", ["series_detail", "series_change", "series_cancel", "series_ics"])
@pytest.mark.parametrize("who", ["stranger", "kenta", "manager", "yagi_manager"])
def test_nobody_else_finds_the_series(as_, cast, who, name):
    series = confirm(cast)
    client = as_(getattr(cast, who))
    path = reverse(name, args=[series.code])

    assert client.get(path).status_code == 404
    if name in ("series_change", "series_cancel"):
        form = {"from": "2026-12-08", "f": "13:00", "t": "15:00"}
        assert client.post(path, form).status_code == 404
    assert Visit.objects.filter(status="booked", sequence=0).count() == 4


@pytest.mark.parametrize(
    ("name", "method"),
    [("series_new", "post"), ("series_preview", "post"), ("series_detail", "post"), ("series_ics", "post"),
     ("series_post", "put"), ("series_change", "put"), ("series_cancel", "delete")],
)  # fmt: skip
def test_wrong_method_is_refused(as_, cast, name, method):
    series = confirm(cast)
    args = [series.code] if name not in ("series_new", "series_preview", "series_post") else []

    assert getattr(as_(cast.misaki), method)(reverse(name, args=args)).status_code == 405


def test_visit_page_and_booking_page_lead_to_the_usual_week(as_, cast):
    visit = services.book_visit(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae)).visit
    client = as_(cast.misaki)

    assert f'href="/series/new/?visit={visit.code}"' in client.get(f"/visits/{visit.code}/").content.decode()
    assert 'href="/series/new/?hub=ekimae"' in client.get(reverse("book")).content.decode()


def test_visit_of_a_series_leads_to_it(as_, cast):
    series = confirm(cast)
    visit = series.dates.first().visit

    page = as_(cast.misaki).get(f"/visits/{visit.code}/").content.decode()

    assert f'href="/series/{series.code}/"' in page
    assert "/series/new/" not in page


# ---------------------------------------------------------------- staff for a caller


@pytest.fixture
def caller(cast):
    """She telephones and has no e-mail address; one child is registered."""
    member = make.make_member("電話 みどり", None, hub=cast.ekimae)
    child = make.make_child(make.make_household(member), cast.ekimae, 1, name="そら")
    return SimpleNamespace(member=member, child=child)


def for_her(caller, **more):
    return ASKED | {"for": caller.member.code, "c": caller.child.code} | more


def made_for(cast, caller, actor):
    plan = pattern(caller.member, cast.ekimae, children=[caller.child])
    return week.confirm(member=caller.member, pattern=plan, actor=actor).series


@pytest.mark.parametrize("who", ["door", "plaza", "manager"])
def test_staff_make_a_usual_week_for_a_caller_from_the_search_to_the_result(as_, cast, caller, who):
    staff = getattr(cast, who)
    client = as_(staff)
    found = client.get(reverse("desk_book", args=["ekimae"]), {"q": "電話"}).content.decode()
    link = f"/series/new/?for={caller.member.code}&hub=ekimae"
    assert f'href="{link.replace("&", "&amp;")}"' in found

    form = client.get(link)
    assert "<b>電話 みどりさん</b>の 予約を しています。" in form.content.decode()
    assert [child.name for child in form.context["a"].family] == ["そら"]
    assert hidden(form)["for"] == [caller.member.code]
    preview = client.get(reverse("series_preview"), for_her(caller))
    assert "<b>電話 みどりさん</b>の 予約を しています。" in preview.content.decode()
    answers = hidden(preview) | {"on": ["2026-12-08", "2026-12-10", "2026-12-15"]}
    answer = client.post(reverse("series_post"), answers)
    assert client.post(reverse("series_post"), answers)["Location"] == answer["Location"]

    series = Series.objects.get()
    assert (series.member, series.made_by) == (caller.member, staff)
    assert [state for _day, state, _code in states(series)] == ["booked", "booked", "booked", "off"]
    rows = Visit.objects.values_list("member", "booked_by", "source").distinct()
    assert list(rows) == [(caller.member.pk, staff.pk, VisitSource.STAFF)]
    page = client.get(answer["Location"])
    assert "メールの ない 人です。とれた日と とれない日を 電話で 伝えてください。" in text_of(page)
    assert f"入れた人 駅前ハブ {staff.name}さん" in text_of(page)
    assert (page.context["tab"], "desk_nav" in page.context) == ("visits", True)
    assert oracle.differences() == []


def test_caller_with_an_address_is_told_and_reads_who_made_it(as_, cast, caller):
    caller.member.email = "denwa@demo.example"
    caller.member.save(update_fields=["email"])
    series = made_for(cast, caller, cast.door)
    page = as_(cast.door).get(reverse("series_detail", args=[series.code]), {"did": "made"})
    assert "ご本人に 確認のメールを 1通 送ります。" in text_of(page)
    tasks.run_pending()
    tasks.run_pending()

    assert [message.to for message in mail.outbox] == [["denwa@demo.example"]]
    page = as_(caller.member).get(reverse("series_detail", args=[series.code]))
    assert "入れた人 駅前ハブ 入口 さんさん" in text_of(page)


def test_own_series_names_nobody_who_made_it(as_, cast):
    page = as_(cast.misaki).get(reverse("series_detail", args=[confirm(cast).code]))

    assert "入れた人" not in text_of(page)


@pytest.mark.parametrize("name", ["series_new", "series_preview", "series_post"])
@pytest.mark.parametrize("who", ["stranger", "misaki", "yagi_manager", "carer", "director", "town"])
def test_nobody_without_the_right_makes_a_usual_week_for_a_caller(as_, cast, caller, who, name):
    client = as_(getattr(cast, who))
    ask = client.post if name == "series_post" else client.get

    assert ask(reverse(name), for_her(caller)).status_code == 404
    assert ask(reverse(name), for_her(caller, hub="yagi", c=[])).status_code == (
        404 if who != "yagi_manager" else 303 if name == "series_post" else 200
    )
    assert Series.objects.filter(hub=cast.ekimae).count() == 0


@pytest.mark.parametrize("who", ["stranger", "yagi_manager", "carer"])
def test_service_asks_for_the_right_too(cast, caller, who):
    actor = getattr(cast, who)
    plan = pattern(caller.member, cast.ekimae)
    for ask in (
        lambda: week.confirm(member=caller.member, pattern=plan, actor=actor),
        lambda: week_plan.preview(plan, actor=actor),
    ):
        with pytest.raises(DomainError) as refusal:
            ask()
        assert (refusal.value.code, refusal.value.status) == ("not_allowed", 403)
    assert (Series.objects.count(), Visit.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["series_detail", "series_change", "series_cancel", "series_ics"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("manager", 200),
        ("plaza", 200),
        ("stranger", 404),
        ("misaki", 404),
        ("yagi_manager", 404),
        ("carer", 404),
    ],
)
def test_series_of_a_caller_is_open_to_those_who_book_for_others_there(as_, cast, caller, who, status, name):
    series = made_for(cast, caller, cast.door)

    assert as_(getattr(cast, who)).get(reverse(name, args=[series.code])).status_code == status


def test_key_of_staff_whose_role_ended_opens_no_old_answer(as_, cast, caller):
    client = as_(cast.door)
    form = for_her(caller, key="k", on=["2026-12-08"], picked="1")
    assert client.post(reverse("series_post"), form).status_code == 303
    Membership.objects.filter(member=cast.door).update(status=MembershipStatus.ENDED)
    plan = pattern(caller.member, cast.ekimae)

    assert client.post(reverse("series_post"), form).status_code == 404
    made_for(cast, caller, cast.manager)
    with pytest.raises(DomainError) as refusal:
        week.confirm(
            member=caller.member,
            pattern=plan,
            actor=type(cast.door).objects.get(pk=cast.door.pk),
            key="other",
        )
    assert refusal.value.code == "not_allowed"


def test_staff_change_and_cancel_a_caller_s_series(as_, cast, caller):
    series = made_for(cast, caller, cast.door)
    client = as_(cast.manager)

    page = client.get(reverse("series_change", args=[series.code]), {"from": "2026-12-15"})
    assert [child.name for child in page.context["family"]] == ["そら"]
    client.post(
        reverse("series_change", args=[series.code]),
        hidden(page) | {"f": "13:00", "t": "15:00", "who": "same"},
    )
    client.post(reverse("series_cancel", args=[series.code]), {"from": "2026-12-17"})

    assert [state for _day, state, _code in states(series)] == ["booked", "booked", "booked", "cancelled"]
    moved = series.dates.get(date=TUE + timedelta(days=7)).visit
    assert (moved.starts_at, moved.care_places.get().child) == (
        make.at(13, 0, TUE + timedelta(days=7)),
        caller.child,
    )


def test_dates_that_open_later_are_booked_by_the_member_when_the_staff_are_gone(cast, caller, now):
    plan = pattern(caller.member, cast.ekimae, days=[1], weeks=2, first=date(2027, 1, 19))
    series = week.confirm(member=caller.member, pattern=plan, actor=cast.door).series
    now.shift(24 * 3600)
    tick.run()
    Membership.objects.filter(member=cast.door).update(status=MembershipStatus.ENDED)
    now.shift(7 * 24 * 3600)
    tick.run()

    assert [row.visit.booked_by for row in series.dates.all()] == [cast.door, caller.member]


def test_visit_of_a_caller_s_series_leads_staff_to_it(as_, cast, caller):
    series, own = made_for(cast, caller, cast.door), confirm(cast)
    visit, hers = series.dates.first().visit, own.dates.first().visit

    for who, code, shown in (
        ("manager", visit.code, True),
        ("carer", visit.code, False),
        ("manager", hers.code, False),
    ):
        page = as_(getattr(cast, who)).get(f"/visits/{code}/").content.decode()
        assert ("/series/" in page) == shown


def test_full_date_of_a_caller_leads_to_the_line_for_her(as_, cast, caller):
    for n, seat in enumerate(Seat.objects.filter(hub=cast.ekimae)):
        other = make.make_member(f"ほか {n}", f"o{n}@demo.example", hub=cast.ekimae)
        services.book_visit(actor=other, request=make.request_for(other, cast.ekimae, seat=seat))
    series = made_for(cast, caller, cast.door)
    client = as_(cast.door)
    page = client.get(reverse("series_detail", args=[series.code])).content.decode()
    link = page.partition(f'href="{reverse("wait")}')[2].partition('"')[0].replace("&amp;", "&")

    client.post(
        reverse("wait"), hidden(client.get(reverse("wait") + link)) | {"window": "exact", "where": "any"}
    )

    entry = WaitEntry.objects.get()
    assert (entry.member, entry.asked_by, entry.series_date) == (
        caller.member,
        cast.door,
        series.dates.first(),
    )


def test_booking_page_for_a_caller_leads_to_her_usual_week_but_not_for_who_is_here_now(as_, cast, caller):
    client, asked = as_(cast.door), {"for": caller.member.code, "hub": "ekimae"}
    link = f'href="/series/new/?hub=ekimae&amp;for={caller.member.code}"'

    assert link in client.get(reverse("book"), asked).content.decode()
    assert "/series/new/" not in client.get(reverse("book"), asked | {"src": "walk_in"}).content.decode()


def test_hub_is_changed_only_to_one_where_staff_may_book(as_, cast, caller):
    page = as_(cast.door).get(reverse("series_new"), {"for": caller.member.code, "hub": "ekimae"})

    assert [hub.slug for hub in page.context["a"].hubs] == ["ekimae"]
