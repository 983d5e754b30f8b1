"""Read connections in the background: one job per stream, chained while there is more, and a dispatcher that knows what is due."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connectors import accounts
from connectors.connections import opened
from connectors.faults import Denied, Fault, NeedsReauth, QuotaUsedUp, RetryLater
from connectors.models import Connection, ParkedRecord
from connectors.reading import bulk_files, runs
from connectors.reading.comparing import compare, cursor_name
from connectors.reading.replaying import replay
from connectors.reading.runs import Busy, RunLost
from connectors.reading.sync import read
from connectors.registry import UnknownPlatform, find
from connectors.spec import Stream
from ledger.people import kept_stores
from profitpeek.jobs import queue
from profitpeek.jobs.faults import NeedsAttention, Permanent, Postponed, Retryable
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work

DENIED_RESTS = timedelta(days=1)
"""A stream whose permission lacks is asked for again so much later; consent given anew wakes it at once."""
BEHIND_RESTS = timedelta(minutes=10)
"""A stream that follows another is looked at again so much later while the past of that one is being read."""
SHORTEST_PAUSE, MOST_DOUBLED = 30.0, 6
"""Seconds before a platform that is away is asked again, doubled each time: a quarter of an hour at most."""
REREAD_EVERY = timedelta(minutes=10)
"""A past that is read again is asked for so often, should its job have ended under it."""
WHOLE_EVERY = timedelta(days=30)
RUNS_KEPT = timedelta(days=60)
FILES_KEPT = timedelta(days=8)

Status = Connection.Status


def submit_stream(connection: Connection, stream: Stream, *, actor: str) -> int:
    """Have a stream read as soon as may be: on from where it is, or all of its past where that was never read."""
    cursor = runs.cursor_of(connection, stream.name)
    kind = SYNC_STREAM if cursor.backfilled_at else BACKFILL
    subject = f"{stream.label} of {connection.label or connection.account_ref}"
    return queue.submit(kind, {"connection": connection.pk, "stream": stream.name}, key=key_of(connection, stream), subject=subject, actor=actor)


def submit_reread(connection: Connection, stream: Stream, *, actor: str) -> int:
    """Have a stream's past read again, as was asked for, beside what is new."""
    parameters = {"connection": connection.pk, "stream": stream.name, "past": True}
    subject = f"{stream.label} of {connection.label or connection.account_ref}"
    return queue.submit(BACKFILL, parameters, key=key_of_past(connection, stream), subject=subject, actor=actor)


def submit_connection(connection: Connection, *, actor: str) -> None:
    """Have every stream of a connection read as soon as may be."""
    for stream in find(connection.platform).streams:
        submit_stream(connection, stream, actor=actor)


def submit_connected(connection: Connection, *, actor: str) -> None:
    """Have an account read that was connected just now, anew perhaps, and ask it who it is."""
    runs.wake(connection)
    submit_connection(connection, actor=actor)
    submit_check(connection, actor=actor)


def submit_check(connection: Connection, *, actor: str) -> None:
    """Have an account asked who it is."""
    subject = connection.label or connection.account_ref
    queue.submit(CHECK_ACCOUNT, {"connection": connection.pk}, key=f"connection:{connection.pk}", subject=subject, actor=actor)


def submit_past(connection: Connection, *, actor: str) -> None:
    """Have the whole past of a connection read again; what is known already changes nothing."""
    with transaction.atomic():
        for stream in find(connection.platform).streams:
            if stream.cursor is not None:
                runs.read_again(connection, stream.name)
            if runs.rereads(connection, stream.name):
                submit_reread(connection, stream, actor=actor)
            else:
                submit_stream(connection, stream, actor=actor)


def submit_replay(connection: Connection, *, actor: str) -> int:
    """Have the parked records of a connection tried again."""
    subject = f"records of {connection.label or connection.account_ref}"
    return queue.submit(REPLAY_PARKED, {"connection": connection.pk}, key=f"connection:{connection.pk}", subject=subject, actor=actor)


