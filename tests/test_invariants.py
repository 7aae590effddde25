"""`check_invariants` finds 0 differences after real use, and names each kind of damage."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command

from hub.booking import services
from hub.booking.requests import ChildWish
from hub.childcare.enums import PlaceStatus
from hub.childcare.models import CarePlace, ChildClaim, Custody, RoomQuarter
from hub.core import clock
from hub.core.models import Heartbeat
from hub.core.quarters import quarter_of, start_of
from hub.invariants import differences, needed, nightly_name, stragglers
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Seat, Visit, VisitClaim
from hub.work.models import Assignment, Delivery, Earning, Lease, Order, Unit
from tests import factories as make
from tests.childcare import care
from tests.work import hands_desk, work

pytestmark = pytest.mark.both_databases
UNIT_QUERIES = 32


@pytest.fixture
def visit(cast: SimpleNamespace) -> Visit:
    """Misaki tomorrow, 9:30 to 12:30, with both children; Yui for the first hour only."""
    request = make.request_for(
        cast.misaki, cast.ekimae, children=(cast.haru, ChildWish(cast.yui, make.period(9.5, 10.5)))
    )
    return services.book_visit(actor=cast.misaki, request=request).visit


def first_quarter(visit: Visit) -> int:
    return quarter_of(visit.starts_at)


def when(visit: Visit, n: int = 0) -> str:
    return f"{start_of(first_quarter(visit) + n):%Y-%m-%d %H:%M}Z"


def test_nothing_differs_after_every_use_case(cast: SimpleNamespace, visit: Visit) -> None:
    services.extend(actor=cast.misaki, code=visit.code, ends_at=make.at(14))
    services.leave_early(actor=cast.misaki, code=visit.code, ends_at=make.at(13))
    other = services.book_visit(
        actor=cast.stranger, request=make.request_for(cast.stranger, cast.ekimae)
    ).visit
    services.move_visit(
        actor=cast.misaki,
        code=visit.code,
        request=make.request_for(cast.misaki, cast.ekimae, make.period(14, 17), children=(cast.yui,)),
    )
    services.cancel_visit(actor=cast.stranger, code=other.code)

    assert differences() == []


def test_empty_database_has_no_difference(db: None, now: object) -> None:
    assert differences() == []


def test_missing_and_foreign_claims_are_named(cast: SimpleNamespace, visit: Visit) -> None:
    VisitClaim.objects.filter(visit=visit, quarter=first_quarter(visit)).delete()
    other_seat = Seat.objects.filter(hub=cast.ekimae).exclude(label=visit.seat and visit.seat.label).first()
    VisitClaim.objects.filter(visit=visit, quarter=first_quarter(visit) + 1).update(seat=other_seat)

    assert differences() == [
        f"visit {visit.code} has no claim of its member and seat at {when(visit, 0)}",
        f"visit {visit.code} has no claim of its member and seat at {when(visit, 1)}",
        f"visit {visit.code} holds a claim beyond its time, or of another member or seat, at {when(visit, 1)}",
    ]


def test_claim_of_a_visit_that_is_over_is_named(cast: SimpleNamespace, visit: Visit) -> None:
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    VisitClaim.objects.create(visit=visit, member=cast.misaki, seat=None, quarter=first_quarter(visit))

    assert differences() == [f"visit {visit.code} is not live but holds {when(visit)}"]


def test_place_left_booked_in_a_cancelled_visit_is_named(cast: SimpleNamespace, visit: Visit) -> None:
    services.cancel_visit(actor=cast.misaki, code=visit.code)
    CarePlace.objects.filter(visit=visit, child=cast.haru).update(status=PlaceStatus.BOOKED)

    assert differences() == [f"visit {visit.code} is cancelled, but a child's place in it is still booked"]


def test_lost_claim_of_a_child_shows_in_place_and_counter(cast: SimpleNamespace, visit: Visit) -> None:
    ChildClaim.objects.filter(child=cast.haru, quarter=first_quarter(visit)).delete()

    assert differences() == [
        f"visit {visit.code}: a child's place has no claim at {when(visit)}",
        f"room {cast.room.code} at {when(visit)}: counters (0, 1, 0, 0, 1), but the claims are (0, 1, 0, 0, 0)",
    ]


def test_child_counted_in_the_wrong_class_is_named(cast: SimpleNamespace, visit: Visit) -> None:
    ChildClaim.objects.filter(child=cast.yui, quarter=first_quarter(visit)).update(age_class=2)

    assert differences() == [
        f"visit {visit.code}: a child is counted as 2 instead of 1 at {when(visit)}",
        f"room {cast.room.code} at {when(visit)}: counters (0, 1, 0, 0, 1), but the claims are (0, 0, 1, 0, 1)",
    ]


def test_lack_that_is_not_recorded_as_it_is_is_named(cast: SimpleNamespace, visit: Visit) -> None:
    rows = RoomQuarter.objects.filter(room=cast.room, quarter=first_quarter(visit))
    rows.update(staff=1, shortfall=2, frozen_children=2)

    assert differences() == [f"room {cast.room.code} at {when(visit)}: shortfall is 2 and should be 1"]

    rows.update(staff=2, shortfall=0)

    assert differences() == [
        f"room {cast.room.code} at {when(visit)}: marked as a shortfall, but nothing is missing"
    ]


def test_place_outside_its_visit_is_named(cast: SimpleNamespace, visit: Visit) -> None:
    CarePlace.objects.filter(visit=visit, child=cast.haru).update(ends_at=make.at(13))

    found = differences()

    assert found[0] == f"visit {visit.code}: a child's place lies outside the visit"
    assert found[1:] == [
        f"visit {visit.code}: a child's place has no claim at {when(visit, n)}" for n in (12, 13)
    ]


@pytest.mark.parametrize(
    ("twice", "said"),
    [
        (lambda first, second: {"member_id": first.member_id}, "a member is twice at once"),
        (lambda first, second: {"seat_id": first.seat_id}, "a seat is twice at once"),
    ],
)
def test_header_that_is_twice_at_once_is_named(
    cast: SimpleNamespace, visit: Visit, twice: Callable[[Visit, Visit], dict[str, int]], said: str
) -> None:
    second = services.book_visit(
        actor=cast.stranger, request=make.request_for(cast.stranger, cast.ekimae)
    ).visit
    Visit.objects.filter(pk=second.pk).update(**twice(visit, second))

    assert differences()[0] == f"{said}: visits {visit.code} and {second.code}"


def test_visit_in_closed_time_is_named_and_reported(cast: SimpleNamespace, visit: Visit) -> None:
    Closure.objects.create(hub=cast.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="雪")
    touch(cast.ekimae)

    assert differences() == [f"visit {visit.code} stands in closed time"]
    assert stragglers() == [visit.code]


def test_days_that_were_put_away_are_not_counted(cast: SimpleNamespace, visit: Visit, now: object) -> None:
    VisitClaim.objects.all().delete()
    ChildClaim.objects.all().delete()
    Visit.objects.update(status=VisitStatus.DONE)
    Heartbeat.objects.create(name=nightly_name(cast.ekimae), beat_at=clock.now() + timedelta(days=2))

    assert differences() == []


def test_queries_do_not_grow_with_bookings(
    cast: SimpleNamespace, django_assert_num_queries: Callable[[int], object]
) -> None:
    def book(day: int) -> None:
        period = make.period(9, 12, make.TODAY + timedelta(days=day))
        services.book_visit(
            actor=cast.misaki,
            request=make.request_for(cast.misaki, cast.ekimae, period, children=(cast.haru, cast.yui)),
        )

    book(1)
    differences()
    with django_assert_num_queries(15):  # type: ignore[attr-defined]
        assert differences() == []
    for day in (2, 3):
        book(day)
    with django_assert_num_queries(15):  # type: ignore[attr-defined]
        assert differences() == []


def test_command_says_0_differences(cast: SimpleNamespace, visit: Visit) -> None:
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert out.getvalue() == "0 differences\n"


def test_command_names_a_difference_and_fails(cast: SimpleNamespace, visit: Visit) -> None:
    VisitClaim.objects.filter(visit=visit, quarter=first_quarter(visit)).delete()
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("check_invariants", stdout=out)
    assert left.value.code == 1
    assert out.getvalue().splitlines() == [
        f"visit {visit.code} has no claim of its member and seat at {when(visit)}",
        "1 difference",
    ]


#: domain.md A1.3: counters, r3 and r45, then corporate-led (+1), unlicensed (+0) and the strict number.
TABLE = [
    ((1, 0, 0, 0, 0), 15, 25, 2, 2, 2),
    ((0, 0, 0, 0, 10), 15, 25, 2, 2, 2),
    ((2, 4, 3, 2, 1), 15, 25, 3, 2, 3),
    ((3, 6, 6, 0, 0), 15, 25, 4, 3, 3),
    ((5, 5, 5, 0, 0), 15, 25, 4, 3, 4),
    ((6, 8, 4, 6, 5), 15, 25, 6, 5, 5),
    ((6, 8, 4, 6, 5), 20, 30, 5, 4, 5),
    ((0, 6, 6, 16, 0), 15, 25, 4, 3, 4),
    ((10, 10, 10, 10, 20), 15, 25, 9, 8, 9),
    ((12, 14, 14, 2, 2), 15, 25, 10, 9, 9),
]


@pytest.mark.parametrize(("counters", "r3", "r45", "corporate", "unlicensed", "strict"), TABLE)
def test_needed_agrees_with_the_table_of_the_rules(
    counters: tuple[int, ...], r3: int, r45: int, corporate: int, unlicensed: int, strict: int
) -> None:
    def row(plus: int, main: bool) -> RoomQuarter:
        return RoomQuarter(
            r0=3, r1=6, r2=6, r3=r3, r45=r45, plus=plus, share_num=1, share_den=2, in_main_hours=main
        )

    assert needed(row(1, True), counters)[0] == max(corporate, strict)
    assert needed(row(0, True), counters)[0] == max(unlicensed, strict)
    assert needed(row(1, False), counters)[0] == max(2, strict)
    assert needed(row(1, True), counters)[1] == -(-corporate // 2)


def test_needed_is_nothing_in_an_empty_room() -> None:
    row = RoomQuarter(r0=3, r1=6, r2=6, r3=15, r45=25, plus=1, share_num=1, share_den=2)
    assert needed(row, (0, 0, 0, 0, 0)) == (0, 0)


# ---------------------------------------------------------------- children in the carers' hands


@pytest.fixture
def here(cast: SimpleNamespace, now: time_machine.Traveller) -> SimpleNamespace:
    return care.morning(cast, now)


def test_morning_of_receiving_and_handing_over_differs_nowhere(here: SimpleNamespace) -> None:
    care.hand_over(here, care.receive(here).custody, adult=here.granny.code)
    care.receive(here, here.yui)
    again = care.receive(here).custody
    care.hand_over(here, again)

    assert differences() == []


def test_custody_of_a_cancelled_place_is_named(here: SimpleNamespace) -> None:
    row = care.receive(here).custody
    CarePlace.objects.filter(pk=row.place_id).update(status=PlaceStatus.CANCELLED)
    ChildClaim.objects.filter(place=row.place_id).delete()
    RoomQuarter.objects.filter(room=here.room, n45__gt=0).update(n45=0)

    assert differences() == [f"custody {row.code}: the child's place was cancelled, but she was cared for"]


def test_hand_over_to_an_adult_of_another_household_is_named(here: SimpleNamespace) -> None:
    row = care.hand_over(here, care.receive(here).custody, adult=here.granny.code)
    here.granny.household = make.make_household(here.stranger)
    here.granny.save()

    assert differences() == [f"custody {row.code}: handed to a pick-up adult of another household"]


def test_child_in_care_twice_at_once_is_named(here: SimpleNamespace, now: time_machine.Traveller) -> None:
    first = care.hand_over(here, care.receive(here).custody)
    second = care.receive(here).custody
    Custody.objects.filter(pk=second.pk).update(received_at=make.NOW - timedelta(minutes=5))

    assert differences() == [f"a child is in care twice at once: custodies {second.code} and {first.code}"]


def test_order_that_does_not_belong_together_is_named(cast: SimpleNamespace) -> None:
    order = work.full_order(cast, title="しごと", client="見本商店", content="x")
    draft = work.make_order(cast)
    assert differences() == []

    Order.objects.filter(pk=order.pk).update(units_kept=2, price_yen=299)
    Order.objects.filter(pk=draft.pk).update(state="accepted", unit_count=11)
    assert sorted(differences()) == sorted(
        [
            f"order {order.code} counts 2 units, but 1 are there",
            f"order {order.code} is not what was agreed",
            f"order {draft.code} has 11 units, but its lots 10",
            f"order {draft.code} is accepted, but its terms say otherwise",
        ]
    )


# ---------------------------------------------------------------- units, deliveries, earnings


@pytest.fixture
def units(cast: SimpleNamespace) -> list[Delivery]:
    """Six units of an order: one accepted, one rejected, one returned, two sent in, one held; and one of another order free."""
    order = work.accepted_order(cast, units=7)
    found = hands_desk.send(hands_desk.take(cast.misaki, order, 6), 5)
    hands_desk.accept(cast, found[0])
    hands_desk.reject(cast, found[1])
    hands_desk.send_back(cast, found[2])
    assert hands_desk.states(order) == ["accepted", "rejected", "returned", "sent", "sent", "held", "free"]
    assert differences() == []
    return found


def unit_of(order: Order, number: int) -> Unit:
    return Unit.objects.get(order=order, number=number)


def test_unit_that_its_lease_does_not_know_is_named(units: list[Delivery]) -> None:
    order = units[0].unit.order
    held, free, accepted = (unit_of(order, number) for number in (6, 7, 1))
    lease = Lease.objects.get(unit=held)
    Lease.objects.filter(pk=lease.pk).update(unit=free)
    assert differences() == [
        f"unit {held.code} is held, but nobody holds it",
        f"unit {free.code} is free, but somebody holds it",
    ]
    Lease.objects.filter(pk=lease.pk).update(unit=accepted)
    Unit.objects.filter(pk=held.pk).update(state="free")
    assert differences() == [f"unit {accepted.code} is accepted, but somebody holds it"]


@pytest.mark.parametrize("state", ["sent", "returned"])
def test_unit_that_nobody_sent_in_is_named(state: str, units: list[Delivery]) -> None:
    held = unit_of(units[0].unit.order, 6)
    Unit.objects.filter(pk=held.pk).update(state=state)

    assert differences() == [f"unit {held.code} is {state}, but no delivery of it is"]


@pytest.mark.parametrize("state", ["accepted", "rejected"])
def test_unit_that_nobody_decided_is_named(state: str, units: list[Delivery]) -> None:
    free = unit_of(units[0].unit.order, 7)
    Unit.objects.filter(pk=free.pk).update(state=state)

    assert differences() == [f"unit {free.code} is {state}, but no delivery of it is"]


def test_delivery_that_its_unit_does_not_know_is_named(units: list[Delivery]) -> None:
    Unit.objects.filter(pk__in=[units[0].unit_id, units[3].unit_id]).update(state="held")
    Lease.objects.create(unit=units[0].unit, assignment=units[0].notice.assignment)

    assert differences() == [
        f"delivery {units[3].code} is sent, but its unit {units[3].unit.code} is held",
        f"delivery {units[0].code} is accepted, but its unit {units[0].unit.code} is held",
    ]


def test_assignment_without_its_notice_or_without_units_is_named(
    cast: SimpleNamespace, units: list[Delivery]
) -> None:
    Delivery.objects.filter(state="sent").update(state="accepted", decided_at=clock.now())
    bare = Assignment.objects.create(
        lot=units[0].unit.lot, member=cast.kenta, how="invited", state="accepted", unit_count=1, due_at=clock.now(),
        accepted_at=clock.now(),
    )  # fmt: skip
    found = differences()

    assert found[-4:-2] == [
        f"assignment {bare.code} was accepted, but nothing was told in writing",
        f"assignment {bare.code} goes on, but nothing of it is left",
    ]
    assert found[-2:] == [f"delivery {one.code} is accepted, but brings nothing" for one in units[3:]]


def test_earning_that_nobody_accepted_or_of_another_rate_is_named(
    cast: SimpleNamespace, units: list[Delivery]
) -> None:
    first, rejected = units[0], units[1]
    paid = Earning.objects.get()
    Earning.objects.create(
        delivery=rejected, hub=paid.hub, order=paid.order, member=cast.kenta, received_on=paid.received_on,
        accepted_on=paid.accepted_on, latest_on=paid.latest_on, price_yen=300, worker_yen=194, director_yen=31, hub_yen=60,
        platform_yen=15, withholds=False,
    )  # fmt: skip

    assert differences() == [
        f"delivery {rejected.code} is rejected, but is paid",
        f"delivery {rejected.code} is paid to somebody else, or for another order",
        f"delivery {rejected.code} is paid otherwise than its order's rate says",
    ]
    assert first.pk == paid.delivery_id


def test_queries_about_units_do_not_grow_with_them(
    cast: SimpleNamespace, units: list[Delivery], django_assert_num_queries: Callable[[int], object]
) -> None:
    with django_assert_num_queries(UNIT_QUERIES):  # type: ignore[attr-defined]
        assert differences() == []
    hands_desk.sent(cast, 5)
    with django_assert_num_queries(UNIT_QUERIES):  # type: ignore[attr-defined]
        assert differences() == []
