"""My usual week: preview, confirmation, what is kept of it, changing, cancelling, dates that open later."""

from collections import Counter
from datetime import date, time, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from hub import tick
from hub.booking import closures, services, week, week_plan
from hub.booking.calendar import uid_of
from hub.booking.models_week import DateState, Series, SeriesDate
from hub.booking.week_plan import Choices, Outlook
from hub.childcare import capacity
from hub.childcare.models import Child
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.invariants import differences
from hub.leaving import erase_member
from hub.members.models import Guardian
from hub.notices.models import Notice
from hub.spaces.enums import MembershipStatus
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Hub, Membership, Seat, Visit
from tests import factories as make
from tests import oracle
from tests.booking.usual import holiday, pattern, states

DAY = timedelta(days=1)
TUE, THU = make.TOMORROW, make.TOMORROW + 2 * DAY


def confirm(plan, choices=None, key=None):
    return week.confirm(member=plan.member, pattern=plan, choices=choices, key=key).series


def outlooks(plan, choices=None):
    return [(f"{one.date:%m-%d}", one.outlook.value) for one in week_plan.preview(plan, choices).dates]


def take_all_seats(hub, when, *, besides=()):
    for n, seat in enumerate(Seat.objects.filter(hub=hub)):
        other = make.make_member(f"ほか {n}", f"taker{n}-{when.starts_at:%d%H}@demo.example", hub=hub)
        if seat.label not in besides:
            services.book_visit(actor=other, request=make.request_for(other, hub, when, seat=seat))


# ---------------------------------------------------------------- preview


def test_preview_says_for_each_date_what_would_happen(cast):
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, TUE))
    mine = make.request_for(cast.misaki, cast.yagi, make.period(9, 11, THU))
    services.book_visit(actor=cast.misaki, request=mine)
    holiday(cast.ekimae, TUE + 7 * DAY, "ためしの祝日")
    hub = Hub.objects.get(pk=cast.ekimae.pk)

    plan = pattern(cast.misaki, hub, weeks=7)

    found = week_plan.preview(plan).dates
    assert [(f"{one.date:%m-%d}", one.outlook.value) for one in found] == [
        ("12-08", "full"), ("12-10", "clash"), ("12-15", "closed"), ("12-17", "ok"), ("12-22", "ok"), ("12-24", "ok"),
        ("12-29", "ok"), ("12-31", "ok"), ("01-05", "ok"), ("01-07", "ok"), ("01-12", "ok"), ("01-14", "ok"),
        ("01-19", "waiting"), ("01-21", "waiting"),
    ]  # fmt: skip
    assert [one.blocker.title for one in found[:3] if one.blocker] == [
        "その時間の 席が いっぱいです",
        "その時間には もう 別の 予約が あります",
        "この日は お休みです（ためしの祝日）。",
    ]


def test_preview_offers_other_hours_that_fit_that_day(cast):
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, TUE))

    one = week_plan.preview(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1)).dates[0]

    assert one.outlook is Outlook.FULL
    assert [(f"{fit.starts_at:%H:%M}", f"{fit.ends_at:%H:%M}") for fit in one.fits] == [
        ("12:30", "15:30"), ("13:00", "16:00"), ("13:30", "16:30"), ("14:00", "17:00"),
    ]  # fmt: skip


def test_preview_with_a_shift_looks_at_those_hours(cast):
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, TUE))
    choices = Choices(shifts={TUE: (time(13), time(16))})

    one = week_plan.preview(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1), choices).dates[0]

    assert (one.outlook, one.is_shifted) == (Outlook.OK, True)


def test_preview_of_65_dates_reads_the_bookings_once(cast):
    children = [cast.haru, cast.yui, make.make_child(cast.household, cast.ekimae, 2, name="なつ")]
    Hub.objects.update(horizon_days=100)
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    plan = pattern(cast.misaki, hub, days=range(5), weeks=13, children=children)
    week_plan.preview(pattern(cast.misaki, hub, days=[1], weeks=1))  # facts and rooms are cached

    with CaptureQueriesContext(connection) as caught:
        found = week_plan.preview(plan)

    assert (len(found.dates), len(caught)) == (65, 5)
    # member and roles, households; claims, room quarters, the children's claims
    assert Visit.objects.count() == 0


def test_preview_writes_nothing(cast):
    week_plan.preview(pattern(cast.misaki, cast.ekimae, children=[cast.yui]))

    assert (Series.objects.count(), SeriesDate.objects.count(), Visit.objects.count()) == (0, 0, 0)


