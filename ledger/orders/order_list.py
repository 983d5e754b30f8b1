"""List a store's orders: filtered, sorted, page by page by key, as rows of a file, and counted by margin."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from ledger.models import Store
from ledger.orders.order_question import MOST_LOOKED, PER_PAGE, Choice, Flag, Key, Question, Sort

AT_ONCE = 2_000
"""Rows that are read ahead while a list is written to a file."""


class Listed(NamedTuple):
    """One order of a list. Amounts are in the store's currency, costs positive; of a held order they say nothing."""

    id: int
    number: str
    platform: str
    external_id: str
    day: date
    currency: str
    channel: int
    country: str
    financial_status: int
    is_test: bool
    counts: bool
    is_cancelled: bool
    is_withdrawn: bool
    hold: int
    revenue: Decimal
    cogs: Decimal
    shipping: Decimal
    tax: Decimal
    payment_fees: Decimal
    other_fees: Decimal
    marketing_costs: Decimal
    profit: Decimal
    estimated_share: Decimal | None
    discount_codes: list[str]
    margin: Decimal | None
    """Profit as a share of the store's margin base; None when that is not above zero, or the order is held."""
    source: str | None
    """Where its customer came from last, not directly where another visit tells more; None where no visit is told."""
    refunded: bool
    disputed: bool
    edited: bool
    no_cost: bool

    @property
    def flags(self) -> frozenset[Flag]:
        """Return what is special about the order."""
        known = {
            Flag.LOSS: not self.hold and self.profit < 0, Flag.ESTIMATED: not self.hold and bool(self.estimated_share),
            Flag.REFUNDED: self.refunded, Flag.DISPUTED: self.disputed, Flag.EDITED: self.edited, Flag.HELD: bool(self.hold),
            Flag.NO_COST: self.no_cost,
        }  # fmt: skip
        return frozenset(flag for flag, applies in known.items() if applies)


class Page(NamedTuple):
    """One page of a list, and the keys of those beside it; None where there is none."""

    orders: list[Listed]
    newer: Key | None
    older: Key | None
    looked_back_to: date | None
    """The day the bound was reached on, where the list is not known beyond it; None when it is whole."""


def page_of(store: Store, choice: Choice, key: Key | None = None, *, looked: int = MOST_LOOKED) -> Page:
    """Return one page of a list, from a key on; the first without one. Reads at most `looked` orders."""
    question = Question(store, choice, key, looked=looked)
    with connection.cursor() as cursor:
        cursor.execute(question.sql(), question.values)
        rows = [Listed(*row) for row in cursor.fetchall()]
    before = key is not None and key.before
    more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
    bound = question.bound() if not (more and question.by_day) else None
    if before and not more and not (bound and question.by_day):
        return page_of(store, choice, looked=looked)
    if before:
        rows.reverse()
    newer = _key(choice, rows[0], before=True) if rows and (more if before else key is not None) else None
    older = _key(choice, rows[-1]) if rows and (before or more) else None
    if bound is not None and question.by_day:
        # Between the last that matches and the bound nothing does: go on where the search ended.
        newer, older = (Key(*bound, before=True), older) if before else (newer, Key(*bound))
    return Page(rows, newer, older, bound[0] if bound else None)


def _key(choice: Choice, row: Listed, *, before: bool = False) -> Key:
    if choice.sort == Sort.DAY:
        return Key(row.day, row.id, before)
    if choice.sort == Sort.MARGIN:
        return Key(row.margin, row.id, before)
    return Key(None if row.hold else row.revenue if choice.sort == Sort.REVENUE else row.profit, row.id, before)


def count_up_to(store: Store, choice: Choice, most: int) -> int:
    """Return how many orders a list has, counting no further than one beyond `most`, within what a file looks through."""
    question = Question(store, choice, most=most + 1)
    sql = f"SELECT count(*) FROM (SELECT 1 FROM ({question.looked()}) AS o WHERE {question.matching()} LIMIT %(most)s) AS matching"
    with connection.cursor() as cursor:
        cursor.execute(sql, question.values)
        return int(cursor.fetchone()[0])


def every_row(store: Store, choice: Choice, *, most: int) -> Iterator[Listed]:
    """Yield a whole list in its order, at most `most` orders, a few thousand in memory at a time."""
    question = Question(store, choice, most=most)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(question.sql(), question.values)
        while rows := cursor.fetchmany(AT_ONCE):
            for row in rows:
                yield Listed(*row)


class Bin(NamedTuple):
    """Orders whose margin lies from `least` up to but not at `below`, shares; None is without that end."""

    least: Decimal | None
    below: Decimal | None
    orders: int
    profit: Decimal


class Margins(NamedTuple):
    """How the margins of a list's orders are spread, and how much was lost on those that lost money."""

    bins: list[Bin]
    without: int
    """Orders without a margin: nothing is left of their sales."""
    without_profit: Decimal
    orders: int
    losing: int
    lost: Decimal
    looked_back_to: date | None

    @property
    def profit(self) -> Decimal:
        """Return what all of them made together."""
        return sum((one.profit for one in self.bins), self.without_profit)


BINS = [Decimal(tenth) / 10 for tenth in range(-5, 11)]
"""Where bins of margins end: every ten per cent from −50 % to 100 %."""
_MARGINS = """
    SELECT width_bucket(margin_share, %(bins)s::numeric[]), count(*), sum(profit), count(*) FILTER (WHERE profit < 0),
        coalesce(sum(profit) FILTER (WHERE profit < 0), 0)
    FROM ({looked}) AS o WHERE hold = 0 AND {matching} GROUP BY 1
"""


def margins_of(store: Store, choice: Choice) -> Margins:
    """Count a list's orders by margin, in one pass over at most `MOST_LOOKED` of them; held orders are in no bin."""
    question = Question(store, choice)
    with connection.cursor() as cursor:
        cursor.execute(_MARGINS.format(looked=question.looked(), matching=question.matching()), {**question.values, "bins": BINS})
        found = {bucket: tuple(sums) for bucket, *sums in cursor.fetchall()}
    ends = [None, *BINS, None]
    nothing = (0, Decimal(0), 0, Decimal(0))
    bins = [Bin(ends[place], ends[place + 1], *found.get(place, nothing)[:2]) for place in range(len(BINS) + 1)]
    without = found.get(None, nothing)
    bound = question.bound()
    return Margins(
        bins, without[0], without[1], sum(one[0] for one in found.values()), sum(one[2] for one in found.values()),
        sum((one[3] for one in found.values()), Decimal(0)), bound[0] if bound else None,
    )  # fmt: skip
