"""Mirror how customers came: the visits before an order that its platform told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.kinds import Evidence, TouchKind


class Touch(models.Model):
    """One visit before an order, as ledger/orders/touches.py keeps it; positions count from 1 in the order of time. Nothing in it names a person."""

    pk = models.CompositePrimaryKey("store_id", "order_id", "position")
    store_id = models.IntegerField()
    order_id = models.BigIntegerField()
    position = models.SmallIntegerField()
    kind = models.SmallIntegerField(choices=TouchKind.choices)
    evidence = models.SmallIntegerField(choices=Evidence.choices)
    happened_at = models.DateTimeField()
    source = models.CharField(max_length=255, blank=True)
    medium = models.CharField(max_length=255, blank=True)
    campaign = models.CharField(max_length=255, blank=True)
    term = models.CharField(max_length=255, blank=True)
    content = models.CharField(max_length=255, blank=True)
    click_ids = ArrayField(models.CharField(max_length=255), default=list, db_default=[], help_text="name=value, such as gclid=….")
    landing = models.CharField(max_length=255, blank=True, help_text="The path of the page they came to first.")
    referrer = models.CharField(max_length=120, blank=True, help_text="The host of the page they came from.")
