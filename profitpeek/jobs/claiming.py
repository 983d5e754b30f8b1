"""Move jobs from one state to the next: every transition is one conditional UPDATE, so only one of many can win it.

A run is fenced by its number: whoever writes what a run did names the number it was given, and a job that was
given to somebody else since has a higher one. All times are the database's.
"""

import json
import random
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from profitpeek.jobs.models import Job

LEASE_SECONDS = 60
"""After so long without a sign of life a worker has lost its job; a beat comes every second."""
LONGEST_PAUSE = 3_600.0
ERROR_LENGTH, DETAIL_LENGTH = 2_000, 8_000


@dataclass(frozen=True)
class Claim:
    """A job that was given to us: its number, the run's number, and what is to be done."""

    job: int
    run: int
    kind: str
    key: str
    parameters: dict[str, Any]
    attempt: int
    max_attempts: int
    actor: str
    request_id: str


# The try is counted before the work: a job that kills its worker must not be tried for ever.
_CLAIM = """
    UPDATE jobs_job j SET state = 'running', attempts = attempts + 1, run = run + 1, worker = %(worker)s, started_at = clock_timestamp(),
           lease_until = clock_timestamp() + make_interval(secs => %(lease)s), cancel_requested = false, step = '', done = 0, whole = 0
    WHERE id = %(job)s AND state = 'waiting' AND not_before <= clock_timestamp() AND attempts < max_attempts
      AND NOT EXISTS (SELECT 1 FROM jobs_pause p WHERE p.kind = j.kind)
      AND NOT EXISTS (SELECT 1 FROM jobs_job o WHERE o.kind = j.kind AND o.key = j.key AND o.state = 'running')
    RETURNING id, run, kind, key, parameters, attempts, max_attempts, actor, request_id
"""


def claim(job: int, *, worker: str) -> Claim | None:
    """Take a due job; return nothing when it is not due, paused, somebody else's, or its like runs."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, {"job": job, "worker": worker, "lease": LEASE_SECONDS})
            row = cursor.fetchone()
    except IntegrityError:
        # Another job with this key was claimed between the look and the write; one_running_job_per_key knew.
        return None
    return Claim(row[0], row[1], row[2], row[3], _object(row[4]), *row[5:]) if row else None


def hold(claim: Claim, *, step: str, done: int, whole: int) -> bool | None:
    """Extend the lease and write the progress; return whether somebody cancelled, or nothing when the job is no longer ours."""
    row = _one(
        """UPDATE jobs_job SET lease_until = clock_timestamp() + make_interval(secs => %s), step = %s, done = %s, whole = %s
           WHERE id = %s AND run = %s AND state = 'running' RETURNING cancel_requested""",
        [LEASE_SECONDS, storable(step)[:120], done, whole, claim.job, claim.run],
    )
    return bool(row[0]) if row else None


def fence(claim: Claim) -> bool:
    """Lock our run's row until the transaction ends, so that nobody takes it over before the commit; false when somebody did."""
    return _one("SELECT 1 FROM jobs_job WHERE id = %s AND run = %s AND state = 'running' FOR NO KEY UPDATE", [claim.job, claim.run]) is not None


def finish(claim: Claim, *, step: str = "", done: int = 0, whole: int = 0) -> bool:
    """Write that the run did its work; false when the job is no longer ours. Dead jobs of the same key need nobody any more."""
    row = _one(
        """WITH mended AS (
               UPDATE jobs_job dead SET state = 'superseded' FROM jobs_job j
               WHERE j.id = %s AND dead.kind = j.kind AND dead.key = j.key AND dead.state = 'dead' AND dead.id < j.id)
           UPDATE jobs_job SET state = 'done', finished_at = clock_timestamp(), lease_until = NULL, fault = '', error = '', detail = '',
                  step = %s, done = %s, whole = %s
           WHERE id = %s AND run = %s AND state = 'running' RETURNING 1""",
        [claim.job, storable(step)[:120], done, whole, claim.job, claim.run],
    )
    return row is not None


