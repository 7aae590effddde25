"""Telling somebody: once, in her language, at an hour at which it may ring, and again when the courier failed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from hub.core import tasks
from hub.core.db import run_write
from hub.notices import delivery, services, topics
from hub.notices.enums import Channel, DeliveryState, Kind
from hub.notices.models import Choice, Delivery, Notice
from hub.notices.topics import Message
from tests import factories as make

pytestmark = pytest.mark.both_databases


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A topic of the test; ``gone`` makes it say nothing."""
    state: dict[str, Any] = {"gone": False}

    def compose(data: dict[str, Any]) -> Message | None:
        return (
            None if state["gone"] else Message(title=_("予約できました"), text=data["word"], path="/visits/")
        )

    monkeypatch.setitem(topics._topics, "test", topics.Topic("test", Kind.CHANGE, compose))
    return state


def tell(member: Any, event: str = "e1", **options: bool) -> Notice | None:
    return run_write(lambda: services.tell(member, "test", event=event, data={"word": "ことば"}, **options))


def test_same_event_is_told_once(cast: Any, topic: Any) -> None:
    assert tell(cast.misaki) is not None
    assert tell(cast.misaki) is None
    tasks.run_pending()
    assert [(one.subject, one.to) for one in mail.outbox] == [
        ("予約できました | ひだまり", ["misaki@demo.example"])
    ]
    assert mail.outbox[0].body == "ことば\n\nhttp://localhost:8000/visits/\n"


def test_without_the_constraint_it_would_be_told_twice(cast: Any, topic: Any) -> None:
    """The harm: two workers that both look first. The row itself refuses the second."""
    tell(cast.misaki)
    twin = Notice.objects.get()
    twin.pk, twin.code = None, "SECOND"
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_notice_of_a_rolled_back_change_does_not_exist(cast: Any, topic: Any) -> None:
    def work() -> None:
        services.tell(cast.misaki, "test", event="e", data={"word": "x"})
        raise ValueError("the change fails")

    with pytest.raises(ValueError, match="the change fails"):
        run_write(work)
    assert (Notice.objects.count(), Delivery.objects.count(), tasks.run_pending()) == (0, 0, 0)


def test_words_are_in_the_language_of_the_member(cast: Any, topic: Any) -> None:
    cast.misaki.language = "en"
    with translation.override("ja"):
        notice = tell(cast.misaki)
    assert notice is not None
    assert (notice.language, notice.title) == ("en", "You are booked")


@pytest.mark.parametrize(
    ("options", "due"), [({}, "07:00"), ({"urgent": True}, "22:30"), ({"own": True}, "22:30")]
)
def test_night_is_quiet_except_for_what_cannot_wait(
    cast: Any, topic: Any, now: Any, options: Any, due: str
) -> None:
    now.move_to(make.at(22, 30, make.TODAY))
    tell(cast.misaki, **options)
    row = Delivery.objects.get()
    assert f"{row.due_at.astimezone(make.TOKYO):%H:%M}" == due
    assert len(mail.outbox) == 0
    tasks.run_pending()
    assert len(mail.outbox) == (0 if not options else 1)
    now.move_to(make.at(7, 0, make.TODAY) + timedelta(days=1))
    delivery.hand_on_due()
    tasks.run_pending()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(("urgent", "mails"), [(False, 0), (True, 1)])
def test_mail_that_she_did_not_want_stays_in_the_list(
    cast: Any, topic: Any, urgent: bool, mails: int
) -> None:
    Choice.objects.create(member=cast.misaki, kind=Kind.CHANGE, by_mail=False)
    tell(cast.misaki, urgent=urgent)
    tasks.run_pending()
    assert (len(mail.outbox), Notice.objects.count()) == (mails, 1)


def test_member_without_an_address_has_the_list(cast: Any, topic: Any) -> None:
    cast.misaki.email = None
    cast.misaki.save()
    tell(cast.misaki)
    assert (Notice.objects.count(), Delivery.objects.count()) == (1, 0)


