"""Keep what connections received, compressed and sealed, and find it again. What files told is kept by connectors/files/imports.py.

A payload holds the records of a page, each with its id, personal fields cut. The very same page received
again, as an overlap does every few minutes, is kept once.
"""

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from connectors.models import Connection, RawPayload
from connectors.spec import Json
from ledger.book import bound
from ledger.book.pgcopy import array
from ledger.sealing import seal, unseal

Record = tuple[str, Json]
"""A record with its id."""
Written = tuple[str, msgspec.Raw]
"""The same, the record as JSON."""

_decode = msgspec.json.Decoder(list[tuple[str, dict[str, Any]]]).decode


_KEEP = """
    INSERT INTO connectors_rawpayload (connection_id, stream, received_at, number, body, sha256, orders, keys)
    VALUES (%s, %s, %s, 0, %s, %s, %s, %s::bigint[]) ON CONFLICT (connection_id, stream, sha256) DO UPDATE SET received_at = excluded.received_at
"""


def keep_page(connection: Connection, stream: str, records: Sequence[Written], *, now: datetime) -> None:
    """Keep the records of a page, before anything is made of them."""
    packed = pack(records)
    bound.run(_KEEP, [
        connection.pk, stream, now, seal(packed), hashlib.sha256(packed).hexdigest(), len(records), array(keys_of(name for name, _ in records))
    ])  # fmt: skip


def pack(records: Sequence[Record | Written]) -> bytes:
    """Compress the records of a page."""
    return zlib.compress(msgspec.json.encode(records), 1)


def rewrite(payload: RawPayload, packed: bytes, *, keys: Sequence[int], now: datetime) -> None:
    """Keep a payload, of a connection or of a file, as it is after somebody was cut from it; where that makes two of one, one of them."""
    digest = hashlib.sha256(packed).hexdigest()
    same = RawPayload.objects.filter(connection=payload.connection_id, stream=payload.stream, sha256=digest).exclude(pk=payload.pk)
    if payload.connection_id is not None and same.exists():
        RawPayload.objects.filter(pk=payload.pk).delete()
    else:
        RawPayload.objects.filter(pk=payload.pk).update(body=seal(packed), sha256=digest, keys=list(keys), redacted_at=now)


def keys_of(names: Iterable[str]) -> list[int]:
    """Return what a payload keeps to say which records it holds: eight bytes of a hash of each name."""
    return [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True) for name in names]


def records_of(payload: RawPayload) -> list[Record]:
    """Return the records of a connection's payload; raise Unsealable when its key is gone."""
    return _decode(zlib.decompress(unseal(bytes(payload.body))))


def received(connections: Collection[int], names: Collection[str], *, most: int) -> list[RawPayload]:
    """Return the payloads of connections that hold a record of one of the names, the latest first, at most so many."""
    found = RawPayload.objects.filter(connection__in=connections, keys__overlap=keys_of(names)).select_related("connection")
    return list(found.order_by("-received_at", "-pk")[:most])


def pages(connection: Connection, stream: str) -> Iterator[list[Record]]:
    """Yield everything that is kept of a stream, as it came in."""
    payloads = RawPayload.objects.filter(connection=connection, stream=stream).order_by("pk")
    for payload in payloads.iterator(chunk_size=1):
        yield records_of(payload)


def cut(value: Any, names: frozenset[str]) -> Any:
    """Return a value without the fields of some names, wherever they stand."""
    if isinstance(value, dict):
        return {name: cut(inner, names) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [cut(inner, names) for inner in value]
    return value
