"""Give the contract a stand of each platform: a server on this machine with some orders, and its troubles by common names.

A platform joins the contract by a line in STANDS.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from connectors.platforms.shopify.connector import SHOPIFY
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.spec import Connector, Stream
from tests.connectors.bazaar import AGAIN, COMPARISON, Bazaar, a_record, connector, open_bazaar
from tests.connectors.bazaar_bells import KEY, delivery, ringing
from tests.connectors.bazaar_files import FILED, Files
from tests.connectors.webhooks.ringing import SECRET, an_order, body_of, headers_of
from tests.sandbox.small_worlds import Small

PAGE = 5
ORDERS = 18
"""Orders of every stand: four pages."""


def by_fives(stream: Stream) -> Stream:
    """Return a stream that asks for a few records at once."""
    return replace(stream, request=lambda window: stream.pages.resized(stream.request(window), PAGE))


class Stand(Protocol):
    """One platform, running."""

    connector: Connector
    account: str
    base_url: str
    secrets: Mapping[str, str]
    token: str
    """The secret that must stand nowhere."""
    currency: str
    """In which it sells."""

    def change(self) -> None:
        """Let one order change: something of it is given back."""

    def pages(self) -> int:
        """Return how many pages of orders were asked for."""

    def revoke(self) -> None:
        """Take the token back."""

    def cut(self, page: int) -> None:
        """Let the body of one of the next pages end early, once for each try of it."""

    def limit(self, seconds: int) -> None:
        """Refuse the next page of orders and say how long to wait."""

    def spoil(self) -> None:
        """Let one order lack what it must have."""

    def heal(self) -> None:
        """End all troubles."""

    def add_strangeness(self) -> None:
        """Let an order tell what no version of ours has heard of."""

    def delivery(self, order: str, number: str, *, forged: bool = False) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers by which it rings that an order changed."""


class BazaarStand:
    """Bazaar, the small platform of the tests."""

    def __init__(self, bazaar: Bazaar) -> None:
        self.bazaar, self.connector = bazaar, ringing(connector(replace(by_fives(FILED), label="orders", again=AGAIN, comparison=COMPARISON)))
        self.account, self.base_url, self.currency = "north", bazaar.url, "EUR"
        self.token = "bazaar-token-7"
        self.secrets = {"token": self.token, "bell": KEY}
        self._first = datetime.now(UTC) - timedelta(days=9)
        bazaar.add(*(self._order(number) for number in range(ORDERS)))
        self.files = Files(bazaar)

    def _order(self, number: int, **more: object) -> dict:
        at = (self._first + timedelta(hours=number)).isoformat()
        return {**a_record(number), "placed": at, "changed": at, **more}

    def change(self) -> None:
        now = datetime.now(UTC) - timedelta(minutes=5)
        refund = {"id": "r1", "at": now.isoformat(), "amount": "5.00"}
        self.bazaar.add(self._order(3, changed=now.isoformat(), refunds=[refund]))

    def pages(self) -> int:
        return sum(asked.startswith("/orders?") for asked in self.bazaar.asked)

    def revoke(self) -> None:
        self.bazaar.switches.refuse = {"": (401, {})}

    def cut(self, page: int) -> None:
        seen = [0]

        def before(path: str) -> None:
            seen[0] += path == "/orders"
            self.bazaar.switches.cuts_at = 30 if path == "/orders" and page <= seen[0] < page + 3 else None

        self.bazaar.switches.before = before

    def limit(self, seconds: int) -> None:
        self.bazaar.switches.refuse = {"/orders": (429, {"Retry-After": str(seconds)})}

    def spoil(self) -> None:
        del self.bazaar.orders["2"]["currency"]

    def heal(self) -> None:
        self.bazaar.switches.refuse, self.bazaar.switches.before = {}, lambda path: None
        self.bazaar.orders["2"]["currency"] = "EUR"

    def add_strangeness(self) -> None:
        self.bazaar.orders["4"] |= {"loyalty": {"points": [1, None]}, "total2": "x"}

    def delivery(self, order: str, number: str, *, forged: bool = False) -> tuple[bytes, dict[str, str]]:
        return delivery("order", number, key="guessed" if forged else KEY, order=order)


@contextmanager
def open_bazaar_stand() -> Iterator[Stand]:
    """Open Bazaar."""
    with open_bazaar() as bazaar:
        yield BazaarStand(bazaar)


class ShopifyStand:
    """Shopify, as the sandbox serves it: a shop with a mug, sold once a day."""

    def __init__(self, sandbox: Sandbox, shop: Shop, refunds_at: datetime) -> None:
        orders = SHOPIFY.stream("orders")
        self.connector = replace(SHOPIFY, streams=tuple(by_fives(orders) if stream is orders else stream for stream in SHOPIFY.streams))
        self.account, self.base_url, self.currency = shop.domain, shop.base_url, "USD"
        self.token = shop.tokens.permanent(KNOWN_SCOPES)
        self.secrets = {"access_token": self.token, "client_id": "the-client-id", "client_secret": SECRET}
        self._sandbox, self._shop, self._refunds_at = sandbox, shop, refunds_at

    def change(self) -> None:
        self._sandbox.clock.set(self._refunds_at + timedelta(hours=1))

    def pages(self) -> int:
        return sum(request["operation"] == "Orders" for request in self._shop.requests)

    def revoke(self) -> None:
        self._shop.tokens.revoke_all()

    def cut(self, page: int) -> None:
        self._shop.troubles.add("cut_body", first=page, count=3, operation="Orders", keep=40)

    def limit(self, seconds: int) -> None:
        self._shop.troubles.add("rate_limited", operation="Orders", retry_after=seconds)

    def spoil(self) -> None:
        self._shop.troubles.add("missing_field", operation="Orders", field="currencyCode", record=2)

    def heal(self) -> None:
        self._shop.troubles.clear()

    def add_strangeness(self) -> None:
        self._shop.troubles.add("unknown_value", operation="Orders", field="Order.displayFinancialStatus", value="HAGGLED_OVER")

    def delivery(self, order: str, number: str, *, forged: bool = False) -> tuple[bytes, dict[str, str]]:
        body = body_of(an_order(int(order)))
        return body, headers_of(body, "orders/updated", delivery=number, secret="guessed" if forged else SECRET, shop=self.account)


@contextmanager
def open_shopify_stand() -> Iterator[Stand]:
    """Open a shop of Shopify's with orders of February, the fourth of which is given back on 20 March."""
    small = Small()
    mug = small.product("Mug", 2_000, (str(date(2025, 12, 1)), 700))
    for number in range(ORDERS):
        item = small.item(mug)
        order = small.order(f"02-{number + 1:02} 10:00", item, carriages=(small.carriage(500),))
        small.pay(order, f"02-{number + 1:02} 10:01", 2_500, fee=103)
        if number == 3:
            small.refund(order, "03-20 12:00", 2_000, small.back(item))
    with Sandbox(Clock(datetime(2026, 3, 15, 12, tzinfo=UTC))) as sandbox:
        shop = sandbox.add_shop("small-shop.myshopify.com", WorldRows(small.world()), app=App("the-client-id", SECRET))
        yield ShopifyStand(sandbox, shop, datetime(2026, 3, 20, 18, tzinfo=UTC))


STANDS: dict[str, Callable[[], AbstractContextManager[Stand]]] = {"bazaar": open_bazaar_stand, "shopify": open_shopify_stand}
