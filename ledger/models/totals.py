"""Hold the daily totals that move with the entries; pages read these, so their cost does not grow with orders."""

from django.db import models

from ledger.kinds import Basis


def _sum() -> "models.DecimalField[object, object]":
    return models.DecimalField(max_digits=21, decimal_places=4, default=0)


class DayTotal(models.Model):
    """Sum of one account on one day and channel."""

    pk = models.CompositePrimaryKey("book_id", "basis", "day", "account", "channel")
    book_id = models.IntegerField()
    day = models.DateField()
    basis = models.SmallIntegerField(choices=Basis.choices)
    account = models.SmallIntegerField()
    channel = models.SmallIntegerField()
    amount = _sum()
    estimated_amount = _sum()


class CountryDayTotal(models.Model):
    """Sum of one account on one day and country."""

    pk = models.CompositePrimaryKey("book_id", "basis", "day", "country", "account")
    book_id = models.IntegerField()
    day = models.DateField()
    basis = models.SmallIntegerField(choices=Basis.choices)
    country = models.SmallIntegerField()
    account = models.SmallIntegerField()
    amount = _sum()
    estimated_amount = _sum()


class ProductDayTotal(models.Model):
    """Sums of one variant on one day, a column per account that carries a variant."""

    pk = models.CompositePrimaryKey("book_id", "basis", "day", "variant")
    book_id = models.IntegerField()
    day = models.DateField()
    basis = models.SmallIntegerField(choices=Basis.choices)
    variant = models.BigIntegerField()
    gross_sales = _sum()
    discounts = _sum()
    returns = _sum()
    cogs = _sum()
    estimated_cogs = _sum()
    units = _sum()
    returned_units = _sum()
