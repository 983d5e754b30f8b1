"""Post desired entries: the only writer of batches, entries and totals.

`post()` is given, per source, the entries that should exist. Under the book's lock it reads what is live, writes
the difference as reversals and new revisions, and moves the totals, all in the caller's transaction.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from ledger.book.entries import Line, Source, copy_entries, insert_prepared, prepared
from ledger.book.totals import Movement, move_prepared
from ledger.book.totals import prepare as prepare_totals
from ledger.cause import Cause
from ledger.days import day_number
from ledger.drafts import DRAFT_VERSION
from ledger.drafts.entry import EntryDraft, Fx
from ledger.kinds import CauseKind
from ledger.models import Batch, Book
from ledger.money import RATE_SCALE, SCALE


class CostsMoved(Exception):
    """Say that a cost changed while the drafts were made (a rule, or what a file charges the orders with); draft again."""


class Posting(NamedTuple):
    """What one post wrote: its batches' numbers, entries added, of them reversals."""

    batches: tuple[int, ...]
    added: int
    reversed: int


NOTHING = Posting((), 0, 0)


def hold_book(book_id: int) -> Book:
    """Lock a store's book until the transaction ends; whoever writes entries or totals holds it."""
    return Book.objects.select_for_update().get(pk=book_id)


def post(
    book_id: int, desired: Mapping[Source, Sequence[EntryDraft]], *, cause: Cause, fresh: Collection[Source] = (), costs_version: int | None = None
) -> Posting:
    """Make the live entries of the given sources equal to the desired ones, and return what that took.

    `fresh` names sources that cannot have entries yet. With `costs_version`, raises CostsMoved when the book's
    has moved since. Entries whose event day is closed are booked on the first open day, in a batch of their own
    with cause correction. Must run inside a transaction; writes nothing when nothing differs.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("post() needs a transaction: mirror, entries and totals commit together")
    known = [source for source in desired if source not in fresh]
    book = hold_book(book_id)
    if costs_version is not None and book.costs_version != costs_version:
        raise CostsMoved
    live = load_live(book_id, known) if known else {}
    lines = list(difference(desired, live))
    if not lines:
        return NOTHING
    closed = None if book.closed_through is None else day_number(book.closed_through)
    usual, late = by_closing(lines, closed)
    batches = []
    movement = Movement()
    for part, why in ((usual, cause), (late, correcting(cause))):
        if part:
            batches.append(_open_batch(book, len(part), why))
            copy_entries(book.pk, book.last_seq, part)
            for line in part:
                entry = line.entry
                movement.add(line.day, entry.order_day, entry.account, entry.channel, entry.country, entry.variant, entry.amount, entry.estimated)
    movement.write(book_id)
    book.save(update_fields=["last_seq", "last_recorded_at"])
    return Posting(tuple(batches), len(lines), sum(line.reverses for line in lines))


def post_prepared(book_id: int, *, cause: Cause, costs_version: int, closed_through: date | None) -> Posting:
    """Write the entries that lie prepared (ledger/book/entries.py), and return what that took.

    They were prepared at a costs version, with the book closed through a day; raises CostsMoved when either has
    moved since. Holds the book for the writing alone. Must run inside a transaction.
    """
    waiting = prepared()
    prepare_totals(book_id)
    book = hold_book(book_id)
    if (book.costs_version, book.closed_through) != (costs_version, closed_through):
        raise CostsMoved
    if not waiting:
        return NOTHING
    batches = []
    for late, why in ((False, cause), (True, correcting(cause))):
        if late in waiting:
            batches.append(_open_batch(book, waiting[late].added, why))
            insert_prepared(book.last_seq, late=late)
    move_prepared(book_id)
    book.save(update_fields=["last_seq", "last_recorded_at"])
    return Posting(tuple(batches), sum(each.added for each in waiting.values()), sum(each.reversed for each in waiting.values()))


def correcting(cause: Cause) -> Cause:
    """Return the cause of the entries that belong to closed days."""
    return Cause(CauseKind.CORRECTION, f"closed period; {cause.ref}"[:80], cause.actor)


def by_closing(lines: Sequence[Line], closed: int | None) -> tuple[list[Line], list[Line]]:
    """Part the lines into those of open days and those that correct a closed one, the latter booked on an open day.

    A reversal and its new revision stay in one batch, so that no view as of a batch ever counts both or neither.
    """
    if closed is None:
        return list(lines), []
    correcting = {_key(line) for line in lines if line.entry.event_day <= closed}
    open_lines = [line.booked_on(max(line.day, closed + 1)) for line in lines]
    return [line for line in open_lines if _key(line) not in correcting], [line for line in open_lines if _key(line) in correcting]


def _key(line: Line) -> tuple[Source, int, int]:
    return line.source, line.entry.account, line.entry.part


def _open_batch(book: Book, entries: int, cause: Cause) -> int:
    """Begin the book's next batch, of so many entries, and return its number."""
    book.last_seq += 1
    book.last_recorded_at = _recorded_at(book.last_recorded_at)
    Batch.objects.create(
        book_id=book.pk, seq=book.last_seq, recorded_at=book.last_recorded_at, cause=cause.kind, cause_ref=cause.ref[:80],
        actor=cause.actor, draft_version=DRAFT_VERSION, entries=entries,
    )  # fmt: skip
    return book.last_seq