def test_new_year_is_skipped_by_name(cast):
    for day in (date(2026, 12, 29), date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1)):
        holiday(cast.ekimae, day, "年末年始")
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    plan = pattern(cast.misaki, hub, days=range(5), weeks=1, first=date(2026, 12, 28))

    series = confirm(plan)

    assert states(series) == [
        ("12-28", "booked", ""), ("12-29", "refused", "hub_closed"), ("12-30", "refused", "hub_closed"),
        ("12-31", "refused", "hub_closed"), ("01-01", "refused", "hub_closed"),
    ]  # fmt: skip
    assert set(series.dates.filter(state="refused").values_list("reason", flat=True)) == {
        "この日は お休みです（年末年始）。"
    }


def test_new_year_beyond_the_horizon_is_closed_and_not_waiting(cast):
    holiday(cast.ekimae, date(2027, 2, 11), "建国記念の日")
    hub = Hub.objects.get(pk=cast.ekimae.pk)

    assert outlooks(pattern(cast.misaki, hub, days=[3], weeks=1, first=date(2027, 2, 8))) == [
        ("02-11", "closed")
    ]


def test_closed_weeks_are_skipped_with_their_reason(cast):
    Closure.objects.create(hub=cast.ekimae, starts_on=TUE, ends_on=TUE + 13 * DAY, reason="改装")
    touch(cast.ekimae)
    hub = Hub.objects.get(pk=cast.ekimae.pk)

    series = confirm(pattern(cast.misaki, hub, weeks=3))

    assert [state for _day, state, _code in states(series)] == ["refused"] * 4 + ["booked"] * 2
    assert series.dates.first().reason == "この日は お休みです（改装）。"


def test_child_that_becomes_school_age_is_refused_from_that_day_on(cast):
    big = make.make_child(cast.household, cast.ekimae, 5, name="あき")
    plan = pattern(cast.misaki, cast.ekimae, days=[1], weeks=3, children=[big], first=date(2027, 3, 23))

    assert outlooks(plan) == [("03-23", "waiting"), ("03-30", "waiting"), ("04-06", "refused")]
    series = confirm(plan)
    assert states(series)[-1] == ("04-06", "refused", "school_age")
    assert series.dates.last().reason == "あきさんは 小学生に なるので、この日は 預かれません。"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"days": []}, "no_days"),
        ({"weeks": 14}, "too_long"),
        ({"weeks": 0}, "not_forward"),
        ({"first": make.TODAY - DAY}, "in_past"),
        ({"hours": (time(12), time(10))}, "not_forward"),
        ({"hours": (time(9, 40), time(10))}, "off_grid"),
        ({"days": [1, 1]}, "no_days"),
        ({"first": date(9990, 1, 1)}, "too_long"),
    ],
)
def test_pattern_that_makes_no_sense_is_refused_whole(cast, change, code):
    plan = pattern(cast.misaki, cast.ekimae, **change)

    for ask in (lambda: week_plan.preview(plan), lambda: confirm(plan)):
        with pytest.raises(DomainError) as refusal:
            ask()
        assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert Series.objects.count() == 0


# ---------------------------------------------------------------- confirmation


def test_confirm_books_each_date_all_or_nothing_and_keeps_the_refused(cast):
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, TUE))

    series = confirm(pattern(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui]))

    assert states(series) == [
        ("12-08", "refused", "seat_taken"), ("12-10", "booked", ""), ("12-15", "booked", ""), ("12-17", "booked", ""),
    ]  # fmt: skip
    assert Visit.objects.filter(member=cast.misaki).count() == 3
    assert {v.care_places.count() for v in Visit.objects.filter(member=cast.misaki)} == {2}
    assert oracle.differences() == []


def test_dates_switched_off_and_shifted(cast):
    choices = Choices(off=frozenset([TUE]), shifts={THU: (time(14), time(16))})

    series = confirm(pattern(cast.misaki, cast.ekimae, weeks=1), choices)

    assert states(series) == [("12-08", "off", ""), ("12-10", "booked", "")]
    assert Visit.objects.get().starts_at == make.at(14, 0, THU)
    assert series.dates.get(date=THU).is_shifted


def test_dates_beyond_the_horizon_wait(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, weeks=7))

    assert Counter(state for _day, state, _code in states(series)) == {"booked": 12, "waiting": 2}


