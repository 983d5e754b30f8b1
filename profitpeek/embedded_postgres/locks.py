"""Take file locks that the kernel drops with the process, within a limited time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from profitpeek.embedded_postgres.account import Account
from profitpeek.embedded_postgres.errors import NotPermitted, TookTooLong

# Longer than the longest start and stop of a server that a lock is held for.
PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.02


class FileLock:
    """Be one open lock file; every object is a holder of its own, also within a process."""

    def __init__(self, path: Path, account: Account) -> None:
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            account.give(self.descriptor)
        except OSError as error:
            raise NotPermitted(
                f"The embedded database's file {path} cannot be opened ({error.strerror}).",
                remedy="Start ProfitPeek as the user who started it first (or as root), or set DATABASE_URL to a PostgreSQL of your own.",
            ) from error

    def share(self) -> None:
        """Hold the lock together with others, waiting for an exclusive holder to finish."""
        self._wait(fcntl.LOCK_SH)

    def own(self) -> None:
        """Hold the lock alone, waiting for every other holder to finish."""
        self._wait(fcntl.LOCK_EX)

    def try_own(self) -> bool:
        """Hold the lock alone if nobody else holds it; a share we had is given up either way."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go; a child process that was given the descriptor keeps holding."""
        os.close(self.descriptor)

    def _wait(self, operation: int) -> None:
        # Polling, because a blocking flock has no time limit.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self.descriptor, operation | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return
        raise TookTooLong(
            f"Another process has held {self.path} for {PATIENCE_SECONDS:.0f} s.",
            remedy=f"Find it with `fuser {self.path}` and end it, then start again.",
        )


@contextmanager
def alone(path: Path, account: Account) -> Iterator[None]:
    """Run a block while holding a lock alone."""
    lock = FileLock(path, account)
    try:
        lock.own()
        yield
    finally:
        lock.close()
