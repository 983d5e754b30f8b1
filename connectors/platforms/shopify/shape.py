"""Know the shape of Shopify's records as far as we read them; what a record has besides is no concern of ours."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from connectors.faults import BadPayload
from connectors.spec import Json
from ledger.money import MoneyError, Tenk, tenk

Time = Annotated[datetime, Meta(tz=True)]
Node = TypeVar("Node")
_PLAIN = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,4}))?")


@lru_cache(maxsize=16_384)
def _units_of(amount: str) -> Tenk:
    """Read an amount. Most are told again and again, such as that there is no tax."""
    found = _PLAIN.fullmatch(amount)
    if found is not None:
        sign, whole, fraction = found.groups("")
        return int(sign + whole + fraction.ljust(4, "0"))
    try:
        return tenk(Decimal(amount))
    except (InvalidOperation, MoneyError) as error:
        raise BadPayload(f"“{amount[:40]}” is not an amount of money.") from error


class Money(Struct, rename="camel", gc=False):
    """An amount as Shopify writes it: a decimal in a text."""

    amount: str
    currency_code: str = ""

    @property
    def units(self) -> Tenk:
        """Return the amount; raise BadPayload when it is none."""
        return _units_of(self.amount)


class Bag(Struct, rename="camel", gc=False):
    """An amount in the shop's currency."""

    shop_money: Money

    @property
    def units(self) -> Tenk:
        """Return the amount; raise BadPayload when it is none."""
        return _units_of(self.shop_money.amount)


class Ref(Struct, gc=False):
    """A record that is only pointed at."""

    id: str


class PageInfo(Struct, rename="camel", frozen=True, gc=False):
    """Whether a list goes on."""

    has_next_page: bool
    end_cursor: str | None = None


class Nodes(Struct, Generic[Node], rename="camel"):
    """A list of records, or its first page."""

    nodes: list[Node]
    page_info: PageInfo = PageInfo(has_next_page=False)

    @property
    def is_cut(self) -> bool:
        """Tell whether there is more than what is here."""
        return self.page_info.has_next_page


class TaxLine(Struct, rename="camel"):
    """A tax of a line, for the whole quantity that was ordered."""

    price_set: Bag
    channel_liable: bool | None = None


class Liability(Struct, rename="camel"):
    """Who remits a tax of an order."""

    channel_liable: bool | None = None


class Allocation(Struct, rename="camel"):
    """A share of a discount."""

    allocated_amount_set: Bag


class Line(Struct, rename="camel"):
    """A line of an order."""

    id: str
    quantity: int
    current_quantity: int
    original_unit_price_set: Bag
    title: str = ""
    sku: str | None = None
    is_gift_card: bool = False
    variant: Ref | None = None
    product: Ref | None = None
    discount_allocations: list[Allocation] | None = None
    """None where it was not asked for."""
    tax_lines: list[TaxLine] | None = None


class ShippingLine(Struct, rename="camel"):
    """A line of shipping; prices are None where they were not asked for."""

    title: str = ""
    is_removed: bool = False
    original_price_set: Bag | None = None
    discounted_price_set: Bag | None = None
    tax_lines: list[TaxLine] = []


class Fee(Struct):
    """What Shopify Payments kept of a payment."""

    amount: Money


class Transaction(Struct, rename="camel"):
    """A movement of money, or an attempt at one."""

    id: str
    kind: str
    status: str
    created_at: Time
    amount_set: Bag
    amount_rounding_set: Bag | None = None
    """By how much more than the price was paid in coins, of a refund given back."""
    processed_at: Time | None = None
    test: bool = False
    gateway: str | None = None
    payment_id: str | None = None
    fees: list[Fee] = []


class RefundLine(Struct, rename="camel"):
    """Units of a line within a refund."""

    quantity: int
    restocked: bool
    line_item: Ref
    subtotal_set: Bag | None = None
    total_tax_set: Bag | None = None


class RefundShipping(Struct, rename="camel"):
    """Shipping within a refund."""

    subtotal_amount_set: Bag
    tax_amount_set: Bag


