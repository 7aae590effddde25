"""The use cases. Each opens the one transaction; seat and children exist together or not at all (I4).

Order inside: replay, rules, seat, children, tasks (design 5). Claims go in by ascending quarter, seats before
children, so that two bookings never wait for each other crosswise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from hub.booking import offers, rules, week_dates
from hub.booking.enums import ExcuseKind
from hub.booking.models import Excuse
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.childcare import places
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, CareRoom, Child
from hub.childcare.places import Wish
from hub.childcare.queries import held_children, rooms_of
from hub.core import clock, hooks, idempotency, live, tasks
from hub.core.db import at_the_end, queue_lock, require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.quarters import Period, on_grid, quarter_of, start_of
from hub.members.models import Guardian, Member
from hub.spaces import claims
from hub.spaces.access import Action, allowed
from hub.spaces.claims import SeatTaken
from hub.spaces.enums import VisitSource, VisitStatus, ZoneKind
from hub.spaces.facts import facts_of, hold
from hub.spaces.models import Hub, Seat, Visit

#: Attribute under which a visit carries its care places where they were read or made together with it.
BOOKED_PLACES = "booked_places"
QUEUE = 1  # the kind of `queue_lock` that keeps the waiting list of a hub in one hand


@dataclass(frozen=True)
class Booked:
    """The visit, and whether this answer was given before for the same key."""

    visit: Visit
    replayed: bool = False


def _once(actor: Member, key: str | None, route: str, body: Any, work: Callable[[], Visit]) -> Booked:
    """Run ``work`` in a write transaction, once per (actor, key)."""

    def inside() -> Booked:
        if key is None:
            return Booked(work())
        stored = idempotency.claim(actor.pk, key, idempotency.fingerprint(route, body))
        if stored is not None:
            visit = Visit.objects.select_related("hub", "seat__zone", "member").get(code=stored["visit"])
            if not (may_change(actor, visit) or _guards_one_of(actor, visit)):
                raise _unknown()  # a role that ended opens no old answer (I5)
            return Booked(visit, True)
        visit = work()
        idempotency.store(actor.pk, key, {"visit": visit.code})
        return Booked(visit)

    return run_write(inside)


def _body(request: VisitRequest) -> list[Any]:
    return [
        request.member.code,
        request.hub.slug,
        request.period.starts_at.timestamp(),
        request.period.ends_at.timestamp(),
        request.seat.mode,
        request.seat.seat and request.seat.seat.label,
        request.seat.zone and request.seat.zone.slug,
        sorted(
            [
                w.child.code,
                w.period and w.period.starts_at.timestamp(),
                w.period and w.period.ends_at.timestamp(),
            ]
            for w in request.children
        ),
    ]


def candidates(hub: Hub, wish: SeatWish, *, near_children: bool = False, spread: int = 0) -> list[Seat]:
    """Seats that would do, best first. おまかせ leaves out the room for on-site work, which is chosen on purpose.

    ``spread`` turns the order inside each zone, so that many people at once do not all try the same seat.
    """
    seats = facts_of(hub).seats
    if wish.mode == SeatMode.NONE:
        return []
    if wish.mode == SeatMode.SEAT:
        return [seat for seat in seats if wish.seat is not None and seat.pk == wish.seat.pk]
    if wish.mode == SeatMode.ZONE:
        found = [seat for seat in seats if wish.zone is not None and seat.zone_id == wish.zone.pk]
    else:
        found = [seat for seat in seats if seat.zone.kind != ZoneKind.ONSITE]
        wanted = ZoneKind.NEAR_CHILDREN if near_children else ZoneKind.QUIET
        found.sort(key=lambda seat: (seat.zone.kind == ZoneKind.PRIVATE, seat.zone.kind != wanted))
    first = found[0].zone_id if found else None
    best = [seat for seat in found if seat.zone_id == first]
    rest = [seat for seat in found if seat.zone_id != first]
    turn = spread % len(best) if best else 0
    return best[turn:] + best[:turn] + rest


def _free_options(
    request: VisitRequest, *, spread: int, prefer: Seat | None = None, ignore: Visit | None = None
) -> list[Seat | None]:
    """Seats worth trying, best first; ``[None]`` for a visit without one. Raises `SeatTaken` when none is free."""
    wish = request.seat
    if wish.mode == SeatMode.NONE:
        return [None]
    options = candidates(request.hub, wish, near_children=bool(request.children), spread=spread)
    closed = facts_of(request.hub).zones_closed(request.period)
    if closed:
        options = rules.check_zone(options, closed)
    if wish.mode == SeatMode.SEAT:
        if not options:
            raise DomainError("seat_unknown", _("その席は このハブに ありません。"), 404)
        return [options[0]]
    if prefer is not None and prefer in options:
        options = [prefer, *[seat for seat in options if seat != prefer]]
    taken = claims.taken_seats(options, request.period, ignore=ignore)
    free: list[Seat | None] = [seat for seat in options if seat.pk not in taken]
    if not free:
        raise SeatTaken
    return free


def _claim_first(visit: Visit, options: Sequence[Seat | None], period: Period) -> None:
    """Claim the first of ``options`` that is still free; a lost race looks again at what is left of them."""
    left = list(options)
    while left:
        try:
            claims.insert(visit, left[0], period.quarters)
        except SeatTaken:
            rest = [seat for seat in left[1:] if seat is not None]
            if not rest:
                raise
            taken = claims.taken_seats(rest, period)
            left = [seat for seat in rest if seat.pk not in taken]
            continue
        if visit.seat != left[0]:
            visit.seat = left[0]
            visit.save(update_fields=["seat"])
        return
    raise SeatTaken


@dataclass(frozen=True)
class Freed:
    """Something became free, or possible, at a hub: on ``day`` (any day: None), by a change of the visit ``visit_id``."""

    hub_id: int
    day: date | None = None
    visit_id: int | None = None


def _nobody_waits(freed: list[Freed]) -> None:
    """Until the waiting list is there (`use_queue`)."""


_queue: Callable[[list[Freed]], None] = _nobody_waits


def use_queue(fill: Callable[[list[Freed]], None]) -> None:
    """Take what looks for the first who fits (`waiting.fill`; called by `hub.wiring`)."""
    global _queue
    _queue = fill


def freed(hub: Hub, day: date | None = None, visit: Visit | None = None) -> None:
    """Say that something became free: before this transaction commits, the waiting list is looked through."""
    at_the_end(_queue, Freed(hub.pk, day, visit.pk if visit else None))


def hold_queue(hub: Hub) -> Hub:
    """`hold` for whoever frees something or waits: the waiting list of ``hub`` is in one hand until this commits.

    Two that free at once half of what somebody waits for would otherwise both see that it is not enough.
    """
    fresh = hold(hub)
    queue_lock(QUEUE, hub.pk)
    return fresh


def hold_queue_of(code: str) -> None:
    """`hold_queue` of the hub of a visit, by its code; nothing for a code that is none."""
    hub = Hub.objects.filter(visits__code=code).first()
    if hub is not None:
        hold_queue(hub)


def _changed(visit: Visit, kind: str, *, frees: bool = True, tell: bool = True) -> None:
    """What follows a change, in its transaction: the mail with its calendar file, word to open pages and to the queue.

    About a visit that is only offered nothing is mailed here: the waiting list tells its person itself. ``tell`` False: a
    usual week tells of all its dates in one mail.
    """
    if tell and visit.status != VisitStatus.OFFERED and kind != "offer_ended":
        tasks.enqueue("hub.booking.mail.tell_visit", visit=visit.code, kind=kind, sequence=visit.sequence)
    live.broadcast(f"hub.{visit.hub.slug}", "availability")
    if frees:
        hooks.emit("place_freed", hub=visit.hub.slug, visit=visit.code)
        freed(visit.hub, visit.starts_at.astimezone(visit.hub.tz).date(), visit)


def _held(request: VisitRequest) -> tuple[VisitRequest, set[int]]:
    """The request with its hub and children as they are now, held, and the households of those the member guards.

    First in a transaction: hub, children, visit is the order in which closures and corrections lock.
    """
    hub = hold(request.hub)
    own = held_children(request.member, [want.child.pk for want in request.children])
    wishes = tuple(replace(want, child=own.get(want.child.pk, want.child)) for want in request.children)
    return replace(request, hub=hub, children=wishes), {child.household_id for child in own.values()}


def book_visit(
    *, actor: Member, request: VisitRequest, key: str | None = None, source: VisitSource = VisitSource.SELF,
    series_date: int | None = None,
) -> Booked:  # fmt: skip
    """Book a seat and the children's places, all or nothing.

    ``actor`` is who asks: the member herself, or staff for a caller or walk-in. ``series_date``: the date of a usual
    week (its primary key) that becomes this visit, in the same transaction; the series tells the member, so no mail
    of its own is sent. Raises `DomainError` with the code of the rule that refuses; nothing is kept then (I4, I5).
    """

    def work() -> Visit:
        date = None if series_date is None else week_dates.hold(series_date)
        visit = make_visit(actor, request, VisitStatus.BOOKED, source, in_series=date is not None)
        if date is not None:
            week_dates.keep(date, visit)
        _changed(visit, "booked", frees=False, tell=date is None)
        return visit

    return _once(actor, key, "book", _body(request), work)


def make_visit(
    actor: Member, request: VisitRequest, status: VisitStatus, source: VisitSource, *, in_series: bool = False
) -> Visit:
    """Ask every rule, then claim seat, time and places, in the caller's transaction. Raises as `book_visit`."""
    asked, households = _held(request)
    rules.check_all(actor, asked, households, in_series=in_series)
    options = _free_options(asked, spread=asked.member.pk)
    visit = Visit.objects.create(
        member=asked.member, hub=asked.hub, booked_by=actor, source=source, seat=options[0], status=status,
        starts_at=asked.period.starts_at, ends_at=asked.period.ends_at,
    )  # fmt: skip
    _claim_first(visit, options, asked.period)
    made = places.change(visit, asked.wishes, rooms_of(asked.hub), is_new=True)
    setattr(visit, BOOKED_PLACES, made)
    return visit


