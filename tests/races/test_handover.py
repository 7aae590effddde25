"""Two tablets at once: a child is handed over once and received once; everybody else is told the truth."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import transaction

from hub.booking import services
from hub.childcare import attendance, custody
from hub.childcare.models import Attendance, Carer, Custody, Handover
from hub.members.models import Guardian
from hub.spaces.enums import Role
from tests import factories as make
from tests.races import arena
from tests.races.arena import CONTENDERS, HARM_ROUNDS, ROUNDS, Crowd

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db: None, now: time_machine.Traveller) -> SimpleNamespace:
    """One child booked tomorrow, 32 guardians who may fetch her, carers at work; the clock says 9:40 of that day."""
    made = arena.make_world(carers=4)
    child = made.children[0]
    Guardian.objects.bulk_create(Guardian(household=child.household, member=m) for m in made.members[1:])
    request = make.request_for(made.members[0], made.hub, children=[child])
    visit = services.book_visit(actor=made.members[0], request=request).visit
    actor = make.make_member("保育", "carer@race.example", hub=made.hub, role=Role.CARER)
    carers = list(Carer.objects.filter(hub=made.hub).order_by("pk"))
    now.move_to(make.at(9, 40))
    for carer in carers:
        attendance.clock_in(actor=actor, hub=made.hub, carer=carer.code, room=made.room)
    return SimpleNamespace(**vars(made), child=child, visit=visit, actor=actor, carers=carers)


def receiving(world: SimpleNamespace, n: int) -> Callable[[], str]:
    def job() -> str:
        return custody.receive(
            actor=arena.fresh(world.actor), hub=world.hub, child=world.child.code, adult=world.members[n].code,
            temperature=Decimal("36.5"), carer=world.carers[n % 4].code,
        ).custody.code  # fmt: skip

    return job


def handing(world: SimpleNamespace, n: int, code: str) -> Callable[[], str]:
    def job() -> str:
        custody.hand_over(
            actor=arena.fresh(world.actor), hub=world.hub, custody=code, adult=world.members[n].code,
            carer=world.carers[n % 4].code, identified_by="known",
        )  # fmt: skip
        return world.members[n].code

    return job


def clear() -> None:
    """As before the reception."""
    with transaction.atomic():
        for model in (Handover, Custody):
            rows = model.objects.all()
            rows._raw_delete(rows.db)


def test_reception_on_many_tablets_opens_one_custody(world: SimpleNamespace, people: Crowd) -> None:
    jobs = [receiving(world, n) for n in range(CONTENDERS)]
    for _ in range(ROUNDS):
        outcomes = people.race(jobs)

        assert arena.codes(outcomes) == {"ok": 1, "already_in_care": CONTENDERS - 1}
        row = Custody.objects.get()
        assert {one.value for one in outcomes if one.code == "ok"} == {row.code}
        assert {one.value.facts["custody"].code for one in outcomes if one.code != "ok"} == {row.code}
        clear()


def test_hand_over_on_many_tablets_is_one(world: SimpleNamespace, people: Crowd) -> None:
    for _ in range(ROUNDS):
        code = receiving(world, 0)()
        outcomes = people.race([handing(world, n, code) for n in range(CONTENDERS)])

        assert arena.codes(outcomes) == {"ok": 1, "already_handed_over": CONTENDERS - 1}
        made = Handover.objects.select_related("guardian").get()
        assert [one.value for one in outcomes if one.code == "ok"] == [made.guardian.code]  # type: ignore[union-attr]  # a guardian took her
        said = {one.value.facts["custody"].handover.guardian_id for one in outcomes if one.code != "ok"}
        assert said == {made.guardian_id}, "everybody else is told with whom the child went"
        assert Custody.objects.filter(closed_at=None).count() == 0
        clear()


def test_last_two_carers_cannot_both_leave_a_child(world: SimpleNamespace, people: Crowd) -> None:
    """Each of them alone could go; together they would leave one carer where two must be."""
    receiving(world, 0)()
    for carer in world.carers[3:]:
        attendance.clock_out(actor=world.actor, hub=world.hub, carer=carer.code)

    def leaving(n: int) -> Callable[[], Any]:
        return lambda: attendance.clock_out(
            actor=arena.fresh(world.actor), hub=world.hub, carer=world.carers[n % 3].code
        )

    for _ in range(max(1, ROUNDS // 10)):
        people.race([leaving(n) for n in range(CONTENDERS)])

        assert Attendance.objects.filter(ends_at=None).count() == 2
        for carer in world.carers[:3]:
            attendance.clock_in(actor=world.actor, hub=world.hub, carer=carer.code, room=world.room)


def test_reception_and_cancellation_at_once_leave_no_child_without_a_place(
    world: SimpleNamespace, people: Crowd
) -> None:
    def cancelling() -> str:
        return services.cancel_visit(actor=arena.fresh(world.members[0]), code=world.visit.code).visit.status

    outcomes = people.race([receiving(world, n) if n % 2 else cancelling for n in range(CONTENDERS)])

    told = arena.codes(outcomes)
    assert told.get("ok", 0) >= 1
    received, status = Custody.objects.count(), services.Visit.objects.get().status
    assert (received, status) in ((1, "booked"), (0, "cancelled"))
    assert set(told) <= {"ok", "already_in_care", "child_in_care", "no_place", "already_begun"}
    arena.nothing_wrong()


# --- the same with the guards removed ------------------------------------------------------------------------


def test_without_the_constraint_a_child_is_received_twice(
    world: SimpleNamespace, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check sees what was there before BEGIN, and the visit's lock is gone."""
    monkeypatch.setattr(custody, "open_custody", lambda child: None)
    jobs = [receiving(world, n) for n in range(CONTENDERS)]
    most = 0
    with arena.without(Custody, "one_open_custody"):
        for _ in range(HARM_ROUNDS):
            people.race(jobs)
            most = max(most, Custody.objects.filter(closed_at=None).count())
            clear()
    assert most > 1


def test_without_lock_and_insert_a_child_goes_with_many_adults(
    world: SimpleNamespace, people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving instead of inserting writes over the hand-over of another tablet: many are told that they have the child."""

    def unlocked(hub: Any, code: str) -> Custody:
        row = Custody.objects.select_related("child", "room__hub", "place").get(code=code)
        row.closed_at = row.handover = None
        return row

    def over(**cells: Any) -> Handover:
        row = Handover(**cells)
        row.save()
        return row

    monkeypatch.setattr(custody, "_locked", unlocked)
    monkeypatch.setattr(Handover.objects, "create", over)
    most = 0
    for _ in range(HARM_ROUNDS):
        code = receiving(world, 0)()
        outcomes = people.race([handing(world, n, code) for n in range(CONTENDERS)])
        most = max(most, arena.codes(outcomes).get("ok", 0))
        clear()
    assert most > 1
