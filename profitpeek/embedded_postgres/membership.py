"""Join a cluster's server and leave it again; the first starts it, the last stops it."""

import atexit
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from profitpeek.embedded_postgres.errors import EmbeddedPostgresError
from profitpeek.embedded_postgres.flavours import DURABLE, Flavour
from profitpeek.embedded_postgres.home import settle
from profitpeek.embedded_postgres.locks import FileLock, alone
from profitpeek.embedded_postgres.server import Server

DATABASE = "profitpeek"


class Membership:
    """Be one process's use of the server, held by a shared lock on the users' file."""

    def __init__(self, server: Server, lock: FileLock) -> None:
        self.server = server
        self._lock: FileLock | None = lock
        self._process = os.getpid()

    def url(self, database: str = DATABASE) -> str:
        """Return the address of one of the server's databases."""
        return self.server.url(database)

    def leave(self) -> None:
        """Give up the share; the user who gets the file alone by that is the last, and stops the server."""
        # A forked child shares our lock: were it to leave, the server would stop under us.
        if self._lock is None or self._process != os.getpid():
            return
        lock, self._lock = self._lock, None
        try:
            # Who joins from here on waits for the lock, and then starts the server anew.
            if lock.try_own():
                self.server.stop()
        finally:
            lock.close()

    def leave_at_exit(self) -> None:
        """Leave when this process ends."""
        atexit.register(self._leave_quietly)

    def _leave_quietly(self) -> None:
        """Leave without being interrupted half-way by an impatient second Ctrl-C."""
        if self._process == os.getpid():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.leave()
        except EmbeddedPostgresError as error:
            sys.stderr.write(f"{error}\n")


def exit_on_signals() -> None:
    """Make the signals that end a process end it in the ordinary way, so that it leaves what it joined.

    To be called before `join`, because they may come while the server starts.
    """
    owner = os.getpid()

    def leave(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            sys.exit(128 + number)
        # A forked child has joined nothing: for it the signal stays deadly.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # A signal that somebody ignores (nohup) or handles is not ours.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)


def join(folder: Path, *, flavour: Flavour = DURABLE, database: str = DATABASE) -> Membership:
    """Use the cluster in a folder: make it, start it and create the database as far as needed."""
    home, account = settle(folder)
    server = Server(home, account, flavour)
    users = FileLock(home.users_lock, account)
    try:
        users.share()
        with alone(home.start_lock, account):
            server.ensure_running()
            server.ensure_database(database)
    except BaseException:
        # Also on Ctrl-C: a start that is broken off leaves no server behind.
        Membership(server, users).leave()
        raise
    return Membership(server, users)