def _recorded_at(last: datetime | None) -> datetime:
    """Return the moment of recording, read after the lock and never before the batch before it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(clock_timestamp(), %s::timestamptz)", [last])
        at: datetime = cursor.fetchone()[0]
    return at


class Live(NamedTuple):
    """The latest entry of one account and part of a source: its revision, whether it was cancelled, and its content."""

    revision: int
    reversed: bool
    day: int
    entry: EntryDraft


_LIVE = """
    SELECT DISTINCT ON (source_id, account, part)
        source_id, account, part, revision, reverses, day - DATE '2000-01-01', event_day - DATE '2000-01-01',
        order_day - DATE '2000-01-01', channel, country, estimated, amount, variant, campaign,
        original_amount, currency, rate, rate_day - DATE '2000-01-01', rate_source
    FROM ledger_entry WHERE book_id = %s AND source_kind = %s AND source_id = ANY(%s)
    ORDER BY source_id, account, part, revision DESC, reverses DESC
"""


def load_live(book_id: int, sources: Collection[Source]) -> dict[Source, dict[tuple[int, int], Live]]:
    """Read the latest entry of every account and part of the given sources, cancelled ones included."""
    by_kind: dict[int, list[int]] = {}
    for kind, source_id in sources:
        by_kind.setdefault(kind, []).append(source_id)
    found: dict[Source, dict[tuple[int, int], Live]] = {}
    with connection.cursor() as cursor:
        for kind, ids in by_kind.items():
            cursor.execute(_LIVE, [book_id, kind, ids])
            for row in cursor.fetchall():
                live = _live(row)
                found.setdefault((kind, row[0]), {})[row[1], row[2]] = live
    return found


def _live(row: tuple[Any, ...]) -> Live:
    _, account, part, revision, reverses, day, event_day, order_day, channel, country, estimated, amount, variant, campaign, *exchange = row
    original, currency, rate, rate_day, rate_source = exchange
    fx = None
    if currency is not None:
        fx = Fx(None if original is None else _scaled(original, SCALE), currency, _scaled(rate, RATE_SCALE), rate_day, rate_source)
    entry = EntryDraft(account, part, event_day, _scaled(amount, SCALE), estimated, order_day, channel, country, variant, campaign, fx)
    return Live(revision, reverses, day, entry)


def _scaled(value: Decimal, scale: int) -> int:
    return int(value * scale)


def difference(desired: Mapping[Source, Sequence[EntryDraft]], live: Mapping[Source, Mapping[tuple[int, int], Live]]) -> Iterator[Line]:
    """Yield the lines that turn what is live into what is desired, per source in the order given."""
    for source, drafts in desired.items():
        now = live.get(source)
        if now is None:
            for entry in drafts:
                yield Line(source, 1, False, entry.event_day, entry)
            continue
        wanted = {(entry.account, entry.part): entry for entry in drafts}
        for key, was in now.items():
            if not was.reversed and wanted.get(key) != was.entry:
                yield Line(source, was.revision, True, was.day, was.entry.mirrored())
        for key, entry in wanted.items():
            before = now.get(key)
            if before is None:
                yield Line(source, 1, False, entry.event_day, entry)
            elif before.reversed or before.entry != entry:
                yield Line(source, before.revision + 1, False, entry.event_day, entry)
