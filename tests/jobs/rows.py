"""Look at and move single job rows, for tests that play worker and sweeper themselves."""

from datetime import timedelta

from django.utils import timezone

from profitpeek.jobs import claiming
from profitpeek.jobs.claiming import Claim
from profitpeek.jobs.models import Job


def state(job: int) -> tuple[str, int, str]:
    """Return a job's state, tries and fault."""
    row = Job.objects.get(pk=job)
    return row.state, row.attempts, row.fault


def claimed(job: int, worker: str = "here/1") -> Claim:
    """Claim a job that can be claimed."""
    claim = claiming.claim(job, worker=worker)
    assert claim is not None
    return claim


def make_due(job: int) -> None:
    """Let a job's pause be over."""
    Job.objects.filter(pk=job).update(not_before=timezone.now() - timedelta(seconds=1))


def expire(job: int) -> None:
    """Let a running job's lease be over."""
    Job.objects.filter(pk=job).update(lease_until=timezone.now() - timedelta(seconds=1))
