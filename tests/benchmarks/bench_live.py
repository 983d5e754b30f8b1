"""Measure from paid to on the page: orders are placed at a simulated shop, Shopify rings, and the moment counts at which a page would show them.

Run with `make bench ARGS=tests/benchmarks/bench_live.py`. `BENCH_LIVE=1,10,50` chooses orders a second, `BENCH_LIVE_SECONDS=60` for how long each.
Web server and worker are the product's own processes, the shop is a thread of this one; an order is on the page once its entries are
committed, looked at twenty times a second. What a page that is open adds until it asks again is not in it. Each order rings twice (created, paid).
"""

import os
import statistics
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.models import WebhookDelivery
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.shopping import Counter
from connectors.sandbox.world import World
from ledger.models import Order
from tests.journeys.sandbox_shop import CLIENT
from tests.platform.clusters import wait_until
from tests.soak.connecting import connect, is_calm
from tests.soak.installation import Installation

RATES = [int(rate) for rate in os.environ.get("BENCH_LIVE", "1,10,50").split(",")]
SECONDS = int(os.environ.get("BENCH_LIVE_SECONDS", "60"))
HEAD = """

| orders a second | orders | p50 | p99 | longest | never | deliveries | web CPU | worker CPU |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""
PATIENCE = 120
"""Seconds to wait for orders after the last one was placed."""


class Placing(threading.Thread):
    """Place orders at an even pace, and note when."""

    def __init__(self, shop: Shop, rate: int) -> None:
        super().__init__(daemon=True)
        self.shop, self.rate, self.placed, self.late = shop, rate, dict[str, float](), 0.0

    def run(self) -> None:
        """Place them all."""
        counter, goods = Counter(self.shop.rows.world), Counter(self.shop.rows.world).goods(self.shop.now())
        began = time.monotonic()
        for number in range(self.rate * SECONDS):
            due = began + number / self.rate
            time.sleep(max(due - time.monotonic(), 0))
            self.late = max(self.late, time.monotonic() - due)
            with self.shop.bell.lock:
                story = counter.place(self.shop.now(), goods[number % len(goods)].id, units=1 + number % 3)
                self.shop.bell.place(story)
            self.placed[str(story.id)] = time.monotonic()


def shown(known: dict[str, float], after: int) -> int:
    """Note which orders a page shows by now, and return the last one's key."""
    for pk, number in Order.objects.filter(pk__gt=after, external_id__startswith="59000").order_by("pk").values_list("pk", "external_id"):
        known.setdefault(number, time.monotonic())
        after = pk
    return after


@pytest.mark.django_db(transaction=True)
def bench_paid_to_page(tmp_path: Path) -> None:
    """Print p50 and p99 at each rate."""
    start = datetime.now(UTC)
    world = World.live(seed=1, start=start.date() - timedelta(days=5), days=10, orders_per_day=3)
    with Sandbox(Clock(start)) as sandbox, Installation(tmp_path) as installation:
        shop = sandbox.add_shop(world.shop.domain, WorldRows(world), app=App(*CLIENT.values()), plan="enterprise")
        connect(shop, start, days=10)
        assert wait_until(is_calm, seconds=120)
        shop.courier.start()
        print(f"\nPaid to on the page, {SECONDS} s each, {HEAD}")  # noqa: T201
        for rate in RATES:
            print(row(shop, installation, rate))  # noqa: T201
        waiting = WebhookDelivery.objects.exclude(state="done").count()
        print(f"\nDeliveries {shop.courier.counts}, not done at the end {waiting}")  # noqa: T201


def row(shop: Shop, installation: Installation, rate: int) -> str:
    """Measure one rate and return its row."""
    before, sent, seen = installation.cpu(), shop.courier.counts["sent"], dict[str, float]()
    last = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    placing = Placing(shop, rate)
    placing.start()
    ends = time.monotonic() + SECONDS + PATIENCE
    while time.monotonic() < ends and (placing.is_alive() or len(seen) < len(placing.placed)):
        time.sleep(0.05)
        last = shown(seen, last)
    web, workers = (after - earlier for after, earlier in zip(installation.cpu(), before, strict=True))
    waits = sorted(seen[number] - placing.placed[number] for number in placing.placed if number in seen)
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return (
        f"| {rate} | {len(placing.placed)} | {cuts[49]:.2f} s | {cuts[98]:.2f} s | {waits[-1]:.2f} s | {len(placing.placed) - len(waits)} "
        f"| {shop.courier.counts['sent'] - sent} | {web:.1f} s | {workers:.1f} s |"
    )