def locked_visit(actor: Member, code: str) -> Visit:
    """The visit of ``actor`` (or one that she may change for others), locked. 404 for strangers."""
    require_transaction()
    visit = (
        Visit.objects.select_for_update(of=("self",))
        .select_related("hub", "member", "seat__zone")
        .filter(code=code)
    ).first()
    if visit is None or not may_change(actor, visit):
        raise _unknown()
    return visit


def _unknown() -> DomainError:
    return DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)


def may_change(actor: Member, visit: Visit) -> bool:
    return visit.member_id == actor.pk or allowed(actor, Action.BOOK_FOR_OTHERS, visit.hub)


def check_live(visit: Visit) -> None:
    if not visit.is_live:
        raise DomainError("not_live", _("この予約は もう 終わっているか、やめた あとです。"))


def check_booked(visit: Visit) -> None:
    """Live, and more than an offer: that is answered first (`waiting.accept`)."""
    check_live(visit)
    if visit.status == VisitStatus.OFFERED:
        raise DomainError("offer_open", _("先に「行きます」か「やめます」で 返事を してください。"))


def wishes_of(visit: Visit) -> list[Wish]:
    """The care places of a visit as wishes, in the order they were booked."""
    rows = (
        CarePlace.objects.filter(visit=visit, status=PlaceStatus.BOOKED)
        .select_related("child")
        .order_by("pk")
    )
    return [Wish(place.child, place.period) for place in rows]


