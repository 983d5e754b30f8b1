"""Measure the ledger at growing sizes, as ratios within one run: posting, replay, change, rebuild, statement, as of.

Run with `make bench`; `BENCH_ORDERS=10000,100000,1000000` chooses the sizes. CPU is the client's and its
PostgreSQL backend's together. Peers answer the same question from the same rows: DuckDB over the raw entries,
PostgreSQL over the raw entries, and hledger's monthly income statement where it is installed.
"""

import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path

import duckdb
import pytest
from django.db import connection, transaction

from ledger.audit import totals_equal_entries
from ledger.book import totals
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Book, Store
from ledger.periods import By, cut
from ledger.posting import hold_book
from ledger.record import record
from ledger.statements import profit
from ledger.stores import open_store
from tests.benchmarks.business import catalogue, order, orders

SIZES = [int(size) for size in os.environ.get("BENCH_ORDERS", "10000,100000").split(",")]
CAUSE = Cause(CauseKind.SYNC, "bench")
SPAN = (date(2024, 1, 1), date(2025, 12, 30))
TICK = os.sysconf("SC_CLK_TCK")


def backend_cpu() -> float:
    """Return the CPU seconds of this connection's backend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Cost:
    """CPU seconds (client, backend) and wall seconds of one measured stretch."""

    client = backend = wall = 0.0

    @property
    def cpu(self) -> float:
        return self.client + self.backend


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what runs inside."""
    cost = Cost()
    backend, client, wall = backend_cpu(), time.process_time(), time.perf_counter()
    yield cost
    cost.client, cost.wall = time.process_time() - client, time.perf_counter() - wall
    cost.backend = backend_cpu() - backend


def median_ms(question: Callable[[], object], runs: int = 9) -> float:
    """Return the median wall milliseconds of a question, after one call to warm up."""
    question()
    walls = []
    for _ in range(runs):
        start = time.perf_counter()
        question()
        walls.append((time.perf_counter() - start) * 1000)
    return statistics.median(walls)


def say(label: str, value: str) -> None:
    """Print one row of the table."""
    print(f"  {label:<58} {value}", flush=True)  # noqa: T201


