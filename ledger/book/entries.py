"""Encode entry lines and copy them into the book, or take them from where the database prepared them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from struct import Struct as Packer
from typing import NamedTuple

from django.db import connection

from ledger.book.pgcopy import FALSE, NULL, TRUE, copy_rows, i2, i4, i8, money, optional_i4, optional_i8, optional_money, rate, text
from ledger.drafts.entry import EntryDraft, Fx

Source = tuple[int, int]
"""What an entry comes from: (source kind, id)."""


class Line(NamedTuple):
    """One entry about to be written: a draft with its revision and the day it is booked on."""

    source: Source
    revision: int
    reverses: bool
    day: int
    entry: EntryDraft

    def booked_on(self, day: int) -> "Line":
        """Return the same line booked on another day."""
        return self._replace(day=day)


PREPARED_COLUMNS = (
    "source_id, book_id, part, day, event_day, order_day, source_kind, account, revision, channel, country, "
    "reverses, estimated, amount, variant, campaign, original_amount, currency, rate, rate_day, rate_source"
)
COLUMNS = f"seq, {PREPARED_COLUMNS}"
_COUNT = Packer("!h").pack(22)
_NO_FX = NULL * 5
_pack_days = Packer("!iiiiii").pack


@lru_cache(maxsize=65_536)
def _small(order_day: int | None, kind: int, account: int, revision: int, channel: int, country: int) -> bytes:
    """Encode the fields that repeat from entry to entry."""
    return optional_i4(order_day) + i2(kind) + i2(account) + i2(revision) + i2(channel) + i2(country)


def _exchange(fx: Fx | None) -> bytes:
    if fx is None:
        return _NO_FX
    return optional_money(fx.original_amount) + text(fx.currency) + rate(fx.rate) + i4(fx.rate_day) + i2(fx.rate_source)


def _encoded(book_id: int, seq: int, lines: Iterable[Line]) -> Iterator[bytes]:
    head = _COUNT + i8(seq)
    book = i4(book_id)
    for (kind, source_id), revision, reverses, day, entry in lines:
        variant, fx = entry.variant, entry.fx
        yield (
            head + i8(source_id) + book + _days(entry.part, day, entry.event_day)
            + _small(entry.order_day, kind, entry.account, revision, entry.channel, entry.country)
            + (TRUE if reverses else FALSE) + (TRUE if entry.estimated else FALSE) + money(entry.amount)
            + (NULL if variant is None else i8(variant)) + optional_i8(entry.campaign)
            + (_NO_FX if fx is None else _exchange(fx))
        )  # fmt: skip


def _days(part: int, day: int, event_day: int) -> bytes:
    return _pack_days(4, part, 4, day, 4, event_day)


def copy_entries(book_id: int, seq: int, lines: Iterable[Line]) -> None:
    """Add entry lines to a book under one sequence number; the caller holds the book."""
    copy_rows("ledger_entry", COLUMNS, _encoded(book_id, seq, lines))


class Prepared(NamedTuple):
    """How many entries lie prepared for one batch, and how many of them are reversals."""

    added: int
    reversed: int


def prepare() -> None:
    """Make an empty table of this connection, `prepared_entry`, for entries that SQL drafts; `late` ones correct a closed day."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS prepared_entry AS SELECT {PREPARED_COLUMNS}, false AS late FROM ledger_entry WITH NO DATA"
        )  # fmt: skip
        cursor.execute("TRUNCATE prepared_entry")


def prepared() -> dict[bool, Prepared]:
    """Count what lies prepared, by whether it is late."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT late, count(*), count(*) FILTER (WHERE reverses) FROM prepared_entry GROUP BY late")
        return {late: Prepared(added, gone) for late, added, gone in cursor.fetchall()}


def insert_prepared(seq: int, *, late: bool) -> None:
    """Add the prepared entries to their book under one sequence number; the caller holds the book."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ledger_entry ({COLUMNS}) SELECT %s, {PREPARED_COLUMNS} FROM prepared_entry WHERE late = %s", [seq, late]
        )  # fmt: skip
