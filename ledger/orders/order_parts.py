"""Say what one order consists of: its lines, sale events, payments, stated costs, charges, entries and the batches that wrote them."""

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from ledger.kinds import SaleKind, SaleType


class LineView(Struct, frozen=True):
    """One line: list price and discount in the order's currency, cost of one unit in the cost's, and why it costs that."""

    part: int
    title: str
    sku: str
    quantity: int
    returned: int
    """Units that came back, positive."""
    unit_price: Decimal
    discount: Decimal
    """Of all units sold."""
    unit_cost: Decimal | None
    cost_currency: str
    """Empty where the cost is in the order's currency."""
    why: str
    estimated: bool

    @property
    def cost(self) -> Decimal | None:
        """Return what all units cost; None while that is not known."""
        return None if self.unit_cost is None else self.unit_cost * self.quantity


class SaleView(Struct, frozen=True):
    """One dated event in the order's currency: what was sold, changed or given back."""

    happened_at: datetime
    day: date
    kind: int
    type: int
    what: str
    """The line's title, where it is about one."""
    quantity: int
    net: Decimal
    discount: Decimal
    tax: Decimal
    restocked: bool
    estimated: bool
    """Whether its day, its lines or its amount are a guess."""

    @property
    def event(self) -> str:
        """Say what happened to what."""
        return f"{SaleKind(self.kind).label}, {self.what or SaleType(self.type).label}"


class PaymentView(Struct, frozen=True):
    """One movement of money in the order's currency; `fee` as booked, in the book's, so a cost is negative."""

    happened_at: datetime
    day: date
    kind: str
    status: str
    gateway: str
    amount: Decimal
    fee: Decimal
    why: str
    estimated: bool


class CostView(Struct, frozen=True):
    """One cost that the order's platform states, in the order's currency; a cost is negative."""

    happened_at: datetime
    day: date
    account: str
    amount: Decimal


class ChargeView(Struct, frozen=True):
    """One cost that a person's file tells of the order, in its own currency; positive is a cost."""

    kind: str
    reference: str
    partner: str
    amount: Decimal
    currency: str
    day: date | None
    """None is the order's own day."""
    status: str
    standing: str
    """Whether it is booked, and why it is not."""
    cause_ref: str


class EntryView(Struct, frozen=True):
    """One entry with the batch it came in and what caused that."""

    seq: int
    recorded_at: datetime
    cause: str
    cause_ref: str
    actor: str
    day: date
    event_day: date
    account: str
    part: int
    revision: int
    amount: Decimal
    estimated: bool
    reverses: bool
    original_amount: Decimal | None
    currency: str | None
    rate: Decimal | None
    rate_day: date | None

    @property
    def key(self) -> tuple[str, int, int]:
        """Return what an entry and its reversal share."""
        return self.account, self.part, self.revision

    @property
    def is_count(self) -> bool:
        """Tell whether it counts something rather than being money."""
        return self.account.startswith("stat:")


class BatchView(Struct, frozen=True):
    """What one batch did to the order: what caused it, and what it changed in the order's profit."""

    seq: int
    recorded_at: datetime
    kind: int
    cause: str
    cause_ref: str
    actor: str
    profit: Decimal
    added: int
    reversed: int


class RuleCost(Struct, frozen=True):
    """What one rule about orders cost an order, in the book's currency; a cost is negative."""

    rule: str
    account: str
    amount: Decimal
