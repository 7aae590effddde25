"""The waiting list: one entry is a seat and every child, and what becomes free goes to the first whom it fits as a whole.

Filling happens in the transaction in which something became free, just before it commits (`services.freed`), so a
freed place is never on the page while somebody whom it fits waits. The offer is a visit with real claims and care
places. Who frees or waits holds the queue of the hub first (`services.hold_queue`): docs/waiting.md.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from hub.booking import offers, rules, services, week_dates
from hub.booking.availability import Snapshot, snapshot
from hub.booking.enums import EntryState, OfferState, Priority
from hub.booking.models import Offer, SeriesDate, WaitChild, WaitEntry
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.services import Booked, Freed
from hub.childcare.models import CarePlace, Child
from hub.childcare.queries import held_children
from hub.core import clock, idempotency, live
from hub.core.db import queue_lock, require_transaction, run_write, violated
from hub.core.errors import DomainError
from hub.core.quarters import MINUTES, Period, local, quarter_of, start_of
from hub.members.models import Member
from hub.spaces.enums import VisitSource, VisitStatus
from hub.spaces.facts import facts_of
from hub.spaces.models import Hub, Visit, VisitClaim

MOST_ENTRIES = 10  # open ones of one person
#: An offer ends so long before its start at the latest: whoever is next must still be able to come.
ANSWER_BEFORE = timedelta(minutes=30)
QUARTER = timedelta(minutes=MINUTES)
KEEP_DAYS = 90  # ended entries, with the children they named
WAIT_ONCE = ("wait_once", "booking_waitentry.member_id")
#: Refusals that no other hour of the day would change.
_OF_THE_PERSON = {
    "blocked", "not_member", "papers_missing", "school_age", "not_born", "child_unknown", "too_many_open"
}  # fmt: skip


# ---------------------------------------------------------------- the order


@dataclass(frozen=True)
class Standing:
    """An entry in the line of a hub and a day: which priority classes of the hub it is in, and its key of order."""

    entry: WaitEntry
    classes: tuple[Priority, ...]
    key: tuple[Any, ...]
    offered: bool  # it is her turn: an offer waits for her answer


@dataclass(frozen=True)
class Place:
    """Her place in the line, counted from 1, and why: the hub's classes in their order, each with whether she is in it."""

    number: int
    of: int
    classes: tuple[tuple[Priority, bool], ...]

    @property
    def ahead(self) -> int:
        return self.number - 1


def order_of(hub: Hub) -> tuple[Priority, ...]:
    """The priority classes that ``hub`` wrote down, in their order; unknown words are left out."""
    return tuple(Priority(word) for word in hub.wait_order.split(",") if word in Priority.values)


def line_of(hub: Hub, day: date) -> list[Standing]:
    """Everybody who waits at ``hub`` on ``day``, the first first: by the hub's classes, then by the time of asking.

    The one order: filling goes by it, and every page shows it.
    """
    opened = Offer.objects.filter(entry=OuterRef("pk"), state=OfferState.OPEN)
    rows = list(
        WaitEntry.objects.filter(hub=hub, day=day, state=EntryState.WAITING)
        .select_related("member", "zone")
        .prefetch_related("children__child")
        .annotate(is_offered=Exists(opened))
    )
    if not rows:
        return []
    classes = order_of(hub)
    visiting = _visiting(hub, day, {row.member_id for row in rows}) if Priority.NO_VISIT in classes else set()
    holds: dict[Priority, Callable[[WaitEntry], bool]] = {
        Priority.NO_VISIT: lambda entry: entry.member_id not in visiting,
        Priority.WITH_CHILDREN: lambda entry: bool(entry.children.all()),
    }
    line = []
    for entry in rows:
        entry.hub = hub
        mine = tuple(name for name in classes if holds[name](entry))
        key = (*(name not in mine for name in classes), entry.asked_at, entry.pk)
        line.append(Standing(entry, mine, key, entry.is_offered))
    return sorted(line, key=lambda one: one.key)


