"""Live a business from one seed: every order follows from the seed and its number alone, so any can be made again, alike."""

import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from msgspec import structs

from connectors.sandbox.afterwards import Afterwards
from connectors.sandbox.business import Customer, Shop, ShopSetting
from connectors.sandbox.buying import Basket, buy
from connectors.sandbox.catalogue import Catalogue, make
from connectors.sandbox.habits import Habits
from connectors.sandbox.people import CUSTOMER_IDS, People, mix
from connectors.sandbox.story import Merged, Story, Touched

ORDER_IDS = 5_000_000_000
FIRST_NUMBER = 1001
WEEK = (95, 90, 92, 95, 108, 118, 102)
YEAR = (92, 88, 93, 95, 98, 96, 90, 88, 97, 103, 130, 130)
"""How busy days of the week and months of the year are, in per cent."""
AFTER = timedelta(days=6, hours=5)
"""So long after a customer's first order it is found out that they are another."""
BUSY = 6
"""How many times as much is bought on a busy day."""
LOCATIONS = ((71_000_001, "Warehouse"), (71_000_002, "Corner shop"))


class Living:
    """The orders of a business that lives by its habits. Order n is the n-th placed, from 0 on."""

    def __init__(self, *, seed: int, start: date, days: int, orders_per_day: int, habits: Habits) -> None:
        self.seed, self.start, self.days, self.habits = seed, start, days, habits
        self.shop = _shop(seed, start, habits)
        self.catalogue: Catalogue = make(seed, habits, start, days)
        self.people = People(seed, habits)
        counts = [self._count(start + timedelta(days=place), place, orders_per_day) for place in range(days)]
        self._until = list(accumulate(counts))
        self._midnights = [_midnight(start + timedelta(days=place), habits.zone) for place in range(days + 1)]

    def __len__(self) -> int:
        return self._until[-1] if self._until else 0

    def _count(self, day: date, place: int, usual: int) -> int:
        busy = BUSY if ((day.month, day.day) in self.habits.busy_days or (0, place) in self.habits.busy_days) else 1
        grown = 10_000 + self.habits.growth * place // 365
        noise = 80 + mix(self.seed, place, 7) % 41
        exact = usual * busy * WEEK[day.weekday()] * YEAR[day.month - 1] * noise * grown
        return (exact + 5 * 10**9) // 10**10

    def id_of(self, number: int) -> int:
        """Return the id of the n-th order."""
        return ORDER_IDS + number

    def story(self, order: int) -> Story | None:
        """Make an order by its id; None where there is no such order."""
        number = order - ORDER_IDS
        return self._live(number) if 0 <= number < len(self) else None

    def stories(self) -> Iterator[Story]:
        """Make every order, in the order in which they were placed."""
        return map(self._live, range(len(self)))

    def _placed_at(self, number: int, r: random.Random) -> datetime:
        day = bisect_right(self._until, number)
        before = self._until[day - 1] if day else 0
        midnight, span = self._midnights[day], self._midnights[day + 1] - self._midnights[day]
        # nobody buys before six: the n-th of a day comes in the n-th part of its remaining hours
        seconds = 21_600 + (number - before + r.random()) * (span.total_seconds() - 21_660) / (self._until[day] - before)
        return midnight + timedelta(seconds=int(seconds))

    def _live(self, number: int) -> Story:
        r = random.Random(mix(self.seed, number, 3))  # noqa: S311  a simulation
        at = self._placed_at(number, r)
        first = self.people.first_order(number)
        basket = Basket(self.id_of(number), self.habits, self.shop, r)
        name = f"#{FIRST_NUMBER + number}"
        story, paid = buy(basket, self.catalogue, name=name, at=at, customer=CUSTOMER_IDS + first, home=self.people.home(first))
        story = Afterwards(basket, story, self.catalogue).live(paid=paid)
        if self.habits.merged and story.customer is not None:
            story = self._merge(story, first)
        return self._tag_together(story) if self.habits.touched_together else story

    def _merge(self, story: Story, first: int) -> Story:
        """Let a customer turn out to be the one who bought before their first order, unless that one did so, too."""
        into = self.people.first_order(first - 1) if first else 0
        if not first or not self._is_merged(first) or self._is_merged(into):
            return story
        at = self._placed_at(first, random.Random(mix(self.seed, first, 3))) + AFTER  # noqa: S311  a simulation
        if story.created_at >= at:
            return structs.replace(story, customer=CUSTOMER_IDS + into)
        happenings = sorted([*story.happenings, Merged(at, CUSTOMER_IDS + into)], key=lambda each: each.at)
        return structs.replace(story, happenings=tuple(happenings))

    def _is_merged(self, first: int) -> bool:
        return first > 0 and mix(self.seed, first, 41) % 10_000 < self.habits.merged

    def _tag_together(self, story: Story) -> Story:
        """Let somebody tag the orders of a span of days all at once, so that they change within one second."""
        every = self.habits.touched_together
        place = (self.shop.day(story.created_at) - self.start).days // every + 1
        at = _midnight(self.start + timedelta(days=place * every), self.habits.zone) + timedelta(hours=10)
        happenings = sorted([*story.happenings, Touched(at, f"week-{place}")], key=lambda each: each.at)
        return structs.replace(story, happenings=tuple(happenings))

    def customer(self, number: int, created_at: datetime) -> Customer:
        """Return a customer by id."""
        return self.people.customer(number - CUSTOMER_IDS, created_at)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _shop(seed: int, start: date, habits: Habits) -> Shop:
    first = ShopSetting(datetime(1970, 1, 1, tzinfo=UTC), habits.zone, habits.currency)
    settings = [first]
    turns = [(day, {"zone": zone}) for day, zone in habits.zone_changes]
    if habits.currency_change is not None:
        turns.append((habits.currency_change[0], {"currency": habits.currency_change[1]}))
    for day, change in sorted(turns, key=lambda turn: turn[0]):
        since = _midnight(start + timedelta(days=day), habits.zone)
        settings.append(structs.replace(settings[-1], since=since, **change))
    currencies = (habits.currency, *(each for each in habits.presentment_currencies if each != habits.currency))
    return Shop(
        6_000_000 + seed, "Maple & Finch", "maple-and-finch.myshopify.com", habits.country, tuple(settings), habits.taxes_included, currencies,
        habits.payout_currency, _midnight(start - timedelta(days=60), habits.zone), LOCATIONS,
    )  # fmt: skip
