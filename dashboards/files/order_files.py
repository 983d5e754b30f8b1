"""Write a list of orders as CSV or XLSX, order by order: the whole view in its order, and no text that a spreadsheet takes for a formula."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from dashboards.files.exports import number, safe
from dashboards.pages.orders_page import flags_of
from ledger.kinds import FinancialStatus
from ledger.models import Store
from ledger.orders.order_list import Listed

MOST_IN_CSV, MOST_IN_XLSX = 100_000, 50_000
"""Orders in one file; more are refused rather than cut."""
LINES_AT_ONCE = 500

Cell = str | Decimal | None

_TEXTS = ("number", "platform", "id", "day", "channel", "country", "sold in", "status", "flags", "discount codes", "came from")
_FIGURES = ("revenue", "COGS", "shipping", "tax", "payment fees", "other fees", "marketing linked to the order", "profit")
_SHARES = ("margin", "estimated share")


def header(store: Store) -> list[str]:
    """Return the names of the columns; figures name their currency, costs are negative."""
    return [*_TEXTS, *(f"{name} ({store.currency})" for name in _FIGURES), f"margin {store.get_margin_basis_display()}", "estimated share"]


def cells(order: Listed, channels: dict[int, str]) -> list[Cell]:
    """Return one order's cells; a held order has no figures."""
    costs = [-cost for cost in (order.cogs, order.shipping, order.tax, order.payment_fees, order.other_fees, order.marketing_costs)]
    figures: list[Cell] = [None] * (len(_FIGURES) + len(_SHARES))
    if not order.hold:
        figures = [order.revenue, *costs, order.profit, order.margin, order.estimated_share]
    return [
        order.number, order.platform, order.external_id, order.day.isoformat(), channels.get(order.channel, ""), order.country, order.currency,
        FinancialStatus(order.financial_status).label, ", ".join(words for _, words in flags_of(order)), " ".join(order.discount_codes),
        order.source or "", *figures,
    ]  # fmt: skip


class _Line:
    """A file that hands each line on, so that none waits for the next."""

    def write(self, text: str) -> str:
        """Return what is written."""
        return text


def orders_csv(store: Store, orders: Iterable[Listed], channels: dict[int, str]) -> Iterator[str]:
    """Yield a CSV file in pieces of some hundred lines."""
    writer = csv.writer(_Line())
    lines = [writer.writerow(header(store))]
    for order in orders:
        lines.append(writer.writerow([safe(cell) if isinstance(cell, str) else number(cell) for cell in cells(order, channels)]))
        if len(lines) == LINES_AT_ONCE:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def orders_xlsx(store: Store, orders: Iterable[Listed], channels: dict[int, str]) -> IO[bytes]:
    """Write a workbook into a file that vanishes when it is closed; texts are written as texts, and never more than a row is in memory."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("Orders")
    heading, money, share = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00##"}), book.add_format({"num_format": "0.0%"})
    for column, name in enumerate(header(store)):
        sheet.write_string(0, column, name, heading)
    sheet.freeze_panes(1, 1)
    first_share = len(_TEXTS) + len(_FIGURES)
    for row, order in enumerate(orders, start=1):
        for column, cell in enumerate(cells(order, channels)):
            _write(sheet, row, column, cell, share if column >= first_share else money)
    book.close()
    file.seek(0)
    return file


def _write(sheet: Any, row: int, column: int, cell: Cell, style: Any) -> None:
    if isinstance(cell, str):
        if cell:
            sheet.write_string(row, column, cell)
    elif cell is not None:
        sheet.write_number(row, column, float(cell), style)  # a workbook keeps numbers as floats, whoever writes it
