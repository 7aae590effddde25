"""Background work: a task is a row written in the transaction of the change, so the queue is the outbox (I9).

Handlers are plain functions named by dotted path and must be safe to run twice. django-tasks-db has no retry;
here a failed handler is enqueued again with backoff, `requeue_stale` brings back what a killed worker left.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction
from django.utils import translation
from django.utils.module_loading import import_string
from django_tasks import TaskResultStatus, task
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from hub.core import clock
from hub.core.db import WRITE_LOCK

log = structlog.get_logger(__name__)
MAX_TRIES = 8
BREATH = 0.05  # seconds between two tasks of the embedded worker: somebody at a page goes before the mail
STALE_AFTER = timedelta(minutes=10)


@task()
def run_handler(handler: str, data: dict[str, Any], tries: int = 1) -> None:
    """Run one handler; after an error enqueue the same work again, 2, 4, 8 ... seconds later."""
    try:
        with translation.override("ja"):
            import_string(handler)(**data)
    except Exception:
        if tries < MAX_TRIES:
            enqueue(handler, _tries=tries + 1, _delay=2**tries, **data)
        raise


def enqueue(handler: str, *, _tries: int = 1, _delay: float = 0, **data: Any) -> None:
    """Queue ``handler`` (dotted path of a function) with JSON ``data``, in the current transaction."""
    job = run_handler
    if _delay:
        job = job.using(run_after=clock.machine_now() + timedelta(seconds=_delay))
    job.enqueue(handler, data, _tries)


def run_pending(limit: int = 1000) -> int:
    """Run what is due now, in this thread; returns how many ran. For tests and `manage.py tick`."""
    done = 0
    while done < limit:
        if not DBTaskResult.objects.ready().exists():  # no write transaction just to find nothing
            return done
        with _locked_claim():
            row = DBTaskResult.objects.ready().get_locked()
            if row is not None:
                row.claim("inline")
        if row is None:
            return done
        _worker().run_task(row)
        done += 1
    return done


def requeue_stale() -> int:
    """Tasks that a killed worker left RUNNING become READY again (handlers are safe to run twice)."""
    before = clock.machine_now() - STALE_AFTER
    stale = DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, started_at__lt=before)
    return stale.update(status=TaskResultStatus.READY, started_at=None)


def prune(days: int = 14) -> int:
    """Delete finished tasks older than ``days``."""
    before = clock.machine_now() - timedelta(days=days)
    return DBTaskResult.objects.finished().filter(finished_at__lt=before).delete()[0]


@contextmanager
def _locked_claim(using: str | None = None) -> Iterator[None]:
    """Claiming a task is a write like any other: on SQLite it stands in the same fair line.

    The library polls with ``BEGIN EXCLUSIVE``, which fights our own lock; `WRITE_LOCK` puts it in the queue.
    """
    lock: Any = WRITE_LOCK if connection.vendor == "sqlite" else nullcontext()
    with (
        lock,
        transaction.atomic(using=using) if connection.vendor == "sqlite" else exclusive_transaction(using),
    ):
        yield


def _worker() -> "db_worker.Worker":
    return db_worker.Worker(
        queue_names=["default"], excluded_queue_names=[], interval=0.5, batch=False, backend_name="default",
        startup_delay=False, max_tasks=None, worker_id="embedded",
    )  # fmt: skip


class EmbeddedWorker:
    """The worker as a thread of the web process, for `make run`. Not the library's public API: wrapped here only.

    An exception in the library's poll ends its loop; the thread starts it again. Once a minute it runs the tick.
    """

    def __init__(self, tick: "Any | None" = None) -> None:
        self._tick = tick
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="task-worker", daemon=True)

    def start(self) -> None:
        # The library takes the claim by this module-level name; ours waits in our line instead.
        setattr(db_worker, "exclusive_transaction", _locked_claim)  # noqa: B010  not exported
        self._thread.start()

    def stop(self, wait: float = 5) -> None:
        """End the loop; a task that runs longer than ``wait`` seconds is left RUNNING and requeued by the tick."""
        self._stop.set()
        self._thread.join(timeout=wait)

    def _run(self) -> None:
        next_tick = 0.0
        while not self._stop.is_set():
            try:
                close_old_connections()
                if self._tick is not None and time.monotonic() >= next_tick:
                    next_tick = time.monotonic() + 60
                    self._tick()
                while run_pending(limit=1) and not self._stop.wait(BREATH):
                    pass
            except Exception as error:
                log.warning("worker_restarts", error=repr(error))
            self._stop.wait(0.5)
