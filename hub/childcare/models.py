"""Children, care rooms, the roster, the dated law, and the quarters in which the database keeps the ratio."""

from datetime import time
from decimal import Decimal

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import CombinedExpression, Expression
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from hub.childcare.enums import (
    AgeBasis,
    AttendanceKind,
    ChangeKind,
    ChildStatus,
    ContactOutcome,
    Identified,
    PlaceStatus,
    Qualification,
    RatioTable,
    Scheme,
)
from hub.core import clock
from hub.core.ids import new_code
from hub.core.quarters import Period
from hub.core.sealed import Sealed
from hub.members.models import Household, Member, PickupAdult
from hub.spaces.models import ClosedTime, Hub, Visit


class Child(models.Model):
    """A child of a household. Health text is sealed: it opens with the key only, for carers and guardians."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="children")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="children")  # who checks the papers
    name = models.CharField(_("名前"), max_length=40)
    kana = models.CharField(_("ふりがな"), max_length=60)
    birthday = models.DateField(_("生年月日"))
    allergy_sealed = models.BinaryField(null=True, blank=True, editable=False)
    allergy = Sealed("allergy_sealed")
    status = models.CharField(max_length=10, choices=ChildStatus, default=ChildStatus.PENDING)
    submitted_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    return_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["hub", "status"], name="child_approvals")]

    def __str__(self) -> str:
        return self.name


RATIOS_DIVIDE_300 = (
    Q(r0__in=(3, 4, 5, 6)) & Q(r1__in=(3, 4, 5, 6)) & Q(r2__in=(3, 4, 5, 6))
    & Q(r3__in=(15, 20)) & Q(r45__in=(20, 25, 30))
)  # fmt: skip


class CareRule(models.Model):
    """Staff ratios, qualified share and floor area of one scheme from a date on: law as dated data (RULE-01..05).

    Ratios are children per worker and divide 300, so that the strict rule stays exact in integers. Areas are
    square centimetres per child.
    """

    scheme = models.CharField(max_length=16, choices=Scheme)
    table = models.CharField(max_length=8, choices=RatioTable, default=RatioTable.CURRENT)
    valid_from = models.DateField()
    r0 = models.PositiveSmallIntegerField()
    r1 = models.PositiveSmallIntegerField()
    r2 = models.PositiveSmallIntegerField()
    r3 = models.PositiveSmallIntegerField()
    r45 = models.PositiveSmallIntegerField()
    plus = models.PositiveSmallIntegerField()
    share_num = models.PositiveSmallIntegerField()
    share_den = models.PositiveSmallIntegerField()
    area_infant_cm2 = models.PositiveIntegerField()
    area_toddler_cm2 = models.PositiveIntegerField()
    source = models.CharField(max_length=200)
    entered_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "table", "valid_from"], name="care_rule_once"),
            models.CheckConstraint(condition=RATIOS_DIVIDE_300, name="care_rule_ratios_divide_300"),
            models.CheckConstraint(
                condition=Q(share_den__gte=1, share_num__lte=F("share_den")), name="care_rule_share"
            ),
        ]
        ordering = ["scheme", "table", "-valid_from"]


class CareRoom(models.Model):
    """A children's room: under which scheme it runs, how many places its licence has, how large it is."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="care_rooms")
    name = models.CharField(_("名前"), max_length=40)
    name_en = models.CharField(_("名前（英語）"), max_length=40, blank=True)
    scheme = models.CharField(_("しくみ"), max_length=16, choices=Scheme, default=Scheme.CORPORATE_LED)
    table = models.CharField(_("配置の きまり"), max_length=8, choices=RatioTable, default=RatioTable.CURRENT)
    table_reason = models.CharField(_("その わけ"), max_length=200, blank=True)
    #: RULE-02's opt-in: one-year-olds by 5 instead of 6.
    one_by_five = models.BooleanField(_("1さいを 5人に 1人で みる"), default=False)
    #: 3/4 instead of 1/2 for corporate-led rooms of a childcare company with 20 or more places (RULE-04).
    three_quarters_qualified = models.BooleanField(_("資格者を 4分の3 おく"), default=False)
    age_basis = models.CharField(max_length=6, choices=AgeBasis, default=AgeBasis.FISCAL)
    places = models.PositiveSmallIntegerField(_("定員"))
    area_infant_cm2 = models.PositiveIntegerField(_("0・1さいの 広さ（cm²）"))
    area_toddler_cm2 = models.PositiveIntegerField(_("2さい からの 広さ（cm²）"))
    youngest = models.PositiveSmallIntegerField(_("いちばん 下の クラス"), default=0)
    oldest = models.PositiveSmallIntegerField(_("いちばん 上の クラス"), default=5)
    main_from = models.TimeField(_("主な 開所時間の はじめ"), default=time(8))
    main_to = models.TimeField(_("主な 開所時間の おわり"), default=time(19))
    #: From this temperature on a child is not received (RULE-07, CFG).
    fever_limit = models.DecimalField(
        _("何度から 預からないか"),
        max_digits=3,
        decimal_places=1,
        default=Decimal("37.5"),
        db_default=Decimal(
            "37.5"
        ),  # the version that still runs while this one starts does not know the column
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(youngest__lte=F("oldest"), oldest__lte=5), name="room_classes"
            ),
            models.CheckConstraint(
                condition=Q(table=RatioTable.CURRENT) | ~Q(table_reason=""),
                name="room_former_table_has_reason",
            ),
        ]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class RoomClosure(ClosedTime):
    """A care room takes nobody for a time while the hub is open: an infection, a repair (domain.md A8).

    Made by `booking.closures`, which ends the places in it. The quarters of that time are not laid out.
    """

    room = models.ForeignKey(CareRoom, on_delete=models.CASCADE, related_name="closures")


