"""Read a store's connections, in the foreground."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors.faults import Fault, NeedsReauth, RetryLater
from connectors.files.kind import Progress, untold
from connectors.models import Connection
from connectors.reading import runs
from connectors.reading.replaying import replay
from connectors.reading.runs import Busy, RunLost
from connectors.reading.sync import Outcome, read
from connectors.registry import UnknownPlatform, find
from connectors.spec import Stream
from ledger.people import kept_stores

PAUSE = 5.0
"""Seconds before another try where the platform names none."""


class Command(BaseCommand):
    """Reads streams until all is read."""

    help = "Read a store's connections until they are up to date. Exit status 0: all is read; 1: something is not, and its line says why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the store")
        parser.add_argument("--platform", help="only connections of this platform")
        parser.add_argument("--stream", help="only this stream")
        parser.add_argument("--full", action="store_true", help="read all of the past again; what is known already changes nothing")
        parser.add_argument("--replay", action="store_true", help="try parked records again first")
        parser.add_argument("--wait", type=int, default=900, help="seconds to wait in all where a platform asks for patience; 900 by default")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read stream after stream."""
        store = kept_stores().filter(slug=options["slug"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['slug']}”. Open it with create_store.")
        connections = Connection.objects.filter(store=store).exclude(status=Connection.Status.DISCONNECTED).select_related("store").order_by("pk")
        if options["platform"]:
            connections = connections.filter(platform=options["platform"])
        if not connections:
            raise CommandError(f"{store.name} is connected to no account{' of ' + options['platform'] if options['platform'] else ''}.")
        failed = 0
        try:
            for connection in connections:
                failed += self._connection(connection, options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What was read stays; the next run goes on from there.") from None
        if failed:
            raise CommandError(f"{failed} stream{'s are' if failed > 1 else ' is'} not up to date.")

    def _connection(self, connection: Connection, options: dict[str, Any]) -> int:
        """Read the streams of a connection and return how many are not up to date."""
        name = connection.label or connection.account_ref
        try:
            streams = find(connection.platform).streams
        except UnknownPlatform as error:
            raise CommandError(str(error)) from error
        wanted = [stream for stream in streams if options["stream"] in (None, stream.name)]
        if not wanted:
            raise CommandError(f"{connection.platform} has no stream “{options['stream']}”; it has {', '.join(each.name for each in streams)}.")
        failed = 0
        if options["replay"]:
            failed += self._replay(connection, name)
        for place, stream in enumerate(wanted):
            try:
                self._stream(connection, stream, name, options)
            except NeedsReauth as fault:
                self.stderr.write(f"{name}: {fault.reason}")
                return failed + len(wanted) - place
            except (Fault, Busy, RunLost) as fault:
                failed += 1
                self.stderr.write(f"{name}, {stream.label}: {fault}")
        return failed

    def _replay(self, connection: Connection, name: str) -> int:
        """Try parked records again; return 1 when that has to wait."""
        try:
            done = replay(connection, now=timezone.now())
        except (Busy, RunLost, RetryLater) as fault:
            self.stderr.write(f"{name}, parked records: {fault}")
            return 1
        self.stdout.write(f"{name}, parked records: {done.understood:,} understood, {done.left:,} left")
        return 0

    def _stream(self, connection: Connection, stream: Stream, name: str, options: dict[str, Any]) -> None:
        """Read a stream to its end, and say what that did; raise the fault that it ended with."""
        if options["full"] and stream.cursor is not None:
            runs.read_again(connection, stream.name)
        started = time.monotonic()
        done = list(self._runs(connection, stream, patience=options["wait"], past=True)) if options["full"] else []
        done += self._runs(connection, stream, patience=options["wait"])
        read_in_all, changed, parked = (sum(each[at] for each in done) for at in (1, 2, 3))
        parts = [f"{read_in_all:,} read", f"{changed:,} changed", *([f"{parked:,} parked"] if parked else [])]
        self.stdout.write(f"{name}, {stream.label}: {', '.join(parts)}; up to date in {time.monotonic() - started:.1f} s")

    def _runs(self, connection: Connection, stream: Stream, *, patience: float, past: bool = False) -> Iterator[Outcome]:
        """Run after run until all is read, waiting where the platform asks for it, but not longer than `patience` in all."""
        while True:
            try:
                outcome = read(connection, stream, now=timezone.now(), progress=self._progress(), past=past)
            except (Busy, RetryLater) as fault:
                wait = fault.after or PAUSE
                patience -= wait
                if patience < 0:
                    raise
                time.sleep(wait)
                continue
            yield outcome
            if outcome.done:
                return
            patience -= outcome.wait
            if patience < 0:
                raise RetryLater(f"The platform still makes the files of “{stream.label}”; run this again later.", after=outcome.wait)
            time.sleep(outcome.wait)

    def _progress(self) -> Progress:
        if not sys.stderr.isatty():
            return untold

        def show(step: str, done: int, whole: int) -> None:
            bar = f"[{'#' * (30 * done // whole):30}] {100 * done // whole:3} %" if whole else ""
            self.stderr.write(f"\r{step}: {done:,} {bar}", ending="\n" if whole and done >= whole else "")
            self.stderr.flush()

        return show
