"""Explain why figures changed: the entries between two moments, by batch, cause and statement line."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from ledger import accounts
from ledger.book.totals import DAY_OF_BASIS
from ledger.cause import Cause
from ledger.kinds import Basis, CauseKind
from ledger.models import Batch, Book, Order, OrderCharge, Store
from ledger.posting import correcting


class Change(NamedTuple):
    """What one batch changed on one account and month."""

    seq: int
    recorded_at: datetime
    cause: str
    cause_ref: str
    actor: str
    month: date
    account: str
    line: str | None
    added: Decimal
    reversed: Decimal
    entries: int

    @property
    def amount(self) -> Decimal:
        """Return the net change."""
        return self.added + self.reversed


_CHANGES = """
    SELECT e.seq, b.recorded_at, b.cause, b.cause_ref, b.actor, date_trunc('month', {day})::date AS month, e.account,
        coalesce(sum(e.amount) FILTER (WHERE NOT e.reverses), 0), coalesce(sum(e.amount) FILTER (WHERE e.reverses), 0), count(*)
    FROM ledger_entry e JOIN ledger_batch b ON b.book_id = e.book_id AND b.seq = e.seq
    WHERE e.book_id = %s AND e.seq > %s AND e.seq <= %s
    GROUP BY e.seq, b.recorded_at, b.cause, b.cause_ref, b.actor, month, e.account ORDER BY e.seq, month, e.account
"""


def changes(book: Book, *, after: int, through: int, basis: Basis = Basis.EVENT) -> list[Change]:
    """Return what the batches after one number, through another, changed; their sums are the difference of the two views."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES.format(day=DAY_OF_BASIS[basis]), [book.pk, after, through])
        return [
            Change(seq, at, CauseKind(cause).label, ref, actor, month, accounts.name_of(account), accounts.line_of(account), added, back, count)
            for seq, at, cause, ref, actor, month, account, added, back, count in cursor.fetchall()
        ]


_CAUSED = """
    SELECT date_trunc('month', {day})::date AS month, account, sum(amount) FROM ledger_entry
    WHERE book_id = %(book)s AND seq BETWEEN %(first)s AND %(last)s AND seq = ANY(%(seqs)s) GROUP BY month, account
"""


def caused(book: Book, cause_ref: str, *, cause: CauseKind, basis: Basis = Basis.EVENT) -> dict[date, dict[str, Decimal]]:
    """Return what one cause changed of profit, by month and statement line; empty when it wrote nothing.

    What it told of closed days is in it, where that was booked.
    """
    late = correcting(Cause(cause, cause_ref))
    why = Q(cause=cause, cause_ref=cause_ref) | Q(cause=late.kind, cause_ref=late.ref)
    seqs = list(Batch.objects.filter(why, book_id=book.pk).order_by("seq").values_list("seq", flat=True))
    found: dict[date, dict[str, Decimal]] = {}
    if not seqs:
        return found
    with connection.cursor() as cursor:
        # the batches' span first: the index by batch knows ranges only
        cursor.execute(_CAUSED.format(day=DAY_OF_BASIS[basis]), {"book": book.pk, "first": seqs[0], "last": seqs[-1], "seqs": seqs})
        for month, account, amount in cursor.fetchall():
            line = accounts.line_of(account)
            if line is not None:
                lines = found.setdefault(month, {})
                lines[line] = lines.get(line, Decimal(0)) + amount
    return dict(sorted(found.items()))


class Standing(NamedTuple):
    """What still stands as one import told it last."""

    orders: int
    charges: int


def standing_of(store: Store, cause_ref: str) -> Standing:
    """Return how many orders and charges a cause was the last to change: what undoing it would take back or put back."""
    orders = Order.objects.filter(store=store, cause_ref=cause_ref, withdrawn_at=None).count()
    return Standing(orders, OrderCharge.objects.filter(store=store, cause_ref=cause_ref, removed_at=None).count())
