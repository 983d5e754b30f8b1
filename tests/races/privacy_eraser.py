"""Erase the person whose request waits, as a process of its own that a test may kill.

Run as `python -m tests.races.privacy_eraser CASE`, with DATABASE_URL and PROFITPEEK_VAR in the environment.
"""

import os
import sys

import django


def main() -> None:
    """Go through one row a transaction, telling how many transactions there were as each is about to be committed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    from django.utils import timezone

    from connectors.models import PrivacyCase
    from connectors.privacy import cutting
    from connectors.privacy.doing import do

    done = 0

    def told() -> None:
        nonlocal done
        done += 1
        print(done, flush=True)  # noqa: T201

    cutting.AT_ONCE = 1
    case = PrivacyCase.objects.select_related("store", "connection").get(pk=int(sys.argv[1]))
    do(case, now=timezone.now(), progress=lambda step, number, whole: None, guard=told)


if __name__ == "__main__":
    main()
