"""Exchange rates: which quote is in force on a day, when it only stands in, and when there is none."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.kinds import RateSource
from ledger.models import ExchangeRate
from ledger.rates import RateFrozen, RateRefused, RateTable, add_rates, set_manual_rate
from tests.builders import day, ecb

pytestmark = pytest.mark.django_db

# Real quotes of the ECB. In 2011 Easter's Friday and Monday were the 22nd and the 25th of April.
EASTER = (
    ("USD", "2011-04-20", "1.4515"), ("USD", "2011-04-21", "1.4584"), ("USD", "2011-04-26", "1.4617"), ("USD", "2011-04-27", "1.4668"),
)  # fmt: skip
WEEK = (
    ("USD", "2026-10-28", "1.1133"), ("USD", "2026-10-29", "1.113"), ("USD", "2026-10-30", "1.1172"),
    ("GBP", "2026-10-28", "0.83785"), ("GBP", "2026-10-29", "0.83578"), ("GBP", "2026-10-30", "0.8338"),
)  # fmt: skip


def find(original: str, on: str, *, target: str = "EUR") -> str:
    """Load one day's rate and write it as value, day of the quote, source and how it is known."""
    rate = RateTable.load(target, {original}, day(on), day(on)).find(original, day(on))
    if rate is None:
        return "none"
    how = "estimated" if rate.estimated else "actual"
    return f"{Decimal(rate.value).scaleb(-10)} {rate.day} {RateSource(rate.source).name} {how}"


def by_hand(currency: str, on: str, per_euro: str) -> None:
    """Enter a rate by hand."""
    set_manual_rate(currency, day(on), Decimal(per_euro))


# --- the quote in force


def test_the_days_own_quote_is_divided_into_one_euro():
    ecb(*WEEK)
    assert find("USD", "2026-10-30") == "0.8950948801 2026-10-30 ECB actual"


def test_euros_are_worth_the_quote_itself():
    ecb(*WEEK)
    assert find("EUR", "2026-10-30", target="USD") == "1.1172000000 2026-10-30 ECB actual"


def test_cross_rate_divides_two_quotes_of_one_day():
    ecb(*WEEK)
    assert find("USD", "2026-10-30", target="GBP") == "0.7463301110 2026-10-30 ECB actual"
    assert find("USD", "2026-10-28", target="GBP") == "0.7525824126 2026-10-28 ECB actual"


def test_cross_rate_never_mixes_two_days():
    ecb(("USD", "2026-10-28", "1.1133"), ("USD", "2026-10-29", "1.113"), ("GBP", "2026-10-28", "0.83785"))
    assert find("USD", "2026-10-29", target="GBP") == "0.7525824126 2026-10-28 ECB estimated"


def test_a_currency_is_worth_one_of_itself_on_every_day():
    assert find("TWD", "1980-01-01", target="TWD") == "1.0000000000 1980-01-01 ECB actual"


@pytest.mark.parametrize(("target", "value"), [("0.0000000003", "2E-10"), ("0.0000000005", "2E-10"), ("0.0000000007", "4E-10")])
def test_half_of_the_last_decimal_goes_to_the_even_neighbour(target: str, value: str):
    ecb(("KWD", "2026-10-30", target), ("USD", "2026-10-30", "2"))
    assert find("USD", "2026-10-30", target="KWD") == f"{value} 2026-10-30 ECB actual"


def test_a_rate_too_small_for_ten_decimals_is_unknown_and_never_zero():
    ecb(("KWD", "2026-10-30", "0.0000000001"), ("USD", "2026-10-30", "2"))
    assert find("USD", "2026-10-30", target="KWD") == "none"


# --- weekends and bank holidays


def test_weekend_takes_fridays_quote_and_is_not_estimated():
    ecb(("USD", "2026-10-23", "1.1193"), ("USD", "2026-10-26", "1.1188"))
    assert find("USD", "2026-10-24") == find("USD", "2026-10-25") == "0.8934155276 2026-10-23 ECB actual"


