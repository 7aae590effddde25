"""Nobody came: after a grace her phone asks whether she is on her way, then seat and places go to whoever waits.

The desk may give them on by hand as soon as the grace is over. Whoever scans at the same moment decides together with
us over the visit's row: one of the two comes first, and the other then sees what it did (docs/desk-day.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from hub.booking import services
from hub.booking.enums import ExcuseKind
from hub.booking.models import Excuse, LateAsk
from hub.booking.templatetags.booking import named
from hub.childcare.models import Custody
from hub.core import clock, live
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.core.forms import nfkc
from hub.core.templatetags.hidamari import jtime
from hub.members.models import Member
from hub.notices import services as notices
from hub.notices.topics import Example, Message
from hub.spaces import made_up
from hub.spaces.access import Action, allowed
from hub.spaces.enums import VisitStatus
from hub.spaces.models import Hub, Visit

TOPIC = "late"
#: So long the question 「行けますか」 waits for an answer.
ANSWER = timedelta(minutes=10)
#: A missed visit counts so long, then it fades.
COUNTS_FOR = timedelta(days=90)
MAX_REASON = 200


def grace_of(hub: Hub) -> timedelta:
    """A seat is kept for so long after the start of a visit (ux.md page 1: 席を 20分 とっておきました)."""
    return timedelta(minutes=hub.grace_minutes)


def late_from(visit: Visit) -> datetime:
    """When the grace is over: counted from the start, or from the booking if that was later (a walk-in's quarter runs)."""
    return max(visit.starts_at, visit.created_at) + grace_of(visit.hub)


def kept_until(visit: Visit) -> datetime:
    """Until when the seat is kept: the grace, or as long as she asked for."""
    until = late_from(visit)
    ask = LateAsk.objects.filter(visit=visit).first()
    return max(until, ask.keep_until) if ask is not None and ask.keep_until is not None else until


def locked(code: str) -> Visit | None:
    """The visit with its row locked; a scan of the same person waits here, or we wait for it."""
    require_transaction()
    rows = Visit.objects.select_for_update(of=("self",)).select_related("hub", "member", "seat__zone")
    return rows.filter(code=code).first()


def check_missed(visit: Visit) -> None:
    """Raises `DomainError` when ``visit`` may not be given on: it is over or ended, somebody came, or it is too soon."""
    now = clock.now()
    if visit.arrived_at is not None:
        raise DomainError("has_arrived", _("この人は もう 来ています。席は そのままです。"))
    services.check_booked(visit)
    if visit.ends_at <= now:
        raise DomainError("in_past", _("この予約は もう 終わっています。"))
    until = kept_until(visit)
    if now < until:
        if until > late_from(visit):
            text = _("「行きます」と 返事が ありました。%(time)s まで 席を とっておきます。")
            raise DomainError("too_soon", text % {"time": jtime(until.astimezone(visit.hub.tz))})
        text = _("始まりから %(minutes)s分 たつまでは、席を とっておきます。")
        raise DomainError("too_soon", text % {"minutes": visit.hub.grace_minutes})
    if Custody.objects.filter(place__visit=visit).exists():
        raise DomainError(
            "child_received", _("お子さんを もう 預かっています。こどものへやに たしかめてください。")
        )


def release(*, actor: Member, code: str) -> Visit:
    """Give the seat and the places of a visit to which nobody came to others; the person gets a mail.

    A second tap is harmless: the answer is the released visit. Raises `DomainError` ``visit_unknown`` (404) for
    everybody who may not book for others at that hub; ``has_arrived``, ``too_soon``, ``in_past``, ``not_live``,
    ``child_received`` (409).
    """

    def work() -> Visit:
        services.hold_queue_of(code)
        visit = locked(code)
        if visit is None or not allowed(actor, Action.BOOK_FOR_OTHERS, visit.hub):
            raise DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)
        if visit.status == VisitStatus.RELEASED:
            return visit
        check_missed(visit)
        return _release(visit)

    return run_write(work)


def _release(visit: Visit) -> Visit:
    services.end_visit(visit, VisitStatus.RELEASED)
    live.broadcast(f"care.{visit.hub.slug}", "care")  # her children are expected no more
    live.broadcast(f"me.{visit.member.code}", "offer")  # きょう looks anew
    return visit


# ---------------------------------------------------------------- by itself (the tick)


def ask_missing(hub: Hub) -> int:
    """Ask everybody who is late at ``hub`` once whether she is on her way; returns how many were asked."""
    if not hub.releases_missed:
        return 0
    now = clock.now()
    started = now - grace_of(hub)
    rows = Visit.objects.filter(
        hub=hub, status=VisitStatus.BOOKED, arrived_at=None, starts_at__lte=started, created_at__lte=started,
        ends_at__gt=now, late_ask=None,
    )  # fmt: skip
    return _each(rows.values_list("code", flat=True), _ask)


def _ask(visit: Visit) -> None:
    check_missed(visit)
    _row, is_new = LateAsk.objects.get_or_create(visit=visit, defaults={"asked_at": clock.now()})
    if not is_new:
        raise DomainError("asked", "asked before")  # another tick was here first
    notices.tell(visit.member, TOPIC, event=f"late/{visit.code}", data={"visit": visit.code}, urgent=True)
    live.broadcast(f"me.{visit.member.code}", "offer")


def release_missing(hub: Hub) -> int:
    """Give on what nobody came for and nobody answered for in time; returns how many."""
    if not hub.releases_missed:
        return 0
    now = clock.now()
    over = Q(late_ask__keep_until__lte=now) | Q(
        late_ask__keep_until=None, late_ask__asked_at__lte=now - ANSWER
    )
    rows = Visit.objects.filter(over, hub=hub, status=VisitStatus.BOOKED, arrived_at=None, ends_at__gt=now)
    return _each(rows.values_list("code", flat=True), _release_missed)


