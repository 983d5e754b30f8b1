"""Connect a store to an account of a platform with a key, from the command line."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors import registry
from connectors.connections import check_account, missing_scopes
from connectors.faults import Fault
from connectors.oauth import connect_with_key
from connectors.reading import sync_tasks
from connectors.spec import Connector, Key
from connectors.webhooks.tasks import submit_subscriptions
from ledger.people import kept_stores

ACTOR = "command line"
STDIN = "-"
GIVEN = ("token", "client_id", "client_secret")


class Command(BaseCommand):
    """Connect an account; what it may read is read by the worker from then on."""

    help = "Connect a store to an account with a token, or with a client id and its secret. Consent on the platform's own page: on the store's page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the store")
        parser.add_argument("platform", choices=sorted(registry.CONNECTORS), help="the platform")
        parser.add_argument("--account", required=True, metavar="REF", help="the account, such as a shop's domain")
        parser.add_argument("--token", help=f"an access token; {STDIN} reads it from standard input, which nobody else sees")
        parser.add_argument("--client-id", help="the client id of an app of one's own")
        parser.add_argument("--client-secret", help=f"its secret; {STDIN} reads it from standard input")
        parser.add_argument("--base-url", default="", help="a sandbox's address, where SANDBOX_HOSTS allows it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Connect, and say as what the platform answers."""
        store = kept_stores().filter(slug=options["slug"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['slug']}”. Open it with create_store.")
        connector = registry.find(options["platform"])
        given = {name: sys.stdin.readline().strip() if options[name] == STDIN else options[name] for name in GIVEN if options[name]}
        key, told = _way_in(connector, given)
        try:
            account = check_account(connector, options["account"])
            row = connect_with_key(store, connector, key, account=account, foreign=options["base_url"], told=told, actor=ACTOR, now=timezone.now())
        except Fault as fault:
            raise CommandError(fault.reason) from fault
        sync_tasks.submit_connected(row, actor=ACTOR)
        submit_subscriptions(row, actor=ACTOR)
        self.stdout.write(f"{store.name} is connected to {row.label} ({row.account_ref}), which sells in {row.currency} and lives in {row.zone}.")
        if missing := missing_scopes(row):
            self.stdout.write(f"Not granted, so not read: {', '.join(missing)}.")
        self.stdout.write(f"The worker reads it from now on; at once and in the foreground: manage.py sync {store.slug}")


def _way_in(connector: Connector, given: dict[str, str]) -> tuple[Key, dict[str, str]]:
    """Return the key that what was given is for, and the same under the key's own names: a token is all that some keys want."""
    for key in connector.keys:
        if given.keys() == {"token"} and len(key.settings) == 1:
            return key, {key.settings[0].name: given["token"]}
        if {setting.name for setting in key.settings if not setting.optional} <= given.keys() <= {setting.name for setting in key.settings}:
            return key, given
    ways = "; or ".join("--token" if len(key.settings) == 1 else "--client-id and --client-secret" for key in connector.keys)
    raise CommandError(f"To connect {connector.label}, give {ways}.")
