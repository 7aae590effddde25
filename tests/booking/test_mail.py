"""The mail about a visit: what it says, once per change, with the calendar file."""

import pytest
from django.core import mail

from hub.booking import services
from hub.booking.mail import send_visit_mail
from hub.core import tasks
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
    assert visit.code.lower() in message.extra_headers["Message-ID"]


def test_mail_after_the_deadline_asks_to_cancel_as_soon_as_it_is_known(cast, now):
    now.move_to(make.at(17, 1, make.TODAY))
    visit = book(cast)

    send_visit_mail(visit=visit.code, kind="booked", sequence=visit.sequence)

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

    send_visit_mail(visit=visit.code, kind=kind, sequence=visit.sequence)

    assert len(mail.outbox) == 1
    link = f"/en/visits/{visit.code}/" if language == "en" else f"/visits/{visit.code}/"
    assert link in str(mail.outbox[0].body)
