"""Hold the costs a person enters: what no platform tells."""

from django.db import models
from django.db.models import F, Q

from ledger.models.stores import Store, valid_currency


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
    from_day = models.DateField()
    to_day = models.DateField(help_text="The last day it covers; the amount is spread over the days.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(to_day__gte=F("from_day")), name="manual_cost_ends_after_it_starts")]

    def __str__(self) -> str:
        return f"{self.category}:{self.label} {self.amount} {self.currency}"