def test_same_key_again_books_nothing_twice(cast):
    plan = pattern(cast.misaki, cast.ekimae, children=[cast.yui])

    first = week.confirm(member=cast.misaki, pattern=plan, key="tap")
    second = week.confirm(member=cast.misaki, pattern=plan, key="tap")

    assert (first.replayed, second.replayed, first.series) == (False, True, second.series)
    assert (Series.objects.count(), Visit.objects.count()) == (1, 4)


def test_same_key_with_another_pattern_is_refused(cast):
    confirm(pattern(cast.misaki, cast.ekimae), key="tap")

    with pytest.raises(DomainError) as refusal:
        confirm(pattern(cast.misaki, cast.ekimae, weeks=3), key="tap")

    assert refusal.value.code == "key_reused"


class Killed(BaseException):
    """The process died: nothing catches this."""


def killed_after(monkeypatch, bookings, *, committed):
    """The ``bookings``-th booking is the last; ``committed``: it dies after its transaction instead of in it."""
    real, count = services.book_visit, 0

    def book(**asked):
        nonlocal count
        count += 1
        if count < bookings:
            return real(**asked)
        if committed:
            real(**asked)
        raise Killed

    monkeypatch.setattr(services, "book_visit", book)


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("nth", [1, 3, 4])
def test_killed_between_dates_the_same_key_goes_on(cast, monkeypatch, nth, committed):
    plan = pattern(cast.misaki, cast.ekimae, children=[cast.yui])
    with monkeypatch.context() as patch:
        killed_after(patch, nth, committed=committed)
        with pytest.raises(Killed):
            confirm(plan, key="tap")
    assert Visit.objects.count() == nth - (not committed)
    assert Series.objects.get().told_at is None

    series = confirm(plan, key="tap")

    assert [state for _day, state, _code in states(series)] == ["booked"] * 4
    assert Visit.objects.count() == 4
    assert oracle.differences() == []


def test_killed_confirmation_is_finished_by_the_tick_with_one_mail(cast, monkeypatch, now):
    plan = pattern(cast.misaki, cast.ekimae, children=[cast.yui])
    with monkeypatch.context() as patch:
        killed_after(patch, 2, committed=True)
        with pytest.raises(Killed):
            confirm(plan, key="tap")
    now.shift(120)

    assert (week.resume(), week.resume()) == (1, 0)

    confirm(plan, key="tap")
    tasks.run_pending()
    tasks.run_pending()
    assert Visit.objects.count() == 4
    assert [message.subject for message in mail.outbox] == ["いつもの 1週間を 予約しました | ひだまり"]


def test_one_mail_with_one_calendar_file_for_all_dates(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, children=[cast.haru, cast.yui]))
    tasks.run_pending()
    tasks.run_pending()

    assert len(mail.outbox) == 1
    message = mail.outbox[0]
    assert message.to == ["misaki@demo.example"]
    assert "12月8日（火） 9:30 – 12:30 予約ずみ" in str(message.body)
    assert "はる" not in str(message.body)
    name, content, mime = message.attachments[0]
    assert (name, mime, len(message.attachments)) == ("hidamari.ics", "text/calendar", 1)
    events = Calendar.from_ical(content).walk("VEVENT")
    assert sorted(str(event["UID"]) for event in events) == sorted(uid_of(v) for v in Visit.objects.all())
    assert {int(event["SEQUENCE"]) for event in events} == {0}
    notice = Notice.objects.get()
    assert (notice.title, notice.path) == ("いつもの 1週間を 予約しました", f"/series/{series.code}/")


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("kind", ["made", "opened", "refused", "changed", "cancelled"])
def test_every_kind_of_mail_renders_in_both_languages(cast, kind, language):
    cast.misaki.language = language
    cast.misaki.save(update_fields=["language"])
    series = confirm(pattern(cast.misaki, cast.ekimae))
    offers = [{"hub": "yagi", "date": "2026-12-09", "from": "09:30", "to": "12:30"}]
    data = {"series": series.code, "kind": kind, "dates": ["2026-12-08"], "offers": offers}

    run_write(lambda: week.notices.tell(cast.misaki, week.TOPIC, event=kind, data=data, own=True))
    tasks.run_pending()
    tasks.run_pending()

    link = f"/en/series/{series.code}/" if language == "en" else f"/series/{series.code}/"
    assert [link in str(message.body) for message in mail.outbox] == [
        True,
        True,
    ]  # this one and that of the confirmation


