"""RULE-32, step by step: what a warning means at each hour, that it is carried out, and who is told."""

from datetime import datetime, time

import pytest

from hub.booking import closures, hours, services, weather
from hub.booking.conflicts import VisitsAffected
from hub.booking.weather import Plan, Step
from hub.childcare import capacity
from hub.core import tasks
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.invariants import differences
from hub.notices.models import Notice
from hub.spaces import facts
from hub.spaces.enums import Cause, VisitStatus
from hub.spaces.models import Closure, Hub, OpeningHours, Visit
from tests import factories as make


def fresh() -> Hub:
    return Hub.objects.get(slug="ekimae")


def now_is(hour: int, minute: int = 0) -> datetime:
    return make.at(hour, minute, make.TODAY)


@pytest.fixture
def booked(cast, now):
    """Six in the morning; Misaki comes today from 9 to 12 with both children, Kenta from 14 to 16."""
    now.move_to(now_is(6))
    run_write(lambda: capacity.rebuild(cast.room, [make.TODAY]))  # the cast was made at 9:40
    wishes = (
        (cast.misaki, make.period(9, 12, make.TODAY), [cast.haru, cast.yui]),
        (cast.kenta, make.period(14, 16, make.TODAY), []),
    )
    cast.visit, cast.later = (
        services.book_visit(actor=who, request=make.request_for(who, cast.ekimae, when, children=kids)).visit
        for who, when, kids in wishes
    )
    return cast


def carry_out(cast, lifted_at=None, *, confirm=True):
    return weather.carry_out(
        actor=cast.manager, hub=fresh(), lifted_at=lifted_at, reason="暴風警報", confirm=confirm
    )


# The hub opens at 8 and closes at 18; the steps are those of domain.md A8.
@pytest.mark.parametrize(
    ("at", "lifted_at", "plan"),
    [
        ((6, 0), None, Plan(Step.WATCH)),
        ((6, 59), None, Plan(Step.WATCH)),
        ((7, 0), None, Plan(Step.LATER, time(8))),  # lifted now it would open at 8; but it is in force
        ((7, 1), None, Plan(Step.LATER, time(8, 15))),
        ((9, 50), None, Plan(Step.LATER, time(11))),
        ((10, 1), None, Plan(Step.LATER, time(11, 15), lunch=False)),
        ((11, 0), None, Plan(Step.CLOSED)),
        ((7, 30), time(6, 50), Plan(Step.USUAL)),
        ((7, 30), time(7, 0), Plan(Step.USUAL)),
        ((8, 0), time(7, 20), Plan(Step.LATE, time(8, 30))),
        ((10, 30), time(10, 0), Plan(Step.LATE, time(11))),
        ((10, 30), time(10, 5), Plan(Step.LATE, time(11, 15), lunch=False)),
        ((11, 5), time(11, 0), Plan(Step.LATE, time(12), lunch=False)),
        ((11, 5), time(11, 1), Plan(Step.CLOSED)),
    ],
)  # fmt: skip
def test_steps_before_opening(cast, now, at, lifted_at, plan):
    """The hub has not opened today: a storm closure of the morning holds it."""
    now.move_to(now_is(5))
    Closure.objects.create(
        hub=cast.ekimae, starts_on=make.TODAY, ends_on=make.TODAY, cause=Cause.WEATHER, reason="暴風警報"
    )
    facts.touch(cast.ekimae)
    now.move_to(now_is(*at))

    assert weather.plan(fresh(), lifted_at=lifted_at) == plan


def test_warning_while_open_closes_from_the_next_quarter(cast, now):
    now.move_to(now_is(13, 2))
    assert weather.plan(fresh(), lifted_at=None) == Plan(Step.NOW, time(13, 15))


def test_steps_are_the_hubs_own(cast, now):
    hours.update_storm_steps(
        hub=cast.ekimae, announce_by=time(6), normal_by=time(6, 30), late_by=time(12), wait_minutes=90,
        lunch_by=time(9),
    )  # fmt: skip
    now.move_to(now_is(7, 40))

    assert weather.plan(fresh(), lifted_at=time(7, 30)) == Plan(Step.LATE, time(9))
    assert weather.plan(fresh(), lifted_at=None) == Plan(Step.LATER, time(9, 15))


