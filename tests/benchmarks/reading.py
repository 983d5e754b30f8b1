"""Read pages of orders in one of several ways, as a program of its own, and print what it cost as JSON.

Run as `python -m tests.benchmarks.reading floor|sync|again ADDRESS` or `files FOLDER`, with DATABASE_URL in the environment.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import django

SLUG = "bench-sync"
TICK = os.sysconf("SC_CLK_TCK")


def floor(address: str) -> int:
    """Ask for every page and decode it, and nothing else: a program without Django, whose objects Python's collector would go through as well."""
    import requests

    orders, after = 0, None
    with requests.Session() as session:
        while True:
            answer = session.post(f"{address}/", json={"query": "{}", "variables": {"after": after}}, timeout=60)
            told = json.loads(answer.content)["data"]["orders"]
            orders += len(told["nodes"])
            if not told["pageInfo"]["hasNextPage"]:
                return orders
            after = told["pageInfo"]["endCursor"]


def sync(address: str, *, again: bool) -> int:
    """Read the stream of orders, page by page, into the ledger."""
    import msgspec

    from connectors import registry
    from connectors.connections import Kept
    from connectors.models import Connection
    from connectors.platforms.shopify.connector import SHOPIFY
    from connectors.reading import runs
    from connectors.reading.paged import Limits
    from connectors.reading.sync import read
    from ledger.models import Store
    from ledger.sealing import seal
    from tests.benchmarks.order_pages import AT_ONCE
    from tests.builders import a_store

    orders = SHOPIFY.stream("orders")
    stream = replace(orders, bulk=None, request=lambda window: orders.pages.resized(orders.request(window), AT_ONCE))
    registry.CONNECTORS["shopify"] = replace(SHOPIFY, streams=(stream,))
    store = Store.objects.filter(slug=SLUG).first() or a_store(slug=SLUG, currency="USD", zone="America/New_York")
    connection, _ = Connection.objects.get_or_create(
        store=store, platform="shopify", account_ref="bench.myshopify.com",
        defaults={
            "secrets": seal(msgspec.json.encode(Kept(secrets={"access_token": "t"}))), "connected_at": datetime.now(UTC), "currency": "USD",
            "zone": "America/New_York",
        },
    )  # fmt: skip
    Connection.objects.filter(pk=connection.pk).update(base_url=address)
    connection.refresh_from_db()
    if again:
        runs.read_again(connection, stream.name)
    outcome = read(connection, stream, now=datetime.now(UTC), limits=Limits(seconds=10.0**6, pages=10**6, records=10**9), past=again)
    assert outcome.done
    assert outcome.parked == 0
    assert outcome.changed == (0 if again else outcome.records)
    return outcome.records


def files(folder: str) -> int:
    """Put the lines of bulk files together to records, and book nothing."""
    from connectors.reading.bulk_files import BulkFile, BulkRecords, build
    from tests.connectors.bazaar_files import BULK, PARTS

    told = [BulkFile(Path(folder) / f"{part}.jsonl", partial=False) for part in PARTS]
    index = Path(folder) / "index.sqlite"
    index.unlink(missing_ok=True)
    build(index, told, BULK, lambda lines: None)
    with BulkRecords(index, told) as records:
        return sum(1 for first in range(1, records.count + 1, 1_000) for lines in records.lines(first, first + 1_000) if BULK.assemble(lines))


def backend_cpu(pid: int) -> float:
    """Return the CPU seconds of a backend."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak() -> int:
    """Return the most memory this process has held, in MB; getrusage would tell its parent's where that held more."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1_000  # type: ignore[index]


def main() -> None:
    """Do what the command line says."""
    way, address = sys.argv[1:]
    if way == "floor":
        tell(lambda: floor(address), pid=None)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from django.db import connection

    import connectors.reading.sync  # noqa: F401  loading the program is not reading

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    ways = {"files": files, "sync": partial(sync, again=False), "again": partial(sync, again=True)}
    tell(lambda: ways[way](address), pid=pid)


def tell(do: Callable[[], int], *, pid: int | None) -> None:
    """Do something and print what it cost, with what its backend did."""
    before, client, wall = backend_cpu(pid) if pid else 0.0, time.process_time(), time.perf_counter()
    orders = do()
    told = {
        "orders": orders,
        "client": time.process_time() - client,
        "wall": time.perf_counter() - wall,
        "backend": backend_cpu(pid) - before if pid else 0.0,
        "peak": peak(),
    }
    print(json.dumps(told))  # noqa: T201  the parent reads it


if __name__ == "__main__":
    main()
