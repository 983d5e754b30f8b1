"""Decide what shipping an order costs the store, and why: the label's cost, else a rule, else what the customer paid."""

from collections.abc import Callable

from msgspec import Struct

from ledger.days import day_span
from ledger.drafts.charges import label_is_stated, label_is_told
from ledger.kinds import SaleKind, SaleType
from ledger.models import Channel, ShippingRule, Store
from ledger.money import Tenk, tenk
from ledger.orders.rows import OrderRow


class ShippingCost(Struct, frozen=True):
    """What shipping costs (positive), why, and whether a rule guessed; without a currency it is the order's."""

    amount: Tenk
    reason: str
    estimated: bool
    currency: str = ""


class ShippingTerms(Struct, frozen=True):
    """One shipping rule; values and amounts in the store's currency, the channel by its number in the store."""

    name: str
    first: int
    last: int
    countries: frozenset[str]
    channel: int | None
    method: str
    """Words the method's name holds, in small letters; empty for every method."""
    least_grams: int
    most_grams: int | None
    least_units: int
    most_units: int | None
    least_value: Tenk
    most_value: Tenk | None
    amount: Tenk
    each_further_unit: Tenk

    def fits(self, order: OrderRow, units: int, value: Tenk) -> bool:
        """Tell whether the rule is about an order of so many units, worth so much in the store's currency."""
        return (
            self.first <= order.day <= self.last
            and (not self.countries or order.country in self.countries)
            and self.channel in (None, order.channel)
            and self.method in order.shipping_method.lower()
            and self._weighs(order)
            and self.least_units <= units
            and (self.most_units is None or units <= self.most_units)
            and self.least_value <= value
            and (self.most_value is None or value <= self.most_value)
        )

    def _weighs(self, order: OrderRow) -> bool:
        """Tell whether an order's weight is within the rule's; an unknown one is within none but every weight."""
        if not self.least_grams and self.most_grams is None:
            return True
        grams = weight_of(order)
        return grams is not None and self.least_grams <= grams and (self.most_grams is None or grams <= self.most_grams)


def weight_of(order: OrderRow) -> int | None:
    """Return what an order weighs, in grams: as its platform tells, else what its variants weigh; None where one of those is not known."""
    if order.grams is not None:
        return order.grams
    weights = [None if line.grams is None else line.grams * line.quantity for line in order.lines]
    known = [grams for grams in weights if grams is not None]
    return sum(known) if weights and len(known) == len(weights) else None


UNKNOWN_CHANNEL = -1
"""Stands for a channel the store has never sold through: a rule about it fits no order."""


def load_rules(store: Store) -> tuple[ShippingTerms, ...]:
    """Read a store's shipping rules in the order in which they are tried."""
    channels = dict(Channel.objects.filter(store=store).values_list("key", "number"))
    rows = ShippingRule.objects.filter(store=store, removed_by=None).order_by("position", "pk")
    return tuple(
        ShippingTerms(
            row.name, *day_span(row.effective_from, row.effective_to), frozenset(row.countries.upper().split()),
            channels.get(row.channel, UNKNOWN_CHANNEL) if row.channel else None, row.method.lower(), row.least_grams, row.most_grams,
            row.least_units, row.most_units, tenk(row.least_value),
            None if row.most_value is None else tenk(row.most_value), tenk(row.amount), tenk(row.each_further_unit),
        )
        for row in rows
    )  # fmt: skip


def shipping_cost(order: OrderRow, *, rules: tuple[ShippingTerms, ...], currency: str, value: Callable[[Tenk], Tenk]) -> ShippingCost:
    """Decide the shipping cost: the label's, as the platform or else a file tells it, else the first rule that fits, else what the customer paid.

    `currency` is the store's, which rules are in; `value` converts an amount of the order into it. What the customer
    paid counts after discount, without tax. A shipping refund does not lower it (the label was paid); an order
    cancelled before anything shipped costs nothing. A label's cost is posted from its own row, so the amount here is
    then zero.
    """
    told = label_is_told(order)
    if label_is_stated(order):
        return ShippingCost(0, f"stated label cost{'; the one from a file is left out' if told else ''}", False)
    if told:
        return ShippingCost(0, "label cost from a file", False)
    if order.cancelled is not None and not order.shipped:
        return ShippingCost(0, "cancelled before anything shipped", False)
    if rules:
        units = sum(sale.quantity for sale in order.sales if sale.type == SaleType.PRODUCT and sale.kind == SaleKind.ORDER)
        worth = value(sum(sale.net for sale in order.sales if sale.type == SaleType.PRODUCT and sale.kind == SaleKind.ORDER))
        for rule in rules:
            if units > 0 and rule.fits(order, units, worth):
                return ShippingCost(rule.amount + rule.each_further_unit * (units - 1), f"shipping rule: {rule.name}", True, currency)
    paid = 0
    for sale in order.sales:
        if sale.type == SaleType.SHIPPING and sale.kind in (SaleKind.ORDER, SaleKind.EDIT):
            paid += sale.net
    if paid <= 0:
        return ShippingCost(0, "the customer paid no shipping", True)
    return ShippingCost(paid, "default: what the customer paid for shipping", True)
