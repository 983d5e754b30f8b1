"""Keep what is left of one line of an order, in decimals, for the oracle: a sum of its own beside `remains`.

Units that leave take their share of what is left of the discount and of each tax, rounded half away from zero.
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Generic, TypeVar

from connectors.sandbox.story import Carriage, Item, Levy

ZERO, MILLION = Decimal(0), Decimal(1_000_000)
Sold = TypeVar("Sold", bound=Item | Carriage)


class SoldLine(Generic[Sold]):
    """What is left of a line of an order, as its buyer sees it, and what its units were booked at."""

    def __init__(self, source: Sold, unit: Decimal, *, included: bool) -> None:
        self.source, self.unit, self.included = source, unit, included
        self.units = source.quantity
        self.charged = (source.price * source.quantity - source.discount) * unit
        self.taxes = [self.tax_on(self.charged, levy) for levy in source.levies]
        listed = source.price * source.quantity * unit
        self.list_value = listed - sum((self.tax_on(listed, levy) for levy in source.levies), ZERO) if included else listed
        self.discount = self.list_value - self.net(self.charged, self.taxes)
        self.cost_booked, self.cost_units, self.cost_of = ZERO, self.units, self.units
        self.estimated = False

    def tax_on(self, charged: Decimal, levy: Levy) -> Decimal:
        """Return one tax on what is charged."""
        every = sum((Decimal(each.rate) for each in self.source.levies), ZERO)
        base = MILLION + every if self.included else MILLION
        return (charged * levy.rate / base).quantize(self.unit, ROUND_HALF_UP)

    def own(self, taxes: list[Decimal]) -> Decimal:
        """Return what of taxes the shop itself owes: some a marketplace pays."""
        return sum((tax for tax, levy in zip(taxes, self.source.levies, strict=True) if not levy.channel_liable), ZERO)

    def net(self, charged: Decimal, taxes: list[Decimal]) -> Decimal:
        """Return what the shop gets of what is charged."""
        return charged - sum(taxes, ZERO) if self.included else charged

    def keep(self, amount: Decimal, kept: Decimal, whole: Decimal) -> Decimal:
        """Return what of an amount stays when a part of the whole is kept."""
        return (amount * kept / whole).quantize(self.unit, ROUND_HALF_UP) if whole else ZERO

    def leave(self, units: int) -> tuple[Decimal, Decimal, Decimal]:
        """Let units leave; return their net value, their discount and the tax the shop owes on them."""
        kept, whole = Decimal(self.units - min(units, self.units)), Decimal(self.units)
        off = self.source.price * self.unit * self.units - self.charged
        charged = self.source.price * self.unit * kept - self.keep(off, kept, whole)
        return self._become(charged, [self.keep(each, kept, whole) for each in self.taxes], self.keep(self.discount, kept, whole), int(kept))

    def leave_money(self, shown: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        """Give back some of what is charged; return its net value, no discount, and its tax."""
        kept = self.charged - min(shown, self.charged)
        return self._become(kept, [self.keep(each, kept, self.charged) for each in self.taxes], self.discount, self.units)

    def cheapen(self, shown: Decimal) -> tuple[Decimal, Decimal]:
        """Take a discount off all that is left; return what the net value and the tax fall by."""
        charged = self.charged - min(shown, self.charged)
        taxes = [self.tax_on(charged, levy) for levy in self.source.levies]
        fall = self.net(self.charged, self.taxes) - self.net(charged, taxes)
        net, _, tax = self._become(charged, taxes, self.discount + fall, self.units)
        return net, tax

    def _become(self, charged: Decimal, taxes: list[Decimal], discount: Decimal, units: int) -> tuple[Decimal, Decimal, Decimal]:
        net = self.net(self.charged, self.taxes) - self.net(charged, taxes)
        tax, off = self.own(self.taxes) - self.own(taxes), self.discount - discount
        self.charged, self.taxes, self.discount, self.units = charged, taxes, discount, units
        return net, off, tax

    def cost_back(self, units: int) -> Decimal:
        """Return what units that come back were booked at."""
        before = self._booked(self.cost_units)
        self.cost_units -= min(units, self.cost_units)
        return before - self._booked(self.cost_units)

    def _booked(self, units: int) -> Decimal:
        return (self.cost_booked * units / self.cost_of).quantize(self.unit, ROUND_HALF_EVEN)
