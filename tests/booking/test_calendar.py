"""Calendar feeds and the files of mails: what programs read of them, and what nobody reads."""

import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from icalendar import Calendar

from hub.booking import feeds, services
from hub.booking.models import CalendarFeed
from hub.core import tasks
from hub.core.errors import DomainError
from hub.core.logs import HideKeys
from hub.spaces.enums import MembershipStatus
from hub.spaces.models import Membership, Visit
from tests import factories as make


def book(cast: Any, member: Any = None, hours: tuple[float, float] = (9.5, 12.5), **wish: Any) -> Visit:
    who = member or cast.misaki
    request = make.request_for(who, cast.ekimae, make.period(*hours), **wish)
    return services.book_visit(actor=who, request=request).visit


def read(secret: str, **headers: str) -> Any:
    return Client(headers=headers).get(f"/calendar/{secret}.ics")


def events(secret: str) -> dict[str, Any]:
    answer = read(secret)
    assert answer.status_code == 200
    return {str(one["uid"]): one for one in Calendar.from_ical(answer.content).walk("VEVENT")}


# ---------------------------------------------------------------- what a feed holds


def test_feed_shows_only_when_unless_asked_otherwise(cast: Any) -> None:
    book(cast, children=[cast.haru])
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    text = read(secret).content.decode()
    canary = ["はる", "駅前", "A1", "misaki", "みさき", "http", "預かり"]
    assert [word for word in canary if word in text] == []
    [event] = events(secret).values()
    assert (str(event["summary"]), event["dtstart"].dt, event["dtend"].dt) == (
        "予定あり",
        make.at(9, 30),
        make.at(12, 30),
    )


def test_feed_with_details_says_where_and_names_no_child(cast: Any) -> None:
    visit = book(cast, children=[cast.haru, cast.yui])
    _feed, secret = feeds.new_feed(cast.misaki, "家", with_details=True)
    [event] = events(secret).values()
    assert str(event["summary"]) == "駅前ハブに 行く"
    assert "預かり 2人" in str(event["description"])
    assert visit.code in str(event["url"])
    assert [word for word in ("はる", "ゆい") if word in read(secret).content.decode()] == []


def test_zone_of_the_hub_is_in_the_file(cast: Any) -> None:
    book(cast)
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    zones = Calendar.from_ical(read(secret).content).walk("VTIMEZONE")
    assert [str(zone["tzid"]) for zone in zones] == ["Asia/Tokyo"]


def test_change_keeps_the_uid_and_counts_up_and_cancelling_says_so(cast: Any) -> None:
    visit = book(cast)
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    uid = f"{visit.code.lower()}@hidamari"
    assert (events(secret)[uid]["sequence"], str(events(secret)[uid]["status"])) == (0, "CONFIRMED")
    services.move_visit(
        actor=cast.misaki, code=visit.code, request=make.request_for(cast.misaki, cast.ekimae, make.period(13, 15))
    )  # fmt: skip
    moved = events(secret)[uid]
    assert (moved["sequence"], moved["dtstart"].dt) == (1, make.at(13))
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    assert (events(secret)[uid]["sequence"], str(events(secret)[uid]["status"])) == (2, "CANCELLED")


def test_feed_of_a_seat_holds_that_seat_and_names_nobody(cast: Any) -> None:
    seats = list(cast.ekimae.seats.order_by("pk"))
    mine, other = book(cast, seat=seats[0]), book(cast, cast.kenta, seat=seats[1])
    _feed, secret = feeds.new_feed(cast.manager, "扉の 画面", hub=cast.ekimae, seat=seats[0])
    assert [str(one["summary"]) for one in events(secret).values()] == [seats[0].label]
    _all, whole = feeds.new_feed(cast.manager, "ぜんぶ", hub=cast.ekimae, with_details=True)
    assert {str(one["summary"]) for one in events(whole).values()} == {
        f"{seats[0].label} {mine.member.name}",
        f"{seats[1].label} {other.member.name}",
    }


@pytest.mark.parametrize("n", [1, 3])
def test_feed_takes_as_many_queries_for_three_visits_as_for_one(
    cast: Any, n: int, django_assert_num_queries: Any
) -> None:
    for start in range(n):
        book(cast, hours=(9 + 2 * start, 10 + 2 * start))
    _feed, secret = feeds.new_feed(cast.misaki, "家", with_details=True)
    read(secret)
    with django_assert_num_queries(3):
        read(secret)


# ---------------------------------------------------------------- asking again


