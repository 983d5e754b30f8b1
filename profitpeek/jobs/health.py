"""Tell how the jobs stand, judged by finished work."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

HEARTBEAT = "heartbeat"


@dataclass(frozen=True)
class Standing:
    """Counts of jobs by state, and the two times that show whether work gets done."""

    heartbeat_at: datetime | None
    """When a heartbeat job last finished."""
    oldest_due_at: datetime | None
    """Since when the longest waiting due job of a kind that is not paused could have run."""
    waiting: int
    running: int
    dead: int


def standing() -> Standing:
    """Return how the jobs stand now; waiting counts due and future ones, running only those with a live lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (SELECT max(finished_at) FROM jobs_job WHERE kind = %s AND state = 'done'),
                      (SELECT min(not_before) FROM jobs_job j WHERE state = 'waiting' AND not_before <= clock_timestamp()
                        AND NOT EXISTS (SELECT 1 FROM jobs_pause p WHERE p.kind = j.kind)
                        AND NOT EXISTS (SELECT 1 FROM jobs_job o WHERE o.kind = j.kind AND o.key = j.key AND o.state = 'running')),
                      (SELECT count(*) FROM jobs_job WHERE state = 'waiting'),
                      (SELECT count(*) FROM jobs_job WHERE state = 'running' AND lease_until >= clock_timestamp()),
                      (SELECT count(*) FROM jobs_job WHERE state = 'dead')""",
            [HEARTBEAT],
        )
        return Standing(*cursor.fetchone())
