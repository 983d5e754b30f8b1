"""Take records that a platform gave: keep them, map them, record them, park the bad ones, and move the cursor, all or nothing.

The archive is written first and by itself, so that what arrived is kept even where mapping fails. Everything that is
made of it, mirror, entries, totals, parked records, the run's counts and the cursor, commits in one transaction.
"""

import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.db import transaction
from msgspec.structs import replace

from connectors.faults import BadPayload
from connectors.files.kind import Guard
from connectors.models import Connection, SyncCursor
from connectors.reading import archive, parking, recording, runs
from connectors.reading.checking import check
from connectors.reading.parking import Bad
from connectors.reading.recording import Mapped
from connectors.reading.runs import Run
from connectors.spec import Context, Json, Stream
from connectors.succession import Share, share_of
from ledger.identity import recogniser
from ledger.kinds import CauseKind
from ledger.orders.build import Zones

log = structlog.get_logger(__name__)

A_FEW = 5
"""So many bad records fail no run, however few it read."""
BAD_SHARE = 100
"""Beyond a few, at most one in so many records may be bad: more are no accident of a record, but of the platform or of us."""


class Received(NamedTuple):
    """A record as it came, and what was wrong with getting the whole of it."""

    record: Json
    problem: str = ""


class Read(NamedTuple):
    """What was made of some records."""

    named: list[archive.Written]
    mapped: list[Mapped]
    bad: list[Bad]
    newest: datetime | None
    """The latest time of change among those that were understood."""


def context_of(connection: Connection, *, now: datetime) -> Context:
    """Return what the mappers of a connection need besides records."""
    store = connection.store
    return Context(
        account=connection.account_ref, currency=connection.currency or store.currency, now=now,
        zone=ZoneInfo(connection.zone) if connection.zone else Zones.load(store).zone_on(now.date()),
        identify=recogniser(store.pk),
    )  # fmt: skip


def read(stream: Stream, received: Sequence[Received], context: Context, share: Share | None = None) -> Read:
    """Cut what is personal, and map; what cannot be mapped is bad. Of an account that several stores follow, only what is the store's is taken."""
    named: list[archive.Written] = []
    mapped: list[Mapped] = []
    bad: list[Bad] = []
    newest: datetime | None = None
    changed_at = stream.cursor.changed_at if stream.cursor else None
    for each in received:
        record = archive.cut(each.record, stream.personal) if stream.personal else each.record
        record = unrecognised(stream, record if stream.tidy is None else stream.tidy(record), context)
        name = ""
        try:
            name = str(stream.identity(record))
            if each.problem:
                raise BadPayload(each.problem)
            facts = tuple(stream.map(record, context))
            for fact in facts:
                check(fact, now=context.now)
            if share is not None:
                facts = tuple(filter(share.has, facts))
            when = changed_at(record) if changed_at else None
            if when is not None and when.tzinfo is None:
                raise BadPayload("The record's time of change has no time zone.")
        except BadPayload as fault:
            bad.append(Bad(name or parking.id_of(record), record, fault.reason))
        except Exception as error:
            # A mapper ought to raise nothing else; where it does, that is one record's misfortune and not the stream's.
            failed = Bad(name or parking.id_of(record), record, f"It broke what reads it: {place_of(error)}.", detail=str(error))
            # Without its text, which may quote the record.
            log.error("sync.mapper_failed", stream=stream.name, record=failed.id, error=place_of(error))
            bad.append(failed)
        else:
            mapped.append(Mapped(name, facts))
            newest = when if newest is None or (when is not None and when > newest) else newest
        named.append((name or bad[-1].id, msgspec.Raw(msgspec.json.encode(record))))
    return Read(named, mapped, bad, newest)


def unrecognised(stream: Stream, record: Json, context: Context) -> Json:
    """Return a record as nobody's where its person was erased; before anything of it is kept."""
    identity = stream.whose.identity(record) if stream.whose else None
    return record if stream.whose is None or identity is None or context.identify(identity) else stream.whose.renamed(record, "")


