"""What booking keeps of its own: who waits for what, what was offered, who did not come, calendar feeds.

Visits, claims and places belong to the apps below.
"""

from django.db import models
from django.db.models import F, Q

from hub.booking.enums import EntryState, ExcuseKind, OfferState
from hub.booking.models_week import Series, SeriesDate, SeriesLine
from hub.childcare.models import Child
from hub.core import clock
from hub.core.ids import new_code
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces.models import Hub, Seat, Visit, Zone

__all__ = [
    "CalendarFeed", "Excuse", "LateAsk", "Offer", "Series", "SeriesDate", "SeriesLine", "WaitChild", "WaitEntry",
]  # fmt: skip


class WaitEntry(models.Model):
    """One wish for a seat and every child together: ``minutes`` anywhere inside a window of one local day.

    A window as long as ``minutes`` means exactly that time.
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="wait_entries")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="wait_entries")
    day = models.DateField()  # of the window, by the hub's clock
    window_starts = models.DateTimeField()
    window_ends = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField()
    latest_start = models.DateTimeField()  # window_ends less the minutes: later it cannot come true
    wants_seat = models.BooleanField(default=True)
    zone = models.ForeignKey(Zone, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=EntryState, default=EntryState.WAITING)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    #: The full date of her usual week from which she asked; what she accepts becomes of it.
    series_date = models.ForeignKey(
        SeriesDate, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "hub", "window_starts", "window_ends"],
                condition=Q(state=EntryState.WAITING),
                name="wait_once",
            ),
            models.CheckConstraint(
                condition=(Q(state=EntryState.WAITING) & Q(ended_at__isnull=True))
                | (~Q(state=EntryState.WAITING) & Q(ended_at__isnull=False)),
                name="wait_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gt=0) & Q(latest_start__gte=F("window_starts")), name="wait_window"
            ),
            models.CheckConstraint(condition=Q(wants_seat=True) | Q(zone__isnull=True), name="wait_zone"),
        ]
        indexes = [
            models.Index(fields=["hub", "day"], condition=Q(state=EntryState.WAITING), name="wait_line"),
            models.Index(fields=["member", "asked_at"], name="wait_mine"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def window(self) -> Period:
        return Period(self.window_starts, self.window_ends)

    @property
    def is_exact(self) -> bool:
        """Whether she waits for one time and no other."""
        return self.latest_start == self.window_starts


class WaitChild(models.Model):
    """A child who is to be cared for all the time that an entry comes true."""

    entry = models.ForeignKey(WaitEntry, on_delete=models.CASCADE, related_name="children")
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "child"], name="wait_child_once")]
        ordering = ["pk"]


class Offer(models.Model):
    """A visit that is held for an entry until it is answered: its claims and care places are real."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    entry = models.ForeignKey(WaitEntry, on_delete=models.CASCADE, related_name="offers")
    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, related_name="offer")
    state = models.CharField(max_length=9, choices=OfferState, default=OfferState.OPEN)
    made_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state=OfferState.OPEN), name="one_open_offer"
            ),
            models.CheckConstraint(
                condition=(Q(state=OfferState.OPEN) & Q(ended_at__isnull=True))
                | (~Q(state=OfferState.OPEN) & Q(ended_at__isnull=False)),
                name="offer_ends_once",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="offer_forward"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state=OfferState.OPEN), name="offer_due")
        ]  # what the tick looks for

    def __str__(self) -> str:
        return self.code


class LateAsk(models.Model):
    """The question 「行けますか」 to somebody who did not come in time: once per visit."""

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, related_name="late_ask")
    asked_at = models.DateTimeField(default=clock.now)
    keep_until = models.DateTimeField(null=True, blank=True)  # she is on her way: kept once more, until then

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_until__isnull=True) | Q(keep_until__gt=F("asked_at")),
                name="kept_after_asked",
            )
        ]


class Excuse(models.Model):
    """A visit that does not count against its person, whatever became of it."""

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, related_name="excuse")
    kind = models.CharField(max_length=6, choices=ExcuseKind)
    reason = models.CharField(max_length=200, blank=True)
    given_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    given_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind=ExcuseKind.WAIVED) | ~Q(reason=""), name="waived_with_a_reason"
            )
        ]


class CalendarFeed(models.Model):
    """A secret address under which a calendar program reads visits: its owner's, a hub's, or those of one seat.

    Only the hash of the secret is stored. A feed shows when, not who or what, unless its owner said otherwise.
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="calendar_feeds")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=40)
    with_details = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    #: A day, so that a calendar that asks every minute costs one write a day.
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(seat__isnull=True) | Q(hub__isnull=False), name="feed_seat_of_hub"
            )
        ]
