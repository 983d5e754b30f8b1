"""Keep each customer's order count and first order, and draft the day they became a customer.

"New customers" is posted with the customer as its source: when an earlier order turns up late, only this entry
moves, and no order is drafted again.
"""

from collections.abc import Collection, Sequence

from django.db import connection

from ledger import accounts, countries
from ledger.drafts.entry import EntryDraft
from ledger.entries import Source
from ledger.kinds import SourceKind
from ledger.money import SCALE
from ledger.pgcopy import array
from ledger.rows import OrderRow

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
_FIRST_ORDERS = "SELECT id, first_order FROM ledger_customer WHERE store_id = %s AND id = ANY(%s::bigint[])"
# By primary key alone: right after a large import the planner would otherwise choose an index that only knows the store.
_ORDERS = "SELECT id, day - DATE '2000-01-01', channel, country FROM ledger_order WHERE id = ANY(%s::bigint[])"
_ARRIVE = """
    UPDATE ledger_customer AS c SET order_count = c.order_count + n.orders,
        first_order = CASE WHEN n.earlier THEN n.first_order ELSE c.first_order END,
        first_order_at = CASE WHEN n.earlier THEN n.first_at ELSE c.first_order_at END
    FROM (
        SELECT a.id, a.orders, a.first_order, t.first_at,
            k.first_order_at IS NULL OR (t.first_at, a.first_order) < (k.first_order_at, k.first_order) AS earlier
        FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[]) AS a(id, orders, first_order, at)
        CROSS JOIN LATERAL (SELECT TIMESTAMPTZ '2000-01-01 00:00+00' + a.at * INTERVAL '1 microsecond' AS first_at) AS t
        JOIN ledger_customer k ON k.id = a.id
    ) AS n
    WHERE c.id = n.id RETURNING c.id, n.earlier
"""


def lock(store_id: int, customer_ids: Collection[int]) -> None:
    """Lock customers in id order, after the orders and before the book."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [store_id, array(sorted(customer_ids))])


def arrive(orders: Sequence[OrderRow]) -> dict[Source, list[EntryDraft]]:
    """Count new orders to their customers and return the entry of each who came first with one of them.

    The customers are locked. Those who had ordered before keep their entry, so they are not in the answer.
    """
    first: dict[int, OrderRow] = {}
    counts: dict[int, int] = {}
    for order in orders:
        customer = order.customer
        if customer is None:
            continue
        counts[customer] = counts.get(customer, 0) + 1
        other = first.get(customer)
        if other is None or (order.placed, order.id) < (other.placed, other.id):
            first[customer] = order
    if not first:
        return {}
    ids = sorted(first)
    columns = [ids, [counts[pk] for pk in ids], [first[pk].id for pk in ids], [first[pk].placed for pk in ids]]
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVE, [array(column) for column in columns])
        came = sorted(pk for pk, earlier in cursor.fetchall() if earlier)
    return {(SourceKind.CUSTOMER.value, pk): _first_order(first[pk].day, first[pk].channel, first[pk].country) for pk in came}


def recount(store_id: int, customer_ids: Collection[int]) -> dict[Source, list[EntryDraft]]:
    """Recount the given customers' orders and return the entry each should have on the day of their first order.

    The customers are locked.
    """
    if not customer_ids:
        return {}
    ids = array(sorted(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"store": store_id, "ids": ids})
        cursor.execute(_FIRST_ORDERS, [store_id, ids])
        first_orders = dict(cursor.fetchall())
        cursor.execute(_ORDERS, [array(pk for pk in first_orders.values() if pk is not None)])
        orders = {pk: (day, channel, country) for pk, day, channel, country in cursor.fetchall()}
    return {(SourceKind.CUSTOMER.value, pk): _first_order(*orders[order]) if order is not None else [] for pk, order in sorted(first_orders.items())}


def _first_order(day: int, channel: int, country: str) -> list[EntryDraft]:
    return [EntryDraft(accounts.STAT_NEW_CUSTOMERS, 0, day, SCALE, False, day, channel, countries.number(country))]
