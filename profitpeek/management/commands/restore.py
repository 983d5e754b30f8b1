"""Read a backup into an empty database."""

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from profitpeek import dumps
from profitpeek.sealed import keys_fit


class Command(BaseCommand):
    """Check a dump, restore all of it or nothing, and bring its tables up to date."""

    help = "Restore a backup into an empty database. Stop the web server and the worker first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, and what to do with a database that is not empty."""
        parser.add_argument("file", type=Path, help="what `backup` wrote")
        parser.add_argument("--force", action="store_true", help="if the database is not empty, rename and keep it, and restore into a new one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, migrate, and say whether the keys fit."""
        try:
            dump = dumps.inspect(options["file"])
            dumps.check_restorable(dump)
            with ExitStack() as stack:
                former = ""
                if options["force"] and dumps.present_tables():
                    former = stack.enter_context(dumps.moved_aside(timezone.now()))
                dumps.restore(dump)
                call_command("migrate", interactive=False, verbosity=0)
        except dumps.DumpRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {dump.path}; its tables are up to date.")
        if former:
            self.stdout.write(f"The former database is kept as {former}. Drop it when nobody misses it: DROP DATABASE {former};")
        if not keys_fit():
            raise CommandError(
                "The database is restored, but FIELD_KEYS are not the ones its archives were sealed with, so these cannot be opened. "
                "Put the keys of the former installation (its var/secrets.env, or FILE.keys.env of `backup --with-keys`) into FIELD_KEYS."
            )
