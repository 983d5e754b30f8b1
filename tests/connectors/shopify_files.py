"""Write Shopify's exports for tests: orders of an invented shop, in the columns that Shopify writes."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from connectors.files import kinds as file_kinds
from connectors.files.imports import standing
from connectors.files.kind import Undone, unguarded, untold
from connectors.files.orders.order_formats import Report
from connectors.files.orders.shopify_orders import import_shopify_orders
from connectors.platforms.files.reading import file_digest
from ledger.audit import check_all
from ledger.models import Book, Store

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)

_COLUMNS = """
    Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,
    Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,
    Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,
    Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,
    Shipping Street,Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,
    Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,
    Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,
    Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,
    Payment ID,Payment Terms Name,Next Payment Due At,Payment References
"""
ORDERS = [name.strip() for name in _COLUMNS.split(",")]
"""The 79 columns."""
OLDER = [name for name in ORDERS if name not in ("Outstanding Balance", "Employee", "Location", "Device ID")]
"""The 75 columns of before."""
TRANSACTIONS = ["Order", "Name", "Kind", "Gateway", "Created At", "Status", "Amount", "Currency", "Card Type"]
TRANSACTIONS_2026 = ["Order", "Name", "Payment Method", "Kind", "Gateway", "Created At", "Status", "Amount", "Currency", "Card Type"]

Line = dict[str, str]
Rows = list[dict[str, str]]
CONTINUED = ("Name", "Email", "Created at", "Vendor", "Phone")


def a_line(price: str = "50.00", *, quantity: int = 1, sku: str = "MUG", name: str = "Mug", discount: str = "0.00", **more: str) -> Line:
    """Make the columns of one line."""
    line = {
        "Lineitem quantity": str(quantity), "Lineitem name": name, "Lineitem price": price, "Lineitem sku": sku, "Lineitem discount": discount,
        "Lineitem requires shipping": "true", "Lineitem taxable": "true", "Lineitem fulfillment status": "fulfilled",
    }  # fmt: skip
    return line | {column.replace("_", " "): text for column, text in more.items()}


def an_order(number: int = 1001, lines: Sequence[Line] | None = None, **columns: str) -> Rows:
    """Make the rows of one order as Shopify writes them: its own columns in the first row, continuation rows after it.

    By default one mug of 50.00, paid by card on 3 March 2026 and sent the next day. Columns are named with underscores for spaces.
    """
    lines = [a_line()] if lines is None else lines
    head = {
        "Name": f"#{number}", "Email": f"buyer{number}@example.com", "Financial Status": "paid", "Paid at": "2026-03-03 10:00:00 +0100",
        "Fulfillment Status": "fulfilled", "Fulfilled at": "2026-03-04 09:00:00 +0100", "Accepts Marketing": "no", "Currency": "EUR",
        "Subtotal": "50.00", "Shipping": "0.00", "Taxes": "0.00", "Total": "50.00", "Discount Amount": "0.00", "Shipping Method": "Standard",
        "Created at": "2026-03-03 10:00:00 +0100", "Billing Name": "Ann Example", "Billing Street": "1 Example Lane", "Billing Zip": "'10115",
        "Billing Country": "DE", "Shipping Name": "Ann Example", "Shipping Street": "1 Example Lane", "Shipping Zip": "'10115",
        "Shipping Province": "BE", "Shipping Country": "DE", "Payment Method": "Shopify Payments", "Refunded Amount": "0.00", "Vendor": "Kiln",
        "Outstanding Balance": "0.00", "Id": str(5_370_000_000_000 + number), "Risk Level": "Low", "Source": "web", "Phone": "+49 30 555 0100",
    }  # fmt: skip
    head |= {name.replace("_", " "): text for name, text in columns.items()}
    rows = [head | (lines[0] if lines else {})]
    return rows + [{name: head[name] for name in CONTINUED} | line for line in lines[1:]]


def a_transaction(number: int = 1001, amount: str = "50.00", **columns: str) -> dict[str, str]:
    """Make one row of a transaction history: a successful charge by card unless told otherwise."""
    row = {
        "Order": str(5_370_000_000_000 + number), "Name": f"#{number}", "Kind": "sale", "Gateway": "shopify_payments",
        "Created At": "2026-03-03 10:00:00 +0100", "Status": "success", "Amount": amount, "Currency": "EUR", "Card Type": "visa",
    }  # fmt: skip
    return row | {name.replace("_", " "): text for name, text in columns.items()}


def a_refund(number: int = 1001, amount: str = "50.00", when: str = "2026-03-20 15:00:00 +0100", **columns: str) -> dict[str, str]:
    """Make one row of a successful refund."""
    return a_transaction(number, amount, **({"Kind": "refund", "Created_At": when} | columns))


def write_orders(folder: Path, *orders: Rows, name: str = "orders_export.csv", header: Sequence[str] = ORDERS) -> Path:
    """Write an orders export and return its path."""
    return _write(folder / name, header, [row for rows in orders for row in rows])


def take(store: Store, folder: Path, *orders: Rows, taxes: str = "auto", name: str = "orders_export.csv", header: Sequence[str] = ORDERS) -> Report:
    """Import an export of some orders, and find the book in order."""
    report = import_shopify_orders(store, write_orders(folder, *orders, name=name, header=header), now=NOW, taxes=taxes)
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())
    return report


def warned(report: Report) -> list[str]:
    """Return what an import warned of."""
    return [str(warning) for warning in report.warnings]


def write_transactions(folder: Path, *rows: dict[str, str], name: str = "transactions_export.csv", header: Sequence[str] = TRANSACTIONS) -> Path:
    """Write a transaction history and return its path."""
    return _write(folder / name, header, rows)


def _write(path: Path, header: Sequence[str], rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def undo(store: Store, path: Path, kind: str) -> Undone | None:
    """Undo every import of a file as a kind; None when there is none."""
    found = list(standing(store, file_kinds.find(kind), file_digest(path)).select_related("store"))
    return file_kinds.find(kind).undo(found, NOW, "somebody", untold, unguarded) if found else None
