"""Keep what imported files tell of the transactions of orders: the only writer of their table, and who answers for an order.

The same transaction may stand in several files, and the files name it by nothing but what it was. So an order has each as
often as the one standing file has it that has it most often.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q

from connectors.models import FileImport, OrderTransaction
from connectors.platforms.files.shopify.transactions import OrderRef, Told
from ledger.models import Store
from ledger.money import decimal, tenk

_LOCK = 7_931
"""Names the lock that mappers of a store's orders, and who tells of their transactions, take in turn."""
GONE = (FileImport.State.UNDOING, FileImport.State.UNDONE)


def take_turns(store: Store) -> None:
    """Wait for others who map a store's orders or tell of their transactions, and hold them off until the transaction ends.

    Whoever comes second then sees what the first has written: no order misses a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, store.pk])


def add(row: FileImport, told: Iterable[tuple[OrderRef, Told]]) -> None:
    """Keep what an import tells."""
    OrderTransaction.objects.bulk_create(
        (
            OrderTransaction(
                store_id=row.store_id, file_import=row, order_ref=order.id, order_name=order.name, kind=each.kind, gateway=each.gateway,
                status=each.status, amount=decimal(each.amount), currency=each.currency, happened_at=each.at,
            )
            for order, each in told
        ),
        batch_size=2_000,
    )  # fmt: skip


def forget(row: FileImport) -> None:
    """Delete what an undone import told."""
    OrderTransaction.objects.filter(file_import=row).delete()


def orders_of(row: FileImport) -> set[OrderRef]:
    """Return the orders an import tells of."""
    return {OrderRef(*pair) for pair in OrderTransaction.objects.filter(file_import=row).values_list("order_ref", "order_name").distinct()}


def told_of(store: Store, orders: Sequence[OrderRef]) -> list[list[Told]]:
    """Return what standing imports tell of each order, in time order."""
    ids, names = {order.id for order in orders if order.id}, {order.name for order in orders if order.name}
    rows = OrderTransaction.objects.filter(Q(order_ref__in=ids) | Q(order_name__in=names), store=store).exclude(file_import__state__in=GONE)
    by_id: dict[str, dict[int, Counter[Told]]] = {}
    by_name: dict[str, list[tuple[str, int, Told]]] = {}
    for row in rows:
        told = Told(row.happened_at, row.kind, row.gateway, row.status, tenk(row.amount), row.currency)
        if row.order_ref in ids:
            by_id.setdefault(row.order_ref, {}).setdefault(row.file_import_id, Counter())[told] += 1
        by_name.setdefault(row.order_name, []).append((row.order_ref, row.file_import_id, told))
    return [_union(order, by_id, by_name) for order in orders]


def _union(order: OrderRef, by_id: dict[str, dict[int, Counter[Told]]], by_name: dict[str, list[tuple[str, int, Told]]]) -> list[Told]:
    """Return an order's transactions, each as often as the file that has it most often: by id, and by name where one side has lost the id."""
    files = {pk: Counter(told) for pk, told in by_id.get(order.id, {}).items()} if order.id else {}
    for ref, pk, told in by_name.get(order.name, ()) if order.name else ():
        if not ref or not order.id:
            files.setdefault(pk, Counter())[told] += 1
    union: Counter[Told] = Counter()
    for each in files.values():
        union |= each
    return sorted(union.elements())
