"""Every manager's page answers four questions: works, wrong method, stranger, right role but wrong hub."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.booking import services
from hub.childcare.enums import ChildStatus, Qualification
from hub.childcare.models import Carer, Shift, ShiftChange
from hub.desk.urls import _pages
from hub.spaces.models import Closure, Holiday, Membership, RoleInvitation, Seat, Visit, Zone
from tests import factories as make

SEES_DAY = {"door", "carer", "plaza", "manager"}
EXPLAINS = {"carer", "manager", "town"}
BOOKS = {"door", "plaza", "manager"}
ONLY = {"desk": SEES_DAY, "desk_inside": SEES_DAY, "desk_release": BOOKS, "desk_quarter": EXPLAINS}
POST_ONLY = {
    "desk_invite_withdraw", "desk_role_add", "desk_unblock", "desk_closure_end", "desk_holidays_import", "desk_seat_on",
    "desk_zone_delete", "desk_shift_end", "desk_change_remove", "desk_carer_end", "desk_child_decide",
    "desk_child_birthday",
}  # fmt: skip
GET_ONLY = {
    "desk",
    "desk_inside",
    "desk_people",
    "desk_person",
    "desk_seats",
    "desk_roster",
    "desk_carers",
    "desk_quarter",
    "desk_children",
    "desk_child",
}
NAMES = [name for _path, _view, name in _pages]


@pytest.fixture
def world(cast, now):
    """One of everything that an address can name. Misaki's visit began at 9:00, and nobody came."""
    hub = cast.ekimae
    now.move_to(make.at(8, day=make.TODAY))
    wish = make.request_for(cast.misaki, hub, make.period(9, 12, make.TODAY))
    cast.missed = Visit.objects.create(
        member=cast.misaki, hub=hub, booked_by=cast.misaki, status="released",
        starts_at=make.NOW - timedelta(days=3), ends_at=make.NOW - timedelta(days=3, hours=-2),
    )  # fmt: skip
    cast.visit = services.book_visit(actor=cast.misaki, request=wish).visit
    now.move_to(make.NOW)
    cast.invitation = RoleInvitation.objects.create(hub=hub, email="new@example.org", role="door")
    cast.closure = Closure.objects.create(
        hub=hub, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="工事"
    )
    cast.holiday = Holiday.objects.create(hub=hub, date=make.TOMORROW, name="祝日")
    cast.seat = Seat.objects.filter(hub=hub).first()
    cast.zone = Zone.objects.filter(hub=hub).first()
    cast.shift = Shift.objects.filter(room=cast.room).first()
    cast.a_carer = Carer.objects.filter(hub=hub).first()
    cast.change = ShiftChange.objects.create(
        room=cast.room, carer=cast.a_carer, date=make.TOMORROW, kind="absent"
    )
    return cast


#: What stands behind the hub's slug in an address; None where nothing does.
ARGUMENTS = {
    name: {
        "desk_release": lambda w: [w.visit.code],
        "desk_waive": lambda w: [w.misaki.code, w.missed.code],
        "desk_invite_withdraw": lambda w: [w.invitation.code],
        "desk_role_end": lambda w: [w.misaki.code, "door"],
        "desk_closure_end": lambda w: [w.closure.code],
        "desk_holiday": lambda w: [w.holiday.date.isoformat()],
        "desk_change_remove": lambda w: [w.change.code],
        **dict.fromkeys(
            ["desk_person", "desk_role_add", "desk_block", "desk_unblock", "desk_factors_reset"],
            lambda w: [w.misaki.code],
        ),
        **dict.fromkeys(["desk_seat", "desk_seat_off", "desk_seat_on"], lambda w: [w.seat.code]),
        **dict.fromkeys(["desk_zone", "desk_zone_delete"], lambda w: [w.zone.code]),
        **dict.fromkeys(["desk_shift", "desk_shift_end"], lambda w: [w.shift.code]),
        **dict.fromkeys(["desk_carer", "desk_carer_end"], lambda w: [w.a_carer.code]),
        "desk_room": lambda w: [w.room.code],
        **dict.fromkeys(["desk_child", "desk_child_decide", "desk_child_birthday"], lambda w: [w.haru.code]),
    }.get(name)
    for name in NAMES
}


def url(world, name, hub=None):
    find = ARGUMENTS[name]
    return reverse(name, args=[(hub or world.ekimae).slug, *(find(world) if find else [])])


def statuses(client, world, names, *, method="get", hub=None):
    """What each page answers. One loop and one cast: the pages are many, and the cast is the slow part."""
    return {name: getattr(client, method)(url(world, name, hub)).status_code for name in names}


def test_every_page_works_for_the_manager_and_by_its_method_only(world, as_):
    expected = {name: 405 if name in POST_ONLY else 200 for name in NAMES}

    assert statuses(as_(world.manager), world, NAMES) == expected


def test_reading_pages_take_no_post(world, as_):
    assert statuses(as_(world.manager), world, GET_ONLY, method="post") == dict.fromkeys(GET_ONLY, 405)


def test_anonymous_is_asked_to_sign_in(world, client):
    assert statuses(client, world, NAMES) == dict.fromkeys(NAMES, 302)


