"""Write what a page shows as a CSV file: the same table, unrounded, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from dashboards.delta import Delta
from dashboards.pages.grid import Grid
from dashboards.pages.statement_table import Row, Table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(text: str) -> str:
    """Keep a spreadsheet from reading a text cell as a formula: put an apostrophe before what would start one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def number(value: Decimal | None) -> str:
    """Write a number for a machine: full precision, a plain minus, empty when there is none."""
    if value is None:
        return ""
    shown = f"{value.normalize():f}"
    return "0" if shown == "-0" else shown


def statement_csv(table: Table) -> str:
    """Write a statement: one row per line and account, one column per period, then the total, its share, and what it is compared with."""
    out = io.StringIO()
    writer = csv.writer(out)
    compared = COMPARED_HEADINGS if table.scope.compared else []
    headings = (safe(heading) for heading in table.headings)
    writer.writerow(["section", "line", "account", "unit", *headings, "total", "share of net revenue", *compared])
    for title, rows in table.sections():
        for row in rows:
            writer.writerow(_cells(title, row.label, "", row, table))
            for account in row.accounts:
                writer.writerow(_cells(title, row.label, account.label, account, table))
    return out.getvalue()


def grids_csv(grids: Sequence[Grid], currency: str) -> str:
    """Write the tables of a tab: one row per line, with the table it stands in first; a change is written as a share."""
    out = io.StringIO()
    writer = csv.writer(out)
    for grid in grids:
        writer.writerow(["table", safe(grid.corner.lower()), *(safe(f"{label} ({UNITS.get(kind, currency)})") for label, kind, *_ in grid.columns)])
        for row in grid.rows:
            figures = [value.share if isinstance(value, Delta) else value for value in row.cells]
            writer.writerow(
                [
                    safe(grid.title),
                    safe(row.label),
                    *(number(_shortened(value, kind)) for value, (_, kind, *_) in zip(figures, grid.columns, strict=True)),
                ]
            )
    return out.getvalue()


UNITS = {"count": "count", "percent": "share", "delta": "share"}
COMPARED_HEADINGS = ["total of the compared days", "change", "change as a share"]


def _cells(title: str, label: str, account: str, row: Row, table: Table) -> list[str]:
    unit = UNITS.get(row.kind, table.currency)
    cells = [*row.cells, row.total]
    figures = [number(_shortened(value, row.kind)) for value in cells]
    compared = [(row.compared, row.kind), (row.delta.change, row.kind), (row.delta.share, "percent")] if table.scope.compared and row.delta else []
    return [
        safe(title), safe(label), safe(account), safe(unit), *figures, number(_shortened(row.share, "percent")),
        *(number(_shortened(value, kind)) for value, kind in compared),
    ]  # fmt: skip


def _shortened(value: Decimal | None, kind: str) -> Decimal | None:
    """Cut a ratio, which may go on for ever, to six decimals; amounts and counts stay exact."""
    return value if value is None or kind in ("money", "count") else round(value, 6)
