"""Check rules that rest on other rows: bundles on their parts' costs, commissions on their partner's codes."""

from ledger.cost_checks.found import INFO, Case, Found, rows
from ledger.findings import mend_at
from ledger.models import BundlePart, ManualCost
from ledger.models.rules import first_of, holds, last_of

_COSTS = """
    SELECT variant_id, array_agg(DISTINCT currency) FROM ledger_variantcost
    WHERE store_id = %s AND removed_by_id IS NULL AND variant_id = ANY(%s) GROUP BY variant_id
"""


def bundles(case: Case) -> list[Found]:
    """Find bundles of today whose parts have no cost, and tell of those whose parts have costs in several currencies."""
    by_bundle: dict[int, list[BundlePart]] = {}
    for part in case.parts:
        if holds(part, case.today):
            by_bundle.setdefault(part.bundle_id, []).append(part)
    currencies = dict(rows(_COSTS, [case.store.pk, sorted({part.component_id for part in case.parts})])) if by_bundle else {}
    sales = {one.variant: one.net for one in case.sold}
    found = []
    for bundle, parts in by_bundle.items():
        unknown = [part.component for part in parts if part.component_id not in currencies]
        several = sorted({currency for part in parts for currency in currencies.get(part.component_id, [])})
        subject = f"{parts[0].bundle} (variant {bundle})"
        if unknown:
            told = f"The cost of the bundle {parts[0].bundle} is not known: {', '.join(map(str, unknown[:5]))} in it has no cost."
            page = mend_at("variantcost/add/", store=case.store.pk, variant=unknown[0].pk)
            found.append(Found(subject, told, money=sales.get(bundle), mend=page))
        elif len(several) > 1:
            told = (
                f"The parts of the bundle {parts[0].bundle} have costs in {' and '.join(several)}: they are added up at each day's rates, "
                "so what it costs moves with them."
            )
            page = mend_at("variantcost/", variant__id__exact=parts[0].component_id)
            found.append(Found(subject, told, severity=INFO, mend=page))
    return found


def commissions(case: Case) -> list[Found]:
    """Find commissions for a partner without any code in their days: no order can be theirs."""
    found = []
    for cost in case.manual:
        if cost.partner is None or cost.basis not in ManualCost.OF_ORDERS:
            continue
        if not any(code.partner_id == cost.partner_id and holds(code, first_of(cost), last_of(cost)) for code in case.codes):
            told = f"“{cost}” is for orders of {cost.partner}, who has no discount code: no order can be theirs."
            page = mend_at("partnercode/add/", store=case.store.pk, partner=cost.partner_id)
            found.append(Found(f"{cost.partner}, manual cost {cost.pk}", told, mend=page))
    return found
