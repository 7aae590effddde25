"""People with hours, levels and orders to hand out, by intent; used by the tests of handing out and of its races."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import handing, leases, notice
from hub.work.enums import AssignmentState, How, UnitState
from hub.work.models import Assignment, Delivery, Lease, Order, Skill, Unit
from tests import factories as make

FAR = 10 * 60


def workers(hub: Hub, count: int, *, minutes: int = FAR, first: int = 1) -> list[Member]:
    """So many active workers who offer ``minutes`` a week each (0: nothing)."""
    made = []
    for n in range(first, first + count):
        member = make.make_member(f"働く 人{n}", f"w{n}@work.example", hub=hub)
        if minutes:
            handing.save_hours(member=member, hub=hub, minutes=minutes)
        made.append(member)
    return made


def level(member: Member, hub: Hub, number: int, kind: str = "writing") -> None:
    Skill.objects.update_or_create(member=member, hub=hub, kind=kind, defaults={"level": number})


def share(cast: SimpleNamespace, order: Order, *, cap: int | None = None, lot: int = 1, **more: Any) -> Any:
    """Hand out all free units of a lot as proposed."""
    found = handing.propose(hub=cast.ekimae, order_code=order.code, lot_number=lot, cap=cap)
    return handing.hand_out(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=lot, units=found.total, cap=cap,
        **({"lines": found.lines} | more),
    )  # fmt: skip


def ask(cast: SimpleNamespace, order: Order, member: Member, count: int = 2, lot: int = 1) -> Assignment:
    """Ask one person for ``count`` units."""
    made = handing.invite(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=lot, lines={member.code: count},
        reason="たのみたい",
    )  # fmt: skip
    return made.assignments.get()


def given(member: Member, order: Order, count: int, *, due: datetime, lot: int = 1) -> Assignment:
    """``count`` free units of a lot in the hands of ``member``, who took them and was told in writing, until ``due``."""

    def work() -> Assignment:
        found, now = order.lots.get(number=lot), clock.now()
        units = leases.free_units(found, count)
        made = Assignment.objects.create(
            lot=found, member=member, how=How.INVITED, state=AssignmentState.ACCEPTED, unit_count=len(units), made_at=now,
            accepted_at=now, due_at=due,
        )  # fmt: skip
        notice.write(made)
        leases.take(made, units)
        return made

    return run_write(work)


def send(assignment: Assignment, count: int = 1, *, seconds: int | None = None) -> list[Unit]:
    """Send in the first ``count`` units of an accepted assignment, as doing a unit leaves them."""
    units = list(
        Unit.objects.filter(lease__assignment=assignment, state=UnitState.HELD).order_by("number")[:count]
    )
    for unit in units:
        sent = Delivery(
            unit=unit, notice=assignment.notice, number=unit.deliveries.count() + 1, seconds=seconds,
            accepted_by_silence_at=clock.now() + timedelta(days=14),
        )  # fmt: skip
        sent.text = "できました"
        sent.save()
        Unit.objects.filter(pk=unit.pk).update(state=UnitState.SENT)
    return units


def whole() -> bool:
    """Whether unit states, leases and assignments say the same."""
    leased = set(Lease.objects.values_list("unit_id", flat=True))
    held = set(Unit.objects.filter(state__in=("held", "sent", "returned")).values_list("pk", flat=True))
    return leased == held


def states(order: Order) -> list[str]:
    return list(order.units.order_by("number").values_list("state", flat=True))


def codes(members: Sequence[Member]) -> list[str]:
    return sorted(member.code for member in members)
