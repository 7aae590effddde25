"""Hubs, who has which role there, seats, hours and closures; visits and the claim rows that guard them."""

from datetime import time
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.core.quarters import Period
from hub.members.models import Member
from hub.spaces.enums import LIVE_STATUSES, Cause, MembershipStatus, Role, VisitSource, VisitStatus, ZoneKind


class Hub(models.Model):
    """A place with seats, a children's room and its own rules of booking."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("名前"), max_length=60)
    name_en = models.CharField(_("名前（英語）"), max_length=60, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20)
    address = models.CharField(_("住所"), max_length=120, blank=True)
    address_en = models.CharField(_("住所（英語）"), max_length=120, blank=True)
    access = models.TextField(_("行き方"), blank=True)
    access_en = models.TextField(_("行き方（英語）"), blank=True)
    timezone = models.CharField(max_length=40, default="Asia/Tokyo")
    is_open = models.BooleanField(_("予約を 受けつけています"), default=True)
    horizon_days = models.PositiveSmallIntegerField(
        _("何日 先まで 予約できるか"), default=42, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    page_step = models.PositiveSmallIntegerField(
        _("時間の きざみ（分）"), default=30, choices=[(15, "15"), (30, "30"), (60, "60")]
    )
    max_visit_minutes = models.PositiveSmallIntegerField(
        _("1回の 長さ（分まで）"), default=600, validators=[MinValueValidator(15), MaxValueValidator(900)]
    )
    max_open_visits = models.PositiveSmallIntegerField(
        _("1人が 先に 持てる 予約の 数"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    #: After this local time on the day before the visit ends, a change counts as late (it stays possible).
    change_deadline = models.TimeField(_("前の日の 何時までに 変えるか"), default=time(17))
    early_minutes = models.PositiveSmallIntegerField(
        _("何分 前から 入れるか"), default=30, db_default=30, validators=[MaxValueValidator(240)]
    )
    #: Who comes first in the waiting list, before the time of asking: names of `booking.enums.Priority`, with commas.
    wait_order = models.CharField(
        _("待っている人の 順番"), max_length=60, default="no_visit", db_default="no_visit", blank=True
    )
    offer_minutes = models.PositiveSmallIntegerField(
        _("空いた席の 返事を 待つ時間（分）"),
        default=60, db_default=60, validators=[MinValueValidator(10), MaxValueValidator(1440)],
    )  # fmt: skip
    offer_cutoff = models.PositiveSmallIntegerField(
        _("始まりの 何分 前まで 空いた席を 知らせるか"),
        default=60, db_default=60, validators=[MinValueValidator(40), MaxValueValidator(2880)],
    )  # fmt: skip
    grace_minutes = models.PositiveSmallIntegerField(
        _("来ない人の 席を 何分 とっておくか"),
        default=20, db_default=20, validators=[MinValueValidator(5), MaxValueValidator(120)],
    )  # fmt: skip
    releases_missed = models.BooleanField(_("来ない人の 席を 自動で 空ける"), default=True, db_default=True)
    #: The steps of a storm day (RULE-32): a warning lifted by the first time changes nothing, by the second one the hub
    #: opens so many minutes after it was lifted (without lunch after the third), later than that it stays closed.
    storm_normal_by = models.TimeField(
        _("何時までに 解除なら いつも通りか"), default=time(7), db_default=time(7)
    )
    storm_late_by = models.TimeField(_("何時までに 解除なら 開けるか"), default=time(11), db_default=time(11))
    storm_wait_minutes = models.PositiveSmallIntegerField(
        _("解除の 何分 あとに 開けるか"), default=60, db_default=60, validators=[MaxValueValidator(240)]
    )
    storm_lunch_by = models.TimeField(
        _("何時を すぎて 解除なら 昼食なしか"), default=time(10), db_default=time(10)
    )
    announce_by = models.TimeField(_("朝 何時までに 知らせるか"), default=time(6, 30), db_default=time(6, 30))
    #: New whenever hours, closures, zones, seats or settings change; the key of cached hub facts.
    revision = models.CharField(max_length=16, default=new_code, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Membership(models.Model):
    """A role of a member at a hub. The worker row of the home hub has ``is_home``."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="memberships")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    status = models.CharField(max_length=8, choices=MembershipStatus, default=MembershipStatus.ACTIVE)
    reason = models.CharField(max_length=200, blank=True)  # why blocked or ended, said to the person
    is_home = models.BooleanField(default=False)
    since = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "hub", "role"], name="membership_once"),
            models.UniqueConstraint(fields=["member"], condition=Q(is_home=True), name="one_home_hub"),
        ]
        indexes = [models.Index(fields=["hub", "role", "status"], name="membership_hub_role")]