class Carer(models.Model):
    """Somebody on the roster of a hub's rooms, with or without an account."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="carers")
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    name = models.CharField(_("氏名"), max_length=60)
    qualification = models.CharField(_("資格"), max_length=16, choices=Qualification)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """A shift that repeats every week, from a date to a date. A carer has one place at a time."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    room = models.ForeignKey(CareRoom, on_delete=models.CASCADE, related_name="shifts")
    carer = models.ForeignKey(Carer, on_delete=models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField()
    starts = models.TimeField(_("はじめ"))
    ends = models.TimeField(_("おわり"))
    break_starts = models.TimeField(_("休けいの はじめ"), null=True, blank=True)
    break_ends = models.TimeField(_("休けいの おわり"), null=True, blank=True)
    valid_from = models.DateField(_("いつから"))
    valid_to = models.DateField(_("いつまで"), null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts"), weekday__lte=6), name="shift_forward"),
            models.CheckConstraint(
                condition=Q(break_starts__isnull=True, break_ends__isnull=True)
                | Q(
                    break_ends__gt=F("break_starts"), break_starts__gte=F("starts"), break_ends__lte=F("ends")
                ),
                name="shift_break_inside",
            ),
        ]
        ordering = ["weekday", "starts", "pk"]


class ShiftChange(models.Model):
    """A dated change: a carer is away that day, or works that day beside the weekly roster."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    room = models.ForeignKey(CareRoom, on_delete=models.CASCADE, related_name="shift_changes")
    carer = models.ForeignKey(Carer, on_delete=models.CASCADE, related_name="changes")
    date = models.DateField(_("日"))
    kind = models.CharField(max_length=8, choices=ChangeKind)
    starts = models.TimeField(_("はじめ"), null=True, blank=True)
    ends = models.TimeField(_("おわり"), null=True, blank=True)
    break_starts = models.TimeField(null=True, blank=True)
    break_ends = models.TimeField(null=True, blank=True)
    note = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "carer", "date", "kind"], name="shift_change_once"),
            models.CheckConstraint(
                condition=~Q(kind=ChangeKind.EXTRA) | Q(starts__isnull=False, ends__gt=F("starts")),
                name="shift_extra_has_times",
            ),
        ]
        ordering = ["date", "pk"]


def _children() -> CombinedExpression:
    return F("n0") + F("n1") + F("n2") + F("n3") + F("n45")


def _administrative() -> Expression:
    """RULE-02 in integers: tenths of a person per band, added, rounded half up, plus; never under 2."""
    ones_and_twos = Case(
        When(r1=F("r2"), then=(F("n1") + F("n2")) * 10 / F("r1")),
        default=F("n1") * 10 / F("r1") + F("n2") * 10 / F("r2"),
        output_field=models.IntegerField(),
    )
    tenths = F("n0") * 10 / F("r0") + ones_and_twos + F("n3") * 10 / F("r3") + F("n45") * 10 / F("r45")
    return Greatest(Value(2), (tenths + 5) / 10 + F("plus"), output_field=models.IntegerField())


def _strict() -> CombinedExpression:
    """RULE-03: the exact sum of fractions, rounded up, over the common denominator 300."""
    parts = (
        F("n0") * (Value(300) / F("r0")) + F("n1") * (Value(300) / F("r1")) + F("n2") * (Value(300) / F("r2"))
        + F("n3") * (Value(300) / F("r3")) + F("n45") * (Value(300) / F("r45"))
    )  # fmt: skip
    return (parts + 299) / 300


def required_expression() -> Expression:
    """Staff who must be there: 0 in an empty room, else the larger of 2, RULE-03 and, in main hours, RULE-02."""
    return Case(
        When(n0=0, n1=0, n2=0, n3=0, n45=0, then=Value(0)),
        When(in_main_hours=True, then=Greatest(_administrative(), _strict())),
        default=Greatest(Value(2), _strict()),
        output_field=models.IntegerField(),
    )


def qualified_expression() -> Expression:
    """RULE-04: the qualified share of RULE-02's number, rounded up, at least 1; 0 in an empty room."""
    return Case(
        When(n0=0, n1=0, n2=0, n3=0, n45=0, then=Value(0)),
        default=Greatest(
            Value(1), (F("share_num") * _administrative() + F("share_den") - 1) / F("share_den")
        ),
        output_field=models.IntegerField(),
    )


class RoomQuarter(models.Model):
    """A care room in one quarter: children by class, planned staff, limits, and the law it was made with (I3).

    ``required`` and ``qualified_required`` are generated by the database from the same row, so no code path,
    not even raw SQL, can store more children than the rule allows. ``shortfall`` records a lack that a roster
    change made while children were booked (I3b): reality is recordable, a new booking into it is not.
    """

    room = models.ForeignKey(CareRoom, on_delete=models.CASCADE, related_name="quarters", db_index=False)
    quarter = models.IntegerField()
    n0 = models.PositiveSmallIntegerField(default=0)
    n1 = models.PositiveSmallIntegerField(default=0)
    n2 = models.PositiveSmallIntegerField(default=0)
    n3 = models.PositiveSmallIntegerField(default=0)
    n45 = models.PositiveSmallIntegerField(default=0)
    staff = models.PositiveSmallIntegerField(default=0)
    qualified = models.PositiveSmallIntegerField(default=0)
    places = models.PositiveSmallIntegerField()
    infant_limit = models.PositiveSmallIntegerField()
    toddler_limit = models.PositiveSmallIntegerField()
    r0 = models.PositiveSmallIntegerField()
    r1 = models.PositiveSmallIntegerField()
    r2 = models.PositiveSmallIntegerField()
    r3 = models.PositiveSmallIntegerField()
    r45 = models.PositiveSmallIntegerField()
    plus = models.PositiveSmallIntegerField()
    share_num = models.PositiveSmallIntegerField()
    share_den = models.PositiveSmallIntegerField()
    in_main_hours = models.BooleanField(default=True)
    shortfall = models.PositiveSmallIntegerField(default=0)
    qualified_shortfall = models.PositiveSmallIntegerField(default=0)
    over = models.PositiveSmallIntegerField(
        default=0
    )  # children beyond places or floor after a change of those
    frozen_children = models.PositiveSmallIntegerField(default=0)
    required = models.GeneratedField(
        expression=required_expression(), output_field=models.IntegerField(), db_persist=True
    )
    qualified_required = models.GeneratedField(
        expression=qualified_expression(), output_field=models.IntegerField(), db_persist=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "quarter"], name="room_quarter_once"),
            # SQLite answers NULL to a division by zero and a CHECK lets NULL pass, so a ratio of 0 would switch
            # the guards below off.
            models.CheckConstraint(
                condition=RATIOS_DIVIDE_300 & Q(share_den__gte=1, share_num__lte=F("share_den")),
                name="room_quarter_law",
            ),
            models.CheckConstraint(
                condition=Q(required__lte=F("staff") + F("shortfall")), name="room_quarter_staff"
            ),
            models.CheckConstraint(
                condition=Q(qualified_required__lte=F("qualified") + F("qualified_shortfall")),
                name="room_quarter_qualified",
            ),
            models.CheckConstraint(
                condition=Q(places__gte=_children() - F("over")), name="room_quarter_places"
            ),
            models.CheckConstraint(
                condition=Q(infant_limit__gte=F("n0") + F("n1") - F("over")), name="room_quarter_infant_area"
            ),
            models.CheckConstraint(
                condition=Q(toddler_limit__gte=F("n2") + F("n3") + F("n45") - F("over")),
                name="room_quarter_toddler_area",
            ),
            models.CheckConstraint(
                condition=Q(shortfall=0, qualified_shortfall=0, over=0) | Q(frozen_children__gte=_children()),
                name="room_quarter_frozen",
            ),
        ]


