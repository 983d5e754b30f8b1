"""State the true profit of a simulated business: per day, order and product, with arithmetic of its own.

The oracle knows what everybody meant; it never reads what a platform tells. What a line means, and on which day it
counts, is said in docs/metrics; docs/sandbox.md lists the rules the oracle follows.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

from connectors.sandbox.knowledge import Knowledge
from connectors.sandbox.story import Story
from connectors.sandbox.telling import order_at
from connectors.sandbox.truth import Row, Truth
from connectors.sandbox.world import World

ZERO = Decimal(0)
REVENUE = ("gross_sales", "discounts", "returns", "shipping_charged", "other_income")
COSTS = ("cogs", "fulfilment", "fees", "marketing", "operating")
MEMO = ("tax", "gift_cards", "unpaid")
COUNTS = ("orders", "units", "returned_units", "new_customers")
LINES = (*REVENUE, *COSTS, *MEMO, *COUNTS)
"""Every line the oracle states. `chargebacks` is a part of `returns` that is told apart."""
EVENT, ORDER = "event", "order"
"""On which day a row counts: its own, or its order's."""
Key = TypeVar("Key", bound=Hashable)


class Statement(Struct):
    """What some rows come to, line by line, in the shop's currency. Revenue is positive, costs are negative."""

    lines: dict[str, Decimal] = {}
    chargebacks: Decimal = ZERO
    """What of returns banks took."""
    estimated: dict[str, Decimal] = {}
    """What of each line is a guess."""

    def add(self, row: Row) -> None:
        """Add a row to its line."""
        line = row.line
        if line == "chargebacks":
            line, self.chargebacks = "returns", self.chargebacks + row.amount
        self.lines[line] = self.lines.get(line, ZERO) + row.amount
        if row.estimated:
            self.estimated[line] = self.estimated.get(line, ZERO) + row.amount

    def __getitem__(self, line: str) -> Decimal:
        if line not in LINES:
            raise KeyError(line)
        return self.lines.get(line, ZERO)

    @property
    def moved(self) -> dict[str, Decimal]:
        """Return the lines that are not zero."""
        return {line: self.lines[line] for line in LINES if self.lines.get(line)}

    @property
    def net_revenue(self) -> Decimal:
        """Return sales after discounts and returns, with shipping charged and other income; never tax."""
        return sum((self[line] for line in REVENUE), ZERO)

    @property
    def net_profit(self) -> Decimal:
        """Return net revenue less every cost."""
        return self.net_revenue + sum((self[line] for line in COSTS), ZERO)


class Oracle:
    """What is true of a world at a moment, for somebody who has watched it since one (None: always), and looked at its catalogue at some.

    With `currency`, only orders in it are looked at, as who keeps a book of its own for each currency does. Who sees only what
    was created since a moment sees no older order; a customer who has one is not new with any that they see.
    """

    def __init__(
        self, world: World, *, at: datetime, watched_since: datetime | None = None, looks: Sequence[datetime] = (), currency: str = "",
        sees_since: datetime | None = None,
    ) -> None:  # fmt: skip
        self._world, self._at, self._currency, self._sees_since = world, at, currency, sees_since
        self._knowledge = Knowledge(world.shop, world.catalogue, at=at, watched_since=watched_since, looks=looks)

    def rows_of(self, story: Story) -> list[Row]:
        """State every amount of one order; new customers are no order's."""
        return Truth(story, self._knowledge, self._at).tell()

    def rows(self) -> Iterator[Row]:
        """State every amount of the business by order, then its new customers. Nothing is kept: a million orders need no more memory."""
        first: dict[int, tuple[datetime, int]] = {}
        beyond: set[int] = set()
        for story in self._world.stories():
            customer = story.customer_at(self._at)
            if self._currency not in ("", story.currency):
                continue
            if self._sees_since is not None and story.created_at < self._sees_since:
                if customer is not None and order_at(story, self._at) is not None:
                    beyond.add(customer)
                continue
            found = self.rows_of(story)
            yield from found
            if customer is not None and any(row.line == "orders" for row in found):
                first[customer] = min(first.get(customer, (story.processed_at, story.id)), (story.processed_at, story.id))
        for came, order in (each for customer, each in first.items() if customer not in beyond):
            day = self._knowledge.day(came)
            yield Row("new_customers", day, day, order, Decimal(1))

    def statement(self, first: date | None = None, last: date | None = None, *, basis: str = EVENT) -> Statement:
        """Add up the days from `first` to `last`, both included; without them, all."""
        found = Statement({}, ZERO, {})
        for row in self.rows():
            day = _day(row, basis)
            if (first is None or day >= first) and (last is None or day <= last):
                found.add(row)
        return found

    def by_day(self, *, basis: str = EVENT) -> dict[date, Statement]:
        """Add up each day on which something happened, in order of days."""
        return _by(self.rows(), lambda row: _day(row, basis))

    def by_order(self) -> dict[int, Statement]:
        """Add up each order, by id; new customers are left out."""
        return _by((row for row in self.rows() if row.line != "new_customers"), lambda row: row.order)

    def by_variant(self, *, basis: str = EVENT) -> dict[tuple[int, date], Statement]:
        """Add up each variant's days: its sales, discounts, returns, COGS and units."""
        return _by((row for row in self.rows() if row.variant is not None), lambda row: (row.variant or 0, _day(row, basis)))

    def by_product(self, first: date | None = None, last: date | None = None, *, basis: str = EVENT) -> dict[int, Statement]:
        """Add up each product over the days from `first` to `last`, by id."""
        found: dict[int, Statement] = {}
        for (variant, day), statement in self.by_variant(basis=basis).items():
            if (first is None or day >= first) and (last is None or day <= last):
                whole = found.setdefault(self._world.catalogue.variants[variant].product, Statement({}, ZERO, {}))
                for line, amount in statement.lines.items():
                    whole.lines[line] = whole.lines.get(line, ZERO) + amount
        return dict(sorted(found.items()))


def _day(row: Row, basis: str) -> date:
    return row.order_day if basis == ORDER else row.day


def _by(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, Statement]:
    found: dict[Key, Statement] = {}
    for row in rows:
        found.setdefault(key(row), Statement({}, ZERO, {})).add(row)
    return {each: found[each] for each in sorted(found)}  # type: ignore[type-var]  # keys of one call are of one kind, which is ordered
