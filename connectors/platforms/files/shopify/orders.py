"""Check the rows of a Shopify orders export, and judge each order as a whole: do its figures hold together, and is tax inside them?"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.files.spool import Order as OrderRows
from connectors.platforms.files.faults import RowFault
from connectors.platforms.files.shopify import words
from connectors.platforms.files.shopify.columns import HEAD_FIELDS, MONEY, ORDER_FIELDS, TIMES, CellFault, Places, Readers, Row, column_of, is_damaged
from connectors.platforms.files.values import HIGHEST_ROW, BadCell, Price, Reader
from ledger.kinds import FinancialStatus
from ledger.money import SCALE, Tenk, decimal, in_minor_units

MOST_FAULTS = 1_000
LONGEST_NAME = 80
ADDED, INCLUDED = "added", "included"


class Checker:
    """Checks rows one by one, keeps what is not personal of each and gathers what is wrong."""

    def __init__(self, header: Sequence[str], readers: Readers) -> None:
        self.faults: list[RowFault] = []
        self.fault_count = 0
        self.unknown_countries: set[str] = set()
        self._readers, self._places = readers, Places(header)
        self.dropped = self._places.dropped
        self._names: dict[str, str] = {}
        by_field: dict[str, Reader[Any]] = {
            **dict.fromkeys(MONEY, readers.money), **dict.fromkeys(TIMES, readers.time), "currency": readers.currency, "quantity": readers.quantity,
        }  # fmt: skip
        self._cells = [(field, read.known, read) for field, read in by_field.items()]

    def keep(self, line: int, fields: list[str]) -> Row | None:
        """Return the kept texts of a row, or None and a fault when it cannot be used."""
        try:
            return self._row(line, fields)
        except CellFault as fault:
            self.fault_count += 1
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(RowFault(line, fault.column, str(fault)))
            return None

    def _row(self, line: int, fields: list[str]) -> Row:
        if len(fields) != self._places.width:
            raise CellFault("row", f"has {len(fields)} fields where the header has {self._places.width}; check its quotes and delimiters")
        row = self._places.row(line, fields, self._readers.customer)
        if not row.name or len(row.name) > LONGEST_NAME:
            raise CellFault("Name", "the order's name is missing or longer than 80 characters")
        for field, known, read in self._cells:
            text = getattr(row, field)
            # most rows repeat texts that have been read before
            if text and text not in known:
                try:
                    read(text)
                except BadCell as error:
                    raise CellFault(column_of(field), str(error)) from error
        if (row.item or row.price) and not (row.quantity and row.price):
            raise CellFault(column_of("price" if row.quantity else "quantity"), "is empty; each line has one. Export the orders again")
        if row.country and not self._readers.country(row.country):
            self.unknown_countries.add(row.country)
        order_id = self._readers.id(row.id) if row.id else ""
        if order_id and self._names.setdefault(order_id, row.name) != row.name:
            raise CellFault("Id", f"{order_id} is the Id of order {self._names[order_id]} before; each order has its own")
        return row


class Item(Struct, frozen=True):
    """One line of an order as the file tells it; `value` is price × quantity before any discount."""

    quantity: int
    price: Price
    value: Tenk
    discount: Tenk
    title: str
    sku: str
    taxable: bool
    ships: bool


class Sheet(Struct, frozen=True):
    """One order as the file tells it."""

    head: Row
    line: int
    placed: datetime
    currency: str
    status: FinancialStatus
    subtotal: Tenk
    shipping: Tenk
    taxes: Tenk
    total: Tenk
    discount: Tenk
    duties: Tenk
    refunded: Tenk
    items: tuple[Item, ...]

    @property
    def goods(self) -> Tenk:
        """Return what its lines are worth before discounts."""
        return sum(item.value for item in self.items)

    @property
    def goods_discount(self) -> Tenk:
        """Return the part of Discount Amount that lies on goods: all of it, or what Subtotal leaves when the rest is shipping's."""
        left = self.goods - self.subtotal
        return left if 0 <= left <= self.discount else min(self.discount, self.goods)

    @property
    def is_charged(self) -> bool:
        """Tell whether money was taken at least once."""
        return self.status in words.CHARGED

    def rest(self, way: str, duties: Tenk) -> Tenk:
        """Return what of Total is left when tax lies in the prices or comes on top, and duties are charged."""
        return self.total - self.subtotal - self.shipping - duties - (self.taxes if way == ADDED else 0)

    def way(self) -> tuple[str, Tenk] | None:
        """Return whether tax is added or included, with the duties in Total; None when Total is neither sum.

        An order without tax is "added": both sums are the same.
        """
        for duties in dict.fromkeys((self.duties, 0)):
            for way in (ADDED, INCLUDED):
                if self.rest(way, duties) == 0:
                    return way, duties
        return None


def sheet_of(order: OrderRows, readers: Readers) -> Sheet:
    """Read an order whose rows have been checked; raise NoHead when none of them tells its totals."""
    rows = [Row._make(row) for row in order[1]]
    head = next((row for row in rows if is_head(row)), None)
    if head is None:
        raise NoHead
    amount = readers.amount
    return Sheet(
        head, int(head.line_number), readers.time(head.created), readers.currency(head.currency),
        words.STATUSES.get(head.status.lower(), FinancialStatus.UNKNOWN), amount(head.subtotal), amount(head.shipping), amount(head.taxes),
        amount(head.total), amount(head.discount), amount(head.duties), amount(head.refunded), tuple(_items(rows, readers)),
    )  # fmt: skip


