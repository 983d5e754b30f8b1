"""Erase what was received of an account whose owner has left its platform's app: the archive, the inbox and the secrets go, buyers become nobodies.

What the store concluded stays, orders and amounts, the ledger and its totals: they are its owner's own books, on its owner's own machine
(docs/decisions/0032-shop-redact-leaves-the-books.md). Whoever wants them gone as well deletes the store.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from connectors import accounts, connections, oauth
from connectors.faults import NeedsReauth
from connectors.models import Connection, ParkedRecord, RawPayload
from connectors.reading import bulk_files, parking, runs
from connectors.registry import UnknownPlatform, find
from connectors.webhooks import deliveries, doors
from ledger.erasure import privacy
from ledger.sealing import unseal

AT_ONCE = 200


class Connected(Exception):
    """Say that the account is connected: whoever left has come back since, and a person has to decide."""


class Place(NamedTuple):
    """One place, and what erases some of it, returning how much: nothing when all is gone."""

    name: str
    label: str
    erase: Callable[[Connection, datetime], int]


def refuse_connected(account: Connection, *, now: datetime) -> None:
    """Ask an account that is not known to have left whether it has; raise Connected where it lets us in.

    Raise a Fault where it does not say, Unsealable where it cannot be asked since the key of its secrets is gone.
    """
    if account.status != Connection.Status.ACTIVE:
        return
    if account.secrets is not None:
        unseal(bytes(account.secrets))
    try:
        accounts.check(account, now=now)
    except NeedsReauth:
        return
    raise Connected(
        "The account is connected and answers, so it was not left, or has been connected again, and nothing was erased. "
        "Disconnect it on the page “Connections” if what was received of it is to go, then try again here."
    )


def let_go(account: Connection, *, now: datetime) -> None:
    """Forget the secrets of an account that has left, and how far it was read."""
    account.refresh_from_db()
    if account.status != Connection.Status.DISCONNECTED or account.secrets is not None:
        connections.disconnect(account, now=now)
    runs.forget_cursors(account)
    oauth.forget(account)


def _received(account: Connection, now: datetime) -> int:
    some = list(RawPayload.objects.filter(connection=account).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return RawPayload.objects.filter(pk__in=some).delete()[0]


def _parked(account: Connection, now: datetime) -> int:
    count = ParkedRecord.objects.filter(connection=account).delete()[0]
    try:
        streams = find(account.platform).streams
    except UnknownPlatform:
        return count
    for stream in streams:
        parking.tell(account, stream.name, stream.label, now=now)
    return count


def _bulk(account: Connection, now: datetime) -> int:
    folders = list(settings.BULK_FOLDER.glob(f"{account.pk}-*"))
    for folder in folders:
        bulk_files.remove(folder)
    return len(folders)


def _deliveries(account: Connection, now: datetime) -> int:
    return deliveries.forget_of(account) + doors.forget(account)


def _customers(account: Connection, now: datetime) -> int:
    return privacy.erase_some_told_by(account.store, account.cause_ref, now=now)


def _guests(account: Connection, now: datetime) -> int:
    return privacy.forget_some_guests_told_by(account.store, account.cause_ref)


PLACES: tuple[Place, ...] = (
    Place("pages", "pages as the platform told them", _received),
    Place("parked", "parked records", _parked),
    Place("deliveries", "deliveries, and the secrets they are signed with", _deliveries),
    Place("bulk_folders", "files that the platform made of its past", _bulk),
    Place("customers", "customers, each known by a keyed hash", _customers),
    Place("guests", "orders of guests, but for their country", _guests),
)
