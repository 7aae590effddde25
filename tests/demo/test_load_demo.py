"""load_demo: the cast of design 6, two weeks of real bookings, repeatable, never among real people."""

import re
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db.models import Count
from django_tasks_db.models import DBTaskResult

from hub.booking.models import Offer, WaitEntry
from hub.booking.quotes import quote
from hub.booking.requests import ChildWish, VisitRequest
from hub.checkin.enums import PresenceKind
from hub.checkin.models import Presence, Scan
from hub.childcare.board import board_of
from hub.childcare.enums import ChildStatus
from hub.childcare.models import Carer, CareRoom, Child, ChildClaim, RoomQuarter
from hub.childcare.queries import children_of
from hub.childcare.ratio import class_age
from hub.core import clock
from hub.core.quarters import Period
from hub.demo import loader
from hub.invariants import differences
from hub.members.models import Member, PickupAdult
from hub.notices.models import Delivery
from hub.spaces.enums import LIVE_STATUSES, Role, VisitSource, VisitStatus, ZoneKind
from hub.spaces.models import Hub, Membership, Seat, Visit
from hub.work.models import Order, Statement, Unit, UnitImport
from tests import factories as make

pytestmark = pytest.mark.both_databases


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four days ahead hold a quiet day and a full lunch, and load in a third of the time."""
    monkeypatch.setattr(loader, "AHEAD", 4)
    monkeypatch.setattr(loader, "BEHIND", 3)


@pytest.fixture
def demo(db: None, now: time_machine.Traveller, short: None) -> loader.Report:
    return loader.load()


def member(who: str) -> Member:
    return Member.objects.get(email=f"{who}@demo.example")


def state() -> tuple[object, ...]:
    return (
        Member.objects.count(),
        Child.objects.count(),
        sorted(Visit.objects.values_list("code", "status", "seat__label")),
        ChildClaim.objects.count(),
        RoomQuarter.objects.count(),
    )


def test_cast_is_the_one_of_the_design(demo: loader.Report) -> None:
    roles = {
        who: sorted(Membership.objects.filter(member=member(who)).values_list("hub__slug", "role"))
        for who in ("misaki", "door", "carer", "plaza", "director", "manager", "town", "stranger")
    }
    assert roles == {
        "misaki": [("ekimae", Role.WORKER)],
        "door": [("ekimae", Role.DOOR)],
        "carer": [("ekimae", Role.CARER)],
        "plaza": [("ekimae", Role.COMMUNITY)],
        "director": [("ekimae", Role.DIRECTOR)],
        "manager": [("ekimae", Role.MANAGER), ("yagi", Role.MANAGER)],
        "town": [("ekimae", Role.OFFICER), ("yagi", Role.OFFICER)],
        "stranger": [("yagi", Role.WORKER)],
    }
    children = [
        (child.name, class_age(child.birthday, make.TODAY)) for child in children_of(member("misaki"))
    ]
    assert children == [("はる", 4), ("ゆい", 1)]
    assert list(children_of(member("kenta"))) == list(children_of(member("misaki")))
    assert Member.objects.filter(email__startswith="member").count() == 60
    assert Member.objects.filter(is_demo=False).count() == 0


def test_everybody_can_sign_in_with_the_documented_password(demo: loader.Report) -> None:
    for who in ("misaki", "member60", "town"):
        assert member(who).check_password("hidamari-demo")
    assert (
        EmailAddress.objects.filter(verified=True, primary=True).count()
        == Member.objects.exclude(email=None).count()
    )


def test_hubs_have_the_seats_and_places_of_the_design(demo: loader.Report) -> None:
    rows = [
        (hub.slug, Seat.objects.filter(hub=hub).count(), CareRoom.objects.get(hub=hub).places)
        for hub in Hub.objects.order_by("pk")
    ]
    assert rows == [("ekimae", 24, 12), ("yagi", 12, 6)]
    kinds = set(Seat.objects.filter(hub__slug="ekimae").values_list("zone__kind", flat=True))
    assert kinds == set(ZoneKind.values)
    for hub in Hub.objects.all():
        spots = list(Seat.objects.filter(hub=hub).values_list("plan_x", "plan_y"))
        assert len(spots) == len(set(spots))


def test_there_is_a_child_of_every_class_and_state(demo: loader.Report) -> None:
    approved = Child.objects.filter(status=ChildStatus.APPROVED)
    assert {class_age(child.birthday, make.TODAY) for child in approved} == {0, 1, 2, 3, 4, 5}
    assert Child.objects.filter(status=ChildStatus.PENDING).count() == 2
    assert [c.return_reason != "" for c in Child.objects.filter(status=ChildStatus.RETURNED)] == [True]


def test_bookings_are_real_and_nothing_differs(demo: loader.Report) -> None:
    held = Visit.objects.filter(status__in=LIVE_STATUSES)
    assert demo.booked == held.exclude(status=VisitStatus.OFFERED).count() > 60
    assert differences() == []
    assert DBTaskResult.objects.count() == 0


def test_somebody_waits_and_somebody_is_asked(demo: loader.Report) -> None:
    assert set(WaitEntry.objects.values_list("member__email", "state")) >= {
        ("misaki@demo.example", "waiting"), ("member40@demo.example", "waiting")
    }  # fmt: skip
    assert list(Offer.objects.values_list("entry__member__email", "state")) == [
        ("member40@demo.example", "open")
    ]
    assert Delivery.objects.count() == 0  # the inbox begins empty


def test_last_week_is_history_without_claims(demo: loader.Report) -> None:
    past = Visit.objects.filter(ends_at__lt=make.at(0, 0, make.TODAY))
    assert set(past.values_list("status", flat=True)) == {
        VisitStatus.DONE,
        VisitStatus.NO_SHOW,
        VisitStatus.CANCELLED,
        VisitStatus.RELEASED,
    }
    assert past.filter(claims__isnull=False).count() == 0


def test_misaki_comes_today_soon_and_once_more(demo: loader.Report) -> None:
    visits = Visit.objects.filter(member=member("misaki")).order_by("starts_at")
    assert [(v.starts_at, v.ends_at, v.care_places.count()) for v in visits] == [
        (make.at(10, 0, make.TODAY), make.at(13, 0, make.TODAY), 2),
        (make.at(9, 30), make.at(12, 30), 2),
    ]


def test_member_without_address_was_booked_by_the_door(demo: loader.Report) -> None:
    visit = Visit.objects.get(member__email=None)
    assert (visit.source, visit.booked_by) == (VisitSource.STAFF, member("door"))


def test_full_times_refuse_yui_for_want_of_a_carer(demo: loader.Report) -> None:
    hub, misaki = Hub.objects.get(slug="ekimae"), member("misaki")
    _haru, yui = children_of(misaki)
    periods = loader.full_times(hub)
    assert [period.starts_at for period in periods] == [
        make.at(12, 0, date(2026, 12, 9)),
        make.at(12, 0, date(2026, 12, 11)),
    ]
    for period in periods:
        answer = quote(actor=misaki, request=VisitRequest(misaki, hub, period, children=(ChildWish(yui),)))
        assert [blocker.title for blocker in answer.blockers] == ["ゆいさんの 預かりが いっぱいです"]
        why = answer.blockers[0].why
        assert why.startswith("1・2さいは 保育者が 1人 足りません。12:00 – 14:00 は")
        need, there = re.search(r"保育者 (\d)人が きまりで、いるのは (\d)人", why).groups()  # type: ignore[union-attr]
        assert int(need) == int(there) + 1  # the numbers of one sentence are of one quarter
        assert len(answer.alternatives) == 3


def test_a_longer_wish_is_told_the_numbers_of_the_limit_that_binds(demo: loader.Report) -> None:
    hub, misaki = Hub.objects.get(slug="ekimae"), member("misaki")
    haru, yui = children_of(misaki)
    full = loader.full_times(hub)[0]
    wish = Period(full.starts_at - timedelta(minutes=30), full.ends_at)
    answer = quote(
        actor=misaki, request=VisitRequest(misaki, hub, wish, children=(ChildWish(haru), ChildWish(yui)))
    )
    need, there = re.search(r"保育者 (\d)人が きまりで、いるのは (\d)人", answer.blockers[0].why).groups()  # type: ignore[union-attr]
    assert int(need) == int(there) + 1


def test_second_run_changes_nothing(demo: loader.Report) -> None:
    before = state()
    again = loader.load()
    assert again == loader.Report(fresh=False, booked=0)
    assert state() == before


def test_later_run_fills_the_days_that_came_into_view(
    demo: loader.Report, now: time_machine.Traveller
) -> None:
    def booked_on(day: date) -> int:
        return Visit.objects.filter(
            starts_at__gte=make.at(0, 0, day), ends_at__lt=make.at(23, 45, day), status__in=LIVE_STATUSES
        ).count()

    day = make.TODAY + timedelta(days=7)
    assert booked_on(day) == 0
    now.shift(timedelta(days=7))
    loader.load()
    assert booked_on(day) >= 15
    assert Visit.objects.filter(member=member("misaki"), starts_at__gte=clock.now()).count() == 2
    assert differences() == []


def test_real_members_are_never_mixed_with_the_demo(db: None, now: time_machine.Traveller) -> None:
    make.make_member("ほんとうの 人", "real@example.org")

    with pytest.raises(CommandError, match="holds people who are not of the demo"):
        call_command("load_demo")

    assert (Member.objects.count(), Hub.objects.count()) == (1, 0)


def test_if_empty_leaves_real_members_alone_without_an_error(db: None, now: time_machine.Traveller) -> None:
    make.make_member("ほんとうの 人", "real@example.org")
    call_command("load_demo", "--if-empty")
    assert (Member.objects.count(), Hub.objects.count()) == (1, 0)


def test_visitor_who_signed_up_does_not_stop_the_demo(
    demo: loader.Report, now: time_machine.Traveller, settings: Any
) -> None:
    make.make_member("見に 来た 人", "visitor@example.org")
    now.shift(timedelta(days=7))
    before = Visit.objects.count()

    call_command("load_demo", "--if-empty", stdout=StringIO())  # not a demo: left alone
    assert Visit.objects.count() == before

    settings.HIDAMARI_DEMO = True
    call_command("load_demo", "--if-empty", stdout=StringIO())
    assert Visit.objects.count() > before


def test_clock_is_as_before_after_loading(demo: loader.Report, settings: Any) -> None:
    assert timedelta(0) == settings.CLOCK_OFFSET


@pytest.mark.parametrize("hour", [8, 13, 17])
def test_demo_loads_at_any_hour(db: None, now: time_machine.Traveller, short: None, hour: int) -> None:
    now.move_to(make.at(hour, 10, make.TODAY))
    loader.load()
    visit = Visit.objects.filter(member=member("misaki")).order_by("starts_at")[0]
    assert visit.starts_at > clock.now()
    assert differences() == []


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2027, 3, 30), date(2026, 12, 13)])
def test_demo_loads_on_holidays_and_at_the_end_of_the_fiscal_year(
    db: None, now: time_machine.Traveller, short: None, day: date
) -> None:
    now.move_to(make.at(9, 40, day))
    loader.load()
    assert differences() == []


def test_this_morning_people_came_some_are_late_and_a_visitor_is_inside(demo: loader.Report) -> None:
    ekimae = Hub.objects.get(slug="ekimae")
    inside = Presence.objects.filter(hub=ekimae, left_at=None)
    late = Visit.objects.filter(
        hub=ekimae, status=VisitStatus.BOOKED, starts_at__lt=make.NOW, ends_at__gt=make.NOW
    )

    kinds = {kind: inside.filter(kind=kind).count() for kind in PresenceKind.values}
    assert kinds == {
        "worker": Visit.objects.filter(hub=ekimae, status=VisitStatus.IN).count(),
        "staff": 1,
        "visitor": 1,
    }
    assert kinds["worker"] >= 2
    assert late.count() >= 1
    assert not inside.filter(entered_at__gt=make.NOW).exists()
    assert (
        Scan.objects.filter(result="ok", is_offline=False).count()
        == Presence.objects.exclude(kind="visitor").count()
    )


def test_morning_in_the_children_s_room(demo: loader.Report) -> None:
    """Carers at work, children inside and one family missing, all by the rules; a grandmother who may fetch."""
    room = CareRoom.objects.get(hub__slug="ekimae")
    shown = board_of(room)

    assert len(shown.inside) >= 2
    assert (shown.is_short, len(shown.at_work)) == (False, 4)
    assert sum(card.is_late for card in shown.coming) >= 1
    assert sum(bool(card.allergies) for card in shown.cards) >= 2
    assert Carer.objects.get(member=member("carer")).hub == room.hub
    assert PickupAdult.objects.get().household == Child.objects.get(name="はる").household


def units_by_state() -> dict[str, int]:
    return dict(Unit.objects.values_list("state").annotate(n=Count("pk")).order_by())


def orders_shown() -> list[tuple[str, str, int, int]]:
    rows = Order.objects.order_by("pk")
    return [(order.state, order.title, order.unit_count, order.units_kept) for order in rows]


def test_orders_stand_in_every_state_and_come_once(demo: loader.Report) -> None:
    shown = [
        ("accepted", "お店の 紹介文を 書く", 120, 12),
        ("accepted", "商品の 名前を たしかめる", 200, 200),
        ("accepted", "はじめての 紹介文（なおしながら おぼえます）", 24, 24),
        ("accepted", "講座の 出席を 表に 入れる", 240, 240),
        ("draft", "古い 台帳を 表に 入れる", 600, 0),
        ("draft", "祭りの 録音を 文字に する", 24, 0),
    ]
    assert orders_shown() == shown
    waiting = UnitImport.objects.get(state="checked")
    assert (waiting.rows_good, list(waiting.errors.values_list("row", "column", "problem"))) == (
        117, [(8, "content", "empty"), (42, "reference", "twice"), (79, "content", "bad_character")]
    )  # fmt: skip

    assert units_by_state() == {"accepted": 244, "free": 111, "held": 117, "returned": 1, "sent": 3}
    assert Statement.objects.filter(paid_on=None).count() == 0
    assert differences() == []

    loader.load()
    assert orders_shown() == shown
