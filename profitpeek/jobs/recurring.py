"""Submit recurring jobs when they are due, once each, whoever looks and however late."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from profitpeek.jobs import kinds, queue
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.models import Recurrence

log = structlog.get_logger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """A job that comes again: every so often, or once each day at a wall-clock time of a zone."""

    name: str
    kind: Kind
    every: timedelta | None = None
    at: time | None = None
    zone: str = "UTC"
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an entry that says neither or both."""
        if (self.every is None) == (self.at is None):
            raise ValueError(f"The recurring job {self.name} needs either `every` or `at`.")

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after a moment, in UTC.

        A wall-clock time comes once on every day: on the night it comes twice, the first time counts; on the
        night it is left out, it comes 24 hours after the day before's (02:30 is then 03:30).
        """
        if self.every is not None:
            return EPOCH + ((moment - EPOCH) // self.every + 1) * self.every
        zone = ZoneInfo(self.zone)
        day = moment.astimezone(zone).date() - timedelta(days=1)
        while (found := datetime.combine(day, self.at or time(), tzinfo=zone).astimezone(UTC)) <= moment:
            day += timedelta(days=1)
        return found


def tick(now: datetime) -> list[str]:
    """Submit what is due at `now` and return its names. What was missed for long comes once, not once for each time."""
    due = []
    for entry in kinds.recurring():
        try:
            if _tick(entry, now):
                due.append(entry.name)
        except (OperationalError, InterfaceError):
            # The database is away: that is about no entry, and whoever ticks knows what to do.
            raise
        except Exception:
            # One entry that cannot be submitted must not keep back the others.
            log.exception("recurring.failed", name=entry.name)
    return due


def _tick(entry: Recurring, now: datetime) -> bool:
    following = entry.next_after(now)
    first = now if entry.every is not None else following
    with transaction.atomic():
        row, _ = Recurrence.objects.get_or_create(name=entry.name, defaults={"next_at": first})
        if now < row.next_at <= following:
            return False
        row = Recurrence.objects.select_for_update().get(pk=row.pk)
        due = row.next_at <= now
        if row.next_at != following:
            row.next_at = following
            row.save(update_fields=["next_at"])
        if due:
            queue.submit(entry.kind, entry.parameters, key=f"recurring:{entry.name}", subject=entry.name, actor="schedule")
    return due


def tick_now() -> None:
    """Submit what is due now; django-q2's one schedule calls this every minute, the supervisor more often."""
    tick(timezone.now())
