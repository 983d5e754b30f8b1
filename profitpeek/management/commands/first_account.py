"""Print the link that makes the first account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from dashboards import first_account


class Command(BaseCommand):
    """Make a one-time link while nobody runs the installation."""

    help = "Print a link, good once and for a day, to make the first account. It runs the installation; after it sign-up is closed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where the pages are."""
        parser.add_argument("--url", default=settings.SITE_URL, help=f"where the pages are (default: SITE_URL, {settings.SITE_URL})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link, or refuse when somebody runs the installation already."""
        if not first_account.is_missing():
            raise CommandError("The first account has been made already. Everybody else is invited by the owner of a store, on its page People.")
        path = reverse("first_account", args=[first_account.issue(now=timezone.now())])
        self.stdout.write(f"{options['url'].rstrip('/')}{path}")