class RoleInvitation(models.Model):
    """A role waiting for somebody who has no account yet: granted when that e-mail address signs up."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="role_invitations")
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role)
    invited_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "email", "role"], name="role_invited_once")]


class Zone(models.Model):
    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="zones")
    slug = models.SlugField(max_length=20)
    name = models.CharField(_("名前"), max_length=40)
    name_en = models.CharField(_("名前（英語）"), max_length=40, blank=True)
    kind = models.CharField(_("種類"), max_length=16, choices=ZoneKind)
    position = models.PositiveSmallIntegerField(_("順番"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "slug"], name="zone_slug_once")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Seat(models.Model):
    """A seat with what it offers and where it stands on the floor plan (44 px grid cells)."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="seats")
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="seats")
    label = models.CharField(_("番号"), max_length=8)
    has_window = models.BooleanField(_("まどぎわ"), default=False)
    has_power = models.BooleanField(_("電源あり"), default=True)
    has_monitor = models.BooleanField(_("モニターあり"), default=False)
    plan_x = models.PositiveSmallIntegerField(_("地図の 横"), default=0, validators=[MaxValueValidator(5)])
    plan_y = models.PositiveSmallIntegerField(_("地図の たて"), default=0, validators=[MaxValueValidator(11)])
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(_("使えます"), default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "label"], name="seat_label_once")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.label


class OpeningHours(models.Model):
    """Opening time on a weekday (0 = Monday). No row: closed that day."""

    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hub", "weekday"], name="hours_once"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="hours_forward"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_weekday"),
        ]
        ordering = ["weekday"]


class ClosedTime(models.Model):
    """Local days on which something is closed: whole, until a time in the morning, or from a time on (RULE-32).

    A gap in the middle of a day cannot be said: a visit is one piece, and so is the open time of a day (decision 0020).
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    starts_on = models.DateField(_("いつから"))
    ends_on = models.DateField(_("いつまで"))
    closed_until = models.TimeField(_("朝から 何時まで"), null=True, blank=True)
    closed_from = models.TimeField(_("何時から"), null=True, blank=True)
    cause = models.CharField(
        _("理由の 種類"), max_length=10, choices=Cause, default=Cause.OTHER, db_default=Cause.OTHER
    )
    reason = models.CharField(_("わけ"), max_length=80)
    created_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="%(class)s_forward"),
            models.CheckConstraint(
                condition=Q(closed_until__isnull=True) | Q(closed_from__isnull=True), name="%(class)s_one_end"
            ),
        ]
        ordering = ["starts_on", "pk"]


class Closure(ClosedTime):
    """A hub, or one zone of it, is closed for a reason of its own. Made by `booking.closures`, which handles visits."""

    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="closures")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, null=True, blank=True, related_name="closures")


class Holiday(models.Model):
    """A national holiday as this hub keeps it: imported yearly, editable by hand (RULE-33)."""

    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="holidays")
    date = models.DateField()
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80, blank=True)
    is_closed = models.BooleanField(_("お休み"), default=True)
    is_manual = models.BooleanField(default=False)  # edited by a person: the yearly import leaves it alone

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "date"], name="holiday_once")]
        ordering = ["date"]


class Visit(models.Model):
    """A stay of one member at one hub, with or without a seat. Its claims are what the database guards (I1)."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="visits")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="visits")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, null=True, blank=True, related_name="visits")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=VisitStatus, default=VisitStatus.BOOKED)
    source = models.CharField(max_length=8, choices=VisitSource, default=VisitSource.SELF)
    booked_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    #: Grows with every change: the calendar file's SEQUENCE (RFC 5545 3.8.7.4).
    sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    arrived_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)
    is_late_change = models.BooleanField(default=False)  # cancelled or moved after the change deadline

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="visit_forward")]
        indexes = [
            models.Index(fields=["member", "starts_at"], name="visit_member"),  # my visits
            models.Index(fields=["hub", "starts_at"], name="visit_hub"),  # the day at a hub
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES


class VisitClaim(models.Model):
    """One row per quarter of a live visit: the unique constraints make a double booking impossible (I1)."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="claims")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    quarter = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seat", "quarter"], name="seat_once"),
            models.UniqueConstraint(fields=["member", "quarter"], name="member_once"),
        ]
        indexes = [
            models.Index(fields=["quarter", "seat"], name="claim_quarter")
        ]  # which seats are taken in a window
