"""Check what units cost: more than they sell for, much more or less than before, or nothing at all."""

from decimal import Decimal
from typing import Any

from ledger.cost_checks.found import Case, Found, rows
from ledger.findings import mend_at
from ledger.kinds import CostOrigin
from ledger.money import convert, decimal, minor_step, tenk
from ledger.rates import RateTable

JUMP = Decimal("0.30")
"""Between two costs of a variant; a larger step is likely a slip."""

_TODAYS_COST = """
    SELECT DISTINCT ON (variant_id) variant_id, goods + freight + duty + packaging, currency FROM ledger_variantcost
    WHERE store_id = %s AND removed_by_id IS NULL AND variant_id = ANY(%s) AND (effective_from IS NULL OR effective_from <= %s)
    ORDER BY variant_id, origin = %s DESC, effective_from DESC NULLS LAST
"""
"""What each variant costs now: by hand before by the platform, the latest of them."""


def above_price(case: Case) -> list[Found]:
    """Find variants whose unit cost today is at or above the average list price they sold for in the last 90 days."""
    sold = {one.variant: one for one in case.sold if one.units > 0 and one.gross > 0}
    costs = rows(_TODAYS_COST, [case.store.pk, list(sold), case.today, CostOrigin.MANUAL.value])
    own = case.store.currency
    table = RateTable.load(own, {currency for *_, currency in costs} - {own}, case.today, case.today)
    found = []
    for variant, landed, currency in costs:
        one = sold[variant]
        rate = None if currency == own else table.find(currency, case.today)
        if currency != own and rate is None:
            continue
        cost = landed if rate is None else decimal(convert(tenk(landed), rate.value, minor_step(own)))
        price = one.gross / one.units
        if cost >= price:
            told = (
                f"A unit of {one.name} costs {case.money(cost)} and sold for {case.money(price)} on average before discounts, tax removed. "
                "Is the cost that of a pack, or in another currency?"
            )
            page = mend_at("variantcost/add/", store=case.store.pk, variant=variant)
            found.append(Found(f"{one.name} (variant {variant})", told, money=(cost * one.units - one.gross).quantize(Decimal("0.0001")), mend=page))
    return found


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
