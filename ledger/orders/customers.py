"""Keep each customer's order count and first order, and draft the day they became a customer.

"New customers" is posted with the customer as its source: when an earlier order turns up late, only this entry
moves, and no order is drafted again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import connection

from ledger import accounts, countries
from ledger.book.entries import Source
from ledger.book.pgcopy import array
from ledger.cause import Cause
from ledger.drafts.entry import EntryDraft
from ledger.facts import CustomerFact
from ledger.kinds import SourceKind
from ledger.models import Store
from ledger.money import SCALE
from ledger.orders import dimensions, same_people
from ledger.orders.rows import OrderRow
from ledger.posting import NOTHING, Posting, post

_LOCK = "SELECT id FROM ledger_customer WHERE store_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"
_ROOTS = "SELECT DISTINCT coalesce(same_as, id) FROM ledger_customer WHERE store_id = %s AND id = ANY(%s::bigint[])"
_NAMES = "SELECT id FROM ledger_customer WHERE store_id = %s AND same_as = ANY(%s::bigint[])"
_RECOUNT = """
    WITH members AS (
        SELECT id, coalesce(same_as, id) AS root FROM ledger_customer WHERE store_id = %(store)s AND id = ANY(%(ids)s::bigint[])
    ), counted AS (
        SELECT m.root, count(*) AS orders, (array_agg(o.id ORDER BY o.placed_at, o.id))[1] AS first_order, min(o.placed_at) AS first_at
        FROM members m JOIN ledger_order o ON o.store_id = %(store)s AND o.customer_id = m.id WHERE o.counts GROUP BY m.root
    ), seen AS (
        SELECT m.root, count(*) AS orders FROM members m JOIN ledger_customer r ON r.id = m.root
        JOIN ledger_order o ON o.store_id = %(store)s AND o.customer_id = m.id
        WHERE o.platform = r.told_by AND o.placed_at <= r.told_at GROUP BY m.root
    ), latest AS (
        SELECT m.id, coalesce(n.orders, 0) AS orders, n.first_order, n.first_at,
            greatest(coalesce(r.told_orders, 0) - coalesce(s.orders, 0), 0) AS older
        FROM members m JOIN ledger_customer r ON r.id = m.id LEFT JOIN counted n ON n.root = m.id LEFT JOIN seen s ON s.root = m.id
    )
    UPDATE ledger_customer AS c SET order_count = l.orders, first_order = l.first_order, first_order_at = l.first_at, older_orders = l.older
    FROM latest l WHERE c.id = l.id AND c.store_id = %(store)s
        AND (c.order_count, c.first_order, c.first_order_at, c.older_orders) IS DISTINCT FROM (l.orders, l.first_order, l.first_at, l.older)
"""
_FIRST_ORDERS = "SELECT id, CASE WHEN older_orders = 0 THEN first_order END FROM ledger_customer WHERE store_id = %s AND id = ANY(%s::bigint[])"
_TELL = """
    UPDATE ledger_customer c SET told_orders = t.orders, told_by = %s, told_at = greatest(c.told_at, %s),
        country = CASE WHEN c.country = '' AND c.erased_at IS NULL THEN t.country ELSE c.country END
    FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS t(id, orders, country) WHERE c.store_id = %s AND c.id = t.id
    RETURNING old.told_orders IS DISTINCT FROM new.told_orders
"""
A_RUN = timedelta(minutes=2)
"""A platform may have counted so much later than the run began that tells it: its orders until then are counted, too."""
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
    WHERE c.id = n.id RETURNING c.id, n.earlier, c.told_orders IS NOT NULL, c.same_as IS NOT NULL
"""


