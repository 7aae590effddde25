"""Loading the demo and filling its next two weeks. Safe to run again; see `load`.

Bookings go through `booking.services`, so they hold real claims and the rules were asked. What chance decides hangs
on the date alone (`random.Random` with the day), so two machines show the same demo on the same day.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import holidays
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import F
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from hub.booking import services, waiting, week
from hub.booking.models import Offer, WaitEntry
from hub.booking.models_week import Series
from hub.booking.requests import ChildWish, SeatMode, SeatWish, VisitRequest
from hub.booking.week_plan import Line, Pattern
from hub.checkin.enums import Direction, PresenceEnd
from hub.checkin.models import Presence, Scan
from hub.checkin.services import scan
from hub.checkin.visitors import enter_visitor
from hub.childcare import capacity
from hub.childcare.enums import ChangeKind, ChildStatus, PlaceStatus
from hub.childcare.models import CarePlace, Carer, CareRoom, Child, Shift, ShiftChange
from hub.childcare.queries import children_of
from hub.childcare.ratio import class_age, fiscal_year
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.quarters import Period, local
from hub.demo import care, data, notices, work
from hub.demo.data import HubData
from hub.demo_clock import TOKYO
from hub.members.models import Guardian, Household, Member, PickupAdult
from hub.notices.models import Delivery
from hub.spaces.enums import LIVE_STATUSES, Role, VisitSource, VisitStatus
from hub.spaces.facts import facts_of, touch
from hub.spaces.models import Closure, Holiday, Hub, Membership, OpeningHours, Seat, Visit, Zone

AHEAD = 14  # days of bookings after today
BEHIND = 7  # days of history at the first load
LOADED = 3  # a day with this many bookings of demo members was filled before
MORNING = time(6)
LATE = timedelta(minutes=21)  # long enough ago that the hub may call


class NotADemo(Exception):
    """People who are not of the demo have accounts here."""


@dataclass(frozen=True)
class Report:
    """What a run did: ``fresh`` when the cast was made by it, and how many visits were booked."""

    fresh: bool
    booked: int


def load(*, top_up_only: bool = False) -> Report:
    """Make the demo, or fill its next two weeks again. A second run on the same day changes nothing.

    ``top_up_only``: where the demo is loaded already, people who signed up to try it are no obstacle. Raises
    `NotADemo` where somebody has an account whom `load` did not make.
    """
    here = Hub.objects.filter(slug=data.EKIMAE.slug).exists() and Member.objects.filter(is_demo=True).exists()
    if Member.objects.filter(is_demo=False).exists() and not (here and top_up_only):
        raise NotADemo
    now = clock.now()
    with _from_the_morning_on():
        if not here:
            run_write(_base)
        visits = _fill(now)
    _people_wait(now)
    _forget_mails(visits)
    _people_inside(now)
    for hub in Hub.objects.filter(slug__in=[made.slug for made in data.HUBS]):
        run_write(lambda hub=hub: care.morning(hub, now))  # type: ignore[misc]  # bound now
    misaki = Member.objects.filter(is_demo=True, email=f"misaki@{data.DOMAIN}").first()
    if misaki is not None:
        run_write(lambda: notices.list_of(misaki, now))
    work.bring_work(Hub.objects.get(slug=data.EKIMAE.slug))
    return Report(not here, len(visits))


@contextmanager
def _from_the_morning_on() -> Iterator[None]:
    """Lives the demo's day from six o'clock: this morning's visits are booked by the same rules as the others.

    Only for the loader's own process: nobody else reads this clock meanwhile.
    """
    before: timedelta = settings.CLOCK_OFFSET
    now = clock.now()
    morning = local(now.astimezone(TOKYO).date(), MORNING, TOKYO)
    settings.CLOCK_OFFSET = before - max(timedelta(0), now - morning)
    try:
        yield
    finally:
        settings.CLOCK_OFFSET = before


# ---------------------------------------------------------------- the waiting list

WAITERS = ("misaki", "member11", "member13")  # the last full lunch; the third one only for a quiet seat there


def _people_wait(now: datetime) -> None:
    """Three wait for the last full lunch of the next two weeks, and somebody holds an offer. Once: later runs add nobody."""
    hub = Hub.objects.get(slug=data.EKIMAE.slug)
    full = full_times(hub)
    if not full or WaitEntry.objects.filter(member__is_demo=True).exists():
        return
    for who in WAITERS:
        member = Member.objects.get(email=f"{who}@{data.DOMAIN}")
        small = [
            c
            for c in children_of(member)
            if c.status == ChildStatus.APPROVED and class_age(c.birthday, full[-1].starts_at.date()) in (1, 2)
        ]
        wish = VisitRequest(member, hub, full[-1], children=tuple(ChildWish(child) for child in small))
        try:
            waiting.join(actor=member, request=wish, minutes=full[-1].minutes)
        except DomainError:
            continue  # that lunch is not full this time
    _somebody_is_asked(hub, now)


def _somebody_is_asked(hub: Hub, now: datetime) -> None:
    """An offer as it looks while it waits for its answer: two hours of a quiet afternoon."""
    member = Member.objects.get(email=f"{data.ASKED}@{data.DOMAIN}")
    comes = Visit.objects.filter(member=member, status__in=LIVE_STATUSES).values_list("starts_at", flat=True)
    taken = {moment.astimezone(hub.tz).date() for moment in comes}
    days = _open_days(hub, (0, 1, 3), after=now.astimezone(hub.tz).date())
    day = next((one for one in days if one not in taken), None)
    if day is None:
        return
    when = Period(local(day, time(15), hub.tz), local(day, time(17), hub.tz))

    def work() -> None:
        before = set(DBTaskResult.objects.values_list("pk", flat=True))
        entry = WaitEntry.objects.create(
            member=member, hub=hub, day=day, window_starts=when.starts_at, window_ends=when.ends_at,
            minutes=when.minutes, latest_start=when.starts_at, asked_at=clock.now() - timedelta(hours=20), asked_by=member,
        )  # fmt: skip
        waiting.make_offer(entry, VisitRequest(member, hub, when))
        Offer.objects.filter(entry=entry).update(
            made_at=now, expires_at=now + timedelta(minutes=hub.offer_minutes)
        )
        Delivery.objects.filter(notice__member=member).delete()  # the demo's inbox begins empty
        DBTaskResult.objects.exclude(pk__in=before).delete()

    try:
        run_write(work)
    except DomainError:
        return  # the hub is full then too


# ---------------------------------------------------------------- the door: who is inside now


def _people_inside(now: datetime) -> None:
    """This morning at the door: most whose visit has begun came with a few minutes' difference, every fourth is late,
    and so is one family.

    Scans and presences as the door writes them, but dated to the minute; a staff member and a visitor beside. Once a
    day and hub.
    """
    for hub in Hub.objects.order_by("pk"):
        midnight = local(now.astimezone(hub.tz).date(), time(0), hub.tz)
        if Presence.objects.filter(hub=hub, entered_at__gte=midnight).exists():
            continue
        run_write(lambda hub=hub, midnight=midnight: care.evening(hub, midnight))  # type: ignore[misc]  # bound now
        yesterday = Presence.objects.filter(hub=hub, left_at=None, entered_at__lt=midnight)
        yesterday.update(left_at=midnight, ended_as=PresenceEnd.ASSUMED)
        door = Member.objects.filter(
            memberships__hub=hub, memberships__role__in=(Role.DOOR, Role.MANAGER)
        ).first()
        if door is None:
            continue
        chance = _chance(hub, now.astimezone(hub.tz).date())
        begun = Visit.objects.filter(
            hub=hub, status=VisitStatus.BOOKED, starts_at__lte=now, ends_at__gt=now, member__email__startswith="member"
        ).order_by("starts_at", "pk")  # fmt: skip
        families = begun.filter(starts_at__lte=now - LATE, care_places__status=PlaceStatus.BOOKED).distinct()
        missing = families.last() if families.count() > 1 else None
        for n, visit in enumerate(begun.select_related("member")):
            if n % 4 == 3 or visit == missing:
                continue  # late: somebody may call, or free the seat
            _came(
                hub, door, visit.member, min(visit.starts_at + timedelta(minutes=chance.randint(-9, 6)), now)
            )
        carer = Member.objects.filter(memberships__hub=hub, memberships__role=Role.CARER).first()
        opening = facts_of(hub).day(now.astimezone(hub.tz).date()).period
        if opening is None or not opening.starts_at <= now < opening.ends_at:
            continue
        if carer is not None:
            _came(hub, door, carer, max(opening.starts_at - timedelta(minutes=8), now - timedelta(hours=8)))
        guest = enter_visitor(actor=door, hub=hub, name=data.VISITOR)
        Presence.objects.filter(pk=guest.pk).update(
            entered_at=max(opening.starts_at, now - timedelta(minutes=25))
        )
    Scan.objects.filter(is_offline=True).update(is_offline=False, received_at=F("scanned_at"))


def _came(hub: Hub, door: Member, member: Member, at: datetime) -> None:
    scan(
        actor=door,
        hub=hub,
        scan_id=uuid4(),
        direction=Direction.IN,
        member=member.code,
        scanned_at=at,
        offline=True,
    )


# ---------------------------------------------------------------- the base: one transaction


def _base() -> None:
    hubs = {hub_data.slug: _hub(hub_data) for hub_data in data.HUBS}
    people = _people(hubs)
    _households(hubs, people)
    for hub_data in data.HUBS:
        room = _room(hubs[hub_data.slug], hub_data, people)
        _history(hubs[hub_data.slug], hub_data)
        touch(hubs[hub_data.slug])
        capacity.rebuild(room, capacity.horizon_days(hubs[hub_data.slug]))


def _hub(made: HubData) -> Hub:
    hub = Hub.objects.create(
        slug=made.slug, name=made.name, name_en=made.name_en, phone=data.PHONE, address=made.address,
        address_en=made.address_en, access=made.access, access_en=made.access_en,
    )  # fmt: skip
    hours = [(weekday, made.opens, made.closes) for weekday in data.WEEK]
    if made.saturday:
        hours.append((5, *made.saturday))
    OpeningHours.objects.bulk_create(OpeningHours(hub=hub, weekday=d, opens=a, closes=b) for d, a, b in hours)
    for position, zone_data in enumerate(made.zones):
        zone = Zone.objects.create(
            hub=hub, slug=zone_data.slug, name=zone_data.name, name_en=zone_data.name_en, kind=zone_data.kind,
            position=position,
        )  # fmt: skip
        Seat.objects.bulk_create(
            Seat(
                hub=hub,
                zone=zone,
                label=label,
                plan_x=x,
                plan_y=y,
                has_window=window,
                has_monitor=monitor,
                position=n,
            )
            for n, (label, x, y, window, monitor) in enumerate(zone_data.seats)
        )
    year = clock.today(hub.tz).year
    for first in (year - 1, year, year + 1):
        Closure.objects.create(
            hub=hub, starts_on=date(first, 12, 29), ends_on=date(first + 1, 1, 3), reason="年末年始の お休み"
        )
        cleaning = date(first, 12, 28)  # a day that ends early
        Closure.objects.create(
            hub=hub, starts_on=cleaning, ends_on=cleaning, closed_from=time(15), reason="大そうじ"
        )
    _holidays(hub)
    return hub


def _holidays(hub: Hub) -> None:
    """The national holidays of this year and the next (RULE-33); rows that are there stay as they are."""
    year = clock.today(hub.tz).year
    years = [year, year + 1]
    if Holiday.objects.filter(hub=hub, date__year=year + 1).exists():
        return
    names = holidays.country_holidays("JP", years=years, language="ja")
    english = holidays.country_holidays("JP", years=years, language="en_US")
    Holiday.objects.bulk_create(
        [
            Holiday(hub=hub, date=day, name=name, name_en=english.get(day, ""))
            for day, name in sorted(names.items())
        ],
        ignore_conflicts=True,
    )


def _people(hubs: dict[str, Hub]) -> dict[str, Member]:
    """The cast and sixty members, each with a verified address and the one documented password."""
    password = make_password(settings.DEMO_PASSWORD)  # hashed once: the password is public anyway
    since = clock.now() - timedelta(days=200)
    people: dict[str, Member] = {}

    def person(who: str, name: str, kana: str) -> None:
        people[who] = Member(
            email=f"{who}@{data.DOMAIN}", password=password, name=name, kana=kana, phone=data.PHONE, is_demo=True,
            date_joined=since,
        )  # fmt: skip

    for someone in data.CAST:
        person(someone.who, someone.name, someone.kana)
    for n in range(data.MEMBERS):
        family, given = data.FAMILY[n % len(data.FAMILY)], data.GIVEN[n % len(data.GIVEN)]
        person(f"member{n + 1:02}", f"{family[0]} {given}", f"{family[1]} {given}")
    name, kana = data.BY_PHONE
    people["phone"] = Member(
        email=None,
        password=make_password(None),
        name=name,
        kana=kana,
        phone=data.PHONE,
        is_demo=True,
        date_joined=since,
    )
    Member.objects.bulk_create(people.values())
    EmailAddress.objects.bulk_create(
        EmailAddress(user=member, email=member.email, verified=True, primary=True)
        for member in people.values()
        if member.email
    )

    def row(who: str, role: Role, slug: str) -> Membership:
        is_home = role == Role.WORKER
        return Membership(
            member=people[who], hub=hubs[slug], role=role, is_home=is_home, since=since, changed_at=since
        )

    rows = [row(someone.who, someone.role, someone.hub) for someone in data.CAST]
    rows += [row(who, role, slug) for who, role, slug in data.ALSO]
    rows += [
        row(f"member{n + 1:02}", Role.WORKER, "ekimae" if n < data.AT_EKIMAE else "yagi")
        for n in range(data.MEMBERS)
    ]
    rows.append(row("phone", Role.WORKER, "ekimae"))
    Membership.objects.bulk_create(rows)
    return people


def birthday_of(age_class: int, today: date, n: int = 0) -> date:
    """A birthday in class ``age_class`` all this fiscal year (RULE-01); ``n`` spreads months and days."""
    return date(fiscal_year(today) - age_class - 1, 5 + n % 7, 3 + 2 * n % 25)


def _child(
    household: Household, hub: Hub, name: str, age_class: int, n: int, *, status: ChildStatus = ChildStatus.APPROVED,
    allergy: str = "", by: Member | None = None, reason: str = "", birthday: date | None = None,
) -> Child:  # fmt: skip
    now = clock.now()
    decided = by is not None and status in (ChildStatus.APPROVED, ChildStatus.RETURNED)
    child = Child(
        household=household, hub=hub, name=name, kana=name, birthday=birthday or birthday_of(age_class, clock.today(hub.tz), n),
        status=status, submitted_at=now - timedelta(days=3 if status != ChildStatus.APPROVED else 90),
        decided_at=now - timedelta(days=1 if status == ChildStatus.RETURNED else 88) if decided else None,
        decided_by=by if decided else None, return_reason=reason,
    )  # fmt: skip
    child.allergy = allergy
    child.save()
    return child


def _household(*guardians: Member) -> Household:
    household = Household.objects.create()
    Guardian.objects.bulk_create(Guardian(household=household, member=guardian) for guardian in guardians)
    return household


def _households(hubs: dict[str, Hub], people: dict[str, Member]) -> None:
    ekimae, yagi, manager = hubs["ekimae"], hubs["yagi"], people["manager"]
    home = _household(people["misaki"], people["kenta"])
    fiscal = fiscal_year(clock.today(ekimae.tz))
    # Born in March: until then they are as old as their classes, 4 and 1.
    _child(home, ekimae, "はる", 4, 1, allergy=data.EGG, by=manager, birthday=date(fiscal - 4, 3, 20))
    _child(home, ekimae, "ゆい", 1, 2, by=manager, birthday=date(fiscal - 1, 3, 5))
    name, kana, relation = data.GRANDMOTHER
    PickupAdult.objects.create(household=home, name=name, kana=kana, relation=relation, phone=data.PHONE)
    _child(_household(people["stranger"]), yagi, "とも", 2, 3, by=manager)
    _child(_household(people["phone"]), ekimae, "ふみ", 3, 4, by=manager)
    with_children = [(n, ekimae) for n in range(28)] + [(n, yagi) for n in range(data.AT_EKIMAE, 52)]
    for turn, (n, hub) in enumerate(with_children):
        household = _household(people[f"member{n + 1:02}"])
        first = data.CLASSES[turn % len(data.CLASSES)]
        ages = [first] + ([(first + 3) % 6] if turn % 3 == 0 else [])
        for k, age_class in enumerate(ages):
            number = turn + 5 * k
            name, allergy = (
                data.CHILDREN[number % len(data.CHILDREN)],
                data.ALLERGIES[number % len(data.ALLERGIES)],
            )
            _child(household, hub, name, age_class, number, allergy=allergy, by=manager)
    # What waits for the manager: two new ones, one returned with a reason.
    _child(_household(people["member29"]), ekimae, "ゆら", 1, 5, status=ChildStatus.PENDING)
    _child(
        _household(people["member30"]), ekimae, "かい", 3, 6, status=ChildStatus.PENDING, allergy="えび、かに"
    )
    _child(
        _household(people["member31"]), ekimae, "もも", 2, 7, status=ChildStatus.RETURNED, allergy="ぜんそく", by=manager,
        reason=data.RETURNED_BECAUSE,
    )  # fmt: skip


def _room(hub: Hub, made: HubData, people: dict[str, Member]) -> CareRoom:
    """The room with its weekly roster, and a few dated changes: somebody away, somebody extra."""
    room = CareRoom.objects.create(
        hub=hub, name=made.room_name, name_en=made.room_name_en, scheme=made.scheme, places=made.places,
        area_infant_cm2=made.infant_cm2, area_toddler_cm2=made.toddler_cm2,
    )  # fmt: skip
    today = clock.today(hub.tz)
    carers = []
    for each in made.carers:
        carer = Carer.objects.create(
            hub=hub, member=people.get(each.who), name=each.name, qualification=each.qualification
        )
        carers.append(carer)
        pause = each.pause or (None, None)
        Shift.objects.bulk_create(
            Shift(
                room=room, carer=carer, weekday=weekday, starts=each.starts, ends=each.ends, break_starts=pause[0],
                break_ends=pause[1], valid_from=today - timedelta(days=28),
            )
            for weekday in each.weekdays
        )  # fmt: skip
    touch(hub)
    open_days = [
        day for day in capacity.horizon_days(hub)[1:] if facts_of(hub).day(day).period and day.weekday() < 5
    ]
    if len(open_days) > 12:
        changes = [
            (carers[1], open_days[6], ChangeKind.ABSENT, None, None, "お子さんの 運動会"),
            (carers[-1], open_days[6], ChangeKind.EXTRA, time(9), time(15), "代わり"),
            (carers[0], open_days[11], ChangeKind.ABSENT, None, None, "研修"),
        ]
        for carer, day, kind, starts, ends, note in changes:
            if kind == ChangeKind.EXTRA:  # one place at a time: the weekly shift of that day makes way
                ShiftChange.objects.create(
                    room=room, carer=carer, date=day, kind=ChangeKind.ABSENT, note=note
                )
            ShiftChange.objects.create(
                room=room, carer=carer, date=day, kind=kind, starts=starts, ends=ends, note=note
            )
    return room


def _history(hub: Hub, made: HubData) -> None:
    """Last week as headers alone: most came, one did not, one cancelled. Claims of past days are deleted anyway."""
    today = clock.today(hub.tz)
    room = CareRoom.objects.get(hub=hub)
    members, children = _fillers(hub), _children()
    visits: list[Visit] = []
    places: list[CarePlace] = []
    for day in (today - timedelta(days=n) for n in range(BEHIND, 0, -1)):
        opening = facts_of(hub).day(day).period
        if opening is None:
            continue
        chance = _chance(hub, day)
        seats = list(facts_of(hub).seats)
        for n, plan in enumerate(_ordinary_day(made, opening, day, hub, members, children, chance)):
            gone = {1: VisitStatus.NO_SHOW, 4: VisitStatus.CANCELLED, 5: VisitStatus.RELEASED}
            status = gone.get(n, VisitStatus.DONE)
            came = status == VisitStatus.DONE
            visit = Visit(
                member=plan.member, hub=hub, seat=seats[n % len(seats)], booked_by=plan.member, status=status,
                starts_at=plan.period.starts_at, ends_at=plan.period.ends_at,
                created_at=plan.period.starts_at - timedelta(days=5), changed_at=plan.period.ends_at,
                arrived_at=plan.period.starts_at + timedelta(minutes=3) if came else None,
                left_at=plan.period.ends_at - timedelta(minutes=6) if came else None,
            )  # fmt: skip
            visits.append(visit)
            places += [
                CarePlace(
                    visit=visit, child=want.child, room=room, starts_at=(want.period or plan.period).starts_at,
                    ends_at=(want.period or plan.period).ends_at,
                    status=PlaceStatus.CANCELLED if status in (VisitStatus.CANCELLED, VisitStatus.RELEASED) else PlaceStatus.BOOKED,
                )
                for want in plan.children
            ]  # fmt: skip
    Visit.objects.bulk_create(visits)
    CarePlace.objects.bulk_create(places)


# ---------------------------------------------------------------- the bookings


@dataclass(frozen=True)
class Plan:
    member: Member
    period: Period
    children: tuple[ChildWish, ...] = ()
    mode: SeatMode = SeatMode.ANY
    zone: str = ""
    actor: Member | None = None


def _chance(hub: Hub, day: date) -> Random:
    return Random(f"{data.SEED} {hub.slug} {day.isoformat()}")  # noqa: S311  a demo, not a secret


def _fillers(hub: Hub) -> list[Member]:
    """member01 ... of this hub, in their order."""
    rows = Member.objects.filter(
        is_demo=True, email__startswith="member", memberships__hub=hub, memberships__is_home=True
    )
    return list(rows.order_by("email"))


def _children() -> dict[int, list[Child]]:
    """Approved children by member."""
    found: dict[int, list[Child]] = {}
    rows = Guardian.objects.filter(member__is_demo=True).values_list("household_id", "member_id")
    members: dict[int, list[int]] = {}
    for household_id, member_id in rows:
        members.setdefault(household_id, []).append(member_id)
    for child in Child.objects.filter(status=ChildStatus.APPROVED, household_id__in=list(members)).order_by(
        "pk"
    ):
        for member_id in members[child.household_id]:
            found.setdefault(member_id, []).append(child)
    return found


def _hours(day: date, start: float, end: float, opening: Period, hub: Hub) -> Period:
    """A stay in decimal hours, cut to the opening time."""

    def moment(hours: float) -> datetime:
        return local(day, time(int(hours), round(hours % 1 * 60)), hub.tz)

    return Period(max(moment(start), opening.starts_at), min(moment(end), opening.ends_at))


def _ordinary_day(
    made: HubData, opening: Period, day: date, hub: Hub, members: Sequence[Member],
    children: dict[int, list[Child]], chance: Random,
) -> list[Plan]:  # fmt: skip
    """What an ordinary day looks like: two thirds of the parents bring their children, some for a part of the time."""
    saturday = day.weekday() == 5
    plans: list[Plan] = []
    for member in chance.sample(members, min(len(members), 4 if saturday else made.daily)):
        start, end = chance.choice(data.STAYS)
        period = _hours(day, start, end, opening, hub)
        if period.minutes < 60:
            continue
        wishes: tuple[ChildWish, ...] = ()
        if children.get(member.pk) and not saturday and chance.random() < 0.65:
            part = None
            if period.minutes >= 240 and chance.random() < 0.4:
                part = Period(period.starts_at, period.starts_at + timedelta(hours=3))
            wishes = tuple(ChildWish(child, part) for child in children[member.pk])
        zone = chance.choice(made.zones).slug if chance.random() < 0.5 else ""
        plans.append(Plan(member, period, wishes, SeatMode.ZONE if zone else SeatMode.ANY, zone))
    return plans


def _full_lunch(
    day: date, hub: Hub, members: Sequence[Member], children: dict[int, list[Child]]
) -> list[Plan]:
    """Parents of one- and two-year-olds, until the carers of lunch time take no more of those classes."""
    plans = []
    for member in members:
        small = [child for child in children.get(member.pk, []) if class_age(child.birthday, day) in (1, 2)]
        if small:
            around = timedelta(minutes=30)
            period = Period(
                local(day, data.FULL_FROM, hub.tz) - around, local(day, data.FULL_TO, hub.tz) + around
            )
            plans.append(Plan(member, period, tuple(ChildWish(child) for child in small)))
    return plans


def full_times(hub: Hub) -> list[Period]:
    """When Ekimae takes no more one- and two-year-olds in the next two weeks: Wednesdays and Fridays, 12 to 14."""
    today = clock.today(hub.tz)
    days = [today + timedelta(days=n) for n in range(1, AHEAD + 1)]
    return [
        Period(local(day, data.FULL_FROM, hub.tz), local(day, data.FULL_TO, hub.tz))
        for day in days
        if day.weekday() in data.EKIMAE.full_weekdays and facts_of(hub).day(day).period
    ]


def _open_days(hub: Hub, weekdays: Sequence[int], *, after: date) -> Iterator[date]:
    for day in (after + timedelta(days=n) for n in range(1, AHEAD + 1)):
        if day.weekday() in weekdays and facts_of(hub).day(day).period:
            yield day


def _fill(now: datetime) -> list[str]:
    """Book what is missing from today to two weeks ahead; returns the codes of the visits made."""
    made: list[str] = []
    children = _children()
    for hub_data in data.HUBS:
        hub = Hub.objects.get(slug=hub_data.slug)
        run_write(lambda hub=hub: _holidays(hub))  # type: ignore[misc]  # bound now
        run_write(lambda hub=hub: capacity.extend_to_horizon(hub))  # type: ignore[misc]  # bound now
        members = _fillers(hub)
        today = clock.today(hub.tz)
        if hub_data is data.EKIMAE:
            made += _cast_visits(hub, now)
        for day in (today + timedelta(days=n) for n in range(AHEAD + 1)):
            opening = facts_of(hub).day(day).period
            if opening is None or _is_filled(hub, opening):
                continue
            plans = _ordinary_day(hub_data, opening, day, hub, members, children, _chance(hub, day))
            if day.weekday() in hub_data.full_weekdays:
                lunch = _full_lunch(day, hub, members, children)
                plans = lunch + plans
            made += _book_all(hub, plans)
    return made + _usual_week()


def _usual_week() -> list[str]:
    """One family has its usual week booked, with dates that are not open yet; once. Returns the codes of its visits."""
    who, slug, weekdays, hours, weeks = data.USUAL_WEEK
    member = Member.objects.filter(is_demo=True, email=f"{who}@{data.DOMAIN}").first()
    if member is None or Series.objects.filter(member=member).exists():
        return []
    hub = Hub.objects.get(slug=slug)
    first = clock.today(hub.tz) + timedelta(days=1)
    children = tuple(child for child in children_of(member) if child.status == ChildStatus.APPROVED)
    lines = tuple(Line(weekday, *hours, children) for weekday in weekdays)
    pattern = Pattern(member, hub, first, first + timedelta(days=weeks * 7 - 1), lines)
    series = week.confirm(member=member, pattern=pattern).series
    visits = list(Visit.objects.filter(series_date__series=series).values_list("code", flat=True))
    _forget_mails([series.code])
    return visits


def _has_any(member: Member, day: date, hub: Hub) -> bool:
    """Whether ``member`` has, or had and cancelled, a visit from ``day`` on; for today, that day alone."""
    start = local(day, time(0), hub.tz)
    rows = Visit.objects.filter(member=member, starts_at__gte=start)
    if day == clock.today(hub.tz):
        rows = rows.filter(starts_at__lt=start + timedelta(days=1))
    return rows.exists()


def _is_filled(hub: Hub, opening: Period) -> bool:
    rows = Visit.objects.filter(
        hub=hub, starts_at__gte=opening.starts_at, starts_at__lt=opening.ends_at,
        member__is_demo=True, member__email__startswith="member",
    )  # fmt: skip
    return rows.count() >= LOADED


def _book_all(hub: Hub, plans: Sequence[Plan]) -> list[str]:
    made = []
    for plan in plans:
        zone = next((zone for zone in facts_of(hub).zones if zone.slug == plan.zone), None)
        seat = SeatWish(plan.mode if zone or plan.mode != SeatMode.ZONE else SeatMode.ANY, zone=zone)
        request = VisitRequest(plan.member, hub, plan.period, seat, plan.children)
        actor = plan.actor or plan.member
        try:
            booked = services.book_visit(
                actor=actor, request=request, source=VisitSource.STAFF if plan.actor else VisitSource.SELF
            )
        except DomainError:
            continue  # full, or the person is elsewhere: as in life, she comes another day
        made.append(booked.visit.code)
    return made


def _forget_mails(visits: Sequence[str]) -> None:
    """The confirmations of what was booked here are not sent: nobody made these bookings, and the inbox is empty."""
    codes = set(visits)
    if not codes:
        return
    waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY).values_list("pk", "args_kwargs")
    gone = [pk for pk, call in waiting if _visit_of(call) in codes]
    run_write(lambda: DBTaskResult.objects.filter(pk__in=gone).delete())


def _visit_of(call: Any) -> str | None:
    """The visit or the usual week that a queued handler was called with, if any (`core.tasks.run_handler`: handler, data, tries)."""
    arguments = call.get("args", []) if isinstance(call, dict) else []
    given = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {}
    return given.get("visit") or given.get("series")


def _cast_visits(hub: Hub, now: datetime) -> list[str]:
    """Misaki today soon and again on the next quiet day, Kenta alone, and one booking by telephone."""
    today = now.astimezone(hub.tz).date()
    people = {m.email: m for m in Member.objects.filter(is_demo=True, email__endswith=f"@{data.DOMAIN}")}
    misaki, kenta, door = (people.get(f"{who}@{data.DOMAIN}") for who in ("misaki", "kenta", "door"))
    caller = Member.objects.filter(is_demo=True, email=None).first()
    if misaki is None or kenta is None or door is None:
        return []
    both = tuple(ChildWish(child) for child in children_of(misaki))

    def on(day: date, starts: time, ends: time) -> Period:
        return Period(local(day, starts, hub.tz), local(day, ends, hub.tz))

    quiet_days = list(_open_days(hub, (0, 1, 3), after=today))
    plans: list[Plan] = []
    soon = _soon(hub, now)
    if soon is not None and not _has_any(misaki, today, hub):
        plans.append(Plan(misaki, soon, both))
    if quiet_days and not _has_any(misaki, quiet_days[0], hub):
        plans.append(Plan(misaki, on(quiet_days[0], time(9, 30), time(12, 30)), both))
    if len(quiet_days) > 1 and not _has_any(kenta, quiet_days[1], hub):
        plans.append(Plan(kenta, on(quiet_days[1], time(13), time(17))))
    if caller is not None and len(quiet_days) > 1 and not _has_any(caller, quiet_days[0], hub):
        child = tuple(ChildWish(child) for child in children_of(caller))
        plans.append(Plan(caller, on(quiet_days[0], time(10), time(12)), child, actor=door))
    return _book_all(hub, plans)


def _soon(hub: Hub, now: datetime) -> Period | None:
    """Three hours from the next half hour on, cut to the opening time; None when the day is nearly over."""
    opening = facts_of(hub).day(now.astimezone(hub.tz).date()).period
    if opening is None:
        return None
    step = timedelta(minutes=30)
    start = opening.starts_at
    while start < now + timedelta(minutes=5):
        start += step
    period = Period(start, min(start + timedelta(hours=3), opening.ends_at))
    return period if period.minutes >= 60 else None
