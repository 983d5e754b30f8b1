"""Work out what an order is made of: its lines, shipping, duties and a rest, each with its share of discount and tax, to the cent."""

import re
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from connectors.platforms.files.shopify import words
from connectors.platforms.files.shopify.orders import ADDED, INCLUDED, Item, Sheet
from ledger.kinds import SaleType
from ledger.money import SCALE, Tenk, divide_half_even, minor_step, round_half_even, split, tenk


class Part(Struct, frozen=True):
    """One part of an order as it was sold. `net` is after discount and before tax; `discount` is without tax."""

    key: str
    type: SaleType
    net: Tenk
    discount: Tenk = 0
    tax: Tenk = 0
    quantity: int = 0
    unit_price: Tenk = 0
    item: Item | None = None

    @property
    def gross(self) -> Tenk:
        """Return what the customer was charged for it, tax included."""
        return self.net + self.tax


def parts_of(sheet: Sheet, settled: str) -> list[Part]:
    """Work out the parts of an order; they add up to its Total. `settled` says whether tax is added where Total does not tell."""
    way, duties = sheet.way() or (settled, sheet.duties)
    step = minor_step(sheet.currency)
    discounts = _discounts(sheet, step)
    charged = [item.value - off for item, off in zip(sheet.items, discounts, strict=True)]
    taxes = _taxes(sheet, charged, way, step)
    parts = [
        _line(str(number), item, off, paid, tax, way, step)
        for number, (item, off, paid, tax) in enumerate(zip(sheet.items, discounts, charged, taxes, strict=False), start=1)
    ]
    on_shipping = taxes[-1] if len(taxes) > len(charged) else 0
    if sheet.shipping or on_shipping:
        parts.append(Part("shipping", SaleType.SHIPPING, sheet.shipping - (on_shipping if way == INCLUDED else 0), tax=on_shipping))
    if duties:
        parts.append(Part("duties", SaleType.DUTY, duties))
    rest = sheet.total - sum(part.gross for part in parts)
    if rest:
        parts.append(Part("rest", SaleType.ADJUSTMENT, rest))
    return parts


def _discounts(sheet: Sheet, step: Tenk) -> list[Tenk]:
    """Spread the discount of the goods: each line's own, and the remainder by what the lines are worth after that."""
    own = [min(item.discount, item.value) for item in sheet.items]
    remainder = sheet.goods_discount - sum(own)
    if remainder < 0:
        own, remainder = [0] * len(own), sheet.goods_discount
    worth = [item.value - off for item, off in zip(sheet.items, own, strict=True)]
    if not remainder or not any(worth):
        return own
    return [off + more for off, more in zip(own, split(remainder, worth, step=step), strict=True)]


def _taxes(sheet: Sheet, charged: Sequence[Tenk], way: str, step: Tenk) -> list[Tenk]:
    """Spread the order's tax over what is taxed: its lines and, last, shipping; a tax within the prices is nowhere more than the price."""
    taxed = [paid if item.taxable else 0 for item, paid in zip(sheet.items, charged, strict=True)]
    within = sheet.taxes if way == INCLUDED else 0
    if not any(taxed) or within > sum(taxed) + sheet.shipping:
        taxed = list(charged)
    shipping = sheet.shipping if within > sum(taxed) or _shipping_is_taxed(sheet, sum(taxed), way) else 0
    if not sheet.taxes:
        return [0] * (len(taxed) + 1)
    return split(sheet.taxes, [*taxed, shipping] if any(taxed) or shipping else [*taxed, 1], step=step)


def _shipping_is_taxed(sheet: Sheet, goods: Tenk, way: str) -> bool:
    """Tell whether shipping is taxed: as the rates in the taxes' names say; else where tax lies in the prices, or no line bears any."""
    rates = [re.search(r"(\d+(?:\.\d+)?)\s*%", name) for name in sheet.head.tax_names.split("\n") if name]
    if not rates or not all(rates):
        return way == INCLUDED or not goods
    rate = tenk(sum((Decimal(found[1]) for found in rates if found), Decimal(0)) / 100)

    def tax_of(base: Tenk) -> Tenk:
        return divide_half_even(base * rate, SCALE if way == ADDED else SCALE + rate)

    return abs(tax_of(goods + sheet.shipping) - sheet.taxes) < abs(tax_of(goods) - sheet.taxes)


def _line(key: str, item: Item, discount: Tenk, charged: Tenk, tax: Tenk, way: str, step: Tenk) -> Part:
    kind = SaleType.GIFT_CARD if words.is_gift_card(item.title, ships=item.ships, taxable=item.taxable) else SaleType.PRODUCT
    if way == ADDED or not tax:
        return Part(key, kind, charged, discount, tax, item.quantity, item.price.units, item)
    net = charged - tax
    # the discount of a price with tax is one with tax: take its share of the tax out as well
    discount = round_half_even(divide_half_even(discount * net, charged), step)
    return Part(key, kind, net, discount, tax, item.quantity, divide_half_even(net + discount, item.quantity), item)
