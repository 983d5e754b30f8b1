"""Serve the sandbox's Shopify on this machine, for developers and demos."""

import gc
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.serving import PORT, StateUnusable, open_shop
from connectors.sandbox.shopify_shop import Shop


class Command(BaseCommand):
    """Serve one simulated shop until Ctrl-C."""

    help = "Serve a simulated shop that speaks Shopify's own protocol, until Ctrl-C. It needs no database and no network."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the shop."""
        parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on (default {PORT}; 0 takes a free one)")
        parser.add_argument("--seed", type=int, default=1, help="another number makes another business (default 1)")
        parser.add_argument("--days", type=int, default=365, help="days the business has lived (default 365)")
        parser.add_argument("--orders-per-day", type=int, default=20, help="about how many orders it gets a day (default 20)")
        parser.add_argument("--scenario", default="quiet", choices=sorted(SCENARIOS), help="what happens unusually often")
        parser.add_argument("--speed", type=int, default=1, help="how many times as fast as real time the business lives (default 1)")
        parser.add_argument("--redirect", action="append", default=[], metavar="URL", help="where consent may lead back to, besides this machine")
        parser.add_argument("--compliance", metavar="URL", help="where requests about people's data are delivered, as an app sets it at Shopify")
        parser.add_argument("--state", type=Path, metavar="FILE", help="keep the shop and what it granted in this file over a restart")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; Ctrl-C, or being told to stop, is the ordinary end."""
        if options["days"] < 1 or options["orders_per_day"] < 1 or options["speed"] < 0:
            raise CommandError("A business lives at least one day with one order, and its time never runs backwards.")
        try:
            sandbox, shop = open_shop(
                port=options["port"], seed=options["seed"], days=options["days"], orders_per_day=options["orders_per_day"],
                scenario=options["scenario"], speed=options["speed"], redirects=tuple(options["redirect"]), state=options["state"],
            )  # fmt: skip
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be listened on: {error.strerror}. Name another with --port.") from error
        except StateUnusable as error:
            raise CommandError(str(error)) from error
        try:
            if options["compliance"]:
                shop.bell.set_compliance(options["compliance"])
            shop.view(shop.asking(frozenset()))  # it lives through its business before anybody waits for an answer
            shop.courier.start()
            gc.freeze()
            self._announce(sandbox.address, shop)
            _wait_to_be_stopped()
        finally:
            sandbox.close()

    def _announce(self, address: str, shop: Shop) -> None:
        """Say where the shop is and how to get in."""
        app = shop.tokens.app
        self.stdout.write(
            f"\nThe sandbox is at {address}/sandbox/\n"
            f"  Shop           {shop.domain}\n"
            f"  Address        {shop.base_url}\n"
            f"  Client ID      {app.client_id}\n"
            f"  Client secret  {app.client_secret}\n\n"
            f"Place orders there: {shop.base_url}/counter\n\n"
            f"Connect a store: manage.py connect SLUG shopify --account {shop.domain} --base-url {shop.base_url} \\\n"
            f"  --client-id {app.client_id} --client-secret {app.client_secret}\n\n"
            "Ctrl-C stops it.\n"
        )
        self.stdout.flush()


def _wait_to_be_stopped() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
