"""Read a backup into an empty database."""

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from connectors.models import FilePiece, RawPayload
from ledger.models import CostDocument
from ledger.sealing import Unsealable, unseal
from profitpeek import dumps


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


def keys_fit() -> bool:
    """Tell whether what is sealed can be opened; where nothing is, any key will do."""
    payloads = RawPayload.objects.order_by("pk").values_list("body", flat=True)
    # The oldest as well: FIELD_KEYS may have the newest key only.
    others = [model._default_manager.order_by("pk").values_list("body", flat=True).first() for model in (FilePiece, CostDocument)]
    sealed = [payloads.first(), payloads.last(), *others]
    try:
        for body in sealed:
            if body is not None:
                unseal(bytes(body))
        for factor in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
            # An authenticator app's secret, and the seed of recovery codes; passkeys hold nothing secret.
            if (text := factor.data.get("secret") or factor.data.get("seed")) is not None:
                unseal(text.encode())
                break
    except Unsealable:
        return False
    return True
