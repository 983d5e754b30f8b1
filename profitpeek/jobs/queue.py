"""Ask for work, take it back, ask for it again: what the rest of the program and people may do with jobs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django_q.tasks import async_task
from psycopg.types.json import Jsonb
from structlog.contextvars import get_contextvars

from profitpeek.jobs import kinds
from profitpeek.jobs.faults import ConflictingSubmit
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.models import Job, Pause

RUN = "profitpeek.jobs.running.run"
SHORT = 60
"""Seconds for a job of a kind that this version does not know: enough to say so."""

# A job that waits already under this key takes the request over. One that waits for its time is brought forward;
# one that waits because it failed, or because a platform asked for patience, is not.
_SUBMIT = """
    INSERT INTO jobs_job (kind, key, parameters, subject, actor, request_id, state, attempts, max_attempts, run, not_before, rung_at,
                          worker, cancel_requested, step, done, whole, fault, error, detail)
    VALUES (%(kind)s, %(key)s, %(parameters)s, %(subject)s, %(actor)s, %(request)s, 'waiting', 0, %(attempts)s, 0,
            coalesce(%(not_before)s::timestamptz, clock_timestamp()),
            CASE WHEN %(not_before)s::timestamptz IS NULL THEN clock_timestamp() END,
            '', false, '', 0, 0, '', '', '')
    ON CONFLICT (kind, key) WHERE state = 'waiting' DO UPDATE SET
        not_before = CASE WHEN jobs_job.run = 0 THEN least(jobs_job.not_before, excluded.not_before) ELSE jobs_job.not_before END,
        rung_at = CASE WHEN jobs_job.run = 0 AND excluded.not_before < jobs_job.not_before THEN NULL ELSE jobs_job.rung_at END
    RETURNING id, parameters = %(parameters)s, xmax = 0
"""


def submit(
    kind: Kind, parameters: Mapping[str, Any] | None = None, *, key: str = "", subject: str = "", actor: str = "", not_before: datetime | None = None
) -> int:
    """Ask for work in the caller's transaction and return the job's number; without a key it is work of its own.

    Work that waits already under the same key is not asked for twice; work that runs under it is followed by
    exactly one more. Raise ConflictingSubmit when the waiting work has other parameters, TypeError when they are
    no JSON, UnknownKind when the kind is not in the table. Call it late in a transaction: another submit of the
    same key waits for this one's commit.
    """
    kinds.find(kind.name)
    asked = dict(parameters or {})
    values: dict[str, Any] = {
        "kind": kind.name, "key": key or uuid4().hex, "parameters": Jsonb(asked), "subject": subject[:200], "actor": actor[:150],
        "request": str(get_contextvars().get("request_id", ""))[:64], "attempts": kind.attempts, "not_before": not_before,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SUBMIT, values)
        job, same, new = cursor.fetchone()
        if not same:
            raise ConflictingSubmit(f"A job {kind.name} with the key {key} waits already, with other parameters than {asked}.")
        if new and not_before is None:
            ring(job, kind.name)
    return int(job)


def ring(job: int, kind: str) -> None:
    """Tell some worker, once this transaction commits, that a job may be run; hearing it twice is harmless."""
    known = kinds.table().get(kind)
    async_task(RUN, job, timeout=known.timeout if known else SHORT, ack_failure=True, save=False)


def hasten(kind: Kind, key: str) -> bool:
    """Run at once what waits for its time under a key: what it waits for has come. Tell whether it waited."""
    waiting = Job.objects.filter(kind=kind.name, key=key, state=Job.State.WAITING)
    with transaction.atomic():
        job = waiting.select_for_update().values_list("pk", flat=True).first()
        if job is None:
            return False
        Job.objects.filter(pk=job).update(not_before=Now(), rung_at=Now())
        ring(job, kind.name)
    return True


def is_waiting(kind: Kind, key: str) -> bool:
    """Tell whether work waits under a key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM jobs_job WHERE kind = %s AND key = %s AND state = 'waiting')", [kind.name, key])
        return bool(cursor.fetchone()[0])


def cancel(job: int) -> bool:
    """Take a job back: at once while it waits or is dead, at its next step while it runs. Tell whether there was anything to take back."""
    waiting = Job.objects.filter(pk=job, state__in=[Job.State.WAITING, Job.State.DEAD])
    if waiting.update(state=Job.State.CANCELLED, finished_at=Now()):
        return True
    return bool(Job.objects.filter(pk=job, state=Job.State.RUNNING).update(cancel_requested=True))


def forget(parameter: str, values: Iterable[int]) -> int:
    """Delete the jobs that name one of the values by a parameter, because what they are about is deleted; return how many run.

    Those that run are told to end at their next step, and stay until they are forgotten again.
    """
    named = [str(value) for value in values]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job WHERE parameters->>%s = ANY(%s) AND state <> 'running'", [parameter, named])
        cursor.execute("UPDATE jobs_job SET cancel_requested = true WHERE parameters->>%s = ANY(%s) AND state = 'running'", [parameter, named])
        return int(cursor.rowcount)


def retry(job: int) -> bool:
    """Let a dead or cancelled job wait again with all its tries; false when there is no such job or its like waits already."""
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job, state__in=[Job.State.DEAD, Job.State.CANCELLED]).first()
        if row is None or Job.objects.filter(kind=row.kind, key=row.key, state=Job.State.WAITING).exists():
            return False
        row.state, row.attempts, row.cancel_requested, row.finished_at, row.rung_at = Job.State.WAITING, 0, False, None, None
        row.not_before = Now()
        try:
            with transaction.atomic():
                row.save(update_fields=["state", "attempts", "cancel_requested", "finished_at", "rung_at", "not_before"])
        except IntegrityError:
            # Another request for the same work came between the look and the write.
            return False
    return True


def pause(kinds_to_pause: Iterable[str], *, reason: str = "", actor: str = "") -> None:
    """Stop starting jobs of these kinds; what runs already runs on."""
    for name in kinds_to_pause:
        kinds.find(name)
        Pause.objects.update_or_create(kind=name, defaults={"reason": reason[:200], "actor": actor[:150]})


def resume(kinds_to_resume: Iterable[str]) -> None:
    """Start jobs of these kinds again; the sweeper rings those that became due meanwhile."""
    names = list(kinds_to_resume)
    Pause.objects.filter(kind__in=names).delete()
    Job.objects.filter(kind__in=names, state=Job.State.WAITING).update(rung_at=None)
