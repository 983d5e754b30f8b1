"""Tell programs how the installation is: /healthz, /readyz and /metrics.

They are answered before hosts, https and sessions are looked at, since a container's check asks for `localhost` over
http. A stranger may read the first two, so they name no store and no person.
"""

import ipaddress
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone

from profitpeek import environment
from profitpeek.jobs.health import Standing, standing

log = structlog.get_logger(__name__)

ANSWER_WITHIN = timedelta(seconds=3)
HEARTBEAT_WITHIN = timedelta(minutes=5)
DUE_WITHIN = timedelta(minutes=15)
_SEVERITIES = ("info", "warning", "error")
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via")


@dataclass(frozen=True)
class Readiness:
    """Whether people can be served and work gets done; if not, why, in words."""

    reasons: tuple[str, ...]
    jobs: Standing | None = None


class Health:
    """Answer the three addresses; pass on everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a program that asks how things are."""
        page = _PAGES.get(request.path)
        if page is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse("Only GET and HEAD are answered here.", "text/plain", 405, headers={"Allow": "GET, HEAD"})
        response = page(request)
        response["Cache-Control"] = "no-store"
        # Whoever asks is told why; the log would get the same line every few seconds.
        response._has_been_logged = True  # type: ignore[attr-defined]  # read by Django
        response["X-Content-Type-Options"] = "nosniff"
        return response


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; nothing else is asked."""
    return HttpResponse("ok\n", "text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the installation can be used, with status 503 and the reasons when not."""
    now = timezone.now()
    found = readiness(now)
    jobs = found.jobs and {
        "waiting": found.jobs.waiting,
        "running": found.jobs.running,
        "dead": found.jobs.dead,
        "heartbeat_seconds": _age(found.jobs.heartbeat_at, now),
        "oldest_due_seconds": _age(found.jobs.oldest_due_at, now),
    }
    return JsonResponse({"ready": not found.reasons, "reasons": found.reasons, "jobs": jobs}, status=503 if found.reasons else 200)


def metrics(request: HttpRequest) -> HttpResponse:
    """Give the gauges to this machine's own programs, or to whoever bears METRICS_TOKEN."""
    if not _may_read_metrics(request):
        return HttpResponse("Metrics need the header 'Authorization: Bearer …' with this installation's METRICS_TOKEN.\n", "text/plain", 403)
    try:
        with _patient():
            lines = list(_gauges(timezone.now()))
    except (DatabaseError, InterfaceError) as error:
        log.warning("metrics.database_does_not_answer", error=str(error).strip())
        return HttpResponse("The database does not answer.\n", "text/plain", 503)
    return HttpResponse("".join(f"{line}\n" for line in lines), "text/plain; version=0.0.4; charset=utf-8")


def readiness(now: datetime) -> Readiness:
    """Ask the database three short questions and judge the answers."""
    try:
        with _patient():
            if missing := missing_migrations():
                return Readiness((f"{missing} migrations are not applied: run `manage.py migrate` and start again.",))
            jobs = standing()
    except (DatabaseError, InterfaceError) as error:
        log.warning("readiness.database_does_not_answer", error=str(error).strip())
        return Readiness((f"The database does not answer within {ANSWER_WITHIN.seconds} seconds: see that it runs and that DATABASE_URL is right.",))
    return Readiness(tuple(_complaints(jobs, now)), jobs)


def missing_migrations() -> int:
    """Count the migrations this code has and the database has not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return len(_known_migrations())
        cursor.execute("SELECT app, name FROM django_migrations")
        return len(_known_migrations() - {(app, name) for app, name in cursor.fetchall()})


def _complaints(jobs: Standing, now: datetime) -> Iterator[str]:
    if jobs.heartbeat_at is None:
        yield "No background job has ever been finished: start the worker (`manage.py worker`)."
    elif now - jobs.heartbeat_at > HEARTBEAT_WITHIN:
        yield f"No heartbeat job has been finished for {_words(now - jobs.heartbeat_at)}: see that the worker runs, and read its log."
    if jobs.oldest_due_at is not None and now - jobs.oldest_due_at > DUE_WITHIN:
        yield f"A background job has been due for {_words(now - jobs.oldest_due_at)}: the workers are too few, or they hang."


def _gauges(now: datetime) -> Iterator[str]:
    jobs = standing()
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (SELECT max(last_recorded_at) FROM ledger_book), (SELECT count(*) FROM ledger_store),
                      (SELECT count(*) FROM ledger_book WHERE restated_version < costs_version), pg_database_size(current_database())"""
        )
        last_batch_at, stores, restating, size = cursor.fetchone()
        cursor.execute("SELECT severity, count(*) FROM ledger_finding WHERE resolved_at IS NULL GROUP BY severity")
        findings = dict(cursor.fetchall())
    yield from _gauge("jobs_waiting", "Background jobs that wait, due or not yet.", {"": jobs.waiting})
    yield from _gauge("jobs_running", "Background jobs that are being done.", {"": jobs.running})
    yield from _gauge("jobs_dead", "Background jobs that were given up and wait for a person.", {"": jobs.dead})
    yield from _gauge("queue_age_seconds", "How long the oldest due job has waited; 0 when none is due.", {"": _age(jobs.oldest_due_at, now) or 0})
    yield from _gauge("heartbeat_age_seconds", "Time since the worker last finished a heartbeat job.", {"": _age(jobs.heartbeat_at, now)})
    yield from _gauge("last_batch_age_seconds", "Time since anything was posted to any book.", {"": _age(last_batch_at, now)})
    yield from _gauge("last_backup_age_seconds", "Time since the newest file in var/backups.", {"": _age(last_backup_at(), now)})
    yield from _gauge("open_findings", "Open findings.", {f'{{severity="{severity}"}}': findings.get(severity, 0) for severity in _SEVERITIES})
    yield from _gauge("stores", "Stores.", {"": stores})
    yield from _gauge("stores_awaiting_restatement", "Stores whose costs have changed since they were posted.", {"": restating})
    yield from _gauge("database_bytes", "Size of the database.", {"": size})


def _gauge(name: str, meaning: str, values: dict[str, int | None]) -> Iterator[str]:
    """Yield one gauge; what is not known yet is left out, since 0 would be a lie."""
    yield f"# HELP profitpeek_{name} {meaning}"
    yield f"# TYPE profitpeek_{name} gauge"
    yield from (f"profitpeek_{name}{labels} {value}" for labels, value in values.items() if value is not None)


def last_backup_at() -> datetime | None:
    """Return when the newest backup was finished, as far as it still lies where backups are written."""
    times = [path.stat().st_mtime for path in (environment.var_dir() / "backups").glob("*.dump")]
    return datetime.fromtimestamp(max(times), tz=timezone.get_default_timezone()) if times else None


@contextmanager
def _patient() -> Iterator[None]:
    """Run a block in which each statement has a few seconds."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{ANSWER_WITHIN.seconds}s"])
        yield


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Return every migration of this code; squashed ones count as one."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return secrets.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    # Behind a proxy on this machine, every stranger seems to be this machine.
    if settings.SECURE_PROXY_SSL_HEADER or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _age(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else max(0, round((now - moment).total_seconds()))


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


_PAGES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
