"""Describe how the columns and codes of an order-line file are to be read: a mapping template, in TOML.

The shipped templates lie in `templates/`; a person may give a path to one of their own.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from connectors.platforms.files.faults import FileRefused
from ledger import accounts

FOLDER = Path(__file__).parent / "templates"


class Columns(Struct, frozen=True, forbid_unknown_fields=True):
    """The header of each column that is read; every other column is dropped at the door."""

    order: str
    date: str
    quantity: str
    unit_price: str
    code: str = ""
    title: str = ""
    discount: str = ""
    tax: str = ""
    customer: str = ""
    country: str = ""
    region: str = ""
    currency: str = ""
    channel: str = ""
    grams: str = ""
    """What the whole order weighs, on any of its rows."""
    unit_grams: str = ""
    """What one unit of the row weighs; the order weighs the sum, unless a row does not tell."""
    shipping_method: str = ""
    discount_codes: str = ""
    """Codes the buyer used, separated by spaces or commas."""
    gateway: str = ""
    """Who took the money, on any of the order's rows; empty there means the template's own."""
    restocked: str = ""
    """Whether what a row gives back was put on the shelf: yes or no; empty means as the template says of all returns."""


CALLED = {
    "order": "order number", "date": "date", "quantity": "quantity", "unit_price": "unit price", "code": "SKU or item code", "title": "title",
    "discount": "discount of the row", "tax": "tax of the row", "customer": "customer", "country": "country", "region": "region",
    "currency": "currency", "channel": "sales channel", "grams": "weight of the order", "unit_grams": "weight of a unit",
    "shipping_method": "shipping method", "discount_codes": "discount codes", "gateway": "payment provider", "restocked": "back on the shelf",
}  # fmt: skip
"""What people call each column."""
LATER = ("grams", "unit_grams", "shipping_method", "discount_codes", "gateway", "restocked")
"""Columns that templates could not name at first; a template that names none is the one it was."""


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """What an item code means when it is no product, and why the bookkeeper decided so."""

    match: str
    """A regular expression that the whole code matches, upper and lower case alike."""
    meaning: str
    why: str = ""


class Returns(Struct, frozen=True, forbid_unknown_fields=True):
    """How the file writes what came back."""

    order_pattern: str = ""
    """Order numbers that match are returns with a number of their own; empty: returns are rows with a negative quantity."""
    restocked: bool = False
    """Goods that came back were put back on the shelf, so their cost is given back."""
    free_negative_rows_are_write_offs: bool = True
    """A negative quantity at price 0 inside a sale is stock written off, not a return."""


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """How one kind of order-line file is read."""

    name: str
    label: str
    columns: Columns
    platform: str = "file"
    channel: str = "direct"
    encoding: str = "auto"
    delimiter: str = "auto"
    date_formats: tuple[str, ...] = ("iso",)
    decimal_sign: str = "."
    prices_include_tax: bool = False
    charged: bool = True
    """Every sale was charged in full: a payment is derived, so that a payment fee can be estimated."""
    gateway: str = ""
    returns: Returns = Returns()
    codes: tuple[Code, ...] = ()
    countries: dict[str, str] = {}
    """Country names of the file that are not English country names, with their two-letter code (empty: unknown)."""

    def meaning_of(self, code: str) -> str:
        """Return what an item code means; `product` when no rule matches."""
        for rule in self.codes:
            if re.fullmatch(rule.match, code, re.IGNORECASE):
                return rule.meaning
        return "product"


MEANINGS: dict[str, int] = {
    # meaning → the cost account its amount goes to; 0: a sale event, not a cost
    "product": 0,
    "shipping": 0,
    "discount": 0,
    "gift_card": 0,
    "adjustment": 0,
    "tip": 0,
    "payment_fee": accounts.FEES_PAYMENT,
    "marketplace_fee": accounts.FEES_MARKETPLACE,
    "dispute_fee": accounts.FEES_DISPUTE,
    "shipping_cost": accounts.FULFILMENT_SHIPPING,
}


def names() -> list[str]:
    """Return the names of the shipped templates."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Template:
    """Read a shipped template by name, or one of a person's own by its path; refuse one that says something wrong."""
    path = FOLDER / f"{name}.toml" if re.fullmatch(r"[\w-]+", name) else Path(name)
    if not path.is_file():
        raise FileRefused(f"There is no template “{name}”. Shipped ones: {', '.join(names())}; or give the path of a .toml file.")
    try:
        template = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Template)
        check(template)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, re.error, ValueError) as error:
        raise FileRefused(f"The template {path.name} is not usable: {error}.") from error
    return template


def check(template: Template) -> None:
    """Raise ValueError, or re.error, where a template says something that cannot be."""
    for rule in template.codes:
        if rule.meaning not in MEANINGS:
            raise ValueError(f"“{rule.meaning}” is no meaning of a code; use one of {', '.join(MEANINGS)}")
        re.compile(rule.match)
    re.compile(template.returns.order_pattern)
    for field, longest in (("platform", 20), ("channel", 60), ("gateway", 60)):
        if len(getattr(template, field)) > longest:
            raise ValueError(f"{field} is longer than {longest} characters")
    if template.decimal_sign not in (".", ","):
        raise ValueError("decimal_sign is “.” or “,”")
    if not template.date_formats:
        raise ValueError("date_formats names at least one form, such as “iso” or “%d/%m/%Y %H:%M”")


def as_json(template: Template) -> dict[str, Any]:
    """Return a template as plain values, to be kept with the import that used it."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(template))
    values["columns"] = {name: header for name, header in values["columns"].items() if header or name not in LATER}
    return values


def from_json(values: dict[str, Any]) -> Template:
    """Read a template back that an import kept."""
    return msgspec.convert(values, Template)
