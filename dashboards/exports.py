"""Write what a page shows as a CSV file: the same table, unrounded, safe to open in a spreadsheet."""

import csv
import io
from decimal import Decimal

from dashboards.statement_table import Row, Table

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
    """Write a statement: one row per line and account, one column per period, then the total and its share."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["section", "line", "account", "unit", *(safe(heading) for heading in table.headings), "total", "share of net revenue"])
    for title, rows in table.sections():
        for row in rows:
            writer.writerow(_cells(title, row.label, "", row, table.currency))
            for account in row.accounts:
                writer.writerow(_cells(title, row.label, account.label, account, table.currency))
    return out.getvalue()


def _cells(title: str, label: str, account: str, row: Row, currency: str) -> list[str]:
    unit = {"money": currency, "count": "count", "percent": "share"}[row.kind]
    share = None if row.share is None else round(row.share, 6)
    figures = [round(value, 6) if row.kind == "percent" and value is not None else value for value in row.cells]
    total = round(row.total, 6) if row.kind == "percent" and row.total is not None else row.total
    return [safe(title), safe(label), safe(account), safe(unit), *map(number, figures), number(total), number(share)]
