"""Hold what a benchmarked queue runs."""


def nothing() -> None:
    """Do nothing, so that only the queue's own work is measured."""
