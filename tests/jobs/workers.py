"""Run `manage.py worker` as a program of its own, look into it, and kill parts of it."""

import os
import signal
import sys
from pathlib import Path

import psutil
from django.db import connection

from profitpeek.environment import BASE_DIR
from profitpeek.jobs.models import Job
from tests.platform.clusters import living, wait_until

CLUSTER_WORKERS = 2


class Worker:
    """One supervisor with its cluster, on the test's database."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._environment = environment
        self.processes: set[psutil.Process] = set()
        self.start()

    def start(self) -> None:
        """Start the supervisor."""
        environment = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "tests.jobs.settings", "PROFITPEEK_VAR": str(self.folder), "WORKERS": str(CLUSTER_WORKERS),
            **self._environment,
        }  # fmt: skip
        self.output = (self.folder / "worker.log").open("ab")
        command = [sys.executable, "manage.py", "worker"]
        self.supervisor = psutil.Popen(command, cwd=BASE_DIR, env=environment, stdout=self.output, stderr=self.output)

    def __enter__(self) -> "Worker":
        """Hand out the running worker."""
        return self

    def __exit__(self, *error: object) -> None:
        """End it whatever state it is in."""
        self.remember()
        for process in self.processes | {self.supervisor}:
            if process in living([process]):
                process.kill()
        self.supervisor.wait(timeout=30)
        self.output.close()

    def remember(self) -> "list[psutil.Process]":
        """Return the processes below the supervisor, and remember them so that orphans are found later."""
        try:
            found = self.supervisor.children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        self.processes.update(found)
        return found

    def cluster(self) -> psutil.Process | None:
        """Return the cluster's first process."""
        self.remember()
        return next(iter(self.supervisor.children()), None)

    def sentinel(self) -> psutil.Process | None:
        """Return the process that guards the others."""
        cluster = self.cluster()
        return next(iter(cluster.children()), None) if cluster else None

    def parts(self) -> list[psutil.Process]:
        """Return the sentinel's children, the oldest first: the workers, then monitor and pusher, then replacements."""
        sentinel = self.sentinel()
        return sorted(sentinel.children(), key=lambda each: (each.create_time(), each.pid)) if sentinel else []

    def wait_until_up(self) -> None:
        """Wait until the cluster is complete and has done something."""
        assert wait_until(lambda: len(self.parts()) >= CLUSTER_WORKERS + 2, seconds=40), self.log()
        assert wait_until(lambda: Job.objects.filter(kind="heartbeat", state="done").exists(), seconds=40), self.log()

    def busy(self) -> psutil.Process:
        """Wait for a running job that leaves traces and return the process that runs it."""
        running = Job.objects.filter(state="running").exclude(kind="heartbeat")
        assert wait_until(running.exists, seconds=40), self.log()
        return psutil.Process(int(running.values_list("worker", flat=True)[0].split("/")[1]))

    def orphans(self) -> list[psutil.Process]:
        """Return processes that were once below the supervisor, live, and are so no more."""
        present = set(self.remember())
        return [each for each in living(list(self.processes)) if each not in present]

    def stop(self) -> int:
        """Ask it to end and return its exit status."""
        self.remember()
        self.supervisor.send_signal(signal.SIGTERM)
        return int(self.supervisor.wait(timeout=60))

    def log(self) -> str:
        """Return what it has written."""
        return (self.folder / "worker.log").read_text()


def effects() -> list[str]:
    """Return the traces that jobs have left, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM test_effect ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def all_ended() -> bool:
    """Tell whether no job waits or runs, the recurring one left out."""
    return not Job.objects.filter(state__in=["waiting", "running"]).exclude(kind="heartbeat").exists()
