"""Map the rows of an order-line file to order facts. Pure: texts in, facts out.

Rows are first checked and cut down to the template's columns (`Checker`); personal columns go no further. A
checked order (`OrderRows`) then becomes one `OrderFact` (`Mapper`), the same way at import, undo and replay.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.platforms.files.cost_values import read_sku, signed_price_reader
from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.template import MEANINGS, Columns, Template
from connectors.platforms.files.values import (
    HEAVIEST,
    HIGHEST_ROW,
    MOST_UNITS,
    BadCell,
    Price,
    Reader,
    country_reader,
    grams_reader,
    read_quantity,
    read_yes_or_no,
    time_reader,
)
from ledger.facts import LineFact, OrderCostFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SalesBasis, SaleType
from ledger.money import SCALE, Tenk, divide_half_even, is_currency

MOST_FAULTS = 1_000
LONGEST_ORDER_NUMBER = 80
FIELDS: tuple[str, ...] = Columns.__struct_fields__
"""The fields of a kept row, in order; a column the template does not name is an empty text. The customer is a
keyed hash in hexadecimal already: the identity goes no further than the check."""

KeptRow = tuple[str, ...]
OrderRows = tuple[str, list[KeptRow]]
"""An order's number and its kept rows, in the order of the file: a repeated row is a genuine second row."""


class Context(NamedTuple):
    """What mapping needs beside the rows: the store's zone on a day, its currency, the time now, and how to hash a customer."""

    zone_on: Callable[[date], ZoneInfo]
    currency: str
    now: datetime
    customer_hash: Callable[[str], bytes]


class Readers:
    """The cell readers of one template, shared by check and map so that each text is read once."""

    def __init__(self, template: Template, context: Context) -> None:
        self.quantity = Reader(read_quantity)
        self.price: Reader[Price] = Reader(signed_price_reader(template.decimal_sign))
        self.time: Reader[datetime] = Reader(time_reader(template.date_formats, context.zone_on, context.now))
        self.grams = Reader(grams_reader(template.decimal_sign))
        self.yes = Reader(read_yes_or_no)
        self.country = Reader(country_reader(template.countries))
        self.meaning = Reader(template.meaning_of)
        self.currency = Reader(_read_currency)
        self.store_currency = context.currency
        pattern = template.returns.order_pattern
        self.is_return = Reader(lambda number: bool(pattern and re.fullmatch(pattern, number, re.IGNORECASE)))
        self.customer = Reader(lambda identity: context.customer_hash(identity).hex() if identity else "")


def _read_currency(text: str) -> str:
    if not is_currency(text.upper()):
        raise BadCell(f"“{text[:20]}” is no ISO 4217 currency code such as EUR")
    return text.upper()


