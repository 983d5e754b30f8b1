"""Define what Shopify tells of an order and of Shopify Payments, as of one moment. A server only has to write it down.

Amounts are minor units of the shop's currency, signed as Shopify signs them; `Order.presented` gives the other half of
a money bag. Ids are the numbers at the end of a gid.
"""

from datetime import date, datetime

from msgspec import Struct

from connectors.sandbox.business import Visit
from connectors.sandbox.money import exchange
from connectors.sandbox.story import Discount, Payment


class TaxLine(Struct, frozen=True):
    """One tax and what it comes to."""

    title: str
    rate: int
    """In millionths."""
    amount: int
    channel_liable: bool = False


class LineItem(Struct, frozen=True):
    """One line. `allocations` and `taxes` are those of the original quantity, whatever was removed since."""

    id: int
    title: str
    variant_title: str | None
    sku: str
    vendor: str
    variant: int | None
    product: int | None
    quantity: int
    """Ordered, with what was removed or given back since."""
    current_quantity: int
    refundable_quantity: int
    requires_shipping: bool
    taxable: bool
    is_gift_card: bool
    unit_price: int
    original_total: int
    discounted_total: int
    allocations: tuple[tuple[int, int], ...]
    taxes: tuple[TaxLine, ...]
    duties: tuple[tuple[int, int], ...] = ()
    """Id and amount."""

    @property
    def name(self) -> str:
        """Return the title with that of the variant."""
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title


class ShippingLine(Struct, frozen=True):
    """One shipping line; `current` is what remains of it."""

    id: int
    title: str
    original: int
    discounted: int
    current: int
    allocations: tuple[tuple[int, int], ...]
    taxes: tuple[TaxLine, ...]
    is_removed: bool = False


class Sale(Struct, frozen=True):
    """One signed sale of an agreement. `total` is after discount and includes tax, also where prices exclude it."""

    id: int
    action: str
    """ORDER, RETURN or UPDATE."""
    line_type: str
    """PRODUCT, GIFT_CARD, TIP, SHIPPING, DUTY, FEE, ADDITIONAL_FEE or ADJUSTMENT."""
    quantity: int | None
    total: int
    tax: int
    discount_before_taxes: int
    discount_after_taxes: int
    subject: int | None = None
    """The id of the line, shipping line, duty or fee it is about; an adjustment is about none."""
    taxes: tuple[TaxLine, ...] = ()


class Agreement(Struct, frozen=True):
    """One dated agreement with its sales."""

    id: int
    kind: str
    """OrderAgreement, OrderEditAgreement, RefundAgreement or ReturnAgreement: its `__typename`."""
    happened_at: datetime
    reason: str
    """ORDER, ORDER_EDIT, REFUND or RETURN."""
    sales: tuple[Sale, ...]
    subject: int | None = None
    """The id of the refund or return it belongs to."""


class RefundLine(Struct, frozen=True):
    """Units given back. `subtotal` is what they were sold for after discounts, without added tax; `tax` what was on them."""

    id: int
    line: int
    quantity: int
    restock_type: str
    restocked: bool
    location: int | None
    price: int
    subtotal: int
    tax: int


class RefundShippingLine(Struct, frozen=True):
    """Shipping given back."""

    id: int
    shipping_line: int
    subtotal: int
    tax: int


class Adjustment(Struct, frozen=True):
    """What was given back beyond (negative) or short of (positive) what the lines say."""

    id: int
    reason: str
    amount: int
    tax: int


class Refund(Struct, frozen=True):
    """One refund. Its money is in `transactions`; it may have none."""

    id: int
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    note: str
    return_id: int | None
    total_refunded: int
    lines: tuple[RefundLine, ...]
    shipping_lines: tuple[RefundShippingLine, ...]
    adjustments: tuple[Adjustment, ...]
    duties: tuple[int, ...]
    """What was given back of duties, in amounts."""
    transactions: tuple[Payment, ...]


