"""Keep what payment processors call orders, so that their files find them: the only writer and reader of the table.

A shop platform gives each payment an id of its own and sends that to the processor, not the order's number.
"""

from collections.abc import Collection, Mapping

from django.db import connection

from ledger.models import OrderReference

_NOTE = """
    INSERT INTO ledger_orderreference (store_id, reference, order_id)
    SELECT %s, reference, order_id FROM unnest(%s::text[], %s::bigint[]) AS told(reference, order_id) ORDER BY reference, order_id
    ON CONFLICT DO NOTHING
"""


def note(store_id: int, told: Mapping[int, Collection[str]]) -> None:
    """Note what processors call orders, by order; what was noted before stays."""
    pairs = [(reference[:120], order) for order, references in told.items() for reference in references if reference]
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [store_id, [reference for reference, _ in pairs], [order for _, order in pairs]])


def orders_called(store_id: int, names: Collection[str]) -> list[tuple[str, int]]:
    """Return the orders that processors call by some names: (name, order)."""
    return list(OrderReference.objects.filter(store_id=store_id, reference__in=names).order_by("reference").values_list("reference", "order_id"))


def names_of(store_id: int, orders: Collection[int]) -> list[tuple[str, int]]:
    """Return what processors call some orders: (name, order)."""
    return list(OrderReference.objects.filter(store_id=store_id, order_id__in=orders).order_by("reference").values_list("reference", "order_id"))