def move_visit(
    *, actor: Member, code: str, request: VisitRequest, key: str | None = None, tell: bool = True
) -> Booked:
    """Move a visit that has not begun to another time, seat, hub or set of children; the old stays if it fails.

    ``tell`` False: the caller tells of many visits at once. Raises `DomainError` ``already_begun`` once it has begun:
    then only `extend` and `leave_early` change it.
    """

    def work() -> Visit:
        _hold_queues(request.hub, code)
        asked, households = _held(request)
        visit = locked_visit(actor, code)
        check_booked(visit)
        now = clock.now()
        if visit.arrived_at is not None or visit.starts_at <= now:
            raise DomainError(
                "already_begun", _("もう 始まっています。延ばすか、早く 帰るかを えらんでください。")
            )
        rules.check_all(actor, asked, households, ignore=visit)
        late = now > rules.change_deadline(visit)
        old_hub, old_seat = visit.hub, visit.seat
        freed(old_hub, visit.starts_at.astimezone(old_hub.tz).date(), visit)
        claims.release(visit)
        visit.hub, visit.seat = asked.hub, None
        visit.starts_at, visit.ends_at = asked.period.starts_at, asked.period.ends_at
        options = _free_options(asked, spread=visit.member_id, prefer=old_seat, ignore=visit)
        _claim_first(visit, options, asked.period)
        places.change(visit, asked.wishes, rooms_of(asked.hub))
        _save(visit, "hub", "seat", "starts_at", "ends_at", late=late)
        # The hub cut it and excused her; now it is what she wants, and counts as every booking does.
        Excuse.objects.filter(visit=visit, kind=ExcuseKind.CLOSED).delete()
        _changed(visit, "moved", tell=tell)
        if old_hub != visit.hub:
            live.broadcast(f"hub.{old_hub.slug}", "availability")
        return visit

    return _once(actor, key, f"move/{code}", _body(request), work)


