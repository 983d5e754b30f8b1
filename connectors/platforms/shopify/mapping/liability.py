"""Leave out the taxes that a marketplace remits itself: they are nothing that the store owes."""

from connectors.platforms.shopify.shape import Order, TaxLine, tail
from ledger.money import Tenk, divide_half_even, minor_step, round_half_even


class Liable:
    """Tells how much of a sale's tax is the store's own to remit, and counts what is not."""

    def __init__(self, order: Order) -> None:
        liable = [line.channel_liable is True for line in order.tax_lines]
        self._none, self._all = not any(liable), bool(liable) and all(liable)
        self._step = minor_step(order.currency_code)
        self._lines = {tail(line.id): line.tax_lines or [] for line in order.line_items.nodes}
        self.taken: Tenk = 0

    def own(self, tax: Tenk, line: str | None) -> Tenk:
        """Return the store's part of a tax on a line, or on what is no line."""
        if self._none or not tax:
            return tax
        own = 0 if self._all else self._share(tax, self._lines.get(line or "", []))
        self.taken += tax - own
        return own

    def _share(self, tax: Tenk, lines: list[TaxLine]) -> Tenk:
        whole = sum(line.price_set.units for line in lines)
        if not whole:
            return tax
        own = sum(line.price_set.units for line in lines if line.channel_liable is not True)
        return round_half_even(divide_half_even(tax * own, whole), self._step)


def is_shared(order: Order) -> bool:
    """Tell whether a marketplace remits some of an order's taxes and the store others, so that each line's taxes are needed."""
    liable = [line.channel_liable is True for line in order.tax_lines]
    return any(liable) and not all(liable)
