"""A usual week and the waiting list: what is accepted becomes the date that was full; closed dates that open again."""

from datetime import date, time, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from hub import tick
from hub.booking import closures, waiting, week, week_dates
from hub.booking.models import Offer, WaitEntry
from hub.booking.models_week import Series, SeriesDate
from hub.core import tasks
from hub.core.db import run_write
from hub.invariants import differences
from hub.notices import services as notices
from hub.notices.models import Notice
from hub.spaces.facts import facts_of, touch
from hub.spaces.models import Closure, Hub, Seat, Visit
from tests import factories as make
from tests import oracle
from tests.booking.test_pages import hidden
from tests.booking.test_waiting import book, cancel, full, join, offer_of
from tests.booking.usual import pattern, states

__all__ = ["full"]  # the fixture

DAY = timedelta(days=1)
TUE = make.TOMORROW
NEXT_TUE, NEXT_THU = TUE + 7 * DAY, TUE + 9 * DAY
MORNING = (time(9), time(12))


def confirm(member, hub, **change) -> Series:  # type: ignore[no-untyped-def]
    plan = pattern(member, hub, **({"days": [1], "hours": MORNING} | change))
    return week.confirm(member=member, pattern=plan).series


@pytest.fixture
def refused(full: SimpleNamespace) -> SimpleNamespace:
    """Misaki's Tuesdays from 9 to 12 with Yui: tomorrow the seat is Kenta's, a week later it is hers."""
    full.series = confirm(full.misaki, full.ekimae, children=[full.yui])
    assert states(full.series) == [("12-08", "refused", "seat_taken"), ("12-15", "booked", "")]
    full.date = full.series.dates.get(date=TUE)
    return full


def accepted(full: SimpleNamespace, entry: WaitEntry) -> Visit:
    """The seat of the morning becomes free, and she takes what she is offered."""
    cancel(full.held)
    offer = offer_of(entry)
    assert offer is not None
    return waiting.accept(actor=full.misaki, code=offer.code).visit


def joined_from(full: SimpleNamespace, when, minutes: int) -> WaitEntry:  # type: ignore[no-untyped-def]
    request = make.request_for(full.misaki, full.ekimae, when, children=[full.yui])
    asked = waiting.join(actor=full.misaki, request=request, minutes=minutes, series_date=full.date)
    return asked.entry


# ---------------------------------------------------------------- accepting


def test_accepted_offer_books_the_date_that_was_refused(refused):
    visit = accepted(refused, joined_from(refused, make.period(9, 12), 180))

    row = SeriesDate.objects.get(pk=refused.date.pk)
    assert (row.state, row.visit, row.reason_code, row.reason) == ("booked", visit, "", "")
    assert (row.is_shifted, row.children) == (False, [refused.yui.code])
    assert (differences(), oracle.differences()) == ([], [])


def test_cancelling_from_a_date_on_ends_what_was_accepted(refused):
    visit = accepted(refused, joined_from(refused, make.period(9, 12), 180))

    assert week.cancel(member=refused.misaki, code=refused.series.code, first=TUE) == 2

    assert Visit.objects.get(pk=visit.pk).status == "cancelled"
    assert [state for _day, state, _code in states(refused.series)] == ["cancelled", "cancelled"]
    assert differences() == []


def test_changing_from_a_date_on_moves_what_was_accepted(refused):
    visit = accepted(refused, joined_from(refused, make.period(9, 12), 180))
    to = week.Change(hours=(time(13), time(15)))

    assert week.change(member=refused.misaki, code=refused.series.code, first=TUE, to=to) == 2

    assert Visit.objects.get(pk=visit.pk).starts_at == make.at(13)


def test_accepted_at_another_hour_takes_its_hours_along(refused):
    """She asked from the date for any time of the day, so the afternoon is what became of it."""
    book(refused.others[0], refused.ekimae, make.period(12, 18))
    taken = Visit.objects.get(member=refused.others[0])
    entry = joined_from(refused, make.period(9, 18), 180)
    cancel(taken)
    offer = offer_of(entry)

    visit = waiting.accept(actor=refused.misaki, code=offer.code).visit

    row = SeriesDate.objects.get(pk=refused.date.pk)
    assert (visit.starts_at, row.visit) == (make.at(12), visit)
    assert (row.starts, row.ends, row.is_shifted) == (time(12), time(15), True)


