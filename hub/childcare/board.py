"""The children's board: everything that the page of one room shows, read in a fixed handful of queries.

Three lists: to come, inside, gone. Beside them the carers who are really there against those whom the strict rule needs
now and in the next hour (RULE-03, RULE-04). Times are in the hub's zone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from hub.childcare.absence import LATE_AFTER
from hub.childcare.adults import Adult
from hub.childcare.custody import COMING, stays
from hub.childcare.duty import Law, Need, in_main_hours, law_of, need_of, working
from hub.childcare.enums import AttendanceKind, ContactOutcome, PlaceStatus
from hub.childcare.models import (
    AbsenceContact,
    Attendance,
    CarePlace,
    CareRoom,
    Child,
    Custody,
    RoomClosure,
    SickLeave,
)
from hub.childcare.places import STATE, left_by_class
from hub.childcare.queries import age_class_in
from hub.childcare.ratio import SCHOOL_AGE, Counts, actual_age
from hub.core import clock
from hub.core.quarters import local, quarter_of, start_of
from hub.core.sealed import SealError
from hub.members.models import Member
from hub.spaces.enums import VisitStatus

#: Quarters that count as the next hour.
NEXT_QUARTERS = 4
TAGS, TAG_LENGTH = 4, 20
#: Visits of today whose places are shown; one that the night put away is history.
SHOWN = (*COMING, VisitStatus.DONE)


@dataclass(frozen=True)
class Card:
    """One child on the board. ``state`` is coming, inside or gone."""

    state: str
    child: Child
    starts: datetime
    ends: datetime
    age: str
    age_class: int
    parent: Member
    place: CarePlace
    custody: Custody | None = None
    allergies: tuple[str, ...] = ()
    more_allergies: int = 0
    arrived: datetime | None = None  # the parent passed the door
    left: datetime | None = None  # the parent went out
    is_first: bool = False
    is_late: bool = False
    is_next: bool = False
    minutes: int = 0  # until she is fetched; negative when that time has passed
    contact: AbsenceContact | None = None
    received: datetime | None = None
    closed: datetime | None = None
    collector: Adult | None = None

    @property
    def code(self) -> str:
        return self.child.code

    @property
    def colour(self) -> int:
        return self.child.pk

    @property
    def over(self) -> int:
        """Minutes after the booked end."""
        return max(0, -self.minutes)

    @property
    def contacted(self) -> datetime | None:
        return self.contact.contacted_at.astimezone(self.starts.tzinfo) if self.contact else None

    @property
    def is_absent(self) -> bool:
        return self.contact is not None and self.contact.outcome == ContactOutcome.ABSENT


@dataclass(frozen=True)
class Band:
    """Children of one band inside, and up to how many the carers, the floor and the licence of now go."""

    label: str
    n: int
    limit: int

    @property
    def top(self) -> int:
        return max(1, self.limit)


@dataclass(frozen=True)
class Board:
    """One room at one moment."""

    room: CareRoom
    now: datetime
    coming: list[Card]
    inside: list[Card]
    gone: list[Card]
    need: Need
    soon: Need  # the hardest of the coming four quarters, with the carers of now
    soon_at: datetime | None
    closed: list[RoomClosure] = field(default_factory=list)  # of this room, today
    ill: list[SickLeave] = field(default_factory=list)  # children whose guardians said so, today
    at_work: list[str] = field(default_factory=list)
    on_break: list[str] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)

    @property
    def cards(self) -> list[Card]:
        """All, in the order in which a child is meant when she stands in two lists."""
        return [*self.inside, *self.coming, *self.gone]

    @property
    def is_short(self) -> bool:
        return self.need.is_short

    @property
    def first(self) -> Card | None:
        """Who comes first, for the empty room."""
        return next((card for card in self.coming if not card.is_absent), None)


def age_words(birthday: date, day: date) -> str:
    """Real age: 10か月 before the first birthday, then 2さい."""
    years = actual_age(birthday, day)
    if years:
        return _("%(age)sさい") % {"age": years}
    months = (day.year - birthday.year) * 12 + day.month - birthday.month - (day.day < birthday.day)
    return _("%(n)sか月") % {"n": max(0, months)}


def allergy_text(child: Child) -> str:
    """The allergies as the guardian wrote them. What cannot be opened says so: it is never left out."""
    try:
        return child.allergy
    except SealError:
        return _("読めません。書類を 見てください")


def allergy_tags(child: Child) -> tuple[tuple[str, ...], int]:
    """The allergies as a few short words for a card, and how many more there are."""
    parts = [part.strip() for part in re.split(r"[、,，\n]", allergy_text(child)) if part.strip()]
    short = tuple(part if len(part) <= TAG_LENGTH else f"{part[:TAG_LENGTH]}…" for part in parts[:TAGS])
    return short, len(parts) - len(short)


class _Reader:
    """The rows of one room, and cards made of them."""

    def __init__(self, room: CareRoom, *, with_health: bool) -> None:
        self.room, self.tz, self.with_health = room, room.hub.tz, with_health
        self.at = clock.now()
        self.now = self.at.astimezone(self.tz)
        self.day = self.now.date()
        self.start = local(self.day, time(0), self.tz)
        end = self.start + timedelta(days=1)
        before = Custody.objects.filter(child=OuterRef("child"), received_at__lt=self.start)
        self.places = list(
            CarePlace.objects.filter(
                room=room, status=PlaceStatus.BOOKED, visit__status__in=SHOWN, starts_at__gte=self.start,
                starts_at__lt=end,
            )
            .select_related("child", "visit__member")
            .annotate(was_here=Exists(before))
            .order_by("starts_at", "child__kana", "pk")
        )  # fmt: skip
        self.custodies = list(
            Custody.objects.filter(room=room)
            .filter(Q(closed_at__isnull=True) | Q(received_at__gte=self.start))
            .select_related(
                "child", "place__visit__member", "received_by", "brought_by", "brought_by_adult",
                "handover__guardian", "handover__pickup_adult", "handover__carer",
            )
            .order_by("received_at", "pk")
        )  # fmt: skip
        self.inside = [custody for custody in self.custodies if custody.closed_at is None]
        self.been = {custody.place_id: custody for custody in stays(self.custodies)}
        self.contacts: dict[int, AbsenceContact] = {}
        for contact in AbsenceContact.objects.filter(place__in=self.places).order_by("contacted_at", "pk"):
            self.contacts[contact.place_id] = contact

    def card(self, state: str, place: CarePlace, child: Child, custody: Custody | None = None) -> Card:
        visit = place.visit
        starts, ends = place.starts_at.astimezone(self.tz), place.ends_at.astimezone(self.tz)
        tags, more = allergy_tags(child) if self.with_health else ((), 0)
        contact = self.contacts.get(place.pk) if state == "coming" else None
        handover = custody.handover if custody else None
        return Card(
            state=state,
            child=child,
            starts=starts,
            ends=ends,
            age=age_words(child.birthday, self.day),
            age_class=min(SCHOOL_AGE - 1, age_class_in(self.room, child.birthday, self.day)),
            parent=visit.member,
            place=place,
            custody=custody,
            allergies=tags,
            more_allergies=more,
            arrived=visit.arrived_at and visit.arrived_at.astimezone(self.tz),
            left=visit.left_at and visit.left_at.astimezone(self.tz),
            is_first=state == "coming" and not getattr(place, "was_here", True),
            is_late=state == "coming" and self._is_late(place, contact),
            minutes=int((ends - self.now).total_seconds() // 60),
            contact=contact,
            received=custody.received_at.astimezone(self.tz) if custody else None,
            closed=custody.closed_at.astimezone(self.tz) if custody and custody.closed_at else None,
            collector=Adult(handover.guardian, handover.pickup_adult) if handover else None,
        )

    def _is_late(self, place: CarePlace, contact: AbsenceContact | None) -> bool:
        """RULE-12: absent without word. Who could not be reached, or said she comes and did not, is asked for again."""
        if place.visit.arrived_at is not None or (contact and contact.outcome == ContactOutcome.ABSENT):
            return False
        due = place.starts_at
        if contact is not None and contact.outcome == ContactOutcome.COMING:
            due = max(due, contact.contacted_at + LATE_AFTER)
        return due + LATE_AFTER <= self.at

    def lists(self) -> tuple[list[Card], list[Card], list[Card]]:
        """To come, inside, gone; each child once in a list."""
        here = [self.card("inside", custody.place, custody.child, custody) for custody in self.inside]
        here.sort(key=lambda card: (card.ends, card.child.kana, card.child.pk))
        inside = [replace(card, is_next=card.ends == here[0].ends and card.minutes <= 120) for card in here]
        codes = {card.code for card in inside}
        coming: dict[str, Card] = {}
        for place in self.places:
            if place.pk in self.been or place.child.code in codes or place.visit.status not in COMING:
                continue
            card = self.card("coming", place, place.child)
            # After her time only who is still asked for: a visit changed since then is word enough.
            asked_for = card.is_late and card.contact is None and place.visit.changed_at <= place.starts_at
            if place.ends_at > self.at or asked_for:
                coming.setdefault(card.code, card)
        gone: dict[str, Card] = {}
        for custody in sorted(self.been.values(), key=lambda row: row.received_at):
            if custody.closed_at is not None and custody.child.code not in codes:
                gone[custody.child.code] = self.card("gone", custody.place, custody.child, custody)
        return (
            sorted(coming.values(), key=lambda card: (card.is_absent, card.starts, card.child.kana)),
            inside,
            sorted(gone.values(), key=lambda card: card.closed or self.now, reverse=True),
        )


def _soon(
    reader: _Reader, law: Law, coming: list[Card], inside: list[Card], on_duty: list[str]
) -> tuple[Need, datetime | None]:
    """The highest need of the coming four quarters: children booked then, joined with those who are inside."""
    first = quarter_of(reader.at) + 1
    hardest, when = None, None
    for quarter in range(first, first + NEXT_QUARTERS):
        at = start_of(quarter)
        counts = Counts()
        for card in [*coming, *inside]:
            overdue = card.state == "inside" and card.over > 0
            staying = card.place.ends_at > at and (card.state == "inside" or card.place.starts_at <= at)
            if (staying or overdue) and not card.is_absent:
                counts = counts.plus(_class_of(card))
        need = need_of(reader.room, law, counts, on_duty, at)
        if hardest is None or (need.required, need.qualified) > (hardest.required, hardest.qualified):
            hardest, when = need, at.astimezone(reader.tz)
    assert hardest is not None
    return hardest, when if hardest.required else None


def _class_of(card: Card) -> int:
    return card.custody.age_class if card.custody else card.age_class


def _bands(room: CareRoom, law: Law, counts: Counts, need: Need, at: datetime) -> list[Band]:
    """How many more of each band the carers of now, the floor and the licence take, added to who is inside."""
    state = {
        "staff": need.staff, "qualified": need.able, "places": room.places, "infant_limit": law.infant_limit,
        "toddler_limit": law.toddler_limit, "in_main_hours": in_main_hours(room, at), "shortfall": 0,
        "qualified_shortfall": 0, "over": 0, **vars(law.ratios), **counts._asdict(),
    }  # fmt: skip
    more = [
        fit
        for fit, _limit in left_by_class(
            tuple(int(state[name]) for name in STATE), room.youngest, room.oldest
        )
    ]
    rows = (
        (_("0さい"), counts.n0, more[0]),
        (_("1・2さい"), counts.n1 + counts.n2, max(more[1:3])),
        (_("3さい"), counts.n3, more[3]),
        (_("4・5さい"), counts.n45, max(more[4:])),
    )
    return [Band(label, n, n + fit) for label, n, fit in rows]


def board_of(room: CareRoom, *, with_health: bool = True) -> Board:
    """The board of ``room`` now. ``with_health``: unseal the allergies (`Action.READ_HEALTH`)."""
    reader = _Reader(room, with_health=with_health)
    coming, inside, gone = reader.lists()
    attendances = list(
        Attendance.objects.filter(room=room, ends_at__isnull=True)
        .select_related("carer")
        .order_by("starts_at", "pk")
    )
    counts = Counts()
    for custody in reader.inside:
        counts = counts.plus(custody.age_class)
    on_duty, law = working(attendances), law_of(room, reader.at)
    need = need_of(room, law, counts, on_duty, reader.at)
    soon, soon_at = _soon(reader, law, coming, inside, on_duty)
    return Board(
        room=room,
        now=reader.now,
        coming=coming,
        inside=inside,
        gone=gone,
        need=need,
        soon=soon,
        soon_at=soon_at,
        closed=list(
            RoomClosure.objects.filter(room=room, starts_on__lte=reader.day, ends_on__gte=reader.day)
        ),
        ill=_ill(room, reader.day),
        at_work=_names(attendances, AttendanceKind.WORK),
        on_break=_names(attendances, AttendanceKind.BREAK),
        bands=_bands(room, law, counts, need, reader.at),
    )


def _ill(room: CareRoom, day: date) -> list[SickLeave]:
    """Children of the hub who stay at home today; where there are several rooms, those who were booked in this one."""
    rows = SickLeave.objects.filter(
        child__hub_id=room.hub_id, child__places__room=room, first_on__lte=day, last_on__gte=day
    )
    return list(rows.select_related("child").order_by("child__kana", "pk").distinct())


def _names(rows: Iterable[Attendance], kind: AttendanceKind) -> list[str]:
    return [row.carer.name for row in rows if row.kind == kind]
