"""Keep each customer's order count and first order, and draft the day they became a customer.

"New customers" is posted with the customer as its source: when an earlier order turns up late, only this entry
moves, and no order is drafted again.
"""

from collections.abc import Collection

from django.db import connection

from ledger import accounts, countries
from ledger.drafts.entry import EntryDraft
from ledger.entries import Source
from ledger.kinds import SourceKind
from ledger.money import SCALE
from ledger.pgcopy import array

_LOCK = "SELECT id FROM ledger_customer WHERE store_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
_RECOUNT = """
    WITH counted AS (
        SELECT customer_id, count(*) AS orders, (array_agg(id ORDER BY placed_at, id))[1] AS first_order, min(placed_at) AS first_at
        FROM ledger_order WHERE store_id = %(store)s AND customer_id = ANY(%(ids)s::bigint[]) AND counts GROUP BY customer_id
    ), latest AS (
        SELECT c.id, coalesce(n.orders, 0) AS orders, n.first_order, n.first_at
        FROM unnest(%(ids)s::bigint[]) AS c(id) LEFT JOIN counted n ON n.customer_id = c.id
    )
    UPDATE ledger_customer AS c SET order_count = l.orders, first_order = l.first_order, first_order_at = l.first_at
    FROM latest l WHERE c.id = l.id AND c.store_id = %(store)s
        AND (c.order_count, c.first_order, c.first_order_at) IS DISTINCT FROM (l.orders, l.first_order, l.first_at)
"""
_FIRST_ORDERS = """
    SELECT c.id, o.day - DATE '2000-01-01', o.channel, o.country
    FROM ledger_customer c LEFT JOIN ledger_order o ON o.store_id = c.store_id AND o.id = c.first_order
    WHERE c.store_id = %s AND c.id = ANY(%s::bigint[])
"""


def recount(store_id: int, customer_ids: Collection[int]) -> dict[Source, list[EntryDraft]]:
    """Recount the given customers' orders and return the entry each should have on the day of their first order.

    The customers are locked in id order, after the orders and before the book.
    """
    if not customer_ids:
        return {}
    ids = array(sorted(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [store_id, ids])
        cursor.execute(_RECOUNT, {"store": store_id, "ids": ids})
        cursor.execute(_FIRST_ORDERS, [store_id, ids])
        rows = cursor.fetchall()
    return {(SourceKind.CUSTOMER.value, pk): _first_order(day, channel, country) for pk, day, channel, country in rows}


def _first_order(day: int | None, channel: int | None, country: str | None) -> list[EntryDraft]:
    if day is None or channel is None:
        return []
    return [EntryDraft(accounts.STAT_NEW_CUSTOMERS, 0, day, SCALE, False, day, channel, countries.number(country or ""))]
