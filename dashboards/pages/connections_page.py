"""Read what the page of a store's connections shows: each account, what may be read of it, how far it is read, and what is wrong."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Max

from connectors import registry
from connectors.connections import missing_scopes
from connectors.models import Connection, ParkedRecord, SyncCursor, SyncRun, WebhookDoor
from connectors.reading.parking import detail_of
from connectors.reading.runs import last_runs, past_name
from connectors.registry import UnknownPlatform
from connectors.spec import Connector, Stream
from ledger.models import Store

MOST_RUNS, MOST_PARKED = 40, 40
Status = Connection.Status


@dataclass(frozen=True, slots=True)
class StreamRow:
    """How far one stream of a connection is."""

    stream: Stream
    cursor: SyncCursor | None
    latest: SyncRun | None
    """The run that goes on now, else the last one."""
    parked: int
    scopes_missing: tuple[str, ...]
    reread: SyncCursor | None
    """How far its past is read again, where somebody asked for that."""
    resting: bool
    """Nothing is asked: the connection is paused, disconnected or without consent."""

    @property
    def is_running(self) -> bool:
        """Tell whether it is being read now."""
        return self.latest is not None and self.latest.status == SyncRun.Status.RUNNING

    @property
    def reads_past(self) -> bool:
        """Tell whether its past is still to be read."""
        return self.cursor is None or self.cursor.backfilled_at is None

    @property
    def next_at(self) -> datetime | None:
        """Return when it is asked for again by itself; None when it runs or rests, or is asked for as soon as may be."""
        return None if self.resting or self.is_running or self.cursor is None else self.cursor.next_at


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """One account and its streams."""

    row: Connection
    connector: Connector | None
    """None for a platform that this version does not know."""
    streams: list[StreamRow]
    door: WebhookDoor | None = None
    """Where its platform rings, with when it last did as `last_at`."""

    @property
    def rings(self) -> bool:
        """Tell whether the platform rings when something changes."""
        return self.door is not None and bool(self.door.topics) and self.row.status == Status.ACTIVE

    @property
    def label(self) -> str:
        """Return the platform's name."""
        return self.connector.label if self.connector else self.row.platform

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what was asked for and not granted."""
        return missing_scopes(self.row) if self.connector and self.row.status != Status.DISCONNECTED else ()

    @property
    def is_reading(self) -> bool:
        """Tell whether any stream runs, or its past waits to be read."""
        return self.row.status == Status.ACTIVE and any(stream.is_running or stream.reads_past or stream.reread for stream in self.streams)

    @property
    def read_through(self) -> datetime | None:
        """Return the moment through which every stream that tells one is read; None while none does."""
        return min((stream.cursor.seen_through for stream in self.streams if stream.cursor and stream.cursor.seen_through), default=None)

    @property
    def parked(self) -> int:
        """Return how many records wait to be understood."""
        return sum(stream.parked for stream in self.streams)

    @property
    def tone(self) -> str:
        """Return how its state looks: success, warning or danger."""
        if self.row.status == Status.NEEDS_CONSENT:
            return "danger"
        return "warning" if self.row.status != Status.ACTIVE or self.row.problem or self.parked else "success"


@dataclass(frozen=True)
class ConnectionsPage:
    """All accounts of a store, and the platforms that more can be connected of."""

    cards: list[ConnectionCard]

    @cached_property
    def platforms(self) -> list[Connector]:
        """Return every platform, by name."""
        return sorted(registry.CONNECTORS.values(), key=lambda connector: connector.label)

    @property
    def is_reading(self) -> bool:
        """Tell whether the page should look again by itself."""
        return any(card.is_reading for card in self.cards)


def connections_page(store: Store) -> ConnectionsPage:
    """Gather a store's connections in six queries, however many there are."""
    return ConnectionsPage(_cards(list(Connection.objects.filter(store=store).order_by("platform", "connected_at", "pk"))))


def connection_card(row: Connection) -> ConnectionCard:
    """Gather one connection."""
    return _cards([row])[0]


def runs_of(row: Connection) -> list[tuple[str, SyncRun]]:
    """Return a connection's latest runs, the latest first, each with what it read."""
    labels = _labels(row)
    return [(labels.get(run.stream.partition(":")[0], run.stream), run) for run in row.runs.order_by("-started_at")[:MOST_RUNS]]


def parked_of(row: Connection) -> list[tuple[str, ParkedRecord, str]]:
    """Return the records of a connection that could not be understood, the latest first, each with what it is one of and what the error said."""
    labels = _labels(row)
    waiting = row.parked_records.defer("body").order_by("-last_at")[:MOST_PARKED]
    return [(labels.get(one.stream, one.stream), one, detail_of(one)) for one in waiting]


def _labels(row: Connection) -> dict[str, str]:
    connector = registry.CONNECTORS.get(row.platform)
    return {stream.name: stream.label for stream in connector.streams} if connector else {}


def _cards(rows: list[Connection]) -> list[ConnectionCard]:
    cursors = {(each.connection_id, each.stream): each for each in SyncCursor.objects.filter(connection__in=rows)}
    runs = last_runs([row.pk for row in rows])
    counted = ParkedRecord.objects.filter(connection__in=rows).values_list("connection", "stream").annotate(Count("pk"))
    parked = {(connection, stream): count for connection, stream, count in counted}
    doors = {
        each.connection_id: each
        for each in WebhookDoor.objects.filter(connection__in=rows).annotate(last_at=Max("connection__webhook_topics__last_at"))
    }
    return [_card(row, cursors, runs, parked, doors.get(row.pk)) for row in rows]


def _card(
    row: Connection,
    cursors: dict[tuple[int, str], SyncCursor],
    runs: dict[tuple[int, str], SyncRun],
    parked: dict[tuple[int, str], int],
    door: WebhookDoor | None,
) -> ConnectionCard:
    try:
        connector = registry.find(row.platform)
    except UnknownPlatform:
        return ConnectionCard(row, None, [])
    lacking = set(missing_scopes(row))
    streams = [
        StreamRow(
            stream, cursors.get((row.pk, stream.name)), runs.get((row.pk, stream.name)), parked.get((row.pk, stream.name), 0),
            tuple(scope for scope in stream.scopes if scope in lacking),
            cursors.get((row.pk, past_name(stream.name))), row.status != Status.ACTIVE,
        )
        for stream in connector.streams
    ]  # fmt: skip
    return ConnectionCard(row, connector, streams, door)
