"""Read and print small tables, so that ledger tests read as ledgers: exact rows, no extras.

The first row of a table names its columns; a dot is an empty cell.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from difflib import unified_diff
from typing import Any

from ledger import countries
from ledger.accounts import name_of
from ledger.kinds import Basis, RateSource
from ledger.models import AdDay, Book, Campaign, Channel, Customer, DayTotal, Entry, ManualCost, Order, Store, Variant
from ledger.money import in_minor_units
from ledger.periods import Period
from ledger.statements import Statement, profit
from tests.builders import day

Row = tuple[str, ...]


def parse(table: str) -> tuple[Row, list[Row]]:
    """Split a table into its header and rows."""
    header, *rows = [tuple(line.split()) for line in table.strip().splitlines() if line.strip()]
    for row in rows:
        assert len(row) == len(header), f"{row} does not fit the columns {header}"
    return header, rows


def printed(header: Row, rows: Iterable[Row]) -> str:
    """Print rows as an aligned table, sorted."""
    lines = [header, *sorted(rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def assert_entries(store: Store | Book, table: str, *, only: Sequence[str] = (), live: bool = False) -> None:
    """Compare a book's entries with a table whose header picks the columns.

    `only` limits it to accounts beneath the given names; `live` leaves out what was reversed, and reversals.
    """
    header, expected = parse(table)
    found = [tuple(row[name] for name in header) for row in entry_rows(store, only=only, live=live)]
    _compare(header, found, expected)


def entry_rows(store: Store | Book, *, only: Sequence[str] = (), live: bool = False) -> list[dict[str, str]]:
    """Return a book's entries as texts by column."""
    book = Book.objects.get(pk=store.pk)
    names = _Names(book)
    entries = list(Entry.objects.filter(book_id=book.pk))
    if live:
        gone = {_key(entry) for entry in entries if entry.reverses}
        entries = [entry for entry in entries if _key(entry) not in gone]
    return [names.row(entry) for entry in entries if _is_under(entry.account, only)]


def assert_totals(store: Store | Book, table: str, *, basis: Basis = Basis.EVENT, only: Sequence[str] = ()) -> None:
    """Compare a book's non-zero daily totals with a table of day, account, channel, amount, estimated."""
    header, expected = parse(table)
    book = Book.objects.get(pk=store.pk)
    names = _Names(book)
    found = [
        {
            "day": str(total.day), "account": name_of(total.account), "channel": names.channels[total.channel],
            "amount": names.amount(total.account, total.amount), "estimated": names.amount(total.account, total.estimated_amount),
        }
        for total in DayTotal.objects.filter(book_id=book.pk, basis=basis)
        if (total.amount or total.estimated_amount) and _is_under(total.account, only)
    ]  # fmt: skip
    _compare(header, [tuple(row[name] for name in header) for row in found], expected)


def statement(store: Store | Book, first: str, last: str | None = None, *, basis: Basis = Basis.EVENT, as_of: int | None = None) -> Statement:
    """Read the statement of one span of days."""
    return profit(Book.objects.get(pk=store.pk), [Period(day(first), day(last or first))], basis=basis, as_of=as_of)[0]


def assert_statement(
    store: Store | Book, first: str, table: str, *, last: str | None = None, basis: Basis = Basis.EVENT, as_of: int | None = None
) -> None:
    """Compare a statement's non-zero lines, its net profit, memo lines and counts with rows of name and amount."""
    read = statement(store, first, last, basis=basis, as_of=as_of)
    currency = Book.objects.get(pk=store.pk).currency
    found = {key: _text(value, currency) for key, value in {**read.lines, "net_profit": read.net_profit, **read.memo}.items() if value}
    counts = {"orders": read.orders, "units": read.units, "returned_units": read.returned_units, "new_customers": read.new_customers}
    found |= {key: str(value) for key, value in counts.items() if value}
    expected = [tuple(line.split()) for line in table.strip().splitlines() if line.strip()]
    _compare(("line", "amount"), list(found.items()), expected)


def _compare(header: Row, found: Sequence[Row], expected: Sequence[Row]) -> None:
    if sorted(found) != sorted(expected):
        difference = unified_diff(printed(header, expected).splitlines(), printed(header, found).splitlines(), "expected", "found", n=99, lineterm="")
        raise AssertionError("\n" + "\n".join(difference))


def _text(amount: Decimal, currency: str) -> str:
    return f"{in_minor_units(amount, currency):f}"


def _key(entry: Entry) -> tuple[Any, ...]:
    return entry.source_kind, entry.source_id, entry.account, entry.part, entry.revision


def _is_under(account: int, only: Sequence[str]) -> bool:
    name = name_of(account)
    return not only or any(name == prefix or name.startswith(prefix + ":") for prefix in only)


class _Names:
    """Turns the numbers of one book's entries into the words a test uses."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.channels = {0: "."} | dict(Channel.objects.filter(store_id=book.pk).values_list("number", "key"))
        self.variants = dict(Variant.objects.filter(store_id=book.pk).values_list("pk", "external_id"))
        orders = Order.objects.filter(store_id=book.pk).values_list("pk", "external_id")
        customers = Customer.objects.filter(store_id=book.pk).values_list("pk", "identity_hash")
        self.sources = {(1, pk): external_id for pk, external_id in orders}
        self.sources |= {(3, pk): label for pk, label in ManualCost.objects.filter(store_id=book.pk).values_list("pk", "label")}
        days = AdDay.objects.filter(store_id=book.pk).select_related("campaign")
        named = {row.pk: "/".join(str(each) for each in (row.campaign or row.platform, row.ad_group, row.ad) if each) for row in days}
        self.sources |= {(4, pk): name.replace(" ", "_") for pk, name in named.items()}
        self.campaigns = {campaign.pk: str(campaign) for campaign in Campaign.objects.filter(store_id=book.pk)}
        self.sources |= {(2, pk): bytes(key).rstrip(b"\0").decode(errors="replace") for pk, key in customers}

    def amount(self, account: int, amount: Decimal) -> str:
        if name_of(account).startswith("stat:"):
            return f"{amount.normalize():f}"
        return _text(amount, self.book.currency)

    def row(self, entry: Entry) -> dict[str, str]:
        """Return one entry as texts."""
        original, currency = entry.original_amount, entry.currency
        return {
            "seq": str(entry.seq), "source": self.sources[entry.source_kind, entry.source_id], "part": str(entry.part),
            "day": str(entry.day), "event_day": str(entry.event_day), "order_day": str(entry.order_day or "."),
            "account": name_of(entry.account), "revision": str(entry.revision), "reverses": "yes" if entry.reverses else "no",
            "channel": self.channels[entry.channel], "country": countries.code(entry.country) or ".",
            "variant": "." if entry.variant is None else self.variants[entry.variant],
            "campaign": "." if entry.campaign is None else self.campaigns[entry.campaign],
            "amount": self.amount(entry.account, entry.amount), "how": "estimated" if entry.estimated else "actual",
            "original": "." if original is None else _text(original, str(currency)), "currency": currency or ".",
            "rate": "." if entry.rate is None else f"{entry.rate.normalize():f}", "rate_day": str(entry.rate_day or "."),
            "rate_source": "." if entry.rate_source is None else RateSource(entry.rate_source).name,
        }  # fmt: skip


__all__ = ["assert_entries", "assert_statement", "assert_totals", "entry_rows", "parse", "printed", "statement"]
