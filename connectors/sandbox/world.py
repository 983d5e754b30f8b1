"""Answer what a business is like at a moment: its shop, its catalogue, its orders.

A world knows all that will ever happen in it. Whoever asks says at which moment they ask, and hears what had happened
until then. Orders are made when they are asked for and few of them are kept. What is asked of all orders walks through
all of them: plain and slow, to set beside what a server answers from its indexes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from typing import Protocol, Self

from msgspec import Struct

from connectors.sandbox import bank, told
from connectors.sandbox.business import Customer, Product, Shop, Variant
from connectors.sandbox.catalogue import Catalogue
from connectors.sandbox.living import Living
from connectors.sandbox.scenarios import habits_of
from connectors.sandbox.story import Deleted, Story
from connectors.sandbox.telling import order_at, updated_at
from connectors.sandbox.told import BalanceTransaction, Dispute, Payout

KEPT = 20_000
"""How many orders are kept once they were made."""


class Change(Struct, frozen=True, order=True):
    """That an order changed last at a moment."""

    at: datetime
    order: int


class Source(Protocol):
    """Where a world's orders come from."""

    shop: Shop
    catalogue: Catalogue

    def __len__(self) -> int: ...
    def story(self, order: int) -> Story | None:
        """Return an order by its id."""

    def stories(self) -> Iterator[Story]:
        """Yield every order by id."""

    def customer(self, number: int, created_at: datetime) -> Customer:
        """Return a customer by id."""


class Script:
    """Orders that somebody wrote down."""

    def __init__(self, shop: Shop, catalogue: Catalogue, stories: Iterable[Story], customers: Iterable[Customer] = ()) -> None:
        self.shop, self.catalogue = shop, catalogue
        self._stories = {story.id: story for story in sorted(stories, key=lambda story: story.id)}
        self._customers = {customer.id: customer for customer in customers}

    def __len__(self) -> int:
        return len(self._stories)

    def story(self, order: int) -> Story | None:
        """Return an order by its id."""
        return self._stories.get(order)

    def stories(self) -> Iterator[Story]:
        """Yield every order by id."""
        return iter(self._stories.values())

    def customer(self, number: int, created_at: datetime) -> Customer:
        """Return a customer by id; one nobody described is made up."""
        return self._customers.get(number) or Customer(number, created_at, f"customer-{number}@example.com", "US", "", "")


class World:
    """One business."""

    def __init__(self, source: Source) -> None:
        self.source, self.shop, self.catalogue = source, source.shop, source.catalogue
        self._kept = lru_cache(maxsize=KEPT)(source.story)
        self._placed: dict[int, Story] = {}

    @classmethod
    def live(cls, *, seed: int = 1, start: date, days: int, orders_per_day: int = 20, scenario: str = "quiet") -> Self:
        """Make a world that lives `days` days from `start`, with about so many orders a day in its first year.

        The same arguments make the same world, to the last byte. Raises KeyError for a scenario nobody wrote.
        """
        return cls(Living(seed=seed, start=start, days=days, orders_per_day=orders_per_day, habits=habits_of(scenario)))

    @classmethod
    def of(cls, shop: Shop, catalogue: Catalogue, stories: Sequence[Story], customers: Iterable[Customer] = ()) -> Self:
        """Make a world of orders that somebody wrote down."""
        return cls(Script(shop, catalogue, stories, customers))

    def __len__(self) -> int:
        return len(self.source) + len(self._placed)

    # Orders

    def story(self, order: int) -> Story | None:
        """Return all that will ever happen to an order; of one that somebody placed, what has happened so far."""
        return self._placed.get(order) or self._kept(order)

    def stories(self) -> Iterator[Story]:
        """Yield all orders by id, as they will end up."""
        return chain(self.source.stories(), list(self._placed.values()))

    def put(self, story: Story) -> None:
        """Take in an order that somebody placed, or more that happened to it. Its id is above all others."""
        self._placed[story.id] = story

    def placed(self) -> list[Story]:
        """Return the orders that somebody placed, by id."""
        return list(self._placed.values())

    def order(self, order: int, at: datetime) -> told.Order | None:
        """Tell an order as of a moment; None before it is known and after it is deleted."""
        story = self.story(order)
        return order_at(story, at) if story is not None else None

    def orders(self, at: datetime) -> Iterator[told.Order]:
        """Tell every order by id, as of a moment."""
        for story in self.stories():
            found = order_at(story, at)
            if found is not None:
                yield found

    def changes(self, at: datetime, *, since: datetime | None = None, until: datetime | None = None) -> list[Change]:
        """List the orders there are at a moment whose updated_at is at or after `since` and before `until`, oldest change first."""
        there = (story for story in self.stories() if story.created_at <= at and not _is_deleted(story, at))
        found = sorted(Change(updated_at(story, at), story.id) for story in there)
        return [each for each in found if (since is None or each.at >= since) and (until is None or each.at < until)]

    def deleted(self, at: datetime) -> list[Change]:
        """List the orders that were deleted by a moment, and when."""
        gone = ((each.at, story.id) for story in self.stories() for each in story.happenings if isinstance(each, Deleted))
        return sorted(Change(deleted_at, order) for deleted_at, order in gone if deleted_at <= at)

    # Shopify Payments

    def balance(self, at: datetime, *, transfers: bool = True) -> list[BalanceTransaction]:
        """List what moved the balance by a moment, oldest first; `transfers` says whether the payouts themselves are listed, too."""
        found = [move for story in self.stories() for move in bank.moves(story, self.shop, at)]
        if transfers:
            found += [bank.transfer(payout) for payout in bank.payouts(found, at)]
        return sorted(found, key=lambda move: (move.at, move.id))

    def payouts(self, at: datetime) -> list[Payout]:
        """List the payouts that were issued by a moment, oldest first."""
        return bank.payouts(self.balance(at, transfers=False), at)

    def disputes(self, at: datetime) -> list[Dispute]:
        """List the disputes there are at a moment, oldest first."""
        found = [each for story in self.stories() for each in bank.disputes(story, self.shop, at)]
        return sorted(found, key=lambda dispute: (dispute.initiated_at, dispute.id))

    # Catalogue

    def products(self, at: datetime) -> list[Product]:
        """List the products there are at a moment, by id."""
        return [each for each in self.catalogue.products.values() if each.created_at <= at and not (each.deleted_at and each.deleted_at <= at)]

    def variants(self, at: datetime) -> list[Variant]:
        """List the variants there are at a moment, by id."""
        there = {product.id for product in self.products(at)}
        return [each for each in self.catalogue.variants.values() if each.product in there and each.created_at <= at]

    # Customers

    def customers(self, at: datetime) -> list[Customer]:
        """List the customers there are at a moment, by when they came."""
        found: dict[int, Customer] = {}
        for story in self.stories():
            if story.customer is not None and story.customer not in found and story.created_at <= at:
                found[story.customer] = self.source.customer(story.customer, story.created_at)
        return list(found.values())

    def orders_of(self, customer: int, at: datetime) -> list[int]:
        """List the ids of the orders that a customer has at a moment, by when they were placed."""
        there = (story for story in self.stories() if story.customer == customer and story.created_at <= at)
        return [story.id for story in there if not _is_deleted(story, at)]


def _is_deleted(story: Story, at: datetime) -> bool:
    return any(isinstance(each, Deleted) and each.at <= at for each in story.happenings)