class Checker:
    """Checks rows one by one, keeps the template's columns of each and gathers what is wrong."""

    def __init__(self, template: Template, header: Sequence[str], readers: Readers) -> None:
        self.faults: list[RowFault] = []
        self.fault_count = 0
        self.unknown_countries: set[str] = set()
        self._readers, self._customer = readers, readers.customer
        self._columns = columns = template.columns
        self._times, self._quantities, self._prices = readers.time.known, readers.quantity.known, readers.price.known
        self._countries = readers.country.known
        self._rare = bool(columns.discount or columns.tax or columns.currency or columns.grams or columns.unit_grams or columns.restocked)
        self._currencies: dict[str, str] = {}
        self._watched: set[str] = set()
        self._is_return = readers.is_return
        self._width = len(header)
        self._pick, self.dropped = _picker(template.columns, header)

    def keep(self, line: int, fields: list[str]) -> KeptRow | None:
        """Return the kept texts of a row, or None and a fault when it cannot be used."""
        if len(fields) != self._width:
            self._fault(line, "row", f"has {len(fields)} fields where the header has {self._width}; check its quotes and delimiters")
            return None
        fields.append("")  # what a column that the template does not name reads
        row: KeptRow = self._pick(fields)
        order = row[0].strip()
        if not order or len(order) > LONGEST_ORDER_NUMBER:
            self._fault(line, self._columns.order, "the order number is missing or longer than 80 characters")
            return None
        if "E+" in order or "E+" in row[4]:
            for column, text in ((self._columns.order, order), (self._columns.code, row[4].strip())):
                try:
                    read_sku(text)
                except BadCell as error:
                    self._fault(line, column, str(error))
                    return None
        # most rows repeat texts that have been read before; only new texts, and rare columns, are looked at
        if row[1] not in self._times or row[2] not in self._quantities or row[3] not in self._prices or row[9] not in self._countries or self._rare:
            try:
                self._read_cells(row)
            except _At as at:
                self._fault(line, at.column, str(at))
                return None
        if row[3] in self._watched or self._is_return(order):
            problem = self._misfit(order, row)
            if problem:
                self._fault(line, problem[0], problem[1])
                return None
        return (*row[:8], self._customer(row[8]), *row[9:])

    def _read_cells(self, row: KeptRow) -> None:
        columns, readers = self._columns, self._readers
        for column, read, text in (
            (columns.date, readers.time, row[1]), (columns.quantity, readers.quantity, row[2]), (columns.unit_price, readers.price, row[3]),
            (columns.discount, readers.price, row[6]), (columns.tax, readers.price, row[7]), (columns.currency, readers.currency, row[11]),
            (columns.grams, readers.grams, row[13]), (columns.unit_grams, readers.grams, row[14]), (columns.restocked, readers.yes, row[18]),
        ):  # fmt: skip
            if text or column in (columns.date, columns.quantity, columns.unit_price):
                try:
                    value: object = read(text)
                    if isinstance(value, Price) and value.currencies:
                        self._same_currency(value, row[11])
                    if isinstance(value, Price) and (value.units < 0 or value.units * MOST_UNITS > HIGHEST_ROW * SCALE):
                        self._watched.add(text)
                except BadCell as error:
                    raise _At(column, str(error)) from error
        if row[11] and self._currencies.setdefault(row[0].strip(), currency := readers.currency(row[11])) != currency:
            raise _At(columns.currency, f"order {row[0].strip()} is in {self._currencies[row[0].strip()]} before; an order has one currency")
        if not readers.country(row[9]) and row[9].strip():
            self.unknown_countries.add(row[9].strip())

    def _same_currency(self, price: Price, code: str) -> None:
        """Raise BadCell where the sign beside an amount means another currency than the order's."""
        currency = self._readers.currency(code) if code.strip() else self._readers.store_currency
        if currency not in price.currencies:
            meant = " or ".join(sorted(price.currencies)[:3])
            raise BadCell(f"the sign beside the amount means {meant}, and the order's currency is {currency}; correct one of them")

    def _misfit(self, order: str, row: KeptRow) -> tuple[str, str] | None:
        """Say what is wrong with a row whose cells are sound but do not fit together."""
        readers, columns = self._readers, self._columns
        quantity, price = readers.quantity(row[2]), readers.price(row[3])
        product = readers.meaning(row[4]) == "product"
        if abs(price.units * quantity) > HIGHEST_ROW * SCALE:
            return columns.unit_price, f"{quantity:,} × {row[3]} is worth more than any row can be (at most {HIGHEST_ROW:,})"
        if product and price.units < 0:
            return columns.unit_price, "a product has no negative price; write a return with a negative quantity, or give the row a code"
        if product and quantity > 0 and self._is_return(order):
            return columns.quantity, f"{order} is a return by its number, so its quantity is negative; write it so, or correct the order number"
        return None

    def _fault(self, line: int, column: str, message: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(RowFault(line, column, message))


class _At(ValueError):
    """A cell fault with its column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def _picker(columns: Columns, header: Sequence[str]) -> tuple[Callable[[list[str]], KeptRow], list[str]]:
    """Return what picks the kept texts out of a row, and the names of the columns that are dropped."""
    names = [name.strip() for name in header]
    wanted = [getattr(columns, field) for field in FIELDS]
    missing = [name for name in wanted if name and name not in names]
    if missing:
        named, there = ", ".join(f"“{name}”" for name in missing), ", ".join(names)[:400]
        raise FileRefused(f"The file has no column {named}. It has: {there}. Choose the template that fits the file.")
    twice = [name for name in wanted if name and names.count(name) > 1]
    if twice:
        raise FileRefused(f"The header names “{twice[0]}” twice; which one is meant is not sure. Rename one.")
    places = [names.index(name) if name else len(names) for name in wanted]
    return itemgetter(*places), [name for name in names if name not in wanted]


def _sold_before(code: str, units: int, lines: Sequence[LineFact], sales: Sequence[SaleFact]) -> str | None:
    """Return the earlier line of the same order that the units coming back were sold on, when it still has as many."""
    for line in lines:
        if line.sku == code and sum([sale.quantity for sale in sales if sale.line == line.external_id]) >= units:
            return line.external_id
    return None


def _share(amount: Tenk, part: Tenk, whole: Tenk) -> Tenk:
    """Return amount × part ÷ whole, rounded half-even; the amount itself where there is no whole."""
    sign = -1 if whole < 0 else 1
    return divide_half_even(amount * part * sign, whole * sign) if whole else amount


class Mapper:
    """Maps checked orders to facts."""

    def __init__(self, template: Template, context: Context, readers: Readers) -> None:
        self._template, self._context, self._readers = template, context, readers
        self._type = {
            "shipping": SaleType.SHIPPING, "discount": SaleType.DISCOUNT, "gift_card": SaleType.GIFT_CARD,
            "adjustment": SaleType.ADJUSTMENT, "tip": SaleType.TIP,
        }  # fmt: skip

    def fact(self, order: OrderRows) -> OrderFact:
        """Map one order; its rows have been checked, so nothing is refused here."""
        number, rows = order
        if len(rows[0]) < len(FIELDS):  # archived before there were so many columns
            rows = [(*row, *[""] * (len(FIELDS) - len(row))) for row in rows]
        returned = self._readers.is_return(number)
        lines: list[LineFact] = []
        sales: list[SaleFact] = []
        costs: list[OrderCostFact] = []
        for position, row in enumerate(rows, start=1):
            self._add_row(str(position), row, returned, lines, sales, costs)
        first = rows[0]
        placed = min([sale.happened_at for sale in sales] + [cost.happened_at for cost in costs])
        charged = sum([sale.net + sale.tax for sale in sales if sale.kind == SaleKind.ORDER])
        template = self._template
        return OrderFact(
            template.platform, number, number, placed, self._currency(rows), FinancialStatus.PAID, first[12].strip()[:60] or template.channel,
            tuple(lines), tuple(sales), self._payments(charged, placed, rows), tuple(costs), SalesBasis.DERIVED,
            customer=next((bytes.fromhex(row[8]) for row in rows if row[8]), None),
            country=self._readers.country(first[9]) if first[9] else "", region=first[10].strip()[:60],
            stated_total=charged, stated_refunded=charged - sum([sale.net + sale.tax for sale in sales]),
            discount_codes=tuple(sorted({code for row in rows if row[16] for code in re.split(r"[\s,]+", row[16].strip().upper()) if code})),
            shipping_method=next((row[15].strip()[:120] for row in rows if row[15].strip()), ""), grams=self._grams(rows),
        )  # fmt: skip

    def _grams(self, rows: Sequence[KeptRow]) -> int | None:
        """Return what an order weighs: as one of its rows says, else the sum of its goods if all of them tell."""
        readers = self._readers
        whole = next((readers.grams(row[13]) for row in rows if row[13]), None)
        if whole is not None or not self._template.columns.unit_grams:
            return whole
        goods = [(row[14], units) for row in rows if readers.meaning(row[4]) == "product" and (units := readers.quantity(row[2])) > 0]
        if not goods or not all(text for text, _ in goods):
            return None
        return min(sum(readers.grams(text) * units for text, units in goods), HEAVIEST)

    def _add_row(self, position: str, row: KeptRow, returned: bool, lines: list[LineFact], sales: list[SaleFact], costs: list[OrderCostFact]) -> None:
        _, when, units, price_text, code, title, discount_text, tax_text, *_ = row
        readers = self._readers
        at, quantity, price = readers.time(when), readers.quantity(units), readers.price(price_text)
        value = price.times(quantity)
        meaning = readers.meaning(code)
        if MEANINGS[meaning]:
            costs.append(OrderCostFact(position, at, MEANINGS[meaning], value))
            return
        discount = self._signed(discount_text, value, quantity) if discount_text else 0
        tax = self._signed(tax_text, value, quantity) if tax_text else 0
        net = value - discount
        if self._template.prices_include_tax:
            # the discount of a price with tax is one with tax: take its share of the tax out as well
            net, discount = net - tax, _share(discount, net - tax, net)
        # a discount lowers what was charged, however the file writes its sign
        kind = SaleKind.ORDER if meaning == "discount" and not returned else self._kind(quantity, price, returned)
        if meaning != "product":
            sales.append(SaleFact(position, at, kind, self._type[meaning], net, None, 0, discount, tax))
            return
        list_price = price.units
        if tax and self._template.prices_include_tax:
            list_price = _share(net + discount, 1, quantity)
        code = code.strip()[:120]
        restocked = kind == SaleKind.RETURN and (readers.yes(row[18]) if row[18].strip() else self._template.returns.restocked)
        line = _sold_before(code, -quantity, lines, sales) if kind == SaleKind.RETURN and not returned else None
        if line is None:
            line = position
            lines.append(LineFact(position, abs(quantity), list_price, code or None, code, title.strip()[:255]))
        sales.append(SaleFact(position, at, kind, SaleType.PRODUCT, net, line, quantity, discount, tax, restocked))

    def _signed(self, text: str, value: Tenk, quantity: int) -> Tenk:
        """Read a discount or tax; both carry the sign of the row's worth, however the file writes them."""
        amount = abs(self._readers.price(text).units)
        return amount if (value or quantity) > 0 else -amount

    def _kind(self, quantity: int, price: Price, returned: bool) -> SaleKind:
        if returned:
            return SaleKind.RETURN
        if quantity > 0:
            return SaleKind.ORDER
        if not price.units and self._template.returns.free_negative_rows_are_write_offs:
            return SaleKind.ADJUSTMENT
        return SaleKind.RETURN

    def _payments(self, charged: Tenk, placed: datetime, rows: Sequence[KeptRow]) -> tuple[PaymentFact, ...]:
        if charged <= 0 or not self._template.charged:
            return ()
        gateway = next((row[17].strip()[:60] for row in rows if row[17].strip()), self._template.gateway)
        return (PaymentFact("derived", placed, PaymentKind.SALE, PaymentStatus.SUCCESS, charged, gateway),)

    def _currency(self, rows: Sequence[KeptRow]) -> str:
        return next((self._readers.currency(row[11]) for row in rows if row[11]), self._context.currency)
