"""Open a store with its book, and give it an owner who can sign in."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from ledger.management.store_command import StoreCommand
from ledger.models import Store
from ledger.people import Role, set_role
from ledger.stores import StoreRefused, open_store


class Command(StoreCommand):
    """Opens a store."""

    help = "Open a store with its book. With --owner, the person may sign in and manage it; a new account's password is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        self.add_store_arguments(parser)
        parser.add_argument("--name", required=True, help="the store's name as pages show it")
        parser.add_argument("--currency", required=True, help="the book's ISO 4217 currency, such as EUR; it can never change")
        parser.add_argument("--timezone", required=True, help="the IANA time zone that decides what day a sale falls on, such as Europe/London")
        parser.add_argument("--owner", help="e-mail of the owner; found, or made with a random password")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open the store and its owner's membership together, or nothing."""
        slug, owner = options["slug"], options["owner"]
        if Store.objects.filter(slug=slug).exists():
            raise CommandError(f"There already is a store “{slug}”.")
        password = None
        try:
            with transaction.atomic():
                store = open_store(slug=slug, name=options["name"], currency=options["currency"], zone=options["timezone"])
                if owner:
                    password = _make_owner(store, owner)
        except StoreRefused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = {"store": slug, "name": store.name, "currency": store.currency, "timezone": options["timezone"]}
            self.print_json(told | {"owner": owner, "password": password})
            return
        self.stdout.write(f"Opened {store.name} ({slug}) in {store.currency}, {options['timezone']}.")
        if owner:
            self.stdout.write(f"Owner: {owner}")
        if password:
            self.stdout.write(f"Password, shown only now: {password}")


def _make_owner(store: Store, email: str) -> str | None:
    """Make a person the store's owner and return the password when the account is new."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"“{email}” is no e-mail address.") from error
    people: Any = get_user_model()._default_manager
    user: User | None = people.filter(Q(username__iexact=email) | Q(email__iexact=email)).first()
    password = None
    if user is None:
        password = secrets.token_urlsafe(12)
        user = people.create_user(username=email, email=email, password=password)
    set_role(store, user, Role.OWNER)
    return password
