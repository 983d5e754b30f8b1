"""Orders and their transactions imported at once: whoever comes first, no order misses a transaction."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.db import connection

from connectors.files.orders.shopify_orders import import_shopify_orders
from connectors.files.orders.shopify_transactions import import_shopify_transactions
from ledger.audit import check_all
from ledger.models import Book, Finding, Sale
from tests.builders import a_store, day
from tests.connectors.shopify_files import NOW, a_refund, an_order, write_orders, write_transactions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
COUNT = 12
WHOLE = {"Refunded_Amount": "50.00", "Financial_Status": "refunded"}


def at_once(*works: Callable[[], object]) -> None:
    barrier = Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert errors == []


@pytest.mark.parametrize("attempt", range(4))
def test_no_order_misses_a_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempt: int) -> None:
    monkeypatch.setattr("connectors.files.spool.CHUNK_ORDERS", 2)
    store = a_store(zone="Europe/Berlin")
    orders = write_orders(tmp_path, *(an_order(1001 + number, **WHOLE) for number in range(COUNT)))
    told = write_transactions(tmp_path, *(a_refund(1001 + number) for number in range(COUNT)))
    at_once(lambda: import_shopify_orders(store, orders, now=NOW), lambda: import_shopify_transactions(store, told, now=NOW))
    refunds = Sale.objects.filter(store_id=store.pk, kind=4)
    assert list(refunds.values_list("day", "estimated")) == [(day("2026-03-20"), False)] * COUNT
    assert not Finding.objects.filter(kind="refund_undated", resolved_at=None).exists()
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
