"""Look at the processes of a cluster without believing a pid file."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from profitpeek.embedded_postgres.home import Home

SOCKET_NAME = ".s.PGSQL.5432"


def postmaster(home: Home) -> psutil.Process | None:
    """Return the living server process of this cluster, if the pid file names one.

    The number may since belong to any other process, or to a dead one that nobody has reaped.
    """
    try:
        pid = int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        return process if _serves(process, home.data) else None
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def end_orphans(home: Home) -> None:
    """End server processes whose postmaster was killed and who are too busy to notice it."""
    for process in _of_cluster(home.data):
        os.kill(process.pid, signal.SIGKILL)


def clear_leavings(home: Home) -> None:
    """Remove what a dead server left behind, which would keep the next one from starting."""
    socket = home.socket_folder / SOCKET_NAME
    for path in (home.data / "postmaster.pid", socket, socket.with_name(f"{SOCKET_NAME}.lock")):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # an empty folder in /tmp would be the last trace
        home.socket_folder.rmdir()


def _of_cluster(data: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.name().startswith("postgres") and _serves(process, data):
                yield process
        except psutil.NoSuchProcess:
            continue


def _serves(process: psutil.Process, data: Path) -> bool:
    """Tell whether a process is a living PostgreSQL one that works on this data folder."""
    if process.status() == psutil.STATUS_ZOMBIE or not process.name().startswith("postgres"):
        return False
    try:
        # Server processes work inside the data folder; the kernel's answer follows a moved checkout.
        return Path(process.cwd()) == data
    except psutil.AccessDenied:
        return str(data) in process.cmdline()
