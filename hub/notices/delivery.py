"""Couriers: at least once, and what arrives twice says so by its id (Message-ID, push topic).

A delivery is leased before it is carried and ended after it. A worker that is killed in between leaves the lease, and
the tick hands the delivery on when that has run out. A mail server that is down for a day loses nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.utils import translation

from hub.core import clock, tasks
from hub.core.db import run_write
from hub.notices import devices, quiet, topics
from hub.notices.enums import Channel, DeliveryState
from hub.notices.models import Delivery, Notice
from hub.notices.push import NotTaken
from hub.notices.services import DELIVER
from hub.notices.topics import Message

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP = timedelta(days=3)
BATCH = 500  # deliveries that one tick hands on


def mail_text(message: Message) -> str:
    """What stands in the mail: its own text, or the line of the list with the address of its page."""
    return message.body or "\n\n".join(part for part in (message.text, address(message)) if part) + "\n"


def _mail(notice: Notice, message: Message) -> bool:
    if not notice.member.email:
        return False
    mail = EmailMessage(
        subject=f"{message.title} | {settings.PRODUCT_NAME}",
        body=mail_text(message),
        to=[str(notice.member.email)],
        headers={"Message-ID": f"<{notice.code.lower()}@hidamari>"},
    )
    for name, content, mime in message.attachments:
        mail.attach(name, content, mime)
    mail.send()
    return True


def address(message: Message) -> str:
    """The whole address of the page that a message leads to; empty if there is none."""
    return f"{settings.SITE_URL.rstrip('/')}{message.path}" if message.path else ""


#: Each carries one notice; False says that there is nowhere (any more) to bring it.
SENDERS: dict[str, Callable[[Notice, Message], bool]] = {Channel.MAIL: _mail, Channel.PUSH: devices.carry}


def deliver(*, delivery: int) -> None:
    """Carry one delivery, if it is due and nobody else is carrying it. A failure is tried again later by the tick."""
    now = clock.now()
    if not run_write(lambda: _lease(delivery, now)):
        return
    row = Delivery.objects.select_related("notice__member").filter(pk=delivery).first()
    if row is None:  # she deleted her account in this moment
        return
    notice = row.notice
    state, error = DeliveryState.SENT, ""
    try:
        with translation.override(notice.member.language):
            if not _carry(row):
                state = DeliveryState.DROPPED
    except (OSError, NotTaken) as failure:  # a mail server or push service that is away or says no
        error = str(failure) if isinstance(failure, NotTaken) else type(failure).__name__
        log.warning("notice_not_sent", channel=row.channel, tries=row.tries, error=error)
    except Exception as failure:  # a fault of ours, in the words perhaps: it may not go round for ever either
        error = type(failure).__name__
        log.exception("notice_not_sent", channel=row.channel, tries=row.tries)
    if error and now - notice.created_at < GIVE_UP:
        due = _again(notice, row.tries, now)
        run_write(lambda: _waiting(delivery).update(due_at=due, error=error[:120]))
        return
    if error:
        state = DeliveryState.FAILED
    run_write(lambda: _waiting(delivery).update(state=state, ended_at=clock.now(), error=error[:120]))


def _carry(row: Delivery) -> bool:
    """False when there is nothing (any more) to say, or nowhere to bring it."""
    notice = row.notice
    message = topics.topic(notice.topic).compose(notice.data) if notice.member.is_active else None
    return message is not None and SENDERS[row.channel](notice, message)


def _again(notice: Notice, tries: int, now: datetime) -> datetime:
    """When to try again: 2, 4, 8 ... minutes later, at last every hour; what may not ring at night waits for the morning."""
    due = now + min(timedelta(minutes=2 ** min(tries, 10)), LONGEST_PAUSE)
    by_day = quiet.not_before(now) == now
    return quiet.not_before(due) if by_day and not notice.is_urgent else due


def _waiting(delivery: int) -> QuerySet[Delivery]:
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
