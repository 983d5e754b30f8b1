"""Exchange rates: what the table takes in, what it refuses, and that a quote never changes."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from ledger.kinds import RateSource
from ledger.models import ExchangeRate
from ledger.rates import RateRefused, add_rates, newest_day, quoted_days, set_manual_rate
from tests.builders import day, ecb

pytestmark = pytest.mark.django_db

WEEK = (
    ("USD", "2026-10-28", "1.1133"), ("USD", "2026-10-29", "1.113"), ("USD", "2026-10-30", "1.1172"),
    ("GBP", "2026-10-28", "0.83785"), ("GBP", "2026-10-29", "0.83578"), ("GBP", "2026-10-30", "0.8338"),
)  # fmt: skip


def per_euro(currency: str, on: str) -> Decimal:
    """Read a stored rate."""
    return ExchangeRate.objects.values_list("per_euro", flat=True).get(currency=currency, day=day(on))


def test_quotes_are_frozen_and_only_new_ones_are_counted():
    assert ecb(*WEEK[:3]) == 3
    assert ecb(("USD", "2026-10-30", "9.9999"), *WEEK[3:]) == 3
    assert per_euro("USD", "2026-10-30") == Decimal("1.1172")
    assert ecb() == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("USD", "2026-10-30", "NaN"), "row 2: USD on 2026-10-30: NaN is not a positive number of units per euro"),
        (("USD", "2026-10-30", "sNaN"), "row 2: USD on 2026-10-30: sNaN is not a positive number of units per euro"),
        (("USD", "2026-10-30", "Infinity"), "row 2: USD on 2026-10-30: Infinity is not a positive number of units per euro"),
        (("USD", "2026-10-30", "0"), "row 2: USD on 2026-10-30: 0 is not a positive number of units per euro"),
        (("USD", "2026-10-30", "-1.1"), "row 2: USD on 2026-10-30: -1.1 is not a positive number of units per euro"),
        (("USD", "2026-10-30", "10000000000"), "row 2: USD on 2026-10-30: 10000000000 is not a positive number of units per euro"),
        (("USD", "2026-10-30", "1.00000000001"), "row 2: USD on 2026-10-30: 1.00000000001 has more than ten decimals"),
        (("ZZZ", "2026-10-30", "1"), "row 2: 'ZZZ' on 2026-10-30 is not a currency that has a rate to the euro"),
        (("XAU", "2026-10-30", "1"), "row 2: 'XAU' on 2026-10-30 is not a currency that has a rate to the euro"),
        (("usd", "2026-10-30", "1"), "row 2: 'usd' on 2026-10-30 is not a currency that has a rate to the euro"),
        (("EUR", "2026-10-30", "1"), "row 2: 'EUR' on 2026-10-30 is not a currency that has a rate to the euro"),
        (("GBP", "2026-10-30", "0.9"), "row 2: GBP on 2026-10-30 is 0.9 here and 0.8338 before"),
    ],
)
def test_one_bad_row_is_named_and_keeps_all_out(row: tuple[str, str, str], reason: str):
    with pytest.raises(RateRefused) as refused:
        ecb(("GBP", "2026-10-30", "0.8338"), row)
    assert str(refused.value) == reason
    assert not ExchangeRate.objects.exists()


def test_row_stated_twice_alike_counts_once():
    assert ecb(WEEK[0], WEEK[0]) == 1


def test_more_rows_than_one_statement_takes_are_all_loaded():
    first = date(1970, 1, 1)
    rows = [(currency, first + timedelta(days=age), Decimal("1.25")) for age in range(10_001) for currency in ("USD", "GBP")]
    assert add_rates(iter(rows), source=RateSource.ECB) == 20_002
    assert ExchangeRate.objects.count() == 20_002


@pytest.mark.django_db(transaction=True)
def test_two_loads_at_once_in_opposite_order_add_each_rate_once():
    rows = [("USD", date(1970, 1, 1) + timedelta(days=age), Decimal("1.25")) for age in range(25_000)]
    start, added = threading.Barrier(2), []

    def load(mine: list[tuple[str, date, Decimal]]) -> None:
        start.wait()
        try:
            added.append(add_rates(mine, source=RateSource.ECB))
        finally:
            connection.close()

    threads = [threading.Thread(target=load, args=(mine,)) for mine in (rows, rows[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(added), sum(added), ExchangeRate.objects.count()) == (2, 25_000, 25_000)


def test_newest_day_is_the_banks_not_one_entered_by_hand():
    assert (newest_day(), quoted_days()) == (None, set())
    ecb(*WEEK)
    set_manual_rate("USD", day("2026-12-24"), Decimal("1.2"))
    assert newest_day() == day("2026-10-30")
    assert quoted_days() == {day("2026-10-28"), day("2026-10-29"), day("2026-10-30")}