def read_stream(work: Work) -> None:
    """Read on in a stream for one job's time, and hand over to the next while there is more."""
    connection, stream, past = connection_of(work), str(work.parameters["stream"]), bool(work.parameters.get("past"))
    now = timezone.now()
    if connection.status != Status.ACTIVE:
        return
    wait_out(connection, now)
    read_as = _stream(connection, stream)
    if not past and read_as.after and runs.cursor_of(connection, read_as.after).backfilled_at is None:
        runs.due(connection, stream, at=now + BEHIND_RESTS)
        return
    try:
        with job_faults(connection, runs.past_name(stream) if past else stream):
            outcome = read(connection, read_as, now=now, progress=work.progress, guard=work.fence, past=past)
    except Denied:
        # Said in a finding; other streams go on.
        runs.due(connection, runs.past_name(stream) if past else stream, at=now + DENIED_RESTS)
        return
    if outcome.wait:
        raise Postponed(f"The platform makes the files of “{read_as.label}”.", after=outcome.wait)
    if not outcome.done:
        (submit_reread if past else submit_stream)(connection, read_as, actor=work.actor)


@contextmanager
def job_faults(connection: Connection, stream: str) -> Iterator[None]:
    """Turn what ends a run into what becomes of its job; Denied is left to the caller.

    A platform that is away for an hour or a day is nothing that a job dies of: it is asked again after longer and longer
    pauses, and meanwhile the connection says so.
    """
    try:
        yield
    except Busy as busy:
        raise Postponed(str(busy), after=busy.after) from busy
    except RunLost as lost:
        raise Postponed(str(lost), after=runs.STALE.total_seconds()) from lost
    except QuotaUsedUp as fault:
        raise Postponed(fault.reason, after=fault.after or 60.0) from fault
    except RetryLater as fault:
        failed = runs.failures_in_a_row(connection, stream, most=MOST_DOUBLED)
        raise Postponed(fault.reason, after=fault.after or SHORTEST_PAUSE * 2.0 ** max(0, failed - 1)) from fault
    except NeedsReauth as fault:
        raise NeedsAttention(fault.reason) from fault
    except Denied:
        raise
    except Fault as fault:
        raise Retryable(fault.reason) from fault


def compare_all(work: Work) -> None:
    """Have every stream that can be compared with its platform compared: the last 90 days each day, all of it each month."""
    now = timezone.now()
    for connection in Connection.objects.filter(status=Status.ACTIVE, store__in=kept_stores()).order_by("pk"):
        for stream in _streams(connection):
            if stream.comparison is not None and runs.cursor_of(connection, stream.name).backfilled_at is not None:
                last = runs.cursor_of(connection, cursor_name(stream)).backfilled_at
                submit_comparison(connection, stream, whole=last is None or last < now - WHOLE_EVERY, actor=work.actor)


def submit_comparison(connection: Connection, stream: Stream, *, whole: bool, actor: str) -> int:
    """Have a stream compared with what its platform lists: all of it, or the last 90 days."""
    subject = f"{stream.label} of {connection.label or connection.account_ref}"
    parameters = {"connection": connection.pk, "stream": stream.name, "whole": whole}
    return queue.submit(COMPARE, parameters, key=f"{key_of(connection, stream)}:{'whole' if whole else 'recent'}", subject=subject, actor=actor)


def compare_stream(work: Work) -> None:
    """Compare for one job's time, and hand over to the next while there is more."""
    connection, now, whole = connection_of(work), timezone.now(), bool(work.parameters["whole"])
    if connection.status != Status.ACTIVE:
        return
    wait_out(connection, now)
    stream = _stream(connection, str(work.parameters["stream"]))
    try:
        with job_faults(connection, stream.name), opened(connection, now=now) as client:
            outcome = compare(connection, stream, client, now=now, whole=whole, progress=work.progress, guard=work.fence)
    except Denied:
        # Said in a finding; tomorrow it is tried again.
        return
    if not outcome.done:
        submit_comparison(connection, stream, whole=whole, actor=work.actor)


def dispatch(work: Work) -> None:
    """Ask for every stream that is due."""
    now = timezone.now()
    owners = Connection.objects.filter(status=Status.ACTIVE, store__in=kept_stores()).exclude(paused_until__gt=now).order_by("pk")
    for connection in owners:
        streams = _streams(connection)
        runs.add_cursors(connection, streams)
        for stream in streams:
            with transaction.atomic():
                if runs.is_due(connection, stream.name, now=now, then=now + stream.every):
                    submit_stream(connection, stream, actor=work.actor)
                # Where its job ended under it, the past is gone on with all the same.
                if runs.is_due(connection, runs.past_name(stream.name), now=now, then=now + REREAD_EVERY):
                    submit_reread(connection, stream, actor=work.actor)


