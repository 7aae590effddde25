"""My usual week: what was asked for, and what became of each date. The visits themselves stay `spaces.Visit`."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.members.models import Member
from hub.spaces.models import Hub, Visit, Zone


class DateState(models.TextChoices):
    """What became of a date. Where there is a visit, its own state says more (`week_pages.DateRow`)."""

    PLANNED = "planned", _("これから 予約します")
    BOOKED = "booked", _("予約ずみ")
    REFUSED = "refused", _("予約できませんでした")
    OFF = "off", _("行かない日")
    WAITING = "waiting", _("まだ 始まっていません")  # beyond the hub's horizon: booked when it opens
    CANCELLED = "cancelled", _("やめました")  # by whomever: the visit says by whom


#: The codes of a date that was refused because the hub, or the place asked for, is closed then: tried again once it is open.
CLOSED = ("hub_closed", "zone_closed")
#: A date in one of these may become a visit.
BOOKABLE = (DateState.PLANNED, DateState.WAITING, DateState.REFUSED)
#: It will be tried without being asked again: now, when it opens, or when the hub is not closed then any more.
PENDING = Q(state__in=(DateState.PLANNED, DateState.WAITING)) | Q(
    state=DateState.REFUSED, reason_code__in=CLOSED
)


class Series(models.Model):
    """A weekly pattern of one member at one hub, from a day to a day."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="series")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()
    zone = models.ForeignKey(Zone, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    without_seat = models.BooleanField(default=False)
    #: Who asked for it: the member herself, or staff for a caller. Null: asked for before this was kept.
    made_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Its place in the line for dates that open later.
    made_at = models.DateTimeField(default=clock.now)
    #: Every date asked for was tried, and the one mail is on its way. Null while the confirmation still runs.
    told_at = models.DateTimeField(null=True, blank=True)
    #: Grows with each change of several dates: names the one mail about it.
    changes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="series_forward"),
        ]
        indexes = [
            models.Index(fields=["member", "ends_on"], name="series_of_member"),
            models.Index(fields=["made_at"], condition=Q(told_at=None), name="series_running"),
        ]

    def __str__(self) -> str:
        return self.code


class SeriesLine(models.Model):
    """One day of the week as it was asked for: hours on the hub's wall clock, and codes of children."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="lines")
    weekday = models.PositiveSmallIntegerField()  # 0 = Monday
    starts = models.TimeField()
    ends = models.TimeField()
    children = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "weekday"], name="series_line_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="series_line_forward"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="series_line_weekday"),
        ]
        ordering = ["weekday"]


class SeriesDate(models.Model):
    """One date of a series, kept whatever became of it; ``reason`` is the sentence that the member read.

    ``children`` are codes, so that a date knows whom it was for also when the line has changed since. For a booked
    date ``reason`` says why the last change did not work.
    """

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="dates")
    date = models.DateField()
    state = models.CharField(max_length=10, choices=DateState, default=DateState.PLANNED)
    starts = models.TimeField()
    ends = models.TimeField()
    children = models.JSONField(default=list)
    is_shifted = models.BooleanField(default=False)  # other hours than its line
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    visit = models.OneToOneField(
        Visit, on_delete=models.CASCADE, null=True, blank=True, related_name="series_date"
    )
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "date"], name="series_date_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="series_date_forward"),
            models.CheckConstraint(
                condition=Q(state=DateState.BOOKED, visit__isnull=False)
                | Q(state=DateState.CANCELLED)
                | Q(
                    state__in=[DateState.PLANNED, DateState.REFUSED, DateState.OFF, DateState.WAITING],
                    visit__isnull=True,
                ),
                name="series_date_visit",
            ),
            models.CheckConstraint(
                condition=~Q(state=DateState.REFUSED) | ~Q(reason_code=""), name="series_date_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["date"], condition=Q(state=DateState.WAITING), name="series_date_waiting"),
            models.Index(fields=["date"], condition=Q(reason_code__in=CLOSED), name="series_date_closed"),
        ]
        ordering = ["date"]

    @property
    def is_pending(self) -> bool:
        """As `PENDING`: cancelling the series from a date on takes it along."""
        closed = self.state == DateState.REFUSED and self.reason_code in CLOSED
        return closed or self.state in (DateState.PLANNED, DateState.WAITING)
