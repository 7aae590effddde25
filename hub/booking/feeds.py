"""Calendar feeds: an address that only its owner knows, which can be taken back (security.md T29).

The right is asked for at every read: whoever is no longer manager of a hub reads its calendar no more.
"""

from datetime import UTC, timedelta

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Event

from hub.booking import calendar
from hub.booking.models import CalendarFeed
from hub.booking.queries import with_places
from hub.booking.templatetags.booking import named
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.members.tokens import hash_of, new_secret
from hub.spaces.access import Action, holds
from hub.spaces.models import Hub, Seat, Visit

MOST = 5  # feeds of a person, and as many of a manager for one hub
BACK = timedelta(days=31)  # what was, and what was cancelled, stays for so long, so that programs hear of it
UNUSED = timedelta(days=180)


def feeds_of(member: Member, hub: Hub | None = None) -> QuerySet[CalendarFeed]:
    """Feeds of ``member`` that work: her own visits', or those of ``hub``."""
    rows = CalendarFeed.objects.filter(member=member, hub=hub, revoked_at=None).select_related("seat")
    return rows.order_by("created_at", "pk")


def new_feed(
    member: Member,
    label: str,
    *,
    with_details: bool = False,
    hub: Hub | None = None,
    seat: Seat | None = None,
) -> tuple[CalendarFeed, str]:
    """Make a feed; the secret is returned here once and never again. Raises `DomainError` ``too_many_feeds`` (409)."""

    def work() -> tuple[CalendarFeed, str]:
        Member.objects.select_for_update().get(pk=member.pk)  # two taps at once count one after the other
        if feeds_of(member, hub).count() >= MOST:
            raise DomainError(
                "too_many_feeds",
                _("アドレスは %(n)sつまでです。使わないものを とめてください。") % {"n": MOST},
            )
        secret = new_secret()
        row = CalendarFeed.objects.create(
            member=member, hub=hub, seat=seat, token_hash=hash_of(secret), label=label[:40], with_details=with_details
        )  # fmt: skip
        return row, secret

    return run_write(work)


def revoke(member: Member, code: str) -> bool:
    """End one of the member's own feeds. False if there is none of this code (a stranger's, or ended before)."""
    rows = _working(member, code)
    return run_write(lambda: rows.update(revoked_at=clock.now())) == 1


def _working(member: Member, code: str) -> QuerySet[CalendarFeed]:
    return CalendarFeed.objects.filter(member=member, code=code, revoked_at=None)


def renew(member: Member, code: str) -> tuple[CalendarFeed, str] | None:
    """Give a feed a new secret; the old address is dead when this returns. None as in `revoke`."""
    secret = new_secret()
    rows, now = _working(member, code), clock.now()
    changed = run_write(lambda: rows.update(token_hash=hash_of(secret), last_used_on=None, created_at=now))
    return (rows.get(), secret) if changed == 1 else None


def feed_of(secret: str) -> CalendarFeed | None:
    """The feed behind an address, if it works: known, used within 180 days, its owner still with the right.

    The day of last use is written at most once a day.
    """
    if len(secret) > 100:
        return None
    feed = (
        CalendarFeed.objects.select_related("member", "hub", "seat")
        .filter(token_hash=hash_of(secret), revoked_at=None, member__is_active=True)
        .first()
    )
    if feed is None or (feed.hub is not None and not holds(feed.member, Action.MANAGE_SEATS, feed.hub)):
        return None
    today = clock.today(UTC)
    if today - (feed.last_used_on or feed.created_at.date()) > UNUSED:
        return None
    if feed.last_used_on != today:
        run_write(lambda: CalendarFeed.objects.filter(pk=feed.pk).update(last_used_on=today))
    return feed


def _visits(feed: CalendarFeed) -> QuerySet[Visit]:
    rows = Visit.objects.filter(ends_at__gte=clock.now() - BACK)
    if feed.seat_id is not None:
        rows = rows.filter(seat_id=feed.seat_id)
    elif feed.hub_id is not None:
        rows = rows.filter(hub_id=feed.hub_id)
    else:
        rows = rows.filter(member_id=feed.member_id)
    return with_places(rows).order_by("starts_at", "pk")


def render(feed: CalendarFeed) -> bytes:
    """The calendar in the language of its owner. The same visits give the same bytes."""
    language = feed.member.language
    with translation.override(language):
        return calendar.calendar_of(_events(feed, language), name=title_of(feed))


def title_of(feed: CalendarFeed) -> str:
    """What a program calls the calendar, in the active language."""
    if feed.hub is None:
        return _("ひだまりの 予約")
    hub = named(feed.hub)
    return _("%(hub)s 席 %(seat)s") % {"hub": hub, "seat": feed.seat.label} if feed.seat else hub


def _events(feed: CalendarFeed, language: str) -> list[Event]:
    rows = list(_visits(feed))
    if feed.hub_id is not None:
        return [calendar.seat_event(row, who=feed.with_details) for row in rows]
    if feed.with_details:
        return [calendar.event_of(row, language) for row in rows]
    return [calendar.busy_event(row) for row in rows]
