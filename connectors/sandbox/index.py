"""Remember of every order when it changes, in whole numbers: what sorting by change needs, and no more."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from connectors.sandbox.story import Banked, Disputed, Paid, Refunded, Returned, Settled, Shipped, Story
from connectors.sandbox.telling import SILENT

BANKED = "shopify_payments"


def seconds(moment: datetime) -> int:
    """Return a moment as whole seconds."""
    return int(moment.timestamp())


def moment(of: int) -> datetime:
    """Return whole seconds as a moment."""
    return datetime.fromtimestamp(of, UTC)


class Moments:
    """Moments and the orders they are about, in time order."""

    def __init__(self, found: list[tuple[int, int]]) -> None:
        found.sort()
        self._at = array("q", [at for at, _ in found])
        self._orders = array("q", [order for _, order in found])

    def between(self, since: datetime | None, until: datetime) -> Iterator[tuple[int, int]]:
        """Yield what is at or after `since` and before `until`: seconds and the order's id."""
        first = bisect_left(self._at, seconds(since)) if since is not None else 0
        for place in range(first, bisect_left(self._at, seconds(until))):
            yield self._at[place], self._orders[place]


class Index:
    """When each order changes, when the bank moves money for it, and who placed it."""

    def __init__(self, stories: Iterable[Story]) -> None:
        changes, banked, disputed = [], [], []
        self.orders_of: dict[int, array[int]] = {}
        for story in stories:
            times = {seconds(story.created_at)} | {seconds(each.at) for each in story.happenings if not isinstance(each, SILENT)}
            changes += [(max(at, seconds(story.created_at)), story.id) for at in times]
            banked += [(at, story.id) for at in bank_moments(story)]
            disputed += [(seconds(each.at), story.id) for each in story.happenings if isinstance(each, Disputed)]
            if story.customer is not None:
                self.orders_of.setdefault(story.customer, array("q")).append(story.id)
        self.changes, self.banked, self.disputed = Moments(changes), Moments(banked), Moments(disputed)


def bank_moments(story: Story) -> set[int]:
    """Return the seconds at which the balance of Shopify Payments may move for an order."""
    found = set()
    for happening in story.happenings:
        if isinstance(happening, Paid):
            if happening.payment.gateway == BANKED:
                found.add(seconds(happening.at))
        elif isinstance(happening, Refunded | Returned):
            if any(payment.gateway == BANKED for payment in happening.payments):
                found.add(seconds(happening.at))
        elif isinstance(happening, Disputed | Settled | Banked) or (isinstance(happening, Shipped) and happening.label is not None):
            found.add(seconds(happening.at))
    return found
