"""Hold the costs a person enters: what no platform tells."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from ledger.models.stores import Store, valid_currency

LONGEST_SPAN = 1_100
"""Days one cost may cover: three years and a bit."""


class ManualCost(models.Model):
    """One amount over a span of days: a rent, a salary, an influencer's fee."""

    class Category(models.TextChoices):
        OPERATING = "operating", "operating"
        MARKETING = "marketing", "marketing"
        FULFILMENT = "fulfilment", "fulfilment"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="manual_costs")
    category = models.CharField(max_length=12, choices=Category.choices)
    label = models.SlugField(max_length=40, help_text="The account under its category, e.g. rent or influencer.")
    amount = models.DecimalField(max_digits=19, decimal_places=4, help_text="What it costs in all, positive; a credit is negative.")
    currency = models.CharField(max_length=3, validators=[valid_currency])
    from_day = models.DateField(help_text="The first day it covers, in the store's time zone.")
    to_day = models.DateField(help_text="The last day it covers; the amount is spread evenly over the days.")
    note = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(to_day__gte=F("from_day")), name="manual_cost_ends_after_it_starts")]

    def __str__(self) -> str:
        return f"{self.account_name} {self.amount} {self.currency}"

    @property
    def account_name(self) -> str:
        """Return the account it is booked on."""
        return f"{self.category}:{self.label}"

    def clean(self) -> None:
        """Refuse a span that ends before it begins, or is longer than one cost may cover."""
        if self.from_day and self.to_day and self.to_day < self.from_day:
            raise ValidationError({"to_day": "The last day is before the first. Give the same day twice for a cost of one day."})
        if self.from_day and self.to_day and (self.to_day - self.from_day).days >= LONGEST_SPAN:
            raise ValidationError(f"A cost covers at most {LONGEST_SPAN} days. Enter one a year.")