@pytest.mark.parametrize("who", ["misaki", "stranger", "yagi_manager"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_and_managers_of_another_hub_find_nothing(world, as_, who, method):
    assert statuses(as_(getattr(world, who)), world, NAMES, method=method) == dict.fromkeys(NAMES, 404)


def test_own_address_does_not_open_things_of_another_hub(world, as_):
    """A manager who puts another hub's code behind her own hub's address finds nothing, and changes nothing."""
    client = as_(world.yagi_manager)
    naming = [name for name, args in ARGUMENTS.items() if args is not None]
    reading, writing = [n for n in naming if n not in POST_ONLY], [n for n in naming if n not in GET_ONLY]

    assert statuses(client, world, reading, hub=world.yagi) == dict.fromkeys(reading, 404)
    assert statuses(client, world, writing, method="post", hub=world.yagi) == dict.fromkeys(writing, 404)


@pytest.mark.parametrize("role", ["door", "carer", "plaza", "director", "town"])
def test_staff_without_the_right_are_told_so(world, as_, role):
    expected = {name: 200 if role in ONLY.get(name, ()) else 403 for name in NAMES}

    assert statuses(as_(getattr(world, role)), world, NAMES) == expected


# ---------------------------------------------------------------- query counts


def queries(client, address):
    client.get(address)  # facts and content types are cached once
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


def add_people(cast, count):
    for n in range(count):
        make.make_member(f"人{n}", f"p{n}@example.org", hub=cast.ekimae)
    return reverse("desk_people", args=["ekimae"])


def add_children(cast, count):
    for n in range(count):
        make.make_child(cast.household, cast.ekimae, 2, name=f"子{n}", status=ChildStatus.PENDING)
    return reverse("desk_children", args=["ekimae"])


def add_carers(cast, count):
    for n in range(count):
        make.make_shift(
            cast.room, make.make_carer(cast.ekimae, name=f"保育{n}", qualification=Qualification.NURSE)
        )
    return reverse("desk_roster", args=["ekimae"])


def add_carers_list(cast, count):
    add_carers(cast, count)
    return reverse("desk_carers", args=["ekimae"])


def add_visits(cast, count):
    for n in range(count):
        member = make.make_member(f"人{n}", hub=cast.ekimae)
        services.book_visit(
            actor=member, request=make.request_for(member, cast.ekimae, make.period(11, 12, make.TODAY))
        )
    return reverse("desk", args=["ekimae"])


def add_closures(cast, count):
    for _n in range(count):
        Closure.objects.create(
            hub=cast.ekimae,
            starts_on=make.TOMORROW,
            ends_on=make.TOMORROW,
            reason="工事",
            created_by=cast.manager,
        )
    return reverse("desk_closures", args=["ekimae"])


def add_seats(cast, count):
    zone = Zone.objects.filter(hub=cast.ekimae).first()
    for n in range(count):
        Seat.objects.create(hub=cast.ekimae, zone=zone, label=f"Z{zone.seats.count()}{n}", plan_x=n, plan_y=9)
    return reverse("desk_seats", args=["ekimae"])


def add_care(cast, count):
    for n in range(count):
        child = make.make_child(cast.household, cast.ekimae, 4, name=f"子{n}")
        request = make.request_for(
            make_guardian(cast, n), cast.ekimae, make.period(11, 12, make.TODAY), children=[child]
        )
        services.book_visit(actor=request.member, request=request)
    return reverse("desk_quarter", args=["ekimae"]) + "?d=2026-12-07&t=11:00"


def make_guardian(cast, n):
    from hub.members.models import Guardian

    member = make.make_member(f"親{n}", hub=cast.ekimae)
    Guardian.objects.create(household=cast.household, member=member)
    return member


@pytest.mark.parametrize(
    ("add", "most"),
    [
        (add_people, 9), (add_children, 7), (add_carers, 14), (add_carers_list, 5), (add_visits, 14), (add_closures, 10),
        (add_seats, 7), (add_care, 20),
    ],
)  # fmt: skip
def test_lists_ask_the_same_number_of_questions_for_one_and_for_three(cast, as_, add, most):
    client = as_(cast.manager)
    one = queries(client, add(cast, 1))
    Membership.objects.filter(member__name__startswith="人").delete()
    three = queries(client, _more(add, cast))

    assert one == three
    assert three <= most


def _more(add, cast):
    """Three more under other names."""
    import itertools

    original = make.make_member
    numbers = itertools.count(100)

    def fresh(name, email=None, **fields):
        return original(f"{name}-{next(numbers)}", email and f"{next(numbers)}{email}", **fields)

    make.make_member = fresh
    try:
        return add(cast, 3)
    finally:
        make.make_member = original


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
@pytest.mark.parametrize("page", ["desk", "desk_roster", "desk_quarter"])
def test_day_at_an_end_of_the_calendar_is_today(cast, as_, page, day):
    answer = as_(cast.manager).get(reverse(page, args=["ekimae"]), {"d": day})

    assert (answer.status_code, make.TODAY.isoformat() in answer.content.decode()) == (200, True)