def test_later_change_of_a_single_date_sends_its_own_mail(cast):
    confirm(pattern(cast.misaki, cast.ekimae))
    tasks.run_pending()
    tasks.run_pending()
    visit = Visit.objects.earliest("starts_at")

    services.cancel_visit(actor=cast.misaki, code=visit.code)
    tasks.run_pending()
    tasks.run_pending()

    assert [message.subject.partition(" |")[0] for message in mail.outbox] == [
        "いつもの 1週間を 予約しました", "予約を やめました",
    ]  # fmt: skip


def test_series_counts_by_its_own_limit_and_single_visits_by_theirs(cast):
    Hub.objects.update(max_open_visits=2)
    hub = Hub.objects.get(pk=cast.ekimae.pk)

    series = confirm(pattern(cast.misaki, hub))

    assert [state for _day, state, _code in states(series)] == ["booked"] * 4
    for hour in (13, 14):
        wish = make.request_for(cast.misaki, hub, make.period(hour, hour + 1))
        services.book_visit(actor=cast.misaki, request=wish)
    with pytest.raises(DomainError) as refusal:
        services.book_visit(
            actor=cast.misaki, request=make.request_for(cast.misaki, hub, make.period(15, 16))
        )
    assert refusal.value.code == "too_many_open"
    first = series.dates.first().visit
    wish = make.request_for(cast.misaki, hub, make.period(16, 17))
    assert services.move_visit(actor=cast.misaki, code=first.code, request=wish).visit.starts_at == make.at(
        16
    )


def test_third_series_that_goes_on_is_refused(cast):
    hours = [(time(9), time(10)), (time(11), time(12)), (time(14), time(15))]
    kept = [confirm(pattern(cast.misaki, cast.ekimae, hours=one)) for one in hours[:2]]

    with pytest.raises(DomainError) as refusal:
        confirm(pattern(cast.misaki, cast.ekimae, hours=hours[2]))
    assert (refusal.value.code, Series.objects.count()) == ("too_many_series", 2)

    week.cancel(member=cast.misaki, code=kept[0].code, first=make.TODAY)
    confirm(pattern(cast.misaki, cast.ekimae, hours=hours[2]))
    assert Series.objects.count() == 3


def test_two_guardians_with_the_same_child_do_not_book_her_twice(cast):
    confirm(pattern(cast.misaki, cast.ekimae, children=[cast.yui]))

    theirs = confirm(pattern(cast.kenta, cast.ekimae, children=[cast.yui]))

    assert {(state, code) for _day, state, code in states(theirs)} == {("refused", "child_busy")}
    assert theirs.dates.first().reason == "ゆいさんは その時間に もう 預かりの 予約が あります"
    assert Visit.objects.filter(member=cast.kenta).count() == 0


def test_somebody_blocked_gets_no_series(cast):
    Membership.objects.filter(member=cast.misaki).update(status=MembershipStatus.BLOCKED, reason="わけ")

    for ask in (week_plan.preview, confirm):
        with pytest.raises(DomainError) as refusal:
            ask(pattern(cast.misaki, cast.ekimae))
        assert (refusal.value.code, refusal.value.status) == ("blocked", 403)


def test_child_that_is_not_hers_is_refused_on_every_date(cast):
    other = make.make_child(make.make_household(cast.stranger), cast.ekimae, 1, name="よその子")

    series = confirm(pattern(cast.misaki, cast.ekimae, children=[other]))

    assert {(state, code) for _day, state, code in states(series)} == {("refused", "child_unknown")}
    assert Visit.objects.count() == 0


def test_thirteen_weeks_five_days_three_children(cast):
    """65 dates: each in a short transaction with the same few statements, however many come before it."""
    Hub.objects.update(horizon_days=100)
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    run_write(lambda: capacity.rebuild(cast.room, capacity.horizon_days(hub)))
    children = [cast.haru, cast.yui, make.make_child(cast.household, hub, 2, name="なつ")]

    with CaptureQueriesContext(connection) as caught:
        series = confirm(pattern(cast.misaki, hub, days=range(5), weeks=13, children=children))

    assert Counter(state for _day, state, _code in states(series)) == {"booked": 65}
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE")
    per_date = sum(query["sql"].startswith(verbs) for query in caught.captured_queries) / 65
    assert per_date <= 17
    assert oracle.differences() == []


