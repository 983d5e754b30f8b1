"""Hold what people ask about their data, and what was done: no row of it says who they are once it is done."""

from datetime import datetime

from django.db import models

from connectors.models.connections import Connection
from ledger.models import Store


class PrivacyCase(models.Model):
    """One request about a person's data, or an account's: who asked, by when it has to be done, and what was done in which place."""

    class Kind(models.TextChoices):
        DATA_REQUEST = "data_request", "a copy of what is held"
        ERASE_PERSON = "erase_person", "erasure of a person"
        ERASE_ACCOUNT = "erase_account", "erasure of an account"

    class State(models.TextChoices):
        LOOKED = "looked", "looked at"
        OPEN = "open", "under way"
        FAILED = "failed", "failed"
        DONE = "done", "done"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="privacy_cases")
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Whose platform asked; none: a person."
    )
    kind = models.CharField(max_length=14, choices=Kind.choices)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    reference = models.CharField(max_length=120, blank=True, help_text="What the platform calls the request, else its delivery.")
    actor = models.CharField(max_length=150, blank=True, help_text="Who of the store asked.")
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="By when the law wants it done.")
    done_at = models.DateTimeField(null=True)
    sought = models.BinaryField(null=True, help_text="Whom and what it is about: JSON, sealed with FIELD_KEYS; emptied when it is done.")
    place = models.CharField(max_length=40, blank=True, help_text="Where it is being done, to go on there.")
    after = models.PositiveBigIntegerField(default=0, help_text="Number of the last row there that is done.")
    counts = models.JSONField(default=dict, help_text="What was found or cut, by place.")
    notes = models.JSONField(default=list, help_text="Sentences about what could not be linked.")
    problem = models.TextField(blank=True)
    job = models.PositiveBigIntegerField(null=True, help_text="The background job that does it.")

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "reference"], condition=models.Q(connection__isnull=False), name="one_case_per_account_and_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"

    def is_late(self, now: datetime) -> bool:
        """Tell whether it should be done and is not."""
        return self.state != self.State.DONE and self.due_at < now


class PrivacyCopy(models.Model):
    """The copy of what is held of a person, for the store's owner to pass on: sealed, and deleted after a while."""

    case = models.OneToOneField(PrivacyCase, on_delete=models.CASCADE, related_name="copy")
    body = models.BinaryField(help_text="A ZIP file, sealed with FIELD_KEYS.")
    about = models.BinaryField(help_text="The keyed hashes whose it is, so that it goes when they are erased: JSON, sealed with FIELD_KEYS.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
