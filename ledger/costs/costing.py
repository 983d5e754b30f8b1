"""Decide what one unit of an order line costs, and why.

One algorithm for all pages, most certain source first: set by hand for the order line; stated with the order; the
variant's cost entered by hand that holds on the order's day; the cost of the parts that make it a bundle that day; its
cost stated by the platform that holds that day; the first cost ever known, for the time before it (estimated); the
product's COGS percentage on that day, the store's, the installation's default (all estimated).
The same order in words: docs/metrics, "Unit cost".
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q
from msgspec import Struct

from ledger.days import ALWAYS, FOREVER, day_span
from ledger.kinds import CostOrigin, CostSource
from ledger.models import BundlePart, CogsRule, CostDefaults, CostOverride, Store, VariantCost
from ledger.money import Tenk, convert, divide_half_even, tenk
from ledger.orders.rows import LineRow, OrderRow
from ledger.rates import Rate

PERCENT = 100 * 10_000
"""One hundred per cent in ten-thousandths of a per cent."""

BY_PERCENTAGE = frozenset({CostSource.PRODUCT_PERCENTAGE, CostSource.STORE_PERCENTAGE, CostSource.DEFAULT_PERCENTAGE})
ESTIMATED_SOURCES = BY_PERCENTAGE | {CostSource.BUNDLE_ESTIMATED, CostSource.VARIANT_FIRST}


class UnitCost(NamedTuple):
    """What one unit costs and why; without a currency it is the order's. Without an amount it waits for that currency's rate."""

    amount: Tenk | None
    source: CostSource
    percentage: Tenk | None = None
    currency: str = ""


class Decision(NamedTuple):
    """What the rules say of a variant on a day: an amount in a currency, a percentage of the list price, or sums by currency."""

    source: CostSource
    amount: Tenk | None = None
    currency: str = ""
    percentage: Tenk | None = None
    sums: tuple[tuple[str, Tenk], ...] = ()
    """Of a bundle whose parts cost several currencies: they are one amount only at a day's rates."""


class Segment(NamedTuple):
    """A decision and the days it holds on, both included."""

    first: int
    last: int
    source: CostSource
    amount: Tenk | None
    currency: str
    percentage: Tenk | None
    sums: tuple[tuple[str, Tenk], ...]


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


class Part(NamedTuple):
    """A component of a bundle, and the days it is one, both included."""

    first: int
    last: int
    component: int
    quantity: int


