"""Streams are read in the background when they are due, by chains of jobs; what a platform refuses decides how it goes on."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection as database
from django.utils import timezone

from connectors import registry
from connectors.connections import disconnect
from connectors.models import Connection, ParkedRecord, SyncCursor, SyncRun
from connectors.reading import runs
from connectors.reading.paged import Limits
from connectors.reading.sync_tasks import DISPATCH_SYNCS, FORGET_RUNS, REPLAY_ALL_PARKED, submit_past, submit_stream
from ledger.models import Order, Store
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_store
from tests.connectors.bazaar import ORDERS, PAGE, Bazaar, a_record, connector, open_bazaar
from tests.connectors.connecting import connected, cursor_of, last_run

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS = replace(ORDERS, name="others", label="others", every=timedelta(hours=1), cursor=None)


@pytest.fixture
def bazaar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bazaar]:
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(ORDERS, OTHERS))
    monkeypatch.setattr("connectors.http.PAUSES", (0.0, 0.0))
    with open_bazaar() as bazaar:
        yield bazaar


@pytest.fixture
def store() -> Store:
    return a_store(slug="north")


@pytest.fixture
def connection(store: Store, bazaar: Bazaar) -> Connection:
    return connected(store, bazaar)


def dispatched() -> list[Job]:
    """Let the dispatcher look, and return the jobs that wait now."""
    run(queue.submit(DISPATCH_SYNCS, key="dispatch"))
    return waiting()


def waiting() -> list[Job]:
    return list(Job.objects.filter(state="waiting").order_by("pk"))


def ran(job: int | Job) -> Job:
    pk = job.pk if isinstance(job, Job) else job
    run(pk)
    return Job.objects.get(pk=pk)


def tell_of(job: Job) -> tuple[str, str, str]:
    return job.kind, job.key, job.subject


def test_the_dispatcher_asks_for_what_is_due_once_and_for_the_past_first(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1))
    jobs = dispatched()
    assert [tell_of(job) for job in jobs] == [
        ("backfill", f"connection:{connection.pk}:orders", "orders of North"), ("backfill", f"connection:{connection.pk}:others", "others of North")
    ]  # fmt: skip
    assert len(dispatched()) == 2
    assert [ran(job).state for job in jobs] == ["done", "done"]
    assert Order.objects.count() == 1
    assert dispatched() == []
    SyncCursor.objects.update(next_at=timezone.now())
    assert [job.kind for job in dispatched()] == ["sync-stream", "sync-stream"]
    soon = SyncCursor.objects.get(stream="orders").next_at
    late = SyncCursor.objects.get(stream="others").next_at
    assert soon is not None
    assert late is not None
    assert (late - soon) // timedelta(minutes=1) == 55


@pytest.mark.parametrize("status", ["paused", "needs_consent", "disconnected"])
def test_nothing_is_asked_of_a_connection_that_rests(bazaar: Bazaar, connection: Connection, status: str) -> None:
    job = submit_stream(connection, ORDERS, actor="ann")
    Connection.objects.update(status=status)
    assert [each.pk for each in dispatched()] == [job]
    assert ran(job).state == "done"
    assert bazaar.asked == []


def test_a_store_that_is_being_deleted_is_read_no_more(bazaar: Bazaar, connection: Connection) -> None:
    Store.objects.update(erasing_since=timezone.now())
    assert dispatched() == []


def test_one_job_hands_over_to_the_next_until_all_is_read(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.reading.sync.ONE_JOB", Limits(pages=1))
    bazaar.add(*(a_record(number) for number in range(3 * PAGE - 5)))
    submit_stream(connection, ORDERS, actor="ann")
    kinds = []
    while jobs := waiting():
        assert len(jobs) == 1
        kinds.append((jobs[0].kind, jobs[0].actor))
        assert ran(jobs[0]).state == "done"
        assert len(kinds) < 9
    assert kinds == [("backfill", "ann")] * 3
    assert (cursor_of(connection).backfilled_at is not None, SyncRun.objects.filter(status="partial").count()) == (True, 2)
    assert Order.objects.count() == 25


def test_a_quota_used_up_postpones_the_job_and_keeps_everybody_from_asking(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"": (429, {"Retry-After": "3600"})}
    job = ran(submit_stream(connection, ORDERS, actor="ann"))
    assert (job.state, job.attempts, job.error) == ("waiting", 0, "Bazaar takes no more for now.")
    asked = len(bazaar.asked)
    assert ran(submit_stream(connection, OTHERS, actor="ann")).state == "waiting"
    assert len(bazaar.asked) == asked
    connection.refresh_from_db()
    assert connection.paused_until is not None
    assert connection.paused_until > timezone.now() + timedelta(minutes=59)
    assert {each.kind for each in dispatched()} == {"backfill"}
    # An hour later it goes on by itself.
    bazaar.switches.refuse = {}
    bazaar.add(a_record(1))
    Connection.objects.update(paused_until=timezone.now())
    Job.objects.update(not_before=timezone.now())
    assert ran(job).state == "done"
    assert Order.objects.count() == 1


def test_consent_that_is_gone_stops_all_streams_until_it_is_given_again(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"": (401, {})}
    job = ran(submit_stream(connection, ORDERS, actor="ann"))
    assert (job.state, job.fault, job.error) == ("dead", "attention", "Bazaar no longer takes this token. Connect the account again.")
    connection.refresh_from_db()
    assert (connection.status, connection.problem) == ("needs_consent", "Bazaar no longer takes this token. Connect the account again.")
    assert dispatched() == []


def test_a_stream_without_permission_rests_and_the_others_go_on(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"/count": (403, {}), "/orders": (403, {})}
    orders, others = dispatched()
    assert ran(orders).state == "done"
    bazaar.switches.refuse = {}
    assert ran(others).state == "done"
    assert last_run(connection).stream == "others"
    SyncCursor.objects.filter(stream="others").update(next_at=timezone.now())
    assert [each.key for each in dispatched()] == [f"connection:{connection.pk}:others"]
    runs.wake(connection)
    assert len(dispatched()) == 2


def test_a_platform_that_is_away_is_asked_again_after_longer_and_longer_pauses_and_no_job_dies_of_it(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"": (500, {})}
    number, pauses = submit_stream(connection, ORDERS, actor="ann"), []
    for _ in range(8):
        before = timezone.now()
        job = ran(number)
        assert (job.state, job.attempts, job.error) == ("waiting", 0, "Bazaar answered 500.")
        pauses.append(round((job.not_before - before).total_seconds() / 10) * 10)
        Job.objects.update(not_before=timezone.now())
    assert pauses == [30, 60, 120, 240, 480, 960, 960, 960]
    connection.refresh_from_db()
    assert (connection.status, connection.problem) == ("active", "Bazaar answered 500.")
    bazaar.switches.refuse = {}
    bazaar.add(a_record(1))
    assert ran(number).state == "done"
    connection.refresh_from_db()
    assert (connection.problem, Order.objects.count()) == ("", 1)


def test_a_stream_that_another_run_reads_waits_for_it(bazaar: Bazaar, connection: Connection) -> None:
    runs.claim(connection, "orders", SyncRun.Mode.BACKFILL, now=timezone.now())
    job = ran(submit_stream(connection, ORDERS, actor="ann"))
    assert (job.state, job.attempts) == ("waiting", 0)


def test_a_run_shows_that_it_lives_while_a_page_takes_long(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BEAT_SECONDS", 0.02)
    long_ago = timezone.now() - timedelta(minutes=5)
    beaten = threading.Event()

    def wait_for_a_beat(path: str) -> None:
        SyncRun.objects.update(heartbeat_at=long_ago)
        for _ in range(500):
            if SyncRun.objects.filter(heartbeat_at__gt=long_ago).exists():
                beaten.set()
                break
            time.sleep(0.01)
        database.close()

    bazaar.switches.before = wait_for_a_beat
    assert ran(submit_stream(connection, ORDERS, actor="ann")).state == "done"
    assert beaten.is_set()


def test_the_past_is_read_again_when_somebody_asks(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    for job in dispatched():
        ran(job)
    batches = Order.objects.values_list("facts_digest", flat=True).count()
    submit_past(connection, actor="ann")
    # What is read whole each time has no past of its own.
    assert [(job.kind, job.key) for job in waiting()] == [
        ("backfill", f"connection:{connection.pk}:orders:past"), ("sync-stream", f"connection:{connection.pk}:others"),
    ]  # fmt: skip
    # Should its job end under it, the dispatcher asks for it again.
    Job.objects.all().delete()
    SyncCursor.objects.exclude(stream="orders:past").update(next_at=timezone.now() + timedelta(hours=1))
    (job,) = dispatched()
    assert ran(job).state == "done"
    run_ = SyncRun.objects.get(stream="orders:past")
    assert (run_.mode, run_.status, run_.records, run_.changed, batches) == ("backfill", "done", 25, 0, 25)
    assert (cursor_of(connection).backfilled_at is not None, SyncCursor.objects.filter(stream="orders:past").exists()) == (True, False)
    assert dispatched() == []


def test_parked_records_are_tried_again_by_themselves(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = a_record(1)
    del broken["total"]
    bazaar.add(broken)
    ran(submit_stream(connection, ORDERS, actor="ann"))
    assert ParkedRecord.objects.count() == 1
    learnt = replace(ORDERS, map=lambda record, context: ORDERS.map({"total": "0.00", **record}, context))
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(learnt))
    ran(queue.submit(REPLAY_ALL_PARKED, key="all"))
    (job,) = waiting()
    assert (ran(job).state, ParkedRecord.objects.count(), Order.objects.count()) == ("done", 0, 1)


def test_the_command_reads_everything_and_says_so(bazaar: Bazaar, connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    call_command("sync", "north", "--stream", "orders")
    assert capsys.readouterr().out.startswith("North, orders: 25 read, 25 changed; up to date in ")
    call_command("sync", "north", "--platform", "bazaar", "--full", "--replay")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "North, parked records: 0 understood, 0 left"
    assert lines[1].startswith("North, orders: 36 read, 0 changed; up to date in ")
    assert lines[2].startswith("North, others: 25 read, 0 changed; up to date in ")
    call_command("connections", "north")
    told = capsys.readouterr().out
    assert told.splitlines()[0] == "North (bazaar, north): active"
    call_command("connections", "north", "--json")
    assert '"seen_through": "2026-11-05' in capsys.readouterr().out


def test_the_command_ends_with_an_error_where_something_is_not_read(
    bazaar: Bazaar, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    bazaar.switches.refuse = {"/orders": (403, {})}
    with pytest.raises(CommandError, match="2 streams are not up to date"):
        call_command("sync", "north")
    assert "North, orders: The token may not read orders. Grant “read_orders”." in capsys.readouterr().err
    bazaar.switches.refuse = {"": (429, {"Retry-After": "60"})}
    with pytest.raises(CommandError, match="2 streams are not up to date"):
        call_command("sync", "north", "--wait", "59")
    for arguments, told in (
        (["south"], "There is no store “south”"), (["north", "--platform", "etsy"], "connected to no account of etsy"),
        (["north", "--stream", "hats"], "has no stream “hats”; it has orders, others"),
    ):  # fmt: skip
        with pytest.raises(CommandError, match=told):
            call_command("sync", *arguments)


def test_files_of_accounts_that_are_read_no_more_do_not_lie_about(
    bazaar: Bazaar, connection: Connection, store: Store, settings: Any, tmp_path: Path
) -> None:
    settings.BULK_FOLDER = tmp_path
    gone, left = connected(store, bazaar, account="south"), connected(a_store(slug="deleted"), bazaar)
    for row in (connection, gone, left):
        (tmp_path / f"{row.pk}-orders").mkdir()
        (tmp_path / f"{row.pk}-orders" / "whole.jsonl").write_text("{}")
    disconnect(gone, now=timezone.now())
    Store.objects.filter(slug="deleted").update(erasing_since=timezone.now())
    assert ran(queue.submit(FORGET_RUNS, key="forget")).state == "done"
    assert [folder.name for folder in tmp_path.iterdir()] == [f"{connection.pk}-orders"]
