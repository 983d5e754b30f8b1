"""Count the queries of every page of figures: as many for one order as for a hundred over two years."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboards.pages import start
from ledger.costs.seen import count_seen
from ledger.models import Store
from tests.builders import a_line, a_store, an_order, write
from tests.dashboards.people import EMAIL, signed_in

pytestmark = pytest.mark.django_db

TWO_YEARS, SIXTY_DAYS = "from=2024-03-01&to=2026-02-28", "from=2026-01-01&to=2026-03-01"
PAGES = [
    f"today?{SIXTY_DAYS}", f"today?{TWO_YEARS}", f"pnl?{SIXTY_DAYS}&by=day", f"pnl?{TWO_YEARS}&by=month", f"pnl/revenue?{TWO_YEARS}",
    f"pnl/costs?{TWO_YEARS}", f"pnl/print?{TWO_YEARS}", "orders", "orders?sort=profit", "orders?show=margins", "orders/1000",
    f"entries?line=net_profit&{TWO_YEARS}", f"entries?line=margin&{TWO_YEARS}", f"changes?{TWO_YEARS}", "costs", "data", "imports", "metrics",
]  # fmt: skip


@pytest.fixture
def shop() -> Store:
    return a_store(slug="shop")


@pytest.fixture
def owner(shop: Store) -> Client:
    browser = signed_in(shop)
    start.end(shop, by=User.objects.get(email=EMAIL), now=timezone.now())
    return browser


def sell(shop: Store, count: int) -> None:
    """Record orders a week apart, the latest first, of several products, countries, gateways and channels."""
    latest = date(2026, 2, 27)
    write(shop, *(
        an_order(
            str(1000 + number), when=f"{latest - timedelta(days=7 * number)} 12:00", gateway=f"gateway {number % 3}",
            country=("DE", "FR", "US")[number % 3], channel=("web", "pos", "app")[number % 3], customer=f"customer {number}",
            lines=[a_line(str(number % 20 + 1), price="50.00")],
        )
        for number in range(count)
    ))  # fmt: skip
    count_seen(shop, today=latest, now=timezone.now())


def counted(owner: Client) -> dict[str, int]:
    asked = {}
    for address in PAGES:
        assert owner.get(f"/shop/{address}").status_code == 200, address
        with CaptureQueriesContext(connection) as queries:
            owner.get(f"/shop/{address}")
        asked[address] = len(queries)
    return asked


def test_no_page_asks_more_for_a_hundred_orders_than_for_one(shop: Store, owner: Client) -> None:
    sell(shop, 1)
    few = counted(owner)
    sell(shop, 100)
    # A list that ends on its first page is asked how far back it was looked through.
    assert counted(owner) == {**few, "orders": few["orders"] - 1}
