"""Write moments as whole seconds, as indexes of a business keep them."""

from datetime import UTC, datetime


def seconds(moment: datetime) -> int:
    """Return a moment as whole seconds."""
    return int(moment.timestamp())


def moment(of: int) -> datetime:
    """Return whole seconds as a moment."""
    return datetime.fromtimestamp(of, UTC)
