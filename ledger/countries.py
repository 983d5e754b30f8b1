"""Turn country codes into the small numbers that entries carry, and names into codes."""

from functools import lru_cache

from babel import Locale

UNKNOWN = 0


@lru_cache(maxsize=1024)
def number(code: str) -> int:
    """Return the number of an ISO 3166 alpha-2 code: its letters read in base 27; 0 for an empty code."""
    if not code:
        return UNKNOWN
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        raise ValueError(f"“{code}” is not a two-letter country code")
    upper = code.upper()
    return (ord(upper[0]) - 64) * 27 + ord(upper[1]) - 64


def code(number: int) -> str:
    """Return the alpha-2 code of a number; empty when the country is unknown."""
    if number == UNKNOWN:
        return ""
    first, second = divmod(number, 27)
    return chr(first + 64) + chr(second + 64)


@lru_cache(maxsize=1)
def codes_by_name() -> dict[str, str]:
    """Return the two-letter code of every English country name, names in lower case (source: CLDR)."""
    territories = Locale("en").territories
    return {str(name).lower(): str(code) for code, name in territories.items() if len(code) == 2 and code.isalpha()}
