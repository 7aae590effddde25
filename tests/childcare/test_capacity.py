"""Room quarters from roster, rooms, hours and law; rebuilt with children in them (I3, I3b)."""

from datetime import date, time, timedelta

import pytest

from hub.booking import services
from hub.childcare import capacity
from hub.childcare.capacity import RatioShort
from hub.childcare.enums import ChangeKind, Qualification, Scheme
from hub.childcare.models import CareRoom, RoomQuarter, ShiftChange
from hub.core.db import run_write
from hub.core.quarters import quarter_of
from hub.spaces.facts import touch
from hub.spaces.models import Closure
from tests import factories as make
from tests import oracle

pytestmark = pytest.mark.django_db


def at(room: CareRoom, hour: int, minute: int = 0, day: date = make.TOMORROW) -> RoomQuarter:
    return RoomQuarter.objects.get(room=room, quarter=quarter_of(make.at(hour, minute, day)))


def build(room: CareRoom, *days: date, confirm: bool = False) -> int:
    wanted = days or (make.TOMORROW,)
    return run_write(lambda: capacity.rebuild(room, wanted, confirm_shortfall=confirm))


@pytest.fixture
def room(now) -> CareRoom:  # type: ignore[no-untyped-def]
    return make.make_room(make.make_hub(), carers=0, horizon=False)


def test_quarters_exist_for_the_open_hours_and_no_others(room: CareRoom) -> None:
    build(room, make.TOMORROW, date(2026, 12, 12))  # a Tuesday, and a Saturday on which the hub is closed

    stored = list(RoomQuarter.objects.order_by("quarter").values_list("quarter", flat=True))
    assert stored == list(range(quarter_of(make.at(8)), quarter_of(make.at(18))))


def test_carer_counts_in_quarters_wholly_inside_the_shift_and_untouched_by_the_break(room: CareRoom) -> None:
    make.make_shift(
        room, make.make_carer(room.hub), starts=time(8, 50), ends=time(17, 10), break_starts=time(12, 5),
        break_ends=time(12, 50),
    )  # fmt: skip
    build(room)

    there = [quarter for quarter in RoomQuarter.objects.order_by("quarter") if quarter.staff]

    starts = [make.at(9) + timedelta(minutes=15 * n) for n in range(32)]
    expected = [quarter_of(moment) for moment in starts if not make.at(12) <= moment < make.at(13)]
    assert [row.quarter for row in there] == expected
    assert oracle.differences(roster_from=make.NOW) == []


def test_dated_changes_take_away_and_add(room: CareRoom) -> None:
    first, second = make.make_carer(room.hub, name="一"), make.make_carer(room.hub, name="二")
    make.make_shift(room, first)
    ShiftChange.objects.create(room=room, carer=first, date=make.TOMORROW, kind=ChangeKind.ABSENT)
    ShiftChange.objects.create(
        room=room, carer=second, date=make.TOMORROW, kind=ChangeKind.EXTRA, starts=time(9), ends=time(12)
    )
    build(room, make.TODAY, make.TOMORROW)

    assert (at(room, 10, day=make.TODAY).staff, at(room, 8).staff, at(room, 9).staff, at(room, 12).staff) == (
        1,
        0,
        1,
        0,
    )
    assert oracle.differences(roster_from=make.NOW) == []


@pytest.mark.parametrize(
    ("field", "staff"),
    [
        ({"valid_from": make.TOMORROW + timedelta(days=1)}, 0),
        ({"valid_to": make.TODAY}, 0),
        ({"valid_to": make.TOMORROW}, 1),
    ],
)
def test_shift_holds_from_a_date_to_a_date(room: CareRoom, field: dict[str, date], staff: int) -> None:
    make.make_shift(room, make.make_carer(room.hub), **field)
    build(room)

    assert at(room, 10).staff == staff


def test_carer_with_two_overlapping_blocks_counts_once(room: CareRoom) -> None:
    carer = make.make_carer(room.hub)
    make.make_shift(room, carer)
    make.make_shift(room, carer, starts=time(9), ends=time(12))
    build(room)

    assert at(room, 10).staff == 1


@pytest.mark.parametrize(
    ("scheme", "teachers", "nurses", "supporters", "qualified"),
    [
        (Scheme.CORPORATE_LED, 1, 2, 1, 2),  # one nurse may stand in
        (Scheme.UNLICENSED, 1, 2, 1, 3),  # nurses count
        (Scheme.LICENSED, 1, 2, 1, 1),
        (Scheme.CORPORATE_LED, 2, 0, 2, 2),
    ],
)
def test_who_is_qualified(
    scheme: Scheme, teachers: int, nurses: int, supporters: int, qualified: int, now
) -> None:  # type: ignore[no-untyped-def]
    room = make.make_room(make.make_hub(), carers=0, scheme=scheme, horizon=False)
    for kind, count in ((Qualification.NURSERY_TEACHER, teachers), (Qualification.NURSE, nurses),
                        (Qualification.SUPPORTER, supporters)):  # fmt: skip
        for _ in range(count):
            make.make_shift(room, make.make_carer(room.hub, qualification=kind))
    build(room)

    assert (at(room, 10).staff, at(room, 10).qualified) == (teachers + nurses + supporters, qualified)


def test_main_hours_are_marked(room: CareRoom) -> None:
    room.main_from, room.main_to = time(9), time(17)
    room.save()
    build(room)

    assert [at(room, h, m).in_main_hours for h, m in ((8, 45), (9, 0), (16, 45), (17, 0))] == [
        False,
        True,
        True,
        False,
    ]