def test_without_a_link_the_date_whose_hours_are_taken_is_booked(refused):
    """Asked for on the booking page, without the child: she cannot be there a second time in these hours."""
    visit = accepted(refused, join(refused.misaki, refused.ekimae, make.period(10, 12)))

    row = SeriesDate.objects.get(pk=refused.date.pk)
    assert (row.state, row.visit, row.children, row.starts) == ("booked", visit, [], time(10))
    assert differences() == []


def test_without_a_link_the_date_with_the_most_common_time_is_booked(refused):
    late = confirm(refused.misaki, refused.ekimae, hours=(time(11), time(12)), weeks=1)

    accepted(refused, join(refused.misaki, refused.ekimae))

    assert SeriesDate.objects.get(pk=refused.date.pk).state == "booked"
    assert states(late) == [("12-08", "refused", "seat_taken")]


def test_without_a_link_other_hours_of_that_day_leave_the_date_refused(refused):
    book(refused.others[0], refused.ekimae, make.period(13, 15))
    entry = join(refused.misaki, refused.ekimae, make.period(13, 15))
    cancel(Visit.objects.get(member=refused.others[0]))
    waiting.accept(actor=refused.misaki, code=offer_of(entry).code)

    assert states(refused.series)[0] == ("12-08", "refused", "seat_taken")


def test_dates_of_others_and_of_another_hub_stay_as_they_are(refused):
    theirs = confirm(refused.others[0], refused.ekimae, weeks=1)
    full_there = [make.make_member(f"八木 {n}", f"y{n}@demo.example", hub=refused.yagi) for n in range(4)]
    for one in full_there:
        book(one, refused.yagi)
    there = confirm(refused.misaki, refused.yagi, weeks=1)
    assert states(there) == [("12-08", "refused", "seat_taken")]

    accepted(refused, join(refused.misaki, refused.ekimae))

    assert (states(theirs), states(there)) == ([("12-08", "refused", "seat_taken")],) * 2


def moved_to_the_afternoon(refused: SimpleNamespace) -> Offer:
    """While an offer of the morning is open she gives the date other hours, and it is booked in the afternoon."""
    entry = joined_from(refused, make.period(9, 12), 180)
    cancel(refused.held)
    to = week.Change(hours=(time(13), time(15)))
    week.change(member=refused.misaki, code=refused.series.code, first=TUE, last=TUE, to=to)
    offer = offer_of(entry)
    assert offer is not None
    return offer


def test_date_that_was_booked_otherwise_meanwhile_keeps_its_visit(refused):
    offer = moved_to_the_afternoon(refused)

    visit = waiting.accept(actor=refused.misaki, code=offer.code).visit

    row = SeriesDate.objects.get(pk=refused.date.pk)
    assert (row.visit.starts_at, visit.starts_at, visit.status) == (make.at(13), make.at(9), "booked")
    assert differences() == []


def test_harm_a_date_that_is_not_looked_at_again_under_its_lock_loses_its_visit(refused, monkeypatch):
    stale = SeriesDate.objects.get(pk=refused.date.pk)
    offer = moved_to_the_afternoon(refused)
    monkeypatch.setattr(week_dates, "hold_for", lambda *_asked: stale)

    waiting.accept(actor=refused.misaki, code=offer.code)

    lost = Visit.objects.get(member=refused.misaki, starts_at=make.at(13))
    assert (lost.status, SeriesDate.objects.filter(visit=lost).count()) == ("booked", 0)


def test_series_page_leads_to_the_line_of_its_date(refused, as_):
    client = as_(refused.misaki)
    page = client.get(reverse("series_detail", args=[refused.series.code])).content.decode()
    link = page.partition(f'href="{reverse("wait")}')[2].partition('"')[0].replace("&amp;", "&")
    form = hidden(client.get(reverse("wait") + link))

    client.post(reverse("wait"), form | {"window": "exact", "where": "any"})

    assert WaitEntry.objects.get().series_date == refused.date


