"""Work that was done and accepted, in as few rows as the database wants: for tests of money."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

from hub.core import clock
from hub.core.db import run_write
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work import earnings, orders
from hub.work.enums import AssignmentState, DeliveryState, How
from hub.work.models import Assignment, Client, Delivery, Earning, Lot, Order, Unit, UnitImport, WorkNotice
from tests import factories as make
from tests.work import work

FAR = date(2040, 12, 31)


def order_of(
    cast: SimpleNamespace, units: int = 10, *, hub: Hub | None = None, director: Member | None = None, **fields: Any
) -> Order:  # fmt: skip
    """An accepted order with ``units`` units in it, without the way through a file."""
    hub = hub or cast.ekimae
    work.make_rates(hub)
    client = Client.objects.filter(hub=hub).first() or orders.save_client(
        hub=hub, code=None, data=orders.ClientData("見本商店", "見本 たんとう", "", "")
    )
    data = work.order_data(unit_count=units, **fields)
    order = orders.save_order(hub=hub, code=None, client_code=client.code, data=data)
    orders.accept_order(actor=director or cast.director, hub=hub, code=order.code, data=work.TERMS)
    source = UnitImport.objects.create(order=order, is_sheet=False, state="done", rows_kept=units)
    lot = Lot.objects.get(order=order)
    Unit.objects.bulk_create(
        Unit(
            order=order, lot=lot, number=n, source=source, row=n + 1, state="accepted", content_sealed=b"-"
        )
        for n in range(1, units + 1)
    )  # fmt: skip
    order.refresh_from_db()
    return order


def notice_of(order: Order, member: Member, units: int) -> WorkNotice:
    """What ``member`` was told before she began."""
    now = clock.now()
    assignment = Assignment.objects.create(
        lot=Lot.objects.get(order=order), member=member, how=How.CLAIMED, state=AssignmentState.ACCEPTED,
        unit_count=units, due_at=now + timedelta(days=30), accepted_at=now,
    )  # fmt: skip
    return WorkNotice.objects.create(
        assignment=assignment, noticed_at=now, hub_name=order.hub.name, worker_name=member.name,
        client_name=order.client.name, title=order.title, kind=order.kind, description=order.description,
        unit_count=units, unit_yen=1, amount_yen=units, receipt_by=now, place="ここ", inspected_within_days=14,
        pays_on=FAR, client_pays_on=FAR, pay_method="銀行ふりこみ", kept_until=FAR,
    )  # fmt: skip


def earn(order: Order, member: Member, units: Sequence[int], received: date = make.TODAY) -> list[Earning]:
    """These units of ``order``, sent in by ``member`` at noon of ``received``, are accepted now."""
    notice = notice_of(order, member, len(units))
    sent = datetime.combine(received, time(12), tzinfo=make.TOKYO)

    def accept() -> list[Earning]:
        made = []
        for number in units:
            delivery = Delivery.objects.create(
                unit=Unit.objects.get(order=order, number=number), notice=notice, number=1, text_sealed=b"-",
                state=DeliveryState.ACCEPTED, sent_at=sent, accepted_by_silence_at=sent + timedelta(days=14),
                decided_at=clock.now(),
            )  # fmt: skip
            made.append(earnings.enter(delivery))
        return made

    return run_write(accept)
