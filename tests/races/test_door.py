"""Races at the door: one scan many times at once, many doors for one person, a scan while the visit is being cancelled."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models

from hub.booking import services as booking
from hub.checkin import passes, presences, services
from hub.checkin.enums import Direction
from hub.checkin.models import Presence, Scan
from hub.core.db import require_transaction
from hub.members.models import Member
from hub.spaces.enums import Role
from hub.spaces.models import Hub, Visit
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd, Outcome

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
SOME_ROUNDS = max(1, ROUNDS // 4)
Told = tuple[str, str, str | None, str | None]


@pytest.fixture
def world(transactional_db, now) -> SimpleNamespace:  # type: ignore[no-untyped-def]
    """A hub with a door, and one person with a pass of today."""
    hub = make.make_hub("ekimae", seats=2)
    door = make.make_member("入口", "door@race.example", hub=hub, role=Role.DOOR)
    member = make.make_member("人", "one@race.example", hub=hub)
    card = passes.pass_for(member=member, hub=hub, day=make.TODAY)
    return SimpleNamespace(hub=hub, door=door, member=member, text=passes.token_of(card))


def book(world: SimpleNamespace) -> Visit:
    wish = make.request_for(world.member, world.hub, make.period(9.5, 12.5, make.TODAY))
    return booking.book_visit(actor=arena.fresh(world.member), request=wish).visit


def scanning(world: SimpleNamespace, scan_id: UUID | None = None) -> Callable[[], Told]:
    """A job: one scan of her pass; answers with what the door was told."""
    door = Member.objects.get(pk=world.door.pk)

    def job() -> Told:
        answer = services.scan(
            actor=arena.fresh(door), hub=world.hub, scan_id=scan_id or uuid4(), direction=Direction.IN,
            payload=world.text,
        )  # fmt: skip
        visit, presence = answer.visit, answer.presence
        return answer.result, answer.reason, visit and visit.code, presence and presence.code

    return job


def told(outcomes: list[Outcome]) -> dict[str, int]:
    """How many doors heard which word; a crash is named as such."""
    found: dict[str, int] = {}
    for outcome in outcomes:
        word = str(outcome.value[0]) if outcome.code == "ok" else outcome.code
        found[word] = found.get(word, 0) + 1
    return found


# ---------------------------------------------------------------- one scan, 32 times


def test_one_scan_sent_32_times_has_one_effect_and_32_equal_answers(
    world: SimpleNamespace, people: Crowd
) -> None:
    for _ in range(SOME_ROUNDS):
        visit = book(world)
        outcomes = people.race([scanning(world, uuid4())] * CONTENDERS)

        presence = Presence.objects.get()
        assert {outcome.value for outcome in outcomes} == {("ok", "booked", visit.code, presence.code)}
        assert Scan.objects.count() == 1
        arena.clear()


@contextlib.contextmanager
def scan_ids_may_repeat() -> Iterator[None]:
    """The table of scans without its unique id."""
    guarded = Scan._meta.get_field("scan_id")
    free = models.UUIDField(db_index=True)
    free.set_attributes_from_name("scan_id")
    free.model = Scan
    with connection.schema_editor() as editor:
        editor.alter_field(Scan, guarded, free)
    try:
        yield
    finally:
        arena.clear()
        with connection.schema_editor() as editor:
            editor.alter_field(Scan, free, guarded)


def test_harm_one_scan_sent_32_times_without_the_unique_id(
    world: SimpleNamespace, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert_unseen(row: Scan) -> bool:
        require_transaction()
        row.pk = None
        row.save(force_insert=True)
        return True

    monkeypatch.setattr(services, "_insert", insert_unseen)
    with scan_ids_may_repeat():
        for _ in range(HARM_ROUNDS):
            book(world)
            outcomes = people.race([scanning(world, uuid4())] * CONTENDERS)

            assert told(outcomes) == {"ok": 1, "already_in": CONTENDERS - 1}  # one scan, two stories
            assert Scan.objects.count() == CONTENDERS
            arena.clear()


# ---------------------------------------------------------------- many doors, one person


def test_entry_at_many_doors_opens_one_presence(world: SimpleNamespace, people: Crowd) -> None:
    for _ in range(SOME_ROUNDS):
        book(world)
        outcomes = people.race([scanning(world) for _ in range(CONTENDERS)])

        assert told(outcomes) == {"ok": 1, "already_in": CONTENDERS - 1}
        assert (Presence.objects.count(), Scan.objects.count()) == (1, CONTENDERS)
        arena.clear()


@pytest.fixture
def everybody_looked_first(world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each door looks before BEGIN whether she is inside, and believes it once: a read without the lock."""
    looked = threading.Barrier(CONTENDERS)
    seen = threading.local()
    really = presences.open_of

    def stale(member: Member, hub: Hub | None = None) -> Presence | None:
        if getattr(seen, "first", False):
            seen.first = False
            return None
        return really(member, hub)

    monkeypatch.setattr(presences, "open_of", stale)

    def job(scan: Callable[[], Told]) -> Told:
        assert really(world.member) is None
        seen.first = True
        looked.wait(arena.PATIENCE)
        return scan()

    return lambda: [partial(job, scanning(world)) for _ in range(CONTENDERS)]


def test_harm_many_presences_without_lock_and_constraint(
    world: SimpleNamespace, people: Crowd, everybody_looked_first: Any
) -> None:
    with arena.without(Presence, "one_open_presence"):
        for _ in range(HARM_ROUNDS):
            book(world)
            people.race(everybody_looked_first())

            assert Presence.objects.filter(left_at=None).count() == CONTENDERS
            arena.clear()


def test_constraint_alone_holds_when_the_lock_is_gone(
    world: SimpleNamespace, people: Crowd, everybody_looked_first: Any
) -> None:
    for _ in range(HARM_ROUNDS):
        book(world)
        outcomes = people.race(everybody_looked_first())

        assert told(outcomes) == {"ok": 1, "already_in": CONTENDERS - 1}
        assert Presence.objects.count() == 1
        arena.clear()


def test_lock_alone_holds_when_the_constraint_is_gone(world: SimpleNamespace, people: Crowd) -> None:
    with arena.without(Presence, "one_open_presence"):
        for _ in range(HARM_ROUNDS):
            book(world)
            outcomes = people.race([scanning(world) for _ in range(CONTENDERS)])

            assert told(outcomes) == {"ok": 1, "already_in": CONTENDERS - 1}
            assert Presence.objects.count() == 1
            arena.clear()


# ---------------------------------------------------------------- against a cancel


def test_scan_and_cancel_at_once_tell_one_story(world: SimpleNamespace, people: Crowd) -> None:
    for _ in range(SOME_ROUNDS):
        visit = book(world)

        def cancel(code: str = visit.code) -> tuple[str]:
            return (booking.cancel_visit(actor=arena.fresh(world.member), code=code).visit.status,)

        outcomes = people.race([cancel, *[scanning(world) for _ in range(CONTENDERS - 1)]])

        words = told(outcomes)
        visit.refresh_from_db()
        if outcomes[0].code == "ok":
            assert words == {"cancelled": CONTENDERS}
            assert (visit.status, visit.claims.count(), Presence.objects.count()) == ("cancelled", 0, 0)
        else:
            assert words == {"already_begun": 1, "ok": 1, "already_in": CONTENDERS - 2}
            assert (visit.status, visit.claims.count(), Presence.objects.count()) == ("in", 12, 1)
        arena.nothing_wrong()
        arena.clear()
