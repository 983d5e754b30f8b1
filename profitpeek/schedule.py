"""List every kind of background job, and every one that comes again by itself."""

from datetime import timedelta

from profitpeek.jobs.housekeeping import HEARTBEAT, PRUNE_JOBS
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.recurring import Recurring

KINDS: tuple[Kind, ...] = (HEARTBEAT, PRUNE_JOBS)

RECURRING: tuple[Recurring, ...] = (
    Recurring(name="heartbeat", kind=HEARTBEAT, every=timedelta(minutes=1)),
    Recurring(name="prune-jobs", kind=PRUNE_JOBS, every=timedelta(hours=6)),
)
