"""List the orders there are, cheaply, so that what was missed or deleted is found."""

from msgspec import Struct

from connectors.paging import GraphQLPages
from connectors.platforms.shopify import queries
from connectors.platforms.shopify.asking import ask, changed_within, identity, records, time_of
from connectors.platforms.shopify.shape import Bag, Liability, Time, read
from connectors.spec import Comparison, Json, Told
from ledger.money import decimal

LIST_SIZE = 250


class _Rounding(Struct, rename="camel"):
    payment_set: Bag
    """What rounding to coins added to what was paid in cash."""


class _Listed(Struct, rename="camel"):
    id: str
    updated_at: Time
    current_total_price_set: Bag
    total_refunded_set: Bag
    refund_discrepancy_set: Bag
    total_cash_rounding_adjustment: _Rounding
    tax_lines: list[Liability] = []


def told(record: Json) -> Told:
    """Return what the list tells of an order. What was charged is told only where it is plain: nothing given back, no tax that others remit."""
    order = read(record, _Listed)
    plain = not (order.total_refunded_set.units or order.refund_discrepancy_set.units or any(line.channel_liable for line in order.tax_lines))
    charged = order.current_total_price_set.units + order.total_cash_rounding_adjustment.payment_set.units
    return Told(id=identity(record), changed_at=time_of(record), total=decimal(charged) if plain else None)


ORDERS = Comparison(
    request=lambda window: ask(queries.ORDER_LIST, size=LIST_SIZE, query=changed_within(window, field="processed_at")),
    pages=GraphQLPages("orders"), items=records("orders"), told=told,
)  # fmt: skip