def place_of(error: BaseException) -> str:
    """Return the type of an error and where it was raised, without its text."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return type(error).__name__ + "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in last)


class Taker:
    """Takes the records of one run: gathers what some pages hold, and writes it at once."""

    def __init__(self, run: Run, stream: Stream, cursor: SyncCursor, guard: Guard, *, now: datetime, kind: CauseKind = CauseKind.SYNC) -> None:
        self._run, self._stream, self._cursor, self._guard, self._now, self._kind = run, stream, cursor, guard, now, kind
        self._context, self._share = context_of(run.connection, now=now), share_of(run.connection)
        self._gathered: list[Read] = []
        self.asked_at = now
        """When what is gathered was asked for, at the earliest: what was taken out as deleted since then stays so."""

    @property
    def records(self) -> int:
        """Return how many records are gathered and not written."""
        return sum(len(found.named) for found in self._gathered)

    @property
    def pages(self) -> int:
        """Return of how many pages they are."""
        return len(self._gathered)

    def gather(self, received: Sequence[Received]) -> Read:
        """Keep what was received and map it; raise BadPayload when too much of what the run read is bad."""
        # Whom not to recognise may have been said since the last page.
        context = replace(self._context, identify=recogniser(self._run.connection.store_id))
        found = read(self._stream, received, context, self._share)
        if found.named:
            archive.keep_page(self._run.connection, self._stream.name, found.named, now=self._now)
        waiting = sum(len(other.bad) for other in self._gathered)
        self._refuse_many(found.bad, parked=waiting + len(found.bad), records=self.records + len(received))
        self._gathered.append(found)
        return found

    def _refuse_many(self, bad: Sequence[Bad], *, parked: int, records: int) -> None:
        """Raise BadPayload when these, added to what the run has read, are too many bad records."""
        all_bad, all_records = self._run.parked + parked, self._run.records + records
        if bad and all_bad > A_FEW and all_bad * BAD_SHARE > all_records:
            raise BadPayload(
                f"{all_bad:,} of {all_records:,} records could not be understood, so no more are taken until that is mended. "
                f"The latest, {bad[-1].id}: {bad[-1].reason}"
            )

    def write(self, *, moves: Mapping[str, Any], pages: int | None = None) -> None:
        """Record what is gathered and move the cursor: one transaction. The pages are as many as were gathered, unless told."""
        run, before = self._run, (self._run.pages, self._run.records, self._run.changed, self._run.parked)
        named = [each for found in self._gathered for each in found.named]
        mapped, unread_then = self._latest()
        try:
            with transaction.atomic():
                counts, refused = recording.write(run.connection, mapped, now=self._now, kind=self._kind, asked_at=self.asked_at)
                bodies = dict(named) if refused else {}
                bad = [
                    *unread_then,
                    *(Bad(each.id, msgspec.json.decode(bodies[each.id]), each.reason, each.detail) for each in refused),
                ]
                self._refuse_many(bad, parked=len(bad), records=len(named))
                parking.park(run.connection, self._stream.name, bad, now=self._now)
                unread = {each.id for each in bad}
                parking.resolve(run.connection, self._stream.name, {each.id for each in mapped} - unread)
                run.pages += self.pages if pages is None else pages
                run.records, run.parked, run.changed = run.records + len(named), run.parked + len(bad), run.changed + counts.changed
                runs.move(self._cursor, **moves)
                run.fence()
                self._guard()
        except BaseException:
            run.pages, run.records, run.changed, run.parked = before
            raise
        finally:
            self._gathered = []

    def _latest(self) -> tuple[list[Mapped], list[Bad]]:
        """Return what was made of each record that is gathered, and which are bad: of one that several pages hold, as it came last."""
        mapped: dict[str, Mapped] = {}
        bad: dict[str, Bad] = {}
        for found in self._gathered:
            for each in found.mapped:
                mapped[each.id] = each
                bad.pop(each.id, None)
            bad |= {each.id: each for each in found.bad}
        return list(mapped.values()), list(bad.values())
