"""A usual week and the waiting list: what is accepted becomes the date that was full; closed dates that open again."""

from datetime import time, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from hub.booking import waiting, week, week_dates
from hub.booking.models import Offer, WaitEntry
from hub.booking.models_week import Series, SeriesDate
from hub.invariants import differences
from hub.spaces.models import Visit
from tests import factories as make
from tests import oracle
from tests.booking.test_pages import hidden
from tests.booking.test_waiting import book, cancel, full, join, offer_of
from tests.booking.usual import pattern, states

__all__ = ["full"]  # the fixture

DAY = timedelta(days=1)
TUE = make.TOMORROW
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
