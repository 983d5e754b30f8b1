"""Decide what one unit of an order line costs, and why.

This is the door for every cost rule: one algorithm for all pages, most certain source first. Today: the
cost stated with the order, the product's COGS percentage, the store's, the installation's default.
"""

from decimal import Decimal

from msgspec import Struct

from ledger.kinds import CostSource
from ledger.models import CostDefaults, Product, Store
from ledger.money import Tenk, divide_half_even, tenk
from ledger.rows import LineRow

PERCENT = 100 * 10_000
"""One hundred per cent in ten-thousandths of a per cent."""

ESTIMATED_SOURCES = frozenset({CostSource.PRODUCT_PERCENTAGE, CostSource.STORE_PERCENTAGE, CostSource.DEFAULT_PERCENTAGE})


class UnitCost(Struct, frozen=True):
    """What one unit costs (order's currency), why, and whether a rule had to guess."""

    amount: Tenk
    source: CostSource
    estimated: bool
    percentage: Tenk | None = None


class Costing(Struct):
    """The COGS rules of one store, read once per batch."""

    default_percentage: Tenk
    store_percentage: Tenk | None
    product_percentages: dict[int, Tenk]

    @classmethod
    def load(cls, store: Store, defaults: CostDefaults) -> "Costing":
        """Read the percentages that apply to a store; products without one are not listed."""
        products = Product.objects.filter(store=store, cogs_percentage__isnull=False)
        return cls(
            default_percentage=tenk(defaults.cogs_percentage),
            store_percentage=None if store.cogs_percentage is None else tenk(store.cogs_percentage),
            product_percentages={pk: tenk(share) for pk, share in products.values_list("pk", "cogs_percentage") if share is not None},
        )

    def percentage(self, product: int | None) -> tuple[Tenk, CostSource]:
        """Return the COGS percentage (ten-thousandths of a per cent) that applies to a product, and its source."""
        if product is not None and product in self.product_percentages:
            return self.product_percentages[product], CostSource.PRODUCT_PERCENTAGE
        if self.store_percentage is not None:
            return self.store_percentage, CostSource.STORE_PERCENTAGE
        return self.default_percentage, CostSource.DEFAULT_PERCENTAGE

    def unit_cost(self, line: LineRow) -> UnitCost:
        """Decide the cost of one unit: list price before discounts, tax removed, × COGS % where nothing is stated.

        Source of the formula: docs/metrics, the order's base formulas.
        """
        if line.cost_source == CostSource.STATED and line.unit_cost is not None:
            return UnitCost(line.unit_cost, CostSource.STATED, False)
        share, source = self.percentage(line.product)
        return UnitCost(divide_half_even(line.unit_price * share, PERCENT), source, True, share)

    def apply(self, line: LineRow) -> None:
        """Write the decided cost and its reason onto the line."""
        cost = self.unit_cost(line)
        line.unit_cost, line.cost_source, line.cost_percentage = cost.amount, cost.source, cost.percentage


def reason(source: int, unit_price: Decimal, percentage: Decimal | None) -> str:
    """Say in words why a line costs what it costs."""
    named = CostSource(source)
    if percentage is None:
        return str(named.label)
    shown = f"{percentage.normalize():f}"
    return f"{named.label}: {shown} % of the list price {_price(unit_price)} (estimated)"


def _price(price: Decimal) -> str:
    cents = price.quantize(Decimal("0.01"))
    return f"{cents if cents == price else price.normalize():f}"