def _visiting(hub: Hub, day: date, members: Collection[int]) -> set[int]:
    """Those of ``members`` who have or had a visit, at any hub, in the ISO week of ``day``. An offer is none yet."""
    monday = day - timedelta(days=day.weekday())
    start = local(monday, time(0), hub.tz)
    end = local(monday + timedelta(days=7), time(0), hub.tz)
    rows = Visit.objects.filter(
        member_id__in=members, starts_at__gte=start, starts_at__lt=end,
        status__in=(VisitStatus.BOOKED, VisitStatus.IN, VisitStatus.DONE),
    )  # fmt: skip
    return set(rows.values_list("member_id", flat=True))


def place_of(entry: WaitEntry, line: Sequence[Standing]) -> Place | None:
    """Where ``entry`` stands in ``line`` among those whose hours touch hers; None when she waits no more."""
    rivals = [one for one in line if one.entry.window.overlaps(entry.window)]
    for n, one in enumerate(rivals, 1):
        if one.entry.pk == entry.pk:
            classes = tuple((name, name in one.classes) for name in order_of(entry.hub))
            return Place(n, len(rivals), classes)
    return None


def entries_of(member: Member) -> list[WaitEntry]:
    """The entries of ``member``: those that wait first, by day, then the others, newest first; at most 30."""
    rows = WaitEntry.objects.filter(member=member).select_related("hub", "zone", "member")
    rows = rows.prefetch_related("children__child", "offers__visit__seat")
    found = list(rows.order_by("-asked_at", "-pk")[:30])
    waiting = sorted(
        (row for row in found if row.state == EntryState.WAITING), key=lambda row: row.window_starts
    )
    return waiting + [row for row in found if row.state != EntryState.WAITING]


def places_of(entries: Iterable[WaitEntry]) -> dict[int, Place]:
    """The place in the line of each entry that waits, by its key."""
    found: dict[int, Place] = {}
    lines: dict[tuple[int, date], list[Standing]] = {}
    for entry in entries:
        if entry.state != EntryState.WAITING:
            continue
        where = (entry.hub_id, entry.day)
        if where not in lines:
            lines[where] = line_of(entry.hub, entry.day)
        place = place_of(entry, lines[where])
        if place is not None:
            found[entry.pk] = place
    return found


def open_offers(member: Member) -> list[Offer]:
    """What ``member`` may answer now, the one that ends first on top."""
    rows = Offer.objects.filter(entry__member=member, state=OfferState.OPEN, expires_at__gt=clock.now())
    rows = rows.select_related("visit__hub", "visit__seat__zone", "entry").prefetch_related(
        "entry__children__child"
    )
    return list(rows.order_by("expires_at", "pk"))


# ---------------------------------------------------------------- does it fit?


def request_of(entry: WaitEntry, start: datetime) -> VisitRequest:
    """What ``entry`` would be as a booking from ``start`` on."""
    mode = SeatMode.NONE if not entry.wants_seat else SeatMode.ZONE if entry.zone_id else SeatMode.ANY
    wishes = tuple(ChildWish(row.child) for row in entry.children.all())
    period = Period(start, start + timedelta(minutes=entry.minutes))
    return VisitRequest(entry.member, entry.hub, period, SeatWish(mode, zone=entry.zone), wishes)