@pytest.mark.parametrize("on", ["2011-04-21", "2011-04-22", "2011-04-23", "2011-04-24", "2011-04-25"])
def test_easter_takes_maundy_thursdays_quote_and_is_not_estimated(on: str):
    ecb(*EASTER)
    assert find("USD", on) == "0.6856829402 2011-04-21 ECB actual"


def test_any_currency_tells_that_the_bank_was_open():
    ecb(*EASTER, ("JPY", "2011-04-25", "119.43"))
    assert find("USD", "2011-04-25") == "0.6856829402 2011-04-21 ECB estimated"


def test_long_silence_on_working_days_means_missing_rates_not_holidays():
    ecb(("USD", "2026-03-02", "1.25"), ("USD", "2026-03-10", "2"))
    assert find("USD", "2026-03-04") == "0.8000000000 2026-03-02 ECB estimated"
    assert find("USD", "2026-03-09") == "0.8000000000 2026-03-02 ECB estimated"


def test_an_answer_does_not_depend_on_what_else_was_loaded():
    ecb(*EASTER, *WEEK)
    days = [day("2011-04-15") + timedelta(days=age) for age in range(25)]
    table = RateTable.load("EUR", {"USD", "GBP", "EUR"}, days[0], days[-1])
    alone = [RateTable.load("EUR", {"USD"}, on, on).find("USD", on) for on in days]
    assert [table.find("USD", on) for on in days] == alone


# --- quotes that stand in


def test_quote_stands_in_for_seven_days_and_not_for_eight():
    # The bank quoted pounds on every working day, and dollars only once.
    ecb(("USD", "2026-03-02", "1.25"), *(("GBP", f"2026-03-{number:02}", "0.85") for number in (2, 3, 4, 5, 6, 9, 10)))
    assert find("USD", "2026-03-03") == "0.8000000000 2026-03-02 ECB estimated"
    assert find("USD", "2026-03-07") == "0.8000000000 2026-03-02 ECB estimated"
    assert find("USD", "2026-03-09") == "0.8000000000 2026-03-02 ECB estimated"
    assert find("USD", "2026-03-10") == "none"


def test_lev_ends_with_2025():
    ecb(("BGN", "2025-12-31", "1.9558"), ("USD", "2025-12-31", "1.175"))
    ecb(*(("USD", f"2026-01-{number:02}", "1.17") for number in (2, 5, 6, 7, 8)))
    assert find("BGN", "2026-01-01") == "0.5112997239 2025-12-31 ECB actual"
    assert find("BGN", "2026-01-02") == "0.5112997239 2025-12-31 ECB estimated"
    assert find("BGN", "2026-01-07") == "0.5112997239 2025-12-31 ECB estimated"
    assert find("BGN", "2026-01-08") == "none"


def test_days_after_the_newest_quote_stand_in_until_it_is_a_week_old():
    ecb(*WEEK)
    friday = "0.8950948801 2026-10-30 ECB"
    assert find("USD", "2026-10-31") == f"{friday} actual"
    assert find("USD", "2026-11-01") == f"{friday} actual"
    assert find("USD", "2026-11-02") == f"{friday} estimated"
    assert find("USD", "2026-11-06") == f"{friday} estimated"
    assert find("USD", "2026-11-07") == "none"


def test_weekend_after_a_friday_still_to_come_is_estimated():
    ecb(("USD", "2026-10-29", "1.113"))
    assert find("USD", "2026-10-31") == "0.8984725966 2026-10-29 ECB estimated"


def test_no_quote_before_the_first_one():
    ecb(*EASTER)
    assert find("USD", "2011-04-19") == "none"


def test_currency_the_bank_does_not_quote_has_no_rate():
    ecb(*WEEK)
    assert find("TWD", "2026-10-30") == "none"
    assert find("USD", "2026-10-30", target="TWD") == "none"


# --- rates entered by hand


