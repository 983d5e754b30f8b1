"""Keep payments that a customer's bank disputes, and tell of those that can still be answered; their money is told when it moves."""

from collections.abc import Sequence
from datetime import datetime

from ledger import findings
from ledger.charges import balance_rows
from ledger.facts import DisputeFact
from ledger.models import Finding, Store
from ledger.money import decimal, in_minor_units

OPEN = "dispute_open"
"""The kind of finding that says that a dispute wants an answer."""


def record_disputes(store: Store, facts: Sequence[DisputeFact], *, now: datetime) -> int:
    """Keep disputes, each as it is told last, open a finding for each that wants an answer, close those of others, and return how many were news."""
    named = {f"{fact.platform} dispute {fact.external_id}": fact for fact in facts}
    changed = balance_rows.write_disputes(store.pk, list(named.values()))
    standing = set(
        Finding.objects.filter(book_id=store.pk, kind=OPEN, resolved_at=None, subject__in=named).values_list("subject", flat=True)
    )  # fmt: skip
    for subject, fact in named.items():
        if fact.wants_answer:
            findings.note(
                store.pk, OPEN, subject, _message(fact), severity=Finding.Severity.WARNING, now=now,
                money=decimal(fact.amount) if fact.currency == store.currency else None,
            )  # fmt: skip
        elif subject in standing:
            findings.resolve(store.pk, OPEN, subject, now=now)
    return changed


def _message(fact: DisputeFact) -> str:
    amount = f"{in_minor_units(decimal(fact.amount), fact.currency)} {fact.currency}"
    about = f" for order {fact.order}" if fact.order else ""
    until = f" until {fact.due_at:%-d %B %Y}" if fact.due_at is not None else ""
    return f"A customer's bank disputes a payment of {amount}{about}. Answer it where the payment was taken{until}, or the money is lost."
