"""Serve a small business as a shop of Shopify's, with a clock that only tests move."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World

DOMAIN = "maple-and-finch.myshopify.com"
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
APP = App("the-client-id", "the-client-secret", redirects=("http://127.0.0.1:9/back",))


class Caller:
    """Ask one shop by HTTP, as an app does."""

    def __init__(self, sandbox: Sandbox, shop: Shop) -> None:
        self.sandbox, self.shop = sandbox, shop
        self.token = shop.tokens.permanent(KNOWN_SCOPES)
        self.session = requests.Session()

    def post(self, document: str, *, version: str = "2026-10", token: str | None = None, **variables: Any) -> requests.Response:
        """Post a document and return the raw answer."""
        return self.session.post(
            f"{self.shop.base_url}/admin/api/{version}/graphql.json",
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token if token is None else token},
            timeout=20,
        )

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Post a document and return what is answered in JSON."""
        answer = self.post(document, **variables)
        assert answer.status_code == 200
        return answer.json()

    def data(self, document: str, **variables: Any) -> dict[str, Any]:
        """Post a document and return its data; there must be no errors."""
        said = self.ask(document, **variables)
        assert "errors" not in said
        return said["data"]


@pytest.fixture(scope="session")
def business() -> World:
    """Make a business of 60 days in which a little of everything happens."""
    return World.live(seed=7, start=date(2026, 1, 1), days=60, orders_per_day=4, scenario="refund_storm")


@pytest.fixture(scope="session")
def business_rows(business: World) -> WorldRows:
    """Index the business once for all tests."""
    return WorldRows(business)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve a sandbox without shops."""
    with Sandbox(Clock(NOW, still=True)) as served:
        yield served


@pytest.fixture
def shop(sandbox: Sandbox, business_rows: WorldRows) -> Shop:
    """Return a shop that shows the business."""
    return sandbox.add_shop(DOMAIN, business_rows, app=APP)


@pytest.fixture
def caller(sandbox: Sandbox, shop: Shop) -> Iterator[Caller]:
    """Return an app that may read everything in the shop."""
    made = Caller(sandbox, shop)
    yield made
    made.session.close()