class Return(Struct, frozen=True):
    """One return: what came back and what was sent instead."""

    id: int
    name: str
    created_at: datetime
    status: str
    lines: tuple[tuple[int, int], ...]
    """Lines and units that came back."""
    exchange_lines: tuple[int, ...]
    fees: tuple[tuple[int, str, int], ...]
    """Id, name, amount."""


class DisputeSummary(Struct, frozen=True):
    """What an order tells of a dispute about it."""

    id: int
    initiated_as: str
    status: str


class Totals(Struct, frozen=True):
    """The sums that Shopify states on an order."""

    original_total: int
    total: int
    current_total: int
    subtotal: int
    current_subtotal: int
    discounts: int
    current_discounts: int
    shipping: int
    current_shipping: int
    refunded_shipping: int
    tax: int
    current_tax: int
    original_duties: int
    current_duties: int
    original_additional_fees: int
    current_additional_fees: int
    tip: int
    received: int
    refunded: int
    net_payment: int
    outstanding: int
    refund_discrepancy: int
    rounding_paid: int
    rounding_refunded: int


class Journey(Struct, frozen=True):
    """What Shopify knows of the visits before an order; `ready` is false for the first minutes."""

    ready: bool
    customer_order_index: int | None
    days_to_conversion: int | None
    first_visit: Visit | None
    last_visit: Visit | None
    visits: tuple[Visit, ...] = ()
    """All of them, in the order of time."""


class Order(Struct, frozen=True):
    """One order as of a moment."""

    id: int
    name: str
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str | None
    closed_at: datetime | None
    test: bool
    edited: bool
    source_name: str
    app: tuple[int, str]
    location: int | None
    currency: str
    presentment_currency: str
    presentment_rate: int
    taxes_included: bool
    financial_status: str
    fulfillment_status: str
    return_status: str
    gateways: tuple[str, ...]
    discounts: tuple[Discount, ...]
    """Discount applications by index."""
    tags: tuple[str, ...]
    totals: Totals
    taxes: tuple[TaxLine, ...]
    country: str | None
    province: str | None
    zip: str | None
    customer: int | None
    journey: Journey | None
    lines: tuple[LineItem, ...]
    shipping_lines: tuple[ShippingLine, ...]
    transactions: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    returns: tuple[Return, ...]
    agreements: tuple[Agreement, ...]
    disputes: tuple[DisputeSummary, ...]
    additional_fees: tuple[tuple[int, str, int], ...] = ()
    """Id, name, amount without tax."""

    def presented(self, minor: int) -> int:
        """Return what an amount is in minor units of the currency its customer paid in."""
        if self.presentment_currency == self.currency:
            return minor
        return exchange(minor, self.presentment_rate, self.currency, self.presentment_currency)

    @property
    def discount_codes(self) -> tuple[str, ...]:
        """Return the codes that were entered."""
        return tuple(each.code for each in self.discounts if each.code)


class BalanceTransaction(Struct, frozen=True):
    """One movement of a Shopify Payments balance, in the payout currency: net = amount − fee."""

    id: int
    at: datetime
    type: str
    """One of Shopify's 113 types, such as CHARGE, REFUND, DISPUTE_WITHDRAWAL, SHIPPING_LABEL, TRANSFER."""
    amount: int
    fee: int
    net: int
    currency: str
    source_id: int | None
    source_type: str | None
    payment: int | None
    """The order's transaction it came from."""
    order: int | None
    order_name: str | None
    payout: int | None
    payout_status: str
    test: bool = False
    reason: str | None = None


class Payout(Struct, frozen=True):
    """One transfer to the bank of what a day's transactions came to. `parts` are Shopify's summary by its own names."""

    id: int
    issued_at: datetime
    day: date
    status: str
    type: str
    """DEPOSIT or WITHDRAWAL."""
    net: int
    currency: str
    trace: str
    parts: dict[str, int]
    """charges_gross, charges_fee, refunds_gross, refunds_fee, adjustments_gross, adjustments_fee."""


class Dispute(Struct, frozen=True):
    """One dispute, in the payout currency."""

    id: int
    initiated_at: datetime
    finalized_on: date | None
    status: str
    type: str
    reason: str
    amount: int
    currency: str
    order: int
