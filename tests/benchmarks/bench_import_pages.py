"""Measure an import by the browser's path: the upload, the look at the file, the import with progress, and its undoing.

Run with `make bench ARGS=tests/benchmarks/bench_import_pages.py`; `BENCH_ROWS=100000` chooses the size. The request is a real one
through the whole of Django; the jobs run in this process, as a worker runs them. CPU is that of this process and of the
whole database. The test database does not wait for the disk (fsync is off).
"""

import io
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connectors.models import FileImport
from ledger.audit import check_all
from ledger.models import Book, Entry, Order
from ledger.stores import open_store
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.benchmarks.bench_ledger import measured, say
from tests.benchmarks.business import DAYS, START, catalogue
from tests.dashboards.people import signed_in
from tests.dashboards.uploads import GENERIC

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))


def file_of(rows: int) -> bytes:
    """Write order lines of a seeded business: one to four an order, a return on some."""
    r, out, variants = random.Random(1), io.StringIO(), catalogue(1)
    out.write(GENERIC)
    written = number = 0
    while written < rows:
        number += 1
        placed = START + timedelta(seconds=int(written * DAYS * 86_400 / rows))
        for _ in range(min(r.randint(1, 4), rows - written)):
            sku, price = r.choice(variants)
            units = -1 if r.random() < 0.02 else r.randint(1, 3)
            out.write(f"{number},{placed:%Y-%m-%d %H:%M:%S},{sku},Thing {sku},{units},{price / 100:.2f},c{r.randrange(rows // 3)}@example.com,DE\n")
            written += 1
    return out.getvalue().encode()


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long a step takes, what it costs in CPU, and how many rows a second that is."""
    with measured() as cost:
        yield
    say(what, f"{cost.wall:7.2f} s wall, {cost.client + cost.backend:7.2f} s CPU, {ROWS / cost.wall:9,.0f} rows/s")


def worked() -> Job:
    """Do the latest job, as a worker does, and return how far it told it was."""
    job = Job.objects.exclude(kind="check-costs").latest("pk")
    run(job.pk)
    return Job.objects.get(pk=job.pk)


@pytest.mark.django_db(transaction=True)
def bench_an_import_from_the_browser() -> None:
    """Upload, look, take, look at the result, and undo."""
    store = open_store(slug="bench", name="Bench", currency="EUR", zone="Europe/Berlin")
    client, data = signed_in(store), file_of(ROWS)
    say("file", f"{ROWS:,} rows, {len(data) / 1e6:.1f} MB")
    with timed("upload until the answer"):
        client.post("/bench/imports", {"files": [SimpleUploadedFile("orders.csv", data)]})
    row = FileImport.objects.get()
    with timed("look at the file (job)"):
        worked()
    with timed("page of what was found"):
        page(client, row)
    client.post(f"/bench/imports/{row.pk}", {"take": "1"})
    with timed("take the file (job)"):
        job = worked()
    say("told at the end", f"{job.step}, {job.done:,} of {job.whole:,}")
    say("recorded", f"{Order.objects.count():,} orders, {Entry.objects.count():,} entries")
    with timed("page of the result"):
        page(client, row)
    client.post(f"/bench/imports/{row.pk}/undo")
    with timed("undo (job)"):
        worked()
    row.refresh_from_db()
    assert row.state == "undone"
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


def page(client: Client, row: FileImport) -> None:
    """Open a file's page."""
    assert client.get(f"/bench/imports/{row.pk}").status_code == 200
