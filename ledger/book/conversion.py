"""Show a book's totals in another currency: each day's at that day's rate (docs/decisions/0030).

What is converted is a row of the daily totals: one account on one day and channel. It is rounded to the currency's minor unit, and every
figure is a sum of such rows, so lines add up to sums, and periods to their whole, however they are cut.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from msgspec import Struct

from ledger import accounts
from ledger.kinds import RateSource
from ledger.models import Book
from ledger.money import minor_digits
from ledger.periods import Period
from ledger.rates import RateTable

COUNTS = tuple(number for number, name in accounts.NAMES.items() if name.startswith("stat:"))
"""Accounts that hold counts, which have no currency."""


class Conversion(Struct, frozen=True):
    """The rates from a book's currency to the one a page shows, of every day on which anything is booked."""

    original: str
    currency: str
    rates: dict[date, Decimal] = {}
    """Units of the shown currency per unit of the book's, by day."""
    missing: tuple[date, ...] = ()
    """Days with money booked and without a rate: what is booked on them is in no figure."""
    stand_ins: int = 0
    """Days for which an older quote stands in."""
    by_hand: int = 0
    """Days whose rate a person entered."""

    def rate_on(self, day: date) -> Decimal | None:
        """Return the rate of a day; None where there is none, or nothing is booked."""
        return self.rates.get(day)


def conversion(book: Book, currency: str, spans: Sequence[Period]) -> Conversion | None:
    """Return the rates that the days of some spans need, with two queries; None where the currency is the book's own."""
    if not currency or currency == book.currency:
        return None
    days = _booked_days(book, spans)
    if not days:
        return Conversion(book.currency, currency)
    table = RateTable.load(currency, {book.currency}, days[0], days[-1])
    found = {day: table.find(book.currency, day) for day in days}
    known = {day: rate for day, rate in found.items() if rate is not None}
    return Conversion(
        book.currency, currency, {day: Decimal(rate.value).scaleb(-10) for day, rate in known.items()},
        missing=tuple(day for day in days if day not in known),
        stand_ins=sum(rate.estimated for rate in known.values()),
        by_hand=sum(rate.source == RateSource.MANUAL for rate in known.values()),
    )  # fmt: skip


_DAYS = """
    SELECT DISTINCT total.day FROM unnest(%(firsts)s::date[], %(lasts)s::date[]) AS span (first, last)
      JOIN ledger_daytotal AS total ON total.book_id = %(book)s AND total.day BETWEEN span.first AND span.last
     WHERE total.account <> ALL(%(counts)s) AND total.amount <> 0 ORDER BY 1
"""


def _booked_days(book: Book, spans: Sequence[Period]) -> list[date]:
    values = {"book": book.pk, "firsts": [span.first for span in spans], "lasts": [span.last for span in spans], "counts": list(COUNTS)}
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, values)
        return [row[0] for row in cursor]


class Shown(Struct, frozen=True):
    """How SQL over totals writes an amount: as it is booked, or converted."""

    join: str
    values: dict[str, Any]
    is_converted: bool

    def money(self, column: str) -> str:
        """Return the expression for a column that holds money on every row."""
        return f"round({column} * rate.value, %(digits)s)" if self.is_converted else column

    def amount(self, column: str) -> str:
        """Return the expression for a column that holds money, or a count on the accounts of counts."""
        return f"CASE WHEN total.account = ANY(%(counts)s) THEN {column} ELSE {self.money(column)} END" if self.is_converted else column


def shown_in(found: Conversion | None) -> Shown:
    """Return how a query writes its amounts; the table of totals is called `total` in it. A day without a rate gives NULL, which no sum counts."""
    if found is None:
        return Shown("", {}, is_converted=False)
    join = "LEFT JOIN unnest(%(rate_days)s::date[], %(rates)s::numeric[]) AS rate (day, value) ON rate.day = total.day"
    values = {
        "rate_days": list(found.rates), "rates": list(found.rates.values()), "digits": minor_digits(found.currency), "counts": list(COUNTS),
    }  # fmt: skip
    return Shown(join, values, is_converted=True)
