"""Say how a store's connections stand."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

import msgspec

from connectors.standing import Standing, StreamStanding, standings
from ledger.management.store_command import StoreCommand, table

HEADER = ["stream", "state", "read through", "last run", "next", "parked"]


class Command(StoreCommand):
    """Lists the connections of a store, each with its streams."""

    help = "List the accounts that a store is connected to: status, what is wrong, and how far each stream is read. Times are UTC."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        self.add_store_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        found = standings(self.store(options["slug"]))
        if options["json"]:
            self.print_json(msgspec.to_builtins(found))
        elif not found:
            self.stdout.write("No account is connected. Connect one on the store's page Connections, or with manage.py connect.")
        else:
            self.stdout.write("\n\n".join(_told(each) for each in found))


def _told(each: Standing) -> str:
    head = f"{each.label or each.account} ({each.platform}, {each.account}): {each.status.replace('_', ' ')}"
    lines = [head, *([each.problem] if each.problem else []), *([f"Asked again at {_time(each.paused_until)}."] if each.paused_until else [])]
    if each.streams:
        lines.append(table([HEADER, *([stream.stream, *_cells(stream)] for stream in each.streams)], words=len(HEADER) - 1))
    lines += [f"{stream.stream}: {stream.problem}" for stream in each.streams if stream.problem]
    return "\n".join(lines)


def _cells(stream: StreamStanding) -> list[str]:
    state = stream.status or "not read yet"
    if stream.backfilled_at is None and stream.status:
        state += f", past: {stream.done:,} of {stream.whole:,}" if stream.whole else f", past: {stream.done:,}"
    return [state, _time(stream.seen_through), _time(stream.last_run_at), _time(stream.next_at), f"{stream.parked:,}"]


def _time(moment: datetime | None) -> str:
    return "—" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
