"""Handing out: the director's sharing out, invitations, claims, answers, giving back. Rights are asked by the pages.

Every use case that changes who has units holds the order's row first, so two of them never decide about the same units
at once; the unique constraint of `Lease` stands behind it (decision 0023).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from hub.core import clock, idempotency
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.notices import services as notices
from hub.spaces.models import Hub
from hub.work import allocation, leases, notice, offer_words, queries, room
from hub.work.allocation import Share
from hub.work.enums import AssignmentState, EndReason, How, OrderState, UnitState
from hub.work.models import Assignment, HandOut, Lot, OfferedHours, Order, Unit
from hub.work.models.handing import MOST_MINUTES_A_WEEK
from hub.work.orders import not_found

ANSWER_WITHIN = timedelta(hours=48)
CLAIM_DUE = timedelta(hours=48)
MOST_PER_CLAIM = 200


# ---------------------------------------------------------------- what may be handed out


def check_order(order: Order) -> None:
    """Raises `DomainError` 409 ``order_open`` before acceptance, ``gate_closed`` for confidential work."""
    if order.state != OrderState.ACCEPTED:
        raise DomainError("order_open", _("まだ 受けていない 受注は 配れません。"), 409)
    if order.is_confidential:
        raise DomainError(
            "gate_closed", _("機密の しごとです。へやの 端末の しくみが できるまで 配れません。"), 409
        )


def open_lot(order: Order, number: int) -> Lot:
    """The lot of this number, if it may be handed out. Raises 404 ``unknown_order``, 409 as `check_order` and ``lot_closed``."""
    check_order(order)
    lot = order.lots.filter(number=number).first()
    if lot is None:
        raise not_found()
    if lot.pk not in {one.pk for one in queries.open_lots(order)}:
        raise DomainError(
            "lot_closed", _("この まとまりは まだ 開いていません。前の まとまりの 合格を 待ちます。"), 409
        )
    lot.order = order
    return lot


def free_of(lot: Lot) -> int:
    """How many units of ``lot`` nobody has."""
    return Unit.objects.filter(lot=lot, state=UnitState.FREE).count()


def hold_order(pk: int) -> Order:
    """The order's row, held until the transaction ends; who only refers to it (an earning, a unit) does not wait."""
    require_transaction()
    return (
        Order.objects.select_for_update(of=("self",), no_key=True).select_related("hub", "terms").get(pk=pk)
    )


def _hold(hub: Hub, code: str, number: int) -> Lot:
    pk = Order.objects.filter(hub=hub, code=code).values_list("pk", flat=True).first()
    if pk is None:
        raise not_found()
    Order.objects.select_for_update(no_key=True).get(pk=pk)
    return open_lot(Order.objects.select_related("hub", "client").get(pk=pk), number)


# ---------------------------------------------------------------- the director shares out


@dataclass(frozen=True)
class Row:
    """One person of a proposal: what she would get, and why."""

    person: room.Person
    share: Share


@dataclass(frozen=True)
class Proposal:
    """A sharing out as it would be made now. ``total`` units of ``free`` ones; people are in the order of their codes."""

    lot: Lot
    due: room.Due
    free: int
    total: int
    cap: int | None
    rows: list[Row]
    inputs: dict[str, Any]

    @property
    def lines(self) -> dict[str, int]:
        """How many for whom, by member code; those who get none are in it too."""
        return {row.share.code: row.share.count for row in self.rows}

    @property
    def shared(self) -> int:
        return sum(row.share.count for row in self.rows)

    @property
    def left(self) -> int:
        """Units that nobody has room for."""
        return self.total - self.shared

    @property
    def digest(self) -> str:
        """What was shown, in short: a hand-out says which proposal it changes."""
        return hashlib.sha256(repr(sorted(self.lines.items())).encode()).hexdigest()[:32]


