"""List what to fix next, by the money that rests on a guess: products without a cost, gateways without a rule, orders without a label.

Always about the last 90 days. Reads what coverage reads; of orders only what was counted by night.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.costs.costing import PERCENT
from ledger.costs.coverage import Uncosted, last_days, uncosted
from ledger.costs.fees import EXEMPT_GATEWAYS, FeeRules, FeeTerms
from ledger.costs.seen import RECENT
from ledger.days import day_number
from ledger.findings import mend_at
from ledger.models import CostDefaults, Seen, Store
from ledger.money import decimal, divide_half_even, minor_step, tenk


class Fix(NamedTuple):
    """One thing to find out: what, why, the cost in the store's currency that is guessed until then, and the admin page for it."""

    what: str
    why: str
    at_stake: Decimal | None
    """None where the guess is that it cost nothing, or cannot be told in the store's currency."""
    mend: str
    """Below /admin/ledger/."""


def fixes(store: Store, *, today: date, products: Iterable[Uncosted] | None = None, most: int = 10) -> list[Fix]:
    """Return what to fix next, most money first; `products` is coverage's list of the last 90 days where that is known already."""
    known = uncosted(store, last_days(today, RECENT)) if products is None else products
    found = [*(_product(store, one) for one in known), *_of_orders(store, today)]
    return sorted(found, key=lambda fix: (fix.at_stake is None, -(fix.at_stake or 0), fix.what))[:most]


def _product(store: Store, one: Uncosted) -> Fix:
    guess = "the default COGS %" if one.by_default else "a COGS %"
    variant, sku = next(iter(one.skus.items()))
    named = f" ({sku})" if sku and sku != one.title else ""
    what = one.title + (f": {len(one.skus)} variants" if len(one.skus) > 1 else named)
    page = mend_at("variantcost/add/", store=store.pk, variant=variant)
    return Fix(what, f"no unit cost is known; {guess} stands in", one.cogs if one.cogs > 0 else None, page)


def _of_orders(store: Store, today: date) -> Iterator[Fix]:
    rules = FeeRules.load(store, CostDefaults.current())
    for row in Seen.objects.filter(store=store, kind__in=[Seen.Kind.GATEWAY, Seen.Kind.UNLABELLED], count__gt=0):
        if row.kind == Seen.Kind.UNLABELLED:
            stake = row.amount if row.amount else None
            guess = "a rule, or what the customer paid, stands in" if stake else "they count as shipped for nothing"
            orders = f"{row.count:,} order{'' if row.count == 1 else 's'} shipped without a label's cost"
            yield Fix(orders, f"no label is known; {guess}", stake, mend_at("shippingrule/add/", store=store.pk))
        elif row.name not in EXEMPT_GATEWAYS and rules.on(row.name, row.currency, day_number(today)) is rules.default:
            yield _gateway(store, row, rules.default)


def _gateway(store: Store, row: Seen, terms: FeeTerms) -> Fix:
    named = f"Fees of {row.name or 'the unnamed gateway'}"
    if row.currency != store.currency:
        named += f" in {row.currency}"
    why = f"{row.count:,} charge{'' if row.count == 1 else 's'}; no fee rule; the default fee stands in"
    stake = None
    if row.amount is not None:
        step = minor_step(store.currency)
        stake = decimal(divide_half_even(tenk(row.amount) * terms.percentage + terms.fixed * row.count * PERCENT, PERCENT * step) * step)
    return Fix(named, why, stake, mend_at("feerule/add/", store=store.pk, gateway=row.name))
