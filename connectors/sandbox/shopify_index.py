"""Live through a business once and remember what sorting, searching and counting its rows needs, in whole numbers."""

import threading
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from connectors.sandbox import bank
from connectors.sandbox.index import moment, seconds
from connectors.sandbox.story import Banked, Deleted, Disputed, Edited, FeeTold, Merged, Refunded, Returned, Story
from connectors.sandbox.telling import SILENT
from connectors.sandbox.told import Payout
from connectors.sandbox.world import World

UNHEARD = (FeeTold, Banked)
"""What happens and nobody is told of."""
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)
NEVER = -(1 << 62)
WEEK = timedelta(days=7)
"""Longer than anything waits to be paid out."""
MANY = 2000
"""From how many changes on it is quicker to sort all orders again than to move each."""
Key = tuple[datetime, int]


class BusinessIndex:
    """What is known of a business beforehand: when each order is created, changed and deleted, who buys, what is sold, what is paid out."""

    def __init__(self, world: World) -> None:
        self.orders, self.created, self.processed, self.deleted, self.disputed = (array("q") for _ in range(5))
        self.orders_of: dict[int, array[int]] = {}
        self.merged: dict[int, list[tuple[int, int, int]]] = {}
        """Customer → when an order became theirs or another's: the second, the order, and 1 or -1."""
        self.order_of: dict[tuple[str, int], int] = {}
        """Refunds and returns by kind and id → their order."""
        self._sold: dict[int, list[tuple[int, int]]] = {}
        """Variant → when units of it were sold, and how many had been by then."""
        self.moves: list[tuple[Key, int]] = []
        """When the balance moved and the movement's id, with the order it came from."""
        self.changes: list[tuple[int, int]] = []
        self.rings: list[tuple[int, int]] = []
        """When something happens that somebody may want to be told of, the bank's doings included, and to which order."""
        self._world, self._lock = world, threading.RLock()
        self._stale: dict[int, datetime] = {}
        """Payouts to be added up again, with the moment of one of their moves."""
        moved = []
        for story in world.stories():
            self._take(story)
            for move in bank.moves(story, world.shop, FOREVER):
                self.moves.append(((move.at, move.id), story.id))
                moved.append(move)
        self._payouts = bank.payouts(moved, FOREVER)
        self.changes.sort()
        self.rings.sort()
        self.moves.sort()
        self._order_of_move = {number: order for (_, number), order in self.moves}
        for variant, sold in self._sold.items():
            sold.sort()
            self._sold[variant] = list(zip((at for at, _ in sold), accumulate(units for _, units in sold), strict=True))

    def _take(self, story: Story) -> None:
        """Note an order with all that ever happens to it."""
        self._append(story)
        self.changes += [(at, story.id) for at in _changes(story)]
        self.rings += [(at, story.id) for at in _rings(story)]
        self._point_to(story)
        for variant, at, units in _sales(story):
            self._sold.setdefault(variant, []).append((at, units))

    def _append(self, story: Story) -> None:
        """Note an order behind all others; its id comes last, so that who finds it finds the rest."""
        gone = [seconds(each.at) for each in story.happenings if isinstance(each, Deleted)]
        self.created.append(seconds(story.created_at))
        self.processed.append(seconds(story.processed_at))
        self.deleted.append(gone[0] if gone else NEVER)
        self.orders.append(story.id)
        if story.customer is not None:
            self.orders_of.setdefault(story.customer, array("q")).append(story.id)
            for each in story.happenings:
                if isinstance(each, Merged):
                    self.merged.setdefault(story.customer, []).append((seconds(each.at), story.id, -1))
                    self.merged.setdefault(each.into, []).append((seconds(each.at), story.id, 1))

    def _point_to(self, story: Story) -> None:
        """Note where refunds, returns and disputes belong."""
        if any(isinstance(each, Disputed) for each in story.happenings) and story.id not in self.disputed:
            self.disputed.append(story.id)
        for each in story.happenings:
            if isinstance(each, Refunded):
                self.order_of["Refund", each.id] = story.id
            elif isinstance(each, Returned):
                self.order_of["Refund", each.refund_id] = self.order_of["Return", each.id] = story.id

    def put(self, story: Story, before: Story | None) -> list[tuple[int, int]]:
        """Take in an order that somebody placed, or what happened to it since `before`; return its new changes."""
        with self._lock:
            fresh = sorted((at, story.id) for at in _changes(story) - (_changes(before) if before is not None else set()))
            if before is None:
                self._append(story)
                self.keys.cache_clear()
            self._point_to(story)
            known = set(_sales(before)) if before is not None else set()
            for sale in _sales(story):
                if sale not in known:
                    self._sell(*sale)
            self._bank(story)
            changes = self.changes.copy()
            for change in fresh:
                insort(changes, change)
            self.changes = changes
            return fresh

    def _sell(self, variant: int, at: int, units: int) -> None:
        """Count units among those that were and will be sold."""
        sold = self._sold.get(variant, [])
        place = bisect_right(sold, at, key=lambda each: each[0])
        before = sold[place - 1][1] if place else 0
        self._sold[variant] = [*sold[:place], (at, before + units), *((later, count + units) for later, count in sold[place:])]

    def _bank(self, story: Story) -> None:
        """Note what an order newly moves of the balance."""
        moves = self.moves.copy()
        for move in bank.moves(story, self._world.shop, FOREVER):
            if move.id not in self._order_of_move:
                insort(moves, ((move.at, move.id), story.id))
                self._order_of_move[move.id] = story.id
                if move.payout is not None:
                    self._stale[move.payout] = move.at
        self.moves = moves

    @property
    def payouts(self) -> list[Payout]:
        """Return all payouts there will ever be, oldest first."""
        with self._lock:
            for number, about in self._stale.items():
                others = [payout for payout in self._payouts if payout.id != number]
                self._payouts = sorted([*others, *self._added_up(number, about)], key=lambda payout: payout.issued_at)
            self._stale.clear()
            return self._payouts

    def _added_up(self, payout: int, about: datetime) -> list[Payout]:
        """Add one payout up; none of its moves is further than a week from another."""
        near = {order for (at, _), order in self.moves if about - WEEK <= at <= about + WEEK}
        stories = [story for order in near if (story := self._world.story(order)) is not None]
        moves = [move for story in stories for move in bank.moves(story, self._world.shop, FOREVER) if move.payout == payout]
        return bank.payouts(moves, FOREVER)

    def orders_at(self, customer: int, now: int) -> list[int]:
        """Return the orders that are a customer's at a second, by when they were placed; those to come are among them."""
        orders = set(self.orders_of.get(customer, ()))
        for at, order, sign in self.merged.get(customer, ()):
            if at <= now:
                (orders.add if sign > 0 else orders.discard)(order)
        return sorted(orders)

    def merged_at(self, customer: int, now: int) -> int:
        """Return when orders last became a customer's or ceased to be; NEVER where none did."""
        return max((at for at, _, _ in self.merged.get(customer, ()) if at <= now), default=NEVER)

    def place(self, order: int) -> int | None:
        """Return where an order stands in the arrays; None for a stranger."""
        place = bisect_left(self.orders, order)
        return place if place < len(self.orders) and self.orders[place] == order else None

    def exists(self, order: int, now: int, since: int) -> bool:
        """Tell whether an order is there at a second, and was created at or after another."""
        place = self.place(order)
        if place is None or not since <= self.created[place] <= now:
            return False
        return self.deleted[place] == NEVER or self.deleted[place] > now

    def order_of_move(self, number: int) -> int | None:
        """Return the order a movement of the balance came from."""
        return self._order_of_move.get(number)

    def sold(self, variant: int, now: int) -> int:
        """Return how many units of a variant had been sold by a second."""
        sold = self._sold.get(variant, [])
        place = bisect_right(sold, now, key=lambda each: each[0])
        return sold[place - 1][1] if place else 0

    @lru_cache(maxsize=4)  # noqa: B019  one index lives as long as its sandbox
    def keys(self, name: str) -> list[Key]:
        """Return all orders by when they were created or processed."""
        times = self.created if name == "created_at" else self.processed
        return sorted((moment(at), order) for at, order in zip(times, self.orders, strict=True))


