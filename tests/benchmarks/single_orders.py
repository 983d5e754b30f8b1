"""Record single orders as webhooks would, one after the other, as a program of its own; print how long each took.

Run as `python -m tests.benchmarks.single_orders SLUG SIZE PAUSE`, with DATABASE_URL in the environment. It begins when it has
said so, and ends when its input is closed. New orders and changes of old ones take turns.
"""

import json
import os
import random
import select
import sys
import time

import django


def main() -> None:
    """Record until the input is closed, then print the seconds of each order as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from ledger.cause import Cause
    from ledger.kinds import CauseKind
    from ledger.models import Store
    from ledger.record import record
    from tests.benchmarks.business import catalogue, order

    slug, size, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    store, cause, variants, r = Store.objects.get(slug=slug), Cause(CauseKind.WEBHOOK, "bench"), catalogue(1), random.Random(7)
    walls: dict[str, list[float]] = {"new": [], "changed": []}
    print("begun", flush=True)  # noqa: T201  the parent waits for it
    number = 0
    while not select.select([sys.stdin], [], [], pause)[0]:
        number += 1
        new = number % 2 == 0
        which = size + number if new else r.randrange(size)
        fact = order(which, size, random.Random(f"1:{which}"), variants, 0 if new else 10_000 + number)
        start = time.perf_counter()
        record(store, [fact], cause=cause)
        walls["new" if new else "changed"].append(time.perf_counter() - start)
    print(json.dumps(walls))  # noqa: T201


if __name__ == "__main__":
    main()
