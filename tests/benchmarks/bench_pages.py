"""Measure pages at growing sizes of a store, as ratios within one run: each page against the page that asks for a password.

Run with `make bench ARGS=tests/benchmarks/bench_pages.py`; `BENCH_ORDERS=10000,1000000` chooses the sizes. CPU is that of a
request as the web server hands it over (middleware, session, view, template), and of its PostgreSQL backend. The page that asks for a
password is asked before each, so that whatever else keeps the machine busy is in both. It prints tables to paste into docs/performance.md.
"""

import statistics
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboards.pages import start
from ledger.costs.seen import count_seen
from ledger.models import Order, Store
from ledger.record import record
from ledger.stores import open_store
from tests.benchmarks.bench_ledger import CAUSE, SIZES, SPAN, measured
from tests.benchmarks.business import orders
from tests.dashboards.people import signed_in

TWO_YEARS, SIXTY_DAYS = "from=2024-01-01&to=2025-12-30&compare=year", "from=2025-11-01&to=2025-12-30&compare=previous"
MONTH = "from=2025-12-01&to=2025-12-30"
PAGES = {
    "Today, 30 days": f"today?{MONTH}",
    "Today, 60 days": f"today?{SIXTY_DAYS}",
    "Today, two years": f"today?{TWO_YEARS}",
    "P&L, 60 days by week": f"pnl?{SIXTY_DAYS}&by=week",
    "P&L, 60 days by day": f"pnl?{SIXTY_DAYS}&by=day",
    "P&L, two years by month": f"pnl?{TWO_YEARS}&by=month",
    "P&L, two years by quarter": f"pnl?{TWO_YEARS}&by=quarter",
    "revenue, two years": f"pnl/revenue?{TWO_YEARS}",
    "costs, two years": f"pnl/costs?{TWO_YEARS}",
    "sheet to print, two years": f"pnl/print?{TWO_YEARS}",
    "P&L as CSV, two years by month": f"pnl.csv?{TWO_YEARS}&by=month",
    "P&L as XLSX, two years by month": f"pnl.xlsx?{TWO_YEARS}&by=month",
    "orders by day": "orders",
    "orders by profit": "orders?sort=-profit",
    "orders, spread of margins": "orders?show=margins",
    "one order": "orders/{number}",
    "entries of net profit, 30 days": f"entries?line=net_profit&{MONTH}",
    "entries of net profit, two years": f"entries?line=net_profit&{TWO_YEARS}",
    "why figures changed, 30 days": f"changes?{MONTH}",
    "costs": "costs",
    "data": "data",
}
RUNS = 25


class Measured(NamedTuple):
    """CPU milliseconds of a page, the least and the median of ours and the mean of the backend's; and of the sign-in page beside it."""

    least: float
    median: float
    backend: float
    beside: float


def asking(path: str, cookie: str = "") -> Callable[[], bytes]:
    """Return a function that asks for a page as the web server does, and returns what is answered; it refuses anything but a page."""
    handler, environ = WSGIHandler(), dict[str, object]()
    place, _, query = path.partition("?")
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": place, "QUERY_STRING": query, "HTTP_HOST": "testserver", "HTTP_COOKIE": cookie}

    def ask() -> bytes:
        told: list[str] = []

        def begin(status: str, *_: object) -> Callable[[bytes], None]:
            told.append(status)
            return lambda body: None

        answer: Any = handler(dict(environ), begin)
        body = b"".join(answer)
        answer.close()
        if told != ["200 OK"]:
            raise AssertionError(f"{path} answers {told}")
        return body

    return ask


def measure(page: Callable[[], bytes], beside: Callable[[], bytes]) -> Measured:
    """Measure a page and the sign-in page in turn, after one call of each to warm up."""
    page()
    beside()
    costs, others = [], []
    for _ in range(RUNS):
        with measured() as other:
            beside()
        with measured() as cost:
            page()
        costs.append(cost)
        others.append(other.client * 1000)
    ours = [cost.client * 1000 for cost in costs]
    return Measured(min(ours), statistics.median(ours), sum(cost.backend for cost in costs) / RUNS * 1000, statistics.median(others))


def filled(count: int) -> tuple[Store, str]:
    """Open a store with so many orders of two years; return it with the session of its owner."""
    store = open_store(slug=f"bench-{count}", name="Bench", currency="USD", zone="UTC")
    facts = orders(count)
    while batch := list(islice(facts, 1_000)):
        record(store, batch, cause=CAUSE)
    count_seen(store, today=SPAN[1], now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = signed_in(store, email=f"owner-{count}@example.com")
    start.end(store, by=User.objects.get(email=f"owner-{count}@example.com"), now=timezone.now())
    return store, f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.django_db(transaction=True)
def bench_pages() -> None:
    first: dict[str, float] = {}
    sign_in = asking("/accounts/login/")
    for count in SIZES:
        store, cookie = filled(count)
        number = Order.objects.filter(store=store).order_by("-day", "-pk").values_list("number", flat=True)[0]
        print(f"\n{count:,} orders\n\n| page | CPU ms, least / median | PostgreSQL ms | ÷ sign-in page | ÷ {SIZES[0]:,} orders | queries | kB |")  # noqa: T201
        print("|---|--:|--:|--:|--:|--:|--:|")  # noqa: T201
        for name, address in PAGES.items():
            page = asking(f"/{store.slug}/{address.format(number=number)}", cookie)
            cost = measure(page, sign_in)
            with CaptureQueriesContext(connection) as asked:
                size = len(page())
            questions = sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in asked.captured_queries)
            whole = (cost.median + cost.backend) / cost.beside
            told = [
                name, f"{cost.least:.1f} / {cost.median:.1f}", f"{cost.backend:.1f}", f"{cost.median / cost.beside:.1f}",
                f"{whole / first.setdefault(name, whole):.2f}", questions, f"{size / 1000:.0f}",
            ]  # fmt: skip
            print(f"| {' | '.join(map(str, told))} |", flush=True)  # noqa: T201