def propose(*, hub: Hub, order_code: str, lot_number: int, units: int | None = None, cap: int | None = None) -> Proposal:  # fmt: skip
    """How ``units`` (all free ones of the lot by default) would be shared out now, at most ``cap`` for one. Changes nothing.

    Raises `DomainError` 404 ``unknown_order``; 409 ``order_open``, ``gate_closed``, ``lot_closed``, ``deadline_closed``.
    """
    order = queries.order_of(hub, order_code)
    if order is None:
        raise not_found()
    return _propose(open_lot(order, lot_number), units, cap)


def _propose(lot: Lot, units: int | None, cap: int | None) -> Proposal:
    order = lot.order
    due = room.due_of(order)
    free = free_of(lot)
    total = free if units is None else min(units, free)
    needed = room.level_for(order, lot)
    people = [person for person in room.people_of(order) if person.level >= needed]
    candidates = [room.candidate(person, order, due.weeks, cap) for person in people]
    shares = allocation.allocate(total, candidates)
    rows = [Row(person, share) for person, share in zip(people, shares, strict=True)]
    return Proposal(lot, due, free, total, cap, rows, allocation.inputs_of(total, candidates))


def hand_out(
    *, actor: Member, hub: Hub, order_code: str, lot_number: int, units: int, cap: int | None, lines: Mapping[str, int],
    reason: str = "", seen: str | None = None, key: str | None = None,
) -> HandOut:  # fmt: skip
    """Offer ``lines`` (member code -> how many) to people: what `propose` said, or changed by the director with a ``reason``.

    ``seen`` is the digest of the proposal she changed. Raises `DomainError` 404, 409 as `propose` and ``units_gone``,
    ``proposal_changed``, ``not_eligible``; 422 ``reason_missing``, ``nothing_chosen``, ``key_reused``. Then nothing is written.
    """
    reason = reason.strip()[:200]

    def work() -> HandOut:
        lot = _hold(hub, order_code, lot_number)
        found = _propose(lot, units, cap)
        wanted = _wanted(lines)
        if units > found.free or sum(wanted.values()) > found.free:
            raise _units_gone(found.free)
        if seen is not None and seen != found.digest:
            raise DomainError(
                "proposal_changed", _("さっきと ようすが 変わりました。新しい 案を 見てください。"), 409
            )
        proposed = found.lines
        if not wanted.keys() <= proposed.keys():
            raise DomainError("not_eligible", _("この しごとを いま 頼めない 人が います。"), 409)
        changed = {code: wanted.get(code, 0) for code in proposed if wanted.get(code, 0) != proposed[code]}
        if changed and not reason:
            raise DomainError(
                "reason_missing", _("案と ちがう 数に するときは、わけを 書いてください"), 422, field="reason"
            )
        inputs = found.inputs | {"lot": lot.number, "changed": changed, "reason": reason if changed else ""}
        facts = {row.share.code: row.share.facts() for row in found.rows}
        members = {row.share.code: row.person.member for row in found.rows}
        return _offer(
            lot=lot, due=found.due, how=How.ALLOCATED, actor=actor, inputs=inputs, wanted=wanted, members=members,
            facts=facts, reasons=dict.fromkeys(changed, reason),
        )  # fmt: skip

    body = [order_code, lot_number, units, cap, sorted(lines.items()), reason, seen]
    return _once(actor, key, "hand_out", body, work)


def invite(
    *, actor: Member, hub: Hub, order_code: str, lot_number: int, lines: Mapping[str, int], reason: str = "",
    key: str | None = None,
) -> HandOut:  # fmt: skip
    """Ask chosen people for so many units each, whatever their level and hours: the director's yes (B4, 指名).

    A ``reason`` is kept, and required above somebody's level. Raises as `hand_out`.
    """
    reason = reason.strip()[:200]

    def work() -> HandOut:
        lot = _hold(hub, order_code, lot_number)
        order = lot.order
        due, free, wanted = room.due_of(order), free_of(lot), _wanted(lines)
        people = {person.member.code: person for person in room.people_of(order)}
        if not wanted.keys() <= people.keys():
            raise DomainError("not_eligible", _("この しごとを いま 頼めない 人が います。"), 409)
        if sum(wanted.values()) > free:
            raise _units_gone(free)
        needed = room.level_for(order, lot)
        if not reason and any(people[code].level < needed for code in wanted):
            raise DomainError(
                "reason_missing", _("レベルより 上の しごとを 頼むときは、わけを 書いてください"), 422,
                field="reason",
            )  # fmt: skip
        return _offer(
            lot=lot, due=due, how=How.INVITED, actor=actor, wanted=wanted,
            inputs={"lot": lot.number, "lines": wanted, "reason": reason},
            members={code: people[code].member for code in wanted},
            facts={code: {"level": people[code].level, "needed": needed} for code in wanted},
            reasons=dict.fromkeys(wanted, reason),
        )  # fmt: skip

    return _once(actor, key, "invite", [order_code, lot_number, sorted(lines.items()), reason], work)


