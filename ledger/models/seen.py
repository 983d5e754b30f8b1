"""Hold what a store's recent orders name that cost rules are about, so that pages and checks need not read orders."""

from django.db import models

from ledger.models.stores import Store


class Seen(models.Model):
    """One gateway, country, shipping method or code that orders name; counted anew by night (ledger/costs/seen.py)."""

    class Kind(models.TextChoices):
        GATEWAY = "gateway", "payment gateway"
        COUNTRY = "country", "country"
        METHOD = "method", "shipping method"
        CODE = "code", "partner's discount code"
        LABELLED = "labelled", "orders with a label's cost"
        UNLABELLED = "unlabelled", "orders shipped without a label's cost"
        LABELLED_TWICE = "labelled_twice", "orders with a label's cost from two sources"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(
        max_length=120, blank=True, help_text="Codes and countries in capitals, the rest in small letters; empty where the kind says it all."
    )
    currency = models.CharField(max_length=3, blank=True, help_text="Of a gateway's charges; empty for the other kinds.")
    count = models.PositiveIntegerField(help_text="Of the last 90 days: charges without a stated fee through a gateway, otherwise orders.")
    amount = models.DecimalField(
        max_digits=19, decimal_places=4, null=True,
        help_text="Of the last 90 days, in the store's currency: those charges, or what shipping those orders cost. Empty: not known, or no amount.",
    )  # fmt: skip
    last_day = models.DateField(help_text="The latest day it was named, within 180 days.")
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind", "name", "currency"], name="one_count_per_store_and_thing_seen")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}".strip()
