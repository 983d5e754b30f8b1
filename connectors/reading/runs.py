"""Keep the record of runs and cursors: one live run per stream of a connection, taken over when its heartbeat dies.

Times of heartbeats are the database's: of all clocks, the workers share only that one. Every transaction of a run ends
with `Run.fence`, so that its commit and a take-over exclude each other.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from types import TracebackType
from typing import Any

import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from connectors.faults import Fault
from connectors.models import Connection, SyncCursor, SyncRun
from connectors.spec import Stream
from profitpeek.jobs.faults import Cancelled, LeaseLost

log = structlog.get_logger(__name__)

BEAT_SECONDS = 5.0
STALE = timedelta(seconds=30)
"""A run whose heart has not beaten for so long is dead."""
LOST = "Lost"
"""The fault of a run whose worker ended without a word."""

Status = SyncRun.Status


class Busy(Exception):
    """Say that another run of the stream is alive; `after` are seconds until it may be asked again."""

    def __init__(self, after: float) -> None:
        super().__init__("Another run reads this stream already.")
        self.after = after


class RunLost(Exception):
    """Say that the run was taken over. Whatever is not committed must not be."""


@dataclass(kw_only=True)
class Run:
    """One run under way, and what it has done so far; `pk` is its row's."""

    pk: int
    connection: Connection
    stream: str
    requests: Callable[[], int] = lambda: 0
    """Tells how many requests it has sent."""
    pages: int = 0
    records: int = 0
    changed: int = 0
    parked: int = 0
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def fence(self) -> None:
        """Write what the run has done, last in a transaction; raise RunLost when somebody has taken it over."""
        if not self._alive().update(heartbeat_at=Now(), **self._counts()):
            raise RunLost(f"{self.stream}: another run has taken over")

    def __enter__(self) -> "Run":
        """Beat from a thread and a database connection of its own: a page may take longer than a heart may rest."""
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of run {self.pk}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop beating, and note a run that ended by an error nobody expected."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=BEAT_SECONDS)
        if error is not None and not isinstance(error, RunLost):
            try:
                # Work that was taken back or given to somebody else did not fail.
                status = Status.PARTIAL if isinstance(error, Cancelled | LeaseLost) else Status.FAILED
                self.end(status, fault=type(error).__name__, problem=str(error))
            except DatabaseError as away:
                # Then its heart stops, and the next run takes over.
                log.warning("sync.run_end_not_written", error=str(away))
                connection.close()

    def end(self, status: str, *, fault: str = "", problem: str = "") -> bool:
        """Note how the run ended, unless that is noted or it was taken over."""
        return bool(
            self._alive().update(status=status, finished_at=Now(), fault=fault[:20], problem=problem[:2_000].replace("\0", ""), **self._counts())
        )  # fmt: skip

    def discard(self) -> None:
        """Leave no trace of a run that had nothing to do but to look."""
        self._alive().delete()

    def end_by(self, fault: Fault) -> None:
        """Note the fault that ended the run."""
        self.end(Status.FAILED, fault=type(fault).__name__, problem=fault.reason)

    def _alive(self) -> Any:
        return SyncRun.objects.filter(pk=self.pk, status=Status.RUNNING)

    def _counts(self) -> dict[str, int]:
        return {"requests": self.requests(), "pages": self.pages, "records": self.records, "changed": self.changed, "parked": self.parked}

    def _beat(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS):
                try:
                    self._alive().update(heartbeat_at=Now())
                except DatabaseError as error:
                    log.warning("sync.heartbeat_failed", error=str(error))
                    connection.close()
        finally:
            connection.close()


def claim(owner: Connection, stream: str, mode: str, *, now: datetime) -> Run:
    """Begin a run, taking over a dead one; raise Busy while another is alive."""
    for _ in range(2):
        try:
            with transaction.atomic():
                row = SyncRun.objects.create(connection=owner, stream=stream, mode=mode, started_at=now, heartbeat_at=Now())
            return Run(pk=row.pk, connection=owner, stream=stream)
        except IntegrityError:
            dead = SyncRun.objects.filter(connection=owner, stream=stream, status=Status.RUNNING, heartbeat_at__lt=Now() - STALE)
            if not dead.update(
                status=Status.FAILED, finished_at=Now(), fault=LOST, problem="Its worker ended under it; the next run goes on where it was."
            ):  # fmt: skip
                break
    raise Busy(_rest(owner, stream))


def _rest(owner: Connection, stream: str) -> float:
    """Return the seconds after which the live run of a stream would be dead if its heart stood still now."""
    return STALE.total_seconds() if SyncRun.objects.filter(connection=owner, stream=stream, status=Status.RUNNING).exists() else 1.0


def window_of(run: Run, *, since: datetime | None, until: datetime) -> None:
    """Note the span that a run reads."""
    SyncRun.objects.filter(pk=run.pk).update(since=since, until=until)


def cursor_of(owner: Connection, stream: str) -> SyncCursor:
    """Return how far a stream is read."""
    cursor, _ = SyncCursor.objects.get_or_create(connection=owner, stream=stream)
    return cursor


