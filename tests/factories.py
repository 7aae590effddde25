"""Data by intent: each function makes what its name says and nothing that surprises."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.childcare import capacity
from hub.childcare.enums import ChildStatus, Qualification, Scheme
from hub.childcare.models import Carer, CareRoom, CareRule, Child, RoomQuarter, Shift
from hub.core import clock
from hub.core.db import insert_rows, run_write
from hub.core.quarters import Period
from hub.members.models import Guardian, Household, Member
from hub.spaces.enums import Role, ZoneKind
from hub.spaces.models import Hub, Membership, OpeningHours, Seat, Zone

TOKYO = ZoneInfo("Asia/Tokyo")
#: The tests' "now": Monday 7 December 2026, 9:40 in Tokyo (settings.CLOCK_OFFSET is frozen to it by conftest).
NOW = datetime(2026, 12, 7, 9, 40, tzinfo=TOKYO)
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)


def at(hour: int, minute: int = 0, day: date = TOMORROW) -> datetime:
    """A moment in Tokyo, tomorrow unless said otherwise."""
    return datetime.combine(day, time(hour, minute), tzinfo=TOKYO)


def period(start: float, end: float, day: date = TOMORROW) -> Period:
    """``period(9.5, 12.5)``: 9:30 to 12:30, tomorrow unless said otherwise."""
    return Period(
        at(int(start), round(start % 1 * 60), day),
        at(int(end), round(end % 1 * 60), day),
    )


def make_hub(
    slug: str = "ekimae", *, seats: int = 4, name: str = "駅前ハブ", opens: int = 8, closes: int = 18
) -> Hub:
    """A hub open on weekdays, with ``seats`` quiet seats A1, A2, ... and two talk seats B1, B2."""
    hub = Hub.objects.create(slug=slug, name=name, name_en=slug.title(), phone="0000-00-0000")
    OpeningHours.objects.bulk_create(
        OpeningHours(hub=hub, weekday=weekday, opens=time(opens), closes=time(closes)) for weekday in range(5)
    )
    quiet = Zone.objects.create(
        hub=hub, slug="quiet", name="しずかな席", name_en="Quiet", kind=ZoneKind.QUIET
    )
    talk = Zone.objects.create(
        hub=hub, slug="talk", name="話せる席", name_en="Talk", kind=ZoneKind.TALK, position=1
    )
    for n in range(seats):
        Seat.objects.create(hub=hub, zone=quiet, label=f"A{n + 1}", plan_x=n % 6, plan_y=n // 6, position=n)
    for n in range(2):
        Seat.objects.create(hub=hub, zone=talk, label=f"B{n + 1}", plan_x=n, plan_y=3, position=n)
    return hub


def make_room(
    hub: Hub, *, carers: int = 2, qualified: int | None = None, places: int = 12, scheme: Scheme = Scheme.UNLICENSED,
    horizon: bool = True,
) -> CareRoom:  # fmt: skip
    """A room with ``carers`` on shift all day on weekdays, ``qualified`` of them teachers (all by default)."""
    room = CareRoom.objects.create(
        hub=hub, name="こどものへや", name_en="Children's room", scheme=scheme, places=places,
        area_infant_cm2=600_000, area_toddler_cm2=600_000,
    )  # fmt: skip
    able = carers if qualified is None else qualified
    for n in range(carers):
        qualification = Qualification.NURSERY_TEACHER if n < able else Qualification.SUPPORTER
        make_shift(room, make_carer(hub, name=f"保育者{n + 1}", qualification=qualification))
    if horizon:
        _lay_out(room, (carers, able, places, scheme))
    return room


_COLUMNS = ("quarter", *capacity.COUNTERS, *capacity.MADE_WITH)
_laid: dict[object, list[tuple[object, ...]]] = {}


def _lay_out(room: CareRoom, kind: tuple[object, ...]) -> None:
    """The quarters of a new room to its hub's horizon, as `capacity.rebuild` makes them: computed once per kind of room.

    Most tests begin with such a room, and computing its 1,500 rows took them longer than anything else.
    """
    hub = room.hub
    hours = tuple(hub.opening_hours.values_list("weekday", "opens", "closes"))
    key = (
        *kind, hours, hub.horizon_days, hub.timezone, clock.now(), hub.closures.count(), hub.holidays.count(),
        CareRule.objects.count(),
    )  # fmt: skip
    if key in _laid:
        rows = [(room.pk, *row) for row in _laid[key]]
        run_write(lambda: insert_rows(RoomQuarter, ("room_id", *_COLUMNS), rows))
        return
    run_write(lambda: capacity.rebuild(room, capacity.horizon_days(hub)))
    _laid[key] = list(RoomQuarter.objects.filter(room=room).order_by("quarter").values_list(*_COLUMNS))


def make_carer(
    hub: Hub, *, name: str = "保育者", qualification: Qualification = Qualification.NURSERY_TEACHER
) -> Carer:
    return Carer.objects.create(hub=hub, name=name, qualification=qualification)


def make_shift(
    room: CareRoom, carer: Carer, *, weekdays: Sequence[int] = range(5), **fields: object
) -> list[Shift]:
    values = {"starts": time(8), "ends": time(18), "valid_from": date(2026, 4, 1)} | fields
    return [Shift.objects.create(room=room, carer=carer, weekday=weekday, **values) for weekday in weekdays]


def make_member(
    name: str, email: str | None = None, *, hub: Hub | None = None, role: Role = Role.WORKER
) -> Member:
    """A member with a role at ``hub`` (and the home hub, when a worker)."""
    member = Member.objects.create_user(email, name=name, kana=name)
    if hub is not None:
        Membership.objects.create(member=member, hub=hub, role=role, is_home=role == Role.WORKER)
    return member


def make_household(*guardians: Member) -> Household:
    household = Household.objects.create()
    for guardian in guardians:
        Guardian.objects.create(household=household, member=guardian)
    return household


def born(age_class: int, *, day: date = TODAY) -> date:
    """A birthday that puts a child into ``age_class`` on ``day`` (RULE-01)."""
    fiscal = day.year if (day.month, day.day) >= (4, 1) else day.year - 1
    return date(fiscal - age_class - 1, 10, 1) if age_class else date(fiscal, 4, 10)


def make_child(
    household: Household,
    hub: Hub,
    age_class: int = 1,
    *,
    name: str = "ゆい",
    status: ChildStatus = ChildStatus.APPROVED,
) -> Child:
    return Child.objects.create(
        household=household, hub=hub, name=name, kana=name, birthday=born(age_class), status=status
    )


def request_for(
    member: Member, hub: Hub, when: Period | None = None, *, seat: Seat | None = None, zone: Zone | None = None,
    mode: SeatMode | None = None, children: Sequence[Child | ChildWish] = (),
) -> VisitRequest:  # fmt: skip
    """A booking request: tomorrow 9:30 to 12:30 and おまかせ, unless said otherwise."""
    if mode is None:
        mode = SeatMode.SEAT if seat else SeatMode.ZONE if zone else SeatMode.ANY
    wishes = tuple(c if isinstance(c, ChildWish) else ChildWish(c) for c in children)
    return VisitRequest(member, hub, when or period(9.5, 12.5), SeatWish(mode, seat, zone), wishes)
