"""Keep the house of jobs: the heartbeat that proves work gets done, and the end of old rows."""

from django.db import connection

from profitpeek.jobs.health import HEARTBEAT as HEARTBEAT_NAME
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work

KEEP_DONE_DAYS = 14
KEEP_FAILED_DAYS = 180
AT_ONCE = 5_000


def beat(work: Work) -> None:
    """Do nothing: that the job finishes is the sign of life."""


def prune(work: Work) -> None:
    """Delete jobs that ended long ago: done ones after 14 days, the others after 180."""
    statement = """
        DELETE FROM jobs_job WHERE id = ANY(ARRAY(
            SELECT id FROM jobs_job WHERE (state IN ('done', 'superseded') AND finished_at < clock_timestamp() - make_interval(days => %s))
                OR (state IN ('dead', 'cancelled') AND finished_at < clock_timestamp() - make_interval(days => %s)) LIMIT %s))"""
    deleted, last = 0, AT_ONCE
    with connection.cursor() as cursor:
        while last == AT_ONCE:
            cursor.execute(statement, [KEEP_DONE_DAYS, KEEP_FAILED_DAYS, AT_ONCE])
            last = cursor.rowcount
            deleted += last
            work.progress("deleting old jobs", deleted)


HEARTBEAT = Kind(name=HEARTBEAT_NAME, label="Heartbeat", handler=beat, timeout=30)
PRUNE_JOBS = Kind(name="prune-jobs", label="Deletion of old jobs", handler=prune)