class CarePlace(models.Model):
    """A child's stay in a visit: the whole time or a part inside it. History; its claims are what is guarded."""

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="care_places")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="places")
    room = models.ForeignKey(CareRoom, on_delete=models.PROTECT, related_name="places_booked")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=PlaceStatus, default=PlaceStatus.BOOKED)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "child"], name="place_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="place_forward"),
        ]

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)


class ChildClaim(models.Model):
    """One row per quarter and child: a child is in one room, in any hub (I2). The class counted stays on the row."""

    place = models.ForeignKey(CarePlace, on_delete=models.CASCADE, related_name="claims")
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="+", db_index=False)
    quarter = models.IntegerField()
    age_class = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["child", "quarter"], name="child_once"),
            models.CheckConstraint(condition=Q(age_class__lte=5), name="child_claim_class"),
        ]


def _one_adult(guardian: str, pickup: str) -> Q:
    """Exactly one of a guardian and a pick-up adult is named."""
    return Q(**{f"{guardian}__isnull": False, f"{pickup}__isnull": True}) | Q(
        **{f"{guardian}__isnull": True, f"{pickup}__isnull": False}
    )


class Custody(models.Model):
    """A child in the carers' hands, from being received to being handed over; one open one per child (I7).

    It can be closed only by naming its hand-over: ``handover`` must be the row of this very custody (CHECK), that
    row must exist (foreign key), and ``closed_at`` and ``handover`` go together (CHECK). Nothing, raw SQL included,
    lets a child leave without a carer and an adult on record.
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    place = models.ForeignKey(CarePlace, on_delete=models.PROTECT, related_name="custodies")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="custodies")
    room = models.ForeignKey(CareRoom, on_delete=models.PROTECT, related_name="custodies")
    age_class = models.PositiveSmallIntegerField()
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(Carer, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    brought_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    brought_by_adult = models.ForeignKey(
        PickupAdult, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    temperature = models.DecimalField(max_digits=3, decimal_places=1)
    note_sealed = models.BinaryField(null=True, blank=True, editable=False)
    note = Sealed("note_sealed")
    closed_at = models.DateTimeField(null=True, blank=True)
    handover = models.OneToOneField(
        "childcare.Handover", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child"], condition=Q(closed_at__isnull=True), name="one_open_custody"
            ),
            models.CheckConstraint(
                # IS NOT NULL stands there in words: "NULL = id" is NULL, and a CHECK lets NULL pass.
                condition=Q(closed_at__isnull=True, handover__isnull=True)
                | Q(
                    closed_at__isnull=False,
                    closed_at__gte=F("received_at"),
                    handover__isnull=False,
                    handover=F("id"),
                ),
                name="custody_closed_by_handover",
            ),
            models.CheckConstraint(
                condition=_one_adult("brought_by", "brought_by_adult"), name="custody_one_adult"
            ),
            models.CheckConstraint(
                condition=Q(
                    temperature__gte=Decimal("34"), temperature__lte=Decimal("42.5"), age_class__lte=5
                ),
                name="custody_plausible",
            ),
        ]
        indexes = [models.Index(fields=["room", "received_at"], name="custody_day")]


class Handover(models.Model):
    """Who gave the child to whom, when, and how the adult was known (RULE-11). Its key is the custody's."""

    custody = models.OneToOneField(Custody, on_delete=models.PROTECT, primary_key=True, related_name="+")
    handed_at = models.DateTimeField()
    carer = models.ForeignKey(Carer, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    guardian = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    pickup_adult = models.ForeignKey(
        PickupAdult, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    identified_by = models.CharField(max_length=6, choices=Identified)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=_one_adult("guardian", "pickup_adult"), name="handover_one_adult"
            ),
            models.CheckConstraint(
                condition=Q(identified_by__in=Identified.values), name="handover_identified"
            ),
        ]


