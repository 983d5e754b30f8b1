"""Read the cells of cost files as people and spreadsheets write them, and find how a file writes figures and days."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.values import OLDEST_YEAR, BadCell, Price, price_reader
from ledger.money import Tenk, is_currency

LONGEST = 120
"""Characters of an order's name, a reference, a SKU or a partner's name."""
POWERS = re.compile(r"[+-]?\d(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE)
"""A long number as a spreadsheet shows and saves it: its last digits are gone."""
DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "CLP", "COP", "ARS"})
SIGNS = {
    "€": frozenset({"EUR"}), "£": frozenset({"GBP"}), "¥": frozenset({"JPY", "CNY"}), "₹": frozenset({"INR"}), "zł": frozenset({"PLN"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}), "$": DOLLARS, "US$": frozenset({"USD"}), "A$": frozenset({"AUD"}), "C$": frozenset({"CAD"}),
    "CA$": frozenset({"CAD"}), "AU$": frozenset({"AUD"}), "NZ$": frozenset({"NZD"}),
}  # fmt: skip
"""What a currency's sign can stand for."""
_SIGNED = re.compile(r"(?P<minus>[+-]?)\s*(?P<before>[^\d\s.,'+-]*)\s*(?P<number>[+-]?\d[\d.,'\u00a0\u202f ]*)(?P<after>[^\d.,'+-]*)")


class Amount(Struct, frozen=True):
    """An amount as a cell tells it, with the currencies that a sign beside it can stand for (none: no sign)."""

    units: Tenk
    currencies: frozenset[str] = frozenset()


def find_decimal_sign(texts: Iterable[str]) -> str:
    """Find whether a file writes 1234.50 or 1234,50; refuse one whose every amount can be read both ways, or that mixes both."""
    evidence: dict[str, str] = {}
    unsure = ""
    for text in texts:
        found = re.search(r"\d[\d.,]*\d", re.sub(r"['\s\u00a0\u202f]", "", text))
        signs = re.findall(r"[.,]", found[0]) if found else []
        if not found or not signs:
            continue
        if len(set(signs)) == 2 or not re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", found[0]):
            evidence.setdefault(signs[-1], text)
        elif len(signs) > 1:
            evidence.setdefault("." if signs[0] == "," else ",", text)
        else:
            unsure = text
    if len(evidence) > 1:
        raise FileRefused(
            f"The file writes decimals in two ways: “{evidence['.'].strip()}” and “{evidence[','].strip()}”. Make them alike, or say which sign "
            "decimals have; the other rows are then listed."
        )
    if unsure and not evidence:
        raise FileRefused(f"“{unsure.strip()}” can mean two amounts, and no other row tells which. Say which sign decimals have, a point or a comma.")
    return next(iter(evidence), ".")


def amount_reader(decimal_sign: str) -> Callable[[str], Amount]:
    """Make a reader of amounts; a currency's sign or code may stand beside the figure."""
    read_price = signed_price_reader(decimal_sign)

    def read(text: str) -> Amount:
        price = read_price(text)
        return Amount(price.units, price.currencies)

    return read


def signed_price_reader(decimal_sign: str) -> Callable[[str], Price]:
    """Make a reader of prices, exact; a currency's sign or code may stand beside the figure."""
    read_price = price_reader(decimal_sign)

    def read(text: str) -> Price:
        if POWERS.fullmatch(text):
            raise BadCell(f"“{text[:40]}” is a number in powers of ten, as spreadsheets shorten them; give the column plain numbers and export again")
        found = _SIGNED.fullmatch(text.replace("\u2212", "-"))
        if found is None:
            return read_price(text)
        beside = (found["before"].strip() + found["after"].strip()).strip()
        currencies = SIGNS.get(beside) or SIGNS.get(beside.upper()) or (frozenset({beside.upper()}) if is_currency(beside.upper()) else frozenset())
        if beside and not currencies:
            raise BadCell(f"“{text[:40]}” is no amount: what “{beside[:20]}” means is not known; write the figure alone")
        price = read_price((found["minus"] + found["number"]).strip())
        price.currencies = currencies
        return price

    return read


def as_whole(name: str) -> str:
    """Return a whole number without the “.0” a spreadsheet has put behind it; any other name as it is."""
    return name[:-2] if re.fullmatch(r"#?\d+\.0", name) else name


def read_name(text: str) -> str:
    """Read an order's name or a reference; refuse one that a spreadsheet has damaged."""
    return as_whole(read_sku(text))


def read_sku(text: str) -> str:
    """Read a SKU as it stands, since “5.0” may be one; refuse one that a spreadsheet has damaged."""
    name = text.removeprefix("'")
    if POWERS.fullmatch(name):
        raise BadCell(
            f"a spreadsheet has turned it into {name[:40]}, and its last digits are lost; export the file again and do not open it in between, "
            "or give the column the format “text”"
        )
    if len(name) > LONGEST:
        raise BadCell(f"“{name[:40]}…” is longer than {LONGEST} characters")
    return name


def find_day_order(texts: Iterable[str]) -> str:
    """Find whether 03/04/2026 is the third of April (`day`) or the fourth of March (`month`); refuse a file that leaves it open."""
    unsure = ""
    found: dict[str, str] = {}
    for text in texts:
        match = re.match(r"(\d{1,2})/(\d{1,2})/\d{2,4}", text.strip())
        if match:
            first, second = int(match[1]), int(match[2])
            if first > 12 or second > 12:
                found.setdefault("day" if first > 12 else "month", text)
            elif first != second:
                unsure = text
    if len(found) > 1:
        raise FileRefused(f"“{found['day'].strip()}” has its day first and “{found['month'].strip()}” its month. Make the dates alike.")
    if unsure and not found:
        raise FileRefused(f"“{unsure.strip()}” can mean two days, and no other row tells which. Say whether the day or the month stands first.")
    return next(iter(found), "day")


def day_reader(day_order: str, zone_on: Callable[[date], ZoneInfo], now: datetime) -> Callable[[str], date]:
    """Make a reader of days in the store's time zone; a time beside the day only matters where it names its own zone."""
    slashed = "%d/%m/%Y" if day_order == "day" else "%m/%d/%Y"
    forms = ("%d.%m.%Y", slashed, slashed.lower(), "%d.%m.%y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y/%m/%d", "%Y%m%d")

    def read(text: str) -> date:
        day = _iso(text, zone_on) or _other(text, forms)
        if day is None:
            raise BadCell(f"“{text[:40]}” is no date; write it as 2026-03-31")
        if day.year < OLDEST_YEAR or day > now.date() + timedelta(days=2):
            raise BadCell(f"“{text[:40]}” lies before {OLDEST_YEAR} or in the future")
        return day

    return read


def _iso(text: str, zone_on: Callable[[date], ZoneInfo]) -> date | None:
    try:
        at = datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)|\s*UTC$", lambda match: "+00:00" if "UTC" in match[0] else "", text))
    except ValueError:
        return None
    return at.date() if at.tzinfo is None else at.astimezone(zone_on(at.date())).date()


def _other(text: str, forms: tuple[str, ...]) -> date | None:
    plain = re.sub(r"[ T]\d{1,2}:\d\d.*$", "", text)
    for form in forms:
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007  a day, no time
        except ValueError:
            continue
    return None