def test_same_visits_give_304_and_a_change_does_not(cast: Any, now: Any) -> None:
    visit = book(cast)
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    first = read(secret)
    now.shift(timedelta(minutes=10))
    again = read(secret, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    assert read(secret, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_answer_keeps_its_address_to_itself(cast: Any, caplog: pytest.LogCaptureFixture) -> None:
    feed, secret = feeds.new_feed(cast.misaki, "家")
    answer = read(secret)
    feeds.revoke(cast.misaki, feed.code)
    read(secret)
    [console] = [
        one for one in logging.getLogger().handlers if any(isinstance(f, HideKeys) for f in one.filters)
    ]
    record = logging.LogRecord(
        "django.request", logging.WARNING, "", 0, "Not Found: %s", (f"/calendar/{secret}.ics",), None
    )
    assert secret in console.format(record)  # the harm: what a log without the filter holds
    console.filter(record)
    assert console.format(record) == "WARNING django.request Not Found: /calendar/***.ics"
    assert secret not in caplog.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert CalendarFeed.objects.get().token_hash == hashlib.sha256(secret.encode()).hexdigest()


# ---------------------------------------------------------------- who reads it


def test_revoked_and_renewed_addresses_are_dead_at_once(cast: Any) -> None:
    feed, secret = feeds.new_feed(cast.misaki, "家")
    renewed = feeds.renew(cast.misaki, feed.code)
    assert renewed is not None
    assert (read(secret).status_code, read(renewed[1]).status_code) == (404, 200)
    assert feeds.revoke(cast.misaki, feed.code)
    assert read(renewed[1]).status_code == 404
    assert feeds.renew(cast.misaki, feed.code) is None


def test_feed_that_nobody_read_for_half_a_year_is_dead(cast: Any, now: Any) -> None:
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    now.shift(feeds.UNUSED)
    assert read(secret).status_code == 200  # and that was a use
    now.shift(feeds.UNUSED + timedelta(days=1))
    assert read(secret).status_code == 404


@pytest.mark.parametrize("status", [MembershipStatus.ENDED, MembershipStatus.BLOCKED])
def test_hub_feed_ends_with_the_role(cast: Any, status: str) -> None:
    _feed, secret = feeds.new_feed(cast.manager, "ぜんぶ", hub=cast.ekimae)
    assert read(secret).status_code == 200
    Membership.objects.filter(member=cast.manager, role="manager").update(status=status)
    assert read(secret).status_code == 404


def test_feed_of_somebody_who_left_is_dead(cast: Any) -> None:
    _feed, secret = feeds.new_feed(cast.misaki, "家")
    cast.misaki.is_active = False
    cast.misaki.save()
    assert read(secret).status_code == 404


@pytest.mark.parametrize("secret", ["x", "%00", "a" * 200, "../../etc"])
def test_nonsense_is_not_found(db: None, secret: str) -> None:
    assert read(secret).status_code == 404


def test_sixth_address_is_refused(cast: Any) -> None:
    for n in range(feeds.MOST):
        feeds.new_feed(cast.misaki, f"{n}")
    with pytest.raises(DomainError) as refusal:
        feeds.new_feed(cast.misaki, "more")
    assert refusal.value.code == "too_many_feeds"


def test_database_refuses_a_seat_without_its_hub(cast: Any) -> None:
    with pytest.raises(IntegrityError, match="feed_seat_of_hub"), transaction.atomic():
        CalendarFeed.objects.create(
            member=cast.manager, seat=cast.ekimae.seats.first(), token_hash="x", label="x"
        )


# ---------------------------------------------------------------- pages


def test_address_is_shown_once(as_: Any, cast: Any) -> None:
    client = as_(cast.misaki)
    page = client.post("/me/calendar/", {"label": "家"})
    secret = page.context["address"].rpartition("/")[2].removesuffix(".ics")
    assert read(secret).status_code == 200
    assert secret in page.content.decode()
    assert secret not in client.get("/me/calendar/").content.decode()


def test_label_is_needed_and_nothing_is_made(as_: Any, cast: Any) -> None:
    page = as_(cast.misaki).post("/me/calendar/", {"label": ""})
    assert (page.status_code, CalendarFeed.objects.count()) == (422, 0)
    assert "なまえを 入れてください" in page.content.decode()


def test_renewing_on_the_page_shows_the_new_address(as_: Any, cast: Any) -> None:
    feed, old = feeds.new_feed(cast.misaki, "家")
    page = as_(cast.misaki).post(f"/me/calendar/{feed.code}/renew/")
    secret = page.context["address"].rpartition("/")[2].removesuffix(".ics")
    assert (read(old).status_code, read(secret).status_code) == (404, 200)


@pytest.mark.parametrize("path", ["revoke", "renew"])
def test_stranger_touches_no_feed(as_: Any, cast: Any, path: str) -> None:
    feed, secret = feeds.new_feed(cast.misaki, "家")
    assert as_(cast.stranger).post(f"/me/calendar/{feed.code}/{path}/").status_code == 404
    assert read(secret).status_code == 200


def test_manager_makes_one_of_a_seat_of_her_own_hub_only(as_: Any, cast: Any) -> None:
    mine, foreign = cast.ekimae.seats.first(), cast.yagi.seats.first()
    client = as_(cast.manager)
    page = client.post("/desk/ekimae/calendars/", {"label": "扉", "seat": foreign.pk})
    assert (page.status_code, CalendarFeed.objects.count()) == (422, 0)
    client.post("/desk/ekimae/calendars/", {"label": "扉", "seat": mine.pk})
    assert CalendarFeed.objects.get().seat == mine
    assert client.get("/desk/yagi/calendars/").status_code == 404


# ---------------------------------------------------------------- mails


def test_mails_of_a_visit_are_request_update_and_cancel(cast: Any) -> None:
    visit = book(cast)
    tasks.run_pending()
    services.move_visit(
        actor=cast.misaki, code=visit.code, request=make.request_for(cast.misaki, cast.ekimae, make.period(13, 15))
    )  # fmt: skip
    tasks.run_pending()
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    tasks.run_pending()
    found = []
    for message in mail.outbox:
        [part] = [one for one in message.message().walk() if one.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        [event] = calendar.walk("VEVENT")
        assert str(calendar["method"]) == part.get_param("method")
        assert str(event["attendee"]) == "mailto:misaki@demo.example"
        assert event["attendee"].params["PARTSTAT"] == "ACCEPTED"
        assert str(event["organizer"]).startswith("mailto:")
        found.append((str(calendar["method"]), event["sequence"], str(event["status"]), str(event["uid"])))
    uid = f"{visit.code.lower()}@hidamari"
    assert found == [
        ("REQUEST", 0, "CONFIRMED", uid), ("REQUEST", 1, "CONFIRMED", uid), ("CANCEL", 2, "CANCELLED", uid),
    ]  # fmt: skip
