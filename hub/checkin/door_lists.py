"""What the door sees beside its camera: the counts of the moment, who was found by name, visitors inside."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils.translation import gettext as _

from hub.checkin.enums import ACCEPTED, Direction, PresenceKind
from hub.checkin.models import Presence, Scan
from hub.checkin.undo import WITHIN
from hub.childcare.models import Custody
from hub.core import clock
from hub.core.quarters import local
from hub.core.templatetags.hidamari import period
from hub.members.models import Member
from hub.spaces import people
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit

MOST_HITS = 8
LEAST_LETTERS = 2

# ---------------------------------------------------------------- counts


@dataclass(frozen=True)
class Counts:
    inside: int
    to_come: int
    children: int


def counts_of(hub: Hub) -> Counts:
    """Who is inside, whose booking of today still waits for her, children in the carers' hands."""
    now = clock.now()
    midnight = local(now.astimezone(hub.tz).date() + timedelta(days=1), time(0), hub.tz)
    waiting = Visit.objects.filter(
        hub=hub, status=VisitStatus.BOOKED, ends_at__gt=now, starts_at__lt=midnight
    )
    return Counts(
        Presence.objects.filter(hub=hub, left_at=None).count(),
        waiting.count(),
        Custody.objects.filter(room__hub=hub, closed_at=None).count(),
    )


def newest_undoable(member: Member, hub: Hub) -> Scan | None:
    """The scan that this person may still take back, for the way back to its page."""
    rows = Scan.objects.filter(
        hub=hub, scanned_by=member, result__in=ACCEPTED, undone_at=None, received_at__gt=clock.now() - WITHIN
    )
    return rows.select_related("member").order_by("-pk").first()


# ---------------------------------------------------------------- found by name


@dataclass(frozen=True)
class Hit:
    """Somebody found by name, with today's visit here in words and whether she is inside."""

    member: Member
    visit: str
    inside: bool

    @property
    def direction(self) -> str:
        return Direction.OUT if self.inside else Direction.IN


def hits_of(hub: Hub, text: str) -> tuple[list[Hit], bool]:
    """People of the hub by name or furigana, a few at most; and whether there are more."""
    if len(text.replace(" ", "")) < LEAST_LETTERS:
        return [], False
    members = list(people.people_of(hub, text)[: MOST_HITS + 1])
    shown = members[:MOST_HITS]
    today = clock.now().astimezone(hub.tz).date()
    start = local(today, time(0), hub.tz)
    visits: dict[int, list[str]] = {}
    rows = Visit.objects.filter(
        hub=hub, member__in=shown, status__in=(VisitStatus.BOOKED, VisitStatus.IN), starts_at__gte=start,
        starts_at__lt=start + timedelta(days=1),
    )  # fmt: skip
    for visit in rows.select_related("seat").order_by("starts_at"):
        when = visit.period.in_zone(hub.tz)
        label = f"　{_('席')} {visit.seat.label}" if visit.seat else ""
        visits.setdefault(visit.member_id, []).append(f"{period(when.starts_at, when.ends_at)}{label}")
    here = Presence.objects.filter(hub=hub, member__in=shown, left_at=None).values_list(
        "member_id", flat=True
    )
    inside = set(here)
    hits = [Hit(one, _("、").join(visits.get(one.pk, [])), one.pk in inside) for one in shown]
    return hits, len(members) > MOST_HITS


def visitors_inside(hub: Hub) -> list[tuple[Presence, datetime]]:
    """Visitors who have not left, with the hub's time at which they came."""
    rows = Presence.objects.filter(hub=hub, kind=PresenceKind.VISITOR, left_at=None).order_by(
        "entered_at", "pk"
    )
    return [(row, row.entered_at.astimezone(hub.tz)) for row in rows]
