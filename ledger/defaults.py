"""Work out what other defaults of the installation would do to its stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger import preview
from ledger.kinds import CostSource
from ledger.models import CostDefaults, Order, Store
from ledger.reach import every_order

AT_ONCE = 5_000
"""Orders of all stores together that are drafted while the person waits."""


def effects(wanted: CostDefaults, *, now: datetime) -> list[tuple[Store, dict[str, Any]]] | None:
    """Return what the defaults would do to each store (see `preview.effect`); None where too many orders would be drafted."""
    if Order.objects.all()[: AT_ONCE + 1].count() > AT_ONCE:
        return None

    @contextmanager
    def trying() -> Iterator[None]:
        with transaction.atomic():
            wanted.save()
            yield
            transaction.set_rollback(True)

    return [(store, preview.effect(store, trying, every_order(store), now=now)) for store in Store.objects.order_by("name")]


_RESTING = "SELECT store_id, count(DISTINCT order_id) FROM ledger_orderline WHERE cost_source = %s GROUP BY store_id"


def resting() -> list[tuple[Store, int]]:
    """Return how many orders of each store have a line whose cost rests on the default percentage."""
    with connection.cursor() as cursor:
        cursor.execute(_RESTING, [CostSource.DEFAULT_PERCENTAGE.value])
        counts = dict(cursor.fetchall())
    return [(store, counts.get(store.pk, 0)) for store in Store.objects.order_by("name")]
