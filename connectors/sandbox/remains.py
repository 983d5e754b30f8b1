"""Keep what remains of a line while units leave it: the one rule by which discounts and taxes follow the units.

Units that leave take their share of the discount and of each tax that remain, rounded half away from zero; the last
units take the rest. So whatever leaves in whatever steps adds up.
"""

from typing import Generic, TypeVar

from connectors.sandbox import told
from connectors.sandbox.money import share, tax
from connectors.sandbox.story import Carriage, Item, Levy

Sold = TypeVar("Sold", bound=Item | Carriage)


class Portion:
    """A part of a line: its units, and what they carry. `total` is what is charged for it, added tax included."""

    __slots__ = ("discount", "discount_before", "included", "shown", "taxes", "units")

    def __init__(self, units: int, shown: int, discount: int, discount_before: int, taxes: list[int], *, included: bool) -> None:
        self.units, self.shown, self.discount, self.discount_before = units, shown, discount, discount_before
        self.taxes, self.included = taxes, included

    @property
    def tax(self) -> int:
        """Return all of its taxes."""
        return sum(self.taxes)

    @property
    def total(self) -> int:
        """Return what is charged for it, tax included."""
        return self.shown if self.included else self.shown + self.tax


class Remains(Portion, Generic[Sold]):
    """What remains of a line, with its price and taxes. `shown` is after discount, with tax where prices include it."""

    __slots__ = ("first", "levies", "price", "source")

    def __init__(self, source: Sold, *, included: bool) -> None:
        units = source.quantity
        rates = [levy.rate for levy in source.levies]
        value = source.price * units
        charged = value - source.discount
        taxes = tax(charged, rates, included=included)
        # the discount loses the tax that it spared: what the list value would bear, less what the charge bears
        spared = sum(tax(value, rates, included=True)) - sum(taxes) if included and source.discount else 0
        super().__init__(units, charged, source.discount, source.discount - spared, taxes, included=included)
        self.source, self.price, self.levies = source, source.price, source.levies
        self.first = Portion(units, charged, source.discount, self.discount_before, list(taxes), included=included)

    def take(self, units: int) -> Portion:
        """Take units away and return what they carried; no more leave than remain."""
        units = min(units, self.units)
        left = self.units - units
        discount = self.discount - share(self.discount, left, self.units)
        before = self.discount_before - share(self.discount_before, left, self.units)
        taxes = [each - share(each, left, self.units) for each in self.taxes]
        return self._less(Portion(units, self.price * units - discount, discount, before, taxes, included=self.included))

    def take_money(self, shown: int) -> Portion:
        """Take some of what is charged away, as for shipping given back in part; taxes follow by share."""
        shown = min(shown, self.shown)
        taxes = [each - share(each, self.shown - shown, self.shown) for each in self.taxes]
        return self._less(Portion(0, shown, 0, 0, taxes, included=self.included))

    def _less(self, gone: Portion) -> Portion:
        self.units -= gone.units
        self.shown -= gone.shown
        self.discount -= gone.discount
        self.discount_before -= gone.discount_before
        self.taxes = [each - taken for each, taken in zip(self.taxes, gone.taxes, strict=True)]
        return gone

    def cut(self, discount: int) -> Portion:
        """Take a discount off all that remains, reckon its tax anew, and return the change: its amounts are those that fell away."""
        discount = min(discount, self.shown)
        taxes = tax(self.shown - discount, [levy.rate for levy in self.levies], included=self.included)
        change = Portion(0, discount, -discount, 0, [old - new for old, new in zip(self.taxes, taxes, strict=True)], included=self.included)
        change.discount_before = -(change.total - change.tax)
        self.shown -= discount
        self.taxes = taxes
        self.discount += discount
        self.discount_before -= change.discount_before
        return change


def tax_lines(levies: tuple[Levy, ...], amounts: list[int], sign: int = 1) -> tuple[told.TaxLine, ...]:
    """Name the taxes of amounts."""
    return tuple(told.TaxLine(levy.title, levy.rate, sign * amount, levy.channel_liable) for levy, amount in zip(levies, amounts, strict=True))