def test_steps_that_run_backwards_are_refused(cast):
    with pytest.raises(DomainError) as refusal:
        hours.update_storm_steps(
            hub=cast.ekimae, announce_by=time(6), normal_by=time(12), late_by=time(11), wait_minutes=60,
            lunch_by=time(10),
        )  # fmt: skip
    assert refusal.value.code == "not_forward"


@pytest.mark.parametrize(
    ("hour", "lifted_at", "code"), [(19, None, "closed_anyway"), (8, time(9), "in_future")]
)
def test_what_cannot_be_is_refused(cast, now, hour, lifted_at, code):
    now.move_to(now_is(hour))
    with pytest.raises(DomainError) as refusal:
        weather.plan(fresh(), lifted_at=lifted_at)
    assert refusal.value.code == code


def test_closed_weekday_is_closed_anyway(cast, now):
    now.move_to(make.at(9, day=make.TODAY.replace(day=12)))  # a Saturday
    with pytest.raises(DomainError) as refusal:
        weather.plan(fresh(), lifted_at=None)
    assert refusal.value.code == "closed_anyway"


def test_a_morning_of_waiting_cuts_as_little_as_it_can(booked, now):
    """Six: watched. Half past eight: not before 9:30. Lifted at nine: opens at ten. Her morning shrinks, his day stays."""
    plan, changed = carry_out(booked)
    assert (plan.step, bool(changed)) == (Step.WATCH, False)
    assert not Closure.objects.exists()

    now.move_to(now_is(7, 58))
    assert carry_out(booked)[0] == Plan(Step.LATER, time(9))
    assert Visit.objects.get(pk=booked.visit.pk).period == make.period(9, 12, make.TODAY)

    now.move_to(now_is(8, 40))
    with pytest.raises(VisitsAffected):
        carry_out(booked, confirm=False)
    assert Closure.objects.get().closed_until == time(9)
    plan, changed = carry_out(booked)
    assert plan == Plan(Step.LATER, time(9, 45))
    assert [visit.pk for visit in changed.shortened] == [booked.visit.pk]

    now.move_to(now_is(9, 5))
    assert carry_out(booked, time(9))[0] == Plan(Step.LATE, time(10))
    assert Visit.objects.get(pk=booked.visit.pk).period == make.period(10, 12, make.TODAY)
    assert Visit.objects.get(pk=booked.later.pk).period == make.period(14, 16, make.TODAY)
    assert Closure.objects.count() == 1
    assert differences() == []


def test_lifted_in_time_takes_the_closure_back(booked, now):
    now.move_to(now_is(7, 58))
    carry_out(booked)
    carry_out(booked, time(6, 55))

    assert not Closure.objects.exists()
    assert facts.facts_of(fresh()).day(make.TODAY).period == make.period(8, 18, make.TODAY)


def test_not_lifted_until_eleven_ends_the_day(booked, now):
    now.move_to(now_is(7, 58))
    carry_out(booked)
    now.move_to(now_is(11))
    _plan, changed = carry_out(booked)

    assert {visit.pk for visit in changed.ended} == {booked.visit.pk, booked.later.pk}
    assert set(Visit.objects.values_list("status", flat=True)) == {VisitStatus.CANCELLED_BY_HUB}


def told(topic: str) -> list[Notice]:
    tasks.run_pending()
    return list(Notice.objects.filter(topic=topic).order_by("pk"))


def test_everybody_of_today_is_told_each_step_once_even_early(booked, now):
    """The step, or what it did to her own visit: never both."""
    carry_out(booked)
    assert {notice.member_id for notice in told("storm")} == {booked.misaki.pk, booked.kenta.pk}
    assert all(notice.is_urgent and "7:00" in notice.text for notice in told("storm"))

    now.move_to(now_is(7, 58))
    carry_out(booked)
    now.move_to(now_is(8, 40))
    carry_out(booked)
    assert [notice.member_id for notice in told("closure")] == [booked.misaki.pk]
    assert [notice.member_id for notice in told("storm")[4:]] == [booked.kenta.pk]

    now.move_to(now_is(11))
    carry_out(booked)
    assert len(told("closure")) == 3
    assert len(told("storm")) == 5


