"""Try parked records again: when a person asks for it, and by itself after an upgrade may have learnt to read them."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db import transaction

from connectors.files.kind import Guard, unguarded
from connectors.models import Connection, ParkedRecord, SyncRun
from connectors.reading import parking, recording, runs
from connectors.reading.parking import Bad
from connectors.reading.runs import Run
from connectors.reading.taking import Received, context_of, read
from connectors.registry import find
from connectors.spec import Stream
from connectors.succession import share_of
from ledger.sealing import Unsealable

AT_ONCE = 200
SEALED = "It is sealed with a key that is no longer in FIELD_KEYS."


class Replayed(NamedTuple):
    """What trying parked records again did, in records."""

    understood: int = 0
    left: int = 0


def replay(connection: Connection, *, now: datetime, guard: Guard = unguarded) -> Replayed:
    """Try every parked record of a connection again, some per transaction; those that are understood are parked no more.

    Raise Busy while a stream with such records is read: what is read then may be the same records, come whole.
    """
    understood = left = 0
    for stream in find(connection.platform).streams:
        if parking.parked(connection, stream.name, most=1):
            with runs.claim(connection, stream.name, SyncRun.Mode.REPLAY, now=now) as run:
                for rows in _in_parts(connection, stream):
                    done = _replay(run, stream, rows, now, guard)
                    understood, left = understood + done.understood, left + done.left
                run.discard()
        parking.tell(connection, stream.name, stream.label, now=now)
    return Replayed(understood, left)


def _in_parts(connection: Connection, stream: Stream) -> Iterator[list[ParkedRecord]]:
    last = 0
    while rows := parking.parked(connection, stream.name, after=last, most=AT_ONCE):
        last = rows[-1].pk
        yield rows


def _replay(run: Run, stream: Stream, rows: list[ParkedRecord], now: datetime, guard: Guard) -> Replayed:
    connection, opened = run.connection, {}
    for row in rows:
        try:
            opened[row.external_id] = parking.body_of(row)
        except Unsealable:
            parking.note_reason(row, SEALED, now=now)
    found = read(stream, [Received(record) for record in opened.values()], context_of(connection, now=now), share_of(connection))
    with transaction.atomic():
        _, refused = recording.write(connection, found.mapped, now=now)
        bodies = dict(found.named)
        bad = [*found.bad, *(Bad(each.id, msgspec.json.decode(bodies[each.id]), each.reason, each.detail) for each in refused)]
        unread = {each.id for each in bad}
        # By what they were parked as: an id may be understood only now.
        called = {was: name for was, (name, _) in zip(opened, found.named, strict=True)}
        # What a delivery brought whole meanwhile is parked no more, and not anew.
        waiting = {called[was] for was in parking.still(connection, stream.name, called)}
        understood = parking.resolve(connection, stream.name, {was for was, name in called.items() if name not in unread})
        parking.resolve(connection, stream.name, {was for was, name in called.items() if name in unread and name[: parking.LONGEST_ID] != was})
        parking.park(connection, stream.name, [each for each in bad if each.id in waiting], now=now)
        run.fence()
        guard()
    return Replayed(understood, len(rows) - understood)
