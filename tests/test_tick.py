"""The tick: safe to run again, puts past days away once a night, reports what stands in closed time."""

from datetime import date, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from hub import tick
from hub.booking import services
from hub.childcare import absence, capacity, children
from hub.childcare.models import AbsenceContact, Attendance, ChildClaim, Custody, Handover, RoomQuarter
from hub.core import clock, tasks
from hub.core.db import run_write
from hub.core.models import Heartbeat, IdempotencyKey
from hub.core.quarters import start_of
from hub.invariants import differences
from hub.spaces.enums import VisitStatus
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Visit, VisitClaim
from tests import factories as make
from tests.childcare import care

pytestmark = pytest.mark.both_databases


@pytest.fixture
def visit(cast: SimpleNamespace) -> Visit:
    """Misaki with Yui, tomorrow 9:30 to 12:30."""
    request = make.request_for(cast.misaki, cast.ekimae, children=(cast.yui,))
    return services.book_visit(actor=cast.misaki, request=request).visit


def last_day(cast: SimpleNamespace) -> object:
    quarters = RoomQuarter.objects.filter(room=cast.room).order_by("-quarter")
    last = quarters.values_list("quarter", flat=True).first()
    assert last is not None
    return start_of(last).astimezone(make.TOKYO).date()


def test_tick_extends_every_room_to_the_horizon(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    before = last_day(cast)
    now.shift(timedelta(days=7))

    assert tick.run() == []

    assert last_day(cast) == before + timedelta(days=7)  # type: ignore[operator]
    assert run_write(lambda: capacity.extend_to_horizon(cast.ekimae)) == 0


def test_second_tick_changes_nothing(cast: SimpleNamespace, visit: Visit) -> None:
    assert tick.run() == []
    rows = RoomQuarter.objects.count(), VisitClaim.objects.count(), Heartbeat.objects.count()
    assert tick.run() == []
    assert (RoomQuarter.objects.count(), VisitClaim.objects.count(), Heartbeat.objects.count()) == rows
    assert differences() == []


def test_night_puts_past_days_away(cast: SimpleNamespace, visit: Visit, now: time_machine.Traveller) -> None:
    later = services.book_visit(
        actor=cast.misaki,
        request=make.request_for(
            cast.misaki, cast.ekimae, make.period(9, 10, make.TODAY + timedelta(days=2))
        ),
    ).visit
    now.move_to(make.at(0, 1, make.TODAY + timedelta(days=2)))

    assert tick.run() == []

    visit.refresh_from_db()
    later.refresh_from_db()
    assert visit.status == VisitStatus.DONE
    assert later.status == VisitStatus.BOOKED
    assert set(VisitClaim.objects.values_list("visit_id", flat=True)) == {later.pk}
    assert ChildClaim.objects.count() == 0
    assert differences() == []


def test_visit_of_today_is_left_alone_until_midnight(
    cast: SimpleNamespace, visit: Visit, now: time_machine.Traveller
) -> None:
    now.move_to(make.at(17))  # the visit ended at 12:30

    assert tick.run() == []

    visit.refresh_from_db()
    assert visit.status == VisitStatus.BOOKED
    assert VisitClaim.objects.filter(visit=visit).count() == 12


def test_night_runs_once_per_local_day(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    tick.run()
    first = Heartbeat.objects.get(name="nightly.ekimae").beat_at
    now.shift(timedelta(hours=1))
    tick.run()
    assert Heartbeat.objects.get(name="nightly.ekimae").beat_at == first
    now.move_to(make.at(0, 0))  # midnight in Tokyo is 15:00 of the day before in UTC
    tick.run()
    assert Heartbeat.objects.get(name="nightly.ekimae").beat_at == make.at(0, 0)


def test_old_keys_go_and_young_ones_stay(cast: SimpleNamespace) -> None:
    now = clock.machine_now()
    for key, hours in (("old", 73), ("young", 71)):
        IdempotencyKey.objects.create(
            actor=1, key=key, request_hash="x", created_at=now - timedelta(hours=hours)
        )

    tick.run()

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]


def test_task_of_a_killed_worker_is_ready_again(cast: SimpleNamespace, visit: Visit) -> None:
    DBTaskResult.objects.update(
        status=TaskResultStatus.RUNNING,
        started_at=clock.machine_now() - tasks.STALE_AFTER - timedelta(minutes=1),
    )

    tick.run()

    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {TaskResultStatus.READY}


def test_visit_in_closed_time_is_reported_and_not_changed(cast: SimpleNamespace, visit: Visit) -> None:
    Closure.objects.create(hub=cast.ekimae, starts_on=make.TOMORROW, ends_on=make.TOMORROW, reason="雪")
    touch(cast.ekimae)

    assert tick.run() == []

    visit.refresh_from_db()
    assert visit.status == VisitStatus.BOOKED
    assert Heartbeat.objects.get(name=tick.STRAGGLERS).note == "1"


def test_failing_step_does_not_keep_the_others(
    cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(hub: object) -> int:
        raise RuntimeError("no rule")

    monkeypatch.setattr(capacity, "extend_to_horizon", broken)

    assert tick.run() == ["horizon ekimae", "horizon yagi"]
    assert Heartbeat.objects.get(name=tick.TICK).note == "horizon ekimae, horizon yagi"
    assert Heartbeat.objects.filter(name="nightly.ekimae").exists()

    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("tick", stderr=err)
    assert err.getvalue() == "failed: horizon ekimae, horizon yagi\n"


def test_retention_keeps_five_fiscal_years(cast):
    """RULE-16: on 7 December 2026 a visit of March 2021 (fiscal year 2020) goes, one of April 2021 stays."""
    for day in (date(2021, 3, 31), date(2021, 4, 1)):
        Visit.objects.create(
            member=cast.misaki, hub=cast.ekimae, booked_by=cast.misaki, status="done",
            starts_at=make.at(10, day=day), ends_at=make.at(12, day=day),
        )  # fmt: skip

    tick.run()

    assert [visit.starts_at for visit in Visit.objects.all()] == [make.at(10, day=date(2021, 4, 1))]


def test_old_custodies_go_with_their_visits(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    """RULE-16: after five fiscal years; custody and hand-over name each other, and a child has several of them."""
    here = care.morning(cast, now)
    for child in (here.haru, here.haru, here.yui):
        care.hand_over(here, care.receive(here, child).custody, adult=here.granny.code)
    absence.record_contact(actor=here.carer, hub=here.ekimae, child=here.haru.code, outcome="coming")
    tables = (Visit, Custody, Handover, AbsenceContact, Attendance)
    now.move_to(make.at(1, 0, date(2032, 3, 31)))
    assert tick.run() == []
    assert [table.objects.count() for table in tables] == [1, 3, 3, 1, 2]  # type: ignore[attr-defined]

    now.move_to(make.at(1, 0, date(2032, 4, 1)))
    assert tick.run() == []

    assert [table.objects.count() for table in tables] == [0, 0, 0, 0, 0]  # type: ignore[attr-defined]


def test_notes_of_reception_go_with_the_health_text(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    here = care.morning(cast, now)
    care.receive(here, note="せき")

    assert children.forget_health(date(2034, 3, 31)) == 0
    assert Custody.objects.get().note == "せき"
    children.forget_health(date(2035, 4, 1))
    assert Custody.objects.get().note == ""


def test_night_ends_forgotten_attendance(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    care.morning(cast, now)
    now.move_to(make.at(0, 1))

    assert tick.run() == []

    assert set(Attendance.objects.values_list("ends_at", flat=True)) == {make.at(18, 0, make.TODAY)}
