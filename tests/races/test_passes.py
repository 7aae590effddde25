"""Races around the pass: one row for 32 tabs, six digits that nobody else has, and one forgotten exit answered 32 times."""

from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from hub.booking import services
from hub.checkin import passes
from hub.checkin.enums import PresenceKind
from hub.checkin.models import Pass, Presence
from hub.checkin.told import left_already
from hub.core.db import run_write
from hub.spaces import arrivals
from hub.spaces.models import Visit
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db: Any, now: Any) -> SimpleNamespace:
    return arena.make_world()


def _pass_id(member: Any, hub: Any) -> int:
    return passes.pass_for(member=member, hub=hub, day=make.TODAY).pass_id


def test_one_member_with_32_tabs_has_one_pass(world: SimpleNamespace, people: Crowd) -> None:
    jobs = [partial(_pass_id, world.members[0], world.hub)] * CONTENDERS
    for _ in range(max(1, ROUNDS // 4)):
        outcomes = people.race(jobs)
        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert {outcome.value for outcome in outcomes} == set(Pass.objects.values_list("pass_id", flat=True))
        assert Pass.objects.count() == 1
        Pass.objects.all().delete()


def test_without_the_constraint_one_member_has_several(world: SimpleNamespace, people: Crowd) -> None:
    jobs = [partial(_pass_id, world.members[0], world.hub)] * CONTENDERS
    most = 0
    with arena.without(Pass, "pass_once"):
        for _ in range(HARM_ROUNDS):
            people.race(jobs)
            most = max(most, Pass.objects.count())
            Pass.objects.all().delete()
    assert most > 1


def test_32_members_have_32_different_numbers_although_few_are_left(
    world: SimpleNamespace, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred numbers for 32 people; the database refuses the clashes and the next draw is tried."""
    draw = passes.secrets.randbelow
    monkeypatch.setattr(
        passes, "secrets", SimpleNamespace(randbelow=lambda n: draw(100 if n == 1_000_000 else n))
    )
    jobs = [partial(_pass_id, member, world.hub) for member in world.members]
    for _ in range(max(1, ROUNDS // 10)):
        assert arena.codes(people.race(jobs)) == {"ok": CONTENDERS}
        assert len(set(Pass.objects.values_list("fallback", flat=True))) == CONTENDERS
        Pass.objects.all().delete()


def test_one_forgotten_exit_told_32_times_has_one_end(
    world: SimpleNamespace, people: Crowd, now: Any
) -> None:
    member = world.members[0]
    wish = make.request_for(member, world.hub, make.period(10, 11))
    visit = services.book_visit(actor=member, request=wish).visit
    run_write(lambda: arrivals.arrive(visit, visit.starts_at))
    now.move_to(visit.ends_at + timedelta(minutes=40))
    for _ in range(max(1, ROUNDS // 10)):
        presence = Presence.objects.create(
            hub=world.hub, member=member, kind=PresenceKind.WORKER, visit=visit, entered_at=visit.starts_at,
            entered_by=member,
        )  # fmt: skip
        ends = [visit.ends_at + timedelta(minutes=n) for n in range(CONTENDERS)]

        def tell(at: Any, code: str = presence.code) -> Any:
            return left_already(member=member, presence_code=code, at=at).left_at

        outcomes = people.race([partial(tell, at) for at in ends])
        assert arena.codes(outcomes) == {"ok": CONTENDERS}
        assert {outcome.value for outcome in outcomes} == {Presence.objects.get().left_at}
        assert Visit.objects.get().left_at == Presence.objects.get().left_at
        Presence.objects.all().delete()
