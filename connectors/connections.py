"""Connect stores to accounts, and keep the accounts' secrets sealed and fresh: the one writer of connections."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from msgspec import Struct

from connectors.addresses import base_url
from connectors.faults import Denied, Fault, NeedsReauth
from connectors.http import Client
from connectors.models import Connection
from connectors.reading import runs
from connectors.registry import find
from connectors.spec import Connector, Grant
from connectors.webhooks import deliveries, doors
from connectors.webhooks.accepting import topics_by_law
from ledger import findings
from ledger.models import Store
from ledger.sealing import Unsealable, seal, unseal
from ledger.stores import line_of

REFRESH_BEFORE = timedelta(minutes=8)
"""Access tokens are renewed so long before their end, so that none ends under way."""
UNINSTALLED = "account_uninstalled"
"""The kind of finding that says that an account took back its consent."""
LOST_KEY = "The keys this connection was sealed with are gone from FIELD_KEYS. Put them back, or connect the account again."


class Kept(Struct, frozen=True, kw_only=True):
    """What is kept of a grant: what was typed and what was given, and when the access token ends."""

    secrets: Mapping[str, str]
    expires_at: datetime | None = None


def connect(
    store: Store, connector: Connector, *, account: str, foreign: str, secrets: Mapping[str, str], grant: Grant, actor: str, now: datetime
) -> Connection:
    """Keep a granted account, new or connected before, after asking the platform who it is.

    Raise a Fault when it does not let us in, and Denied when the secrets are of another account.
    """
    merged = {**secrets, **grant.secrets}
    with Client(connector, base_url(connector, account, foreign), merged) as client:
        info = connector.probe(client.send)
    if info.ref != account:
        raise Denied(f"What you entered opens {info.ref}, not {account}. Connect that one, or take the secrets of {account}.")
    kept = Kept(secrets=merged, expires_at=grant.expires_at)
    connection, _ = Connection.objects.update_or_create(
        store=store, platform=connector.platform, account_ref=account,
        # Zone and currency stay as they were until the account is asked who it is: connectors/accounts.py tells what has changed.
        defaults={
            "label": info.name[:200], "scopes": sorted(info.scopes or grant.scopes), "base_url": foreign,
            "status": Connection.Status.ACTIVE, "secrets": seal(msgspec.json.encode(kept)),
            "problem": "", "problem_at": None, "paused_until": None, "last_ok_at": now, "connected_by": actor, "disconnected_at": None,
        },
        create_defaults={
            "label": info.name[:200], "scopes": sorted(info.scopes or grant.scopes), "currency": info.currency, "zone": info.zone,
            "base_url": foreign, "secrets": seal(msgspec.json.encode(kept)), "last_ok_at": now, "connected_by": actor,
            "connected_at": now,
        },
    )  # fmt: skip
    doors.keep(connection, connector, merged, now=now)
    runs.add_cursors(connection, connector.streams)
    runs.wake(connection)
    findings.resolve(store.pk, UNINSTALLED, str(connection), now=now)
    _let_in(connection, connector, merged, line_of(store), now=now)
    return connection


def _let_in(connection: Connection, connector: Connector, secrets: Mapping[str, str], stores: Sequence[Store], *, now: datetime) -> None:
    """Give what an account granted to the other stores that follow it in other currencies."""
    following = Connection.objects.filter(
        platform=connection.platform, account_ref=connection.account_ref, store__in=[each for each in stores if each.pk != connection.store_id],
        status__in=[Connection.Status.ACTIVE, Connection.Status.NEEDS_CONSENT],
    )  # fmt: skip
    for other in following:
        Connection.objects.filter(pk=other.pk).update(
            secrets=connection.secrets, base_url=connection.base_url, status=Connection.Status.ACTIVE, problem="", problem_at=None
        )
        doors.keep(other, connector, secrets, now=now)
        runs.wake(other)
        findings.resolve(other.store_id, UNINSTALLED, str(other), now=now)


def copy_to(store: Store, connection: Connection, *, actor: str, now: datetime) -> Connection:
    """Connect another store to an account that one is connected to, by the same secrets; raise NeedsReauth where there are none."""
    secrets = kept(connection).secrets
    fresh = Connection.objects.create(
        store=store, platform=connection.platform, account_ref=connection.account_ref, label=connection.label, base_url=connection.base_url,
        secrets=connection.secrets, scopes=connection.scopes, currency=connection.currency, zone=connection.zone, last_ok_at=connection.last_ok_at,
        connected_by=actor, connected_at=now,
    )  # fmt: skip
    doors.keep(fresh, find(connection.platform), secrets, now=now)
    return fresh


def kept(connection: Connection) -> Kept:
    """Return a connection's secrets; raise NeedsReauth when there are none or their key is gone."""
    if connection.secrets is None:
        raise NeedsReauth("The account is disconnected. Connect it again.")
    try:
        return msgspec.json.decode(unseal(bytes(connection.secrets)), type=Kept)
    except Unsealable as error:
        raise NeedsReauth(LOST_KEY) from error


