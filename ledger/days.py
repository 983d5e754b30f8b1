"""Count days and moments the way PostgreSQL's binary protocol does, for the hot paths.

A day number is whole days since 2000-01-01; a moment is whole microseconds since 2000-01-01 00:00 UTC.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_EPOCH_ORDINAL = date(2000, 1, 1).toordinal()
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

ALWAYS = -(10**6)
"""The day number that stands in for the missing first day of a span."""
FOREVER = 10**6
"""The day number that stands in for its missing last day."""


@lru_cache(maxsize=16_384)
def day_number(day: date) -> int:
    """Return the day's number, whole days since 2000-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


@lru_cache(maxsize=16_384)
def day_of(number: int) -> date:
    """Return the calendar day of a day number."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


def day_span(first: date | None, last: date | None) -> tuple[int, int]:
    """Return the day numbers of a span's first and last day, ALWAYS and FOREVER where it has none."""
    return ALWAYS if first is None else day_number(first), FOREVER if last is None else day_number(last)


def moment(at: datetime) -> int:
    """Return an aware time as microseconds since 2000-01-01 00:00 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """Return the aware UTC time of a moment."""
    return _EPOCH + timedelta(microseconds=microseconds)
