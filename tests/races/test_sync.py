"""Reading a platform survives what happens to machines: killed workers, two at once, a database that goes away."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from connectors.models import SyncRun
from profitpeek import embedded_postgres
from tests.connectors.bazaar import Bazaar, a_record, open_bazaar
from tests.connectors.bazaar_files import Files
from tests.races.processes import finish, start, url_of_the_test_database, wait_for
from tests.races.test_kills import _kill_server

ORDERS = 200
WHOLE = {"orders": ORDERS, "entries": 5 * ORDERS, "reversed": 0, "changed": ORDERS, "problems": {}}
"""What reading all of them comes to, however often it was cut."""


@pytest.fixture
def bazaar() -> Iterator[Bazaar]:
    with open_bazaar() as bazaar:
        bazaar.add(*(a_record(number) for number in range(ORDERS)))
        yield bazaar


def report(url: str) -> dict:
    return json.loads(finish(url, "syncer", "report"))


def let_time_pass() -> None:
    """Make the heart of a killed run rest for as long as it takes to be taken over."""
    SyncRun.objects.filter(status="running").update(heartbeat_at=timezone.now() - timedelta(minutes=5))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_reader_killed_again_and_again_loses_nothing_and_doubles_nothing(bazaar: Bazaar) -> None:
    url = url_of_the_test_database()
    finish(url, "syncer", f"open:{bazaar.url}")
    for records, delay in ((10, 0.0), (40, 0.004), (80, 0.011), (120, 0.018), (160, 0.025)):
        process = start(url, "syncer", "sync")
        wait_for(process, records)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert report(url)["problems"] == {}
        let_time_pass()
    finish(url, "syncer", "sync")
    told = report(url)
    assert {**told, "changed": ORDERS} == WHOLE
    assert SyncRun.objects.filter(fault="Lost").count() == 5


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_reader_of_files_killed_again_and_again_loses_nothing_and_doubles_nothing(bazaar: Bazaar, tmp_path: Path) -> None:
    url, files = url_of_the_test_database(), Files(bazaar)
    finish(url, "syncer", f"open:{bazaar.url}")
    for records, delay in ((0, 0.03), (20, 0.0), (80, 0.007), (140, 0.013)):
        process = start(url, "syncer", f"files:{tmp_path}")
        wait_for(process, records)
        time.sleep(delay)
        process.kill()
        process.communicate()
        assert report(url)["problems"] == {}
        let_time_pass()
    finish(url, "syncer", f"files:{tmp_path}")
    assert {**report(url), "changed": ORDERS} == WHOLE
    assert list(tmp_path.iterdir()) == []
    assert len(files.asked) == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_readers_of_one_stream_take_turns_and_read_everything_once(bazaar: Bazaar) -> None:
    url = url_of_the_test_database()
    finish(url, "syncer", f"open:{bazaar.url}")
    both = [start(url, "syncer", "sync") for _ in range(2)]
    for process in both:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    assert report(url) == WHOLE
    spans = sorted(SyncRun.objects.values_list("started_at", "finished_at"))
    assert all(before[1] is not None for before in spans)
    first_pages = [asked for asked in bazaar.asked if asked.startswith("/orders?") and "after" not in asked and "since" not in asked]
    assert len(first_pages) == 1


@pytest.mark.slow
def test_a_database_killed_under_a_reader_comes_back_to_the_page_that_was_read(bazaar: Bazaar, tmp_path) -> None:
    folder = tmp_path / "postgres"
    membership = embedded_postgres.join(folder)
    try:
        url = membership.url()
        finish(url, "syncer", "migrate")
        finish(url, "syncer", f"open:{bazaar.url}")
        process = start(url, "syncer", "sync")
        wait_for(process, 60)
        _kill_server(membership)
        process.communicate()
        assert process.returncode != 0
        membership.leave()
        membership = embedded_postgres.join(folder)
        known = report(url)
        assert (known["problems"], known["orders"] % 10) == ({}, 0)
        bazaar.asked.clear()
        # The heart of the run that lost its database has stood still for half a minute before it is taken over.
        finish(url, "syncer", "sync")
        assert {**report(url), "changed": ORDERS} == WHOLE
        assert f"after={known['orders']}" in next(asked for asked in bazaar.asked if asked.startswith("/orders?"))
    finally:
        membership.leave()
        shutil.rmtree(membership.server.home.folder, ignore_errors=True)
