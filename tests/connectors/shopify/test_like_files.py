"""An order is the same whether Shopify's export tells it or its interface, as far as both know it."""

from pathlib import Path
from typing import Any

import pytest

from ledger.models import Order, OrderLine, OrderReference, Store, Variant
from tests.builders import a_store, write
from tests.connectors import shopify_files as files
from tests.connectors.shopify.records import a_line, a_transaction, agreement, an_order, fact_of, nodes, sold
from tests.ledger_text import entry_rows

pytestmark = pytest.mark.django_db
PLACED = "2026-03-03T09:00:00Z"
TOLD = (
    "external_id", "number", "placed_at", "day", "currency", "country", "region", "financial_status", "counts", "is_test", "cancelled_at", "shipped",
    "discount_codes", "shipping_method", "stated_total", "stated_refunded", "revenue", "cogs", "shipping", "tax", "payment_fees", "profit",
)  # fmt: skip
"""What both tell of an order, and what is concluded from it."""


def by_file() -> files.Rows:
    lines = [files.a_line("50.00", quantity=2, sku="MUG-1", name="Mug 1"), files.a_line("20.00", sku="MUG-2", name="Mug 2")]
    return files.an_order(
        lines=lines, Subtotal="108.00", Shipping="5.00", Taxes="21.47", Total="134.47", Discount_Code="SPRING", Discount_Amount="12.00",
        Payment_References="p1", Tax_1_Name="VAT 19%", Tax_1_Value="21.47", Id="5001",
    )  # fmt: skip


def by_interface() -> dict[str, Any]:
    first = agreement(
        sold("107.1", quantity=2, discount="10.0", tax="17.1"), sold("21.42", line=2, discount="2.0", tax="3.42"),
        sold("5.95", kind="SHIPPING", tax="0.95"), at=PLACED,
    )  # fmt: skip
    return an_order(
        first, total="134.47", processedAt=PLACED, discountCodes=["spring"], totalWeight="0",
        lineItems=nodes(a_line(quantity=2, price="50.0"), a_line(2, price="20.0")), shippingLines={"nodes": [{"title": "Standard"}]},
        transactions=[a_transaction("134.47", processedAt=PLACED)],
    )  # fmt: skip


def concluded(store: Store) -> tuple[Any, ...]:
    """Return what a store's one order is, with its entries by day and account."""
    order = Order.objects.get(store=store)
    rows = sorted((row["day"], row["account"], row["amount"], row["channel"]) for row in entry_rows(store, live=True))
    references = list(OrderReference.objects.filter(store_id=store.pk).values_list("reference", flat=True))
    lines = list(OrderLine.objects.filter(store_id=store.pk).order_by("part").values_list("quantity", "unit_price", "sku", "title", "unit_cost"))
    return {name: getattr(order, name) for name in TOLD}, rows, references, lines


def test_an_order_is_the_same_by_file_and_by_interface(tmp_path: Path) -> None:
    filed, connected = a_store(zone="Europe/Berlin"), a_store(zone="Europe/Berlin")
    files.take(filed, tmp_path, by_file())
    write(connected, fact_of({**by_interface(), "name": "#1001"}))
    assert concluded(connected) == concluded(filed)


def test_an_order_that_a_file_told_becomes_the_platforms_with_its_products(tmp_path: Path) -> None:
    store = a_store(zone="Europe/Berlin")
    files.take(store, tmp_path, by_file())
    before, variants = concluded(store), list(Variant.objects.order_by("pk").values_list("pk", "sku"))
    write(store, fact_of({**by_interface(), "name": "#1001"}))
    assert concluded(store) == before
    assert list(Variant.objects.order_by("pk").values_list("pk", "sku")) == variants
    assert list(Variant.objects.order_by("pk").values_list("external_id", flat=True)) == ["71", "72"]
    files.take(store, tmp_path, by_file(), files.an_order(1002, lines=[files.a_line("50.00", sku="MUG-1", name="Mug 1")]), name="again.csv")
    assert Variant.objects.count() == 2
