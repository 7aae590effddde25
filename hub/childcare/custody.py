"""Receiving a child and handing her over (RULE-07, RULE-11), and taking back a wrong tap.

Only a carer of the hub writes here; the adult is a guardian or a pick-up adult of the child's household. Nothing is ever
rewritten: a wrong tap is put right by new rows. Locks: visit, attendance, custody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from hub.childcare.adults import Adult, adult_of
from hub.childcare.duty import (
    RatioShortNow,
    carer_of,
    check_right,
    counts_inside,
    hold_duty,
    law_of,
    need_of,
    tell,
    working,
)
from hub.childcare.enums import AttendanceKind, Identified, PlaceStatus
from hub.childcare.models import Attendance, CarePlace, Carer, CareRoom, Child, Custody, Handover
from hub.childcare.queries import age_class_in
from hub.core import clock
from hub.core.db import require_transaction, run_write, violated
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit

COLDEST, HOTTEST = Decimal("34"), Decimal("42.5")
NOTE_MAX = 300
#: How long 「取り消す」 is offered, and how long the server still takes it (a slow tap, a slow net).
UNDO_SECONDS = 10
UNDO_GRACE = timedelta(seconds=30)
#: Handed straight back to whoever brought her: a wrong tap or a parent who changed her mind, not a stay.
STRAIGHT_BACK = timedelta(minutes=2)
#: Visits whose children may be received.
COMING = (VisitStatus.BOOKED, VisitStatus.IN)
OPEN_CUSTODY = ("one_open_custody", "childcare_custody.child_id")


@dataclass(frozen=True)
class Received:
    """The custody, and whether carers were missing when it began (confirmed by a person)."""

    custody: Custody
    was_short: bool = False


class AlreadyInCare(DomainError):
    def __init__(self, custody: Custody | None) -> None:
        super().__init__("already_in_care", _("この子は もう 受け取ってあります。"), 409, custody=custody)


class AlreadyHandedOver(DomainError):
    def __init__(self, custody: Custody) -> None:
        super().__init__("already_handed_over", _("この子は もう 渡してあります。"), 409, custody=custody)


# ---------------------------------------------------------------- reads and rules


def was_straight_back(custody: Custody) -> bool:
    """Whether the child went straight back to the adult who had brought her. Needs ``handover`` loaded."""
    handover = custody.handover
    if custody.closed_at is None or handover is None:
        return False
    same = (custody.brought_by_id, custody.brought_by_adult_id) == (
        handover.guardian_id,
        handover.pickup_adult_id,
    )
    return same and custody.closed_at - custody.received_at <= STRAIGHT_BACK


def stays(custodies: Iterable[Custody]) -> list[Custody]:
    """Custodies without the wrong taps."""
    return [custody for custody in custodies if not was_straight_back(custody)]


def check_temperature(temperature: Decimal, room: CareRoom) -> None:
    """Raises `DomainError` ``temperature_implausible`` (422), or ``fever`` (409) from the room's limit on (RULE-07)."""
    if not COLDEST <= temperature <= HOTTEST:
        raise DomainError(
            "temperature_implausible",
            _("体温を たしかめてください。34.0℃から 42.5℃までで 入れます。"),
            422,
            field="temperature",
        )
    if temperature >= room.fever_limit:
        raise DomainError(
            "fever",
            _(
                "%(now)s℃です。%(limit)s℃からは お預かり できません。もう一度 はかって 同じなら、保護者と いっしょに 帰ってもらいます。"
            )
            % {"now": temperature, "limit": room.fever_limit},
            409,
            field="temperature",
        )


def _place_now(hub: Hub, child: Child, now: datetime) -> CarePlace:
    """The booked place under which ``child`` can be received now.

    A parent may come as early to the room as to the door (`Hub.early_minutes`). Raises `DomainError` ``too_early`` or
    ``no_place`` (409).
    """
    rows = CarePlace.objects.filter(
        child=child, room__hub=hub, status=PlaceStatus.BOOKED, visit__status__in=COMING, ends_at__gt=now
    )
    place = rows.order_by("starts_at", "pk").first()
    if place is not None and place.starts_at - timedelta(minutes=hub.early_minutes) <= now:
        return place
    if place is not None and place.starts_at.astimezone(hub.tz).date() == now.astimezone(hub.tz).date():
        start = place.starts_at.astimezone(hub.tz)
        raise DomainError(
            "too_early",
            _("予約は %(start)s からです。早く 預けるときは、先に 入口で 預かりの 時間を 変えてください。")
            % {"start": f"{start:%-H:%M}"},
        )
    raise DomainError(
        "no_place",
        _("いまの 時間の 預かりの 予約が ありません。先に 入口で 席と 預かりを とってください。"),
    )


