"""Keep exchange rates and find the one in force on a day; the only writer and reader of their table.

A rate is stored as units of a currency per euro. A quote of the European Central Bank (ECB), once stored,
never changes, because entries were made with it; only a rate entered by hand may be corrected.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max

from ledger.kinds import RateSource
from ledger.models import ExchangeRate
from ledger.money import RATE_SCALE, divide_half_even, is_currency

EURO = "EUR"
OLDEST_STAND_IN = 7
"""How many days a quote may be old and still stand in for the event's day."""

_SATURDAY = 5
# The ECB's longest closures since 1999 (Easter, and Christmas beside a weekend) have four days without quotes,
# so the next quote follows each of them within four days. Longer silence on working days means that rates
# are missing from the table, not that the bank was closed.
_LONGEST_CLOSURE = 4
# A stand-in may be seven days old, and where its two legs meet on a closed day, one leg was quoted before that.
_LOOK_BACK = timedelta(days=2 * OLDEST_STAND_IN)
_DECIMALS = 10
_STILL_QUOTED = timedelta(days=30)
"""Time without a quote after which a currency counts as one that is quoted no more."""
_TOO_LARGE = Decimal(10) ** 10
_ROWS_A_STATEMENT = 20_000

# Steps from one currency to the next through the key's index, instead of reading every day of all of them.
_LAST_RATES = """
    WITH RECURSIVE code (currency) AS (
        (SELECT currency FROM ledger_exchangerate ORDER BY currency LIMIT 1)
        UNION ALL
        SELECT (SELECT currency FROM ledger_exchangerate WHERE currency > code.currency ORDER BY currency LIMIT 1)
          FROM code WHERE code.currency IS NOT NULL)
    SELECT currency, (SELECT max(day) FROM ledger_exchangerate AS rate WHERE rate.currency = code.currency) FROM code WHERE currency IS NOT NULL
"""

RateRow = tuple[str, date, Decimal]
"""A currency, the day of its quote, and the units of it that one euro bought."""


class RateRefused(ValueError):
    """Say which row is no exchange rate we can keep, and why."""


class RateFrozen(ValueError):
    """Say that a rate cannot be set by hand, because the ECB quoted that currency on that day."""


class Rate(msgspec.Struct, frozen=True):
    """Tell what one unit of the original currency is worth, and how we know."""

    value: int
    """Units of the target currency per unit of the original, in 10⁻¹⁰."""
    day: date
    """The day of the quote: the event's day or one up to seven days before."""
    source: int
    """A RateSource; manual if either leg of a cross rate is."""
    estimated: bool
    """Whether an older quote stands in for one that should exist."""


class RateTable:
    """Answer which rate to a target currency is in force on a day, from one query's worth of rows."""

    __slots__ = ("_found", "_originals", "_quoted_days", "_quotes", "_span", "_target")

    def __init__(
        self, *, target: str, originals: set[str], span: tuple[date, date], quotes: dict[str, dict[date, tuple[int, int]]], quoted_days: set[date]
    ) -> None:
        """Hold the quotes as (10⁻¹⁰ units per euro, RateSource) by currency and day, and the days the ECB quoted."""
        self._target = target
        self._originals = originals
        self._span = span
        self._quotes = quotes
        self._quoted_days = quoted_days
        self._found: dict[tuple[str, date], Rate | None] = {}

    @classmethod
    def load(cls, target: str, originals: set[str], first: date, last: date) -> Self:
        """Read in one query what the days from `first` to `last` need, or in none when nothing needs converting."""
        quotes: dict[str, dict[date, tuple[int, int]]] = {code: {} for code in (originals | {target}) - {EURO}}
        quoted_days: set[date] = set()
        if originals - {target}:
            for currency, day, per_euro, source in _read(list(quotes), first - _LOOK_BACK, last):
                if per_euro is None:
                    quoted_days.add(day)
                else:
                    quotes[currency][day] = (int(per_euro.scaleb(_DECIMALS)), source)
        return cls(target=target, originals=originals, span=(first, last), quotes=quotes, quoted_days=quoted_days)

    def find(self, original: str, day: date) -> Rate | None:
        """Return the rate in force on the event's day (the store's local date), or None: then the order is held.

        The rate of the day itself; on weekends and bank holidays the last one before; otherwise one up to seven days
        old, marked estimated. Raises LookupError for a currency or a day that was not loaded.
        Source: ECB euro reference rates, which are fixed once on every working day.
        """
        try:
            return self._found[original, day]
        except KeyError:
            found = self._found[original, day] = self._search(original, day)
            return found

    def _search(self, original: str, day: date) -> Rate | None:
        if original == self._target:
            return Rate(value=RATE_SCALE, day=day, source=RateSource.ECB, estimated=False)
        if original not in self._originals or not self._span[0] <= day <= self._span[1]:
            raise LookupError(f"rates of {original} on {day} were not loaded")
        every_day_since_was_closed = True
        for age in range(OLDEST_STAND_IN + 1):
            quoted = day - timedelta(days=age)
            cross = self._cross(original, quoted)
            if cross:
                return Rate(value=cross[0], day=quoted, source=cross[1], estimated=not every_day_since_was_closed)
            every_day_since_was_closed = every_day_since_was_closed and self._is_closed(quoted)
        return None

    def _cross(self, original: str, day: date) -> tuple[int, int] | None:
        """Divide the two legs' rates per euro, when at least one of them was quoted on this very day."""
        if day not in self._quotes.get(original, ()) and day not in self._quotes.get(self._target, ()):
            return None
        bought, sold = self._leg(self._target, day), self._leg(original, day)
        if bought is None or sold is None:
            return None
        value = divide_half_even(bought[0] * RATE_SCALE, sold[0])
        source = RateSource.MANUAL if RateSource.MANUAL in (bought[1], sold[1]) else RateSource.ECB
        # A rate too small for ten decimals would turn money into nothing: unknown is never zero.
        return (value, source) if value else None

    def _leg(self, currency: str, day: date) -> tuple[int, int] | None:
        """Return a currency's rate per euro in force on the day, looking back over closed days only.

        Looking back matters when one leg was entered by hand for a weekend, on which the other has no quote.
        """
        if currency == EURO:
            return RATE_SCALE, RateSource.ECB
        for age in range(OLDEST_STAND_IN + 1):
            earlier = day - timedelta(days=age)
            quote = self._quotes[currency].get(earlier)
            if quote or not self._is_closed(earlier):
                return quote
        return None

    def _is_closed(self, day: date) -> bool:
        """Tell whether no rate should exist for the day: a weekend, or a holiday that quotes soon followed."""
        if day in self._quoted_days:
            return False
        return day.weekday() >= _SATURDAY or any(day + timedelta(days=ahead) in self._quoted_days for ahead in range(1, _LONGEST_CLOSURE + 1))


