"""Read a book's batches and entries page by page; nothing here counts a whole table or goes through one."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from ledger import accounts
from ledger.book.sought import ORIGIN, Key, Origin, Sought
from ledger.kinds import CauseKind, SourceKind
from ledger.models import AdDay, Batch, Book, CountryDayTotal, Customer, DayTotal, ManualCost, Order

PAGE = 100
"""Rows of a page."""
MOST_SUMMED = 200_000
"""Entries that one page adds up at most."""
ZERO = Decimal(0)


class BatchView(NamedTuple):
    """One batch, and what it added to net profit; None where it is too large to be added up on a list."""

    seq: int
    recorded_at: datetime
    cause: str
    cause_ref: str
    actor: str
    entries: int
    profit: Decimal | None


class AccountSum(NamedTuple):
    """What entries add to one account."""

    account: str
    amount: Decimal
    in_profit: bool


class EntryRow(NamedTuple):
    """One entry as the book has it, its account by name; `running` is the sum through it where one makes sense."""

    key: Key
    event_day: date
    account: str
    amount: Decimal
    estimated: bool
    original_amount: Decimal | None
    currency: str | None
    rate: Decimal | None
    running: Decimal | None

    @property
    def source(self) -> tuple[int, int]:
        """Return what the entry comes from: (source kind, id)."""
        return self.key[2], self.key[3]

    @property
    def note(self) -> str:
        """Say what kind of entry it is, where it is not the first of its kind."""
        revision, reverses = self.key[6], self.key[7]
        return "takes back what was booked before" if reverses else f"revision {revision}" if revision > 1 else ""


def batches(book: Book, *, before: int | None = None, ref: str = "") -> list[BatchView]:
    """Return a page of batches, newest first, those before a number; with `ref`, what changes of rules wrote under it.

    A page holds one more than PAGE where older ones follow.
    """
    rows = Batch.objects.filter(book_id=book.pk)
    if ref:
        rows = rows.filter(cause=CauseKind.RULE, cause_ref=ref)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    return _with_profit(book, list(rows.order_by("-seq")[: PAGE + 1]))


def batch(book: Book, seq: int) -> BatchView | None:
    """Return one batch of a book, or None."""
    return next(iter(_with_profit(book, list(Batch.objects.filter(book_id=book.pk, seq=seq)))), None)


def sums(book: Book, seq: int) -> list[AccountSum]:
    """Return what one batch adds to each account, in the book's currency; counts for statistics."""
    found = [AccountSum(accounts.name_of(account), amount, accounts.in_profit(account)) for _, account, amount in _summed(book, [seq])]
    return sorted(found, key=lambda each: (not each.in_profit, each.account))


def _with_profit(book: Book, rows: Sequence[Batch]) -> list[BatchView]:
    small, room = [], MOST_SUMMED
    for row in rows:
        if row.entries <= room:
            small.append(row.seq)
            room -= row.entries
    profit = dict.fromkeys(small, ZERO)
    for seq, account, amount in _summed(book, small):
        if accounts.in_profit(account):
            profit[seq] += amount
    return [
        BatchView(row.seq, row.recorded_at, CauseKind(row.cause).label, row.cause_ref, row.actor, row.entries, profit.get(row.seq)) for row in rows
    ]


def _summed(book: Book, seqs: Collection[int]) -> list[tuple[int, int, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, account, sum(amount) FROM ledger_entry WHERE book_id = %s AND seq = ANY(%s::bigint[]) GROUP BY seq, account",
            [book.pk, list(seqs)],
        )
        return list(cursor.fetchall())


def entries(sought: Sought, *, after: Key | None = None, page: int | None = None, summed: bool = True, days: int = 1) -> list[EntryRow]:
    """Return a page of entries by day and batch, those after a place; one more than the page (PAGE by default) where others follow.

    Without `summed`, running sums are left out, which saves reading what lies before the page. `days` guesses how many days fill a page.
    """
    most = (PAGE if page is None else page) + 1
    if after is not None and sought.first is not None and after[0] < sought.first:
        after = None  # a place before the first day: nothing that is read lies before it
    if sought.first is not None and sought.last is not None and sought.source is None:
        rows = _read_by_days(sought, sought.first, sought.last, after, most, days)
    else:
        rows = _read(sought, after, most)
    running = _opening(sought, after) if summed else None
    found = []
    for day, seq, kind, source, account, part, revision, reverses, event_day, amount, estimated, original, currency, rate in rows:
        if running is not None and _counts(sought, account):
            running += amount
        found.append(
            EntryRow(
                (day, seq, kind, source, account, part, revision, reverses), event_day, accounts.name_of(account), amount, estimated,
                original, currency, rate, running,
            )
        )  # fmt: skip
    return found


def _read(sought: Sought, after: Key | None, most: int) -> list[Any]:
    condition, parameters = sought.condition()
    if after is not None:
        condition, parameters = f"{condition} AND ({sought.place}) > ({', '.join(['%s'] * len(after))})", [*parameters, *after]
    columns = f"{sought.place}, event_day, amount, estimated, original_amount, currency, rate"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM ledger_entry WHERE {condition} ORDER BY {sought.place} LIMIT {most}", parameters)
        return list(cursor.fetchall())


def _read_by_days(sought: Sought, first: date, last: date, after: Key | None, most: int, days: int) -> list[Any]:
    """Read in growing spans of days until a page is full, so that a long span is not sorted for its first hundred rows."""
    begins, length, found = max(first, after[0]) if after else first, days, list[Any]()
    while begins <= last and len(found) < most:
        ends = min(begins + timedelta(days=length - 1), last)
        found += _read(sought._replace(first=begins, last=ends), after, most - len(found))
        begins, length = ends + timedelta(days=1), length * 4
    return found


def _counts(sought: Sought, account: int) -> bool:
    """Tell whether an entry is part of the running sum: of the accounts read, or of profit where one source is read."""
    return sought.accounts is not None or accounts.in_profit(account)


def _opening(sought: Sought, after: Key | None) -> Decimal | None:
    """Return the sum of what is read before a page; None where entries of many accounts and sources would be mixed."""
    if sought.source is None and sought.accounts is None:
        return None
    if after is None:
        return ZERO
    whole = ZERO
    if sought.source is None and sought.seq is None and sought.accounts is not None:
        # The accounts' whole days are in their totals; only the day the page begins in is added up from its entries.
        whole = _whole_days(sought, sought.accounts, before=after[0])
        sought = sought._replace(first=after[0])
    condition, parameters = sought.condition()
    place = f"({sought.place}) <= ({', '.join(['%s'] * len(after))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account, sum(amount) FROM ledger_entry WHERE {condition} AND {place} AND {sought.day} <= %s GROUP BY account",
            [*parameters, *after, after[0]],
        )
        return whole + sum((amount for account, amount in cursor.fetchall() if _counts(sought, account)), ZERO)