class RefundDuty(Struct, rename="camel"):
    """A duty within a refund."""

    amount_set: Bag


class Refund(Struct, rename="camel"):
    """A refund; its lines are None where they were not asked for, as bulk files cannot tell them."""

    id: str
    total_refunded_set: Bag
    processed_at: Time | None = None
    created_at: Time | None = None
    refund_line_items: Nodes[RefundLine] | None = None
    refund_shipping_lines: Nodes[RefundShipping] | None = None
    duties: list[RefundDuty] | None = None

    @property
    def at(self) -> datetime:
        """Return when it happened; raise BadPayload when it does not tell."""
        at = self.processed_at or self.created_at
        if at is None:
            raise BadPayload(f"The refund {self.id} has no time.")
        return at


class Sold(Struct, rename="camel"):
    """One signed sale of an agreement. `total_amount` is after discounts and includes tax."""

    id: str
    action_type: str
    line_type: str
    total_amount: Bag
    total_tax_amount: Bag
    total_discount_amount_before_taxes: Bag
    quantity: int | None = None
    line_item: Ref | None = None


class Agreement(Struct, rename="camel"):
    """What was agreed at one moment: the order, an edit, a return, a refund."""

    id: str
    happened_at: Time
    sales: Nodes[Sold]
    type: str = msgspec.field(default="", name="__typename")
    refund: Ref | None = None


class Address(Struct, rename="camel"):
    """Where an order went: no more than its country and province."""

    country_code_v2: str | None = msgspec.field(default=None, name="countryCodeV2")
    province_code: str | None = None


class Utm(Struct):
    """The words of a link."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None


class Visit(Struct, rename="camel"):
    """One visit."""

    id: str = ""
    occurred_at: Time | None = None
    landing_page: str | None = None
    referrer_url: str | None = None
    source: str | None = None
    utm_parameters: Utm | None = None


class Summary(Struct, rename="camel"):
    """The visits before an order, as far as they were asked for."""

    ready: bool
    first_visit: Visit | None = None
    last_visit: Visit | None = None
    moments: Nodes[Visit] | None = None


class Order(Struct, rename="camel"):
    """An order with everything that happened to it."""

    id: str
    name: str
    processed_at: Time
    updated_at: Time
    currency_code: str
    taxes_included: bool
    total_price_set: Bag
    current_total_price_set: Bag
    total_refunded_set: Bag
    line_items: Nodes[Line]
    transactions: list[Transaction]
    refunds: list[Refund]
    agreements: Nodes[Agreement]
    shipping_lines: Nodes[ShippingLine]
    presentment_currency_code: str = ""
    refund_discrepancy_set: Bag | None = None
    total_tip_received_set: Bag | None = None
    total_tax_set: Bag | None = None
    """This and the next are told of an order that was read by itself."""
    total_discounts_set: Bag | None = None
    original_total_duties_set: Bag | None = None
    original_total_additional_fees_set: Bag | None = None
    cancelled_at: Time | None = None
    test: bool = False
    edited: bool = False
    source_name: str | None = None
    app: Ref | None = None
    display_financial_status: str | None = None
    display_fulfillment_status: str | None = None
    discount_codes: list[str] = []
    total_weight: str | int | None = None
    tax_lines: list[Liability] = []
    shipping_address: Address | None = None
    customer: Ref | None = None
    customer_journey_summary: Summary | None = None
    retail_location: Ref | None = None
    is_whole: bool = False
    """Read by itself or put together from bulk files: no list of it ends at a page's size."""


def read(record: Json, shape: type[Node]) -> Node:
    """Read a record; raise BadPayload with what is wrong and where."""
    try:
        return msgspec.convert(record, shape)
    except msgspec.ValidationError as error:
        raise BadPayload(str(error), record=str(record.get("id", ""))) from error


def tail(gid: str) -> str:
    """Return the number at the end of one of Shopify's ids."""
    return gid.rpartition("/")[2].partition("?")[0]


def units(bag: Bag | None) -> Tenk:
    """Return an amount; 0 where Shopify tells that there is none by telling nothing."""
    return 0 if bag is None else _units_of(bag.shop_money.amount)
