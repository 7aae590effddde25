"""What people are told about a visit: booked, moved, cancelled. The words of the notices' topic "visit"."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.booking.calendar import describe, visit_ics
from hub.booking.rules import change_deadline
from hub.core import clock, links
from hub.core.db import run_write
from hub.notices import services as notices
from hub.notices.topics import Message
from hub.spaces.models import Visit

TOPIC = "visit"
#: Changes that her own hand (or the telephone call that she made) brought about: the answer comes at once.
OWN = ("booked", "moved", "cancelled")
SOON = timedelta(hours=24)  # what the hub takes back at such short notice may ring at night


def tell_visit(*, visit: str, kind: str, sequence: int) -> None:
    """Tell the member: ``kind`` is booked, moved, cancelled, cancelled_by_hub or released (nobody came, the seat was given on).

    A change of an older sequence is left out: the newer one is told by its own task.
    """
    row = Visit.objects.select_related("member").get(code=visit)
    own = kind in OWN
    urgent = kind == "cancelled_by_hub" and row.starts_at - clock.now() < SOON
    data = {"visit": visit, "kind": kind, "sequence": sequence}
    event = f"visit/{visit}/{sequence}"
    run_write(lambda: notices.tell(row.member, TOPIC, event=event, data=data, urgent=urgent, own=own))


def compose(data: dict[str, Any]) -> Message | None:
    """The words in the active language, with the calendar file; None when the visit has changed since."""
    kind = data["kind"]
    row = Visit.objects.select_related("hub", "member", "seat").filter(code=data["visit"]).first()
    if row is None or row.sequence != data["sequence"]:
        return None
    titles = {
        "booked": _("予約できました"),
        "moved": _("予約を 変えました"),
        "cancelled": _("予約を やめました"),
        "cancelled_by_hub": _("ハブの 都合で 予約が 中止に なりました"),
        "released": _("席を ほかの人に ゆずりました"),
    }
    language = translation.get_language() or "ja"
    hub = row.hub
    deadline = change_deadline(row)
    context = {
        "visit": row,
        "kind": kind,
        "title": titles[kind],
        "hub_name": (hub.name_en or hub.name) if language.startswith("en") else hub.name,
        "period": row.period.in_zone(hub.tz),
        "lines": describe(row),
        "link": links.absolute("visit_detail", row.code, language=language),
        "grace": hub.grace_minutes,
        "deadline": deadline.astimezone(hub.tz),
        "late": clock.now() > deadline,
        "product_name": settings.PRODUCT_NAME,
    }
    return Message(
        title=titles[kind],
        text=render_to_string("booking/mail/visit_line.txt", context).strip(),
        path=reverse("visit_detail", args=[row.code]),
        body=render_to_string("booking/mail/visit.txt", context),
        attachments=(("hidamari.ics", visit_ics(row, language), "text/calendar"),),
    )
