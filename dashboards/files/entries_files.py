"""Write the entries beneath a figure as a file, page by page, so that a long list takes no more memory than a short one."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

import xlsxwriter

from dashboards.files.exports import number, safe
from dashboards.forms.entries_form import Asked, sought_of
from ledger.book import journal
from ledger.book.journal import EntryRow
from ledger.models import Store

HEADINGS = (
    "day", "source", "account", "amount", "currency", "estimated", "original amount", "original currency", "rate", "batch", "event day", "note",
)  # fmt: skip
AT_ONCE = 2_000
"""Entries read at once."""
MOST_IN_SHEET = 50_000
"""Entries a workbook holds at most; a CSV file holds as many as a page adds up (journal.MOST_SUMMED)."""


def entries_csv(store: Store, asked: Asked, *, through: int) -> Iterator[str]:
    """Yield the entries beneath a figure as the lines of a CSV file, as they stood with a batch."""
    yield _line(HEADINGS)
    for row, source in _rows(store, asked, through):
        yield _line([safe(cell) if isinstance(cell, str) else number(cell) for cell in _cells(store, row, source)])


def entries_xlsx(store: Store, asked: Asked, *, through: int) -> IO[bytes]:
    """Return the entries beneath a figure as a workbook, in a file of its own that vanishes when it is closed."""
    file = TemporaryFile()  # noqa: SIM115  the answer closes it when it is sent
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Entries")
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(HEADINGS) - 1, 16)
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(0, column, heading, bold)
    for place, (row, source) in enumerate(_rows(store, asked, through), start=1):
        for column, cell in enumerate(_cells(store, row, source)):
            if isinstance(cell, Decimal):
                sheet.write_number(place, column, cell)
            elif cell:
                sheet.write_string(place, column, cell)
    book.close()
    file.seek(0)
    return file


def _rows(store: Store, asked: Asked, through: int) -> Iterator[tuple[EntryRow, str]]:
    sought = sought_of(store, asked)._replace(through=through)
    after = None
    while True:
        rows = journal.entries(sought, after=after, page=AT_ONCE, summed=False)
        names = journal.named(store.book, {row.source for row in rows[:AT_ONCE]})
        yield from ((row, names[row.source].words) for row in rows[:AT_ONCE])
        if len(rows) <= AT_ONCE:
            return
        after = rows[AT_ONCE - 1].key


def _cells(store: Store, row: EntryRow, source: str) -> list[str | Decimal | None]:
    is_count = row.account.startswith("stat:")
    return [
        row.key[0].isoformat(), source, row.account, row.amount, "" if is_count else store.currency, "estimated" if row.estimated else "actual",
        row.original_amount, row.currency or "", row.rate, Decimal(row.key[1]), row.event_day.isoformat(), row.note,
    ]  # fmt: skip


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
