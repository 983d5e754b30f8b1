"""Tell what lies beneath a figure: its accounts, their sums in the totals, and whether the entries sum to the same."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from ledger import accounts
from ledger.accounts import Line
from ledger.book.conversion import Conversion, shown_in
from ledger.book.journal import MOST_SUMMED, OriginSum, sums_of
from ledger.book.sought import Origin, Sought
from ledger.kinds import Basis
from ledger.models import Account, Book
from ledger.periods import Period
from ledger.statements import SUMS

ZERO = Decimal(0)
OF_EVERY_ORDER = frozenset({accounts.SALES_GROSS, accounts.STAT_ORDERS})
LINES: dict[str, Line] = {line.key: line for line in (*accounts.STATEMENT, *accounts.MEMO, *accounts.STATISTICS)}
"""Everything that accounts add up to, by key."""


def prefixes_of(key: str) -> tuple[str, ...]:
    """Return the prefixes of the accounts beneath a figure, a line or a sum of lines, by its key."""
    return tuple(prefix for line in SUMS.get(key, (key,)) for prefix in LINES[line].prefixes)


def numbers_under(prefixes: tuple[str, ...]) -> tuple[int, ...]:
    """Return the numbers of all accounts under some prefixes, fixed and labelled ones."""
    known = dict(accounts.NAMES) | dict(Account.objects.values_list("number", "name"))
    return tuple(sorted(number for number, name in known.items() if any(accounts.under(name, prefix) for prefix in prefixes)))


def sums_of_accounts(
    book: Book,
    period: Period,
    *,
    basis: Basis = Basis.EVENT,
    channel: int | None = None,
    country: int | None = None,
    converted: Conversion | None = None,
) -> dict[int, tuple[Decimal, Decimal]]:
    """Return what was booked on each account over a span, and how much of it is estimated, from the totals of now.

    A channel's number or a country's narrows it; the totals know either, never both at once. In another currency, accounts of which no
    day has a rate are left out.
    """
    table, narrowed, column = _totals_of(channel, country)
    shown = shown_in(converted)
    values = {"book": book.pk, "basis": basis.value, "first": period.first, "last": period.last, "place": next(iter(narrowed), None)}
    amount, estimated = shown.amount("total.amount"), shown.amount("total.estimated_amount")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT total.account, sum({amount}), sum({estimated}) FROM {table} AS total {shown.join}"
            f" WHERE total.book_id = %(book)s AND total.basis = %(basis)s AND total.day BETWEEN %(first)s AND %(last)s"
            f" AND {column.replace('%s', '%(place)s')} GROUP BY 1 ORDER BY 1",
            {**values, **shown.values},
        )
        return {account: (whole, guessed) for account, whole, guessed in cursor.fetchall() if whole is not None}


def sums_by_period(
    book: Book, periods: Sequence[Period], numbers: Collection[int], *,
    basis: Basis = Basis.EVENT, channel: int | None = None, country: int | None = None,
) -> list[Decimal]:  # fmt: skip
    """Return what some accounts come to in each of adjoining periods, in time order, from the totals of now."""
    table, narrowed, column = _totals_of(channel, country)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT width_bucket(day, %s::date[]), sum(amount) FROM {table} WHERE book_id = %s AND basis = %s AND day BETWEEN %s AND %s "
            f"AND account = ANY(%s::int2[]) AND {column} GROUP BY 1",
            [[each.first for each in periods], book.pk, basis.value, periods[0].first, periods[-1].last, list(numbers), *narrowed],
        )
        found = dict(cursor.fetchall())
    return [found.get(index, ZERO) for index in range(1, len(periods) + 1)]


def _totals_of(channel: int | None, country: int | None) -> tuple[str, list[int], str]:
    """Return the totals that know a channel or a country, what narrows them, and the condition that does."""
    if country is not None:
        return "ledger_countrydaytotal", [country], "country = %s"
    return ("ledger_daytotal", [], "true") if channel is None else ("ledger_daytotal", [channel], "channel = %s")


class Tied(NamedTuple):
    """One account's sum by the totals and by its entries; `entries` is None where these are too many to be added up here."""

    account: str
    amount: Decimal
    estimated: Decimal
    entries: Decimal | None

    @property
    def ties(self) -> bool:
        """Tell whether the two agree; what was not added up disagrees with nothing."""
        return self.entries in (None, self.amount)


class Beneath(NamedTuple):
    """What lies beneath a figure, by account and by origin, in the book's currency (counts for statistics)."""

    by_account: list[Tied]
    by_origin: dict[Origin, Decimal] | None
    """None where there are more entries than one page adds up."""
    entries: int | None
    """How many there are; None where there are more than one page adds up."""

    @property
    def amount(self) -> Decimal:
        """Return the figure, by the totals."""
        return sum((each.amount for each in self.by_account), ZERO)

    @property
    def of_entries(self) -> Decimal | None:
        """Return what the entries sum to."""
        return None if self.by_origin is None else sum(self.by_origin.values(), ZERO)

    @property
    def astray(self) -> list[Tied]:
        """Return the accounts whose entries do not sum to their totals."""
        return [each for each in self.by_account if not each.ties]


def beneath(book: Book, sought: Sought, period: Period) -> Beneath:
    """Return what lies beneath the figure of some accounts over a span: read from the totals, and added up from the entries."""
    totals = sums_of_accounts(book, period, basis=sought.basis, channel=sought.channel, country=sought.country)
    wanted = set(sought.accounts or ())
    orders, _ = totals.get(accounts.STAT_ORDERS, (ZERO, ZERO))
    # Every order that counts has an entry on these: where orders alone are too many, none is read to find that out.
    found = None if orders > MOST_SUMMED and wanted & OF_EVERY_ORDER else sums_of(sought)
    return _laid_side_by_side({number: pair for number, pair in totals.items() if number in wanted}, found)


def beneath_batch(sought: Sought) -> Beneath:
    """Return what one batch added to a figure; there are no totals of batches, so it is what its entries sum to."""
    found = sums_of(sought)
    sums: dict[int, tuple[Decimal, Decimal]] = {}
    for each in found or ():
        amount, estimated = sums.get(each.account, (ZERO, ZERO))
        sums[each.account] = amount + each.amount, estimated + each.estimated
    return _laid_side_by_side(sums, found)


def _laid_side_by_side(totals: dict[int, tuple[Decimal, Decimal]], found: list[OriginSum] | None) -> Beneath:
    of_entries: dict[int, Decimal] = {}
    by_origin: dict[Origin, Decimal] = {}
    for each in found or ():
        of_entries[each.account] = of_entries.get(each.account, ZERO) + each.amount
        by_origin[each.origin] = by_origin.get(each.origin, ZERO) + each.amount
    by_account = [
        Tied(accounts.name_of(number), *totals.get(number, (ZERO, ZERO)), None if found is None else of_entries.get(number, ZERO))
        for number in sorted({*totals, *of_entries})
    ]
    return Beneath(by_account, None if found is None else by_origin, None if found is None else sum(each.entries for each in found))
