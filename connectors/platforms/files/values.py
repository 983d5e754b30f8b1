"""Turn the texts of a file's cells into values, each distinct text once.

A file repeats its texts: prices, quantities, times and countries are read by the hundred thousand and differ by
the thousand, so each reader keeps what it has read.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from ledger.countries import codes_by_name
from ledger.money import SCALE, MoneyError, Tenk, divide_half_even, tenk

Value = TypeVar("Value")
OLDEST_YEAR = 1990
MOST_UNITS = 1_000_000
HIGHEST_PRICE = 1_000_000_000
"""Currency units for one piece; prices in the smallest currencies are far below."""
HEAVIEST = 100_000_000
"""Grams one order or unit may weigh: a hundred tonnes."""
HIGHEST_ROW = 100_000_000_000
"""Currency units one row may be worth; a hundred thousand such rows still fit the ledger's amounts."""


class BadCell(ValueError):
    """Say what is wrong with a cell and what to do."""


class Reader(Generic[Value]):
    """Reads texts with a function and remembers what it read, mistakes included."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        self._read = read
        self.known: dict[str, Value] = {}

    def __call__(self, text: str) -> Value:
        known = self.known
        if text in known:
            return known[text]
        value = known[text] = self._read(text.strip())
        return value


class Price:
    """An amount as written: exact, and in ten-thousandths; with the currencies a sign beside it can stand for (none: no sign)."""

    __slots__ = ("currencies", "exact", "units")

    def __init__(self, exact: Decimal) -> None:
        self.currencies: frozenset[str] = frozenset()
        if abs(exact) > HIGHEST_PRICE:
            raise MoneyError(f"{exact} is no price")
        self.units: Tenk = tenk(exact)
        self.exact = exact if exact * SCALE != self.units else None

    def times(self, quantity: int) -> Tenk:
        """Return quantity × price in ten-thousandths, rounded half-even once when the price is finer."""
        return self.units * quantity if self.exact is None else tenk(self.exact * quantity)


def price_reader(decimal_sign: str) -> Callable[[str], Price]:
    """Make a reader of amounts. Thousands may be grouped by threes; anything else is refused rather than guessed:

    with “.” as decimal sign, “12,50” is a mistake and not 1250.
    """
    group = "," if decimal_sign == "." else "."
    grouped = rf"\d{{1,3}}(?:[{group}'\u00a0\u202f ]\d{{3}})+"
    number = re.compile(rf"[+-]?(?:\d+|{grouped})(?:{re.escape(decimal_sign)}\d+)?")

    def read(text: str) -> Price:
        text = text.replace("\u2212", "-")
        if not number.fullmatch(text):
            raise BadCell(f"“{text[:40]}” is no amount; write it as 1234{decimal_sign}50")
        plain = re.sub(rf"[{group}'\u00a0\u202f ]", "", text).replace(decimal_sign, ".")
        try:
            return Price(Decimal(plain))
        except (MoneyError, InvalidOperation) as error:
            raise BadCell(f"“{text[:40]}” is larger than any price (at most {HIGHEST_PRICE:,})") from error

    return read


def grams_reader(decimal_sign: str) -> Callable[[str], int]:
    """Make a reader of weights in grams, rounded to whole ones."""
    read_amount = price_reader(decimal_sign)

    def read(text: str) -> int:
        try:
            units = read_amount(text).units
        except BadCell:
            units = -1
        if not 0 <= units <= HEAVIEST * SCALE:
            raise BadCell(f"“{text[:40]}” is no weight; write grams, such as 250")
        return divide_half_even(units, SCALE)

    return read


def read_yes_or_no(text: str) -> bool:
    """Read yes or no, as spreadsheets write them."""
    word = text.lower()
    if word in ("yes", "y", "true", "1"):
        return True
    if word in ("no", "n", "false", "0"):
        return False
    raise BadCell(f"“{text[:40]}” is neither yes nor no")


def read_quantity(text: str) -> int:
    """Read a whole number of units, negative for what came back; zero is refused."""
    plain = text.replace("\u2212", "-")
    plain = plain[:-2] if plain.endswith(".0") else plain
    if not re.fullmatch(r"[+-]?\d{1,9}", plain):
        raise BadCell(f"“{text[:40]}” is no whole number of units; for goods sold by weight use quantity 1 and the price of the row")
    units = int(plain)
    if units == 0:
        raise BadCell("the quantity is 0; take the row out, or give the units sold (negative for a return)")
    if abs(units) > MOST_UNITS:
        raise BadCell(f"{units:,} units in one row cannot be right (at most {MOST_UNITS:,})")
    return units


def time_reader(formats: tuple[str, ...], zone_on: Callable[[date], ZoneInfo], now: datetime) -> Callable[[str], datetime]:
    """Make a reader of local times in the given forms; `iso` is ISO 8601. Times without a zone are the store's on that day."""
    forms = " or ".join(formats)

    def read(text: str) -> datetime:
        for form in formats:
            try:
                at = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007  given the store's zone below
            except ValueError:
                continue
            local = at if at.tzinfo is not None else at.replace(tzinfo=zone_on(at.date()))
            if local.year < OLDEST_YEAR or local > now + timedelta(days=2):
                raise BadCell(f"“{text[:40]}” lies before {OLDEST_YEAR} or in the future; check the form of the dates ({forms})")
            return local
        raise BadCell(f"“{text[:40]}” is no date of the form {forms}; name the file's form in the template")

    return read


def country_reader(aliases: dict[str, str]) -> Callable[[str], str]:
    """Make a reader of countries: a two-letter code, an English name, or a name the template explains; else unknown."""
    known = {"uk": "GB"} | {name.lower(): code for name, code in aliases.items()}
    codes = set(codes_by_name().values())

    def read(text: str) -> str:
        name = text.lower()
        if name in known:
            return known[name]
        if text.upper() in codes:
            return text.upper()
        return codes_by_name().get(name, "")

    return read
