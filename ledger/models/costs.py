"""Hold the costs a person enters, what they aim at, and the papers that prove it: what no platform tells."""

from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from ledger.accounts import AD_SPEND
from ledger.models.catalog import Product
from ledger.models.partners import Partner
from ledger.models.rules import Rule, one_at_a_time
from ledger.models.stores import PERCENTAGE, Store, valid_currency
from ledger.money import is_currency, minor_digits, minor_step, tenk

LONGEST_SPAN = 1_100
"""Days a cost that is entered once may cover: three years and a bit."""
EARLIEST = date(2000, 1, 1)
"""The first day a cost of days may be booked on."""


class ManualCost(Rule):
    """One cost that a person entered: once, again and again, or by a measure of the store's business."""

    class Category(models.TextChoices):
        OPERATING = "operating", "operating"
        MARKETING = "marketing", "marketing"
        FULFILMENT = "fulfilment", "fulfilment"
        FEES = "fees", "fees"

    class Basis(models.TextChoices):
        ONCE = "once", "once, spread over its days"
        DAY = "day", "every day"
        WEEK = "week", "every week"
        MONTH = "month", "every month"
        QUARTER = "quarter", "every quarter"
        YEAR = "year", "every year"
        REVENUE = "revenue", "% of net revenue"
        AD_SPEND = "ad_spend", "% of ad spend"
        ORDER = "order", "per order"
        UNIT = "unit", "per unit sold"

    RECURRING = frozenset({Basis.DAY, Basis.WEEK, Basis.MONTH, Basis.QUARTER, Basis.YEAR})
    SHARES = frozenset({Basis.REVENUE, Basis.AD_SPEND})
    OF_ORDERS = frozenset({Basis.REVENUE, Basis.ORDER, Basis.UNIT})
    """Bases whose cost belongs to single orders and is drafted with them; the others are booked on days."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="manual_costs")
    category = models.CharField(max_length=12, choices=Category.choices)
    label = models.SlugField(max_length=40, help_text="The account under its category, e.g. rent or influencer.")
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.ONCE)
    amount = models.DecimalField(
        max_digits=19, decimal_places=4, null=True, blank=True,
        help_text="Positive; a credit is negative. Once: in all. Every month and the like: each time. Per order or unit: for one.",
    )  # fmt: skip
    percentage = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True, validators=PERCENTAGE)
    currency = models.CharField(max_length=3, validators=[valid_currency])
    includes_vat = models.BooleanField("includes VAT", default=False, help_text="The amount holds VAT that you get back; only the rest is a cost.")
    vat_percentage = models.DecimalField(
        "VAT %", max_digits=7, decimal_places=4, default=Decimal(0), validators=PERCENTAGE, help_text="Needed where the amount includes VAT."
    )
    channel = models.CharField(max_length=60, blank=True, help_text="Only orders of this sales channel. Empty: every channel.")
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Only this product. Empty: every product."
    )
    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="costs",
        help_text="Per order, per unit and % of revenue: only orders with one of the partner's codes.",
    )  # fmt: skip
    invoice_number = models.CharField(max_length=80, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(effective_to__gte=F("effective_from")), name="manual_cost_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(basis__in=["revenue", "ad_spend"], percentage__isnull=False, amount__isnull=True)
                | (~Q(basis__in=["revenue", "ad_spend"]) & Q(amount__isnull=False, percentage__isnull=True)),
                name="manual_cost_is_an_amount_or_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=["revenue", "ad_spend", "order", "unit"]) | Q(effective_from__isnull=False), name="manual_cost_has_a_first_day"
            ),
            models.CheckConstraint(condition=~Q(basis="once") | Q(effective_to__isnull=False), name="manual_cost_once_has_a_last_day"),
            models.CheckConstraint(
                condition=~Q(basis__in=["revenue", "order", "unit"]) | ~Q(category="operating"), name="operating_costs_belong_to_no_order"
            ),
        ]
        indexes = [models.Index(fields=["store"], name="manual_cost_live", condition=Q(removed_by__isnull=True))]

    def __str__(self) -> str:
        if self.percentage is not None:
            how = f"{self.percentage.normalize():f} {self.get_basis_display()}"
        else:
            how = f"{(self.amount or Decimal(0)).normalize():f} {self.currency} {self.get_basis_display()}"
        return f"{self.account_name}: {how}"

    @property
    def account_name(self) -> str:
        """Return the account it is booked on."""
        return f"{self.category}:{self.label}"

    @property
    def net_amount(self) -> Decimal | None:
        """Return the amount without VAT that is got back, not rounded."""
        if self.amount is None or not self.includes_vat:
            return self.amount
        return self.amount * 100 / (100 + self.vat_percentage)

    def clean(self) -> None:
        """Refuse a cost whose fields do not fit its basis, each beside the field to mend."""
        super().clean()
        problems: dict[str, str] = {}
        if self.basis in self.SHARES:
            if self.percentage is None:
                problems["percentage"] = f"Give the percentage: the cost is a {self.get_basis_display()}."
            self.amount = None
        else:
            if self.amount is None:
                problems["amount"] = "Give the amount."
            self.percentage = None
        if self.basis not in self.OF_ORDERS and self.basis != self.Basis.AD_SPEND and self.effective_from is None:
            problems["effective_from"] = "Give the first day it covers."
        if self.basis == self.Basis.ONCE and self.effective_to is None:
            self.effective_to = self.effective_from
        if self.basis in self.OF_ORDERS and self.category == self.Category.OPERATING:
            problems["category"] = "Operating costs do not belong to single orders. Choose fees, fulfilment or marketing, or an amount every month."
        if self.includes_vat and not self.vat_percentage:
            problems["vat_percentage"] = "Give the VAT percentage that the amount includes, such as 19."
        days = (self.effective_to - self.effective_from).days if self.effective_from and self.effective_to else 0
        if self.basis == self.Basis.ONCE and days >= LONGEST_SPAN:
            problems["effective_to"] = f"A cost that is entered once covers at most {LONGEST_SPAN} days. Enter one a year."
        if self.basis == self.Basis.AD_SPEND and self.account_name in AD_SPEND:
            problems["label"] = "This account holds the ad spend itself. Give the fee a label of its own, such as agency."
        if self.basis not in self.OF_ORDERS:
            problems |= self._unfit_for_days()
        if problems:
            raise ValidationError(problems)

    def _unfit_for_days(self) -> dict[str, str]:
        """Say what a cost of days cannot have: a product, days before all days, parts of a cent."""
        problems = {}
        if self.product_id is not None:
            problems["product"] = "A cost of days belongs to no product. Leave this empty, or choose per order, per unit or % of net revenue."
        if self.effective_from and self.effective_from < EARLIEST:
            problems["effective_from"] = f"Costs are booked from {EARLIEST:%-d %B %Y} on."
        if self.amount is not None and is_currency(self.currency) and tenk(self.amount) % minor_step(self.currency):
            problems["amount"] = f"Give at most {minor_digits(self.currency)} decimals: {self.currency} has no smaller unit."
        return problems


class CostDocument(models.Model):
    """A paper that proves a cost, such as its invoice; compressed and sealed with FIELD_KEYS."""

    cost = models.ForeignKey(ManualCost, on_delete=models.CASCADE, related_name="documents")
    filename = models.CharField(max_length=200)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField(help_text="Bytes of the file as it was given.")
    sha256 = models.CharField(max_length=64)
    body = models.BinaryField()
    added_at = models.DateTimeField()
    actor = models.CharField(max_length=150, blank=True)

    def __str__(self) -> str:
        return self.filename


class ProfitGoal(Rule):
    """The net profit a store aims at in each month of a span, in its currency."""

    amount = models.DecimalField(max_digits=19, decimal_places=4, help_text="Net profit of one month, in the store's currency.")

    class Meta:
        constraints = [one_at_a_time("one_profit_goal_per_day")]

    def __str__(self) -> str:
        return f"a net profit of {self.amount.normalize():f} a month"

    def clean(self) -> None:
        """Refuse a goal that does not hold for whole months."""
        super().clean()
        problems = {}
        if self.effective_from and self.effective_from.day != 1:
            problems["effective_from"] = "A goal is for whole months. Give the first day of a month."
        if self.effective_to and (self.effective_to + timedelta(days=1)).day != 1:
            problems["effective_to"] = "A goal is for whole months. Give the last day of a month."
        if problems:
            raise ValidationError(problems)
