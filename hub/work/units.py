"""What a worker's pages of doing show: an assignment with its units, one unit with everything said about it. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.utils.functional import cached_property

from hub.core import clock
from hub.members.models import Member
from hub.work import doing, leases, rates, review, review_words
from hub.work.enums import AssignmentState, DeliveryState, UnitState
from hub.work.marks import Numbered, Piece, numbered
from hub.work.marks import pieces as cut
from hub.work.models import (
    Appeal,
    Assignment,
    Delivery,
    Draft,
    Earning,
    Lease,
    OrderRate,
    Question,
    Unit,
)

#: How a unit stands for her when it went back to the hub: no state of the unit, which is somebody else's by then.
GONE = "gone"
#: The order of the list: what she can do something about stands first.
ORDER = (UnitState.RETURNED, UnitState.HELD, UnitState.SENT, UnitState.REJECTED, UnitState.ACCEPTED)


def assignment_of(member: Member, code: str) -> Assignment | None:
    """The assignment that ``member`` took, whatever became of it; None for one that is not hers or only offered."""
    taken = Assignment.objects.filter(member=member, accepted_at__isnull=False, code=code)
    return taken.select_related("lot__order__hub").first()


def units_of(assignment: Assignment) -> QuerySet[Unit]:
    """Every unit she holds or sent in under ``assignment``, with ``stands`` as it stands for her, in the order of the list."""
    own = Delivery.objects.filter(unit=OuterRef("pk"), notice=assignment.pk)
    held = Lease.objects.filter(unit=OuterRef("pk"), assignment=assignment)
    last = Subquery(own.order_by("-number").values("state")[:1])
    settled = (DeliveryState.ACCEPTED, DeliveryState.REJECTED)
    return (
        Unit.objects.filter(Q(Exists(held)) | Q(Exists(own)), order_id=assignment.lot.order_id)
        .annotate(own_last=last)
        .annotate(
            stands=Case(
                When(Exists(held), then=F("state")),
                When(own_last__in=settled, then=F("own_last")),
                default=Value(GONE),
            )
        )
        .annotate(
            place=Case(
                *(When(stands=state, then=Value(n)) for n, state in enumerate(ORDER)),
                default=Value(len(ORDER)),
                output_field=IntegerField(),
            )
        )
        .order_by("place", "number")
    )


def next_unit(assignment: Assignment) -> Unit | None:
    """What she does next: what came back first, then by number. None when all of it is sent."""
    mine = Unit.objects.filter(
        lease__assignment=assignment, state__in=(UnitState.RETURNED, UnitState.HELD)
    ).annotate(later=Case(When(state=UnitState.RETURNED, then=Value(0)), default=Value(1)))
    return mine.order_by("later", "number").first()


@dataclass(frozen=True)
class Progress:
    """Units of an assignment, and yen: what was accepted, and what waits for review at today's rate."""

    total: int
    sent: int
    accepted: int
    waiting: int
    yen: int
    waiting_yen: int


def progress_of(assignment: Assignment) -> Progress:
    """How far she is. An accepted unit counts what it brought (the `Earning`), not what it would bring now."""
    own = Delivery.objects.filter(notice=assignment.pk)
    waiting = own.filter(state=DeliveryState.SENT).count()
    earned = Earning.objects.filter(delivery__notice=assignment.pk)
    return Progress(
        total=assignment.unit_count,
        # What came back for mending is not sent any more.
        sent=own.exclude(state=DeliveryState.RETURNED).values("unit").distinct().count(),
        accepted=own.filter(state=DeliveryState.ACCEPTED).count(),
        waiting=waiting,
        yen=earned.aggregate(all=Sum("worker_yen"))["all"] or 0,
        waiting_yen=waiting * rates.current(assignment.lot.order).worker_yen if waiting else 0,
    )


def due_of(assignment: Assignment, state: str, last: Delivery | None) -> datetime:
    """Until when she can send a unit in: the assignment's own time, or a week for mending after it ended."""
    if (
        state == UnitState.RETURNED
        and assignment.state == AssignmentState.ENDED
        and last is not None
        and last.decided_at is not None
    ):
        return last.decided_at + review.MEND_WITHIN
    return assignment.due_at


@dataclass
class Try:
    """One sending in of hers, with what was said about it."""

    number: int
    delivery: Delivery

    @cached_property
    def marks(self) -> list[Numbered]:
        return numbered(self.delivery.corrections.all())

    @cached_property
    def pieces(self) -> list[Piece]:
        return cut(self.delivery.text, self.marks)


