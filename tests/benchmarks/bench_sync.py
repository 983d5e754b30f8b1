"""Measure reading orders from a platform: from its pages over HTTP to mirror, archive, entries and totals, against the least that reading can cost.

The pages are the sandbox's Shopify's, served by a program of their own. The floor is `requests` and `json.loads` over the same
pages. Each way runs in a process of its own; CPU is its own and that of its PostgreSQL backends. `BENCH_SYNC=10000,100000` chooses sizes;
`BENCH_DLT=/path/to/python` names an interpreter with `dlt[postgres]`, which then loads the same pages as a peer.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psutil
import pytest
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Length

from connectors.models import RawPayload
from connectors.platforms.shopify.asking import PATH
from ledger.audit import check_all
from ledger.models import Book, Entry, Store
from tests.benchmarks.order_pages import make
from tests.benchmarks.reading import SLUG
from tests.connectors.bazaar import a_record
from tests.connectors.bazaar_files import PARTS, lines_of
from tests.races.processes import ROOT, url_of_the_test_database

SIZES = [int(size) for size in os.environ.get("BENCH_SYNC", "10000").split(",")]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve pages until the block ends."""
    command = [sys.executable, "-m", "tests.benchmarks.order_pages", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def cost(way: str, address: str, url: str) -> dict:
    """Run one way and return what it cost."""
    command = [sys.executable, "-m", "tests.benchmarks.reading", way, address]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, timeout=3_600, check=False)
    assert done.returncode == 0, done.stderr
    told: dict = json.loads(done.stdout.splitlines()[-1])
    return {**told, "cpu": told["client"] + told["backend"]}


def dlt_cost(address: str, url: str, folder: Path) -> dict:
    """Let dlt load the same pages, and return what that cost, with what all backends of the server did meanwhile."""
    parts = urlsplit(url)
    host = quote(parse_qs(parts.query)["host"][0], safe="")
    database = f"postgresql://{parts.username}:none@{host}{parts.path}"
    program = Path(__file__).with_name("dlt_peer.py")
    asked = [PATH, "orders", database, str(folder)]
    before = server_cpu()
    done = subprocess.run([os.environ["BENCH_DLT"], program, address, *asked], capture_output=True, text=True, timeout=3_600, check=False)
    assert done.returncode == 0, done.stderr
    told: dict = json.loads(done.stdout.splitlines()[-1])
    return {**told, "cpu": told["client"] + server_cpu() - before}


def server_cpu() -> float:
    """Return the CPU seconds of all processes that the PostgreSQL server has and had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = psutil.Process(cursor.fetchone()[0]).parent()
    assert server is not None
    own = server.cpu_times()
    return own.children_user + own.children_system + sum(sum(child.cpu_times()[:2]) for child in server.children())


def say(label: str, value: str) -> None:
    """Print one row of the table."""
    print(f"  {label:<52} {value}", flush=True)  # noqa: T201


def told(label: str, runs: list[dict], floor: list[dict]) -> None:
    """Print a way's medians, and the median of its ratios to the floor of the same round."""
    each = {name: statistics.median(run[name] / run["orders"] for run in runs) * 1e6 for name in ("cpu", "client", "wall")}
    ratio = statistics.median(run["cpu"] / least["cpu"] for run, least in zip(runs, floor, strict=True))
    say(label, (
        f"{1e6 / each['cpu']:,.0f} orders per CPU s, {1e6 / each['wall']:,.0f} per wall s ({each['cpu']:.0f} µs an order, "
        f"{each['client']:.0f} of them ours): {ratio:.1f} x floor; peak {max(run['peak'] for run in runs)} MB"
    ))  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", SIZES)
def bench_sync(count: int, tmp_path: Path) -> None:
    make(tmp_path / "pages", count)
    url = url_of_the_test_database()
    kilobytes = sum(path.stat().st_size for path in (tmp_path / "pages").glob("*.json")) / count / 1_000
    print(f"\n{count:,} orders, {kilobytes:.1f} kB each")  # noqa: T201
    ways: dict[str, list[dict]] = {"floor": [], "sync": [], "again": []}
    with served(tmp_path / "pages") as address:
        for number in range(ROUNDS):
            with connection.cursor() as cursor:
                # Each first reading is into a store of its own.
                cursor.execute("UPDATE ledger_store SET slug = slug || %s WHERE slug = %s", [f"-{number}", SLUG])
            for way, runs in ways.items():
                runs.append(cost(way, address, url))
    told("floor: requests and json.loads", ways["floor"], ways["floor"])
    told("read, archived, mirrored, booked, totalled", ways["sync"], ways["floor"])
    told("the same once more, which changes nothing", ways["again"], ways["floor"])
    ratio = statistics.median(again["cpu"] / first["cpu"] for again, first in zip(ways["again"], ways["sync"], strict=True))
    say("once more, against the first reading", f"{ratio:.2f} x CPU")
    if os.environ.get("BENCH_DLT"):
        with served(tmp_path / "pages") as address:
            peer = dlt_cost(address, url, tmp_path / "dlt")
        assert peer["orders"] == count
        cpu, wall = (statistics.median(run[name] for run in ways["sync"]) for name in ("cpu", "wall"))
        say("dlt, its rest_api source and defaults, merged by id", (
            f"{count / peer['cpu']:,.0f} orders per CPU s, {count / peer['wall']:,.0f} per wall s; peak {peer['peak']} MB: "
            f"ours does {peer['cpu'] / cpu:.1f} x per CPU s, {peer['wall'] / wall:.1f} x per wall s"
        ))  # fmt: skip
    store = Store.objects.get(slug=SLUG)
    entries = Entry.objects.filter(book_id=store.pk).count()
    kept = RawPayload.objects.filter(connection__store=store).aggregate(size=Sum(Length("body")))["size"]
    say("archive, sealed", f"{kept / count:,.0f} bytes an order")
    say("entries an order", f"{entries / count:.1f}")
    assert not any(check_all(Book.objects.get(pk=store.pk)).values())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [int(size) for size in os.environ.get("BENCH_BULK", "20000,100000").split(",")])
def bench_bulk_files(count: int, tmp_path: Path) -> None:
    with ExitStack() as stack:
        parts = {part: stack.enter_context((tmp_path / f"{part}.jsonl").open("w")) for part in PARTS}
        for number in range(count):
            order = a_record(number, note="x" * 1_200)
            for part, file in parts.items():
                file.writelines(json.dumps(line) + "\n" for line in lines_of(part, order))
    size = sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) / 1e6
    done = cost("files", str(tmp_path), url_of_the_test_database())
    assert done["orders"] == count
    print(f"\n{count:,} orders in files of {size:,.0f} MB, four lines an order")  # noqa: T201
    say("indexed and put together", f"{count / done['client']:,.0f} orders and {size / done['client']:.0f} MB per CPU s; peak {done['peak']} MB")
    say("index on disk", f"{(tmp_path / 'index.sqlite').stat().st_size / size / 1e4:.0f} % of the files")
