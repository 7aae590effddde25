"""Units in hands, sent in, returned and rejected, by intent; for the tests of review, of its pages and of its races."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.notices.models import Notice
from hub.spaces.enums import Role
from hub.work import doing, leases, review
from hub.work.enums import CorrectionKind, UnitState
from hub.work.models import Appeal, Assignment, Delivery, Earning, Order, Question, Unit
from tests import factories as make
from tests.work import hands, work

TEXT = "春の 味です。\n\nぜひ、春の 味を おためしください。"
SECRET = "ひみつの原稿"


def take(member: Member, order: Order, count: int, *, lot: int = 1, days: int = 30) -> Assignment:
    """``count`` free units of a lot in the hands of ``member``, who was told the terms in writing."""
    return hands.given(member, order, count, lot=lot, due=clock.now() + timedelta(days=days))


def send(assignment: Assignment, count: int = 1, text: str = TEXT) -> list[Delivery]:
    """The next ``count`` units of ``assignment`` that she holds are sent in."""
    held = Unit.objects.filter(lease__assignment=assignment, state="held").order_by("number")
    return [
        doing.send_in(member=assignment.member, unit_code=code, text=text)
        for code in list(held.values_list("code", flat=True)[:count])
    ]


def sent(cast: SimpleNamespace, count: int = 1, *, text: str = TEXT, **order: Any) -> list[Delivery]:
    """An order with ``count`` units, all of them sent in by Misaki."""
    made = work.accepted_order(cast, units=count, **order)
    return send(take(cast.misaki, made, count), count, text)


def accept(cast: SimpleNamespace, delivery: Delivery) -> Delivery:
    return review.accept(actor=cast.director, hub=cast.ekimae, code=delivery.code)


def mark(start: int, end: int, comment: str = "「旬の」に なおす", kind: str = "fact") -> review.Mark:
    return review.Mark(start, end, CorrectionKind(kind), comment)


def send_back(cast: SimpleNamespace, delivery: Delivery, *marks: review.Mark, reason: str = "") -> Delivery:
    return review.send_back(
        actor=cast.director, hub=cast.ekimae, code=delivery.code, marks=marks or [mark(0, 1)], reason=reason
    )


def reject(cast: SimpleNamespace, delivery: Delivery, **words: str) -> Delivery:
    said = {"reason": "べつの 店の ことです", "example": "この店の ことを 書く"} | words
    return review.reject(actor=cast.director, hub=cast.ekimae, code=delivery.code, **said)


def rejected(cast: SimpleNamespace) -> Delivery:
    """One of four units of Misaki's is rejected."""
    return reject(cast, sent(cast, 4)[0])


def appeal(cast: SimpleNamespace, delivery: Delivery, text: str = "この店の ことです") -> Any:
    return review.appeal(member=cast.misaki, code=delivery.code, text=text)


def decide(cast: SimpleNamespace, found: Any, *, uphold: bool, actor: Member | None = None) -> Any:
    return review.decide_appeal(
        actor=actor or cast.manager, hub=cast.ekimae, code=found.code, uphold=uphold, answer="読みました"
    )


def second_director(cast: SimpleNamespace) -> Member:
    return make.make_member("配り ふたり目", "director2@demo.example", hub=cast.ekimae, role=Role.DIRECTOR)


def states(order: Order) -> list[str]:
    return list(order.units.order_by("number").values_list("state", flat=True))


def told(member: Member) -> list[str]:
    """Titles of what ``member`` was told about work, in order."""
    rows = Notice.objects.filter(member=member, topic__startswith="work.").order_by("pk")
    return list(rows.values_list("topic", flat=True))


def parts(earning: Earning) -> tuple[int, int, int, int]:
    return earning.worker_yen, earning.director_yen, earning.hub_yen, earning.platform_yen


def told_to_nobody(cast: SimpleNamespace, order: Order) -> tuple[Delivery, Question, Appeal]:
    """What stands in the one unit of ``order`` after it was sent in, asked about and rejected, without a notice of it."""
    delivery = send(take(cast.misaki, order, 1), 1, "ひみつの文")[0]
    question = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="ひみつの質問")

    def work_() -> Appeal:
        delivery.state, delivery.decided_at, delivery.decided_by = "rejected", clock.now(), cast.director
        delivery.reason, delivery.example = "ひみつのわけ", "ひみつの例"
        delivery.save()
        leases.settle(delivery.unit, UnitState.REJECTED)
        row = Appeal(delivery=delivery, to=cast.manager, made_at=clock.now())
        row.text = "ひみつの見なおし"
        row.save(force_insert=True)
        return row

    return delivery, question, run_write(work_)
