"""Tomorrow's visit: a reminder while changing it is still early, once per visit and day. Words of the topic "reminder".

It leaves three hours before the hub's change deadline, so that there is time to think and the place can still go to
somebody else. Visits that were booked or moved after that moment were just confirmed: nothing is said about them.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from hub.booking.mail import about, made_up_visit
from hub.booking.rules import change_deadline, deadline_of
from hub.core import clock
from hub.core.db import run_write
from hub.core.quarters import local
from hub.notices import quiet
from hub.notices import services as notices
from hub.notices.models import Notice
from hub.notices.topics import Example, Message
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit

TOPIC = "reminder"
BEFORE = timedelta(hours=3)  # before the deadline
AT_LEAST = timedelta(hours=1)  # less is no time to change anything
EVENING = time(20)  # where the deadline is too early in the morning for a reminder of the same day


def remind_at(hub: Hub, day: date) -> datetime:
    """When the reminder of a visit that ends on ``day`` leaves: always before the deadline, never in quiet hours."""
    deadline = deadline_of(hub, day)
    moment = quiet.not_before(deadline - BEFORE)
    if moment <= deadline - AT_LEAST:
        return moment
    return local(deadline.astimezone(hub.tz).date() - timedelta(days=1), EVENING, hub.tz)


def remind(hub: Hub) -> int:
    """Tell everybody of ``hub`` whose reminder is due; returns how many were told. Safe to run at any moment, by several."""
    now = clock.now()
    today = now.astimezone(hub.tz).date()
    told = 0
    for day in (today + timedelta(days=n) for n in (1, 2)):
        moment = remind_at(hub, day)
        if moment <= now < deadline_of(hub, day):
            told += sum(_tell(visit, day, moment) for visit in _untold(hub, day, moment))
    return told


def _event(code: str, day: date) -> str:
    return f"reminder/{code}/{day.isoformat()}"


def _untold(hub: Hub, day: date, moment: datetime) -> list[str]:
    """Codes of booked visits of ``day`` (each lies in one local day) that were there before ``moment``, and whose members were not told."""
    event = Concat(Value("reminder/"), OuterRef("code"), Value(f"/{day.isoformat()}"))
    rows = Visit.objects.filter(
        ~Exists(Notice.objects.filter(member=OuterRef("member"), event=event)),
        hub=hub, status=VisitStatus.BOOKED, changed_at__lt=moment,
        starts_at__gte=local(day, time(0), hub.tz), starts_at__lt=local(day + timedelta(days=1), time(0), hub.tz),
    )  # fmt: skip
    return list(rows.order_by("starts_at", "pk").values_list("code", flat=True))


def _tell(code: str, day: date, moment: datetime) -> bool:
    def work() -> bool:
        visit = Visit.objects.select_related("member").filter(code=code).first()
        if visit is None or visit.changed_at >= moment:  # moved meanwhile: that was confirmed
            return False
        data = {"visit": code, "day": day.isoformat()}
        return notices.tell(visit.member, TOPIC, event=_event(code, day), data=data) is not None

    return run_write(work)


def compose(data: dict[str, Any]) -> Message | None:
    """The words in the active language; None when the visit is no longer booked for that day, or has begun."""
    row = Visit.objects.select_related("hub", "member", "seat").filter(code=data["visit"]).first()
    if row is None or row.status != VisitStatus.BOOKED or row.starts_at <= clock.now():
        return None
    if _day_of(row).isoformat() != data["day"]:
        return None
    return _words(row)


def _day_of(visit: Visit) -> date:
    """The day on which a visit ends, as the deadline counts."""
    return visit.ends_at.astimezone(visit.hub.tz).date()


def _words(row: Visit) -> Message:
    now, deadline = clock.now(), change_deadline(row).astimezone(row.hub.tz)
    days = (row.starts_at.astimezone(row.hub.tz).date() - now.astimezone(row.hub.tz).date()).days
    title = {0: _("きょうの 予約です"), 1: _("あすの 予約です")}.get(days, _("あさっての 予約です"))
    context = {**about(row), "deadline": deadline, "late": now > deadline, "title": title}
    return Message(
        title=title,
        text=render_to_string("booking/mail/reminder_line.txt", context).strip(),
        path=reverse("visit_detail", args=[row.code]),
        body=render_to_string("booking/mail/reminder.txt", context),
    )


def examples() -> list[Example]:
    """The reminder of tomorrow's visit."""
    return [Example(_("あすの 予約"), _words(made_up_visit()))]
