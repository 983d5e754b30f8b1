"""Write payouts, and the rows of one, as CSV or XLSX: the same columns, texts that no spreadsheet takes for a formula, exact numbers."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook

from dashboards.files.exports import number, safe
from dashboards.files.workbook import OPTIONS
from dashboards.forms.payouts_form import PayoutsView
from dashboards.pages.payouts_page import line_of, row_line
from ledger.charges.payout_view import rows_of
from ledger.charges.payouts import payouts_of
from ledger.models import Payout, Store

MOST_IN_FILE = 50_000
"""Payouts or rows that one file holds at most."""
PAYOUTS = ("issued", "processor", "payout", "status", "currency", "payments", "refunds", "fees", "other", "paid out", "rows add up to", "difference")
ROWS = ("at", "day", "type", "meaning", "order", "currency", "amount", "fee", "net", "reason")

Cells = Sequence[str | Decimal | None]


def payout_cells(store: Store, view: PayoutsView, zone: str) -> Iterator[Cells]:
    """Yield a line for each payout of a view; fees are negative, times are the store's."""
    for payout in payouts_of(store, view.choice, days=view.moments(zone))[:MOST_IN_FILE]:
        line = line_of(payout)
        issued = payout.issued_at.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")
        head = (issued, payout.platform, payout.external_id, line.status, payout.currency)
        yield (*head, *line.parts, payout.amount, line.told, line.difference)


def row_cells(store: Store, payout: Payout, zone: str) -> Iterator[Cells]:
    """Yield a line for each row of a payout."""
    for row in rows_of(payout, most=MOST_IN_FILE):
        line, at = row_line(store, row), row.at.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")
        order = row.number or row.order_ref
        yield at, row.day.isoformat(), row.type, line.meaning, order, row.currency, row.amount, row.fee, row.net, row.reason


def as_csv(headings: Sequence[str], lines: Iterable[Cells]) -> bytes:
    """Write lines as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([safe(cell) if isinstance(cell, str) else number(cell) for cell in cells] for cells in lines)
    return out.getvalue().encode()


def as_xlsx(name: str, headings: Sequence[str], lines: Iterable[Cells]) -> bytes:
    """Write lines as a workbook of one sheet."""
    out = BytesIO()
    book = Workbook(out, OPTIONS)
    sheet, bold, money = book.add_worksheet(name), book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00##"})
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(headings) - 1, 18)
    sheet.write_row(0, 0, headings, bold)
    for place, cells in enumerate(lines, start=1):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(place, column, cell)
            elif cell is not None:
                sheet.write_number(place, column, cell, money)
    book.close()
    return out.getvalue()
