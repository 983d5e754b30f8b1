"""Hold the accounts that stores are connected to, and how far each is read."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from ledger.models import Store


class Connection(models.Model):
    """One account of a platform that a store is connected to."""

    class Status(models.TextChoices):
        ACTIVE = "active", "connected"
        NEEDS_CONSENT = "needs_consent", "needs your consent again"
        PAUSED = "paused", "paused"
        DISCONNECTED = "disconnected", "disconnected"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="connections")
    platform = models.CharField(max_length=20, help_text="A key of connectors.registry.")
    account_ref = models.CharField(max_length=200, help_text="What the platform calls the account, such as a shop's domain.")
    label = models.CharField(max_length=200, blank=True, help_text="The account's own name.")
    base_url = models.CharField(max_length=300, blank=True, help_text="Where its API is; empty: where the platform has it.")
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.ACTIVE)
    secrets = models.BinaryField(null=True, help_text="Tokens and the like: JSON, sealed with FIELD_KEYS.")
    scopes = ArrayField(models.CharField(max_length=100), default=list, help_text="What the platform granted.")
    currency = models.CharField(max_length=3, blank=True)
    zone = models.CharField(max_length=60, blank=True)
    paused_until = models.DateTimeField(null=True, help_text="The platform asked for no request before.")
    problem = models.TextField(blank=True, help_text="What is wrong and what to do, in words for its owner; empty: nothing.")
    problem_at = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True, help_text="When the platform last answered as it should.")
    connected_by = models.CharField(max_length=150, blank=True)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "platform", "account_ref"], name="one_connection_per_store_and_account")]

    def __str__(self) -> str:
        return f"{self.platform} {self.account_ref}"

    @property
    def cause_ref(self) -> str:
        """Return how batches name this connection."""
        return f"connection:{self.pk}"


class ConsentRequest(models.Model):
    """A question for consent that a person was sent to a platform with; its answer is taken once, from the same person and session."""

    state_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the state; the state itself is only in the address.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_hash = models.CharField(max_length=64)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    platform = models.CharField(max_length=20)
    account_ref = models.CharField(max_length=200)
    base_url = models.CharField(max_length=300, blank=True)
    secrets = models.BinaryField(help_text="Client id and secret, verifier: JSON, sealed.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class SyncCursor(models.Model):
    """How far one stream of a connection is read. It moves in the transaction that writes what was read."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=40)
    seen_through = models.DateTimeField(null=True, help_text="Everything the platform changed before is read; null: nothing yet.")
    since = models.DateTimeField(null=True, help_text="Begin of the window that is being read.")
    until = models.DateTimeField(null=True, help_text="End of that window; null: none is being read.")
    position = models.JSONField(null=True, help_text="Where in the window to go on: a page's token, or a bulk file and a row of it.")
    backfilled_at = models.DateTimeField(null=True, help_text="When all of the past was read.")
    done = models.PositiveBigIntegerField(default=0, help_text="Records read in the window so far.")
    whole = models.PositiveBigIntegerField(default=0, help_text="Records in the window, as the platform counts them; 0: it does not tell.")
    compared_at = models.DateTimeField(null=True, help_text="When ids and sums were last compared with the platform's.")
    next_at = models.DateTimeField(null=True, help_text="When the stream is read next by itself; null: as soon as may be.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="one_cursor_per_connection_and_stream")]

    @property
    def is_amid(self) -> bool:
        """Tell whether a window is being read."""
        return self.until is not None


class SyncRun(models.Model):
    """One run of a stream, and what it did."""

    class Mode(models.TextChoices):
        BACKFILL = "backfill", "reading the past"
        INCREMENT = "increment", "reading what is new"
        COMPARE = "compare", "comparing"
        REPLAY = "replay", "trying again what was not understood"

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        PARTIAL = "partial", "goes on next time"
        FAILED = "failed", "failed"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    stream = models.CharField(max_length=40)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    requests = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    records = models.PositiveBigIntegerField(default=0)
    changed = models.PositiveBigIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=20, blank=True, help_text="The type of what ended it.")
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], condition=models.Q(status="running"), name="one_live_run_per_stream")]
        indexes = [models.Index(fields=["connection", "-started_at"], name="sync_run_by_age")]

    def __str__(self) -> str:
        return f"{self.stream} ({self.get_status_display()})"


class ParkedRecord(models.Model):
    """A record that could not be understood: kept sealed with the reason, and tried again."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="parked_records")
    stream = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120)
    body = models.BinaryField(help_text="JSON with personal fields cut, zlib, then sealed with FIELD_KEYS.")
    reason = models.TextField(help_text="Why, in words that quote nothing of it.")
    detail = models.BinaryField(null=True, help_text="What the error said, which may quote it; sealed with FIELD_KEYS.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "stream", "external_id"], name="one_parked_record_per_id")]