# ---------------------------------------------------------------- dates that open


def open_more(hub, now, days):
    now.shift(days * 24 * 3600)
    run_write(lambda: capacity.extend_to_horizon(Hub.objects.get(pk=hub.pk)))


def test_tick_books_dates_when_they_open(cast, now):
    series = confirm(pattern(cast.misaki, cast.ekimae, weeks=7, children=[cast.yui]))
    now.shift(24 * 3600)

    assert tick.run() == []

    assert states(series)[-2:] == [("01-19", "booked", ""), ("01-21", "waiting", "")]
    now.shift(2 * 24 * 3600)
    assert tick.run() == []
    assert states(series)[-1] == ("01-21", "booked", "")
    assert Visit.objects.filter(member=cast.misaki).count() == 14


def test_dates_that_opened_are_told_once_a_week(cast, now):
    confirm(pattern(cast.misaki, cast.ekimae, weeks=7))
    tasks.run_pending()
    Notice.objects.all().delete()
    for _day in range(4):
        now.shift(24 * 3600)
        week.open_dates(Hub.objects.get(pk=cast.ekimae.pk))
        now.shift(121)
        tasks.run_pending()
        tasks.run_pending()

    assert list(Notice.objects.filter(topic="series").values_list("title", "text")) == [
        ("いつもの 1週間の 予約が できました", "2日 予約できています。")
    ]


def test_whoever_asked_first_gets_the_last_seat_when_a_date_opens(cast, now):
    Seat.objects.filter(hub=cast.ekimae).exclude(label="A1").update(is_active=False)
    touch(cast.ekimae)
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    later_day = pattern(cast.kenta, hub, days=[1], weeks=1, first=date(2027, 1, 19))
    second = confirm(later_day)
    now.shift(60)
    third = confirm(pattern(cast.misaki, hub, days=[1], weeks=1, first=date(2027, 1, 19)))
    open_more(hub, now, 1)

    assert week.open_dates(Hub.objects.get(pk=hub.pk)) == 2

    assert (states(second), states(third)) == (
        [("01-19", "booked", "")], [("01-19", "refused", "seat_taken")],
    )  # fmt: skip


def test_refusal_at_opening_is_told_with_other_times(cast, now):
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19)))
    tasks.run_pending()
    tasks.run_pending()
    mail.outbox.clear()
    open_more(cast.ekimae, now, 1)
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, date(2027, 1, 19)))
    tasks.run_pending()
    tasks.run_pending()
    mail.outbox.clear()

    week.open_dates(Hub.objects.get(pk=cast.ekimae.pk))
    tasks.run_pending()

    assert states(series) == [("01-19", "refused", "seat_taken")]
    assert [m.subject.partition(" |")[0] for m in mail.outbox] == [
        "いつもの 1週間の 予約が できない日が あります"
    ]
    assert "/book/?hub=ekimae&d=2027-01-19&p=own&from=12%3A30&to=15%3A30" in str(mail.outbox[0].body)


def test_twenty_ticks_book_and_tell_once(cast, now):
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19)))
    open_more(cast.ekimae, now, 1)

    for _tick in range(20):
        week.open_dates(Hub.objects.get(pk=cast.ekimae.pk))

    assert states(series) == [("01-19", "booked", "")]
    assert Visit.objects.count() == 1


def test_one_date_that_breaks_does_not_keep_others_waiting(cast, now, monkeypatch):
    first = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19)))
    second = confirm(pattern(cast.kenta, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19)))
    open_more(cast.ekimae, now, 1)
    real = services.book_visit

    def book(**asked):
        if asked["actor"] == cast.misaki:
            raise RuntimeError("broken")
        return real(**asked)

    monkeypatch.setattr(services, "book_visit", book)
    week.open_dates(Hub.objects.get(pk=cast.ekimae.pk))

    assert (states(first)[0][1], states(second)[0][1]) == ("waiting", "booked")


def test_guardian_who_left_the_household_gets_no_date_without_the_child(cast, now):
    series = confirm(
        pattern(cast.kenta, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19), children=[cast.yui])
    )
    Guardian.objects.filter(member=cast.kenta).delete()
    open_more(cast.ekimae, now, 1)

    week.open_dates(Hub.objects.get(pk=cast.ekimae.pk))

    assert states(series) == [("01-19", "refused", "child_unknown")]
    assert Visit.objects.count() == 0


