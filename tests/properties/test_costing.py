"""The spans in which a variant costs something say, day by day, what the order of precedence says."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.costs.costing import Costing, Dated, Part, Priced
from ledger.days import ALWAYS, FOREVER
from ledger.kinds import CostOrigin, CostSource
from ledger.orders.rows import LineRow, OrderRow

SET, MUG, CAP = 1, 2, 3
DAYS = (ALWAYS, *range(-2, 15), FOREVER)

_first = st.just(ALWAYS) | st.integers(0, 10)
_span = st.tuples(_first, st.just(FOREVER) | st.integers(0, 12)).filter(lambda span: span[0] <= span[1])
_percentage = st.builds(lambda span, share: Dated(*span, share * 10_000), _span, st.integers(0, 100))


def _apart(spans: list) -> list:
    """Keep the spans that do not overlap one kept before, as the database would."""
    kept: list = []
    for span in spans:
        if all(span.last < other.first or other.last < span.first for other in kept):
            kept.append(span)
    return kept


_percentages = st.lists(_percentage, max_size=3).map(_apart)
_prices = st.lists(st.builds(Priced, _first, st.integers(0, 50), st.sampled_from(["EUR", "USD"])), max_size=3, unique_by=lambda price: price.first)


def _part(component: int) -> st.SearchStrategy[list[Part]]:
    one = st.builds(lambda span, quantity: Part(*span, component, quantity), _span, st.integers(1, 3))
    return st.lists(one, max_size=2).map(_apart)


costings = st.builds(
    lambda store, product, prices, parts: Costing(
        "EUR", 400_000, store, {9: product}, {key: sorted(found) for key, found in prices.items() if found}, {SET: [*parts[0], *parts[1]]}
    ),
    _percentages, _percentages,
    st.fixed_dictionaries({(variant, origin): _prices for variant in (SET, MUG, CAP) for origin in CostOrigin}),
    st.tuples(_part(MUG), _part(CAP)),
)  # fmt: skip

Said = tuple[CostSource, object]


def _price(costing: Costing, variant: int, day: int) -> tuple[CostSource, int, str] | None:
    """Look at every price there is, the best last."""
    best = None
    everything = [(origin, price) for origin in CostOrigin for price in costing.variant_costs.get((variant, origin), ())]
    for origin, price in sorted(everything, key=lambda pair: (-pair[0], pair[1].first)):
        if price.first <= day:
            source = CostSource.VARIANT_MANUAL if origin == CostOrigin.MANUAL else CostSource.VARIANT_PLATFORM
            best = (source, price.amount, price.currency)
    if best is None and everything:
        _, first = sorted(everything, key=lambda pair: (pair[1].first, pair[0]))[0]
        best = (CostSource.VARIANT_FIRST, first.amount, first.currency)
    return best


def expected(costing: Costing, variant: int | None, product: int | None, day: int) -> Said:
    """Say what a unit costs on a day, from the words of the metrics page."""
    own = None if variant is None else _price(costing, variant, day)
    if own is not None and own[0] == CostSource.VARIANT_MANUAL:
        return own[0], {own[2]: own[1]}
    holding = [part for part in costing.bundles.get(variant or 0, ()) if part.first <= day <= part.last]
    costs = [(part.quantity, _price(costing, part.component, day)) for part in holding]
    if costs and all(cost is not None for _, cost in costs):
        known = [(quantity, *cost) for quantity, cost in costs if cost is not None]
        currencies = {currency for *_, currency in known}
        sums = {name: sum(quantity * amount for quantity, _, amount, currency in known if currency == name) for name in currencies}
        guessed = any(source == CostSource.VARIANT_FIRST for _, source, *_ in known)
        return CostSource.BUNDLE_ESTIMATED if guessed else CostSource.BUNDLE, sums
    if own is not None:
        return own[0], {own[2]: own[1]}
    for rules, source in ((costing.product_rules[9] if product == 9 else [], CostSource.PRODUCT_PERCENTAGE),
                          (costing.store_rules, CostSource.STORE_PERCENTAGE)):  # fmt: skip
        for rule in rules:
            if rule.first <= day <= rule.last:
                return source, rule.percentage
    return CostSource.DEFAULT_PERCENTAGE, 400_000


@settings(max_examples=300, deadline=None)
@given(costings, st.sampled_from([(SET, 9), (MUG, 9), (MUG, None), (None, 9), (None, None)]))
def test_spans_adjoin_and_say_what_holds_on_each_of_their_days(costing: Costing, about: tuple[int | None, int | None]) -> None:
    segments = costing.segments(*about)
    assert (segments[0].first, segments[-1].last) == (ALWAYS, FOREVER)
    for segment, following in pairwise(segments):
        assert segment.last + 1 == following.first
        assert segment[2:] != following[2:]
    for day in DAYS:
        (segment,) = [segment for segment in segments if segment.first <= day <= segment.last]
        sums = dict(segment.sums) if segment.sums else {segment.currency: segment.amount}
        assert (segment.source, sums if segment.percentage is None else segment.percentage) == expected(costing, *about, day)


@settings(max_examples=300, deadline=None)
@given(costings, st.sampled_from([(SET, 9), (MUG, None), (None, 9)]), st.sampled_from(DAYS), st.integers(0, 300))
def test_a_unit_costs_what_the_span_of_its_day_says(costing: Costing, about: tuple[int | None, int | None], day: int, price: int) -> None:
    line = LineRow("1", 1, 1, price, about[0], about[1], "", "")
    cost = costing.unit_cost(line, OrderRow(1, "shop", "1", "#1", 0, day, "EUR", 1, 4, 1), lambda currency, on: None)
    source, said = expected(costing, *about, day)
    assert cost.source == source
    if isinstance(said, int):
        assert cost.amount is not None
        assert (cost.percentage, abs(cost.amount * 1_000_000 - price * said) * 2 <= 1_000_000) == (said, True)
    elif len(said) == 1:
        assert {cost.currency: cost.amount} == said
    else:  # no rate from USD is known
        assert (cost.amount, cost.currency) == (None, "USD")
