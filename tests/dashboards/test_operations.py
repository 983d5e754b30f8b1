"""Whoever runs the installation is told on every page when background work fails or stands still; nobody else is."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from profitpeek.jobs import queue
from profitpeek.jobs.housekeeping import HEARTBEAT
from profitpeek.jobs.models import Job
from tests.builders import a_store
from tests.dashboards.people import PASSWORD, signed_in

pytestmark = pytest.mark.django_db


def page(*, superuser: bool) -> str:
    """Return the page of a store as one or the other sees it."""
    store = a_store(slug="mine")
    if not superuser:
        return signed_in(store).get("/mine/pnl").content.decode()
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(username="root@example.com", email="root@example.com", password=PASSWORD))
    return client.get("/mine/pnl").content.decode()


@pytest.fixture
def trouble() -> None:
    """Let two jobs have failed for good, and one wait for ten minutes."""
    for _ in range(2):
        Job.objects.filter(pk=queue.submit(HEARTBEAT)).update(state="dead", finished_at=timezone.now())
    Job.objects.filter(pk=queue.submit(HEARTBEAT)).update(not_before=timezone.now() - timedelta(minutes=10))


def test_the_superuser_is_told_of_dead_jobs_and_of_work_that_waits(trouble: None) -> None:
    shown = page(superuser=True)
    assert "2 background jobs failed for good and need attention." in shown
    assert 'href="/admin/jobs/job/?state__exact=dead"' in shown
    assert "No background work has been done since" in shown


def test_nobody_else_is_told(trouble: None) -> None:
    assert "ackground" not in page(superuser=False)


def test_nothing_is_said_while_all_is_well() -> None:
    queue.submit(HEARTBEAT)
    assert "ackground" not in page(superuser=True)


def test_a_worker_that_stands_still_is_told_although_nothing_waits() -> None:
    Job.objects.filter(pk=queue.submit(HEARTBEAT)).update(state="done", finished_at=timezone.now() - timedelta(minutes=6))
    assert "No background work has been done since" in page(superuser=True)


def test_a_fresh_heartbeat_is_enough() -> None:
    Job.objects.filter(pk=queue.submit(HEARTBEAT)).update(state="done", finished_at=timezone.now() - timedelta(minutes=1))
    assert "ackground" not in page(superuser=True)
