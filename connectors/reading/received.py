"""Find an order as platforms told it, in the sealed archive of the connections."""

import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from connectors.models import Connection, RawPayload
from connectors.reading import archive
from connectors.registry import UnknownPlatform, find
from ledger.models import Store
from ledger.sealing import Unsealable

MOST_OPENED = 20
"""Payloads opened for one order, the latest first."""
MOST_SHOWN = 4
LONGEST = 60_000
"""Characters of a record that are shown."""
_REF = re.compile(r"\bconnection:(\d{1,15})\b")


class ReceivedRecord(Struct, frozen=True):
    """What a connection was told of an order, as it came, laid out for reading; `problem` says why it cannot be shown."""

    source: str
    """Such as “orders of North on Shopify”."""
    first_at: datetime
    """When it was first received so."""
    text: str = ""
    problem: str = ""
    is_cut: bool = False


def connections_named(store: Store, refs: Iterable[str]) -> dict[str, Connection]:
    """Return the connections that causes name (`connection:17`), by that text."""
    named = {ref: int(found[1]) for ref in refs if (found := _REF.search(ref))}
    own = Connection.objects.filter(store=store).in_bulk(set(named.values()))
    return {ref: own[pk] for ref, pk in named.items() if pk in own}


def called(connection: Connection) -> str:
    """Return what a person calls a connection, such as “North on Shopify”."""
    name = connection.label or connection.account_ref
    try:
        return f"{name} on {find(connection.platform).label}"
    except UnknownPlatform:
        return f"{name} on {connection.platform}"


def received_of(connections: Collection[Connection], names: Collection[str]) -> list[ReceivedRecord]:
    """Return what connections were told of an order that they call by one of the names, the latest first, each version once."""
    if not connections:
        return []
    by_id = {connection.pk: connection for connection in connections}
    found: dict[tuple[str, str], ReceivedRecord] = {}
    for payload in archive.received(by_id, names, most=MOST_OPENED):
        source = f"{_stream_label(payload)} of {called(by_id[payload.connection_id or 0])}"
        for record in _opened(payload, source, frozenset(names)):
            # The same told again: it is as old as its first telling.
            found[source, record.text or record.problem] = record
    return sorted(found.values(), key=lambda record: record.first_at, reverse=True)[:MOST_SHOWN]


def _opened(payload: RawPayload, source: str, names: frozenset[str]) -> list[ReceivedRecord]:
    at = payload.received_at
    assert at is not None  # noqa: S101  every payload of a connection tells it
    try:
        records = archive.records_of(payload)
    except Unsealable:
        return [ReceivedRecord(source, at, problem="What was received is sealed with a key that is no longer in FIELD_KEYS.")]
    except (msgspec.DecodeError, zlib.error):
        return [ReceivedRecord(source, at, problem="What was received cannot be read any more.")]
    return [_laid_out(record, source, at) for name, record in records if name in names]


def _laid_out(record: Mapping[str, Any], source: str, at: datetime) -> ReceivedRecord:
    text = msgspec.json.format(msgspec.json.encode(record), indent=2).decode()
    return ReceivedRecord(source, at, text=text[:LONGEST], is_cut=len(text) > LONGEST)


def _stream_label(payload: RawPayload) -> str:
    try:
        return find(payload.connection.platform if payload.connection else "").stream(payload.stream).label
    except (UnknownPlatform, KeyError):
        return payload.stream
