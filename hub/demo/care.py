"""The demo's morning in the children's rooms: carers at work, children inside, one gone home, one who did not come.

Rows with the times of the morning, once a day and hub; the services themselves know only the present moment.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from hub.childcare import attendance
from hub.childcare.capacity import on_shift
from hub.childcare.enums import AttendanceKind, Identified, PlaceStatus
from hub.childcare.models import Attendance, CarePlace, Carer, CareRoom, Custody, Handover, Shift, ShiftChange
from hub.childcare.queries import age_class_in
from hub.core.db import require_transaction
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces.arrivals import arrive
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub

#: A family whose time began so long ago and who is not there has not come (RULE-12).
LATE = timedelta(minutes=16)
DEGREES = ("36.4", "36.7", "36.5", "36.9", "36.6", "36.8")


def morning(hub: Hub, now: datetime) -> int:
    """Bring the rooms of ``hub`` to what they would be at ``now``. Returns the children received; 0 when done before."""
    require_transaction()
    start = now.astimezone(hub.tz).replace(hour=0, minute=0, second=0, microsecond=0)
    if Custody.objects.filter(room__hub=hub, received_at__gte=start).exists():
        return 0
    if not Custody.objects.filter(room__hub=hub).exists():
        _last_week(hub, start)
    _evening_before(hub, start)
    return sum(_room(room, start, now) for room in CareRoom.objects.filter(hub=hub).select_related("hub"))


def _room(room: CareRoom, start: datetime, now: datetime) -> int:
    carers = _at_work(room, start, now)
    if not carers:
        return 0
    places = list(
        CarePlace.objects.filter(
            room=room, status=PlaceStatus.BOOKED, visit__status=VisitStatus.BOOKED, starts_at__gte=start,
            starts_at__lte=now - timedelta(minutes=5),
        )
        .select_related("child", "visit__member")
        .order_by("starts_at", "pk")
    )  # fmt: skip
    # Who began last, but long enough ago, is the family that did not come: there is something to do on the board.
    late = [place.visit_id for place in places if place.starts_at <= now - LATE and place.ends_at > now]
    missing = late[-1] if len(set(late)) > 1 else None
    came = [place for place in places if place.visit_id != missing]
    actor = Member.objects.filter(is_demo=True, email__startswith="carer@").first()
    for n, place in enumerate(came):
        who = carers[n % len(carers)]
        _receive(place, who, actor or place.visit.member, DEGREES[n % len(DEGREES)], now)
    return len(came)


def _last_week(hub: Hub, before: datetime) -> None:
    """Whoever was in care last week is no longer here for the first time."""
    rows = CarePlace.objects.filter(
        room__hub=hub, status=PlaceStatus.BOOKED, visit__status=VisitStatus.DONE, ends_at__lt=before
    )
    carer = Carer.objects.filter(hub=hub).order_by("pk").first()
    if carer is None:
        return
    for n, place in enumerate(
        rows.select_related("child", "room__hub", "visit__member").order_by("starts_at", "pk")
    ):
        actor = carer.member or place.visit.member
        _receive(place, carer, actor, DEGREES[n % len(DEGREES)], before)


def _evening_before(hub: Hub, before: datetime) -> None:
    """Nobody played the carers of an earlier day: their children went home and they did, too."""
    rows = Custody.objects.filter(room__hub=hub, closed_at__isnull=True, received_at__lt=before)
    for custody in rows.select_related("place__visit__member", "received_by", "recorded_by"):
        gone = max(custody.received_at, custody.place.ends_at - timedelta(minutes=2))
        _hand_over(custody, custody.received_by, custody.recorded_by, gone)
    attendance.close_forgotten(hub, before)


def _at_work(room: CareRoom, start: datetime, now: datetime) -> list[Carer]:
    """Clock in whoever is on shift; those whose break it is are on a break."""
    day = start.date()
    if Attendance.objects.filter(room=room, starts_at__gte=start).exists():
        return []
    shifts = Shift.objects.filter(room=room).select_related("carer")
    changes = ShiftChange.objects.filter(room=room, date=day).select_related("carer")
    known = {carer.pk: carer for carer in Carer.objects.filter(hub=room.hub)}
    present = []
    for turn in on_shift(room, day, shifts, changes):
        if not turn.period.starts_at <= now < turn.period.ends_at:
            continue
        carer, since = known[turn.carer_id], turn.period.starts_at - timedelta(minutes=3)
        pause: Period | None = turn.pause if turn.pause and turn.pause.starts_at <= now else None
        if pause is None:
            Attendance.objects.create(carer=carer, room=room, kind=AttendanceKind.WORK, starts_at=since)
            present.append(carer)
            continue
        over = pause.ends_at <= now
        rows = [
            (AttendanceKind.WORK, since, pause.starts_at),
            (AttendanceKind.BREAK, pause.starts_at, pause.ends_at if over else None),
            *([(AttendanceKind.WORK, pause.ends_at, None)] if over else []),
        ]
        for kind, starts_at, ends_at in rows:
            Attendance.objects.create(carer=carer, room=room, kind=kind, starts_at=starts_at, ends_at=ends_at)
        if over:
            present.append(carer)
    return present


def _receive(place: CarePlace, carer: Carer, actor: Member, degrees: str, now: datetime) -> None:
    at = place.starts_at + timedelta(minutes=4)
    if place.visit.arrived_at is None:
        arrive(place.visit, place.starts_at + timedelta(minutes=1))
    room = place.room
    custody = Custody.objects.create(
        place=place, child=place.child, room=room, received_at=at, received_by=carer, recorded_by=actor,
        age_class=age_class_in(room, place.child.birthday, at.astimezone(room.hub.tz).date()),
        brought_by=place.visit.member, temperature=Decimal(degrees),
    )  # fmt: skip
    if place.ends_at > now:
        return
    _hand_over(custody, carer, actor, place.ends_at - timedelta(minutes=2))


def _hand_over(custody: Custody, carer: Carer, actor: Member, at: datetime) -> None:
    made = Handover.objects.create(
        custody=custody, handed_at=at, carer=carer, recorded_by=actor, guardian=custody.place.visit.member,
        identified_by=Identified.KNOWN,
    )  # fmt: skip
    custody.closed_at, custody.handover = at, made
    custody.save(update_fields=["closed_at", "handover"])
