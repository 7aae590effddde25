"""The desk gives a seat on in the same second in which its person is scanned: exactly one of the two happens."""

import threading
from functools import partial
from types import SimpleNamespace

import pytest

from hub.booking import no_show, services
from hub.core import clock
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces import arrivals
from hub.spaces.enums import Role, VisitStatus
from hub.spaces.models import Visit, VisitClaim
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
QUARTERS = 12


@pytest.fixture
def world(transactional_db, now):  # type: ignore[no-untyped-def]
    """32 people, one of them with a visit that began 40 minutes ago; the door stands ready."""
    world = arena.make_world(seats=2)
    world.door = make.make_member("入口", "door@race.example", hub=world.hub, role=Role.DOOR)
    world.clock = now
    return world


def book(world: SimpleNamespace) -> str:
    world.clock.move_to(make.NOW)
    request = make.request_for(world.members[0], world.hub, make.period(9, 12), children=[world.children[0]])
    code = services.book_visit(actor=world.members[0], request=request).visit.code
    world.clock.move_to(make.at(9, 40))
    return code


def release(actor: Member, code: str) -> str:
    return no_show.release(actor=arena.fresh(actor), code=code).status


def scan(code: str, look=None) -> str:  # type: ignore[no-untyped-def]
    """What the door does: lock the visit, see that it lives, let the person in."""

    def work() -> str:
        visit = (look or no_show.locked)(code)
        assert visit is not None
        services.check_live(visit)
        arrivals.arrive(visit, clock.now())
        return "in"

    return run_write(work)


def jobs_for(world: SimpleNamespace, code: str) -> list[partial[str]]:
    """Half of them free the seat, half scan; who stands first at the start line changes."""
    return [partial(release, world.door, code) if n % 2 else partial(scan, code) for n in range(CONTENDERS)]


def test_release_against_a_scan_has_one_outcome(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    seen = set()
    for _ in range(ROUNDS):
        code = book(world)
        outcomes = people.race(jobs_for(world, code))
        visit = Visit.objects.get()
        freed, scanned = arena.codes(outcomes[1::2]), arena.codes(outcomes[::2])
        if visit.status == VisitStatus.RELEASED:
            assert (freed, scanned) == ({"ok": CONTENDERS // 2}, {"not_live": CONTENDERS // 2})
            assert (visit.arrived_at, VisitClaim.objects.count()) == (None, 0)
        else:
            assert visit.status == VisitStatus.IN
            assert (freed, scanned) == ({"has_arrived": CONTENDERS // 2}, {"ok": CONTENDERS // 2})
            assert VisitClaim.objects.count() == QUARTERS
        arena.nothing_wrong()
        seen.add(visit.status)
        arena.clear()

    assert seen <= {VisitStatus.RELEASED, VisitStatus.IN}


def test_release_tapped_many_times_at_once_tells_the_person_once(world, people: Crowd) -> None:  # type: ignore[no-untyped-def]
    for _ in range(max(1, ROUNDS // 10)):
        code = book(world)
        before = arena.left_behind()["tasks"]
        outcomes = people.race([partial(release, world.door, code)] * CONTENDERS)

        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert arena.left_behind()["tasks"] == before + 1
        arena.nothing_wrong()
        arena.clear()


def test_harm_a_look_before_begin_lets_both_happen(  # type: ignore[no-untyped-def]
    world, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the row's lock both have seen a visit to which nobody came, and both write: she is let in to a seat that is
    somebody else's by now."""
    harmed = 0
    for _ in range(HARM_ROUNDS):
        code = book(world)
        everybody = threading.Barrier(CONTENDERS)
        mine = threading.local()

        def look_first(work):  # type: ignore[no-untyped-def]
            def job() -> str:
                mine.visit = Visit.objects.select_related("hub", "member", "seat__zone").get(code=code)  # noqa: B023
                everybody.wait(arena.PATIENCE)  # noqa: B023  all have looked before anybody begins
                return work()

            return job

        def unlocked(_code: str) -> Visit:
            return mine.visit  # noqa: B023

        monkeypatch.setattr(no_show, "locked", unlocked)
        outcomes = people.race(
            [
                look_first(partial(release, world.door, code) if n % 2 else partial(scan, code, unlocked))
                for n in range(CONTENDERS)
            ]
        )
        told = arena.codes(outcomes[1::2]), arena.codes(outcomes[::2])
        harmed += "ok" in told[0] and "ok" in told[1]
        arena.clear()
        monkeypatch.undo()

    assert harmed == HARM_ROUNDS


def test_scan_written_here_is_refused_like_the_door_s(world) -> None:  # type: ignore[no-untyped-def]
    code = book(world)
    release(world.door, code)
    with pytest.raises(DomainError) as refused:
        scan(code)

    assert refused.value.code == "not_live"
