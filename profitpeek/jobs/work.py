"""Give a handler what it needs to do its work: the parameters, progress, and a fence against having been replaced."""

import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from django.db import DatabaseError, connection

from profitpeek.jobs import claiming
from profitpeek.jobs.claiming import Claim
from profitpeek.jobs.faults import Cancelled, LeaseLost
from profitpeek.jobs.kinds import Kind

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0


class Work:
    """One run of a job, as its handler sees it."""

    def __init__(self, claim: Claim, kind: Kind) -> None:
        self.claim = claim
        self.kind = kind
        self.finished = False
        self._step, self._done, self._whole = "", 0, 0
        self._cancelled = threading.Event()
        self._lost = threading.Event()

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return what was asked for."""
        return self.claim.parameters

    @property
    def actor(self) -> str:
        """Return who asked for it."""
        return self.claim.actor

    def progress(self, step: str, done: int = 0, whole: int = 0) -> None:
        """Note how far the work is, without a query; raise Cancelled or LeaseLost when it is to end here."""
        self._step, self._done, self._whole = step, done, whole
        self.checkpoint()

    def checkpoint(self) -> None:
        """Raise Cancelled when somebody took the job back, LeaseLost when somebody else has it; cheap, for inner loops."""
        if self._lost.is_set():
            raise LeaseLost
        if self._cancelled.is_set():
            raise Cancelled("Cancelled while it ran; what was committed before stays.")

    def fence(self) -> None:
        """Make the present transaction ours: call it last in each one, so that its commit and a take-over exclude each other."""
        if not claiming.fence(self.claim):
            raise LeaseLost

    def finish(self) -> None:
        """Mark the job done in the present transaction: its effect and its being done are one; raise LeaseLost when it is not ours."""
        if not claiming.finish(self.claim, step=self._step, done=self._done, whole=self._whole):
            raise LeaseLost
        self.finished = True

    def beat(self) -> None:
        """Extend the lease, publish the progress, and hear whether the job is still wanted and still ours."""
        answer = claiming.hold(self.claim, step=self._step, done=self._done, whole=self._whole)
        if answer is None:
            self._lost.set()
        elif answer:
            self._cancelled.set()


class Heartbeat:
    """Beats for one run from a thread and a database connection of its own, at most as long as the kind may take.

    A connection of its own, because the handler's may be in a long transaction: a lease extended inside that would
    be seen by nobody. Past the kind's time it stops, so that a run that hangs loses its lease.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of job {work.claim.job}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, and wait until a beat under way is over, so that it cannot follow what is written next."""
        self._over.set()
        self._thread.join(timeout=claiming.LEASE_SECONDS)

    def _beat(self) -> None:
        end = time.monotonic() + self._work.kind.timeout
        try:
            while not self._over.wait(BEAT_SECONDS) and time.monotonic() < end:
                try:
                    self._work.beat()
                except DatabaseError as error:
                    # The lease outlives several beats; only when none gets through is the job given away.
                    log.warning("job.heartbeat_failed", error=str(error))
                    connection.close()
        finally:
            connection.close()
