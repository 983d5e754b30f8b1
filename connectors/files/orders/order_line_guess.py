"""Guess how a file of order lines is to be read, for a person to correct: its columns, dates and decimal sign. Pure."""

import re
from collections.abc import Iterable, Sequence

from connectors.platforms.files.cost_values import find_day_order, find_decimal_sign
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.headers import plain_header

HEADERS: dict[str, tuple[str, ...]] = {
    # field → headers it goes by in many exports, the surest first
    "order": ("order number", "order no", "order id", "order name", "order", "invoice number", "invoiceno", "invoice", "bestellnummer",
              "auftragsnummer", "numero de commande", "name", "nr", "number"),
    "date": ("order date", "created at", "sale date", "invoicedate", "invoice date", "bestelldatum", "datum", "date", "day"),
    "quantity": ("quantity", "qty", "units", "lineitem quantity", "menge", "anzahl", "quantite", "items"),
    "unit_price": ("unit price", "unitprice", "item price", "lineitem price", "price", "preis", "einzelpreis", "prix", "amount"),
    "code": ("sku", "item sku", "lineitem sku", "stockcode", "item code", "product code", "article", "artikelnummer", "art"),
    "title": ("title", "item name", "product", "product name", "lineitem name", "description", "name of item", "artikel", "bezeichnung"),
    "discount": ("discount", "discount amount", "line discount", "rabatt", "remise"),
    "tax": ("tax", "vat", "tax amount", "sales tax", "mwst", "ust", "tva"),
    "customer": ("customer", "customer id", "customerid", "customer email", "email", "buyer", "kunde"),
    "country": ("country", "shipping country", "ship country", "delivery country", "land", "pays"),
    "region": ("region", "state", "province", "ship state"),
    "currency": ("currency", "currency code", "wahrung"),
    "channel": ("channel", "sales channel", "source"),
    "grams": ("order weight", "total weight"),
    "unit_grams": ("unit weight", "weight", "item weight"),
    "shipping_method": ("shipping method", "delivery method", "versandart"),
    "discount_codes": ("discount code", "discount codes", "coupon", "coupon code", "promo code"),
    "gateway": ("payment provider", "payment gateway", "gateway", "payment method", "paid by"),
    "restocked": ("restocked", "back on the shelf"),
}  # fmt: skip
"""The required fields come first, so that they are offered a column before the others."""

TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DATES: dict[str, tuple[str, ...]] = {
    "iso": ("iso",),
    "dotted": tuple(f"%d.%m.%Y{time}" for time in TIMES),
    "day": tuple(f"%d/%m/%Y{time}" for time in TIMES),
    "month": tuple(f"%m/%d/%Y{time}" for time in TIMES),
    "words": tuple(f"{form}{time}" for form in ("%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y") for time in TIMES),
}
"""The forms of dates that a person can choose from, by name."""


def guess_columns(header: Sequence[str]) -> dict[str, str]:
    """Return the header that each field most likely has, for those that have one; no column is taken twice."""
    plain = {plain_header(text): text for text in reversed(header) if text}
    guessed: dict[str, str] = {}
    for field, names in HEADERS.items():
        name = next((name for name in names if name in plain and plain[name] not in guessed.values()), None)
        if name is not None:
            guessed[field] = plain[name]
    return guessed


def guess_dates(texts: Iterable[str]) -> str:
    """Return the name in DATES of the form that most dates have; “iso” where nothing tells."""
    seen = [text.strip() for text in texts if text.strip()]
    if any(re.match(r"\d{1,2}/\d{1,2}/\d{4}", text) for text in seen):
        try:
            return find_day_order(seen)
        except FileRefused:
            return "day"
    if any(re.match(r"\d{1,2}\.\d{1,2}\.\d{4}", text) for text in seen):
        return "dotted"
    return "words" if any(re.search(r"[A-Za-z]{3}", text) and not re.match(r"\d{4}-", text) for text in seen) else "iso"


def guess_decimal_sign(texts: Iterable[str]) -> str:
    """Return the decimal sign that amounts have; a point where nothing tells."""
    try:
        return find_decimal_sign(texts)
    except FileRefused:
        return "."
