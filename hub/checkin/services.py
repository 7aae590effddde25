"""A scan at the door: who is it, may she come in or go out, and what that writes. One transaction, one answer (I6).

The row of the scan is inserted first, by the id that the door made, so that whoever sends the same scan again, at
once or later, waits for the first and is told the same. Then the person is found and her row locked, and named rules
are asked in reading order: the first that speaks decides.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from hub.checkin import presences, tokens
from hub.checkin.answers import SHOWN, Answer, local_day
from hub.checkin.enums import Direction, Method, PresenceEnd, PresenceKind, Result
from hub.checkin.models import Presence, Scan
from hub.childcare.enums import PlaceStatus
from hub.childcare.queries import in_care_through
from hub.core import clock
from hub.core.db import (
    columns_of,
    moment,
    prepared,
    require_transaction,
    row_lock,
    rows_of,
    run_write,
    violated,
)
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.quarters import local
from hub.members.models import Member
from hub.spaces import people
from hub.spaces.access import Action, allowed
from hub.spaces.enums import STAFF_ROLES, MembershipStatus, VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Membership, Visit

OFFLINE_FOR = timedelta(hours=12)  # a door may send so long afterwards what it read without network
ONE_OPEN = ("one_open_presence", "checkin_presence.member_id")
TRIES = 2
EXPECTED = (VisitStatus.BOOKED, VisitStatus.IN)
CALLED_OFF = (VisitStatus.CANCELLED, VisitStatus.CANCELLED_BY_HUB)


@dataclass(frozen=True)
class Outcome:
    """What a rule decides."""

    result: Result
    reason: str
    visit: Visit | None = None
    presence: Presence | None = None


@dataclass(frozen=True)
class Who:
    """The person found, her row locked. ``hub`` and ``day`` are those of the pass, None without one."""

    member: Member
    is_blocked: bool
    is_staff: bool
    hub: Hub | None = None
    day: date | None = None


@dataclass
class Case:
    """One scan being decided; what the rules look at is read when it is first needed."""

    actor: Member
    hub: Hub
    at: datetime
    who: Who
    confirmed: bool

    @property
    def member(self) -> Member:
        return self.who.member

    @cached_property
    def open(self) -> Presence | None:
        """Where she is now, at any hub."""
        return presences.open_of(self.member, self.hub)

    @property
    def open_here(self) -> Presence | None:
        return self.open if self.open is not None and self.open.hub_id == self.hub.pk else None

    @cached_property
    def visits(self) -> list[Visit]:
        """Her visits of this day at this hub in any state, locked, by start: a cancel that runs now is waited for."""
        day = local_day(self.at, self.hub)
        start = local(day, time(0), self.hub.tz)
        return _visits(
            "member_id = %s AND visit.hub_id = %s AND visit.starts_at < %s AND visit.ends_at > %s",
            [self.member.pk, self.hub.pk, moment(start + timedelta(days=1)), moment(start)],
            self.hub,
        )

    def left(self, *statuses: VisitStatus) -> list[Visit]:
        """Visits of today in one of these states that are not over."""
        return [visit for visit in self.visits if visit.status in statuses and visit.ends_at > self.at]

    @cached_property
    def next(self) -> Visit | None:
        """Her next visit at any hub, or the one that runs."""
        rows = Visit.objects.filter(member=self.member, status__in=EXPECTED, ends_at__gt=self.at)
        return rows.select_related("hub", "seat__zone").order_by("starts_at", "pk").first()


_CHILDREN = f"""
SELECT COUNT(*) FROM childcare_careplace place WHERE place.visit_id = visit.id AND place.status = '{PlaceStatus.BOOKED}'
"""  # noqa: S608  the status is our own word


def _visits(where: str, values: list[Any], hub: Hub) -> list[Visit]:
    """Visits as answers show them, locked, by start, with the number of their children (`Answer.children`).

    ``where`` follows "visit.". Their hub is ``hub``, which they name, and the seat is the one that is known of it.
    """
    sql = (
        f"SELECT {columns_of(Visit, 'visit')}, ({_CHILDREN}) FROM spaces_visit visit "  # noqa: S608  no value in it
        f"WHERE visit.{where} ORDER BY visit.starts_at, visit.id{row_lock('visit')}"
    )
    found = rows_of(Visit, sql, values, "children_booked")
    for visit in found:
        if visit.hub_id == hub.pk:
            visit.hub = hub
        seat = facts_of(hub).seat(visit.seat_id)
        if seat is not None:  # one out of use is read when it is shown
            visit.seat = seat
    return found


# ---------------------------------------------------------------- the use case


def scan(
    *, actor: Member, hub: Hub, scan_id: UUID, direction: str, payload: str = "", code: str = "", member: str = "",
    scanned_at: datetime | None = None, offline: bool = False, confirmed: bool = False,
) -> Answer:  # fmt: skip
    """Let somebody in or out, or say why not; every asking leaves a row with its reason.

    One of ``payload`` (text of the QR), ``code`` (six digits of today at this hub) and ``member`` (public code, from
    the name search) says who. ``confirmed``: she goes out although her children stay. ``scanned_at`` counts for a
    scan made ``offline`` only, and never as more than twelve hours ago. Raises `DomainError` ``not_allowed`` (403),
    ``nothing_read`` and ``scan_reused`` (422).
    """
    if not allowed(actor, Action.SCAN, hub):
        raise DomainError("not_allowed", _("入口の 仕事が できる人だけです。"), 403)
    method, text = _read(payload, code, member)
    now = clock.now()
    row = Scan(
        scan_id=scan_id, hub=hub, scanned_by=actor, method=method, direction=Direction(direction),
        scanned_at=max(now - OFFLINE_FOR, min(scanned_at, now)) if offline and scanned_at else now, received_at=now,
        is_offline=offline, digest=_digest(text), result=Result.INVALID, reason="",
    )  # fmt: skip

    def work() -> Answer:
        if not _insert(row):
            return _again(row)
        who = _find(row, text)
        outcome = who if isinstance(who, Outcome) else _decide(row, who, confirmed)
        row.member = None if isinstance(who, Outcome) else who.member
        row.result, row.reason = outcome.result, outcome.reason
        row.visit, row.presence = outcome.visit, outcome.presence
        _note(row)
        return Answer(row)

    for left in reversed(range(TRIES)):
        try:
            return run_write(work)
        except IntegrityError as error:  # another door was faster, and nobody waited: she is inside, say so
            if not left or violated(error, presence=ONE_OPEN) is None:
                raise
    raise AssertionError("unreachable")


def _read(payload: str, code: str, member: str) -> tuple[Method, str]:
    """How the person is told and by what; full-width digits and hyphens of a typed code are put right."""
    given = [
        (method, text)
        for method, text in ((Method.QR, payload), (Method.CODE, code), (Method.NAME, member))
        if text
    ]
    if len(given) != 1:
        raise DomainError("nothing_read", _("QR か 番号の どちらか ひとつを 送ってください。"), 422)
    method, text = given[0]
    if method == Method.CODE:
        text = "".join(letter for letter in nfkc(text) if letter.isalnum())
    return method, text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_TAKE = """
