"""Open the demo store and fill it from its file."""

import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from connectors.order_line_imports import import_order_lines
from connectors.platforms.files.template import load
from ledger.models import Store
from ledger.people import Role, set_role
from ledger.stores import open_store
from profitpeek import demo, environment

SLUG = "demo"
EMAIL = "demo@example.com"
FILE = Path(demo.__file__).parent / "order-lines.csv"


class Command(BaseCommand):
    """Make the demo store once; a second call changes nothing."""

    help = "Open the demo store (an invented pottery shop), its sign-in, and import its orders."

    def handle(self, *args: Any, **options: Any) -> None:
        """Open what is missing and import the file; importing it again changes nothing."""
        store = Store.objects.filter(slug=SLUG).first()
        if store is None:
            store = open_store(slug=SLUG, name="Demo: Harbour Pottery", currency="EUR", zone="Europe/Dublin", is_demo=True)
        self._sign_in(store)
        if not store.file_imports.exclude(state="running").exists():
            self.stdout.write("Making the demo store ...")
            self.stdout.flush()
            import_order_lines(store, FILE, load("generic-order-lines"), now=timezone.now(), actor="demo")

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
