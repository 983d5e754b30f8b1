"""Find days without orders that look like something is missing: an export not imported, a channel that fell silent.

A run of empty days is a gap when the weeks around it say it should have brought orders: each of its days is worth the average of the
same weekday in the four weeks before the run and the four after. A shop that never sells on Sundays has no gap each Sunday.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Sum

from ledger import accounts
from ledger.kinds import Basis
from ledger.models import DayTotal, Store

LOOKED_BACK = 400
"""Days that are searched, today left out: it is not over."""
AROUND = 28
"""Days before and after a run that say what it should have brought."""
LEAST = 5
"""Orders that a run must have been worth. Were they to come by chance, none in a run worth five would be one case in 150."""
MOST = 20


class Gap(NamedTuple):
    """Days without any order, and how many the weeks around say there should have been; `lasts` while no order came after it."""

    first: date
    last: date
    expected: Decimal
    lasts: bool

    @property
    def days(self) -> int:
        """Return how many days it is."""
        return (self.last - self.first).days + 1


def gaps(store: Store, *, today: date) -> list[Gap]:
    """Return the gaps of the last 400 days, the latest first; none before the first order. Reads daily totals."""
    span = (today - timedelta(days=LOOKED_BACK), today - timedelta(days=1))
    rows = DayTotal.objects.filter(book_id=store.pk, basis=Basis.EVENT, account=accounts.STAT_ORDERS, day__range=span)
    counts = {day: int(count) for day, count in rows.values_list("day").annotate(count=Sum("amount")) if count}
    return find_gaps(counts, last=span[1])


def find_gaps(counts: Mapping[date, int], *, last: date) -> list[Gap]:
    """Return the gaps between the first day with orders and a last day, the latest first. Pure: orders by day in, gaps out."""
    if not counts:
        return []
    first = min(counts)
    found = []
    for begin, end in _empty_runs(counts, first, last):
        expected = sum((_usual(counts, begin, end, day, first, last) for day in _days(begin, end)), Decimal(0))
        if expected >= LEAST:
            found.append(Gap(begin, end, expected, end == last))
    return found[::-1][:MOST]


def _empty_runs(counts: Mapping[date, int], first: date, last: date) -> list[tuple[date, date]]:
    runs: list[tuple[date, date]] = []
    for day in _days(first, last):
        if counts.get(day):
            continue
        if runs and runs[-1][1] == day - timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _usual(counts: Mapping[date, int], begin: date, end: date, day: date, first: date, last: date) -> Decimal:
    """Return the average of a day's weekday around a run, as far as it is known."""
    around = [*_days(begin - timedelta(days=AROUND), begin - timedelta(days=1)), *_days(end + timedelta(days=1), end + timedelta(days=AROUND))]
    same = [counts.get(one, 0) for one in around if one.weekday() == day.weekday() and first <= one <= last]
    return Decimal(sum(same)) / len(same) if same else Decimal(0)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
