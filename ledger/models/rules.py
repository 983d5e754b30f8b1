"""Hold the dated rules that decide costs, and who changed them when and why.

A rule is never edited: a change removes rules and adds others, so that what held before can be told and put back.
Days are the store's own; a rule holds from its first day through its last, both included.
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Coalesce

from ledger.kinds import CostOrigin
from ledger.models.catalog import Product, Variant
from ledger.models.stores import PERCENTAGE, Store, valid_currency

NOT_NEGATIVE = [MinValueValidator(Decimal(0))]
FIRST_YEAR, LAST_YEAR = 1990, 2100
"""The years in which rules begin and end; “always” and “until further notice” are no days."""


def point(column: str) -> Func:
    """Return a number (0 for none) as a range of one, which GiST compares without the btree_gist extension."""
    number = Coalesce(Cast(column, models.BigIntegerField()), Value(0), output_field=models.BigIntegerField())
    return Func(number, number, Value("[]"), function="int8range", output_field=models.Field())


def text(name: str) -> Func:
    """Return a text as such a range, by a hash of it."""
    number = Func(F(name), Value(0), function="hashtextextended", output_field=models.BigIntegerField())
    return Func(number, number, Value("[]"), function="int8range", output_field=models.Field())


_DAYS = Func(F("effective_from"), F("effective_to"), Value("[]"), function="daterange", output_field=models.Field())


def one_at_a_time(name: str, *scope: Func) -> ExclusionConstraint:
    """Refuse two rules of one scope that hold on the same day; removed ones do not count."""
    expressions = [(each, RangeOperators.OVERLAPS) for each in (point("store_id"), *scope, _DAYS)]
    return ExclusionConstraint(name=name, expressions=expressions, condition=Q(removed_by__isnull=True))


class CostChange(models.Model):
    """One change of a store's cost rules by a person: what it removed and added hangs on it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="cost_changes")
    at = models.DateTimeField()
    actor = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was changed, in the person's own words.")
    summary = models.CharField(max_length=300)
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")
    costs_version = models.BigIntegerField(null=True, help_text="The version of the book's costs it made; empty where no order's cost moved.")

    class Meta:
        indexes = [
            models.Index(fields=["store", "-at"], name="cost_change_by_time"),
            models.Index(fields=["store", "costs_version"], name="cost_change_by_version"),
        ]

    def __str__(self) -> str:
        return self.summary


class Rule(models.Model):
    """What every dated rule has."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    effective_from = models.DateField(
        "first day", null=True, blank=True, help_text="The first day it holds, in the store's time zone. Empty: always has."
    )
    effective_to = models.DateField("last day", null=True, blank=True, help_text="The last day it holds. Empty: until further notice.")
    added_by = models.ForeignKey(CostChange, on_delete=models.PROTECT, related_name="+")
    removed_by = models.ForeignKey(CostChange, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Leave days to `rules.change`, which makes room for a rule; the database has the last word. Fields check their ranges."""

    def clean(self) -> None:
        """Refuse a rule that ends before it begins, and days that stand for always or never."""
        outside = {name for name in ("effective_from", "effective_to") if (day := getattr(self, name)) and not FIRST_YEAR <= day.year <= LAST_YEAR}
        if outside:
            told = f"Give a day in the years {FIRST_YEAR} to {LAST_YEAR}, or leave it empty: it has always held, or holds until further notice."
            raise ValidationError(dict.fromkeys(outside, told))
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValidationError({"effective_to": "The last day lies before the first."})


def first_of(rule: Rule) -> date:
    """Return the first day a rule holds; the first of all days where it always has."""
    return rule.effective_from or date.min


def last_of(rule: Rule) -> date:
    """Return the last day a rule holds; the last of all days where it holds until further notice."""
    return rule.effective_to or date.max


def holds(rule: Rule, first: date, last: date | None = None) -> bool:
    """Tell whether a rule holds on a day, or on any day of a span."""
    return first_of(rule) <= (last or first) and first <= last_of(rule)


class CogsRule(Rule):
    """The share of the list price that a product costs, or every product of the store without one of its own."""

    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.CASCADE, related_name="cogs_rules")
    percentage = models.DecimalField("COGS %", max_digits=7, decimal_places=4, validators=PERCENTAGE, help_text="Of the list price, tax removed.")

    class Meta:
        verbose_name = "COGS percentage"
        constraints = [
            one_at_a_time("one_cogs_rule_per_product_and_day", point("product_id")),
            models.CheckConstraint(condition=Q(percentage__range=(0, 100)), name="cogs_rule_between_0_and_100"),
        ]

    def __str__(self) -> str:
        return f"{self.percentage.normalize():f} % for {self.product or 'every product'}"


