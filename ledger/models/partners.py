"""Hold who sells or advertises for a store against a fee or a commission, and the codes their buyers use."""

from django.core.validators import MinLengthValidator
from django.db import models

from ledger.models.rules import Rule, one_at_a_time, text
from ledger.models.stores import Store


class Partner(models.Model):
    """An influencer or an affiliate."""

    class Kind(models.TextChoices):
        INFLUENCER = "influencer", "influencer"
        AFFILIATE = "affiliate", "affiliate"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="partners")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["store", "name"]
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="one_partner_per_store_and_name")]

    def __str__(self) -> str:
        return self.name


class PartnerCode(Rule):
    """A discount code that says an order came through a partner."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="codes")
    code = models.CharField(
        "discount code", max_length=80, validators=[MinLengthValidator(1)], help_text="As buyers type it; capitals do not matter."
    )

    class Meta:
        constraints = [one_at_a_time("one_partner_per_code_and_day", text("code"))]

    def __str__(self) -> str:
        return f"{self.code} is {self.partner}'s"

    def clean(self) -> None:
        """Keep the code as those of orders are compared with it."""
        super().clean()
        self.code = self.code.strip().upper()
