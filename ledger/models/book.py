"""Hold the book: one locked row per store, batches in one sequence, entries that are only ever added."""

from django.db import models
from django.db.models import Q

from ledger.kinds import CauseKind, RateSource, SourceKind
from ledger.models.stores import Store


class Account(models.Model):
    """An account made from a person's label; the fixed ones live in the chart (`ledger/accounts.py`)."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    """One store's ledger: the row that is locked, last and shortly, by whoever posts."""

    store = models.OneToOneField(Store, primary_key=True, on_delete=models.CASCADE, related_name="book")
    currency = models.CharField(max_length=3)
    closed_through = models.DateField(null=True, help_text="Days up to this one never change; corrections post on the next.")
    last_seq = models.BigIntegerField(default=0)
    last_recorded_at = models.DateTimeField(null=True)
    costs_version = models.BigIntegerField(default=0, help_text="Rises when a cost rule changes.")
    restated_version = models.BigIntegerField(default=0, help_text="The costs version every posted order has seen.")

    def __str__(self) -> str:
        return f"book of {self.store}"


class Batch(models.Model):
    """Entries written together, with the reason they were written."""

    pk = models.CompositePrimaryKey("book_id", "seq")
    book_id = models.IntegerField()
    seq = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    cause = models.PositiveSmallIntegerField(choices=CauseKind.choices)
    cause_ref = models.CharField(max_length=80)
    actor = models.CharField(max_length=150, blank=True)
    draft_version = models.PositiveSmallIntegerField()
    entries = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["book_id", "cause_ref", "seq"], name="batch_of_rule", condition=Q(cause=CauseKind.RULE))]


class Entry(models.Model):
    """One signed amount on one account. Revenue is positive, a cost negative; rows are never changed.

    The primary key is the design's uniqueness rule, and forbids reversing an entry twice. Narrow on purpose,
    and without foreign keys: several million rows are normal, and the audit checks what keys would.
    """

    pk = models.CompositePrimaryKey("book_id", "source_kind", "source_id", "account", "part", "revision", "reverses")
    seq = models.BigIntegerField()
    source_id = models.BigIntegerField()
    book_id = models.IntegerField()
    part = models.IntegerField()
    day = models.DateField(help_text="Where it is booked: the event day, or the first open day when that is closed.")
    event_day = models.DateField()
    order_day = models.DateField(null=True)
    source_kind = models.SmallIntegerField(choices=SourceKind.choices)
    account = models.SmallIntegerField()
    revision = models.SmallIntegerField()
    channel = models.SmallIntegerField()
    country = models.SmallIntegerField(help_text="See ledger/countries.py; 0 when unknown.")
    reverses = models.BooleanField()
    estimated = models.BooleanField()
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    variant = models.BigIntegerField(null=True)
    campaign = models.BigIntegerField(null=True)
    original_amount = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, null=True)  # noqa: DJ001  NULL is "the book's own", not an empty text
    rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    rate_day = models.DateField(null=True)
    rate_source = models.SmallIntegerField(choices=RateSource.choices, null=True)


class Finding(models.Model):
    """Something a person should know: a missing rate, a total that does not agree, a fetch that failed."""

    class Severity(models.TextChoices):
        INFO = "info", "for information"
        WARNING = "warning", "warning"
        ERROR = "error", "error"

    book = models.ForeignKey(Book, null=True, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    message = models.CharField(max_length=500)
    expected = models.CharField(max_length=80, blank=True)
    actual = models.CharField(max_length=80, blank=True)
    mend = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="The page that mends it, below /admin/ledger/.")
    money = models.DecimalField(
        "money at stake", max_digits=19, decimal_places=4, null=True, blank=True, help_text="In the book's currency; empty where it is not known."
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "subject"], condition=Q(resolved_at__isnull=True), nulls_distinct=False, name="one_open_finding_per_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"
