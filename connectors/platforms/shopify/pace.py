"""Keep within Shopify's budget of points: each answer tells what is left of it, and how fast it fills again."""

import msgspec
from msgspec import Struct

from connectors.platforms.shopify.queries import points
from connectors.spec import Budget, Request, Response


class _Status(Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class _Cost(Struct, rename="camel"):
    throttle_status: _Status


class _Extensions(Struct):
    cost: _Cost | None = None


class _Answer(Struct):
    extensions: _Extensions | None = None


_decoder = msgspec.json.Decoder(_Answer)


class PointsPace:
    """Wait for the points that a query is short of, no longer."""

    def budget(self, response: Response) -> Budget | None:
        """Return the points left, restored and held at most, as the answer tells them; None where it tells none."""
        try:
            told = _decoder.decode(response.content).extensions
        except msgspec.MsgspecError:
            return None
        if told is None or told.cost is None:
            return None
        status = told.cost.throttle_status
        return Budget(left=status.currently_available, restored_per_second=status.restore_rate, most=status.maximum_available)

    def wait(self, request: Request, budget: Budget | None) -> float:
        """Return the seconds until there are points enough for a query, reckoned from when the budget was told."""
        document = (request.body or {}).get("query")
        if budget is None or not isinstance(document, str) or budget.restored_per_second <= 0:
            return 0.0
        missing = min(points(document, request.size), budget.most) - budget.left
        return max(0.0, missing / budget.restored_per_second)
