"""What a connection's page says of its webhooks, and what its buttons do."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from connectors.models import Connection, WebhookDelivery, WebhookDoor, WebhookTopic
from connectors.webhooks import doors
from ledger.models import Store
from ledger.people import Role
from ledger.sealing import seal
from profitpeek.jobs.models import Job
from tests.builders import a_store
from tests.connectors.webhooks.ringing import SECRET, connected_to_shopify
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def store(settings: Any) -> Store:
    settings.SITE_URL = "https://profit.example.com"
    return a_store(slug="shop", currency="USD")


@pytest.fixture
def shop(store: Store) -> Connection:
    return connected_to_shopify(store)


def page(browser: Client, shop: Connection) -> str:
    return text_of(browser.get(f"/shop/connections/{shop.pk}"))


def filled(shop: Connection) -> None:
    """Let a shop have rung, for better and worse."""
    doors.note_subscriptions(WebhookDoor.objects.get(), ["orders/create", "orders/updated"], "", now=AT)
    doors.note_refused({shop.pk: 1_204}, now=AT)
    for topic, count in (("orders/updated", 12_345), ("orders/burnt", 7)):
        WebhookTopic.objects.create(connection=shop, topic=topic, count=count, first_at=AT, last_at=AT + timedelta(minutes=count % 60))
    for number, (state, body) in enumerate([("waiting", seal(b"{}")), ("dead", seal(b"{}")), ("dead", None), ("done", None)]):
        WebhookDelivery.objects.create(
            connection=shop, topic="orders/updated", delivery_id=f"d-{number}", received_at=AT, state=state, body=body, attempts=5,
            error="The answer has no list of records." if body else "The payload is not what Shopify documents.",
        )  # fmt: skip


def test_the_page_says_what_is_rung_about_what_waits_and_what_was_given_up(store: Store, shop: Connection) -> None:
    owner = signed_in(store)
    assert "Webhooks being set up Shopify is asked to ring here when something changes." in page(owner, shop)
    filled(shop)
    said = page(owner, shop)
    assert "Webhooks on Shopify rings here when something changes; what changed is then asked for at once" in said
    assert "Last delivery 3 Mar 2026, 12:45 Waiting 1 Given up 2 Refused 1,204 Subscriptions looked at 3 Mar 2026, 12:00" in said
    assert "Refused since 3 Mar 2026, 12:00 UTC : not signed with the secret known here" in said
    assert re.search(r"orders/burnt unknown This version does not know it: nothing is done 7 3 Mar 2026, 12:07", said)
    assert "orders/create The record is asked for again 0 —" in said
    assert "orders/updated The record is asked for again 12,345 3 Mar 2026, 12:45" in said
    assert "The payload is not what Shopify documents. It cannot be tried again." in said
    assert "name this address for them in your app’s settings. https://profit.example.com/webhooks/shopify" in said
    html = owner.get(f"/shop/connections/{shop.pk}").content.decode()
    assert not any(secret in html for secret in (doors.token_of(WebhookDoor.objects.get()), SECRET))


def test_the_list_says_of_each_account_whether_it_rings_in_one_query_for_all(
    store: Store, shop: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(store)
    filled(shop)
    assert "Rings at once yes last 3 Mar 2026, 12:45 UTC" in text_of(browser.get("/shop/connections"))
    with django_assert_num_queries(11):
        browser.get("/shop/connections")
    connected_to_shopify(store, shop="other.myshopify.com")
    with django_assert_num_queries(11):
        assert "Rings at once no" in text_of(browser.get("/shop/connections"))


def test_given_up_deliveries_are_followed_again_by_an_owner_alone(store: Store, shop: Connection) -> None:
    filled(shop)
    assert signed_in(store, role=Role.ANALYST, email="analyst@example.com").post(f"/shop/connections/{shop.pk}/deliveries").status_code == 403
    owner = signed_in(store)
    said = text_of(owner.post(f"/shop/connections/{shop.pk}/deliveries", follow=True))
    assert "1 delivery is followed again." in said
    assert dict(WebhookDelivery.objects.values_list("delivery_id", "state")) == {"d-0": "waiting", "d-1": "waiting", "d-2": "dead", "d-3": "done"}
    assert Job.objects.get(kind="follow-deliveries").parameters == {"connection": shop.pk}
    assert "There is nothing that could be followed again." in text_of(owner.post(f"/shop/connections/{shop.pk}/deliveries", follow=True))
    owner.post(f"/shop/connections/{shop.pk}/subscribe")
    assert Job.objects.filter(kind="keep-subscriptions").count() == 1


def test_the_page_says_why_they_are_off(store: Store, shop: Connection, settings: Any) -> None:
    owner = signed_in(store)
    settings.SITE_URL = "http://localhost:8000"
    assert "Webhooks off Webhooks are off: Shopify cannot reach http://localhost:8000." in page(owner, shop)
    settings.SITE_URL = "https://profit.example.com"
    WebhookDoor.objects.update(signing=None)
    assert "Webhooks are off: they are signed with the client secret of your app" in page(owner, shop)
    WebhookDoor.objects.all().delete()
    assert "To be told at once, connect it again with the client ID and secret." in page(owner, shop)


def test_who_disconnects_is_told_where_the_platform_could_not_be(store: Store, shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    doors.note_subscriptions(WebhookDoor.objects.get(), ["orders/create"], "", now=AT)
    Connection.objects.update(secrets=seal(b'{"secrets": {}, "expires_at": "2020-01-01T00:00:00Z"}'))
    said = text_of(signed_in(store).post(f"/shop/connections/{shop.pk}/disconnect", follow=True))
    assert "The platform could not be told to ring no more: its deliveries are refused, and end by themselves." in said
    assert "The account is disconnected: its deliveries are refused, but for requests about personal data." in said
