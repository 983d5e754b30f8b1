"""Money as Decimal at the edges and as whole ten-thousandths where it is hot; never as float.

`Tenk` is an integer count of 10⁻⁴ of a currency unit: 12.34 EUR is 123_400. It is exactly what
`numeric(19,4)` can hold, so sums, splits and conversions are integer arithmetic.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import lru_cache

from babel.core import get_global

Tenk = int
"""A signed amount in ten-thousandths of the currency unit."""

SCALE = 10_000
LARGEST: Tenk = 10**15 * SCALE - 1
"""The largest amount `numeric(19,4)` holds, in ten-thousandths."""

RATE_SCALE = 10**10
"""Exchange rates are kept to ten decimals; as integers they count 10⁻¹⁰."""

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


class MoneyError(ValueError):
    """Say why a text or a number is no amount we can keep."""


MINOR_DIGITS = (
    dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0)
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)
"""Decimals of the minor unit where they are not two (source: ISO 4217 list one, 2026). Locale data will not do:

it tells how amounts are commonly shown, and leaves the cents of several currencies out.
"""


def minor_digits(currency: str) -> int:
    """Return the number of decimals of the currency's minor unit (2 for EUR, 0 for JPY, 3 for KWD)."""
    return MINOR_DIGITS.get(currency, 2)


def minor_step(currency: str) -> Tenk:
    """Return the size of the currency's minor unit in ten-thousandths (100 for EUR)."""
    return int(10 ** (4 - min(minor_digits(currency), 4)))


def is_currency(code: str) -> bool:
    """Tell whether the code is an ISO 4217 currency that is or was money (not gold, not a test code)."""
    return code in _known_currencies()


@lru_cache(maxsize=1)
def _known_currencies() -> frozenset[str]:
    return frozenset(code for code in get_global("all_currencies") if not code.startswith("X") or code in {"XAF", "XOF", "XPF", "XCD"})


def round_half_even(amount: int, step: int) -> int:
    """Round an integer to a multiple of `step`, ties to the even multiple."""
    if step == 1:
        return amount
    quotient, rest = divmod(amount, step)
    twice = rest * 2
    if twice > step or (twice == step and quotient & 1):
        quotient += 1
    return quotient * step


def divide_half_even(numerator: int, denominator: int) -> int:
    """Divide integers and round the quotient half-even; the denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient


def tenk(amount: Decimal) -> Tenk:
    """Convert a Decimal into ten-thousandths, rounding half-even below them.

    Raises MoneyError for NaN, infinities and amounts that `numeric(19,4)` cannot hold.
    """
    try:
        if not amount.is_finite() or abs(amount.adjusted()) > 40:
            if amount == 0:
                return 0
            raise MoneyError(f"{amount} is not an amount of money")
        units = int(_EXACT.quantize(_EXACT.multiply(amount, Decimal(SCALE)), Decimal(1)))
    except InvalidOperation as error:
        raise MoneyError(f"{amount} is not an amount of money") from error
    if abs(units) > LARGEST:
        raise MoneyError(f"{amount} is larger than any amount this ledger keeps")
    return units


def decimal(units: Tenk) -> Decimal:
    """Convert ten-thousandths into a Decimal with four decimals."""
    return Decimal(units).scaleb(-4)


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    """Write an amount with the decimals of its currency, keeping more when it has more."""
    digits = minor_digits(currency)
    normal = amount.quantize(Decimal(1).scaleb(-digits)) if amount == amount.quantize(Decimal(1).scaleb(-digits)) else amount.normalize()
    return normal if normal else abs(normal)


def split(total: int, weights: Sequence[int], *, step: int = 1) -> list[int]:
    """Split a whole amount over weights by largest remainder, in multiples of `step`.

    The parts always add up to `total` exactly; a rest smaller than `step` goes to the first of the largest
    parts. Ties go to the earlier part. Weights are non-negative; when all are zero the parts are equal.
    Method: Hamilton's largest-remainder apportionment.
    """
    if not weights:
        raise MoneyError("an amount cannot be split over nothing")
    if any(weight < 0 for weight in weights):
        raise MoneyError("an amount cannot be split over negative weights")
    sign = -1 if total < 0 else 1
    units, rest = divmod(abs(total), step)
    whole = sum(weights)
    shares = list(weights) if whole else [1] * len(weights)
    whole = whole or len(weights)
    parts = [units * share // whole for share in shares]
    missing = units - sum(parts)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-(units * shares[i] % whole), i))
    for index in by_remainder[:missing]:
        parts[index] += 1
    amounts = [part * step for part in parts]
    if rest:
        amounts[max(range(len(amounts)), key=lambda i: (amounts[i], -i))] += rest
    return [sign * amount for amount in amounts]


def convert(amount: Tenk, rate: int, step: Tenk) -> Tenk:
    """Convert ten-thousandths by a rate in 10⁻¹⁰ and round half-even once, to the target's minor unit."""
    return divide_half_even(amount * rate, RATE_SCALE * step) * step