def _changes(story: Story) -> set[int]:
    """Return the seconds in which an order changes."""
    created = seconds(story.created_at)
    return {created} | {max(created, seconds(each.at)) for each in story.happenings if not isinstance(each, SILENT)}


def _rings(story: Story) -> set[int]:
    """Return the seconds in which something happens to an order that somebody may want to be told of."""
    created = seconds(story.created_at)
    return {created} | {max(created, seconds(each.at)) for each in story.happenings if not isinstance(each, UNHEARD)}


def _sales(story: Story) -> list[tuple[int, int, int]]:
    """Return which variant is sold when, and how many units."""
    added = [(story.created_at, item) for item in story.items]
    for each in story.happenings:
        added += [(each.at, item) for item in (each.added if isinstance(each, Edited) else each.exchanged if isinstance(each, Returned) else ())]
    return [(item.variant, seconds(at), item.quantity) for at, item in added if item.variant is not None]


class Timeline:
    """All changes in the order in which searches come to see them: some up to `lag` seconds late."""

    def __init__(self, changes: Sequence[tuple[int, int]], lag: int) -> None:
        self.seen, self.at, self.orders = array("q"), array("q"), array("q")
        self.lag, self.lock = lag, threading.Lock()
        for seen, at, order in sorted((at + _late(order, at, lag), at, order) for at, order in changes):
            self.seen.append(seen)
            self.at.append(at)
            self.orders.append(order)

    def insert(self, at: int, order: int) -> int:
        """Put a change in and return its place; the caller holds the lock."""
        seen = at + _late(order, at, self.lag)
        place = bisect_right(self.seen, seen)
        self.seen.insert(place, seen)
        self.at.insert(place, at)
        self.orders.insert(place, order)
        return place


