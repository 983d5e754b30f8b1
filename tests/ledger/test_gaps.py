"""Check which empty days look like gaps: against the weeks around, weekday by weekday."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ledger.costs.gaps import Gap, find_gaps, gaps
from tests.builders import a_store, an_order, day, write

MONDAY = date(2026, 3, 2)


def business(days: int, *, a_day: int = 3, closed: tuple[int, ...] = (), without: tuple[int, ...] = ()) -> dict[date, int]:
    """Return orders by day from a Monday on, none on closed weekdays nor on the days named by their number."""
    return {
        MONDAY + timedelta(days=number): a_day
        for number in range(days) if number not in without and (MONDAY + timedelta(days=number)).weekday() not in closed
    }  # fmt: skip


def on(number: int) -> date:
    """Return a day by its number."""
    return MONDAY + timedelta(days=number)


def test_two_empty_days_of_a_busy_shop_are_a_gap() -> None:
    assert find_gaps(business(60, without=(30, 31)), last=on(59)) == [Gap(on(30), on(31), Decimal(6), lasts=False)]


def test_one_empty_day_of_a_small_shop_is_chance() -> None:
    assert find_gaps(business(60, without=(30,)), last=on(59)) == []


def test_a_shop_that_rests_on_sundays_has_no_gap_each_sunday() -> None:
    assert find_gaps(business(60, a_day=20, closed=(6,)), last=on(59)) == []


def test_a_gap_that_lasts_says_so_and_counts_by_the_weeks_before() -> None:
    [gap] = find_gaps(business(50), last=on(59))
    assert (gap, gap.days) == (Gap(on(50), on(59), Decimal(30), lasts=True), 10)


def test_nothing_is_missing_before_the_first_order() -> None:
    assert (find_gaps(business(1), last=on(0)), find_gaps({}, last=on(0))) == ([], [])


@pytest.mark.django_db
def test_gaps_are_read_from_the_totals_and_today_is_left_out() -> None:
    store = a_store()
    write(store, *(an_order(f"{number}-{nth}", when=f"{on(number)} 12:00") for number in range(20) if number not in (15, 16) for nth in range(3)))
    assert gaps(store, today=on(20)) == [Gap(on(15), on(16), Decimal(6), lasts=False)]
    assert gaps(store, today=day("2027-12-01")) == []
