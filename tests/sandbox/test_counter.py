"""Buy at the simulated shop's counter, give back, cancel and dispute: Shopify tells it, and the oracle knows it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import requests

from connectors.sandbox.oracle import Oracle
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.shopping import Counter, NotPossible, Standing
from connectors.sandbox.story import Story
from connectors.sandbox.world import World
from tests.sandbox.conftest import NOW, Caller

CHANGED = "query C($q: String!) { orders(first: 50, query: $q, sortKey: UPDATED_AT) { nodes { name updatedAt displayFinancialStatus } } }"


@pytest.fixture
def business_rows() -> WorldRows:
    """Make a business that a test may change."""
    return WorldRows(World.live(seed=7, start=date(2026, 1, 1), days=60, orders_per_day=4, scenario="refund_storm"))


class Page:
    """Post the counter's forms, as a browser does."""

    def __init__(self, caller: Caller) -> None:
        self.caller, self.address = caller, f"{caller.shop.base_url}/counter"
        self.origin = caller.sandbox.address

    def post(self, what: str, *, origin: str | None = "", **fields: object) -> requests.Response:
        """Send a form, by default as one of this page's own."""
        headers = {"Origin": self.origin if origin == "" else origin} if origin is not None else {}
        return requests.post(self.address, data={"what": what, **fields}, headers=headers, timeout=20, allow_redirects=False)

    def did(self, what: str, **fields: object) -> Story:
        """Send a form that is accepted, and return the newest order."""
        answer = self.post(what, **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/shops/{self.caller.shop.domain}/counter?done={what}")
        return self.caller.shop.rows.world.placed()[-1]

    def changed(self) -> list[tuple[str, str, str]]:
        """List what a search finds changed since the beginning of the test."""
        nodes = self.caller.data(CHANGED, q=f"updated_at:>='{NOW:%Y-%m-%dT%H:%M:%SZ}'")["orders"]["nodes"]
        return [(node["name"], node["updatedAt"][11:19], node["displayFinancialStatus"]) for node in nodes if node["name"] > "#9"]

    def true(self) -> dict[str, Decimal]:
        """Return what the oracle says of all orders that were placed."""
        world, found = self.caller.shop.rows.world, {}
        by_order = Oracle(world, at=self.caller.shop.now()).by_order()
        for story in world.placed():
            for line, value in by_order[story.id].moved.items():
                found[line] = found.get(line, Decimal(0)) + value
        return found


@pytest.fixture
def page(caller: Caller) -> Page:
    """Return the counter of a shop whose clock only the test moves."""
    return Page(caller)


def test_an_order_is_placed_given_back_in_part_and_then_the_rest(page: Page) -> None:
    variant = Counter(page.caller.shop.rows.world).goods(NOW)[0]
    price = variant.price_at(NOW).minor
    assert page.changed() == []
    page.did("place", variant=variant.id, units=3, percent=10, carriage="standard", pays="card", came_by="newsletter-week")
    assert page.changed() == [("#900001", "12:00:00", "PAID")]
    gross, off = Decimal(3 * price) / 100, Decimal(3 * price * 10 // 100) / 100
    assert {line: page.true()[line] for line in ("gross_sales", "discounts", "orders", "units", "shipping_charged")} == {
        "gross_sales": gross, "discounts": -off, "orders": 1, "units": 3, "shipping_charged": Decimal("4.99"),
    }  # fmt: skip
    page.caller.sandbox.clock.advance(60)
    page.did("refund", order=5_900_000_001, units=1)
    assert page.changed() == [("#900001", "12:01:00", "PARTIALLY_REFUNDED")]
    page.caller.sandbox.clock.advance(60)
    story = page.did("refund", order=5_900_000_001)
    assert page.changed() == [("#900001", "12:02:00", "REFUNDED")]
    true = page.true()
    assert (true["gross_sales"] + true["discounts"] + true["returns"], true["returned_units"], "shipping_charged" in true) == (0, 3, False)
    standing = Standing(story)
    assert (standing.units, sum(standing.left.values()), standing.may_refund, standing.may_cancel) == (0, 0, False, False)


def test_what_the_bank_does_with_it_is_in_payouts_as_if_it_had_always_been_known(page: Page) -> None:
    shop = page.caller.shop
    world = shop.rows.world
    variant = Counter(world).goods(NOW)[3].id
    later = NOW + timedelta(days=20)
    before = [payout.net for payout in world.payouts(later)]
    assert [payout.net for payout in shop.rows.index.payouts if payout.issued_at <= later] == before
    for _ in range(2):
        page.did("place", variant=variant)
    page.did("dispute", order=5_900_000_001)
    page.did("refund", order=5_900_000_002)
    page.caller.sandbox.clock.advance(86_400)
    page.did("won", order=5_900_000_001)
    told = [payout for payout in shop.rows.index.payouts if payout.issued_at <= later]
    assert told == world.payouts(later)
    assert sum(payout.net for payout in told) != sum(before)
    kept, anew = (_moves(rows, later) for rows in (shop.rows, WorldRows(world)))
    assert kept == anew


def _moves(rows: WorldRows, at: datetime) -> list[dict[str, object]]:
    """Return the balance as a shop tells it at a moment."""
    table = rows.view(at, since=None, lag=0).table("ShopifyPaymentsBalanceTransaction")
    shown = ("id", "type", "transactionDate", "amount", "fee", "net")
    return [{name: row[name] for name in shown} for _, number in table.keys("PROCESSED_AT") for row in (table.row(number),)]


def test_a_deposit_is_waited_for_and_a_cancelled_order_given_back(page: Page) -> None:
    variant = Counter(page.caller.shop.rows.world).goods(NOW)[0].id
    page.did("place", variant=variant, pays="deposit")
    assert page.changed() == [("#900001", "12:00:00", "PENDING")]
    page.did("pay", order=5_900_000_001)
    assert page.changed() == [("#900001", "12:00:00", "PAID")]
    page.did("cancel", order=5_900_000_001)
    assert page.changed() == [("#900001", "12:00:00", "REFUNDED")]
    page.did("place", variant=variant, pays="deposit")
    page.did("cancel", order=5_900_000_002)
    assert page.changed()[1] == ("#900002", "12:00:00", "VOIDED")
    assert Standing(page.caller.shop.rows.world.placed()[-1]).waits is None


def test_what_cannot_be_is_said_and_not_done(page: Page) -> None:
    variant = Counter(page.caller.shop.rows.world).goods(NOW)[0].id
    refused = [
        page.post("place", variant=1), page.post("place", variant=variant, units=101), page.post("place", variant=variant, percent=-1),
        page.post("place", variant=variant, units="many"), page.post("place", variant=variant, pays="shells"), page.post("refund", order=1),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [400] * 6
    assert page.caller.shop.rows.world.placed() == []
    page.did("place", variant=variant, pays="paypal")
    wrong = [page.post(what, order=5_900_000_001) for what in ("pay", "dispute", "won", "burn")]
    assert [answer.status_code for answer in wrong] == [400] * 4
    page.did("cancel", order=5_900_000_001)
    assert [page.post(what, order=5_900_000_001).status_code for what in ("cancel", "refund")] == [400, 400]
    assert "The order is cancelled, given back or disputed already." in page.post("cancel", order=5_900_000_001).text


def test_another_sites_form_does_nothing(page: Page) -> None:
    variant = Counter(page.caller.shop.rows.world).goods(NOW)[0].id
    strange = [page.post("place", origin=origin, variant=variant) for origin in ("https://evil.example", "null", "http://127.0.0.1:1")]
    rebound = requests.post(page.address, data={"what": "place", "variant": variant}, headers={"Host": "evil.example"}, timeout=20)
    control = requests.post(
        f"{page.origin}/sandbox/shops/{page.caller.shop.domain}/uninstall", headers={"Origin": "https://evil.example"}, timeout=20
    )
    assert [answer.status_code for answer in (*strange, rebound, control)] == [403] * 5
    assert (page.caller.shop.rows.world.placed(), page.caller.shop.tokens.installed is not None) == ([], True)
    assert page.post("place", origin=None, variant=variant).status_code == 303  # a program, no page


def test_the_page_shows_what_may_be_done_and_lets_nothing_in(page: Page) -> None:
    answer = requests.get(page.address, timeout=20)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "None yet." in answer.text
    assert "Nobody has subscribed" in answer.text
    page.did("place", variant=Counter(page.caller.shop.rows.world).goods(NOW)[0].id, units=2)
    shown = requests.get(f"{page.address}?done=place", timeout=20).text
    assert "The order is placed." in shown
    for label in ("Give back", "Give all back", "Cancel", "Dispute"):
        assert f'aria-label="{label} #900001">{label}</button>' in shown
    assert "<script" not in shown
    assert "&lt;" not in requests.get(f"{page.address}?done=<b>", timeout=20).text


def test_a_clock_turned_back_lets_nothing_happen_before_what_happened(page: Page) -> None:
    page.did("place", variant=Counter(page.caller.shop.rows.world).goods(NOW)[0].id)
    page.caller.sandbox.clock.advance(-3_600)
    story = page.caller.shop.rows.world.placed()[0]
    assert Counter(page.caller.shop.rows.world).refund(story, page.caller.shop.now()).happenings[-1].at == NOW
    with pytest.raises(NotPossible, match="Give back at least one unit"):
        Counter(page.caller.shop.rows.world).refund(story, NOW, units=0)
