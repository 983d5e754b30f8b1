"""Make, start and stop the server of one cluster.

`membership.py` sees to it that one process at a time starts it, and that nobody uses it when it is stopped.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from profitpeek.embedded_postgres.account import Account
from profitpeek.embedded_postgres.errors import CannotStart, CannotStop
from profitpeek.embedded_postgres.flavours import Flavour
from profitpeek.embedded_postgres.home import Home
from profitpeek.embedded_postgres.locks import FileLock
from profitpeek.embedded_postgres.processes import clear_leavings, end_orphans, postmaster
from profitpeek.embedded_postgres.programs import programs_for

START_SECONDS = 120.0
ORPHAN_SECONDS = 5.0
# Fast shutdown writes a checkpoint; immediate shutdown leaves that to the next start.
STOP_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 20.0), (signal.SIGKILL, 10.0))
LOG_LIMIT_BYTES = 10_000_000
ROLE = "profitpeek"
_PAUSE_SECONDS = 0.05


class Server:
    """Be the server of one cluster, running or not."""

    def __init__(self, home: Home, account: Account, flavour: Flavour) -> None:
        self.home = home
        self.account = account
        self.flavour = flavour

    def url(self, database: str) -> str:
        """Return the address of one of the server's databases."""
        return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(self.home.socket_folder), safe='/')}"

    def answers(self) -> bool:
        """Tell whether the server is running, which means that a connection succeeds."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def ensure_running(self) -> None:
        """Start the server unless it runs; make the cluster first when there is none."""
        if self.answers():
            return
        lock = FileLock(self.home.server_lock, self.account)
        try:
            if self._outlives_the_wait(lock):
                return
            if not (self.home.data / "PG_VERSION").exists():
                self._make_cluster(lock)
            self.home.check_version()
            clear_leavings(self.home)
            self.home.make_socket_folder(self.account)
            self._launch(lock)
        finally:
            lock.close()

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the server if it lives, by ever stronger means, and wait for its last process."""
        lock = FileLock(self.home.server_lock, self.account)
        try:
            for step, seconds in STOP_STEPS:
                self._signal_until_gone(lock, step, seconds)
                if self._is_gone(lock):
                    clear_leavings(self.home)
                    return
        finally:
            lock.close()
        raise CannotStop(
            f"The embedded database in {self.home.folder} does not stop.",
            remedy=f"Find its processes with `fuser {self.home.server_lock}` and end them; no data is lost.",
        )

    def _signal_until_gone(self, lock: FileLock, step: signal.Signals, seconds: float) -> None:
        """Send the postmaster one signal, as soon as it can be found, and wait for the end."""
        told = False
        for process in self._while_alive(lock, seconds):
            if process is not None and not told:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(step)
                told = True

    def _outlives_the_wait(self, lock: FileLock) -> bool:
        """Wait for a living server to answer; return false once no process of it is left."""
        for _ in self._while_alive(lock, START_SECONDS):
            if self.answers():
                return True
        if self._is_gone(lock):
            return False
        raise CannotStart(
            f"A server of {self.home.folder} is alive but has not answered for {START_SECONDS:.0f} s.",
            remedy=f"Read {self.home.log}; end it (`fuser {self.home.server_lock}`) and start again.",
        )

    def _while_alive(self, lock: FileLock, seconds: float) -> Iterator[psutil.Process | None]:
        """Yield the postmaster, or none, while a process of the server lives, for a limited time.

        Processes whose postmaster was killed are given a moment to notice; the busy ones do not.
        """
        now = postmaster_seen = time.monotonic()
        deadline = now + seconds
        while now < deadline and not self._is_gone(lock):
            process = postmaster(self.home)
            if process is not None:
                postmaster_seen = now
            elif now > postmaster_seen + ORPHAN_SECONDS:
                end_orphans(self.home)
            yield process
            time.sleep(_PAUSE_SECONDS)
            now = time.monotonic()

    def _is_gone(self, lock: FileLock) -> bool:
        """Own the server's lock if no process of a server holds it, or say that one still does."""
        # The second question is for a server somebody started by hand, without the lock.
        return lock.try_own() and postmaster(self.home) is None

    def _make_cluster(self, lock: FileLock) -> None:
        """Make the data folder, complete or not at all."""
        draft = self.home.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.account.give(draft)
        command = [
            str(programs_for(self.account).path("initdb")),
            f"--pgdata={draft}",
            f"--username={ROLE}",
            "--encoding=UTF8",
            # The built-in provider sorts alike on every system, whatever locales it has.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--auth-local=trust",  # the socket's folder is the door
            "--auth-host=reject",
            *self.flavour.initdb_options,
        ]
        made = subprocess.run(
            command,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Killed with us or not, nobody else works on the draft while a process of it lives.
            pass_fds=(lock.descriptor,),
            check=False,
            **self.account.process_options,
        )
        if made.returncode != 0:
            raise CannotStart(
                f"The embedded database could not be made in {self.home.data}:\n{made.stdout.strip()}",
                remedy="Free disk space or make the folder writable as the lines above ask, and start again.",
            )
        draft.rename(self.home.data)

    def _launch(self, lock: FileLock) -> None:
        """Start the server and wait until it answers."""
        command = [str(programs_for(self.account).path("postgres")), "-D", str(self.home.data)]
        command += ["-c", f"unix_socket_directories={self.home.socket_folder}", *self.flavour.arguments()]
        log_start = _rotate(self.home.log)
        with self.home.log.open("ab") as log:
            self.account.give(log.fileno())
            process = subprocess.Popen(
                command,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Out of reach of the terminal's Ctrl-C, which is meant for the user only.
                start_new_session=True,
                pass_fds=(lock.descriptor,),
                **self.account.process_options,
            )
        # Reaped as soon as it ends: a zombie's pid looks alive to the next server.
        threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()
        self._await_answer(process, log_start)

    def _await_answer(self, process: "subprocess.Popen[bytes]", log_start: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if process.poll() is not None:
                problem = "The embedded database ended while starting"
            elif time.monotonic() > deadline:
                process.send_signal(signal.SIGQUIT)
                problem = f"The embedded database did not answer within {START_SECONDS:.0f} s"
            else:
                time.sleep(_PAUSE_SECONDS)
                continue
            said = self.home.log.read_bytes()[log_start:].decode(errors="replace").strip()
            raise CannotStart(f"{problem}:\n{said}", remedy=f"The whole log is in {self.home.log}.")


def _environment() -> dict[str, str]:
    """Return a bare environment: no PG* variable may change the server, no secret of ours may reach it."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def _rotate(log: Path) -> int:
    """Keep the log from growing for ever; return where the next start's lines begin."""
    size = log.stat().st_size if log.exists() else 0
    if size <= LOG_LIMIT_BYTES:
        return size
    log.replace(log.with_suffix(".log.1"))
    return 0
