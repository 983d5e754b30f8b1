"""Define the facts: the only words connectors speak to the ledger.

Facts are frozen values made by pure mappers. Amounts are `Tenk`: signed whole ten-thousandths of the order's
currency unit (12.34 is 123_400), so that they are exact and cheap. Times are aware. A fact states everything
its platform knows of the order: recording it replaces what was known before.
"""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from ledger.kinds import (
    AdLevel,
    AdTeller,
    BalanceMeaning,
    Evidence,
    FinancialStatus,
    Journey,
    PaymentKind,
    PaymentStatus,
    SaleKind,
    SalesBasis,
    SaleType,
    TouchKind,
)
from ledger.money import Tenk

Moment = Annotated[datetime, Meta(tz=True)]
"""An aware time."""
BY_NUMBER = "number:"
"""Begins what stands for the id of an order whose platform's id is lost."""


def known_by(number: str) -> str:
    """Return what stands for the id of an order that is known by its number alone, until its platform's id is told."""
    return BY_NUMBER + number


class LineFact(Struct, frozen=True, gc=False, array_like=True):
    """One line of an order. `unit_price` is the list price of one unit before discounts, tax removed."""

    external_id: str
    quantity: int
    unit_price: Tenk
    variant: str | None = None
    """The platform's id of the variant; None for a line that is no product of the catalogue."""
    sku: str = ""
    title: str = ""
    unit_cost: Tenk | None = None
    """Cost of one unit in the order's currency where the source states it with the order."""
    by_name: bool = False
    """`variant` is but the name of what the platform has no product for (any more): a line that once had another one keeps it."""


class SaleFact(Struct, frozen=True, gc=False, array_like=True):
    """One dated, signed event on an order.

    `net` is after discounts and before tax; `discount` has the sign of the sale, so net + discount is the list
    value (a return of goods worth 100 sold at 90: net -90, discount -10). `tax` is what was collected on it.
    """

    external_id: str
    happened_at: Moment
    kind: SaleKind
    type: SaleType
    net: Tenk
    line: str | None = None
    quantity: int = 0
    discount: Tenk = 0
    tax: Tenk = 0
    restocked: bool = False
    estimated: bool = False
    """Its day, its line or its parts are worked out by a rule, since its source tells only a sum."""


class PaymentFact(Struct, frozen=True, gc=False, array_like=True):
    """One movement of money for an order. `fee` is what the processor kept, positive; None when it is not stated."""

    external_id: str
    processed_at: Moment
    kind: PaymentKind
    status: PaymentStatus
    amount: Tenk
    gateway: str = ""
    fee: Tenk | None = None
    fee_currency: str = ""


class OrderCostFact(Struct, frozen=True, gc=False, array_like=True):
    """One actual cost of an order, signed as in the ledger: a cost is negative, a cost given back positive.

    `account` is a number of the chart of accounts under `fees:` or `fulfilment:`.
    """

    external_id: str
    happened_at: Moment
    account: int
    amount: Tenk


class TouchFact(Struct, frozen=True, gc=False, array_like=True):
    """One visit before an order. Nothing in it names a person: of addresses only a path, a host and known parameters are told."""

    happened_at: Moment
    kind: TouchKind
    evidence: Evidence
    source: str = ""
    """Such as `google` or `newsletter`; in the words of the link, else of whom the evidence names, else of the platform."""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    click_ids: tuple[str, ...] = ()
    """`name=value`, such as `gclid=…`."""
    landing: str = ""
    """The path of the page they came to first."""
    referrer: str = ""
    """The host of the page they came from."""


class JourneyFact(Struct, frozen=True, gc=False, array_like=True):
    """How the customer of one order came, told by itself: the order stays as it is."""

    platform: str
    order: str
    """The platform's id of it."""
    journey: Journey
    touches: tuple[TouchFact, ...] = ()
    """In the order of time."""


class OrderFact(Struct, frozen=True, array_like=True):
    """One order with its lines and everything that happened to it."""

    platform: str
    external_id: str
    """The platform's id of it; `known_by(number)` where the source has lost that."""
    number: str
    placed_at: Moment
    currency: str
    financial_status: FinancialStatus
    channel: str
    """Key of the sales channel; made when it is new."""
    lines: tuple[LineFact, ...] = ()
    sales: tuple[SaleFact, ...] = ()
    payments: tuple[PaymentFact, ...] = ()
    costs: tuple[OrderCostFact, ...] = ()
    sales_basis: SalesBasis = SalesBasis.STATED
    customer: bytes | None = None
    """Keyed hash of the buyer's identity (ledger/identity.py); None for a guest."""
    country: str = ""
    region: str = ""
    is_test: bool = False
    cancelled_at: Moment | None = None
    shipped: bool = False
    """Anything left the warehouse, as far as the platform tells."""
    updated_at: Moment | None = None
    """The platform's own time of change; None where it states none, as exported files do: those never override what does."""
    stated_total: Tenk | None = None
    """What was charged, tax and shipping included, before what was given back; None when the platform does not say."""
    stated_refunded: Tenk | None = None
    discount_codes: tuple[str, ...] = ()
    """The codes its buyer used; capitals do not matter."""
    shipping_method: str = ""
    grams: int | None = None
    """What it weighs in all; None when the platform does not say."""
    references: tuple[str, ...] = ()
    """What payment processors call it: the ids that its platform gave its payments."""
    worked_out: str = ""
    """Why its platform's own sales were not taken, where they are derived though it tells some."""
    coarse: bool = False
    """Tells less than its platform does record by record, as bulk files do: what was told before with the same time of change stands."""
    journey: Journey = Journey.NOT_TOLD
    """How much is told of how its customer came."""
    touches: tuple[TouchFact, ...] = ()
    """Visits before it, in the order of time."""
    location: str = ""
    """The platform's id of the shop it was sold in; empty for orders that no till took."""


