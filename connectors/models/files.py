"""Hold what was received: imported files and their archived rows."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from connectors.models.connections import Connection
from ledger.models import ProposedChange, Store


class FileImport(models.Model):
    """One file a person imported, how it was read, and what it did."""

    class State(models.TextChoices):
        LOOKING = "looking", "being looked at"
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running or interrupted"
        REFUSED = "refused", "refused"
        PARTLY = "partly", "taken in part"
        DONE = "done", "done"
        UNCHANGED = "unchanged", "changed nothing"
        UNDOING = "undoing", "being undone"
        UNDONE = "undone", "undone"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="file_imports")
    kind = models.CharField(max_length=40)
    template = models.JSONField(help_text="The mapping template as it was, so that the rows can be mapped again.")
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    rows = models.PositiveBigIntegerField(default=0)
    orders = models.PositiveIntegerField(default=0)
    changed_orders = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(null=True, help_text="Rows whose order or product is known, of a file of costs.")
    proposal = models.ForeignKey(
        ProposedChange, null=True, on_delete=models.SET_NULL, related_name="+", help_text="The change that a file of product costs asks for."
    )  # fmt: skip
    new_orders = models.PositiveIntegerField(default=0, help_text="Of the changed ones, those that were not known before.")
    unchanged_orders = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0, help_text="Chunks recorded so far; an import that was cut goes on after them.")
    actor = models.CharField(max_length=150, blank=True)
    problem = models.TextField(blank=True, help_text="Why the file was refused, with the rows that are wrong.")
    caveats = models.TextField(blank=True, help_text="What a person should know of how a workbook's sheet became text, a sentence a line.")
    job = models.PositiveBigIntegerField(null=True, help_text="The background job that works on it, when one does.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["store", "sha256"], name="file_import_by_content")]

    def __str__(self) -> str:
        return f"{self.filename} ({self.get_state_display()})"

    @property
    def cause_ref(self) -> str:
        """Return how batches and orders name this import."""
        return f"import:{self.pk}"


class OrderTransaction(models.Model):
    """One charge or refund of an order as an imported file tells it, whether or not the order is known yet.

    Several imports may tell the same one; those that were undone no longer count.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="transactions")
    order_ref = models.CharField(max_length=20, blank=True, help_text="The platform's id of the order; empty where the file has lost it.")
    order_name = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=20)
    gateway = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    currency = models.CharField(max_length=3)
    happened_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["store", "order_ref"], name="transaction_by_order"),
            models.Index(fields=["store", "order_name"], name="transaction_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_name or self.order_ref}"


class OrderLineTemplate(models.Model):
    """How a store's file of order lines is read, as a person said it once. The latest under a name holds; earlier ones stay with their imports."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="order_line_templates")
    name = models.CharField(max_length=60)
    mapping = models.JSONField(help_text="A connectors.platforms.files.template.Template.")
    actor = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["store", "-created_at"], name="order_line_template_by_age")]

    def __str__(self) -> str:
        return self.name


class FilePiece(models.Model):
    """A piece of a file that waits to be imported, compressed and sealed; deleted with the import's end."""

    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    body = models.BinaryField(help_text="zlib, then sealed with FIELD_KEYS.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file_import", "number"], name="one_piece_per_import_and_number")]


class FileReport(models.Model):
    """What looking at a file found, and what taking it did, as its page shows it."""

    class Stage(models.TextChoices):
        LOOKED = "looked", "looked at"
        TAKEN = "taken", "taken"
        UNDONE = "undone", "undone"

    file_import = models.ForeignKey(FileImport, on_delete=models.CASCADE, related_name="reports")
    stage = models.CharField(max_length=6, choices=Stage.choices)
    body = models.JSONField(help_text="A connectors.files.kind.Found; of a file that is refused, why.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file_import", "stage"], name="one_report_per_import_and_stage")]


class RawPayload(models.Model):
    """A piece of what was received, from a file or a connection, personal fields cut, compressed and sealed: the archive."""

    file_import = models.ForeignKey(FileImport, null=True, on_delete=models.CASCADE, related_name="payloads")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE, related_name="payloads")
    stream = models.CharField(max_length=40, blank=True, help_text="Of a connection's.")
    received_at = models.DateTimeField(null=True, help_text="Of a connection's.")
    number = models.PositiveIntegerField(help_text="Piece of the file; of a connection 0.")
    body = models.BinaryField(help_text="zlib, then sealed with FIELD_KEYS.")
    sha256 = models.CharField(max_length=64, help_text="Of the compressed bytes, before sealing.")
    orders = models.PositiveIntegerField()
    keys = ArrayField(models.BigIntegerField(), default=list, db_default=[], help_text="Hashes of the names of the orders in it; none: not known.")
    redacted_at = models.DateTimeField(null=True, help_text="When somebody who was erased was last cut from it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file_import", "number"], name="one_payload_per_import_and_number"),
            models.UniqueConstraint(fields=["connection", "stream", "sha256"], name="a_page_received_again_is_kept_once"),
            models.CheckConstraint(
                condition=models.Q(file_import__isnull=False, connection__isnull=True) | models.Q(file_import__isnull=True, connection__isnull=False),
                name="payload_is_of_a_file_or_of_a_connection",
            ),
        ]
        indexes = [GinIndex(fields=["keys"], name="raw_payload_by_key")]
