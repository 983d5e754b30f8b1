"""Offer the fee files of payment processors as kinds of files: Shopify Payments, Stripe, PayPal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from connectors.files.costs.columns import columns_read, sums_of
from connectors.files.costs.cost_files import options_of
from connectors.files.costs.fee_imports import FeeReport, LeftOut, import_fees, loose_count, undo_fees
from connectors.files.kind import Count, FileKind, Found, Guard, Listed, Progress, Undone
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import CURRENCY, DAY_ORDER, DECIMAL_SIGN, Kind
from connectors.platforms.files.fee_columns import DIALECTS, PAYPAL_FEES, SHOPIFY_PAYMENTS, STRIPE_FEES
from connectors.platforms.files.headers import fits
from connectors.platforms.files.payment_fees import ToldFees
from ledger.money import Tenk, decimal, in_minor_units


def _look(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    report = import_fees(row, path, options=options_of(row), now=now, progress=progress, dry_run=True)
    return _found(report, DIALECTS[row.kind].kind, written=False)


def _take(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    report = import_fees(row, path, options=options_of(row), now=now, progress=progress, guard=guard)
    return _found(report, DIALECTS[row.kind].kind, written=True)


def _undo(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_fees(found, now=now, actor=actor, progress=progress, guard=guard)


def _found(report: FeeReport, kind: Kind, *, written: bool) -> Found:
    file = report.file
    read = columns_read(kind, file.layout, file.first_rows)
    counts = [("rows whose order is known", file.matched), ("blank rows left out", file.blank_rows)]
    return Found(
        filename=file.filename, kind=kind.name, encoding=file.encoding, delimiter=file.delimiter, import_id=file.import_id, rows=file.rows,
        counts=[Count(label, value) for label, value in counts if value], sums=[*sums_of("amounts", file.totals), *sums_of("fees", report.fees)],
        columns=read.columns, dropped_columns=list(file.dropped_columns), headings=read.headings, first_rows=read.first_rows,
        unit="charges", new=file.added, changed=file.changed, unchanged=file.unchanged, held=file.held, entries=file.entries,
        notes=_notes(report), warnings=_warnings(report, written=written), loose_what="order",
        loose_means="they wait, and are booked when their order arrives", loose=file.loose, loose_count=loose_count(report), lists=_lists(report),
    )  # fmt: skip


def _amounts(sums: Mapping[str, Tenk]) -> str:
    return ", ".join(f"{in_minor_units(decimal(units), code)} {code}".replace("-", "−") for code, units in sorted(sums.items()))


def _not_booked(left: LeftOut) -> str:
    fees = f" and fees of {_amounts(left.fees)}" if left.fees else ""
    return f"Not booked: {left.rows:,} row{'s' if left.rows > 1 else ''} of “{left.type}”, {_amounts(left.amounts)}{fees}: {left.why}."


def _notes(report: FeeReport) -> list[str]:
    layout, notes = report.file.layout, []
    if layout is not None:
        notes.append(f"Decimal sign “{layout.decimal_sign}”, currency where a row names none {layout.currency}.")
    notes += [_not_booked(left) for left in report.left_out.values() if not left.is_odd]
    if report.advertised:
        notes.append(f"Advertising taken off payouts is booked under marketing: {_amounts(report.advertised)}.")
    if any(report.vat.values()):
        notes.append(f"VAT on the fees, {_amounts(report.vat)}, is not booked: it is taken off the tax that is owed.")
    if report.told_twice:
        tell, are = ("s tell", "are") if report.told_twice > 1 else (" tells", "is")
        notes.append(f"{report.told_twice:,} row{tell} a transaction that an earlier row told, and {are} left out.")
    if report.file.left_out:
        notes.append(f"{report.file.left_out:,} fees are kept but not booked where the orders' platform states them itself.")
    return notes


def _warnings(report: FeeReport, *, written: bool) -> list[str]:
    warnings = [_not_booked(left) for left in report.left_out.values() if left.is_odd]
    if report.elsewhere_count:
        fees, orders = ("fees are", "orders that were") if report.elsewhere_count > 1 else ("fee is", "an order that was")
        warnings.append(
            f"{report.elsewhere_count:,} {fees} of {orders} not paid through {DIALECTS[report.file.kind].label}. Booked all the same, beside the "
            "fee of the payment that is known: is the file of another shop, or the number another order's?"
        )
    if report.file.held:
        waits = f"wait{'s' if report.file.held == 1 else ''}" if written else "would leave every figure and wait"
        warnings.append(f"{report.file.held:,} order{'s' if report.file.held > 1 else ''} {waits} for an exchange rate; load rates, then repost.")
    return warnings


def _lists(report: FeeReport) -> list[Listed]:
    """List the rows behind the warnings, one by one."""
    named = ["line", "type", "order", "date", "amount", "fee", "currency"]
    lists = []
    if report.odd:
        rows = [[*_cells(row), row.why_not or f"{row.amount_why_not}; its fee is booked"] for row in report.odd]
        lists.append(Listed("Not booked, or not wholly", [*named, "why"], rows, report.odd_count))
    if report.elsewhere:
        lists.append(Listed("Fees of orders that were paid otherwise", named, [_cells(row) for row in report.elsewhere], report.elsewhere_count))
    return lists


def _cells(row: ToldFees) -> list[str]:
    amounts = (str(in_minor_units(decimal(units), row.currency)).replace("-", "−") for units in (row.amount, row.fee))
    return [str(row.line), row.type, row.order, row.day.isoformat(), *amounts, row.currency]


def _kind(kind: Kind, where_from: str) -> FileKind:
    return FileKind(
        name=kind.name, label=kind.label, where_from=where_from, recognises=lambda header: fits(header, kind.fields), look=_look, take=_take,
        undo=_undo, asks=(DECIMAL_SIGN, DAY_ORDER, CURRENCY),
    )  # fmt: skip


SHOPIFY_PAYMENTS_FILES = _kind(SHOPIFY_PAYMENTS, "In Shopify under Finances, Payouts: “View transactions”, then Export, as CSV.")
STRIPE_FILES = _kind(STRIPE_FEES, "In Stripe under Balances, All activity: Export; or the itemised report “Balance change from activity”.")
PAYPAL_FILES = _kind(PAYPAL_FEES, "In PayPal under Activity: Download, “Balance affecting”, as CSV.")
