"""Many people at the same moment: threads with their own connections, a start line, and what each of them was told.

Guards are taken away here, by the test and in the test's own database (`without`), never by a switch in the product.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.db import connection, connections, models, transaction
from django_tasks_db.models import DBTaskResult

from hub.booking import services
from hub.booking.models import Excuse, LateAsk, Offer, WaitChild, WaitEntry
from hub.booking.models_week import Series, SeriesDate, SeriesLine
from hub.booking.requests import VisitRequest
from hub.checkin.models import Presence, Scan
from hub.childcare import capacity
from hub.childcare.models import (
    AbsenceContact,
    Attendance,
    CarePlace,
    CareRoom,
    ChildClaim,
    Custody,
    Handover,
    RoomQuarter,
)
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.core.models import IdempotencyKey
from hub.members.models import Member
from hub.notices.models import Delivery, Notice
from hub.spaces.models import Hub, Visit, VisitClaim
from tests import factories as make
from tests import oracle

CONTENDERS = 32
#: The gate runs a part of what `make soak` runs (docs/races.md).
ROUNDS = int(
    os.environ.get("HIDAMARI_RACE_ROUNDS", "100" if os.environ.get("HIDAMARI_SOAK") == "1" else "10")
)
#: Rounds of the variants without a guard: they only have to show the harm.
HARM_ROUNDS = 10 if ROUNDS >= 100 else min(ROUNDS, 4)
PATIENCE = 120  # seconds after which a stuck round fails instead of hanging the suite


@dataclass(frozen=True)
class Outcome:
    """What one contender got: a value, the code of a refusal, or a crash (which is never right)."""

    value: Any = None
    code: str = "ok"


class Crowd:
    """Contenders that live through all rounds of a race; each keeps one database connection."""

    def __init__(self, size: int = CONTENDERS) -> None:
        self.size = size
        self._start = threading.Barrier(size + 1)
        self._finish = threading.Barrier(size + 1)
        self._jobs: Sequence[Callable[[], Any]] = ()
        self._outcomes: list[Outcome] = []
        self._over = False
        self._threads = [threading.Thread(target=self._live, args=(n,), daemon=True) for n in range(size)]
        for thread in self._threads:
            thread.start()

    def _live(self, number: int) -> None:
        connection.ensure_connection()
        try:
            while True:
                self._start.wait(PATIENCE)
                if self._over:
                    return
                self._outcomes[number] = self._attempt(self._jobs[number])
                self._finish.wait(PATIENCE)
        finally:
            connections.close_all()

    @staticmethod
    def _attempt(job: Callable[[], Any]) -> Outcome:
        try:
            return Outcome(job())
        except DomainError as refusal:
            return Outcome(refusal, refusal.code)
        except Exception as crash:
            return Outcome(crash, f"crash: {crash!r}")

    def race(self, jobs: Sequence[Callable[[], Any]]) -> list[Outcome]:
        """Start every job at once; return what each got, in the order of the jobs."""
        assert len(jobs) == self.size
        self._jobs, self._outcomes = jobs, [Outcome(code="never ran")] * self.size
        self._start.wait(PATIENCE)
        self._finish.wait(PATIENCE)
        return self._outcomes

    def close(self) -> None:
        """Send everybody home; their connections close."""
        self._over = True
        self._start.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)


@contextlib.contextmanager
def crowd(size: int = CONTENDERS) -> Iterator[Crowd]:
    people = Crowd(size)
    try:
        yield people
    finally:
        people.close()


def codes(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many were told what."""
    return dict(Counter(outcome.code for outcome in outcomes))


# --- the world of a race ------------------------------------------------------------------------------------


def make_world(
    *, seats: int = 4, carers: int = 2, places: int = 12, people: int = CONTENDERS
) -> SimpleNamespace:
    """A hub, a care room with quarters for tomorrow only, and people with one child (class 1) each."""
    hub = make.make_hub("ekimae", seats=seats)
    room = make.make_room(hub, carers=carers, places=places, horizon=False)
    run_write(lambda: capacity.rebuild(room, [make.TOMORROW]))
    members, children = [], []
    for n in range(people):
        member = make.make_member(f"人 {n}", f"p{n}@race.example", hub=hub)
        members.append(member)
        children.append(make.make_child(make.make_household(member), hub, 1, name=f"子{n}"))
    return SimpleNamespace(hub=hub, room=room, members=members, children=children)


