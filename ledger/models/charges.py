"""Hold actual costs of single orders that a person's files tell: labels, packing, commissions, fees, chargebacks."""

from django.db import models
from django.db.models import Q

from ledger.kinds import ChargeKind, ChargeStatus
from ledger.models.partners import Partner
from ledger.models.stores import Store, valid_currency


class OrderCharge(models.Model):
    """One actual cost of one order, apart from what the order's platform tells; the file's row names the order.

    A charge whose order is not known yet waits, and belongs to the order when that arrives.
    """

    id = models.AutoField(primary_key=True)  # four bytes: it is the part of the charge's entries
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    kind = models.PositiveSmallIntegerField(choices=ChargeKind.choices)
    order_ref = models.CharField("order", max_length=120, help_text="The order's number or its platform's id, as the file names it.")
    order_id = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=120, help_text="Names the charge among those of its order: a tracking number, the network's id.")
    partner = models.ForeignKey(Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="charges")
    status = models.PositiveSmallIntegerField(choices=ChargeStatus.choices, default=ChargeStatus.APPROVED)
    told_status = models.PositiveSmallIntegerField(
        choices=ChargeStatus.choices, default=ChargeStatus.APPROVED, editable=False,
        help_text="As the file last told it: the same again leaves alone what a person has decided since.",
    )  # fmt: skip
    amount = models.DecimalField(max_digits=19, decimal_places=4, help_text="Positive is a cost.")
    currency = models.CharField(max_length=3, validators=[valid_currency])
    covers = models.DecimalField(
        max_digits=19, decimal_places=4, default=0, db_default=0,
        help_text="Of a payment fee: how much of what the customer paid it is the fee of, in its currency.",
    )  # fmt: skip
    processor = models.CharField(max_length=40, blank=True, default="", db_default="", help_text="Who kept a fee.")
    day = models.DateField(null=True, blank=True, help_text="In the store's time zone. Empty: the order's day.")
    cause_ref = models.CharField(max_length=80)
    actor = models.CharField(max_length=150, blank=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "kind", "order_ref", "reference"], condition=Q(removed_at__isnull=True), name="one_charge_per_order_and_reference"
            )
        ]
        indexes = [
            models.Index(fields=["store", "order_id"], name="order_charge_by_order", condition=Q(removed_at__isnull=True)),
            models.Index(fields=["store", "order_ref"], name="order_charge_waiting", condition=Q(removed_at__isnull=True, order_id__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of order {self.order_ref}"
