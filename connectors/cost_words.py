"""Say what a file of costs holds and what was done with it."""

from typing import Any

import msgspec

from connectors.cost_imports import CostReport
from connectors.platforms.files.product_costs import PRODUCT_COSTS
from ledger.money import decimal, in_minor_units

MOST_NAMED = 20
"""Rows named one by one of those that fit no order or product."""


def lines_of(report: CostReport, *, written: bool) -> list[str]:
    """Return the report in sentences, one a line, with the first rows that fit no order or product."""
    lines = [*summary_of(report, written=written), *loose_lines(report)]
    return lines if written else [*lines, "Dry run: nothing was written."]


def summary_of(report: CostReport, *, written: bool) -> list[str]:
    """Say what a file holds, and what was or would be done with it."""
    products = report.kind == PRODUCT_COSTS.name
    lines = [_head(report), *_reading(report)]
    if products:
        lines += [f"Rows without a day hold from {report.effective_from}."] if report.layout and "day" not in report.layout.columns else []
        lines.append(f"{'Set' if written else 'Would set'} {report.added:,} costs of variants; {report.unchanged:,} rows say what holds already.")
    else:
        lines.append(f"{report.added:,} new, {report.changed:,} changed, {report.unchanged:,} unchanged; {report.entries:,} entries.")
    if report.left_out:
        lines.append(f"{report.left_out:,} labels are kept but not booked: the orders' platform states what their label cost itself.")
    if report.held:
        waits = "wait" if written else "would leave every figure and wait"
        lines.append(f"{report.held:,} order{'s' if report.held > 1 else ''} {waits} for an exchange rate; load rates, then repost.")
    if report.new_partners:
        lines.append(f"New partners, {'added' if written else 'to be added'} as affiliates: {', '.join(report.new_partners[:MOST_NAMED])}.")
    return lines


def _head(report: CostReport) -> str:
    what = "SKUs of the store" if report.kind == PRODUCT_COSTS.name else "orders"
    blank = f", {report.blank_rows:,} blank rows left out" if report.blank_rows else ""
    return f"{report.filename}: matched {report.matched:,} of {report.rows:,} rows to {what} ({report.encoding}, “{report.delimiter}”{blank})."


def _reading(report: CostReport) -> list[str]:
    layout = report.layout
    lines = []
    if layout is not None:
        columns = ", ".join(f"{name} = “{header}”" for name, header in layout.columns.items())
        lines.append(f"Columns: {columns}. Decimal sign “{layout.decimal_sign}”, currency where a row names none {layout.currency}.")
    if report.dropped_columns:
        lines.append(f"Columns not read: {', '.join(report.dropped_columns)}.")
    if report.totals:
        lines.append(f"Sum of all rows: {', '.join(totals_of(report))}.")
    return lines


def totals_of(report: CostReport) -> list[str]:
    """Return the sums of a file, one for each currency."""
    return [f"{in_minor_units(decimal(units), code)} {code}" for code, units in sorted(report.totals.items())]


def loose_lines(report: CostReport) -> list[str]:
    """Name the first rows that fit no order or product, and say how many there are."""
    if not report.loose_count:
        return []
    products = report.kind == PRODUCT_COSTS.name
    after = "no variant has such a SKU" if products else "they wait, and are booked when their order arrives"
    lines = [f"{report.loose_count:,} rows without {'a variant' if products else 'an order'} ({after}):"]
    for loose in report.loose[:MOST_NAMED]:
        more = " (several orders have this number)" if loose.ambiguous else ""
        lines.append(f"  line {loose.line}: {loose.name}{f', {loose.reference}' if loose.reference else ''}{more}")
    rest = report.loose_count - MOST_NAMED
    return [*lines, f"  … and {rest:,} more"] if rest > 0 else lines


def as_json(report: CostReport) -> dict[str, Any]:
    """Return a report as plain values; sums are texts."""
    values: dict[str, Any] = msgspec.to_builtins(report)
    values["totals"] = {code: str(in_minor_units(decimal(units), code)) for code, units in report.totals.items()}
    return values