# ---------------------------------------------------------------- changing and cancelling


def test_cancel_one_a_range_and_from_a_date_on(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, weeks=7))

    assert week.cancel(member=cast.misaki, code=series.code, first=TUE, last=TUE) == 1
    assert week.cancel(member=cast.misaki, code=series.code, first=THU, last=THU + 7 * DAY) == 3
    assert week.cancel(member=cast.misaki, code=series.code, first=date(2027, 1, 12)) == 4

    kept = [day for day, state, _code in states(series) if state != "cancelled"]
    assert kept == ["12-22", "12-24", "12-29", "12-31", "01-05", "01-07"]
    assert Visit.objects.filter(status="booked").count() == 6
    assert oracle.differences() == []


def test_cancelling_several_dates_sends_one_mail_with_cancelled_events(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    tasks.run_pending()
    tasks.run_pending()
    mail.outbox.clear()

    week.cancel(member=cast.misaki, code=series.code, first=THU)
    week.cancel(member=cast.misaki, code=series.code, first=THU)
    tasks.run_pending()
    tasks.run_pending()

    assert [m.subject.partition(" |")[0] for m in mail.outbox] == ["いつもの 1週間を やめました"]
    events = Calendar.from_ical(mail.outbox[0].attachments[0][1]).walk("VEVENT")
    assert [(str(e["STATUS"]), int(e["SEQUENCE"])) for e in events] == [("CANCELLED", 1)] * 3


def test_mail_about_a_change_goes_out_though_its_process_was_killed(cast, monkeypatch, now):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    tasks.run_pending()
    tasks.run_pending()
    mail.outbox.clear()
    real, count = services.cancel_visit, 0

    def cancel(**asked):
        nonlocal count
        count += 1
        if count == 3:
            raise Killed
        return real(**asked)

    monkeypatch.setattr(services, "cancel_visit", cancel)
    with pytest.raises(Killed):
        week.cancel(member=cast.misaki, code=series.code, first=TUE)
    now.shift(week.LAST_WORD + 1)
    tasks.run_pending()
    tasks.run_pending()

    assert len(mail.outbox) == 1
    events = Calendar.from_ical(mail.outbox[0].attachments[0][1]).walk("VEVENT")
    assert Counter(str(event["STATUS"]) for event in events) == {"CANCELLED": 2, "CONFIRMED": 2}


def test_date_knows_that_its_visit_was_cancelled_by_hand_or_by_the_hub(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    first, second = (row.visit for row in series.dates.all()[:2])

    services.cancel_visit(actor=cast.misaki, code=first.code)
    closures.add_closure(
        actor=cast.manager, hub=cast.ekimae, starts_on=THU, ends_on=THU, reason="台風", confirm=True
    )

    assert [state for _day, state, _code in states(series)] == ["cancelled", "cancelled", "booked", "booked"]
    second.refresh_from_db()
    assert second.status == "cancelled_by_hub"


def test_visit_that_has_begun_stays(cast, now):
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=2))
    now.move_to(make.at(10))

    assert week.cancel(member=cast.misaki, code=series.code, first=TUE) == 1

    assert list(Visit.objects.order_by("starts_at").values_list("status", flat=True)) == [
        "booked",
        "cancelled",
    ]


def test_change_moves_what_fits_and_keeps_the_old_where_it_does_not(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, children=[cast.yui]))
    take_all_seats(cast.ekimae, make.period(13, 16, TUE))
    to = week.Change(hours=(time(13), time(16)))

    assert week.change(member=cast.misaki, code=series.code, first=TUE, to=to) == 3

    visits = [visit.starts_at for visit in Visit.objects.filter(member=cast.misaki).order_by("starts_at")]
    assert visits == [make.at(9, 30), *(make.at(13, 0, day) for day in (THU, TUE + 7 * DAY, THU + 7 * DAY))]
    first = series.dates.first()
    assert (first.state, first.reason_code, first.reason) == (
        "booked", "seat_taken", "その席は 先に うまりました。ほかの席を えらんでください。",
    )  # fmt: skip
    assert oracle.differences() == []


def test_change_of_children_from_a_date_on(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, weeks=7, children=[cast.haru, cast.yui]))
    to = week.Change(children=(cast.yui,))

    assert week.change(member=cast.misaki, code=series.code, first=date(2027, 1, 12), to=to) == 4

    names = [
        sorted(place.child.name for place in visit.care_places.filter(status="booked"))
        for visit in Visit.objects.filter(member=cast.misaki).order_by("starts_at")
    ]
    assert names == [["はる", "ゆい"]] * 10 + [["ゆい"]] * 2
    waiting = series.dates.filter(state="waiting")
    assert [row.children for row in waiting] == [[cast.yui.code]] * 2