def move(cursor: SyncCursor, **values: Any) -> None:
    """Move a cursor, in the transaction that writes what was read."""
    for name, value in values.items():
        setattr(cursor, name, value)
    cursor.save(update_fields=list(values))


def positions(owner: Connection, streams: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return where in their windows some streams are, of those that are amid one."""
    amid = SyncCursor.objects.filter(connection=owner, stream__in=streams).exclude(position=None)
    return [(cursor.stream, cursor.position) for cursor in amid if cursor.position]


def past_name(stream: str) -> str:
    """Return under which name the cursor and the runs are kept that read a stream's past again, beside those that read what is new."""
    return f"{stream}:past"


def rereads(owner: Connection, stream: str) -> bool:
    """Tell whether a stream's past is being read again beside what is new."""
    return SyncCursor.objects.filter(connection=owner, stream=past_name(stream)).exists()


def read_again(owner: Connection, stream: str) -> None:
    """Let a stream be read again from the begin of all; what is known already changes nothing.

    What is new is read on meanwhile, unless the past was never read whole: then all begins anew. A run under way would
    move the cursor on from where it was: it ends.
    """
    with transaction.atomic():
        # The cursor first and then the run, as a run's own transactions hold them.
        known = SyncCursor.objects.select_for_update().filter(connection=owner, stream=stream).exclude(backfilled_at=None).exists()
        name = past_name(stream) if known else stream
        begin = {
            "seen_through": None, "since": None, "until": None, "position": None, "backfilled_at": None, "done": 0, "whole": 0, "next_at": None,
        }  # fmt: skip
        SyncCursor.objects.update_or_create(connection=owner, stream=name, defaults=begin)
        stop(owner, why="Stopped: the past is read again.", stream=name)


def forget(cursor: SyncCursor) -> None:
    """Delete a cursor whose past is read, unless somebody has asked for all of it again meanwhile."""
    SyncCursor.objects.filter(pk=cursor.pk).exclude(backfilled_at=None).delete()


def stop(owner: Connection, *, why: str, stream: str = "") -> None:
    """End what is read of a connection now, of one stream or all: what was committed stands, and nothing more is."""
    live = SyncRun.objects.filter(connection=owner, status=Status.RUNNING)
    if stream:
        live = live.filter(stream=stream)
    live.update(status=Status.PARTIAL, finished_at=Now(), problem=why)


def due(owner: Connection, stream: str, *, at: datetime) -> None:
    """Let a stream be read by itself no sooner than at a moment."""
    SyncCursor.objects.filter(connection=owner, stream=stream).update(next_at=at)


def is_due(owner: Connection, stream: str, *, now: datetime, then: datetime) -> bool:
    """Tell whether a stream is due by itself, to one asker only, and set when it is due next."""
    waiting = SyncCursor.objects.filter(connection=owner, stream=stream).filter(Q(next_at=None) | Q(next_at__lte=now))
    return bool(waiting.update(next_at=then))


def compared(owner: Connection, stream: str, *, at: datetime) -> None:
    """Note when a stream was compared with what its platform lists."""
    SyncCursor.objects.filter(connection=owner, stream=stream).update(compared_at=at)


def wake(owner: Connection) -> None:
    """Let every stream of a connection be read as soon as may be, such as after its consent was given again."""
    SyncCursor.objects.filter(connection=owner).update(next_at=None)


def add_cursors(owner: Connection, streams: Sequence[Stream]) -> None:
    """Add the cursors of streams that a connection has none of: it is new, or its platform has new streams."""
    wanted = [SyncCursor(connection=owner, stream=stream.name) for stream in streams]
    SyncCursor.objects.bulk_create(wanted, ignore_conflicts=True)


def last_runs(owners: list[int]) -> dict[tuple[int, str], SyncRun]:
    """Return the latest run of each stream of some connections."""
    latest = SyncRun.objects.filter(connection__in=owners).values("connection", "stream").annotate(last=Max("pk")).values_list("last", flat=True)
    return {(run.connection_id, run.stream): run for run in SyncRun.objects.filter(pk__in=list(latest))}


def failures_in_a_row(owner: Connection, stream: str, *, most: int) -> int:
    """Count the latest runs of a stream that failed one after the other, at most so many."""
    latest = SyncRun.objects.filter(connection=owner, stream=stream).order_by("-pk").values_list("status", flat=True)[:most]
    return sum(1 for _ in takewhile(lambda status: status == Status.FAILED, latest))


def forget_cursors(connection: Connection) -> int:
    """Forget how far an account is read, so that whoever connects it again reads all of it; return how many streams that were."""
    return SyncCursor.objects.filter(connection=connection).delete()[0]


def forget_runs(*, before: datetime) -> int:
    """Delete ended runs that began before a moment, but for the latest of each stream; return how many."""
    latest = SyncRun.objects.values("connection", "stream").annotate(last=Max("pk")).values_list("last", flat=True)
    old = SyncRun.objects.filter(started_at__lt=before).exclude(status=Status.RUNNING).exclude(pk__in=list(latest))
    return old.delete()[0]