class NoHead(Exception):
    """Say that no row of an order tells its totals."""


def is_head(row: Row) -> bool:
    """Tell whether a row tells of its order, and not of a line alone."""
    return any(getattr(row, field) for field in HEAD_FIELDS)


def _items(rows: Sequence[Row], readers: Readers) -> Iterator[Item]:
    for row in rows:
        quantity = readers.quantity(row.quantity) if row.quantity else 0
        if quantity and row.price:
            price = readers.money(row.price)
            yield Item(
                quantity, price, price.times(quantity), abs(readers.amount(row.item_discount)), row.item, row.sku,
                row.taxable.lower() != "false", row.ships.lower() != "false",
            )  # fmt: skip


class Verdict(Struct):
    """What is found when an order is looked at as a whole: what forbids taking it, and what is doubtful but taken."""

    sheet: Sheet | None = None
    faults: list[RowFault] = []
    warnings: list[RowFault] = []
    way: str = ""
    """How tax is decided: added or included; empty where there is none, or where Total does not tell."""
    undecided: bool = False


def judge(order: OrderRows, readers: Readers) -> Verdict:
    """Look at an order whose rows have been checked."""
    number, texts = order
    rows = [Row._make(row) for row in texts]
    heads = [row for row in rows if is_head(row)]
    wrong = _heads(number, rows, heads)
    if wrong is not None:
        return Verdict(faults=[wrong])
    sheet = sheet_of(order, readers)
    if sheet.goods > HIGHEST_ROW * SCALE:
        return Verdict(
            faults=[RowFault(sheet.line, "Lineitem price", f"order {number} is worth more than any order can be (at most {HIGHEST_ROW:,})")]
        )
    verdict = Verdict(sheet)
    _weigh(sheet, number, len(heads), verdict)
    decided = sheet.way()
    if decided is None:
        verdict.undecided = True
    elif sheet.taxes:
        verdict.way = decided[0]
    return verdict


def _heads(number: str, rows: Sequence[Row], heads: Sequence[Row]) -> RowFault | None:
    """Say what is wrong with the rows that tell of an order, if anything is."""
    if not heads:
        return RowFault(
            int(rows[0].line_number),
            "Total",
            f"no row of order {number} tells its totals; its first row is missing. Export again, and leave no rows out",
        )
    first = heads[0]
    for field in ("created", "currency", "subtotal", "total"):
        if not getattr(first, field):
            return RowFault(int(first.line_number), column_of(field), f"order {number} has no {column_of(field)}; export the orders again")
    for other in heads[1:]:
        for field in ORDER_FIELDS:
            one, two = getattr(first, field), getattr(other, field)
            if one and two and one != two:
                return RowFault(
                    int(other.line_number), column_of(field),
                    f"order {number} says “{two[:40]}” here and “{one[:40]}” in line {first.line_number}; an order has one. "
                    "Take out the rows that are older, or export it again",
                )  # fmt: skip
    return None


def _weigh(sheet: Sheet, number: str, heads: int, verdict: Verdict) -> None:
    """Compare an order's lines with its Subtotal and its state with its figures."""
    head, line, currency = sheet.head, sheet.line, sheet.currency
    left = sheet.goods - sheet.subtotal

    def warn(column: str, message: str) -> None:
        verdict.warnings.append(RowFault(line, column, message))

    def written(amount: Tenk) -> str:
        return str(in_minor_units(decimal(amount), currency))

    if not 0 <= left <= sheet.discount:
        told = f"its lines are worth {written(sheet.goods)}, less {written(sheet.discount)} discount is not the Subtotal of {written(sheet.subtotal)}"
        if heads > 1:
            verdict.faults.append(RowFault(line, "Subtotal", f"order {number} stands in the file more than once: {told}. Take the second one out"))
        warn("Subtotal", f"order {number}: {told}; the difference is booked as other income")
    if is_damaged(head.id) or not head.id:
        why = f"its Id “{head.id[:20]}” was changed by a spreadsheet" if head.id else "it has no Id"
        warn("Id", f"order {number}: {why}; it is known by its name {number} until a file or a connection tells the Id")
    if sheet.status == FinancialStatus.UNKNOWN:
        warn("Financial Status", f"order {number}: what “{head.status[:40]}” means is not known; it is shown apart and not counted as revenue")
    if sheet.status in (FinancialStatus.REFUNDED, FinancialStatus.PARTIALLY_REFUNDED) and not sheet.refunded:
        warn("Refunded Amount", f"order {number} was refunded, and the file does not say how much; import its transactions")
    if sheet.refunded > sheet.total:
        warn("Refunded Amount", f"order {number}: {written(sheet.refunded)} was given back, more than its Total of {written(sheet.total)}")
    if len(words.tenders(head.payment)) > 1:
        warn(
            "Payment Method",
            f"order {number} was paid by {head.payment[:80]}: how much each took is in the transactions; until then one counts for all",
        )
