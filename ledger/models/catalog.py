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
    gone_at = models.DateTimeField("deleted at the platform", null=True, blank=True, help_text="When its platform deleted it; empty: it has not.")

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
    stock = models.IntegerField(null=True, blank=True, help_text="Units on hand as the platform last told; empty where it does not tell.")
    stock_at = models.DateTimeField("stock told at", null=True, blank=True)
    gone_at = models.DateTimeField("deleted at the platform", null=True, blank=True, help_text="When its platform deleted it; empty: it has not.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "external_id"], name="one_variant_per_store_platform_and_id")]

    def __str__(self) -> str:
        return self.title or self.sku or self.external_id


class VariantPrice(models.Model):
    """What a variant was listed at, from the day that was seen until the next such price."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="prices")
    seen_from = models.DateField("first day", help_text="In the store's time zone.")
    price = models.DecimalField(max_digits=19, decimal_places=4, help_text="With tax where the shop's prices include it.")
    compare_at = models.DecimalField(
        "struck out price", max_digits=19, decimal_places=4, null=True, blank=True, help_text="The higher price beside it; empty: none."
    )
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "variant", "seen_from"], name="one_price_per_variant_and_day")]
        ordering = ["variant", "-seen_from"]

    def __str__(self) -> str:
        return f"{self.price.normalize():f} {self.currency} for {self.variant}"
