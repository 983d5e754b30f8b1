"""Troubles of the queue that a hostile reading found: endless killers, stale dead rows, odd texts, odd clocks."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from profitpeek.jobs import claiming, queue, sweeper
from profitpeek.jobs.health import standing
from profitpeek.jobs.models import Job
from profitpeek.jobs.records import Record
from profitpeek.jobs.running import run
from profitpeek.jobs.supervisor import Supervisor
from tests.jobs import table
from tests.jobs.rows import claimed, expire, make_due, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("traces")]


def test_work_that_kills_its_workers_dies_however_often_it_is_asked_for() -> None:
    for round_ in range(1, table.POISON.attempts + 1):
        queue.submit(table.POISON, key="store:1")
        job = Job.objects.get(kind="poison", state="waiting").pk
        make_due(job)
        claimed(job, f"cluster/{round_}")
        # Asked for again while it runs, as a schedule would.
        queue.submit(table.POISON, key="store:1")
        sweeper.free_lost(gone=[f"cluster/{round_}"])
        if Job.objects.filter(kind="poison", state="dead").exists():
            break
    assert Job.objects.filter(kind="poison", state="dead").count() == 1
    assert Job.objects.get(kind="poison", state="dead").attempts == 3


def test_dead_jobs_need_nobody_once_the_same_work_was_done() -> None:
    dead = queue.submit(table.FAILS, {"how": "permanent"}, key="store:1")
    run(dead)
    other = queue.submit(table.FAILS, {"how": "permanent"}, key="store:2")
    run(other)
    mended = queue.submit(table.FAILS, {"how": "permanent"}, key="store:1")
    assert claiming.finish(claimed(mended))
    assert (state(dead)[0], state(other)[0], standing().dead) == ("superseded", "dead", 1)
    assert queue.cancel(other)
    assert standing().dead == 0


def test_a_cancelled_job_that_fails_at_its_last_try_is_cancelled_not_dead() -> None:
    job = queue.submit(table.FAILS, {"how": "permanent"})
    claim = claimed(job)
    queue.cancel(job)
    assert claiming.give_up(claim, state=Job.State.DEAD, fault="permanent", error="gone", detail="")
    assert state(job)[0] == "cancelled"


def test_an_error_of_any_text_is_written() -> None:
    job = queue.submit(table.EFFECT, {"name": "one"})
    claim = claimed(job)
    assert claiming.hold(claim, step="a\0b\ud800", done=1, whole=2) is False
    assert claiming.give_up(claim, state=Job.State.DEAD, fault="permanent", error="zero \0 and half \ud83d", detail="\0")
    assert Job.objects.get(pk=job).error == "zero  and half ?"


def test_a_lease_renewed_since_the_sweeper_looked_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    job = queue.submit(table.STEPS, {"name": "s", "steps": 1})
    claim = claimed(job)
    expire(job)
    seen = sweeper._free_if_still_lost

    def beat_first(*row: object) -> bool:
        claiming.hold(claim, step="", done=0, whole=0)
        return seen(*row)  # type: ignore[arg-type]

    monkeypatch.setattr(sweeper, "_free_if_still_lost", beat_first)
    assert sweeper.free_lost() == 0
    assert state(job)[0] == "running"


def test_a_clock_set_back_does_not_look_like_a_stall_and_standing_still_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000.0]
    monkeypatch.setattr("profitpeek.jobs.supervisor.time.monotonic", lambda: clock[0])
    ahead = queue.submit(table.EFFECT, {"name": "ahead"})
    assert claiming.finish(claimed(ahead))
    Job.objects.filter(pk=ahead).update(started_at=timezone.now() + timedelta(hours=1))
    queue.submit(table.EFFECT, {"name": "always due"})
    watch = Supervisor(Record(tmp_path), timezone.now)

    def look(*, works: bool) -> bool:
        if works:
            assert claiming.finish(claimed(queue.submit(table.STEPS, {"name": "s", "steps": 1})))
        clock[0] += 1
        return watch._stalled()

    assert [look(works=True) for _ in range(30)] == [False] * 30
    assert [look(works=False) for _ in range(12)] == [False] * 8 + [True] * 4
