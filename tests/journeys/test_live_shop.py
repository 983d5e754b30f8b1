"""Journey: somebody buys at the simulated shop's counter, Shopify rings, and the pages show the truth to the cent, whatever gets lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from random import Random
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.test import Client

from connectors.connections import opened
from connectors.models import WebhookDelivery
from connectors.reading.comparing import compare
from connectors.registry import find
from connectors.sandbox.shopping import Counter
from connectors.sandbox.world import World
from connectors.webhooks import draining, subscribing
from ledger.models import Order
from tests.dashboards.people import signed_in, text_of
from tests.journeys.sandbox_shop import Connected, connected

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

BEGAN, NOW = date(2026, 1, 1), datetime(2026, 1, 20, 12, tzinfo=UTC)


class Live(Connected):
    """A connected shop that rings at the product's door, without a web server between them."""

    def __init__(self, of: Connected) -> None:
        self.__dict__ |= of.__dict__
        self.door = Client()
        self.shop.courier.post = self._post

    def _post(self, uri: str, headers: object, body: bytes) -> int:
        kept = {name: value for name, value in dict(headers).items() if name.startswith("X-")}  # type: ignore[call-overload]
        with time_machine.travel(self.sandbox.clock.now(), tick=False):
            return self.door.post(urlsplit(uri).path, body, content_type="application/json", headers=kept).status_code

    def ring(self) -> None:
        """Deliver what is due by now and follow it."""
        self.shop.bell.ring()
        self.shop.courier.deliver()
        with time_machine.travel(self.sandbox.clock.now(), tick=False):
            draining.drain(self.connection, now=self.sandbox.clock.now)
        self.restate()

    def compare(self) -> None:
        """Compare orders with what the shop lists, as each night does."""
        stream = find("shopify").stream("orders")
        with (
            time_machine.travel(self.sandbox.clock.now(), tick=False),
            opened(self.connection, now=self.sandbox.clock.now(), sleep=self._pass) as client,
        ):
            while not compare(self.connection, stream, client, now=self.sandbox.clock.now(), whole=True).done:
                pass

    def buy(self, what: str, **fields: object) -> None:
        """Send a form of the counter."""
        answer = requests.post(f"{self.shop.base_url}/counter", data={"what": what, **fields}, timeout=20, allow_redirects=False)
        assert answer.status_code == 303, answer.text


@contextmanager
def live(world: World) -> Iterator[Live]:
    """Connect a store to a shop, read its past, and have it ring."""
    with connected(world, began=BEGAN, at=NOW, live=True) as of:
        shop = Live(of)
        shop.read()
        shop.restate()
        with time_machine.travel(NOW, tick=False):
            assert subscribing.keep(shop.connection, now=NOW) == ""
        shop.ring()
        yield shop


def test_an_order_placed_at_the_counter_is_on_the_pages_at_once_and_so_is_what_becomes_of_it() -> None:
    world = World.live(seed=11, start=BEGAN, days=40, orders_per_day=2)
    with live(world) as shop:
        browser = signed_in(shop.store)
        shop.buy("place", variant=Counter(world).goods(NOW)[0].id, units=3, percent=10, came_by="direct")
        shop.ring()
        number = 5_900_000_001
        for what, fields in (("place", {}), ("refund", {"units": 1}), ("refund", {})):
            if what != "place":
                shop.sandbox.clock.advance(60)
                shop.buy(what, order=number, **fields)
                shop.ring()
            order, true = Order.objects.get(external_id=str(number)), shop.truth().by_order()[number]
            assert (order.number, order.profit) == ("#900001", true.net_profit), what
            with time_machine.travel(shop.sandbox.clock.now(), tick=False):
                listed = text_of(browser.get("/shop/orders"))
                today = text_of(browser.get("/shop/today?from=2026-01-20&to=2026-01-20"))
            assert "#900001" in listed, what
            net = shop.truth().by_day()[NOW.date()].net_profit
            for page, amount in ((listed, true.net_profit), (today, net)):
                assert f"{abs(amount):,.2f}" in page, (what, amount)
            assert (shop.differences(), shop.differing_orders()) == ([], [])
        shop.read()
        assert shop.all_differences() == []


TROUBLES = {
    "lost": {"every": 5}, "repeated": {"every": 3}, "out_of_order": {"seconds": 7_200}, "forged": {"every": 4},
    "late": {"every": 7, "seconds": 40_000},
}  # fmt: skip


def test_with_deliveries_lost_repeated_and_out_of_order_and_a_comparison_each_night_it_ends_with_the_truth() -> None:
    """Nothing is polled: what webhooks do not bring is found by comparing."""
    chance = Random(1)
    world = World.live(seed=31, start=BEGAN, days=40, orders_per_day=3, scenario="refund_storm")
    with live(world) as shop:
        for kind, how in TROUBLES.items():
            shop.shop.troubles.add(kind, **how)
        goods = Counter(world).goods(NOW)
        for day in range(3):
            for _ in range(5):
                shop.sandbox.clock.advance(chance.randint(2 * 3_600, 7 * 3_600))
                shop.buy("place", variant=chance.choice(goods).id, units=chance.randint(1, 3), pays=chance.choice(["card", "paypal", "deposit"]))
                placed = world.placed()
                if day and chance.random() < 0.5:
                    requests.post(
                        f"{shop.shop.base_url}/counter", timeout=20,
                        data={"what": chance.choice(["refund", "cancel", "dispute", "pay"]), "order": chance.choice(placed).id},
                    )  # fmt: skip
                shop.ring()
            shop.compare()
        shop.shop.troubles.clear()
        shop.sandbox.clock.advance(3_600)
        shop.ring()
        shop.read()
        shop.compare()
        shop.restate()
        assert shop.all_differences() == []
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"done"}
        assert shop.sandbox.clock.now() > NOW + timedelta(days=2)
