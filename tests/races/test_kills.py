"""Die at bad moments: a killed writer or a killed database leaves a sound book, and a second run completes it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from django.db import connection

from profitpeek import embedded_postgres
from tests.races.recorder import BATCHES, SLUG

ROOT = Path(__file__).resolve().parents[2]

UNDISTURBED = {
    "figures": {
        "cogs:product": "-3980.0000", "fees:payment": "-680.5500", "fulfilment:shipping": "-980.0000", "memo:tax": "634.0000",
        "sales:discounts": "-200.0000", "sales:gross": "19950.0000", "sales:returns": "-4000.0000", "sales:shipping": "980.0000",
        "stat:new_customers": "40.0000", "stat:orders": "200.0000", "stat:returned_units": "200.0000", "stat:units": "399.0000",
    },
    "problems": {},
    "entries": 3435,
}  # fmt: skip
"""What the recorder's load comes to when nobody disturbs it."""


def _recorder(url: str, what: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "-m", "tests.races.recorder", what]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(url: str, what: str) -> str:
    process = _recorder(url, what)
    told, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return told


def _report(url: str) -> dict:
    return json.loads(_finish(url, "report"))


def _wait_for(process: "subprocess.Popen[str]", batch: int) -> None:
    for line in process.stdout:
        if int(line) >= batch:
            return
    raise AssertionError(process.stderr.read())


def _url_of_the_test_database() -> str:
    values = connection.settings_dict
    host = quote(values["OPTIONS"].get("host") or values["HOST"], safe="/")
    return f"postgresql://{values['USER']}@/{quote(values['NAME'])}?host={host}"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_writer_killed_again_and_again_leaves_a_sound_book_that_a_later_run_completes():
    url = _url_of_the_test_database()
    _finish(url, "record")
    assert _report(url) == UNDISTURBED
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_store SET slug = 'undisturbed' WHERE slug = %s", [SLUG])
    for batch, delay in ((0, 0.004), (6, 0.011), (10, 0.017)):
        process = _recorder(url, "record")
        _wait_for(process, batch)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert _report(url)["problems"] == {}
    assert _finish(url, "record").split()[-1] == str(BATCHES - 1)
    assert _report(url) == UNDISTURBED


@pytest.mark.slow
def test_a_database_killed_in_the_middle_leaves_a_sound_book_that_a_later_run_completes(tmp_path):
    folder = tmp_path / "postgres"
    membership = embedded_postgres.join(folder)
    try:
        url = membership.url()
        _finish(url, "migrate")
        for batch, delay in ((2, 0.005), (9, 0.012)):
            process = _recorder(url, "record")
            _wait_for(process, batch)
            time.sleep(delay)
            _kill_server(membership)
            process.wait()
            assert process.returncode != 0
            membership.leave()
            membership = embedded_postgres.join(folder)
            assert _report(url)["problems"] == {}
        _finish(url, "record")
        assert _report(url) == UNDISTURBED
    finally:
        membership.leave()
        # root's clusters do not live in the folder asked for
        shutil.rmtree(membership.server.home.folder, ignore_errors=True)


def _kill_server(membership: embedded_postgres.Membership) -> None:
    """End the postmaster of this test's own cluster, and its children, without a word."""
    pid = int((membership.server.home.data / "postmaster.pid").read_text().split()[0])
    server = psutil.Process(pid)
    for process in [server, *server.children()]:
        process.send_signal(signal.SIGKILL)
