"""Care places: which room takes which children, which limit binds, and the one function that moves counters.

Booking, moving, extending, leaving early and cancelling are all `change`: stays out, stays in, one net move per
quarter. Locks are taken once, in ascending order of (room, quarter); freeing never fails.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, connection
from django.utils.translation import gettext_lazy as _

from hub.childcare.capacity import COUNTERS, counts_of, ratios_on, set_lacks
from hub.childcare.custody import refuse_while_cared_for
from hub.childcare.enums import Limit, PlaceStatus
from hub.childcare.models import CarePlace, CareRoom, Child, ChildClaim, RoomQuarter
from hub.childcare.queries import age_class_in
from hub.childcare.ratio import SCHOOL_AGE, Counts, qualified, required
from hub.core.db import insert_rows, require_transaction, violated
from hub.core.errors import DomainError
from hub.core.quarters import Period, start_of
from hub.spaces.models import Visit

Cell = tuple[int, int]  # room, quarter
Limits = Mapping[str, Any]
CHILD_ONCE = ("child_once", "childcare_childclaim.child_id")


@dataclass(frozen=True)
class Wish:
    """A child to be cared for during ``period``."""

    child: Child
    period: Period


@dataclass(frozen=True)
class Binding:
    """The limit that refuses a wish: where, when, and how many are missing."""

    limit: Limit
    wish: Wish
    quarters: tuple[int, ...]
    age_class: int
    missing: int = 0
    counts: Counts = field(default_factory=Counts)
    row: RoomQuarter | None = None


@dataclass(frozen=True)
class Assigned:
    wish: Wish
    room: CareRoom
    age_class: int


class CareFull(DomainError):
    def __init__(self, binding: Binding | None = None) -> None:
        super().__init__("care_full", _("預かりが いっぱいです。"), binding=binding)


class ChildBusy(DomainError):
    def __init__(self, child: Child | None = None) -> None:
        super().__init__(
            "child_busy", _("お子さんは その時間に もう 預かりの 予約が あります。"), child=child
        )


def binding_limit(row: RoomQuarter, counts: Counts) -> tuple[Limit, int] | None:
    """The limit that ``counts`` would break in ``row``, and by how much; None when they fit.

    A quarter with a recorded shortfall takes nobody, whatever the count (I3b).
    """
    if row.shortfall or row.qualified_shortfall or row.over:
        return Limit.SHORTFALL, max(row.shortfall, row.qualified_shortfall, row.over)
    if counts.children > row.places:
        return Limit.PLACES, counts.children - row.places
    if counts.infants > row.infant_limit:
        return Limit.AREA_INFANT, counts.infants - row.infant_limit
    if counts.toddlers > row.toddler_limit:
        return Limit.AREA_TODDLER, counts.toddlers - row.toddler_limit
    ratios = ratios_on(row)
    short = required(counts, ratios, main_hours=row.in_main_hours) - row.staff
    if short > 0:
        return Limit.STAFF, short
    short = qualified(counts, ratios) - row.qualified
    if short > 0:
        return Limit.QUALIFIED, short
    return None


STATE = (
    "staff", "qualified", "places", "infant_limit", "toddler_limit", "r0", "r1", "r2", "r3", "r45", "plus", "share_num",
    "share_den", "in_main_hours", "shortfall", "qualified_shortfall", "over", *COUNTERS,
)  # fmt: skip
state_of = attrgetter(*STATE)
Left = tuple[tuple[int, str], ...]


@lru_cache(maxsize=8192)
def left_by_class(state: tuple[int, ...], youngest: int, oldest: int) -> Left:
    """Per age class 0 to 5: how many more children a room in this ``state`` takes, and the limit that then binds.

    Remembered by the numbers of the row (`STATE`): most quarters of a day look alike, and this is read more than
    anything else.
    """
    row = RoomQuarter(**dict(zip(STATE, state, strict=True)))
    found: list[tuple[int, str]] = []
    for age_class in range(SCHOOL_AGE):
        if not youngest <= age_class <= oldest:
            found.append((0, str(Limit.NO_ROOM)))
            continue
        counts, fit = counts_of(row).plus(age_class), 0
        limit = binding_limit(row, counts)
        while limit is None:
            counts, fit = counts.plus(age_class), fit + 1
            limit = binding_limit(row, counts)
        found.append((fit, str(limit[0])))
    return tuple(found)


NOTHING_LEFT: Left = ((0, str(Limit.CLOSED)),) * SCHOOL_AGE


def best_left(rooms: Iterable[Left]) -> Left:
    """The most that any one room takes, by class: children of one wish stay in one room."""
    found = list(rooms)
    if len(found) == 1:
        return found[0]
    return tuple(max(column, key=lambda left: left[0]) for column in zip(*found, strict=True)) or NOTHING_LEFT


def assign(
    wishes: Sequence[Wish],
    rooms: Sequence[CareRoom],
    rows: Mapping[Cell, RoomQuarter],
    counts: dict[Cell, Counts],
) -> list[Assigned] | Binding:
    """Put each wish into the first room that takes it, in order; ``counts`` grows with what was placed.

    Returns the assignments, or the binding limit of the first wish that fits in no room: of the room that
    comes closest, with all its refusing quarters.
    """
    placed: list[Assigned] = []
    for wish in wishes:
        day = wish.period.starts_at
        closest: Binding | None = None
        oldest_class = 0
        for room in rooms:
            age_class = age_class_in(room, wish.child.birthday, day.astimezone(room.hub.tz).date())
            oldest_class = max(oldest_class, age_class)
            if age_class >= SCHOOL_AGE or not room.youngest <= age_class <= room.oldest:
                continue
            refused: dict[Limit, list[int]] = defaultdict(list)
            worst: dict[
                Limit, tuple[int, Counts, RoomQuarter | None]
            ] = {}  # per limit: its numbers belong together
            for quarter in wish.period.quarters:
                row = rows.get((room.pk, quarter))
                if row is None:
                    refused[Limit.CLOSED].append(quarter)
                    continue
                before = counts.get((room.pk, quarter), counts_of(row))
                verdict = binding_limit(row, before.plus(age_class))
                if verdict is not None:
                    refused[verdict[0]].append(quarter)
                    if verdict[0] not in worst or verdict[1] > worst[verdict[0]][0]:
                        worst[verdict[0]] = (verdict[1], before, row)
            if not refused:
                for quarter in wish.period.quarters:
                    cell = (room.pk, quarter)
                    counts[cell] = counts.get(cell, counts_of(rows[cell])).plus(age_class)
                placed.append(Assigned(wish, room, age_class))
                break
            limit = max(refused, key=lambda name: len(refused[name]))
            missing, beside, shown = worst.get(limit, (0, Counts(), None))
            candidate = Binding(limit, wish, tuple(refused[limit]), age_class, missing, beside, shown)
            if closest is None or len(candidate.quarters) < len(closest.quarters):
                closest = candidate
        else:
            return closest or Binding(Limit.NO_ROOM, wish, tuple(wish.period.quarters), oldest_class)
    return placed


def _locked_rows(rooms: Iterable[int], quarters: Iterable[int]) -> dict[Cell, RoomQuarter]:
    wanted, ids = sorted(set(quarters)), sorted(set(rooms))
    if not wanted or not ids:  # a hub without a care room; PostgreSQL refuses an empty IN ()
        return {}
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM childcare_roomquarter WHERE room_id IN ({', '.join(['%s'] * len(ids))})"  # noqa: S608  our own names
            f" AND quarter >= %s AND quarter <= %s ORDER BY room_id, quarter{lock}",
            [*ids, wanted[0], wanted[-1]],
        )
        found = [RoomQuarter.from_db(None, _FIELDS, row) for row in cursor.fetchall()]
    return {(row.room_id, row.quarter): row for row in found}


#: All columns by name, written out once: composing this lock took the ORM longer than the database needs for it.
_FIELDS = [field.attname for field in RoomQuarter._meta.concrete_fields]
_COLUMNS = ", ".join(_FIELDS)


#: Both databases name the columns of VALUES column1, column2, ...: here the row's id and one step per counter.
_MOVE = f"""
UPDATE childcare_roomquarter AS cell
SET {", ".join(f"{name} = cell.{name} + step.column{n}" for n, name in enumerate(COUNTERS, 2))}
FROM (VALUES {{}}) AS step WHERE cell.id = step.column1
"""  # noqa: S608  our own names


def _move_counters(rows: Mapping[Cell, RoomQuarter], counts: Mapping[Cell, Counts]) -> None:
    """Add the net moves by one statement, however many children move; the CHECK of the table is the second guard."""
    steps: list[tuple[int, ...]] = []
    for cell, now in counts.items():
        row = rows[cell]
        step = tuple(new - old for new, old in zip(now, counts_of(row), strict=True))
        if any(step):
            steps.append((row.pk, *step))
    if not steps:
        return
    marks = f"({', '.join(['%s'] * len(steps[0]))})"
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                _MOVE.format(", ".join([marks] * len(steps))), [value for step in steps for value in step]
            )
    except IntegrityError as error:
        if "room_quarter" in str(error):
            raise CareFull from None
        raise
    for cell, now in counts.items():
        row = rows[cell]
        if row.frozen_children and now != counts_of(row):
            # Children left a quarter that lacks staff: the lack shrinks with them, and stays closed to others.
            set_lacks(row, now)
            row.save(update_fields=["shortfall", "qualified_shortfall", "over", "frozen_children"])


def change(
    visit: Visit,
    wishes: Sequence[Wish],
    rooms: Sequence[CareRoom],
    *,
    keep_before: int | None = None,
    is_new: bool = False,
    same_room: bool = False,
) -> list[CarePlace]:
    """Make ``wishes`` the care places of ``visit``, all or nothing, in the caller's transaction.

    ``keep_before``: quarters before it have begun and stay as they are (extend, leave early). ``is_new``: the visit
    was made in this transaction, so it has no places yet. ``same_room``: nobody changes rooms (a closure takes time
    away; what her sister leaves free is the room that closes). Returns the places. Raises `CareFull`
    with the limit that binds, `ChildBusy` when a child is elsewhere in that time.
    """
    require_transaction()
    known = (
        CarePlace.objects.none() if is_new else CarePlace.objects.filter(visit=visit).select_related("room")
    )
    places = {place.child_id: place for place in known}
    claims = ChildClaim.objects.filter(place__visit=visit) if places else ChildClaim.objects.none()
    if keep_before is not None:
        claims = claims.filter(quarter__gte=keep_before)
    old = list(claims.values_list("place__room_id", "quarter", "age_class")) if places else []
    if not old and not wishes and not places:
        return []
    new = [
        Wish(wish.child, Period(max(wish.period.starts_at, start_of(keep_before)), wish.period.ends_at))
        if keep_before is not None
        else wish
        for wish in wishes
    ]
    new = [wish for wish in new if wish.period.starts_at < wish.period.ends_at]
    room_ids = {room.pk for room in rooms} | {room_id for room_id, _q, _c in old}
    quarters = {quarter for _r, quarter, _c in old} | {q for wish in new for q in wish.period.quarters}
    rows = _locked_rows(room_ids, quarters)
    counts: dict[Cell, Counts] = {}
    for room_id, quarter, age_class in old:
        cell = (room_id, quarter)
        counts[cell] = counts.get(cell, counts_of(rows[cell])).plus(age_class, -1)
    # A child who only stays on keeps her room: a second room would mean moving house at noon.
    found: list[Assigned] = []
    for wish in new:
        mine = places.get(wish.child.pk)
        moves = keep_before is None and not same_room
        staying = mine is not None and mine.status == PlaceStatus.BOOKED and not moves
        options = [room for room in rooms if mine and room.pk == mine.room_id] if staying else rooms
        verdict = _assign_own(wish, options, rows, counts, {(r, q) for r, q, _c in old})
        if isinstance(verdict, Binding):
            raise CareFull(verdict)
        found.append(verdict)
    if old:
        claims.delete()
    _move_counters(rows, counts)
    return _write_places(visit, wishes, found, places, keep_before)


def _assign_own(
    wish: Wish,
    rooms: Sequence[CareRoom],
    rows: Mapping[Cell, RoomQuarter],
    counts: dict[Cell, Counts],
    own: set[Cell],
) -> Assigned | Binding:
    """`assign` for one wish; a quarter with a shortfall still takes back a child who already held a place in it."""
    relaxed: dict[Cell, RoomQuarter] = {}
    for cell, row in rows.items():
        if row.frozen_children and cell in own and counts[cell].children < row.frozen_children:
            kept = RoomQuarter(
                **{f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.generated}
            )
            kept.staff += row.shortfall
            kept.qualified += row.qualified_shortfall
            kept.places += row.over
            kept.infant_limit += row.over
            kept.toddler_limit += row.over
            kept.shortfall = kept.qualified_shortfall = kept.over = 0
            relaxed[cell] = kept
    result = assign([wish], rooms, {**rows, **relaxed}, counts)
    return result if isinstance(result, Binding) else result[0]


def _keep_used(
    places: Mapping[int, CarePlace],
    found: Sequence[Assigned],
    whole: Mapping[int, Period],
    keep_before: int | None,
) -> None:
    """A child who was received keeps her place, its room and its beginning, also before the booked time has begun."""
    rooms = {assigned.wish.child.pk: assigned.room.pk for assigned in found}
    lost = [
        place
        for child_id, place in places.items()
        if place.status == PlaceStatus.BOOKED
        and (keep_before is None or place.starts_at >= start_of(keep_before))
        and (
            child_id not in rooms
            or (rooms[child_id], whole[child_id].starts_at) != (place.room_id, place.starts_at)
        )
    ]
    if lost:
        refuse_while_cared_for(lost)


def _write_places(
    visit: Visit,
    wishes: Sequence[Wish],
    found: Sequence[Assigned],
    places: Mapping[int, CarePlace],
    keep_before: int | None,
) -> list[CarePlace]:
    whole = {wish.child.pk: wish.period for wish in wishes}
    kept = {assigned.wish.child.pk for assigned in found}
    fresh: list[CarePlace] = []
    by_child: dict[int, CarePlace] = {}
    _keep_used(places, found, whole, keep_before)
    for assigned in found:
        child_id = assigned.wish.child.pk
        known = places.get(child_id)
        place = known or CarePlace(visit=visit, child=assigned.wish.child)
        period = whole[child_id]
        changed = (place.room_id, place.starts_at, place.ends_at, place.status) != (
            assigned.room.pk, period.starts_at, period.ends_at, PlaceStatus.BOOKED,
        )  # fmt: skip
        place.room, place.status = assigned.room, PlaceStatus.BOOKED
        place.starts_at, place.ends_at = period.starts_at, period.ends_at
        by_child[child_id] = place
        if known is None:
            fresh.append(place)
        elif changed:
            place.save(update_fields=["room", "status", "starts_at", "ends_at"])
    if fresh:
        CarePlace.objects.bulk_create(fresh)
    for child_id, place in places.items():
        if child_id in kept or place.status == PlaceStatus.CANCELLED:
            continue
        if keep_before is not None and place.starts_at < start_of(keep_before):
            place.ends_at = min(place.ends_at, max(start_of(keep_before), whole[child_id].ends_at)
                                if child_id in whole else start_of(keep_before))  # fmt: skip
            place.save(update_fields=["ends_at"])
        else:
            place.status = PlaceStatus.CANCELLED
            place.save(update_fields=["status"])
    rows = [
        (by_child[assigned.wish.child.pk].pk, assigned.wish.child.pk, quarter, assigned.age_class)
        for assigned in sorted(found, key=lambda assigned: assigned.wish.child.pk)
        for quarter in assigned.wish.period.quarters
    ]
    try:
        insert_rows(ChildClaim, ("place_id", "child_id", "quarter", "age_class"), rows)
    except IntegrityError as error:
        if violated(error, child=CHILD_ONCE):
            raise ChildBusy from None
        raise
    return list(by_child.values())
