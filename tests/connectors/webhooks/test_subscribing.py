"""A platform rings because it was asked to; what has gone is mended, and who leaves says so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import registry
from connectors.connections import disconnect, kept
from connectors.faults import RetryLater
from connectors.models import Connection, SyncRun, WebhookDelivery, WebhookDoor
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.platforms.shopify.webhooks import NEEDED, TOPICS
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.webhooks import doors, subscribing, watching
from ledger.models import Finding, Store
from tests.builders import a_store
from tests.connectors.bazaar import Bazaar, open_bazaar
from tests.connectors.bazaar_bells import Bells, ringing
from tests.connectors.webhooks.ringing import SECRET, SHOP, connected_to_shopify
from tests.connectors.webhooks.test_draining import connected
from tests.sandbox.small_worlds import Small

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HERE = "https://profit.example.com"


@pytest.fixture
def store(settings: Any) -> Store:
    settings.SITE_URL = HERE
    return a_store(currency="USD")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Sandbox(Clock(NOW)) as sandbox:
        yield sandbox.add_shop(SHOP, WorldRows(Small().world()), app=App("the-client-id", SECRET))


@pytest.fixture
def connection(store: Store, shop: Shop) -> Connection:
    return connected_to_shopify(store, base_url=shop.base_url, token=shop.tokens.permanent(KNOWN_SCOPES))


def address_of(connection: Connection) -> str:
    return subscribing.address_of(connection.door, connection.platform)


def heard_of(shop: Shop, address: str) -> set[str]:
    return {TOPICS[row["topic"]] for row in shop.subscriptions.values() if row["uri"] == address}


def test_everything_is_subscribed_to_that_was_granted_and_with_few_fields_where_people_are_named(connection: Connection, shop: Shop) -> None:
    Connection.objects.update(scopes=sorted({*SHOPIFY.scopes} - {"read_inventory"}))
    connection.refresh_from_db()
    assert subscribing.keep(connection, now=NOW) == ""
    connection.door.refresh_from_db()
    assert address_of(connection).startswith(f"{HERE}/webhooks/shopify/")
    assert heard_of(shop, address_of(connection)) == set(NEEDED) - {"inventory_items/update"} == set(connection.door.topics)
    fields = {row["topic"]: row["includeFields"] for row in shop.subscriptions.values() if row["includeFields"]}
    assert fields == {key: ["id", "admin_graphql_api_id", "updated_at"] for key in ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED")}
    assert connection.door.checked_at == NOW


def test_what_has_gone_is_subscribed_to_again_and_the_rest_is_left_alone(connection: Connection, shop: Shop) -> None:
    subscribing.keep(connection, now=NOW)
    gone = next(key for key, row in shop.subscriptions.items() if row["topic"] == "ORDERS_UPDATED")
    kept_rows = {key: row for key, row in shop.subscriptions.items() if key != gone}
    del shop.subscriptions[gone]
    assert subscribing.keep(connection, now=NOW) == ""
    assert {key: row for key, row in shop.subscriptions.items() if key in kept_rows} == kept_rows
    assert heard_of(shop, address_of(connection)) == set(NEEDED)


def test_addresses_that_nobody_has_any_more_are_given_up_and_those_of_others_are_theirs(connection: Connection, shop: Shop) -> None:
    other = connected_to_shopify(a_store(slug="other"), base_url=shop.base_url, token=kept(connection).secrets["access_token"])
    subscribing.keep(other, now=NOW)
    subscribing.keep(connection, now=NOW)
    rows = list(shop.subscriptions.values())
    for number, uri in (("900", f"{HERE}/webhooks/shopify/former"), ("901", "https://else.example.com/hooks")):
        shop.subscriptions[f"gid://shopify/WebhookSubscription/{number}"] = rows[0] | {
            "id": f"gid://shopify/WebhookSubscription/{number}",
            "uri": uri,
        }
    subscribing.keep(connection, now=NOW)
    assert {row["uri"] for row in shop.subscriptions.values()} == {address_of(connection), address_of(other), "https://else.example.com/hooks"}
    assert heard_of(shop, address_of(other)) == set(NEEDED)


def test_who_disconnects_takes_leave_while_the_token_works(connection: Connection, shop: Shop) -> None:
    other = connected_to_shopify(a_store(slug="other"), base_url=shop.base_url, token=kept(connection).secrets["access_token"])
    subscribing.keep(other, now=NOW)
    subscribing.keep(connection, now=NOW)
    assert subscribing.take_leave(connection, now=NOW) is True
    assert {row["uri"] for row in shop.subscriptions.values()} == {address_of(other)}
    shop.tokens.revoke_all()
    assert subscribing.take_leave(other, now=NOW) is False
    disconnect(other, now=NOW)
    assert subscribing.take_leave(other, now=NOW) is False


@pytest.mark.parametrize("address", ["http://localhost:8000", "https://localhost", "https://127.0.0.1", "http://profit.example.com"])
def test_an_address_that_the_platform_cannot_reach_is_not_subscribed_with_and_its_owner_is_told(store: Store, settings: Any, address: str) -> None:
    settings.SITE_URL = address
    connection = connected_to_shopify(store)
    problem = subscribing.keep(connection, now=NOW)
    assert problem == (
        f"Webhooks are off: Shopify cannot reach {address}. Set SITE_URL to the https address at which this installation is on the internet, and "
        "restart it. Until then the account is asked every few minutes."
    )
    connection.door.refresh_from_db()
    assert (connection.door.problem, connection.door.topics) == (problem, [])


def test_without_a_client_secret_there_are_no_webhooks_and_it_is_said_how_to_have_them(store: Store) -> None:
    connection = connected_to_shopify(store, secret="")
    assert subscribing.keep(connection, now=NOW).startswith("Webhooks are off: they are signed with the client secret of your app")
    assert subscribing.why_not(connection, WebhookDoor.objects.get()) == WebhookDoor.objects.get().problem


def test_a_connection_older_than_webhooks_gets_its_door(connection: Connection, shop: Shop) -> None:
    WebhookDoor.objects.all().delete()
    connection = Connection.objects.get()
    subscribing.keep(connection, now=NOW)
    assert heard_of(shop, address_of(connection)) == set(NEEDED)


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", ringing())
    with open_bazaar() as bazaar:
        yield bazaar


def test_what_the_platform_refuses_is_told_and_the_rest_stands(bazaar: Bazaar, store: Store) -> None:
    bells, connection = Bells(bazaar), connected(store, bazaar)
    bells.refuses = "Not on your plan."
    assert subscribing.keep(connection, now=NOW) == "Bazaar does not tell of order, gone, left: Not on your plan."
    bells.refuses = ""
    assert subscribing.keep(connection, now=NOW) == ""
    assert [row["topic"] for row in bells.kept] == ["order", "gone", "left"]
    bazaar.switches.refuse = {"/bells": (503, {})}
    with pytest.raises(RetryLater):
        subscribing.keep(connection, now=NOW)


def test_a_platform_that_changed_orders_without_ringing_is_looked_at_and_then_told_of(bazaar: Bazaar, store: Store) -> None:
    connection = connected(store, bazaar)
    door, hour = connection.door, timedelta(hours=1)
    doors.note_subscriptions(door, ["order"], "", now=NOW)
    WebhookDoor.objects.update(made_at=NOW - 9 * hour)

    def looked(at: datetime) -> tuple[bool, int]:
        ask = watching.look(connection, now=at)
        return ask, Finding.objects.filter(kind="webhooks_silent", resolved_at=None).count()

    def read(at: datetime, changed: int) -> None:
        SyncRun.objects.create(
            connection=connection, stream="orders", mode="increment", status="done", started_at=at, heartbeat_at=at, changed=changed
        )  # fmt: skip

    read(NOW - 2 * hour, 0)
    assert looked(NOW) == (False, 0)
    read(NOW - hour, 3)
    # It was looked at since; what is found later says that this did not help.
    assert looked(NOW + hour / 2) == (False, 0)
    assert looked(NOW + 2 * hour) == (True, 0)
    read(NOW + hour, 1)
    assert looked(NOW + 2 * hour) == (True, 1)
    WebhookDelivery.objects.create(connection=connection, topic="order", delivery_id="1", received_at=NOW + hour + timedelta(minutes=1))
    assert looked(NOW + 2 * hour) == (False, 0)


def test_forged_deliveries_are_told_of_once_they_persist_and_no_longer_when_they_end(bazaar: Bazaar, store: Store) -> None:
    connection, minute = connected(store, bazaar), timedelta(minutes=1)

    def told(at: datetime) -> list[str]:
        watching.look(connection, now=at)
        return list(Finding.objects.filter(kind="webhooks_forged", resolved_at=None).values_list("message", flat=True))

    doors.note_refused({connection.pk: 40}, now=NOW)
    assert told(NOW + 5 * minute) == []
    doors.note_refused({connection.pk: 2}, now=NOW + 10 * minute)
    assert [each.partition(" at ")[0] for each in told(NOW + 11 * minute)] == ["42 deliveries"]
    assert len(told(NOW + timedelta(days=1))) == 1
    assert told(NOW + timedelta(days=1, minutes=11)) == []
    # After a day of quiet they are counted from one again.
    doors.note_refused({connection.pk: 1}, now=NOW + timedelta(days=2))
    assert (WebhookDoor.objects.get().refused, told(NOW + timedelta(days=2))) == (1, [])
