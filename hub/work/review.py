"""What a director says about a delivery: accepted, back with corrections, or rejected with reason and example; and the appeal.

Every change holds the unit's row first, looks again, then writes. What pays a worker is written in the same transaction as
the acceptance; the database refuses a second acceptance of a unit (`unit_accepted_once`). Decision 0024.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.db import require_transaction, run_write
from hub.core.errors import DomainError
from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub, Membership
from hub.work import doing, earnings, leases, review_words, skills
from hub.work.enums import AppealState, AssignmentState, CorrectionKind, DeliveryState, UnitState
from hub.work.models import Appeal, ControlItem, Correction, Delivery, Lease, Order, Question, Unit
from hub.work.review_words import APPEAL_WITHIN

FREE_RETURNS = 2  # of one unit; a further one needs a reason (RULE-27: no unpaid redo without one)
REJECT_MOST = (3, 10)  # of what she sent in of an order
MEND_WITHIN = timedelta(days=7)  # after the assignment's own time, for what came back with corrections
MOST_MARKS = 50
MOST_WORDS = 2_000


@dataclass(frozen=True)
class Mark:
    """A correction: characters ``[start, end)`` of the text, its kind, and what to do."""

    start: int
    end: int
    kind: CorrectionKind
    comment: str


def unknown() -> DomainError:
    return DomainError("unknown_delivery", _("この しごとは 見つかりません。"), 404)


def waiting_of(hub: Hub) -> Q:
    """What waits for review at ``hub``."""
    return Q(unit__order__hub=hub, state=DeliveryState.SENT)


def _held(hub: Hub, code: str, *states: DeliveryState) -> Delivery:
    """The delivery with its unit's row held, if it stands in one of ``states``. Raises 404, 409 ``already_decided``."""
    require_transaction()
    unit_pk = (
        Delivery.objects.filter(unit__order__hub=hub, code=code).values_list("unit_id", flat=True).first()
    )
    if unit_pk is None:
        raise unknown()
    leases.hold(Unit(pk=unit_pk))
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("unit__order__hub", "unit__lot", "notice__assignment__member")
        .get(code=code)
    )
    if delivery.state not in states:
        raise DomainError(
            "already_decided", _("この しごとは もう 確認が おわっています。"), 409, state=delivery.state
        )
    return delivery


def _not_own(delivery: Delivery, actor: Member | None) -> None:
    """Nobody decides about her own work: it would pay her."""
    if actor is not None and _worker(delivery).pk == actor.pk:
        raise DomainError("own_work", _("自分の しごとは、ほかの人が 確認します。"), 403)


def _decide(delivery: Delivery, state: DeliveryState, actor: Member | None) -> None:
    delivery.state, delivery.decided_at, delivery.decided_by = state, clock.now(), actor
    delivery.save()


def _worker(delivery: Delivery) -> Member:
    return delivery.notice.assignment.member


# ---------------------------------------------------------------- accept


def accept(*, actor: Member, hub: Hub, code: str) -> Delivery:
    """Take the delivery as it is: it is paid. Raises 404 ``unknown_delivery``, 403 ``own_work``, 409 ``already_decided``."""
    return run_write(lambda: _accept(_held(hub, code, DeliveryState.SENT), actor))


def _accept(delivery: Delivery, actor: Member | None) -> Delivery:
    _not_own(delivery, actor)
    _decide(delivery, DeliveryState.ACCEPTED, actor)
    earnings.enter(delivery)
    leases.settle(delivery.unit, UnitState.ACCEPTED)
    skills.note_course(delivery)
    return delivery


def accept_silent() -> int:
    """What nobody looked at for fourteen days is accepted; returns how many. For the tick, safe at any moment."""
    due = Delivery.objects.filter(state=DeliveryState.SENT, accepted_by_silence_at__lte=clock.now())
    rows = list(due.order_by("pk").values_list("code", "unit__order__hub"))
    hubs = {hub.pk: hub for hub in Hub.objects.filter(pk__in={pk for _code, pk in rows})}
    return sum(_accept_in_silence(hubs[hub_pk], code) for code, hub_pk in rows)


def _accept_in_silence(hub: Hub, code: str) -> int:
    try:
        run_write(lambda: _accept(_held(hub, code, DeliveryState.SENT), None))
    except DomainError:  # somebody decided a moment ago
        return 0
    return 1


