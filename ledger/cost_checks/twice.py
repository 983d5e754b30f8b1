"""Check for the same cost counted twice."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

from ledger.accounts import AD_SPEND
from ledger.advertising.spending import account_name
from ledger.cost_checks.found import Case, Found, span
from ledger.findings import mend_at
from ledger.models import ManualCost, Seen
from ledger.models.rules import first_of, holds, last_of

OF_PARCELS = frozenset({ManualCost.Basis.ORDER, ManualCost.Basis.UNIT})
PLANS = ("shopify", "plan")
"""Words in a label that there is one of: a store pays for one plan."""


def twice(case: Case) -> list[Found]:
    """Find costs that are likely counted twice: label and flat rate, plan and plan, subscription and invoice, label and label, ad spend."""
    return [*_flat_and_label(case), *_label_and_label(case), *_again(case), *_invoice(case), *_entered_and_told(case)]


def _flat_and_label(case: Case) -> Iterator[Found]:
    labelled = sum(row.count for row in case.of_kind(Seen.Kind.LABELLED).get("", []))
    for cost in case.manual:
        if labelled and cost.category == ManualCost.Category.FULFILMENT and cost.basis in OF_PARCELS and holds(cost, case.today):
            orders = f"{labelled:,} order{'' if labelled == 1 else 's'}"
            told = f"“{cost}” is booked for every order, and {orders} of the last 90 days have a label's own cost besides. Is shipping in both?"
            yield Found(f"manual cost {cost.pk}", told, mend=f"manualcost/{cost.pk}/change/")


def _label_and_label(case: Case) -> Iterator[Found]:
    orders = sum(row.count for row in case.of_kind(Seen.Kind.LABELLED_TWICE).get("", []))
    if orders:
        told = f"{orders:,} order{'' if orders == 1 else 's'} of the last 90 days have a label's cost both from the platform and from a file."
        yield Found("labels", told, mend=mend_at("ordercharge/"))


def _again(case: Case) -> Iterator[Found]:
    """Find two recurring costs of one account that hold on the same days: of one amount, or of a plan, which there is one of."""
    recurring = [cost for cost in case.manual if cost.basis in ManualCost.RECURRING]
    for one, other in combinations(recurring, 2):
        same = (one.account_name, one.channel, one.product_id, one.partner_id) == (
            other.account_name, other.channel, other.product_id, other.partner_id,
        )  # fmt: skip
        alike = (one.basis, one.net_amount, one.currency) == (other.basis, other.net_amount, other.currency)
        plan = all(word in one.label for word in PLANS)
        apart = one.invoice_number and other.invoice_number and one.invoice_number != other.invoice_number
        if same and (plan or (alike and not apart)) and holds(other, first_of(one), last_of(one)):
            told = f"“{one}” and “{other}” hold on the same days. Was it entered twice?"
            yield Found(f"manual costs {one.pk} and {other.pk}", told, money=_net(case, other), mend=f"manualcost/{other.pk}/change/")


def _invoice(case: Case) -> Iterator[Found]:
    """Find an invoice entered once beside the recurring cost of the same account and amount, in a month in which that holds."""
    recurring = [cost for cost in case.manual if cost.basis in ManualCost.RECURRING]
    for bill in case.manual:
        if bill.basis != ManualCost.Basis.ONCE:
            continue
        month = first_of(bill).replace(day=1)
        ends = (last_of(bill).replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        for cost in recurring:
            same = (cost.account_name, cost.net_amount, cost.currency) == (bill.account_name, bill.net_amount, bill.currency)
            if same and holds(cost, month, ends):
                told = f"“{bill}” in {month:%b %Y} has the label and the amount of “{cost}”, which holds then as well. Is it its invoice?"
                yield Found(f"manual costs {cost.pk} and {bill.pk}", told, money=_net(case, bill), mend=f"manualcost/{bill.pk}/change/")


def _entered_and_told(case: Case) -> Iterator[Found]:
    """Find ad spend that was entered by hand for days of which a platform or its file tells what was spent."""
    for cost in case.manual:
        if cost.account_name not in AD_SPEND or cost.basis == ManualCost.Basis.AD_SPEND:
            continue
        for platform, first, last in case.advertised:
            if account_name(platform).replace("_", "-") == cost.account_name.replace("_", "-") and holds(cost, first, last):
                told = (
                    f"“{cost}” was entered by hand, and of {span(first, last)} {platform.replace('_', ' ')} tells itself what was spent. "
                    "Is it counted twice? End the one entered by hand where the other begins."
                )
                yield Found(f"manual cost {cost.pk} as ad spend", told, money=_net(case, cost), mend=f"manualcost/{cost.pk}/change/")


def _net(case: Case, cost: ManualCost) -> Decimal | None:
    return cost.net_amount if cost.currency == case.store.currency else None