def post_all(store: Store, count: int) -> tuple[Cost, Cost]:
    """Record every order in batches of 1,000, then all of them again; return the cost of both without making the facts."""
    first, again = Cost(), Cost()
    for total in (first, again):
        facts = orders(count)
        while batch := list(islice(facts, 1_000)):
            with measured() as cost:
                record(store, batch, cause=CAUSE)
            total.client, total.backend, total.wall = total.client + cost.client, total.backend + cost.backend, total.wall + cost.wall
    return first, again


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", SIZES)
def bench_ledger(count: int) -> None:
    store = open_store(slug=f"bench-{count}", name="Bench", currency="USD", zone="UTC")
    print(f"\n{count:,} orders")  # noqa: T201
    first, again = post_all(store, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # before DuckDB loads its copy into this process
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_entry, ledger_order, ledger_sale, ledger_orderline, ledger_payment, ledger_daytotal")
        cursor.execute("SELECT count(*) FROM ledger_entry WHERE book_id = %s", [store.pk])
        entries = cursor.fetchone()[0]
    say("entries", f"{entries:,} ({entries / count:.1f} an order)")
    each, client = first.cpu / count * 1e6, first.client / count * 1e6
    say("first posting", f"{count / first.cpu:,.0f} orders per CPU s ({each:.0f} µs an order, {client:.0f} of them ours)")
    say("peak memory of posting and replay, this process", f"{peak} MB")
    say("replay that changes nothing, against first posting", f"{again.cpu / first.cpu:.2f} x CPU")
    say("one changed order / 250 changed orders", f"{change(store, count, 1):.0f} ms / {change(store, count, 250):.0f} ms")
    book = Book.objects.get(pk=store.pk)
    months, days = cut(*SPAN, By.MONTH), cut(*SPAN, By.DAY)
    by_month, by_day = median_ms(lambda: profit(book, months)), median_ms(lambda: profit(book, days))
    say("statement of two years by month / by day", f"{by_month:.1f} ms / {by_day:.1f} ms")
    for back in (10, 100):
        seq = max(book.last_seq - back, 1)
        say(f"the same by month as of {back} batches ago", f"{median_ms(lambda seq=seq: profit(book, months, as_of=seq), 3):.0f} ms")
    raw = median_ms(lambda: raw_sum(store), 3)
    duck = duckdb_ms(store)
    say("PostgreSQL over raw entries, by month", f"{raw:.0f} ms = {raw / by_month:.0f} x ours")
    say("DuckDB over raw entries, by month (2 threads)", f"{duck:.0f} ms = {duck / by_month:.1f} x ours")
    say("rebuild of all totals", f"{rebuild(store):.1f} s")
    peer = hledger_seconds(store) if count <= 100_000 else None
    say("hledger is -M over the same entries (whole process)", "not run" if peer is None else f"{peer:.1f} s")
    assert totals_equal_entries(book) == []


def change(store: Store, count: int, how_many: int) -> float:
    """Return the median milliseconds of recording orders whose shipping changed by a cent."""
    variants = catalogue(1)
    walls = []
    for revision in range(1, 6):
        revision += 10 * how_many
        facts = [order(n, count, random.Random(f"1:{n}"), variants, revision) for n in range(count // 3, count // 3 + how_many)]
        start = time.perf_counter()
        record(store, facts, cause=CAUSE)
        walls.append((time.perf_counter() - start) * 1000)
    return statistics.median(walls)


def raw_sum(store: Store) -> list[tuple[object, ...]]:
    """Answer the monthly statement from the entries themselves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('month', day), account, sum(amount) FROM ledger_entry WHERE book_id = %s GROUP BY 1, 2", [store.pk])
        return list(cursor.fetchall())


def duckdb_ms(store: Store) -> float:
    """Return DuckDB's median milliseconds for the same question over the same rows in its own table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "entries.csv"
        with path.open("wb") as file, connection.cursor() as cursor:
            sql = f"COPY (SELECT day, account, amount FROM ledger_entry WHERE book_id = {store.pk}) TO STDOUT (FORMAT csv)"
            with cursor.copy(sql) as copy:
                for block in copy:
                    file.write(block)
        with duckdb.connect() as duck:
            duck.execute("SET threads = 2")
            duck.execute(
                "CREATE TABLE entries AS SELECT * FROM read_csv(?, header = false, columns = "
                "{'day': 'DATE', 'account': 'SMALLINT', 'amount': 'DECIMAL(19,4)'})", [str(path)],
            )  # fmt: skip
            return median_ms(lambda: duck.execute("SELECT date_trunc('month', day), account, sum(amount) FROM entries GROUP BY 1, 2").fetchall(), 5)


def rebuild(store: Store) -> float:
    """Return the seconds of recomputing every total from the entries."""
    start = time.perf_counter()
    with transaction.atomic():
        hold_book(store.pk)
        totals.recompute(store.pk)
    return time.perf_counter() - start


def hledger_seconds(store: Store) -> float | None:
    """Return the seconds hledger takes for its monthly income statement, or None where it is not installed."""
    if shutil.which("hledger") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.journal"
        with path.open("w") as file, connection.cursor() as cursor:
            cursor.execute(
                "SELECT source_id, day, account, amount FROM ledger_entry WHERE book_id = %s AND account < 60 ORDER BY day, source_id", [store.pk]
            )
            last = None
            for source, day, account, amount in cursor:
                if (source, day) != last:
                    file.write(f"{'' if last is None else '    assets:clearing' + chr(10)}{day} order {source}\n")
                    last = (source, day)
                file.write(f"    {'revenues' if account < 10 else 'expenses'}:{account}  {-amount} USD\n")
            file.write("    assets:clearing\n")
        start = time.perf_counter()
        subprocess.run(["hledger", "-f", str(path), "is", "-M"], stdout=subprocess.DEVNULL, check=True, timeout=900)
        return time.perf_counter() - start
