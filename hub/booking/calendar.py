"""Calendar files of visits: stable UID, growing SEQUENCE, cancelled events (RFC 5545). No child's name in them."""

from collections.abc import Iterable

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from hub.childcare.enums import PlaceStatus
from hub.core import links
from hub.spaces.models import Visit


def uid_of(visit: Visit) -> str:
    """The UID of the event: the same for as long as the visit exists."""
    return f"{visit.code.lower()}@hidamari"


def visit_ics(visit: Visit, language: str | None = None) -> bytes:
    """The visit as an iCalendar file in ``language`` (the member's when not given)."""
    return visits_ics([visit], language or visit.member.language)


def visits_ics(visits: Iterable[Visit], language: str) -> bytes:
    """Visits as one iCalendar file, an event each: a later file of one of them updates its event."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.PRODUCT_NAME}//visits//")
    calendar.add("version", "2.0")
    for visit in visits:
        calendar.add_component(_event(visit, language))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(visit: Visit, language: str) -> Event:
    with translation.override(language):
        hub = visit.hub
        english = language.startswith("en")
        place = (hub.name_en or hub.name) if english else hub.name
        event = Event()
        event.add("uid", uid_of(visit))
        event.add("sequence", visit.sequence)
        event.add("dtstamp", visit.changed_at)
        event.add("last-modified", visit.changed_at)
        event.add("dtstart", visit.starts_at.astimezone(hub.tz))
        event.add("dtend", visit.ends_at.astimezone(hub.tz))
        event.add("summary", _("%(hub)sに 行く") % {"hub": place})
        event.add("location", (hub.address_en or hub.address) if english else hub.address)
        event.add("url", links.absolute("visit_detail", visit.code, language=language))
        event.add("status", "CONFIRMED" if visit.is_live or visit.status == "done" else "CANCELLED")
        event.add("description", "\n".join(describe(visit)))
    return event


def describe(visit: Visit) -> list[str]:
    """Seat, number of children, the visit's number and the telephone, in the active language."""
    lines = []
    if visit.seat is not None:
        lines.append(_("席 %(label)s") % {"label": visit.seat.label})
    known = getattr(visit, "booked_places", None)  # read together with many visits (`queries.with_places`)
    children = visit.care_places.filter(status=PlaceStatus.BOOKED).count() if known is None else len(known)
    if children:
        lines.append(_("預かり %(count)s人") % {"count": children})
    lines.append(_("予約番号 %(code)s") % {"code": visit.code})
    lines.append(_("電話 %(phone)s") % {"phone": visit.hub.phone})
    return lines
