"""Connect stores of tests to Bazaar, and read its streams."""

from datetime import datetime
from typing import Any

import msgspec

from connectors.connections import Kept
from connectors.models import Connection, SyncCursor, SyncRun
from connectors.reading.paged import Limits
from connectors.reading.sync import Outcome, read
from connectors.spec import Stream
from ledger.models import Store
from ledger.sealing import seal
from tests.connectors.bazaar import NOW, ORDERS, TOKEN, Bazaar


def connected(store: Store, bazaar: Bazaar, *, token: str = TOKEN, account: str = "north") -> Connection:
    """Connect a store to a Bazaar."""
    return Connection.objects.create(
        store=store, platform="bazaar", account_ref=account, label=account.capitalize(), base_url=bazaar.url, currency="EUR", zone="UTC",
        secrets=seal(msgspec.json.encode(Kept(secrets={"token": token}))), connected_at=NOW,
    )  # fmt: skip


def pull(connection: Connection, stream: Stream = ORDERS, *, now: datetime = NOW, limits: Limits | None = None, **more: Any) -> Outcome:
    """Read a stream for one run."""
    connection.refresh_from_db()
    return read(connection, stream, now=now, limits=limits or Limits(), **more)


def pull_all(connection: Connection, stream: Stream = ORDERS, *, now: datetime = NOW, limits: Limits | None = None) -> list[Outcome]:
    """Read a stream until all is read, run after run."""
    done = [pull(connection, stream, now=now, limits=limits)]
    while not done[-1].done:
        assert len(done) < 100
        done.append(pull(connection, stream, now=now, limits=limits))
    return done


def cursor_of(connection: Connection, stream: str = "orders") -> SyncCursor:
    """Return how far a stream is read."""
    return SyncCursor.objects.get(connection=connection, stream=stream)


def last_run(connection: Connection) -> SyncRun:
    """Return the latest run."""
    return SyncRun.objects.filter(connection=connection).latest("pk")
