"""Keep what the audit, the currencies and the imports noticed, so that a person sees it."""

from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import F

from ledger.models import Finding


def note(
    book_id: int | None, kind: str, subject: str, message: str, *, now: datetime,
    severity: str = Finding.Severity.WARNING, expected: str = "", actual: str = "", mend: str = "", money: Decimal | None = None,
) -> None:  # fmt: skip
    """Open a finding, or refresh the open one about the same subject.

    `book_id` is None for what concerns the whole installation (a rate file that cannot be fetched). `mend` is the page
    below /admin/ledger/ that mends it, `money` what is at stake in the book's currency, where that is known.
    """
    latest = {
        "message": message[:500], "severity": severity, "expected": expected[:80], "actual": actual[:80], "mend": mend[:200], "money": money,
        "last_seen_at": now,
    }  # fmt: skip
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


def mend_at(page: str, **values: object) -> str:
    """Return where a finding is mended, below /admin/ledger/: a page, with what its form is to begin with; None is left out."""
    query = urlencode({name: str(value) for name, value in values.items() if value is not None})
    return f"{page}?{query}" if query else page
