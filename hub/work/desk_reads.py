"""Reads of the review pages: what waits, who asked, who is of which level. Sealed text is read one unit at a time only."""

from django.db.models import Count, F, Prefetch, QuerySet

from hub.members.models import Member
from hub.spaces.enums import MembershipStatus, Role
from hub.spaces.models import Hub
from hub.work.enums import Level, OrderKind
from hub.work.models import Appeal, ControlItem, Correction, Delivery, Question, Skill
from hub.work.review import waiting_of

_LARGE = ("text_sealed", "reason_sealed", "example_sealed", "unit__content_sealed")


def queue(hub: Hub, order_code: str = "") -> QuerySet[Delivery]:
    """What waits for review at ``hub``, the oldest first, without its text."""
    rows = Delivery.objects.filter(waiting_of(hub))
    if order_code:
        rows = rows.filter(unit__order__code=order_code)
    rows = rows.select_related("unit__order", "notice__assignment__member").defer(*_LARGE)
    return rows.order_by("sent_at", "pk")


def next_waiting(hub: Hub, order_code: str = "") -> str | None:
    """The code of the oldest one that can be opened on a page."""
    rows = queue(hub, order_code).filter(unit__order__is_confidential=False)
    return rows.values_list("code", flat=True).first()


def orders_waiting(hub: Hub) -> list[tuple[str, str, int]]:
    """Code, title and number of waiting ones, for each order that has some."""
    rows = Delivery.objects.filter(waiting_of(hub)).values_list("unit__order__code", "unit__order__title")
    return list(rows.annotate(n=Count("pk")).order_by("unit__order__title", "unit__order__code"))


def delivery_of(hub: Hub, code: str) -> Delivery | None:
    """One delivery of ``hub`` with everything that its page shows beside it."""
    rows = Delivery.objects.filter(unit__order__hub=hub, code=code)
    return rows.select_related(
        "unit__order__hub", "unit__order__client", "unit__lot", "notice__assignment__member", "decided_by"
    ).first()


def tries_before(delivery: Delivery) -> list[Delivery]:
    """Earlier tries of the same unit with their corrections, the newest first."""
    rows = Delivery.objects.filter(unit=delivery.unit_id, number__lt=delivery.number).order_by("-number")
    rows = rows.select_related("notice__assignment__member")
    return list(rows.prefetch_related(Prefetch("corrections", Correction.objects.order_by("start", "end"))))


def control_of(unit_pk: int) -> ControlItem | None:
    return ControlItem.objects.filter(unit=unit_pk).first()


def questions_of(hub: Hub, *, answered: bool) -> QuerySet[Question]:
    """What workers asked at ``hub``: open ones with the oldest first, answered ones with the newest first."""
    rows = Question.objects.filter(unit__order__hub=hub, answered_at__isnull=not answered)
    rows = rows.select_related("unit__order", "asked_by").defer("unit__content_sealed")
    return rows.order_by("-answered_at", "-pk") if answered else rows.order_by("asked_at", "pk")


def question_of(hub: Hub, code: str) -> Question | None:
    return Question.objects.filter(unit__order__hub=hub, code=code).select_related("unit__order").first()


def workers_of(hub: Hub) -> QuerySet[Member]:
    """Active workers of ``hub`` by their names."""
    rows = Member.objects.filter(
        memberships__hub=hub, memberships__role=Role.WORKER, memberships__status=MembershipStatus.ACTIVE
    )
    return rows.order_by("kana", "name", "pk")


def levels_of(hub: Hub, members: list[Member]) -> dict[int, dict[str, int]]:
    """The level of each of ``members`` in each kind of work; without a word about it, it is the first."""
    found: dict[int, dict[str, int]] = {
        member.pk: dict.fromkeys(OrderKind.values, int(Level.FIRST)) for member in members
    }
    for skill in Skill.objects.filter(hub=hub, member__in=members):
        found[skill.member_id][skill.kind] = skill.level
    return found


def appeals_of(hub: Hub) -> QuerySet[Appeal]:
    """Appeals at ``hub``: open ones first and the oldest first, then the answered ones from the newest on."""
    rows = Appeal.objects.filter(delivery__unit__order__hub=hub).select_related(
        "to", "delivery__unit__order", "delivery__notice__assignment__member"
    )
    rows = rows.defer(*(f"delivery__{name}" for name in _LARGE), "text_sealed", "answer_sealed")
    return rows.order_by(F("decided_at").desc(nulls_first=True), "made_at", "pk")


def appeal_of(hub: Hub, code: str) -> Appeal | None:
    rows = Appeal.objects.filter(delivery__unit__order__hub=hub, code=code)
    return rows.select_related(
        "to", "decided_by", "delivery__decided_by", "delivery__unit__order", "delivery__notice__assignment__member"
    ).first()  # fmt: skip
