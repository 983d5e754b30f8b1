"""Write what a page shows as an XLSX workbook: real numbers, texts that stay texts, and on top of each sheet what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from dashboards.converted import rates_in_words
from dashboards.delta import Delta
from dashboards.files.exports import COMPARED_HEADINGS
from dashboards.forms.scope import Scope
from dashboards.pages.freshness import Freshness
from dashboards.pages.grid import Grid
from dashboards.pages.statement_table import Row, Table
from dashboards.templatetags.money import percent
from ledger.book.conversion import Conversion
from ledger.models import Store
from ledger.money import minor_digits

# Numbers are written one by one and rows never go back, so a sheet need not be held in memory.
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
LONGEST_NAME = 31
"""Characters in the name of a sheet."""
FIRST_COLUMN, OTHER_COLUMNS = 46, 15
A4 = 9


class Line(NamedTuple):
    """One row of a sheet: its texts, then its numbers, each with how it is written."""

    texts: Sequence[str]
    numbers: Sequence[tuple[str, Decimal | None]]
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: headings and rows."""

    name: str
    headings: Sequence[str]
    rows: Sequence[Line] = field(default_factory=list)


def facts(store: Store, scope: Scope, told: Freshness, *, now: datetime, converted: Conversion | None = None) -> list[tuple[str, str]]:
    """Return what a sheet says about itself: store, days, basis, currency, through which batch, and when it was written."""
    first, last = scope.period
    state, estimated = told.state, told.estimated_share
    through = f"{state.seq}, recorded {_at(state.recorded_at, scope.zone)}" if state.recorded_at else str(state.seq)
    known = {
        "Store": store.name,
        "Days": f"{first} to {last}, {scope.zone} time",
        "Counted on": "the day the order was placed" if scope.basis_key == "order" else "the day it happened",
        "Compared with": f"{scope.compared.first} to {scope.compared.last}" if scope.compared else "nothing",
        "Currency": converted.currency if converted else store.currency,
        "Rates": rates_in_words(converted) if converted else "",
        "Through batch": f"{through}; {told.headline.lower()}",
        "Held orders": f"{state.held_orders}, for a missing exchange rate; they are in no figure",
        "Estimated": "" if estimated is None else f"{percent(estimated)} of the money that moved".replace("\u00a0", " "),
        "Written": _at(now, scope.zone),
    }
    return [(label, value) for label, value in known.items() if value]


def statement_sheet(table: Table) -> Sheet:
    """Lay a statement out as a sheet, accounts beneath their lines."""
    compared = [heading.capitalize() for heading in COMPARED_HEADINGS] if table.scope.compared else []
    rows = []
    for title, lines in table.sections():
        for row in lines:
            rows += [_line(title, row, table), *(_line(title, account, table, beneath=row.label) for account in row.accounts)]
    return Sheet("Profit and loss", ["Line", "Account", "Section", "Total", "Share of net revenue", *compared, *table.headings], rows)


def grid_sheet(grid: Grid) -> Sheet:
    """Lay a table of a tab out as a sheet; a change is written as a share."""
    rows = [
        Line([row.label], [
            ("percent", value.share) if isinstance(value, Delta) else (kind, value)
            for value, (_, kind, *_) in zip(row.cells, grid.columns, strict=True)
        ], row.is_sum)
        for row in grid.rows
    ]  # fmt: skip
    return Sheet(grid.title, [grid.corner, *(label for label, *_ in grid.columns)], rows)


def workbook(sheets: Sequence[Sheet], about: Sequence[tuple[str, str]], currency: str) -> bytes:
    """Write sheets, each beneath what it says about itself; amounts show the decimals of the currency."""
    out = BytesIO()
    book = Workbook(out, OPTIONS)
    formats = _formats(book, currency)
    for sheet in sheets:
        _write(book, sheet, about, formats)
    book.close()
    return out.getvalue()


def _line(title: str, row: Row, table: Table, *, beneath: str = "") -> Line:
    compared = [(row.kind, row.compared), (row.kind, row.delta.change), ("percent", row.delta.share)] if table.scope.compared and row.delta else []
    texts = [beneath, row.label, title] if beneath else [row.label, "", title]
    return Line(texts, [(row.kind, row.total), ("percent", row.share), *compared, *((row.kind, value) for value in row.cells)], row.is_sum)


def _formats(book: Workbook, currency: str) -> dict[tuple[str, bool], Format]:
    digits = minor_digits(currency)
    money = "#,##0" + ("." + "0" * digits if digits else "")
    patterns = {"text": "@", "money": money, "count": "#,##0", "percent": "0.0%"}
    return {
        (kind, bold): book.add_format({"num_format": pattern, "bold": bold}) for kind, pattern in patterns.items() for bold in (False, True)
    }  # fmt: skip


def _write(book: Workbook, sheet: Sheet, about: Sequence[tuple[str, str]], formats: dict[tuple[str, bool], Format]) -> None:
    page = book.add_worksheet(sheet.name[:LONGEST_NAME])
    page.set_column(0, 0, FIRST_COLUMN)
    page.set_column(1, max(1, len(sheet.headings) - 1), OTHER_COLUMNS)
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    place = 0
    for label, told in about:
        page.write_string(place, 0, label, formats["text", True])
        page.write_string(place, 1, told, formats["text", False])
        place += 1
    place += 1
    page.repeat_rows(place)
    page.freeze_panes(place + 1, 1)
    for column, heading in enumerate(sheet.headings):
        page.write_string(place, column, heading, formats["text", True])
    for row in sheet.rows:
        place += 1
        for column, text in enumerate(row.texts):
            page.write_string(place, column, text, formats["text", row.is_sum])
        for column, (kind, value) in enumerate(row.numbers, start=len(row.texts)):
            if value is not None:
                page.write_number(place, column, float(value), formats[kind, row.is_sum])  # a spreadsheet knows no other number


def _at(moment: datetime | None, zone: str) -> str:
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