# ---------------------------------------------------------------- back with corrections


def send_back(*, actor: Member, hub: Hub, code: str, marks: Sequence[Mark], reason: str = "") -> Delivery:
    """Give the delivery back with marked corrections, or a remark, or both; her text stays beside them.

    Raises 404; 409 ``already_decided``; 422 ``nothing_marked``, ``mark_range``, ``mark_words``, ``marks_many``,
    ``reason_missing`` (from the third time on), ``words_long``.
    """
    reason = reason.strip()
    _check_words(reason, "reason")

    def work() -> Delivery:
        delivery = _held(hub, code, DeliveryState.SENT)
        _not_own(delivery, actor)
        text = delivery.text
        if not marks and not reason:
            raise DomainError(
                "nothing_marked",
                _("なおすところに 印を つけるか、ことばで 書いてください。"),
                422,
                field="reason",
            )
        if len(marks) > MOST_MARKS:
            raise DomainError("marks_many", _("印は 50こまでです。"), 422)
        for mark in marks:
            if not 0 <= mark.start < mark.end <= len(text):
                raise DomainError(
                    "mark_range", _("印の ところが 文の 外です。もう一度 えらんでください。"), 422
                )
            if not mark.comment.strip():
                raise DomainError("mark_words", _("どう なおすか 書いてください。"), 422)
            _check_words(mark.comment, "comment")
        returned = Delivery.objects.filter(unit=delivery.unit, state=DeliveryState.RETURNED).count()
        if returned >= FREE_RETURNS and not reason:
            raise DomainError(
                "reason_missing",
                _("もう 2回 なおしてもらいました。なぜ もう一度か、書いてください。"),
                422,
                field="reason",
            )
        if reason:
            delivery.reason = reason
        _decide(delivery, DeliveryState.RETURNED, actor)
        for mark in sorted(marks, key=lambda one: (one.start, one.end)):
            row = Correction(delivery=delivery, start=mark.start, end=mark.end, kind=mark.kind)
            row.comment = mark.comment.strip()
            row.save(force_insert=True)
        Unit.objects.filter(pk=delivery.unit_id).update(state=UnitState.RETURNED)
        review_words.tell_returned(delivery)
        return delivery

    return run_write(work)


def _check_words(words: str, field: str) -> None:
    if len(words) > MOST_WORDS:
        raise DomainError("words_long", _("長すぎます。2,000字までに してください。"), 422, field=field)


# ---------------------------------------------------------------- reject


def rejected_share(member: Member, order: Order) -> tuple[int, int]:
    """How many units of ``order`` that ``member`` sent in were rejected, and how many she sent in."""
    sent = Delivery.objects.filter(unit__order=order, notice__assignment__member=member)
    rejected = sent.filter(state=DeliveryState.REJECTED).values("unit").distinct().count()
    return rejected, sent.values("unit").distinct().count()


def most_rejected(sent: int) -> int:
    """How many of ``sent`` units may be rejected: 30 %, rounded down, so none of one to three."""
    most, of = REJECT_MOST
    return sent * most // of


def reject(*, actor: Member, hub: Hub, code: str, reason: str, example: str) -> Delivery:
    """Refuse the delivery, with why and with an example of what would be right. It is not paid; she may appeal.

    At most 30 % of what she sent in of the order. Raises 404; 409 ``already_decided``, ``reject_limit``; 422
    ``reason_missing``, ``example_missing``, ``words_long``.
    """
    reason, example = reason.strip(), example.strip()
    if not reason:
        raise DomainError("reason_missing", _("わけを 書いてください。"), 422, field="reason")
    if not example:
        raise DomainError(
            "example_missing", _("どう 書けば よかったか、例を 書いてください。"), 422, field="example"
        )
    _check_words(reason, "reason")
    _check_words(example, "example")

    def work() -> Delivery:
        delivery = _held(hub, code, DeliveryState.SENT)
        _not_own(delivery, actor)
        order, member = delivery.unit.order, _worker(delivery)
        # Two directors over two units of hers would otherwise each see room for one.
        Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        rejected, sent = rejected_share(member, order)
        if rejected >= most_rejected(sent):
            raise DomainError(
                "reject_limit",
                _(
                    "不合格に できるのは、送った分の 30%%までです（送った分 %(sent)s件、不合格 %(rejected)s件）。"
                    "なおしを おねがいしてください。"
                )
                % {"sent": sent, "rejected": rejected},
                409,
            )
        delivery.reason, delivery.example = reason, example
        _decide(delivery, DeliveryState.REJECTED, actor)
        leases.settle(delivery.unit, UnitState.REJECTED)
        review_words.tell_rejected(delivery)
        return delivery

    return run_write(work)


