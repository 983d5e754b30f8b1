"""Handle clusters and their users the way separate programs would."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from profitpeek.embedded_postgres import DISPOSABLE
from profitpeek.embedded_postgres.home import settle
from profitpeek.embedded_postgres.processes import postmaster
from profitpeek.embedded_postgres.server import Server
from profitpeek.environment import BASE_DIR


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every user can enter, unlike pytest's own, and leave no server behind in it."""
    folder = Path(tempfile.mkdtemp(prefix="pp-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        # A cluster is known by its users' lock, or by the note that it lives elsewhere.
        for found in {path.parent for name in ("users.lock", "location") for path in folder.rglob(name)}:
            remove_cluster(found)
        shutil.rmtree(folder)


def remove_cluster(folder: Path) -> None:
    """Stop a cluster's server, if it still lives, and remove its files wherever they are."""
    home, account = settle(folder)
    Server(home, account, DISPOSABLE).stop()
    shutil.rmtree(home.folder)


def server_process(folder: Path) -> psutil.Process | None:
    """Return the living server of a cluster, if there is one."""
    return postmaster(settle(folder)[0])


def is_usable(url: str) -> bool:
    """Tell whether a new connection gets an answer."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


class User:
    """Be a program of its own that uses a cluster."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.platform.user", str(folder)]
        self.process = subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def url(self) -> str:
        """Wait until it has joined and return the address it got."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> int:
        """Ask it to end, and return its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """End it without giving it a chance to leave."""
        self.process.kill()
        self.process.wait(timeout=60)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended."""
    return [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    """Return true as soon as a condition holds, false when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def without_database() -> dict[str, str]:
    """Return the environment of a person who has set nothing up."""
    unwanted = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PORT", "SITE_URL")
    return {name: value for name, value in os.environ.items() if name not in unwanted}
