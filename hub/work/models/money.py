"""Whole yen: parts, what each accepted unit brought to whom, statements, and the hub's month. Records, not a bank.

Nothing here can ask a worker for money: every amount that belongs to a member is what she gets, 0 or more.
"""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.core import clock
from hub.core.ids import new_code
from hub.members.models import Member
from hub.spaces.models import Hub
from hub.work.enums import LedgerKind
from hub.work.models.doing import Delivery
from hub.work.models.orders import Order


class WorkRates(models.Model):
    """From a day on: who gets how much of an order at this hub (basis points, 100 % together), and the wage to compare with."""

    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="work_rates")
    valid_from = models.DateField(_("いつから"))
    worker = models.PositiveSmallIntegerField(_("働く人"))
    director = models.PositiveSmallIntegerField(_("ディレクター"))
    hub_part = models.PositiveSmallIntegerField(_("ハブ"))
    platform = models.PositiveSmallIntegerField(_("しくみの 会社"))
    #: Yen per hour below which a warning is shown: the minimum wage of the place, as a reference only.
    reference_wage_yen = models.PositiveSmallIntegerField(_("くらべる 時給（円）"))
    source = models.CharField(_("もと"), max_length=120)
    entered_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hub", "valid_from"], name="work_rates_once"),
            models.CheckConstraint(
                condition=Q(worker=10_000 - F("director") - F("hub_part") - F("platform")),
                name="work_rates_make_100",
            ),
        ]
        ordering = ["-valid_from"]


class OrderRate(models.Model):
    """What one unit of an order brings, and to whom. The first row is written with the terms; a later one is higher.

    A trigger refuses changes, and a row that pays the worker or costs the client less than the one before (RULE-27, migration 0004).
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="rates")
    number = models.PositiveSmallIntegerField()
    price_yen = models.PositiveIntegerField()
    worker_yen = models.PositiveIntegerField()
    director_yen = models.PositiveIntegerField()
    hub_yen = models.PositiveIntegerField()
    platform_yen = models.PositiveIntegerField()
    withholds = models.BooleanField()  # RULE-29: income tax is kept back from this kind of work
    reason = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="order_rate_once"),
            models.CheckConstraint(
                condition=Q(price_yen=F("worker_yen") + F("director_yen") + F("hub_yen") + F("platform_yen")),
                name="order_rate_exact",
            ),
        ]
        ordering = ["number"]


class PayProfile(models.Model):
    """What a worker says about being paid. Nothing here changes how much she gets (RULE-30)."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="pay_profile")
    registration_number = models.CharField(
        _("登録番号"), max_length=14, blank=True, validators=[RegexValidator(r"\AT\d{13}\Z")]
    )
    #: She lets the time of her units be measured, so that others see an honest yen per hour.
    shares_time = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=clock.now)


class Statement(models.Model):
    """What a hub owes a member for a month. Amounts and names stay as they were written; only the day of paying is added."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="statements")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="statements")
    number = models.PositiveIntegerField()  # of the hub, without gaps
    month = models.DateField()  # its first day
    hub_name = models.CharField(max_length=60)
    member_name = models.CharField(max_length=60)
    registration_number = models.CharField(max_length=14, blank=True)
    unit_count = models.PositiveIntegerField()
    work_yen = models.PositiveIntegerField()
    director_yen = models.PositiveIntegerField()
    withheld_from_yen = models.PositiveIntegerField()  # the part of work_yen from which tax is kept back
    withholding_yen = models.PositiveIntegerField()
    net_yen = models.PositiveIntegerField()
    #: Percent of the consumption tax in it that the hub may deduct (RULE-30); changes nothing for the member.
    deduction_percent = models.PositiveSmallIntegerField()
    pays_on = models.DateField()
    latest_on = models.DateField()  # RULE-26, of what was received first
    made_at = models.DateTimeField(default=clock.now)
    paid_on = models.DateField(null=True)
    kept_until = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hub", "member", "month"], name="statement_once_a_month"),
            models.UniqueConstraint(fields=["hub", "number"], name="statement_number_once"),
            models.CheckConstraint(
                condition=Q(net_yen=F("work_yen") + F("director_yen") - F("withholding_yen")),
                name="statement_exact",
            ),
            models.CheckConstraint(
                condition=Q(
                    withheld_from_yen__lte=F("work_yen"), withholding_yen__lte=F("withheld_from_yen")
                ),
                name="statement_withholds_from_work",
            ),
        ]
        ordering = ["-month", "number"]


class Earning(models.Model):
    """What one accepted unit brought, to the last yen. Written at acceptance, once for a delivery, never changed."""

    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="earning")
    hub = models.ForeignKey(Hub, on_delete=models.PROTECT, related_name="earnings")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="earnings")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="earnings")
    director = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    received_on = models.DateField()  # the hub's local day of sending in: RULE-26 counts from it
    accepted_on = models.DateField()
    latest_on = models.DateField()  # the last day of paying, RULE-26
    price_yen = models.PositiveIntegerField()
    worker_yen = models.PositiveIntegerField()
    director_yen = models.PositiveIntegerField()
    hub_yen = models.PositiveIntegerField()
    platform_yen = models.PositiveIntegerField()
    withholds = models.BooleanField()
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, null=True, related_name="earnings")
    director_statement = models.ForeignKey(
        Statement, on_delete=models.PROTECT, null=True, related_name="directed"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(price_yen=F("worker_yen") + F("director_yen") + F("hub_yen") + F("platform_yen")),
                name="earning_exact",
            ),
        ]
        indexes = [
            models.Index(fields=["hub", "received_on"], name="earning_of_month"),
            models.Index(fields=["member", "statement"], name="earning_of_member"),
        ]


class LedgerLine(models.Model):
    """Money of a hub's month that no unit brings: costs, subsidy, grant (B9)."""

    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    hub = models.ForeignKey(Hub, on_delete=models.CASCADE, related_name="ledger_lines")
    month = models.DateField()  # its first day
    kind = models.CharField(_("なにの"), max_length=8, choices=LedgerKind)
    yen = models.PositiveIntegerField(_("金額（円）"))
    note = models.CharField(_("メモ"), max_length=120, blank=True)
    made_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["hub", "month"], name="ledger_of_month")]
        ordering = ["kind", "pk"]


class InvoiceDeduction(models.Model):
    """How much of the tax in a bill without a registration number a buyer may deduct, by date (RULE-30)."""

    valid_from = models.DateField(unique=True)
    percent = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=120)

    class Meta:
        ordering = ["-valid_from"]
