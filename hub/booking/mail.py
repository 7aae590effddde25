"""What people are told about a visit: booked, moved, cancelled. The words of the notices' topic "visit"."""

from datetime import time, timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from hub.booking.calendar import describe, invitation_ics, method_of
from hub.booking.rules import change_deadline
from hub.childcare.models import CarePlace
from hub.core import clock, links
from hub.core.db import run_write
from hub.core.quarters import local
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.models import Seat, Visit

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
    row = Visit.objects.select_related("hub", "member", "seat").filter(code=data["visit"]).first()
    if row is None or row.sequence != data["sequence"]:
        return None
    return _words(row, data["kind"])


def _titles() -> dict[str, str]:
    return {
        "booked": _("予約できました"),
        "moved": _("予約を 変えました"),
        "cancelled": _("予約を やめました"),
        "cancelled_by_hub": _("ハブの 都合で 予約が 中止に なりました"),
        "released": _("席を ほかの人に ゆずりました"),
    }


def _words(row: Visit, kind: str) -> Message:
    title, language = _titles()[kind], translation.get_language() or "ja"
    deadline = change_deadline(row)
    context = {
        **about(row),
        "kind": kind,
        "title": title,
        "grace": row.hub.grace_minutes,
        "deadline": deadline.astimezone(row.hub.tz),
        "late": clock.now() > deadline,
    }
    return Message(
        title=title,
        text=render_to_string("booking/mail/visit_line.txt", context).strip(),
        path=reverse("visit_detail", args=[row.code]),
        body=render_to_string("booking/mail/visit.txt", context),
        attachments=(
            ("hidamari.ics", invitation_ics(row, language), f"text/calendar; method={method_of(row)}"),
        ),
    )


def about(visit: Visit) -> dict[str, Any]:
    """What every message about a visit names, in the active language."""
    language = translation.get_language() or "ja"
    hub = visit.hub
    return {
        "visit": visit,
        "hub_name": (hub.name_en or hub.name) if language.startswith("en") else hub.name,
        "period": visit.period.in_zone(hub.tz),
        "lines": describe(visit),
        "link": links.absolute("visit_detail", visit.code, language=language),
        "product_name": settings.PRODUCT_NAME,
    }


# ---------------------------------------------------------------- for the page on which staff read the words


def made_up_visit() -> Visit:
    """A visit of nobody, not in the database: tomorrow from 9:30 to 12:30, with one child."""
    hub = made_up.hub()
    tomorrow = clock.today(hub.tz) + timedelta(days=1)
    visit = Visit(
        code="EXAMPLE000",
        hub=hub,
        member=made_up.member(),
        seat=Seat(label="A3"),
        starts_at=local(tomorrow, time(9, 30), hub.tz),
        ends_at=local(tomorrow, time(12, 30), hub.tz),
    )
    visit.booked_places = [CarePlace()]  # type: ignore[attr-defined]  # as `queries.with_places` leaves them
    return visit


def examples() -> list[Example]:
    """Each kind of message about a visit."""
    visit = made_up_visit()
    return [Example(title, _words(visit, kind)) for kind, title in _titles().items()]
