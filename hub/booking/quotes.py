"""Would it fit, why not, and what else would: the answer before booking and after a refusal. Changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from hub.booking import rules, words
from hub.booking.availability import Snapshot, Verdict, any_seat, snapshot
from hub.booking.requests import VisitRequest
from hub.booking.words import Blocker
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import MINUTES, Period, quarter_of
from hub.members.models import Member
from hub.spaces.models import Hub, Visit

MOST_ALTERNATIVES = 3
NEXT_DAYS = 14
LEAST_MINUTES = 60


class Kind(StrEnum):
    """Why an alternative is offered, in the order of ux.md page 2."""

    SAME_DAY = "same_day"
    SHORTER = "shorter"
    OTHER_DAY = "other_day"
    OTHER_HUB = "other_hub"


@dataclass(frozen=True)
class Alternative:
    kind: Kind
    request: VisitRequest


@dataclass(frozen=True)
class Quote:
    request: VisitRequest
    blockers: tuple[Blocker, ...]
    alternatives: tuple[Alternative, ...] = ()
    verdict: Verdict | None = None
    shot: Snapshot | None = None

    @property
    def ok(self) -> bool:
        return not self.blockers


def quote(
    *, actor: Member, request: VisitRequest, visit: Visit | None = None, alternatives: bool = True,
    shot: Snapshot | None = None,
) -> Quote:  # fmt: skip
    """Every reason against ``request`` (``visit``: as a move of that one), and up to three that would fit."""
    blockers: list[Blocker] = []
    now = clock.now()
    hub = request.hub
    checks: tuple[Callable[[], None], ...] = (
        lambda: rules.check_time_and_place(request, now),
        lambda: rules.check_member(actor, request.member, hub),
        lambda: rules.check_open_visits(request.member, hub, now, ignore=visit),
        lambda: rules.check_children(request, rules.households_of(request.member)),
    )
    for check in checks:
        try:
            check()
        except DomainError as error:
            blockers.append(words.blocker_of(error, request))
    fatal = {blocker.code for blocker in blockers} - {"in_past", "hub_closed", "not_open_yet", "too_long"}
    day = request.period.starts_at.astimezone(hub.tz).date()
    children = [want.child for want in request.children]
    verdict = None
    if any(blocker.status == 422 for blocker in blockers):
        return Quote(request, tuple(blockers))
    if shot is None or shot.hub != hub or not shot.first <= day <= shot.last:
        shot = snapshot(hub, day, day, member=request.member, children=children, ignore=visit)
    if not blockers:
        verdict = shot.verdict(request)
        blockers = words.blockers_of(verdict, request)
    offers: tuple[Alternative, ...] = ()
    if blockers and alternatives and not fatal:
        offers = tuple(next_best(actor=actor, request=request, visit=visit, shot=shot))
    return Quote(request, tuple(blockers), offers, verdict, shot)


def next_best(
    *, actor: Member, request: VisitRequest, visit: Visit | None = None, shot: Snapshot | None = None
) -> list[Alternative]:
    """Up to three others: the same day and length, the same day shorter, the next days, another hub."""
    hub = request.hub
    day = request.period.starts_at.astimezone(hub.tz).date()
    children = [want.child for want in request.children]
    today = clock.today(hub.tz)
    last = min(day + timedelta(days=NEXT_DAYS), today + timedelta(days=hub.horizon_days))
    first = max(today, last - timedelta(days=NEXT_DAYS)) if day > last else day
    if shot is None or shot.hub != hub or not (shot.first <= first and last <= shot.last):
        shot = snapshot(hub, first, max(first, last), member=request.member, children=children, ignore=visit)
    wish = any_seat(request)
    found: list[Alternative] = []
    for kind, other in _tries(wish, shot, day, last):
        if len(found) == MOST_ALTERNATIVES:
            return found
        if _fits(other, shot):
            if kind in (Kind.SAME_DAY, Kind.SHORTER) and any(a.kind == kind for a in found):
                continue  # one of each is a choice; three of one kind are noise
            found.append(Alternative(kind, other))
    if len(found) < MOST_ALTERNATIVES:
        found += _other_hubs(request, visit, MOST_ALTERNATIVES - len(found))
    return found


def _tries(wish: VisitRequest, shot: Snapshot, day: date, last: date) -> list[tuple[Kind, VisitRequest]]:
    """Requests worth trying, best first."""
    out: list[tuple[Kind, VisitRequest]] = []
    step = timedelta(minutes=wish.hub.page_step)
    length = wish.period.length
    opening = shot.facts.day(day).period
    if opening is not None:
        starts = []
        start = opening.starts_at
        while start + timedelta(minutes=LEAST_MINUTES) <= opening.ends_at:
            starts.append(start)
            start += step
        starts.sort(key=lambda s: (abs(s - wish.period.starts_at), s))
        out += [(Kind.SAME_DAY, wish.at(Period(s, s + length))) for s in starts]
        shorter = length - step
        while shorter >= timedelta(minutes=LEAST_MINUTES):
            for s in starts:
                if wish.period.starts_at <= s and s + shorter <= wish.period.ends_at:
                    out.append((Kind.SHORTER, wish.at(Period(s, s + shorter))))
            shorter -= step
    base = max(day, clock.today(wish.hub.tz))
    others = [base + timedelta(days=n) for n in range(0 if base > day else 1, NEXT_DAYS + 1)]
    if day > last:  # not open yet: the latest days that are
        others = [last - timedelta(days=n) for n in range(NEXT_DAYS + 1)]
    for other in others:
        if not shot.first <= other <= last:
            continue
        shift = timedelta(days=(other - day).days)
        local = wish.period.in_zone(wish.hub.tz)
        moved = Period(
            local.starts_at + shift, local.ends_at + shift
        )  # wall clock, also across a zone's change
        out.append((Kind.OTHER_DAY, wish.at(moved)))
    return out


def _fits(request: VisitRequest, shot: Snapshot) -> bool:
    """Open, in time, and free: the rules that depend on time, and the picture."""
    day = request.period.starts_at.astimezone(shot.facts.tz).date()
    opening = shot.facts.day(day).period
    if opening is None or not opening.contains(request.period):
        return False
    if day > clock.today(shot.facts.tz) + timedelta(days=request.hub.horizon_days):
        return False
    if request.period.minutes > request.hub.max_visit_minutes or request.period.minutes < MINUTES:
        return False
    if quarter_of(request.period.starts_at) < quarter_of(clock.now()):
        return False
    return shot.verdict(request).ok


def _other_hubs(request: VisitRequest, visit: Visit | None, most: int) -> list[Alternative]:
    found: list[Alternative] = []
    day = request.period.starts_at.astimezone(request.hub.tz).date()
    if (
        not clock.today(request.hub.tz)
        <= day
        <= clock.today(request.hub.tz) + timedelta(days=request.hub.horizon_days)
    ):
        return found
    children = [want.child for want in request.children]
    for hub in Hub.objects.filter(is_open=True).exclude(pk=request.hub.pk).order_by("pk"):
        if len(found) == most:
            break
        other = any_seat(replace(request, hub=hub))
        shot = snapshot(hub, day, day, member=request.member, children=children, ignore=visit)
        if _fits(other, shot):
            found.append(Alternative(Kind.OTHER_HUB, other))
    return found
