"""Take an order's sales from its agreements: dated, signed, one per line and event, as Shopify itself books them."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from connectors.platforms.shopify import words
from connectors.platforms.shopify.mapping.liability import Liable
from connectors.platforms.shopify.mapping.restock import Restocked
from connectors.platforms.shopify.shape import Agreement, Order, Sold, tail, units
from ledger.facts import SaleFact
from ledger.kinds import SaleKind, SaleType
from ledger.money import Tenk, divide_half_even, minor_step, split


class Told(Struct, frozen=True):
    """The sales of an order, and what they add up to by the platform's own reckoning."""

    sales: tuple[SaleFact, ...]
    total: Tenk
    """What is left of the order after everything that happened, tax included, as the order's own figure has it."""


def why_not_stated(order: Order) -> str:
    """Say why an order's agreements cannot be taken for its sales; empty when they can.

    They must be there, whole, of known kinds, about lines that the order has, and add up to the order's current total.
    Adjustments and fees may lie outside of that total: Shopify does not say.
    """
    agreements = order.agreements
    if not agreements.nodes or not any(agreement.sales.nodes for agreement in agreements.nodes):
        return "it has no sale agreements"
    if agreements.is_cut or any(agreement.sales.is_cut for agreement in agreements.nodes):
        return "its sale agreements are cut"
    if unknown := _unknown(order):
        return unknown
    return "" if matching(order, _sums(order)) is not None else "its sale agreements do not add up to its current total"


def _unknown(order: Order) -> str:
    lines = {line.id for line in order.line_items.nodes}
    for agreement in order.agreements.nodes:
        if agreement.type not in words.AGREEMENTS:
            return f"an agreement of it is a “{agreement.type}”"
        for sold in agreement.sales.nodes:
            if sold.action_type not in words.ACTIONS or sold.line_type not in words.LINE_TYPES:
                return f"a sale of it is “{sold.action_type} {sold.line_type}”"
            if sold.line_item is not None and sold.line_item.id not in lines:
                return "a sale of it is about a line it does not have"
    return ""


class Sums(Struct, frozen=True):
    """What sales add up to, tax included, and which parts of that may lie outside of an order's current total."""

    whole: Tenk
    adjustments: Tenk
    fees: Tenk
    count: int


def _sums(order: Order) -> Sums:
    whole = adjustments = fees = count = 0
    for agreement in order.agreements.nodes:
        for sold in agreement.sales.nodes:
            amount = sold.total_amount.units
            whole += amount
            count += 1
            if sold.line_type == "ADJUSTMENT":
                adjustments += amount
            elif sold.line_type == "FEE":
                fees += amount
    return Sums(whole, adjustments, fees, count)


def matching(order: Order, sums: Sums) -> Tenk | None:
    """Return what the order is worth now by its own current total, with what may lie outside of it; None when the sums differ from that.

    Amounts of an order in another currency are converted one by one, so each may be a step off.
    """
    current = order.current_total_price_set.units
    foreign = order.presentment_currency_code not in ("", order.currency_code)
    tolerance = minor_step(order.currency_code) * sums.count if foreign else 0
    for outside in (0, sums.adjustments, sums.adjustments + sums.fees, sums.fees, units(order.refund_discrepancy_set)):
        if abs(sums.whole - outside - current) <= tolerance:
            return current + outside
    return None


def stated_sales(order: Order) -> Told:
    """Turn the agreements of an order, which why_not_stated() has nothing against, into its sales."""
    first = min((agreement for agreement in order.agreements.nodes if agreement.type == words.ORDERED), key=_happened, default=None)
    restocked, liable = Restocked(order), Liable(order)
    guessed = not restocked.is_told
    sales: list[SaleFact] = []
    for agreement in sorted(order.agreements.nodes, key=_happened):
        is_first = agreement is first
        at = order.processed_at if is_first else agreement.happened_at
        for sold in agreement.sales.nodes:
            fact = _sale(sold, at, _kind(agreement, sold, is_first=is_first), liable)
            if not _may_return(fact):
                sales.append(fact)
            elif guessed:
                sales.append(replace(fact, estimated=True))
            else:
                sales.extend(_split_by_restock(fact, restocked.take(agreement, sold), minor_step(order.currency_code)))
    total = matching(order, _sums(order))
    return Told(tuple(sales), (total or 0) - liable.taken)


def _happened(agreement: Agreement) -> datetime:
    return agreement.happened_at


def _kind(agreement: Agreement, sold: Sold, *, is_first: bool) -> SaleKind:
    if sold.action_type == "ORDER" and (is_first or sold.line_type != "ADJUSTMENT"):
        # what is taken in exchange, or added, is sold on its own day
        return SaleKind.ORDER if is_first else SaleKind.EDIT
    kind = words.AGREEMENTS[agreement.type]
    return SaleKind.REFUND if kind == SaleKind.RETURN and (sold.action_type == "UPDATE" or sold.line_type == "ADJUSTMENT") else kind


def _sale(sold: Sold, at: datetime, kind: SaleKind, liable: Liable) -> SaleFact:
    tax = sold.total_tax_amount.units
    net = sold.total_amount.units - tax
    line = tail(sold.line_item.id) if sold.line_item is not None else None
    sale_type = words.LINE_TYPES[sold.line_type]
    # a change of a price moves no units
    moved = sold.quantity or 0 if sale_type == SaleType.PRODUCT and sold.action_type != "UPDATE" else 0
    discount = sold.total_discount_amount_before_taxes.units
    return SaleFact(_key(sold.id), at, kind, sale_type, net, line, moved, discount, liable.own(tax, line))


def _key(gid: str) -> str:
    return gid.removeprefix("gid://shopify/")[:100]


def _may_return(fact: SaleFact) -> bool:
    return fact.quantity < 0 and fact.kind == SaleKind.RETURN


def _split_by_restock(fact: SaleFact, shelved: int, step: Tenk) -> Iterator[SaleFact]:
    """Yield a return as what went back to the shelf and what did not."""
    units_back = -fact.quantity
    if shelved >= units_back:
        yield replace(fact, restocked=True)
    elif shelved <= 0:
        yield fact
    else:
        on_shelf = [split(value, (shelved, units_back - shelved), step=step)[0] for value in (fact.net, fact.discount, fact.tax)]
        yield replace(fact, quantity=-shelved, net=on_shelf[0], discount=on_shelf[1], tax=on_shelf[2], restocked=True)
        rest = [whole - part for whole, part in zip((fact.net, fact.discount, fact.tax), on_shelf, strict=True)]
        yield replace(
            fact, external_id=f"{fact.external_id}:kept", quantity=shelved - units_back, net=rest[0], discount=rest[1], tax=rest[2]
        )  # fmt: skip


def list_prices(sales: Sequence[SaleFact]) -> dict[str, Tenk]:
    """Return the list price of one unit of each line that was sold, without tax."""
    found: dict[str, Tenk] = {}
    for sale in sales:
        if sale.line is not None and sale.quantity > 0 and sale.line not in found:
            found[sale.line] = divide_half_even(sale.net + sale.discount, sale.quantity)
    return found
