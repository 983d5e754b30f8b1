"""Read a file of costs: recognise its columns, find how it writes figures and days, and check every row. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from connectors.platforms.files.cost_values import Amount, amount_reader, day_reader, find_day_order, find_decimal_sign, read_name, read_sku
from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.headers import Field, recognise
from connectors.platforms.files.values import BadCell, Reader
from ledger.money import is_currency

MOST_FAULTS = 1_000
AUTO = "auto"
DECIMAL_SIGN, DAY_ORDER, CURRENCY, EFFECTIVE_FROM, TAXES = "decimal_sign", "day_order", "currency", "effective_from", "taxes"
"""What a person may say of a file, as Options names it."""

KeptRow = tuple[str, ...]
"""The number of a row's line, then its texts in the order of its kind's fields; a field without a column is an empty text."""
Rows = Callable[[], Iterator[tuple[int, list[str]]]]
"""Reads the file from its start: (line, fields), the header first."""


class Options(Struct, frozen=True):
    """What a person says of a file where it does not say it itself."""

    decimal_sign: str = AUTO
    day_order: str = AUTO
    """Whether the `day` or the `month` stands first in 03/04/2026."""
    currency: str = ""
    """Of amounts without one; empty is the store's."""
    effective_from: str = ""
    """The day product costs hold from where the file names none, as 2026-03-31; empty is today."""
    taxes: str = AUTO
    """Whether tax is `added` to prices or `included` in them, where an order's total does not tell."""


class Layout(Struct, frozen=True):
    """How one file is read; kept with its import, so that its archived rows can be read again."""

    columns: dict[str, str]
    decimal_sign: str
    day_order: str
    currency: str


class Context(NamedTuple):
    """What reading rows needs beside them: the store's zone on a day, its currency, and the time now."""

    zone_on: Callable[[date], ZoneInfo]
    currency: str
    now: datetime


class Kind(NamedTuple):
    """What one kind of file can tell: its fields, and which of them are amounts and days."""

    name: str
    label: str
    fields: tuple[Field, ...]
    amounts: tuple[str, ...]
    day: str

    def place(self, name: str) -> int:
        """Return where a kept row has a field."""
        return 1 + [field.name for field in self.fields].index(name)


class Survey(NamedTuple):
    """What a first look through a file found."""

    layout: Layout
    places: tuple[int | None, ...]
    dropped: tuple[str, ...]


def survey(rows: Rows, kind: Kind, options: Options, context: Context) -> Survey:
    """Recognise a file's columns and how it writes figures and days; raise FileRefused where that is not sure."""
    if options.currency and not is_currency(options.currency):
        raise FileRefused(f"“{options.currency[:20]}” is no ISO 4217 currency code such as EUR.")
    stream = rows()
    header = next(stream, None)
    if header is None:
        raise FileRefused("The file is empty.")
    found = recognise(header[1], kind.fields)
    amounts = [found.places[name] for name in kind.amounts if name in found.places]
    day = found.places.get(kind.day)
    figures: set[str] = set()
    days: set[str] = set()
    for _, fields in stream:
        figures.update(fields[place] for place in amounts if place < len(fields))
        if day is not None and day < len(fields):
            days.add(fields[day])
    sign = find_decimal_sign(sorted(figures)) if options.decimal_sign == AUTO else options.decimal_sign
    order = find_day_order(sorted(days)) if options.day_order == AUTO else options.day_order
    layout = Layout(found.columns, sign, order, found.currency or options.currency or context.currency)
    return Survey(layout, tuple(found.places.get(field.name) for field in kind.fields), found.dropped)


class Readers:
    """Reads the cells of one file, each text once."""

    def __init__(self, layout: Layout, context: Context) -> None:
        self.layout = layout
        self.name: Reader[str] = Reader(read_name)
        self.sku: Reader[str] = Reader(read_sku)
        self.amount: Reader[Amount] = Reader(amount_reader(layout.decimal_sign))
        self.day: Reader[date] = Reader(day_reader(layout.day_order, context.zone_on, context.now))
        self.code: Reader[str] = Reader(_read_currency)

    def currency(self, text: str, amounts: Iterable[Amount]) -> str:
        """Return the currency of a row's amounts: as its cell says, else a sign beside a figure, else the file's; raise BadCell on a clash."""
        beside = [amount.currencies for amount in amounts if amount.currencies]
        certain = next((next(iter(each)) for each in beside if len(each) == 1), "")
        currency = self.code(text) if text.strip() else certain or self.layout.currency
        for each in beside:
            if currency not in each:
                raise BadCell(
                    f"the sign beside the amount means {' or '.join(sorted(each))}, and the row's currency is {currency}; correct one of them"
                )
        return currency


def _read_currency(text: str) -> str:
    if not is_currency(text.upper()):
        raise BadCell(f"“{text[:20]}” is no ISO 4217 currency code such as EUR")
    return text.upper()


class Cell(Exception):
    """Say which field of a row is wrong, and how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Checker:
    """Keeps the texts of rows that can be used, and gathers what is wrong with the others."""

    def __init__(self, kind: Kind, found: Survey, check: Callable[[KeptRow], None], width: int) -> None:
        self.faults: list[RowFault] = []
        self.fault_count = 0
        self.blank_rows = 0
        self._kind, self._found, self._check, self._width = kind, found, check, width

    def keep(self, line: int, fields: Sequence[str]) -> KeptRow | None:
        """Return the kept texts of a row; None when it is blank, or wrong and noted as a fault."""
        if not any(text.strip() for text in fields):
            self.blank_rows += 1
            return None
        if len(fields) != self._width:
            self.fault(line, "row", f"has {len(fields)} fields where the header has {self._width}; check its quotes and delimiters")
            return None
        row: KeptRow = (str(line), *("" if place is None else fields[place].strip() for place in self._found.places))
        try:
            self._check(row)
        except Cell as cell:
            self.fault(line, self._found.layout.columns.get(cell.field, cell.field), str(cell))
            return None
        return row

    def fault(self, line: int, column: str, message: str) -> None:
        """Note one thing that is wrong."""
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(RowFault(line, column, message))

    def refuse_if_wrong(self) -> None:
        """Raise FileRefused when a row is wrong."""
        if self.faults:
            raise FileRefused(
                f"{self.fault_count:,} row{'s are' if self.fault_count > 1 else ' is'} wrong; nothing was taken.",
                tuple(self.faults),
                self.fault_count,
            )


def reading(field: str, read: Callable[[str], Any], text: str) -> Any:
    """Read a cell; raise Cell, which names the field, for one that cannot be read."""
    try:
        return read(text)
    except BadCell as error:
        raise Cell(field, str(error)) from error


def as_json(layout: Layout) -> dict[str, Any]:
    """Return a layout as plain values, to be kept with the import that used it."""
    values: dict[str, Any] = msgspec.to_builtins(layout)
    return values


def from_json(values: dict[str, Any]) -> Layout:
    """Read a layout back that an import kept."""
    return msgspec.convert(values, Layout)
