"""Record what platforms' catalogues tell of products and variants: names, prices, stock, and what a unit costs from the day it was seen.

A cost that a platform tells is dated: it holds from the day it was first seen, and never restates the days before.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from ledger.catalogue import catalog_rows
from ledger.catalogue.catalog_rows import Standing
from ledger.facts import GoneFact, VariantFact
from ledger.kinds import CostOrigin
from ledger.models import Store, VariantCost
from ledger.money import decimal
from ledger.orders import dimensions
from ledger.rules import rules
from ledger.stores import today_of

TOLD = "told by {}"


class Catalogued(NamedTuple):
    """What recording a catalogue did, in variants."""

    changed: int = 0
    unchanged: int = 0
    costs: int = 0
    """Costs that are news; orders since that day are restated in the background."""


def record_variants(store: Store, facts: Sequence[VariantFact], *, now: datetime) -> Catalogued:
    """Record what one platform's catalogue tells of variants, in the caller's transaction, and return what was news.

    The same facts again write nothing. Raise RuleRefused for a cost that cannot be one.
    """
    latest = _merged(facts)
    if not latest:
        return Catalogued()
    platform = facts[0].platform
    refs = dimensions.variants(store.pk, platform, {key: (fact.sku or "", fact.title or fact.product_title) for key, fact in latest.items()})
    by_variant = {refs[key].variant: fact for key, fact in latest.items()}
    standing = catalog_rows.standing(store.pk, list(by_variant))
    products = dimensions.products(store.pk, platform, _wanted_products(by_variant, standing))
    today = today_of(store, now)
    changed = catalog_rows.write(store.pk, by_variant, standing, products, now=now) | catalog_rows.write_prices(
        store.pk, by_variant, standing, today=today
    )  # fmt: skip
    costs = _costs_that_are_news(by_variant, _standing_costs(store, list(by_variant)), today)
    if costs:
        rules.change(store, add=costs, actor="", reason=TOLD.format(platform.replace("_", " ").capitalize()), now=now)
    changed |= {cost.variant_id for cost in costs}
    return Catalogued(len(changed), len(by_variant) - len(changed), len(costs))


def record_gone(store: Store, facts: Sequence[GoneFact]) -> int:
    """Note products and variants that their platform deleted, and return how many were there and not noted; what they cost stands."""
    return sum(catalog_rows.note_gone(store.pk, fact) for fact in facts)


def _merged(facts: Sequence[VariantFact]) -> dict[str, VariantFact]:
    """Keep one fact per variant: the last, with what only those before it tell."""
    latest: dict[str, VariantFact] = {}
    for fact in facts:
        before = latest.get(fact.external_id)
        if before is None:
            latest[fact.external_id] = fact
            continue
        names = VariantFact.__struct_fields__
        latest[fact.external_id] = VariantFact(
            *(getattr(before if getattr(fact, name) in (None, "") else fact, name) for name in names)
        )  # fmt: skip
    return latest


def _wanted_products(facts: Mapping[int, VariantFact], standing: Mapping[int, Standing]) -> dict[str, tuple[str, int]]:
    """Return the products that are told, each with its title and the product that one of its variants has until now."""
    return {fact.product: (fact.product_title, standing[pk].product) for pk, fact in facts.items() if fact.product is not None}


def _standing_costs(store: Store, variants: Sequence[int]) -> dict[int, tuple[Decimal, str]]:
    """Return what the platform told last that a unit of each variant costs."""
    found = rules.live(VariantCost, store).filter(variant__in=variants, origin=CostOrigin.PLATFORM).order_by("effective_from")
    return {cost.variant_id: (cost.landed, cost.currency) for cost in found}


def _costs_that_are_news(facts: Mapping[int, VariantFact], standing: Mapping[int, tuple[Decimal, str]], today: date) -> list[VariantCost]:
    return [
        VariantCost(variant_id=pk, origin=CostOrigin.PLATFORM, goods=decimal(fact.unit_cost), currency=fact.cost_currency, effective_from=today)
        for pk, fact in facts.items()
        if fact.unit_cost is not None and standing.get(pk) != (decimal(fact.unit_cost), fact.cost_currency)
    ]
