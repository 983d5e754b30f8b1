"""Keep what the audit, the currencies and the imports noticed, so that a person sees it."""

from datetime import datetime

from django.db.models import F

from ledger.models import Finding


def note(
    book_id: int | None, kind: str, subject: str, message: str, *, now: datetime,
    severity: str = Finding.Severity.WARNING, expected: str = "", actual: str = "",
) -> None:  # fmt: skip
    """Open a finding, or refresh the open one about the same subject.

    `book_id` is None for what concerns the whole installation (a rate file that cannot be fetched).
    """
    latest = {"message": message[:500], "severity": severity, "expected": expected[:80], "actual": actual[:80], "last_seen_at": now}
    Finding.objects.update_or_create(
        book_id=book_id, kind=kind, subject=subject[:120], resolved_at=None,
        defaults=latest, create_defaults={**latest, "first_seen_at": now},
    )  # fmt: skip


def resolve(book_id: int | None, kind: str, subject: str | None = None, *, now: datetime) -> int:
    """Close the open findings of a kind (about one subject, or all) and return how many there were."""
    found = Finding.objects.filter(book_id=book_id, kind=kind, resolved_at=None)
    if subject is not None:
        found = found.filter(subject=subject[:120])
    return found.update(resolved_at=now, last_seen_at=F("last_seen_at"))
