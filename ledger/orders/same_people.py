"""Know that a customer of files and one of a platform are one person: files name buyers by e-mail, platforms by numbers of their own.

What tells is an order that a file told first and its platform then told as somebody's, or the other way round. The file's
customer then counts with the platform's, whose number is the better name. An e-mail address of orders of several of the
platform's customers, or of many orders, such as a till's, is no one person's: it stays a customer of its own.
"""

from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from ledger.book.pgcopy import array
from ledger.facts import OrderFact
from ledger.orders import dimensions
from ledger.orders.rows import OrderRow

MOST_ORDERS = 50
"""An e-mail address of more orders than these is hardly one person's."""
_NOTE = """
    INSERT INTO ledger_orderidentity (store_id, order_id, customer_id)
    SELECT %s, order_id, customer_id FROM unnest(%s::bigint[], %s::bigint[]) AS told(order_id, customer_id) ORDER BY 2, 3 ON CONFLICT DO NOTHING
"""
_NAMED = "SELECT DISTINCT customer_id FROM ledger_orderidentity WHERE store_id = %s AND order_id = ANY(%s::bigint[])"
_LINK = """
    UPDATE ledger_customer c SET same_as = found.one FROM (
        SELECT a.id, CASE WHEN count(DISTINCT o.customer_id) = 1 AND count(o.id) + (
            SELECT count(*) FROM ledger_order own WHERE own.store_id = %(store)s AND own.customer_id = a.id
        ) <= %(most)s THEN min(o.customer_id) END AS one
        FROM unnest(%(names)s::bigint[]) AS a(id)
        LEFT JOIN ledger_orderidentity i ON i.store_id = %(store)s AND i.customer_id = a.id
        LEFT JOIN ledger_order o ON o.id = i.order_id AND o.customer_id <> a.id
        GROUP BY a.id
    ) AS found
    WHERE c.store_id = %(store)s AND c.id = found.id AND c.told_orders IS NULL AND c.same_as IS DISTINCT FROM found.one
        AND NOT EXISTS (SELECT 1 FROM ledger_customer t WHERE t.id = found.one AND t.same_as IS NOT NULL)
    RETURNING c.id, old.same_as, new.same_as
"""


def learn(store_id: int, orders: Sequence[OrderRow], was: Mapping[int, OrderRow]) -> set[int]:
    """Learn from orders that are another's now than before; return the customers to be counted again. Without any, nothing is asked."""
    moved = [order for order in orders if order.id in was and order.customer != was[order.id].customer]
    if not moved:
        return set()
    told = {
        order.id: before for order in moved
        if (before := was[order.id].customer) is not None and order.customer is not None
        and was[order.id].platform_updated is None and was[order.id].withdrawn is None and order.platform_updated is not None
    }  # fmt: skip
    _note(store_id, told)
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [store_id, array(order.id for order in moved)])
        names = [row[0] for row in cursor.fetchall()]
    return _link(store_id, names)


def hear(store_id: int, told: Mapping[int, OrderFact]) -> set[int]:
    """Learn from what files tell of orders, by id, that their platform has told already; return the customers to be counted again."""
    wanted = {fact.customer: fact.country for fact in told.values() if fact.customer}
    if not wanted:
        return set()
    known = dimensions.customers(store_id, wanted)
    names = {order: known[fact.customer] for order, fact in told.items() if fact.customer and fact.customer in known}
    _note(store_id, names)
    return _link(store_id, sorted(set(names.values())))


def look_again(store_id: int, names: Collection[int]) -> set[int]:
    """Look whether customers of files are still somebody's other name, now that more orders are theirs; return those to be counted again."""
    return _link(store_id, names)


def _note(store_id: int, told: Mapping[int, int]) -> None:
    if told:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [store_id, array(told), array(told.values())])


def _link(store_id: int, names: Collection[int]) -> set[int]:
    if not names:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_LINK, {"store": store_id, "names": array(names), "most": MOST_ORDERS})
        return {pk for row in cursor.fetchall() for pk in row if pk is not None}