# ---------------------------------------------------------------- appeal


def asked_person(hub: Hub, *concerned: Member | None) -> Member | None:
    """Who looks again: the hub's manager of longest standing who is none of the ``concerned`` (worker, who rejected)."""
    rows = Membership.objects.filter(
        hub=hub, role=Role.MANAGER, status=MembershipStatus.ACTIVE, member__is_active=True
    ).exclude(member__in=[one for one in concerned if one is not None])
    row = rows.select_related("member").order_by("since", "pk").first()
    return row.member if row else None


def appeal(*, member: Member, code: str, text: str) -> Appeal:
    """Ask the named person to look again. Raises 404; 409 ``not_rejected``, ``appeal_late``, ``appealed``, ``no_one_to_ask``; 422."""
    text = text.strip()
    if not text:
        raise DomainError("text_missing", _("どこが ちがうと 思うか、書いてください。"), 422, field="text")
    _check_words(text, "text")

    def work() -> Appeal:
        found = (
            Delivery.objects.filter(code=code, notice__assignment__member=member)
            .select_related("unit__order__hub")
            .first()
        )
        if found is None:
            raise unknown()
        hub = found.unit.order.hub
        try:
            delivery = _held(hub, code, DeliveryState.REJECTED)
        except DomainError as error:
            if error.code != "already_decided":
                raise
            raise DomainError(
                "not_rejected", _("見なおしを たのめるのは、不合格の ときだけです。"), 409
            ) from None
        if Appeal.objects.filter(delivery=delivery).exists():
            raise DomainError("appealed", _("見なおしは もう たのんであります。"), 409)
        if delivery.decided_at is None or clock.now() > delivery.decided_at + APPEAL_WITHIN:
            raise DomainError(
                "appeal_late",
                _("見なおしを たのめるのは 7日の あいだです。ハブに 電話で 聞いてください。"),
                409,
            )
        person = asked_person(hub, member, delivery.decided_by)
        if person is None:
            raise DomainError(
                "no_one_to_ask", _("いま 見なおす人が いません。ハブに 電話で 聞いてください。"), 409
            )
        row = Appeal(delivery=delivery, to=person, made_at=clock.now())
        row.text = text
        row.save(force_insert=True)
        review_words.tell_appeal(row)
        return row

    return run_write(work)


def decide_appeal(*, actor: Member, hub: Hub, code: str, uphold: bool, answer: str) -> Appeal:
    """The named person's answer, or another manager's. ``uphold`` pays the work after all.

    Raises 404 ``unknown_appeal``; 403 ``own_decision`` for who rejected it; 409 ``appeal_answered``; 422 ``answer_missing``.
    """
    answer = answer.strip()
    if not answer:
        raise DomainError("answer_missing", _("答えを ことばで 書いてください。"), 422, field="answer")
    _check_words(answer, "answer")

    def work() -> Appeal:
        found = (
            Appeal.objects.filter(code=code, delivery__unit__order__hub=hub)
            .select_related("delivery")
            .first()
        )
        if found is None:
            raise DomainError("unknown_appeal", _("この 見なおしは 見つかりません。"), 404)
        delivery = _held(hub, found.delivery.code, DeliveryState.REJECTED, DeliveryState.ACCEPTED)
        row = Appeal.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if row.state != AppealState.OPEN:
            raise DomainError("appeal_answered", _("もう 答えが 出ています。"), 409)
        _not_own(delivery, actor)
        if delivery.decided_by_id == actor.pk:
            raise DomainError("own_decision", _("不合格に した人は、見なおしを きめられません。"), 403)
        row.state = AppealState.UPHELD if uphold else AppealState.REFUSED
        row.answer, row.decided_at, row.decided_by = answer, clock.now(), actor
        row.save()
        if uphold:
            _accept(delivery, actor)
        review_words.tell_appeal_decided(row)
        return row

    return run_write(work)


