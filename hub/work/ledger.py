"""The hub's month: its share of the work in, costs out, and how much ordered work would carry it (B9)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from hub.core.db import run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import money, rates
from hub.work.enums import INCOME, LedgerKind
from hub.work.models import Earning, LedgerLine
from hub.work.statements import next_month

MOST_LEDGER_YEN = 1_000_000_000
PARTS = ("price_yen", "worker_yen", "director_yen", "hub_yen", "platform_yen")


def needed_orders(costs: int, subsidy: int, grant: int, share: int) -> int | None:
    """Yen of orders whose hub share carries what subsidy and grant leave: ceil((costs - subsidy - grant) / share).

    ``share`` in basis points. 0 where nothing is left to carry, None where the hub has no share.
    """
    rest = costs - subsidy - grant
    if rest <= 0:
        return 0
    return -(-rest * money.WHOLE // share) if share else None


@dataclass(frozen=True)
class Month:
    """All numbers of a hub's month, in yen; ``share`` in basis points, None before the first rates."""

    month: date
    parts: dict[str, int]
    lines: list[LedgerLine]
    costs: int
    subsidy: int
    grant: int
    share: int | None

    @property
    def result(self) -> int:
        return self.parts["hub_yen"] + self.subsidy + self.grant - self.costs

    @property
    def rest(self) -> int:
        """What the hub's share has to carry."""
        return max(self.costs - self.subsidy - self.grant, 0)

    @property
    def needed(self) -> int | None:
        return None if self.share is None else needed_orders(self.costs, self.subsidy, self.grant, self.share)


def month_of_hub(hub: Hub, month: date) -> Month:
    """What came in by work received in ``month``, what went out, and what is needed. Costs of the platform are costs."""
    received = Earning.objects.filter(hub=hub, received_on__gte=month, received_on__lt=next_month(month))
    sums = received.aggregate(**{f"all_{name}": Sum(name) for name in PARTS})
    lines = list(LedgerLine.objects.filter(hub=hub, month=month).select_related("made_by"))

    def total(*kinds: LedgerKind) -> int:
        return sum(line.yen for line in lines if line.kind in kinds)

    try:
        share: int | None = rates.rates_on(hub, next_month(month) - timedelta(days=1)).hub_part
    except DomainError:
        share = None
    return Month(
        month=month,
        parts={name: sums[f"all_{name}"] or 0 for name in PARTS},
        lines=lines,
        costs=total(*(kind for kind in LedgerKind if kind not in INCOME)),
        subsidy=total(LedgerKind.SUBSIDY),
        grant=total(LedgerKind.GRANT),
        share=share,
    )


def add_line(*, actor: Member, hub: Hub, month: date, kind: str, yen: int, note: str) -> LedgerLine:
    """Write a line of the hub's month. Raises 422 ``yen_range``."""
    if not 1 <= yen <= MOST_LEDGER_YEN:
        raise DomainError("yen_range", _("金額を たしかめてください。"), 422, field="yen")
    return run_write(
        lambda: LedgerLine.objects.create(
            hub=hub, month=month, kind=kind, yen=yen, note=note, made_by=actor
        )
    )  # fmt: skip


def remove_line(*, hub: Hub, code: str) -> LedgerLine:
    """Take a line away again. Raises 404 ``unknown_line``."""

    def work() -> LedgerLine:
        line = LedgerLine.objects.filter(hub=hub, code=code).first()
        if line is None:
            raise DomainError("unknown_line", _("この 行は 見つかりません。"), 404)
        LedgerLine.objects.filter(pk=line.pk).delete()
        return line

    return run_write(work)
