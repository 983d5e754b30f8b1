"""Measure the job queue against django-q2's defaults in the same run: rows in, jobs done, CPU a job, and the wait of a single one.

Run with `make bench ARGS=tests/benchmarks/bench_jobs.py`. Both have two workers, the same database and jobs that do nothing.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.db import connection
from django_q.models import Success

from profitpeek.environment import BASE_DIR
from profitpeek.jobs import kinds, queue
from profitpeek.jobs.housekeeping import HEARTBEAT
from profitpeek.jobs.models import Job
from tests.platform.clusters import wait_until

COUNT = int(os.environ.get("BENCH_JOBS", "500"))
ROUNDS = 3
NOTHING = "tests.benchmarks.nothing.nothing"


@contextmanager
def running(folder: Path, settings: str, *command: str) -> Iterator[psutil.Popen]:
    """Run one of the two worker programs."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": settings, "PROFITPEEK_VAR": str(folder)}
    with (folder / f"{settings}.log").open("wb") as log:
        program = psutil.Popen([sys.executable, "manage.py", *command], cwd=BASE_DIR, env=environment, stdout=log, stderr=log)
        try:
            yield program
        finally:
            program.terminate()
            try:
                program.wait(timeout=30)
            except psutil.TimeoutExpired:
                program.kill()


def backend_cpu() -> float:
    """Return the CPU seconds that the server has used for all its connections, the closed ones too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = psutil.Process(cursor.fetchone()[0]).parent()
    assert server is not None
    return cpu_of(server)


def cpu_of(program: psutil.Process) -> float:
    """Return the CPU seconds of a program and everything below it, what has ended included."""
    return sum(sum(process.cpu_times()[:4]) for process in [program, *program.children(recursive=True)])


def q2_put(count: int) -> float:
    """Queue tasks the way django-q2's users do, from a program with its defaults, and return how many a second."""
    code = (
        "import time; from django_q.tasks import async_task; s = time.perf_counter()\n"
        f"for _ in range({count}): async_task('{NOTHING}')\n"
        "print(time.perf_counter() - s)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.q2_defaults"}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return count / float(done.stdout.strip().splitlines()[-1])


def our_put(count: int) -> float:
    """Submit jobs one by one, each in a transaction of its own, and return how many a second."""
    started = time.perf_counter()
    for _ in range(count):
        queue.submit(HEARTBEAT)
    return count / (time.perf_counter() - started)


def rate(moments: list[object]) -> float:
    """Return ends per second between the first and the last."""
    ordered = sorted(moments)  # type: ignore[type-var]
    return (len(ordered) - 1) / (ordered[-1] - ordered[0]).total_seconds()  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def bench_jobs_against_django_q2s_defaults(tmp_path: Path, settings: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Print both queues' figures and their ratio."""
    kinds.table.cache_clear()
    q2, ours, q2_in, our_in, our_cpu, our_backend, waits = [], [], [], [], [], [], []
    for _ in range(ROUNDS):
        q2_in.append(q2_put(COUNT))
        with running(tmp_path, "tests.benchmarks.q2_defaults", "qcluster"):
            assert wait_until(lambda: Success.objects.count() >= min(COUNT, 250), seconds=300)
            assert wait_until(_q2_queue_is_empty, seconds=300)
        q2.append(rate(list(Success.objects.values_list("stopped", flat=True))))
        Success.objects.all().delete()

        our_in.append(our_put(COUNT))
        with running(tmp_path, "profitpeek.settings", "worker") as program:
            assert wait_until(lambda: Job.objects.filter(kind="heartbeat", state="done").count() >= COUNT, seconds=300)
            moments = list(Job.objects.filter(kind="heartbeat", state="done").values_list("finished_at", flat=True))
            before = cpu_of(program), backend_cpu()
            our_put(COUNT)
            assert wait_until(lambda: not Job.objects.filter(kind="heartbeat", state__in=["waiting", "running"]).exists(), seconds=300)
            our_cpu.append((cpu_of(program) - before[0]) / COUNT)
            our_backend.append((backend_cpu() - before[1]) / COUNT)
            for _ in range(20):
                job = queue.submit(HEARTBEAT)
                assert wait_until(lambda job=job: Job.objects.filter(pk=job, state="done").exists(), seconds=30)  # type: ignore[misc]
                row = Job.objects.get(pk=job)
                waits.append((row.started_at - row.created_at).total_seconds())  # type: ignore[operator]
        ours.append(rate(moments))
        Job.objects.all().delete()
    middle = statistics.median
    with capsys.disabled():
        print(f"\n{COUNT} jobs that do nothing, two workers, medians of {ROUNDS}:")  # noqa: T201
        print(f"  django-q2, defaults: {middle(q2_in):7,.0f} put/s  {middle(q2):6,.0f} done/s")  # noqa: T201
        print(f"  ours:                {middle(our_in):7,.0f} put/s  {middle(ours):6,.0f} done/s", end="")  # noqa: T201
        print(f"  = {middle(our_in) / middle(q2_in):.1f} x, {middle(ours) / middle(q2):.1f} x (goal: done >= 5 x)")  # noqa: T201
        print(f"  CPU a job: {middle(our_cpu) * 1e6:,.0f} us of the workers and their supervisor, {middle(our_backend) * 1e6:,.0f} us of PostgreSQL")  # noqa: T201
        print(f"  wait of a single job: {middle(waits) * 1e3:.0f} ms, at most {max(waits) * 1e3:.0f} ms")  # noqa: T201


def _q2_queue_is_empty() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM django_q_ormq)")
        return bool(cursor.fetchone()[0])
