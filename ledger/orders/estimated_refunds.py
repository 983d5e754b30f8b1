"""List refunds whose day or lines nobody told, so that what was booked for them is a guess."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from msgspec import Struct

from ledger import accounts
from ledger.kinds import Basis, SourceKind
from ledger.models import Store

MOST = 50
MOST_DAYS = 200
"""Days that are looked at, the latest first."""


class EstimatedRefund(Struct, frozen=True):
    """One order with such refunds, and what is booked for them in the store's currency, negative."""

    number: str
    day: date
    amount: Decimal


class EstimatedRefunds(Struct, frozen=True):
    """The latest such orders, and what all estimated refunds of the store add up to."""

    orders: list[EstimatedRefund]
    total: Decimal
    days: int


_DAYS = """
    SELECT day, sum(estimated_amount), sum(sum(estimated_amount)) OVER (), count(*) OVER () FROM ledger_daytotal
    WHERE book_id = %s AND basis = %s AND account = %s GROUP BY day HAVING sum(estimated_amount) <> 0 ORDER BY day DESC LIMIT %s
"""
_ORDERS = """
    SELECT o.number, o.day, e.amount FROM ledger_order o
    CROSS JOIN LATERAL (
        SELECT sum(amount) AS amount FROM ledger_entry WHERE book_id = %(store)s AND source_kind = %(kind)s AND source_id = o.id
        AND account = %(account)s AND estimated
    ) e
    WHERE o.store_id = %(store)s AND o.day = ANY(%(days)s) AND e.amount <> 0 ORDER BY o.day DESC, o.id DESC LIMIT %(most)s
"""


def estimated_refunds(store: Store) -> EstimatedRefunds:
    """Return the latest orders with estimated refunds. Reads daily totals on the order basis, then the orders of those days."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [store.pk, Basis.ORDER.value, accounts.SALES_RETURNS, MOST_DAYS])
        rows = cursor.fetchall()
        if not rows:
            return EstimatedRefunds([], Decimal(0), 0)
        values: dict[str, Any] = {
            "store": store.pk, "kind": SourceKind.ORDER.value, "account": accounts.SALES_RETURNS, "days": [row[0] for row in rows], "most": MOST,
        }  # fmt: skip
        cursor.execute(_ORDERS, values)
        return EstimatedRefunds([EstimatedRefund(*row) for row in cursor.fetchall()], rows[0][2], rows[0][3])
