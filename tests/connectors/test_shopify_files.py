"""Shopify's exports are recognised, looked at, taken and undone like every other kind of file."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connectors.files import kinds as file_kinds
from connectors.files.imports import new_import
from connectors.files.kind import Count, Found, Listed, Sum, unguarded, untold
from connectors.files.words import lines_of
from connectors.models import FileImport
from ledger.models import Order, Store
from tests.builders import a_store
from tests.connectors.shopify_files import (
    NOW,
    OLDER,
    TRANSACTIONS_2026,
    a_refund,
    a_transaction,
    an_order,
    write_orders,
    write_transactions,
)

pytestmark = pytest.mark.django_db
HALF = {"Refunded_Amount": "25.00", "Financial_Status": "partially_refunded"}


@pytest.fixture
def store() -> Store:
    return a_store(slug="mugs", zone="Europe/Berlin")


def looked_at(store: Store, path: Path, kind: str) -> Found:
    row = new_import(store, kind, {}, filename=path.name, sha256="", actor="somebody", now=NOW)
    return file_kinds.find(kind).look(row, path, NOW, untold)


def taken(store: Store, path: Path, kind: str) -> tuple[FileImport, Found]:
    row = new_import(store, kind, {}, filename=path.name, sha256="", actor="somebody", now=NOW)
    return row, file_kinds.find(kind).take(row, path, NOW, untold, unguarded)


def command(*arguments: object) -> str:
    out = StringIO()
    call_command("import_file", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_both_are_recognised_by_their_headers(store: Store, tmp_path: Path) -> None:
    paths = {
        write_orders(tmp_path, an_order()): "shopify-orders",
        write_orders(tmp_path, an_order(), name="older.csv", header=OLDER): "shopify-orders",
        write_transactions(tmp_path, a_transaction()): "shopify-transactions",
        write_transactions(tmp_path, a_transaction(), name="2026.csv", header=TRANSACTIONS_2026): "shopify-transactions",
    }
    for path, name in paths.items():
        first = file_kinds.recognise(store, path).candidates[0]
        assert (first.kind.name, first.template) == (name, {})


def test_looking_at_orders_tells_what_taking_them_does(store: Store, tmp_path: Path) -> None:
    path = write_orders(tmp_path, an_order(1001, **HALF, Note="x"), an_order(1002, Payment_Method="Gift Card + Cash"))
    found = looked_at(store, path, "shopify-orders")
    assert (found.rows, found.new, found.changed, found.entries, Order.objects.count()) == (2, 2, 0, 0, 0)
    assert found.counts == [Count("orders", 2), Count("refunds without a day", 1)]
    assert found.sums == [Sum("all orders' Totals", "100.00", "EUR"), Sum("refunds without a day", "25.00", "EUR")]
    assert found.warnings == [
        "1 refund (25.00 EUR) without a day: estimated until you import the orders' transaction histories.",
        "1 thing is doubtful and listed.",
    ]
    assert found.first_rows[0] == [
        "2", "#1001", "2026-03-03 10:00", "partially refunded", "Mug", "1", "50.00", "50.00", "25.00",
    ]  # fmt: skip
    assert found.lists[1] == Listed(
        "Refunds without a day", ["order", "refunded", "currency", "put on"], [["#1001", "25.00", "EUR", "2026-03-04"]], 1
    )
    row, done = taken(store, path, "shopify-orders")
    assert (done.new, done.sums, done.lists, done.import_id) == (2, found.sums, found.lists, row.pk)
    assert (row.new_orders, row.changed_orders) == (0, 2)
    assert "  #1001, 25.00, EUR, 2026-03-04" in lines_of(done, written=True)
    again = looked_at(store, path, "shopify-orders")
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)


def test_looking_at_transactions_tells_which_rows_fit(store: Store, tmp_path: Path) -> None:
    taken(store, write_orders(tmp_path, an_order(1001, **HALF)), "shopify-orders")
    path = write_transactions(tmp_path, a_transaction(), a_refund(amount="25.00"), a_refund(1002), a_transaction(Status="failure"))
    found = looked_at(store, path, "shopify-transactions")
    assert found.counts == [Count("orders", 2), Count("rows matched to orders", 3), Count("rows not counted (failure)", 1)]
    assert found.sums == [Sum("charges", "50.00", "EUR"), Sum("refunds", "75.00", "EUR")]
    assert (found.rows, found.loose_count, [loose.name for loose in found.loose]) == (4, 1, ["#1002"])
    row, done = taken(store, path, "shopify-transactions")
    assert (done.changed, row.matched, row.rows, row.orders) == (1, 3, 4, 2)
    text = lines_of(done, written=True)
    assert "1 row without an order (they are kept, and count when their order arrives):" in text


def test_the_command_imports_asks_and_undoes(store: Store, tmp_path: Path) -> None:
    tipped = write_orders(tmp_path, an_order(Taxes="7.98", Total="53.00"))
    with pytest.raises(CommandError, match=r"1 order is wrong; nothing was imported\.\n  line 2, Total: order #1001"):
        command("mugs", tipped, "--kind", "shopify-orders")
    report = json.loads(command("mugs", tipped, "--kind", "shopify-orders", "--taxes", "included", "--json"))
    assert (report["new"], report["sums"][0]["amount"]) == (1, "53.00")
    kept = FileImport.objects.get()
    assert kept.template == {"platform": "shopify", "options": {"taxes": "included"}}
    assert str(Order.objects.get().tax) == "7.9800"
    history = write_transactions(tmp_path, a_transaction(amount="53.00"), a_refund(amount="53.00"))
    assert "matched" in command("mugs", history, "--kind", "shopify-transactions", "--dry-run")
    assert "1 changed" in command("mugs", history, "--kind", "shopify-transactions")
    assert str(Order.objects.get().revenue) == "0.0000"
    assert command("mugs", history, "--kind", "shopify-transactions", "--undo").startswith("Undone: 1 taken back or restored")
    assert str(Order.objects.get().revenue) == "53.0000"
    assert command("mugs", tipped, "--kind", "shopify-orders", "--undo").startswith("Undone: 1 taken back or restored")
    assert Order.objects.get().withdrawn_at is not None
    with pytest.raises(CommandError, match="there is nothing to undo"):
        command("mugs", tipped, "--kind", "shopify-orders", "--undo")
