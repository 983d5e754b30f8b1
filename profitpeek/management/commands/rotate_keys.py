"""Seal everything anew with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from profitpeek.sealed import reseal_all


class Command(BaseCommand):
    """Seal archives, secrets and documents under the newest of FIELD_KEYS."""

    help = "Seal everything that is sealed under the newest of FIELD_KEYS. May run while people work, and be cut and begun again."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, and say which keys are still needed."""
        done = reseal_all(tell=lambda table, rows: self.stdout.write(f"{table}: {rows:,}", ending="\r"))
        self.stdout.write(f"\nSealed anew: {done.anew:,}. Sealed with the newest key before: {done.before:,}.")
        if done.lost:
            raise CommandError(
                f"{done.lost:,} values are opened by none of FIELD_KEYS and stayed as they are. Put the key they were sealed with back into the list "
                "and run this again."
            )
        self.stdout.write("FIELD_KEYS still needs the first key, and the last, which tells returning customers from new ones; those between may go.")
