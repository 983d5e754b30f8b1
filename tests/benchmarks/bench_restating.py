"""Measure a store-wide change of the COGS percentage: time until every order is right, locks, disk, and orders that arrive meanwhile.

Run with `make bench ARGS=tests/benchmarks/bench_restating.py`; `BENCH_ORDERS=100000,1000000` chooses the sizes,
`BENCH_LANES=1` the connections that restating works over. CPU is that of this process and of the whole database. Orders that
arrive meanwhile are recorded one by one by another process. The test database does not wait for the disk (fsync is off).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

import pytest
from django.db import connection, transaction

from ledger import posting
from ledger.audit import check_all
from ledger.book import reposting
from ledger.book.reposting import repost, restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Book, CogsRule, Order, Store
from ledger.record import record
from ledger.rules.rules import change
from ledger.stores import open_store
from profitpeek.environment import BASE_DIR
from tests.benchmarks.bench_jobs import backend_cpu
from tests.benchmarks.bench_ledger import measured, say
from tests.benchmarks.business import START, orders

SIZES = [int(size) for size in os.environ.get("BENCH_ORDERS", "10000,100000").split(",")]
RULE = Cause(CauseKind.RULE, "bench")
TABLES = ("ledger_entry", "ledger_order", "ledger_orderline", "ledger_daytotal", "ledger_countrydaytotal", "ledger_productdaytotal")
NOW = datetime.fromisoformat("2026-01-02T03:04:05+00:00")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", SIZES)
def bench_restating(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(slug=f"bench-{count}", name="Bench", currency="USD", zone="UTC")
    monkeypatch.setattr(reposting, "LANES", int(os.environ.get("BENCH_LANES", reposting.LANES)))
    print(f"\n{count:,} orders")  # noqa: T201
    facts = orders(count)
    while batch := list(islice(facts, 1_000)):
        record(store, batch, cause=RULE)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    alone(store, count, 35, monkeypatch)
    alone(store, count, 36, monkeypatch)
    with arriving(store, count) as walls:
        alone(store, count, 37, monkeypatch)
    for kind, seconds in walls.items():
        shown = f"{len(seconds)} orders, p50 {statistics.median(seconds) * 1000:.0f} ms, {tail(seconds)}"
        say(f"single orders meanwhile, {kind}", shown)
    with measured() as cost:
        written = restated_by_drafts(store, min(count, 10_000))
    say("the same order by order, for comparison", f"{written:,} entries, {cost.wall * count / min(count, 10_000):.0f} s for all")
    restate(store, cause=RULE)
    if count <= 100_000:
        assert repost(store, cause=RULE) == 0
        assert {name: problems for name, problems in check_all(Book.objects.get(pk=store.pk)).items() if problems} == {}


def alone(store: Store, count: int, percentage: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the store's percentage, restate, and say what that took."""
    change(store, add=[CogsRule(percentage=percentage, effective_from=START.date())], actor="bench", now=NOW)
    before, size = Book.objects.get(pk=store.pk).last_seq, disk()
    database = backend_cpu()
    with measured() as cost, held(monkeypatch) as locks:
        written = restate(store, cause=RULE)
    database = backend_cpu() - database
    batches = Book.objects.get(pk=store.pk).last_seq - before
    say(
        f"COGS % to {percentage}: until right",
        f"{cost.wall:.1f} s ({cost.wall / count * 1e6:.0f} µs an order; CPU {cost.client:.1f} s here, {database:.1f} s in the database)",
    )
    say("  entries written, batches meanwhile", f"{written:,}, {batches}")
    say("  book held per chunk", f"p50 {statistics.median(locks) * 1000:.0f} ms, max {max(locks) * 1000:.0f} ms, {len(locks)} chunks")
    grown = {name: (after - size[name]) / 2**20 for name, after in disk().items()}
    whole, where = sum(grown.values()), ", ".join(f"{name[7:]} {size:.0f}" for name, size in grown.items() if size >= 1)
    say("  disk", f"+{whole:,.0f} MB ({whole * 2**20 / max(written, 1):.0f} bytes an entry): {where}")


def tail(seconds: list[float]) -> str:
    """Write the 99th percentile and the longest."""
    ordered = sorted(seconds)
    return f"p99 {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms, max {ordered[-1] * 1000:.0f} ms"


def disk() -> dict[str, int]:
    """Return the bytes of each table that restating writes, indexes included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT t, pg_total_relation_size(t::regclass) FROM unnest(%s::text[]) AS t", [list(TABLES)])
        return dict(cursor.fetchall())


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Gather for how long each transaction holds the book: from having it to the commit."""
    spans: list[float] = []
    hold = posting.hold_book

    def noting(book_id: int) -> Book:
        book = hold(book_id)
        begun = time.perf_counter()
        transaction.on_commit(lambda: spans.append(time.perf_counter() - begun))
        return book

    with monkeypatch.context() as patch:
        patch.setattr(posting, "hold_book", noting)
        yield spans


@contextmanager
def arriving(store: Store, count: int) -> Iterator[dict[str, list[float]]]:
    """Have another process record single orders; at the end, the seconds that each took are in the dict."""
    walls: dict[str, list[float]] = {}
    command = [sys.executable, "-m", "tests.benchmarks.single_orders", store.slug, str(count), "0.02"]
    with subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "begun\n"
        yield walls
        program.stdin.close()
        walls |= json.loads(program.stdout.read())


def restated_by_drafts(store: Store, count: int) -> int:
    """Draft some orders again one by one, after one more change, and return the entries that wrote."""
    from ledger.book.reposting import CHUNK, _one_by_one

    change(store, add=[CogsRule(percentage=38, effective_from=START.date())], actor="bench", now=NOW)
    ids = list(Order.objects.filter(store=store).order_by("pk").values_list("pk", flat=True)[:count])
    return sum(_one_by_one(store, ids[at : at + CHUNK], RULE) for at in range(0, count, CHUNK))
