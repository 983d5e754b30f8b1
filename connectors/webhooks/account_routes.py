"""Do what deliveries ask for that is not about records: look at the account itself, read what is new, wake who waits for files."""

from collections.abc import Collection
from datetime import datetime

from connectors import accounts
from connectors.connections import UNINSTALLED, disconnect
from connectors.faults import NeedsReauth
from connectors.models import Connection
from connectors.reading import runs
from connectors.reading.sync_tasks import BACKFILL, key_of, key_of_past, submit_check, submit_stream
from connectors.registry import find
from ledger import findings
from ledger.models import Finding
from profitpeek.jobs import queue


def is_gone(connection: Connection, *, now: datetime) -> bool:
    """Tell whether the account no longer lets us in."""
    try:
        accounts.check(connection, now=now)
    except NeedsReauth:
        return True
    return False


def let_go(connection: Connection, *, now: datetime) -> None:
    """Forget the secrets of an account that took back its consent, stop what is read of it, and say what to do."""
    platform = find(connection.platform).label
    why = (
        f"ProfitPeek was uninstalled in {platform}, so nothing more is read of this account; what was read stays in the book. "
        "Connect it again when you want to go on."
    )
    disconnect(connection, now=now, why=why)
    findings.note(
        connection.store_id, UNINSTALLED, str(connection), f"{connection.label or connection.account_ref}: {why}",
        severity=Finding.Severity.ERROR, now=now,
    )  # fmt: skip


def read_new(connection: Connection, streams: Collection[str], *, actor: str) -> None:
    """Have what is new in some streams read now."""
    connector = find(connection.platform)
    for name in sorted(streams):
        submit_stream(connection, connector.stream(name), actor=actor)


def check(connection: Connection, *, actor: str) -> None:
    """Have the account asked who it is."""
    submit_check(connection, actor=actor)


def wake_bulk(connection: Connection, ended: Collection[str]) -> None:
    """Let the job look at once that waits for one of some bulk operations."""
    for stream in find(connection.platform).streams:
        if stream.bulk is None:
            continue
        keys = {stream.name: key_of(connection, stream), runs.past_name(stream.name): key_of_past(connection, stream)}
        for name, position in runs.positions(connection, list(keys)):
            if set(ended) & set(position.get("bulk", {}).get("operations", ())):
                queue.hasten(BACKFILL, keys[name])
