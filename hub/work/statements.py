"""Monthly statements: what a hub owes whom, when it is due by its own rule and by law, and that it was paid (docs/pay.md).

Records, not a bank: nothing here moves money. A statement takes every earning that no statement has yet, received in its
month or before, so that what was accepted late comes with the next one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.core import clock
from hub.core.db import queue_lock, require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.access import Action, roles_for
from hub.spaces.enums import MembershipStatus
from hub.spaces.models import Hub
from hub.work import money
from hub.work.models import Earning, InvoiceDeduction, PayProfile, Statement, WorkNotice

log = structlog.get_logger(__name__)
READY, OVERDUE = "statement", "overdue"
#: Silence of 14 days accepts (docs/work.md), so by then all that was received in a month is decided.
MADE_FROM_DAY = 16
#: Books for tax (青色申告の帳簿, 法人税法施行規則 59条) are kept seven years; counted here from the end of the year.
KEPT_YEARS = 7
SOON = timedelta(days=7)
_NUMBERS = 5_026_001  # the kind of our line in `queue_lock`


def month_of(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return month_of(month + timedelta(days=31))


def month_before(month: date) -> date:
    return month_of(month - timedelta(days=1))


def made_from(month: date) -> date:
    """The day from which statements of ``month`` can be made."""
    return next_month(month).replace(day=MADE_FROM_DAY)


def newest_month(today: date) -> date:
    """The last month whose statements can be made on ``today``."""
    before = month_before(month_of(today))
    return before if today >= made_from(before) else month_before(before)


def owed_to(hub: Hub, member_id: int) -> QuerySet[Earning]:
    """Earnings of ``hub`` of which a part is hers and on no statement yet."""
    mine = Q(member_id=member_id, statement=None)
    return Earning.objects.filter(
        mine | Q(director_id=member_id, director_yen__gt=0, director_statement=None), hub=hub
    )


def _who_is_owed(hub: Hub, month: date) -> list[int]:
    """Members with something unstated, in a fixed order, so that numbers do not depend on the database's mood."""
    rows = Earning.objects.filter(hub=hub, received_on__lt=next_month(month))
    workers = rows.filter(statement=None, worker_yen__gt=0).values_list("member_id", flat=True)
    directors = rows.filter(director_statement=None, director_yen__gt=0, director__isnull=False)
    found = set(workers.order_by().distinct())
    found |= set(directors.order_by().values_list("director_id", flat=True).distinct())
    stated = Statement.objects.filter(hub=hub, month=month, member__in=found)
    return sorted(found - set(stated.values_list("member_id", flat=True)))


def make_statements(hub: Hub, month: date) -> list[Statement]:
    """Write the statements of ``month`` (its first day) that are not there yet, one transaction for each member.

    Run again, or by two at once, each earning is on one statement. Raises `DomainError` ``too_early`` (409) before the
    16th of the next month.
    """
    if clock.today(hub.tz) < made_from(month):
        raise DomainError("too_early", gettext_lazy("この月の 明細は、つぎの月の 16日から 作れます。"), 409)
    made = []
    for member_id in _who_is_owed(hub, month):
        statement = run_write(lambda member_id=member_id: _state(hub, member_id, month))  # type: ignore[misc]  # bound now
        if statement is not None:
            made.append(statement)
    return made


def make_due(hub: Hub) -> list[Statement]:
    """The statements that can be made today; for the tick."""
    return make_statements(hub, newest_month(clock.today(hub.tz)))


def state_leaver(member: Member) -> None:
    """Who leaves gets her statement at once, while her name is still there. In the caller's transaction, before other locks."""
    require_transaction()
    hubs = Hub.objects.filter(
        Q(earnings__member=member, earnings__statement=None)
        | Q(earnings__director=member, earnings__director_statement=None)
    )
    for hub in hubs.distinct().order_by("pk"):
        _state(hub, member.pk, month_of(clock.today(hub.tz)))
    PayProfile.objects.filter(member=member).delete()


