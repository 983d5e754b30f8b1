"""Integer money agrees with Decimal's own arithmetic, and split parts always add up."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book.pgcopy import money as encoded
from ledger.money import LARGEST, RATE_SCALE, convert, decimal, divide_half_even, round_half_even, split, tenk

amounts = st.integers(-LARGEST, LARGEST)
small = st.integers(-(10**12), 10**12)
steps = st.sampled_from([1, 10, 100, 10_000])


def _quantized(value: Decimal, step: int) -> int:
    with localcontext() as context:
        context.prec = 80
        return int((value / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)) * step


@settings(deadline=None)
@given(amounts, steps)
def test_rounding_is_half_even(amount, step):
    assert round_half_even(amount, step) == _quantized(Decimal(amount), step)


@settings(deadline=None)
@given(small, st.integers(1, 10**9))
def test_division_is_half_even(numerator, denominator):
    quotient, rest = divmod(numerator, denominator)
    expected = quotient + (rest * 2 > denominator or (rest * 2 == denominator and quotient % 2 == 1))
    assert divide_half_even(numerator, denominator) == expected


@settings(deadline=None)
@given(small, st.integers(1, 10**14), steps)
def test_conversion_rounds_the_exact_product_once(amount, rate, step):
    with localcontext() as context:
        context.prec = 80
        exact = Decimal(amount) * Decimal(rate) / Decimal(RATE_SCALE)
    assert convert(amount, rate, step) == _quantized(exact, step)


@settings(deadline=None)
@given(amounts)
def test_amounts_survive_the_way_to_decimal_and_back(amount):
    assert tenk(decimal(amount)) == amount


@settings(deadline=None)
@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=12), steps)
def test_split_parts_add_up_and_stay_within_a_step_of_their_share(total, weights, step):
    parts = split(total, weights, step=step)
    assert sum(parts) == total
    whole = sum(weights)
    if whole and total % step == 0:
        for part, weight in zip(parts, weights, strict=True):
            assert part % step == 0
            assert abs(part * whole - total * weight) < step * whole
            assert part * total >= 0


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 100), min_size=2, max_size=6))
def test_split_gives_what_is_left_to_the_largest_remainders(total, weights):
    whole = sum(weights)
    if not whole:
        return
    shares = [abs(total) * weight for weight in weights]
    extra = [abs(part) - share // whole for part, share in zip(split(total, weights), shares, strict=True)]
    got, missed = ([share % whole for share, more in zip(shares, extra, strict=True) if more == kind] for kind in (1, 0))
    assert set(extra) <= {0, 1}
    assert not got or not missed or min(got) >= max(missed)


@settings(deadline=None)
@given(amounts)
def test_binary_encoding_has_the_length_it_says(amount):
    field = encoded(amount)
    assert int.from_bytes(field[:4], "big") == len(field) - 4