def _hold_queues(hub: Hub, code: str) -> None:
    """The waiting lists of the hub that a visit moves to and of the one that it leaves, the smaller key first."""
    hubs = {row.pk: row for row in Hub.objects.filter(visits__code=code)} | {hub.pk: hub}
    for _pk, one in sorted(hubs.items()):
        hold_queue(one)


def _save(visit: Visit, *fields: str, late: bool = False) -> None:
    visit.sequence += 1
    visit.changed_at = clock.now()
    visit.is_late_change = visit.is_late_change or late
    visit.save(update_fields=[*fields, "sequence", "changed_at", "is_late_change"])


def note_change(visit: Visit) -> None:
    """Count a change made for the visit by somebody else (a roster, a birthday) and tell its people."""
    _save(visit)
    _changed(visit, "moved")


def _new_end(visit: Visit, ends_at: datetime) -> None:
    if not on_grid(ends_at.astimezone(visit.hub.tz)):
        raise DomainError("off_grid", _("時間は 15分きざみで えらんでください。"), 422)


def extend(*, actor: Member, code: str, ends_at: datetime, key: str | None = None) -> Booked:
    """Stay longer on the same seat; children who stayed to the end stay on too, all or nothing."""

    def work() -> Visit:
        hub = Hub.objects.filter(visits__code=code).first()
        if hub is not None:
            hold(hub)
        visit = locked_visit(actor, code)
        check_booked(visit)
        _new_end(visit, ends_at)
        if ends_at <= visit.ends_at:
            raise DomainError("not_forward", _("いまの 終わりより あとの 時間を えらんでください。"), 422)
        now = clock.now()
        if visit.ends_at <= now:
            raise DomainError("in_past", _("この予約は もう 終わっています。"))
        period = Period(visit.starts_at, ends_at)
        children = tuple(
            ChildWish(
                w.child, None if w.period == visit.period else _stretched(w.period, visit.ends_at, ends_at)
            )
            for w in wishes_of(visit)
        )
        mode = SeatWish(SeatMode.SEAT, visit.seat) if visit.seat else SeatWish(SeatMode.NONE)
        request = VisitRequest(visit.member, visit.hub, period, mode, children)
        rules.check_shape(request)
        rules.check_horizon(visit.hub, period, now)
        rules.check_open(
            visit.hub, Period(visit.ends_at, ends_at)
        )  # what is over may have been closed around her
        rules.check_length(visit.hub, period)
        rules.check_member(actor, visit.member, visit.hub)
        rules.check_children(request, rules.households_of(visit.member))
        rules.check_children_free(request, ignore=visit)
        added = range(quarter_of(visit.ends_at), quarter_of(ends_at))
        closed = facts_of(visit.hub).zones_closed(Period(visit.ends_at, ends_at))
        if visit.seat is not None and closed:
            rules.check_zone([visit.seat], closed)
        claims.insert(visit, visit.seat, added)
        keep = max(quarter_of(visit.starts_at), quarter_of(now) + 1) if visit.starts_at <= now else None
        visit.ends_at = ends_at
        places.change(visit, request.wishes, rooms_of(visit.hub), keep_before=keep)
        _save(visit, "ends_at")
        _changed(visit, "moved", frees=False)
        return visit

    return _once(actor, key, f"extend/{code}", ends_at.timestamp(), work)


