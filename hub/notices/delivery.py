"""Couriers: at least once, and what arrives twice says so by its id (Message-ID, push topic).

A delivery is leased before it is carried and ended after it. A worker that is killed in between leaves the lease, and
the tick hands the delivery on when that has run out. A mail server that is down for a day loses nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation

from hub.core import clock, tasks
from hub.core.db import run_write
from hub.notices import topics
from hub.notices.enums import Channel, DeliveryState
from hub.notices.models import Delivery, Notice
from hub.notices.services import DELIVER
from hub.notices.topics import Message

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP = timedelta(days=3)
BATCH = 500  # deliveries that one tick hands on


def _mail(notice: Notice, message: Message) -> None:
    body = message.body or "\n\n".join(part for part in (message.text, _address(message)) if part) + "\n"
    mail = EmailMessage(
        subject=f"{message.title} | {settings.PRODUCT_NAME}",
        body=body,
        to=[str(notice.member.email)],
        headers={"Message-ID": f"<{notice.code.lower()}@hidamari>"},
    )
    for name, content, mime in message.attachments:
        mail.attach(name, content, mime)
    mail.send()


def _address(message: Message) -> str:
    return f"{settings.SITE_URL.rstrip('/')}{message.path}" if message.path else ""


SENDERS: dict[str, Callable[[Notice, Message], None]] = {Channel.MAIL: _mail}


def deliver(*, delivery: int) -> None:
    """Carry one delivery, if it is due and nobody else is carrying it. A failure is tried again later by the tick."""
    now = clock.now()
    if not run_write(lambda: _lease(delivery, now)):
        return
    row = Delivery.objects.select_related("notice__member").get(pk=delivery)
    notice = row.notice
    with translation.override(notice.member.language):
        message = topics.topic(notice.topic).compose(notice.data)
        state, error = DeliveryState.SENT, ""
        if message is None or not notice.member.is_active:
            state = DeliveryState.DROPPED
        else:
            try:
                SENDERS[row.channel](notice, message)
            except Exception as failure:
                error = type(failure).__name__
                log.warning("notice_not_sent", channel=row.channel, tries=row.tries, error=error)
    if error and now - notice.created_at < GIVE_UP:
        pause = min(timedelta(minutes=2 ** min(row.tries, 10)), LONGEST_PAUSE)
        run_write(lambda: _waiting(delivery).update(due_at=now + pause, error=error))
        return
    if error:
        state = DeliveryState.FAILED
    run_write(lambda: _waiting(delivery).update(state=state, ended_at=clock.now(), error=error))


def _waiting(delivery: int):  # type: ignore[no-untyped-def]
    return Delivery.objects.filter(pk=delivery, state=DeliveryState.WAITING)


def _lease(delivery: int, now: datetime) -> bool:
    row = _waiting(delivery).filter(due_at__lte=now).select_for_update().first()
    if row is None:
        return False
    row.due_at = now + LEASE
    row.tries += 1
    row.save(update_fields=["due_at", "tries"])
    return True


def hand_on_due() -> int:
    """Enqueue what is due: quiet hours that are over, pauses that have run out, leases of killed workers."""

    def work() -> int:
        due = Delivery.objects.filter(state=DeliveryState.WAITING, due_at__lte=clock.now()).order_by("due_at")
        pks = list(due.values_list("pk", flat=True)[:BATCH])
        for pk in pks:
            tasks.enqueue(DELIVER, delivery=pk)
        return len(pks)

    return run_write(work)
