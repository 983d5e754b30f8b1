"""Decide what shipping an order costs the store, and why. The door for shipping rules and label costs."""

from msgspec import Struct

from ledger.accounts import FULFILMENT_SHIPPING
from ledger.kinds import SaleKind, SaleType
from ledger.money import Tenk
from ledger.rows import OrderRow


class ShippingCost(Struct, frozen=True):
    """What shipping costs (positive, order's currency), why, and whether a rule guessed."""

    amount: Tenk
    reason: str
    estimated: bool


def shipping_cost(order: OrderRow) -> ShippingCost:
    """Decide the shipping cost: the stated label cost, else what the customer paid, after discount, without tax.

    A shipping refund does not lower it (the label was paid); an order cancelled before anything shipped costs
    nothing. A stated cost is posted from its own row, so the amount here is then zero.
    """
    if any(cost.account == FULFILMENT_SHIPPING for cost in order.costs):
        return ShippingCost(0, "stated label cost", False)
    if order.cancelled is not None and not order.shipped:
        return ShippingCost(0, "cancelled before anything shipped", False)
    paid = 0
    for sale in order.sales:
        if sale.type == SaleType.SHIPPING and sale.kind in (SaleKind.ORDER, SaleKind.EDIT):
            paid += sale.net
    if paid <= 0:
        return ShippingCost(0, "the customer paid no shipping", True)
    return ShippingCost(paid, "default: what the customer paid for shipping", True)
