"""Delete a store that was asked to be deleted, as a process of its own that a test may kill.

Run as `python -m tests.races.eraser SLUG`, with DATABASE_URL and PROFITPEEK_VAR in the environment.
"""

import os
import sys

import django

CHUNK = 20


def main() -> None:
    """Delete by small chunks, telling how many rows are gone as each is committed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from ledger.erasure import erasing
    from ledger.models import Erasure

    def told(step: str, done: int, whole: int) -> None:
        print(done, flush=True)  # noqa: T201

    erasing.CHUNK = CHUNK
    erasing.erase(Erasure.objects.get(slug=sys.argv[1]), progress=told, guard=lambda: None)


if __name__ == "__main__":
    main()
