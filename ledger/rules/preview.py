"""Work out what a change of cost rules would do, by making it, drafting the orders it reaches, and taking it back.

What is compared is what posting would write: the drafts under the changed rules against the entries that are live. Where only
goods' costs move, the sets that restating goes by (ledger/restating/) tell it. So the entries, the days and the profit are
those that saving and restating bring, as long as the book does not move meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any

from django.db import connection

from ledger.accounts import in_profit
from ledger.book.entries import Source
from ledger.costs.duplicates import likely_duplicates
from ledger.days import day_number, day_of
from ledger.drafts.entry import EntryDraft
from ledger.kinds import CauseKind, Hold
from ledger.models import Book, CostOverride, ManualCost, Order, ProposedChange, Store
from ledger.models.rules import Rule
from ledger.money import Tenk, decimal, tenk
from ledger.orders import mirror
from ledger.orders.drafting import draft_orders, load_terms
from ledger.orders.rows import OrderRow
from ledger.periods import By, cut
from ledger.posting import by_closing, difference, hold_book, load_live
from ledger.restating import decisions
from ledger.restating.looking import Looked, look
from ledger.rules import rules
from ledger.rules.proposals import rules_of, told_of
from ledger.rules.reach import Reach, every_order, reach_of
from ledger.rules.trial import Trial, trial
from ledger.statements import profit
from ledger.stores import today_of

CHUNK = 2_000
"""Orders drafted at a time."""
SET_CHUNK = 5_000
"""Orders looked at at a time where the database does it by sets."""
MANY_RULES, WIDE_CHUNK = 50, 20_000
"""A change of many rules takes a while to make and take back, so then more orders are drafted each time."""
MOST_CHANGED = 10
"""Orders that are named one by one."""
BYTES_PER_ENTRY = 170
"""What an entry takes with its indexes (docs/costs.md); a book that is large enough is measured itself."""
ENOUGH_TO_MEASURE = 10_000

Progress = Callable[[int, int], None]
"""Called with (orders done, orders in all)."""
Trying = Callable[[], AbstractContextManager[Trial | None]]
"""Lets something else hold while a block runs; where that is a change of rules, it is given."""


class _Sheet:
    """Adds up the entries that would be written."""

    def __init__(self, closed: int | None) -> None:
        self.closed = closed
        self.entries = self.reversals = self.corrections = self.changed = 0
        self.days: set[int] = set()
        self.by_month: dict[date, Tenk] = {}
        self.by_order: dict[int, Tenk] = {}
        self.held: dict[str, int] = {}

    def take(self, desired: Mapping[Source, Sequence[EntryDraft]], live: Mapping[Source, Any]) -> None:
        """Add what posting would write to make the live entries of orders the desired ones."""
        usual, late = by_closing(list(difference(desired, live)), self.closed)
        moved: dict[int, Tenk] = {}
        for lines, is_late in ((usual, False), (late, True)):
            for line in lines:
                value = self.write(line.day, line.entry.account, line.entry.amount, reverses=line.reverses, late=is_late)
                moved[line.source[1]] = moved.get(line.source[1], 0) + value
        self.changed += len(moved)
        self._name(moved)

    def take_set(self, looked: Looked) -> None:
        """Add what restating a set of orders would write."""
        self.entries += looked.entries
        self.reversals += looked.reversals
        self.corrections += looked.corrections
        self.changed += looked.changed
        self.days |= {day for day in (looked.first, looked.last) if day is not None}
        for month, moved in looked.by_month:
            self.by_month[month] = self.by_month.get(month, 0) + moved
        self._name(dict(looked.most))

    def _name(self, moved: Mapping[int, Tenk]) -> None:
        """Keep the orders that move most."""
        self.by_order |= moved
        self.by_order = dict(sorted(self.by_order.items(), key=lambda item: (-abs(item[1]), item[0]))[:MOST_CHANGED])

    def write(self, day: int, account: int, amount: Tenk, *, reverses: bool, late: bool) -> Tenk:
        """Add one entry, booked on a day, and return what it moves of profit; a late one corrects a closed day."""
        self.entries += 1
        self.reversals += reverses
        self.corrections += late
        self.days.add(day)
        value = amount if in_profit(account) else 0
        month = day_of(day).replace(day=1)
        self.by_month[month] = self.by_month.get(month, 0) + value
        return value

    def hold(self, orders: Sequence[OrderRow], before: Sequence[int]) -> None:
        """Count the orders that would begin to wait for a rate, by its currency."""
        for order, was in zip(orders, before, strict=True):
            if order.hold == Hold.RATE_MISSING and was != Hold.RATE_MISSING:
                self.held[order.hold_currency] = self.held.get(order.hold_currency, 0) + 1


def trying_rules(store: Store, add: Sequence[Rule], remove: Sequence[Rule], *, now: datetime) -> Trying:
    """Return what makes a change of rules and takes it back."""
    return lambda: trial(store, add=add, remove=remove, now=now)


def reach_under(store: Store, trying: Trying) -> Reach:
    """Return the orders that a change can reach, those of the rules that make room included."""
    with trying() as tried:
        return every_order(store) if tried is None else reach_of(store, tried.changed)


def effect(
    store: Store, trying: Trying, reach: Reach, *, now: datetime, chunk: int | None = None, progress: Progress | None = None
) -> dict[str, Any]:  # fmt: skip
    """Return what a change would do, as JSON: days, orders, entries, profit by month, the most changed orders.

    Amounts are texts in the book's currency; profit is net profit on the event basis, where corrections of closed days
    count on the day they would be booked. Raise RuleRefused when the change cannot be made any more.
    """
    book = Book.objects.get(pk=store.pk)
    sheet = _Sheet(None if book.closed_through is None else day_number(book.closed_through))
    whole = reach.count()
    _add_days(sheet, store, trying, now)
    done = 0
    for ids in _added(sheet, store, trying, reach, chunk or CHUNK):
        done += len(ids)
        if progress is not None:
            progress(done, whole)
    return {"reached": done, "today": today_of(store, now).isoformat(), **_told(sheet, book)}


def effect_of(proposed: ProposedChange, *, now: datetime, progress: Progress | None = None) -> dict[str, Any]:
    """Return what a proposal would do (see `effect`); raise RuleRefused when it cannot be made any more."""
    add, remove = rules_of(proposed)
    trying = trying_rules(proposed.store, add, remove, now=now)
    chunk = CHUNK if len(add) + len(remove) <= MANY_RULES else WIDE_CHUNK
    found = effect(proposed.store, trying, reach_under(proposed.store, trying), now=now, chunk=chunk, progress=progress)
    with trying() as tried:
        ends = told_of(tried, remove) if tried is not None else []
    return {**found, "ends": ends, "warnings": likely_duplicates(proposed.store, add, remove)}


_WRITTEN = """
    SELECT e.day, e.account, e.amount, e.reverses, b.cause FROM ledger_entry e JOIN ledger_batch b ON b.book_id = e.book_id AND b.seq = e.seq
    WHERE e.book_id = %s AND e.seq > %s
