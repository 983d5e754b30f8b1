"""Hold what a page's address asks for as one value: which days, cut how, counted on which day, compared with which days."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from ledger.kinds import Basis
from ledger.periods import By, Period

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""The first and the last day an address may name."""

BASES = {"event": Basis.EVENT, "order": Basis.ORDER}
ONE_DAY = timedelta(days=1)
WEEK, YEAR_OF_WEEKS = 7, 364
UNITS = (1, 3, 12)
"""Months, quarters and years, in months."""


class Compare(StrEnum):
    """Say which days the days of a page are compared with."""

    PREVIOUS = "previous"
    YEAR = "year"
    CUSTOM = "custom"
    NONE = "none"


class Match(StrEnum):
    """Say what the compared days have in common: the date, or the day of the week."""

    DATE = "date"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page shows: its days cut into periods, the basis they count on, and the days they are compared with.

    Days are the store's own; `today` is today there and `zone` the time zone that says so.
    """

    periods: tuple[Period, ...]
    by: By
    today: date
    basis_key: str = "event"
    compare: Compare = Compare.NONE
    match: Match = Match.DATE
    compared: Period | None = None
    """None when nothing is compared."""
    zone: str = "UTC"
    fiscal_month: int = 1
    is_range_chosen: bool = False
    """Whether the address names the days; a page's own default is named in words instead."""
    is_compare_chosen: bool = False
    currency: str = ""
    """The currency that amounts are shown in; empty for the store's own."""
    offered: frozenset[str] = frozenset({"by", "basis", "compare", "currency"})
    """What the page lets its address choose beside the days; links carry nothing else."""

    @property
    def basis(self) -> Basis:
        """Return the basis for the ledger."""
        return BASES[self.basis_key]

    @property
    def period(self) -> Period:
        """Return the span from the first day to the last."""
        return Period(self.periods[0].first, self.periods[-1].last)

    @property
    def is_partial(self) -> bool:
        """Tell whether today, which is not over, is among the days."""
        return self.period.first <= self.today <= self.period.last

    @property
    def earlier(self) -> Period | None:
        """Return the adjoining span before; None before the first day an address may name."""
        months = _months_to_step(self.period, self.today, self.fiscal_month)
        first, last = self.period
        start = _month_start(first, -months) if months else first - (last - first) - ONE_DAY
        return Period(start, first - ONE_DAY) if start >= EARLIEST else None

    @property
    def later(self) -> Period | None:
        """Return the adjoining span after, whole months up to today at most; None when it has not begun."""
        months = _months_to_step(self.period, self.today, self.fiscal_month)
        first, last = self.period
        if not months:
            return Period(last + ONE_DAY, last + ONE_DAY + (last - first)) if last < self.today else None
        start, end = _month_start(first, months), _month_start(first, 2 * months) - ONE_DAY
        return Period(start, min(end, max(self.today, start))) if start <= self.today else None

    def query(self, *, period: Period | None = None, by: By | None = None) -> str:
        """Write the address's query that asks for this, or for other days cut another way; everything else stays."""
        first, last = period or self.period
        values = {"from": first.isoformat(), "to": last.isoformat()}
        if "by" in self.offered:
            values["by"] = (by or self.by).value
        if "basis" in self.offered:
            values["basis"] = self.basis_key
        if "currency" in self.offered and self.currency:
            values["currency"] = self.currency
        if "compare" in self.offered and self.is_compare_chosen:
            values |= self._comparison()
        return urlencode(values)

    def _comparison(self) -> dict[str, str]:
        if self.compare == Compare.CUSTOM and self.compared:
            first, last = self.compared
            return {"compare": self.compare.value, "compare_from": first.isoformat(), "compare_to": last.isoformat()}
        matched = {"match": self.match.value} if self.match != Match.DATE else {}
        return {"compare": self.compare.value, **matched}


def days_in(period: Period) -> int:
    """Count the days of a span."""
    return (period.last - period.first).days + 1


def compared_period(period: Period, compare: Compare, match: Match, *, today: date, fiscal_month: int) -> Period:
    """Return the days a span is compared with: those before it, or those a year before.

    By date, a span of whole months, and one that runs from the start of a month, quarter or year to today, is compared with the same
    part of the months before; any other with as many days before it. By weekday it is moved by whole weeks: 52, or as many as it covers.
    """
    if match == Match.WEEKDAY:
        days = YEAR_OF_WEEKS if compare == Compare.YEAR else -(-days_in(period) // WEEK) * WEEK
        return Period(period.first - timedelta(days=days), period.last - timedelta(days=days))
    if compare == Compare.YEAR:
        return Period(_months_before(period.first, 12), _last_months_before(period, 12))
    months = _months_to_step(period, today, fiscal_month)
    if months:
        return Period(_month_start(period.first, -months), _last_months_before(period, months))
    return Period(period.first - timedelta(days=days_in(period)), period.first - ONE_DAY)


def _months_to_step(period: Period, today: date, fiscal_month: int) -> int:
    """Return by how many months a span moves that follows the calendar; 0 for one that moves by days."""
    first, last = period
    if first.day != 1:
        return 0
    covered = (last.year - first.year) * 12 + last.month - first.month + 1
    if covered == 1 and not _ends_month(last) and last != today:
        return 0
    return next((unit for unit in UNITS if covered <= unit and (first.month - fiscal_month) % unit == 0), covered)


def _ends_month(day: date) -> bool:
    return (day + ONE_DAY).day == 1


def _month_start(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _months_before(day: date, months: int) -> date:
    month = _month_start(day, -months)
    return month.replace(day=min(day.day, monthrange(month.year, month.month)[1]))


def _last_months_before(period: Period, months: int) -> date:
    """Move a span's last day back; whole months stay whole, however long they are."""
    if period.first.day == 1 and _ends_month(period.last):
        return _month_start(period.last, 1 - months) - ONE_DAY
    return _months_before(period.last, months)
