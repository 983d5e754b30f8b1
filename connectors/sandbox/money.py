"""Reckon in whole minor units of a currency (cents, or yen): `int` everywhere, `Decimal` only where a platform prints it."""

from collections.abc import Sequence
from decimal import Decimal

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "HUF": 2, "KWD": 3, "BHD": 3}
"""Digits after the point of currencies that do not have two."""


def digits(currency: str) -> int:
    """Return how many digits a currency's minor unit is behind the point."""
    return MINOR_DIGITS.get(currency, 2)


def amount(minor: int, currency: str) -> Decimal:
    """Return an amount of minor units as a decimal of the currency: 1250 USD is 12.50."""
    return Decimal(minor).scaleb(-digits(currency))


def divide(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, as tills do. The denominator is positive."""
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += 2 * rest >= denominator
    return quotient if numerator >= 0 else -quotient


def share(total: int, part: int, whole: int) -> int:
    """Return what a part of the whole carries of a total; the whole carries all of it, and no whole carries nothing."""
    return divide(total * part, whole) if whole else 0


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split a total by weights with largest remainders, so that the parts add up to it exactly; no weights, no parts."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in rests[: total - sum(parts)]:
        parts[place] += 1
    return parts


RATE_UNIT = 1_000_000
"""Tax rates are whole millionths: 7.25 % is 72_500."""
EXCHANGE_UNIT = 1_000_000
"""Exchange rates are whole millionths."""


def tax(charged: int, rates: Sequence[int], *, included: bool) -> list[int]:
    """Return the tax of each rate on what is charged: added to it, or, where prices include tax, what of it is tax."""
    base = RATE_UNIT + sum(rates) if included else RATE_UNIT
    return [divide(charged * rate, base) for rate in rates]


def before_tax(shown: int, rates: Sequence[int], *, included: bool) -> int:
    """Return an amount as shown to the customer with the tax that it includes removed."""
    return divide(shown * RATE_UNIT, RATE_UNIT + sum(rates)) if included else shown


def exchange(minor: int, rate: int, source: str, target: str) -> int:
    """Convert minor units of one currency into another's at a rate in millionths (units of target for one of source)."""
    return divide(minor * rate * 10 ** digits(target), EXCHANGE_UNIT * 10 ** digits(source))