def _stretched(part: Period, old_end: datetime, new_end: datetime) -> Period:
    return Period(part.starts_at, new_end) if part.ends_at == old_end else part


def leave_early(*, actor: Member, code: str, ends_at: datetime, key: str | None = None) -> Booked:
    """Give back the rest of a visit from ``ends_at`` on; only quarters that have not begun are freed."""

    def work() -> Visit:
        hold_queue_of(code)
        visit = locked_visit(actor, code)
        check_booked(visit)
        _new_end(visit, ends_at)
        now = clock.now()
        if not visit.starts_at < ends_at < visit.ends_at:
            raise DomainError("not_shorter", _("いまの 予約の 中の 時間を えらんでください。"), 422)
        if ends_at <= now:
            raise DomainError(
                "in_past", _("この時間は もう すぎました。これからの 時間を えらんでください。")
            )
        wishes = [
            Wish(w.child, Period(w.period.starts_at, min(w.period.ends_at, ends_at)))
            for w in wishes_of(visit)
            if w.period.starts_at < ends_at
        ]
        claims.release(visit, from_quarter=quarter_of(ends_at))
        keep = max(quarter_of(visit.starts_at), quarter_of(now) + 1) if visit.starts_at <= now else None
        visit.ends_at = ends_at
        places.change(visit, wishes, rooms_of(visit.hub), keep_before=keep)
        _save(visit, "ends_at")
        _changed(visit, "moved")
        return visit

    return _once(actor, key, f"leave/{code}", ends_at.timestamp(), work)


def cancel_visit(
    *,
    actor: Member,
    code: str,
    key: str | None = None,
    reason: str = "",
    tell: bool = True,
) -> Booked:
    """Cancel a visit that has not begun, or that nobody came to; a late one is marked, never refused.

    Cancelling again is harmless: the answer is the cancelled visit. ``tell`` False: the caller tells of many at once.
    """

    def work() -> Visit:
        hold_queue_of(code)
        visit = locked_visit(actor, code)
        if visit.status == VisitStatus.CANCELLED:
            return visit
        check_live(visit)
        if visit.arrived_at is not None:
            raise DomainError(
                "already_begun", _("もう 来ています。早く 帰るときは「早く 帰る」を えらんでください。")
            )
        if visit.ends_at <= clock.now():
            raise DomainError("in_past", _("この予約は もう 終わっています。"))
        late = clock.now() > rules.change_deadline(visit)
        return end_visit(visit, VisitStatus.CANCELLED, reason, late=late, tell=tell)

    return _once(actor, key, f"cancel/{code}", reason, work)


def reseat(visit: Visit, options: Sequence[Seat], *, tell: bool = True) -> bool:
    """Put a live visit on the first free seat of ``options`` for the time that is left, in the caller's transaction.

    False when none is free for all of it; then nothing has changed. ``tell`` False: the caller tells of it.
    """
    require_transaction()
    begun = visit.starts_at <= clock.now()
    first = (
        max(quarter_of(visit.starts_at), quarter_of(clock.now())) if begun else quarter_of(visit.starts_at)
    )
    rest = Period(start_of(first), visit.ends_at)
    taken = claims.taken_seats(options, rest, ignore=visit)
    seat = next((option for option in options if option.pk not in taken), None)
    if seat is None:
        return False
    claims.release(visit, from_quarter=first)
    claims.insert(visit, seat, rest.quarters)
    visit.seat = seat
    _save(visit, "seat")
    _changed(visit, "moved", tell=tell)
    return True


def shorten(visit: Visit, period: Period) -> None:
    """Cut a live visit that nobody came to yet to ``period``, which lies inside it: the hub's doing, not told here.

    Children's places are cut with it; one of which nothing is left ends. In the caller's transaction. Raises `CareFull`
    where the room no longer takes what it has taken (other classes, a law of another day).
    """
    require_transaction()
    wishes = cut_wishes(wishes_of(visit), period)
    claims.cut(visit, period.quarters)
    visit.starts_at, visit.ends_at = period.starts_at, period.ends_at
    places.change(visit, wishes, _own_rooms(visit), same_room=True)
    _save(visit, "starts_at", "ends_at")
    _changed(visit, "moved", tell=False)


