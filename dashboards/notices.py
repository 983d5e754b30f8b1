"""Gather what a page must say beside its figures: open findings and the store's time zone."""

from django.db.models import Case, IntegerField, Q, Value, When
from django.utils import timezone

from ledger.models import Finding, Store

MOST_FINDINGS = 10


def open_findings(store: Store) -> list[Finding]:
    """Return the open findings about a store or the whole installation, the gravest first."""
    rank = Case(When(severity="error", then=Value(0)), When(severity="warning", then=Value(1)), default=Value(2), output_field=IntegerField())
    found = Finding.objects.filter(Q(book_id=store.pk) | Q(book=None), resolved_at=None)
    return list(found.order_by(rank, "-last_seen_at")[:MOST_FINDINGS])


def current_zone(store: Store) -> str:
    """Return the store's present time zone; one planned for later does not apply yet."""
    latest = store.zones.filter(from_day__lte=timezone.now().date()).order_by("-from_day").values_list("zone", flat=True).first()
    return latest or "UTC"