@dataclass
class UnitPage:
    """One unit as its worker sees it."""

    unit: Unit
    assignment: Assignment | None
    holds: bool
    stands: str
    position: int
    tries: list[Try]
    draft: Draft | None
    questions: list[Question]
    appeal: Appeal | None
    asked: Member | None
    appeal_until: datetime | None
    earned: int | None
    due: datetime | None

    @property
    def can_write(self) -> bool:
        return self.holds and self.stands in (UnitState.HELD, UnitState.RETURNED)

    @property
    def last(self) -> Try | None:
        return self.tries[-1] if self.tries else None

    @property
    def shown_earlier(self) -> list[Try]:
        """Tries that do not stand on the page already, the newest first."""
        on_page = self.stands in (
            UnitState.RETURNED,
            UnitState.SENT,
            UnitState.ACCEPTED,
            UnitState.REJECTED,
        )
        return (self.tries[:-1] if on_page else self.tries)[::-1]

    @property
    def text(self) -> str:
        """What stands in the field: what she typed, else what she sent last."""
        if self.draft is not None and self.draft.text:
            return self.draft.text
        return self.last.delivery.text if self.last else ""

    @property
    def stamp(self) -> str:
        return doing.stamp_of(self.draft)

    @property
    def can_appeal(self) -> bool:
        return (
            self.stands == UnitState.REJECTED
            and self.appeal is None
            and self.asked is not None
            and self.appeal_until is not None
            and clock.now() <= self.appeal_until
        )

    @property
    def may_take_again(self) -> bool:
        """Whether she can take units of this part herself, this one among them."""
        return self.unit.state == UnitState.FREE and self.unit.lot.most_per_claim > 0


def page_of(member: Member, code: str) -> UnitPage:
    """Everything of one unit. Raises `DomainError` ``unknown_unit`` (404) for whoever never had it."""
    unit = doing.unit_of(member, code)
    order = unit.order
    tries = [Try(n, row) for n, row in enumerate(doing.deliveries_of(member, unit), 1)]
    last = tries[-1].delivery if tries else None
    lease = leases.held_by(member.pk).filter(unit=unit).first()
    holds = lease is not None
    assignment = lease.assignment if lease else last.notice.assignment if last else None
    stands = unit.state if holds else _settled(last)
    appeal = asked = until = None
    if last is not None and last.state in (DeliveryState.REJECTED, DeliveryState.ACCEPTED):
        appeal = Appeal.objects.filter(delivery=last).select_related("to").first()
    if last is not None and last.state == DeliveryState.REJECTED and last.decided_at is not None:
        until = last.decided_at + review_words.APPEAL_WITHIN
        asked = appeal.to if appeal else review.asked_person(order.hub, member, last.decided_by)
    earned = None
    if stands == UnitState.ACCEPTED:
        earned = Earning.objects.filter(delivery=last).values_list("worker_yen", flat=True).first()
    position = 0
    if assignment is not None:
        position = units_of(assignment).filter(number__lte=unit.number).count()
    questions = Question.objects.filter(unit=unit, asked_by=member)
    return UnitPage(
        unit=unit, assignment=assignment, holds=holds, stands=stands, position=position, tries=tries,
        draft=Draft.objects.filter(unit=unit, member=member).first(), questions=list(questions), appeal=appeal,
        asked=asked, appeal_until=until, earned=earned,
        due=due_of(assignment, stands, last) if assignment else None,
    )  # fmt: skip


def _settled(last: Delivery | None) -> str:
    if last is not None and last.state in (DeliveryState.ACCEPTED, DeliveryState.REJECTED):
        return last.state
    return GONE


def hands_of(member: Member) -> QuerySet[Lease]:
    """What ``member`` has in hand, with ``yen`` of one unit: what came back first, then by due day and number. For the API."""
    newest = OrderRate.objects.filter(order=OuterRef("unit__order")).order_by("-number")
    sent_back = (
        Delivery.objects.filter(unit=OuterRef("unit"), state=DeliveryState.RETURNED)
        .order_by("-number")
        .values("decided_at")[:1]
    )
    return (
        leases.held_by(member.pk)
        .select_related("unit__order__hub")
        .annotate(yen=Subquery(newest.values("worker_yen")[:1]), sent_back_at=Subquery(sent_back))
        .annotate(later=Case(When(unit__state=UnitState.RETURNED, then=Value(0)), default=Value(1)))
        .order_by("later", "assignment__due_at", "unit__order", "unit__number")
    )
