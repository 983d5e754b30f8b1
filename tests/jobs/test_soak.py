"""Kill at random while jobs run, and count: every effect exactly once, nothing stuck, no orphan.

A tenth of it runs with the suite. The whole, a hundred kills during a thousand jobs: SOAK=1 make test ARGS=tests/jobs/test_soak.py.
"""

import os
import random
import time
from pathlib import Path

import psutil
import pytest

from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from tests.jobs import table
from tests.jobs.workers import Worker, all_ended, effects
from tests.platform.clusters import living, wait_until

KILLS, JOBS, STEPS, CHAINS, LINKS = (100, 890, 10, 10, 10) if os.environ.get("SOAK") else (8, 80, 2, 1, 10)
SEED = int(os.environ.get("SOAK_SEED", "20261124"))


def ask_for_work() -> list[str]:
    """Submit three sorts of jobs and return every trace they are to leave."""
    names = [f"one:{number:04}" for number in range(JOBS)]
    for name in names:
        queue.submit(table.EFFECT, {"name": name, "seconds": 0.2})
    for number in range(STEPS):
        queue.submit(table.STEPS, {"name": f"steps{number}", "steps": 10, "seconds": 0.1})
        names += [f"steps{number}:{step}" for step in range(10)]
    for number in range(CHAINS):
        queue.submit(table.CHAIN, {"name": f"chain{number}", "left": LINKS - 1}, key=f"chain{number}")
        names += [f"chain{number}:{left}" for left in range(LINKS)]
    return sorted(names)


def kill_something(worker: Worker, dice: random.Random) -> str:
    """Kill one process by `kill -9`: mostly a worker, at times the pusher, the sentinel, the parent or the supervisor."""
    choice = dice.choices(["part", "sentinel", "cluster", "supervisor"], [85, 5, 5, 5])[0]
    worker.remember()
    if choice == "supervisor":
        worker.supervisor.kill()
        worker.supervisor.wait()
        worker.start()
        return choice
    victims = {"part": worker.parts(), "sentinel": [worker.sentinel()], "cluster": [worker.cluster()]}[choice]
    there = [victim for victim in victims if victim is not None]
    if not there:
        return ""
    try:
        dice.choice(there).kill()
    except psutil.NoSuchProcess:
        return ""
    return choice


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("traces")
def test_random_kills_lose_nothing_repeat_nothing_and_leave_nothing_behind(worker_folder: Path) -> None:
    dice, killed = random.Random(SEED), dict.fromkeys(["part", "sentinel", "cluster", "supervisor"], 0)
    started = time.monotonic()
    with Worker(worker_folder) as worker:
        worker.wait_until_up()
        names = ask_for_work()
        while sum(killed.values()) < KILLS and not all_ended():
            time.sleep(dice.uniform(0.1, 1.0))
            if choice := kill_something(worker, dice):
                killed[choice] += 1
        assert wait_until(all_ended, seconds=600), worker.log()[-5_000:]
        seconds = time.monotonic() - started
        assert effects() == names
        assert set(Job.objects.exclude(kind="heartbeat").values_list("state", flat=True)) == {"done"}
        assert wait_until(lambda: worker.orphans() == [], seconds=10)
        before = worker.remember()
        assert worker.stop() == 0
        assert living(before) == []
    assert sum(killed.values()) > 0
    tries = sum(Job.objects.exclude(kind="heartbeat").values_list("attempts", flat=True))
    restarts = worker.log().count("worker.started")
    jobs = Job.objects.exclude(kind="heartbeat").count()
    print(f"\n{len(names)} effects, kills {killed}, {tries} tries of {jobs} jobs, {restarts} cluster starts, {seconds:.0f} s")  # noqa: T201