def lock(store_id: int, customer_ids: Collection[int]) -> None:
    """Lock customers in id order, after the orders and before the book."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [store_id, array(sorted(customer_ids))])


def arrive(store_id: int, orders: Sequence[OrderRow]) -> dict[Source, list[EntryDraft]]:
    """Count new orders to their customers and return the entry of each who came first with one of them.

    The customers are locked. Those who had ordered before keep their entry, so they are not in the answer. Who has other
    names, or of whom a platform told how many orders there are, is counted anew.
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
        found = cursor.fetchall()
    named = {pk for pk, *_, is_named in found if is_named}
    again = named | {pk for pk, _, is_told, _ in found if is_told} | same_people.look_again(store_id, named)
    came = sorted(pk for pk, earlier, *_ in found if earlier and pk not in again)
    entries = {(SourceKind.CUSTOMER.value, pk): _first_order(first[pk].day, first[pk].channel, first[pk].country) for pk in came}
    return {**entries, **recount(store_id, again)}


def recount(store_id: int, customer_ids: Collection[int]) -> dict[Source, list[EntryDraft]]:
    """Recount the given customers' orders and return the entry each should have on the day of their first order.

    The customers are locked; with them are counted those that are the same people, who get locked here.
    A customer of whom the platform counts orders that we cannot see was there before: they are new with none of ours.
    """
    if not customer_ids:
        return {}
    everyone = _with_other_names(store_id, customer_ids)
    if others := everyone - set(customer_ids):
        lock(store_id, others)
    ids = array(sorted(everyone))
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"store": store_id, "ids": ids})
        cursor.execute(_FIRST_ORDERS, [store_id, ids])
        first_orders = dict(cursor.fetchall())
        cursor.execute(_ORDERS, [array(pk for pk in first_orders.values() if pk is not None)])
        orders = {pk: (day, channel, country) for pk, day, channel, country in cursor.fetchall()}
    return {(SourceKind.CUSTOMER.value, pk): _first_order(*orders[order]) if order is not None else [] for pk, order in sorted(first_orders.items())}


def record_customers(store: Store, facts: Sequence[CustomerFact], *, cause: Cause, now: datetime) -> tuple[int, int]:
    """Note how many orders one platform counts of customers, in the caller's transaction; return how many are news, and the entries that took.

    Orders that it counts and we do not have were placed before all that we see, or are not told yet. Of a store that
    succeeds another, or that another succeeds, nothing is noted: what the platform counts are orders of both.
    """
    if store.succeeds_id is not None or Store.objects.filter(succeeds=store).exists():
        return 0, 0
    latest = {fact.customer: fact for fact in facts if fact.customer and fact.orders >= 0}
    known = dimensions.customers(store.pk, {key: fact.country for key, fact in latest.items() if fact.orders})
    known |= dimensions.customers_known(store.pk, sorted(latest.keys() - known.keys()))
    if not known:
        return 0, 0
    told = sorted((pk, latest[key]) for key, pk in known.items())
    lock(store.pk, known.values())
    ids, orders, countries_told = array(pk for pk, _ in told), array(fact.orders for _, fact in told), [fact.country for _, fact in told]
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [facts[0].platform, now + A_RUN, ids, orders, countries_told, store.pk])
        news = sum(row[0] for row in cursor.fetchall())
    return news, post(store.pk, recount(store.pk, list(known.values())), cause=cause).added


def count_again(store: Store, customer_ids: Collection[int], *, cause: Cause) -> Posting:
    """Count the orders of customers again and post the difference, in the caller's transaction; without any, nothing is asked."""
    if not customer_ids:
        return NOTHING
    lock(store.pk, customer_ids)
    return post(store.pk, recount(store.pk, customer_ids), cause=cause)


def _with_other_names(store_id: int, customer_ids: Collection[int]) -> set[int]:
    """Return customers with all that are the same people."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOTS, [store_id, array(customer_ids)])
        roots = {row[0] for row in cursor.fetchall()}
        cursor.execute(_NAMES, [store_id, array(roots)])
        return {*customer_ids, *roots, *(row[0] for row in cursor.fetchall())}


def _first_order(day: int, channel: int, country: str) -> list[EntryDraft]:
    return [EntryDraft(accounts.STAT_NEW_CUSTOMERS, 0, day, SCALE, False, day, channel, countries.number(country))]
