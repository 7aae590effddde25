"""Notices, what became of each on its way, and what a person chose."""

from django.db import models
from django.db.models import Q

from hub.core import clock
from hub.core.ids import new_code
from hub.members.enums import Language
from hub.members.models import Member
from hub.notices.enums import Channel, DeliveryState, Kind


class Notice(models.Model):
    """Something a member was told, in the words and the language of that moment. The in-app list shows these rows."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind)
    topic = models.CharField(max_length=40)
    #: What happened, named so that the same thing is told once: "visit/ABCDEFGH23/4".
    event = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    language = models.CharField(max_length=5, choices=Language)
    title = models.CharField(max_length=120)
    text = models.CharField(max_length=240, blank=True)
    path = models.CharField(max_length=200, blank=True)
    is_urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "event"], name="notice_once")]
        indexes = [models.Index(fields=["member", "created_at"], name="notice_of_member")]  # the in-app list

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """One notice on one courier. Leased while it is being carried, so that two workers do not carry it at once."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=4, choices=Channel)
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.WAITING)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once"),
            models.CheckConstraint(
                condition=(Q(state=DeliveryState.WAITING) & Q(ended_at__isnull=True))
                | (~Q(state=DeliveryState.WAITING) & Q(ended_at__isnull=False)),
                name="delivery_ends_once",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state=DeliveryState.WAITING), name="delivery_due")
        ]  # what the tick looks for


class Choice(models.Model):
    """How a member wants one kind of notice; no row means by every courier."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=12, choices=Kind)
    by_mail = models.BooleanField(default=True)
    by_push = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "kind"], name="choice_once")]


class PushSubscription(models.Model):
    """One browser on which a member wants to hear: where its push service takes messages, and the keys they are sealed with.

    Nothing here opens anything: only the holder of our signing key may send to it, and only that browser can read it.
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.CharField(max_length=500, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    #: Our public key with which the browser subscribed; a browser of an older key is no longer reached.
    server_key = models.CharField(max_length=100)
    device = models.CharField(max_length=60)
    created_at = models.DateTimeField(default=clock.now)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    #: She switched it off elsewhere: kept, so that this browser does not put itself back when it is opened.
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.device
