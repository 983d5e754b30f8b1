"""Check the days of rules: those between two rules that neither covers, and costs that end soon."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from ledger import accounts
from ledger.cost_checks.found import INFO, Case, Found, rows, span
from ledger.findings import mend_at
from ledger.kinds import Basis
from ledger.models import ManualCost
from ledger.models.rules import Rule, first_of, last_of

SOON = 30
"""Days ahead in which a cost ends soon."""
ABOUT_A_YEAR = 350
"""Days from which on a cost that was entered once is one that comes every year."""

MOST_GAPS = 200
"""Whose sales are looked up, the latest first."""

ONE_DAY = timedelta(days=1)


class _Gap(NamedTuple):
    """Days between two rules of one scope."""

    what: str
    first: date
    last: date
    page: str
    form: dict[str, Any]
    product: int | None = None
    variant: int | None = None


def gaps(case: Case) -> list[Found]:
    """Find days with sales that lie between two rules of one scope and are covered by neither."""
    every = [*_of_percentages(case), *_of_fees(case), *_of_shipping(case), *_of_bundles(case)]
    found = sorted(every, key=lambda gap: gap.last, reverse=True)[:MOST_GAPS]
    sales = _sales(case, found)
    return [
        Found(
            f"{gap.what}, {span(gap.first, gap.last)}",
            f"{gap.what}: no rule holds from {span(gap.first, gap.last)}, between two that do. {case.money(amount)} were sold on these days; "
            "what stands in is the next best rule, or the default.",
            money=amount,
            mend=mend_at(gap.page, store=case.store.pk, **gap.form, effective_from=gap.first, effective_to=gap.last),
        )
        for gap, amount in zip(found, sales, strict=True)
        if amount > 0
    ]


def _between(rules: Sequence[Rule]) -> Iterator[tuple[date, date]]:
    ordered = sorted(rules, key=first_of)
    for before, after in pairwise(ordered):
        if before.effective_to is not None and after.effective_from is not None and before.effective_to + ONE_DAY < after.effective_from:
            yield before.effective_to + ONE_DAY, after.effective_from - ONE_DAY


def _by(rules: Sequence[Any], *names: str) -> dict[tuple[Any, ...], list[Any]]:
    scopes: dict[tuple[Any, ...], list[Any]] = {}
    for rule in rules:
        scopes.setdefault(tuple(getattr(rule, name) for name in names), []).append(rule)
    return scopes


def _of_percentages(case: Case) -> Iterator[_Gap]:
    for (product,), rules in _by(case.percentages, "product_id").items():
        what = f"COGS % of {rules[0].product or 'the store'}"
        for first, last in _between(rules):
            yield _Gap(what, first, last, "cogsrule/add/", {"product": product}, product=product)


def _of_fees(case: Case) -> Iterator[_Gap]:
    for (gateway, currency), rules in _by(case.fees, "gateway", "currency").items():
        what = f"Fees of {gateway or 'every gateway'}{f' in {currency}' if currency else ''}"
        for first, last in _between(rules):
            yield _Gap(what, first, last, "feerule/add/", {"gateway": gateway, "currency": currency})


def _of_shipping(case: Case) -> Iterator[_Gap]:
    for (position,), rules in _by(case.shipping, "position").items():
        for first, last in _between(rules):
            yield _Gap(f"Shipping at position {position}", first, last, "shippingrule/add/", {"position": position, "name": rules[0].name})


def _of_bundles(case: Case) -> Iterator[_Gap]:
    for (bundle, component), rules in _by(case.parts, "bundle_id", "component_id").items():
        what = f"{rules[0].component} in {rules[0].bundle}"
        for first, last in _between(rules):
            yield _Gap(what, first, last, "bundlepart/add/", {"bundle": bundle, "component": component}, variant=bundle)


_OF_STORE = """
    SELECT g.nth, coalesce((SELECT sum(t.amount) FROM ledger_daytotal t
        WHERE t.book_id = %s AND t.basis = %s AND t.account = %s AND t.day BETWEEN g.first AND g.last), 0)
    FROM unnest(%s::date[], %s::date[]) WITH ORDINALITY AS g(first, last, nth) ORDER BY 1
"""
_OF_GOODS = """
    SELECT g.nth, coalesce((SELECT sum(t.gross_sales) FROM ledger_productdaytotal t
        WHERE t.book_id = %s AND t.basis = %s AND t.day BETWEEN g.first AND g.last AND t.variant IN (
            SELECT v.id FROM ledger_variant v WHERE v.product_id = g.product OR v.id = g.variant)), 0)
    FROM unnest(%s::date[], %s::date[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS g(first, last, product, variant, nth) ORDER BY 1
"""


def _sales(case: Case, found: Sequence[_Gap]) -> list[Decimal]:
    """Return what was sold on the days of each gap, at list price: of its goods, or of the whole store."""
    sales: dict[int, Decimal] = {}
    for of_goods in (False, True):
        some = [index for index, gap in enumerate(found) if bool(gap.product or gap.variant) is of_goods]
        firsts, lasts = [found[index].first for index in some], [found[index].last for index in some]
        if not some:
            continue
        if of_goods:
            goods = ([found[index].product for index in some], [found[index].variant for index in some])
            read = rows(_OF_GOODS, [case.store.pk, Basis.ORDER.value, firsts, lasts, *goods])
        else:
            read = rows(_OF_STORE, [case.store.pk, Basis.ORDER.value, accounts.SALES_GROSS, firsts, lasts])
        sales.update(zip(some, (amount for _, amount in read), strict=True))
    return [sales[index] for index in range(len(found))]


def ends_soon(case: Case) -> list[Found]:
    """Find costs that come again and again, or cover about a year, end within 30 days, and are not gone on with by another."""
    return [
        Found(
            f"{cost.account_name} {cost.pk}",
            f"{cost} ends on {last_of(cost):%-d %b %Y}. Enter what follows it, if anything does.",
            severity=INFO,
            mend=mend_at("manualcost/add/", store=case.store.pk, category=cost.category, label=cost.label, basis=cost.basis,
                         amount=None if cost.amount is None else f"{cost.amount.normalize():f}", currency=cost.currency,
                         effective_from=last_of(cost) + ONE_DAY),
        )
        for cost in ending(case.manual, case.today)
    ]  # fmt: skip


def ending(costs: Sequence[ManualCost], today: date) -> list[ManualCost]:
    """Return the costs that end within 30 days, the first to end first."""
    found = [cost for cost in costs if _comes_again(cost) and today <= last_of(cost) <= today + timedelta(days=SOON)]
    return sorted((cost for cost in found if not _gone_on_with(cost, costs)), key=lambda cost: (last_of(cost), cost.pk))


def _comes_again(cost: ManualCost) -> bool:
    return cost.basis in ManualCost.RECURRING or (last_of(cost) - first_of(cost)).days + 1 >= ABOUT_A_YEAR


def _gone_on_with(cost: ManualCost, costs: Sequence[ManualCost]) -> bool:
    after = last_of(cost) + ONE_DAY
    return any(other.account_name == cost.account_name and first_of(other) <= after <= last_of(other) for other in costs)
