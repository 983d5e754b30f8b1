"""Test what programs are told about the installation."""

import os
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client, override_settings

from profitpeek.health import last_backup_at, readiness
from profitpeek.jobs.health import Standing

# Long ago, since the database judges by a clock of its own which jobs are due.
NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def heartbeat_finished(moment: datetime) -> None:
    """Store a heartbeat job as a worker leaves it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_job (kind, key, parameters, subject, actor, request_id, state, attempts, max_attempts, run, worker, cancel_requested,"
            " step, done, whole, fault, error, detail, finished_at)"
            " VALUES ('heartbeat', 'k', '{}', '', '', '', 'done', 1, 1, 1, '', false, '', 0, 0, '', '', '', %s)",
            [moment],
        )


def job_due(moment: datetime, *, state: str = "waiting") -> None:
    """Store a job that could have run since a moment, or one that was given up then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_job (kind, key, parameters, subject, actor, request_id, state, attempts, max_attempts, run, worker, cancel_requested,"
            " step, done, whole, fault, error, detail, not_before, finished_at)"
            " VALUES ('sync', 'k', '{}', '', '', '', %s, 1, 1, 1, '', false, '', 0, 0, '', '', '', %s, %s)",
            [state, moment, None if state == "waiting" else moment],
        )


def test_living_process_says_so_without_asking_the_database() -> None:
    # Without the mark for it, a test that touches the database fails.
    answer = Client().get("/healthz", headers={"Host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_installation_is_ready_when_a_heartbeat_has_just_been_finished() -> None:
    heartbeat_finished(NOW - timedelta(minutes=5))
    job_due(NOW - timedelta(minutes=15))
    assert readiness(NOW).reasons == ()


@pytest.mark.django_db
def test_installation_whose_worker_finishes_nothing_is_not_ready() -> None:
    heartbeat_finished(NOW - timedelta(minutes=6))
    job_due(NOW - timedelta(hours=3))
    assert readiness(NOW).reasons == (
        "No heartbeat job has been finished for 6 minutes: see that the worker runs, and read its log.",
        "A background job has been due for 3 hours: the workers are too few, or they hang.",
    )


@pytest.mark.django_db
def test_dead_jobs_are_counted_but_do_not_make_the_installation_unready() -> None:
    heartbeat_finished(NOW)
    job_due(NOW - timedelta(days=3), state="dead")
    found = readiness(NOW)
    assert found.reasons == ()
    assert found.jobs == Standing(heartbeat_at=NOW, oldest_due_at=None, waiting=0, running=0, dead=1)


@pytest.mark.django_db
def test_stranger_reads_the_reasons_and_a_program_reads_the_status() -> None:
    answer = Client().get("/readyz", headers={"Host": "10.0.0.7:8000"})
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "reasons": ["No background job has ever been finished: start the worker (`manage.py worker`)."],
        "jobs": {"waiting": 0, "running": 0, "dead": 0, "heartbeat_seconds": None, "oldest_due_seconds": None},
    }
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_missing_migration_makes_the_installation_unready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'ledger' AND name LIKE '0001%'")
    assert readiness(NOW).reasons == ("1 migrations are not applied: run `manage.py migrate` and start again.",)


@pytest.mark.django_db
def test_database_that_keeps_a_question_waiting_makes_the_installation_unready() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute("LOCK TABLE jobs_job IN ACCESS EXCLUSIVE MODE")
        answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (
        503,
        {
            "ready": False,
            "reasons": ["The database does not answer within 3 seconds: see that it runs and that DATABASE_URL is right."],
            "jobs": None,
        },
    )


@pytest.mark.django_db
def test_metrics_are_for_this_machine_or_for_whoever_bears_the_token() -> None:
    client = Client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 403
    # A proxy on this machine passes strangers on from 127.0.0.1.
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        assert client.get("/metrics").status_code == 403
    with override_settings(METRICS_TOKEN="a-token"):
        assert client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": "Bearer a-token"}).status_code == 200
        assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 403
    # An installation without a token has none that could be guessed.
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers={"Authorization": "Bearer "}).status_code == 403


@pytest.mark.django_db
def test_metrics_leave_out_what_is_not_known(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFITPEEK_VAR", str(tmp_path))
    job_due(NOW - timedelta(days=9), state="dead")
    values = [line for line in Client().get("/metrics").content.decode().splitlines() if not line.startswith("#")]
    assert values[:-1] == [
        "profitpeek_jobs_waiting 0",
        "profitpeek_jobs_running 0",
        "profitpeek_jobs_dead 1",
        "profitpeek_queue_age_seconds 0",
        'profitpeek_open_findings{severity="info"} 0',
        'profitpeek_open_findings{severity="warning"} 0',
        'profitpeek_open_findings{severity="error"} 0',
        "profitpeek_stores 0",
        "profitpeek_stores_awaiting_restatement 0",
    ]
    assert values[-1].startswith("profitpeek_database_bytes ")
    assert last_backup_at() is None
