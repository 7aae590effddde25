"""The demo's work as it goes on: hours offered, units handed out, sent in, returned and accepted, and a month that was paid."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from hub.core import clock
from hub.core.db import run_write
from hub.core.quarters import local
from hub.demo import data
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import doing, earnings, handing, leases, ledger, notice, review, skills, statements
from hub.work.enums import (
    AssignmentState,
    CorrectionKind,
    DeliveryState,
    EndReason,
    How,
    LedgerKind,
    Level,
    OrderKind,
    UnitState,
)
from hub.work.models import Assignment, Delivery, Order, Unit
from hub.work.review import Mark

#: Hours a week, of Misaki and of the first members.
HOURS = (10, 6, 12, 8, 15, 4, 10, 9)
ANSWERS = (
    "同じ 商品です。書きかたが ちがうだけです。",
    "同じ 商品です。「子供」と「こども」が ちがいます。",
    "同じ 商品です。500mlと 0.5Lは 同じ 量です。",
    "同じ 商品です。",
    "枚数は 同じです。「入」が ひとつ 多いです。",
)
WRITTEN = (
    "見本パン店は、朝7時から開いています。米粉のパンが、焼けた順にならびます。となりにベンチが2つあるので、あたたかいうちに食べられるのがいいですね！",
    "喫茶れいだいには、いすが12あります。子ども用のいすも2つあります。名物のカレーを、親子でゆっくり食べられます。",
    "仮名生花店では、ひとり用の小さな花束を500円からつくります。贈る相手の話をすると、色を合わせてくれます。",
)
MARKS = (
    (
        "食べられるのがいいですね！",
        CorrectionKind.STYLE,
        "「食べられます。」で おわると、ほかの 紹介文と そろいます。",
    ),
    ("焼けた順に", CorrectionKind.FACT, "メモには ありません。店に 聞くまで けずります。"),
)
COSTS = (
    (LedgerKind.RENT, 180_000, "駅前の 部屋"),
    (LedgerKind.STAFF, 520_000, "ディレクターと 世話人"),
    (LedgerKind.CARE, 430_000, "こどものへや"),
    (LedgerKind.OTHER, 70_000, "電気と 通信"),
    (LedgerKind.SUBSIDY, 700_000, "保育の 補助"),
    (LedgerKind.GRANT, 100_000, "町の 交付金"),
)


def people_of() -> list[Member]:
    """Misaki and the first members of Ekimae, who offer hours."""
    names = ["misaki", *(f"member{n:02}" for n in range(1, len(HOURS)))]
    found = {
        one.email: one
        for one in Member.objects.filter(is_demo=True, email__in=[f"{name}@{data.DOMAIN}" for name in names])
    }
    return [found[f"{name}@{data.DOMAIN}"] for name in names]


def bring_doing(
    hub: Hub, director: Member, manager: Member, *, texts: Order, names: Order, course: Order, old: Order
) -> None:
    """Let the accepted orders of the demo be worked on, as the use cases do it."""
    people = people_of()
    misaki = people[0]
    for person, hours in zip(people, HOURS, strict=True):
        handing.save_hours(member=person, hub=hub, minutes=hours * 60)
    _month_before(hub, old, director, people[:4])
    for kind, yen, words in COSTS:
        ledger.add_line(
            actor=manager,
            hub=hub,
            month=statements.month_of(clock.today(hub.tz)),
            kind=kind,
            yen=yen,
            note=words,
        )

    found = handing.propose(hub=hub, order_code=names.code, lot_number=1, units=120)
    handing.hand_out(
        actor=director, hub=hub, order_code=names.code, lot_number=1, units=120, cap=None, lines=found.lines
    )
    for offer in Assignment.objects.filter(lot__order=names, member__in=people[:5]).order_by("pk"):
        handing.answer(member=offer.member, code=offer.code, yes=True)
    handing.set_claims(actor=director, hub=hub, order_code=names.code, lot_number=1, most_per_claim=20)
    for n, (unit, text) in enumerate(zip(_held(misaki, names), ANSWERS, strict=False)):
        sent = doing.send_in(member=misaki, unit_code=unit.code, text=text)
        if n < 3:
            review.accept(actor=director, hub=hub, code=sent.code)
    doing.ask(
        member=misaki,
        unit_code=_held(misaki, names)[0].code,
        text="色の ちがいだけの ときも「ちがう 商品」に しますか。",
    )

    skills.set_level(
        actor=director, hub=hub, member_code=people[1].code, kind=OrderKind.WRITING, level=Level.SECOND
    )
    handing.invite(actor=director, hub=hub, order_code=texts.code, lot_number=1, lines={people[1].code: 3})
    asked = Assignment.objects.get(lot__order=texts, member=people[1])
    handing.answer(member=people[1], code=asked.code, yes=True)
    for n, (unit, text) in enumerate(zip(_held(people[1], texts), WRITTEN, strict=True)):
        sent = doing.send_in(member=people[1], unit_code=unit.code, text=text)
        if n == 0:
            review.send_back(actor=director, hub=hub, code=sent.code, marks=_marks(text))
        elif n == 1:
            review.accept(actor=director, hub=hub, code=sent.code)
    handing.invite(
        actor=director, hub=hub, order_code=texts.code, lot_number=1, lines={misaki.code: 2},
        reason="ためしに 2件だけ、いっしょに 書きます",
    )  # fmt: skip

    skills.set_course(
        actor=director, hub=hub, order_code=course.code, lot_number=1, level=Level.SECOND, units=5
    )
    handing.set_claims(actor=director, hub=hub, order_code=course.code, lot_number=1, most_per_claim=5)


def _held(member: Member, order: Order) -> list[Unit]:
    rows = leases.held_by(member.pk).filter(unit__order=order, unit__state=UnitState.HELD)
    return [lease.unit for lease in rows.order_by("unit__number")]


def _marks(text: str) -> list[Mark]:
    return [
        Mark(text.index(words), text.index(words) + len(words), kind, said) for words, kind, said in MARKS
    ]


def _month_before(hub: Hub, order: Order, director: Member, people: Iterable[Member]) -> None:
    """Units that were done in the newest month that has statements, as their rows would stand now; stated and paid."""
    month = statements.newest_month(clock.today(hub.tz))
    units = list(Unit.objects.filter(order=order).order_by("number"))
    workers = list(people)
    each = len(units) // len(workers)
    for n, person in enumerate(workers):
        part = units[n * each : (n + 1) * each]
        run_write(lambda person=person, part=part: _done(hub, order, director, person, part, month))  # type: ignore[misc]  # bound now
    made = statements.make_statements(hub, month)
    today = clock.today(hub.tz)
    if made and made[0].pays_on <= today:
        statements.mark_paid(actor=director, hub=hub, codes=[one.code for one in made], paid_on=today)


def _done(hub: Hub, order: Order, director: Member, person: Member, units: list[Unit], month: date) -> None:
    first = month.replace(day=6)

    def at(day: int, hour: int) -> datetime:
        return local(first + timedelta(days=day), time(hour), hub.tz)

    assignment = Assignment.objects.create(
        lot=units[0].lot, member=person, how=How.ALLOCATED, state=AssignmentState.ENDED, unit_count=len(units),
        due_at=at(14, 17), made_at=at(0, 10), accepted_at=at(0, 12), ended_at=at(len(units) // 3 + 1, 15),
        end_reason=EndReason.DONE,
    )  # fmt: skip
    told = notice.of_assignment(assignment)
    told.assignment, told.noticed_at = assignment, at(0, 12)
    told.save(force_insert=True)
    for n, unit in enumerate(units):
        sent = at(n // 3, 10 + n % 3)
        delivery = Delivery(
            unit=unit, notice=told, number=1, state=DeliveryState.ACCEPTED, sent_at=sent,
            accepted_by_silence_at=sent + doing.SILENCE, decided_at=sent + timedelta(days=1), decided_by=director,
        )  # fmt: skip
        delivery.text = f"第{unit.number}回 {unit.number % 7 + 2}人"
        delivery.save(force_insert=True)
        earnings.enter(delivery)
    Unit.objects.filter(pk__in=[unit.pk for unit in units]).update(state=UnitState.ACCEPTED)