def booking(actor: Member, request: VisitRequest, key: str | None = None) -> Callable[[], str]:
    """A job: book, answer with the code of the visit."""

    def job() -> str:
        return services.book_visit(actor=fresh(actor), request=request, key=key).visit.code

    return job


def fresh(member: Member) -> Member:
    """The same member as another request would load it, without what an earlier one cached on it."""
    member.__dict__.pop("_roles", None)
    return member


def clear() -> None:
    """Everything booked is gone, so that the next round starts from the same state. Cheaper than a flush."""
    care = (Handover, Custody, AbsenceContact, Attendance)
    with transaction.atomic():  # custody and hand-over name each other: their keys are looked at when it ends
        for model in (
            *care,
            Offer,
            WaitChild,
            WaitEntry,
            LateAsk,
            Excuse,
            Delivery,
            Notice,
            Scan,
            Presence,
            ChildClaim,
            CarePlace,
            VisitClaim,
            SeriesDate,
            SeriesLine,
            Series,
            Visit,
            IdempotencyKey,
            DBTaskResult,
        ):
            rows = model.objects.all()  # type: ignore[attr-defined]
            rows._raw_delete(rows.db)
    booked = RoomQuarter.objects.exclude(n0=0, n1=0, n2=0, n3=0, n45=0)
    booked.update(n0=0, n1=0, n2=0, n3=0, n45=0)


def left_behind() -> dict[str, int]:
    """Rows that the round left, by kind."""
    return {
        "visits": Visit.objects.count(),
        "claims": VisitClaim.objects.count(),
        "places": CarePlace.objects.count(),
        "child claims": ChildClaim.objects.count(),
        "keys": IdempotencyKey.objects.count(),
        "tasks": DBTaskResult.objects.count(),
    }


def nothing_wrong() -> None:
    """The recount from the headers finds no difference: nothing double, nothing half."""
    assert oracle.differences() == []


# --- taking guards away -------------------------------------------------------------------------------------


@contextlib.contextmanager
def without(model: type[models.Model], *names: str) -> Iterator[None]:
    """The table of ``model`` without these constraints; afterwards emptied of what was booked and guarded again."""
    all_of_them = list(model._meta.constraints)
    dropped = [constraint for constraint in all_of_them if constraint.name in names]
    assert len(dropped) == len(names), f"unknown constraint among {names}"
    # SQLite builds the table anew from what the model says, so for that time the model says less.
    model._meta.constraints = [constraint for constraint in all_of_them if constraint not in dropped]
    try:
        with connection.schema_editor() as editor:
            for constraint in dropped:
                editor.remove_constraint(model, constraint)
        yield
    finally:
        clear()
        model._meta.constraints = all_of_them
        with connection.schema_editor() as editor:
            for constraint in dropped:
                editor.add_constraint(model, constraint)


def double_seats() -> int:
    """Pairs of seat and quarter that more than one visit holds."""
    held = Counter(VisitClaim.objects.filter(seat__isnull=False).values_list("seat_id", "quarter"))
    return sum(1 for times in held.values() if times > 1)


def double_children() -> int:
    """Pairs of child and quarter that more than one place holds."""
    held = Counter(ChildClaim.objects.values_list("child_id", "quarter"))
    return sum(1 for times in held.values() if times > 1)


def overfull(room: CareRoom) -> int:
    """Quarters in which more children are booked than places exist, counted from the claims."""
    held = Counter(ChildClaim.objects.filter(place__room=room).values_list("quarter", flat=True))
    return sum(1 for children in held.values() if children > room.places)


def zone(hub: Hub, slug: str) -> Any:
    return hub.zones.get(slug=slug)
