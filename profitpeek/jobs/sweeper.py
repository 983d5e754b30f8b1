"""Find what fell between: jobs whose worker is gone, and due jobs that no worker heard of."""

from collections.abc import Collection
from typing import Any

import structlog
from django.db import connection, transaction
from django_q.brokers import get_broker

from profitpeek.jobs import claiming, queue
from profitpeek.jobs.claiming import Claim
from profitpeek.jobs.models import Job

log = structlog.get_logger(__name__)

RING_AGAIN_SECONDS = 4
"""A due job that nobody took for so long is rung again; the ring may have died with a worker."""
RINGS_AT_ONCE = 200
LONG_QUEUE = 100
"""With so many rings unheard, more would only lengthen the queue."""


def sweep(*, gone: Collection[str] = ()) -> int:
    """Free the jobs of lost workers and ring what is due; `gone` names workers known to be dead. Return how many were freed."""
    freed = free_lost(gone=gone)
    ring_due()
    return freed


def free_lost(*, gone: Collection[str] = ()) -> int:
    """Let jobs wait again whose lease ran out or whose worker is gone; those out of tries are dead."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, run, kind, key, attempts, max_attempts, worker FROM jobs_job
               WHERE state = 'running' AND (lease_until < clock_timestamp() OR worker = ANY(%s)) ORDER BY id LIMIT 1000""",
            [list(gone)],
        )
        lost = cursor.fetchall()
    return sum(_free_if_still_lost(list(gone), *row) for row in lost)


def _free_if_still_lost(gone: list[str], job: int, run: int, *rest: Any) -> bool:
    """Free one job, unless its holder has beaten since, or has fenced a transaction that it is about to commit."""
    still = """
        SELECT 1 FROM jobs_job WHERE id = %s AND run = %s AND state = 'running' AND (lease_until < clock_timestamp() OR worker = ANY(%s))
        FOR NO KEY UPDATE SKIP LOCKED"""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(still, [job, run, gone])
        return cursor.fetchone() is not None and _free(job, run, *rest)


def _free(job: int, run: int, kind: str, key: str, attempts: int, max_attempts: int, worker: str) -> bool:
    error = f"The worker {worker} ended in the middle of the work, at try {attempts} of {max_attempts}; it was killed or ran out of memory."
    log.warning("job.lost", job=job, kind=kind, attempt=attempts, worker=worker)
    if attempts >= max_attempts:
        claim = Claim(job, run, kind, key, {}, attempts, max_attempts, "", "")
        return claiming.give_up(claim, state=Job.State.DEAD, fault=Job.Fault.LOST, error=error, detail="")
    # At once, for it is not the job's fault; but one that kills its workers must not do so in a row.
    after = 0.0 if attempts == 1 else claiming.pause_after(attempts - 1, 1.0)
    return claiming.put_back(job, run, after=after, fault=Job.Fault.LOST, error=error, detail="")


_UNHEARD = """
    SELECT id, kind FROM jobs_job j
    WHERE state = 'waiting' AND not_before <= clock_timestamp()
      AND (rung_at IS NULL OR rung_at < clock_timestamp() - make_interval(secs => %(again)s))
      AND NOT EXISTS (SELECT 1 FROM jobs_pause p WHERE p.kind = j.kind)
      AND NOT EXISTS (SELECT 1 FROM jobs_job o WHERE o.kind = j.kind AND o.key = j.key AND o.state = 'running')
    ORDER BY not_before LIMIT %(limit)s FOR UPDATE OF j SKIP LOCKED
"""


def ring_due() -> int:
    """Ring due jobs that nobody seems to have heard of, the longest due first; return how many."""
    if get_broker().queue_size() > LONG_QUEUE:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_UNHEARD, {"again": RING_AGAIN_SECONDS, "limit": RINGS_AT_ONCE})
        unheard = cursor.fetchall()
        for job, kind in unheard:
            queue.ring(job, kind)
        cursor.execute("UPDATE jobs_job SET rung_at = clock_timestamp() WHERE id = ANY(%s)", [[job for job, _ in unheard]])
    return len(unheard)
