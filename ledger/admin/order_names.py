"""Name orders and their lines as people and spreadsheets do: by number, and by SKU or title, never by a key of ours."""

from collections.abc import Iterable
from functools import cached_property

from ledger.admin.cells import CellRefused
from ledger.models import CostOverride, Order, OrderLine, Store

MOST_LINES = 20
"""Lines of an order named in a message."""


class OrderNames:
    """Finds the orders of one store and their lines by their names, and writes those names."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._orders: dict[str, list[Order]] = {}
        self._numbers: dict[int, str] = {}
        self._lines: dict[int, list[OrderLine]] = {}

    def know(self, numbers: Iterable[str]) -> None:
        """Read orders and their lines by their numbers all at once: a sheet names a thousand."""
        wanted = {_bare(number) for number in numbers} - {""} - self._orders.keys()
        self._orders |= {number: [] for number in wanted}
        spelled = [spelled for number in wanted for spelled in (number, f"#{number}")]
        found = list(Order.objects.filter(store=self.store, number__in=spelled, withdrawn_at=None).order_by("pk"))
        self._lines |= {order.pk: [] for order in found}
        for order in found:
            self._orders[_bare(order.number)].append(order)
            self._numbers[order.pk] = order.number
        for line in OrderLine.objects.filter(store_id=self.store.pk, order_id__in=[order.pk for order in found]).order_by("order_id", "part"):
            self._lines[line.order_id].append(line)

    def order(self, number: str) -> Order:
        """Return an order by its number, with or without its #; raise CellRefused where there is none or there are several."""
        self.know([number])
        orders = self._orders.get(_bare(number), [])
        if not orders:
            raise CellRefused(f"{self.store} has no order with the number “{_bare(number)}”.")
        if len(orders) > 1:
            raise CellRefused(f"{self.store} has more than one order with the number “{_bare(number)}”.")
        return orders[0]

    def line(self, order: Order, name: str) -> OrderLine:
        """Return a line of an order by its SKU, title or the platform's id, the only one by nothing; raise CellRefused naming those there are."""
        lines, asked = self._lines[order.pk], name.strip().casefold()
        exact = [line for line in lines if line.external_id == name.strip()]
        meant = exact or [line for line in lines if not asked or asked in (line.sku.casefold(), line.title.casefold(), line.external_id.casefold())]
        if len(meant) != 1:
            told = "; ".join(f"{line.sku} {line.title}".strip() or line.external_id for line in lines[:MOST_LINES])
            raise CellRefused(f"Name one of the order's lines: {told}.")
        return meant[0]

    def told(self, order: int, line: str) -> str:
        """Say for lists which line of which order it is; both must be known."""
        meant = next(each for each in self._lines[order] if each.external_id == line)
        return f"{self._numbers[order]}: {meant.title or meant.sku}"[:255]

    def number(self, order: int) -> str:
        """Return the number of an order that was found here, or on whose lines an override stands."""
        found = self._numbers.get(order)
        return found if found is not None else self._overridden[order]

    @cached_property
    def _overridden(self) -> dict[int, str]:
        of = CostOverride.objects.filter(store=self.store, removed_by=None).values("order_id")
        return dict(Order.objects.filter(store=self.store, pk__in=of).values_list("pk", "number"))


def _bare(number: str) -> str:
    return number.strip().removeprefix("#")
