"""Notice a cost that is likely entered already."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import combinations

from ledger.costs.manual_costs import standing_costs
from ledger.models import ManualCost, Store
from ledger.models.rules import Rule, first_of, holds, last_of
from ledger.rules.rules import span_of

CLOSE = timedelta(days=3)
"""How far apart two payments of one amount may be and still look like one."""


def likely_duplicates(store: Store, added: Sequence[Rule], removed: Sequence[Rule] = ()) -> list[str]:
    """Say which of the costs to be added look like others that stand or are added with them; those to be removed do not count."""
    costs = [cost for cost in added if isinstance(cost, ManualCost)]
    if not costs:
        return []
    gone = {cost.pk for cost in removed if isinstance(cost, ManualCost)}
    others = list(standing_costs(store).exclude(pk__in=gone).select_related("added_by").order_by("pk"))
    told = [_told(cost, other, why) for cost in costs for other in others for why in _alike(cost, other)]
    return told + [f"“{one}” and “{other}” {why}. Is one of them too many?" for one, other in combinations(costs, 2) for why in _alike(one, other)]


def _told(cost: ManualCost, other: ManualCost, why: str) -> str:
    made = other.added_by
    return f"“{cost}” and “{other}”{span_of(other)}, which {made.actor or 'somebody'} set on {made.at:%-d %b %Y}, {why}. Is it entered already?"


def _alike(one: ManualCost, other: ManualCost) -> Iterator[str]:
    """Yield the first reason why two costs look like one; none where they are about different things."""
    if (one.channel, one.product_id) != (other.channel, other.product_id):
        return
    if one.partner_id is not None and other.partner_id is not None and one.partner_id != other.partner_id:
        return
    same_label, same_amount, overlapping = one.account_name == other.account_name, _same_amount(one, other), holds(other, first_of(one), last_of(one))
    if one.invoice_number and one.invoice_number == other.invoice_number and (overlapping or same_label):
        yield f"have the invoice number {one.invoice_number}"
    elif one.invoice_number and other.invoice_number:
        return
    elif same_label and same_amount and overlapping:
        yield "have the same label and amount, and hold on the same days"
    elif same_amount and ManualCost.Basis.ONCE == one.basis == other.basis and _close(one, other):
        yield "have the same amount, within three days"


def _same_amount(one: ManualCost, other: ManualCost) -> bool:
    if one.amount is None or other.amount is None:
        return one.percentage is not None and (one.basis, one.percentage) == (other.basis, other.percentage)
    return one.currency == other.currency and (one.amount == other.amount or one.net_amount == other.net_amount)


def _close(one: ManualCost, other: ManualCost) -> bool:
    return abs(first_of(one) - first_of(other)) <= CLOSE
