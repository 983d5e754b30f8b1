"""Check for rules that never count: hidden behind others, or about what no order names."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from ledger.cost_checks.found import INFO, Case, Found, rows
from ledger.costs.fees import EXEMPT_GATEWAYS
from ledger.costs.seen import MOST_NAMES, WINDOW
from ledger.kinds import CostOrigin
from ledger.models import Seen, ShippingRule
from ledger.models.rules import Rule, first_of, holds, last_of

_PRODUCTS = """
    SELECT p.id, coalesce(nullif(p.title, ''), p.external_id),
        EXISTS (SELECT 1 FROM ledger_variant v WHERE v.product_id = p.id) AND NOT EXISTS (
            SELECT 1 FROM ledger_variant v WHERE v.product_id = p.id
                AND NOT EXISTS (SELECT 1 FROM ledger_variantcost c WHERE c.store_id = p.store_id AND c.variant_id = v.id AND c.removed_by_id IS NULL))
    FROM ledger_product p WHERE p.store_id = %s AND p.id = ANY(%s) ORDER BY p.id
"""
"""Products with a COGS percentage, and whether each of their variants has a cost of its own."""


_BY_HAND = """
    SELECT variant_id, min(coalesce(effective_from, DATE '0001-01-01')) FROM ledger_variantcost
    WHERE store_id = %s AND origin = %s AND removed_by_id IS NULL AND variant_id = ANY(%s) GROUP BY variant_id