def _whole_days(sought: Sought, some: tuple[int, ...], *, before: date) -> Decimal:
    """Return what the totals have for accounts before a day."""
    totals: Any = DayTotal.objects if sought.country is None else CountryDayTotal.objects
    days = totals.filter(book_id=sought.book, basis=sought.basis, account__in=some, day__lt=before)
    for name, value in (("day__gte", sought.first), ("channel", sought.channel), ("country", sought.country)):
        days = days.filter(**{name: value}) if value is not None else days
    return days.aggregate(whole=Sum("amount"))["whole"] or ZERO


_SUMS = f"""
    SELECT account, origin, sum(amount), coalesce(sum(amount) FILTER (WHERE estimated), 0), count(*)
    FROM (SELECT account, amount, estimated, {ORIGIN} AS origin FROM ledger_entry WHERE {{condition}} LIMIT {{most}}) AS read
    GROUP BY account, origin
"""


class OriginSum(NamedTuple):
    """What entries of one origin add to one account: their sum, the estimated part of it, and how many they are."""

    account: int
    origin: Origin
    amount: Decimal
    estimated: Decimal
    entries: int


def sums_of(sought: Sought) -> list[OriginSum] | None:
    """Add up entries by account and origin; None where they are more than MOST_SUMMED, which is found out without counting them."""
    condition, parameters = sought.condition()
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(condition=condition, most=MOST_SUMMED + 1), parameters)
        found = [OriginSum(account, Origin[origin], *rest) for account, origin, *rest in cursor.fetchall()]
    return found if sum(each.entries for each in found) <= MOST_SUMMED else None


def entries_of_batch(book: Book, seq: int, *, after: Key | None = None) -> list[EntryRow]:
    """Return a page of one batch's entries, as `entries` does."""
    return entries(Sought(book.pk, seq=seq), after=after)


class Source(NamedTuple):
    """What entries come from, in words, with the number of its order or the key of its cost where it has one."""

    words: str
    order: str = ""
    cost: int | None = None


def named(book: Book, sources: Collection[tuple[int, int]]) -> dict[tuple[int, int], Source]:
    """Say what entries come from: an order by its number, a cost in words, a customer by the first order, a day of ad spend."""
    by_kind: dict[int, list[int]] = {}
    for kind, pk in sources:
        by_kind.setdefault(kind, []).append(pk)
    firsts = dict(Customer.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.CUSTOMER, [])).values_list("pk", "first_order"))
    wanted = {*by_kind.get(SourceKind.ORDER, []), *filter(None, firsts.values())}
    orders = dict(Order.objects.filter(store=book.pk, pk__in=wanted).values_list("pk", "number"))
    costs = ManualCost.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.MANUAL_COST, []))
    told = {(int(SourceKind.ORDER), pk): Source(f"order {number}", number) for pk, number in orders.items()}
    told |= {(int(SourceKind.MANUAL_COST), cost.pk): Source(str(cost), cost=cost.pk) for cost in costs}
    days = AdDay.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.AD_DAY, [])).select_related("campaign")
    told |= {(int(SourceKind.AD_DAY), row.pk): Source(row.in_words()) for row in days}
    for pk, first in firsts.items():
        if number := orders.get(first or 0, ""):
            told[int(SourceKind.CUSTOMER), pk] = Source(f"first order of a customer, {number}", number)
    return {source: told.get(source, Source(f"{SourceKind(source[0]).label} {source[1]}")) for source in sources}
