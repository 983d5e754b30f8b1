"""Offer order lines as a kind of file: one row for each line of an order, read by a template."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from connectors.files.kind import Count, FileKind, Found, Guard, Progress, Sum, Undone
from connectors.files.orders.order_formats import Report
from connectors.files.orders.order_line_imports import KIND, import_order_lines, undo_order_lines
from connectors.files.orders.order_line_rows import as_understood, headings_of
from connectors.files.orders.order_line_templates import templates_of
from connectors.models import FileImport
from connectors.platforms.files.order_lines import FIELDS
from connectors.platforms.files.template import CALLED, Columns, Template, as_json, from_json, load, names
from ledger.models import Store
from ledger.money import decimal, in_minor_units

MOST_NAMED = 20
"""Countries that are named one by one."""


@cache
def _shipped() -> tuple[Template, ...]:
    return tuple(load(name) for name in names())


def names_all(header: Sequence[str], columns: Columns) -> bool:
    """Tell whether a header has, once, every column that a template names."""
    found = [text.strip() for text in header]
    return all(found.count(name) == 1 for name in (getattr(columns, field) for field in FIELDS) if name)


def template_for(store: Store, header: Sequence[str]) -> dict[str, Any] | None:
    """Return the template that fits a header: the store's own, the latest first, else a shipped one; None where there is none."""
    fitting = (template for template in (*templates_of(store), *_shipped()) if names_all(header, template.columns))
    template = next(fitting, None)
    return None if template is None else as_json(template)


def _recognises(header: Sequence[str]) -> bool:
    return any(names_all(header, template.columns) for template in _shipped())


def _look(row: FileImport, path: Path, now: datetime, progress: Progress) -> Found:
    template = from_json(row.template)
    return _found(import_order_lines(row.store, path, template, now=now, dry_run=True, progress=progress), row.store, template, now, written=False)


def _take(row: FileImport, path: Path, now: datetime, progress: Progress, guard: Guard) -> Found:
    template = from_json(row.template)
    report = import_order_lines(row.store, path, template, now=now, actor=row.actor, progress=progress, row=row, guard=guard)
    return _found(report, row.store, template, now, written=True)


def _undo(found: Sequence[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    return undo_order_lines(found, now=now, actor=actor, progress=progress, guard=guard)


def _found(report: Report, store: Store, template: Template, now: datetime, *, written: bool) -> Found:
    columns = {field: header for field in FIELDS if (header := getattr(template.columns, field))}
    totals = {**({store.currency: report.file_total} if report.file_total or not report.foreign_totals else {}), **report.foreign_totals}
    counts = [Count("orders", report.orders), Count("sales", report.sale_orders)]
    counts += [Count("of them worth 0", report.zero_orders)] if report.zero_orders else []
    counts.append(Count("returns", report.return_orders))
    return Found(
        report.filename, KIND, report.encoding, report.delimiter, report.import_id, report.rows, counts,
        [Sum("all rows", str(in_minor_units(decimal(units), code)), code) for code, units in totals.items()],
        [(CALLED[field], header) for field, header in columns.items()], report.dropped_columns, headings_of(template),
        as_understood(report.first_rows, store, template, now), "orders", report.new, report.changed,
        report.unchanged, report.held, report.entries, _notes(report, store, template), _warnings(report, written=written),
    )  # fmt: skip


def _notes(report: Report, store: Store, template: Template) -> list[str]:
    notes = [f"Read as “{template.label}”. Prices {'include' if template.prices_include_tax else 'are without'} tax."]
    if report.rounding:
        notes.append(f"Rounding to the minor unit takes {in_minor_units(decimal(report.rounding), store.currency)} {store.currency}.")
    return notes


def _warnings(report: Report, *, written: bool) -> list[str]:
    warnings = []
    if report.disagreeing_count:
        named, more = ", ".join(report.disagreeing), report.disagreeing_count - len(report.disagreeing)
        warnings.append(
            f"The rows of {report.disagreeing_count:,} order{'s' if report.disagreeing_count > 1 else ''} name two customers, countries or channels; "
            f"the first row counts: {named}{f' and {more:,} more' if more > 0 else ''}."
        )
    if report.unknown_countries:
        named, more = ", ".join(report.unknown_countries[:MOST_NAMED]), len(report.unknown_countries) - MOST_NAMED
        warnings.append(f"Countries not recognised (left unknown): {named}{f' and {more:,} more' if more > 0 else ''}.")
    if written and report.held:
        warnings.append(f"{report.held:,} order{'s wait' if report.held > 1 else ' waits'} for an exchange rate; load rates, then repost.")
    elif report.foreign_totals:
        warnings.append(f"Some orders are in {', '.join(sorted(report.foreign_totals))}: they count once that day's exchange rate is there.")
    return warnings


ORDER_LINE_FILES = FileKind(
    name=KIND, label="Order lines",
    where_from="Any shop's export with one row for each line of an order; you say once which column is which.",
    recognises=_recognises, look=_look, take=_take, undo=_undo, template_for=template_for, undone_by_template=True,
)  # fmt: skip
