"""Read one stream of a connection for one run: the rules that hold however it is read, and what becomes of faults."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from connectors.connections import note_fault, note_success, opened
from connectors.faults import BadPayload, Denied, Expired, Fault, NeedsReauth, RetryLater, TooBig
from connectors.files.kind import Guard, Progress, unguarded, untold
from connectors.http import LONGEST_WAIT, Client
from connectors.models import Connection, SyncCursor, SyncRun
from connectors.reading import bulk, parking, runs
from connectors.reading.bulk import Backfill, Progressed, Refused
from connectors.reading.paged import Limits, Paging
from connectors.reading.runs import Run
from connectors.reading.taking import Taker
from connectors.spec import Stream
from connectors.succession import give_up, share_of
from ledger import findings
from ledger.models import Finding

log = structlog.get_logger(__name__)

FAILED = "sync_failed"
"""The kind of finding that says that a stream cannot be read."""
ONE_JOB = Limits()

Status = SyncRun.Status


class Outcome(NamedTuple):
    """What one run did; it is to be run again at once unless all is read."""

    done: bool
    records: int
    changed: int
    parked: int
    wait: float = 0.0
    """Seconds until the next run can find anything; 0: at once."""


def read(
    connection: Connection, stream: Stream, *, now: datetime, limits: Limits | None = None, progress: Progress = untold, guard: Guard = unguarded,
    past: bool = False,
) -> Outcome:  # fmt: skip
    """Open a connection and read one of its streams, as `sync` does."""
    with ExitStack() as stack:
        try:
            client = stack.enter_context(opened(connection, now=now))
        except Fault as fault:
            note_fault(connection, fault, now=now)
            raise
        return sync(connection, stream, client, now=now, limits=limits, progress=progress, guard=guard, past=past)


def sync(
    connection: Connection, stream: Stream, client: Client, *, now: datetime, limits: Limits | None = None, progress: Progress = untold,
    guard: Guard = unguarded, past: bool = False,
) -> Outcome:  # fmt: skip
    """Read what is new in a stream, or go on with what was begun, within limits: those of one job unless others are given.

    With `past`, go on with reading its past again, beside whoever reads what is new; there is nothing to do where nobody asked for that.
    Raise Busy while another run is alive; the Fault that ended the run, after noting it; RunLost when another took over.
    """
    name = runs.past_name(stream.name) if past else stream.name
    if past and not runs.rereads(connection, stream.name):
        return Outcome(True, 0, 0, 0)
    cursor = runs.cursor_of(connection, name)
    mode = SyncRun.Mode.INCREMENT if cursor.backfilled_at else SyncRun.Mode.BACKFILL
    with runs.claim(connection, name, mode, now=now) as run:
        # What the last run wrote, perhaps a moment ago.
        cursor.refresh_from_db()
        if stream.comparison is not None and (share := share_of(connection)) is not None:
            give_up(connection, share, now=now)
        try:
            how = _read(run, stream, cursor, client, limits or ONE_JOB, progress, guard, now)
        except Fault as fault:
            run.end_by(fault)
            tell_fault(run, stream, fault, now=now)
            raise
        if how.idle:
            run.discard()
        # What came after the past's window is read by whoever reads what is new.
        done = how.done or (past and cursor.backfilled_at is not None)
        run.end(Status.DONE if done else Status.PARTIAL)
        if past and done:
            runs.forget(cursor)
    tell_success(run, stream, now=now)
    return Outcome(done, run.records, run.changed, run.parked, how.wait)


def _read(
    run: Run, stream: Stream, cursor: SyncCursor, client: Client, limits: Limits, progress: Progress, guard: Guard, now: datetime
) -> Progressed:
    """Read by files where the past is read so and the platform makes them, else page by page."""
    taker = Taker(run, stream, cursor, guard, now=now)
    if stream.bulk is not None and bulk.is_for(stream, cursor):
        try:
            return Backfill(run, stream, stream.bulk, cursor, client, taker, limits=limits, progress=progress, guard=guard, now=now).read()
        except Refused as refused:
            log.info("sync.bulk_refused", stream=stream.name, reason=str(refused))
            bulk.give_up(stream, cursor)
    return Progressed(Paging(run, stream, cursor, client, taker, limits=limits, progress=progress, now=now).read())


def tell_success(run: Run, stream: Stream, *, now: datetime) -> None:
    """Note that a stream is read as it should be, and what of it waits."""
    note_success(run.connection, now=now)
    findings.resolve(run.connection.store_id, FAILED, subject_of(run.connection, stream), now=now)
    parking.tell(run.connection, stream.name, stream.label, now=now)


def tell_fault(run: Run, stream: Stream, fault: Fault, *, now: datetime) -> None:
    """Tell the connection's owner what is wrong: of the account with the connection, of one stream as a finding."""
    connection = run.connection
    if isinstance(fault, RetryLater):
        waits = fault.after is not None and fault.after > LONGEST_WAIT
        note_fault(connection, fault, now=now, until=now + timedelta(seconds=fault.after or 0) if waits else None)
    elif isinstance(fault, NeedsReauth):
        note_fault(connection, fault, now=now)
    elif isinstance(fault, Denied | BadPayload | TooBig | Expired):
        account = connection.label or connection.account_ref
        findings.note(
            connection.store_id, FAILED, subject_of(connection, stream), f"“{stream.label}” of {account} cannot be read: {fault.reason}",
            severity=Finding.Severity.WARNING if isinstance(fault, Denied) else Finding.Severity.ERROR, now=now,
        )  # fmt: skip
    if run.parked:
        parking.tell(connection, stream.name, stream.label, now=now)


def subject_of(connection: Connection, stream: Stream) -> str:
    """Return how findings name a stream of a connection."""
    return f"{connection.pk}:{stream.name}"
