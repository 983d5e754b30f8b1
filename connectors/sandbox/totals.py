"""Add up an order as Shopify states it: its lines, its sums, and in what state it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.sandbox import told
from connectors.sandbox.remains import tax_lines
from connectors.sandbox.story import GIFT_CARD, TIP, Item, Story

if TYPE_CHECKING:
    from connectors.sandbox.telling import Telling

JOURNEY_TAKES = timedelta(minutes=20)
"""How long Shopify takes to know the visits before an order."""
WINDOW = timedelta(days=30)


def line_items(telling: Telling) -> tuple[told.LineItem, ...]:
    """Return the lines with what is left of them."""
    duties: dict[int, list[tuple[int, int]]] = {}
    for duty in telling.story.duties:
        duties.setdefault(duty.item, []).append((duty.id, duty.amount))
    lines = []
    for remains in telling.lines.values():
        item, first = remains.source, remains.first
        lines.append(
            told.LineItem(
                item.id, item.title, item.variant_title, item.sku, item.vendor, item.variant, item.product, item.quantity, remains.units,
                remains.units, item.requires_shipping, bool(item.levies), item.kind == GIFT_CARD, item.price, item.price * item.quantity,
                first.shown, item.allocations, tax_lines(item.levies, first.taxes), tuple(duties.get(item.id, ())),
            )
        )  # fmt: skip
    return tuple(lines)


def shipping_lines(telling: Telling) -> tuple[told.ShippingLine, ...]:
    """Return the shipping lines with what is left of them."""
    return tuple(
        told.ShippingLine(
            line.source.id, line.source.title, line.source.price, line.first.shown, line.shown, line.source.allocations,
            tax_lines(line.levies, line.first.taxes),
        )
        for line in telling.carriages.values()
    )  # fmt: skip


def order_taxes(telling: Telling) -> tuple[told.TaxLine, ...]:
    """Return the taxes of the order as placed, by name."""
    found: dict[tuple[str, int, bool], int] = {}
    for sale in telling.agreements[0].sales:
        for line in sale.taxes:
            key = (line.title, line.rate, line.channel_liable)
            found[key] = found.get(key, 0) + line.amount
    return tuple(told.TaxLine(title, rate, amount, liable) for (title, rate, liable), amount in found.items())


def _sum(sales: list[told.Sale], *types: str) -> int:
    return sum(sale.total for sale in sales if sale.line_type in types)


def totals_of(telling: Telling) -> told.Totals:
    """Add the order up: at first, before returns, and now."""
    placed = list(telling.agreements[0].sales)
    later = [(agreement, sale) for agreement in telling.agreements[1:] for sale in agreement.sales]
    # Before returns: what edits and exchanges add and the discounts they give; what they take out stays in.
    added = [sale for _, sale in later if sale.action in ("ORDER", "UPDATE")]
    before, now = placed + added, placed + [sale for _, sale in later if sale.line_type != "ADJUSTMENT"]
    exact = sum(sale.total for _, sale in later if sale.line_type == "ADJUSTMENT")
    goods = ("PRODUCT", "GIFT_CARD", "TIP")
    untaxed = 0 if telling.included else 1
    received = sum(each.amount for each in telling.payments if each.status == "SUCCESS" and each.kind in ("SALE", "CAPTURE"))
    refunded = sum(each.amount for each in telling.payments if each.status == "SUCCESS" and each.kind == "REFUND")
    due = sum(sale.total for sale in now)
    carriages = telling.carriages.values()
    return told.Totals(
        original_total=sum(sale.total for sale in placed),
        total=sum(sale.total for sale in before),
        current_total=due,
        subtotal=sum(sale.total - untaxed * sale.tax for sale in before if sale.line_type in goods),
        current_subtotal=sum(sale.total - untaxed * sale.tax for sale in now if sale.line_type in goods),
        discounts=sum(sale.discount_after_taxes for sale in before),
        current_discounts=sum(sale.discount_after_taxes for sale in now),
        shipping=sum(line.first.shown for line in carriages),
        current_shipping=sum(line.shown for line in carriages),
        refunded_shipping=sum(line.subtotal for refund in telling.refunds for line in refund.shipping_lines),
        tax=sum(sale.tax for sale in before),
        current_tax=sum(sale.tax for sale in now),
        original_duties=_sum(placed, "DUTY"),
        current_duties=_sum(now, "DUTY"),
        original_additional_fees=_sum(placed, "ADDITIONAL_FEE"),
        current_additional_fees=_sum(now, "ADDITIONAL_FEE"),
        tip=sum(item.price * item.quantity for item in telling.story.items if item.kind == TIP),
        received=received,
        refunded=refunded,
        net_payment=received - refunded,
        outstanding=due + exact - received + refunded,
        refund_discrepancy=exact,
        rounding_paid=sum(each.rounding for each in telling.payments if each.status == "SUCCESS" and each.kind in ("SALE", "CAPTURE")),
        rounding_refunded=sum(each.rounding for each in telling.payments if each.status == "SUCCESS" and each.kind == "REFUND"),
    )


def states(telling: Telling, totals: told.Totals) -> tuple[str, str]:
    """Return the financial and the fulfilment status."""
    return _financial(telling, totals), _fulfilment(telling)


def _financial(telling: Telling, totals: told.Totals) -> str:
    if totals.received:
        if totals.refunded:
            return "REFUNDED" if totals.refunded >= totals.received else "PARTIALLY_REFUNDED"
        return "PARTIALLY_PAID" if totals.outstanding > 0 else "PAID"
    if not totals.original_total:
        return "PAID"
    done = {each.kind for each in telling.payments if each.status == "SUCCESS"}
    if telling.cancelled or "VOID" in done:
        return "VOIDED"
    if telling.expired:
        return "EXPIRED"
    return "AUTHORIZED" if "AUTHORIZATION" in done else "PENDING"


def _fulfilment(telling: Telling) -> str:
    sent = sum(telling.shipped.values())
    if not sent:
        return "UNFULFILLED"
    waiting = sum(max(line.units - telling.shipped.get(key, 0), 0) for key, line in telling.lines.items() if _is_sent(line.source))
    return "PARTIALLY_FULFILLED" if waiting else "FULFILLED"


def _is_sent(item: Item) -> bool:
    return item.kind != TIP


def journey_of(story: Story, moment: datetime) -> told.Journey | None:
    """Return what is known of the visits before an order; None for orders that no visit led to."""
    if story.first_visit is None or story.last_visit is None:
        return None
    if moment < story.created_at + JOURNEY_TAKES:
        return told.Journey(False, None, None, None, None)
    days = (story.created_at - story.first_visit.occurred_at).days
    visits = (story.first_visit, *story.other_visits, *((story.last_visit,) if story.last_visit != story.first_visit else ()))
    return told.Journey(True, None, days, story.first_visit, story.last_visit, visits)
