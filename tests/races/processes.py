"""Run programs of the tests on the test's own database, to be waited for or killed."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def url_of_the_test_database() -> str:
    """Return the address of the database that this test uses."""
    values = connection.settings_dict
    host = quote(values["OPTIONS"].get("host") or values["HOST"], safe="/")
    return f"postgresql://{values['USER']}@/{quote(values['NAME'])}?host={host}"


def start(url: str, program: str, word: str) -> "subprocess.Popen[str]":
    """Start one of the programs beside this file on a database."""
    command = [sys.executable, "-m", f"tests.races.{program}", word]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(url: str, program: str, word: str) -> str:
    """Run a program to its end and return what it tells."""
    process = start(url, program, word)
    told, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return told


def wait_for(process: "subprocess.Popen[str]", number: int) -> None:
    """Wait until a program has told a number as high as this one, or raise what it says as it ends."""
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        if int(line) >= number:
            return
    raise AssertionError(process.stderr.read())
