"""Draft orders with the terms of their store: unit costs, fees, rates; and fill in their columns."""

from collections.abc import Sequence

from msgspec import Struct

from ledger.book.entries import Source
from ledger.costs.costing import Costing
from ledger.costs.fees import FeeRules
from ledger.costs.order_costs import load_order_costs
from ledger.costs.shipping import load_rules
from ledger.days import day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.order_costs import Share
from ledger.drafts.sales import BookTerms, RateFinder, draft, order_cost_reasons, shipping_reason
from ledger.kinds import SourceKind
from ledger.models import Book, CostDefaults, ManualCost, Store
from ledger.orders.columns import order_columns
from ledger.orders.rows import OrderRow
from ledger.rates import RateTable


class Terms(Struct, frozen=True):
    """What drafting one store's orders takes, and the costs version it was read at."""

    book: BookTerms
    costing: Costing
    costs_version: int


def load_terms(store: Store, orders: Sequence[OrderRow]) -> Terms:
    """Read the rules that some orders need. The version is read first, so a rule that changes meanwhile is noticed by `post`."""
    version = Book.objects.values_list("costs_version", flat=True).get(pk=store.pk)
    current = Store.objects.get(pk=store.pk)
    defaults = CostDefaults.current()
    lines = [line for order in orders for line in order.lines]
    costing = Costing.load(
        current, defaults, variants={line.variant for line in lines if line.variant is not None},
        products={line.product for line in lines if line.product is not None}, orders=[order.id for order in orders],
    )  # fmt: skip
    book = BookTerms(current.currency, FeeRules.load(current, defaults), load_rules(current), load_order_costs(current))
    return Terms(book, costing, version)


def draft_orders(orders: Sequence[OrderRow], terms: Terms) -> dict[Source, list[EntryDraft]]:
    """Draft the entries of each order and set its unit costs, hold, count and columns."""
    find_rate = _rates(orders, terms)
    drafts: dict[Source, list[EntryDraft]] = {}
    for order in orders:
        terms.costing.apply(order, find_rate)
        entries = draft(order, terms=terms.book, find_rate=find_rate)
        order.columns = order_columns(entries)
        drafts[SourceKind.ORDER.value, order.id] = entries
    return drafts


def shipping_reasons(orders: Sequence[OrderRow], terms: Terms) -> dict[int, str]:
    """Say, per order, why shipping it costs what it costs."""
    find_rate = _rates(orders, terms)
    return {order.id: shipping_reason(order, terms=terms.book, find_rate=find_rate) for order in orders}


def order_costs_of(orders: Sequence[OrderRow], terms: Terms) -> dict[int, list[Share]]:
    """Say, per order, which rules about orders cost it how much."""
    find_rate = _rates(orders, terms)
    return {order.id: order_cost_reasons(order, terms=terms.book, find_rate=find_rate) for order in orders}


def _rates(orders: Sequence[OrderRow], terms: Terms) -> RateFinder:
    """Load the rates a batch needs in one query; most batches need none."""
    own = terms.book.currency
    currencies = {order.currency for order in orders}
    currencies |= {payment.fee_currency for order in orders for payment in order.payments if payment.fee_currency}
    currencies |= {charge.currency for order in orders for charge in order.charges}
    currencies |= {rule.terms.currency for rule in terms.book.fees.dated if rule.terms.currency}
    currencies |= {cost.currency for cost in terms.book.order_costs if cost.basis != ManualCost.Basis.REVENUE}
    currencies |= terms.costing.currencies()
    currencies.discard(own)
    if not (currencies and orders):
        return lambda currency, day: None
    days = [day for order in orders for day in _days(order)]
    table = RateTable.load(own, currencies, day_of(min(days)), day_of(max(days)))
    return lambda currency, day: table.find(currency, day_of(day))


def _days(order: OrderRow) -> list[int]:
    dated = [row.day for rows in (order.sales, order.payments, order.costs) for row in rows]
    return [order.day, *dated, *(charge.day for charge in order.charges if charge.day is not None)]