def _state(hub: Hub, member_id: int, month: date) -> Statement | None:
    """Write her statement of ``month``; None where it is there already or nothing is owed."""
    # Numbers have no gaps and an earning goes on one statement: one writer of statements at a hub at a time.
    queue_lock(_NUMBERS, hub.pk)
    if Statement.objects.filter(hub=hub, member_id=member_id, month=month).exists():
        return None
    return _write(hub, member_id, month, _read(hub, member_id, month))


@dataclass(frozen=True)
class _Owed:
    """The earnings of a member that no statement has, and their sums."""

    worked: list[int]
    directed: list[int]
    work_yen: int
    director_yen: int
    withheld_from: int
    latest_on: date | None


def _read(hub: Hub, member_id: int, month: date) -> _Owed:
    rows = owed_to(hub, member_id).filter(received_on__lt=next_month(month)).order_by("pk")
    worked, directed, work, director, from_yen = [], [], 0, 0, 0
    latest: date | None = None
    for row in rows:
        if row.member_id == member_id and row.statement_id is None:
            worked.append(row.pk)
            work += row.worker_yen
            from_yen += row.worker_yen if row.withholds else 0
        if row.director_id == member_id and row.director_yen and row.director_statement_id is None:
            directed.append(row.pk)
            director += row.director_yen
        latest = min(latest or row.latest_on, row.latest_on)
    return _Owed(worked, directed, work, director, from_yen, latest)


def _write(hub: Hub, member_id: int, month: date, owed: _Owed) -> Statement | None:
    require_transaction()
    if (
        owed.latest_on is None or owed.work_yen + owed.director_yen == 0
    ):  # nothing to pay: no paper about zero yen
        return None
    member = Member.objects.get(pk=member_id)
    profile = PayProfile.objects.filter(member=member).first()
    registration = profile.registration_number if profile else ""
    newest = Statement.objects.filter(hub=hub).order_by("-number").values_list("number", flat=True).first()
    tax = money.withholding(owed.withheld_from)
    pays_on = money.payment_day(month)
    statement = Statement.objects.create(
        hub=hub, member=member, number=(newest or 0) + 1, month=month, hub_name=hub.name, member_name=_name_of(member),
        registration_number=registration, unit_count=len(owed.worked), work_yen=owed.work_yen,
        director_yen=owed.director_yen, withheld_from_yen=owed.withheld_from, withholding_yen=tax,
        net_yen=owed.work_yen + owed.director_yen - tax, deduction_percent=deduction(registration, month),
        pays_on=pays_on, latest_on=owed.latest_on, made_at=clock.now(),
        kept_until=date(pays_on.year + KEPT_YEARS, 12, 31),
    )  # fmt: skip
    Earning.objects.filter(pk__in=owed.worked).update(statement=statement)
    Earning.objects.filter(pk__in=owed.directed).update(director_statement=statement)
    notices.tell(member, READY, event=f"statement/{statement.code}", data={"statement": statement.code})
    return statement


def _name_of(member: Member) -> str:
    """Her name; of somebody who has left, as she was called in what she was told about her work or in an older statement."""
    if member.name:
        return member.name
    told = WorkNotice.objects.filter(assignment__member=member).order_by("-noticed_at")
    stated = Statement.objects.filter(member=member).order_by("-pk")
    return told.values_list("worker_name", flat=True).first() or (
        stated.values_list("member_name", flat=True).first() or ""
    )


def deduction(registration_number: str, month: date) -> int:
    """Percent of the consumption tax in a statement of ``month`` that the hub may deduct (RULE-30). Nobody's pay depends on it."""
    if registration_number:
        return 100
    last = next_month(month) - timedelta(days=1)
    row = InvoiceDeduction.objects.filter(valid_from__lte=last).first()
    return row.percent if row else 100  # before invoices there was no cut


# ---------------------------------------------------------------- paying


def _held(hub: Hub, code: str) -> Statement:
    require_transaction()
    found = Statement.objects.select_for_update(of=("self",)).filter(hub=hub, code=code).first()
    if found is None:
        raise DomainError("unknown_statement", gettext_lazy("この 明細は 見つかりません。"), 404)
    return found