class Costing(Struct):
    """The COGS rules of one store for some variants, products and orders."""

    currency: str
    """Of the book."""
    default_percentage: Tenk
    store_rules: list[Dated] = []
    product_rules: dict[int, list[Dated]] = {}
    variant_costs: dict[tuple[int, CostOrigin], list[Priced]] = {}
    bundles: dict[int, list[Part]] = {}
    overrides: dict[tuple[int, str], UnitCost] = {}
    _cut: dict[tuple[int | None, int | None], list[Segment]] = {}

    @classmethod
    def load(
        cls, store: Store, defaults: CostDefaults, *, variants: Collection[int] | None, products: Collection[int] | None,
        orders: Collection[int] = (),
    ) -> "Costing":  # fmt: skip
        """Read what the given variants, products (None: all the store has) and orders need; those without rules are not listed."""
        costing = cls(currency=store.currency, default_percentage=tenk(defaults.cogs_percentage))
        costing._read_percentages(store, products)
        costing._read_bundles(store, variants)
        components = {part.component for parts in costing.bundles.values() for part in parts}
        costing._read_costs(store, None if variants is None else {*variants, *components})
        costing._read_overrides(store, orders)
        return costing

    def _read_percentages(self, store: Store, products: Collection[int] | None) -> None:
        own = Q() if products is None else Q(product=None) | Q(product__in=products)
        for rule in CogsRule.objects.filter(own, store=store, removed_by=None):
            dated = Dated(*day_span(rule.effective_from, rule.effective_to), tenk(rule.percentage))
            (self.store_rules if rule.product_id is None else self.product_rules.setdefault(rule.product_id, [])).append(dated)

    def _read_bundles(self, store: Store, variants: Collection[int] | None) -> None:
        own = Q() if variants is None else Q(bundle__in=variants)
        for row in BundlePart.objects.filter(own, store=store, removed_by=None):
            self.bundles.setdefault(row.bundle_id, []).append(Part(*day_span(row.effective_from, row.effective_to), row.component_id, row.quantity))

    def _read_costs(self, store: Store, variants: Collection[int] | None) -> None:
        own = Q() if variants is None else Q(variant__in=variants)
        for row in VariantCost.objects.filter(own, store=store, removed_by=None):
            priced = Priced(day_span(row.effective_from, None)[0], tenk(row.landed), row.currency)
            self.variant_costs.setdefault((row.variant_id, CostOrigin(row.origin)), []).append(priced)
        for costs in self.variant_costs.values():
            costs.sort()

    def _read_overrides(self, store: Store, orders: Collection[int]) -> None:
        for row in CostOverride.objects.filter(store=store, order_id__in=orders, removed_by=None):
            self.overrides[row.order_id, row.line] = UnitCost(tenk(row.unit_cost), CostSource.OVERRIDE, currency=row.currency)

    def currencies(self) -> set[str]:
        """Return every currency that some cost is in."""
        priced = {cost.currency for costs in self.variant_costs.values() for cost in costs}
        return priced | {cost.currency for cost in self.overrides.values()}

    def apply(self, order: OrderRow, find_rate: Callable[[str, int], Rate | None]) -> None:
        """Write the decided cost and its reason onto each line of an order; `find_rate` finds one into the book's currency."""
        for line in order.lines:
            cost = self.unit_cost(line, order, find_rate)
            line.unit_cost, line.cost_source, line.cost_percentage = cost.amount, cost.source, cost.percentage
            line.cost_currency = "" if cost.currency == order.currency else cost.currency

    def unit_cost(self, line: LineRow, order: OrderRow, find_rate: Callable[[str, int], Rate | None]) -> UnitCost:
        """Decide the cost of one unit of an order's line: a known cost, else list price before discounts, tax removed, × COGS %."""
        override = self.overrides.get((order.id, line.external_id))
        if override is not None:
            return override
        if line.stated_cost is not None:
            return UnitCost(line.stated_cost, CostSource.STATED)
        known = self.on(line.variant, line.product, order.day)
        if known.percentage is not None:
            return UnitCost(divide_half_even(line.unit_price * known.percentage, PERCENT), known.source, known.percentage)
        if known.amount is not None:
            return UnitCost(known.amount, known.source, currency=known.currency)
        return self._at_rates(known, order.day, find_rate)

    def _at_rates(self, bundle: Segment, day: int, find_rate: Callable[[str, int], Rate | None]) -> UnitCost:
        """Add up what parts cost in several currencies, in the book's, at the rates of a day."""
        amount, source = 0, bundle.source
        for currency, part in bundle.sums:
            if currency == self.currency:
                amount += part
                continue
            rate = find_rate(currency, day)
            if rate is None:
                return UnitCost(None, source, currency=currency)
            amount += convert(part, rate.value, 1)
            source = CostSource.BUNDLE_ESTIMATED if rate.estimated else source
        return UnitCost(amount, source, currency=self.currency)

    def on(self, variant: int | None, product: int | None, day: int) -> Segment:
        """Return what the rules say of a variant on a day."""
        segments = self.segments(variant, product)
        return segments[bisect_right(segments, day, key=lambda segment: segment.first) - 1]

    def segments(self, variant: int | None, product: int | None) -> list[Segment]:
        """Return what the rules say of a variant from ALWAYS to FOREVER, in adjoining spans of days."""
        key = (variant, product)
        if key not in self._cut:
            self._cut[key] = self._segments(variant, product)
        return self._cut[key]

    def _segments(self, variant: int | None, product: int | None) -> list[Segment]:
        starts = sorted({ALWAYS, *self._turns(variant, product)})
        segments: list[Segment] = []
        for first, following in zip(starts, [*starts[1:], FOREVER + 1], strict=True):
            decision = self._decide(variant, product, first)
            if segments and segments[-1][2:] == decision:
                segments[-1] = segments[-1]._replace(last=following - 1)
            else:
                segments.append(Segment(first, following - 1, *decision))
        return segments

    def _turns(self, variant: int | None, product: int | None) -> Iterable[int]:
        """Yield every day on which what holds for a variant may begin to differ from the day before."""
        spans: list[Dated | Part] = [*self.store_rules]
        if product is not None:
            spans += self.product_rules.get(product, ())
        if variant is not None:
            parts = self.bundles.get(variant, [])
            spans += parts
            for each in (variant, *(part.component for part in parts)):
                for origin in CostOrigin:
                    yield from (cost.first for cost in self.variant_costs.get((each, origin), ()))
        for span in spans:
            yield span.first
            if span.last < FOREVER:
                yield span.last + 1

    def _decide(self, variant: int | None, product: int | None, day: int) -> Decision:
        if variant is not None:
            own = self._own_cost(variant, day)
            if own is not None and own.source == CostSource.VARIANT_MANUAL:
                return own
            known = self._bundle(variant, day) or own
            if known is not None:
                return known
        return self._percentage(product, day)

    def _own_cost(self, variant: int, day: int) -> Decision | None:
        """Return a variant's cost on a day, by hand before by the platform, else the first one known."""
        by_origin = [(self.variant_costs.get((variant, origin), ()), source) for origin, source in _SOURCES]
        for costs, source in by_origin:
            place = bisect_right(costs, day, key=lambda cost: cost.first)
            if place:
                return Decision(source, costs[place - 1].amount, costs[place - 1].currency)
        firsts = [costs[0] for costs, _ in by_origin if costs]
        if not firsts:
            return None
        # by hand before by the platform where both begin on one day: min() keeps the first
        first = min(firsts, key=lambda cost: cost.first)
        return Decision(CostSource.VARIANT_FIRST, first.amount, first.currency)

    def _bundle(self, variant: int, day: int) -> Decision | None:
        """Return what a bundle's parts on a day cost together; nothing where it is none, or the cost of a part is not known."""
        source, sums = CostSource.BUNDLE, dict[str, Tenk]()
        for part in self.bundles.get(variant, ()):
            if part.first <= day <= part.last:
                cost = self._own_cost(part.component, day)
                if cost is None or cost.amount is None:
                    return None
                sums[cost.currency] = sums.get(cost.currency, 0) + part.quantity * cost.amount
                source = CostSource.BUNDLE_ESTIMATED if cost.source in ESTIMATED_SOURCES else source
        if not sums:
            return None
        if len(sums) == 1:
            ((currency, amount),) = sums.items()
            return Decision(source, amount, currency)
        return Decision(source, sums=tuple(sorted(sums.items())))

    def _percentage(self, product: int | None, day: int) -> Decision:
        """Return the COGS percentage (ten-thousandths of a per cent) that applies to a product on a day."""
        own = None if product is None else _on(self.product_rules.get(product, ()), day)
        if own is not None:
            return Decision(CostSource.PRODUCT_PERCENTAGE, percentage=own)
        of_store = _on(self.store_rules, day)
        if of_store is not None:
            return Decision(CostSource.STORE_PERCENTAGE, percentage=of_store)
        return Decision(CostSource.DEFAULT_PERCENTAGE, percentage=self.default_percentage)


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