def _release_missed(visit: Visit) -> None:
    check_missed(visit)
    ask = LateAsk.objects.get(visit=visit)
    if (ask.keep_until or ask.asked_at + ANSWER) > clock.now():
        raise DomainError("too_soon", "she answered meanwhile")
    _release(visit)


def _each(codes: Any, do: Callable[[Visit], None]) -> int:
    """``do`` for each visit in a transaction of its own, its row locked; a refusal leaves that one as it is."""

    def one(code: str) -> None:
        services.hold_queue_of(code)
        visit = locked(code)
        if visit is not None:
            do(visit)

    done = 0
    for code in list(codes):
        try:
            run_write(lambda code=code: one(code))  # type: ignore[misc]  # bound now
        except DomainError:
            continue
        done += 1
    return done


def coming(*, actor: Member, code: str) -> Visit:
    """行きます: she was asked and is on her way; the seat is kept for one more grace from now, once.

    Answering again is harmless. Raises `DomainError` ``visit_unknown`` (404), ``seat_released`` (409) where the
    answer came too late, ``not_asked`` (409).
    """

    def work() -> Visit:
        visit = services.locked_visit(actor, code)
        if visit.status == VisitStatus.RELEASED:
            raise DomainError(
                "seat_released", _("返事の 前に、席を つぎの人に ゆずりました。もう一度 予約してください。")
            )
        services.check_booked(visit)
        if visit.arrived_at is not None:
            return visit
        ask = LateAsk.objects.select_for_update().filter(visit=visit).first()
        if ask is None:
            raise DomainError("not_asked", _("席は まだ とってあります。"))
        if ask.keep_until is None:
            ask.keep_until = max(clock.now(), ask.asked_at) + grace_of(visit.hub)
            ask.save(update_fields=["keep_until"])
            live.broadcast(f"day.{visit.hub.slug}", "day")
            live.broadcast(f"me.{visit.member.code}", "offer")
        return visit

    return run_write(work)


def open_ask(visit: Visit) -> LateAsk | None:
    """The question about ``visit`` that was asked, answered or not; None before it is asked and once she came."""
    if visit.status != VisitStatus.BOOKED or visit.arrived_at is not None or visit.ends_at <= clock.now():
        return None
    return LateAsk.objects.filter(visit=visit).first()


def answer_by(ask: LateAsk) -> datetime:
    """When the seat goes on: without an answer, or at the end of what she asked for."""
    return ask.keep_until or ask.asked_at + ANSWER


def compose(data: dict[str, Any]) -> Message | None:
    """The words of the topic ``late``; None when she came, answered, or the seat has gone on."""
    visit = Visit.objects.select_related("hub").filter(code=data["visit"]).first()
    ask = open_ask(visit) if visit is not None else None
    if visit is None or ask is None or ask.keep_until is not None:
        return None
    return _words(visit.hub, answer_by(ask))


def _words(hub: Hub, answer_by: datetime) -> Message:
    until = answer_by.astimezone(hub.tz)
    text = _("%(hub)sの 席を %(minutes)s分 とっておきました。%(time)s までに 返事が ないと、つぎの人に ゆずります。") % {
        "hub": named(hub), "minutes": hub.grace_minutes, "time": jtime(until),
    }  # fmt: skip
    return Message(title=_("行けますか"), text=text, path=reverse("today"))


def examples() -> list[Example]:
    """The question to somebody who is late."""
    return [Example(_("まだ 来ていないとき"), _words(made_up.hub(), clock.now() + timedelta(minutes=10)))]


# ---------------------------------------------------------------- what counts


def missed_by(member: Member) -> list[Visit]:
    """Visits of ``member`` that were given on and count, newest first. They fade after `COUNTS_FOR`."""
    rows = Visit.objects.filter(
        member=member, status=VisitStatus.RELEASED, excuse=None, starts_at__gt=clock.now() - COUNTS_FOR
    )
    return list(rows.select_related("hub").order_by("-starts_at", "-pk"))


def fades_at(visit: Visit) -> datetime:
    """From when on a missed visit counts no more."""
    return visit.starts_at + COUNTS_FOR


def excuse(
    visit: Visit, *, by: Member | None, kind: ExcuseKind = ExcuseKind.FAMILY, reason: str = ""
) -> Excuse:
    """From now on ``visit`` never counts, in the caller's transaction. A second excuse changes nothing.

    For a visit that was cancelled or missed because a child fell ill (`ExcuseKind.FAMILY`, without a reason: it would
    be a word about her health), and for what a manager waives.
    """
    require_transaction()
    row, _made = Excuse.objects.get_or_create(
        visit=visit, defaults={"kind": kind, "reason": reason, "given_by": by, "given_at": clock.now()}
    )
    return row


def waive(*, actor: Member, hub: Hub, code: str, reason: str) -> Excuse:
    """A manager does not count a missed visit, and says why. Raises `DomainError` ``visit_unknown`` (404), ``reason_missing`` (422)."""
    text = nfkc(reason)[:MAX_REASON]

    def work() -> Excuse:
        visit = Visit.objects.filter(hub=hub, code=code, status=VisitStatus.RELEASED).first()
        if visit is None or not allowed(actor, Action.MANAGE_PEOPLE, hub):
            raise DomainError("visit_unknown", _("その予約は 見つかりません。"), 404)
        if not text:
            raise DomainError("reason_missing", _("わけを 書いてください。"), 422, field="reason")
        return excuse(visit, by=actor, kind=ExcuseKind.WAIVED, reason=text)

    return run_write(work)
