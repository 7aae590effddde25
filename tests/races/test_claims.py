"""Races for units: fifty claimants for twenty, yes and no at once, two directors with the same units."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, models, transaction
from django_tasks_db.models import DBTaskResult

from hub.core.db import run_write
from hub.core.models import IdempotencyKey
from hub.notices.models import Delivery as Courier
from hub.notices.models import Notice
from hub.spaces.enums import Role
from hub.work import handing, leases
from hub.work.enums import AssignmentState, EndReason, How, UnitState
from hub.work.models import Assignment, HandOut, Lease, Lot, Unit, WorkNotice
from tests import factories as make
from tests.races import arena
from tests.races.arena import HARM_ROUNDS, Crowd, codes, crowd
from tests.work import hands, work
from tests.work.guards import rows_may_go

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
__all__ = ["rows_may_go"]  # the fixture: notices and terms of a test that commits can be put away again
CLAIMANTS, UNITS = 50, 20
#: A round of fifty costs two seconds: the gate makes a part of the hundred of `make soak`.
ROUNDS = arena.ROUNDS if arena.ROUNDS >= 100 else min(arena.ROUNDS, 8)


@pytest.fixture
def world(rows_may_go: None, now: Any) -> SimpleNamespace:
    hub = make.make_hub("ekimae")
    cast = SimpleNamespace(
        ekimae=hub,
        director=make.make_member("配り さん", "director@race.example", hub=hub, role=Role.DIRECTOR),
    )
    cast.members = hands.workers(hub, CLAIMANTS)
    cast.order = work.accepted_order(cast, units=UNITS)
    cast.lot = handing.set_claims(
        actor=cast.director, hub=hub, order_code=cast.order.code, lot_number=1, most_per_claim=1
    )
    return cast


@pytest.fixture
def claimants(world: SimpleNamespace) -> Iterator[Crowd]:
    with crowd(CLAIMANTS) as made:
        yield made


def clear() -> None:
    """Everybody's hands are empty again."""
    with transaction.atomic():
        for model in (Lease, WorkNotice, Assignment, HandOut, Courier, Notice, IdempotencyKey, DBTaskResult):
            rows = model.objects.all()  # type: ignore[attr-defined]
            rows._raw_delete(rows.db)
        Unit.objects.update(state=UnitState.FREE)


def owners() -> list[int]:
    """How many owners each leased unit has."""
    return sorted(Counter(Lease.objects.values_list("unit_id", flat=True)).values())


def claiming(world: SimpleNamespace) -> list[Callable[[], Any]]:
    return [partial(handing.claim, member=one, lot=world.lot, count=1) for one in world.members]


def test_fifty_claimants_take_twenty_units_and_each_has_one_owner(
    world: SimpleNamespace, claimants: Crowd
) -> None:
    for _ in range(ROUNDS):
        outcomes = claimants.race(claiming(world))

        assert codes(outcomes) == {"ok": UNITS, "nothing_free": CLAIMANTS - UNITS}
        assert owners() == [1] * UNITS
        taken = {outcome.value.member_id for outcome in outcomes if outcome.code == "ok"}
        assert set(Lease.objects.values_list("assignment__member_id", flat=True)) == taken
        assert len(taken) == WorkNotice.objects.count() == UNITS
        assert set(hands.states(world.order)) == {"held"}
        clear()


@contextmanager
def unguarded() -> Iterator[None]:
    """Leases without their unique constraint: a unit may have many owners."""
    one = Lease._meta.get_field("unit")
    many = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    many.set_attributes_from_name("unit")
    many.model = Lease
    with connection.schema_editor() as editor:
        editor.alter_field(Lease, one, many)
    try:
        yield
    finally:
        clear()
        with connection.schema_editor() as editor:
            editor.alter_field(Lease, many, one)


def look_then_take(lot: Lot, looked: threading.Barrier, member: Any) -> None:
    """The habit we did not take: see which unit is free, then take it. The look is made before BEGIN on both databases."""
    free = list(
        Unit.objects.filter(lot=lot, state=UnitState.FREE).order_by("number").values_list("pk", flat=True)[:1]
    )
    looked.wait(arena.PATIENCE)

    def work() -> None:
        mine = Assignment.objects.create(
            lot=lot, member=member, how=How.CLAIMED, unit_count=1, due_at=make.at(18), state=AssignmentState.ACCEPTED,
            accepted_at=make.NOW,
        )  # fmt: skip
        leases.take(mine, free)

    run_write(work)


