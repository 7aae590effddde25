"""What a member's pass page shows: which visit, at which hub, for which day, and whether its QR can be used."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache

from django.db.models import QuerySet

from hub.booking import queries
from hub.booking.presenters import VisitCard, card_of
from hub.checkin.models import Pass, Presence
from hub.checkin.passes import pass_for, token_of
from hub.checkin.stays import open_presence
from hub.core import clock, qr
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces.access import staff_hub_ids
from hub.spaces.enums import VisitStatus
from hub.spaces.joining import home_of, open_hubs
from hub.spaces.models import Hub, Visit

#: States in which the door may let a visit's person in or out.
USABLE = (VisitStatus.BOOKED, VisitStatus.IN)
#: Phones ask again and again for the same pass of the day, and drawing is the dearest part of the page.
_drawn = lru_cache(maxsize=512)(qr.square)


@dataclass(frozen=True)
class Shown:
    """One pass on a page. ``card`` is None where the hub has no visit of hers; ``row`` where the QR cannot be used.

    Times and days are the hub's.
    """

    hub: Hub
    day: date
    now: datetime
    card: VisitCard | None = None
    row: Pass | None = None
    presence: Presence | None = None
    coming: VisitCard | None = None  # without a visit today: the next one
    more: tuple[VisitCard, ...] = ()  # other visits of the same day

    @property
    def today(self) -> bool:
        return self.day == self.now.date()

    @property
    def inside(self) -> bool:
        return self.presence is not None

    @cached_property
    def token(self) -> str:
        """What the QR holds."""
        return token_of(self.row) if self.row else ""

    @property
    def code(self) -> str:
        """The six digits in two groups of three, to be read aloud: 721-640."""
        return f"{self.row.fallback[:3]}-{self.row.fallback[3:]}" if self.row else ""

    @property
    def spelled(self) -> str:
        return " ".join(self.row.fallback) if self.row else ""

    @property
    def qr(self) -> qr.Square:
        return _drawn(self.token)

    @property
    def valid_until(self) -> datetime:
        """A pass holds for its whole local day: the first moment at which it no longer does."""
        return local(self.day + timedelta(days=1), time(0), self.hub.tz)

    @property
    def seconds_left(self) -> int:
        return max(0, int((self.valid_until - self.now).total_seconds()))


def _mine(member: Member) -> QuerySet[Visit]:
    return queries.with_places(Visit.objects.filter(member=member))


def _card(visit: Visit, member: Member) -> VisitCard:
    return card_of(visit, member, may_change=True, households=set())


def _row(member: Member, hub: Hub, day: date) -> Pass:
    """The pass with its member and hub at hand: its token asks for both."""
    row = pass_for(member=member, hub=hub, day=day)
    row.member, row.hub = member, hub
    return row


def _of_card(member: Member, card: VisitCard, presence: Presence | None) -> Shown:
    hub, day = card.hub, card.starts.date()
    here = card.now.astimezone(hub.tz)
    inside = presence if presence is not None and presence.hub_id == hub.pk and day == here.date() else None
    usable = card.visit.status in USABLE and (card.visit.ends_at > card.now or inside is not None)
    usable = usable and day >= here.date()
    row = _row(member, hub, day) if usable else None
    return Shown(hub, day, here, card, row, inside if usable else None)


def of_visit(member: Member, code: str) -> Shown | None:
    """The pass of one visit of ``member``; None where she has none of this code: nobody shows another's pass."""
    visit = _mine(member).filter(code=code).first()
    return _of_card(member, _card(visit, member), open_presence(member)) if visit else None


def of_hub(member: Member, hub: Hub, *, coming: VisitCard | None = None) -> Shown:
    """Today's pass at ``hub`` without a visit: staff come in by it, and the door may offer a seat."""
    here = clock.now().astimezone(hub.tz)
    presence = open_presence(member)
    inside = presence if presence is not None and presence.hub_id == hub.pk else None
    row = _row(member, hub, here.date())
    return Shown(hub, here.date(), here, None, row, inside, coming)


def usual_hub(member: Member) -> Hub | None:
    """The home hub, or for people who only work at one the first of those."""
    home = home_of(member)
    if home is not None:
        return home.hub
    return Hub.objects.filter(pk__in=staff_hub_ids(member)).order_by("pk").first() or open_hubs().first()


def nearest(member: Member) -> Shown | None:
    """What 「QR」 opens: where she is inside now, else today's next visit, else the pass of her hub."""
    now = clock.now()
    presence = open_presence(member)
    visit_id = presence.visit_id if presence is not None else None
    if presence is not None and visit_id is None:
        return of_hub(member, presence.hub)
    rows = _mine(member).filter(status__in=USABLE, ends_at__gt=now).order_by("starts_at", "pk")
    cards = [_card(row, member) for row in rows[:4]]
    if visit_id is not None:
        inside = _mine(member).get(pk=visit_id)
        first: VisitCard | None = _card(inside, member)
    else:
        first = next(
            (card for card in cards if card.starts.date() == now.astimezone(card.hub.tz).date()), None
        )
    coming = next((card for card in cards if first is None or card.visit.pk != first.visit.pk), None)
    if first is None:
        hub = usual_hub(member)
        if hub is not None:
            return of_hub(member, hub, coming=coming)
        return _of_card(member, coming, None) if coming else None
    shown = _of_card(member, first, presence)
    if (
        shown.row is None
    ):  # inside by a visit of another day or one that was ended: the door still lets her out
        assert presence is not None
        return of_hub(member, presence.hub, coming=coming)
    more = tuple(
        card for card in cards if card.visit.pk != first.visit.pk and card.starts.date() == shown.day
    )
    return Shown(shown.hub, shown.day, shown.now, shown.card, shown.row, shown.presence, None, more)
