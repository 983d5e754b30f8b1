"""Park records that could not be understood, sealed and with the reason, and try them again; what is understood at last is parked no more."""

import hashlib
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db.models import F

from connectors.models import Connection, ParkedRecord
from connectors.spec import Json
from ledger import findings
from ledger.sealing import Unsealable, seal, unseal

UNREADABLE = "records_parked"
"""The kind of finding that says that records of a stream wait."""
LONGEST_ID, LONGEST_REASON = 120, 2_000


class Bad(NamedTuple):
    """A record that could not be understood: its id, itself without personal fields, and why.

    The reason is shown, logged and sent; `detail`, which may quote the record, is sealed beside it.
    """

    id: str
    record: Json
    reason: str
    detail: str = ""


def park(connection: Connection, stream: str, bad: Sequence[Bad], *, now: datetime) -> None:
    """Keep records that could not be understood; one that is parked already is kept as it came last, and counted."""
    for each in {one.id: one for one in bad}.values():
        latest = {
            "body": seal(zlib.compress(msgspec.json.encode(each.record))), "reason": each.reason[:LONGEST_REASON].replace("\0", ""),
            "detail": seal(each.detail[:LONGEST_REASON].encode(errors="replace")) if each.detail else None, "last_at": now,
        }  # fmt: skip
        ParkedRecord.objects.update_or_create(
            connection=connection, stream=stream, external_id=each.id[:LONGEST_ID],
            defaults={**latest, "attempts": F("attempts") + 1}, create_defaults={**latest, "first_at": now},
        )  # fmt: skip


def rewrite(row: ParkedRecord, record: Json, *, name: str) -> None:
    """Keep a parked record as it is after somebody was cut from it, and is called now; what its error said may quote what was cut, and goes."""
    ParkedRecord.objects.filter(pk=row.pk).update(external_id=name, body=seal(zlib.compress(msgspec.json.encode(record))), detail=None)


def note_reason(row: ParkedRecord, reason: str, *, now: datetime) -> None:
    """Note why a parked record cannot even be tried."""
    ParkedRecord.objects.filter(pk=row.pk).update(reason=reason, last_at=now, attempts=F("attempts") + 1)


def resolve(connection: Connection, stream: str, ids: Collection[str]) -> int:
    """Let go of parked records that were understood; return how many there were."""
    waiting = ParkedRecord.objects.filter(connection=connection, stream=stream)
    # Mostly none waits, and then ids by the thousand need not be sent.
    return waiting.filter(external_id__in=list(ids)).delete()[0] if ids and waiting.exists() else 0


def id_of(record: Json) -> str:
    """Return what stands for the id of a record that does not tell it: a digest."""
    return f"digest:{hashlib.blake2b(msgspec.json.encode(record, order='deterministic'), digest_size=12).hexdigest()}"


def body_of(row: ParkedRecord) -> Json:
    """Return a parked record; raise Unsealable when its key is gone."""
    record: Json = msgspec.json.decode(zlib.decompress(unseal(bytes(row.body))))
    return record


def detail_of(row: ParkedRecord) -> str:
    """Return what besides the reason was noted of a parked record, which may quote it; nothing when its key is gone."""
    try:
        return unseal(bytes(row.detail)).decode() if row.detail else ""
    except Unsealable:
        return ""


def parked(connection: Connection, stream: str, *, after: int = 0, most: int = 500) -> list[ParkedRecord]:
    """Return parked records of a stream in the order of their numbers, those after a number."""
    return list(ParkedRecord.objects.filter(connection=connection, stream=stream, pk__gt=after).order_by("pk")[:most])


def still(connection: Connection, stream: str, ids: Collection[str]) -> set[str]:
    """Return which of some ids are parked, and keep them so until the transaction ends."""
    waiting = ParkedRecord.objects.select_for_update().filter(connection=connection, stream=stream, external_id__in=list(ids)).order_by("pk")
    return set(waiting.values_list("external_id", flat=True))


def tell(connection: Connection, stream: str, label: str, *, now: datetime) -> int:
    """Open, refresh or resolve the finding that records of a stream wait, and return how many do."""
    waiting = ParkedRecord.objects.filter(connection=connection, stream=stream)
    count, subject = waiting.count(), f"{connection.pk}:{stream}"
    if not count:
        findings.resolve(connection.store_id, UNREADABLE, subject, now=now)
        return 0
    first = waiting.order_by("-last_at", "-pk")[0]
    records, are, them = ("records", "are", "them") if count > 1 else ("record", "is", "it")
    findings.note(
        connection.store_id, UNREADABLE, subject,
        f"{count:,} {records} of “{label}” from {connection.label or connection.account_ref} {are} in no figure: "
        f"this version does not understand {them}. "
        f"The latest, {first.external_id}: {first.reason}",
        now=now,
    )  # fmt: skip
    return count
