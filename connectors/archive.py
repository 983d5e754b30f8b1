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
from ledger.sealing import seal, unseal

Record = tuple[str, Json]
"""A record with its id."""

_decode = msgspec.json.Decoder(list[tuple[str, dict[str, Any]]]).decode


def keep_page(connection: Connection, stream: str, records: Sequence[Record], *, now: datetime) -> None:
    """Keep the records of a page, before anything is made of them."""
    packed = pack(records)
    row = RawPayload(
        connection=connection, stream=stream, received_at=now, number=0, body=seal(packed), sha256=hashlib.sha256(packed).hexdigest(),
        orders=len(records), keys=keys_of(name for name, _ in records),
    )  # fmt: skip
    RawPayload.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["connection", "stream", "sha256"], update_fields=["received_at"]
    )  # fmt: skip


def pack(records: Sequence[Record]) -> bytes:
    """Compress the records of a page."""
    return zlib.compress(msgspec.json.encode(records), 1)


def rewrite(payload: RawPayload, packed: bytes, *, now: datetime) -> None:
    """Keep a payload, of a connection or of a file, as it is after somebody was cut from it; where that makes two of one, one of them."""
    digest = hashlib.sha256(packed).hexdigest()
    same = RawPayload.objects.filter(connection=payload.connection_id, stream=payload.stream, sha256=digest).exclude(pk=payload.pk)
    if payload.connection_id is not None and same.exists():
        RawPayload.objects.filter(pk=payload.pk).delete()
    else:
        RawPayload.objects.filter(pk=payload.pk).update(body=seal(packed), sha256=digest, redacted_at=now)


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
