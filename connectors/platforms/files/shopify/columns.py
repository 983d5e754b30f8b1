"""Know the columns of Shopify's orders export, pick those that are kept, and read their cells.

What names a person (names, streets, telephones, e-mail) is cut here: only a keyed hash of the buyer goes further.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.values import MOST_UNITS, OLDEST_YEAR, BadCell, Price, Reader, country_reader, price_reader
from ledger.money import Tenk, is_currency


class Row(NamedTuple):
    """The kept texts of one row. Those of an order stand in its first row alone, those of a line in every row."""

    name: str
    line_number: str
    id: str
    status: str
    created: str
    paid: str
    fulfilled: str
    fulfillment: str
    cancelled: str
    currency: str
    subtotal: str
    shipping: str
    taxes: str
    total: str
    discount: str
    codes: str
    method: str
    payment: str
    refunded: str
    outstanding: str
    duties: str
    source: str
    country: str
    region: str
    tax_names: str
    """The names of its taxes, one a line of text; they may tell the rate."""
    references: str
    """What Shopify calls its payments to their processors, one a line of text."""
    customer: str
    """The buyer's keyed hash in hexadecimal."""
    quantity: str
    item: str
    price: str
    sku: str
    item_discount: str
    taxable: str
    ships: str


COLUMNS: dict[str, str] = {
    "name": "Name", "id": "Id", "status": "Financial Status", "created": "Created at", "paid": "Paid at", "fulfilled": "Fulfilled at",
    "fulfillment": "Fulfillment Status", "cancelled": "Cancelled at", "currency": "Currency", "subtotal": "Subtotal", "shipping": "Shipping",
    "taxes": "Taxes", "total": "Total", "discount": "Discount Amount", "codes": "Discount Code", "method": "Shipping Method",
    "payment": "Payment Method", "refunded": "Refunded Amount", "outstanding": "Outstanding Balance", "duties": "Duties", "source": "Source",
    "quantity": "Lineitem quantity", "item": "Lineitem name", "price": "Lineitem price", "sku": "Lineitem sku",
    "item_discount": "Lineitem discount", "taxable": "Lineitem taxable", "ships": "Lineitem requires shipping",
}  # fmt: skip
"""The column of each field that is one."""
COUNTRIES, REGIONS = ("Shipping Country", "Billing Country"), ("Shipping Province", "Billing Province")
REFERENCES = ("Payment Reference", "Payment ID", "Payment References")
TAX_NAMES = tuple(f"Tax {number} Name" for number in range(1, 6))
CUSTOMER = ("Email", "Phone", "Billing Phone", "Shipping Phone", "Billing Name", "Billing Zip")
"""What may tell who bought; read for the hash alone."""
REQUIRED = (
    "Name", "Financial Status", "Created at", "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Amount", "Lineitem quantity",
    "Lineitem name", "Lineitem price",
)  # fmt: skip
READ = {*COLUMNS.values(), *COUNTRIES, *REGIONS, *TAX_NAMES, *REFERENCES, *CUSTOMER}
LINE_FIELDS = ("quantity", "item", "price", "sku", "item_discount", "taxable", "ships")
"""Fields that every row of an order tells, in their order."""
ORDER_COLUMNS = tuple(field for field in COLUMNS if field not in ("name", *LINE_FIELDS))
"""Fields that only an order's first row tells and that are columns of their own, in their order."""
HEAD_FIELDS = ("status", "currency", "subtotal", "total")
"""Fields of which a row that tells of its order, and not of a line alone, has at least one."""
NOTHING = ("",) * (len(Row._fields) - len(LINE_FIELDS) - 2)
ORDER_FIELDS = tuple(field for field in Row._fields[2:] if field not in (*LINE_FIELDS, "created", "customer"))
"""Fields that an order tells once; rows of one order that tell them must agree."""
MONEY = ("subtotal", "shipping", "taxes", "total", "discount", "refunded", "outstanding", "duties", "price", "item_discount")
TIMES = ("created", "paid", "fulfilled", "cancelled")


class CellFault(ValueError):
    """Say what is wrong with a row, and in which column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def column_of(field: str) -> str:
    """Return the header of a field's column, as a person knows it."""
    return COLUMNS.get(field) or {"country": COUNTRIES[0], "region": REGIONS[0], "tax_names": TAX_NAMES[0], "references": REFERENCES[0]}[field]


OTHERWISE = {"canceled at": "cancelled at"}
"""Headers as some exports spell them, and as most do."""


def _plain(header: Sequence[str]) -> list[str]:
    names = (name.strip().casefold() for name in header)
    return [OTHERWISE.get(name, name) for name in names]


def is_orders_export(header: Sequence[str]) -> bool:
    """Tell whether a header is that of Shopify's orders export."""
    return {name.casefold() for name in REQUIRED} <= set(_plain(header))


