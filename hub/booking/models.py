"""What booking keeps of its own; visits, claims and places belong to the apps below."""

from django.db import models
from django.db.models import Q

from hub.core import clock
from hub.core.ids import new_code
from hub.members.models import Member
from hub.spaces.models import Hub, Seat


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
