"""Say what a kind of file is: how it is recognised, looked at, taken and undone. Whoever adds a kind makes one of these.

`connectors/files/kinds.py` lists them all; the pages and the command know kinds only through that list.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, field

from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import CURRENCY, DAY_ORDER, DECIMAL_SIGN, EFFECTIVE_FROM, TAXES
from ledger.models import Store

Progress = Callable[[str, int, int], None]
"""Called with (step, done, of how many); the whole is 0 while it is not known."""
Guard = Callable[[], None]
"""Called last in each transaction; what it raises takes the transaction back."""

MOST_LISTED = 20_000
"""Rows listed of those that fit no order or product; the others are counted."""
MOST_FIRST_ROWS = 10
OPTIONS = (DECIMAL_SIGN, DAY_ORDER, CURRENCY, EFFECTIVE_FROM, TAXES)
"""What a person may be asked about a file, by the names of connectors.platforms.files.cost_sheet.Options."""


def unguarded() -> None:
    """Let every transaction commit: in the foreground nobody can have taken the work over."""


def untold(step: str, done: int, whole: int) -> None:
    """Tell nobody how far the work is."""


class Count(Struct, frozen=True):
    """How many of something a file holds, as in “refunds: 12”."""

    label: str
    value: int


class Sum(Struct, frozen=True):
    """What a file adds up to, as in “all rows: 29.90 EUR”; the amount is a text in the minor unit."""

    label: str
    amount: str
    currency: str


class Loose(Struct, frozen=True):
    """One row whose order, or product, is not known, or could be several."""

    line: int
    name: str
    reference: str = ""
    ambiguous: bool = False


class Listed(Struct, frozen=True):
    """Rows that a person should see one by one; the first of `count`."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    count: int


class MonthEffect(Struct, frozen=True):
    """What taking or undoing a file did to the net profit of a month; amounts are texts in the store's currency."""

    month: str
    """Its first day, as 2026-03-01."""
    before: str
    after: str


class Effect(Struct):
    """What taking or undoing a file did to profit, by month, and by statement line where that is known."""

    months: list[MonthEffect] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    """The change of each statement line over all months, by the line's key."""


class Found(Struct):
    """What a file holds, and what taking it would do or did."""

    filename: str
    kind: str
    encoding: str = ""
    delimiter: str = ""
    import_id: int | None = None
    rows: int = 0
    counts: list[Count] = field(default_factory=list)
    """What there is beside rows, such as orders and refunds."""
    sums: list[Sum] = field(default_factory=list)
    """What a person can compare with the page the file came from."""
    columns: list[tuple[str, str]] = field(default_factory=list)
    """Each thing that is read, with the header that was taken for it."""
    dropped_columns: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    first_rows: list[list[str]] = field(default_factory=list)
    """The first rows as they were understood, a text for each heading."""
    unit: str = "orders"
    """What is new, changed or unchanged: orders, charges, costs …"""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    """Orders that are in no figure until an exchange rate is there."""
    entries: int = 0
    notes: list[str] = field(default_factory=list)
    """Sentences about how the file was read."""
    warnings: list[str] = field(default_factory=list)
    """Sentences about what a person should look at before taking the file, or mend after it."""
    loose_what: str = "order"
    """What a loose row names: an order, a SKU …"""
    loose_means: str = ""
    """What becomes of loose rows, as in “they wait, and are booked when their order arrives”."""
    loose: list[Loose] = field(default_factory=list)
    loose_count: int = 0
    effect: Effect | None = None
    """What taking it changed in profit; whoever keeps the report adds it."""
    lists: list[Listed] = field(default_factory=list)
    """What stands behind the warnings, row by row."""


class Undone(NamedTuple):
    """What undoing did: orders (or charges, or costs) put back or taken out, and the entries that were written."""

    orders: int = 0
    entries: int = 0


Look = Callable[[FileImport, Path, datetime, Progress], Found]
Take = Callable[[FileImport, Path, datetime, Progress, Guard], Found]
Undo = Callable[[Sequence[FileImport], datetime, str, Progress, Guard], Undone]


class FileKind(Struct, frozen=True, kw_only=True):
    """One kind of file that people give.

    `look`, `take` and `undo` are given `row`: the import, with its store, its file's name and `template`, which says how
    the file is read. All refuse a file by FileRefused.

    `look` checks everything and writes nothing; its row may be unsaved. `take` does the same and then writes, chunk by
    chunk: it begins with `imports.begin`, notes each chunk by `imports.note_chunk` in the chunk's transaction, calls the
    guard last in each transaction, goes on after `row.chunks_done` when it was cut, and ends with `imports.finish`.
    `undo` takes back imports of one file, the latest first; the entries stay in the book and are reversed.
    """

    name: str
    """As rows store it; never changed once used. At most 40 characters."""
    label: str
    """As people read it, such as “Shopify orders”."""
    where_from: str
    """Where a person finds such a file, in a sentence."""
    recognises: Callable[[Sequence[str]], bool]
    """Tells from the header whether a file is of this kind; `headers.plain_header` evens out capitals and punctuation."""
    look: Look
    take: Take
    undo: Undo
    template_for: Callable[[Store, Sequence[str]], dict[str, Any] | None] = lambda store, header: {}
    """Says how a file with this header is read, as `template` keeps it; None where a person has to say it first."""
    asks: tuple[str, ...] = ()
    """Which of OPTIONS a person may set, where the file leaves them open."""
    is_reviewed: bool = False
    """Taking it makes a proposed change, which a person reviews and saves."""
    undone_by_template: bool = False
    """The same file read another way is another import: undoing one leaves the other."""
