"""Sharing out, asking chosen people, first come, answers, giving back: what each does and what it refuses."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.core.errors import DomainError
from hub.leaving import erase_member
from hub.notices.models import Notice
from hub.spaces.facts import touch
from hub.spaces.models import Closure, Membership
from hub.work import allocation, handing, leases, orders, returning, room
from hub.work.enums import UnitState
from hub.work.models import Assignment, HandOut, Lease, Lot, OfferedHours, Order, Unit, WorkNotice
from tests import factories as make
from tests.work import hands, work

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def refused(code: str, status: int, job: Any, **facts: Any) -> DomainError:
    before = (HandOut.objects.count(), Assignment.objects.count(), Lease.objects.count())
    with pytest.raises(DomainError) as caught:
        job()
    assert (caught.value.code, caught.value.status) == (code, status)
    assert (HandOut.objects.count(), Assignment.objects.count(), Lease.objects.count()) == before
    return caught.value


def hand(cast: SimpleNamespace, order: Order, **fields: Any) -> HandOut:
    data = {
        "actor": cast.director, "hub": cast.ekimae, "order_code": order.code, "lot_number": 1, "units": 10, "cap": None
    } | fields  # fmt: skip
    return handing.hand_out(**data)


def propose(cast: SimpleNamespace, order: Order, **fields: Any) -> handing.Proposal:
    return handing.propose(**({"hub": cast.ekimae, "order_code": order.code, "lot_number": 1} | fields))


def open_claims(cast: SimpleNamespace, order: Order, most: int = 4, lot: int = 1) -> Lot:
    return handing.set_claims(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=lot, most_per_claim=most
    )


@pytest.fixture
def order(cast: SimpleNamespace) -> Order:
    """Ten units of 15 minutes, due on Friday 29 January."""
    return work.accepted_order(cast)


# ---------------------------------------------------------------- sharing out


def test_units_are_shared_out_as_proposed_and_a_rerun_gives_the_same(
    cast: SimpleNamespace, order: Order
) -> None:
    people = hands.workers(cast.ekimae, 3)
    made = hands.share(cast, order)

    rows = list(made.assignments.order_by("member__code"))
    assert sorted(row.unit_count for row in rows) == [3, 3, 4]
    assert {row.member_id for row in rows} == {one.pk for one in people}
    said = {(row.state, row.how, row.answer_by - row.made_at) for row in rows}
    assert said == {("offered", "allocated", timedelta(hours=48))}
    assert rows[0].due_at == make.at(18, day=date(2027, 1, 29))
    assert (hands.states(order), hands.whole()) == (["held"] * 10, True)
    again = {share.code: share.count for share in allocation.again(HandOut.objects.get().inputs)}
    assert {row.member.code: row.unit_count for row in rows} == {code: n for code, n in again.items() if n}
    assert [row.explanation["fair"] for row in rows] == [3, 3, 3]


def test_nobody_gets_more_than_her_hours_hold(cast: SimpleNamespace) -> None:
    """Until Friday: five of five days are open, today among them."""
    order = work.accepted_order(cast, units=100, deadline=date(2026, 12, 11))
    few, many = hands.workers(cast.ekimae, 1, minutes=60), hands.workers(cast.ekimae, 1, minutes=600, first=2)
    found = propose(cast, order)

    assert found.lines == {few[0].code: 4, many[0].code: 40, cast.misaki.code: 0, cast.kenta.code: 0}
    assert (found.total, found.shared, found.left) == (100, 44, 56)


def test_what_is_in_hand_takes_room(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, units=10, deadline=date(2026, 12, 11))
    one = hands.workers(cast.ekimae, 1, minutes=90)[0]
    hands.ask(cast, order, one, 2)

    assert propose(cast, order).lines[one.code] == 4


def test_closed_week_gives_no_room_and_its_deadline_comes_earlier(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, units=100, deadline=date(2026, 12, 16))
    one = hands.workers(cast.ekimae, 1, minutes=300)[0]
    Closure.objects.create(
        hub=cast.ekimae, starts_on=date(2026, 12, 14), ends_on=date(2026, 12, 18), reason="工事"
    )
    touch(cast.ekimae)
    found = propose(cast, order)

    assert (found.due.day, found.due.is_earlier, found.due.weeks) == (date(2026, 12, 11), True, 1)
    assert found.lines[one.code] == 20


def test_no_open_day_before_the_deadline_is_refused(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, deadline=date(2026, 12, 8))
    Closure.objects.create(
        hub=cast.ekimae, starts_on=date(2026, 12, 7), ends_on=date(2026, 12, 8), reason="工事"
    )
    touch(cast.ekimae)

    refused("deadline_closed", 409, lambda: propose(cast, order))


def test_left_over_goes_to_whom_little_was_handed(cast: SimpleNamespace) -> None:
    first, second = hands.workers(cast.ekimae, 2)
    hands.share(cast, work.accepted_order(cast, units=2), lines={first.code: 2}, reason="さきに")
    order = work.accepted_order(cast, client=work.make_client(cast, "べつの店"), units=3)

    lines = propose(cast, order).lines
    assert (lines[first.code], lines[second.code]) == (1, 2)


def test_an_offer_that_was_not_taken_does_not_count_as_handed(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 4)
    assert {person.member.code: person.recent_minutes for person in room.people_of(order)}[one.code] == 60
    handing.answer(member=one, code=offered.code, yes=False)

    assert {person.member.code: person.recent_minutes for person in room.people_of(order)}[one.code] == 0


def test_level_decides_who_is_in_the_proposal(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, level=2)
    low, high = hands.workers(cast.ekimae, 2)
    hands.level(high, cast.ekimae, 2)
    hands.level(low, cast.ekimae, 3, kind="entry")

    assert propose(cast, order).lines == {high.code: 10}


@pytest.mark.parametrize("status", ["blocked", "ended"])
def test_only_active_workers_of_the_hub_are_in_it(status: str, cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    Membership.objects.filter(member=one).update(status=status)

    assert propose(cast, order).lines == {cast.misaki.code: 0, cast.kenta.code: 0}


def test_changed_number_needs_a_reason_and_keeps_it(cast: SimpleNamespace, order: Order) -> None:
    first, second = hands.workers(cast.ekimae, 2)
    lines = {first.code: 6, second.code: 4}
    error = refused("reason_missing", 422, lambda: hand(cast, order, lines=lines))
    assert error.facts["field"] == "reason"
    made = hand(cast, order, lines=lines, reason="はやい人に 多く")

    assert sorted((row.unit_count, row.reason) for row in made.assignments.all()) == [
        (4, "はやい人に 多く"), (6, "はやい人に 多く"),
    ]  # fmt: skip
    assert made.inputs["changed"] == lines
    assert {share.count for share in allocation.again(made.inputs) if share.count} == {5}


def test_units_that_went_meanwhile_refuse_the_whole(cast: SimpleNamespace, order: Order) -> None:
    first, second = hands.workers(cast.ekimae, 2)
    found = propose(cast, order)
    hands.ask(cast, order, first, 1)

    error = refused("units_gone", 409, lambda: hand(cast, order, lines=found.lines, seen=found.digest))
    assert error.facts["free"] == 9
    assert second.assignments.count() == 0


def test_another_proposal_than_was_seen_is_refused(cast: SimpleNamespace, order: Order) -> None:
    hands.workers(cast.ekimae, 2)
    found = propose(cast, order)
    hands.workers(cast.ekimae, 1, first=3)

    refused("proposal_changed", 409, lambda: hand(cast, order, lines=found.lines, seen=found.digest))


def test_same_key_hands_out_once(cast: SimpleNamespace, order: Order) -> None:
    hands.workers(cast.ekimae, 2)
    found = propose(cast, order)
    made = [hand(cast, order, lines=found.lines, key="one tap") for _ in range(2)]

    assert made[0] == made[1]
    assert (HandOut.objects.count(), Lease.objects.count()) == (1, 10)


def test_nothing_chosen_and_strangers_are_refused(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]

    refused("nothing_chosen", 422, lambda: hand(cast, order, lines={one.code: 0}))
    refused("nothing_chosen", 422, lambda: hand(cast, order, lines={one.code: 2, cast.misaki.code: -1}))
    refused("not_eligible", 409, lambda: hand(cast, order, lines={cast.stranger.code: 1}, reason="x"))
    refused("unknown_order", 404, lambda: hand(cast, order, lines={one.code: 1}, hub=cast.yagi))
    refused("unknown_order", 404, lambda: hand(cast, order, lines={one.code: 1}, lot_number=2))


def test_second_lot_opens_at_ninety_of_a_hundred_not_at_89(cast: SimpleNamespace) -> None:
    order = work.make_order(cast, unit_count=110)
    orders.split_lot(hub=cast.ekimae, order_code=order.code, number=1, first=100, gate_percent=90)
    work.bring(cast, order, [(f"A-{n}", "x") for n in range(110)])
    orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=work.TERMS)
    hands.workers(cast.ekimae, 1)
    first = order.lots.get(number=1)
    done = list(first.units.order_by("number").values_list("pk", flat=True)[:90])
    Unit.objects.filter(pk__in=done[:89]).update(state=UnitState.ACCEPTED)
    refused("lot_closed", 409, lambda: propose(cast, order, lot_number=2))
    refused("lot_closed", 409, lambda: open_claims(cast, order, 5, lot=2))  # fmt: skip
    Unit.objects.filter(pk=done[89]).update(state=UnitState.ACCEPTED)

    assert propose(cast, order, lot_number=2).free == 10


@pytest.mark.parametrize(("fields", "code"), [({"is_confidential": True}, "gate_closed"), ({}, "order_open")])
def test_confidential_and_open_orders_are_not_handed_out(
    fields: dict[str, Any], code: str, cast: SimpleNamespace
) -> None:
    order = work.make_order(cast, **fields)
    if fields:
        Order.objects.filter(pk=order.pk).update(state="accepted")
    one = hands.workers(cast.ekimae, 1)[0]

    refused(code, 409, lambda: propose(cast, order))
    refused(code, 409, lambda: hand(cast, order, lines={one.code: 1}))
    refused(code, 409, lambda: hands.ask(cast, order, one))
    refused(code, 409, lambda: open_claims(cast, order, 5))  # fmt: skip


def test_proposal_asks_the_same_number_of_questions_whatever_the_size(cast: SimpleNamespace) -> None:
    propose(cast, work.accepted_order(cast))  # the facts of the hub are read once
    counts = []
    for units, people in ((3, 3), (300, 30)):
        order = work.accepted_order(cast, client=work.make_client(cast, f"店{units}"), units=units)
        hands.workers(cast.ekimae, people, first=units)
        with CaptureQueriesContext(connection) as found:
            propose(cast, order)
        counts.append(len(found))

    assert counts == [11, 11]


# ---------------------------------------------------------------- asking chosen people


def test_asking_somebody_above_her_level_needs_a_reason(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, level=2)
    one = hands.workers(cast.ekimae, 1, minutes=0)[0]
    data = {
        "actor": cast.director, "hub": cast.ekimae, "order_code": order.code, "lot_number": 1, "lines": {one.code: 3}
    }  # fmt: skip
    refused("reason_missing", 422, lambda: handing.invite(**data))
    made = handing.invite(**data, reason="前に うまく できたから")

    row = made.assignments.get()
    assert (row.how, row.unit_count, row.reason) == ("invited", 3, "前に うまく できたから")
    assert row.explanation == {"level": 1, "needed": 2}


def test_asking_at_her_level_needs_none_and_never_more_than_is_free(
    cast: SimpleNamespace, order: Order
) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    data = {"actor": cast.director, "hub": cast.ekimae, "order_code": order.code, "lot_number": 1}

    refused("units_gone", 409, lambda: handing.invite(**data, lines={one.code: 11}))
    assert handing.invite(**data, lines={one.code: 10}).unit_count == 10
    refused("units_gone", 409, lambda: handing.invite(**data, lines={one.code: 1}))
    refused("not_eligible", 409, lambda: handing.invite(**data, lines={cast.stranger.code: 1}))


def test_offer_is_told_without_the_client_or_the_title(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    told = Notice.objects.get(member=one)

    assert (told.kind, told.topic, told.title) == ("work", "work.offer", "しごとの おねがいが あります")
    assert (
        told.text == "駅前ハブ：文章を 書く 3件（1件 15分）。12月9日（水） 9:40 までに 返事を してください。"
    )
    assert told.path == f"/jobs/offers/{offered.code}/"


# ---------------------------------------------------------------- answers


def test_yes_writes_the_notice_before_anything_changes(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    with CaptureQueriesContext(connection) as found:
        taken = handing.answer(member=one, code=offered.code, yes=True)

    written = [q["sql"] for q in found if q["sql"].startswith(("INSERT", "UPDATE"))]
    assert ["worknotice" in sql for sql in written][:2] == [True, False]
    assert 'UPDATE "work_assignment"' in written[1]
    assert (taken.state, Assignment.objects.get().state) == ("accepted", "accepted")
    row = WorkNotice.objects.get()
    assert (row.unit_count, row.unit_yen, row.amount_yen) == (3, 195, 585)
    assert (row.client_name, row.hub_name, row.worker_name) == ("見本商店", "駅前ハブ", "働く 人1")
    assert (row.receipt_by, row.pays_on, row.client_pays_on) == (
        make.at(18, day=date(2027, 1, 29)), date(2027, 2, 25), date(2027, 2, 26)
    )  # fmt: skip
    assert (row.inspected_within_days, row.kept_until) == (14, date(2030, 12, 31))
    assert Notice.objects.get(member=one).read_at is not None


def test_no_gives_the_units_back(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    handing.answer(member=one, code=offered.code, yes=False)

    assert (hands.states(order), hands.whole()) == (["free"] * 10, True)
    assert WorkNotice.objects.count() == 0


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_second_answer_changes_nothing(
    first: bool, second: bool, cast: SimpleNamespace, order: Order
) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    handing.answer(member=one, code=offered.code, yes=first)
    before = hands.states(order)

    refused("already_answered", 409, lambda: handing.answer(member=one, code=offered.code, yes=second))
    assert (hands.states(order), WorkNotice.objects.count()) == (before, int(first))


def test_answer_after_the_time_is_late_before_and_after_the_sweep(
    cast: SimpleNamespace, order: Order, now: Any
) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)
    now.shift(timedelta(hours=48))
    refused("offer_late", 409, lambda: handing.answer(member=one, code=offered.code, yes=True))
    assert returning.sweep() == 1

    refused("offer_late", 409, lambda: handing.answer(member=one, code=offered.code, yes=True))
    assert hands.states(order) == ["free"] * 10


def test_answer_of_somebody_else_is_not_found(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    offered = hands.ask(cast, order, one, 3)

    for job in (handing.answer, handing.hand_back):
        more = {"yes": True} if job is handing.answer else {}
        refused(
            "unknown_offer",
            404,
            lambda job=job, more=more: job(member=cast.misaki, code=offered.code, **more),
        )  # type: ignore[misc]
    Membership.objects.filter(member=one).update(status="ended")
    refused("not_worker", 403, lambda: handing.answer(member=one, code=offered.code, yes=True))


def test_handing_back_asks_nothing_and_keeps_what_was_sent(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    mine = hands.ask(cast, order, one, 5)
    handing.answer(member=one, code=mine.code, yes=True)
    hands.send(mine, 2)
    back = handing.hand_back(member=one, code=mine.code)

    assert (back.state, back.end_reason) == ("ended", "handed_back")
    assert (hands.states(order), hands.whole()) == (["sent"] * 2 + ["free"] * 8, True)
    refused("already_ended", 409, lambda: handing.hand_back(member=one, code=mine.code))


def test_unit_sent_in_while_it_is_given_back_stays_sent(cast: SimpleNamespace, order: Order) -> None:
    """What `give_back` reads decides; a unit that was sent in is never freed under her hands."""
    one = hands.workers(cast.ekimae, 1)[0]
    mine = hands.ask(cast, order, one, 2)
    handing.answer(member=one, code=mine.code, yes=True)
    hands.send(mine, 2)

    handing.hand_back(member=one, code=mine.code)
    assert hands.states(order)[:2] == ["sent", "sent"]


def test_account_that_goes_gives_everything_back(cast: SimpleNamespace, order: Order) -> None:
    one = hands.workers(cast.ekimae, 1)[0]
    mine, offered = hands.ask(cast, order, one, 5), hands.ask(cast, order, one, 2)
    handing.answer(member=one, code=mine.code, yes=True)
    hands.send(mine, 1)
    hands.level(one, cast.ekimae, 2)
    erase_member(one)

    assert hands.states(order) == ["sent"] + ["free"] * 9
    assert set(Assignment.objects.values_list("state", "end_reason")) == {("ended", "left")}
    assert (OfferedHours.objects.count(), one.skills.count()) == (0, 0)
    assert (WorkNotice.objects.get().worker_name, hands.whole(), offered.leases.count()) == (
        "働く 人1",
        True,
        0,
    )


# ---------------------------------------------------------------- first come


@pytest.fixture
def lot(cast: SimpleNamespace, order: Order) -> Lot:
    return open_claims(cast, order, 4)


def test_claim_is_hers_at_once_with_its_notice(cast: SimpleNamespace, lot: Lot) -> None:
    one = hands.workers(cast.ekimae, 1, minutes=0)[0]
    taken = handing.claim(member=one, lot=lot, count=3)

    assert (taken.state, taken.how, taken.unit_count, taken.leases.count()) == ("accepted", "claimed", 3, 3)
    assert taken.due_at == make.NOW + timedelta(hours=48)
    assert taken.notice.amount_yen == 585


def test_claim_is_due_with_its_lot_if_that_is_sooner(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, deadline=date(2026, 12, 8))
    lot = open_claims(cast, order, 4)  # fmt: skip

    assert handing.claim(member=cast.misaki, lot=lot, count=1).due_at == make.at(18, day=date(2026, 12, 8))


def test_claim_takes_what_is_left_and_says_how_many(cast: SimpleNamespace, order: Order, lot: Lot) -> None:
    hands.ask(cast, order, cast.kenta, 8)
    assert handing.claim(member=cast.misaki, lot=lot, count=4).unit_count == 2
    refused(
        "nothing_free", 409, lambda: handing.claim(member=hands.workers(cast.ekimae, 1)[0], lot=lot, count=1)
    )


def test_claims_are_bound_by_number_level_lot_and_hub(cast: SimpleNamespace, order: Order, lot: Lot) -> None:
    def claim(count: int = 1, member: Any = cast.misaki) -> Any:
        return lambda: handing.claim(member=member, lot=lot, count=count)

    refused("count_range", 422, claim(0))
    refused("count_range", 422, claim(5))
    refused("unknown_order", 404, claim(member=cast.stranger))
    claim(4)()
    refused("claim_full", 409, claim())
    Order.objects.filter(pk=order.pk).update(level=2)
    refused("level_low", 403, claim(member=cast.kenta))
    Order.objects.filter(pk=order.pk).update(level=1, is_confidential=True)
    refused("gate_closed", 409, claim(member=cast.kenta))
    Order.objects.filter(pk=order.pk).update(is_confidential=False)
    open_claims(cast, order, 0)
    refused("not_open", 409, claim(member=cast.kenta))


def test_course_lot_is_open_to_the_level_below(cast: SimpleNamespace, order: Order, lot: Lot) -> None:
    Order.objects.filter(pk=order.pk).update(level=3)
    Lot.objects.filter(pk=lot.pk).update(opens_level=3)
    refused("level_low", 403, lambda: handing.claim(member=cast.misaki, lot=lot, count=1))
    hands.level(cast.misaki, cast.ekimae, 2)

    assert handing.claim(member=cast.misaki, lot=lot, count=1).unit_count == 1


def test_same_key_claims_once(cast: SimpleNamespace, lot: Lot) -> None:
    taken = [handing.claim(member=cast.misaki, lot=lot, count=2, key="tap") for _ in range(2)]

    assert (taken[0], Lease.objects.count()) == (taken[1], 2)


@pytest.mark.parametrize("most", [-1, 201])
def test_claims_have_a_most(most: int, cast: SimpleNamespace, order: Order) -> None:
    refused("count_range", 422, lambda: open_claims(cast, order, most))  # fmt: skip


# ---------------------------------------------------------------- hours


def test_hours_are_kept_changed_and_taken_away(cast: SimpleNamespace) -> None:
    for minutes, kept in ((600, [600]), (300, [300]), (0, [])):
        handing.save_hours(member=cast.misaki, hub=cast.ekimae, minutes=minutes)
        assert list(OfferedHours.objects.values_list("minutes_a_week", flat=True)) == kept


def test_hours_elsewhere_or_too_many_are_refused(cast: SimpleNamespace) -> None:
    refused("unknown_hub", 404, lambda: handing.save_hours(member=cast.misaki, hub=cast.yagi, minutes=60))
    refused("hours_range", 422, lambda: handing.save_hours(member=cast.misaki, hub=cast.ekimae, minutes=3601))
    assert OfferedHours.objects.count() == 0


# ---------------------------------------------------------------- coming back


def test_sweep_writes_nothing_while_nothing_is_due(cast: SimpleNamespace, order: Order) -> None:
    hands.ask(cast, order, cast.misaki, 2)
    with CaptureQueriesContext(connection) as found:
        assert returning.sweep() == 0

    assert [q["sql"].split()[0] for q in found] == ["SELECT"]


def test_time_that_is_up_frees_what_was_not_sent(cast: SimpleNamespace, order: Order, now: Any) -> None:
    mine = hands.ask(cast, order, cast.misaki, 5)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    hands.send(mine, 2)
    now.move_to(make.at(17, 59, day=date(2027, 1, 29)))
    assert returning.sweep() == 0
    now.move_to(make.at(18, day=date(2027, 1, 29)))
    assert (returning.sweep(), returning.sweep()) == (1, 0)

    mine.refresh_from_db()
    assert (mine.state, mine.end_reason) == ("ended", "time_up")
    assert (hands.states(order), hands.whole()) == (["sent"] * 2 + ["free"] * 8, True)
    told = Notice.objects.get(member=cast.misaki, topic="work.back")
    assert told.text == "駅前ハブ：まだの 3件は、ほかの人に まわします。送った分は そのままです。"


def test_time_up_with_everything_sent_is_no_lateness(cast: SimpleNamespace, order: Order, now: Any) -> None:
    mine = hands.ask(cast, order, cast.misaki, 2)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    hands.send(mine, 2)
    now.move_to(make.at(18, day=date(2027, 1, 29)))
    returning.sweep()

    mine.refresh_from_db()
    assert (mine.end_reason, Notice.objects.filter(topic="work.back").count()) == ("done", 0)
    assert list(leases.held_by(cast.misaki.pk).values_list("unit__state", flat=True)) == ["sent"] * 2


# ---------------------------------------------------------------- an ill child


def taken(cast: SimpleNamespace, deadline: date, name: str) -> Assignment:
    order = work.accepted_order(cast, client=work.make_client(cast, name), units=3, deadline=deadline)
    mine = hands.ask(cast, order, cast.misaki, 3)
    handing.answer(member=cast.misaki, code=mine.code, yes=True)
    return mine


def test_ill_child_frees_what_is_due_soon_and_leaves_the_rest(cast: SimpleNamespace) -> None:
    """Ill on Tuesday 8: what is due up to Thursday 10 goes back, what is due on Friday 11 stays."""
    soon, later = taken(cast, date(2026, 12, 10), "あす"), taken(cast, date(2026, 12, 11), "あと")
    asked = work.accepted_order(cast, client=work.make_client(cast, "返事"), deadline=date(2026, 12, 9))
    offered = hands.ask(cast, asked, cast.misaki, 1)
    hands.send(soon, 1)
    for _twice in range(2):
        returning.child_sick(
            child=cast.yui.code, member=cast.misaki.code, first="2026-12-08", last="2026-12-08"
        )

    ends = dict(Assignment.objects.values_list("code", "end_reason"))
    assert ends == {soon.code: "child_sick", later.code: "", offered.code: "child_sick"}
    assert hands.states(soon.lot.order) == ["sent", "free", "free"]
    assert (hands.states(later.lot.order), hands.whole()) == (["held"] * 3, True)
    told = Notice.objects.filter(member=cast.misaki, topic="work.back").order_by("pk")
    assert [one.title for one in told] == ["しごとは 気に しないで ください"] * 2
    assert "まだの 2件は" in told[0].text


def test_word_of_an_illness_reaches_the_work(cast: SimpleNamespace) -> None:
    """The whole way: a guardian says it on her page, the task runs, her units are free."""
    from hub.booking import sick
    from hub.core import tasks

    soon = taken(cast, date(2026, 12, 9), "あす")
    sick.report(
        actor=cast.misaki, child=cast.yui, first=make.TOMORROW, last=make.TOMORROW, seat=sick.Seat.KEEP
    )
    tasks.run_pending()

    soon.refresh_from_db()
    assert (soon.end_reason, hands.states(soon.lot.order)) == ("child_sick", ["free"] * 3)


def test_illness_of_anothers_child_changes_nothing(cast: SimpleNamespace) -> None:
    soon = taken(cast, date(2026, 12, 9), "あす")
    returning.child_sick(child=cast.yui.code, member=cast.kenta.code, first="2026-12-08", last="2026-12-08")

    soon.refresh_from_db()
    assert soon.state == "accepted"
