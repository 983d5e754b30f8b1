"""Give the commands that read one store their common ground: the store, moments of its book, amounts as text."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from ledger.models import Book, Store, StoreZone
from ledger.money import in_minor_units
from ledger.people import kept_stores
from ledger.statements import seq_at

MOMENT_HELP = "a batch number (seq:17), or an ISO time; without an offset it is in the store's time zone, and a date alone is its first moment"


class StoreCommand(BaseCommand):
    """Finds the store and its book, and prints for people or machines."""

    def add_store_arguments(self, parser: ArgumentParser) -> None:
        """Add what every command on a store takes."""
        parser.add_argument("slug", help="the store's short name")
        parser.add_argument("--json", action="store_true", help="print JSON for machines; amounts are strings")

    def store(self, slug: str) -> Store:
        """Return the store of a slug, or say which there are."""
        found = kept_stores().filter(slug=slug).select_related("book").first()
        if found is None:
            known = ", ".join(kept_stores().order_by("slug").values_list("slug", flat=True)[:20])
            raise CommandError(f"There is no store “{slug}”. " + (f"Stores: {known}." if known else "Make one with create_store."))
        return found

    def print_json(self, value: object) -> None:
        """Print a value as JSON."""
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> str:
    return str(value.isoformat())


def amount_text(amount: Decimal, currency: str, account: str = "") -> str:
    """Write an amount with the currency's decimals; a statistic is a count and has none."""
    return f"{int(amount)}" if account.startswith("stat:") else f"{in_minor_units(amount, currency):f}"


def batch_at(book: Book, text: str) -> int:
    """Return the number of the last batch a person means by `seq:17`, `17` or a time."""
    number = text.removeprefix("seq:")
    if number.isdecimal():
        seq = int(number)
        if seq > book.last_seq:
            raise CommandError(f"There is no batch {seq}; the last one is {book.last_seq}.")
        return seq
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"“{text}” is neither a batch (seq:17) nor an ISO time (2026-01-31T18:00+01:00).") from error
    return seq_at(book, at if at.tzinfo else at.replace(tzinfo=_zone(book)))


def _zone(book: Book) -> ZoneInfo:
    return ZoneInfo(StoreZone.objects.filter(store_id=book.pk).order_by("-from_day").values_list("zone", flat=True)[0])


def table(rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Align rows into a table; the first `words` columns are words and lean left, the others are figures."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i < words else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in rows
    )