def _child(hub: Hub, code: str) -> Child:
    """A child whom this hub may know: hers to check, or with a place here. Raises ``child_unknown`` (404)."""
    child = Child.objects.filter(code=code).first()
    if child is not None and (
        child.hub_id == hub.pk or CarePlace.objects.filter(child=child, room__hub=hub).exists()
    ):
        return child
    raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)


def open_custody(child: Child) -> Custody | None:
    rows = Custody.objects.filter(child=child, closed_at__isnull=True)
    return rows.select_related("received_by", "room__hub").first()


def _locked(hub: Hub, code: str) -> Custody:
    """The custody of this code in a room of ``hub``, locked. Raises ``custody_unknown`` (404)."""
    rows = Custody.objects.select_for_update(of=("self",)).select_related("child", "room__hub", "place")
    custody = rows.filter(code=code, room__hub=hub).first()
    if custody is None:
        raise DomainError("custody_unknown", _("この受け入れは 見つかりません。"), 404)
    return custody


def refuse_while_cared_for(places: Iterable[CarePlace]) -> None:
    """A place that was really used is not cancelled: the child is inside, or was (`places.change` asks this).

    Raises `DomainError` ``child_in_care`` (409).
    """
    require_transaction()
    used = Custody.objects.filter(place__in=list(places)).select_related("child", "handover").order_by("pk")
    for custody in stays(used):
        raise DomainError(
            "child_in_care",
            _("%(name)sさんは こどものへやで もう 預かりました。預かりを やめることは できません。")
            % {"name": custody.child.name},
        )


# ---------------------------------------------------------------- writes


def receive(
    *,
    actor: Member,
    hub: Hub,
    child: str,
    adult: str,
    temperature: Decimal,
    carer: str,
    note: str = "",
    confirm: bool = False,
) -> Received:
    """Take a child into care: codes of the ``child``, of the ``adult`` who brings her and of the ``carer`` who takes her.

    That the parent passed the door is not asked. Raises `DomainError`: ``child_unknown``, ``adult_unknown``,
    ``carer_unknown`` (404), ``no_place``, ``too_early``, ``fever``, ``adult_ended`` (409), ``temperature_implausible``
    (422), `AlreadyInCare` with the open custody, and `RatioShortNow` unless ``confirm``: then the lack is recorded.
    """

    def work() -> Received:
        check_right(actor, hub)
        who = carer_of(hub, carer)
        kid, now = _child(hub, child), clock.now()
        known = open_custody(kid)
        if known is not None:
            raise AlreadyInCare(known)
        found = _place_now(hub, kid, now)
        Visit.objects.select_for_update().get(pk=found.visit_id)  # a cancellation waits, or came before
        place = _place_now(hub, kid, now)
        room = CareRoom.objects.select_related("hub").get(pk=place.room_id)
        brought = adult_of(kid.household_id, adult)
        check_temperature(temperature, room)
        age_class = min(5, age_class_in(room, kid.birthday, now.astimezone(hub.tz).date()))
        on_duty = working(hold_duty(room))
        need = need_of(room, law_of(room, now), counts_inside(room).plus(age_class), on_duty, now)
        if need.is_short and not confirm:
            raise RatioShortNow(need)
        custody = Custody(
            place=place, child=kid, room=room, age_class=age_class, received_at=now, received_by=who,
            recorded_by=actor, brought_by=brought.guardian, brought_by_adult=brought.pickup,
            temperature=temperature,
        )  # fmt: skip
        custody.note = note.strip()[:NOTE_MAX]
        _insert(custody)
        if need.is_short:
            record_lack(who, room, now)
        tell(hub, kid)
        return Received(custody, need.is_short)

    return run_write(work)


def _insert(custody: Custody) -> None:
    """Two tablets at once: the second meets the unique open custody and is told the truth."""
    try:
        with transaction.atomic():
            custody.save(force_insert=True)
    except IntegrityError as error:
        if violated(error, open=OPEN_CUSTODY):
            raise AlreadyInCare(open_custody(custody.child)) from None
        raise


def record_lack(carer: Carer, room: CareRoom, now: datetime) -> None:
    """A child was received although carers were missing: who confirmed it and when, as an attendance of no length.

    The number of children and carers of that moment follows from the other rows (decision 0010).
    """
    Attendance.objects.create(
        carer=carer, room=room, kind=AttendanceKind.WORK, starts_at=now, ends_at=now, was_short=True
    )


