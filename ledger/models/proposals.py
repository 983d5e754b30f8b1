"""Hold changes of cost rules that a person looks at before they are made."""

from django.db import models
from django.db.models import Q

from ledger.models.rules import CostChange
from ledger.models.stores import Store


class ProposedChange(models.Model):
    """A change of a store's cost rules as somebody wants it, with what it would do; nothing of it holds until it is applied."""

    class State(models.TextChoices):
        OPEN = "open", "to be decided"
        APPLIED = "applied", "applied"
        DISMISSED = "dismissed", "dismissed"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)
    summary = models.CharField(max_length=300)
    origin = models.CharField(max_length=200, help_text="The page or file it comes from, to go back to.")
    add = models.JSONField(help_text="The rules to be added: model and values.")
    remove = models.JSONField(help_text="The rules to be removed: model and key.")
    undoes = models.ForeignKey(CostChange, null=True, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    effect = models.JSONField(null=True, help_text="What it would do, once that has been worked out.")
    effect_version = models.BigIntegerField(null=True, help_text="The version of the book's costs the effect was worked out against.")
    effect_seq = models.BigIntegerField(null=True, help_text="The book's last batch then.")
    job = models.PositiveBigIntegerField(null=True, help_text="The background job that works the effect out, where there are many orders.")
    made = models.OneToOneField(CostChange, null=True, on_delete=models.CASCADE, related_name="proposal")

    class Meta:
        indexes = [models.Index(fields=["at"], name="proposed_change_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return self.summary