class ByChange:
    """Keep orders sorted by when they last changed, as a search sees it at a moment; asking later moves it on."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.through, self._next = NEVER, 0
        self._last: dict[int, int] = {}
        self._keys: list[Key] = []

    def keys(self, now: int) -> list[Key]:
        """Return all orders that a search at a second, not before the last one asked about, sees; the list is never changed afterwards."""
        with self._timeline.lock:
            line, start = self._timeline, self._next
            stop = bisect_right(line.seen, now)
            if stop > start:
                fresh = list(zip(line.at[start:stop], line.orders[start:stop], strict=True))
                self._keys = self._sorted_again(fresh) if len(fresh) > MANY else self._moved(fresh)
                self._next = stop
            self.through = max(self.through, now)
            return self._keys

    def inserted(self, place: int) -> None:
        """Take in a change that was put into the timeline; the caller holds its lock. One that came late counts at once."""
        if place < self._next:
            self._keys = self._moved([(self._timeline.at[place], self._timeline.orders[place])])
            self._next += 1

    def changed(self, order: int) -> int | None:
        """Return when an order last changed, as far as searches see."""
        return self._last.get(order)

    def _sorted_again(self, fresh: list[tuple[int, int]]) -> list[Key]:
        for at, order in fresh:
            self._last[order] = max(at, self._last.get(order, at))
        return sorted((moment(at), order) for order, at in self._last.items())

    def _moved(self, fresh: list[tuple[int, int]]) -> list[Key]:
        keys = self._keys.copy()
        for at, order in fresh:
            before = self._last.get(order)
            if before is not None and before >= at:
                continue
            if before is not None:
                del keys[bisect_left(keys, (moment(before), order))]
            insort(keys, (moment(at), order))
            self._last[order] = at
        return keys


class Changes:
    """Answer for any moment: the latest that was asked about is kept and moved on, a few earlier ones are kept as they are."""

    EARLIER = 4

    def __init__(self, changes: Sequence[tuple[int, int]], lag: int) -> None:
        self._timeline = Timeline(changes, lag)
        self._latest = ByChange(self._timeline)
        self._earlier: dict[int, ByChange] = {}
        self._lock = threading.Lock()

    def at(self, now: int) -> ByChange:
        """Return what a search at a second goes by."""
        with self._lock:
            if now >= self._latest.through:
                return self._latest
            if now not in self._earlier:
                if len(self._earlier) >= self.EARLIER:
                    del self._earlier[next(iter(self._earlier))]
                self._earlier[now] = ByChange(self._timeline)
            return self._earlier[now]

    def put(self, at: int, order: int) -> None:
        """Take in a change nobody knew beforehand."""
        with self._lock, self._timeline.lock:
            place = self._timeline.insert(at, order)
            for each in (self._latest, *self._earlier.values()):
                each.inserted(place)
            self._earlier.clear()  # who asks for an earlier moment again reckons it anew


def _late(order: int, at: int, lag: int) -> int:
    """Return by how many seconds a search finds a change late: none to `lag`, different for each, the same every time."""
    return (order * 7919 + at * 104_729) % (lag + 1)
