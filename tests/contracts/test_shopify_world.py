"""A simulated business, read as Shopify tells it: by files and by pages it comes to the same, and comparing finds nothing to mend."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.connections import Kept, opened
from connectors.models import Connection, ParkedRecord
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.reading.comparing import compare
from connectors.reading.sync import read
from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from connectors.spec import Stream
from ledger.audit import check_all
from ledger.models import Finding, Order
from ledger.sealing import seal
from tests.builders import a_store, book_of

pytestmark = pytest.mark.django_db
ORDERS = SHOPIFY.stream("orders")
COLUMNS = (
    "external_id", "number", "day", "revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "profit", "stated_total", "stated_refunded",
    "sales_basis", "financial_status", "country", "cancelled_at", "is_test",
)  # fmt: skip


@pytest.fixture
def shop() -> Iterator[Shop]:
    world = World.live(seed=7, start=date(2026, 1, 1), days=60, orders_per_day=5, scenario="refund_storm")
    with Sandbox(Clock(datetime(2026, 3, 15, 12, tzinfo=UTC))) as sandbox:
        yield sandbox.add_shop("maple-and-finch.myshopify.com", WorldRows(world), app=App("id", "secret"), plan="enterprise")


def connected(shop: Shop) -> Connection:
    """Connect a new store to the shop."""
    secrets = {"access_token": shop.tokens.permanent(KNOWN_SCOPES)}
    return Connection.objects.create(
        store=a_store(currency="USD", zone="America/New_York"), platform="shopify", account_ref=shop.domain, label="Maple & Finch",
        base_url=shop.base_url, currency="USD", zone="America/New_York", secrets=seal(msgspec.json.encode(Kept(secrets=secrets))),
        connected_at=datetime.now(UTC),
    )  # fmt: skip


def read_all(connection: Connection, stream: Stream) -> int:
    """Read a stream to its end and return how many records it had."""
    records = 0
    for _ in range(40):
        outcome = read(Connection.objects.select_related("store").get(pk=connection.pk), stream, now=datetime.now(UTC))
        records += outcome.records
        if outcome.done:
            return records
    raise AssertionError("the stream never ends")


def rows_of(connection: Connection) -> list[tuple[Any, ...]]:
    return sorted(Order.objects.filter(store=connection.store_id).values_list(*COLUMNS))


def test_by_files_and_by_pages_it_comes_to_the_same_and_comparing_finds_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr("connectors.reading.bulk.WORTH_WHILE", 0)
    settings.BULK_FOLDER = tmp_path / "bulk"
    by_files, by_pages = connected(shop), connected(shop)
    assert read_all(by_files, ORDERS) == read_all(by_pages, replace(ORDERS, bulk=None)) == 277
    for connection in (by_files, by_pages):
        for stream in SHOPIFY.streams:
            if stream is not ORDERS:
                read_all(connection, stream)
        assert not any(check_all(book_of(connection.store)).values())
    assert rows_of(by_files) == rows_of(by_pages)
    assert ParkedRecord.objects.count() == 0
    by_files.refresh_from_db()
    with opened(by_files, now=datetime.now(UTC)) as client:
        assert compare(by_files, ORDERS, client, now=datetime.now(UTC), whole=True)[:3] == (True, 0, 0)
    assert list(Finding.objects.filter(kind="orders_compared").values_list("message", flat=True)) == []
