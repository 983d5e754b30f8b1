"""The list of jobs in the admin: for whoever runs the installation, with a way to try again."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from profitpeek.jobs import queue
from profitpeek.jobs.models import Job, Pause
from profitpeek.jobs.running import run
from tests.builders import a_store
from tests.dashboards.people import PASSWORD, signed_in
from tests.jobs import table

pytestmark = pytest.mark.django_db

JOBS = "admin:jobs_job_changelist"


@pytest.fixture
def operator() -> Client:
    """Return a browser signed in as the superuser."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(username="root@example.com", email="root@example.com", password=PASSWORD))
    return client


def dead_job() -> int:
    """Return a job that has died of what it was asked to."""
    job = queue.submit(table.FAILS, {"how": "attention"}, subject="Harbour Pottery", key="one")
    run(job)
    return job


def test_the_list_names_what_failed_and_why(operator: Client) -> None:
    job = dead_job()
    page = operator.get(reverse(JOBS), {"state__exact": "dead"}).content.decode()
    for told in ("Fails", "Harbour Pottery", "Sign in to the platform again."):
        assert told in page
    assert operator.get(reverse("admin:jobs_job_change", args=[job])).status_code == 200


def test_a_dead_job_is_tried_again_with_a_button(operator: Client) -> None:
    job = dead_job()
    told = operator.post(reverse(JOBS), {"action": "retry", "_selected_action": [job]}, follow=True).content.decode()
    assert "1 of 1 jobs wait for another try." in told
    assert Job.objects.get(pk=job).state == "waiting"
    told = operator.post(reverse(JOBS), {"action": "retry", "_selected_action": [job]}, follow=True).content.decode()
    assert "were left alone" in told


def test_a_waiting_job_is_cancelled_with_a_button(operator: Client) -> None:
    job = queue.submit(table.EFFECT, {"name": "one"})
    operator.post(reverse(JOBS), {"action": "cancel", "_selected_action": [job]})
    assert Job.objects.get(pk=job).state == "cancelled"


def test_a_kind_is_paused_and_resumed(operator: Client) -> None:
    assert "Effect" in operator.get(reverse("admin:jobs_pause_add")).content.decode()
    operator.post(reverse("admin:jobs_pause_add"), {"kind": "effect", "reason": "the platform is down"})
    pause = Pause.objects.get()
    assert (pause.kind, pause.reason, pause.actor) == ("effect", "the platform is down", "root@example.com")
    operator.post(reverse("admin:jobs_pause_delete", args=["effect"]), {"post": "yes"})
    assert not Pause.objects.exists()


def test_jobs_can_be_neither_added_nor_changed_nor_deleted_by_hand(operator: Client) -> None:
    job = dead_job()
    assert operator.get(reverse("admin:jobs_job_add")).status_code == 403
    assert operator.post(reverse("admin:jobs_job_change", args=[job]), {"state": "done"}).status_code == 403
    assert operator.post(reverse("admin:jobs_job_delete", args=[job]), {"post": "yes"}).status_code == 403
    assert Job.objects.get(pk=job).state == "dead"


@pytest.mark.parametrize("name", [JOBS, "admin:jobs_pause_changelist", "admin:jobs_pause_add"])
def test_an_owner_sees_no_jobs(name: str) -> None:
    dead_job()
    client = signed_in(a_store(slug="mine"))
    get_user_model().objects.update(is_staff=True)
    assert client.get(reverse(name)).status_code == 403
    assert b"Background jobs" not in client.get(reverse("admin:index")).content
