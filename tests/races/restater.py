"""Restate the goods' costs of a store over two connections, as a process of its own that a test may kill.

Run as `python -m tests.races.restater SLUG`, with DATABASE_URL and PROFITPEEK_VAR in the environment.
"""

import os
import sys

import django

CHUNK = 10


def main() -> None:
    """Restate by small chunks, telling how many orders are done as each is committed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from ledger.book import reposting
    from ledger.cause import Cause
    from ledger.kinds import CauseKind
    from ledger.models import Store

    reposting.SET_CHUNK, reposting.IN_ONE_LANE, reposting.LANES = CHUNK, 0, 2
    reposting.restate(
        Store.objects.get(slug=sys.argv[1]), cause=Cause(CauseKind.RULE, "costs:1"), progress=lambda done, whole: print(done, flush=True)  # noqa: T201
    )  # fmt: skip


if __name__ == "__main__":
    main()
