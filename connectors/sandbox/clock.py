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
        self._start = self._wall = start or datetime.now(UTC)
        self._began = self._wall_began = time.monotonic_ns()
        self.speed, self.still = speed, still

    def now(self) -> datetime:
        """Return the world's time."""
        with self._lock:
            return self._start + self._since(self._began) * self.speed

    def wall(self) -> datetime:
        """Return what a clock on the wall shows."""
        with self._lock:
            return self._wall + self._since(self._wall_began)

    def advance(self, seconds: int) -> None:
        """Let seconds pass at once."""
        with self._lock:
            self._start += timedelta(seconds=seconds)
            self._wall += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Set the world's time; the wall's goes with it."""
        with self._lock:
            self._start = self._wall = moment
            self._began = self._wall_began = time.monotonic_ns()

    def run(self, speed: int) -> None:
        """Go on from the world's time as it is, at another speed; a clock on the wall goes on as before."""
        with self._lock:
            self._start += self._since(self._began) * self.speed
            self._wall += self._since(self._wall_began)
            self._began = self._wall_began = time.monotonic_ns()
            self.speed, self.still = speed, False

    def _since(self, began: int) -> timedelta:
        return timedelta() if self.still else timedelta(microseconds=(time.monotonic_ns() - began) // 1000)