def mark_paid(*, actor: Member, hub: Hub, codes: Iterable[str], paid_on: date) -> int:
    """Note that these statements were paid on ``paid_on``: all of them or none. Returns how many were not noted before.

    Raises 404 ``unknown_statement``; 422 with the field ``paid_on``: ``paid_in_future``, ``paid_before_made``; 409
    ``paid_already`` where another day is noted.
    """

    def work() -> int:
        if paid_on > clock.today(hub.tz):
            raise DomainError(
                "paid_in_future",
                gettext_lazy("はらった日は、きょうか その前に してください"),
                422,
                field="paid_on",
            )
        new = 0
        for code in sorted(set(codes)):
            statement = _held(hub, code)
            if statement.paid_on == paid_on:
                continue
            if statement.paid_on is not None:
                raise DomainError(
                    "paid_already", gettext_lazy("もう「はらいました」に なっています。先に もどしてください。"), 409
                )  # fmt: skip
            if paid_on < statement.made_at.astimezone(hub.tz).date():
                raise DomainError(
                    "paid_before_made",
                    gettext_lazy("はらった日は、明細を 作った日か そのあとに してください"),
                    422,
                    field="paid_on",
                )
            Statement.objects.filter(pk=statement.pk).update(paid_on=paid_on)
            new += 1
        log.info("statements_paid", count=new, by=actor.code, on=paid_on.isoformat())
        return new

    return run_write(work)


def unmark_paid(*, actor: Member, hub: Hub, code: str) -> None:
    """Take a slip of the hand back: the statement is unpaid again. Raises 404 ``unknown_statement``."""

    def work() -> None:
        statement = _held(hub, code)
        Statement.objects.filter(pk=statement.pk).update(paid_on=None)
        log.info("statement_unpaid", statement=code, by=actor.code)

    run_write(work)


# ---------------------------------------------------------------- what is late


@dataclass(frozen=True)
class Due:
    """Money that somebody waits for: a statement, or (None) earnings that are on none yet."""

    statement: Statement | None
    name: str
    yen: int
    pays_on: date | None
    latest_on: date  # the legal day, RULE-26
    since: date  # from when it is on this list
    days: int  # until the legal day; negative once it is past

    @property
    def past(self) -> int:
        """Days by which the legal day is past; 0 while it is not."""
        return max(-self.days, 0)


def overdue(hub: Hub, today: date) -> list[Due]:
    """Unpaid statements past their day, and whatever has less than 7 days to the legal one, stated or not; worst first."""
    found = []
    soon = today + SOON
    late = Statement.objects.filter(
        Q(pays_on__lt=today) | Q(latest_on__lt=soon), hub=hub, paid_on=None, net_yen__gt=0
    )
    for row in late:
        since = min(row.pays_on + timedelta(days=1), _soon_from(row.latest_on))
        found.append(
            Due(
                row,
                row.member_name,
                row.net_yen,
                row.pays_on,
                row.latest_on,
                since,
                (row.latest_on - today).days,
            )
        )
    waiting = Earning.objects.filter(hub=hub, latest_on__lt=soon).order_by()
    for who, what in (("member", "worker"), ("director", "director")):
        on = "statement" if who == "member" else "director_statement"
        rows = waiting.filter(**{f"{on}__isnull": True, f"{what}_yen__gt": 0, f"{who}__isnull": False})
        for one in rows.values(f"{who}_id", f"{who}__name").annotate(
            yen=Sum(f"{what}_yen"), latest=Min("latest_on"), accepted=Max("accepted_on")
        ):
            # Accepted today, it is new tomorrow: today's word may have gone out already.
            since = max(_soon_from(one["latest"]), one["accepted"] + timedelta(days=1))
            left = (one["latest"] - today).days
            found.append(Due(None, one[f"{who}__name"], one["yen"], None, one["latest"], since, left))
    return sorted(found, key=lambda due: (due.latest_on, due.pays_on or date.max, due.name, due.yen))


def _soon_from(latest: date) -> date:
    return latest - SOON + timedelta(days=1)


