"""Clients, what they order, its lots and its units, and the files that units come from."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.core.sealed import Sealed
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work.enums import (
    LIVE_IMPORTS,
    Column,
    ImportState,
    Level,
    OrderKind,
    OrderState,
    PartStage,
    Problem,
    UnitState,
)

MOST_UNITS = 50_000
MOST_YEN = 1_000_000


class Client(models.Model):
    """Who orders work from a hub, and whom to ask there."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="clients")
    name = models.CharField(_("名前"), max_length=80)
    contact_name = models.CharField(_("担当の人"), max_length=60)
    email = models.EmailField(_("メールアドレス"), blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "name"], name="client_once")]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Nda(models.Model):
    """A version of what is promised to a client about secrets. A new wording is a new version; old ones stay."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="ndas")
    version = models.PositiveSmallIntegerField()
    text = models.TextField(_("約束の 文"))
    starts_on = models.DateField(_("いつから"))
    ends_on = models.DateField(_("いつまで"), null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "version"], name="nda_version_once"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="nda_forward"
            ),
        ]
        ordering = ["-version"]


class Order(models.Model):
    """Work that a client asks a hub for: so many units of one kind at one price.

    Until it is accepted everything may change; afterwards `OrderTerms` says what was agreed.
    """

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="orders")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="orders")
    title = models.CharField(_("しごとの 名前"), max_length=80)
    kind = models.CharField(_("種類"), max_length=10, choices=OrderKind)
    description = models.TextField(_("すること"))
    unit_count = models.PositiveIntegerField(
        _("件数"), validators=[MinValueValidator(1), MaxValueValidator(MOST_UNITS)]
    )
    price_yen = models.PositiveIntegerField(
        _("1件の 金額（円）"), validators=[MinValueValidator(1), MaxValueValidator(MOST_YEN)]
    )
    minutes_per_unit = models.PositiveSmallIntegerField(
        _("1件に かかる時間（分）"), validators=[MinValueValidator(1), MaxValueValidator(600)]
    )
    level = models.PositiveSmallIntegerField(_("できる人"), choices=Level, default=Level.FIRST)
    deadline = models.DateField(_("納める日"))
    is_confidential = models.BooleanField(_("機密の しごと"), default=False)
    state = models.CharField(max_length=10, choices=OrderState, default=OrderState.DRAFT)
    #: Who took it: she reviews, is asked, and gets the director's part of each unit.
    director = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    #: Units that are here; the next one gets the number after it.
    units_kept = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(unit_count__gte=1), name="order_has_units"),
            models.CheckConstraint(condition=Q(price_yen__gte=1), name="order_has_price"),
            models.CheckConstraint(condition=Q(units_kept__lte=F("unit_count")), name="order_not_overfull"),
        ]
        indexes = [models.Index(fields=["hub", "state", "deadline"], name="order_of_hub")]

    def __str__(self) -> str:
        return self.title

    @property
    def amount_yen(self) -> int:
        """What the whole order brings, before it is split."""
        return self.unit_count * self.price_yen


class OrderTerms(models.Model):
    """What was agreed when the order was accepted: the fields of RULE-25, and what a re-order to workers has to name.

    The row is written once. A trigger of the database refuses every change, and deleting it before ``kept_until``
    (migration 0002), so it copies names instead of pointing at rows that may change.
    """

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="terms")
    accepted_at = models.DateTimeField()
    client_name = models.CharField(max_length=80)
    contact_name = models.CharField(max_length=60)
    hub_name = models.CharField(max_length=60)
    title = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=OrderKind)
    description = models.TextField()
    unit_count = models.PositiveBigIntegerField()  # wide, so that the CHECK's product fits on PostgreSQL
    price_yen = models.PositiveBigIntegerField()
    amount_yen = models.PositiveBigIntegerField()
    minutes_per_unit = models.PositiveSmallIntegerField()
    level = models.PositiveSmallIntegerField(choices=Level)
    is_confidential = models.BooleanField()
    nda_version = models.PositiveSmallIntegerField(null=True)
    ordered_on = models.DateField()
    deliver_on = models.DateField()
    place = models.CharField(max_length=120)
    inspected_by = models.DateField(null=True)
    client_pays_on = models.DateField()
    pay_method = models.CharField(max_length=60)
    worker_pays_on = models.DateField()
    kept_until = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_yen=F("unit_count") * F("price_yen")), name="terms_amount_exact"
            ),
        ]


class Lot(models.Model):
    """A part of an order (まとまり). The next one opens when ``gate_percent`` of this one were accepted at review (B5)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lots")
    number = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField(_("件数"))
    gate_percent = models.PositiveSmallIntegerField(_("つぎへ すすむ 合格の 割合（%）"), default=90)
    #: Units of it may be claimed by whoever has the level, so many at a time; 0 is closed.
    most_per_claim = models.PositiveSmallIntegerField(_("1人が 一度に とれる 件数"), default=0)
    #: A course (B4): whoever has ``course_units`` of it accepted is of this level from then on.
    opens_level = models.PositiveSmallIntegerField(_("ひらく レベル"), choices=Level, null=True)
    course_units = models.PositiveSmallIntegerField(_("合格が いる 件数"), default=10)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(course_units__gte=1), name="lot_course_has_units"),
            models.UniqueConstraint(fields=["order", "number"], name="lot_number_once"),
            models.CheckConstraint(condition=Q(size__gte=1), name="lot_has_units"),
            models.CheckConstraint(
                condition=Q(gate_percent__gte=1, gate_percent__lte=100), name="lot_gate_is_percent"
            ),
        ]
        ordering = ["number"]