def add_rates(rows: Iterable[RateRow], *, source: RateSource) -> int:
    """Insert the rates that are new, all or none, and return how many; existing ones stay as they are.

    Raises RateRefused for an unknown currency, the euro itself, and anything but a positive number with at most
    ten decimals.
    """
    checked: dict[tuple[str, date], Decimal] = {}
    for number, (currency, day, per_euro) in enumerate(rows, start=1):
        _check(currency, day, per_euro, where=f"row {number}: ")
        if checked.setdefault((currency, day), per_euro) != per_euro:
            raise RateRefused(f"row {number}: {currency} on {day} is {per_euro} here and {checked[currency, day]} before")
    # One order for every writer, so that two loads at once wait for each other instead of deadlocking.
    ordered = sorted(checked.items())
    with transaction.atomic(), connection.cursor() as cursor:
        return sum(_insert(cursor, ordered[start : start + _ROWS_A_STATEMENT], source) for start in range(0, len(ordered), _ROWS_A_STATEMENT))


def set_manual_rate(currency: str, day: date, per_euro: Decimal) -> None:
    """Enter a rate by hand (units per euro), or correct one that was entered by hand before.

    Raises RateFrozen when the ECB quoted the currency on that day, and RateRefused like `add_rates`.
    """
    _check(currency, day, per_euro, where="")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_exchangerate AS kept (currency, day, per_euro, source) VALUES (%(currency)s, %(day)s, %(per_euro)s, %(manual)s)
            ON CONFLICT (currency, day) DO UPDATE SET per_euro = excluded.per_euro WHERE kept.source = %(manual)s
            """,
            {"currency": currency, "day": day, "per_euro": per_euro, "manual": RateSource.MANUAL.value},
        )
        if not cursor.rowcount:
            raise RateFrozen(f"the European Central Bank quoted {currency} on {day}; that rate cannot be replaced")


def newest_day() -> date | None:
    """Return the day of the newest ECB quote, whatever was entered by hand for later days."""
    newest: date | None = ExchangeRate.objects.filter(source=RateSource.ECB).aggregate(newest=Max("day"))["newest"]
    return newest


def quoted_currencies() -> list[str]:
    """Return the currencies whose last rate is not much older than the newest there is, the euro among them; none without any rates."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_RATES)
        last = dict(cursor.fetchall())
    if not last:
        return []
    newest = max(last.values())
    return sorted([EURO, *(code for code, day in last.items() if day > newest - _STILL_QUOTED)])


def quoted_days() -> set[date]:
    """Return every day that has an ECB quote of any currency."""
    return set(ExchangeRate.objects.filter(source=RateSource.ECB).values_list("day", flat=True).distinct())


def _check(currency: str, day: date, per_euro: Decimal, *, where: str) -> None:
    if currency == EURO or not is_currency(currency):
        raise RateRefused(f"{where}{currency!r} on {day} is not a currency that has a rate to the euro")
    if not per_euro.is_finite() or not 0 < per_euro < _TOO_LARGE:
        raise RateRefused(f"{where}{currency} on {day}: {per_euro} is not a positive number of units per euro")
    exponent = per_euro.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_DECIMALS:
        raise RateRefused(f"{where}{currency} on {day}: {per_euro} has more than ten decimals")


def _insert(cursor: CursorWrapper, rows: list[tuple[tuple[str, date], Decimal]], source: RateSource) -> int:
    cursor.execute(
        """
        INSERT INTO ledger_exchangerate (currency, day, per_euro, source)
        SELECT currency, day, per_euro, %s FROM unnest(%s::text[], %s::date[], %s::numeric[]) AS new (currency, day, per_euro)
        ON CONFLICT (currency, day) DO NOTHING
        """,
        [source.value, [currency for (currency, _), _ in rows], [day for (_, day), _ in rows], [per_euro for _, per_euro in rows]],
    )
    added: int = cursor.rowcount
    return added


def _read(currencies: list[str], first: date, last: date) -> Iterator[tuple[str, date, Decimal | None, int]]:
    """Yield the currencies' rates and, without a rate, the days on which the ECB quoted anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT currency, day, per_euro, source FROM ledger_exchangerate
             WHERE currency = ANY(%(currencies)s) AND day BETWEEN %(first)s AND %(last)s
            UNION ALL
            SELECT DISTINCT '', day, NULL::numeric, source FROM ledger_exchangerate
             WHERE source = %(ecb)s AND day BETWEEN %(first)s AND %(next)s
            """,
            {"currencies": currencies, "first": first, "last": last, "next": last + timedelta(days=_LONGEST_CLOSURE), "ecb": RateSource.ECB.value},
        )
        yield from cursor
