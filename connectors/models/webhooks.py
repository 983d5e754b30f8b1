"""Hold where platforms ring, what they rang about, and how often."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connectors.models.connections import Connection


class WebhookDoor(models.Model):
    """The address at which one connection's platform rings, and the secrets that its deliveries are signed with."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="door")
    token_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token in the address.")
    token = models.BinaryField(help_text="The token, sealed with FIELD_KEYS: subscriptions need the address.")
    signing = models.BinaryField(null=True, help_text="The present secret and the one before, sealed; null: there is none, and no webhooks.")
    topics = ArrayField(models.CharField(max_length=120), default=list, help_text="What the platform said last that it tells us of.")
    problem = models.TextField(blank=True, help_text="Why not all is subscribed to, in words for its owner; empty: it is.")
    checked_at = models.DateTimeField(null=True, help_text="When subscriptions were last compared with what we want.")
    refused = models.PositiveBigIntegerField(default=0, help_text="Deliveries that no secret of ours had signed, since refused_since.")
    refused_since = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"door of connection {self.connection_id}"


class WebhookDelivery(models.Model):
    """One delivery. Its body, ids and times alone, is kept until it is drained; the row a few days longer, to know repetitions by."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "done"
        DEAD = "dead", "given up"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="deliveries")
    topic = models.CharField(max_length=120)
    delivery_id = models.CharField(max_length=120, help_text="The same for a delivery and its repetitions.")
    event_id = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=20, blank=True, help_text="Of the payload, as the platform told it.")
    triggered_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Tries that count, the present one included.")
    lease_until = models.DateTimeField(null=True, help_text="Until when a drain has it, or until when it rests after a failure.")
    error = models.TextField(blank=True)
    body = models.BinaryField(null=True, help_text="Ids and times of the payload: JSON, sealed; null once it is drained.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "delivery_id"], name="one_row_per_delivery")]
        indexes = [
            models.Index(fields=["connection", "id"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["connection", "-id"], condition=models.Q(state="dead"), name="delivery_dead"),
            models.Index(fields=["received_at"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.delivery_id}"


class WebhookTopic(models.Model):
    """How often one topic was delivered to a connection."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="webhook_topics")
    topic = models.CharField(max_length=120)
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="When the latest of those that were looked at was received.")
    version = models.CharField(max_length=20, blank=True, help_text="Of the latest payload.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "topic"], name="one_count_per_topic")]

    def __str__(self) -> str:
        return f"{self.topic}: {self.count}"
