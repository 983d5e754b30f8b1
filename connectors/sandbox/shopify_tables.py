"""Hold the tables that searches go through: orders by their index, everything else as a list."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from connectors.sandbox.index import moment, seconds
from connectors.sandbox.shopify_index import NEVER, BusinessIndex, ByChange
from connectors.sandbox.shopify_money import Row
from connectors.sandbox.shopify_pages import Key
from connectors.sandbox.shopify_search import Fact
from connectors.sandbox.told import Order

T = TypeVar("T")


class Listed(Generic[T]):
    """A table of rows that are few enough to be listed. `facts` tells what each can be searched by, and sorted, too."""

    def __init__(
        self, kind: str, items: Mapping[int, T], facts: Callable[[T], Mapping[str, Fact]], row: Callable[[T], Row], sort_fields: Mapping[str, str]
    ) -> None:
        self.kind, self._items, self._facts, self._row = kind, items, facts, row
        self.sort_fields = {"ID": "id", **sort_fields}

    def keys(self, sort_key: str) -> Sequence[Key]:
        """Return the keys of all rows in ascending order."""
        if sort_key == "ID":
            return sorted((number, number) for number in self._items)
        field = self.sort_fields[sort_key]
        return sorted((self._facts(item)[field](), number) for number, item in self._items.items())

    def there(self, number: int) -> bool:
        """Tell whether a row may be seen."""
        return number in self._items

    def facts(self, number: int) -> Mapping[str, Fact]:
        """Return what a row can be searched by."""
        return {"id": lambda: number, **self._facts(self._items[number])}

    def row(self, number: int) -> Row:
        """Return one row."""
        return self._row(self._items[number])


class Keyed:
    """A table whose keys are known beforehand and whose rows are made when they are asked for."""

    def __init__(
        self, kind: str, keys: Mapping[str, Sequence[Key]], facts: Callable[[int], Mapping[str, Fact]], row: Callable[[int], Row | None],
        sort_fields: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.kind, self._keys, self._facts, self._row, self.sort_fields = kind, keys, facts, row, sort_fields

    def keys(self, sort_key: str) -> Sequence[Key]:
        """Return the keys of all rows in ascending order."""
        return self._keys[sort_key]

    def there(self, number: int) -> bool:
        """Tell whether a row may be seen."""
        return True

    def facts(self, number: int) -> Mapping[str, Fact]:
        """Return what a row can be searched by."""
        return self._facts(number)

    def row(self, number: int) -> Row:
        """Return one row."""
        return self._row(number) or {}


class Orders:
    """The orders there are at a moment."""

    kind = "Order"
    sort_fields: Mapping[str, str] = {
        "UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "processed_at", "ID": "id", "ORDER_NUMBER": "id",
    }  # fmt: skip

    def __init__(
        self, index: BusinessIndex, by_change: ByChange, now: datetime, since: datetime | None,
        told: Callable[[int], Order | None], row: Callable[[int], Row | None],
    ) -> None:  # fmt: skip
        self._index, self._by_change, self._told, self._row = index, by_change, told, row
        self._now, self._since = seconds(now), seconds(since) if since is not None else NEVER

    def keys(self, sort_key: str) -> Sequence[Key]:
        """Return the keys of all orders in ascending order, those that are not there included."""
        if sort_key == "UPDATED_AT":
            return self._by_change.keys(self._now)
        if sort_key in ("ID", "ORDER_NUMBER"):
            return [(order, order) for order in self._index.orders]
        return self._index.keys(self.sort_fields[sort_key])

    def there(self, number: int) -> bool:
        """Tell whether an order is there."""
        return self._index.exists(number, self._now, self._since)

    def facts(self, number: int) -> Mapping[str, Fact]:
        """Return what an order can be searched by."""

        def of(field: str) -> Fact:
            return lambda: getattr(self._told(number), field)

        return {
            "id": lambda: number, "updated_at": lambda: self._changed(number),
            "created_at": lambda: self._at(self._index.created, number), "processed_at": lambda: self._at(self._index.processed, number),
            "name": of("name"), "default": of("name"), "financial_status": of("financial_status"),
            "fulfillment_status": of("fulfillment_status"), "return_status": of("return_status"), "test": of("test"), "tag": of("tags"),
            "source_name": of("source_name"), "customer_id": of("customer"), "gateway": of("gateways"), "discount_code": of("discount_codes"),
            "status": lambda: _states(self._told(number)), "sku": lambda: [line.sku for line in _lines(self._told(number))],
        }  # fmt: skip

    def _changed(self, number: int) -> datetime | None:
        """Return when an order changed, as searches see it: perhaps not yet as it is."""
        self._by_change.keys(self._now)
        at = self._by_change.changed(number)
        return moment(at) if at is not None else None

    def _at(self, times: Sequence[int], number: int) -> datetime | None:
        place = self._index.place(number)
        return moment(times[place]) if place is not None else None

    def row(self, number: int) -> Row:
        """Return one order."""
        return self._row(number) or {}


def _lines(order: Order | None) -> Any:
    return order.lines if order is not None else ()


def _states(order: Order | None) -> list[str]:
    """Return the words that describe an order's state in a search."""
    if order is None:
        return []
    state = "cancelled" if order.cancelled_at else "closed" if order.closed_at else "open"
    return [state, "any"] + ["not_closed"] * (state != "closed")
