"""Kill what can be killed, with real processes on a real database; no job is lost, none takes effect twice.

Each test is one of the ways in which django-q2 alone was seen to lose, repeat or freeze work.
"""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from profitpeek.jobs import queue, recurring
from profitpeek.jobs.models import Job, Recurrence
from profitpeek.jobs.supervisor import SCHEDULE
from tests.jobs import table
from tests.jobs.workers import CLUSTER_WORKERS, Worker, all_ended, effects
from tests.platform.clusters import living, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("traces")]


@pytest.fixture
def worker(worker_folder: Path) -> Iterator[Worker]:
    """Run a worker that is up."""
    with Worker(worker_folder) as running:
        running.wait_until_up()
        yield running


def submit(count: int, *, seconds: float = 0.0, start: int = 0) -> list[str]:
    """Ask for some effects and return the traces they will leave."""
    names = [f"{number:04}" for number in range(start, start + count)]
    for name in names:
        queue.submit(table.EFFECT, {"name": name, "seconds": seconds})
    return names


def finished(worker: Worker, names: list[str], *, seconds: float = 60.0) -> None:
    """Wait until all work has ended, and check that each effect is there once."""
    assert wait_until(all_ended, seconds=seconds), worker.log()
    assert effects() == names


def test_a_killed_busy_worker_loses_no_job_and_repeats_no_effect(worker: Worker) -> None:
    names = submit(4, seconds=1.0)
    worker.busy().kill()
    finished(worker, names)
    assert max(Job.objects.filter(kind="effect").values_list("attempts", flat=True)) == 2


def test_killed_idle_workers_do_not_freeze_the_queue(worker: Worker) -> None:
    for part in worker.parts()[:CLUSTER_WORKERS]:
        part.kill()
    finished(worker, submit(6))


def test_a_killed_parent_takes_its_processes_along_and_is_replaced(worker: Worker) -> None:
    cluster, names = worker.cluster(), submit(4, seconds=0.5)
    assert cluster is not None
    before = worker.remember()
    cluster.kill()
    assert wait_until(lambda: living(before) == [], seconds=10)
    finished(worker, names)
    assert worker.orphans() == []


def test_a_killed_sentinel_takes_its_processes_along_and_is_replaced(worker: Worker) -> None:
    sentinel, parts, names = worker.sentinel(), worker.parts(), submit(4, seconds=0.5)
    assert sentinel is not None
    sentinel.kill()
    assert wait_until(lambda: living(parts) == [], seconds=10)
    finished(worker, names)


def test_a_killed_supervisor_leaves_no_process_and_its_jobs_to_the_next(worker: Worker) -> None:
    names = submit(4, seconds=2.0)
    worker.busy()
    before = worker.remember()
    worker.supervisor.kill()
    worker.supervisor.wait()
    assert wait_until(lambda: living(before) == [], seconds=10)
    assert Job.objects.filter(kind="effect", state="running").exists()
    worker.start()
    # Well before the lease of 60 s runs out: the dead supervisor's record says whose jobs those are.
    finished(worker, names, seconds=40)


def test_killed_pusher_and_monitor_are_replaced(worker: Worker) -> None:
    for part in worker.parts()[CLUSTER_WORKERS : CLUSTER_WORKERS + 2]:
        part.kill()
    finished(worker, submit(6))


def test_a_job_that_kills_its_worker_is_dead_after_its_tries_and_keeps_nobody_back(worker: Worker) -> None:
    poison = queue.submit(table.POISON)
    names = submit(4, seconds=0.2)
    assert wait_until(all_ended, seconds=90), worker.log()
    row = Job.objects.get(pk=poison)
    assert (row.state, row.fault, row.attempts) == ("dead", "lost", 3)
    assert "at try 3 of 3; it was killed or ran out of memory." in row.error
    assert effects() == [*names, "try 1", "try 2", "try 3"]


def test_a_job_that_exits_is_tried_again_and_takes_no_worker_along(worker: Worker) -> None:
    before = worker.parts()
    leaves = queue.submit(table.LEAVES)
    assert wait_until(all_ended, seconds=40), worker.log()
    row = Job.objects.get(pk=leaves)
    assert (row.state, row.fault, row.attempts, row.error) == ("dead", "crashed", 2, "SystemExit: 3")
    assert living(before) == before


@pytest.mark.parametrize("kind", [table.BACKTRACKS, table.SWALLOWS], ids=["in the regular expression engine", "swallowing every exception"])
def test_a_job_that_overruns_its_time_ends(worker: Worker, kind: table.Kind) -> None:
    job = queue.submit(kind)
    names = submit(4)
    # The one that swallows its time-out is killed by the guard; the other one hears it.
    assert wait_until(all_ended, seconds=40), worker.log()
    row = Job.objects.get(pk=job)
    assert (row.state, row.attempts) == ("dead", 1)
    assert row.fault == ("timeout" if kind is table.BACKTRACKS else "lost")
    assert effects() == names


