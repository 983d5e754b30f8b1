"""How many random examples a property is tried with: few and always the same by default, many and new ones when asked for."""

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = int(os.environ.get("EXAMPLES", "0"))
"""`EXAMPLES=10 make test ARGS=tests/properties` tries ten times as many, others each time."""

# A suite that judges a change must not fail over an example that nobody's change brought; looking for new ones is a run of its own.
settings.register_profile("the same each time", derandomize=not TIMES, max_examples=100 * max(TIMES, 1))
settings.load_profile("the same each time")


def some(examples: int) -> settings:
    """Return the settings of a property that is tried with so many examples, each a history on a database that takes a while."""
    return settings(
        max_examples=examples * max(TIMES, 1), phases=[Phase.reuse, Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
