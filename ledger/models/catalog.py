"""Mirror the things a store sells."""

from django.db import models
from django.db.models import Q

from ledger.models.stores import PERCENTAGE, Store


class Product(models.Model):
    """One product of the catalogue."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="products", db_index=False)
    platform = models.CharField(max_length=20)
    external_id = models.CharField(max_length=120)
    title = models.CharField(max_length=255, blank=True)
    cogs_percentage = models.DecimalField(
        "COGS %", max_digits=7, decimal_places=4, null=True, blank=True, validators=PERCENTAGE,
        help_text="Share of this product's list price that it costs today, by its rules; those decide. Empty: the store's percentage applies.",
    )  # fmt: skip
    platform_updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_product_per_store_platform_and_id"),
            models.CheckConstraint(
                condition=Q(cogs_percentage__isnull=True) | Q(cogs_percentage__range=(0, 100)),
                name="product_cogs_percentage_between_0_and_100",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id


class Variant(models.Model):
    """One thing that can be put in a cart: a product in a size, a colour, a pack."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="variants", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    platform = models.CharField(max_length=20)
    external_id = models.CharField(max_length=120)
    sku = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=255, blank=True)
    grams = models.PositiveIntegerField(null=True, blank=True, help_text="What one unit weighs; empty where it is not known.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_variant_per_store_platform_and_id")]

    def __str__(self) -> str:
        return self.title or self.sku or self.external_id
