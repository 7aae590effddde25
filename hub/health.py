"""Is it alive: for people, scripts and load balancers. Says nothing about anybody."""

from dataclasses import asdict, dataclass

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from hub.core import clock
from hub.core.models import Heartbeat
from hub.tick import STRAGGLERS, TICK

LATE_AFTER = 300  # seconds without a tick


@dataclass(frozen=True)
class Health:
    """``status``: ok, late (no tick for five minutes, or a step of it failed), down (no database)."""

    status: str
    database: str
    last_tick: str | None = None
    tick_failed: str = ""
    queue: int | None = None
    failed_tasks: int | None = None
    visits_in_closed_time: int | None = None


def look() -> Health:
    """Ask the database; three queries."""
    try:
        beats = {beat.name: beat for beat in Heartbeat.objects.filter(name__in=(TICK, STRAGGLERS))}
        counts = DBTaskResult.objects.filter(
            status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING)
        ).count()
        failed = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).count()
    except (DatabaseError, InterfaceError):
        return Health("down", "away")
    beat = beats.get(TICK)
    late = beat is None or bool(beat.note) or (clock.now() - beat.beat_at).total_seconds() > LATE_AFTER
    strays = beats[STRAGGLERS].note if STRAGGLERS in beats else ""
    return Health(
        status="late" if late else "ok",
        database="ok",
        last_tick=beat.beat_at.isoformat() if beat else None,
        tick_failed=beat.note if beat else "",
        queue=counts,
        failed_tasks=failed,
        visits_in_closed_time=int(strays) if strays.isdecimal() else None,
    )


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """JSON, or ``name: value`` lines for ``Accept: text/plain``. 503 only when the database is away."""
    found = look()
    status = 503 if found.status == "down" else 200
    if request.get_preferred_type(["application/json", "text/plain"]) == "text/plain":
        lines = "".join(
            f"{name}: {'-' if value is None else value}\n" for name, value in asdict(found).items()
        )
        return HttpResponse(lines, status=status, content_type="text/plain; charset=utf-8")
    return JsonResponse(asdict(found), status=status)