def test_series_of_somebody_else_is_no_link(refused, as_):
    form = {
        "hub": "ekimae",
        "d": TUE.isoformat(),
        "p": "own",
        "from": "09:00",
        "to": "12:00",
        "window": "exact",
    }

    as_(refused.others[0]).post(reverse("wait"), form | {"series": refused.series.code})

    entry = WaitEntry.objects.get()
    assert (entry.member, entry.series_date) == (refused.others[0], None)


# ---------------------------------------------------------------- closed, and open again


@pytest.fixture
def closed(cast: SimpleNamespace) -> SimpleNamespace:
    """Ekimae is closed on Tuesday and Thursday of next week; Misaki's and Kenta's usual weeks have both days in them."""
    for day in (NEXT_TUE, NEXT_THU):
        closures.add_closure(actor=cast.manager, hub=cast.ekimae, starts_on=day, ends_on=day, reason="工事")
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    cast.mine = confirm(cast.misaki, hub, days=[1, 3], children=[cast.yui])
    cast.theirs = confirm(cast.kenta, hub, days=[1, 3])
    for series in (cast.mine, cast.theirs):
        assert states(series)[2:] == [("12-15", "refused", "hub_closed"), ("12-17", "refused", "hub_closed")]
    tasks.run_pending()
    Notice.objects.all().delete()
    return cast


def open_again(cast: SimpleNamespace, day: date = NEXT_TUE) -> None:
    code = Closure.objects.get(starts_on=day).code
    closures.end_closure(hub=Hub.objects.get(pk=cast.ekimae.pk), code=code)


def told(now) -> list[tuple[str, str, list[str]]]:  # type: ignore[no-untyped-def]
    """Who was told what about which dates, a little later, by name."""
    now.shift(week.LAST_WORD + 1)
    tasks.run_pending()
    rows = Notice.objects.filter(topic="series").order_by("data__dates", "member__email")
    return [(row.member.name, row.title, row.data["dates"]) for row in rows.select_related("member")]


def test_tick_tries_a_closed_date_when_the_closure_is_taken_back(closed, now):
    open_again(closed)

    assert (tick.run(), tick.run()) == ([], [])

    for series in (closed.mine, closed.theirs):
        assert states(series)[2:] == [("12-15", "booked", ""), ("12-17", "refused", "hub_closed")]
    assert told(now) == [
        (name, "いつもの 1週間の 予約が できました", ["2026-12-15"])
        for name in ("山田 けんた", "山田 みさき")
    ]
    assert (differences(), oracle.differences()) == ([], [])


def test_second_date_of_the_week_that_opens_again_is_told_too(closed, now):
    open_again(closed)
    tick.run()
    assert len(told(now)) == 2
    open_again(closed, NEXT_THU)
    tick.run()

    assert [days for _name, _title, days in told(now)] == [["2026-12-15"]] * 2 + [["2026-12-17"]] * 2


def test_dates_that_open_again_together_are_told_together(closed, now):
    open_again(closed)
    open_again(closed, NEXT_THU)
    tick.run()

    assert [days for _name, _title, days in told(now)] == [["2026-12-15", "2026-12-17"]] * 2


def test_date_whose_zone_was_closed_is_tried_when_the_zone_opens(cast, now):
    talk = cast.ekimae.zones.get(slug="talk")
    for zone in cast.ekimae.zones.all():
        closures.add_closure(
            actor=cast.manager,
            hub=cast.ekimae,
            starts_on=NEXT_TUE,
            ends_on=NEXT_TUE,
            reason="床の 工事",
            zone=zone.code,
        )
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    there, anywhere = confirm(cast.misaki, hub, zone=talk), confirm(cast.kenta, hub)
    assert [states(series)[1] for series in (there, anywhere)] == [("12-15", "refused", "zone_closed")] * 2
    closures.end_closure(hub=hub, code=Closure.objects.exclude(zone=talk).get().code)
    tick.run()

    assert [states(series)[1][1] for series in (there, anywhere)] == ["refused", "booked"]
    closures.end_closure(hub=Hub.objects.get(pk=hub.pk), code=Closure.objects.get(zone=talk).code)
    tick.run()
    assert states(there)[1] == ("12-15", "booked", "")