def cut_wishes(wishes: Sequence[Wish], period: Period) -> list[Wish]:
    """What of ``wishes`` lies inside ``period``."""
    parts = [(wish, max(wish.period.starts_at, period.starts_at), min(wish.period.ends_at, period.ends_at))
             for wish in wishes]  # fmt: skip
    return [Wish(wish.child, Period(starts, ends)) for wish, starts, ends in parts if starts < ends]


def keep_places(visit: Visit, wishes: Sequence[Wish]) -> None:
    """Leave a live visit only these of its children's places, or parts of them: the hub's doing, not told here.

    For a visit none of whose children was received. In the caller's transaction; raises as `shorten`.
    """
    require_transaction()
    places.change(visit, wishes, _own_rooms(visit), same_room=True)
    _save(visit)
    _changed(visit, "moved", tell=False)


def _own_rooms(visit: Visit) -> list[CareRoom]:
    """The rooms in which the visit has places: who only loses time stays where she is."""
    rows = CareRoom.objects.filter(places_booked__visit=visit, places_booked__status=PlaceStatus.BOOKED)
    return list(rows.select_related("hub").distinct())


#: Which mail goes with a final state; every other one is the hub's doing.
_TOLD = {VisitStatus.CANCELLED: "cancelled", VisitStatus.RELEASED: "released"}


def end_visit(
    visit: Visit, status: VisitStatus, reason: str = "", *, late: bool = False, tell: bool = True
) -> Visit:
    """Free everything a live visit holds and give it a final ``status``, in the caller's transaction."""
    require_transaction()
    offered = visit.status == VisitStatus.OFFERED
    claims.release(visit)
    places.change(visit, [], ())
    visit.status, visit.ended_reason = status, reason
    week_dates.close(visit)
    _save(visit, "status", "ended_reason", late=late and not offered)
    if offered:
        offers.end_with_visit(visit)
    _changed(visit, "offer_ended" if offered else _TOLD.get(status, "cancelled_by_hub"), tell=tell)
    return visit


def cancel_child_place(*, actor: Member, code: str, child: str, key: str | None = None) -> Booked:
    """Give back the place of one child in a visit; the seat and the other children stay (design 1).

    Open to whoever may change the visit and to every guardian of the child's household. Once the visit has begun
    only quarters to come are freed. Raises `DomainError` ``visit_unknown`` (404) for everybody else.
    """

    def work() -> Visit:
        hold_queue_of(code)
        rows = Visit.objects.select_for_update(of=("self",)).select_related("hub", "member", "seat__zone")
        visit = rows.filter(code=code).first()
        place = CarePlace.objects.select_related("child").filter(visit=visit, child__code=child).first()
        if visit is None or place is None or not (may_change(actor, visit) or _guards(actor, place.child)):
            raise _unknown()
        if place.status == PlaceStatus.CANCELLED:
            return visit
        check_booked(visit)
        now = clock.now()
        if visit.ends_at <= now:
            raise DomainError("in_past", _("この予約は もう 終わっています。"))
        drop_child(visit, place.child, now, late=now > rules.change_deadline(visit))
        return visit

    return _once(actor, key, f"child/{code}", child, work)


def drop_child(visit: Visit, child: Child, now: datetime, *, late: bool = False) -> None:
    """Give back what is left of a child's place in a live visit that is locked; the rest of it stays."""
    require_transaction()
    rest = [wish for wish in wishes_of(visit) if wish.child.pk != child.pk]
    keep = max(quarter_of(visit.starts_at), quarter_of(now) + 1) if visit.starts_at <= now else None
    places.change(visit, rest, rooms_of(visit.hub), keep_before=keep)
    _save(visit, late=late)
    _changed(visit, "moved")


def _guards(actor: Member, child: Child) -> bool:
    return Guardian.objects.filter(member=actor, household=child.household_id).exists()


def _guards_one_of(actor: Member, visit: Visit) -> bool:
    return Guardian.objects.filter(member=actor, household__children__places__visit=visit).exists()
