"""Wait before requests so that a platform need not refuse them."""

from connectors.spec import Budget, Request, Response


class Unpaced:
    """Never wait: for platforms that tell no budget; their refusals say how long."""

    def budget(self, response: Response) -> Budget | None:
        """Return None."""
        return None

    def wait(self, request: Request, budget: Budget | None) -> float:
        """Return 0."""
        return 0.0