def test_rebuilding_keeps_children_and_the_past(cast, now) -> None:  # type: ignore[no-untyped-def]
    services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    )
    now.move_to(make.at(11, 7))
    make.make_shift(cast.room, make.make_carer(cast.ekimae))
    build(cast.room)

    assert [(at(cast.room, *t).staff, at(cast.room, *t).n1) for t in ((10, 0), (10, 45), (11, 0), (12, 0))] == [
        (2, 1), (2, 1), (3, 1), (3, 1),
    ]  # fmt: skip
    assert oracle.differences() == []


def test_too_few_carers_is_refused_with_the_hours_and_nothing_changes(cast) -> None:  # type: ignore[no-untyped-def]
    services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    )

    def roster_change() -> None:
        carer = cast.room.shifts.first().carer
        ShiftChange.objects.create(room=cast.room, carer=carer, date=make.TOMORROW, kind=ChangeKind.ABSENT)
        capacity.rebuild(cast.room, [make.TOMORROW])

    with pytest.raises(RatioShort) as refusal:
        run_write(roster_change)

    assert (refusal.value.code, refusal.value.facts["missing"]) == ("ratio_short", 1)
    assert refusal.value.facts["periods"] == [make.period(9.5, 12.5)]
    assert (at(cast.room, 10).staff, ShiftChange.objects.count()) == (2, 0)


def short_of_one(cast) -> None:  # type: ignore[no-untyped-def]
    carer = cast.room.shifts.first().carer
    ShiftChange.objects.create(room=cast.room, carer=carer, date=make.TOMORROW, kind=ChangeKind.ABSENT)
    build(cast.room, confirm=True)


def test_confirmed_lack_is_recorded_frozen_and_shrinks_as_children_leave(cast) -> None:  # type: ignore[no-untyped-def]
    """Two children and one carer: one is missing. When the first leaves one is still missing (never under two)."""
    misaki_s = services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui, cast.haru])
    ).visit
    short_of_one(cast)
    row = at(cast.room, 10)
    assert (row.shortfall, row.frozen_children, row.staff) == (1, 2, 1)

    services.cancel_visit(actor=cast.misaki, code=misaki_s.code)

    row = at(cast.room, 10)
    assert (row.shortfall, row.frozen_children, row.n1, row.n45) == (0, 0, 0, 0)
    assert oracle.differences(roster_from=make.NOW) == []


def test_known_lack_needs_no_second_word_a_larger_one_does(cast) -> None:  # type: ignore[no-untyped-def]
    services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    )
    short_of_one(cast)

    build(cast.room)  # the same lack: nobody is asked again

    other = cast.room.shifts.exclude(carer__changes__date=make.TOMORROW).first().carer
    ShiftChange.objects.create(room=cast.room, carer=other, date=make.TOMORROW, kind=ChangeKind.ABSENT)
    with pytest.raises(RatioShort):
        build(cast.room)


def test_carer_who_comes_back_ends_the_lack(cast) -> None:  # type: ignore[no-untyped-def]
    services.book_visit(
        actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=[cast.yui])
    )
    short_of_one(cast)
    ShiftChange.objects.all().delete()
    build(cast.room)

    assert (at(cast.room, 10).shortfall, at(cast.room, 10).frozen_children) == (0, 0)
    request = make.request_for(cast.kenta, cast.ekimae, children=[cast.haru])
    assert services.book_visit(actor=cast.kenta, request=request).replayed is False


@pytest.mark.parametrize("field", ["places", "area_infant_cm2"])
def test_smaller_licence_or_floor_under_booked_children(cast, field: str) -> None:  # type: ignore[no-untyped-def]
    kids = [make.make_child(cast.household, cast.ekimae, 1, name=f"子{n}") for n in range(3)]
    services.book_visit(actor=cast.misaki, request=make.request_for(cast.misaki, cast.ekimae, children=kids))
    setattr(cast.room, field, 2 if field == "places" else 2 * 16_500)
    cast.room.save()

    with pytest.raises(RatioShort):
        build(cast.room)
    build(cast.room, confirm=True)

    assert (at(cast.room, 10).over, at(cast.room, 10).frozen_children, at(cast.room, 14).over) == (1, 3, 0)
    assert oracle.differences() == []


def test_closed_day_loses_its_empty_quarters(room: CareRoom) -> None:
    build(room)
    Closure.objects.create(hub=room.hub, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="停電")
    touch(room.hub)
    build(CareRoom.objects.get(pk=room.pk))

    assert RoomQuarter.objects.count() == 0


def test_horizon_is_extended_by_the_days_that_are_missing(cast, now) -> None:  # type: ignore[no-untyped-def]
    def last_day() -> date:
        row = RoomQuarter.objects.order_by("-quarter")[0]
        return (make.NOW + timedelta(seconds=row.quarter * 900 - make.NOW.timestamp())).date()

    assert last_day() == date(2027, 1, 18)
    assert run_write(lambda: capacity.extend_to_horizon(cast.ekimae)) == 0

    now.move_to(make.NOW + timedelta(days=2))

    assert run_write(lambda: capacity.extend_to_horizon(cast.ekimae)) == 2
    assert last_day() == date(2027, 1, 20)
    assert oracle.differences(roster_from=make.NOW) == []


def test_quarters_remember_the_law_they_were_made_with(room: CareRoom) -> None:
    room.table, room.table_reason, room.one_by_five = "former", "移行期間のため", True
    room.save()
    build(room)

    row = at(room, 10)
    assert (row.r0, row.r1, row.r2, row.r3, row.r45, row.plus, row.share_num, row.share_den) == (
        3,
        5,
        6,
        20,
        30,
        0,
        1,
        3,
    )