def test_closed_date_stays_while_the_hub_is_closed(closed, now):
    tick.run()

    assert states(closed.mine)[2:] == [("12-15", "refused", "hub_closed"), ("12-17", "refused", "hub_closed")]
    assert told(now) == []


def test_reopened_date_that_is_full_by_now_is_told_with_other_times_once(closed, now):
    Seat.objects.filter(hub=closed.ekimae).exclude(label="A1").update(is_active=False)
    touch(closed.ekimae)
    open_again(closed)

    assert (tick.run(), tick.run()) == ([], [])

    assert [states(series)[2] for series in (closed.mine, closed.theirs)] == [
        ("12-15", "booked", ""), ("12-15", "refused", "seat_taken"),
    ]  # fmt: skip
    row = Notice.objects.get(member=closed.kenta, topic="series")
    assert (row.title, row.data["dates"]) == ("いつもの 1週間の 予約が できない日が あります", ["2026-12-15"])
    assert {offer["hub"] for offer in row.data["offers"]} >= {"ekimae"}


def test_date_closed_when_it_opened_is_told_again_when_it_is_full(closed, now):
    """Told as closed at first; what it is refused for now is other news."""
    before = f"series/{closed.theirs.code}/refused/2026-12-15/hub_closed"
    run_write(
        lambda: notices.tell(
            closed.kenta, week.TOPIC, event=before,
            data={"series": closed.theirs.code, "kind": "refused", "dates": ["2026-12-15"]},
        )
    )  # fmt: skip
    Seat.objects.filter(hub=closed.ekimae).exclude(label="A1").update(is_active=False)
    touch(closed.ekimae)
    open_again(closed)
    tick.run()

    assert Notice.objects.filter(member=closed.kenta, topic="series").count() == 2


def test_date_is_not_tried_when_it_is_too_late_to_say_no(closed, now):
    now.move_to(make.at(20, 0, NEXT_TUE - DAY))
    open_again(closed)
    tick.run()

    assert states(closed.mine)[2] == ("12-15", "refused", "hub_closed")


def test_closed_again_before_it_is_tried_is_no_news(closed, now):
    open_again(closed)
    stale = Hub.objects.get(pk=closed.ekimae.pk)
    facts_of(stale)
    closures.add_closure(
        actor=closed.manager, hub=closed.ekimae, starts_on=NEXT_TUE, ends_on=NEXT_TUE, reason="台風"
    )
    assert week.open_dates(stale) == 2

    assert states(closed.mine)[2] == ("12-15", "refused", "hub_closed")
    assert told(now) == []


def test_cancelling_from_a_date_on_takes_closed_dates_along(closed, now):
    """Else the tick would book what she has cancelled."""
    assert week.cancel(member=closed.misaki, code=closed.mine.code, first=TUE) == 4
    open_again(closed)
    tick.run()

    assert [state for _day, state, _code in states(closed.mine)] == ["cancelled"] * 4
    assert states(closed.theirs)[2] == ("12-15", "booked", "")
    assert Visit.objects.filter(member=closed.misaki, status="booked").count() == 0


def test_page_says_that_a_closed_date_will_be_tried_and_can_be_cancelled(closed, as_):
    client = as_(closed.misaki)
    week.cancel(member=closed.misaki, code=closed.mine.code, first=TUE, last=NEXT_TUE - DAY)

    card = client.get(reverse("series_detail", args=[closed.mine.code])).context["card"]

    assert card.can_cancel
    assert card.rows[2].sentence == "この日は お休みです（工事）。開くことに なったら 予約します。"


def test_tick_asks_once_where_no_closed_date_is_open(closed, django_assert_num_queries):
    hub = Hub.objects.get(pk=closed.ekimae.pk)
    facts_of(hub)

    with django_assert_num_queries(2):  # dates that wait, hours of closed ones
        assert week.open_dates(hub) == 0
