"""What a worker writes, and what is said about it. All text is sealed: it may repeat what stands in a unit."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.core.sealed import Sealed
from hub.members.models import Member
from hub.work.enums import AppealState, CorrectionKind, DeliveryState
from hub.work.models.handing import WorkNotice
from hub.work.models.orders import Unit


class Draft(models.Model):
    """What somebody has typed for a unit so far. It outlives her lease, so nothing that was typed is lost."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="drafts")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="drafts")
    text_sealed = models.BinaryField(null=True)
    text = Sealed("text_sealed")
    began_at = models.DateTimeField(default=clock.now)
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "member"], name="draft_once")]


class Delivery(models.Model):
    """One sending in of a unit. A second try is a second row; the first one stays as it was."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="deliveries")
    notice = models.ForeignKey(WorkNotice, on_delete=models.PROTECT, related_name="deliveries")
    number = models.PositiveSmallIntegerField()  # 1 is the first try of this unit, whoever made it
    text_sealed = models.BinaryField()
    text = Sealed("text_sealed")
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.SENT)
    sent_at = models.DateTimeField(default=clock.now)
    #: Silence until then accepts.
    accepted_by_silence_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="+"
    )  # None: by silence
    reason_sealed = models.BinaryField(null=True)
    reason = Sealed("reason_sealed")
    example_sealed = models.BinaryField(null=True)
    example = Sealed("example_sealed")
    #: Seconds of work, where she lets them be measured.
    seconds = models.PositiveIntegerField(null=True)
    #: Whether it says what the control item says; for the director only, decides nothing.
    matches_control = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "number"], name="delivery_number_once"),
            models.UniqueConstraint(
                fields=["unit"], condition=Q(state=DeliveryState.ACCEPTED), name="unit_accepted_once"
            ),
            models.UniqueConstraint(
                fields=["unit"], condition=Q(state=DeliveryState.SENT), name="unit_sent_once"
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.SENT, decided_at__isnull=True)
                | (~Q(state=DeliveryState.SENT) & Q(decided_at__isnull=False)),
                name="delivery_decided_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeliveryState.REJECTED)
                | Q(reason_sealed__isnull=False, example_sealed__isnull=False),
                name="delivery_rejected_with_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "accepted_by_silence_at"], name="delivery_by_silence")]


class Correction(models.Model):
    """A marked range of a delivery: characters ``[start, end)`` of its text, what kind, and what to do."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="corrections")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    kind = models.CharField(max_length=5, choices=CorrectionKind)
    comment_sealed = models.BinaryField()
    comment = Sealed("comment_sealed")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="correction_forward"),
        ]
        ordering = ["start", "pk"]


class Appeal(models.Model):
    """A worker asks a named person to look again at what was rejected. Until it is answered, the unit stays with nobody."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="appeal")
    to = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="appeals")
    text_sealed = models.BinaryField()
    text = Sealed("text_sealed")
    state = models.CharField(max_length=7, choices=AppealState, default=AppealState.OPEN)
    answer_sealed = models.BinaryField(null=True)
    answer = Sealed("answer_sealed")
    made_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state=AppealState.OPEN, decided_at__isnull=True)
                | (~Q(state=AppealState.OPEN) & Q(decided_at__isnull=False, answer_sealed__isnull=False)),
                name="appeal_decided_with_answer",
            )
        ]


class Question(models.Model):
    """What a worker asks the director about a unit."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="questions")
    asked_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="work_questions")
    text_sealed = models.BinaryField()
    text = Sealed("text_sealed")
    asked_at = models.DateTimeField(default=clock.now)
    answer_sealed = models.BinaryField(null=True)
    answer = Sealed("answer_sealed")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        verbose_name = _("質問")


class ControlItem(models.Model):
    """The answer that a unit is known to have. It informs the director and nobody else."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    unit = models.OneToOneField(Unit, on_delete=models.PROTECT, related_name="control")
    answer_sealed = models.BinaryField()
    answer = Sealed("answer_sealed")
