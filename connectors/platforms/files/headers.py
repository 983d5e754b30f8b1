"""Recognise the columns of a file by the names that exports commonly give them."""

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from connectors.platforms.files.faults import FileRefused
from ledger.money import is_currency


class Field(Struct, frozen=True):
    """One thing a row can tell: its name with us, how people call it, and the headers it goes by, the surest first."""

    name: str
    called: str
    headers: tuple[str, ...]
    required: bool = False


class Recognised(Struct, frozen=True):
    """Which column of a header tells what."""

    columns: dict[str, str]
    """The header of each field that was found, by the field's name."""
    places: dict[str, int]
    dropped: tuple[str, ...]
    """Headers of columns that are not read."""
    currency: str = ""
    """The currency that the amount's header names, as in “Cost (EUR)”."""


def recognise(header: Sequence[str], fields: Sequence[Field]) -> Recognised:
    """Find the column of each field; raise FileRefused where a required one is missing or two could be meant."""
    plain = [plain_header(text) for text in header]
    if not any(plain):
        raise FileRefused("The first row is empty. It should name the columns.")
    columns: dict[str, str] = {}
    places: dict[str, int] = {}
    currency = ""
    for field in fields:
        for name in field.headers:
            found = [place for place, text in enumerate(plain) if place not in places.values() and _names(text, name)]
            if len(found) > 1:
                named = " and ".join(f"“{header[place].strip()}”" for place in found)
                raise FileRefused(f"The header has {named} for {field.called}; which one is meant is not sure. Rename one.")
            if found:
                places[field.name], columns[field.name] = found[0], header[found[0]].strip()
                currency = currency or _currency_in(plain[found[0]], name)
                break
        else:
            if field.required:
                raise FileRefused(
                    f"The file has no column for {field.called}. Name it “{field.headers[0].capitalize()}” in the first row. "
                    f"The file has: {', '.join(text.strip() for text in header)[:400]}."
                )
    dropped = tuple(text.strip() for place, text in enumerate(header) if place not in places.values() and text.strip())
    return Recognised(columns, places, dropped, currency)


def fits(header: Sequence[str], fields: Sequence[Field]) -> bool:
    """Tell whether a header has a column for each field that is required, and no two for one."""
    try:
        recognise(header, fields)
    except FileRefused:
        return False
    return True


def plain_header(text: str) -> str:
    """Return a header without capitals, accents and punctuation, so that “Order #” and “order”, “Käufe” and “kaufe” are one."""
    bare = unicodedata.normalize("NFKD", text.lower().replace("\ufeff", ""))
    return re.sub(r"[^a-z0-9]+", " ", "".join(sign for sign in bare if not unicodedata.combining(sign))).strip()


def _names(text: str, name: str) -> bool:
    return text == name or bool(_currency_in(text, name))


def _currency_in(text: str, name: str) -> str:
    """Return the currency code that a header has after a name."""
    code = text.removeprefix(f"{name} ").upper()
    return code if text.startswith(f"{name} ") and is_currency(code) else ""