def _once(actor: Member, key: str | None, route: str, body: Sequence[Any], work: Callable[[], HandOut]) -> HandOut:  # fmt: skip
    """Run ``work`` in its transaction; the same ``key`` again gives the hand-out of the first time (I5)."""

    def keyed() -> HandOut:
        if key is None:
            return work()
        stored = idempotency.claim(actor.pk, key, idempotency.fingerprint(route, body))
        if stored is not None:
            return HandOut.objects.get(code=stored["hand_out"])
        done = work()
        idempotency.store(actor.pk, key, {"hand_out": done.code})
        return done

    return run_write(keyed)


def _wanted(lines: Mapping[str, int]) -> dict[str, int]:
    """The lines that ask for something, by code. Raises 422 ``nothing_chosen``."""
    wanted = {code: count for code, count in sorted(lines.items()) if count > 0}
    if not wanted or min(lines.values()) < 0:
        raise DomainError("nothing_chosen", _("だれに 何件 配るか 入れてください"), 422)
    return wanted


def _units_gone(free: int) -> DomainError:
    sentence = _("のこりが %(n)s件に なりました。数を なおしてください。") % {"n": f"{free:,}"}
    return DomainError("units_gone", sentence, 409, free=free)


def _offer(
    *, lot: Lot, due: room.Due, how: How, actor: Member, inputs: dict[str, Any], wanted: dict[str, int],
    members: Mapping[str, Member], facts: Mapping[str, dict[str, Any]], reasons: Mapping[str, str],
) -> HandOut:  # fmt: skip
    """Write the hand-out, an offer for each person, her leases, and tell her."""
    require_transaction()
    now, total = clock.now(), sum(wanted.values())
    units = leases.free_units(lot, total)
    if len(units) < total:
        raise _units_gone(len(units))
    made = HandOut.objects.create(
        order=lot.order, how=how, unit_count=total, inputs=inputs, made_by=actor, made_at=now
    )
    at = 0
    for code, count in wanted.items():
        offered = Assignment.objects.create(
            lot=lot, member=members[code], hand_out=made, how=how, unit_count=count, explanation=facts[code],
            reason=reasons.get(code, ""), answer_by=min(now + ANSWER_WITHIN, due.at), due_at=due.at, made_at=now,
        )  # fmt: skip
        leases.take(offered, units[at : at + count])
        at += count
        offer_words.tell_offered(offered)
    return made


# ---------------------------------------------------------------- first come


def set_claims(*, actor: Member, hub: Hub, order_code: str, lot_number: int, most_per_claim: int) -> Lot:
    """Let people with the level take up to ``most_per_claim`` units of a lot at a time; 0 closes it again.

    Raises `DomainError` 404, 409 as `open_lot` (closing asks for nothing), 422 ``count_range``.
    """

    def work() -> Lot:
        if not 0 <= most_per_claim <= MOST_PER_CLAIM:
            raise _count_range(MOST_PER_CLAIM)
        if most_per_claim:
            lot = _hold(hub, order_code, lot_number)
            room.due_of(lot.order)
        else:
            found = Lot.objects.filter(order__hub=hub, order__code=order_code, number=lot_number).first()
            if found is None:
                raise not_found()
            lot = found
        Lot.objects.filter(pk=lot.pk).update(most_per_claim=most_per_claim)
        lot.most_per_claim = most_per_claim
        return lot

    return run_write(work)


