"""Load exchange rates from the command line."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors import ecb
from ledger import rates
from ledger.rates import RateRefused


class Command(BaseCommand):
    """Load the European Central Bank's rates; exit with 0 only when all of them could be read."""

    help = "Load the European Central Bank's exchange rates: the packaged history, then the newest days by HTTP."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--packaged-only", action="store_true", help="load the packaged history and use no network")
        parser.add_argument("--json", action="store_true", help="print added, newest_day and error as JSON")

    def handle(self, *args: Any, packaged_only: bool, json: bool, **options: Any) -> None:
        """Load, print what was added, and fail when something could not be read."""
        done = _load_packaged() if packaged_only else ecb.refresh(timezone.now())
        self.stdout.write(_as_json(done) if json else _as_text(done))
        if done.error:
            raise CommandError(f"Rates may be missing: {done.error}")


def _load_packaged() -> ecb.Refresh:
    added, problem = 0, None
    try:
        added = ecb.load_packaged()
    except (ecb.RatesUnavailable, RateRefused) as error:
        problem = str(error)
    return ecb.Refresh(added=added, newest_day=rates.newest_day(), error=problem)


def _as_json(done: ecb.Refresh) -> str:
    return json.dumps({"added": done.added, "newest_day": done.newest_day and done.newest_day.isoformat(), "error": done.error})


def _as_text(done: ecb.Refresh) -> str:
    newest = f"the newest is of {done.newest_day}" if done.newest_day else "the table is empty"
    return f"{done.added:,} exchange rates added; {newest}."
