"""Keep the sandbox's time, which tests set and demos let run."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tell the time of the simulated world.

    `now` is the world's own time and runs `speed` times as fast as real time. `wall` is the same clock at real speed: what
    tokens, rate limits and signatures are reckoned by, so that a fast world does not make them unusable. A still clock
    moves only when told to. All moments are aware UTC.
    """

    def __init__(self, start: datetime | None = None, *, speed: int = 1, still: bool = False) -> None:
        self._lock = threading.Lock()
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()
        self.speed, self.still = speed, still

    def now(self) -> datetime:
        """Return the world's time."""
        return self._start + self._elapsed() * self.speed

    def wall(self) -> datetime:
        """Return what a clock on the wall shows."""
        return self._start + self._elapsed()

    def advance(self, seconds: int) -> None:
        """Let seconds pass at once."""
        with self._lock:
            self._start += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Set the world's time; the wall's goes with it."""
        with self._lock:
            self._start, self._began = moment, time.monotonic()

    def run(self, speed: int) -> None:
        """Go on from the world's time as it is, at another speed."""
        now = self.now()
        with self._lock:
            self._start, self._began, self.speed, self.still = now, time.monotonic(), speed, False

    def _elapsed(self) -> timedelta:
        return timedelta() if self.still else timedelta(microseconds=round((time.monotonic() - self._began) * 1_000_000))
