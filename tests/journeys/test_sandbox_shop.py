"""Journey: a simulated business is read from its Shopify, and every day, order and product is the truth to the cent."""

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.bulk import WORTH_WHILE
from connectors.models import SyncRun
from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.world import World
from tests.journeys.sandbox_shop import Connected, connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEGAN = date(2026, 1, 1)
END = datetime(2026, 2, 10, 12, tzinfo=UTC)
ANOTHER_STORE = {"currency_change"}
"""A shop that changes its currency goes on as another store."""


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - ANOTHER_STORE))
def test_the_past_is_read_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.read()
        shop.restate()
        assert (shop.differences(), shop.differences(basis="order"), shop.differing_orders()) == ([], [], [])


@pytest.mark.parametrize("scenario", ["deleted_products", "long_orders", "marketplace_taxes", "refund_storm"])
def test_the_past_is_read_by_bulk_files_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=10, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.read("orders")
        read = SyncRun.objects.get(connection=shop.connection, stream="orders", status=SyncRun.Status.DONE)
        assert (read.mode, read.pages, read.records > WORTH_WHILE) == (SyncRun.Mode.BACKFILL, 1, True)
        shop.read()
        shop.restate()
        assert (shop.differences(), shop.differences(basis="order"), shop.differing_orders()) == ([], [], [])


@pytest.mark.parametrize("scenario", ["cancellations", "deleted_orders", "edits", "refund_storm"])
def test_what_happens_is_read_as_it_happens_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=12, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=datetime(2026, 1, 15, 12, tzinfo=UTC)) as shop:
        read_until(END, shop, every=timedelta(days=3, hours=7))
        assert (shop.differences(), shop.differences(basis="order"), shop.differing_orders()) == ([], [], [])


def test_costs_that_change_hold_from_the_day_they_are_seen() -> None:
    world = World.live(seed=13, start=BEGAN, days=14, orders_per_day=3, scenario="price_and_cost_changes")
    with connected(world, began=BEGAN, at=datetime(2026, 1, 8, 12, tzinfo=UTC)) as shop:
        read_until(datetime(2026, 1, 15, tzinfo=UTC), shop, every=timedelta(hours=8))
        assert (shop.differences(), shop.differing_orders()) == ([], [])


def read_until(end: datetime, shop: Connected, *, every: timedelta) -> None:
    """Read, let time pass, and read again, until a moment."""
    while True:
        shop.read()
        shop.restate()
        if shop.sandbox.clock.now() >= end:
            return
        shop.sandbox.clock.advance(int(every.total_seconds()))
