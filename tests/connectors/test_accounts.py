"""Test what is noticed when a connected account itself changes: its time zone, its currency, its permissions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses

from connectors.accounts import check
from connectors.connections import disconnect
from connectors.models import Connection
from connectors.oauth import connect_with_key
from ledger.models import Finding, Order, Store
from ledger.stores import zone_of
from tests.builders import a_refund, a_store, an_order, write
from tests.connectors.tiny import BASE, TINY, tiny_answers

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def answers() -> Iterator[responses.RequestsMock]:
    """Know the platform Tiny, and answer in its name."""
    with tiny_answers() as mock:
        yield mock


def connected(store: Store) -> Connection:
    return connect_with_key(store, TINY, TINY.keys[0], account="north", foreign="", told={"token": "x"}, actor="", now=NOW)


def tells(answers: responses.RequestsMock, **changes: Any) -> None:
    answers.replace(responses.GET, f"{BASE}/me", json={"ref": "north", "name": "North", "scopes": ["read_things", "read_more"], **changes})


def told(store: Store) -> dict[str, str]:
    return dict(Finding.objects.filter(book_id=store.pk, resolved_at=None).values_list("kind", "message"))


def zones(store: Store) -> list[tuple[date, str]]:
    return list(store.zones.order_by("from_day").values_list("from_day", "zone"))


def test_a_store_that_kept_its_accounts_time_zone_moves_with_it_from_tomorrow_on(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Europe/Berlin")
    connection = connected(store)
    tells(answers, zone="America/New_York")
    check(connection, now=NOW)
    # it is the evening of the third in New York, and the fourth in Berlin, on which something may be booked already
    assert zones(store) == [(date(1970, 1, 1), "Europe/Berlin"), (date(2026, 3, 5), "America/New_York")]
    assert "moved from Europe/Berlin to America/New_York" in told(store)["account_zone"]
    check(connection, now=NOW)
    assert len(zones(store)) == 2


def test_an_order_that_was_booked_keeps_its_day_when_it_is_told_again_after_a_move(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Europe/Berlin")
    connection = connected(store)
    write(store, an_order("1", when="2026-03-03 23:20"))
    assert str(Order.objects.get().day) == "2026-03-04"
    tells(answers, zone="America/New_York")
    check(connection, now=NOW)
    write(store, an_order("1", when="2026-03-03 23:20", then=[a_refund("5.00", when="2026-03-06 12:00")]))
    assert str(Order.objects.get().day) == "2026-03-04"


def test_an_account_that_moves_back_on_the_same_day_takes_the_store_along(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Europe/Berlin")
    connection = connected(store)
    tells(answers, zone="America/New_York")
    check(connection, now=NOW)
    tells(answers, zone="Europe/Berlin")
    check(connection, now=NOW)
    assert zones(store)[-1][1] == "Europe/Berlin"
    assert zone_of(store, NOW + timedelta(days=5)) == "Europe/Berlin"


def test_an_account_that_moved_while_it_was_disconnected_takes_the_store_along(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Europe/Berlin")
    disconnect(connected(store), now=NOW)
    tells(answers, zone="America/New_York")
    connection = connected(store)
    check(connection, now=NOW)
    assert zones(store)[-1][1] == "America/New_York"
    assert "moved from Europe/Berlin to America/New_York" in told(store)["account_zone"]


def test_a_store_with_a_time_zone_of_its_own_keeps_it(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Asia/Tokyo")
    connection = connected(store)
    tells(answers, zone="America/New_York")
    check(connection, now=NOW)
    assert zones(store) == [(date(1970, 1, 1), "Asia/Tokyo")]
    assert "account_zone" not in told(store)


def test_an_account_in_another_currency_is_told_until_it_fits(answers: responses.RequestsMock) -> None:
    store = a_store()
    connection = connected(store)
    tells(answers, currency="USD")
    check(connection, now=NOW)
    assert "sells in USD, and the book of" in told(store)["account_currency"]
    tells(answers)
    check(connection, now=NOW)
    assert "account_currency" not in told(store)


def test_a_permission_that_is_missing_is_told_until_it_is_granted(answers: responses.RequestsMock) -> None:
    store = a_store()
    connection = connected(store)
    check(connection, now=NOW)
    assert "read_more was not granted" in told(store)["account_scopes"]
    tells(answers)
    check(connection, now=NOW)
    assert told(store) == {}


def test_of_an_account_that_was_deleted_while_it_was_asked_nothing_is_noted(answers: responses.RequestsMock) -> None:
    store = a_store(zone="Europe/Berlin")
    connection = connected(store)
    tells(answers, zone="America/New_York", currency="USD", scopes=[])
    Connection.objects.all().delete()
    assert check(connection, now=NOW).zone == "America/New_York"
    assert (told(store), zones(store)) == ({}, [(date(1970, 1, 1), "Europe/Berlin")])
