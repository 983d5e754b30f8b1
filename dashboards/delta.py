"""Compare a figure with another one: the change as an amount and in per cent, and whether it is for the better."""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

ZERO = Decimal(0)


class Good(IntEnum):
    """Say which way a figure should go."""

    MORE = 1
    LESS = -1
    NEITHER = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A figure now and before, in one unit; either is None when it is not known.

    `good` is about the signed figure: more is better for revenue and profit, and for costs written as negative amounts; less is
    better for costs written as positive ones. `kind` is money, count or percent, as the figure is written.
    """

    now: Decimal | None
    before: Decimal | None
    good: Good = Good.MORE
    kind: str = "money"

    @property
    def change(self) -> Decimal | None:
        """Return how much more it is now, in the figure's own unit; None when either is unknown."""
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def share(self) -> Decimal | None:
        """Return the change as a share of the figure before; None where that says nothing.

        It says nothing of a base of zero, of one that changed its sign, and of a figure that is a percentage itself.
        """
        if self.kind == "percent" or self.now is None or self.before is None or not self.before or self.now * self.before < 0:
            return None
        return (self.now - self.before) / self.before

    @property
    def why_no_share(self) -> str:
        """Say why there is no percentage; empty when there is one, or nothing to compare."""
        if self.change is None or self.share is not None or self.kind == "percent":
            return ""
        return "it was zero before" if not self.before else "it changed its sign"

    @property
    def direction(self) -> str:
        """Say which way its size went: up, down or same; of a figure that changed its sign, which way it went itself."""
        if self.now is None or self.before is None or self.now == self.before:
            return "same"
        grew = abs(self.now) > abs(self.before) if self.now * self.before >= 0 else self.now > self.before
        return "up" if grew else "down"

    @property
    def verdict(self) -> str:
        """Say in a word whether that is better or worse; empty where it is neither."""
        change = self.change
        if not change or self.good == Good.NEITHER:
            return ""
        return "better" if change * self.good > ZERO else "worse"