"""


def _add_days(sheet: _Sheet, store: Store, trying: Trying, now: datetime) -> None:
    """Add the costs of days, which belong to no order: they are booked for a moment, since shares of ad spend follow other costs."""
    with trying() as tried:
        if tried is None or all(not isinstance(rule, ManualCost) or rule.basis in ManualCost.OF_ORDERS for rule in tried.changed):
            return
        seq = hold_book(store.pk).last_seq
        rules.settle(tried.made, now=now)
        with connection.cursor() as cursor:
            cursor.execute(_WRITTEN, [store.pk, seq])
            for day, account, amount, reverses, cause in cursor.fetchall():
                sheet.write(day_number(day), account, tenk(amount), reverses=reverses, late=cause == CauseKind.CORRECTION)


def _added(sheet: _Sheet, store: Store, trying: Trying, reach: Reach, chunk: int) -> Iterator[Sequence[int]]:
    """Add the orders of a reach, chunk by chunk: by sets where nothing but goods' costs moves, as restating does, else drafted one by one."""
    if not reach.only_cogs:
        for ids in reach.chunks(chunk):
            _add_orders(sheet, store, trying, ids)
            yield ids
        return
    with trying() as tried:
        decided = decisions.decide(store)
        apart = {rule.order_id for rule in (tried.changed if tried else ()) if isinstance(rule, CostOverride)}
    terms = decisions.lay_out_tried(store, decided)
    left: list[int] = []
    try:
        for ids in reach.chunks(SET_CHUNK):
            looked = look(store, ids, terms, apart=apart, most=MOST_CHANGED)
            sheet.take_set(looked)
            left += looked.left
            while len(left) >= chunk:  # the change is made and taken back for each chunk of these, so they are gathered
                _add_orders(sheet, store, trying, left[:chunk])
                del left[:chunk]
            yield ids
        if left:
            _add_orders(sheet, store, trying, left)
    finally:
        decisions.forget()


