"""What Shopify's law-given deliveries ask is done, from the door to the archive, and what they say of a person is kept nowhere."""

import logging
from typing import Any

import pytest
from django.db import connection as database

from connectors.models import Connection, PrivacyCase, WebhookDelivery
from connectors.webhooks.draining import drain
from ledger.models import Customer
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store
from tests.connectors.people import bought, changes, done, everything, tell
from tests.connectors.webhooks.ringing import PERSON, SHOP, connected_to_shopify, path_of, ring

pytestmark = pytest.mark.django_db
ABOUT = {"shop_id": 1, "shop_domain": SHOP, "customer": PERSON}


@pytest.fixture
def shop() -> Connection:
    connection = connected_to_shopify(a_store(currency="USD"))
    tell(connection, bought(1001, 77), bought(1002, 43))
    return connection


def follow(connection: Connection, topic: str, payload: dict[str, Any], delivery: str = "d-1") -> PrivacyCase:
    """Ring, drain, and do what was asked."""
    assert ring(path_of(connection), topic, payload, delivery=delivery).status_code == 200
    drain(connection)
    return done(PrivacyCase.objects.latest("pk"))


def test_a_customer_is_erased_whom_shopify_asks_to_redact(shop: Connection, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    case = follow(shop, "customers/redact", {**ABOUT, "orders_to_redact": [5_370_000_001_001]})
    assert (case.state, case.kind, case.reference, case.counts) == ("done", "erase_person", "d-1", {"customers": 1, "received": 1})
    assert Customer.objects.filter(erased_at=None).count() == 1
    assert WebhookDelivery.objects.exclude(body=None).count() == 0
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(to_jsonb(j)::text, '') || (SELECT string_agg(to_jsonb(c)::text, '') FROM connectors_privacycase c) FROM jobs_job j"
        )
        written = cursor.fetchone()[0] + caplog.text
    assert [word for word in (PERSON["email"], PERSON["phone"], "5370000001001", "Customer/77") if str(word) in written] == []


def test_the_same_delivery_again_asks_nothing_more_and_the_same_request_in_another_finds_nothing(shop: Connection) -> None:
    follow(shop, "customers/redact", ABOUT)
    before = everything()
    assert follow(shop, "customers/redact", ABOUT).counts == {"customers": 1, "received": 1}
    assert follow(shop, "customers/redact", ABOUT, delivery="d-2").counts == {}
    assert (PrivacyCase.objects.count(), set(changes(before, everything()))) == (2, {"connectors_webhookdelivery", "connectors_webhooktopic"})


def test_a_copy_is_made_for_a_customer_who_asks_shopify(shop: Connection) -> None:
    case = follow(shop, "customers/data_request", {**ABOUT, "orders_requested": [5_370_000_001_001], "data_request": {"id": 9999}})
    assert (case.state, case.reference, case.counts) == ("done", "9999", {"customers": 1, "orders": 1, "received": 1})
    assert Job.objects.filter(kind="privacy-case").count() == 1
    assert case.copy.expires_at - case.copy.made_at == case.due_at - case.received_at


def test_a_shop_that_left_is_redacted_though_it_is_disconnected(shop: Connection) -> None:
    Connection.objects.update(status="disconnected", secrets=None)
    case = follow(shop, "shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    assert (case.state, case.counts) == ("done", {"pages": 1, "deliveries": 2, "customers": 2})
    assert run(case.job or 0) is None
