"""Say where an imported file stands, in words."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django import template

from connectors.files.words import article
from connectors.models import FileImport
from dashboards.pages.import_page import known_kind

register = template.Library()
register.filter("article", article)

STATES = {
    # state → what people call it, and the colour beside it
    FileImport.State.LOOKING: ("being looked at", "info"),
    FileImport.State.WAITING: ("being taken", "info"),
    FileImport.State.RUNNING: ("being taken", "info"),
    FileImport.State.REFUSED: ("not taken", "danger"),
    FileImport.State.PARTLY: ("taken in part", "warning"),
    FileImport.State.DONE: ("taken", "success"),
    FileImport.State.UNCHANGED: ("changed nothing", ""),
    FileImport.State.UNDOING: ("being undone", "info"),
    FileImport.State.UNDONE: ("undone", ""),
}
TO_DECIDE = ("waits for you", "warning")
COUNTED = (FileImport.State.DONE, FileImport.State.UNCHANGED, FileImport.State.RUNNING, FileImport.State.PARTLY)
"""States in which what a file brought is counted."""
NUMBER = re.compile(r"[−-]?[\d,]{1,12}(\.\d+)?")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?")
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def _state(row: FileImport) -> tuple[str, str]:
    return TO_DECIDE if row.state == FileImport.State.WAITING and row.job is None else STATES[FileImport.State(row.state)]


@register.filter
def state_words(row: FileImport) -> str:
    """Say where a file stands."""
    return _state(row)[0]


@register.filter
def state_css(row: FileImport) -> str:
    """Return the class that colours where a file stands."""
    return _state(row)[1]


@register.filter
def kind_label(name: str) -> str:
    """Return what people call a kind of files."""
    kind = known_kind(name)
    return kind.label if kind else name or "Not known yet"


@register.filter
def new_count(row: FileImport) -> int | None:
    """Return how many orders a file brought; None while it is not taken."""
    return row.new_orders if row.state in COUNTED else None


@register.filter
def changed_count(row: FileImport) -> int | None:
    """Return how many known orders a file changed; None while it is not taken."""
    return None if new_count(row) is None else row.changed_orders - row.new_orders


@register.filter
def or_none(value: int) -> int | None:
    """Return a number, or None for zero where that means it is not counted yet."""
    return value or None


@register.filter
def decimal_text(text: str) -> Decimal:
    """Return an amount that a report keeps as a text."""
    return Decimal(text)


@register.filter
def delimiter_words(delimiter: str) -> str:
    """Name the sign between a file's columns."""
    return DELIMITERS.get(delimiter, f"“{delimiter}”")


class LaidOut(NamedTuple):
    """A table of texts from a file: its headings and cells, each with the class it is written with; the first of a row is its heading."""

    headings: list[tuple[str, str]]
    rows: list[list[tuple[str, str]]]


@register.simple_tag
def laid_out(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> LaidOut:
    """Lay texts out as a table: columns of nothing but numbers to the right, days in one piece."""
    css = [_column_css([row[place] for row in rows if place < len(row)]) for place in range(len(headings))]
    return LaidOut(list(zip(headings, css, strict=True)), [list(zip(row, css, strict=False)) for row in rows])


def _column_css(cells: Sequence[str]) -> str:
    told = [str(cell) for cell in cells if cell not in ("", None)]
    if told and all(NUMBER.fullmatch(cell) for cell in told):
        return "number"
    return "text day" if told and all(DAY.fullmatch(cell) for cell in told) else "text cell"
