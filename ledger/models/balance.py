"""Hold what a payment processor's balance tells: every row that moved it, the payouts it went into, and disputed payments."""

from django.db import models
from django.db.models import F, Q

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
    dispute_ref = models.CharField("dispute", max_length=120, blank=True, default="", db_default="")
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_balance_row_per_store_and_id")]
        indexes = [
            models.Index(fields=["store", "meaning", "day"], name="balance_by_meaning_and_day"),
            models.Index(fields=["store", "platform", "payout_ref", "id"], name="balance_by_processor_payout"),
            models.Index(fields=["store", "order_ref"], name="balance_of_order", condition=~Q(order_ref="")),
            models.Index(fields=["store", "dispute_ref"], name="balance_of_dispute", condition=~Q(dispute_ref="")),
            models.Index(fields=["store", "meaning", "type"], name="balance_of_no_order", condition=Q(order_ref="")),
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
    summary = models.JSONField(default=dict, db_default={}, blank=True, help_text="What the processor itself says it is made of, amounts as texts.")

    # What the rows in it add up to, kept so that a list of payouts need not read them.
    rows = models.PositiveIntegerField(default=0, db_default=0)
    charges = models.DecimalField(max_digits=19, decimal_places=4, default=0, db_default=0)
    refunds = models.DecimalField(max_digits=19, decimal_places=4, default=0, db_default=0)
    others = models.DecimalField(max_digits=19, decimal_places=4, default=0, db_default=0)
    fees = models.DecimalField(max_digits=19, decimal_places=4, default=0, db_default=0, help_text="Positive was kept.")
    first_at = models.DateTimeField(null=True, help_text="The first payment or refund in it.")
    last_at = models.DateTimeField(null=True)
    told = models.GeneratedField(
        expression=F("charges") + F("refunds") + F("others") - F("fees"), output_field=models.DecimalField(max_digits=19, decimal_places=4),
        db_persist=True,
    )  # fmt: skip
    difference = models.GeneratedField(
        expression=F("amount") - (F("charges") + F("refunds") + F("others") - F("fees")),
        output_field=models.DecimalField(max_digits=19, decimal_places=4), db_persist=True,
    )  # fmt: skip

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_payout_per_store_and_id")]
        indexes = [models.Index(fields=["store", "issued_at", "id"], name="payout_by_issue")]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency} of {self.issued_at:%Y-%m-%d}"


class Dispute(models.Model):
    """A payment that a customer's bank disputes, as the processor last told it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    platform = models.CharField("processor", max_length=40)
    external_id = models.CharField(max_length=120)
    opened_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="Until when it can be answered.")
    decided_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=40, help_text="In the processor's own words.")
    kind = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=3)
    order_number = models.CharField("order", max_length=80, blank=True)
    wants_answer = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_dispute_per_store_and_id")]
        indexes = [models.Index(fields=["store", "opened_at"], name="dispute_by_opening")]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency} of order {self.order_number}"