class Places:
    """Where the columns of one file stand, whatever their order."""

    def __init__(self, header: Sequence[str]) -> None:
        names = _plain(header)
        missing = [name for name in REQUIRED if name.casefold() not in names]
        if missing:
            raise FileRefused(
                f"The file has no column {', '.join(f'“{name}”' for name in missing)}, so it is not what Shopify's “Export orders” writes. "
                "Export the orders again, as plain CSV, and do not change the first row."
            )
        twice = sorted({name for name in READ if names.count(name.casefold()) > 1})
        if twice:
            raise FileRefused(f"The header names “{twice[0]}” twice; which one is meant is not sure. Take one out.")
        self._place = {name: names.index(name.casefold()) if name.casefold() in names else len(names) for name in READ}
        self.width = len(names)
        known = {name.casefold() for name in READ}
        self.dropped = [text.strip() for text, name in zip(header, names, strict=True) if name and name not in known]
        self._name, *order = (self._place[COLUMNS[field]] for field in ("name", *ORDER_COLUMNS))
        self._order, self._line = itemgetter(*order), itemgetter(*(self._place[COLUMNS[field]] for field in LINE_FIELDS))
        self._tells = itemgetter(*(self._place[COLUMNS[field]] for field in HEAD_FIELDS))

    def row(self, line: int, cells: list[str], customer: Callable[[str], str]) -> Row:
        """Keep the texts of one row's cells, with a hash of who bought."""
        cells.append("")  # what a column that the file does not have reads
        name, of_the_line = cells[self._name].strip(), map(str.strip, self._line(cells))
        if not any(self._tells(cells)):
            return Row(name, str(line), *NOTHING, *of_the_line)
        address = 0 if self.first(cells, COUNTRIES[:1]) or not self.first(cells, COUNTRIES[1:]) else 1
        texts = [name, str(line), *map(str.strip, self._order(cells)), self.first(cells, COUNTRIES[address:])]
        texts += self.first(cells, REGIONS[address : address + 1]), "\n".join(self._texts(cells, TAX_NAMES)), self._references(cells)
        texts.append(customer(self._identity(cells)))
        return Row(*texts, *of_the_line)

    def _texts(self, cells: Sequence[str], columns: Sequence[str]) -> list[str]:
        return [text for column in columns if (text := cells[self._place[column]].strip())]

    def _references(self, cells: Sequence[str]) -> str:
        told = [name for text in self._texts(cells, REFERENCES) for name in re.split(r"[\s,;+]+", text) if name]
        return "\n".join(dict.fromkeys(told))

    def first(self, cells: Sequence[str], columns: Sequence[str]) -> str:
        """Return the first of some columns' texts that is not empty."""
        return next((text for column in columns if (text := cells[self._place[column]].strip())), "")

    def _identity(self, cells: Sequence[str]) -> str:
        """Return what tells a buyer apart best: the e-mail, else a telephone, else name and postal code; empty where nothing does."""
        email = self.first(cells, CUSTOMER[:1])
        if email:
            return email
        phone = re.sub(r"\D", "", self.first(cells, CUSTOMER[1:4]))
        if phone:
            return f"phone {phone}"
        name, code = (self.first(cells, (column,)).removeprefix("'").casefold() for column in CUSTOMER[4:])
        return f"{name} {code}" if name and code else ""


class Readers:
    """Reads the cells of one file, each text once."""

    def __init__(self, zone_on: Callable[[date], ZoneInfo], now: datetime, customer_hash: Callable[[str], bytes]) -> None:
        self.money: Reader[Price] = Reader(_money_reader())
        self.time: Reader[datetime] = Reader(_time_reader(zone_on, now))
        self.quantity: Reader[int] = Reader(_read_quantity)
        self.currency: Reader[str] = Reader(_read_currency)
        self.country = Reader(country_reader({}))
        self.id: Reader[str] = Reader(read_id)
        self.customer = Reader(lambda identity: customer_hash(identity).hex() if identity else "")

    def amount(self, text: str) -> Tenk:
        """Read an amount; an empty cell is none."""
        return self.money(text).units if text else 0


def read_id(text: str) -> str:
    """Read an order's id; empty where there is none, or where a spreadsheet has put it into powers of ten and lost its last digits."""
    plain = text.strip().removeprefix("'").removeprefix("gid://shopify/Order/")
    return match[1] if (match := re.fullmatch(r"(\d{1,20})(?:\.0+)?", plain)) else ""


def is_damaged(text: str) -> bool:
    """Tell whether an id is there and is not one any more."""
    return bool(text) and not read_id(text)


def _money_reader() -> Callable[[str], Price]:
    plain = price_reader(".")

    def read(text: str) -> Price:
        return plain(re.sub(r"^([+-]?)\s*[$€£¥]\s*", r"\1", text))

    return read


def _time_reader(zone_on: Callable[[date], ZoneInfo], now: datetime) -> Callable[[str], datetime]:
    """Make a reader of “2026-03-03 10:00:00 +0100”; a time without its offset is the store's."""

    def read(text: str) -> datetime:
        try:
            at = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text.replace(" UTC", "+00:00")))
        except ValueError as error:
            raise BadCell(
                f"“{text[:40]}” is no time as Shopify writes them (2026-03-03 10:00:00 +0100); export again and do not save the file in a spreadsheet"
            ) from error
        local = at if at.tzinfo is not None else at.replace(tzinfo=zone_on(at.date()))
        if local.year < OLDEST_YEAR or local > now + timedelta(days=2):
            raise BadCell(f"“{text[:40]}” lies before {OLDEST_YEAR} or in the future")
        return local

    return read


def _read_quantity(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}(?:\.0)?", text) or int(text.removesuffix(".0")) > MOST_UNITS:
        raise BadCell(f"“{text[:40]}” is no whole number of units, at most {MOST_UNITS:,}")
    return int(text.removesuffix(".0"))


def _read_currency(text: str) -> str:
    if not is_currency(text.upper()):
        raise BadCell(f"“{text[:20]}” is no ISO 4217 currency code such as EUR")
    return text.upper()
