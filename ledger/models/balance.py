"""Hold what a payment processor's balance tells: every row that moved it, and the payouts it went into."""

from django.db import models

from ledger.kinds import BalanceMeaning
from ledger.models.stores import Store


class BalanceTransaction(models.Model):
    """One row of what a payment processor holds for the store, as the processor tells it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    platform = models.CharField("processor", max_length=40)
    external_id = models.CharField(max_length=120)
    at = models.DateTimeField()
    day = models.DateField(help_text="In the store's time zone.")
    type = models.CharField(max_length=60, help_text="In the processor's own words.")
    meaning = models.PositiveSmallIntegerField(choices=BalanceMeaning.choices)
    amount = models.DecimalField(max_digits=19, decimal_places=4, help_text="As it moves the balance: money in is positive.")
    fee = models.DecimalField(max_digits=19, decimal_places=4, help_text="What was kept of it; positive.")
    currency = models.CharField(max_length=3)
    order_ref = models.CharField("order", max_length=120, blank=True, help_text="The platform's id of the order it is about; empty: of none.")
    payment_ref = models.CharField("payment", max_length=120, blank=True)
    payout_ref = models.CharField("payout", max_length=120, blank=True)
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_balance_row_per_store_and_id")]
        indexes = [
            models.Index(fields=["store", "meaning", "day"], name="balance_by_meaning_and_day"),
            models.Index(fields=["store", "payout_ref"], name="balance_by_payout"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.amount.normalize():f} {self.currency}"


class Payout(models.Model):
    """Money that a payment processor sent to the store's bank, or took from it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    platform = models.CharField("processor", max_length=40)
    external_id = models.CharField(max_length=120)
    issued_at = models.DateTimeField()
    status = models.CharField(max_length=40, help_text="In the processor's own words.")
    amount = models.DecimalField(max_digits=19, decimal_places=4, help_text="Money to the bank is positive.")
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_payout_per_store_and_id")]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency} of {self.issued_at:%Y-%m-%d}"