class Attendance(models.Model):
    """A carer at work or on a break, by the clock on the tablet. Only open ``work`` counts for the ratio now."""

    carer = models.ForeignKey(Carer, on_delete=models.PROTECT, related_name="attendances")
    room = models.ForeignKey(CareRoom, on_delete=models.PROTECT, related_name="attendances")
    kind = models.CharField(max_length=5, choices=AttendanceKind)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    #: She went although the children inside need her, or (a row of no length) took a child although carers were missing:
    #: confirmed by a person, on record (I3b, decision 0010).
    was_short = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["carer"], condition=Q(ends_at__isnull=True), name="one_open_attendance"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")), name="attendance_forward"
            ),
        ]
        indexes = [models.Index(fields=["room", "starts_at"], name="attendance_day")]


class SickLeave(models.Model):
    """A guardian said that her child is ill and stays at home, on these local days (both included).

    Which illness nobody asks. It is shown to the guardians and the carers only, and forgotten when the next fiscal year is
    over (`hub.tick`).
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="sick_leaves")
    first_on = models.DateField()
    last_on = models.DateField()
    reported_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["child", "first_on"], name="sick_leave_once"),
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="sick_leave_forward"),
        ]


class AbsenceContact(models.Model):
    """Somebody asked after a child who did not come by the expected time (RULE-12): when, who, what came of it."""

    place = models.ForeignKey(CarePlace, on_delete=models.CASCADE, related_name="contacts")
    contacted_at = models.DateTimeField(default=clock.now)
    contacted_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, choices=ContactOutcome)
    note = models.CharField(max_length=200, blank=True)
