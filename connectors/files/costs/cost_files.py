"""Offer files of costs as kinds of files: what shipping orders cost, partners' commissions, product costs."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from connectors.files.costs.columns import columns_read, sums_of
from connectors.files.costs.cost_imports import CHARGES, CostReport, import_charges, undo_charges
from connectors.files.costs.product_cost_imports import read_product_costs, take_product_costs, undo_product_costs
from connectors.files.kind import Count, FileKind, Found, Guard, Progress, Undone
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import CURRENCY, DAY_ORDER, DECIMAL_SIGN, EFFECTIVE_FROM, Kind, Options, from_json
from connectors.platforms.files.headers import fits
from connectors.platforms.files.order_charges import COMMISSIONS, SHIPPING_COSTS
from connectors.platforms.files.product_costs import PRODUCT_COSTS

MOST_NAMED = 20
"""New partners that are named one by one."""


def options_of(row: FileImport) -> Options:
    """Return what a person said of a file of costs; once a run has begun, what that found in it."""
    if "columns" not in row.template:
        return msgspec.convert(row.template.get("options", {}), Options)
    layout = from_json(row.template)
    return Options(decimal_sign=layout.decimal_sign, day_order=layout.day_order, currency=layout.currency)


def _look_at_charges(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    kind = CHARGES[row.kind]
    return _found(import_charges(row.store, path, kind, options=options_of(row), now=now, dry_run=True, progress=progress), kind, written=False)


def _take_charges(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    kind = CHARGES[row.kind]
    report = import_charges(
        row.store, path, kind, options=options_of(row), now=now, actor=row.actor, progress=progress, row=row, guard=guard
    )  # fmt: skip
    return _found(report, kind, written=True)


def _undo_charges(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_charges(found, now=now, actor=actor, progress=progress, guard=guard)


def _look_at_product_costs(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    return _found(read_product_costs(row.store, path, options=options_of(row), now=now).report, PRODUCT_COSTS, written=False)


def _take_product_costs(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    read = read_product_costs(row.store, path, options=options_of(row), now=now)
    take_product_costs(read, row, now=now)
    return _found(read.report, PRODUCT_COSTS, written=True)


def _undo_product_costs(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_product_costs(found, now=now, actor=actor, guard=guard)


def _found(report: CostReport, kind: Kind, *, written: bool) -> Found:
    is_products = kind is PRODUCT_COSTS
    read = columns_read(kind, report.layout, report.first_rows)
    counts = [Count("rows whose SKU is known" if is_products else "rows whose order is known", report.matched)]
    return Found(
        filename=report.filename, kind=kind.name, encoding=report.encoding, delimiter=report.delimiter, import_id=report.import_id, rows=report.rows,
        counts=[*counts, *([Count("blank rows left out", report.blank_rows)] if report.blank_rows else [])],
        sums=sums_of("all rows", report.totals), columns=read.columns, dropped_columns=list(report.dropped_columns), headings=read.headings,
        first_rows=read.first_rows, unit="costs of variants" if is_products else "charges", new=report.added, changed=report.changed,
        unchanged=report.unchanged, held=report.held, entries=report.entries, notes=_notes(report, written=written),
        warnings=_warnings(report, written=written), loose_what="SKU" if is_products else "order",
        loose_means="no variant has such a SKU" if is_products else "they wait, and are booked when their order arrives", loose=report.loose,
        loose_count=report.loose_count,
    )  # fmt: skip


def _notes(report: CostReport, *, written: bool) -> list[str]:
    layout, notes = report.layout, []
    if layout is not None:
        notes.append(f"Decimal sign “{layout.decimal_sign}”, currency where a row names none {layout.currency}.")
        if report.effective_from and "day" not in layout.columns:
            notes.append(f"Rows without a day hold from {report.effective_from}.")
    if report.left_out:
        notes.append(f"{report.left_out:,} labels are kept but not booked: the orders' platform states what their label cost itself.")
    if report.new_partners:
        notes.append(f"New partners, {'added' if written else 'to be added'} as affiliates: {', '.join(report.new_partners[:MOST_NAMED])}.")
    return notes


def _warnings(report: CostReport, *, written: bool) -> list[str]:
    if not report.held:
        return []
    waits = f"wait{'s' if report.held == 1 else ''}" if written else "would leave every figure and wait"
    return [f"{report.held:,} order{'s' if report.held > 1 else ''} {waits} for an exchange rate; load rates, then repost."]


PRODUCT_COST_FILES = FileKind(
    name=PRODUCT_COSTS.name, label=PRODUCT_COSTS.label,
    where_from="A spreadsheet of yours with a SKU and a cost in each row, saved as CSV.",
    recognises=lambda header: fits(header, PRODUCT_COSTS.fields), look=_look_at_product_costs, take=_take_product_costs, undo=_undo_product_costs,
    asks=(DECIMAL_SIGN, DAY_ORDER, CURRENCY, EFFECTIVE_FROM), is_reviewed=True,
)  # fmt: skip


def _charge_files(kind: Kind, where_from: str) -> FileKind:
    return FileKind(
        name=kind.name, label=kind.label, where_from=where_from, recognises=lambda header: fits(header, kind.fields), look=_look_at_charges,
        take=_take_charges, undo=_undo_charges, asks=(DECIMAL_SIGN, DAY_ORDER, CURRENCY),
    )  # fmt: skip


SHIPPING_COST_FILES = _charge_files(
    SHIPPING_COSTS, "The carrier's or the label service's invoice or export, with an order number and a cost in each row."
)  # fmt: skip
COMMISSION_FILES = _charge_files(
    COMMISSIONS, "The affiliate network's or app's list of commissions, with an order number and a partner in each row."
)  # fmt: skip
