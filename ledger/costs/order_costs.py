"""Read the costs of orders that a person entered, for drafting."""

from decimal import Decimal

from ledger.costs.labels import account_numbers
from ledger.costs.manual_costs import standing_costs
from ledger.costs.shipping import UNKNOWN_CHANNEL
from ledger.days import day_span
from ledger.drafts.order_costs import OrderCostTerms, PartnersCode
from ledger.models import Channel, ManualCost, PartnerCode, Store
from ledger.money import tenk


def load_order_costs(store: Store) -> tuple[OrderCostTerms, ...]:
    """Read a store's costs of orders, with the codes of the partners that they are about."""
    costs = list(standing_costs(store).filter(basis__in=ManualCost.OF_ORDERS).select_related("partner", "product").order_by("pk"))
    if not costs:
        return ()
    # Their accounts were made when they were set; only a preview meets a label whose account is still to be made.
    numbers = account_numbers(cost.account_name for cost in costs)
    channels = dict(Channel.objects.filter(store=store).values_list("key", "number"))
    codes = _codes(store, {cost.partner_id for cost in costs if cost.partner_id is not None})
    return tuple(
        OrderCostTerms(
            name_of(cost), numbers[cost.account_name], cost.basis, tenk(cost.percentage or cost.amount or Decimal(0)),
            tenk(cost.vat_percentage) if cost.includes_vat else 0, cost.currency, *day_span(cost.effective_from, cost.effective_to),
            channels.get(cost.channel, UNKNOWN_CHANNEL) if cost.channel else None, cost.product_id, cost.partner_id,
            codes.get(cost.partner_id, ()) if cost.partner_id is not None else (),
        )
        for cost in costs
    )  # fmt: skip


def name_of(cost: ManualCost) -> str:
    """Say which cost it is, and what it is about where that is not every order."""
    about = [f"of {cost.partner}" if cost.partner else "", f"on {cost.product}" if cost.product else "", f"in {cost.channel}" if cost.channel else ""]
    return " ".join([str(cost), *filter(None, about)])


def _codes(store: Store, partners: set[int]) -> dict[int, tuple[PartnersCode, ...]]:
    found: dict[int, tuple[PartnersCode, ...]] = {}
    for row in PartnerCode.objects.filter(store=store, partner__in=partners, removed_by=None).order_by("pk"):
        found[row.partner_id] = (*found.get(row.partner_id, ()), PartnersCode(row.code, *day_span(row.effective_from, row.effective_to)))
    return found
