"""Connect a simulated shop in a browser, through its own consent page, and see its orders arrive."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from connectors.models import Connection
from connectors.sandbox.oracle import Oracle
from connectors.sandbox.serving import open_shop
from connectors.sandbox.shopify_shop import Shop
from ledger.models import Order, Store
from ledger.people import Role, set_role
from tests.browser.conftest import Site, violations
from tests.browser.test_first_run import work
from tests.builders import a_store
from tests.dashboards.people import EMAIL


@pytest.fixture
def shop(site: Site) -> Iterator[Shop]:
    """Serve a shop that has sold for a month, which pages of this product may lead to."""
    sandbox, shop = open_shop(days=30, orders_per_day=2, seed=5)
    yield shop
    sandbox.close()
    site.complaints[:] = [complaint for complaint in site.complaints if not complaint.startswith(f"asked {sandbox.address}")]


@pytest.fixture
def maple(site: Site) -> Store:
    """Open a store for it, whose owner is the person in the browser."""
    store = a_store(slug="maple", currency="USD", zone="America/New_York")
    set_role(store, User.objects.get(email=EMAIL), Role.OWNER)
    return store


def clean(page: Page) -> None:
    """Check a page with axe in both themes."""
    for theme in ("light", "dark"):
        page.context.add_cookies([{"name": "theme", "value": theme, "url": page.url}])
        page.reload()
        assert violations(page) == []


def ask(page: Page, shop: Shop) -> None:
    """Go from the page of connections to the platform's question."""
    page.goto("/maple/connections")
    page.get_by_role("link", name="Shopify").click()
    page.get_by_label("Shop domain").first.fill(shop.domain)
    page.get_by_label("Client ID").first.fill(shop.tokens.app.client_id)
    page.get_by_label("Client secret").first.fill(shop.tokens.app.client_secret)
    page.get_by_label("Address of a sandbox").first.fill(shop.base_url)
    page.get_by_role("button", name="Go to Shopify").click()
    page.wait_for_url("**/admin/oauth/authorize**")


def test_a_shop_is_connected_by_its_own_page_and_its_orders_arrive(tab: Callable[..., Page], shop: Shop, maple: Store) -> None:
    page = tab("/maple/connections")
    clean(page)
    page.goto("/maple/connections/new/shopify")
    clean(page)
    ask(page, shop)
    page.get_by_role("button", name="Install app").click()
    page.wait_for_url("**/maple/connections")
    assert "is connected. Its past is read now" in page.inner_text("main")
    work()
    page.goto("/maple/connections")
    clean(page)
    row = page.locator(".streams tr", has=page.get_by_role("rowheader", name="Orders", exact=True))
    assert "up to date" in row.inner_text()
    page.locator(".connection .card-title a").click()
    clean(page)
    since = Connection.objects.get().connected_at
    true = Oracle(shop.rows.world, at=datetime.now(UTC), watched_since=since).by_order()  # type: ignore[attr-defined]  # a shop of a world has its rows
    told = {int(number): profit for number, profit in Order.objects.filter(store=maple).values_list("external_id", "profit")}
    assert {number: told.get(number) for number in true} == {number: statement.net_profit for number, statement in true.items()}


def test_who_says_no_connects_nothing(tab: Callable[..., Page], shop: Shop, maple: Store) -> None:
    page = tab("/maple/connections")
    ask(page, shop)
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/admin")
    page.goto("/maple/connections")
    assert "Nothing is connected yet" in page.inner_text("main")
    assert Connection.objects.count() == 0
