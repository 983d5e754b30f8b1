"""Check that an order's page shows the order as its platform told it, from the sealed archive, and to nobody of another store."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.urls import reverse

from connectors import registry
from connectors.models import Connection, RawPayload
from ledger.models import Store
from tests.builders import a_store
from tests.connectors.bazaar import BAZAAR, NOW, Bazaar, a_record, open_bazaar
from tests.connectors.connecting import connected, pull
from tests.dashboards.people import EMAIL, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", BAZAAR)
    with open_bazaar() as bazaar:
        yield bazaar


@pytest.fixture
def shop() -> Store:
    return a_store(slug="shop")


@pytest.fixture
def connection(shop: Store, bazaar: Bazaar) -> Connection:
    return connected(shop, bazaar)


def page_of(store: Store, number: str) -> str:
    known = User.objects.filter(email=EMAIL).first()
    client = browser_of(known) if known else signed_in(store)
    answer = client.get(reverse("order", args=[store.slug, number]))
    assert answer.status_code == 200
    return unescape(text_of(answer))


def test_each_version_of_an_order_is_shown_once_the_latest_first(bazaar: Bazaar, shop: Store, connection: Connection) -> None:
    bazaar.add(a_record(1, buyer={"email": "ann@example.com", "city": "Bonn"}), a_record(2, total="77.00"))
    pull(connection)
    # Another page that holds the very same order, and then one with another total.
    bazaar.add(a_record(3))
    pull(connection, now=NOW + timedelta(minutes=1))
    bazaar.add(a_record(1, total="35.00", changed=NOW - timedelta(hours=1)))
    pull(connection, now=NOW + timedelta(hours=1))
    page = page_of(shop, "#1")
    assert RawPayload.objects.count() == 3
    first = "Orders of North on Bazaar, received so first 25 Nov 2026"
    assert page.count(first) == 2
    assert page.index('"total": "35.00"') < page.index('"total": "20.00"')
    assert page.count('"total": "20.00"') == 1
    assert ('"city": "Bonn"' in page, "ann@example.com" in page.partition("As received")[2], "77.00" in page) == (True, False, False)
    assert "Last changed by North on Bazaar" in page
    assert "Synced North on Bazaar, batch" in page
    assert "No file told of this order." not in page


def test_what_can_no_longer_be_opened_is_said(bazaar: Bazaar, shop: Store, connection: Connection) -> None:
    bazaar.add(a_record(1))
    pull(connection)
    with override_settings(FIELD_KEYS=["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]):
        assert "What was received is sealed with a key that is no longer in FIELD_KEYS." in page_of(shop, "#1")


def test_what_another_store_received_stays_there(bazaar: Bazaar, shop: Store, connection: Connection) -> None:
    other = a_store(slug="other")
    bazaar.add(a_record(1))
    pull(connection)
    pull(connected(other, bazaar))
    Connection.objects.filter(store=shop).update(label="Ours")
    page = page_of(shop, "#1")
    assert ("Orders of Ours on Bazaar" in page, "North" in page) == (True, False)
