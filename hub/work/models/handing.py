"""Who has which units: offered hours, levels, hand-outs, assignments, their notices, leases."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work.enums import AssignmentState, EndReason, How, Level, OrderKind
from hub.work.models.orders import Lot, Order, Unit

MOST_MINUTES_A_WEEK = 60 * 60


class OfferedHours(models.Model):
    """How long somebody wants to work in a week for a hub. Her own word; nobody else changes it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="offered_hours")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="offered_hours")
    minutes_a_week = models.PositiveSmallIntegerField(
        _("1週間に できる 時間（分）"), validators=[MaxValueValidator(MOST_MINUTES_A_WEEK)]
    )
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "hub"], name="offered_hours_once")]


class Skill(models.Model):
    """The level of somebody in one kind of work at a hub (B4). Without a row it is the first."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="skills")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="skills")
    kind = models.CharField(max_length=10, choices=OrderKind)
    level = models.PositiveSmallIntegerField(choices=Level)
    #: The course that opened it; None where a director said so.
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    set_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "hub", "kind"], name="skill_once")]


class HandOut(models.Model):
    """One sharing out of units, with everything it was worked out from: run again, it gives the same."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="hand_outs")
    how = models.CharField(max_length=9, choices=How)
    unit_count = models.PositiveIntegerField()
    #: Input of `allocation.allocate`: codes and numbers, no names.
    inputs = models.JSONField()
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(unit_count__gte=1), name="hand_out_has_units")]
        ordering = ["-pk"]


class Assignment(models.Model):
    """So many units of a lot for one worker: offered, then hers, then ended. Refusing leaves nothing but this row's end."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="assignments")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="assignments")
    hand_out = models.ForeignKey(HandOut, on_delete=models.PROTECT, null=True, related_name="assignments")
    how = models.CharField(max_length=9, choices=How)
    state = models.CharField(max_length=8, choices=AssignmentState, default=AssignmentState.OFFERED)
    unit_count = models.PositiveIntegerField()
    #: Why so many: facts for a sentence, see `allocation.Share`.
    explanation = models.JSONField(default=dict)
    #: The director's reason where she changed what the sharing out gave.
    reason = models.CharField(max_length=200, blank=True)
    answer_by = models.DateTimeField(null=True)
    #: When units that are not sent in by then go back to the pool.
    due_at = models.DateTimeField()
    made_at = models.DateTimeField(default=clock.now)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=11, choices=EndReason, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(unit_count__gte=1), name="assignment_has_units"),
            models.CheckConstraint(
                condition=Q(state=AssignmentState.ENDED, ended_at__isnull=False)
                | Q(state=AssignmentState.ACCEPTED, ended_at__isnull=True, accepted_at__isnull=False)
                | Q(state=AssignmentState.OFFERED, ended_at__isnull=True, accepted_at__isnull=True),
                name="assignment_state_dated",
            ),
        ]
        indexes = [models.Index(fields=["member", "state"], name="assignment_of_member")]


class WorkNotice(models.Model):
    """What a worker was told in writing before she could begin (RULE-25), as a re-order with the first client's days.

    Written once when she takes the work; a trigger refuses every change (migration 0004). A delivery points here, so
    nothing can be sent in without it.
    """

    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, primary_key=True, related_name="notice"
    )
    noticed_at = models.DateTimeField()
    hub_name = models.CharField(max_length=60)
    worker_name = models.CharField(max_length=60)
    client_name = models.CharField(max_length=80)
    title = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=OrderKind)
    description = models.TextField()
    unit_count = models.PositiveIntegerField()
    unit_yen = models.PositiveIntegerField()
    amount_yen = models.PositiveBigIntegerField()
    receipt_by = models.DateTimeField()
    place = models.CharField(max_length=120)
    inspected_within_days = models.PositiveSmallIntegerField()
    pays_on = models.DateField()
    client_pays_on = models.DateField()
    pay_method = models.CharField(max_length=60)
    kept_until = models.DateField()


class Lease(models.Model):
    """A unit in somebody's hands: nobody else has it (unique). Deleted when it is settled or given back."""

    unit = models.OneToOneField(Unit, on_delete=models.PROTECT, related_name="lease")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="leases")
