"""Read what people have in the cells of a spreadsheet, and refuse in words what cannot be meant for certain."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from ledger.admin.typed import shown
from ledger.models.rules import FIRST_YEAR, LAST_YEAR

LARGEST = Decimal(10) ** 15
"""Amounts stay below it: what `numeric(19,4)` holds."""
LARGEST_COUNT = 2_147_483_647
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be run by a spreadsheet."""

_PLAIN = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")
_COMMA = re.compile(r"-?\d+,(\d{1,2}|\d{4})")
_GROUPED = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")
_SHORTENED = re.compile(r"-?\d(\.\d+)?E[+-]?\d+", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SERIAL = re.compile(r"[1-9]\d{4}")
_YES = {"yes": True, "true": True, "1": True, "x": True, "no": False, "false": False, "0": False, "": False}


class CellRefused(ValueError):
    """Say what is wrong with a cell and what to do, in words for the person whose file it is."""


def tidied(text: str) -> str:
    """Return a cell's text without the spaces around it; refuse formulas and what Excel shows of broken ones."""
    text = text.replace("\u00a0", " ").strip()
    if text.startswith("="):
        raise CellRefused("This is a formula. Copy the cell and paste it as a value.")
    if text.startswith("#") and text.rstrip("!?").isupper() and text[-1:] in "!?AD":
        raise CellRefused(f"Excel shows “{text}” here because a formula failed. Enter the value itself.")
    if text and not text.strip("#"):
        raise CellRefused("Excel shows “###” where a column is too narrow. Widen the column and save the file again.")
    return text[1:] if text.startswith("'") and text[1:2] in FORMULA else text


def escaped(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula; `tidied` takes it back."""
    return f"'{text}" if text.startswith(FORMULA) else text


def amount(text: str) -> Decimal | None:
    """Read an amount or a percentage without its sign; None for an empty cell."""
    if not text:
        return None
    number = text.replace("\u2212", "-")
    if _COMMA.fullmatch(number):
        number = number.replace(",", ".")
    if not _PLAIN.fullmatch(number):
        raise CellRefused(f"“{text}” is not a plain number. {_advice(number)}")
    value = Decimal(number)
    if abs(value) >= LARGEST:
        raise CellRefused(f"“{text}” is larger than any amount that is kept here.")
    if value != value.quantize(Decimal("0.0001")):
        raise CellRefused(f"“{text}” has more than four decimals. Round it.")
    return value


def has_decimal_comma(text: str) -> bool:
    """Tell whether an amount or a percentage is written with a comma before its decimals."""
    return bool(_COMMA.fullmatch(_bare(text)))


def refuse_thousands(text: str) -> None:
    """Refuse 1.234 in a file of decimal commas: a thousand and some where it comes from, one and a bit as it is read here."""
    number = _bare(text)
    if _GROUPED.fullmatch(number):
        raise CellRefused(
            f"“{text.strip()}” may be {number.replace('.', '')} or {number}: this file is written with decimal commas, or like one. "
            f"Write {number.replace('.', '')}, or {number.replace('.', ',')}0."
        )


def _bare(text: str) -> str:
    return text.replace("\u2212", "-").strip().removesuffix("%").rstrip()


def _advice(number: str) -> str:
    if _SHORTENED.fullmatch(number):
        return "Excel has shortened it: format the column as a number and save the file again."
    if _ISO.fullmatch(number) or _DOTTED.fullmatch(number):
        return "Excel has taken it for a date: format the column as a number and enter it again."
    if "," in number:
        return "Write it without thousands separators and with a point before the decimals, such as 1234.50."
    return "Write the number alone, such as 12.50; without a unit or a currency sign."


def percentage(text: str) -> Decimal | None:
    """Read a percentage, with or without its sign: 35 and 35 % alike."""
    return amount(text.removesuffix("%").rstrip())


def count(text: str) -> int | None:
    """Read a whole number that is not negative; None for an empty cell."""
    value = amount(text)
    if value is None:
        return None
    if value < 0 or value != value.to_integral_value() or value > LARGEST_COUNT:
        raise CellRefused(f"“{text}” is not a whole number from 0 up.")
    return int(value)


def day(text: str) -> date | None:
    """Read a day written year-month-day, or day.month.year; None for an empty cell. What could be two days is refused."""
    if not text:
        return None
    iso, dotted = _ISO.fullmatch(text), _DOTTED.fullmatch(text)
    if iso is None and dotted is None:
        told = "It is how Excel counts days: format the column as a date" if _SERIAL.fullmatch(text) else "Write year-month-day"
        raise CellRefused(f"“{text}” is not a day that is read here. {told}, such as 2026-03-01.")
    parts = iso.groups() if iso is not None else dotted.groups()[::-1]  # type: ignore[union-attr]  # one of them matched
    try:
        found = date(*(int(part) for part in parts))
    except ValueError as error:
        raise CellRefused(f"There is no day “{text}”. Write year-month-day, such as 2026-03-01.") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellRefused(f"“{text}” lies outside the years {FIRST_YEAR} to {LAST_YEAR}. Correct the year.")
    return found


def yes_no(text: str) -> bool:
    """Read yes or no; an empty cell is no."""
    try:
        return _YES[text.lower()]
    except KeyError:
        raise CellRefused(f"“{text}” is neither yes nor no.") from None


def one_of(text: str, choices: Iterable[tuple[str, str]]) -> str:
    """Read one of some named choices, by its value or as it is shown."""
    named = {word.lower(): str(value) for value, label in choices for word in (str(value), str(label))}
    try:
        return named[text.lower()]
    except KeyError:
        told = ", ".join(str(value) for value, _ in choices)
        raise CellRefused(f"“{text}” is none of: {told}." if text else f"Give one of: {told}.") from None


def plain(value: object) -> str:
    """Write a value the way it is read here."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return shown(value)
    return value.isoformat() if isinstance(value, date) else str(value)
