"""An order that a file told first and its platform tells later is one order: the platform outranks the file, and only the difference is posted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as with_

from connectors import registry
from connectors.files.orders.shopify_orders import import_shopify_orders
from connectors.models import Connection
from connectors.spec import Json
from ledger.audit import check_all
from ledger.models import Batch, Order, Store
from tests.builders import book_of
from tests.connectors.bazaar import NOW, ORDERS, Bazaar, a_record, connector, open_bazaar
from tests.connectors.connecting import pull
from tests.connectors.shopify_files import an_order, undo, write_orders
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
AS_SHOPIFY = replace(ORDERS, map=lambda record, context: [with_(fact, platform="shopify") for fact in ORDERS.map(record, context)])
"""The stream of orders, told as Shopify's."""


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(AS_SHOPIFY))
    with open_bazaar() as bazaar:
        yield bazaar


def told(price: str = "48.00") -> Json:
    """Return the order of the file as its platform tells it, two euros cheaper."""
    record = a_record(1001, total=price)
    return {**record, "id": "5370000001001", "placed": "2026-03-03T09:00:00+00:00"}


def test_the_platform_outranks_a_file_and_the_difference_is_posted(bazaar: Bazaar, store: Store, connection: Connection, tmp_path: Path) -> None:
    file = write_orders(tmp_path, an_order(1001))
    import_shopify_orders(store, file, now=NOW)
    assert_entries(
        store,
        """
        account      amount  seq
        sales:gross   50.00    1
    """,
        only=["sales"],
    )
    bazaar.add(told())
    assert pull(connection, AS_SHOPIFY).changed == 1
    order = Order.objects.get()
    assert (order.external_id, str(order.revenue), order.cause_ref) == ("5370000001001", "48.0000", connection.cause_ref)
    assert_entries(
        store,
        """
        account      amount  seq
        sales:gross   50.00    1
        sales:gross  -50.00    2
        sales:gross   48.00    2
    """,
        only=["sales"],
    )
    # The file, imported once more, says nothing better.
    batches = Batch.objects.count()
    import_shopify_orders(store, file, now=NOW)
    assert (Batch.objects.count(), str(Order.objects.get().revenue)) == (batches, "48.0000")
    # Undone, it takes nothing back of what the platform tells.
    undo(store, file, "shopify-orders")
    assert (str(Order.objects.get().revenue), Order.objects.get().withdrawn_at) == ("48.0000", None)
    assert not any(check_all(book_of(store)).values())


def test_a_file_that_lost_the_id_tells_of_the_same_order_by_its_number(bazaar: Bazaar, store: Store, connection: Connection, tmp_path: Path) -> None:
    import_shopify_orders(store, write_orders(tmp_path, an_order(1001, Id="5.37E+12")), now=NOW)
    assert Order.objects.get().external_id == "number:#1001"
    bazaar.add(told())
    pull(connection, AS_SHOPIFY)
    assert Order.objects.values_list("external_id", "revenue").get()[0] == "5370000001001"
    assert not any(check_all(book_of(store)).values())