def replay_parked(work: Work) -> None:
    """Try the parked records of one connection again; while one of its streams is read, a little later."""
    connection = connection_of(work)
    with job_faults(connection, ""):
        replay(connection, now=timezone.now(), guard=work.fence)


def replay_all_parked(work: Work) -> None:
    """Have all parked records tried again: a new version may understand them."""
    waiting = Connection.objects.filter(pk__in=ParkedRecord.objects.values("connection"), store__in=kept_stores())
    for connection in waiting.order_by("pk"):
        if _streams(connection):
            submit_replay(connection, actor=work.actor)


def check_account(work: Work) -> None:
    """Ask one account who it is: its time zone, currency and permissions may have changed."""
    try:
        accounts.check(connection_of(work), now=timezone.now())
    except NeedsReauth as fault:
        raise NeedsAttention(fault.reason) from fault
    except RetryLater as fault:
        raise Retryable(fault.reason, after=fault.after) from fault
    except Fault as fault:
        raise Permanent(fault.reason) from fault


def check_accounts(work: Work) -> None:
    """Have every account asked who it is."""
    for connection in Connection.objects.filter(status=Status.ACTIVE, store__in=kept_stores()).order_by("pk"):
        submit_check(connection, actor=work.actor)


def forget_runs(work: Work) -> None:
    """Delete what nobody looks at any more of the record of runs, and files that were left lying."""
    runs.forget_runs(before=timezone.now() - RUNS_KEPT)
    reading = Connection.objects.exclude(status=Status.DISCONNECTED).filter(store__in=kept_stores()).values_list("pk", flat=True)
    bulk_files.forget(settings.BULK_FOLDER, connections=set(reading), before=timezone.now() - FILES_KEPT)


def key_of(connection: Connection, stream: Stream) -> str:
    """Return what names the work of reading a stream."""
    return f"connection:{connection.pk}:{stream.name}"


def key_of_past(connection: Connection, stream: Stream) -> str:
    """Return what names the work of reading a stream's past again."""
    return f"{key_of(connection, stream)}:past"


def _streams(connection: Connection) -> tuple[Stream, ...]:
    """Return the streams of a connection; none of a platform that this version does not know."""
    try:
        return find(connection.platform).streams
    except UnknownPlatform:
        return ()


def _stream(connection: Connection, name: str) -> Stream:
    found = {stream.name: stream for stream in _streams(connection)}.get(name)
    if found is None:
        raise Permanent(f"This version reads no {name} of {connection.platform}.")
    return found


def wait_out(connection: Connection, now: datetime) -> None:
    """Put the job off while the platform has asked for patience."""
    if connection.paused_until is not None and connection.paused_until > now:
        raise Postponed(f"{connection} asked for patience.", after=(connection.paused_until - now).total_seconds())


def connection_of(work: Work) -> Connection:
    """Return the connection that a job names; raise Permanent when it is there no more."""
    row = Connection.objects.select_related("store").filter(pk=work.parameters["connection"], store__in=kept_stores()).first()
    if row is None:
        raise Permanent("The connection is there no more.")
    return row


SYNC_STREAM = Kind(name="sync-stream", label="Reading of what is new", handler=read_stream)
BACKFILL = Kind(name="backfill", label="Reading of the past", handler=read_stream, timeout=2_700)
DISPATCH_SYNCS = Kind(name="dispatch-syncs", label="Streams that are due", handler=dispatch)
COMPARE = Kind(name="compare-stream", label="Comparison with a platform's list", handler=compare_stream)
COMPARE_ALL = Kind(name="compare-all", label="Comparisons with platforms' lists", handler=compare_all)
REPLAY_PARKED = Kind(name="replay-parked", label="Parked records", handler=replay_parked)
REPLAY_ALL_PARKED = Kind(name="replay-all-parked", label="All parked records", handler=replay_all_parked)
FORGET_RUNS = Kind(name="forget-runs", label="Deletion of old runs", handler=forget_runs)
CHECK_ACCOUNT = Kind(name="check-account", label="Question who an account is", handler=check_account)
CHECK_ACCOUNTS = Kind(name="check-accounts", label="Questions who accounts are", handler=check_accounts, atomic=True)