def _count_range(most: int) -> DomainError:
    sentence = _("1件から %(n)s件までで えらんでください") % {"n": most}
    return DomainError("count_range", sentence, 422, field="count")


def claim_room(member: Member, lot: Lot) -> int:
    """How many units of ``lot`` ``member`` may claim now, beside what she claimed and has not sent in."""
    held = Unit.objects.filter(
        lot=lot, state=UnitState.HELD, lease__assignment__member=member, lease__assignment__how=How.CLAIMED
    )
    return max(lot.most_per_claim - held.count(), 0)


def claim(*, member: Member, lot: Lot, count: int, key: str | None = None) -> Assignment:
    """Take up to ``count`` units of ``lot`` at once, first come, first served; fewer where fewer are free (see its ``unit_count``).

    The notice is written before (RULE-25). Due after 48 hours, or with the lot if that is sooner. Raises `DomainError` 404
    ``unknown_order`` for who does not work at the hub; 403 ``level_low``; 409 ``not_open``, ``gate_closed``,
    ``claim_full``, ``nothing_free``, ``deadline_closed``; 422 ``count_range``.
    """

    def work() -> Assignment:
        if key is not None:
            stored = idempotency.claim(
                member.pk, key, idempotency.fingerprint("claim_units", [lot.pk, count])
            )
            if stored is not None:
                return Assignment.objects.get(member=member, code=stored["assignment"])
        order = Order.objects.select_related("hub").get(pk=lot.order_id)
        held = order.lots.get(pk=lot.pk)
        due = _check_claim(member, order, held, count)
        # From here on nobody else decides about these units; what was asked before stays as it was.
        order = held.order = hold_order(order.pk)
        left = claim_room(member, held)
        if not left:
            raise DomainError("claim_full", _("いま 持っている分を 送ると、つぎを とれます。"), 409)
        units = leases.free_units(held, min(count, left))
        if not units:
            raise DomainError("nothing_free", _("のこりは もう ありません。また 出たら とれます。"), 409)
        now = clock.now()
        taken = Assignment(
            lot=held, member=member, how=How.CLAIMED, unit_count=len(units), due_at=min(now + CLAIM_DUE, due.at),
            made_at=now, explanation={"asked": count},
        )  # fmt: skip
        taken.save(force_insert=True)
        leases.take(taken, units)
        _accept(taken)
        if key is not None:
            idempotency.store(member.pk, key, {"assignment": taken.code})
        return taken

    return run_write(work)


def _check_claim(member: Member, order: Order, lot: Lot, count: int) -> room.Due:
    """Whether ``member`` may claim ``count`` of ``lot`` at all; see `claim`. Held rows are not needed for it: an order that
    was accepted stays so, and a lot that is open too."""
    if not room.works_at(member, order.hub):
        raise not_found()
    if order.is_confidential:
        check_order(order)
    opened = {one.pk for one in queries.open_lots(order)}
    if order.state != OrderState.ACCEPTED or not lot.most_per_claim or lot.pk not in opened:
        raise DomainError("not_open", _("この しごとは いま 自分で とれません。"), 409)
    if room.levels_of(order.hub, order.kind, [member.pk])[member.pk] < room.level_for(order, lot):
        raise DomainError("level_low", _("この しごとは、レベルが ひらいてから とれます。"), 403)
    if not 1 <= count <= lot.most_per_claim:
        raise _count_range(lot.most_per_claim)
    return room.due_of(order)


# ---------------------------------------------------------------- answers


def _mine(member: Member, code: str) -> Assignment:
    """The assignment of ``member`` with its order's row and its own held. Raises 404 ``unknown_offer`` for anybody else's."""
    found = Assignment.objects.filter(member=member, code=code).values_list("pk", "lot__order_id").first()
    if found is None:
        raise DomainError("unknown_offer", _("この しごとは 見つかりません。"), 404)
    order = hold_order(found[1])
    mine = (
        Assignment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("lot", "member")
        .get(pk=found[0])
    )
    mine.lot.order = order
    return mine


