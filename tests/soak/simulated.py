"""Let several processes live by one clock that runs faster than the real one: it is written into a file, and each reads it there."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

VARIABLE = "SOAK_CLOCK"
"""The environment variable that names the file."""


def write(path: Path, moment: datetime, speed: int) -> None:
    """Let the clock go on from a moment at a speed; 0 stops it."""
    draft = path.with_suffix(".draft")
    draft.write_text(f"{moment.isoformat()} {time.monotonic_ns()} {speed}")
    draft.replace(path)


class Clock:
    """The clock of a file. `time.monotonic` is one for all processes of a machine."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, -1
        self._start, self._base, self._speed = datetime.now(UTC), time.monotonic_ns(), 1

    def now(self) -> datetime:
        """Return the simulated time."""
        changed = self._path.stat().st_mtime_ns
        if changed != self._seen:
            start, base, speed = self._path.read_text().split()
            self._start, self._base, self._speed, self._seen = datetime.fromisoformat(start), int(base), int(speed), changed
        return self._start + timedelta(microseconds=(time.monotonic_ns() - self._base) * self._speed // 1000)


def now() -> datetime:
    """Return the simulated time; the real one to what keeps the queue, which compares it with the database's."""
    caller = sys._getframe(1)
    module = caller.f_globals.get("__name__", "")
    if module.startswith("django_q") or (module == "profitpeek.jobs.supervisor" and caller.f_code.co_name == "_free"):
        return datetime.now(UTC)
    return _clock.now()


_clock = Clock(Path(os.environ[VARIABLE])) if VARIABLE in os.environ else None  # type: ignore[assignment]


class Simulated(datetime):
    """A `datetime` whose `now` is the simulated one."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        """Return the simulated time."""
        return _clock.now()