class UnitImport(models.Model):
    """A file on its way to units. One at a time for an order."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="imports")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.CHECKING)
    file_name = models.CharField(max_length=120)
    is_sheet = models.BooleanField()  # XLSX; otherwise CSV
    #: Changes whenever reading begins anew: who reads under an older one stops.
    run = models.CharField(max_length=16, default=new_code)
    rows_read = models.PositiveIntegerField(default=0)
    rows_good = models.PositiveIntegerField(default=0)
    rows_bad = models.PositiveIntegerField(default=0)
    rows_kept = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=20, choices=Problem, blank=True)
    problem_row = models.PositiveIntegerField(null=True)
    #: Headings of columns that are not used, with commas.
    unused_columns = models.CharField(max_length=400, blank=True)
    created_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=LIVE_IMPORTS), name="one_import_at_a_time"
            )
        ]
        ordering = ["-pk"]


class ImportPart(models.Model):
    """A piece of a file, or some of its good rows. Sealed, because it is the client's; gone when the file is settled."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    source = models.ForeignKey(UnitImport, on_delete=models.CASCADE, related_name="parts")
    stage = models.CharField(max_length=4, choices=PartStage)
    number = models.PositiveIntegerField()
    body_sealed = models.BinaryField()
    body = Sealed("body_sealed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "stage", "number"], name="import_part_once")]
        ordering = ["number"]


class RowError(models.Model):
    """A row that cannot be taken: which, in which column, and why. Never what stands in it."""

    source = models.ForeignKey(UnitImport, on_delete=models.CASCADE, related_name="errors")
    row = models.PositiveIntegerField()  # as a spreadsheet counts: the heading is row 1
    column = models.CharField(max_length=10, choices=Column)
    problem = models.CharField(max_length=20, choices=Problem)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "row", "column"], name="row_error_once")]
        ordering = ["row", "pk"]


class Unit(models.Model):
    """One piece of work. What stands in it is read by `material.open_unit` only."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="units")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="units")
    number = models.PositiveIntegerField()  # in the order, from 1 without gaps
    source = models.ForeignKey(UnitImport, on_delete=models.PROTECT, related_name="units")
    row = models.PositiveIntegerField()
    #: A digest of the client's own number for it, so that no number comes twice and none can be read here.
    reference_key = models.CharField(max_length=32, null=True)  # noqa: DJ001  NULL: no number, and no clash
    content_sealed = models.BinaryField()
    content = Sealed("content_sealed")
    #: Where it stands, so that counting fifty thousand is one look at an index; leases and deliveries say the same.
    state = models.CharField(max_length=9, choices=UnitState, default=UnitState.FREE)

    class Meta:
        indexes = [models.Index(fields=["lot", "state", "number"], name="unit_of_lot_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["source", "row"], name="unit_row_once"),
            models.UniqueConstraint(fields=["order", "number"], name="unit_number_once"),
            models.UniqueConstraint(fields=["order", "reference_key"], name="unit_reference_once"),
        ]