def test_who_is_inside_when_it_closes_hears_it_once(booked, now):
    Visit.objects.filter(pk=booked.visit.pk).update(arrived_at=now_is(9), status=VisitStatus.IN)
    now.move_to(now_is(9, 50))
    carry_out(booked)

    assert [notice.member_id for notice in told("closing")] == [booked.misaki.pk]
    assert [notice.member_id for notice in told("closure")] == [booked.kenta.pk]
    assert told("storm") == []


def test_closure_of_another_kind_stays(booked, now):
    """A storm step replaces only what a storm closed."""
    Closure.objects.create(
        hub=booked.ekimae, starts_on=make.TODAY, ends_on=make.TODAY, closed_from=time(17), reason="停電"
    )
    carry_out(booked)

    assert [row.reason for row in Closure.objects.all()] == ["停電"]


@pytest.mark.parametrize(("wait", "at", "hour"), [(0, (7, 50), 8), (30, (7, 10), 8), (240, (7, 10), 11.25)])
def test_warning_in_force_is_never_told_as_lifted(cast, now, wait, at, hour):
    """A short wait would let the hub open as usual; but nobody may read 「警報が 解除されました」 while it stands."""
    hours.update_storm_steps(
        hub=cast.ekimae, announce_by=time(6, 30), normal_by=time(7), late_by=time(11), wait_minutes=wait,
        lunch_by=time(10),
    )  # fmt: skip
    now.move_to(now_is(*at))
    plan = weather.plan(fresh(), lifted_at=None)

    assert plan == Plan(Step.LATER, make.period(hour, 18, make.TODAY).starts_at.time())
    assert "解除されました" not in weather.sentence(fresh(), plan)


def test_wait_past_midnight_opens_no_more_today(cast, now):
    OpeningHours.objects.filter(hub=cast.ekimae).update(closes=time(23, 30))
    hours.update_storm_steps(
        hub=cast.ekimae, announce_by=time(6, 30), normal_by=time(7), late_by=time(22), wait_minutes=240,
        lunch_by=time(10),
    )  # fmt: skip
    now.move_to(now_is(21))

    assert weather.plan(fresh(), lifted_at=time(20, 30)).step == Step.CLOSED


def test_steps_do_not_open_what_a_closure_of_several_days_keeps_shut(cast, now):
    """Everybody would be told that the hub opens as usual, and stand before a locked door."""
    now.move_to(now_is(6))
    closures.add_closure(
        actor=cast.manager, hub=cast.ekimae, starts_on=make.TODAY, ends_on=make.TOMORROW, reason="台風",
        cause=Cause.WEATHER, confirm=True,
    )  # fmt: skip
    now.move_to(now_is(7, 30))
    with pytest.raises(DomainError) as refusal:
        carry_out(cast, time(6, 50))

    assert refusal.value.code == "closed_anyway"


def test_closure_after_an_earthquake_outlives_the_storm(cast, now):
    """Both close the hub from 9:15; the storm's closure must not stand for the other's."""
    now.move_to(now_is(9, 2))
    carry_out(cast)
    for _tap in range(2):
        closures.add_closure(
            actor=cast.manager, hub=cast.ekimae, starts_on=make.TODAY, ends_on=make.TODAY, closed_from=time(9, 15),
            reason="地震", cause=Cause.SAFETY, confirm=True,
        )  # fmt: skip
    assert sorted(row.cause for row in Closure.objects.all()) == ["safety", "weather"]
    now.move_to(now_is(10, 5))
    with pytest.raises(DomainError):
        carry_out(cast, time(10))

    assert facts.facts_of(fresh()).day(make.TODAY).period == make.period(8, 9.25, make.TODAY)


def test_steps_do_not_open_what_was_closed_the_evening_before(cast, now):
    """At six the warning stands: pressing 「出ています」 must not take back the closed day that everybody was told of."""
    now.move_to(now_is(18))
    closures.add_closure(
        actor=cast.manager, hub=cast.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="台風",
        cause=Cause.WEATHER, confirm=True,
    )  # fmt: skip
    now.move_to(make.at(6))
    with pytest.raises(DomainError) as refusal:
        carry_out(cast)

    assert refusal.value.code == "closed_anyway"
    assert facts.facts_of(fresh()).day(make.TOMORROW).period is None
