"""Mails about a visit, sent by the task queue. Safe to run twice: the Message-ID is the visit and its sequence."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from hub.booking.calendar import describe, visit_ics
from hub.booking.no_show import GRACE_MINUTES
from hub.booking.rules import change_deadline
from hub.core import clock, links
from hub.spaces.models import Visit


def send_visit_mail(*, visit: str, kind: str, sequence: int) -> None:
    """Tell the member: ``kind`` is booked, moved, cancelled, cancelled_by_hub or released (nobody came, the seat was given on).

    A mail of an older sequence is left out: the newer change has its own.
    """
    row = Visit.objects.select_related("hub", "member", "seat").get(code=visit)
    if not row.member.email or row.sequence != sequence:
        return
    language = row.member.language
    with translation.override(language):
        subjects = {
            "booked": _("予約できました"),
            "moved": _("予約を 変えました"),
            "cancelled": _("予約を やめました"),
            "cancelled_by_hub": _("ハブの 都合で 予約が 中止に なりました"),
            "released": _("席を ほかの人に ゆずりました"),
        }
        hub = row.hub
        deadline = change_deadline(row)
        context = {
            "visit": row,
            "kind": kind,
            "title": subjects[kind],
            "hub_name": (hub.name_en or hub.name) if language.startswith("en") else hub.name,
            "period": row.period.in_zone(hub.tz),
            "lines": describe(row),
            "link": links.absolute("visit_detail", row.code, language=language),
            "grace": GRACE_MINUTES,
            "deadline": deadline.astimezone(hub.tz),
            "late": clock.now() > deadline,
            "product_name": settings.PRODUCT_NAME,
        }
        message = EmailMessage(
            subject=f"{subjects[kind]} | {settings.PRODUCT_NAME}",
            body=render_to_string("booking/mail/visit.txt", context),
            to=[row.member.email],
            headers={"Message-ID": f"<{row.code.lower()}.{sequence}@hidamari>"},
        )
        message.attach("hidamari.ics", visit_ics(row, language), "text/calendar")
    message.send()