def test_a_result_that_cannot_be_pickled_is_no_reason_to_run_again(worker: Worker) -> None:
    job = queue.submit(table.UNPICKLABLE)
    names = submit(2)
    finished(worker, [*names, "unpicklable"])
    assert Job.objects.get(pk=job).attempts == 1
    assert wait_until(lambda: not OrmQ.objects.exists(), seconds=10)


def test_a_double_ring_runs_a_job_once(worker: Worker) -> None:
    job = queue.submit(table.EFFECT, {"name": "once", "seconds": 0.5})
    for _ in range(20):
        queue.ring(job, "effect")
    finished(worker, ["once"])
    assert Job.objects.get(pk=job).attempts == 1
    assert wait_until(lambda: not OrmQ.objects.exists(), seconds=10)


def test_a_changed_secret_key_loses_no_job(worker_folder: Path) -> None:
    names = submit(5)
    assert OrmQ.objects.count() == 5
    with Worker(worker_folder, SECRET_KEY="another key than the one the rings were signed with, long enough") as worker:
        # q2 throws the rings away as forged; the rows are still there.
        finished(worker, names)


def test_a_broken_schedule_row_stops_no_recurring_job(worker: Worker) -> None:
    Schedule.objects.create(name="broken", func="nothing.at_all", args="(((", schedule_type=Schedule.MINUTES, minutes=1, next_run=timezone.now())
    ours = Schedule.objects.get(name=SCHEDULE)
    Schedule.objects.filter(pk=ours.pk).update(next_run=timezone.now() - timedelta(minutes=5))
    late = Schedule.objects.get(pk=ours.pk).next_run
    scheduler()
    # This is why the supervisor ticks itself: q2's whole pass was rolled back because of the one row.
    assert Schedule.objects.get(pk=ours.pk).next_run == late
    beats = Job.objects.filter(kind="heartbeat", state="done")
    before = beats.count()
    assert wait_until(lambda: beats.count() >= before + 3, seconds=30), worker.log()


def test_q2s_own_schedule_ticks_too(worker: Worker) -> None:
    ours = Schedule.objects.get(name=SCHEDULE)
    assert (ours.func, ours.schedule_type, ours.minutes, ours.repeats) == ("profitpeek.jobs.recurring.tick_now", "I", 1, -1)
    Recurrence.objects.filter(name="often").delete()
    recurring.tick_now()
    assert Recurrence.objects.filter(name="often").exists()


def test_two_workers_on_one_database_share_the_jobs(worker: Worker, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with Worker(second) as other:
        assert wait_until(lambda: len(other.parts()) >= CLUSTER_WORKERS + 2, seconds=40)
        names = submit(60, seconds=0.05)
        finished(worker, names)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM test_effect")
            assert cursor.fetchone()[0] > CLUSTER_WORKERS
        assert other.stop() == 0
    assert living([worker.supervisor]) == [worker.supervisor]


def test_connections_cut_by_the_server_stop_nothing(worker: Worker) -> None:
    names = submit(10, seconds=0.3)
    worker.busy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    finished(worker, names, seconds=90)


def test_being_told_to_stop_ends_everything_and_leaves_the_rest_for_later(worker: Worker) -> None:
    names = submit(30, seconds=0.3)
    worker.busy()
    before = worker.remember()
    assert worker.stop() == 0
    assert living(before) == []
    assert not Job.objects.filter(state="running").exists()
    assert list((worker.folder / "workers").iterdir()) == []
    assert len(effects()) < 30
    worker.start()
    finished(worker, names)


def test_steps_of_a_long_job_go_on_where_a_killed_worker_ended(worker: Worker) -> None:
    queue.submit(table.STEPS, {"name": "long", "steps": 20, "seconds": 0.1})
    assert wait_until(lambda: len(effects()) >= 5, seconds=30)
    worker.busy().send_signal(signal.SIGKILL)
    finished(worker, sorted(f"long:{number}" for number in range(20)))


def test_a_chain_of_jobs_has_every_link_once_although_its_worker_is_killed(worker: Worker) -> None:
    queue.submit(table.CHAIN, {"name": "chain", "left": 25}, key="one chain")
    assert wait_until(lambda: len(effects()) >= 5, seconds=30)
    for part in worker.parts()[:CLUSTER_WORKERS]:
        part.kill()
    finished(worker, sorted(f"chain:{number}" for number in range(26)))
