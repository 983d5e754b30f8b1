"""Draw the course of a figure as a line without axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

SPARK_WIDTH, SPARK_HEIGHT = 100, 30


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line without axes in a box of 100 by 30: its path and, when it crosses zero, the height of zero."""

    path: str
    zero: float | None


def sparkline(values: Sequence[Decimal | None]) -> Sparkline | None:
    """Draw values as a path, broken where one is missing; None for fewer than two, which make no line."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top, bottom = max(known), min(known)
    height = float(top - bottom) or 1.0

    def y(value: Decimal) -> float:
        return round(SPARK_HEIGHT * (1 - float(value - bottom) / height), 1)

    steps, pen = [], "M"
    for place, value in enumerate(values):
        if value is not None:
            steps.append(f"{pen}{round(SPARK_WIDTH * place / (len(values) - 1), 1)} {y(value)}")
        pen = "M" if value is None else "L"
    return Sparkline("".join(steps), y(Decimal(0)) if bottom < 0 < top else None)
