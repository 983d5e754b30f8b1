"""Keep a cluster of workers at work: tick, sweep, and start it anew when work waits and nothing is finished.

django-q2's processes can look alive while nothing runs (one idle worker killed while it held the queue's lock), so
life is judged by what gets done, never by which processes exist.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import psutil
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from profitpeek.jobs import recurring, sweeper
from profitpeek.jobs.records import Record
from profitpeek.jobs.running import CLUSTER_VARIABLE, STOPPING

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
STALL_SECONDS = 8.0
"""Due work that nobody begins for so long means a stalled cluster; twice the sweeper's patience with a lost ring."""
LONGEST_STALL_SECONDS = 128.0
START_SECONDS = 20.0
STOP_SECONDS = 20.0
SCHEDULE = "profitpeek tick"


class Supervisor:
    """One cluster of this machine and the watch over it."""

    def __init__(self, record: Record, now: Callable[[], datetime]) -> None:
        self._record = record
        self._now = now
        self._name = ""
        self._cluster: subprocess.Popen[bytes] | None = None
        self._patience = STALL_SECONDS
        self._deadline = 0.0
        self._begun: str | None = None
        self._away = False

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop, then let the cluster finish what it does and end."""
        self._with_database(self._take_over)
        self._start()
        try:
            while not stop.wait(LOOK_SECONDS):
                self._with_database(self._look)
        finally:
            self._stop()

    def _with_database(self, step: Callable[[], None]) -> None:
        """Do a step; while the database is away, go on watching."""
        try:
            step()
        except (DatabaseError, InterfaceError) as error:
            if not self._away:
                log.warning("worker.database_away", error=str(error).strip())
            self._away = True
            connection.close()
        else:
            if self._away:
                log.info("worker.database_back")
            self._away = False

    def _take_over(self) -> None:
        """Declare this schedule, end what dead supervisors left, and free their jobs."""
        defaults = {"func": "profitpeek.jobs.recurring.tick_now", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
        if Schedule.objects.filter(name=SCHEDULE, **defaults).count() != 1:
            Schedule.objects.filter(name=SCHEDULE).delete()
            Schedule.objects.create(name=SCHEDULE, **defaults)
        for left in self._record.abandoned():
            left.end_group()
            self._free(left.cluster)
            left.forget()

    def _look(self) -> None:
        recurring.tick(self._now())
        if self._cluster is None or self._cluster.poll() is not None:
            log.error("worker.cluster_ended", cluster=self._name)
            self._restart()
            return
        sweeper.sweep(gone=self._dead_workers(self._cluster.pid))
        if self._stalled():
            log.error("worker.stalled", cluster=self._name, seconds=self._patience)
            self._patience = min(self._patience * 2, LONGEST_STALL_SECONDS)
            self._restart()

    def _dead_workers(self, cluster: int) -> list[str]:
        """Return those of our cluster's workers that hold a job and are no process any more."""
        # The jobs first: a worker born after the processes were listed must not look dead.
        holders = self._holders(self._name)
        try:
            children = psutil.Process(cluster).children(recursive=True)
        except psutil.NoSuchProcess:
            return holders
        living = {f"{self._name}/{child.pid}" for child in children if _lives(child)}
        return [name for name in holders if name not in living]

    def _holders(self, cluster: str) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT worker FROM jobs_job WHERE state = 'running' AND starts_with(worker, %s)", [f"{cluster}/"])
            return [name for (name,) in cursor.fetchall()]

    def _stalled(self) -> bool:
        """Tell whether due work has waited for long while workers are free and none has begun anything."""
        with connection.cursor() as cursor:
            cursor.execute(_ACTIVITY)
            waits, running, begun = cursor.fetchone()
        moment = time.monotonic()
        if begun != self._begun:
            self._begun, self._patience, self._deadline = begun, STALL_SECONDS, moment + STALL_SECONDS
        elif not waits or running >= Conf.WORKERS:
            self._deadline = max(self._deadline, moment + self._patience)
        return moment > self._deadline

    def _restart(self) -> None:
        self._kill()
        self._free(self._name)
        self._start()

    def _free(self, cluster: str) -> None:
        """Give the jobs and the rings of an ended cluster back."""
        sweeper.free_lost(gone=self._holders(cluster))
        # Rings that the cluster had taken into its memory. Another cluster may hear some twice, which is harmless.
        OrmQ.objects.update(lock=self._now())

    def _start(self) -> None:
        self._name = uuid4().hex[:12]
        environment = {**os.environ, CLUSTER_VARIABLE: self._name}
        command = [sys.executable, "-m", "profitpeek.jobs.cluster", str(os.getpid())]
        self._cluster = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)
        self._record.write(cluster=self._name, group=self._cluster.pid)
        self._deadline = time.monotonic() + max(START_SECONDS, self._patience)
        log.info("worker.started", cluster=self._name, pid=self._cluster.pid)

    def _stop(self) -> None:
        """End the cluster: what runs may finish for a while, the rest is left to the next start."""
        if self._cluster is not None and self._cluster.poll() is None:
            os.killpg(self._cluster.pid, STOPPING)
            self._cluster.terminate()
            try:
                self._cluster.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("worker.stop_was_slow", seconds=STOP_SECONDS)
        self._kill()
        self._with_database(lambda: self._free(self._name))
        self._record.forget()

    def _kill(self) -> None:
        """End the whole group, whatever of it is left."""
        if self._cluster is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._cluster.pid, signal.SIGKILL)
        self._cluster.wait()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# Whether due work waits, how many live runs there are, and which runs began last: any change means that something
# begins. Not the latest time, which stands still for as long as a clock was set back.
_ACTIVITY = """
    SELECT EXISTS (SELECT 1 FROM jobs_job j WHERE state = 'waiting' AND not_before <= clock_timestamp()
                     AND NOT EXISTS (SELECT 1 FROM jobs_pause p WHERE p.kind = j.kind)
                     AND NOT EXISTS (SELECT 1 FROM jobs_job o WHERE o.kind = j.kind AND o.key = j.key AND o.state = 'running')),
           (SELECT count(*) FROM jobs_job WHERE state = 'running' AND lease_until >= clock_timestamp()),
           (SELECT string_agg(id || '.' || run, ' ') FROM (SELECT id, run FROM jobs_job WHERE started_at IS NOT NULL ORDER BY id DESC LIMIT 50) last)
             || (SELECT coalesce(sum(run), 0) FROM jobs_job WHERE state IN ('waiting', 'running'))
"""
