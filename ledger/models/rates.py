"""Hold exchange rates, each frozen once an entry has used it."""

from django.db import models

from ledger.kinds import RateSource


class ExchangeRate(models.Model):
    """Units of a currency that one euro buys on a day."""

    pk = models.CompositePrimaryKey("currency", "day")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    per_euro = models.DecimalField(max_digits=20, decimal_places=10)
    source = models.SmallIntegerField(choices=RateSource.choices)
