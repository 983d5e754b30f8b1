"""Guess what a new store's form begins with, from the languages a browser asks for."""

import re

PLACES: dict[str, tuple[str, str]] = {
    "AT": ("EUR", "Europe/Vienna"), "AU": ("AUD", "Australia/Sydney"), "BE": ("EUR", "Europe/Brussels"), "BR": ("BRL", "America/Sao_Paulo"),
    "CA": ("CAD", "America/Toronto"), "CH": ("CHF", "Europe/Zurich"), "CZ": ("CZK", "Europe/Prague"), "DE": ("EUR", "Europe/Berlin"),
    "DK": ("DKK", "Europe/Copenhagen"), "ES": ("EUR", "Europe/Madrid"), "FI": ("EUR", "Europe/Helsinki"), "FR": ("EUR", "Europe/Paris"),
    "GB": ("GBP", "Europe/London"), "GR": ("EUR", "Europe/Athens"), "IE": ("EUR", "Europe/Dublin"), "IN": ("INR", "Asia/Kolkata"),
    "IT": ("EUR", "Europe/Rome"), "JP": ("JPY", "Asia/Tokyo"), "MX": ("MXN", "America/Mexico_City"), "NL": ("EUR", "Europe/Amsterdam"),
    "NO": ("NOK", "Europe/Oslo"), "NZ": ("NZD", "Pacific/Auckland"), "PL": ("PLN", "Europe/Warsaw"), "PT": ("EUR", "Europe/Lisbon"),
    "SE": ("SEK", "Europe/Stockholm"), "SG": ("SGD", "Asia/Singapore"), "US": ("USD", "America/New_York"), "ZA": ("ZAR", "Africa/Johannesburg"),
}  # fmt: skip
"""Currency and the time zone most people live in, by country."""
SPOKEN_IN = {"da": "DK", "de": "DE", "cs": "CZ", "el": "GR", "fi": "FI", "it": "IT", "ja": "JP", "nb": "NO", "nl": "NL", "pl": "PL", "sv": "SE"}
"""The country a language that names none most likely means; languages of many countries are left out."""


def guessed(accept_language: str) -> dict[str, str]:
    """Return currency and time zone for a form to begin with; nothing where the languages name no country we know.

    `accept_language` is the header as a browser sends it, most wanted first.
    """
    for asked in accept_language.split(","):
        found = re.fullmatch(r"\s*([a-z]{2,3})(?:-[A-Z][a-z]{3})?(?:-([A-Z]{2}))?(?:;.*)?", asked)
        country = (found[2] or SPOKEN_IN.get(found[1], "")) if found else ""
        if country in PLACES:
            currency, zone = PLACES[country]
            return {"currency": currency, "zone": zone}
    return {}
