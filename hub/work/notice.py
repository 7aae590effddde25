"""The written notice of RULE-25: what a worker is told before she takes units. Shown first, kept when she says yes."""

from datetime import date, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from hub.core import clock
from hub.core.db import require_transaction
from hub.members.models import Member
from hub.work import money, rates
from hub.work.models import Assignment, Order, OrderRate, OrderTerms, WorkNotice
from hub.work.orders import KEPT_YEARS

INSPECTED_WITHIN_DAYS = 14


def draft(
    *, order: Order, terms: OrderTerms, rate: OrderRate, member: Member, count: int, due_at: datetime
) -> WorkNotice:
    """The notice as it would be written now, not saved: ``count`` units for ``member``, to be sent in by ``due_at``.

    It is a re-order, so the first client and the day the client pays stand in it (RULE-26). The hub pays by its own
    rule, counted from the day of receipt, which keeps it inside 60 days whatever the client does.
    """
    pays_on = money.payment_day(due_at.astimezone(order.hub.tz).date())
    kept_from = max(pays_on, terms.client_pays_on)
    return WorkNotice(
        noticed_at=clock.now(), hub_name=terms.hub_name, worker_name=member.name, client_name=terms.client_name,
        title=terms.title, kind=terms.kind, description=terms.description, unit_count=count, unit_yen=rate.worker_yen,
        amount_yen=count * rate.worker_yen, receipt_by=due_at,
        place=_("%(product)sの しごとの ページ") % {"product": settings.PRODUCT_NAME},
        inspected_within_days=INSPECTED_WITHIN_DAYS, pays_on=pays_on, client_pays_on=terms.client_pays_on,
        pay_method=terms.pay_method, kept_until=date(kept_from.year + KEPT_YEARS, 12, 31),
    )  # fmt: skip


def of_assignment(assignment: Assignment, rate: OrderRate | None = None) -> WorkNotice:
    """What ``assignment`` would be told now, not saved. Raises `OrderTerms.DoesNotExist` for an order not accepted."""
    order = assignment.lot.order
    return draft(
        order=order, terms=order.terms, rate=rate or rates.current(order), member=assignment.member,
        count=assignment.unit_count, due_at=assignment.due_at,
    )  # fmt: skip


def write(assignment: Assignment) -> WorkNotice:
    """Keep the notice of ``assignment``, in the transaction in which she takes it and before anything else is changed."""
    require_transaction()
    row = of_assignment(assignment)
    row.assignment = assignment
    row.save(force_insert=True)
    return row


def lines(notice: WorkNotice, order: Order) -> list[tuple[str, str]]:
    """Label and value of every field of RULE-25, in the language that is active."""
    tz = order.hub.tz
    return [
        (_("たのむ 人"), notice.hub_name),
        (_("受ける 人"), notice.worker_name),
        (_("もとの クライアント"), _("%(client)s（ハブが 受けた しごとの 再委託です）") % {"client": notice.client_name}),
        (_("知らせた 時"), notice.noticed_at.astimezone(tz).strftime("%Y-%m-%d %H:%M")),
        (_("しごとの 名前"), notice.title),
        (_("種類"), str(notice.get_kind_display())),
        (_("すること"), notice.description),
        (_("件数"), _("%(n)s件") % {"n": f"{notice.unit_count:,}"}),
        (_("1件の 金額"), _("%(yen)s円") % {"yen": f"{notice.unit_yen:,}"}),
        (_("金額"), _("%(yen)s円") % {"yen": f"{notice.amount_yen:,}"}),
        (_("いつまでに 送る"), notice.receipt_by.astimezone(tz).strftime("%Y-%m-%d %H:%M")),
        (_("送る ところ"), notice.place),
        (_("たしかめおわる日"), _("送ってから %(n)s日 以内") % {"n": notice.inspected_within_days}),
        (_("しはらいの 日"), notice.pays_on.isoformat()),
        (_("クライアントが はらう日"), notice.client_pays_on.isoformat()),
        (_("しはらいの 方法"), notice.pay_method),
        (_("この 書類を のこす日"), notice.kept_until.isoformat()),
    ]  # fmt: skip


def document(notice: WorkNotice) -> str:
    """The whole as plain text, one field a line."""
    head = _("しごとの 条件（%(code)s）") % {"code": notice.assignment.code}
    rows = lines(notice, notice.assignment.lot.order)
    return "\r\n".join([head, "", *(f"{label}: {value}" for label, value in rows), ""])
