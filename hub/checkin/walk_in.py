"""A seat for somebody who stands at the door without a booking: a real booking by staff, then her entry."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from hub.booking import services as booking
from hub.booking.availability import snapshot
from hub.booking.requests import ChildWish, SeatWish, VisitRequest
from hub.checkin import services
from hub.checkin.answers import SHOWN, Answer
from hub.checkin.enums import Direction, Result
from hub.checkin.models import Scan
from hub.childcare.enums import ChildStatus
from hub.childcare.models import Child
from hub.childcare.queries import children_of
from hub.core import clock
from hub.core.errors import DomainError
from hub.core.quarters import SECONDS, Period, quarter_of, start_of
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.enums import VisitSource
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub

QUARTER = timedelta(seconds=SECONDS)
USUAL = (timedelta(hours=1), timedelta(hours=2))
#: After these answers a seat may be given at once.
SEATLESS = (Result.NOT_BOOKED, Result.CANCELLED, Result.WRONG_HUB)


@dataclass(frozen=True)
class SeatsNow:
    """What could be given to ``member`` from the running quarter on: ends to choose from, the longest last."""

    start: datetime
    ends: tuple[datetime, ...]
    free: int  # seats free for the shortest of them
    children: tuple[Child, ...]  # approved ones, who could stay too


def seats_now(hub: Hub, member: Member) -> SeatsNow:
    """An hour, two hours, and as long as it goes: until closing, her next booking, or the last free seat is taken."""
    now = clock.now()
    start = start_of(quarter_of(now))
    children = tuple(children_of(member).filter(status=ChildStatus.APPROVED))
    day = now.astimezone(hub.tz).date()
    opening = facts_of(hub).day(day).period
    if opening is None or not opening.starts_at <= start < opening.ends_at:
        return SeatsNow(start, (), 0, children)
    shot = snapshot(hub, day, day, member=member)
    last = min(opening.ends_at, start + timedelta(minutes=hub.max_visit_minutes))
    longest = start
    while longest < last:
        further = longest + QUARTER
        if quarter_of(longest) in shot.busy or not shot.free_seats(Period(start, further)):
            break
        longest = further
    ends = [start + QUARTER + long for long in USUAL]
    ends = [end for end in ends if end < longest]
    if longest > start:
        ends.append(longest)
    free = len(shot.free_seats(Period(start, ends[0]))) if ends else 0
    return SeatsNow(start, tuple(ends), free, children)


def refused_scan(actor: Member, hub: Hub, scan_id: UUID) -> Scan:
    """The scan after which a seat may be given. Raises `DomainError` ``not_allowed``, ``scan_unknown``, ``seat_not_needed``."""
    if not allowed(actor, Action.SCAN, hub):
        raise DomainError("not_allowed", _("入口の 仕事が できる人だけです。"), 403)
    row = Scan.objects.select_related(*SHOWN).filter(scan_id=scan_id, hub=hub).first()
    if row is None:
        raise DomainError("scan_unknown", _("その読みとりは 見つかりません。"), 404)
    if row.result not in SEATLESS or row.member is None:
        raise DomainError(
            "seat_not_needed", _("この人には いま 席を とれません。もう一度 読みとってください。")
        )
    return row


def give_seat(
    *,
    actor: Member,
    hub: Hub,
    scan_id: UUID,
    new_scan_id: UUID,
    ends_at: datetime,
    with_children: bool = False,
) -> Answer:
    """Book a seat (おまかせ) from the running quarter to ``ends_at`` for whom ``scan_id`` refused, and let her in.

    The entry is a scan of its own, ``new_scan_id``; the same again gives the same answer. A refusal of the booking
    is raised as it is, with the ``request`` among its facts; then nothing is kept.
    """
    refused = refused_scan(actor, hub, scan_id)
    member = refused.member
    assert member is not None
    if not Scan.objects.filter(scan_id=new_scan_id).exists():
        children = children_of(member).filter(status=ChildStatus.APPROVED) if with_children else ()
        request = VisitRequest(
            member, hub, Period(start_of(quarter_of(clock.now())), ends_at), SeatWish(),
            tuple(ChildWish(child) for child in children),
        )  # fmt: skip
        try:
            booking.book_visit(
                actor=actor, request=request, key=f"door-{new_scan_id}", source=VisitSource.WALK_IN
            )
        except DomainError as error:
            error.facts["request"] = request
            raise
    return services.scan(
        actor=actor, hub=hub, scan_id=new_scan_id, direction=Direction.IN, member=member.code
    )