"""
"""The first day from which each variant has a cost entered by hand."""


def overlaps(case: Case) -> list[Found]:
    """Find percentages and bundles that never count, because the variants they are about have a cost of their own."""
    return [*_percentages(case), *_bundles(case)]


def _percentages(case: Case) -> Iterator[Found]:
    dated: dict[int, list[Rule]] = {}
    for rule in case.percentages:
        if rule.product_id is not None:
            dated.setdefault(rule.product_id, []).append(rule)
    for pk, title, costed in rows(_PRODUCTS, [case.store.pk, sorted(dated)]):
        if costed:
            told = f"The COGS % of {title} never counts: each of its variants has a cost of its own. Take the percentage back."
            yield Found(f"{title} (product {pk})", told, severity=INFO, mend=f"cogsrule/{dated[pk][0].pk}/change/")


def _bundles(case: Case) -> Iterator[Found]:
    """Find bundles that have a cost entered by hand on all of their days; it goes before the sum of the parts."""
    parts = {part.bundle_id: part for part in sorted(case.parts, key=first_of, reverse=True)}
    found = rows(_BY_HAND, [case.store.pk, CostOrigin.MANUAL.value, sorted(parts)]) if parts else []
    for bundle, begins in found:
        part = parts[bundle]
        if begins <= first_of(part):
            told = f"What is in the bundle {part.bundle} never counts: it has a cost of its own, entered by hand. Take one of the two back."
            yield Found(f"{part.bundle} (variant {bundle})", told, severity=INFO, mend=f"bundlepart/{part.pk}/change/")


def dead(case: Case) -> list[Found]:
    """Find rules that fitted no order of the last 180 days, or cannot fit any."""
    if not case.of_kind(Seen.Kind.COUNTRY) and not case.of_kind(Seen.Kind.GATEWAY):
        return []  # nothing was counted: nothing can be told
    return [*_fees(case), *_shipping(case), *_channels(case), *_codes(case)]


def _recent(case: Case, rule: Rule) -> bool:
    return holds(rule, case.today - timedelta(days=WINDOW - 1), case.today)


def _fees(case: Case) -> Iterator[Found]:
    gateways = case.of_kind(Seen.Kind.GATEWAY)
    currencies = {row.currency for found in gateways.values() for row in found}
    for rule in case.fees:
        seen = {row.currency for row in gateways.get(rule.gateway, [])} if rule.gateway else currencies
        page = f"feerule/{rule.pk}/change/"
        if rule.gateway in EXEMPT_GATEWAYS:
            yield Found(f"fee rule {rule.pk}", f"“{rule}” never counts: nothing is kept of {rule.gateway} payments.", severity=INFO, mend=page)
        elif gateways and _recent(case, rule) and (not seen or (rule.currency and rule.currency not in seen)):
            known = ", ".join(sorted(name for name in gateways if name)[:5])
            seen_were = f"Seen were the gateways {known}" if known else "The charges seen name no gateway"
            told = f"“{rule}” fitted no charge of the last 180 days. {seen_were}. Is it spelt as the platform does?"
            yield Found(f"fee rule {rule.pk}", told, mend=page)


def _shipping(case: Case) -> Iterator[Found]:
    countries, methods = case.of_kind(Seen.Kind.COUNTRY), case.of_kind(Seen.Kind.METHOD)
    ordered = sorted(case.shipping, key=lambda rule: (rule.position, rule.pk))
    for place, rule in enumerate(ordered):
        before = next((earlier for earlier in ordered[:place] if covers(earlier, rule)), None)
        named = set(rule.countries.upper().split())
        told = ""
        if before is not None:
            told = f"never counts: “{before}” at position {before.position} comes first and fits every order that it fits."
        elif rule.channel and rule.channel not in case.channels:
            told = f"fits no order: the store has no sales channel “{rule.channel}”."
        elif _recent(case, rule) and named and countries and not named & set(countries):
            told = f"fitted no order of the last 180 days: none went to {' or '.join(sorted(named)[:5])}."
        elif _recent(case, rule) and rule.method and 0 < len(methods) < MOST_NAMES and not any(rule.method.lower() in name for name in methods):
            told = f"fitted no order of the last 180 days: no shipping method holds the words “{rule.method}”."
        if told:
            yield Found(f"shipping rule {rule.pk}", f"The shipping rule “{rule}” {told}", mend=f"shippingrule/{rule.pk}/change/")


def covers(earlier: ShippingRule, later: ShippingRule) -> bool:
    """Tell whether a shipping rule fits every order, on every day, that another one fits."""
    return (
        first_of(earlier) <= first_of(later)
        and last_of(later) <= last_of(earlier)
        and _countries_within(earlier, later)
        and earlier.channel in ("", later.channel)
        and earlier.method.lower() in later.method.lower()
        and all(_within(earlier, later, what) for what in ("grams", "units", "value"))
    )


def _countries_within(earlier: ShippingRule, later: ShippingRule) -> bool:
    wide, narrow = (set(rule.countries.upper().split()) for rule in (earlier, later))
    return not wide or (bool(narrow) and narrow <= wide)


def _within(earlier: Any, later: Any, what: str) -> bool:
    least, most = f"least_{what}", f"most_{what}"
    top, bottom = getattr(earlier, most), getattr(earlier, least)
    if what == "units" and bottom <= 1:
        bottom = 0
    return bool(bottom <= getattr(later, least) and (top is None or (getattr(later, most) is not None and getattr(later, most) <= top)))


def _channels(case: Case) -> Iterator[Found]:
    for cost in case.manual:
        if cost.channel and cost.channel not in case.channels:
            told = f"“{cost}” fits no order: the store has no sales channel “{cost.channel}”."
            yield Found(f"manual cost {cost.pk}", told, mend=f"manualcost/{cost.pk}/change/")


def _codes(case: Case) -> Iterator[Found]:
    used = case.of_kind(Seen.Kind.CODE)
    since = case.today - timedelta(days=WINDOW - 1)
    for code in case.codes:
        begun = max(first_of(code), code.added_by.at.date())
        if code.code not in used and begun <= since and case.today <= last_of(code):
            told = f"Nobody has used {code.partner}'s code {code.code} for 180 days."
            yield Found(f"code {code.code}", told, severity=INFO, mend=f"partnercode/{code.pk}/change/")