class CustomerFact(Struct, frozen=True, array_like=True):
    """How many orders a platform counts of one customer; nothing that names them."""

    platform: str
    customer: bytes
    """Keyed hash of the buyer's identity, as orders tell it."""
    orders: int
    country: str = ""


class LocationFact(Struct, frozen=True, array_like=True):
    """A place of the store: a shop with a till, or a warehouse."""

    platform: str
    external_id: str
    name: str
    is_active: bool = True


class VariantFact(Struct, frozen=True, array_like=True):
    """What a platform's catalogue tells of one variant now. None is what this record does not tell; what was told before stands."""

    platform: str
    external_id: str
    sku: str | None = None
    title: str | None = None
    product: str | None = None
    """The platform's id of its product."""
    product_title: str = ""
    price: Tenk | None = None
    """With tax where the shop's prices include it."""
    compare_at: Tenk | None = None
    """The higher price struck out beside it; told with the price."""
    currency: str = ""
    """Of the price."""
    unit_cost: Tenk | None = None
    cost_currency: str = ""
    stock: int | None = None
    """Units on hand."""


class GoneFact(Struct, frozen=True, array_like=True):
    """Something of the catalogue that its platform deleted: a product with its variants, or one variant."""

    platform: str
    external_id: str
    at: Moment
    is_product: bool = True


class BalanceFact(Struct, frozen=True, array_like=True):
    """One row of what a payment processor holds for the store. `amount` is signed as it moves the balance; `fee` was kept of it, positive."""

    platform: str
    """The processor, such as `shopify_payments`."""
    external_id: str
    at: Moment
    type: str
    """In the processor's own words."""
    meaning: BalanceMeaning
    amount: Tenk
    fee: Tenk
    currency: str
    order: str = ""
    """The platform's id of the order it is about; empty where it is about none."""
    payment: str = ""
    """The platform's id of the order's payment."""
    payout: str = ""
    """The processor's id of the payout it is in; empty until it is in one."""
    reason: str = ""
    """Why a correction was made, in the processor's own words."""
    dispute: str = ""
    """The processor's id of the dispute it comes from."""


class PayoutFact(Struct, frozen=True, array_like=True):
    """Money that a payment processor sent to the store's bank; negative where it took some."""

    platform: str
    external_id: str
    issued_at: Moment
    status: str
    """In the processor's own words."""
    amount: Tenk
    currency: str
    summary: tuple[tuple[str, Tenk], ...] = ()
    """What the processor itself says it is made of: `charges`, `refunds`, `adjustments`, `reserves`, `advances`, `retried`, `fees`."""


class DisputeFact(Struct, frozen=True, array_like=True):
    """A payment that a customer's bank disputes."""

    platform: str
    """The processor."""
    external_id: str
    wants_answer: bool
    amount: Tenk
    currency: str
    order: str = ""
    """The order's number."""
    due_at: Moment | None = None
    """Until when it can be answered."""
    status: str = ""
    """In the processor's own words, as are its kind and reason."""
    kind: str = ""
    reason: str = ""
    opened_at: datetime | None = None
    decided_at: datetime | None = None


class AdDayFact(Struct, frozen=True):
    """What was spent on one day of an advertising account, at one level. `spend` is in `currency`; positive is a cost."""

    platform: str
    """Such as `meta_ads`; ledger/advertising/spending.py says on which account each is booked."""
    level: AdLevel
    day: date
    """In the advertising account's own time zone."""
    spend: Tenk
    currency: str
    account: str = ""
    """The platform's number or name of the account; empty where the source does not tell."""
    campaign: str = ""
    """The platform's id; empty where only its name is told."""
    campaign_name: str = ""
    status: str = ""
    channel: str = ""
    ad_group: str = ""
    """Its id, or its name; empty above its level."""
    ad: str = ""
    impressions: int | None = None
    clicks: int | None = None
    conversions: Tenk | None = None
    conversion_value: Tenk | None = None
    final: bool = True
    estimated: bool = False
    """A share of what a longer span cost."""
    teller: AdTeller = AdTeller.PLATFORM
