"""Write a backup of the database."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from profitpeek import dumps, environment


class Command(BaseCommand):
    """Dump the database into one compressed file, which `restore` reads."""

    help = "Write a backup of the database, by default into var/backups. Pages and jobs may go on meanwhile."
    # Data must be rescuable from an installation that is otherwise broken.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where to write, and whether the keys go along."""
        parser.add_argument("--output", type=Path, help="the file to write (default: var/backups/profitpeek-TIME.dump)")
        parser.add_argument("--with-keys", action="store_true", help="write SECRET_KEY and FIELD_KEYS into a private file beside it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Dump, and say what the dump does not hold."""
        target = options["output"] or _default()
        keys = target.with_suffix(".keys.env")
        # Both before the long part: a backup whose keys could not be written would be taken for one that has them.
        for each in (target, *([keys] if options["with_keys"] else [])):
            if each.exists():
                raise CommandError(f"{each} exists already. Name another file.")
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            dumps.write(target)
        except dumps.DumpRefused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{target} cannot be written ({error.strerror}). Name another place with --output.") from error
        self.stdout.write(f"Wrote {target} ({target.stat().st_size:,} bytes).")
        self.stdout.write(f"Restore it into an empty database with: make restore FILE='{target}'")
        if options["with_keys"]:
            _write_keys(keys)
            self.stdout.write(f"Wrote {keys}. Whoever has both files can read everything: keep them apart.")
        else:
            kept = "var/secrets.env" if environment.is_local() else "your environment"
            self.stdout.write(
                self.style.WARNING(
                    f"The keys are NOT in it. Without FIELD_KEYS (in {kept}) its archives, second factors and credentials can never be opened "
                    "again: keep a copy elsewhere, or back up with --with-keys."
                )
            )


def _default() -> Path:
    return environment.var_dir() / "backups" / f"profitpeek-{timezone.now():%Y%m%dT%H%M%SZ}.dump"


def _write_keys(path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"SECRET_KEY={settings.SECRET_KEY}\nFIELD_KEYS={','.join(settings.FIELD_KEYS)}\n")
