"""Decide what one unit of an order line costs, and why.

One algorithm for all pages, most certain source first: stated with the order; the variant's cost that holds on the
order's day, entered by hand before stated by the platform; the first cost ever known, for the time before it
(estimated); the product's COGS percentage on that day, the store's, the installation's default (all estimated).
Source of the order: docs/metrics, "Estimated, missing, provisional".
"""

from bisect import bisect_right
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q
from msgspec import Struct

from ledger.days import day_number
from ledger.kinds import CostOrigin, CostSource
from ledger.models import CogsRule, CostDefaults, Product, Store, VariantCost
from ledger.money import Tenk, divide_half_even, tenk
from ledger.rows import LineRow

PERCENT = 100 * 10_000
"""One hundred per cent in ten-thousandths of a per cent."""

ALWAYS = -(10**6)
"""The day number a rule without a first day holds from."""
FOREVER = 10**6
"""The day number a rule without a last day holds to."""

ESTIMATED_SOURCES = frozenset(
    {CostSource.VARIANT_FIRST, CostSource.PRODUCT_PERCENTAGE, CostSource.STORE_PERCENTAGE, CostSource.DEFAULT_PERCENTAGE}
)  # fmt: skip


class UnitCost(Struct, frozen=True):
    """What one unit costs, why, and whether a rule had to guess; without a currency it is the order's."""

    amount: Tenk
    source: CostSource
    estimated: bool
    percentage: Tenk | None = None
    currency: str = ""


class Dated(NamedTuple):
    """A percentage and the days it holds on, both included."""

    first: int
    last: int
    percentage: Tenk


class Priced(NamedTuple):
    """What a variant costs from a day on, until the next."""

    first: int
    amount: Tenk
    currency: str


class Costing(Struct):
    """The COGS rules of one store for the variants and products of one batch."""

    default_percentage: Tenk
    store_percentage: Tenk | None
    product_percentages: dict[int, Tenk]
    store_rules: list[Dated] = []
    product_rules: dict[int, list[Dated]] = {}
    variant_costs: dict[tuple[int, CostOrigin], list[Priced]] = {}

    @classmethod
    def load(cls, store: Store, defaults: CostDefaults, *, lines: Collection[LineRow]) -> "Costing":
        """Read what the lines of a batch need; products and variants without rules of their own are not listed."""
        products = sorted({line.product for line in lines if line.product is not None})
        variants = sorted({line.variant for line in lines if line.variant is not None})
        own = Product.objects.filter(store=store, pk__in=products, cogs_percentage__isnull=False)
        costing = cls(
            default_percentage=tenk(defaults.cogs_percentage),
            store_percentage=None if store.cogs_percentage is None else tenk(store.cogs_percentage),
            product_percentages={pk: tenk(share) for pk, share in own.values_list("pk", "cogs_percentage") if share is not None},
            store_rules=[], product_rules={}, variant_costs={},
        )  # fmt: skip
        costing._read_rules(store, products)
        costing._read_costs(store, variants)
        return costing

    def _read_rules(self, store: Store, products: list[int]) -> None:
        rules = CogsRule.objects.filter(Q(product=None) | Q(product__in=products), store=store, removed_by=None)
        for product, first, last, share in rules.values_list("product_id", "effective_from", "effective_to", "percentage"):
            dated = Dated(ALWAYS if first is None else day_number(first), FOREVER if last is None else day_number(last), tenk(share))
            (self.store_rules if product is None else self.product_rules.setdefault(product, [])).append(dated)

    def _read_costs(self, store: Store, variants: list[int]) -> None:
        rows = VariantCost.objects.filter(store=store, variant__in=variants, removed_by=None)
        for row in rows:
            first = ALWAYS if row.effective_from is None else day_number(row.effective_from)
            priced = Priced(first, tenk(row.landed), row.currency)
            self.variant_costs.setdefault((row.variant_id, CostOrigin(row.origin)), []).append(priced)
        for costs in self.variant_costs.values():
            costs.sort()

    def percentage(self, product: int | None, day: int) -> tuple[Tenk, CostSource]:
        """Return the COGS percentage (ten-thousandths of a per cent) that applies to a product on a day, and its source."""
        if product is not None:
            dated = _on(self.product_rules.get(product, ()), day)
            own = self.product_percentages.get(product) if dated is None else dated
            if own is not None:
                return own, CostSource.PRODUCT_PERCENTAGE
        dated = _on(self.store_rules, day)
        if dated is not None:
            return dated, CostSource.STORE_PERCENTAGE
        if self.store_percentage is not None:
            return self.store_percentage, CostSource.STORE_PERCENTAGE
        return self.default_percentage, CostSource.DEFAULT_PERCENTAGE

    def unit_cost(self, line: LineRow, day: int) -> UnitCost:
        """Decide the cost of one unit sold on a day: a known cost, else list price before discounts, tax removed, × COGS %."""
        if line.cost_source == CostSource.STATED and line.unit_cost is not None:
            return UnitCost(line.unit_cost, CostSource.STATED, False)
        known = self._known_cost(line.variant, day) if line.variant is not None else None
        if known is not None:
            return known
        share, source = self.percentage(line.product, day)
        return UnitCost(divide_half_even(line.unit_price * share, PERCENT), source, True, share)

    def _known_cost(self, variant: int, day: int) -> UnitCost | None:
        by_origin = [(self.variant_costs.get((variant, origin), ()), source) for origin, source in _SOURCES]
        for costs, source in by_origin:
            place = bisect_right(costs, day, key=lambda cost: cost.first)
            if place:
                return UnitCost(costs[place - 1].amount, source, False, currency=costs[place - 1].currency)
        firsts = [costs[0] for costs, _ in by_origin if costs]
        if not firsts:
            return None
        # by hand before by the platform where both begin on one day: min() keeps the first
        first = min(firsts, key=lambda cost: cost.first)
        return UnitCost(first.amount, CostSource.VARIANT_FIRST, True, currency=first.currency)

    def apply(self, line: LineRow, *, day: int, currency: str) -> None:
        """Write the decided cost and its reason onto a line of an order of a day and currency."""
        cost = self.unit_cost(line, day)
        line.unit_cost, line.cost_source, line.cost_percentage = cost.amount, cost.source, cost.percentage
        line.cost_currency = "" if cost.currency == currency else cost.currency


_SOURCES = ((CostOrigin.MANUAL, CostSource.VARIANT_MANUAL), (CostOrigin.PLATFORM, CostSource.VARIANT_PLATFORM))


def _on(rules: Collection[Dated], day: int) -> Tenk | None:
    return next((rule.percentage for rule in rules if rule.first <= day <= rule.last), None)


def reason(source: int, unit_price: Decimal, percentage: Decimal | None) -> str:
    """Say in words why a line costs what it costs."""
    named = CostSource(source)
    if percentage is None:
        return f"{named.label}{' (estimated)' if named in ESTIMATED_SOURCES else ''}"
    shown = f"{percentage.normalize():f}"
    return f"{named.label}: {shown} % of the list price {_price(unit_price)} (estimated)"


def _price(price: Decimal) -> str:
    cents = price.quantize(Decimal("0.01"))
    return f"{cents if cents == price else price.normalize():f}"
