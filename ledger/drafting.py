"""Draft orders with the terms of their store: unit costs, fees, rates; and fill in their columns."""

from collections.abc import Sequence

from msgspec import Struct

from ledger.columns import order_columns
from ledger.costing import Costing
from ledger.days import day_of
from ledger.drafts.entry import EntryDraft
from ledger.drafts.sales import BookTerms, RateFinder, draft
from ledger.entries import Source
from ledger.fees import FeeTerms
from ledger.kinds import SourceKind
from ledger.models import Book, CostDefaults, Store
from ledger.rates import RateTable
from ledger.rows import OrderRow


class Terms(Struct, frozen=True):
    """What drafting one store's orders takes, and the costs version it was read at."""

    book: BookTerms
    costing: Costing
    costs_version: int


def load_terms(store: Store) -> Terms:
    """Read a store's rules. The version is read first, so a rule that changes meanwhile is noticed by `post`."""
    version = Book.objects.values_list("costs_version", flat=True).get(pk=store.pk)
    current = Store.objects.get(pk=store.pk)
    defaults = CostDefaults.objects.filter(pk=1).first() or CostDefaults()
    return Terms(BookTerms(current.currency, FeeTerms.load(defaults)), Costing.load(current, defaults), version)


def draft_orders(orders: Sequence[OrderRow], terms: Terms) -> dict[Source, list[EntryDraft]]:
    """Draft the entries of each order and set its unit costs, hold, count and columns."""
    find_rate = _rates(orders, terms.book.currency)
    drafts: dict[Source, list[EntryDraft]] = {}
    for order in orders:
        for line in order.lines:
            terms.costing.apply(line)
        entries = draft(order, terms=terms.book, find_rate=find_rate)
        order.columns = order_columns(entries, marketing_costs=order.columns.marketing_costs)
        drafts[SourceKind.ORDER.value, order.id] = entries
    return drafts


def _rates(orders: Sequence[OrderRow], own: str) -> RateFinder:
    """Load the rates a batch needs in one query; most batches need none."""
    currencies = {order.currency for order in orders}
    currencies |= {payment.fee_currency for order in orders for payment in order.payments if payment.fee_currency}
    currencies.discard(own)
    if not currencies:
        return lambda currency, day: None
    days = [day for order in orders for day in _days(order)]
    table = RateTable.load(own, currencies, day_of(min(days)), day_of(max(days)))
    return lambda currency, day: table.find(currency, day_of(day))


def _days(order: OrderRow) -> list[int]:
    return [order.day, *(row.day for row in order.sales), *(row.day for row in order.payments), *(row.day for row in order.costs)]
