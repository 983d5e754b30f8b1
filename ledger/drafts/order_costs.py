"""Draft the costs that rules put on orders: per order, per unit, or a share of what the order earned."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from ledger import accounts
from ledger.costs.costing import PERCENT
from ledger.drafts.entry import EntryDraft, Fx
from ledger.kinds import SOLD, ChargeKind, ChargeStatus, SaleType
from ledger.models import ManualCost
from ledger.money import Tenk, divide_half_even, minor_step
from ledger.orders.rows import OrderRow, SaleRow

Basis = ManualCost.Basis
DECIDED = frozenset({ChargeStatus.APPROVED, ChargeStatus.PAID, ChargeStatus.DENIED})
FIRST_PART = 2_000_000
"""Entries of these costs have the part −(this + days since the order): costs an order's platform states have small negative ones."""

Own = Callable[[Tenk, str, int], tuple[Tenk, Fx | None, bool]]
"""Turns an amount of a currency on a day into the book's own; raises RateMissing."""


class PartnersCode(NamedTuple):
    """A discount code and the days it was a partner's, both included."""

    code: str
    first: int
    last: int


class OrderCostTerms(Struct, frozen=True):
    """One cost of orders; amounts with VAT as entered, percentages in ten-thousandths of a per cent."""

    name: str
    account: int
    basis: str
    value: Tenk
    """Per order or unit in the currency, or the percentage."""
    vat: Tenk
    """The VAT that the amount includes and that is got back."""
    currency: str
    first: int
    last: int
    channel: int | None
    product: int | None
    partner: int | None
    codes: tuple[PartnersCode, ...] = ()

    def applies(self, order: OrderRow) -> bool:
        """Tell whether the cost is about an order: its day, channel and partner, and no commission decided for the order goes before it."""
        return (
            self.first <= order.day <= self.last
            and self.channel in (None, order.channel)
            and (self.partner is None or (self._came_through(order) and not self._decided(order)))
        )

    def _came_through(self, order: OrderRow) -> bool:
        return any(each.first <= order.day <= each.last and each.code in order.discount_codes for each in self.codes)

    def _decided(self, order: OrderRow) -> bool:
        """Tell whether the partner's commission is known, even that there is none; it goes before a rule about marketing."""
        return any(column == "marketing_costs" for column, _ in accounts.order_columns(self.account)) and any(
            charge.kind == ChargeKind.COMMISSION and charge.status in DECIDED and charge.partner == self.partner for charge in order.charges
        )


class Share(NamedTuple):
    """What one rule costs an order on one day, in the book's currency; a cost is negative."""

    terms: OrderCostTerms
    day: int
    amount: Tenk
    fx: Fx | None


def order_shares(order: OrderRow, rules: Sequence[OrderCostTerms], *, sold: Sequence[EntryDraft], currency: str, own: Own) -> list[Share]:
    """Return what the rules that apply cost an order, by rule and event day; `sold` are its entries so far.

    What has added up is rounded, and a day takes the difference: an order that is given back whole costs nothing.
    """
    shares = []
    for terms in rules:
        if not terms.applies(order):
            continue
        home = terms.currency == currency
        added = before = 0
        for day, measure in sorted(_measures(terms, order, sold).items()):
            added += measure
            total = _cost(terms, added, minor_step(currency) if home or terms.basis == Basis.REVENUE else 1)
            if terms.basis == Basis.REVENUE:
                amount, fx = before - total, None
            else:
                amount, fx, _ = own(before - total, terms.currency, day)
            before = total
            if amount:
                shares.append(Share(terms, day, amount, fx))
    return shares


def _cost(terms: OrderCostTerms, measure: int, step: Tenk) -> Tenk:
    """Return what a rule costs for so many orders or units, or for so much net revenue; rounded half-even once."""
    if terms.basis == Basis.REVENUE:
        return divide_half_even(measure * terms.value, PERCENT * step) * step
    return divide_half_even(measure * terms.value * PERCENT, (PERCENT + terms.vat) * step) * step


def _measures(terms: OrderCostTerms, order: OrderRow, sold: Sequence[EntryDraft]) -> dict[int, int]:
    """Return what a rule's amount is multiplied by, for each event day."""
    by_day: dict[int, int] = {}
    if terms.basis == Basis.REVENUE:
        found: Iterator[tuple[int, int]] = _revenue(terms, order, sold)
    elif order.cancelled is not None and not order.shipped:
        return {}
    else:
        goods = [sale for sale in order.sales if sale.type == SaleType.PRODUCT and sale.kind in SOLD and _is_about(terms, order, sale)]
        if terms.basis == Basis.ORDER:
            return {order.day: 1} if any(sale.quantity > 0 or sale.net > 0 for sale in goods) else {}
        found = ((sale.day, sale.quantity) for sale in goods)
    for day, measure in found:
        by_day[day] = by_day.get(day, 0) + measure
    return by_day


def _revenue(terms: OrderCostTerms, order: OrderRow, sold: Sequence[EntryDraft]) -> Iterator[tuple[int, int]]:
    variants = {line.variant for line in order.lines if line.product == terms.product and line.variant is not None}
    for entry in sold:
        if accounts.SALES_GROSS <= entry.account <= accounts.SALES_OTHER and (terms.product is None or entry.variant in variants):
            yield entry.event_day, entry.amount


def _is_about(terms: OrderCostTerms, order: OrderRow, sale: SaleRow) -> bool:
    return terms.product is None or any(line.part == sale.line_part and line.product == terms.product for line in order.lines)


def order_cost_entries(order: OrderRow, shares: Sequence[Share], *, country: int) -> Iterator[EntryDraft]:
    """Yield one entry for each account and event day: the sum of what its rules cost, which is always estimated."""
    found: dict[tuple[int, int], list[Share]] = {}
    for share in shares:
        found.setdefault((share.terms.account, share.day), []).append(share)
    for (account, day), together in found.items():
        amount = sum(share.amount for share in together)
        if amount:
            part = -(FIRST_PART + day - order.day)
            yield EntryDraft(account, part, day, amount, True, order.day, order.channel, country, None, None, _exchange(together))


def _exchange(shares: Sequence[Share]) -> Fx | None:
    """Return the exchange that shares of one foreign currency have in common; those of several have none that could be told."""
    first = shares[0].fx
    if first is None or any(share.fx is None or share.fx.currency != first.currency for share in shares):
        return None
    return first._replace(original_amount=sum(share.fx.original_amount or 0 for share in shares if share.fx is not None))