def test_harm_a_look_before_begin_without_the_constraint_gives_a_unit_to_fifty(
    world: SimpleNamespace, claimants: Crowd
) -> None:
    looked = threading.Barrier(CLAIMANTS)
    jobs = [partial(look_then_take, world.lot, looked, one) for one in world.members]
    with unguarded():
        for _ in range(HARM_ROUNDS):
            assert codes(claimants.race(jobs)) == {"ok": CLAIMANTS}
            assert owners() == [CLAIMANTS]
            clear()

    for _ in range(
        HARM_ROUNDS
    ):  # with the constraint the same look does no harm: one has it, the others are refused
        outcomes = claimants.race(jobs)
        assert codes(outcomes)["ok"] == 1
        assert {type(one.value).__name__ for one in outcomes if one.code != "ok"} == {"IntegrityError"}
        assert owners() == [1]
        clear()


# ---------------------------------------------------------------- one offer, many answers


@pytest.fixture
def answerers(world: SimpleNamespace) -> Iterator[Crowd]:
    with crowd(8) as made:
        yield made


def test_yes_and_no_at_once_are_one_answer(world: SimpleNamespace, answerers: Crowd) -> None:
    one = world.members[0]
    for n in range(ROUNDS):
        offered = hands.ask(world, world.order, one, 3)
        jobs = [
            partial(handing.answer, member=one, code=offered.code, yes=(n + number) % 2 == 0)
            for number in range(8)
        ]
        outcomes = answerers.race(jobs)

        assert codes(outcomes) == {"ok": 1, "already_answered": 7}
        offered.refresh_from_db()
        yes = offered.state == AssignmentState.ACCEPTED
        assert (Lease.objects.count(), WorkNotice.objects.count()) == ((3, 1) if yes else (0, 0))
        assert (hands.states(world.order).count("held"), hands.whole()) == (3 if yes else 0, True)
        clear()


def test_harm_answers_that_look_before_begin_give_back_what_was_accepted(
    world: SimpleNamespace, answerers: Crowd
) -> None:
    """Both see that it is offered, then one takes it and the other lets it go: a notice that is kept, for nothing in her
    hands. (The other way round the CHECK on the states of an assignment refuses.)"""
    looked = threading.Barrier(2)

    def answering(offered: Assignment, yes: bool, said: threading.Event) -> None:
        assert Assignment.objects.get(pk=offered.pk).state == AssignmentState.OFFERED
        looked.wait(arena.PATIENCE)
        if yes:
            run_write(lambda: handing._accept(offered))
            said.set()
        else:
            said.wait(arena.PATIENCE)
            run_write(lambda: leases.give_back(offered, EndReason.DECLINED))

    for _ in range(HARM_ROUNDS):
        offered, said = hands.ask(world, world.order, world.members[0], 3), threading.Event()
        idle = [lambda: None] * 6
        jobs = [partial(answering, offered, yes, said) for yes in (True, False)]
        assert codes(answerers.race([*jobs, *idle])) == {"ok": 8}
        offered.refresh_from_db()
        assert (offered.end_reason, Lease.objects.count(), WorkNotice.objects.count()) == ("declined", 0, 1)
        clear()


# ---------------------------------------------------------------- two directors


@pytest.fixture
def directors(world: SimpleNamespace) -> Iterator[Crowd]:
    with crowd(2) as made:
        yield made


def test_two_directors_with_the_same_units_hand_them_out_once(
    world: SimpleNamespace, directors: Crowd
) -> None:
    for _ in range(ROUNDS):
        found = handing.propose(hub=world.ekimae, order_code=world.order.code, lot_number=1)
        job = partial(
            handing.hand_out, actor=world.director, hub=world.ekimae, order_code=world.order.code, lot_number=1,
            units=UNITS, cap=None, lines=found.lines, seen=found.digest,
        )  # fmt: skip
        outcomes = directors.race([job, job])

        assert codes(outcomes) == {"ok": 1, "units_gone": 1}
        assert (HandOut.objects.count(), Assignment.objects.count()) == (1, UNITS)
        assert (owners(), hands.whole()) == ([1] * UNITS, True)
        clear()


def test_hand_out_and_claims_at_once_share_what_there_is(world: SimpleNamespace, claimants: Crowd) -> None:
    """Forty-nine claim while a director offers five: whoever comes first has it, nobody has the same."""
    for _ in range(max(1, ROUNDS // 4)):
        asked = partial(
            handing.invite, actor=world.director, hub=world.ekimae, order_code=world.order.code, lot_number=1,
            lines={world.members[0].code: 5},
        )  # fmt: skip
        outcomes = claimants.race([asked, *claiming(world)[1:]])
        got = codes(outcomes)

        assert set(got) <= {"ok", "nothing_free", "units_gone"}
        assert (owners(), hands.whole()) == ([1] * len(owners()), True)
        assert len(owners()) == (20 if got.get("nothing_free") else Lease.objects.count())
        clear()
