"""Visits as iCalendar (RFC 5545): stable UID, growing SEQUENCE, cancelled events, VTIMEZONE. No child's name in any of it.

A file of one visit is what a mail carries (iTIP, RFC 5546: REQUEST, or CANCEL); a feed is what a program asks for again
and again, so the same visits give the same bytes.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress

from hub.booking.templatetags.booking import in_language, named
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace
from hub.core import links
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Visit

#: Programs ask no more often than this, if they listen (RFC 7986).
REFRESH = timedelta(hours=1)


def uid_of(visit: Visit) -> str:
    """The UID of the event: the same for as long as the visit exists, in every file and feed."""
    return f"{visit.code.lower()}@hidamari"


def stands(visit: Visit) -> bool:
    """Whether the visit is to be seen as taking (or having taken) place."""
    return visit.is_live or visit.status == VisitStatus.DONE


def _bare(visit: Visit) -> Event:
    """When, and in which version. What it is about is the caller's."""
    event = Event()
    event.add("uid", uid_of(visit))
    event.add("sequence", visit.sequence)
    event.add("dtstamp", visit.changed_at)
    event.add("last-modified", visit.changed_at)
    event.add("dtstart", visit.starts_at.astimezone(visit.hub.tz))
    event.add("dtend", visit.ends_at.astimezone(visit.hub.tz))
    event.add("status", "CONFIRMED" if stands(visit) else "CANCELLED")
    return event


def event_of(visit: Visit, language: str) -> Event:
    """The visit with place, link and words, as its member reads it. ``language`` must be active."""
    hub = visit.hub
    event = _bare(visit)
    event.add("summary", _("%(hub)sに 行く") % {"hub": named(hub)})
    event.add("location", in_language(hub, "address"))
    event.add("url", links.absolute("visit_detail", visit.code, language=language))
    event.add("description", "\n".join(describe(visit)))
    return event


def busy_event(visit: Visit) -> Event:
    """When somebody is busy, and nothing else: what a shared calendar may show."""
    event = _bare(visit)
    event.add("summary", _("予定あり"))
    event.add("class", "PRIVATE")
    return event


def seat_event(visit: Visit, *, who: bool) -> Event:
    """A seat in use, for the calendar of a hub: its label, and with ``who`` the member's name."""
    event = _bare(visit)
    seat = visit.seat.label if visit.seat else _("席なし")
    event.add("summary", f"{seat} {visit.member.name}" if who else seat)
    event.add("class", "PRIVATE")
    return event


def calendar_of(events: Iterable[Event], *, name: str = "", method: str = "") -> bytes:
    """A calendar of ``events`` with the zones that they need. The same events give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.PRODUCT_NAME}//visits//")
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    if name:
        calendar.add("name", name)
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def visit_ics(visit: Visit, language: str | None = None) -> bytes:
    """The visit as a file to be kept, in ``language`` (the member's when not given)."""
    return visits_ics([visit], language or visit.member.language)


def visits_ics(visits: Iterable[Visit], language: str) -> bytes:
    """Visits as one file, an event each: a later file of one of them updates its event."""
    with translation.override(language):
        return calendar_of(event_of(visit, language) for visit in visits)


def method_of(visit: Visit) -> str:
    """What a mail about the visit asks of a calendar (RFC 5546 3.2)."""
    return "REQUEST" if stands(visit) else "CANCEL"


def invitation_ics(visit: Visit, language: str) -> bytes:
    """The visit as a message to the member's calendar: put it in, change it, or take it out (RFC 5546).

    She booked it herself, so she has accepted, and no answer is asked for. ``language`` must be active.
    """
    event = event_of(visit, language)
    organizer = vCalAddress(f"mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].rstrip('>')}")
    organizer.params["CN"] = named(visit.hub)
    event["organizer"] = organizer
    attendee = vCalAddress(f"mailto:{visit.member.email}")
    attendee.params["CN"] = visit.member.name
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    event.add("attendee", attendee)
    return calendar_of([event], method=method_of(visit))


def describe(visit: Visit) -> list[str]:
    """Seat, number of children, the visit's number and the telephone, in the active language."""
    lines = []
    if visit.seat is not None:
        lines.append(_("席 %(label)s") % {"label": visit.seat.label})
    read: list[CarePlace] | None = getattr(visit, "booked_places", None)  # `queries.with_places`
    children = visit.care_places.filter(status=PlaceStatus.BOOKED).count() if read is None else len(read)
    if children:
        lines.append(_("預かり %(count)s人") % {"count": children})
    lines.append(_("予約番号 %(code)s") % {"code": visit.code})
    lines.append(_("電話 %(phone)s") % {"phone": visit.hub.phone})
    return lines
