"""Keep the points that an app may spend in a shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class Bucket:
    """The points an app may still spend in a shop."""

    restore: int
    at: datetime
    available: int = 0
    """In thousandths of a point."""

    @property
    def most(self) -> int:
        """Return how many points the bucket holds."""
        return self.restore * 20

    def fill(self, now: datetime) -> None:
        """Restore what has come back since the last time."""
        passed = max(0, (now - self.at) // timedelta(milliseconds=1))
        self.available, self.at = min(self.most * 1000, self.available + passed * self.restore), now

    def take(self, points: int) -> bool:
        """Take points, unless there are too few."""
        if self.available < points * 1000:
            return False
        self.available -= points * 1000
        return True

    def give_back(self, points: int) -> None:
        """Return points that were asked for and not used."""
        self.available = min(self.most * 1000, self.available + points * 1000)