def _accept(assignment: Assignment) -> None:
    """Write the notice, and only then let the work be hers (RULE-25: nobody begins before the notice is kept)."""
    now = clock.now()
    notice.write(assignment)
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.ACCEPTED, accepted_at=now)
    assignment.state, assignment.accepted_at = AssignmentState.ACCEPTED, now


def answer(*, member: Member, code: str, yes: bool) -> Assignment:
    """Take an offer or let it go. A no gives the units back, asks for nothing and is shown to nobody.

    Raises `DomainError` 404 ``unknown_offer``; 409 ``already_answered``, ``offer_late``, ``offer_gone``; 403 ``not_worker``.
    """

    def work() -> Assignment:
        mine = _mine(member, code)
        late = DomainError("offer_late", _("返事の 期限が すぎました。しごとは ほかの人に まわります。"), 409)
        if mine.state == AssignmentState.ACCEPTED:
            raise DomainError("already_answered", _("もう 返事を もらっています。"), 409)
        if mine.state == AssignmentState.ENDED:
            if mine.end_reason == EndReason.UNANSWERED:
                raise late
            if mine.accepted_at or mine.end_reason == EndReason.DECLINED:
                raise DomainError("already_answered", _("もう 返事を もらっています。"), 409)
            raise DomainError("offer_gone", _("この おねがいは もう ありません。"), 409)
        if mine.answer_by is not None and mine.answer_by <= clock.now():
            raise late
        if yes:
            if not room.works_at(member, mine.lot.order.hub):
                raise DomainError("not_worker", _("この ハブの 使う人に なると、受けられます。"), 403)
            _accept(mine)
        else:
            _end(mine, EndReason.DECLINED)
        notices.settle(member, offer_words.event_of(mine))
        return mine

    return run_write(work)


def _end(assignment: Assignment, reason: EndReason) -> int:
    back = leases.give_back(assignment, reason)
    assignment.refresh_from_db(fields=["state", "end_reason", "ended_at"])
    return back


def hand_back(*, member: Member, code: str) -> Assignment:
    """Give back what is not sent in, at any time and without a word why; an offer is let go. What was sent in stays paid.

    Raises `DomainError` 404 ``unknown_offer``, 409 ``already_ended``.
    """

    def work() -> Assignment:
        mine = _mine(member, code)
        if mine.state == AssignmentState.ENDED:
            raise DomainError("already_ended", _("この しごとは もう おわっています。"), 409)
        offered = mine.state == AssignmentState.OFFERED
        _end(mine, EndReason.DECLINED if offered else EndReason.HANDED_BACK)
        notices.settle(member, offer_words.event_of(mine))
        return mine

    return run_write(work)


def leave_all(member: Member) -> None:
    """Give back everything of a member who deletes her account, in the caller's transaction. Hours and levels go too; what
    she sent in, and the notices that the law keeps, stay."""
    require_transaction()
    rows = Assignment.objects.filter(member=member).exclude(state=AssignmentState.ENDED)
    for order_pk, pk in sorted(rows.values_list("lot__order_id", "pk")):
        hold_order(order_pk)
        held = Assignment.objects.select_for_update(no_key=True).get(pk=pk)
        if held.state != AssignmentState.ENDED:
            leases.give_back(held, EndReason.LEFT)
    member.offered_hours.all().delete()
    member.skills.all().delete()


# ---------------------------------------------------------------- her hours


def save_hours(*, member: Member, hub: Hub, minutes: int) -> None:
    """Keep how long ``member`` wants to work in a week; 0 takes it away. Raises 404 ``unknown_hub``, 422 ``hours_range``."""

    def work() -> None:
        if not room.works_at(member, hub):
            raise DomainError("unknown_hub", _("この ハブは 見つかりません。"), 404)
        if not 0 <= minutes <= MOST_MINUTES_A_WEEK:
            raise DomainError("hours_range", _("0時間から 60時間までで 入れてください"), 422, field="hours")
        if minutes:
            OfferedHours.objects.update_or_create(
                member=member, hub=hub, defaults={"minutes_a_week": minutes, "changed_at": clock.now()}
            )
        else:
            OfferedHours.objects.filter(member=member, hub=hub).delete()

    run_write(work)
