"""Show rows of order lines as they are understood: in a file's report, and while a person says how its columns are read."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from msgspec import Struct

from connectors.files.kind import MOST_FIRST_ROWS
from connectors.files.orders.order_line_imports import context_of
from connectors.platforms.files import reading
from connectors.platforms.files.faults import RowFault
from connectors.platforms.files.order_lines import FIELDS, Checker, KeptRow, Readers
from connectors.platforms.files.template import CALLED, Template
from ledger.models import Store
from ledger.money import decimal

SHOWN = ("order", "date", "code", "title", "quantity", "unit_price", "discount", "tax", "country", "currency", "channel")
"""Fields that are shown, where the file has them; who bought is not shown to anybody."""
PLACES = {field: place for place, field in enumerate(FIELDS)}
MOST_SAMPLED = 200
"""Rows that are read to find how a file writes its dates and figures."""


class Sample(Struct):
    """The beginning of a file, as it stands: its header, and its first rows with their lines."""

    header: list[str]
    rows: list[tuple[int, list[str]]]

    def column(self, header: str) -> list[str]:
        """Return the texts of one column; none where there is no such column."""
        place = self.header.index(header) if header in self.header else None
        return [] if place is None else [fields[place] for _, fields in self.rows if place < len(fields)]


class Preview(Struct):
    """The first rows as a template reads them, and what is wrong with those that it cannot read."""

    headings: list[str]
    rows: list[list[str]]
    faults: list[RowFault]


def sample(path: Path) -> Sample:
    """Read the beginning of a file; raise FileRefused where it is no text, or empty."""
    rows = reading.rows(path, reading.find_dialect(path))
    header = next(rows, (0, []))[1]
    return Sample([text.strip() for text in header], list(islice(rows, MOST_SAMPLED)))


def preview(store: Store, begun: Sample, template: Template, now: datetime) -> Preview:
    """Read the beginning of a file by a template; raise FileRefused where a column that it names is missing."""
    checker = Checker(template, begun.header, Readers(template, context_of(store, now)))
    kept = [(line, row) for line, fields in begun.rows if (row := checker.keep(line, list(fields))) is not None]
    return Preview(headings_of(template), as_understood(kept[:MOST_FIRST_ROWS], store, template, now), checker.faults[:MOST_FIRST_ROWS])


def headings_of(template: Template) -> list[str]:
    """Name the columns of rows that are shown."""
    return ["line", *(CALLED[field] for field in _shown(template))]


def as_understood(rows: Sequence[tuple[int, KeptRow]], store: Store, template: Template, now: datetime) -> list[list[str]]:
    """Return rows as they are booked: times in the store's zone, figures with a point, codes with what they mean."""
    context = context_of(store, now)
    readers = Readers(template, context)

    def cell(field: str, text: str) -> str:
        if field == "date":
            at = readers.time(text)
            return at.astimezone(context.zone_on(at.date())).strftime("%Y-%m-%d %H:%M")
        if field == "quantity":
            return str(readers.quantity(text))
        if field in ("unit_price", "discount", "tax") and text.strip():
            return f"{decimal(readers.price(text).units).normalize():f}"
        if field == "country" and text.strip():
            return readers.country(text) or "unknown"
        if field == "code" and (meaning := readers.meaning(text)) != "product":
            return f"{text.strip()} ({meaning.replace('_', ' ')})"
        return text.strip()

    return [[str(line), *(cell(field, row[PLACES[field]]) for field in _shown(template))] for line, row in rows]


def _shown(template: Template) -> list[str]:
    return [field for field in SHOWN if getattr(template.columns, field)]
