"""Work out an order's sales from its lines, refunds and totals, where its agreements do not tell them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from connectors.faults import BadPayload
from connectors.platforms.shopify.mapping.liability import Liable
from connectors.platforms.shopify.mapping.stated import Sums, Told, matching
from connectors.platforms.shopify.shape import Line, Order, Refund, RefundLine, ShippingLine, TaxLine, tail, units
from ledger.facts import SaleFact
from ledger.kinds import SaleKind, SaleType
from ledger.money import Tenk, divide_half_even, minor_step, round_half_even

TIP = "tip"
"""How Shopify titles the line of a tip."""


class Part(Struct):
    """What was sold on one line: `net` and `discount` without tax."""

    key: str
    line: str | None
    type: SaleType
    quantity: int
    net: Tenk
    discount: Tenk
    tax: Tenk


def can_derive(order: Order) -> bool:
    """Tell whether an order was read with all that its sales can be worked out from."""
    if order.line_items.is_cut or order.shipping_lines.is_cut:
        return False
    lines = all(line.tax_lines is not None and line.discount_allocations is not None for line in order.line_items.nodes)
    return lines and all(_is_whole(refund) for refund in order.refunds)


def _is_whole(refund: Refund) -> bool:
    lines = refund.refund_line_items
    return lines is not None and not lines.is_cut and all(line.subtotal_set is not None for line in lines.nodes)


def derived_sales(order: Order) -> Told:
    """Work out the sales of an order that was read whole; what its totals tell beyond them is an estimated adjustment."""
    if not can_derive(order):
        raise BadPayload("The order's sales can be taken neither from its agreements nor from its lines: it was not read whole.", record=order.id)
    liable = Liable(order)
    parts = [_line(order, line) for line in order.line_items.nodes]
    parts += [_shipping(order, number, line) for number, line in enumerate(order.shipping_lines.nodes, start=1) if not line.is_removed]
    parts += _charges(order)
    if rest := order.total_price_set.units - sum(part.net + part.tax for part in parts):
        parts.append(_rest(order, rest, parts))
    sales = [
        SaleFact(
            part.key, order.processed_at, SaleKind.ORDER, part.type, part.net, part.line, part.quantity, part.discount,
            liable.own(part.tax, part.line), estimated=order.edited or part.key == "rest",
        )
        for part in parts
    ]  # fmt: skip
    by_line = {part.line: part for part in parts if part.line is not None}
    sales += _taken_out(order, by_line, liable)
    discrepancy = units(order.refund_discrepancy_set)
    for refund in sorted(order.refunds, key=lambda refund: refund.at):
        back, given = _given_back(order, refund, by_line, liable)
        sales += back
        if beyond := _beyond(given - refund.total_refunded_set.units, discrepancy):
            discrepancy -= beyond
            sales.append(SaleFact(f"refund:{tail(refund.id)}:more", refund.at, SaleKind.REFUND, SaleType.ADJUSTMENT, beyond, estimated=True))
    gross = sum(sale.net + sale.tax for sale in sales) + liable.taken
    adjustments = sum(sale.net for sale in sales if sale.type == SaleType.ADJUSTMENT and sale.kind != SaleKind.ORDER)
    total = matching(order, Sums(gross, adjustments, 0, len(sales)))
    if total is None:
        total = order.current_total_price_set.units
        sales.append(SaleFact("difference", _last(order), SaleKind.REFUND, SaleType.ADJUSTMENT, total - gross, estimated=True))
    return Told(tuple(sales), total - liable.taken)


def _last(order: Order) -> datetime:
    return max([order.processed_at, *([order.cancelled_at] if order.cancelled_at else []), *(refund.at for refund in order.refunds)])


def _line(order: Order, line: Line) -> Part:
    value = line.original_unit_price_set.units * line.quantity
    discount = sum(each.allocated_amount_set.units for each in line.discount_allocations or ())
    kind = SaleType.GIFT_CARD if line.is_gift_card else SaleType.PRODUCT
    if line.product is None and line.title.strip().lower() == TIP and value == units(order.total_tip_received_set):
        kind = SaleType.TIP
    quantity = line.quantity if kind == SaleType.PRODUCT else 0
    key = tail(line.id)
    return _part(order, f"line:{key}", key, kind, quantity, value, discount, _tax(line.tax_lines or []))


def _shipping(order: Order, number: int, line: ShippingLine) -> Part:
    value = units(line.original_price_set)
    charged = value if line.discounted_price_set is None else line.discounted_price_set.units
    return _part(order, f"shipping:{number}", None, SaleType.SHIPPING, 0, value, value - charged, _tax(line.tax_lines))


def _charges(order: Order) -> Iterator[Part]:
    """Yield duties and additional fees, which are no lines; what tax there is on them is in the rest."""
    if duties := units(order.original_total_duties_set):
        yield Part("duties", None, SaleType.DUTY, 0, duties, 0, 0)
    if fees := units(order.original_total_additional_fees_set):
        yield Part("fees", None, SaleType.FEE, 0, fees, 0, 0)


def _rest(order: Order, rest: Tenk, parts: Sequence[Part]) -> Part:
    """Make a part of what an order's total tells besides its lines: an edit's discount, where the sum of discounts tells it, else an adjustment."""
    tax = units(order.total_tax_set) - sum(part.tax for part in parts) if order.total_tax_set is not None else 0
    if abs(tax) > abs(rest) or tax * rest < 0:
        tax = 0
    net = rest - tax
    given = units(order.total_discounts_set) - _shown_discounts(order)
    if net < 0 < given and given in (-net, -rest):
        goods = [part.line for part in parts if part.type == SaleType.PRODUCT]
        return Part("rest", goods[0] if len(goods) == 1 else None, SaleType.PRODUCT, 0, net, -net, tax)
    return Part("rest", None, SaleType.ADJUSTMENT, 0, net, 0, tax)


def _shown_discounts(order: Order) -> Tenk:
    """Return the discounts that lines tell, as they are shown."""
    lines = sum(each.allocated_amount_set.units for line in order.line_items.nodes for each in line.discount_allocations or ())
    shipping = (line for line in order.shipping_lines.nodes if not line.is_removed and line.discounted_price_set is not None)
    return lines + sum(units(line.original_price_set) - units(line.discounted_price_set) for line in shipping)


def _tax(lines: list[TaxLine]) -> Tenk:
    return sum(line.price_set.units for line in lines)


def _part(order: Order, key: str, line: str | None, kind: SaleType, quantity: int, value: Tenk, discount: Tenk, tax: Tenk) -> Part:
    """Make a part of a value as it is listed; where prices include tax, the discount is one with tax, and loses its share of it."""
    charged = value - discount
    if not order.taxes_included or not tax:
        return Part(key, line, kind, quantity, charged, discount, tax)
    net = charged - tax
    if charged > 0:
        discount = round_half_even(divide_half_even(discount * net, charged), minor_step(order.currency_code))
    return Part(key, line, kind, quantity, net, discount, tax)


def _taken_out(order: Order, parts: Mapping[str, Part], liable: Liable) -> Iterator[SaleFact]:
    """Yield what edits took out: units that are neither there nor given back. When that was, nobody tells."""
    back: dict[str, int] = {}
    for refund in order.refunds:
        for given in _lines(refund):
            back[given.line_item.id] = back.get(given.line_item.id, 0) + given.quantity
    for line in order.line_items.nodes:
        gone = line.quantity - line.current_quantity - back.get(line.id, 0)
        part = parts[tail(line.id)]
        if gone > 0 and line.quantity:
            net, discount, tax = (
                value if gone == line.quantity else round_half_even(divide_half_even(value * gone, line.quantity), minor_step(order.currency_code))
                for value in (part.net, part.discount, part.tax)
            )
            moved = gone if part.type == SaleType.PRODUCT else 0
            yield SaleFact(
                f"{part.key}:out", order.processed_at, SaleKind.EDIT, part.type, -net, part.line, -moved, -discount,
                liable.own(-tax, part.line), estimated=True,
            )  # fmt: skip


def _lines(refund: Refund) -> list[RefundLine]:
    return refund.refund_line_items.nodes if refund.refund_line_items is not None else []


def _beyond(kept: Tenk, discrepancy: Tenk) -> Tenk:
    """Return what of the money that a refund kept back (negative: gave beyond its lines) is told as such; the rest an edit or exchange explains."""
    if kept > 0:
        return min(kept, max(discrepancy, 0))
    return max(kept, min(discrepancy, 0))


def _given_back(order: Order, refund: Refund, parts: Mapping[str, Part], liable: Liable) -> tuple[list[SaleFact], Tenk]:
    """Return what a refund gave back, its lines, shipping and duties, and what they are worth with tax."""
    key, given, sales = f"refund:{tail(refund.id)}", 0, []
    for number, line in enumerate(_lines(refund), start=1):
        sales.append(_returned(order, f"{key}:{number}", refund.at, line, parts, liable))
        given += units(line.subtotal_set) + (0 if order.taxes_included else units(line.total_tax_set))
    for number, back in enumerate(refund.refund_shipping_lines.nodes if refund.refund_shipping_lines is not None else (), start=1):
        tax = back.tax_amount_set.units
        gross = back.subtotal_amount_set.units + (0 if order.taxes_included else tax)
        given += gross
        sales.append(
            SaleFact(f"{key}:shipping:{number}", refund.at, SaleKind.RETURN, SaleType.SHIPPING, tax - gross, tax=liable.own(-tax, None))
        )  # fmt: skip
    duties = sum(duty.amount_set.units for duty in refund.duties or ())
    if duties:
        given += duties
        sales.append(SaleFact(f"{key}:duties", refund.at, SaleKind.RETURN, SaleType.DUTY, -duties))
    return sales, given


def _returned(order: Order, key: str, at: datetime, line: RefundLine, parts: Mapping[str, Part], liable: Liable) -> SaleFact:
    part = parts.get(tail(line.line_item.id))
    if part is None:
        raise BadPayload(f"A refund is about the line {line.line_item.id}, which the order does not have.", record=order.id)
    tax = units(line.total_tax_set)
    net = units(line.subtotal_set) - (tax if order.taxes_included else 0)
    listed = divide_half_even((part.net + part.discount) * line.quantity, part.quantity) if part.quantity else net
    units_back = line.quantity if part.type == SaleType.PRODUCT else 0
    # money kept back shows as a lower subtotal, not as a discount: the discount is the line's own, by units
    discount = divide_half_even(part.discount * line.quantity, part.quantity) if part.quantity and listed >= net else 0
    return SaleFact(
        key, at, SaleKind.RETURN, part.type, -net, part.line, -units_back, -discount, liable.own(-tax, part.line), line.restocked and units_back > 0
    )  # fmt: skip
