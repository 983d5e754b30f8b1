"""Money is exact: whole ten-thousandths, half-even rounding, and parts that add up."""

from decimal import Decimal

import pytest

from ledger.money import (
    LARGEST,
    RATE_SCALE,
    MoneyError,
    convert,
    decimal,
    divide_half_even,
    in_minor_units,
    is_currency,
    minor_digits,
    minor_step,
    round_half_even,
    split,
    tenk,
)


@pytest.mark.parametrize(
    ("text", "units"),
    [("12.34", 123_400), ("-0.0001", -1), ("0.00005", 0), ("0.00015", 2), ("0.00025", 2), ("1E+3", 10_000_000), ("0", 0), ("0E-90", 0), ("-0.0", 0)],
)
def test_decimals_become_ten_thousandths_rounded_half_even(text, units):
    assert tenk(Decimal(text)) == units


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+41", "1E+400000", "1000000000000000", "-1000000000000000"])
def test_what_the_database_cannot_hold_is_refused(text):
    with pytest.raises(MoneyError):
        tenk(Decimal(text))


def test_largest_amount_is_kept_exactly():
    assert tenk(Decimal("999999999999999.9999")) == LARGEST
    assert decimal(LARGEST) == Decimal("999999999999999.9999")


@pytest.mark.parametrize(
    ("code", "digits", "step"), [("EUR", 2, 100), ("USD", 2, 100), ("JPY", 0, 10_000), ("KRW", 0, 10_000), ("KWD", 3, 10), ("BHD", 3, 10)]
)
def test_minor_units_follow_iso_4217(code, digits, step):
    assert (minor_digits(code), minor_step(code)) == (digits, step)


@pytest.mark.parametrize(
    ("code", "known"), [("EUR", True), ("XOF", True), ("XAU", False), ("XTS", False), ("eur", False), ("", False), ("ABC", False)]
)
def test_only_money_is_a_currency(code, known):
    assert is_currency(code) is known


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [(150, 100, 200), (250, 100, 200), (-150, 100, -200), (-250, 100, -200), (149, 100, 100), (151, 100, 200), (7, 1, 7), (-51, 100, -100)],
)
def test_ties_round_to_the_even_multiple(amount, step, rounded):
    assert round_half_even(amount, step) == rounded


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"), [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (10, 3, 3), (-10, 3, -3), (0, 9, 0)]
)
def test_division_rounds_half_even(numerator, denominator, quotient):
    assert divide_half_even(numerator, denominator) == quotient


@pytest.mark.parametrize(
    ("total", "weights", "step", "parts"),
    [
        (100, [1, 1, 1], 1, [34, 33, 33]),
        (-100, [1, 1, 1], 1, [-34, -33, -33]),
        (1000, [1, 1, 1], 100, [400, 300, 300]),
        (1000, [0, 0], 100, [500, 500]),
        (7, [0, 5, 0], 1, [0, 7, 0]),
        (150, [1, 1], 100, [150, 0]),
        (10, [1, 2, 3, 4], 1, [1, 2, 3, 4]),
        (1, [49, 51], 1, [0, 1]),
        (0, [3, 4], 1, [0, 0]),
    ],
)
def test_parts_follow_the_largest_remainder_and_ties_the_earlier_part(total, weights, step, parts):
    assert split(total, weights, step=step) == parts


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_an_amount_is_split_over_something_not_negative(weights):
    with pytest.raises(MoneyError):
        split(100, weights)


@pytest.mark.parametrize(
    ("amount", "rate", "step", "value"),
    [
        ("100.00", "0.9234", 100, "92.34"),
        ("0.01", "0.5", 100, "0"),
        ("0.03", "0.5", 100, "0.02"),
        ("-0.03", "0.5", 100, "-0.02"),
        ("10.00", "161.25", 10_000, "1612"),
    ],
)
def test_conversion_rounds_once_half_even_to_the_target(amount, rate, step, value):
    assert convert(tenk(Decimal(amount)), int(Decimal(rate) * RATE_SCALE), step) == tenk(Decimal(value))


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1.5000", "EUR", "1.50"),
        ("1.5000", "JPY", "1.5"),
        ("2.0000", "JPY", "2"),
        ("1.2340", "KWD", "1.234"),
        ("0.0050", "EUR", "0.005"),
        ("-0.0000", "EUR", "0.00"),
    ],
)
def test_amounts_are_written_with_their_currencys_decimals(amount, currency, text):
    assert f"{in_minor_units(Decimal(amount), currency):f}" == text