@contextmanager
def opened(connection: Connection, *, now: datetime, sleep: Callable[[float], None] = time.sleep) -> Iterator[Client]:
    """Open a client with a connection's secrets, fresh for a while; raise NeedsReauth when a person has to let us in again.

    `sleep` lets so many seconds pass; who simulates time gives their own.
    """
    connector = find(connection.platform)
    secrets = fresh(connection, now=now).secrets
    with Client(connector, base_url(connector, connection.account_ref, connection.base_url), secrets, sleep=sleep) as client:
        yield client


def fresh(connection: Connection, *, now: datetime) -> Kept:
    """Return secrets whose access token lasts a while yet, renewed where it does not.

    Renewed by one worker at a time, under the row's lock, and read again beneath it: a platform that takes a refresh
    token once would take our second try for a thief's. Stores that follow an account one after the other share its secrets.
    """
    held = kept(connection)
    if not _ends_soon(held, now):
        return held
    with transaction.atomic():
        same = Connection.objects.filter(platform=connection.platform, account_ref=connection.account_ref).order_by("pk")
        rows = {row.pk: row for row in same.select_for_update()}
        row = rows.get(connection.pk)
        if row is None:
            raise NeedsReauth("The account is there no more.")
        before = held = kept(row)
        if _ends_soon(held, now):
            held = _renewed(row, held, now)
            sealed = seal(msgspec.json.encode(held))
            for each in rows.values():
                if each.pk == row.pk or _holds(each, before):
                    each.secrets = sealed
                    each.save(update_fields=["secrets"])
    connection.secrets = row.secrets
    return held


def _holds(connection: Connection, secrets: Kept) -> bool:
    try:
        return kept(connection).secrets == secrets.secrets
    except NeedsReauth:
        return False


def _ends_soon(held: Kept, now: datetime) -> bool:
    return held.expires_at is not None and held.expires_at - REFRESH_BEFORE <= now


def _renewed(row: Connection, held: Kept, now: datetime) -> Kept:
    connector = find(row.platform)
    request = connector.consent.refresh(held.secrets) if connector.consent else None
    if connector.consent is None or request is None:
        raise NeedsReauth(f"The access to {row.account_ref} has ended and cannot be renewed. Connect it again.")
    with Client(connector, base_url(connector, row.account_ref, row.base_url)) as client:
        grant = connector.consent.granted(client.send(request).json(), now=now)
    return Kept(secrets={**held.secrets, **grant.secrets}, expires_at=grant.expires_at)


def note_success(connection: Connection, *, now: datetime) -> None:
    """Note that the platform answered as it should: what was wrong is over, and it is asked again. Of an account that was left, why stays said."""
    _kept_on(connection).update(last_ok_at=now, problem="", problem_at=None, paused_until=None)
    Connection.objects.filter(pk=connection.pk, status=Connection.Status.NEEDS_CONSENT).update(status=Connection.Status.ACTIVE)


def note_fault(connection: Connection, fault: Fault, *, now: datetime, until: datetime | None = None) -> None:
    """Note what is wrong in words for the store's owner; where consent is gone, nothing more is asked until it is given again."""
    _kept_on(connection).update(problem=fault.reason, problem_at=now, paused_until=until)
    if isinstance(fault, NeedsReauth):
        Connection.objects.filter(pk=connection.pk, status=Connection.Status.ACTIVE).update(status=Connection.Status.NEEDS_CONSENT)


def _kept_on(connection: Connection) -> QuerySet[Connection]:
    """Return a connection unless it was disconnected meanwhile."""
    return Connection.objects.filter(pk=connection.pk).exclude(status=Connection.Status.DISCONNECTED)


def pause(connection: Connection) -> bool:
    """Ask the platform nothing until it is resumed; tell whether it was asked before."""
    if not Connection.objects.filter(pk=connection.pk, status=Connection.Status.ACTIVE).update(status=Connection.Status.PAUSED):
        return False
    runs.stop(connection, why="Stopped: the account was paused.")
    return True


def resume(connection: Connection) -> bool:
    """Go on asking; tell whether it was paused."""
    return bool(
        Connection.objects.filter(pk=connection.pk, status=Connection.Status.PAUSED).update(
            status=Connection.Status.ACTIVE, paused_until=None, problem="", problem_at=None
        )
    )


def disconnect(connection: Connection, *, now: datetime, why: str = "") -> None:
    """Forget an account's secrets and what it rang about; what was read of it stays. `why` says, where it was not its owner here, what to do.

    What deliveries are signed with is kept: people's requests by law still come for what was read, and are followed.
    """
    Connection.objects.filter(pk=connection.pk).update(
        status=Connection.Status.DISCONNECTED, secrets=None, disconnected_at=now, problem=why, problem_at=now if why else None, paused_until=None
    )  # fmt: skip
    runs.stop(connection, why="Stopped: the account was disconnected.")
    deliveries.drop_waiting(connection, but=topics_by_law(connection.platform))


def missing_scopes(connection: Connection) -> tuple[str, ...]:
    """Return what the platform did not grant of what is asked for; a granted write includes its read."""
    granted = set(connection.scopes)
    granted |= {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    return tuple(scope for scope in find(connection.platform).scopes if scope not in granted)


def check_account(connector: Connector, text: str) -> str:
    """Return a typed account as the platform writes it; raise Denied with what to type."""
    if not text.strip():
        raise Denied(f"Enter the {connector.account_label.lower()}.")
    return connector.account_ref(text.strip())
