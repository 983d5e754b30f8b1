"""Check what units cost: more than they sell for, much more or less than before, or nothing at all."""

from decimal import Decimal
from typing import Any

from ledger.cost_checks.found import Case, Found, rows
from ledger.costs.costing import Costing
from ledger.days import day_number
from ledger.findings import mend_at
from ledger.models import CostDefaults
from ledger.money import convert, decimal, minor_step
from ledger.rates import RateTable

JUMP = Decimal("0.30")
"""Between two costs of a variant; a larger step is likely a slip."""


def above_price(case: Case) -> list[Found]:
    """Find variants whose known unit cost today is at or above the average list price they sold for in the last 90 days."""
    costs = _unit_costs(case)
    found = []
    for one in case.sold:
        cost = costs.get(one.variant)
        if cost is None or one.units <= 0 or one.gross <= 0 or cost * one.units < one.gross:
            continue
        told = (
            f"A unit of {one.name} costs {case.money(cost)} and sold for {case.money(one.gross / one.units)} on average before discounts, "
            "tax removed. Is the cost that of a pack, or in another currency?"
        )
        page = mend_at("variantcost/add/", store=case.store.pk, variant=one.variant)
        found.append(Found(f"{one.name} (variant {one.variant})", told, money=(cost * one.units - one.gross).quantize(Decimal("0.0001")), mend=page))
    return found


def _unit_costs(case: Case) -> dict[int, Decimal]:
    """Return what a unit of each variant that sold is known to cost today, in the store's currency; none where a rate is missing."""
    costing = Costing.load(
        case.store, CostDefaults(), variants={one.variant for one in case.sold}, products={one.product for one in case.sold}
    )  # fmt: skip
    table = RateTable.load(case.store.currency, costing.currencies() - {case.store.currency}, case.today, case.today)
    costs = {}
    for one in case.sold:
        known = costing.on(one.variant, one.product, day_number(case.today))
        parts = known.sums or ([] if known.amount is None else [(known.currency, known.amount)])
        converted = [_own(amount, currency, case, table) for currency, amount in parts]
        if converted and None not in converted:
            costs[one.variant] = decimal(sum(amount or 0 for amount in converted))
    return costs


def _own(amount: int, currency: str, case: Case, table: RateTable) -> int | None:
    if currency == case.store.currency:
        return amount
    rate = table.find(currency, case.today)
    return None if rate is None else convert(amount, rate.value, minor_step(case.store.currency))


_JUMPS = """
    SELECT c.variant_id, coalesce(nullif(v.sku, ''), v.title, v.external_id), c.before, c.landed, c.currency, c.effective_from FROM (
        SELECT variant_id, effective_from, currency, goods + freight + duty + packaging AS landed,
            lag(goods + freight + duty + packaging) OVER same AS before, lag(currency) OVER same AS currency_before
        FROM ledger_variantcost WHERE store_id = %s AND removed_by_id IS NULL
        WINDOW same AS (PARTITION BY variant_id, origin ORDER BY effective_from NULLS FIRST)
    ) AS c JOIN ledger_variant v ON v.id = c.variant_id
    WHERE c.before > 0 AND c.landed > 0 AND c.currency = c.currency_before AND abs(c.landed - c.before) > %s * c.before AND c.effective_from >= %s
    ORDER BY abs(c.landed - c.before) / c.before DESC, c.variant_id
"""


def jumps(case: Case) -> list[Found]:
    """Find unit costs of the last 90 days, or ahead, that differ by more than 30 % from the one before in the same currency."""
    units: dict[Any, Decimal] = {one.variant: one.units for one in case.sold}
    found = []
    for variant, name, before, landed, currency, first in rows(_JUMPS, [case.store.pk, JUMP, case.recent]):
        change = ((landed - before) / before * 100).quantize(Decimal(1))
        told = (
            f"The unit cost of {name} goes from {before.normalize():f} to {landed.normalize():f} {currency} on {first:%-d %b %Y}, by {change:+} %. "
            "Is a figure out of place?"
        )
        stake = abs(landed - before) * units[variant] if variant in units and currency == case.store.currency else None
        page = mend_at("variantcost/add/", store=case.store.pk, variant=variant, effective_from=first)
        found.append(Found(f"{name} (variant {variant}), {first}", told, money=stake, mend=page))
    return found


def zero(case: Case) -> list[Found]:
    """Find variants that sold in the last 90 days, were not all returned, and cost nothing."""
    return [
        Found(
            f"{one.name} (variant {one.variant})",
            f"{one.name} sold {one.units.normalize():f} units for {case.money(one.net)} in the last 90 days at no cost. Does it really cost nothing?",
            money=one.net,
            mend=mend_at("variantcost/add/", store=case.store.pk, variant=one.variant),
        )
        for one in case.sold
        if one.cogs == 0 and one.net > 0 and one.units > one.returned
    ]
