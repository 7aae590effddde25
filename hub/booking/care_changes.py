"""Corrections that move booked children between classes: a birthday that was written wrong (RULE-01)."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from hub.booking import services
from hub.booking.enums import EntryState
from hub.childcare import places
from hub.childcare.capacity import COUNTERS, RatioShort, counts_of, set_lacks
from hub.childcare.models import Child, ChildClaim, RoomQuarter
from hub.childcare.places import Cell
from hub.childcare.queries import age_class_in, rooms_of
from hub.childcare.ratio import SCHOOL_AGE, Counts
from hub.core import clock, live
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import quarter_of, start_of
from hub.members.models import Member
from hub.spaces.access import Action, allowed
from hub.spaces.enums import LIVE_STATUSES, VisitStatus
from hub.spaces.models import Hub, Visit

LACKS = ("shortfall", "qualified_shortfall", "over", "frozen_children")


def correct_birthday(*, actor: Member, child: Child, birthday: date, confirm: bool = False) -> list[Visit]:
    """Correct a birthday; what is booked from now on is counted under the right class at once.

    Places on days on which no room takes the right class (school age) are ended; their visits, returned here, keep
    the seat, and the parents are told. Raises `RatioShort` when the other places would break the ratio, unless
    ``confirm`` records that as a shortfall (I3b).
    """

    def work() -> list[Visit]:
        services.hold_queue(child.hub)
        row = Child.objects.select_for_update(of=("self",)).select_related("hub").get(pk=child.pk)
        if not allowed(actor, Action.DECIDE_CHILD, row.hub):
            raise DomainError("child_unknown", _("お子さんが 見つかりません。"), 404)
        if birthday > clock.today(row.hub.tz):
            raise DomainError("not_born", _("生年月日を たしかめてください。まだ 来ていない 日です。"), 422)
        row.birthday = birthday
        row.save(update_fields=["birthday"])
        ended = _end_places_without_room(row)
        _recount(row, confirm=confirm)
        # She may wait where nothing of hers is booked: another class may have room for her.
        for hub in Hub.objects.filter(
            wait_entries__children__child=row, wait_entries__state=EntryState.WAITING
        ).distinct():
            services.freed(hub)
        return ended

    return run_write(work)


def _end_places_without_room(child: Child) -> list[Visit]:
    """End the future places of days on which the room no longer takes the child's class."""
    ended: list[Visit] = []
    now = clock.now()
    visits = Visit.objects.filter(
        care_places__child=child, care_places__status="booked", status__in=LIVE_STATUSES, ends_at__gt=now
    )
    # Locked: a visit cancelled or shortened at this moment would otherwise be counted out of its room twice.
    locked = visits.select_for_update(of=("self",)).select_related("hub", "member")
    for visit in locked.order_by("starts_at", "pk"):
        day = visit.starts_at.astimezone(visit.hub.tz).date()
        rooms = rooms_of(visit.hub)
        if any(room.youngest <= age_class_in(room, child.birthday, day) <= room.oldest for room in rooms):
            continue
        if visit.status == VisitStatus.OFFERED:  # one bundle: without the child it is no offer any more
            services.end_visit(visit, VisitStatus.CANCELLED_BY_HUB)
            continue
        wishes = [wish for wish in services.wishes_of(visit) if wish.child.pk != child.pk]
        begun = visit.starts_at <= now
        places.change(visit, wishes, rooms, keep_before=quarter_of(now) + 1 if begun else None)
        services.note_change(visit)
        ended.append(visit)
    return ended


def _recount(child: Child, *, confirm: bool) -> None:
    """Move the child's claims from now on to the right class, counters and claims together."""
    claims = list(
        ChildClaim.objects.filter(child=child, quarter__gte=quarter_of(clock.now()))
        .select_related("place__room__hub")
        .order_by("place__room_id", "quarter")
    )
    wanted: dict[Cell, tuple[int, int]] = {}
    by_class: dict[int, list[int]] = {}
    for claim in claims:
        room = claim.place.room
        day = start_of(claim.quarter).astimezone(room.hub.tz).date()
        right = age_class_in(room, child.birthday, day)
        # Of school age: her quarters to come are given back, and the one that runs stays as it was counted.
        if right != claim.age_class and right < SCHOOL_AGE:
            wanted[(room.pk, claim.quarter)] = (claim.age_class, right)
            by_class.setdefault(right, []).append(claim.pk)
    if not wanted:
        return
    rows = RoomQuarter.objects.select_for_update().filter(
        room_id__in={room for room, _q in wanted}, quarter__in={quarter for _r, quarter in wanted}
    )
    changed: list[RoomQuarter] = []
    lacking: list[RoomQuarter] = []
    for row in rows.order_by("room_id", "quarter"):
        move = wanted.get((row.room_id, row.quarter))
        if move is None:
            continue
        before = (row.shortfall, row.qualified_shortfall, row.over)
        counts: Counts = counts_of(row).plus(move[0], -1).plus(move[1])
        row.n0, row.n1, row.n2, row.n3, row.n45 = counts
        set_lacks(row, counts)
        after = (row.shortfall, row.qualified_shortfall, row.over)
        if any(new > old for new, old in zip(after, before, strict=True)):
            lacking.append(row)
        changed.append(row)
    if lacking and not confirm:
        raise RatioShort(lacking)
    RoomQuarter.objects.bulk_update(changed, [*COUNTERS, *LACKS], batch_size=100)
    for age_class, pks in by_class.items():
        ChildClaim.objects.filter(pk__in=pks).update(age_class=age_class)
    for hub in {claim.place.room.hub for claim in claims}:
        services.freed(hub)  # another class may leave room for others
        live.broadcast(f"hub.{hub.slug}", "availability")