def starts_of(entry: WaitEntry, now: datetime) -> list[datetime]:
    """Every quarter at which ``entry`` may begin, from ``now`` on: those on the hub's own step first, then by time."""
    first = max(quarter_of(entry.window_starts), -(-int(now.timestamp()) // (MINUTES * 60)))
    found = [start_of(quarter) for quarter in range(first, quarter_of(entry.latest_start) + 1)]
    step, tz = entry.hub.page_step, entry.hub.tz

    def off_step(start: datetime) -> bool:
        here = start.astimezone(tz)
        return (here.hour * 60 + here.minute) % step != 0

    return sorted(found, key=lambda start: (off_step(start), start))


def first_offered_start(hub: Hub, now: datetime) -> datetime:
    """Nothing that begins earlier is offered: nobody could answer and come in time."""
    return now + timedelta(minutes=hub.offer_cutoff)


@dataclass
class Picture:
    """A day of a hub and the people of its line: who and which child is elsewhere in which quarter."""

    shot: Snapshot
    busy: dict[int, set[int]]

    def fits(self, request: VisitRequest) -> bool:
        opening = self.shot.facts.day(self.shot.first).period
        if opening is None or not opening.contains(request.period):
            return False
        mine = replace(self.shot, busy=self.busy.get(request.member.pk, set()))
        return mine.verdict(request).ok


def picture_of(hub: Hub, day: date, entries: Sequence[WaitEntry]) -> Picture:
    """Four queries, whatever the length of the line."""
    children = {row.child.pk: row.child for entry in entries for row in entry.children.all()}
    shot = snapshot(hub, day, day, children=list(children.values()))
    first = quarter_of(local(day, time(0), hub.tz))
    last = quarter_of(local(day + timedelta(days=1), time(0), hub.tz))
    rows = VisitClaim.objects.filter(
        quarter__gte=first, quarter__lt=last, member_id__in={entry.member_id for entry in entries}
    )
    busy: dict[int, set[int]] = {}
    for member_id, quarter in rows.values_list("member_id", "quarter"):
        busy.setdefault(member_id, set()).add(quarter)
    return Picture(shot, busy)


def fitting(entry: WaitEntry, picture: Picture, since: datetime) -> Iterator[VisitRequest]:
    """The bookings that would make ``entry`` come true from ``since`` on, the best first."""
    for start in starts_of(entry, since):
        request = request_of(entry, start)
        if picture.fits(request):
            yield request


# ---------------------------------------------------------------- filling


def fill(freed: list[Freed]) -> None:
    """Offer what became free to the first whom it fits as a whole. In the transaction of the change, at its end.

    A day's line is gone through once, from its first: an offer takes places, so whoever did not fit before it does not
    fit after it.
    """
    require_transaction()
    for hub_id in sorted({one.hub_id for one in freed}):
        queue_lock(services.QUEUE, hub_id)
    for hub_id, day in sorted(_days(freed)):
        _fill_day(services.hold_queue(Hub.objects.get(pk=hub_id)), day)


def _days(freed: list[Freed]) -> set[tuple[int, date]]:
    """The lines to look through: of the hub on that day, and those in which somebody of the visit stands.

    Her own change may make her wish possible, also at another hub: her time, her children's, the count of her bookings.
    """
    concerned = Q()
    for one in freed:
        concerned |= Q(hub_id=one.hub_id) if one.day is None else Q(hub_id=one.hub_id, day=one.day)
        if one.visit_id is not None:
            concerned |= Q(member_id__in=Visit.objects.filter(pk=one.visit_id).values("member_id"))
            kids = CarePlace.objects.filter(visit_id=one.visit_id).values("child_id")
            concerned |= Q(pk__in=WaitChild.objects.filter(child_id__in=kids).values("entry_id"))
    rows = WaitEntry.objects.filter(concerned, state=EntryState.WAITING, latest_start__gte=clock.now())
    return set(rows.values_list("hub_id", "day"))


def _fill_day(hub: Hub, day: date) -> int:
    """Go through the line of a day; returns how many offers were made."""
    line = [one.entry for one in line_of(hub, day) if not one.offered]
    if not line or facts_of(hub).day(day).period is None:
        return 0
    made = 0
    picture = picture_of(hub, day, line)
    since = first_offered_start(hub, clock.now())
    for entry in line:
        if _offer_first(entry, picture, since):
            made += 1
            picture = picture_of(hub, day, line)
    return made


def _offer_first(entry: WaitEntry, picture: Picture, since: datetime) -> bool:
    for request in fitting(entry, picture, since):
        try:
            with transaction.atomic():
                make_offer(entry, request)
            return True
        except DomainError as refusal:
            if refusal.code in _OF_THE_PERSON:
                return False
    return False


def offered_until(hub: Hub, start: datetime, now: datetime) -> datetime:
    """Until when an offer that begins at ``start`` is held."""
    return min(now + timedelta(minutes=hub.offer_minutes), start - ANSWER_BEFORE)


def make_offer(entry: WaitEntry, request: VisitRequest) -> Offer:
    """Hold ``request`` for ``entry``: the engine books it as ``offered``, with every rule and every claim. Raises as it does."""
    now = clock.now()
    visit = services.make_visit(entry.member, request, VisitStatus.OFFERED, VisitSource.SELF)
    until = offered_until(request.hub, visit.starts_at, now)
    offer = Offer.objects.create(entry=entry, visit=visit, made_at=now, expires_at=until)
    live.broadcast(f"hub.{request.hub.slug}", "availability")
    offers.tell(offer, "made")
    return offer


def overlooked(hub: Hub) -> list[WaitEntry]:
    """Entries that would fit now and have no offer: always none, but for what only time or another app changed."""
    now = clock.now()
    since = first_offered_start(hub, now)
    found = []
    rows = WaitEntry.objects.filter(hub=hub, state=EntryState.WAITING, latest_start__gte=since)
    for day in sorted(set(rows.values_list("day", flat=True))):
        line = [one.entry for one in line_of(hub, day) if not one.offered]
        if not line or facts_of(hub).day(day).period is None:
            continue
        picture = picture_of(hub, day, line)
        for entry in line:
            request = next(fitting(entry, picture, since), None)
            if request is not None and _rules_allow(request):
                found.append(entry)
    return found


def _rules_allow(request: VisitRequest, visit: Visit | None = None) -> bool:
    return _refusal(request, visit) is None


def _refusal(request: VisitRequest, visit: Visit | None) -> DomainError | None:
    """What the rules that look at no other booking say against ``request`` now (``visit``: it is that one)."""
    try:
        rules.check_open(request.hub, request.period)
        rules.check_member(request.member, request.member, request.hub)
        rules.check_open_visits(request.member, request.hub, clock.now(), ignore=visit)
        rules.check_children(request, rules.households_of(request.member))
    except DomainError as error:
        return error
    return None


# ---------------------------------------------------------------- waiting


@dataclass(frozen=True)
class Joined:
    entry: WaitEntry
    replayed: bool = False


class FitsNow(DomainError):
    """Nothing to wait for: ``request`` would fit now."""

    def __init__(self, request: VisitRequest) -> None:
        super().__init__("fits_now", _("いま 空いています。待たずに 予約できます。"), found=request)
        self.request = request


def join(
    *, actor: Member, request: VisitRequest, minutes: int, key: str | None = None, series_date: SeriesDate | None = None
) -> Joined:  # fmt: skip
    """Wait for ``minutes`` anywhere in the period of ``request``, with its seat wish and all its children.

    ``actor`` is the member herself, or staff for a caller; ``series_date`` the full date of her usual week from which
    she asks. Raises `FitsNow`; `DomainError` ``already_waiting``, ``too_many_waits``, ``too_late`` (409),
    ``length_wrong`` (422), and those of the rules of booking.
    """
    body = [services._body(request), minutes]

    def work() -> Joined:
        if key is not None:
            stored = idempotency.claim(actor.pk, key, idempotency.fingerprint("wait", body))
            if stored is not None:
                return Joined(
                    WaitEntry.objects.select_related("hub", "member", "zone").get(code=stored["entry"]), True
                )
        entry = _join(actor, request, minutes, series_date)
        if key is not None:
            idempotency.store(actor.pk, key, {"entry": entry.code})
        return Joined(entry)

    return run_write(work)


def _join(actor: Member, wish: VisitRequest, minutes: int, series_date: SeriesDate | None) -> WaitEntry:
    hub = services.hold_queue(wish.hub)
    own = held_children(wish.member, [want.child.pk for want in wish.children])
    children = [own.get(want.child.pk, want.child) for want in wish.children]
    asked = replace(wish, hub=hub, children=tuple(ChildWish(child) for child in children))
    _check_wish(actor, asked, minutes, {child.household_id for child in own.values()})
    window, member = asked.period, asked.member
    day = window.starts_at.astimezone(hub.tz).date()
    entry = WaitEntry(
        member=member, hub=hub, day=day, window_starts=window.starts_at, window_ends=window.ends_at, minutes=minutes,
        latest_start=window.ends_at - timedelta(minutes=minutes), wants_seat=asked.seat.mode != SeatMode.NONE,
        zone=asked.seat.zone if asked.seat.mode == SeatMode.ZONE else None, asked_at=clock.now(), asked_by=actor,
        series_date=series_date,
    )  # fmt: skip
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        if violated(error, twice=WAIT_ONCE):
            raise DomainError("already_waiting", _("この時間は もう 待っています。")) from None
        raise
    WaitChild.objects.bulk_create(WaitChild(entry=entry, child=child) for child in children)
    found = next(fitting(entry, picture_of(hub, day, [entry]), clock.now()), None)
    if found is not None:
        raise FitsNow(found)  # and the entry is undone with this transaction
    return entry


def _check_wish(actor: Member, asked: VisitRequest, minutes: int, households: set[int]) -> None:
    """The rules of booking that a wish must keep, so that it can come true at all."""
    now, hub, window = clock.now(), asked.hub, asked.period
    rules.check_shape(asked)
    if minutes < MINUTES or minutes % MINUTES or minutes > window.minutes:
        raise DomainError("length_wrong", _("長さは、待つ時間の 中で えらんでください。"), 422)
    if asked.seat.mode == SeatMode.SEAT:
        raise DomainError(
            "seat_not_waited", _("1つの席だけを 待つことは できません。場所を えらんでください。"), 422
        )
    latest = window.ends_at - timedelta(minutes=minutes)
    rules.check_not_past(Period(latest, window.ends_at), now)
    rules.check_horizon(hub, window, now)
    rules.check_open(hub, window)
    rules.check_length(hub, Period(window.starts_at, window.starts_at + timedelta(minutes=minutes)))
    if latest < first_offered_start(hub, now):
        raise DomainError("too_late", _("もうすぐ 始まる時間です。ハブに 電話してください。"))
    rules.check_member(actor, asked.member, hub, hold=True)
    rules.check_open_visits(asked.member, hub, now, ignore=None)
    rules.check_children(asked, households)
    if WaitEntry.objects.filter(member=asked.member, state=EntryState.WAITING).count() >= MOST_ENTRIES:
        raise DomainError("too_many_waits", _("待てるのは %(count)s件までです。") % {"count": MOST_ENTRIES})


def entry_for(actor: Member, code: str) -> WaitEntry:
    """The entry of ``actor``, or one that she may change for others. 404 for everybody else."""
    rows = WaitEntry.objects.select_related("hub", "member", "zone").prefetch_related("children__child")
    entry = rows.filter(code=code).first()
    if entry is None or not _may_answer(actor, entry):
        raise DomainError("wait_unknown", _("それは 見つかりません。"), 404)
    return entry


def offer_for(actor: Member, code: str) -> Offer:
    """The offer to ``actor``, or one that she may answer for others. 404 for everybody else."""
    rows = Offer.objects.select_related(
        "entry__hub", "entry__member", "entry__zone", "visit__hub", "visit__seat__zone"
    )
    offer = rows.prefetch_related("entry__children__child").filter(code=code).first()
    if offer is None or not _may_answer(actor, offer.entry):
        raise DomainError("offer_unknown", _("それは 見つかりません。"), 404)
    return offer


def _may_answer(actor: Member, entry: WaitEntry) -> bool:
    return entry.member_id == actor.pk or services.may_change(
        actor, Visit(member=entry.member, hub=entry.hub)
    )


def leave(*, actor: Member, code: str) -> WaitEntry:
    """Wait no more. An offer that is open is declined with it; leaving again is harmless."""

    def work() -> WaitEntry:
        entry = entry_for(actor, code)
        services.hold_queue(entry.hub)
        offer = Offer.objects.filter(entry=entry, state=OfferState.OPEN).first()
        if offer is not None:
            _decline(actor, offer.code)
        entry.refresh_from_db()
        if entry.state == EntryState.WAITING:
            entry.state, entry.ended_at = EntryState.LEFT, clock.now()
            entry.save(update_fields=["state", "ended_at"])
        return entry

    return run_write(work)


# ---------------------------------------------------------------- answering


_GONE = {
    OfferState.EXPIRED: ("offer_expired", _("返事の 時間が すぎました。席は つぎの人に 回りました。")),
    OfferState.DECLINED: ("offer_declined", _("もう「やめます」と 返事を しています。")),
    OfferState.WITHDRAWN: ("offer_withdrawn", _("ハブの 都合で、この席は 使えなくなりました。")),
}


def accept(*, actor: Member, code: str, key: str | None = None) -> Booked:
    """行きます: the offered visit becomes a booking, in one tap. Accepting again is harmless.

    A date of her usual week that was full and has come true by it is booked with it (`week_dates.hold_for`).
    Raises `DomainError` ``offer_expired``, ``offer_declined``, ``offer_withdrawn`` (409), or what the rules say by
    now (blocked, papers withdrawn); then the offer is withdrawn, and what it held passes on at once.
    """

    def work() -> Visit:
        asked = offer_for(actor, code)  # dates are locked before hubs (decision 0016)
        day = week_dates.hold_for(asked.visit, asked.entry.series_date_id)
        offer, visit = _locked(actor, code)
        if offer.state == OfferState.ACCEPTED:
            return visit
        request = _request_of(offer, visit)
        refusal = _why_not(offer, request)
        if refusal is not None:
            refusal.facts["request"] = request
            raise refusal
        visit.status = VisitStatus.BOOKED
        services._save(visit, "status")
        offers.end(offer, OfferState.ACCEPTED)
        if day is not None:
            week_dates.keep(day, visit, [row.child.code for row in offer.entry.children.all()])
        services._changed(visit, "booked", frees=False)
        return visit

    try:
        return services._once(actor, key, f"accept/{code}", None, work)
    except DomainError as refusal:
        if refusal.status != 404 and not refusal.code.startswith("key_"):
            settle(code)
        raise


def _locked(actor: Member, code: str) -> tuple[Offer, Visit]:
    """The offer and its visit, in one hand: queue, children, visit, in this order. 404 for strangers."""
    offer = offer_for(actor, code)
    services.hold_queue(offer.entry.hub)
    held_children(offer.entry.member, [row.child_id for row in offer.entry.children.all()])
    visit = services.locked_visit(actor, offer.visit.code)
    offer.refresh_from_db(fields=["state", "ended_at", "expires_at"])
    offer.visit = visit
    return offer, visit


def _request_of(offer: Offer, visit: Visit) -> VisitRequest:
    entry = offer.entry
    seat = SeatWish(SeatMode.ZONE, zone=visit.seat.zone) if visit.seat else SeatWish(SeatMode.NONE)
    wishes = tuple(ChildWish(row.child) for row in entry.children.all())
    return VisitRequest(entry.member, visit.hub, visit.period, seat, wishes)


def _why_not(offer: Offer, request: VisitRequest) -> DomainError | None:
    if offer.state in _GONE:
        code, message = _GONE[OfferState(offer.state)]
        return DomainError(code, message)
    if offer.expires_at <= clock.now():
        return DomainError(*_GONE[OfferState.EXPIRED])
    refusal = _refusal(request, offer.visit)
    if (
        refusal is not None and refusal.status == 404
    ):  # a child who is no longer hers: said without naming her
        return DomainError(*_GONE[OfferState.WITHDRAWN])
    return refusal


def decline(*, actor: Member, code: str, key: str | None = None) -> Offer:
    """やめます: what was held passes on at once. Declining again, or what is over anyway, is harmless.

    Raises `DomainError` ``offer_accepted`` (409): by now it is a booking, and is cancelled as one.
    """

    def work() -> Offer:
        if key is not None:
            stored = idempotency.claim(actor.pk, key, idempotency.fingerprint(f"decline/{code}", None))
            if stored is not None:
                return offer_for(actor, code)
            idempotency.store(actor.pk, key, {"offer": code})
        return _decline(actor, code)

    return run_write(work)


def _decline(actor: Member, code: str) -> Offer:
    offer, visit = _locked(actor, code)
    if offer.state == OfferState.ACCEPTED:
        raise DomainError(
            "offer_accepted", _("もう 予約に なっています。やめるときは 予約の ページから お願いします。")
        )
    if offer.state == OfferState.OPEN:
        late = offer.expires_at <= clock.now()
        _end(offer, visit, OfferState.EXPIRED if late else OfferState.DECLINED)
    return offer


def _end(offer: Offer, visit: Visit, state: OfferState) -> None:
    """End an open offer and give back what it held; the engine looks for the next in the line."""
    offers.end(offer, state)
    status = VisitStatus.CANCELLED_BY_HUB if state == OfferState.WITHDRAWN else VisitStatus.CANCELLED
    services.end_visit(visit, status)


# ---------------------------------------------------------------- what time and others do (the tick)


def settle(code: str) -> bool:
    """Expire an open offer whose time is over, withdraw one that its person may no longer take. True if it ended."""

    def work() -> bool:
        offer = Offer.objects.select_related("entry__member").get(code=code)
        offer, visit = _locked(offer.entry.member, code)
        if offer.state != OfferState.OPEN:
            return False
        if offer.expires_at <= clock.now():
            _end(offer, visit, OfferState.EXPIRED)
        elif _refusal(_request_of(offer, visit), visit) is not None:
            _end(offer, visit, OfferState.WITHDRAWN)
        else:
            return False
        return True

    return run_write(work)


def settle_due() -> int:
    """Every offer whose time is over, each in a transaction of its own; returns how many ended here."""
    due = Offer.objects.filter(state=OfferState.OPEN, expires_at__lte=clock.now()).order_by(
        "expires_at", "pk"
    )
    return sum(settle(code) for code in due.values_list("code", flat=True))


def settle_unfit(member: Member | None = None) -> int:
    """Withdraw open offers (of ``member``, or all) that the rules no longer allow; returns how many."""
    rows = Offer.objects.filter(state=OfferState.OPEN).select_related(
        "entry__member", "entry__hub", "visit__hub", "visit__seat__zone"
    )
    rows = rows.prefetch_related("entry__children__child")
    if member is not None:
        rows = rows.filter(entry__member=member)
    unfit = [one.code for one in rows if _refusal(_request_of(one, one.visit), one.visit) is not None]
    return sum(settle(code) for code in unfit)


def withdraw_of(member: Member, hub: Hub) -> None:
    """Withdraw the open offers of ``member`` at ``hub``, in the caller's transaction: she was stopped from booking."""
    require_transaction()
    rows = Offer.objects.filter(state=OfferState.OPEN, entry__member=member, entry__hub=hub)
    for offer in rows.select_related("entry__member").order_by("pk"):
        visit = (
            Visit.objects.select_for_update(of=("self",))
            .select_related("hub", "member")
            .get(pk=offer.visit_id)
        )
        if visit.status == VisitStatus.OFFERED:
            services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB)


def child_decided(*, child: str, **_: Any) -> None:
    """A child's papers were looked at anew: offers that name her may no longer be right, or her wish may fit now."""
    row = Child.objects.filter(code=child).first()
    if row is None:
        return
    entries = WaitEntry.objects.filter(children__child=row, state=EntryState.WAITING)
    for code in Offer.objects.filter(entry__in=entries, state=OfferState.OPEN).values_list("code", flat=True):
        settle(code)
    hubs = sorted(set(entries.values_list("hub_id", flat=True)))
    if hubs:
        run_write(lambda: fill([Freed(pk) for pk in hubs]))


def end_past(hub: Hub) -> int:
    """Entries that can no longer come true end; returns how many. One with an open offer stays until that is answered."""

    def work() -> int:
        services.hold_queue(hub)
        opened = Offer.objects.filter(entry=OuterRef("pk"), state=OfferState.OPEN)
        return rows.exclude(Exists(opened)).update(state=EntryState.PAST, ended_at=clock.now())

    since = first_offered_start(hub, clock.now())
    rows = WaitEntry.objects.filter(hub=hub, state=EntryState.WAITING, latest_start__lt=since)
    return run_write(work) if rows.exists() else 0


def heal(hub: Hub) -> int:
    """Look through the whole list of ``hub`` and fill what only time or another app made possible; returns how many."""
    found = overlooked(hub)
    if found:
        run_write(lambda: fill([Freed(hub.pk)]))
    return len(found)


def forget_old() -> int:
    """Delete entries that ended `KEEP_DAYS` ago, with the children they named and their offers."""
    old = WaitEntry.objects.filter(ended_at__lt=clock.now() - timedelta(days=KEEP_DAYS))
    return run_write(lambda: old.delete()[0]) if old.exists() else 0


def leave_all(member: Member) -> None:
    """End every entry of a member who deletes her account, in the caller's transaction. Offers were answered before."""
    _leave(WaitEntry.objects.filter(member=member))


def leave_with(child: Child, first: date, last: date) -> None:
    """End the entries that ask for ``child`` on these days, in the caller's transaction: she does not come."""
    _leave(WaitEntry.objects.filter(children__child=child, day__range=(first, last)))


def _leave(rows: QuerySet[WaitEntry]) -> None:
    require_transaction()
    rows.filter(state=EntryState.WAITING).update(state=EntryState.LEFT, ended_at=clock.now())