def test_rate_entered_by_hand_serves_a_currency_the_bank_does_not_quote():
    ecb(*WEEK)
    by_hand("TWD", "2026-10-29", "35.5")
    assert find("TWD", "2026-10-29") == "0.0281690141 2026-10-29 MANUAL actual"
    assert find("TWD", "2026-10-29", target="USD") == "0.0313521127 2026-10-29 MANUAL actual"
    assert find("TWD", "2026-10-30", target="USD") == "0.0313521127 2026-10-29 MANUAL estimated"


def test_rate_entered_for_a_weekend_wins_over_fridays_quote():
    ecb(*WEEK)
    by_hand("USD", "2026-10-31", "1.25")
    assert find("USD", "2026-10-31") == "0.8000000000 2026-10-31 MANUAL actual"
    assert find("USD", "2026-11-01") == "0.8000000000 2026-10-31 MANUAL actual"
    assert find("USD", "2026-10-30") == "0.8950948801 2026-10-30 ECB actual"


def test_rate_entered_for_a_weekend_meets_the_other_currencys_friday():
    ecb(*WEEK)
    by_hand("TWD", "2026-11-01", "35.5")
    assert find("USD", "2026-11-01", target="TWD") == "31.7758682420 2026-11-01 MANUAL actual"


def test_rate_entered_for_a_working_day_waits_for_the_other_currencys_quote():
    ecb(*WEEK)
    by_hand("TWD", "2026-11-02", "35.5")
    assert find("TWD", "2026-11-02", target="USD") == "none"
    ecb(("USD", "2026-11-02", "1.12"))
    assert find("TWD", "2026-11-02", target="USD") == "0.0315492958 2026-11-02 MANUAL actual"


def test_rate_entered_by_hand_does_not_say_that_the_bank_was_open():
    ecb(*EASTER)
    by_hand("TWD", "2011-04-25", "42")
    assert find("USD", "2011-04-25") == "0.6856829402 2011-04-21 ECB actual"


def test_rate_entered_by_hand_can_be_corrected_and_outlives_the_banks_file():
    by_hand("USD", "2026-10-30", "1.5")
    by_hand("USD", "2026-10-30", "1.25")
    assert ecb(*WEEK) == 5
    assert find("USD", "2026-10-30") == "0.8000000000 2026-10-30 MANUAL actual"


def test_quote_of_the_bank_cannot_be_set_by_hand():
    ecb(*WEEK)
    with pytest.raises(RateFrozen, match="quoted USD on 2026-10-30"):
        by_hand("USD", "2026-10-30", "1.5")
    assert add_rates([("USD", day("2026-10-30"), Decimal("1.5"))], source=RateSource.MANUAL) == 0
    assert find("USD", "2026-10-30") == "0.8950948801 2026-10-30 ECB actual"


def test_rate_entered_by_hand_is_checked_too():
    with pytest.raises(RateRefused, match=r"^USD on 2026-10-30: 0 is not a positive number"):
        by_hand("USD", "2026-10-30", "0")
    assert not ExchangeRate.objects.exists()


# --- one query for a batch


def test_one_query_loads_what_a_batch_needs_and_none_when_nothing_is_converted(django_assert_num_queries):
    ecb(*WEEK)
    with django_assert_num_queries(1):
        table = RateTable.load("EUR", {"USD", "GBP", "TWD"}, day("2026-10-28"), day("2026-11-05"))
        for currency in ("USD", "GBP", "TWD"):
            for on in ("2026-10-28", "2026-10-28", "2026-11-01", "2026-11-05"):
                table.find(currency, day(on))
    with django_assert_num_queries(0):
        RateTable.load("EUR", {"EUR"}, day("2026-10-28"), day("2026-11-05"))


@pytest.mark.parametrize(("currency", "on"), [("GBP", "2026-10-30"), ("USD", "2026-10-27"), ("USD", "2026-10-31")])
def test_asking_for_what_was_not_loaded_is_a_mistake_not_a_missing_rate(currency: str, on: str):
    ecb(*WEEK)
    table = RateTable.load("EUR", {"USD"}, day("2026-10-28"), day("2026-10-30"))
    with pytest.raises(LookupError, match=f"rates of {currency} on {on} were not loaded"):
        table.find(currency, day(on))