def test_change_tries_a_refused_date_again(cast):
    take_all_seats(cast.ekimae, make.period(9.5, 12.5, TUE))
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1))
    to = week.Change(hours=(time(14), time(16)))

    assert week.change(member=cast.misaki, code=series.code, first=TUE, last=TUE, to=to) == 1

    assert states(series) == [("12-08", "booked", "")]
    assert Visit.objects.get(member=cast.misaki).starts_at == make.at(14)


def test_change_of_one_booked_date_sends_the_visit_s_own_mail(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    tasks.run_pending()
    tasks.run_pending()
    mail.outbox.clear()
    to = week.Change(hours=(time(14), time(16)))

    week.change(member=cast.misaki, code=series.code, first=TUE, last=TUE, to=to)
    tasks.run_pending()
    tasks.run_pending()

    assert [m.subject.partition(" |")[0] for m in mail.outbox] == ["予約を 変えました"]


@pytest.mark.parametrize("who", ["stranger", "kenta", "door", "manager", "yagi_manager"])
def test_nobody_else_reads_changes_or_cancels_her_series(cast, who):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    other = getattr(cast, who)

    for act in (
        lambda: week.mine(other, series.code),
        lambda: week.cancel(member=other, code=series.code, first=TUE),
        lambda: week.change(member=other, code=series.code, first=TUE, to=week.Change(children=())),
    ):
        with pytest.raises(DomainError) as refusal:
            act()
        assert (refusal.value.code, refusal.value.status) == ("series_unknown", 404)
    assert Visit.objects.filter(status="booked").count() == 4


def test_account_that_ends_takes_its_series_along(cast, now):
    confirm(pattern(cast.kenta, cast.ekimae, days=[1], weeks=1, first=date(2027, 1, 19)))

    erase_member(cast.kenta)

    assert Series.objects.count() == 0
    open_more(cast.ekimae, now, 1)
    assert week.open_dates(Hub.objects.get(pk=cast.ekimae.pk)) == 0


# ---------------------------------------------------------------- what the database refuses


def test_database_refuses_a_date_twice_and_states_that_cannot_be(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae))
    row = series.dates.first()
    wrong = [
        SeriesDate(series=series, date=row.date, starts=time(9), ends=time(10), state=DateState.OFF),
        SeriesDate(
            series=series, date=date(2027, 5, 1), starts=time(9), ends=time(10), state=DateState.BOOKED
        ),
        SeriesDate(
            series=series, date=date(2027, 5, 2), starts=time(9), ends=time(10), visit=row.visit, state="off"
        ),
        SeriesDate(
            series=series, date=date(2027, 5, 3), starts=time(9), ends=time(10), state=DateState.REFUSED
        ),
        SeriesDate(series=series, date=date(2027, 5, 4), starts=time(10), ends=time(10), state=DateState.OFF),
    ]
    for one in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            one.save(force_insert=True)
    assert SeriesDate.objects.count() == 4


def test_child_code_in_a_series_is_of_a_child(cast):
    """Codes instead of foreign keys: a date that names nobody's child is refused when it is booked."""
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1, children=[cast.yui]))

    assert [Child.objects.get(code=code) for code in series.dates.get().children] == [cast.yui]


def test_recount_finds_a_date_whose_visit_was_ended_behind_its_back(cast):
    series = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1))
    assert differences() == []
    visit = series.dates.get().visit
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    assert differences() == []

    SeriesDate.objects.update(state=DateState.BOOKED)

    assert differences() == [
        f"series {series.code}: 2026-12-08 is booked, but its visit is cancelled or of somebody else"
    ]


def test_series_is_forgotten_after_five_fiscal_years(cast):
    old = confirm(pattern(cast.misaki, cast.ekimae, days=[1], weeks=1))
    kept = confirm(pattern(cast.kenta, cast.ekimae, days=[1], weeks=1))
    long_ago = date(2021, 3, 31)
    Series.objects.filter(pk=old.pk).update(starts_on=long_ago, ends_on=long_ago)

    assert tick.run() == []

    assert list(Series.objects.all()) == [kept]