def test_what_is_no_longer_so_is_not_sent(cast: Any, topic: Any) -> None:
    tell(cast.misaki)
    topic["gone"] = True
    tasks.run_pending()
    assert (Delivery.objects.get().state, mail.outbox) == (DeliveryState.DROPPED, [])


def test_mail_server_down_for_a_day_loses_and_doubles_nothing(
    cast: Any, topic: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(notice: Notice, message: Message) -> None:
        raise ConnectionRefusedError

    working = delivery.SENDERS[Channel.MAIL]
    monkeypatch.setitem(delivery.SENDERS, Channel.MAIL, down)
    for n in range(3):
        tell(cast.misaki, f"e{n}")
    for _hour in range(24):
        tasks.run_pending()
        now.shift(timedelta(hours=1))
        delivery.hand_on_due()
        delivery.hand_on_due()  # two ticks at once
    row = Delivery.objects.first()
    assert row is not None
    assert (row.state, row.error) == (DeliveryState.WAITING, "ConnectionRefusedError")
    assert 12 <= row.tries <= 16  # once an hour in the end, and not at night
    monkeypatch.setitem(delivery.SENDERS, Channel.MAIL, working)
    tasks.run_pending()
    assert len(mail.outbox) == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT}
    delivery.hand_on_due()
    assert (tasks.run_pending(), len(mail.outbox)) == (0, 3)


def test_after_three_days_it_is_given_up_and_says_so(
    cast: Any, topic: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(notice: Notice, message: Message) -> None:
        raise ConnectionRefusedError

    monkeypatch.setitem(delivery.SENDERS, Channel.MAIL, down)
    tell(cast.misaki)
    tasks.run_pending()
    now.shift(delivery.GIVE_UP)
    delivery.hand_on_due()
    tasks.run_pending()
    row = Delivery.objects.get()
    assert (row.state, row.error, row.ended_at is not None) == (
        DeliveryState.FAILED,
        "ConnectionRefusedError",
        True,
    )


def test_delivery_that_a_killed_worker_left_is_carried_after_its_lease(
    cast: Any, topic: Any, now: Any
) -> None:
    tell(cast.misaki)
    row = Delivery.objects.get()
    assert run_write(lambda: delivery._lease(row.pk, make.NOW))  # and here the worker dies
    tasks.run_pending()
    assert mail.outbox == []  # somebody may still be carrying it
    now.shift(delivery.LEASE)
    assert delivery.hand_on_due() == 1
    tasks.run_pending()
    assert len(mail.outbox) == 1


def test_words_that_cannot_be_written_are_given_up_too(
    cast: Any, topic: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(cast.misaki)

    def broken(data: dict[str, Any]) -> Message:
        raise KeyError("visit")

    monkeypatch.setitem(topics._topics, "test", topics.Topic("test", Kind.CHANGE, broken))
    tasks.run_pending()
    row = Delivery.objects.get()
    assert (row.state, row.error) == (DeliveryState.WAITING, "KeyError")
    now.shift(delivery.GIVE_UP)
    delivery.hand_on_due()
    tasks.run_pending()
    assert Delivery.objects.get().state == DeliveryState.FAILED


@pytest.mark.parametrize(("at", "urgent", "again"), [(20.99, False, 31), (20.99, True, 21), (22, True, 22)])
def test_retry_that_was_due_by_day_does_not_ring_at_night(
    cast: Any, topic: Any, now: Any, monkeypatch: pytest.MonkeyPatch, at: float, urgent: bool, again: int
) -> None:
    def down(notice: Notice, message: Message) -> bool:
        raise ConnectionRefusedError

    monkeypatch.setitem(delivery.SENDERS, Channel.MAIL, down)
    now.move_to(make.at(int(at), round(at % 1 * 60), make.TODAY))
    tell(cast.misaki, urgent=urgent)
    tasks.run_pending()
    due = Delivery.objects.get().due_at.astimezone(make.TOKYO)
    assert (due - make.at(0, 0, make.TODAY)) // timedelta(hours=1) == again


def test_account_that_is_gone_is_told_nothing(cast: Any, topic: Any) -> None:
    cast.misaki.is_active = False
    cast.misaki.save()
    assert tell(cast.misaki) is None
    assert Notice.objects.count() == 0
