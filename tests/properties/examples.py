"""How many random examples a property is tried with: few by default, many when asked for."""

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = int(os.environ.get("EXAMPLES", "1"))
"""`EXAMPLES=10 make test ARGS=tests/properties` tries ten times as many."""


def some(examples: int) -> settings:
    """Return the settings of a property that is tried with so many examples, each a history on a database that takes a while."""
    return settings(
        max_examples=examples * TIMES, phases=[Phase.reuse, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
