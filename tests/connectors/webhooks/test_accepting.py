"""What is taken at the door, and what is refused without a trace."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from connectors.connections import disconnect, pause
from connectors.models import Connection, WebhookDelivery, WebhookDoor
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.webhooks import deliveries, doors, front
from connectors.webhooks.doors import Doors, Refusals, Signing
from ledger.models import Store
from ledger.sealing import unseal
from profitpeek.jobs.models import Job
from tests.builders import a_store
from tests.connectors.webhooks.ringing import (
    PERSON,
    SECRET,
    SHOP,
    an_order,
    body_of,
    connected_to_shopify,
    headers_of,
    path_of,
    ring,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return a_store(currency="USD")


@pytest.fixture
def shop(store: Store) -> Connection:
    return connected_to_shopify(store)


def kept_of(row: WebhookDelivery) -> Any:
    return msgspec.json.decode(unseal(bytes(row.body or b"")))


def assert_nothing_kept() -> None:
    assert (WebhookDelivery.objects.count(), Job.objects.count()) == (0, 0)


def test_a_signed_delivery_is_written_down_without_people_and_rung_for_once(shop: Connection) -> None:
    answer = ring(path_of(shop), "orders/updated", an_order(5001, updated_at="2026-11-25T12:00:00Z"), delivery="d-7")
    assert (answer.status_code, answer.content) == (200, b"")
    (row,) = WebhookDelivery.objects.all()
    assert (row.connection, row.topic, row.delivery_id, row.event_id, row.version, row.state) == (
        shop, "orders/updated", "d-7", "e-d-7", "2026-10", "waiting",
    )  # fmt: skip
    assert kept_of(row) == {
        "id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001", "updated_at": "2026-11-25T12:00:00Z",
    }  # fmt: skip
    assert not any(str(value) in str(kept_of(row)) for value in PERSON.values())
    assert ring(path_of(shop), "orders/updated", an_order(5002), delivery="d-8").status_code == 200
    assert list(Job.objects.values_list("kind", "key", "parameters")) == [("follow-deliveries", f"connection:{shop.pk}", {"connection": shop.pk})]


def test_a_repetition_is_answered_and_changes_nothing(shop: Connection) -> None:
    for number in (5001, 5001, 5002):
        assert ring(path_of(shop), "orders/updated", an_order(number), delivery="d-1").status_code == 200
    assert [kept_of(row)["id"] for row in WebhookDelivery.objects.all()] == [5001]


def test_headers_of_the_newer_family_are_taken_as_well(shop: Connection) -> None:
    assert ring(path_of(shop), "orders/updated", an_order(1), family="shopify-").status_code == 200
    assert WebhookDelivery.objects.get().delivery_id == "d-1"


FORGED: dict[str, dict[str, Any]] = {
    "another secret": {"secret": "guessed"},
    "an empty secret": {"secret": ""},
    "another shop": {"shop": "other-shop.myshopify.com"},
    "no shop's domain": {"shop": "small-shop.example.com"},
    "a topic that is too long": {"topic": "x" * 121},
    "a delivery's id of nothing": {"delivery": ""},
    "an old delivery": {"at": datetime.now(UTC) - timedelta(days=3, minutes=1)},
}


@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_what_is_not_signed_for_this_address_is_refused_and_leaves_nothing(shop: Connection, how: dict[str, Any]) -> None:
    answer = ring(path_of(shop), **{"topic": "orders/updated", "payload": an_order(1), **how})
    assert answer.status_code == 401
    assert_nothing_kept()
    door = WebhookDoor.objects.get()
    assert door.refused == 1


def test_a_body_that_was_changed_after_signing_is_refused(shop: Connection) -> None:
    signed = headers_of(body_of(an_order(1)), "orders/updated")
    for body in (body_of(an_order(2)), body_of(an_order(1))[:-1], body_of(an_order(1)) + b" ", b""):
        assert Client().post(path_of(shop), body, content_type="application/json", headers=signed).status_code == 401
    assert_nothing_kept()


@pytest.mark.parametrize("path", ["/webhooks/shopify/guessed", "/webhooks/shopify", "/webhooks/etsy/guessed", "/webhooks/shopify/{token}/more"])
def test_an_address_that_nobody_has_is_refused_as_a_forged_delivery_is(shop: Connection, path: str) -> None:
    answer = ring(path, "orders/updated", an_order(1))
    assert answer.status_code in ((404,) if path.endswith("more") else (401,))
    assert_nothing_kept()


def test_another_method_is_told_to_post(shop: Connection) -> None:
    for method in ("get", "put", "delete", "head", "options"):
        answer = getattr(Client(), method)(path_of(shop))
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert_nothing_kept()


def test_a_body_beyond_two_megabytes_is_refused_whether_or_not_its_length_is_told(shop: Connection) -> None:
    body = b'{"id":' + b" " * 2_000_000 + b"1}"
    assert ring(path_of(shop), "orders/updated", body).status_code == 413
    fits = b'{"id":1' + b" " * (2_000_000 - 8) + b"}"
    assert ring(path_of(shop), "orders/updated", fits).status_code == 200
    untold = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = Client().generic("POST", path_of(shop), b"", "application/json", headers=headers_of(body, "orders/updated", delivery="d-2"), **untold)
    assert answer.status_code == 413
    assert WebhookDelivery.objects.count() == 1


def test_a_body_that_ends_before_its_length_is_refused(shop: Connection) -> None:
    body = body_of(an_order(1))
    short = {"wsgi.input": io.BytesIO(body[:20]), "CONTENT_LENGTH": str(len(body))}
    answer = Client().generic("POST", path_of(shop), b"", "application/json", headers=headers_of(body, "orders/updated"), **short)
    assert answer.status_code == 400
    assert_nothing_kept()


def test_a_packed_body_is_never_unpacked(shop: Connection) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    headers = headers_of(bomb, "orders/updated")
    assert Client().post(path_of(shop), bomb, content_type="application/json", headers={**headers, "Content-Encoding": "gzip"}).status_code == 415
    assert_nothing_kept()
    # Without saying so it is but bytes: signed, and nothing that can be read.
    assert Client().post(path_of(shop), bomb, content_type="application/json", headers=headers).status_code == 200
    assert WebhookDelivery.objects.get().state == "dead"


UNREADABLE = {
    "no JSON": b"order 5001",
    "cut": b'{"id": 5001, "admin_gra',
    "nested a million deep": b"[" * 900_000 + b"]" * 900_000,
    "nested within a field": b'{"id": 1, "note": ' + b"[" * 900_000 + b"]" * 900_000 + b"}",
    "a list": b"[5001]",
    "an id that is none": b'{"id": {"a": 1}}',
    "no UTF-8": b'{"admin_graphql_api_id": "\xff\xfe"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_signed_and_cannot_be_read_is_answered_and_given_up_where_its_owner_sees_it(shop: Connection, body: bytes) -> None:
    assert ring(path_of(shop), "orders/updated", body).status_code == 200
    row = WebhookDelivery.objects.get()
    assert (row.state, row.body, row.error) == ("dead", None, "The payload is not what Shopify documents.")


def test_the_secret_before_is_taken_for_a_while_and_the_one_before_that_never(shop: Connection, store: Store) -> None:
    now = datetime.now(UTC)
    for secret in ("second", "third"):
        doors.keep(shop, SHOPIFY, {"client_secret": secret}, now=now)
    doors.keep(shop, SHOPIFY, {"client_secret": "third"}, now=now + timedelta(hours=1))
    answers = [ring(path_of(shop), "orders/updated", an_order(1), secret=each, delivery=each) for each in (SECRET, "second", "third")]
    assert [answer.status_code for answer in answers] == [401, 200, 200]
    signing = Signing(present="third", former="second", former_until=now + timedelta(seconds=4_500))
    assert [signing.at(now + timedelta(seconds=later)) for later in (4_499, 4_500)] == [("third", "second"), ("third",)]


def test_a_connection_without_a_client_secret_has_no_door_that_opens(store: Store) -> None:
    shop = connected_to_shopify(store, secret="")
    assert ring(path_of(shop), "orders/updated", an_order(1), secret="").status_code == 401
    assert_nothing_kept()


LAW = {"shop_id": 1, "shop_domain": SHOP, "customer": PERSON, "orders_to_redact": [5001]}


def test_a_paused_account_is_still_rung_at_and_a_disconnected_one_only_by_law(shop: Connection) -> None:
    pause(shop)
    assert ring(path_of(shop), "orders/updated", an_order(1), delivery="d-1").status_code == 200
    disconnect(shop, now=datetime.now(UTC))
    assert ring(path_of(shop), "orders/updated", an_order(1), delivery="d-2").status_code == 401
    assert ring(path_of(shop), "customers/redact", LAW, delivery="d-3").status_code == 200
    assert list(WebhookDelivery.objects.order_by("pk").values_list("topic", "state")) == [("orders/updated", "done"), ("customers/redact", "waiting")]


def test_what_the_law_asks_for_finds_every_connection_of_the_shop_by_its_name_and_signature(shop: Connection, store: Store) -> None:
    other, apart = a_store(slug="other", currency="USD"), a_store(slug="apart", currency="USD")
    second, third = connected_to_shopify(other), connected_to_shopify(apart, secret="of another app")
    assert ring("/webhooks/shopify", "customers/redact", LAW).status_code == 200
    assert set(WebhookDelivery.objects.values_list("connection", flat=True)) == {shop.pk, second.pk}
    assert ring("/webhooks/shopify", "customers/redact", LAW, secret="forged").status_code == 401
    assert ring("/webhooks/shopify", "customers/redact", LAW, shop="nobody.myshopify.com").status_code == 401
    # Brought to the address of another shop's connection of the same app, since an app names one address for all.
    fourth = connected_to_shopify(a_store(slug="fourth"), shop="fourth.myshopify.com")
    elsewhere = {**LAW, "shop_domain": "fourth.myshopify.com"}
    assert ring(path_of(third), "customers/redact", elsewhere, shop="fourth.myshopify.com", delivery="d-9").status_code == 200
    assert WebhookDelivery.objects.get(delivery_id="d-9").connection == fourth


def test_a_store_that_is_being_deleted_takes_nothing(shop: Connection, store: Store) -> None:
    Store.objects.filter(pk=store.pk).update(erasing_since=datetime.now(UTC))
    assert ring(path_of(shop), "orders/updated", an_order(1)).status_code == 401
    assert_nothing_kept()


def test_the_address_cannot_be_guessed_and_lies_open_nowhere(shop: Connection) -> None:
    door = WebhookDoor.objects.get()
    token = doors.token_of(door)
    assert len(token) == 43
    assert token not in json.dumps({name: str(value) for name, value in door.__dict__.items()})
    assert SECRET not in json.dumps({name: str(value) for name, value in door.__dict__.items()})


class Ticking:
    """A clock that is set, and a look at the doors that is counted."""

    def __init__(self) -> None:
        self.at, self.looks = 100.0, 0

    def clock(self) -> float:
        return self.at

    def look(self) -> dict[str, doors.Door]:
        self.looks += 1
        return doors.load()


def test_strangers_by_the_thousand_cost_one_query_a_second(shop: Connection) -> None:
    ticking = Ticking()
    known = Doors(ticking.look, ticking.clock)
    token = path_of(shop).rpartition("/")[2]
    assert known.find("shopify", token) is not None
    for _ in range(1_000):
        assert known.find("shopify", "guessed") is None
    assert ticking.looks == 1
    ticking.at += 1.0
    assert known.find("shopify", "guessed") is None
    assert ticking.looks == 2
    assert (known.find("etsy", token), known.find("shopify", token) is not None, ticking.looks) == (None, True, 2)
    ticking.at += 5.0
    known.find("shopify", token)
    assert ticking.looks == 3


def test_refused_deliveries_are_counted_together_and_no_row_is_written_for_one() -> None:
    ticking, written = Ticking(), []
    refusals = Refusals(written.append, every=10.0, clock=ticking.clock)
    for _ in range(500):
        refusals.add(1)
    refusals.add(2)
    ticking.at += 10.0
    refusals.add(1)
    assert written == [{1: 1}, {1: 500, 2: 1}]


def test_deliveries_are_remembered_for_days_and_those_of_the_law_until_they_are_followed(shop: Connection) -> None:
    now = datetime.now(UTC)
    for number, (state, topic, days) in enumerate([
        ("done", "orders/updated", 4), ("done", "orders/updated", 2), ("waiting", "orders/updated", 8), ("waiting", "orders/updated", 6),
        ("waiting", "shop/redact", 8), ("dead", "orders/updated", 31), ("dead", "orders/updated", 29), ("dead", "shop/redact", 31),
    ]):  # fmt: skip
        WebhookDelivery.objects.create(
            connection=shop, topic=topic, delivery_id=str(number), state=state, received_at=now - timedelta(days=days)
        )  # fmt: skip
    assert deliveries.forget(lasting=["shop/redact"], now=now) == 3
    assert sorted(WebhookDelivery.objects.values_list("delivery_id", flat=True)) == ["1", "3", "4", "6", "7"]


def test_neither_secrets_nor_bodies_nor_addresses_are_logged(shop: Connection, caplog: pytest.LogCaptureFixture) -> None:
    inbox, token = front.KeptInbox(), path_of(shop).rpartition("/")[2]
    inbox.doors = Doors()
    inbox.write, inbox.ring = deliveries.write, lambda connection: None  # type: ignore[method-assign]
    for how in ({"secret": "guessed"}, {}, {"shop": "other-shop.myshopify.com"}):
        answer_of(front.Front(lambda environ, start: [], inbox), path_of(shop), **how)

    def broken(row: Any) -> None:
        raise RuntimeError(f"{row} {SECRET} {PERSON}")

    inbox.write = broken  # type: ignore[method-assign]
    assert answer_of(front.Front(lambda environ, start: [], inbox), path_of(shop))[0] == "503 Service Unavailable"
    assert "webhooks.accept_failed" in caplog.text
    assert [each for each in (SECRET, token, str(PERSON["email"]), "5001", "hmac") if each.lower() in caplog.text.lower()] == []


def answer_of(application: front.Front, path: str, **how: Any) -> tuple[str, dict[str, str]]:
    """Bring a delivery to the front, and return the status and headers of its answer."""
    answered: list[tuple[str, dict[str, str]]] = []
    body = body_of(an_order(5001))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers_of(body, "orders/updated", **how).items()},
    }  # fmt: skip
    application(environ, lambda status, headers: answered.append((status, dict(headers))))
    return answered[0]


def test_where_the_row_cannot_be_written_the_delivery_is_asked_for_again(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front.connections["default"], "get_connection_params", lambda: {"host": "/nowhere", "dbname": "nothing"})
    inbox = front.KeptInbox()
    inbox.doors = Doors()
    status, headers = answer_of(front.Front(lambda environ, start: [], inbox), path_of(shop))
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "30")
    assert_nothing_kept()
