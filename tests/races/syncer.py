"""Read a Bazaar as a process of its own that a test may kill.

Run as `python -m tests.races.syncer migrate|sync|report|open:<address>|files:<folder>`, with DATABASE_URL in the environment.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from connectors.spec import Stream

SLUG = "read"


def open_connection(address: str) -> None:
    """Open a store and connect it to a Bazaar."""
    from tests.builders import a_store
    from tests.connectors.connecting import connected

    class At:
        url = address

    connected(a_store(slug=SLUG), At())  # type: ignore[arg-type]


def sync_files(folder: str) -> None:
    """Read orders by files, twenty at a time, with a folder for the files."""
    from django.conf import settings

    from connectors.reading import bulk
    from tests.connectors.bazaar_files import FILED

    settings.BULK_FOLDER = Path(folder)
    bulk.CHUNK, bulk.WORTH_WHILE = 20, 5
    sync(FILED)


def sync(stream: "Stream | None" = None) -> None:
    """Read orders until all are read, telling after each page or chunk how many are known."""
    from django.utils import timezone

    from connectors.models import Connection
    from connectors.reading.paged import Limits
    from connectors.reading.runs import Busy, RunLost
    from connectors.reading.sync import read
    from tests.connectors.bazaar import ORDERS

    connection = Connection.objects.select_related("store").get(store__slug=SLUG)

    def tell(step: str, done: int, whole: int) -> None:
        print(done if step == "orders" else 0, flush=True)  # noqa: T201  the parent reads it

    while True:
        try:
            done = read(connection, stream or ORDERS, now=timezone.now(), progress=tell, limits=Limits(at_once=1)).done
        except (Busy, RunLost):
            time.sleep(0.02)
            continue
        if done:
            return


def report() -> None:
    """Print what is in the book and what its audit finds."""
    from connectors.models import SyncRun
    from ledger.audit import audit
    from ledger.models import Book, Entry, Order

    book = Book.objects.get(store__slug=SLUG)
    entries = Entry.objects.filter(book_id=book.pk)
    told = {
        "orders": Order.objects.filter(store=book.pk).count(),
        "entries": entries.count(),
        "reversed": entries.filter(reverses=True).count(),
        "changed": sum(SyncRun.objects.values_list("changed", flat=True)),
        "problems": {name: found for name, found in audit(book).items() if found},
    }
    print(json.dumps(told))  # noqa: T201  the parent reads it


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from connectors import registry
    from tests.connectors.bazaar import BAZAAR

    registry.CONNECTORS["bazaar"] = BAZAAR
    word, _, more = sys.argv[1].partition(":")
    if word == "migrate":
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    elif word in ("open", "files"):
        {"open": open_connection, "files": sync_files}[word](more)
    else:
        {"sync": sync, "report": report}[word]()


if __name__ == "__main__":
    main()
