"""Many taps at once: an illness is said once and frees once, and a person has at most five calendar addresses."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hub.booking import feeds, sick
from hub.booking.models import CalendarFeed
from hub.booking.sick import Seat
from hub.childcare.models import SickLeave
from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces.models import Visit, VisitClaim
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd, booking, codes, crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
SOME = max(1, ROUNDS // 10)


@pytest.fixture
def world() -> SimpleNamespace:
    return arena.make_world(people=1)


@pytest.fixture
def people(world: SimpleNamespace) -> Iterator[Crowd]:
    with crowd() as made:
        yield made


def telling(world: SimpleNamespace) -> Callable[[], str]:
    def job() -> str:
        done = sick.report(
            actor=arena.fresh(world.members[0]), child=world.children[0], first=make.TOMORROW, last=make.TOMORROW,
            seat=Seat.CANCEL,
        )  # fmt: skip
        return f"{len(done.ended)} ended"

    return job


def book(world: SimpleNamespace) -> None:
    booking(world.members[0], make.request_for(world.members[0], world.hub, children=[world.children[0]]))()


def test_illness_said_32_times_at_once_is_one_leave_and_frees_once(
    world: SimpleNamespace, people: Crowd
) -> None:
    for _ in range(SOME):
        book(world)
        outcomes = people.race([telling(world) for _ in range(CONTENDERS)])

        assert codes(outcomes) == {"ok": CONTENDERS}
        assert sorted(outcome.value for outcome in outcomes) == ["0 ended"] * (CONTENDERS - 1) + ["1 ended"]
        assert (SickLeave.objects.count(), VisitClaim.objects.count()) == (1, 0)
        assert Visit.objects.get().status == "cancelled"
        arena.nothing_wrong()
        SickLeave.objects.all().delete()
        arena.clear()


def test_without_the_constraint_one_illness_is_many_leaves(
    world: SimpleNamespace, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each phone looked before BEGIN and saw none, as two processes would."""

    def unseen(actor: Member, child: Any, first: Any, last: Any) -> SickLeave:
        return SickLeave.objects.create(child=child, first_on=first, last_on=last, reported_by=actor)

    monkeypatch.setattr(sick, "_note", unseen)
    with arena.without(SickLeave, "sick_leave_once"):
        people.race([telling(world) for _ in range(CONTENDERS)])
        assert SickLeave.objects.count() == CONTENDERS
        SickLeave.objects.all().delete()


def test_taps_at_once_make_five_addresses_and_no_sixth(world: SimpleNamespace, people: Crowd) -> None:
    member = world.members[0]
    for _ in range(SOME):
        outcomes = people.race([lambda n=n: feeds.new_feed(member, f"{n}") for n in range(CONTENDERS)])
        assert codes(outcomes) == {"ok": feeds.MOST, "too_many_feeds": CONTENDERS - feeds.MOST}
        assert CalendarFeed.objects.count() == feeds.MOST
        CalendarFeed.objects.all().delete()


def test_counting_before_the_lock_lets_a_sixth_through(world: SimpleNamespace, people: Crowd) -> None:
    """The count is taken before BEGIN and before anybody has written: then the limit limits nothing."""
    member = world.members[0]

    def careless(n: int) -> Callable[[], Any]:
        before = feeds.feeds_of(member).count()  # by all, before the start

        def job() -> Any:
            assert before < feeds.MOST
            return run_write(lambda: CalendarFeed.objects.create(member=member, token_hash=f"{n}", label="x"))

        return job

    for _ in range(HARM_ROUNDS):
        people.race([careless(n) for n in range(CONTENDERS)])
        assert CalendarFeed.objects.count() == CONTENDERS
        CalendarFeed.objects.all().delete()
