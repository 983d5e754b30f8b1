"""Record a fixed load of orders, batch by batch, as a process of its own that a test may kill.

Run as `python -m tests.races.recorder record|report`, with DATABASE_URL and PROFITPEEK_VAR in the environment.
"""

import json
import os
import sys
from collections.abc import Iterator

import django

BATCHES = 16
ORDERS_A_BATCH = 25
SLUG = "killed"


def batches() -> Iterator[list]:
    """Yield the load: orders with refunds, then half of them again with a change."""
    from tests.builders import a_refund, an_order

    for number in range(BATCHES):
        again = number >= BATCHES // 2
        first = (number % (BATCHES // 2)) * ORDERS_A_BATCH
        then = [a_refund("20.00", restocked=True)] if again else []
        yield [
            an_order(
                str(index), lines=1 + index % 3, discount="1.00", tax="3.17", shipping="4.90", customer=f"c{index % 40}", then=then,
                when=f"2026-03-{1 + index % 28:02} 12:00", updated=f"2026-04-0{1 + again} 12:00",
            )
            for index in range(first, first + ORDERS_A_BATCH)
        ]  # fmt: skip


def record_all() -> None:
    """Record the whole load, telling each batch as it is committed."""
    from ledger.models import Store
    from tests.builders import a_store, write

    store = Store.objects.filter(slug=SLUG).first() or a_store(slug=SLUG)
    for number, facts in enumerate(batches()):
        write(store, *facts)
        print(number, flush=True)  # noqa: T201  the parent reads it


def report() -> None:
    """Print the figures of the book and what its audit finds."""
    from ledger.audit import audit
    from ledger.models import Book
    from tests.ledger_text import statement

    book = Book.objects.get(store__slug=SLUG)
    read = statement(book, "2026-01-01", "2026-12-31")
    problems = {name: found for name, found in audit(book).items() if found}
    figures = {name: str(value) for name, value in read.accounts.items()}
    print(json.dumps({"figures": figures, "problems": problems, "entries": live_entries(book.pk)}))  # noqa: T201


def live_entries(book_id: int) -> int:
    """Count the entries that are live."""
    from ledger.models import Entry

    rows = Entry.objects.filter(book_id=book_id)
    return rows.filter(reverses=False).count() - rows.filter(reverses=True).count()


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    if sys.argv[1] == "migrate":
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    else:
        {"record": record_all, "report": report}[sys.argv[1]]()


if __name__ == "__main__":
    main()
