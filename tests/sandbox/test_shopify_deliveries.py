"""Subscribe, let things happen, and receive what Shopify would deliver: signed, repeated by its rules, and troubled on demand."""

import base64
import hmac
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from connectors.sandbox import posting
from connectors.sandbox.clock import Clock
from connectors.sandbox.index import seconds
from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.server import Sandbox
from connectors.sandbox.serving import open_shop
from connectors.sandbox.shopify_courier import WAITS
from connectors.sandbox.shopify_payloads import Payloads
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_topics import TOPICS, of_goods, of_story
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.shopping import Counter as Till
from connectors.sandbox.story import Cancelled, Deleted, Disputed, Edited, FeeTold, Returned, Settled, Touched
from connectors.sandbox.world import World
from tests.platform.clusters import wait_until
from tests.sandbox.conftest import APP, DOMAIN, NOW, Caller
from tests.sandbox.receiving import Receiver, receiving
from tests.sandbox.shopify_documents import document
from tests.sandbox.small_worlds import Small


@pytest.fixture
def business_rows() -> WorldRows:
    """Make a business that a test may change."""
    return WorldRows(World.live(seed=7, start=date(2026, 1, 1), days=60, orders_per_day=4, scenario="refund_storm"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return an address that answers 200."""
    with receiving() as opened:
        yield opened


def subscribe(caller: Caller, receiver: Receiver, *topics: str, **wanted: object) -> list[str]:
    """Subscribe to topics and return the ids; what happens from now on is told."""
    found = []
    for topic in topics:
        made = caller.data(document("webhook_create"), topic=topic, wanted={"uri": receiver.uri, "format": "JSON", **wanted})
        found.append(made["webhookSubscriptionCreate"]["webhookSubscription"]["id"])
    caller.shop.bell.ring()
    return found


def pass_time(shop: Shop, seconds: int) -> None:
    """Let time pass, and deliver what is due then."""
    shop.clock.advance(seconds)
    shop.bell.ring()
    shop.courier.deliver()


def signed(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def test_an_order_is_told_signed_and_with_all_headers(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "ORDERS_CREATE", name="live")
    shop = caller.shop
    variant = Till(shop.rows.world).goods(NOW)[0]
    shop.bell.place(Till(shop.rows.world).place(shop.now(), variant.id, units=2, percent=10, carriage="none"))
    shop.courier.deliver()
    (came,) = receiver.came
    headers = {name: value for name, value in came.headers.items() if name.startswith("X-Shopify") or name == "Content-Type"}
    assert headers.pop("X-Shopify-Webhook-Id") != headers.pop("X-Shopify-Event-Id")
    assert headers == {
        "Content-Type": "application/json", "X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": DOMAIN, "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Hmac-Sha256": signed(came.body, APP.client_secret), "X-Shopify-Triggered-At": "2026-03-15T12:00:00.000000000Z",
        "X-Shopify-Test": "false", "X-Shopify-Name": "live",
    }  # fmt: skip
    said = came.said
    row = caller.data(
        "query O($id: ID!) { order(id: $id) { name updatedAt currentTotalPriceSet { shopMoney { amount } } lineItems(first: 5) { nodes { id } } } }",
        id=said["admin_graphql_api_id"],
    )["order"]  # fmt: skip
    assert (said["name"], said["updated_at"], Decimal(said["current_total_price"]), said["line_items"][0]["admin_graphql_api_id"]) == (
        row["name"], "2026-03-15T08:00:00-04:00", Decimal(row["currentTotalPriceSet"]["shopMoney"]["amount"]), row["lineItems"]["nodes"][0]["id"],
    )  # fmt: skip
    assert (row["updatedAt"], said["financial_status"], said["discount_codes"][0]["code"]) == ("2026-03-15T12:00:00Z", "paid", "COUNTER")


def test_each_thing_that_happens_rings_its_topics() -> None:
    small = Small()
    item, sent = (small.item(small.product("Mug", 2_000, ("2026-01-01", 700)), 3) for _ in range(2))
    number, other = small.order("03-01 10:00", item), small.order("03-01 10:00", small.item(small.variants[0]))
    small.pay(number, "03-01 10:00", 6_000, status="FAILURE")
    small.pay(number, "03-01 10:00", 6_000, status="PENDING", gateway="Bank Deposit")
    payment = small.pay(number, "03-01 11:00", 6_000, fee=204)
    small.refund(number, "03-02 10:00", 2_000, small.back(item))
    small.then(
        number, Edited(small.at("03-03 10:00"), small.id(), removed=((item.id, 1),)), Touched(small.at("03-03 10:00"), "seen"),
        Returned(small.at("03-04 10:00"), small.id(), small.id(), (small.back(item),), (sent,)),
        FeeTold(small.at("03-05 10:00"), payment.id), Disputed(small.at("03-06 10:00"), small.id(), "CHARGEBACK", "GENERAL", 100, 15, payment.id),
    )  # fmt: skip
    small.then(number, Settled(small.at("03-07 10:00"), small._last, "LOST"), Deleted(small.at("03-08 10:00")))
    small.then(other, Cancelled(small.at("03-02 10:00")))
    told = {story.id: of_story(story, 0, seconds(small.at("12-01 10:00"))) for story in small.world().stories()}
    assert [(f"{ring.at:%d}", ring.topic) for ring in told[number]] == [
        ("01", "orders/create"), ("01", "order_transactions/create"), ("01", "order_transactions/create"), ("01", "orders/updated"),
        ("02", "refunds/create"), ("02", "order_transactions/create"), ("02", "orders/updated"),
        ("03", "orders/edited"), ("03", "orders/updated"), ("04", "returns/update"), ("04", "refunds/create"), ("04", "orders/updated"),
        ("06", "disputes/create"), ("07", "disputes/update"), ("08", "orders/delete"),
    ]  # fmt: skip
    assert [ring.topic for ring in told[other]] == ["orders/create", "orders/cancelled", "orders/updated"]


def test_what_becomes_of_a_placed_order_rings_once_each(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, *TOPICS)
    shop = caller.shop
    till = Till(shop.rows.world)
    goods, steps = till.goods(shop.now())[0].id, []
    for step in (
        lambda now: till.place(now, goods, units=2), lambda now: till.refund(shop.rows.world.placed()[0], now, units=1),
        lambda now: till.dispute(shop.rows.world.placed()[0], now), lambda now: till.settle(shop.rows.world.placed()[0], now, won=True),
    ):  # fmt: skip
        now = shop.now()
        shop.bell.place(step(now))
        shop.courier.deliver()
        steps.append([each.topic for each in receiver.came if each.headers["X-Shopify-Triggered-At"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")])
        receiver.came.clear()
        shop.clock.advance(1)
    assert steps == [
        ["orders/create", "order_transactions/create"], ["refunds/create", "order_transactions/create", "orders/updated"],
        ["disputes/create"], ["disputes/update"],
    ]  # fmt: skip


def test_every_scenario_can_be_told() -> None:
    """Every body names what it is about, an order's sums are the order's own, and every topic of a business rings somewhere."""
    told: Counter[str] = Counter()
    for scenario in SCENARIOS:
        world = World.live(seed=5, start=date(2026, 1, 1), days=25, orders_per_day=2, scenario=scenario)
        payloads, end = Payloads(world, DOMAIN), seconds(datetime(2027, 1, 1, tzinfo=UTC))
        rings = [*of_goods(world.catalogue, world.shop), *(ring for story in world.stories() for ring in of_story(story, 0, end))]
        for ring in rings:
            body = payloads.of(ring)
            if body is None:  # an order that was deleted in the same moment
                assert ring.kind != "Product"
                continue
            told[ring.topic] += 1
            msgspec.json.encode(body)
            if ring.kind != "OrderEdit":
                assert body["id"] == ring.id
            if ring.kind == "Order" and ring.topic != "orders/delete":
                order = world.order(ring.order, ring.at)
                assert order is not None
                assert sum(Decimal(line["price"]) * line["quantity"] * 100 for line in body["line_items"]) == sum(
                    line.original_total for line in order.lines
                )
    assert set(TOPICS.values()) - set(told) == {"bulk_operations/finish", "app/scopes_update", "app/uninstalled"}


def test_a_delivery_that_fails_is_repeated_as_it_was_at_shopifys_times(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "ORDERS_UPDATED")
    shop, receiver.status = caller.shop, 302  # a redirect is no answer
    shop.bell.tell("orders/updated", {"id": 1, "updated_at": "now"})
    shop.courier.deliver()
    for wait in WAITS[:3]:
        pass_time(shop, wait - 1)
        before = len([each for each in receiver.came if each.said["id"] == 1])
        pass_time(shop, 1)
        assert len([each for each in receiver.came if each.said["id"] == 1]) == before + 1
    receiver.status = 204
    pass_time(shop, WAITS[3])
    tries = [each for each in receiver.came if each.said["id"] == 1]
    assert len(tries) == 5
    assert len({(each.body, each.headers["X-Shopify-Webhook-Id"], each.headers["X-Shopify-Hmac-Sha256"]) for each in tries}) == 1
    receiver.came.clear()
    pass_time(shop, 14_400)
    assert [each for each in receiver.came if each.said["id"] == 1] == []


def test_after_eight_failures_in_a_row_the_subscription_is_gone(caller: Caller, receiver: Receiver) -> None:
    (first,) = subscribe(caller, receiver, "SHOP_UPDATE")
    shop, receiver.status = caller.shop, 500
    shop.bell.tell("shop/update", {"id": 1})
    shop.courier.deliver()
    for wait in WAITS[:6]:
        pass_time(shop, wait)
    assert (list(shop.subscriptions), len(receiver.came)) == ([first], 7)
    pass_time(shop, WAITS[6])
    assert (shop.subscriptions, len(receiver.came), shop.bell.outbox.waiting) == ({}, 8, 0)


def test_one_success_in_between_keeps_the_subscription(caller: Caller, receiver: Receiver) -> None:
    (first,) = subscribe(caller, receiver, "SHOP_UPDATE")
    shop, receiver.status = caller.shop, 500
    shop.bell.tell("shop/update", {"id": 1})
    shop.courier.deliver()
    for place, wait in enumerate(WAITS):
        if place == 4:
            receiver.status = 200
            shop.bell.tell("shop/update", {"id": 2})
            shop.courier.deliver()
            receiver.status = 500
        pass_time(shop, wait)
    assert (list(shop.subscriptions), Counter(each.said["id"] for each in receiver.came)) == ([first], {1: 9, 2: 1})
    assert (shop.courier.counts["given_up"], shop.bell.outbox.waiting) == (1, 0)


def test_troubles_strike_deliveries(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "SHOP_UPDATE")
    shop = caller.shop

    def told(*troubles: dict) -> list[int]:
        """Tell three things and return the ids in which order they came within half a minute."""
        receiver.came.clear()
        for trouble in troubles:
            shop.troubles.add(**trouble)
        for number in (1, 2, 3):
            shop.bell.tell("shop/update", {"id": number})
        shop.courier.deliver()
        pass_time(shop, 30)
        shop.troubles.clear()
        return [each.said["id"] for each in receiver.came]

    assert told() == [1, 2, 3]
    assert told({"kind": "lost", "first": 2, "count": 1}) == [1, 3]
    assert told({"kind": "repeated", "first": 2, "count": 1, "copies": 2}) == [1, 2, 2, 2, 3]
    assert len({each.headers["X-Shopify-Webhook-Id"] for each in receiver.came}) == 3
    assert told({"kind": "late", "count": 2, "seconds": 20}) == [3, 1, 2]
    assert told({"kind": "late", "operation": "orders/create"}) == [1, 2, 3]
    assert told({"kind": "out_of_order", "seconds": 10}) == [3, 2, 1]
    assert told({"kind": "forged", "every": 2}) == [1, 1, 2, 3, 3]
    right = [each.headers["X-Shopify-Hmac-Sha256"] == signed(each.body, APP.client_secret) for each in receiver.came]
    assert right == [True, False, True, True, False]


def test_after_a_rotation_the_former_secret_signs_for_an_hour(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "SHOP_UPDATE")
    shop = caller.shop
    shop.rotate("another-secret")
    for wait in (0, 3_599, 1):
        shop.clock.advance(wait)
        shop.bell.tell("shop/update", {"id": 1})
        shop.courier.deliver()
    shop.troubles.add("former_secret", count=1)
    shop.bell.tell("shop/update", {"id": 1})
    shop.courier.deliver()
    body = receiver.came[0].body
    former, new = signed(body, APP.client_secret), signed(body, "another-secret")
    assert [each.headers["X-Shopify-Hmac-Sha256"] for each in receiver.came] == [former, former, new, former]


def test_fields_are_picked_and_what_tells_nothing_new_is_not_told_again(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "ORDERS_UPDATED", includeFields=["id", "line_items.id"])
    bell = caller.shop.bell
    for price in ("1.00", "2.00"):
        bell.tell("orders/updated", {"id": 7, "total_price": price, "line_items": [{"id": 8, "price": price}]})
    caller.shop.courier.deliver()
    assert [each.said for each in receiver.came] == [{"id": 7, "line_items": [{"id": 8}]}]


def test_uninstalling_is_the_last_that_is_told_but_for_the_request_to_forget(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "APP_UNINSTALLED", "SHOP_UPDATE")
    shop = caller.shop
    shop.bell.set_compliance(f"{receiver.uri}/compliance")
    shop.bell.tell("shop/update", {"id": 1})
    shop.uninstall()
    pass_time(shop, 172_799)
    assert (receiver.topics(), shop.subscriptions) == (["app/uninstalled"], {})
    pass_time(shop, 1)
    assert receiver.topics() == ["app/uninstalled", "shop/redact"]
    assert receiver.came[-1].said == {"shop_id": 6_000_007, "shop_domain": DOMAIN}


def test_a_shop_that_takes_the_app_back_is_not_to_be_forgotten(caller: Caller, receiver: Receiver) -> None:
    caller.shop.bell.set_compliance(receiver.uri)
    caller.shop.uninstall()
    caller.shop.tokens.permanent(frozenset({"read_orders"}))
    pass_time(caller.shop, 200_000)
    assert receiver.topics() == []


def test_people_ask_for_what_is_known_of_them_and_to_be_forgotten(caller: Caller, receiver: Receiver) -> None:
    bell = caller.shop.bell
    assert bell.about_customer("customers/redact", 8_000_000_000) == 0
    bell.set_compliance(receiver.uri)
    orders = list(caller.shop.rows.index.orders_of[8_000_000_000])
    assert [bell.about_customer(topic, 8_000_000_000) for topic in ("customers/redact", "customers/data_request")] == [1, 1]
    caller.shop.courier.deliver()
    redact, request = (each.said for each in receiver.came)
    email = caller.shop.rows.world.source.customer(8_000_000_000, NOW).email
    who = {"id": 8_000_000_000, "email": email, "phone": None}
    shop = {"shop_id": 6_000_007, "shop_domain": DOMAIN}
    assert redact == {**shop, "customer": who, "orders_to_redact": orders}
    assert request == {**shop, "customer": who, "orders_requested": orders, "data_request": {"id": seconds(NOW)}}


def test_scopes_and_bulk_operations_are_told_of(caller: Caller, receiver: Receiver) -> None:
    subscribe(caller, receiver, "APP_SCOPES_UPDATE", "BULK_OPERATIONS_FINISH")
    started = caller.data(document("bulk_run"), asked="{ orders { edges { node { id } } } }")["bulkOperationRunQuery"]["bulkOperation"]["id"]
    number = int(started.rpartition("/")[2])
    assert caller.shop.bulk.operations[number].written.wait(20)
    caller.shop.tokens.narrow(frozenset({"read_orders"}))
    pass_time(caller.shop, 60)
    bodies = {each.topic: each.said for each in receiver.came}
    assert bodies["bulk_operations/finish"] == {
        "admin_graphql_api_id": started, "completed_at": "2026-03-15T12:01:00Z", "created_at": "2026-03-15T12:00:00Z", "error_code": None,
        "status": "completed", "type": "query",
    }  # fmt: skip
    assert bodies["app/scopes_update"]["current"] == ["read_orders"]


def test_a_restart_loses_nothing_that_waits_or_happened_within_four_hours(tmp_path: Path, receiver: Receiver) -> None:
    state = tmp_path / "sandbox.json"
    sandbox, shop = open_shop(days=5, orders_per_day=30, now=NOW, state=state)
    shop.subscriptions["one"] = {"id": "one", "topic": "ORDERS_CREATE", "uri": receiver.uri, "name": None, "includeFields": []}
    shop.changed()
    shop.bell.ring()
    variant = Till(shop.rows.world).goods(NOW)[0]
    placed = Till(shop.rows.world).place(shop.now(), variant.id)
    shop.bell.place(placed)
    receiver.status = 503
    shop.courier.deliver()
    first = receiver.came[0]
    sandbox.close()

    receiver.status = 200
    receiver.came.clear()
    later = NOW + timedelta(hours=6)
    again, kept = open_shop(days=5, orders_per_day=30, now=later, state=state)
    kept.bell.ring()
    kept.courier.deliver()
    assert kept.rows.world.story(placed.id) == placed
    assert (receiver.came[0].body, receiver.came[0].headers["X-Shopify-Webhook-Id"]) == (first.body, first.headers["X-Shopify-Webhook-Id"])
    told = {each.said["id"] for each in receiver.came[1:]}
    index = kept.rows.index
    asked = zip(index.orders, index.created, strict=True)
    assert told == {order for order, at in asked if seconds(later) - 14_400 < at <= seconds(later)}
    assert told
    again.close()


def test_the_file_of_another_business_is_not_taken_over(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.json"
    sandbox, shop = open_shop(days=5, orders_per_day=3, now=NOW, state=state)
    shop.bell.place(Till(shop.rows.world).place(shop.now(), Till(shop.rows.world).goods(NOW)[0].id))
    assert (tmp_path / "sandbox.sqlite").stat().st_mode & 0o777 == 0o600
    sandbox.close()
    again, other = open_shop(days=5, orders_per_day=4, now=NOW, state=state)
    assert other.rows.world.placed() == []
    again.close()


def test_it_delivers_by_itself_while_it_is_served(receiver: Receiver) -> None:
    world = World.live(seed=3, start=date(2026, 1, 1), days=60, orders_per_day=20)
    with Sandbox(Clock(datetime(2026, 2, 1, tzinfo=UTC), speed=86_400)) as sandbox:
        shop = sandbox.add_shop(DOMAIN, WorldRows(world), app=App("id", "secret"))
        shop.subscriptions["one"] = {"id": "one", "topic": "ORDERS_CREATE", "uri": receiver.uri, "name": None, "includeFields": []}
        shop.rows.index  # noqa: B018  made before anybody waits
        shop.courier.start()
        assert wait_until(lambda: len(receiver.came) >= 30, seconds=30)
    ids = [each.said["id"] for each in receiver.came]
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == list(range(min(ids), min(ids) + len(ids)))


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9/closed", "http://nobody.invalid/", "https://127.0.0.1:9/"])
def test_where_nobody_listens_there_is_no_answer(uri: str) -> None:
    assert posting.post(uri, {}, b"{}") is None


def test_who_is_silent_or_dribbles_has_not_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def dribble() -> None:
            line, _ = server.accept()
            with line:
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40:
                    try:
                        line.sendall(bytes([byte]))
                    except OSError:
                        return
                    threading.Event().wait(0.02)

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        assert posting.post(f"http://127.0.0.1:{port}/", {}, b"{}", whole=0.3) is None
        thread.join(10)