class VariantCost(Rule):
    """What one unit of a variant costs landed, from a day until the next such cost."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="costs")
    origin = models.PositiveSmallIntegerField(choices=CostOrigin.choices, default=CostOrigin.MANUAL)
    goods = models.DecimalField(max_digits=19, decimal_places=4, validators=NOT_NEGATIVE)
    freight = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE)
    duty = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE)
    packaging = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE)
    currency = models.CharField(max_length=3, validators=[valid_currency])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "variant", "effective_from", "origin"], condition=Q(removed_by__isnull=True), nulls_distinct=False,
                name="one_cost_per_variant_day_and_origin",
            ),
            models.CheckConstraint(condition=Q(goods__gte=0, freight__gte=0, duty__gte=0, packaging__gte=0), name="variant_cost_not_negative"),
            models.CheckConstraint(condition=Q(effective_to__isnull=True), name="variant_cost_holds_until_the_next"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["store", "variant"], name="variant_cost_live", condition=Q(removed_by__isnull=True))]

    def __str__(self) -> str:
        return f"{self.landed.normalize():f} {self.currency} for {self.variant}"

    @property
    def landed(self) -> Decimal:
        """Return what a unit costs with all its parts."""
        return self.goods + self.freight + self.duty + self.packaging


class BundlePart(Rule):
    """How many units of a component one unit of a bundle holds; the parts that stand on a day make the bundle's cost."""

    bundle = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="parts")
    component = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Units of the component in one unit of the bundle."
    )

    class Meta:
        constraints = [
            one_at_a_time("one_quantity_per_bundle_part_and_day", point("bundle_id"), point("component_id")),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="bundle_part_has_units"),
            models.CheckConstraint(condition=~Q(bundle=F("component")), name="bundle_is_no_part_of_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.component} in {self.bundle}"


class CostOverride(Rule):
    """What one unit on one order line cost, whatever the rules say; it holds for that line alone."""

    order_id = models.BigIntegerField()
    line = models.CharField(max_length=120, help_text="The platform's id of the order line.")
    unit_cost = models.DecimalField(max_digits=19, decimal_places=4, validators=NOT_NEGATIVE)
    currency = models.CharField(max_length=3, validators=[valid_currency])
    told = models.CharField(max_length=255, blank=True, editable=False, help_text="The order's number and the line's title, for the list.")

    class Meta:
        constraints = [
            one_at_a_time("one_override_per_order_line", point("order_id"), text("line")),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="cost_override_not_negative"),
            models.CheckConstraint(condition=Q(effective_from__isnull=True, effective_to__isnull=True), name="cost_override_has_no_days"),
        ]
        indexes = [models.Index(fields=["store", "order_id"], name="cost_override_by_order", condition=Q(removed_by__isnull=True))]

    def __str__(self) -> str:
        return f"{self.unit_cost.normalize():f} {self.currency} for {self.told or self.line}"


class FeeRule(Rule):
    """What a gateway keeps of each charge where the processor states nothing."""

    gateway = models.CharField(max_length=60, blank=True, help_text="As the platform names it, e.g. paypal. Empty: every gateway without a rule.")
    currency = models.CharField(
        max_length=3, blank=True, help_text="Of the charge, and of the fixed part. Empty: every currency; the fixed part is in the store's."
    )  # fmt: skip
    percentage = models.DecimalField(max_digits=7, decimal_places=4, validators=PERCENTAGE, help_text="Of the charged total.")
    fixed = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE, help_text="Per successful charge.")
    surcharge = models.DecimalField(
        "surcharge %", max_digits=7, decimal_places=4, default=Decimal(0), validators=PERCENTAGE,
        help_text="What the shop platform adds for using another gateway than its own, of the charged total.",
    )  # fmt: skip

    class Meta:
        constraints = [
            one_at_a_time("one_fee_rule_per_gateway_currency_and_day", text("gateway"), text("currency")),
            models.CheckConstraint(condition=Q(percentage__range=(0, 100), surcharge__range=(0, 100), fixed__gte=0), name="fee_rule_in_range"),
        ]

    def __str__(self) -> str:
        share = self.percentage + self.surcharge
        own = f" ({self.surcharge.normalize():f} % of it the surcharge)" if self.surcharge else ""
        where = f"{self.gateway or 'every gateway'}{f' in {self.currency}' if self.currency else ''}"
        return f"{share.normalize():f} %{own} + {self.fixed.normalize():f} on {where}"

    def clean(self) -> None:
        """Keep the gateway as payments are compared with it, and refuse an unknown currency."""
        super().clean()
        self.gateway = self.gateway.strip().lower()
        if self.currency:
            valid_currency(self.currency)


class ShippingRule(Rule):
    """What shipping an order costs the store where no label says so. Of the rules that fit, the first in order counts."""

    position = models.PositiveIntegerField(help_text="Rules are tried from the smallest number up; the first that fits counts.")
    name = models.CharField(max_length=120)
    countries = models.CharField(max_length=500, blank=True, help_text="Two-letter codes, separated by spaces. Empty: every country.")
    channel = models.CharField(max_length=60, blank=True, help_text="Empty: every channel.")
    method = models.CharField(
        "shipping method", max_length=120, blank=True, help_text="Words that the shipping method's name holds, e.g. express. Empty: every method."
    )
    least_grams = models.PositiveIntegerField("weighs at least", default=0, help_text="Grams. An order of unknown weight fits no rule about weight.")
    most_grams = models.PositiveIntegerField("weighs at most", null=True, blank=True, help_text="Grams.")
    least_units = models.PositiveIntegerField(default=0)
    most_units = models.PositiveIntegerField(null=True, blank=True)
    least_value = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), help_text="Of the goods after discounts, tax removed.")
    most_value = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=4, validators=NOT_NEGATIVE, help_text="Per order, in the store's currency.")
    each_further_unit = models.DecimalField(max_digits=19, decimal_places=4, default=Decimal(0), validators=NOT_NEGATIVE)

    class Meta:
        ordering = ["store", "position", "pk"]
        constraints = [
            one_at_a_time("one_shipping_rule_per_position_and_day", point("position")),
            models.CheckConstraint(condition=Q(amount__gte=0, each_further_unit__gte=0), name="shipping_rule_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name
