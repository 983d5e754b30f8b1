"""Periods: a span of days cut at the starts of weeks, months, quarters and fiscal years."""

from datetime import date
from itertools import pairwise

import pytest

from ledger.days import day_of
from ledger.orders.build import Zones
from ledger.periods import By, PeriodError, cut
from tests.builders import a_store, at, day, move_to


def _cut(first: str, last: str, by: By, **options: object) -> list[str]:
    return [f"{period.first}..{period.last}" for period in cut(day(first), day(last), by, **options)]


def test_days():
    assert _cut("2026-02-27", "2026-03-01", By.DAY) == ["2026-02-27..2026-02-27", "2026-02-28..2026-02-28", "2026-03-01..2026-03-01"]


def test_weeks_start_on_monday():
    assert _cut("2026-03-04", "2026-03-17", By.WEEK) == ["2026-03-04..2026-03-08", "2026-03-09..2026-03-15", "2026-03-16..2026-03-17"]


def test_weeks_start_on_sunday_where_the_store_says_so():
    weeks = ["2026-03-04..2026-03-07", "2026-03-08..2026-03-14", "2026-03-15..2026-03-17"]
    assert _cut("2026-03-04", "2026-03-17", By.WEEK, week_starts_on_sunday=True) == weeks


@pytest.mark.parametrize(("sunday", "first", "last"), [(False, "2026-03-09", "2026-03-15"), (True, "2026-03-08", "2026-03-14")])
def test_a_whole_week_is_one_period(sunday, first, last):
    assert _cut(first, last, By.WEEK, week_starts_on_sunday=sunday) == [f"{first}..{last}"]


def test_months_may_be_partial_at_both_ends():
    assert _cut("2024-01-31", "2024-03-01", By.MONTH) == ["2024-01-31..2024-01-31", "2024-02-01..2024-02-29", "2024-03-01..2024-03-01"]


def test_months_cross_the_year():
    assert _cut("2025-12-31", "2026-01-01", By.MONTH) == ["2025-12-31..2025-12-31", "2026-01-01..2026-01-01"]


def test_quarters_follow_the_fiscal_year():
    assert _cut("2026-01-15", "2026-07-01", By.QUARTER) == ["2026-01-15..2026-03-31", "2026-04-01..2026-06-30", "2026-07-01..2026-07-01"]
    assert _cut("2026-01-15", "2026-07-01", By.QUARTER, fiscal_year_start_month=2) == [
        "2026-01-15..2026-01-31", "2026-02-01..2026-04-30", "2026-05-01..2026-07-01",
    ]  # fmt: skip


def test_years_follow_the_fiscal_year():
    assert _cut("2025-06-30", "2026-12-31", By.YEAR) == ["2025-06-30..2025-12-31", "2026-01-01..2026-12-31"]
    assert _cut("2025-06-30", "2026-12-31", By.YEAR, fiscal_year_start_month=7) == [
        "2025-06-30..2025-06-30", "2025-07-01..2026-06-30", "2026-07-01..2026-12-31",
    ]  # fmt: skip


@pytest.mark.parametrize("by", list(By))
def test_periods_adjoin_and_cover_the_span(by):
    periods = cut(date(2023, 5, 17), date(2026, 2, 3), by, fiscal_year_start_month=5)
    assert (periods[0].first, periods[-1].last) == (date(2023, 5, 17), date(2026, 2, 3))
    assert all((after.first - before.last).days == 1 for before, after in pairwise(periods))


@pytest.mark.parametrize(
    ("first", "last", "why"), [("2026-03-02", "2026-03-01", "before it starts"), ("1900-01-01", "2026-01-01", "longer than 100 years")]
)
def test_a_span_that_is_none_is_refused(first, last, why):
    with pytest.raises(PeriodError, match=why):
        _cut(first, last, By.MONTH)


@pytest.mark.django_db
def test_a_new_zone_counts_from_its_day_on():
    store = a_store(zone="Europe/Berlin")
    move_to(store, "America/New_York", from_day="2026-03-10")
    local = Zones.load(store).local
    assert [str(day_of(local(at(text))[1])) for text in ("2026-03-08 23:30", "2026-03-10 03:30", "2026-03-11 03:30")] == [
        "2026-03-09", "2026-03-09", "2026-03-10",
    ]  # fmt: skip
