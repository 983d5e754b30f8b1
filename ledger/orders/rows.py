"""Hold an order of the mirror in memory: what `record()` builds from facts and `mirror.load()` reads back.

Days are day numbers and times are moments (ledger/days.py); amounts are Tenk in the order's currency.
"""

from msgspec import Struct, field

from ledger.kinds import CostSource, FinancialStatus, Hold, Journey
from ledger.money import Tenk


class LineRow(Struct, gc=False):
    """One order line with its resolved unit cost."""

    external_id: str
    part: int
    quantity: int
    unit_price: Tenk
    variant: int | None
    product: int | None
    sku: str
    title: str
    unit_cost: Tenk | None = None
    cost_source: int = CostSource.NONE
    cost_percentage: Tenk | None = None
    cost_currency: str = ""
    """Of the unit cost; empty where it is the order's. Without a unit cost: the currency whose rate that waits for."""
    stated_cost: Tenk | None = None
    """Of one unit as stated with the order, in the order's currency."""
    grams: int | None = None
    """What one unit of its variant weighs, as the catalogue knows it."""


class SaleRow(Struct, gc=False):
    """One dated, signed event."""

    external_id: str
    part: int
    line_part: int | None
    happened: int
    day: int
    kind: int
    type: int
    quantity: int
    net: Tenk
    discount: Tenk
    tax: Tenk
    restocked: bool
    estimated: bool = False


class PaymentRow(Struct, gc=False):
    """One movement of money."""

    external_id: str
    part: int
    kind: int
    status: int
    gateway: str
    amount: Tenk
    fee: Tenk | None
    fee_currency: str
    processed: int
    day: int


class CostRow(Struct, gc=False):
    """One actual cost of the order, signed as in the ledger."""

    external_id: str
    part: int
    account: int
    amount: Tenk
    happened: int
    day: int


class ChargeRow(Struct, gc=False):
    """One actual cost that a person's file tells of the order (ledger/charges/charges.py); positive is a cost."""

    id: int
    kind: int
    status: int
    partner: int | None
    influencer: bool
    """Whether the partner is an influencer; else an affiliate."""
    amount: Tenk
    currency: str
    day: int | None
    """None is the order's own day."""
    covers: Tenk = 0
    """Of a payment fee: how much of what was paid it is the fee of, in its currency."""
    processor: str = ""
    """Who kept a fee, as ledger/drafts/told_fees.py names processors."""
    reference: str = ""
    """Names it among the order's charges of its kind, whatever its file calls the order."""


class Columns(Struct, gc=False):
    """What the order row keeps of its entries; costs positive, in the book's currency."""

    revenue: Tenk = 0
    cogs: Tenk = 0
    shipping: Tenk = 0
    tax: Tenk = 0
    payment_fees: Tenk = 0
    other_fees: Tenk = 0
    marketing_costs: Tenk = 0
    estimated_share: Tenk | None = None


class OrderRow(Struct):
    """One order with everything under it."""

    id: int
    platform: str
    external_id: str
    number: str
    placed: int
    day: int
    currency: str
    channel: int
    financial_status: int
    sales_basis: int
    customer: int | None = None
    country: str = ""
    region: str = ""
    is_test: bool = False
    cancelled: int | None = None
    shipped: bool = False
    withdrawn: int | None = None
    hold: int = Hold.NONE
    counts: bool = False
    stated_total: Tenk | None = None
    stated_refunded: Tenk | None = None
    platform_updated: int | None = None
    digest: bytes | None = None
    cause_ref: str = ""
    hold_currency: str = ""
    """The currency whose rate it waits for."""
    discount_codes: tuple[str, ...] = ()
    shipping_method: str = ""
    grams: int | None = None
    journey: int = Journey.NOT_TOLD
    location: str = ""
    lines: list[LineRow] = field(default_factory=list)
    sales: list[SaleRow] = field(default_factory=list)
    payments: list[PaymentRow] = field(default_factory=list)
    costs: list[CostRow] = field(default_factory=list)
    charges: list[ChargeRow] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns)

    @property
    def status(self) -> FinancialStatus:
        """Return how far the order is paid."""
        return FinancialStatus(self.financial_status)
