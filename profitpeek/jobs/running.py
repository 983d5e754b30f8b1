"""Run one job: what a worker process does when it is rung."""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django_q.exceptions import TimeoutException

from profitpeek.jobs import claiming, kinds, queue
from profitpeek.jobs.claiming import Claim
from profitpeek.jobs.faults import Cancelled, JobFault, LeaseLost, NeedsAttention, Permanent, Postponed, Retryable
from profitpeek.jobs.kinds import Kind, UnknownKind
from profitpeek.jobs.models import Job
from profitpeek.jobs.work import Heartbeat, Work

log = structlog.get_logger(__name__)

CLUSTER_VARIABLE = "PROFITPEEK_CLUSTER"
"""The environment variable by which a supervisor names the cluster it started."""
WRITE_AGAIN_AFTER = (0.5, 2.0, 5.0)
"""Seconds to wait before trying again to write how a run ended, while the database is away."""

UNKNOWN_PAUSE = 30.0
STOPPING = signal.SIGUSR1
"""What the supervisor sends to every process of a cluster that is to end: begin nothing more."""

Fault = Job.Fault
_stopping = threading.Event()


def begin_nothing_more(number: int, frame: FrameType | None) -> None:
    """Note that this process is to end; q2 would first run everything it has taken into its memory."""
    _stopping.set()


def worker_name() -> str:
    """Return this process's name: its cluster's, then its own number, by which the supervisor knows it."""
    return f"{os.environ.get(CLUSTER_VARIABLE, 'none')}/{os.getpid()}"


def run(job: int) -> None:
    """Claim a job and do it; return at once when it is not due or somebody else has it. Nothing a handler does gets out."""
    claim = None if _stopping.is_set() else claiming.claim(job, worker=worker_name())
    if claim is None:
        return
    with structlog.contextvars.bound_contextvars(job=job, kind=claim.kind, attempt=claim.attempt, request_id=claim.request_id):
        started = time.monotonic()
        outcome = _run(claim)
        log.info("job.run", outcome=outcome, ms=round((time.monotonic() - started) * 1000))


def _run(claim: Claim) -> str:
    """Do the work and write how it ended; return that in one word for the log."""
    try:
        kind = kinds.find(claim.kind)
    except UnknownKind as unknown:
        return _unknown(claim, f"{unknown} Install the version that asked for it, then retry.")
    work = Work(claim, kind)
    try:
        with Heartbeat(work):
            try:
                _handle(work)
            finally:
                # What follows is ours and short; q2's alarm must not break it off.
                signal.alarm(0)
    except LeaseLost:
        log.warning("job.lease_lost")
        return "lost"
    except (Exception, SystemExit) as error:
        # SystemExit, because q2's time-out is one, and because a handler that exits would take the worker along.
        ended = error
        return _persist(lambda: _failed(claim, kind, ended))
    return _persist(lambda: _succeeded(work))


def _unknown(claim: Claim, error: str) -> str:
    """Leave a kind we do not know to a worker that does, for the tries it has: while versions change, one may be there."""
    if claim.attempt >= claim.max_attempts:
        claiming.give_up(claim, state=Job.State.DEAD, fault=Fault.PERMANENT, error=error, detail="")
        return "dead"
    claiming.put_back(claim.job, claim.run, after=claiming.pause_after(claim.attempt, UNKNOWN_PAUSE), fault=Fault.PERMANENT, error=error, detail="")
    return "again"


def _handle(work: Work) -> None:
    if not work.kind.atomic:
        work.kind.handler(work)
        return
    with transaction.atomic():
        work.kind.handler(work)
        work.finish()


def _succeeded(work: Work) -> str:
    if not work.finished:
        try:
            work.finish()
        except LeaseLost:
            return "lost"
    _ring_follower(work.claim)
    return "done"


def _failed(claim: Claim, kind: Kind, error: BaseException) -> str:
    """Decide by the fault's type what becomes of the job."""
    reason = error.reason if isinstance(error, JobFault) else f"{type(error).__name__}: {error}"
    detail = "" if isinstance(error, JobFault) else "".join(traceback.format_exception(error))
    if isinstance(error, Cancelled):
        claiming.give_up(claim, state=Job.State.CANCELLED, fault="", error=reason, detail="")
        _ring_follower(claim)
        return "cancelled"
    if isinstance(error, Postponed):
        claiming.put_back(claim.job, claim.run, after=error.after, fault=Fault.RETRYABLE, error=reason, detail="", counts=False)
        return "postponed"
    if isinstance(error, TimeoutException):
        fault, reason = Fault.TIMEOUT, f"It ran longer than the {kind.timeout} seconds that {kind.label} may take."
    elif isinstance(error, Permanent):
        fault = Fault.PERMANENT
    elif isinstance(error, NeedsAttention):
        fault = Fault.ATTENTION
    else:
        fault = Fault.RETRYABLE if isinstance(error, Retryable) else Fault.CRASHED
    if fault is Fault.CRASHED:
        log.error("job.crashed", exc_info=error)
    if fault in (Fault.PERMANENT, Fault.ATTENTION) or claim.attempt >= claim.max_attempts:
        claiming.give_up(claim, state=Job.State.DEAD, fault=fault, error=reason, detail=detail)
        _ring_follower(claim)
        return "dead"
    after = error.after if isinstance(error, Retryable) and error.after is not None else claiming.pause_after(claim.attempt, kind.pause)
    claiming.put_back(claim.job, claim.run, after=after, fault=fault, error=reason, detail=detail)
    return "again"


def _ring_follower(claim: Claim) -> None:
    """Ring the job that waited because this one ran under its key."""
    with transaction.atomic():
        waiting = claiming.follower(claim)
        if waiting is not None:
            queue.ring(waiting, claim.kind)


def _persist(write: Callable[[], str]) -> str:
    """Write how a run ended, also when the database is away for some seconds; failing that, the lease runs out and says so."""
    for wait in (*WRITE_AGAIN_AFTER, None):
        try:
            return write()
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            if wait is None:
                log.error("job.outcome_not_written", error=str(error))
                return "unknown"
            time.sleep(wait)
    raise AssertionError("unreachable")
