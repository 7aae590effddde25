"""The door: today's passes, every scan with its answer, and who is inside (I6, I7)."""

from django.db import models
from django.db.models import F, Q

from hub.checkin.enums import Direction, Method, PresenceEnd, PresenceKind, Result
from hub.core import clock
from hub.core.ids import new_code
from hub.members.models import Member
from hub.spaces.models import Hub, Visit


class Pass(models.Model):
    """What a member shows at one hub on one local day: the QR holds ``pass_id``, signed; ``fallback`` is read aloud."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="passes")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="passes")
    day = models.DateField()
    pass_id = models.BigIntegerField(unique=True)  # 63 random bits
    fallback = models.CharField(max_length=6)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "hub", "day"], name="pass_once"),
            models.UniqueConstraint(fields=["hub", "day", "fallback"], name="pass_fallback_once"),
        ]
        indexes = [models.Index(fields=["day"], name="pass_day")]  # the tick deletes old ones


class Presence(models.Model):
    """Somebody inside a hub, from one entry to one exit. Going out for lunch and back makes two."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    #: No index where nothing looks rows up by the column, or another index begins with it: each is a page more to every scan.
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="presences", db_index=False)
    member = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="presences"
    )
    visitor_name = models.CharField(max_length=60, blank=True)  # of a visitor, who has no account
    kind = models.CharField(max_length=8, choices=PresenceKind)
    visit = models.ForeignKey(
        Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="presences"
    )
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    left_at = models.DateTimeField(null=True, blank=True)
    left_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    ended_as = models.CharField(max_length=8, choices=PresenceEnd, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(left_at__isnull=True), name="one_open_presence"
            ),
            models.CheckConstraint(
                condition=Q(kind=PresenceKind.VISITOR, member__isnull=True, visit__isnull=True)
                & ~Q(visitor_name="")
                | Q(
                    kind__in=(PresenceKind.WORKER, PresenceKind.STAFF), member__isnull=False, visitor_name=""
                ),
                name="presence_person",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, ended_as="")
                # A comparison with NULL is neither true nor false, and a CHECK lets that pass: say that it is there.
                | Q(left_at__isnull=False, left_at__gte=F("entered_at"), ended_as__in=PresenceEnd.values),
                name="presence_end",
            ),
        ]
        indexes = [
            models.Index(fields=["hub", "entered_at"], name="presence_day"),
            models.Index(fields=["hub"], condition=Q(left_at__isnull=True), name="presence_inside"),
        ]

    def __str__(self) -> str:
        return self.code


class Scan(models.Model):
    """One reading at a door, accepted or refused, with what the door was told. ``scan_id`` counts once (I6).

    ``digest`` is the SHA-256 of what was read, so that an unreadable code leaves a trace but no text of strangers.
    """

    scan_id = models.UUIDField(unique=True)
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="scans", db_index=False)
    scanned_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    method = models.CharField(max_length=4, choices=Method)
    direction = models.CharField(max_length=3, choices=Direction)
    scanned_at = models.DateTimeField()  # as the door says
    received_at = models.DateTimeField(default=clock.now)
    is_offline = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, blank=True)
    result = models.CharField(max_length=16, choices=Result)
    reason = models.CharField(max_length=24)
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="scans")
    visit = models.ForeignKey(
        Visit, on_delete=models.SET_NULL, null=True, blank=True, related_name="scans", db_index=False
    )
    presence = models.ForeignKey(
        Presence, on_delete=models.SET_NULL, null=True, blank=True, related_name="scans", db_index=False
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        indexes = [models.Index(fields=["hub", "received_at"], name="scan_day")]

    @property
    def is_accepted(self) -> bool:
        return self.result in (Result.OK, Result.OUT)
