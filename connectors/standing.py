"""Say how a store's connections stand, for machines and the command line: status, and how far each stream is read."""

from datetime import datetime

from django.db.models import Count
from msgspec import Struct

from connectors.models import Connection, ParkedRecord, SyncCursor
from connectors.reading import runs
from connectors.registry import UnknownPlatform, find
from connectors.spec import Stream
from ledger.models import Store


class StreamStanding(Struct, frozen=True, kw_only=True):
    """How far a stream is read. Times are UTC."""

    stream: str
    status: str
    """Of the last run; empty before the first."""
    seen_through: datetime | None
    backfilled_at: datetime | None
    done: int
    whole: int
    """Records of the window, as the platform counts them; 0: it does not tell."""
    last_run_at: datetime | None
    next_at: datetime | None
    parked: int
    problem: str


class Standing(Struct, frozen=True, kw_only=True):
    """How a connection stands."""

    connection: int
    platform: str
    account: str
    label: str
    status: str
    problem: str
    paused_until: datetime | None
    last_ok_at: datetime | None
    streams: tuple[StreamStanding, ...]


def standings(store: Store) -> list[Standing]:
    """Return how every connection of a store stands, in the order in which they were made."""
    owners = list(Connection.objects.filter(store=store).order_by("pk"))
    keys = [owner.pk for owner in owners]
    latest = runs.last_runs(keys)
    cursors = {(row.connection_id, row.stream): row for row in SyncCursor.objects.filter(connection__in=keys)}
    counted = ParkedRecord.objects.filter(connection__in=keys).values_list("connection", "stream").annotate(count=Count("pk"))
    parked = {(connection, stream): count for connection, stream, count in counted}

    def standing(owner: Connection, stream: Stream) -> StreamStanding:
        key = (owner.pk, stream.name)
        run, cursor = latest.get(key), cursors.get(key)
        return StreamStanding(
            stream=stream.name, status=run.status if run else "", seen_through=cursor.seen_through if cursor else None,
            backfilled_at=cursor.backfilled_at if cursor else None, done=cursor.done if cursor else 0, whole=cursor.whole if cursor else 0,
            last_run_at=(run.finished_at or run.started_at) if run else None, next_at=cursor.next_at if cursor else None,
            parked=parked.get(key, 0), problem=run.problem if run else "",
        )  # fmt: skip

    return [
        Standing(
            connection=owner.pk, platform=owner.platform, account=owner.account_ref, label=owner.label, status=owner.status, problem=owner.problem,
            paused_until=owner.paused_until, last_ok_at=owner.last_ok_at, streams=tuple(standing(owner, stream) for stream in _streams(owner)),
        )
        for owner in owners
    ]  # fmt: skip


def _streams(owner: Connection) -> tuple[Stream, ...]:
    try:
        return find(owner.platform).streams
    except UnknownPlatform:
        return ()
