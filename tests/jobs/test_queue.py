"""Check the life of a job row by row: asked for, claimed, done, failed, lost, taken back."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from profitpeek.jobs import claiming, housekeeping, queue, sweeper
from profitpeek.jobs.faults import Cancelled, ConflictingSubmit, LeaseLost
from profitpeek.jobs.health import standing
from profitpeek.jobs.kinds import Kind, UnknownKind
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from profitpeek.jobs.work import Work
from tests.jobs import table
from tests.jobs.rows import claimed, expire, make_due, state
from tests.jobs.workers import effects

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("traces")]


def test_a_job_and_its_ring_are_committed_with_what_asked_for_them_or_not_at_all() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.submit(table.EFFECT, {"name": "never"})
        raise RuntimeError
    assert (Job.objects.count(), OrmQ.objects.count()) == (0, 0)
    with transaction.atomic():
        job = queue.submit(table.EFFECT, {"name": "one"}, subject="a subject", actor="somebody")
    assert OrmQ.objects.count() == 1
    run(job)
    row = Job.objects.get(pk=job)
    assert (row.state, row.attempts, row.subject, row.actor, row.lease_until) == ("done", 1, "a subject", "somebody", None)
    assert effects() == ["one"]
    run(job)
    assert effects() == ["one"]


def test_work_that_waits_is_not_asked_for_twice_and_work_that_runs_is_followed_by_one_more() -> None:
    first = queue.submit(table.EFFECT, {"name": "sync"}, key="store:1")
    assert queue.submit(table.EFFECT, {"name": "sync"}, key="store:1") == first
    claim = claimed(first)
    second = queue.submit(table.EFFECT, {"name": "sync"}, key="store:1")
    assert second != first
    assert queue.submit(table.EFFECT, {"name": "sync"}, key="store:1") == second
    assert claiming.claim(second, worker="there/2") is None
    assert claiming.finish(claim)
    OrmQ.objects.all().delete()
    run(second)
    assert (state(first)[0], state(second)[0], effects()) == ("done", "done", ["sync"])


def test_a_finished_job_rings_the_one_that_waited_for_it() -> None:
    first = queue.submit(table.EFFECT, {"name": "sync"}, key="store:1")
    claim = claimed(first)
    second = queue.submit(table.EFFECT, {"name": "sync"}, key="store:1")
    assert claiming.put_back(claim.job, claim.run, after=0, fault="", error="", detail="")
    # The later request has taken over; nothing runs under the key any more.
    assert (state(first)[0], state(second)[0]) == ("superseded", "waiting")
    third = queue.submit(table.CHAIN, {"name": "chain", "left": 1}, key="links")
    OrmQ.objects.all().delete()
    run(third)
    assert OrmQ.objects.count() == 2  # the submit's own ring, which may come too early, and the follower's
    run(Job.objects.get(kind="chain", state="waiting").pk)
    assert effects() == ["chain:0", "chain:1"]


def test_a_key_that_does_not_name_the_work_is_refused() -> None:
    queue.submit(table.EFFECT, {"name": "one"}, key="k")
    with pytest.raises(ConflictingSubmit, match="key k waits already, with other parameters"):
        queue.submit(table.EFFECT, {"name": "two"}, key="k")
    with pytest.raises(UnknownKind):
        queue.submit(Kind(name="strange", label="Strange", handler=table.effect))
    with pytest.raises(TypeError):
        queue.submit(table.EFFECT, {"name": object()})
    assert Job.objects.count() == 1


def test_a_job_for_later_is_brought_forward_but_not_one_that_was_told_to_wait() -> None:
    later = timezone.now() + timedelta(hours=1)
    job = queue.submit(table.EFFECT, {"name": "one"}, key="k", not_before=later)
    assert OrmQ.objects.count() == 0
    assert claiming.claim(job, worker="here/1") is None
    assert queue.submit(table.EFFECT, {"name": "one"}, key="k") == job
    assert sweeper.ring_due() == 1
    quota = queue.submit(table.FAILS, {"how": "postponed"}, key="q")
    run(quota)
    assert queue.submit(table.FAILS, {"how": "postponed"}, key="q") == quota
    assert claiming.claim(quota, worker="here/1") is None


@pytest.mark.parametrize(
    ("how", "first", "last", "error"),
    [
        ("retryable", ("waiting", 1, "retryable"), ("dead", 3, "retryable"), "The platform answered 503."),
        ("postponed", ("waiting", 0, "retryable"), ("waiting", 0, "retryable"), "The day's quota is used up."),
        ("permanent", ("dead", 1, "permanent"), ("dead", 1, "permanent"), "The file is gone."),
        ("attention", ("dead", 1, "attention"), ("dead", 1, "attention"), "Sign in to the platform again."),
        ("crash", ("waiting", 1, "crashed"), ("dead", 3, "crashed"), "KeyError: 'nobody expected this'"),
    ],
)
def test_the_type_of_a_failure_decides_what_becomes_of_the_job(how: str, first: object, last: object, error: str) -> None:
    job = queue.submit(table.FAILS, {"how": how})
    run(job)
    assert state(job) == first
    for _ in range(3):
        make_due(job)
        run(job)
    assert (state(job), Job.objects.get(pk=job).error) == (last, error)
    assert ("Traceback" in Job.objects.get(pk=job).detail) == (how == "crash")


def test_pauses_between_tries_grow_up_to_an_hour() -> None:
    for attempts, least in [(1, 10), (2, 20), (5, 160), (40, 3_600)]:
        assert least <= claiming.pause_after(attempts, 10.0) <= least * 1.1


def test_a_dead_job_can_be_tried_again_and_a_done_one_not() -> None:
    dead, done = queue.submit(table.FAILS, {"how": "permanent"}), queue.submit(table.EFFECT, {"name": "one"})
    run(dead)
    run(done)
    assert queue.retry(dead)
    assert state(dead) == ("waiting", 0, "permanent")
    assert not queue.retry(dead)
    assert not queue.retry(done)
    run(dead)
    assert state(dead) == ("dead", 1, "permanent")


def test_a_dead_job_stays_dead_when_its_work_waits_already() -> None:
    dead = queue.submit(table.FAILS, {"how": "permanent"}, key="k")
    run(dead)
    queue.submit(table.FAILS, {"how": "permanent"}, key="k")
    assert not queue.retry(dead)


def test_a_stale_lease_is_given_to_another_and_its_old_holder_can_write_nothing() -> None:
    job = queue.submit(table.STEPS, {"name": "s", "steps": 1})
    old = claimed(job)
    assert sweeper.free_lost() == 0
    expire(job)
    assert sweeper.free_lost() == 1
    assert state(job) == ("waiting", 1, "lost")
    new = claimed(job, "there/2")
    work = Work(old, table.STEPS)
    with pytest.raises(LeaseLost), transaction.atomic():
        table.leave_trace("too late")
        work.fence()
    with pytest.raises(LeaseLost), transaction.atomic():
        table.leave_trace("too late")
        work.finish()
    assert not claiming.finish(old)
    assert not claiming.put_back(old.job, old.run, after=0, fault="", error="", detail="")
    assert claiming.hold(old, step="", done=0, whole=0) is None
    work.beat()
    with pytest.raises(LeaseLost):
        work.checkpoint()
    assert effects() == []
    assert claiming.finish(new)
    assert state(job) == ("done", 2, "")


def test_a_job_whose_holder_is_committing_is_not_given_away() -> None:
    job = queue.submit(table.STEPS, {"name": "s", "steps": 1})
    claim = claimed(job)
    expire(job)
    fenced, looked = Event(), Event()

    def holder() -> None:
        with transaction.atomic():
            table.leave_trace("in time")
            Work(claim, table.STEPS).fence()
            fenced.set()
            looked.wait(timeout=10)
        connection.close()

    thread = Thread(target=holder)
    thread.start()
    fenced.wait(timeout=10)
    assert sweeper.free_lost() == 0
    looked.set()
    thread.join()
    assert effects() == ["in time"]
    assert sweeper.free_lost() == 1


def test_jobs_of_workers_known_to_be_dead_need_not_wait_for_their_lease() -> None:
    one, two = queue.submit(table.EFFECT, {"name": "one"}), queue.submit(table.EFFECT, {"name": "two"})
    claimed(one, "cluster/1")
    claimed(two, "cluster/2")
    assert sweeper.free_lost(gone=["cluster/1"]) == 1
    assert (state(one)[0], state(two)[0]) == ("waiting", "running")


def test_a_job_out_of_tries_is_dead_when_its_worker_is_lost() -> None:
    job = queue.submit(table.POISON)
    for attempt in (1, 2, 3):
        make_due(job)
        claimed(job, f"cluster/{attempt}")
        sweeper.free_lost(gone=[f"cluster/{attempt}"])
    assert state(job) == ("dead", 3, "lost")
    make_due(job)
    assert claiming.claim(job, worker="here/1") is None


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_step() -> None:
    waiting, running = queue.submit(table.EFFECT, {"name": "one"}), queue.submit(table.STEPS, {"name": "s", "steps": 3})
    assert queue.cancel(waiting)
    assert state(waiting)[0] == "cancelled"
    work = Work(claimed(running), table.STEPS)
    assert queue.cancel(running)
    work.beat()
    with pytest.raises(Cancelled):
        work.progress("stepping", 1, 3)
    assert not queue.cancel(waiting)
    assert queue.retry(waiting)
    run(waiting)
    assert effects() == ["one"]


def test_a_paused_kind_is_not_started_until_it_is_resumed() -> None:
    job, other = queue.submit(table.EFFECT, {"name": "one"}), queue.submit(table.STEPS, {"name": "s", "steps": 1})
    queue.pause(["effect"], reason="the platform is down", actor="somebody")
    run(job)
    run(other)
    assert (state(job)[0], state(other)[0]) == ("waiting", "done")
    Job.objects.update(rung_at=None)
    assert sweeper.ring_due() == 0
    assert standing().oldest_due_at is None
    queue.resume(["effect"])
    assert sweeper.ring_due() == 1
    run(job)
    assert effects() == ["one", "s:0"]
    with pytest.raises(UnknownKind):
        queue.pause(["strange"])


def test_a_job_whose_ring_was_lost_is_rung_again_and_a_future_one_is_not() -> None:
    lost, future = queue.submit(table.EFFECT, {"name": "one"}), queue.submit(table.EFFECT, not_before=timezone.now() + timedelta(hours=1))
    OrmQ.objects.all().delete()
    assert sweeper.ring_due() == 0
    Job.objects.filter(pk=lost).update(rung_at=timezone.now() - timedelta(seconds=sweeper.RING_AGAIN_SECONDS + 1))
    assert sweeper.ring_due() == 1
    assert sweeper.ring_due() == 0
    assert OrmQ.objects.count() == 1
    assert Job.objects.get(pk=future).rung_at is None


def test_a_kind_this_version_does_not_know_is_left_to_another_version_and_then_said() -> None:
    job = queue.submit(table.EFFECT, {"name": "one"})
    Job.objects.filter(pk=job).update(kind="of-tomorrow", max_attempts=2, rung_at=None)
    assert sweeper.ring_due() == 1
    run(job)
    assert state(job) == ("waiting", 1, "permanent")
    make_due(job)
    run(job)
    assert state(job) == ("dead", 2, "permanent")
    assert "knows no job of the kind “of-tomorrow”. Install the version" in Job.objects.get(pk=job).error


def test_a_job_that_was_cancelled_stays_so_when_its_run_fails_or_its_worker_is_lost() -> None:
    failing, losing = queue.submit(table.FAILS, {"how": "retryable"}), queue.submit(table.EFFECT, {"name": "one"})
    claim = claimed(failing)
    claimed(losing, "cluster/1")
    assert queue.cancel(failing)
    assert queue.cancel(losing)
    claiming.put_back(claim.job, claim.run, after=0, fault="retryable", error="503", detail="")
    sweeper.free_lost(gone=["cluster/1"])
    assert (state(failing)[0], state(losing)[0]) == ("cancelled", "cancelled")


def test_an_atomic_job_that_lost_its_lease_takes_its_effect_back() -> None:
    job = queue.submit(table.EFFECT, {"name": "one"})
    old = claimed(job)
    expire(job)
    sweeper.free_lost()
    run(job)
    assert effects() == ["one"]
    with pytest.raises(LeaseLost), transaction.atomic():
        table.effect(Work(old, table.EFFECT))
        Work(old, table.EFFECT).finish()
    assert effects() == ["one"]


def test_old_jobs_go_and_recent_and_waiting_ones_stay() -> None:
    old, recent, waiting = (queue.submit(table.EFFECT, {"name": name}) for name in ("old", "recent", "waiting"))
    dead = queue.submit(table.FAILS, {"how": "permanent"})
    for job in (old, recent, dead):
        run(job)
    Job.objects.filter(pk__in=[old, dead]).update(finished_at=timezone.now() - timedelta(days=housekeeping.KEEP_DONE_DAYS + 1))
    housekeeping.prune(Work(claimed(waiting), housekeeping.PRUNE_JOBS))
    assert set(Job.objects.values_list("pk", flat=True)) == {recent, waiting, dead}


def test_standing_counts_what_waits_runs_and_died_and_knows_the_last_heartbeat() -> None:
    assert standing().heartbeat_at is None
    beat = queue.submit(housekeeping.HEARTBEAT)
    run(beat)
    dead, due = queue.submit(table.FAILS, {"how": "permanent"}), queue.submit(table.EFFECT, {"name": "due"})
    run(dead)
    claimed(queue.submit(table.EFFECT, {"name": "running"}))
    now = standing()
    assert (now.waiting, now.running, now.dead) == (1, 1, 1)
    assert now.heartbeat_at == Job.objects.get(pk=beat).finished_at
    assert now.oldest_due_at == Job.objects.get(pk=due).not_before
