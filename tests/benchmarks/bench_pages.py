"""Measure pages at growing sizes of a store, as ratios within one run: each page against the page that asks for a password.

Run with `make bench ARGS=tests/benchmarks/bench_pages.py`; `BENCH_ORDERS=10000,1000000` chooses the sizes. CPU is the client's and
its PostgreSQL backend's together. A page that reads totals costs the same whatever the number of orders.
"""

import statistics
from collections.abc import Callable
from itertools import islice

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboards import start
from ledger.record import record
from ledger.stores import open_store
from tests.benchmarks.bench_ledger import CAUSE, SIZES, measured, say
from tests.benchmarks.business import orders
from tests.dashboards.people import signed_in

TWO_YEARS, SIXTY_DAYS = "from=2024-01-01&to=2025-12-30&compare=year", "from=2025-11-01&to=2025-12-30&compare=previous"
PAGES = {
    "P&L of two years by month": f"pnl?{TWO_YEARS}&by=month",
    "P&L of two years by quarter": f"pnl?{TWO_YEARS}&by=quarter",
    "P&L of sixty days by week": f"pnl?{SIXTY_DAYS}&by=week",
    "revenue of two years": f"pnl/revenue?{TWO_YEARS}",
    "costs of two years": f"pnl/costs?{TWO_YEARS}",
    "sheet to print, two years": f"pnl/print?{TWO_YEARS}",
    "P&L as CSV, two years by month": f"pnl.csv?{TWO_YEARS}&by=month",
    "P&L as XLSX, two years by month": f"pnl.xlsx?{TWO_YEARS}&by=month",
}
RUNS = 15


def cpu_ms(question: Callable[[], object]) -> tuple[float, float]:
    """Return the median CPU milliseconds of a question, ours and the database's, after one call to warm up."""
    question()
    costs = []
    for _ in range(RUNS):
        with measured() as cost:
            question()
        costs.append(cost)
    return statistics.median(cost.client * 1000 for cost in costs), sum(cost.backend for cost in costs) / RUNS * 1000


@pytest.mark.django_db(transaction=True)
def bench_pages() -> None:
    first: dict[str, float] = {}
    for count in SIZES:
        store = open_store(slug=f"bench-{count}", name="Bench", currency="USD", zone="UTC")
        facts = orders(count)
        while batch := list(islice(facts, 1_000)):
            record(store, batch, cause=CAUSE)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        client = signed_in(store, email=f"owner-{count}@example.com")
        start.end(store, by=User.objects.get(email=f"owner-{count}@example.com"), now=timezone.now())
        stranger = Client()
        empty = sum(cpu_ms(lambda stranger=stranger: stranger.get("/accounts/login/")))
        print(f"\n{count:,} orders; the page that asks for a password: {empty:.1f} ms CPU")  # noqa: T201
        for name, address in PAGES.items():
            ours, database = cpu_ms(lambda address=address, client=client, store=store: client.get(f"/{store.slug}/{address}"))
            with CaptureQueriesContext(connection) as asked:
                client.get(f"/{store.slug}/{address}")
            questions = sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in asked.captured_queries)
            whole = ours + database
            grown = f", {whole / first.setdefault(name, whole):.2f} x that of {SIZES[0]:,} orders"
            say(name, f"{whole / empty:.1f} x ({ours:.1f} + {database:.1f} ms CPU), {questions} queries{grown}")