def give_up(claim: Claim, *, state: Job.State, fault: str, error: str, detail: str) -> bool:
    """Write that the run ends the job, dead or cancelled; false when the job is no longer ours."""
    row = _one(
        """UPDATE jobs_job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE %s END, finished_at = clock_timestamp(),
                  lease_until = NULL, fault = %s, error = %s, detail = %s
           WHERE id = %s AND run = %s AND state = 'running' RETURNING 1""",
        [state, fault, storable(error)[:ERROR_LENGTH], storable(detail)[-DETAIL_LENGTH:], claim.job, claim.run],
    )
    return row is not None


def put_back(job: int, run: int, *, after: float, fault: str, error: str, detail: str, counts: bool = True) -> bool:
    """Let a run's job wait again for `after` seconds, unless somebody cancelled it; false when the job is no longer ours.

    Where the same work was asked for again meanwhile, that later job takes over, and keeps the pause.
    """
    values = {
        "job": job,
        "run": run,
        "after": after,
        "fault": fault,
        "error": storable(error)[:ERROR_LENGTH],
        "detail": storable(detail)[-DETAIL_LENGTH:],
    }
    with transaction.atomic():
        ours = _one("SELECT kind, key FROM jobs_job WHERE id = %(job)s AND run = %(run)s AND state = 'running' FOR NO KEY UPDATE", values)
        if ours is None:
            return False
        values |= {"kind": ours[0], "key": ours[1], "back": 0 if counts else 1}
        # Either the row waits again or its follower takes over; a follower cancelled in between makes room for the row.
        while not (_wait_again(values) or _hand_over(values)):
            pass
    return True


def _wait_again(values: dict[str, Any]) -> bool:
    statement = """
        UPDATE jobs_job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'waiting' END,
               finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END,
               not_before = clock_timestamp() + make_interval(secs => %(after)s), rung_at = NULL,
               lease_until = NULL, attempts = attempts - %(back)s, fault = %(fault)s, error = %(error)s, detail = %(detail)s
        WHERE id = %(job)s RETURNING 1"""
    try:
        with transaction.atomic():
            return _one(statement, values) is not None
    except IntegrityError:
        return False


def _hand_over(values: dict[str, Any]) -> bool:
    # The follower has this one's tries behind it: work that kills its workers must die at last, however often it is asked for.
    later = """
        UPDATE jobs_job SET not_before = greatest(not_before, clock_timestamp() + make_interval(secs => %(after)s)), rung_at = NULL,
               attempts = least(max_attempts - 1, greatest(attempts, (SELECT attempts - %(back)s FROM jobs_job WHERE id = %(job)s)))
        WHERE kind = %(kind)s AND key = %(key)s AND state = 'waiting' RETURNING 1"""
    ours = """
        UPDATE jobs_job SET state = 'superseded', finished_at = clock_timestamp(), lease_until = NULL, fault = %(fault)s,
               error = %(error)s, detail = %(detail)s WHERE id = %(job)s RETURNING 1"""
    return _one(later, values) is not None and _one(ours, values) is not None


def follower(claim: Claim) -> int | None:
    """Return the job that was asked for under the same key while this one ran, when it is due."""
    row = _one(
        """UPDATE jobs_job SET rung_at = clock_timestamp() WHERE kind = %s AND key = %s AND state = 'waiting' AND not_before <= clock_timestamp()
           RETURNING id""",
        [claim.kind, claim.key],
    )
    return int(row[0]) if row else None


def pause_after(attempts: int, first: float) -> float:
    """Return the seconds to wait after this many tries: twice as long each time, an hour at most, and up to a tenth more.

    The tenth is by chance, so that jobs that failed together do not come back together.
    """
    return float(min(first * 2.0 ** max(0, attempts - 1), LONGEST_PAUSE) * (1 + random.random() / 10))  # noqa: S311


def storable(text: str) -> str:
    """Return a text as PostgreSQL can hold it: no zero characters, no halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _one(statement: str, values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def _object(value: Any) -> dict[str, Any]:
    """Decode JSON, which Django's connections hand over as text."""
    return dict(json.loads(value))
