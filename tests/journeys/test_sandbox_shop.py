"""Journey: a simulated business is read from its Shopify, and every day, order and product is the truth to the cent."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from connectors import accounts
from connectors.connections import opened
from connectors.models import SyncCursor, SyncRun
from connectors.reading.bulk import WORTH_WHILE
from connectors.reading.comparing import compare
from connectors.reading.replaying import replay
from connectors.registry import find
from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.world import World
from ledger.kinds import SalesBasis
from ledger.models import Customer, Finding, Order, Sale
from tests.journeys.payouts import differing_payouts
from tests.journeys.sandbox_shop import Connected, connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEGAN = date(2026, 1, 1)
END = datetime(2026, 2, 10, 12, tzinfo=UTC)
ANOTHER_STORE = {"currency_change"}
"""A shop that changes its currency goes on as another store, in a journey of its own."""


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - ANOTHER_STORE))
def test_the_past_is_read_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.read()
        shop.restate()
        assert shop.all_differences() == []
        assert differing_payouts(shop) == []


@pytest.mark.parametrize("scenario", ["deleted_products", "long_orders", "marketplace_taxes", "refund_storm"])
def test_the_past_is_read_by_bulk_files_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=10, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.read("orders")
        read = SyncRun.objects.get(connection=shop.connection, stream="orders", status=SyncRun.Status.DONE)
        assert (read.mode, read.pages, read.records > WORTH_WHILE) == (SyncRun.Mode.BACKFILL, 1, True)
        shop.read()
        # What files do not tell of refunds is read by pages, and how many there are is known.
        refunds = SyncCursor.objects.get(connection=shop.connection, stream="refunds")
        assert refunds.done == refunds.whole > 0
        shop.restate()
        assert shop.all_differences() == []


@pytest.mark.parametrize("scenario", ["gift_cards", "marketplace_taxes", "refund_storm", "tills"])
def test_without_sale_agreements_sales_are_worked_out_and_equal_the_truth(scenario: str) -> None:
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.shop.troubles.add("silent_field", field="Order.agreements")
        shop.read()
        shop.restate()
        assert set(Order.objects.values_list("sales_basis", flat=True)) == {SalesBasis.DERIVED}
        (found,) = Finding.objects.filter(kind="sales_worked_out")
        assert "since it has no sale agreements" in found.message
        assert (shop.differences(), shop.differences(basis="order"), shop.differing_orders()) == ([], [], [])


@pytest.mark.parametrize("scenario", ["edits", "exchanges"])
def test_without_sale_agreements_orders_that_change_later_earn_the_truth_though_nobody_tells_when(scenario: str) -> None:
    """Without agreements no day of an edit or exchange is told: its amounts are the order's day's, marked estimated."""
    world = World.live(seed=11, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=END) as shop:
        shop.shop.troubles.add("silent_field", field="Order.agreements")
        shop.read()
        shop.restate()
        assert shop.differing_orders() == []
        assert Sale.objects.filter(estimated=True).exists()


@pytest.mark.parametrize("scenario", ["cancellations", "deleted_orders", "edits", "refund_storm"])
def test_what_happens_is_read_as_it_happens_and_equals_the_truth(scenario: str) -> None:
    world = World.live(seed=12, start=BEGAN, days=30, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=datetime(2026, 1, 15, 12, tzinfo=UTC)) as shop:
        read_until(END, shop, every=timedelta(days=3, hours=7))
        assert shop.all_differences() == []


def test_a_shop_that_changes_its_currency_goes_on_in_another_store_and_both_equal_the_truth() -> None:
    """For some days its orders were converted; the other store takes those over."""
    world = World.live(seed=14, start=BEGAN, days=45, orders_per_day=2, scenario="currency_change")
    with connected(world, began=BEGAN, at=datetime(2026, 1, 20, 12, tzinfo=UTC)) as shop:
        read_until(datetime(2026, 2, 3, 6, tzinfo=UTC), shop, every=timedelta(days=2, hours=7))
        accounts.check(shop.connection, now=shop.sandbox.clock.now())
        assert "press “Go on in EUR” on the account's page" in Finding.objects.get(kind="account_currency", resolved_at=None).message
        later = shop.go_on()
        accounts.check(shop.connection, now=shop.sandbox.clock.now())
        assert not Finding.objects.filter(kind="account_currency", resolved_at=None).exists()
        for _ in range(3):
            for store in (shop, later):
                store.read()
                store.restate()
            shop.sandbox.clock.advance(int(timedelta(days=4, hours=5).total_seconds()))
        for store in (later, shop):
            store.read()
            store.restate()
        assert (later.all_differences(), shop.all_differences()) == ([], [])
        booked = Order.objects.filter(withdrawn_at=None).values_list("store__slug", "currency").distinct().order_by("store")
        assert list(booked) == [("shop", "USD"), ("shop-eur", "EUR")]
        assert (later.store.succeeds_id, Order.objects.filter(store=shop.store, withdrawn_at__isnull=False).exists()) == (shop.store.pk, True)
        for store in (shop, later):
            with opened(store.connection, now=shop.sandbox.clock.now()) as client:
                compare(store.connection, find("shopify").stream("orders"), client, now=shop.sandbox.clock.now(), whole=True)
        assert not Finding.objects.filter(kind="orders_compared", resolved_at=None).exists()


def test_merged_customers_are_read_as_they_turn_out_and_are_new_once() -> None:
    world = World.live(seed=12, start=BEGAN, days=30, orders_per_day=3, scenario="merged_customers")
    with connected(world, began=BEGAN, at=datetime(2026, 1, 9, 12, tzinfo=UTC)) as shop:
        read_until(END, shop, every=timedelta(days=8, hours=7))
        assert shop.all_differences() == []


@pytest.mark.parametrize(("scenario", "returned"), [("deleted_orders", 9), ("merged_customers", 5)])
def test_who_bought_before_the_sixty_days_that_an_app_may_see_is_not_new(scenario: str, returned: int) -> None:
    world = World.live(seed=11, start=BEGAN, days=85, orders_per_day=2, scenario=scenario)
    with connected(world, began=BEGAN, at=datetime(2026, 3, 20, 12, tzinfo=UTC), scopes=KNOWN_SCOPES - {"read_all_orders"}) as shop:
        shop.sees_since = shop.connected_at - timedelta(days=60)
        shop.read()
        shop.restate()
        assert shop.differences() == []
        assert Customer.objects.filter(store=shop.store, older_orders__gt=0, order_count__gt=0).count() == returned
        if scenario == "deleted_orders":
            return  # what is deleted out of sight is not seen to go
        shop.sandbox.clock.advance(6 * 86_400)
        shop.read()
        shop.restate()
        assert [each for each in shop.differences() if "new_customers" in each] == []


def test_costs_that_change_hold_from_the_day_they_are_seen() -> None:
    world = World.live(seed=13, start=BEGAN, days=14, orders_per_day=3, scenario="price_and_cost_changes")
    with connected(world, began=BEGAN, at=datetime(2026, 1, 8, 12, tzinfo=UTC)) as shop:
        read_until(datetime(2026, 1, 15, tzinfo=UTC), shop, every=timedelta(hours=8))
        assert shop.all_differences() == []


TROUBLES = (
    "rate_limited", "throttled", "server_error", "cut_body", "repeated_page", "html", "internal_error", "missing_field", "index_lag", "bulk_failed",
    "download_cut",
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_goes_wrong_on_the_way_it_ends_with_the_truth(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are read in any order, at any time, and most requests meet a trouble."""
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    chance = Random(seed)
    world = World.live(seed=20 + seed, start=BEGAN, days=25, orders_per_day=3, scenario="refund_storm")
    with connected(world, began=BEGAN, at=datetime(2026, 1, 12, 12, tzinfo=UTC)) as shop:
        names = [stream.name for stream in find("shopify").streams]
        while shop.sandbox.clock.now() < END:
            for kind in chance.sample(TROUBLES, 3):
                shop.shop.troubles.add(kind, first=chance.randint(1, 6), count=chance.randint(1, 3), **SETTINGS.get(kind, {}))
            shop.read(*chance.sample(names, 3))
            shop.sandbox.clock.advance(chance.randint(3_600, 5 * 86_400))
        shop.shop.troubles.clear()
        shop.read()
        replay(shop.connection, now=shop.sandbox.clock.now())
        shop.restate()
        assert shop.all_differences() == []


SETTINGS = {
    "rate_limited": {"retry_after": 1},
    "missing_field": {"field": "Order.processedAt"},
    "index_lag": {"seconds": 10},
    "bulk_failed": {"keep": 3},
}
"""What troubles want to know besides."""


def read_until(end: datetime, shop: Connected, *, every: timedelta) -> None:
    """Read, let time pass, and read again, until a moment."""
    while True:
        shop.read()
        shop.restate()
        if shop.sandbox.clock.now() >= end:
            return
        shop.sandbox.clock.advance(int(every.total_seconds()))
