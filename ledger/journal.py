"""Read a book's batches and entries page by page; nothing here counts a whole table or goes through one."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from ledger import accounts
from ledger.kinds import Basis, CauseKind, SourceKind
from ledger.models import AdDay, Batch, Book, DayTotal, ManualCost, Order

PAGE = 100
"""Rows of a page."""
MOST_SUMMED = 200_000
"""Entries that one page adds up at most."""
ZERO = Decimal(0)

Key = tuple[date, int, int, int, int, int, int, bool]
"""Where an entry stands when a book is read by day: day, batch, source kind and id, account, part, revision, reversal."""

_PLACE = "day, seq, source_kind, source_id, account, part, revision, reverses"
_COLUMNS = "day, seq, source_kind, source_id, account, part, revision, reverses, event_day, amount, estimated, original_amount, currency, rate"


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


class Sought(NamedTuple):
    """Which entries of a book are read, by the days they are booked on; every one where nothing narrows them."""

    book: int
    first: date | None = None
    last: date | None = None
    source: tuple[int, int] | None = None
    account: int | None = None
    seq: int | None = None

    def condition(self) -> tuple[str, list[Any]]:
        """Return the condition on `ledger_entry` and its parameters."""
        parts: list[tuple[str, Any]] = [("book_id = %s", self.book)]
        for sql, value in (
            ("day >= %s", self.first), ("day <= %s", self.last), ("source_kind = %s", self.source and self.source[0]),
            ("source_id = %s", self.source and self.source[1]), ("account = %s", self.account), ("seq = %s", self.seq),
        ):  # fmt: skip
            if value is not None:
                parts.append((sql, value))
        return " AND ".join(sql for sql, _ in parts), [value for _, value in parts]


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


def entries(sought: Sought, *, after: Key | None = None) -> list[EntryRow]:
    """Return a page of entries by day and batch, those after a place; one more than PAGE where others follow."""
    if sought.first is not None and sought.last is not None and sought.source is None:
        rows = _read_by_days(sought, sought.first, sought.last, after)
    else:
        rows = _read(sought, after)
    running = _opening(sought, after)
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


def _read(sought: Sought, after: Key | None) -> list[Any]:
    condition, parameters = sought.condition()
    if after is not None:
        condition, parameters = f"{condition} AND ({_PLACE}) > ({', '.join(['%s'] * len(after))})", [*parameters, *after]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM ledger_entry WHERE {condition} ORDER BY {_PLACE} LIMIT {PAGE + 1}", parameters)
        return list(cursor.fetchall())


def _read_by_days(sought: Sought, first: date, last: date, after: Key | None) -> list[Any]:
    """Read in growing spans of days until a page is full, so that a long span is not sorted for its first hundred rows."""
    begins, length, found = max(first, after[0]) if after else first, 1, list[Any]()
    while begins <= last and len(found) <= PAGE:
        ends = min(begins + timedelta(days=length - 1), last)
        found += _read(sought._replace(first=begins, last=ends), after)
        begins, length = ends + timedelta(days=1), length * 2
    return found[: PAGE + 1]


def _counts(sought: Sought, account: int) -> bool:
    """Tell whether an entry is part of the running sum: of one account, or of profit where one source is read."""
    return sought.account is not None or accounts.in_profit(account)


def _opening(sought: Sought, after: Key | None) -> Decimal | None:
    """Return the sum of what is read before a page; None where entries of many accounts and sources would be mixed."""
    if sought.source is None and sought.account is None:
        return None
    if after is None:
        return ZERO
    whole = ZERO
    if sought.source is None and sought.account is not None:
        # An account's whole days are in its totals; only the day the page begins in is added up from its entries.
        days = DayTotal.objects.filter(book_id=sought.book, basis=Basis.EVENT, account=sought.account, day__lt=after[0])
        days = days.filter(day__gte=sought.first) if sought.first is not None else days
        whole = days.aggregate(whole=Sum("amount"))["whole"] or ZERO
        sought = sought._replace(first=after[0])
    condition, parameters = sought.condition()
    place = f"({_PLACE}) <= ({', '.join(['%s'] * len(after))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account, sum(amount) FROM ledger_entry WHERE {condition} AND {place} AND day <= %s GROUP BY account",
            [*parameters, *after, after[0]],
        )
        return whole + sum((amount for account, amount in cursor.fetchall() if _counts(sought, account)), ZERO)


def entries_of_batch(book: Book, seq: int, *, after: Key | None = None) -> list[EntryRow]:
    """Return a page of one batch's entries, as `entries` does."""
    return entries(Sought(book.pk, seq=seq), after=after)


def named(book: Book, sources: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Say what entries come from: an order's number, a cost in words, a day of ad spend."""
    by_kind: dict[int, list[int]] = {}
    for kind, pk in sources:
        by_kind.setdefault(kind, []).append(pk)
    orders = Order.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.ORDER, [])).values_list("pk", "number")
    costs = ManualCost.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.MANUAL_COST, []))
    told = {(int(SourceKind.ORDER), pk): f"order {number}" for pk, number in orders}
    told |= {(int(SourceKind.MANUAL_COST), cost.pk): str(cost) for cost in costs}
    days = AdDay.objects.filter(store=book.pk, pk__in=by_kind.get(SourceKind.AD_DAY, [])).select_related("campaign")
    told |= {(int(SourceKind.AD_DAY), row.pk): row.in_words() for row in days}
    return {source: told.get(source, f"{SourceKind(source[0]).label} {source[1]}") for source in sources}