def _add_orders(sheet: _Sheet, store: Store, trying: Trying, ids: Sequence[int]) -> None:
    orders = mirror.load(store.pk, ids)
    held = [order.hold for order in orders]
    with trying():  # drafted within, where accounts of new labels are known
        drafts = draft_orders(orders, load_terms(store, orders))
    sheet.hold(orders, held)
    sheet.take(drafts, load_live(store.pk, drafts))


def _told(sheet: _Sheet, book: Book) -> dict[str, Any]:
    size, measured = _bytes_per_entry()
    return {
        "first": day_of(min(sheet.days)).isoformat() if sheet.days else None, "last": day_of(max(sheet.days)).isoformat() if sheet.days else None,
        "changed": sheet.changed, "entries": sheet.entries, "reversals": sheet.reversals, "corrections": sheet.corrections,
        "correction_day": day_of(sheet.closed + 1).isoformat() if sheet.corrections and sheet.closed is not None else None,
        "bytes": sheet.entries * size, "bytes_per_entry": size, "measured": measured, "held": sheet.held,
        "months": _months(sheet, book), "orders": _orders(sheet, book),
    }  # fmt: skip


def _months(sheet: _Sheet, book: Book) -> list[dict[str, str]]:
    """Return net profit of the months that move, before and after; the last is their sum."""
    if not sheet.by_month:
        return []
    last = max(sheet.by_month)
    periods = cut(min(sheet.by_month), last.replace(month=last.month % 12 + 1, year=last.year + last.month // 12), By.MONTH)[:-1]
    before = {statement.period.first: statement.net_profit for statement in profit(book, periods)}
    return [
        {"month": month.isoformat(), "before": str(before[month]), "after": str(before[month] + decimal(moved)), "difference": str(decimal(moved))}
        for month, moved in sorted(sheet.by_month.items())
    ]


def _orders(sheet: _Sheet, book: Book) -> list[dict[str, str]]:
    """Return the orders whose profit moves most, most first."""
    rows = {row.pk: row for row in Order.objects.filter(store_id=book.pk, pk__in=sheet.by_order)}
    return [
        {
            "number": rows[pk].number, "day": rows[pk].day.isoformat(), "before": str(rows[pk].profit),
            "after": str(rows[pk].profit + decimal(moved)), "difference": str(decimal(moved)),
        }
        for pk, moved in sheet.by_order.items() if pk in rows
    ]  # fmt: skip


def _bytes_per_entry() -> tuple[int, bool]:
    """Return what an entry takes on disk with its indexes, and whether that was measured here or is the usual size."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(oid), reltuples::bigint FROM pg_class WHERE oid = 'ledger_entry'::regclass")
        size, rows = cursor.fetchone()
    return (size // rows, True) if rows >= ENOUGH_TO_MEASURE else (BYTES_PER_ENTRY, False)
