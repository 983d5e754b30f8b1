"""Serve ProfitPeek on this machine: prepare the database, then run the web server and the worker."""

import os
import socket
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from dashboards import first_account
from profitpeek import environment
from profitpeek.children import ChildEnded, run_for_ever, stoppable
from profitpeek.demo.fill import was_deleted
from profitpeek.management.commands.demo import EMAIL as DEMO_EMAIL

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PORTS_TO_TRY = 100
SANDBOX_PORT = 8100
SANDBOX = ("--days=730", "--orders-per-day=6")
"""The simulated shop beside a local installation: what its business is like."""
SHOP = "maple-and-finch.myshopify.com"


class Command(BaseCommand):
    """Run the whole product from one terminal until Ctrl-C."""

    help = "Run ProfitPeek on this machine until Ctrl-C; the first run makes a demo store."
    # `migrate` runs the checks itself, once the tables they may look at exist.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where to listen and whether to make the demo store."""
        parser.add_argument("--host", default=HOST, help=f"address to listen on (default {HOST})")
        parser.add_argument("--port", type=int, help=f"port (default: PORT, else the first free from {DEFAULT_PORT})")
        parser.add_argument("--no-demo", action="store_true", help="do not make the demo store on the first run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare and serve; being told to stop is the ordinary end."""
        with stoppable(), listen(options["host"], chosen_port(options["port"])) as listener:
            self._prepare(demo=not options["no_demo"])
            address = self._announce(*listener.getsockname()[:2])
            # For the web server and the worker: mailed links lead to the port that is served.
            variables = {"SITE_URL": os.environ.get("SITE_URL") or address}
            children = commands(listener)
            if environment.is_local() and not options["no_demo"]:
                port = sandbox_port()
                state = f"--state={environment.var_dir() / 'sandbox.json'}"
                children["sandbox"] = [sys.executable, str(environment.BASE_DIR / "manage.py"), "sandbox", f"--port={port}", state, *SANDBOX]
                variables["SANDBOX_SHOP"] = f"http://{HOST}:{port}/shops/{SHOP}"
            try:
                run_for_ever(children, tell=self.stderr.write, pass_fds=[listener.fileno()], variables=variables)
            except ChildEnded as error:
                raise CommandError(str(error)) from error

    def _prepare(self, *, demo: bool) -> None:
        """Bring the tables up to date and, where nobody but the demo has an account, complete the demo store."""
        call_command("migrate", interactive=False, verbosity=0)
        if not environment.is_local():
            call_command("collectstatic", interactive=False, verbosity=0)
        # Also after a first run that was broken off, which left an account and no orders.
        if demo and environment.is_local() and not get_user_model().objects.exclude(email=DEMO_EMAIL).exists() and not was_deleted():
            call_command("demo", background=True, stdout=self.stdout)

    def _announce(self, host: str, port: int) -> str:
        """Say where the product is and how to sign in; return its address."""
        # Browsers give passkeys to localhost, not to the number that stands for it.
        host = "localhost" if host == HOST else f"[{host}]" if ":" in host else host
        # In production a proxy stands in front, and this port answers with a redirect to it.
        address = f"http://{host}:{port}" if environment.is_local() else settings.SITE_URL.rstrip("/")
        self.stdout.write(f"\nProfitPeek is at {address}/" + ("" if environment.is_local() else f" and listens on {host} port {port}."))
        login = environment.var_dir() / "demo-login"
        if login.exists():
            email, password = login.read_text().splitlines()[:2]
            person = get_user_model().objects.filter(email=email).first()
            if person is not None and person.check_password(password):
                self.stdout.write(f"Sign in as {email} with the password {password}")
            elif person is not None:
                self.stdout.write(f"Sign in as {email} with the password it was given since; forgotten: manage.py changepassword {email}")
        if first_account.is_missing():
            path = reverse("first_account", args=[first_account.issue(now=timezone.now())])
            self.stdout.write(f"Nobody runs this installation yet. Make the first account here, once, within a day:\n  {address}{path}")
        self.stdout.write("Ctrl-C stops it.\n")
        self.stdout.flush()
        return address


def chosen_port(option: int | None) -> int | None:
    """Return the port somebody asked for, on the command line or by PORT."""
    if option is not None:
        return option
    text = os.environ.get("PORT", "")
    if text and not text.isdecimal():
        raise CommandError(f"PORT is {text!r}, which is not a port. Set it to a number such as {DEFAULT_PORT}.")
    return int(text) if text else None


def listen(host: str, wanted: int | None) -> socket.socket:
    """Open the listening socket here, so that the announced port is the one that is served."""
    ports = range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY) if wanted is None else [wanted]
    problem = ""
    for port in ports:
        try:
            return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OverflowError as error:
            problem = str(error)
        except OSError as error:
            # Its own text repeats the address, which the message has already.
            problem = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    raise CommandError(
        f"Cannot listen on {host} port {ports[0]} ({problem}). Stop the program that uses the port, "
        "or choose another one with --port or PORT; without either the first free port is taken."
    )


def sandbox_port() -> int:
    """Return the port of the simulated shop: the same at every start, since a connection keeps its address; another where that is taken."""
    note = environment.var_dir() / "sandbox-port"
    noted = note.read_text().strip() if note.exists() else ""
    ports = [int(noted)] if noted.isdecimal() else []
    for port in ports + list(range(SANDBOX_PORT, SANDBOX_PORT + PORTS_TO_TRY)):
        with suppress(OSError), socket.create_server((HOST, port)):
            note.write_text(f"{port}\n")
            return port
    raise CommandError(f"No port from {SANDBOX_PORT} on is free for the simulated shop. Start with --no-demo to do without it.")


def commands(listener: socket.socket) -> dict[str, list[str]]:
    """Name the processes that make up the product."""
    server = [sys.executable, "-m", "gunicorn", "--config", "python:profitpeek.web_server", "profitpeek.wsgi:application"]
    server += ["--bind", f"fd://{listener.fileno()}", "--graceful-timeout", "10"]
    return {"web server": server, "worker": [sys.executable, str(environment.BASE_DIR / "manage.py"), "worker"]}
