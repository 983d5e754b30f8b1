"""Cut a span of a store's days into the periods of a report."""

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple


class By(StrEnum):
    """The length of a report's periods."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Period(NamedTuple):
    """A span of days, both ends included."""

    first: date
    last: date


class PeriodError(ValueError):
    """Say why a span of days is no period."""


LONGEST = 100 * 366
"""Days a report may span at most."""


def cut(first: date, last: date, by: By, *, week_starts_on_sunday: bool = False, fiscal_year_start_month: int = 1) -> list[Period]:
    """Cut first … last (both included) at the starts of weeks, months, quarters or fiscal years.

    The first and last periods may be partial. Quarters and years follow the fiscal year.
    """
    if last < first:
        raise PeriodError(f"The span ends ({last}) before it starts ({first}).")
    if (last - first).days > LONGEST:
        raise PeriodError(f"The span is longer than {LONGEST // 366} years.")
    following = _following(by, week_starts_on_sunday, fiscal_year_start_month)
    periods = []
    start = first
    while start <= last:
        after = following(start)
        periods.append(Period(start, min(after - timedelta(days=1), last)))
        start = after
    return periods


def _following(by: By, sunday: bool, fiscal_month: int) -> Callable[[date], date]:
    if by == By.DAY:
        return lambda day: day + timedelta(days=1)
    if by == By.WEEK:
        return lambda day: day + timedelta(days=7 - (day.weekday() + sunday) % 7)
    months = {By.MONTH: 1, By.QUARTER: 3, By.YEAR: 12}[by]
    return lambda day: _month_start(day.year * 12 + day.month - 1 + months - (day.month - fiscal_month) % months)


def _month_start(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)
