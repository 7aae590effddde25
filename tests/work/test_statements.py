"""Statements of a month: everybody's yen once, from the 16th, numbered without gaps, paid, late."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from hub import tick
from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.leaving import erase_member
from hub.members.models import Member
from hub.notices.models import Notice
from hub.work import orders, statements
from hub.work.models import Earning, PayProfile, Statement
from tests import factories as make
from tests.work import earned
from tests.work.guards import unguarded

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)
MADE = datetime(2027, 1, 16, 9, tzinfo=make.TOKYO)


def refused(call: Any) -> tuple[str, int]:
    with pytest.raises(DomainError) as caught:
        call()
    return caught.value.code, caught.value.status


def stated(hub: Any) -> list[tuple[int, str, int, int, int, int]]:
    rows = Statement.objects.filter(hub=hub).order_by("number")
    return [
        (row.number, row.member_name, row.work_yen, row.director_yen, row.withholding_yen, row.net_yen)
        for row in rows
    ]


def test_month_of_a_worker_and_her_director(cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast, 10, price_yen=10_001)  # 6501 + 1000 + 2000 + 500 a unit
    rows = earned.earn(order, cast.misaki, [1, 2, 3])
    assert [(row.worker_yen, row.director_yen, row.hub_yen, row.platform_yen) for row in rows] == [
        (6501, 1000, 2000, 500)
    ] * 3
    now.move_to(MADE)
    made = statements.make_statements(cast.ekimae, DECEMBER)

    assert len(made) == 2
    assert sorted(stated(cast.ekimae)) == [
        (made[0].number, "山田 みさき", 19_503, 0, 1991, 17_512),
        (made[1].number, "配り さん", 0, 3000, 0, 3000),
    ]
    row = Statement.objects.get(member=cast.misaki)
    assert (row.pays_on, row.latest_on) == (
        date(2027, 1, 25),
        date(2027, 2, 4),
    )  # RULE-26: 7 December is day 1 of 60
    assert (row.withheld_from_yen, row.unit_count, row.kept_until) == (19_503, 3, date(2034, 12, 31))
    assert (row.hub_name, row.registration_number, row.deduction_percent) == ("駅前ハブ", "", 70)


def test_each_earning_is_on_one_statement_and_sums_are_equal(cast: SimpleNamespace, now: Any) -> None:
    writing = earned.order_of(cast, 4, price_yen=333)
    entry = earned.order_of(cast, 4, price_yen=77, kind="entry")
    for order in (writing, entry):
        earned.earn(order, cast.misaki, [1, 2])
        earned.earn(order, cast.kenta, [3])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    assert not Earning.objects.filter(statement=None).exists()
    assert not Earning.objects.filter(director_statement=None, director_yen__gt=0).exists()
    sums = Earning.objects.aggregate(work=Sum("worker_yen"), director=Sum("director_yen"))
    assert sums == Statement.objects.aggregate(work=Sum("work_yen"), director=Sum("director_yen"))
    assert (
        Statement.objects.get(member=cast.misaki).withheld_from_yen == 2 * 216
    )  # entry does not withhold (RULE-29)


def test_month_can_be_stated_from_the_sixteenth_of_the_next(cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast), cast.misaki, [1])
    now.move_to(datetime(2027, 1, 15, 23, 59, tzinfo=make.TOKYO))
    assert refused(lambda: statements.make_statements(cast.ekimae, DECEMBER)) == ("too_early", 409)
    assert statements.make_due(cast.ekimae) == []

    now.move_to(datetime(2027, 1, 16, 0, 0, tzinfo=make.TOKYO))
    assert len(statements.make_due(cast.ekimae)) == 2


def test_run_again_makes_nothing_more(cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    before = stated(cast.ekimae)

    assert statements.make_statements(cast.ekimae, DECEMBER) == []
    assert run_write(lambda: statements._state(cast.ekimae, cast.misaki.pk, DECEMBER)) is None
    assert stated(cast.ekimae) == before


def test_what_was_accepted_late_comes_with_the_next_month(cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast, kind="entry")
    earned.earn(order, cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    earned.earn(order, cast.misaki, [2])  # received on 7 December, an appeal was upheld in January
    assert statements.make_statements(cast.ekimae, DECEMBER) == []

    now.move_to(datetime(2027, 2, 16, 9, tzinfo=make.TOKYO))
    statements.make_statements(cast.ekimae, JANUARY)
    rows = Statement.objects.filter(member=cast.misaki).order_by("month")
    assert [(row.month, row.work_yen) for row in rows] == [(DECEMBER, 195), (JANUARY, 195)]
    assert rows[1].latest_on == date(2027, 2, 4)  # its own legal day stays


def test_what_is_received_later_waits(cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast)
    earned.earn(order, cast.misaki, [1], date(2026, 12, 31))
    earned.earn(order, cast.misaki, [2], date(2027, 1, 1))
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    assert Earning.objects.filter(statement=None).values_list("received_on", flat=True).get() == JANUARY


def test_zero_yen_makes_no_statement(cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast, price_yen=1)  # all of it is the worker's: the largest remainder
    assert [row.worker_yen for row in earned.earn(order, cast.misaki, [1])] == [1]
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    assert stated(cast.ekimae) == [(1, "山田 みさき", 1, 0, 0, 1)]  # the director got 0 yen, and no paper


def test_numbers_have_no_gaps_and_are_the_hub_s_own(cast: SimpleNamespace, now: Any) -> None:
    here, there = earned.order_of(cast), earned.order_of(cast, hub=cast.yagi, director=cast.yagi_manager)
    earned.earn(here, cast.misaki, [1])
    earned.earn(there, cast.misaki, [1])
    earned.earn(here, cast.kenta, [2])
    now.move_to(MADE)
    for hub in (cast.ekimae, cast.yagi):
        statements.make_statements(hub, DECEMBER)

    assert [row[0] for row in stated(cast.ekimae)] == [1, 2, 3]
    assert [row[0] for row in stated(cast.yagi)] == [1, 2]


@pytest.mark.parametrize("registration", ["", "T1234567890123"])
@pytest.mark.parametrize(
    ("month", "percent"), [(date(2026, 9, 1), 80), (date(2026, 10, 1), 70), (date(2028, 10, 1), 50)]
)
def test_registration_number_changes_what_the_hub_deducts_and_no_pay(
    month: date, percent: int, registration: str, cast: SimpleNamespace, now: Any
) -> None:  # RULE-30
    assert statements.deduction(registration, month) == (100 if registration else percent)
    PayProfile.objects.create(member=cast.misaki, registration_number=registration)
    earned.earn(earned.order_of(cast, price_yen=10_000), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    row = Statement.objects.get(member=cast.misaki)
    assert (row.registration_number, row.deduction_percent) == (registration, 100 if registration else 70)
    assert (row.work_yen, row.withholding_yen, row.net_yen) == (6500, 663, 5837)


def test_killed_between_two_members_the_rest_is_made_later(
    cast: SimpleNamespace, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = earned.order_of(cast)
    for n, member in enumerate((cast.misaki, cast.kenta), 1):
        earned.earn(order, member, [n])
    now.move_to(MADE)
    tell, calls = statements.notices.tell, []

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:  # the statement is written, its earnings are put on it, then the light goes out
            raise KeyboardInterrupt
        return tell(*args, **kwargs)

    monkeypatch.setattr(statements.notices, "tell", dying)
    with pytest.raises(KeyboardInterrupt):
        statements.make_statements(cast.ekimae, DECEMBER)
    assert [row[0] for row in stated(cast.ekimae)] == [1]
    statements.make_statements(cast.ekimae, DECEMBER)

    assert [row[0] for row in stated(cast.ekimae)] == [1, 2, 3]
    assert not Earning.objects.filter(statement=None).exists()


def test_tick_makes_them_once_a_day(cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast), cast.misaki, [1])
    now.move_to(datetime(2027, 1, 16, 0, 5, tzinfo=make.TOKYO))
    assert [tick.run(), tick.run()] == [[], []]

    assert [row[0] for row in stated(cast.ekimae)] == [1, 2]
    assert Notice.objects.filter(member=cast.misaki, topic="statement").count() == 1


def test_word_of_a_statement_names_no_amount_and_no_client(cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast, price_yen=10_000, title="ひみつの しごと"), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    notice = Notice.objects.get(member=cast.misaki, topic="statement")
    assert (notice.title, notice.text) == (
        "しごとの 明細が できました", "駅前ハブ・2026年12月分。金額と しはらいの 日を 見られます。"
    )  # fmt: skip
    assert notice.path == f"/jobs/pay/{Statement.objects.get(member=cast.misaki).code}/"


# ---------------------------------------------------------------- paid, and late


@pytest.fixture
def made(cast: SimpleNamespace, now: Any) -> Statement:
    earned.earn(earned.order_of(cast), cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    return Statement.objects.get(member=cast.misaki)


def pay(cast: SimpleNamespace, day: date, *codes: str, hub: Any = None) -> int:
    return statements.mark_paid(actor=cast.manager, hub=hub or cast.ekimae, codes=codes, paid_on=day)


def test_paying_is_noted_once_and_taken_back(cast: SimpleNamespace, made: Statement, now: Any) -> None:
    now.move_to(datetime(2027, 1, 25, 12, tzinfo=make.TOKYO))
    day = date(2027, 1, 25)
    assert (pay(cast, day, made.code), pay(cast, day, made.code)) == (1, 0)
    assert refused(lambda: pay(cast, date(2027, 1, 24), made.code)) == ("paid_already", 409)
    made.refresh_from_db()
    assert made.paid_on == day

    statements.unmark_paid(actor=cast.manager, hub=cast.ekimae, code=made.code)
    made.refresh_from_db()
    assert made.paid_on is None


@pytest.mark.parametrize(
    ("day", "code"), [(date(2027, 1, 17), "paid_in_future"), (date(2027, 1, 15), "paid_before_made")]
)
def test_day_of_paying_lies_between_making_and_today(
    day: date, code: str, cast: SimpleNamespace, made: Statement
) -> None:
    assert refused(lambda: pay(cast, day, made.code)) == (code, 422)


def test_all_chosen_are_paid_or_none(cast: SimpleNamespace, made: Statement) -> None:
    assert refused(lambda: pay(cast, MADE.date(), made.code, "ZZZZ")) == ("unknown_statement", 404)
    assert refused(lambda: pay(cast, MADE.date(), made.code, hub=cast.yagi)) == ("unknown_statement", 404)
    made.refresh_from_db()
    assert made.paid_on is None


def late(cast: SimpleNamespace, day: date) -> list[tuple[str, int, int]]:
    return [(due.name, due.yen, due.days) for due in statements.overdue(cast.ekimae, day)]


def test_list_of_what_is_late_has_the_worst_first(cast: SimpleNamespace, made: Statement) -> None:
    order = earned.order_of(cast, price_yen=1000, kind="entry")
    earned.earn(order, cast.kenta, [1], date(2026, 12, 1))  # legal day 29 January, on no statement

    assert late(cast, date(2027, 1, 22)) == []
    unstated = [("山田 けんた", 650, 6), ("配り さん", 100, 6)]
    assert sorted(late(cast, date(2027, 1, 23))) == sorted(unstated)
    after = late(cast, date(2027, 2, 5))
    assert [days for _name, _yen, days in after] == [-7, -7, -1, -1]
    assert after[0][0] == "山田 けんた"
    now_paid = pay(cast, MADE.date(), made.code)
    assert (now_paid, len(late(cast, date(2027, 2, 5)))) == (1, 3)


def test_people_who_pay_are_told_once_when_something_new_is_late(
    cast: SimpleNamespace, made: Statement, now: Any
) -> None:
    def told() -> list[str]:
        rows = Notice.objects.filter(topic="overdue").order_by("member__name", "pk")
        return [notice.member.name for notice in rows]

    assert statements.tell_overdue(cast.ekimae) == 0
    now.move_to(datetime(2027, 1, 26, 9, tzinfo=make.TOKYO))  # the day after the hub's own day
    assert [statements.tell_overdue(cast.ekimae), statements.tell_overdue(cast.ekimae)] == [2, 0]
    assert told() == ["責任 さん", "配り さん"]
    earned.earn(earned.order_of(cast), cast.kenta, [1], date(2026, 12, 2))  # due on 30 January at the latest
    now.shift(timedelta(days=1))
    assert [statements.tell_overdue(cast.ekimae), statements.tell_overdue(cast.ekimae)] == [2, 0]


def test_word_of_what_is_late_is_gone_when_it_was_paid(
    cast: SimpleNamespace, made: Statement, now: Any
) -> None:
    now.move_to(datetime(2027, 1, 26, 9, tzinfo=make.TOKYO))
    assert statements.compose_overdue({"hub": "ekimae"}) is not None
    pay(cast, MADE.date(), *Statement.objects.values_list("code", flat=True))
    assert statements.compose_overdue({"hub": "ekimae"}) is None


# ---------------------------------------------------------------- who leaves


def test_who_leaves_gets_her_statement_first_and_is_still_paid(cast: SimpleNamespace, now: Any) -> None:
    PayProfile.objects.create(member=cast.misaki, registration_number="T1234567890123")
    earned.earn(earned.order_of(cast, kind="entry"), cast.misaki, [1, 2])
    erase_member(cast.misaki)

    row = Statement.objects.get(member=cast.misaki)
    assert (row.member_name, row.registration_number, row.net_yen) == ("山田 みさき", "T1234567890123", 390)
    assert (row.month, row.pays_on) == (DECEMBER, date(2027, 1, 25))
    assert (Member.objects.get(pk=cast.misaki.pk).name, PayProfile.objects.count()) == ("", 0)
    now.move_to(datetime(2027, 1, 26, 9, tzinfo=make.TOKYO))
    assert ("山田 みさき", 390, 9) in late(cast, date(2027, 1, 26))
    assert pay(cast, date(2027, 1, 26), row.code) == 1


def test_work_accepted_after_she_left_is_stated_under_the_name_of_her_notice(
    cast: SimpleNamespace, now: Any
) -> None:
    order = earned.order_of(cast, kind="entry")
    erase_member(cast.misaki)
    cast.misaki.refresh_from_db()
    assert cast.misaki.name == ""
    cast.misaki.name = "山田 みさき"  # in memory only: her notice was written before she left
    earned.earn(order, cast.misaki, [1])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)

    assert Statement.objects.get(member=cast.misaki).member_name == "山田 みさき"


# ---------------------------------------------------------------- two at once


def _twice(cast: SimpleNamespace) -> None:
    """Both have read what is owed before either has written: what the line (`queue_lock`) prevents."""
    read = [statements._read(cast.ekimae, cast.misaki.pk, DECEMBER) for _one in range(2)]
    for owed in read:
        with transaction.atomic():
            statements._write(cast.ekimae, cast.misaki.pk, DECEMBER, owed)


def test_database_refuses_a_second_statement_of_a_month(cast: SimpleNamespace, now: Any) -> None:
    earned.earn(earned.order_of(cast), cast.misaki, [1])
    now.move_to(MADE)
    with pytest.raises(IntegrityError):
        _twice(cast)
    assert Statement.objects.filter(member=cast.misaki).count() == 1


def test_earning_never_moves_to_another_statement(cast: SimpleNamespace, made: Statement) -> None:
    other = Statement.objects.exclude(pk=made.pk).get()
    with pytest.raises(IntegrityError, match="what was written stays"), transaction.atomic():
        Earning.objects.update(statement=other)
    with unguarded():
        Earning.objects.update(statement=other)
        assert Earning.objects.get().statement == other


def test_price_raised_later_counts_from_then_on(cast: SimpleNamespace, now: Any) -> None:
    order = earned.order_of(cast, price_yen=1000, kind="entry")
    earned.earn(order, cast.misaki, [1])
    orders.raise_price(
        actor=cast.director, hub=cast.ekimae, code=order.code, price_yen=1200, reason="むずかしい"
    )
    earned.earn(order, cast.misaki, [2, 3])
    now.move_to(MADE)
    statements.make_statements(cast.ekimae, DECEMBER)
    worked, _directed = statements.lines_of(Statement.objects.get(member=cast.misaki))

    assert [(line.count, line.each, line.yen) for line in worked] == [(1, 650, 650), (2, 780, 1560)]