INSERT INTO checkin_scan (scan_id, hub_id, scanned_by_id, method, direction, scanned_at, received_at, is_offline, digest, result, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def _insert(row: Scan) -> bool:
    """Take the id for this transaction; False when it is taken. A second sender waits here for the first."""
    require_transaction()
    with prepared() as cursor:
        cursor.execute(
            _TAKE,
            [
                _stored(row.scan_id), row.hub_id, row.scanned_by_id, str(row.method), str(row.direction),
                moment(row.scanned_at), moment(row.received_at), row.is_offline, row.digest, str(row.result), row.reason,
            ],
        )  # fmt: skip
        return bool(cursor.rowcount == 1)


def _stored(scan_id: UUID) -> Any:
    """The id as a parameter of a written-out statement: SQLite keeps its digits."""
    return Scan._meta.get_field("scan_id").get_db_prep_value(scan_id, connection)


_ANSWER = """
UPDATE checkin_scan SET result = %s, reason = %s, member_id = %s, visit_id = %s, presence_id = %s WHERE scan_id = %s
"""


def _note(row: Scan) -> None:
    """Write the answer onto the row that was inserted first."""
    told = [str(row.result), row.reason, row.member_id, row.visit_id, row.presence_id]
    with prepared() as cursor:
        cursor.execute(_ANSWER, [*told, _stored(row.scan_id)])


def _again(row: Scan) -> Answer:
    """The answer of the first time, whoever asks again; another question under the same id is refused."""
    first = Scan.objects.select_related(*SHOWN).get(scan_id=row.scan_id)
    same = (
        "hub_id",
        "method",
        "direction",
        "digest",
    )  # not `is_offline`: a lost answer is asked for once more later
    if any(getattr(first, name) != getattr(row, name) for name in same):
        raise DomainError(
            "scan_reused", _("同じ 番号で 別の 読みとりが ありました。もう一度 読みとってください。"), 422
        )
    return Answer(first, replayed=True)


# ---------------------------------------------------------------- who is it


def _standing(hub: Hub, member: str) -> dict[str, Exists]:
    """What a query of people says beside: blocked here, staff here. ``member`` is the path to her key."""
    here = Membership.objects.filter(member=OuterRef(member), hub=hub)
    return {
        "blocked_here": Exists(here.filter(status=MembershipStatus.BLOCKED)),
        "works_here": Exists(here.filter(status=MembershipStatus.ACTIVE, role__in=STAFF_ROLES)),
    }


def _who(member: Member, row: Any, hub: Hub | None = None, day: date | None = None) -> Who:
    return Who(member, row.blocked_here, row.works_here, hub, day)


def _find(row: Scan, text: str) -> Who | Outcome:
    """Whom the scan speaks of, her row locked; or that it speaks of nobody."""
    if row.method == Method.NAME:
        known = people.people_of(row.hub).filter(code=text).annotate(**_standing(row.hub, "pk"))
        found = known.select_for_update(no_key=True).first()
        if found is None:
            return Outcome(Result.INVALID, "unknown_code")
        return _who(found, found)
    today = local_day(row.scanned_at, row.hub)
    if row.method == Method.CODE:
        holder = _holder(
            row.hub, "hub_id = %s AND card.day = %s AND card.fallback = %s", [row.hub.pk, today, text[:7]]
        )
        return _who(holder, holder, row.hub, today) if holder else Outcome(Result.INVALID, "unknown_code")
    try:
        claim = tokens.read(text)
    except tokens.Unreadable as error:
        return Outcome(Result.INVALID, error.reason)
    issuer = row.hub if claim.hub == row.hub.slug else Hub.objects.filter(slug=claim.hub).first()
    wanted = [claim.pass_id, issuer.pk if issuer else None, claim.day, claim.member]
    holder = _holder(
        row.hub, "pass_id = %s AND card.hub_id = %s AND card.day = %s AND member.code = %s", wanted
    )
    if holder is None:  # signed by us, yet not issued or long put away
        return (
            Outcome(Result.INVALID, "unknown_pass")
            if claim.day == today
            else Outcome(Result.NOT_TODAY, "other_day")
        )
    return _who(holder, holder, issuer, claim.day)


_STANDING = f"""
EXISTS (
    SELECT 1 FROM spaces_membership here
    WHERE here.member_id = member.id AND here.hub_id = %s AND here.status = '{MembershipStatus.BLOCKED}'
), EXISTS (
    SELECT 1 FROM spaces_membership here
    WHERE here.member_id = member.id AND here.hub_id = %s AND here.status = '{MembershipStatus.ACTIVE}'
    AND here.role IN ({", ".join(f"'{role}'" for role in STAFF_ROLES)})
)
"""  # noqa: S608  the words are our own


def _holder(hub: Hub, where: str, values: list[Any]) -> Member | None:
    """The member of a pass, her row locked, with how she stands at ``hub``. ``where`` follows "card."."""
    sql = (
        f"SELECT {columns_of(Member, 'member')}, {_STANDING} FROM checkin_pass card "  # noqa: S608  no value in it
        f"JOIN members_member member ON member.id = card.member_id WHERE card.{where}{row_lock('member')}"
    )
    return next(iter(rows_of(Member, sql, [hub.pk, hub.pk, *values], "blocked_here", "works_here")), None)


# ---------------------------------------------------------------- the rules, in reading order


def _decide(row: Scan, who: Who, confirmed: bool) -> Outcome:
    case = Case(row.scanned_by, row.hub, row.scanned_at, who, confirmed)
    rules = IN if row.direction == Direction.IN else OUT
    for rule in rules:
        outcome = rule(case)
        if outcome is not None:
            return outcome
    raise AssertionError("the last rule always speaks")


def _not_today(case: Case) -> Outcome | None:
    """A pass of yesterday or tomorrow opens nothing."""
    if case.who.day in (None, local_day(case.at, case.hub)):
        return None
    return Outcome(Result.NOT_TODAY, "other_day", visit=case.next)


def _gone(case: Case) -> Outcome | None:
    """Somebody who has left the network for good."""
    if case.member.is_active and case.member.erased_at is None:
        return None
    return Outcome(Result.BLOCKED, "left")


def _inside(case: Case) -> Outcome | None:
    here = case.open_here
    return Outcome(Result.ALREADY_IN, "inside", here.visit, here) if here else None


def _blocked(case: Case) -> Outcome | None:
    return Outcome(Result.BLOCKED, "blocked") if case.who.is_blocked else None


def _booked(case: Case) -> Outcome | None:
    """A visit that runs, or begins within `Hub.early_minutes`."""
    from_when = case.at + timedelta(minutes=case.hub.early_minutes)
    visit = next((one for one in case.left(*EXPECTED) if one.starts_at <= from_when), None)
    if visit is None:
        return None
    reason = "booked" if visit.arrived_at is None else "re_entry"
    return Outcome(Result.OK, reason, visit, _enter(case, visit, PresenceKind.WORKER))


def _staff(case: Case) -> Outcome | None:
    """Who works here needs no booking."""
    if not case.who.is_staff:
        return None
    return Outcome(Result.OK, "staff", None, _enter(case, None, PresenceKind.STAFF))


def _too_early(case: Case) -> Outcome | None:
    later = case.left(*EXPECTED)
    return Outcome(Result.TOO_EARLY, "later_today", later[0]) if later else None


def _called_off(case: Case) -> Outcome | None:
    gone = case.left(*CALLED_OFF)
    return Outcome(Result.CANCELLED, gone[0].status[:24], gone[0]) if gone else None


def _elsewhere(case: Case) -> Outcome | None:
    """She is expected at another hub today, or shows the pass of one."""
    visit = case.next
    today = local_day(case.at, case.hub)
    if visit and visit.hub_id != case.hub.pk and local_day(visit.starts_at, case.hub) <= today:
        return Outcome(Result.WRONG_HUB, "booked_elsewhere", visit)
    if case.who.hub is not None and case.who.hub.pk != case.hub.pk:
        return Outcome(Result.WRONG_HUB, "other_pass")
    return None


def _not_booked(case: Case) -> Outcome:
    given_away = case.left(VisitStatus.RELEASED, VisitStatus.NO_SHOW)
    return Outcome(Result.NOT_BOOKED, "released" if given_away else "no_visit", case.next)


def _not_inside(case: Case) -> Outcome | None:
    if case.open_here is not None:
        return None
    return Outcome(Result.NOT_IN, "elsewhere" if case.open is not None else "outside", presence=case.open)


def _children_inside(case: Case) -> Outcome | None:
    """Her children are in the carers' hands: she may go out for a moment, said so; home she goes with them (RULE-11)."""
    here = case.open_here
    assert here is not None
    if here.visit_id is not None:  # a child being received at this moment is waited for
        [here.visit] = _visits("id = %s", [here.visit_id], here.hub)
    if not in_care_through(case.member).exists():
        return None
    if not case.confirmed:
        return Outcome(Result.CHILDREN_INSIDE, "children_inside", here.visit, here)
    return _leave(case, "children_stay")


def _out(case: Case) -> Outcome:
    return _leave(case, "left")


Rule = Callable[[Case], Outcome | None]
IN: tuple[Rule, ...] = (
    _not_today, _gone, _inside, _blocked, _booked, _staff, _too_early, _called_off, _elsewhere, _not_booked,
)  # fmt: skip
OUT: tuple[Rule, ...] = (_not_today, _not_inside, _children_inside, _out)


# ---------------------------------------------------------------- what is written


def _enter(case: Case, visit: Visit | None, kind: PresenceKind) -> Presence:
    """Whoever is still inside another hub has moved on, it seems."""
    if case.open is not None:
        presences.close(case.open, case.at, PresenceEnd.MOVED, case.actor)
    return presences.open_for(case.member, case.hub, visit, kind, case.at, case.actor)


def _leave(case: Case, reason: str) -> Outcome:
    here = case.open_here
    assert here is not None
    presences.close(here, case.at, PresenceEnd.OUT, case.actor)
    return Outcome(Result.OUT, reason, here.visit, here)
