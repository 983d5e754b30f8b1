"""Offer Shopify's exports as kinds of files: orders, and the transaction histories of orders."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from connectors.files.kind import Count, FileKind, Found, Guard, Listed, Progress, Sum, Undone
from connectors.files.orders.order_formats import Report
from connectors.files.orders.shopify_orders import SHOPIFY_ORDERS, import_shopify_orders, taxes_of, undo_shopify_orders
from connectors.files.orders.shopify_transactions import (
    SHOPIFY_TRANSACTIONS,
    TransactionReport,
    import_shopify_transactions,
    undo_shopify_transactions,
)
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import TAXES
from connectors.platforms.files.shopify.columns import Row, is_orders_export
from connectors.platforms.files.shopify.transactions import is_transactions_export
from ledger.money import Tenk, decimal, in_minor_units

SHOWN: dict[str, str] = {
    "name": "order", "created": "placed", "status": "paid", "item": "goods", "quantity": "units", "price": "price", "total": "total",
    "refunded": "refunded",
}  # fmt: skip
"""The fields of a row that are shown, and how they are called; who bought is not shown to anybody."""
MOST_NAMED = 20


def _look_at_orders(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    report = import_shopify_orders(row.store, path, now=now, taxes=taxes_of(row), dry_run=True, progress=progress)
    return _orders_found(report, written=False)


def _take_orders(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    taxes = taxes_of(row)
    report = import_shopify_orders(row.store, path, now=now, taxes=taxes, actor=row.actor, progress=progress, row=row, guard=guard)
    return _orders_found(report, written=True)


def _undo_orders(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_shopify_orders(found, now=now, actor=actor, progress=progress, guard=guard)


def _orders_found(report: Report, *, written: bool) -> Found:
    counts = [Count("orders", report.orders), Count("refunds without a day", report.undated_count)]
    return Found(
        report.filename, SHOPIFY_ORDERS, report.encoding, report.delimiter, report.import_id, report.rows, [count for count in counts if count.value],
        [*_sums("all orders' Totals", report.charged), *_sums("refunds without a day", report.undated_totals)],
        dropped_columns=report.dropped_columns, headings=["line", *SHOWN.values()],
        first_rows=[[str(line), *_shown(Row._make(row))] for line, row in report.first_rows],
        unit="orders", new=report.new, changed=report.changed, unchanged=report.unchanged, held=report.held, entries=report.entries,
        notes=_notes(report), warnings=_warnings(report, written=written), lists=_lists(report),
    )  # fmt: skip


def _shown(row: Row) -> list[str]:
    """Return a row's texts as people read them: times to the minute in the shop's time, words without underscores."""
    texts = row._replace(created=row.created[:16], status=row.status.replace("_", " "))._asdict()
    return [texts[field] for field in SHOWN]


def _sums(label: str, totals: Mapping[str, Tenk]) -> list[Sum]:
    return [Sum(label, str(in_minor_units(decimal(units), code)), code) for code, units in totals.items()]


def _notes(report: Report) -> list[str]:
    notes = []
    if report.told_better:
        notes.append(
            f"{report.told_better:,} order{'s are' if report.told_better > 1 else ' is'} left as they stand: Shopify itself, or a later export, "
            "has told more of them."
        )
    if report.undecided:
        notes.append(f"{report.undecided:,} Total{'s do' if report.undecided > 1 else ' does'} not tell whether prices include tax.")
    return notes


def _warnings(report: Report, *, written: bool) -> list[str]:
    warnings = []
    if report.undated_count:
        sums = " and ".join(f"{one.amount} {one.currency}" for one in _sums("", report.undated_totals))
        warnings.append(
            f"{report.undated_count:,} refund{'s' if report.undated_count > 1 else ''} ({sums}) without a day: estimated until you import the "
            "orders' transaction histories."
        )
    if report.warning_count:
        warnings.append(f"{report.warning_count:,} thing{'s are' if report.warning_count > 1 else ' is'} doubtful and listed.")
    if report.unknown_countries:
        named, more = ", ".join(report.unknown_countries[:MOST_NAMED]), len(report.unknown_countries) - MOST_NAMED
        warnings.append(f"Countries not recognised (left unknown): {named}{f' and {more:,} more' if more > 0 else ''}.")
    if written and report.held:
        warnings.append(f"{report.held:,} order{'s wait' if report.held > 1 else ' waits'} for an exchange rate; load rates, then repost.")
    return warnings


def _lists(report: Report) -> list[Listed]:
    lists = []
    if report.warnings:
        rows = [[str(fault.line), fault.column, fault.message] for fault in report.warnings]
        lists.append(Listed("Doubtful, and taken", ["line", "column", "what"], rows, report.warning_count))
    if report.undated:
        rows = [
            [refund.order, str(in_minor_units(decimal(refund.amount), refund.currency)), refund.currency, refund.day] for refund in report.undated
        ]
        lists.append(Listed("Refunds without a day", ["order", "refunded", "currency", "put on"], rows, report.undated_count))
    return lists


def _look_at_transactions(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    return _transactions_found(import_shopify_transactions(row.store, path, now=now, dry_run=True, progress=progress))


def _take_transactions(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    return _transactions_found(import_shopify_transactions(row.store, path, now=now, actor=row.actor, progress=progress, row=row, guard=guard))


def _undo_transactions(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_shopify_transactions(found, now=now, actor=actor, progress=progress, guard=guard)


def _transactions_found(report: TransactionReport) -> Found:
    counts = [Count("orders", report.orders), Count("rows matched to orders", report.matched)]
    counts += [Count(f"rows not counted ({what})", number) for what, number in sorted(report.not_counted.items())]
    notes = ["Only transactions that succeeded count."]
    if report.by_connection:
        notes.append(f"{report.by_connection:,} of the orders are told by Shopify itself and are left as they are.")
    return Found(
        report.filename, SHOPIFY_TRANSACTIONS, report.encoding, report.delimiter, report.import_id, report.rows, counts,
        [*_sums("charges", report.charged), *_sums("refunds", report.refunded)], dropped_columns=report.dropped_columns, unit="orders",
        changed=report.changed, unchanged=report.orders - report.changed, entries=report.entries, notes=notes,
        loose_means="they are kept, and count when their order arrives", loose=report.loose, loose_count=report.loose_count,
    )  # fmt: skip


SHOPIFY_ORDER_FILES = FileKind(
    name=SHOPIFY_ORDERS, label="Shopify orders", where_from="In Shopify under Orders: Export, all orders, “Plain CSV file”.",
    recognises=is_orders_export, look=_look_at_orders, take=_take_orders, undo=_undo_orders, asks=(TAXES,),
)  # fmt: skip
SHOPIFY_TRANSACTION_FILES = FileKind(
    name=SHOPIFY_TRANSACTIONS, label="Shopify order transactions",
    where_from="In Shopify under Orders: Export, “Export transaction histories”. It tells when orders were refunded, and what each gateway took.",
    recognises=is_transactions_export, look=_look_at_transactions, take=_take_transactions, undo=_undo_transactions,
)  # fmt: skip
