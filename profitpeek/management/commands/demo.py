"""Open the demo store and fill it, in the foreground or by the worker."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from ledger.models import Store
from ledger.people import Role, set_role
from profitpeek import environment
from profitpeek.demo.fill import fill, is_filled, open_demo
from profitpeek.demo.tasks import submit_demo

EMAIL = "demo@example.com"


class Command(BaseCommand):
    """Make the demo store once; a second call changes nothing."""

    help = "Open the demo store (an invented pottery shop) and its sign-in, and fill it with two years that end yesterday."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare how it is filled."""
        parser.add_argument("--background", action="store_true", help="have the worker fill it, with progress on the page /stores/demo")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open what is missing and fill it, or go on where an earlier call was cut."""
        store = open_demo()
        self._sign_in(store)
        if is_filled(store):
            return
        if options["background"]:
            submit_demo(actor=EMAIL)
            self.stdout.write("The demo store is being filled in the background; that takes about a minute.")
        else:
            self.stdout.write("Making the demo store: two years of an invented pottery shop ...")
            self.stdout.flush()
            fill(store, now=timezone.now())

    def _sign_in(self, store: Store) -> None:
        """Make the demo's owner and keep the password where `make run` can print it again."""
        login = environment.var_dir() / "demo-login"
        users = get_user_model()
        if users.objects.filter(email=EMAIL).exists() and login.exists():
            return
        password = secrets.token_urlsafe(12)
        with transaction.atomic():
            user, _ = users.objects.get_or_create(email=EMAIL, defaults={"username": EMAIL})
            user.set_password(password)
            user.save()
            set_role(store, user, Role.OWNER)
        login.touch(mode=0o600)
        login.write_text(f"{EMAIL}\n{password}\n", encoding="utf-8")
