"""Tell what changed the figures of some days between two batches: by cause, batch by batch, line by line, summing exactly to the difference."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum
from msgspec import Struct

from ledger import accounts
from ledger.book.totals import DAY_OF_BASIS
from ledger.kinds import Basis, CauseKind
from ledger.models import Batch, Book
from ledger.periods import Period

MOST_ENTRIES = 500_000
"""Entries between two batches that are added up at most."""
ZERO = Decimal(0)


class Step(NamedTuple):
    """What one batch changed: profit's lines by key, in the book's currency, and how many entries did so."""

    seq: int
    recorded_at: datetime
    actor: str
    lines: dict[str, Decimal]
    entries: int


class Caused(Struct):
    """What one cause changed, over all its batches."""

    kind: CauseKind
    ref: str
    steps: list[Step]

    @property
    def lines(self) -> dict[str, Decimal]:
        """Return what it changed on each line."""
        return added_up(step.lines for step in self.steps)

    @property
    def entries(self) -> int:
        """Return how many entries it wrote about the days."""
        return sum(step.entries for step in self.steps)

    @property
    def actors(self) -> list[str]:
        """Return who caused it, where a person did."""
        return sorted({step.actor for step in self.steps if step.actor})


def added_up(lines: Iterable[dict[str, Decimal]]) -> dict[str, Decimal]:
    """Add amounts up line by line; every line of the statement is there."""
    whole = {line.key: ZERO for line in accounts.STATEMENT}
    for each in lines:
        for key, amount in each.items():
            whole[key] += amount
    return whole


def entries_between(book: Book, *, after: int, through: int) -> int:
    """Return how many entries the batches after one, through another, were recorded with; no entry is read for it."""
    return Batch.objects.filter(book_id=book.pk, seq__gt=after, seq__lte=through).aggregate(whole=Sum("entries"))["whole"] or 0


_BETWEEN = """
    SELECT seq, account, sum(amount), count(*) FROM ledger_entry
    WHERE book_id = %s AND seq > %s AND seq <= %s AND {day} BETWEEN %s AND %s GROUP BY seq, account ORDER BY seq, account
"""


def between(book: Book, period: Period, *, after: int, through: int, basis: Basis = Basis.EVENT) -> list[Caused]:
    """Return what the batches after one number, through another, changed of the days' profit, the cause that wrote last first.

    Causes that changed nothing of these days' profit are left out. The caller asks `entries_between` first whether they are few enough.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BETWEEN.format(day=DAY_OF_BASIS[basis]), [book.pk, after, through, period.first, period.last])
        rows = [row for row in cursor.fetchall() if accounts.in_profit(row[1])]
    batches = {batch.seq: batch for batch in Batch.objects.filter(book_id=book.pk, seq__in={row[0] for row in rows})}
    causes: dict[tuple[int, str], Caused] = {}
    for seq, lines, count in _by_batch(rows):
        batch = batches[seq]
        caused = causes.setdefault((batch.cause, batch.cause_ref), Caused(CauseKind(batch.cause), batch.cause_ref, []))
        caused.steps.append(Step(seq, batch.recorded_at, batch.actor, lines, count))
    return sorted(causes.values(), key=lambda caused: -caused.steps[-1].seq)


def _by_batch(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, dict[str, Decimal], int]]:
    found: dict[int, tuple[dict[str, Decimal], int]] = {}
    for seq, account, amount, count in rows:
        lines, before = found.get(seq, ({}, 0))
        key = accounts.line_of(account) or ""
        lines[key] = lines.get(key, ZERO) + amount
        found[seq] = lines, before + count
    return [(seq, lines, count) for seq, (lines, count) in found.items()]
