"""Add up what restating goods' costs by rules that are only tried would write, without writing it."""

from collections.abc import Collection, Sequence
from datetime import date

from django.db import connection, transaction
from msgspec import Struct

from ledger.models import Store
from ledger.money import Tenk, tenk
from ledger.restating.cogs import look_at_cogs
from ledger.restating.decisions import Terms


class Looked(Struct, frozen=True):
    """What a chunk of orders would come to. Amounts are profit in the book's currency; months are their first days."""

    entries: int
    reversals: int
    corrections: int
    changed: int
    """Orders that have an entry to be written."""
    first: int | None
    last: int | None
    """The first and the last day that entries would be booked on, as day numbers."""
    by_month: list[tuple[date, Tenk]]
    most: list[tuple[int, Tenk]]
    """The orders that would change most, most first."""
    left: list[int]
    """Orders that sets leave alone: nothing of them is counted here."""


_WHOLE = """
    SELECT count(*), count(*) FILTER (WHERE reverses), count(*) FILTER (WHERE late), count(DISTINCT source_id),
        min(day) - DATE '2000-01-01', max(day) - DATE '2000-01-01'
    FROM prepared_entry
"""
_BY_MONTH = "SELECT date_trunc('month', day)::date, sum(amount) FROM prepared_entry GROUP BY 1"
_MOST = "SELECT source_id, sum(amount) FROM prepared_entry GROUP BY 1 ORDER BY abs(sum(amount)) DESC, 1 LIMIT %s"


def look(store: Store, ids: Sequence[int], terms: Terms, *, apart: Collection[int], most: int) -> Looked:
    """Return what restating orders by terms that are laid out would write; orders `apart` are left, and `most` are named one by one."""
    with transaction.atomic(), connection.cursor() as cursor:
        left = look_at_cogs(store, ids, terms, apart=apart)
        cursor.execute(_WHOLE)
        entries, reversals, corrections, changed, first, last = cursor.fetchone()
        cursor.execute(_BY_MONTH)
        by_month = [(month, tenk(amount)) for month, amount in cursor.fetchall()]
        cursor.execute(_MOST, [most])
        named = [(order, tenk(amount)) for order, amount in cursor.fetchall()]
    return Looked(entries, reversals, corrections, changed, first, last, by_month, named, left)
