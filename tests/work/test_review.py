"""What a director says about a delivery, its appeal, silence, courses and control items, on both databases."""

from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from hub.core import clock
from hub.core.errors import DomainError
from hub.notices.models import Notice
from hub.spaces.models import Membership
from hub.work import doing, leases, review, skills
from hub.work.enums import AssignmentState, EndReason
from hub.work.models import Appeal, Correction, Delivery, Earning, Lease, Question, Skill, Unit
from tests.work import hands_desk as hands
from tests.work import work
from tests.work.guards import rows_may_go
from tests.work.hands_desk import TEXT

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db,
]
__all__ = ["rows_may_go"]  # the fixture
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def unit_state(delivery: Delivery) -> str:
    return Unit.objects.get(pk=delivery.unit_id).state


def state(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


# ---------------------------------------------------------------- accept


def test_accepted_it_is_paid_once_with_all_four_parts(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 2)[0]
    hands.accept(cast, delivery)

    earning = Earning.objects.get()
    assert (earning.delivery_id, earning.member_id, earning.director_id) == (
        delivery.pk, cast.misaki.pk, delivery.unit.order.director_id,
    )  # fmt: skip
    assert (earning.price_yen, *hands.parts(earning)) == (300, 195, 30, 60, 15)
    assert hands.states(delivery.unit.order) == ["accepted", "sent"]
    assert list(Lease.objects.values_list("unit__number", flat=True)) == [2]
    found = Delivery.objects.get(pk=delivery.pk)
    assert (found.decided_by, found.decided_at) == (cast.director, clock.now())


def test_with_its_last_unit_the_assignment_ends(cast: SimpleNamespace) -> None:
    first, second = hands.sent(cast, 2)
    hands.accept(cast, first)
    assignment = first.notice.assignment
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.ACCEPTED
    hands.accept(cast, second)

    assignment.refresh_from_db()
    assert (assignment.state, assignment.end_reason, assignment.ended_at) == (
        AssignmentState.ENDED, EndReason.DONE, clock.now(),
    )  # fmt: skip


@pytest.mark.parametrize("then", ["accept", "send_back", "reject"])
def test_what_is_accepted_cannot_be_decided_again(then: str, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 4)[0]
    hands.accept(cast, delivery)
    with pytest.raises(DomainError) as refused:
        getattr(hands, then)(cast, delivery)

    assert (refused.value.code, refused.value.status, refused.value.facts["state"]) == (
        "already_decided", 409, "accepted",
    )  # fmt: skip
    assert (state(delivery), unit_state(delivery)) == ("accepted", "accepted")
    assert Earning.objects.count() == 1


def second_acceptance(delivery: Delivery) -> Delivery:
    """A unit accepted twice, written past every use case: a second try of it that is accepted too."""
    twice = Delivery(
        unit=delivery.unit, notice=delivery.notice, number=delivery.number + 1, state="accepted", sent_at=clock.now(),
        accepted_by_silence_at=clock.now(), decided_at=clock.now(),
    )  # fmt: skip
    twice.text = "もう一度"
    with transaction.atomic():
        twice.save(force_insert=True)
    return twice


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rows_may_go")
def test_the_database_refuses_a_second_acceptance_of_a_unit(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    hands.accept(cast, delivery)
    constraint = next(c for c in Delivery._meta.constraints if c.name == "unit_accepted_once")
    with connection.schema_editor() as editor:
        editor.execute(constraint.remove_sql(Delivery, editor))
    try:
        harm = second_acceptance(delivery)
        assert Delivery.objects.filter(unit=delivery.unit, state="accepted").count() == 2
        harm.delete()
    finally:
        with connection.schema_editor() as editor:
            editor.execute(constraint.create_sql(Delivery, editor))

    with pytest.raises(IntegrityError):
        second_acceptance(delivery)
    assert Delivery.objects.filter(unit=delivery.unit, state="accepted").count() == 1


def test_of_another_hub_or_of_nothing_is_unknown(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    for hub, code in ((cast.yagi, delivery.code), (cast.ekimae, "ZZZZZZZZ")):
        for call in (
            lambda hub=hub, code=code: review.accept(actor=cast.director, hub=hub, code=code),
            lambda hub=hub, code=code: review.send_back(actor=cast.director, hub=hub, code=code, marks=[], reason="x"),
            lambda hub=hub, code=code: review.reject(actor=cast.director, hub=hub, code=code, reason="x", example="y"),
        ):  # fmt: skip
            with pytest.raises(DomainError) as refused:
                call()
            assert (refused.value.code, refused.value.status) == ("unknown_delivery", 404)
    assert state(delivery) == "sent"


# ---------------------------------------------------------------- back with corrections


def test_marks_at_the_edges_of_the_text_are_kept_in_their_order(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    end = len(TEXT)
    marks = [
        hands.mark(end - 1, end, " さいご "),
        hands.mark(0, end, "ぜんぶ", "rule"),
        hands.mark(0, 1, "はじめ", "style"),
    ]
    hands.send_back(cast, delivery, *marks)

    kept = [(row.start, row.end, row.kind, row.comment) for row in Correction.objects.order_by("pk")]
    assert kept == [(0, 1, "style", "はじめ"), (0, end, "rule", "ぜんぶ"), (end - 1, end, "fact", "さいご")]
    assert (state(delivery), unit_state(delivery)) == ("returned", "returned")
    assert Lease.objects.filter(unit=delivery.unit).count() == 1
    assert Earning.objects.count() == 0
    assert hands.told(cast.misaki) == ["work.returned"]


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 1), (0, 0), (3, 2), (0, len(TEXT) + 1), (len(TEXT), len(TEXT) + 1)]
)
def test_a_mark_outside_the_text_changes_nothing(start: int, end: int, cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    with pytest.raises(DomainError) as refused:
        hands.send_back(cast, delivery, hands.mark(0, 1), hands.mark(start, end))

    assert (refused.value.code, refused.value.status) == ("mark_range", 422)
    assert (state(delivery), unit_state(delivery), Correction.objects.count()) == ("sent", "sent", 0)


def test_marks_need_words_and_there_are_at_most_fifty(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    for marks, code in (
        ([hands.mark(0, 1, "  ")], "mark_words"),
        ([hands.mark(0, 1, "あ" * 2_001)], "words_long"),
        ([hands.mark(0, 1)] * 51, "marks_many"),
    ):
        with pytest.raises(DomainError) as refused:
            hands.send_back(cast, delivery, *marks)
        assert (refused.value.code, refused.value.status) == (code, 422)
    hands.send_back(cast, delivery, *[hands.mark(0, 1, "あ" * 2_000)] * 50)

    assert Correction.objects.count() == 50


def test_a_remark_alone_is_enough_and_nothing_is_not(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    with pytest.raises(DomainError) as refused:
        review.send_back(actor=cast.director, hub=cast.ekimae, code=delivery.code, marks=[], reason="  ")
    assert (refused.value.code, refused.value.facts["field"]) == ("nothing_marked", "reason")
    review.send_back(
        actor=cast.director, hub=cast.ekimae, code=delivery.code, marks=[], reason=" もう少し 長く "
    )

    assert Delivery.objects.get(pk=delivery.pk).reason == "もう少し 長く"


def test_from_the_third_time_on_a_return_needs_a_reason(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    unit = delivery.unit
    for n in (2, 3):
        hands.send_back(cast, delivery)
        delivery = doing.send_in(member=cast.misaki, unit_code=unit.code, text=f"{TEXT}{n}")
    assert delivery.number == 3
    with pytest.raises(DomainError) as refused:
        hands.send_back(cast, delivery)
    assert (refused.value.code, refused.value.facts["field"]) == ("reason_missing", "reason")
    assert state(delivery) == "sent"
    hands.send_back(cast, delivery, reason="番号が まだ ちがいます")

    tries = list(unit.deliveries.order_by("number").values_list("number", "state"))
    assert tries == [(1, "returned"), (2, "returned"), (3, "returned")]
    assert [one.text for one in unit.deliveries.order_by("number")] == [TEXT, f"{TEXT}2", f"{TEXT}3"]
    assert hands.told(cast.misaki) == ["work.returned"]  # once a day for an assignment


def test_mended_and_accepted_only_the_last_try_is_paid(cast: SimpleNamespace) -> None:
    first = hands.sent(cast, 1)[0]
    hands.send_back(cast, first)
    second = doing.send_in(member=cast.misaki, unit_code=first.unit.code, text="なおしました")
    hands.accept(cast, second)

    assert list(Earning.objects.values_list("delivery", flat=True)) == [second.pk]
    assert (state(first), state(second)) == ("returned", "accepted")


# ---------------------------------------------------------------- reject


def test_thirty_percent_is_rounded_down() -> None:
    assert [review.most_rejected(sent) for sent in range(1, 11)] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize(("sent", "most"), [(1, 0), (3, 0), (4, 1), (6, 1), (7, 2), (10, 3)])
def test_at_most_thirty_percent_of_what_she_sent_in_is_rejected(
    sent: int, most: int, cast: SimpleNamespace
) -> None:
    deliveries = hands.sent(cast, sent)
    allowed = 0
    for delivery in deliveries:
        with suppress(DomainError):
            hands.reject(cast, delivery)
            allowed += 1

    assert allowed == most
    with pytest.raises(DomainError) as refused:
        hands.reject(cast, deliveries[most])
    assert (refused.value.code, refused.value.status) == ("reject_limit", 409)
    assert hands.states(deliveries[0].unit.order) == ["rejected"] * most + ["sent"] * (sent - most)
    assert Earning.objects.count() == 0


def test_the_limit_counts_her_units_of_this_order_only(cast: SimpleNamespace) -> None:
    hands.sent(cast, 4)
    order = work.accepted_order(cast, units=8, title="べつの 受注")
    hands.send(hands.take(cast.kenta, order, 5), 5)
    own = hands.send(hands.take(cast.misaki, order, 3), 3)
    with pytest.raises(DomainError) as refused:
        hands.reject(cast, own[0])

    assert refused.value.code == "reject_limit"
    assert review.rejected_share(cast.misaki, order) == (0, 3)


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        ({"reason": " "}, "reason_missing", "reason"),
        ({"example": ""}, "example_missing", "example"),
        ({"reason": "あ" * 2_001}, "words_long", "reason"),
        ({"example": "あ" * 2_001}, "words_long", "example"),
    ],
)
def test_rejecting_needs_a_reason_and_an_example(
    words: dict[str, str], code: str, field: str, cast: SimpleNamespace
) -> None:
    delivery = hands.sent(cast, 4)[0]
    with pytest.raises(DomainError) as refused:
        hands.reject(cast, delivery, **words)

    assert (refused.value.code, refused.value.status, refused.value.facts["field"]) == (code, 422, field)
    assert state(delivery) == "sent"


def test_the_database_refuses_a_rejection_without_words(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(state="rejected", decided_at=clock.now())


def test_rejected_it_pays_nothing_and_waits_for_the_appeal(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)

    found = Delivery.objects.get(pk=delivery.pk)
    assert (found.reason, found.example) == ("べつの 店の ことです", "この店の ことを 書く")
    assert (found.state, unit_state(found)) == ("rejected", "rejected")
    assert not Lease.objects.filter(unit=found.unit).exists()
    assert (Earning.objects.count(), hands.told(cast.misaki)) == (0, ["work.rejected"])


# ---------------------------------------------------------------- silence


def test_fourteen_days_of_silence_accept_to_the_second(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    delivery = hands.sent(cast, 2)[0]
    now.shift(14 * DAY - SECOND)
    assert review.accept_silent() == 0
    assert state(delivery) == "sent"
    now.shift(SECOND)

    assert review.accept_silent() == 2
    found = Delivery.objects.get(pk=delivery.pk)
    assert (found.state, found.decided_by, found.decided_at) == ("accepted", None, clock.now())
    assert [hands.parts(one) for one in Earning.objects.all()] == [(195, 30, 60, 15)] * 2
    assert review.accept_silent() == 0


def test_silence_begins_anew_with_each_try_and_skips_what_was_decided(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    first, second = hands.sent(cast, 2)
    hands.send_back(cast, first)
    hands.send_back(cast, second)
    now.shift(10 * DAY)
    again = doing.send_in(member=cast.misaki, unit_code=first.unit.code, text="なおしました")
    now.shift(4 * DAY)
    assert review.accept_silent() == 0
    now.shift(10 * DAY)

    assert review.accept_silent() == 1
    assert (state(again), state(first), state(second)) == ("accepted", "returned", "returned")


# ---------------------------------------------------------------- appeal


def test_an_appeal_goes_to_the_manager_of_longest_standing(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    found = hands.appeal(cast, delivery, "  この店の ことです  ")

    assert (found.to, found.text, found.state) == (cast.manager, "この店の ことです", "open")
    assert hands.told(cast.manager) == ["work.appeal"]
    assert unit_state(delivery) == "rejected"


def test_an_appeal_is_possible_for_seven_days_and_no_second_more(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    deliveries = hands.sent(cast, 7)
    first, second = (hands.reject(cast, one) for one in deliveries[:2])
    now.shift(7 * DAY)
    hands.appeal(cast, first)
    now.shift(SECOND)
    with pytest.raises(DomainError) as refused:
        hands.appeal(cast, second)

    assert (refused.value.code, refused.value.status) == ("appeal_late", 409)
    assert Appeal.objects.count() == 1


def test_twice_by_a_stranger_without_words_or_not_rejected_there_is_no_appeal(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    other = delivery.notice.deliveries.filter(state="sent").first()
    assert other is not None
    hands.appeal(cast, delivery)
    for member, code, text, said in (
        (cast.misaki, delivery.code, "もう一度", ("appealed", 409)),
        (cast.kenta, delivery.code, "わたしの", ("unknown_delivery", 404)),
        (cast.misaki, "ZZZZZZZZ", "どれ", ("unknown_delivery", 404)),
        (cast.misaki, other.code, "まだ", ("not_rejected", 409)),
        (cast.misaki, delivery.code, " ", ("text_missing", 422)),
        (cast.misaki, delivery.code, "あ" * 2_001, ("words_long", 422)),
    ):
        with pytest.raises(DomainError) as refused:
            review.appeal(member=member, code=code, text=text)
        assert (refused.value.code, refused.value.status) == said

    assert Appeal.objects.count() == 1


def test_where_nobody_else_can_look_there_is_nobody_to_ask(cast: SimpleNamespace) -> None:
    delivery = review.reject(
        actor=cast.manager, hub=cast.ekimae, code=hands.sent(cast, 4)[0].code, reason="わけ", example="例"
    )
    with pytest.raises(DomainError) as refused:
        hands.appeal(cast, delivery)
    assert (refused.value.code, refused.value.status) == ("no_one_to_ask", 409)
    Delivery.objects.filter(pk=delivery.pk).update(decided_by=cast.director)
    Membership.objects.filter(member=cast.manager).update(status="ended")
    with pytest.raises(DomainError) as refused:
        hands.appeal(cast, delivery)
    assert refused.value.code == "no_one_to_ask"


def test_upheld_it_pays_after_all(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    found = hands.decide(cast, hands.appeal(cast, delivery), uphold=True)

    assert (found.state, found.answer, found.decided_by) == ("upheld", "読みました", cast.manager)
    assert (state(delivery), unit_state(delivery)) == ("accepted", "accepted")
    assert [hands.parts(one) for one in Earning.objects.all()] == [(195, 30, 60, 15)]
    assert hands.told(cast.misaki) == ["work.rejected", "work.appealed"]
    assert review.rejected_share(cast.misaki, delivery.unit.order) == (0, 4)
    assert review.free_rejected() == 0
    with pytest.raises(DomainError) as refused:
        hands.decide(cast, found, uphold=True)
    assert (refused.value.code, Earning.objects.count()) == ("appeal_answered", 1)


def test_refused_it_goes_to_somebody_else(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    found = hands.appeal(cast, delivery)
    assert review.free_rejected() == 0
    hands.decide(cast, found, uphold=False)
    assert (state(delivery), unit_state(delivery), Earning.objects.count()) == ("rejected", "rejected", 0)

    assert review.free_rejected() == 1
    assert unit_state(delivery) == "free"
    assert review.free_rejected() == 0
    again = hands.take(cast.kenta, delivery.unit.order, 1)
    hands.accept(cast, hands.send(again)[0])
    assert Earning.objects.get().member == cast.kenta


def test_who_rejected_it_does_not_decide_and_another_hub_does_not_find_it(cast: SimpleNamespace) -> None:
    delivery = hands.rejected(cast)
    found = hands.appeal(cast, delivery)
    with pytest.raises(DomainError) as own:
        hands.decide(cast, found, uphold=False, actor=cast.director)
    with pytest.raises(DomainError) as away:
        review.decide_appeal(
            actor=cast.yagi_manager, hub=cast.yagi, code=found.code, uphold=True, answer="はい"
        )
    with pytest.raises(DomainError) as silent:
        review.decide_appeal(actor=cast.manager, hub=cast.ekimae, code=found.code, uphold=True, answer=" ")

    assert (own.value.code, own.value.status) == ("own_decision", 403)
    assert (away.value.code, away.value.status) == ("unknown_appeal", 404)
    assert (silent.value.code, silent.value.facts["field"]) == ("answer_missing", "answer")
    assert Appeal.objects.get().state == "open"


# ---------------------------------------------------------------- what the tick lets go


def test_rejected_units_are_free_when_nobody_can_appeal_any_more(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    delivery = hands.rejected(cast)
    now.shift(7 * DAY)
    assert review.free_rejected() == 0  # at this second she may still appeal
    now.shift(SECOND)

    assert (review.free_rejected(), unit_state(delivery)) == (1, "free")


def test_an_open_appeal_holds_the_unit_however_long_it_takes(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    delivery = hands.rejected(cast)
    hands.appeal(cast, delivery)
    now.shift(100 * DAY)

    assert (review.free_rejected(), unit_state(delivery)) == (0, "rejected")


def test_unmended_units_are_free_a_week_after_their_assignment_ended(
    cast: SimpleNamespace, now: time_machine.Traveller
) -> None:
    first, second = hands.sent(cast, 2)
    leases.end(first.notice.assignment, EndReason.TIME_UP)
    hands.send_back(cast, first)
    hands.send_back(cast, second)
    now.shift(3 * DAY)
    again = doing.send_in(member=cast.misaki, unit_code=second.unit.code, text="なおしました")
    now.shift(DAY)
    hands.send_back(cast, again)
    now.shift(3 * DAY - SECOND)
    assert review.free_unmended() == 0
    now.shift(SECOND)
    assert (review.free_unmended(), unit_state(first), unit_state(second)) == (1, "free", "returned")
    assert not Lease.objects.filter(unit=first.unit).exists()
    now.shift(4 * DAY)

    assert (review.free_unmended(), unit_state(second)) == (1, "free")


def test_what_runs_on_is_not_taken_away(cast: SimpleNamespace, now: time_machine.Traveller) -> None:
    delivery = hands.sent(cast, 1)[0]
    hands.send_back(cast, delivery)
    now.shift(20 * DAY)

    assert (review.free_unmended(), unit_state(delivery)) == (0, "returned")


# ---------------------------------------------------------------- courses and levels


def course(cast: SimpleNamespace, units: int, level: int | None = 2, size: int = 4) -> list[Delivery]:
    deliveries = hands.sent(cast, size)
    skills.set_course(
        actor=cast.director, hub=cast.ekimae, order_code=deliveries[0].unit.order.code, lot_number=1, level=level,
        units=units,
    )  # fmt: skip
    return deliveries


def test_a_course_opens_its_level_with_the_last_unit_and_pays_like_any_other(cast: SimpleNamespace) -> None:
    deliveries = course(cast, 3)
    for delivery in deliveries[:2]:
        hands.accept(cast, delivery)
    assert Skill.objects.count() == 0
    hands.accept(cast, deliveries[2])

    skill = Skill.objects.get()
    assert (skill.member, skill.hub, skill.kind, skill.level) == (cast.misaki, cast.ekimae, "writing", 2)
    assert (skill.lot, skill.set_by) == (deliveries[0].unit.lot, None)
    assert hands.told(cast.misaki) == ["work.level"]
    assert [one.worker_yen for one in Earning.objects.all()] == [195] * 3
    hands.accept(cast, deliveries[3])
    assert hands.told(cast.misaki) == ["work.level"]


def test_a_course_never_lowers_a_level_and_counts_her_own_units_only(cast: SimpleNamespace) -> None:
    skills.set_level(
        actor=cast.director, hub=cast.ekimae, member_code=cast.misaki.code, kind="writing", level=3
    )
    order = work.accepted_order(cast, units=4)
    skills.set_course(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=1, level=2, units=2
    )
    own = hands.send(hands.take(cast.misaki, order, 2), 2)
    other = hands.send(hands.take(cast.kenta, order, 1), 1)
    for delivery in (*own, *other):
        hands.accept(cast, delivery)

    assert list(Skill.objects.values_list("member", "level")) == [(cast.misaki.pk, 3)]


def test_an_appeal_upheld_counts_for_the_course(cast: SimpleNamespace) -> None:
    deliveries = course(cast, 1)
    found = hands.appeal(cast, hands.reject(cast, deliveries[0]))
    hands.decide(cast, found, uphold=True)

    assert Skill.objects.get().level == 2


def test_a_course_has_a_level_and_no_more_units_than_its_lot(cast: SimpleNamespace) -> None:
    for level, units, code in (
        (1, 2, "level_range"),
        (4, 2, "level_range"),
        (2, 0, "course_units"),
        (2, 5, "course_units"),
    ):
        with pytest.raises(DomainError) as refused:
            course(cast, units, level)
        assert (refused.value.code, refused.value.status) == (code, 422)
    deliveries = course(cast, 1)
    order = deliveries[0].unit.order
    skills.set_course(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=1, level=None, units=1
    )
    hands.accept(cast, deliveries[0])
    assert Skill.objects.count() == 0
    with pytest.raises(DomainError) as refused:
        skills.set_course(
            actor=cast.director, hub=cast.yagi, order_code=order.code, lot_number=1, level=2, units=1
        )
    assert refused.value.status == 404


def test_a_director_sets_levels_and_only_a_rise_is_told(cast: SimpleNamespace) -> None:
    def set_to(level: int, code: str = cast.misaki.code, kind: str = "entry") -> Skill:
        return skills.set_level(
            actor=cast.director, hub=cast.ekimae, member_code=code, kind=kind, level=level
        )

    assert set_to(3).set_by == cast.director
    assert set_to(1).level == 1
    assert hands.told(cast.misaki) == ["work.level"]
    for args, code, status in (
        ((2, "ZZZZZZZZ"), "unknown_member", 404),
        ((2, cast.stranger.code), "unknown_member", 404),
        ((4,), "level_range", 422),
        ((2, cast.misaki.code, "singing"), "level_range", 422),
    ):
        with pytest.raises(DomainError) as refused:
            set_to(*args)  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.status) == (code, status)


# ---------------------------------------------------------------- control items, questions, words


def test_a_control_item_compares_what_comes_and_what_was_there(cast: SimpleNamespace) -> None:
    order = work.accepted_order(cast, units=3)
    assignment = hands.take(cast.misaki, order, 3)

    def control(number: int, answer: str) -> None:
        review.set_control(
            actor=cast.director, hub=cast.ekimae, order_code=order.code, number=number, answer=answer
        )

    control(1, "ＡＢＣ 12")
    control(2, "ちがう 答え")
    deliveries = hands.send(assignment, 3, "abc１２")
    assert [one.matches_control for one in deliveries] == [True, False, None]
    control(3, "abc12")
    control(1, " ")

    found = Delivery.objects.order_by("unit__number").values_list("matches_control", "state")
    assert list(found) == [(None, "sent"), (False, "sent"), (True, "sent")]  # it decides nothing
    with pytest.raises(DomainError) as refused:
        review.set_control(actor=cast.director, hub=cast.yagi, order_code=order.code, number=1, answer="x")
    assert refused.value.status == 404


def test_a_question_is_answered_and_the_answer_can_be_corrected(cast: SimpleNamespace) -> None:
    delivery = hands.sent(cast, 1)[0]
    question = doing.ask(member=cast.misaki, unit_code=delivery.unit.code, text="何字ですか")
    for answer in ("200字です", "300字です"):
        review.answer_question(actor=cast.director, hub=cast.ekimae, code=question.code, text=f" {answer} ")

    found = Question.objects.get()
    assert (found.answer, found.answered_by) == ("300字です", cast.director)
    assert hands.told(cast.misaki) == ["work.answered"]
    for hub, text, said in (
        (cast.yagi, "はい", ("unknown_question", 404)),
        (cast.ekimae, " ", ("answer_missing", 422)),
        (cast.ekimae, "あ" * 2_001, ("words_long", 422)),
    ):
        with pytest.raises(DomainError) as refused:
            review.answer_question(actor=cast.director, hub=hub, code=question.code, text=text)
        assert (refused.value.code, refused.value.status) == said


def test_no_notice_names_the_client_the_title_or_what_was_written(cast: SimpleNamespace) -> None:
    """Every notice of review, with the secret in every place from which it could come."""
    order = work.make_order(
        cast,
        work.make_client(cast, "ひみつ商店"),
        title="ひみつの受注",
        description="ひみつの頼み",
        unit_count=4,
    )
    work.bring(cast, order, [(f"himitsu-{n}", f"ひみつの原稿{n}") for n in range(4)])
    work.orders.accept_order(actor=cast.director, hub=cast.ekimae, code=order.code, data=work.TERMS)
    order.refresh_from_db()
    skills.set_course(
        actor=cast.director, hub=cast.ekimae, order_code=order.code, lot_number=1, level=2, units=1
    )
    first, second, third, _fourth = hands.send(hands.take(cast.misaki, order, 4), 4, "ひみつの文")
    hands.send_back(cast, second, hands.mark(0, 2, "ひみつの なおし"), reason="ひみつの わけ")
    for one, uphold in ((first, True), (third, False)):
        hands.reject(cast, one, reason="ひみつの わけ", example="ひみつの 例")
        found = hands.appeal(cast, one, "ひみつの ことば")
        review.decide_appeal(
            actor=cast.manager, hub=cast.ekimae, code=found.code, uphold=uphold, answer="ひみつの 答え"
        )
    question = doing.ask(member=cast.misaki, unit_code=first.unit.code, text="ひみつの 質問")
    review.answer_question(actor=cast.director, hub=cast.ekimae, code=question.code, text="ひみつの 答え")

    notices = list(Notice.objects.filter(topic__startswith="work."))
    assert {one.topic for one in notices} == {
        "work.returned", "work.rejected", "work.appeal", "work.appealed", "work.level", "work.answered",
        "work.asked",
    }  # fmt: skip
    words = [f"{one.title} {one.text} {one.path} {one.data}" for one in notices]
    assert [said for said in words if "ひみつ" in said or "himitsu" in said or order.code in said] == []
