"""The queue is the outbox: what is enqueued runs once it is committed, again after an error, and never gets lost."""

from datetime import timedelta

import pytest
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from hub.core import clock, tasks
from hub.core.db import run_write
from hub.core.errors import DomainError

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
ran: list[object] = []


def note(what: object) -> None:
    ran.append(what)


def fail(what: object) -> None:
    ran.append(what)
    raise ValueError("again please")


@pytest.fixture(autouse=True)
def _empty() -> None:
    ran.clear()


def test_task_runs_with_its_data() -> None:
    run_write(lambda: tasks.enqueue(f"{__name__}.note", what="ひだまり"))

    assert (tasks.run_pending(), ran) == (1, ["ひだまり"])
    assert tasks.run_pending() == 0


def test_task_of_a_refused_change_does_not_exist() -> None:
    def work() -> None:
        tasks.enqueue(f"{__name__}.note", what=1)
        raise DomainError("no", "")

    with pytest.raises(DomainError):
        run_write(work)

    assert (DBTaskResult.objects.count(), tasks.run_pending(), ran) == (0, 0, [])


def test_failed_task_waits_longer_each_time_and_then_ends(caplog: pytest.LogCaptureFixture) -> None:
    run_write(lambda: tasks.enqueue(f"{__name__}.fail", what=1))
    waits = []
    for _ in range(tasks.MAX_TRIES + 2):
        tasks.run_pending()
        waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
        for row in waiting:
            assert row.run_after is not None
            waits.append(round((row.run_after - clock.machine_now()).total_seconds()))
        waiting.update(run_after=clock.machine_now() - timedelta(seconds=1))

    assert waits == [2**n for n in range(1, tasks.MAX_TRIES)] or waits == [
        2**n for n in range(2, tasks.MAX_TRIES + 1)
    ]
    assert ran == [1] * tasks.MAX_TRIES
    assert DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).count() == tasks.MAX_TRIES


def test_task_left_running_by_a_killed_worker_comes_back() -> None:
    run_write(lambda: tasks.enqueue(f"{__name__}.note", what=1))
    old = clock.machine_now() - tasks.STALE_AFTER - timedelta(minutes=1)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=old)
    assert tasks.run_pending() == 0

    assert tasks.requeue_stale() == 1
    assert (tasks.run_pending(), ran) == (1, [1])


def test_task_that_runs_now_is_left_alone() -> None:
    run_write(lambda: tasks.enqueue(f"{__name__}.note", what=1))
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=clock.machine_now())

    assert (tasks.requeue_stale(), tasks.run_pending()) == (0, 0)


def test_finished_tasks_are_put_away_after_two_weeks() -> None:
    for what in (1, 2):
        run_write(lambda what=what: tasks.enqueue(f"{__name__}.note", what=what))  # type: ignore[misc]
    tasks.run_pending()
    old = clock.machine_now() - timedelta(days=15)
    DBTaskResult.objects.filter(pk=DBTaskResult.objects.all()[0].pk).update(finished_at=old)

    assert tasks.prune() == 1
    assert DBTaskResult.objects.count() == 1
