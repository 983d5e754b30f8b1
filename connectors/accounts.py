"""Notice what changes about a connected account itself: its time zone, its currency, what it lets us read."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.connections import missing_scopes, note_fault, note_success, opened
from connectors.faults import Fault
from connectors.models import Connection
from connectors.registry import find
from connectors.spec import AccountInfo
from connectors.succession import next_currency
from ledger import findings
from ledger.models import Finding, Store
from ledger.stores import move_zone, zone_of

CURRENCY, ZONE, SCOPES = "account_currency", "account_zone", "account_scopes"
"""Kinds of findings."""


def check(connection: Connection, *, now: datetime) -> AccountInfo:
    """Ask the platform who it thinks we are, and note what it said; raise the Fault when it does not let us in."""
    connector = find(connection.platform)
    try:
        with opened(connection, now=now) as client:
            info = connector.probe(client.send)
    except Fault as fault:
        note_fault(connection, fault, now=now)
        raise
    note_account(connection, info, now=now)
    note_success(connection, now=now)
    return info


def note_account(connection: Connection, info: AccountInfo, *, now: datetime) -> None:
    """Keep what a platform says of an account, and tell its owner what has changed or does not fit the store.

    A store that kept the account's former time zone moves with it, from tomorrow on: days that were booked never move.
    A store's book stays in its currency: orders in another one are converted, which its owner has to know.
    Of an account that was deleted meanwhile nothing is kept or told.
    """
    before = connection.zone
    connection.label, connection.zone, connection.currency = info.name[:200], info.zone, info.currency
    connection.scopes = sorted(info.scopes or connection.scopes)
    known = Connection.objects.filter(pk=connection.pk)
    if not known.update(label=connection.label, zone=connection.zone, currency=connection.currency, scopes=connection.scopes):
        return
    _tell_zone(connection, before, now)
    _tell_currency(connection, now)
    _tell_scopes(connection, now)


def _tell_zone(connection: Connection, before: str, now: datetime) -> None:
    store, zone = connection.store, connection.zone
    if not zone or before in ("", zone):
        return
    # After the later of the two days it is now: on that one something may be booked already.
    tomorrow = max(now.astimezone(ZoneInfo(name)).date() for name in (before, zone)) + timedelta(days=1)
    if zone_of(store, datetime.combine(tomorrow, time(), UTC)) != before:
        return
    move_zone(store, zone, from_day=tomorrow)
    message = (
        f"{_name(connection)} moved from {before} to {zone}. The days of {store.name} follow it from {tomorrow:%-d %b %Y} on; "
        "days before stay as they were booked."
    )
    findings.note(store.pk, ZONE, str(connection), message, severity=Finding.Severity.INFO, now=now)


def _tell_currency(connection: Connection, now: datetime) -> None:
    store: Store = connection.store
    if not next_currency(connection):
        findings.resolve(store.pk, CURRENCY, str(connection), now=now)
        return
    own, other = store.currency, connection.currency
    message = (
        f"{_name(connection)} sells in {other}, and the book of {store.name} is kept in {own}: its orders are converted at each day's rate. "
        f"For figures in {other} as the shop has them, press “Go on in {other}” on the account's page: a store in that currency takes over its "
        f"orders; those in {own} stay here."
    )
    findings.note(store.pk, CURRENCY, str(connection), message, expected=own, actual=other, now=now)


def _tell_scopes(connection: Connection, now: datetime) -> None:
    missing = missing_scopes(connection)
    if not missing:
        findings.resolve(connection.store_id, SCOPES, str(connection), now=now)
        return
    message = (
        f"{find(connection.platform).label} does not let {_name(connection)} be read whole: {', '.join(missing)} was not granted. "
        "Connect it again and grant it, or know that what it would tell is missing."
    )
    findings.note(connection.store_id, SCOPES, str(connection), message, severity=Finding.Severity.INFO, now=now)


def _name(connection: Connection) -> str:
    return connection.label or connection.account_ref
