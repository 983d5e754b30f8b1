"""Hold the record of stores that were deleted, which outlives everything else of them, and of people who are to be recognised no more."""

from django.db import models

from ledger.models.stores import Store


class Erasure(models.Model):
    """Says who had which store deleted, when, and how many rows of which tables went with it.

    It names the store by the number it had, not by a key: it is there when the store no longer is.
    """

    number = models.PositiveIntegerField(unique=True, help_text="The store's number; no other store is given it again.")
    name = models.CharField(max_length=120)
    slug = models.CharField("short name", max_length=60)
    currency = models.CharField(max_length=3)
    is_demo = models.BooleanField(default=False)
    actor = models.CharField("asked for by", max_length=150)
    asked_at = models.DateTimeField()
    rows = models.JSONField(default=dict, help_text="Rows deleted so far, by table.")
    finished_at = models.DateTimeField(null=True, help_text="When the last row was gone; empty while it runs.")
    job = models.PositiveBigIntegerField(null=True, help_text="The background job that does it.")

    class Meta:
        verbose_name = "deletion of a store"
        verbose_name_plural = "deleted stores"
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.name}, deleted"

    @property
    def deleted_rows(self) -> int:
        """Return how many rows are gone, of all tables."""
        return sum(self.rows.values())


class ErasedIdentity(models.Model):
    """The keyed hash of an identity that its person had erased: whatever is told of it from then on is kept as nobody's."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    identity_hash = models.BinaryField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "identity_hash"], name="one_erased_identity_per_store_and_hash")]

    def __str__(self) -> str:
        return f"erased identity {self.pk}"
