"""Keep the addresses at which platforms ring, and the secrets their deliveries are signed with: the one writer of doors."""

import hashlib
import secrets as tokens
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from msgspec import Struct

from connectors.models import Connection, WebhookDoor
from connectors.spec import Connector
from ledger.people import kept_stores
from ledger.sealing import Unsealable, seal, unseal

BEYOND = timedelta(minutes=15)
"""The secret before the present one is taken so much longer than its platform says: its clock may be another."""
LOOKED_AT_FOR, LOOKED_AT_LEAST = 5.0, 1.0
"""Seconds after which a process looks at the doors again by itself, and at the soonest when a delivery fits none."""
STREAK = timedelta(days=1)
"""Refused deliveries further apart than that are counted from one again."""


class Signing(Struct, frozen=True, kw_only=True):
    """The secrets that deliveries may be signed with."""

    present: str
    former: str = ""
    former_until: datetime | None = None

    def at(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that are good at a moment."""
        return (self.present, self.former) if self.former and self.former_until is not None and now < self.former_until else (self.present,)


class Door(NamedTuple):
    """One door, as whoever answers deliveries needs it."""

    connection: int
    platform: str
    account: str
    is_connected: bool
    """Not so once an account is disconnected: then only what the law asks for is taken."""
    is_sandbox: bool
    """Its platform is simulated, and so may its time be."""
    signing: Signing


def keep(connection: Connection, connector: Connector, secrets: Mapping[str, str], *, now: datetime) -> WebhookDoor | None:
    """Give a connection its door, once, and note the secret that signs; the one before stays good for a while, as its platform has it.

    Return the door; None where the platform does not ring.
    """
    webhooks = connector.webhooks
    if webhooks is None:
        return None
    token = tokens.token_urlsafe(32)
    with transaction.atomic():
        row, _ = WebhookDoor.objects.select_for_update().get_or_create(
            connection=connection, defaults={"token_hash": hash_of(token), "token": seal(token.encode()), "made_at": now}
        )  # fmt: skip
        fresh = _changed(_signing_of(row), webhooks.signing(secrets), now + timedelta(seconds=webhooks.former) + BEYOND)
        if fresh is None and row.signing is not None:
            row.signing = None
        elif fresh is not None and fresh != _signing_of(row):
            row.signing = seal(msgspec.json.encode(fresh))
        row.save(update_fields=["signing"])
    return row


def _changed(known: Signing | None, secret: str, until: datetime) -> Signing | None:
    """Return what deliveries may be signed with once the secret is another one."""
    if not secret:
        return None
    if known is None:
        return Signing(present=secret)
    return known if known.present == secret else Signing(present=secret, former=known.present, former_until=until)


def token_of(door: WebhookDoor) -> str:
    """Return the token of a door's address; raise Unsealable when its key is gone."""
    return unseal(bytes(door.token)).decode()


def hash_of(token: str) -> str:
    """Return what a door is found by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _signing_of(row: WebhookDoor) -> Signing | None:
    if row.signing is None:
        return None
    try:
        return msgspec.json.decode(unseal(bytes(row.signing)), type=Signing)
    except Unsealable:
        return None


def forget(connection: Connection) -> int:
    """Delete a connection's door with the secrets that deliveries are signed with, and return whether there was one."""
    return WebhookDoor.objects.filter(connection=connection).delete()[0]


def note_subscriptions(door: WebhookDoor, topics: Sequence[str], problem: str, *, now: datetime) -> None:
    """Note what a platform tells us of, and why not of all."""
    WebhookDoor.objects.filter(pk=door.pk).update(topics=sorted(topics), problem=problem, checked_at=now)


def note_refused(counts: Mapping[int, int], *, now: datetime) -> None:
    """Add deliveries that were refused, by connection, to the count of their streak."""
    anew = Q(refused_at=None) | Q(refused_at__lt=now - STREAK)
    for connection, count in counts.items():
        WebhookDoor.objects.filter(connection=connection).update(
            refused=Case(When(anew, then=Value(count)), default=F("refused") + count),
            refused_since=Case(When(anew, then=Value(now)), default=F("refused_since")), refused_at=now,
        )  # fmt: skip


def load() -> dict[str, Door]:
    """Return every door that may be rung at, by the hash of its token."""
    rows = WebhookDoor.objects.filter(connection__store__in=kept_stores()).exclude(signing=None).select_related("connection")
    found = {}
    for row in rows.defer("token"):
        owner, signing = row.connection, _signing_of(row)
        if signing is not None:
            connected = owner.status != Connection.Status.DISCONNECTED
            found[row.token_hash] = Door(owner.pk, owner.platform, owner.account_ref, connected, bool(owner.base_url), signing)
    return found


class Doors:
    """The doors as one process knows them: looked at again every few seconds, so that strangers cost no query each."""

    def __init__(self, look: Callable[[], dict[str, Door]] = load, clock: Callable[[], float] = time.monotonic) -> None:
        self._look, self._clock, self._lock = look, clock, threading.Lock()
        self._known: dict[str, Door] = {}
        self._looked_at: float | None = None

    def find(self, platform: str, token: str) -> Door | None:
        """Return the door of an address; None when there is none."""
        self._look_after(LOOKED_AT_FOR)
        hashed = hash_of(token)
        door = self._known.get(hashed)
        if door is None and self._look_after(LOOKED_AT_LEAST):
            door = self._known.get(hashed)
        return door if door is not None and door.platform == platform else None

    def of_account(self, platform: str, account: str) -> list[Door]:
        """Return all doors of an account: several stores may be connected to it."""
        self._look_after(LOOKED_AT_FOR)
        return [door for door in self._known.values() if (door.platform, door.account) == (platform, account)]

    def look_again(self) -> bool:
        """Look whether the doors have changed, unless that was done a moment ago; tell whether it was done now."""
        return self._look_after(LOOKED_AT_LEAST)

    def _look_after(self, seconds: float) -> bool:
        if self._looked_at is not None and self._clock() - self._looked_at < seconds:
            return False
        # Whoever knows the doors of a moment ago does not wait for another thread's look, which may take long when the database is ill.
        if not self._lock.acquire(blocking=self._looked_at is None):
            return False
        try:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= seconds:
                self._known, self._looked_at = self._look(), now
        finally:
            self._lock.release()
        return True


class Refusals:
    """Counts refused deliveries in memory, and adds them to their doors every few seconds: a flood writes no row each."""

    def __init__(self, write: Callable[[Mapping[int, int]], None], *, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._every, self._clock, self._lock = write, every, clock, threading.Lock()
        self._counts: dict[int, int] = {}
        self._written_at: float | None = None

    def add(self, connection: int) -> None:
        """Count one."""
        with self._lock:
            self._counts[connection] = self._counts.get(connection, 0) + 1
            now = self._clock()
            if self._written_at is not None and now - self._written_at < self._every:
                return
            counts, self._counts, self._written_at = self._counts, {}, now
        self._write(counts)
