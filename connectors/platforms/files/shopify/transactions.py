"""Read the transaction histories of orders that Shopify exports: what was charged and given back, when and through which gateway."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from connectors.platforms.files.cost_values import POWERS
from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.shopify import words
from connectors.platforms.files.shopify.columns import CellFault, Readers, is_damaged
from connectors.platforms.files.shopify.refunds import Refund
from connectors.platforms.files.values import BadCell
from ledger.days import moment
from ledger.facts import PaymentFact
from ledger.kinds import PaymentKind, PaymentStatus
from ledger.money import Tenk

MOST_FAULTS = 1_000
LONGEST_NAME = 80


class Row(NamedTuple):
    """The kept texts of one row."""

    name: str
    line_number: str
    order: str
    kind: str
    gateway: str
    created: str
    status: str
    amount: str
    currency: str


COLUMNS: dict[str, str] = {
    "name": "Name", "order": "Order", "kind": "Kind", "gateway": "Gateway", "created": "Created At", "status": "Status", "amount": "Amount",
    "currency": "Currency",
}  # fmt: skip
OPTIONAL = ("Order", "Currency")


class Told(Struct, frozen=True, order=True):
    """One transaction as a file tells it. Amounts are positive, refunds' as well."""

    at: datetime
    kind: str
    gateway: str
    status: str
    amount: Tenk
    currency: str


class OrderRef(NamedTuple):
    """How a file names an order: by its id, empty where that is lost, and by its name."""

    id: str
    name: str


def is_transactions_export(header: Sequence[str]) -> bool:
    """Tell whether a header is that of Shopify's order transactions."""
    names = {name.strip().casefold() for name in header}
    needed = {name.casefold() for name in COLUMNS.values() if name not in OPTIONAL}
    return needed <= names and "payout status" not in names


class Checker:
    """Checks rows one by one and gathers what is wrong."""

    def __init__(self, header: Sequence[str], readers: Readers, currency: str) -> None:
        self.faults: list[RowFault] = []
        self.fault_count = 0
        self._readers, self._currency = readers, currency
        names = [name.strip().casefold() for name in header]
        missing = [name for name in COLUMNS.values() if name.casefold() not in names and name not in OPTIONAL]
        if missing:
            raise FileRefused(
                f"The file has no column {', '.join(f'“{name}”' for name in missing)}, so it is no transaction history of Shopify's orders. "
                "In Shopify: Orders, Export, “Export transaction histories”."
            )
        twice = sorted(name for name in COLUMNS.values() if names.count(name.casefold()) > 1)
        if twice:
            raise FileRefused(f"The header names “{twice[0]}” twice; which one is meant is not sure. Take one out.")
        self._width = len(names)
        self._places = [(field, names.index(name.casefold()) if name.casefold() in names else len(names)) for field, name in COLUMNS.items()]
        known = {name.casefold() for name in COLUMNS.values()}
        self.dropped = [name.strip() for name in header if name.strip() and name.strip().casefold() not in known]

    def keep(self, line: int, cells: list[str]) -> Row | None:
        """Return the kept texts of a row, or None and a fault when it cannot be used."""
        try:
            return self._row(line, cells)
        except CellFault as fault:
            self.fault_count += 1
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(RowFault(line, fault.column, str(fault)))
            return None

    def _row(self, line: int, cells: list[str]) -> Row:
        if len(cells) != self._width:
            raise CellFault("row", f"has {len(cells)} fields where the header has {self._width}; check its quotes and delimiters")
        cells.append("")
        row = Row(line_number=str(line), **{field: cells[place].strip() for field, place in self._places})
        order = ref_of(row, self._readers)
        if not order.id and not order.name:
            lost = "the order's id was changed by a spreadsheet, and it has" if is_damaged(row.order) else "it has"
            raise CellFault("Name", f"{lost} no name of an order")
        if len(row.name) > LONGEST_NAME:
            raise CellFault("Name", "the order's name is longer than 80 characters")
        for field in ("kind", "status", "created", "amount"):
            if not getattr(row, field):
                raise CellFault(COLUMNS[field], "is empty; export the file again")
        try:
            told_of(row, self._readers, self._currency)
        except BadCell as error:
            raise CellFault("row", str(error)) from error
        return row


def ref_of(row: Row, readers: Readers) -> OrderRef:
    """Return how a row names its order; where there is no name of its own, what stands for an id may be one."""
    order_id = readers.id(row.order)
    return OrderRef(order_id, row.name or ("" if order_id or POWERS.fullmatch(row.order) else row.order[:LONGEST_NAME]))


def told_of(row: Row, readers: Readers, currency: str) -> Told:
    """Read a row; raise BadCell where a cell cannot be read. `currency` is that of rows without one."""
    return Told(
        readers.time(row.created), row.kind.lower()[:20], words.gateway(row.gateway), row.status.lower()[:20], abs(readers.amount(row.amount)),
        readers.currency(row.currency) if row.currency else currency,
    )  # fmt: skip


def payments_of(told: Sequence[Told], currency: str) -> tuple[PaymentFact, ...]:
    """Turn the transactions of an order, in time order, into payments; those in another currency, and kinds unknown here, are left out."""
    payments = []
    seen: dict[str, int] = {}
    for each in told:
        kind = words.KINDS.get(each.kind)
        if kind is None or each.currency != currency:
            continue
        key = f"{moment(each.at) // 1_000_000}:{each.kind}:{each.gateway[:20]}:{each.status[:10]}:{each.amount}"
        seen[key] = number = seen.get(key, 0) + 1
        status = words.OUTCOMES.get(each.status, PaymentStatus.ERROR)
        payments.append(PaymentFact(f"{key}:{number}", each.at, kind, status, each.amount, each.gateway))
    return tuple(payments)


def refunds_of(payments: Sequence[PaymentFact]) -> list[Refund]:
    """Return the money that went back: successful refunds, first to last."""
    return [
        Refund(f"refund:{payment.external_id}", payment.processed_at, payment.amount)
        for payment in payments
        if payment.kind == PaymentKind.REFUND and payment.status == PaymentStatus.SUCCESS and payment.amount
    ]


def is_charged(payments: Sequence[PaymentFact]) -> bool:
    """Tell whether some payment took money."""
    return any(payment.kind in (PaymentKind.SALE, PaymentKind.CAPTURE) and payment.status == PaymentStatus.SUCCESS for payment in payments)