def tell_overdue(hub: Hub) -> int:
    """Tell the hub's people who pay, once whenever something new is on the list. Returns how many were told."""
    found = overdue(hub, clock.today(hub.tz))
    if not found:
        return 0
    event = f"overdue/{hub.slug}/{max(due.since for due in found).isoformat()}"
    people = Member.objects.filter(
        memberships__hub=hub,
        memberships__role__in=roles_for(Action.PAY_WORK),
        memberships__status=MembershipStatus.ACTIVE,
    ).distinct()

    def work() -> int:
        told = [notices.tell(person, OVERDUE, event=event, data={"hub": hub.slug}) for person in people]
        return sum(1 for notice in told if notice is not None)

    return run_write(work)


# ---------------------------------------------------------------- words


def compose_ready(data: dict[str, Any]) -> Message | None:
    """No amount and no client: this may light up on a locked screen."""
    row = Statement.objects.filter(code=data["statement"]).first()
    return None if row is None else _ready_words(row.hub_name, row.month, row.code)


def _ready_words(hub_name: str, month: date, code: str) -> Message:
    line = _("%(hub)s・%(year)s年%(month)s月分。金額と しはらいの 日を 見られます。") % {
        "hub": hub_name, "year": month.year, "month": month.month,
    }  # fmt: skip
    return Message(
        title=_("しごとの 明細が できました"), text=line, path=reverse("pay_statement", args=[code])
    )


def examples_ready() -> list[Example]:
    """A statement that is there."""
    return [Example(_("明細が できた"), _ready_words(made_up.hub().name, date(2026, 11, 1), "EXAMPLE0"))]


def compose_overdue(data: dict[str, Any]) -> Message | None:
    """None when everything has been paid since."""
    hub = Hub.objects.filter(slug=data["hub"]).first()
    if hub is None or not overdue(hub, clock.today(hub.tz)):
        return None
    return _overdue_words(hub)


def _overdue_words(hub: Hub) -> Message:
    return Message(
        title=_("しはらいの 期限を 見てください"),
        text=_("%(hub)sで、期限が すぎたか 近い しはらいが あります。") % {"hub": hub.name},
        path=reverse("desk_pay", args=[hub.slug]),
    )


def examples_overdue() -> list[Example]:
    """Something that must be paid."""
    return [Example(_("しはらいが おくれている"), _overdue_words(made_up.hub()))]


# ---------------------------------------------------------------- reads of the pages


@dataclass(frozen=True)
class Line:
    """Units of one order that brought the same: ``count`` x ``each`` yen."""

    title: str
    count: int
    each: int
    yen: int
    withholds: bool


def lines_of(statement: Statement) -> tuple[list[Line], list[Line]]:
    """What a statement is made of, by order and rate: the work, and the director's part of others' work."""

    def lines(rows: QuerySet[Earning], what: str) -> list[Line]:
        groups = rows.values("order_id", "order__title", what, "withholds").annotate(n=Count("pk"))
        return [
            Line(row["order__title"], row["n"], row[what], row["n"] * row[what], row["withholds"])
            for row in groups.order_by("order_id", what, "withholds")
        ]

    return lines(statement.earnings.all(), "worker_yen"), lines(statement.directed.all(), "director_yen")


def months_of(hub: Hub) -> list[Any]:
    """Every month with statements, newest first: how many, how much, how many unpaid."""
    rows = Statement.objects.filter(hub=hub).order_by().values("month")
    return list(
        rows.annotate(
            n=Count("pk"), work=Sum("work_yen"), director=Sum("director_yen"), tax=Sum("withholding_yen"),
            net=Sum("net_yen"), unpaid=Count("pk", filter=Q(paid_on=None)),
        ).order_by("-month")
    )  # fmt: skip


def year_of(member: Member, year: int) -> list[Any]:
    """What was paid to ``member`` in a calendar year, by hub: by the day of paying, as a 支払調書 counts."""
    rows = Statement.objects.filter(member=member, paid_on__year=year).order_by().values("hub_name")
    return list(
        rows.annotate(
            n=Count("pk"), work=Sum("work_yen"), director=Sum("director_yen"), tax=Sum("withholding_yen"),
            net=Sum("net_yen"),
        ).order_by("hub_name")
    )  # fmt: skip