# ---------------------------------------------------------------- for the tick


def free_rejected() -> int:
    """Rejected units that nobody appeals for any more go to somebody else; returns how many."""
    now = clock.now()
    kept = Appeal.objects.filter(delivery=OuterRef("pk"))
    over = Delivery.objects.filter(state=DeliveryState.REJECTED, unit__state=UnitState.REJECTED).filter(
        Q(~Exists(kept), decided_at__lt=now - APPEAL_WITHIN)
        | Q(Exists(kept.filter(state=AppealState.REFUSED)))
    )
    units = sorted(set(over.values_list("unit_id", flat=True)))
    return sum(run_write(lambda pk=pk: _free(pk)) for pk in units)  # type: ignore[misc]  # bound now


def _free(unit_pk: int) -> int:
    unit = leases.hold(Unit(pk=unit_pk))
    last = Delivery.objects.filter(unit=unit).order_by("-number").first()
    if unit.state != UnitState.REJECTED or last is None or last.decided_at is None:
        return 0
    asked = Appeal.objects.filter(delivery=last).first()
    if asked is None and clock.now() <= last.decided_at + APPEAL_WITHIN:
        return 0
    if asked is not None and asked.state != AppealState.REFUSED:
        return 0
    leases.set_free([unit.pk])
    return 1


def free_unmended() -> int:
    """Units that came back after their assignment ended, and were not mended in a week, are free again; returns how many."""
    units = list(_unmended().order_by("unit_id").values_list("unit_id", flat=True))
    return sum(run_write(lambda pk=pk: _let_go(pk)) for pk in units)  # type: ignore[misc]  # bound now


def _unmended() -> QuerySet[Lease]:
    newest = Delivery.objects.filter(
        unit=OuterRef("unit"), state=DeliveryState.RETURNED, decided_at__gt=clock.now() - MEND_WITHIN
    )
    return Lease.objects.filter(
        ~Exists(newest), unit__state=UnitState.RETURNED, assignment__state=AssignmentState.ENDED
    )


def _let_go(unit_pk: int) -> int:
    """Looked at once more with the row held: she may have mended it a moment ago, and it may have come back again."""
    unit = leases.hold(Unit(pk=unit_pk))
    lease = _unmended().filter(unit=unit).first()
    if lease is None:
        return 0
    lease.delete()
    Unit.objects.filter(pk=unit.pk).update(state=UnitState.FREE)
    return 1


# ---------------------------------------------------------------- questions and control items


def answer_question(*, actor: Member, hub: Hub, code: str, text: str) -> Question:
    """Raises 404 ``unknown_question``, 422 ``answer_missing``. A second answer replaces the first."""
    text = text.strip()
    if not text:
        raise DomainError("answer_missing", _("答えを 書いてください。"), 422, field="answer")
    _check_words(text, "answer")

    def work() -> Question:
        row = Question.objects.select_for_update(of=("self",)).filter(code=code, unit__order__hub=hub).first()
        if row is None:
            raise DomainError("unknown_question", _("この 質問は 見つかりません。"), 404)
        row.answer, row.answered_at, row.answered_by = text, clock.now(), actor
        row.save()
        review_words.tell_answered(row)
        return row

    return run_write(work)


def set_control(*, actor: Member, hub: Hub, order_code: str, number: int, answer: str) -> None:
    """Note the answer that a unit is known to have; empty takes it away. It informs the director and decides nothing."""
    _check_words(answer, "answer")

    def work() -> None:
        unit = Unit.objects.filter(order__hub=hub, order__code=order_code, number=number).first()
        if unit is None:
            raise DomainError("unknown_unit", _("この しごとは 見つかりません。"), 404)
        leases.hold(unit)
        if answer.strip():
            row = ControlItem.objects.filter(unit=unit).first() or ControlItem(unit=unit)
            row.answer = answer.strip()
            row.save()
        else:
            ControlItem.objects.filter(unit=unit).delete()
        for delivery in Delivery.objects.filter(unit=unit):  # what was sent in before is compared too
            matches = doing.matches_control(unit, delivery.text)
            Delivery.objects.filter(pk=delivery.pk).update(matches_control=matches)

    run_write(work)
