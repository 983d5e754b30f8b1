"""Test `manage.py serve`: it answers, it stops on request, and it leaves no process behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError

from profitpeek.children import AT_ONCE_SECONDS
from profitpeek.environment import BASE_DIR
from profitpeek.management.commands.serve import chosen_port, listen
from tests.platform.clusters import living, open_folder, server_process, wait_until, without_database

pytestmark = pytest.mark.slow


class Serving:
    """Be a running `manage.py serve` in a process group of its own, as in a terminal."""

    def __init__(self, var: Path, *, folder: Path = BASE_DIR) -> None:
        environment = {**without_database(), "PROFITPEEK_VAR": str(var), "PROFITPEEK_ENV_FILE": os.devnull}
        self.var = var
        self.output = var / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "serve", "--no-demo"],
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def address(self) -> str:
        """Wait for the address it announces."""
        assert wait_until(lambda: "http://" in self.said() or self.process.poll() is not None, seconds=60)
        found = re.search(r"http://\S+", self.said())
        assert found, self.said()
        return found[0]

    def answer(self) -> int:
        """Return the status of the start page."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return int(opener.open(self.address(), timeout=60).status)
        except urllib.error.HTTPError as error:
            return error.code

    def ready(self) -> bool:
        """Tell whether /readyz says that background work gets done."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return bool(opener.open(re.sub(r"(//[^/]+)/.*", r"\1/readyz", self.address()), timeout=60).status == 200)
        except urllib.error.HTTPError:
            return False

    def said(self) -> str:
        """Return everything it has printed."""
        return self.output.read_text()

    def end(self) -> None:
        """Leave no process behind when a test has failed half-way."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def family(self) -> list[psutil.Process]:
        """Return it and all its descendants."""
        serve = psutil.Process(self.process.pid)
        return [serve, *serve.children(recursive=True)]


@pytest.fixture(scope="module")
def migrated() -> Iterator[Path]:
    """Yield the folder of an installation whose tables are made and which was never served."""
    with open_folder() as var:
        environment = {**without_database(), "PROFITPEEK_VAR": str(var), "PROFITPEEK_ENV_FILE": os.devnull}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=BASE_DIR, env=environment, check=True)
        yield var


@contextmanager
def served(var: Path, *, folder: Path = BASE_DIR) -> Iterator[Serving]:
    """Serve an installation, started from some folder, until the test is over."""
    serving = Serving(var, folder=folder)
    try:
        yield serving
    finally:
        serving.end()


@pytest.fixture
def serving(migrated: Path) -> Iterator[Serving]:
    """Yield a served installation whose tables were made before; it has never worked."""
    with open_folder() as var:
        # cp keeps owners, which the server insists on.
        subprocess.run(["cp", "-a", f"{migrated}/.", var], check=True)
        with served(var) as serving:
            yield serving


@pytest.fixture
def first() -> Iterator[Serving]:
    """Yield a served installation that has to make everything first."""
    with open_folder() as var, served(var) as serving:
        yield serving


def test_interrupted_it_exits_with_success_and_nothing_is_left(first: Serving) -> None:
    assert first.answer() < 500
    family = first.family()
    assert any("gunicorn" in " ".join(each.cmdline()) for each in family)
    # To the whole group, as a terminal does on Ctrl-C.
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.process.wait(timeout=60) == 0
    assert living(family) == []
    assert server_process(first.var / "postgres") is None
    assert "Traceback" not in first.said()


def test_killed_it_takes_the_web_server_along(serving: Serving) -> None:
    serving.answer()
    web = [each for each in serving.family() if "gunicorn" in " ".join(each.cmdline())]
    assert web
    serving.process.kill()
    serving.process.wait(timeout=60)
    assert wait_until(lambda: living(web) == [])


def workers(serving: Serving) -> list[psutil.Process]:
    """Wait until a heartbeat job is finished, and return the processes that do background work."""
    assert wait_until(lambda: serving.ready(), seconds=120), serving.said()
    others = ("gunicorn", "postgres")
    return [each for each in serving.family()[1:] if not any(name in " ".join(each.cmdline()[:4]) for name in others)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_ends_the_worker_and_everything_below_it(serving: Serving, number: signal.Signals) -> None:
    serving.answer()
    assert len(workers(serving)) > 3
    family = serving.family()
    os.killpg(serving.process.pid, number)
    assert serving.process.wait(timeout=90) == 0
    assert living(family) == []
    assert server_process(serving.var / "postgres") is None
    assert "Traceback" not in serving.said()


def test_a_killed_worker_is_started_again_and_the_pages_stay(serving: Serving) -> None:
    serving.answer()
    assert len(workers(serving)) > 3
    worker = next(child for child in psutil.Process(serving.process.pid).children() if "worker" in child.cmdline())
    below = worker.children(recursive=True)
    assert wait_until(lambda: worker.create_time() < time.time() - AT_ONCE_SECONDS - 1, seconds=20)
    worker.kill()
    assert wait_until(lambda: "The worker process was ended by the signal SIGKILL (killed by somebody" in serving.said(), seconds=20)
    assert wait_until(lambda: living(below) == [], seconds=20)
    assert serving.answer() == 200
    assert wait_until(lambda: serving.said().count("worker.started") == 2, seconds=30), serving.said()


def test_killed_it_takes_the_worker_and_everything_below_it_along(serving: Serving) -> None:
    serving.answer()
    below = workers(serving)
    assert len(below) > 3
    serving.process.kill()
    serving.process.wait(timeout=60)
    assert wait_until(lambda: living(below) == [], seconds=90)


def test_started_from_another_folder_it_serves_all_the_same() -> None:
    with open_folder() as var, served(var, folder=var) as serving:
        assert serving.answer() < 500


def test_mailed_links_lead_to_the_port_that_is_served(serving: Serving) -> None:
    address = serving.address().rstrip("/")
    assert wait_until(lambda: len(psutil.Process(serving.process.pid).children()) >= 2)
    told = {child.environ().get("SITE_URL") for child in psutil.Process(serving.process.pid).children()}
    assert address in told


def test_stopped_while_it_prepares_it_leaves_no_server(first: Serving) -> None:
    assert wait_until((first.var / "postgres" / "data" / "postmaster.pid").exists)
    assert wait_until(lambda: len(first.family()) > 1)
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(timeout=60)
    assert server_process(first.var / "postgres") is None
    assert "Traceback" not in first.said()


def test_taken_port_is_passed_over_unless_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("profitpeek.management.commands.serve.DEFAULT_PORT", port)
        with listen("127.0.0.1", None) as listener:
            assert listener.getsockname()[1] > port
        with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1 port {port} .*choose another one with --port or PORT"):
            listen("127.0.0.1", port)


def test_port_comes_from_the_option_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert chosen_port(9000) == 9000
    assert chosen_port(None) == 8123
    monkeypatch.setenv("PORT", "web")
    with pytest.raises(CommandError, match="PORT is 'web', which is not a port"):
        chosen_port(None)
    monkeypatch.delenv("PORT")
    assert chosen_port(None) is None
