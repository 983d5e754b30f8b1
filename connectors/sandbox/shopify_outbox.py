"""Keep in a file what is to be delivered, and the orders that people placed: more than memory should hold, and over a restart."""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from connectors.sandbox.story import Story

MOST = 100_000
"""How many deliveries may wait; what comes on top is lost, and counted."""
RIGHT, FORMER, FORGED = "right", "former", "forged"
"""By which secret a delivery is signed."""
TABLES = """
    CREATE TABLE IF NOT EXISTS delivery (
        id INTEGER PRIMARY KEY, subscription TEXT NOT NULL, uri TEXT NOT NULL, topic TEXT NOT NULL, webhook_id TEXT NOT NULL,
        event_id TEXT NOT NULL, triggered_at INTEGER NOT NULL, name TEXT, body BLOB NOT NULL, due INTEGER NOT NULL, signed TEXT NOT NULL,
        tries INTEGER NOT NULL, began INTEGER
    );
    CREATE INDEX IF NOT EXISTS by_due ON delivery (due, id);
    CREATE TABLE IF NOT EXISTS placed (id INTEGER PRIMARY KEY, story BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, said TEXT NOT NULL);
"""
BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Delivery(Struct):
    """One request that is to be made, as long as it is answered by 2xx. Moments are the world's."""

    id: int
    subscription: str
    """Empty where no subscription asked for it."""
    uri: str
    topic: str
    webhook_id: str
    event_id: str
    triggered_at: datetime
    name: str | None
    body: bytes
    due: datetime
    signed: str = RIGHT
    tries: int = 0
    began: datetime | None = None
    """When it was tried first."""


class Outbox:
    """One shop's file. Its writes happen at once or, within `together`, all or none."""

    def __init__(self, path: Path, business: str = "") -> None:
        self.path = path
        self._lock = threading.RLock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._open()
        except sqlite3.DatabaseError:  # no file of ours, or a broken one: the shop begins anew
            path.unlink()
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._open()
        if self.note("business") != business:
            with self.together():
                for table in ("delivery", "placed", "note"):
                    self._file.execute(f"DELETE FROM {table}")
                self.write("business", business)

    def _open(self) -> None:
        self._file = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(TABLES)
        (self.waiting,) = self._file.execute("SELECT count(*) FROM delivery").fetchone()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that is written within, or nothing of it."""
        with self._lock:
            if self._file.in_transaction:
                yield
                return
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                (self.waiting,) = self._file.execute("SELECT count(*) FROM delivery").fetchone()
                raise
            self._file.execute("COMMIT")

    # Deliveries

    def add(self, deliveries: Iterable[Delivery]) -> int:
        """Take deliveries in and return how many found no room."""
        lost = 0
        with self.together():
            for each in deliveries:
                if self.waiting >= MOST:
                    lost += 1
                    continue
                self._file.execute(
                    "INSERT INTO delivery (subscription, uri, topic, webhook_id, event_id, triggered_at, name, body, due, signed, tries, began)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        each.subscription, each.uri, each.topic, each.webhook_id, each.event_id, _micro(each.triggered_at), each.name, each.body,
                        _micro(each.due), each.signed, each.tries, _micro(each.began) if each.began else None,
                    ),
                )  # fmt: skip
                self.waiting += 1
        return lost

    def due(self, now: datetime, most: int, but: Collection[int] = ()) -> list[Delivery]:
        """Return what is due at a moment, what was due first coming first, but for some that are on their way."""
        with self._lock:
            rows = self._file.execute(
                "SELECT id, subscription, uri, topic, webhook_id, event_id, triggered_at, name, body, due, signed, tries, began FROM delivery"
                " WHERE due <= ? ORDER BY due, id LIMIT ?",
                (_micro(now), most + len(but)),
            ).fetchall()
        found = [_read(row) for row in rows if row[0] not in but]
        return found[:most]

    def done(self, delivery: int) -> None:
        """Forget a delivery."""
        with self.together():
            self.waiting -= self._file.execute("DELETE FROM delivery WHERE id = ?", (delivery,)).rowcount

    def again(self, delivery: Delivery, due: datetime) -> None:
        """Let a delivery that failed wait for its next try."""
        with self.together():
            self._file.execute(
                "UPDATE delivery SET due = ?, tries = ?, began = ? WHERE id = ?",
                (_micro(due), delivery.tries, _micro(delivery.began or due), delivery.id),
            )  # fmt: skip

    def drop(self, subscription: str | None = None) -> int:
        """Forget what a subscription was to get, or all that any was; return how many."""
        with self.together():
            asked, values = ("subscription = ?", (subscription,)) if subscription is not None else ("subscription <> ?", ("",))
            gone = self._file.execute(f"DELETE FROM delivery WHERE {asked}", values).rowcount
            self.waiting -= gone
            return gone

    # Orders that people placed

    def put(self, story: Story) -> None:
        """Keep an order as it is by now."""
        with self.together():
            self._file.execute("INSERT OR REPLACE INTO placed VALUES (?, ?)", (story.id, msgspec.json.encode(story)))

    def stories(self) -> list[Story]:
        """Return the orders that were placed, by id."""
        with self._lock:
            return [msgspec.json.decode(said, type=Story) for (said,) in self._file.execute("SELECT story FROM placed ORDER BY id")]

    # Notes

    def note(self, name: str) -> str | None:
        """Return what was noted by a name."""
        with self._lock:
            found = self._file.execute("SELECT said FROM note WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def write(self, name: str, said: str) -> None:
        """Note something by a name."""
        with self.together():
            self._file.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, said))


def _read(row: tuple[Any, ...]) -> Delivery:
    number, subscription, uri, topic, webhook_id, event_id, triggered_at, name, body, due, signed, tries, began = row
    return Delivery(
        number, subscription, uri, topic, webhook_id, event_id, _moment(triggered_at), name, body, _moment(due), signed, tries,
        _moment(began) if began is not None else None,
    )  # fmt: skip


def _micro(moment: datetime) -> int:
    return (moment - BEGAN) // MICROSECOND


def _moment(of: int) -> datetime:
    return BEGAN + of * MICROSECOND