def hand_over(
    *, actor: Member, hub: Hub, custody: str, adult: str, carer: str, identified_by: str
) -> Custody:
    """Give a child to an adult: codes of the ``custody``, the ``adult`` and the ``carer`` who gives her.

    The hand-over is written and the custody closed in one transaction; the booked place stays as it is. Raises
    `DomainError`: ``custody_unknown``, ``adult_unknown``, ``carer_unknown`` (404), ``adult_ended`` (409),
    ``identified_missing`` (422), and `AlreadyHandedOver` with the closed custody.
    """

    def work() -> Custody:
        check_right(actor, hub)
        who = carer_of(hub, carer)
        row = _locked(hub, custody)
        if row.closed_at is not None:
            raise AlreadyHandedOver(_closed(row.pk))
        taken = adult_of(row.child.household_id, adult)
        if identified_by not in Identified.values:
            raise DomainError(
                "identified_missing", _("どうやって たしかめたかを えらんでください。"), 422, field="how"
            )
        _close(row, actor=actor, carer=who, adult=taken, identified_by=identified_by)
        tell(hub, row.child)
        return row

    return run_write(work)


def _close(custody: Custody, *, actor: Member, carer: Carer, adult: Adult, identified_by: str) -> None:
    at = max(clock.now(), custody.received_at)
    try:
        with transaction.atomic():
            made = Handover.objects.create(
                custody=custody, handed_at=at, carer=carer, recorded_by=actor, guardian=adult.guardian,
                pickup_adult=adult.pickup, identified_by=identified_by,
            )  # fmt: skip
    except IntegrityError:  # its key is the custody's: the second hand-over of a custody cannot be stored
        raise AlreadyHandedOver(_closed(custody.pk)) from None
    custody.closed_at, custody.handover = at, made
    custody.save(update_fields=["closed_at", "handover"])


def _closed(pk: int) -> Custody:
    rows = Custody.objects.select_related("handover__guardian", "handover__pickup_adult", "handover__carer")
    return rows.get(pk=pk)


def undo(*, actor: Member, hub: Hub, custody: str) -> Custody:
    """Take the last tap back: who was just received goes straight back, who was just handed over is received again.

    By new rows with the same data; nothing is deleted. Returns the custody that was closed or the new one. Raises
    `DomainError` ``undo_over`` (409) later than `UNDO_GRACE`, ``custody_unknown`` (404).
    """

    def work() -> Custody:
        check_right(actor, hub)
        known = Custody.objects.filter(code=custody, room__hub=hub).select_related("place").first()
        if known is not None:
            Visit.objects.select_for_update().get(pk=known.place.visit_id)
        row, now = _locked(hub, custody), clock.now()
        if now - (row.closed_at or row.received_at) > UNDO_GRACE:
            raise DomainError(
                "undo_over",
                _("取り消せるのは すぐ あとだけです。ここから 手で 直してください。"),
                custody=row,
            )
        if row.closed_at is None:
            brought = Adult(guardian=row.brought_by, pickup=row.brought_by_adult)
            _close(row, actor=actor, carer=row.received_by, adult=brought, identified_by=Identified.KNOWN)
            result = row
        else:
            result = _receive_again(actor, row, now)
        tell(hub, row.child)
        return result

    return run_write(work)


def _receive_again(actor: Member, old: Custody, now: datetime) -> Custody:
    handover = old.handover
    assert handover is not None
    again = Custody(
        place=old.place, child=old.child, room=old.room, age_class=old.age_class, received_at=now,
        received_by=handover.carer, recorded_by=actor, brought_by=old.brought_by,
        brought_by_adult=old.brought_by_adult, temperature=old.temperature,
    )  # fmt: skip
    again.note = old.note
    _insert(again)
    return again


def forget_before(moment: datetime) -> int:
    """Delete custodies and hand-overs of visits that ended before ``moment`` (RULE-16); returns the custodies deleted.

    The two tables name each other, so neither row can go first: both are deleted in one transaction, whose end is
    where the database looks at the foreign keys. In the caller's transaction.
    """
    require_transaction()
    old = Custody.objects.filter(place__visit__ends_at__lt=moment)
    pks = list(old.values_list("pk", flat=True))
    for start in range(0, len(pks), 500):
        part = pks[start : start + 500]
        handovers, custodies = Handover.objects.filter(pk__in=part), Custody.objects.filter(pk__in=part)
        handovers._raw_delete(handovers.db)
        custodies._raw_delete(custodies.db)
    return len(pks)
