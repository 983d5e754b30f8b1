"""Make up exchange rates: what one euro buys, each working day, four digits as a central bank prints them."""

from datetime import date, timedelta
from decimal import Decimal

LEVEL = {"USD": 10_850, "GBP": 8_560, "CAD": 14_720, "JPY": 1_625_000, "AUD": 16_450, "SEK": 112_500, "CHF": 9_550}
"""Around which a rate moves, in ten-thousandths."""
CURRENCIES = ("EUR", *LEVEL)


def euro_rates(day: date) -> dict[str, Decimal]:
    """Return units of each currency for one euro, as published on a day; nothing at weekends."""
    if day.weekday() >= 5:
        return {}
    return {currency: Decimal(_published(level, place, day)).scaleb(-4) for place, (currency, level) in enumerate(LEVEL.items(), 1)}


def _published(level: int, place: int, day: date) -> int:
    # a slow saw of ±4 % with a daily wobble of ±0.3 %: whole numbers, the same on every machine
    turn = 2 * (90 + 13 * place)
    at = (day.toordinal() + 41 * place) % turn
    slow = abs(2 * at - turn) * 800 // turn - 400
    wobble = (day.toordinal() * 7919 + place * 104_729) % 61 - 30
    return level * (10_000 + slow + wobble) // 10_000


def euro_rate(currency: str, day: date) -> Decimal:
    """Return units of a currency for one euro on a day; at weekends the last published before."""
    if currency == "EUR":
        return Decimal(1)
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return euro_rates(day)[currency]


def millionths(source: str, target: str, day: date) -> int:
    """Return what one unit of a currency is in another on a day, in millionths, as processors reckon."""
    if source == target:
        return 1_000_000
    return int(euro_rate(target, day) / euro_rate(source, day) * 1_000_000)
