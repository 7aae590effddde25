"""The reminder of tomorrow's visit: before the deadline, once, in both languages, and not for what was just confirmed."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub import tick
from hub.booking import reminders, rules, services
from hub.core import tasks
from hub.notices.enums import Kind
from hub.notices.models import Notice
from hub.spaces.models import Hub, Visit
from tests import factories as make

DUE = make.at(14, 0, make.TODAY)  # three hours before 17:00


def book(cast: Any, start: float = 9.5, end: float = 12.5, **more: Any) -> Visit:
    wish = make.request_for(cast.misaki, cast.ekimae, make.period(start, end), **more)
    return services.book_visit(actor=cast.misaki, request=wish).visit


def remind(now: Any, moment: datetime, hub: Hub) -> int:
    now.move_to(moment)
    return reminders.remind(hub)


def reminded() -> list[str]:
    return list(Notice.objects.filter(kind=Kind.REMINDER).values_list("event", flat=True))


def test_reminder_comes_once_three_hours_before_the_deadline(cast: Any, now: Any) -> None:
    visit = book(cast)
    assert remind(now, DUE - timedelta(minutes=1), cast.ekimae) == 0
    assert remind(now, DUE, cast.ekimae) == 1
    assert remind(now, DUE + timedelta(hours=1), cast.ekimae) == 0
    assert reminded() == [f"reminder/{visit.code}/2026-12-08"]


def test_tick_sends_it_and_it_names_place_time_and_until_when(cast: Any, now: Any) -> None:
    visit = book(cast, children=[cast.haru])
    tasks.run_pending()
    mail.outbox.clear()
    now.move_to(DUE)
    assert tick.run() == []
    tasks.run_pending()
    message = mail.outbox[0]
    assert message.subject == "あすの 予約です | ひだまり"
    for line in (
        "12月8日（火） 9:30 – 12:30",
        "変えるときや やめるときは、12月7日（月） 17:00 までに お願いします。",
        f"http://localhost:8000/visits/{visit.code}/",
        "預かり 1人",
    ):
        assert line in str(message.body).splitlines()
    notice = Notice.objects.get(kind=Kind.REMINDER)
    assert notice.text == "駅前ハブ 12月8日（火） 9:30 – 12:30・変えるときは 12月7日（月） 17:00 までに"
    assert notice.path == f"/visits/{visit.code}/"
    assert "はる" not in str(message.body) + notice.title + notice.text


def test_reminder_in_english(cast: Any, now: Any) -> None:
    cast.misaki.language = "en"
    cast.misaki.save()
    book(cast)
    remind(now, DUE, cast.ekimae)
    notice = Notice.objects.get(kind=Kind.REMINDER)
    assert notice.title == "Your visit is tomorrow"
    assert "Mon 7 Dec 17:00" in notice.text
    assert notice.path.startswith("/en/visits/")


def test_visit_booked_or_moved_after_that_moment_was_just_confirmed(cast: Any, now: Any) -> None:
    visit = book(cast)
    now.move_to(DUE)
    book(cast, 14, 15)
    services.move_visit(
        actor=cast.misaki,
        code=visit.code,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(10, 12)),
    )
    assert remind(now, DUE + timedelta(minutes=1), cast.ekimae) == 0


def test_cancelled_visit_and_the_one_of_another_day_and_hub_are_left_out(cast: Any, now: Any) -> None:
    visit = book(cast)
    later = make.period(10, 12, make.TODAY + timedelta(days=2))
    services.book_visit(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, later))
    services.book_visit(
        actor=cast.kenta, request=make.request_for(cast.kenta, cast.yagi, make.period(10, 12))
    )
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    assert remind(now, DUE, cast.ekimae) == 0


def test_after_the_deadline_nothing_is_said(cast: Any, now: Any) -> None:
    """The tick was away all afternoon: "change it by 17:00" would be of no use."""
    book(cast)
    assert remind(now, make.at(17, 0, make.TODAY), cast.ekimae) == 0


def test_moved_to_another_day_it_is_reminded_of_for_that_day(cast: Any, now: Any) -> None:
    visit = book(cast)
    remind(now, DUE, cast.ekimae)
    day = make.TODAY + timedelta(days=2)
    services.move_visit(
        actor=cast.misaki, code=visit.code,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(10, 12, day)),
    )  # fmt: skip
    assert remind(now, DUE + timedelta(days=1), cast.ekimae) == 1
    assert reminded() == [f"reminder/{visit.code}/2026-12-08", f"reminder/{visit.code}/2026-12-09"]


def test_cancelled_before_the_mail_left_it_does_not_leave(cast: Any, now: Any) -> None:
    visit = book(cast)
    remind(now, DUE, cast.ekimae)
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    mail.outbox.clear()
    tasks.run_pending()
    assert "あすの 予約です | ひだまり" not in [message.subject for message in mail.outbox]


@pytest.mark.parametrize(
    ("deadline", "leaves"),
    [
        (time(17), make.at(14, 0, make.TODAY)), (time(12), make.at(9, 0, make.TODAY)), (time(23, 30), make.at(20, 30, make.TODAY)),
        (time(9), make.at(7, 0, make.TODAY)), (time(8), make.at(7, 0, make.TODAY)),
        (time(7, 30), make.at(20, 0, make.TODAY - timedelta(days=1))),
        (time(6), make.at(20, 0, make.TODAY - timedelta(days=1))), (time(0), make.at(20, 0, make.TODAY - timedelta(days=1))),
    ],
)  # fmt: skip
def test_it_leaves_before_the_deadline_and_never_at_night(
    cast: Any, deadline: time, leaves: datetime
) -> None:
    cast.ekimae.change_deadline = deadline
    assert reminders.remind_at(cast.ekimae, make.TOMORROW) == leaves
    assert leaves <= rules.deadline_of(cast.ekimae, make.TOMORROW) - timedelta(hours=1)


def test_evening_before_says_the_day_after_tomorrow(cast: Any, now: Any) -> None:
    Hub.objects.filter(pk=cast.ekimae.pk).update(change_deadline=time(6))
    hub = Hub.objects.get(pk=cast.ekimae.pk)
    day = make.TODAY + timedelta(days=2)
    wish = make.request_for(cast.misaki, hub, make.period(10, 12, day))
    services.book_visit(actor=cast.misaki, request=wish)
    assert remind(now, make.at(20, 0, make.TODAY), hub) == 1
    assert Notice.objects.get(kind=Kind.REMINDER).title == "あさっての 予約です"


def test_quiet_afternoon_asks_the_same_however_many_visits_there_are(cast: Any, now: Any) -> None:
    book(cast)
    remind(now, DUE, cast.ekimae)

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert reminders.remind(cast.ekimae) == 0
        return len(asked)

    one = count()
    book(cast, 13, 14)
    book(cast, 14, 15)
    assert (one, count()) == (1, 1)
