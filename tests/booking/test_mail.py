"""The mail about a visit: what it says, once per change, with the calendar file."""

import pytest
from django.core import mail
from django_tasks_db.models import DBTaskResult

from hub.booking import services
from hub.booking.mail import tell_visit
from hub.core import tasks
from hub.notices.models import Notice
from tests import factories as make


def book(cast):
    wish = make.request_for(cast.misaki, cast.ekimae, seat=None, children=[cast.haru, cast.yui])
    return services.book_visit(actor=cast.misaki, request=wish).visit


def test_booking_sends_one_mail_with_hours_children_and_calendar(cast):
    visit = book(cast)
    tasks.run_pending()
    tasks.run_pending()

    assert [message.to for message in mail.outbox] == [["misaki@demo.example"]]
    message = mail.outbox[0]
    assert message.subject == "予約できました | ひだまり"
    assert "12月8日（火） 9:30 – 12:30" in str(message.body)
    assert [name for name, _content, _kind in message.attachments] == ["hidamari.ics"]
    notice = Notice.objects.get(member=cast.misaki)
    assert message.extra_headers["Message-ID"] == f"<{notice.code.lower()}@hidamari>"
    assert (notice.title, notice.path) == ("予約できました", f"/visits/{visit.code}/")
    assert notice.text == "駅前ハブ 12月8日（火） 9:30 – 12:30"


def test_mail_after_the_deadline_asks_to_cancel_as_soon_as_it_is_known(cast, now):
    now.move_to(make.at(17, 1, make.TODAY))
    visit = book(cast)

    tell_visit(visit=visit.code, kind="booked", sequence=visit.sequence)
    tasks.run_pending()

    lines = str(mail.outbox[0].body).splitlines()
    assert [line for line in lines if "やめ" in line] == [
        "来られなくなったら、わかったときに やめてください。お金は かかりません。"
    ]


@pytest.mark.parametrize("kind", ["booked", "moved", "cancelled", "cancelled_by_hub", "released"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_kind_of_mail_renders_in_both_languages(cast, kind, language):
    visit = book(cast)
    cast.misaki.language = language
    cast.misaki.save(update_fields=["language"])

    DBTaskResult.objects.all().delete()  # the booking's own notice
    tell_visit(visit=visit.code, kind=kind, sequence=visit.sequence)
    tasks.run_pending()

    assert len(mail.outbox) == 1
    link = f"/en/visits/{visit.code}/" if language == "en" else f"/visits/{visit.code}/"
    assert link in str(mail.outbox[0].body)
