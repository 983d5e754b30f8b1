"""Ask for the records that deliveries told of, record them as reading does, and take out those that are gone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from connectors.files.kind import unguarded
from connectors.http import Client
from connectors.models import Connection
from connectors.reading import parking, runs
from connectors.reading.fetching import fetch
from connectors.reading.runs import Run
from connectors.reading.taking import Read, Taker
from connectors.registry import find
from connectors.spec import Again, Deleted, Lookup, Refetch, Stream
from ledger.book.reposting import withdraw
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import Order

Done = Callable[[Sequence[int]], None]
"""Notes deliveries as done, last in the transaction that did what they asked for."""


class AskedFor(NamedTuple):
    """What one delivery asks for: its key, its route, and the ids that it names."""

    key: int
    route: Refetch | Deleted
    ids: tuple[str, ...]


@dataclass(kw_only=True)
class _Step(Run):
    """One transaction of a drain: it ends with the deliveries' being done, as a run's ends with its heart."""

    done: Done
    keys: list[int] = field(default_factory=list)

    def fence(self) -> None:
        """Note what is done; raises LeaseLost where somebody else has taken it over."""
        if self.keys:
            self.done(self.keys)


class _Fetching:
    """Fetches records of one stream for some deliveries."""

    def __init__(self, connection: Connection, stream: Stream, client: Client, done: Done, now: datetime) -> None:
        self.connection, self.stream, self.client, self._done, self._now = connection, stream, client, done, now
        if stream.again is None:
            raise ValueError(f"{stream.name} cannot be asked for by ids")
        self.again: Again = stream.again

    def fetch(self, ids: Sequence[str]) -> tuple[Taker, _Step, Read]:
        """Ask for records by their ids and map them; they are kept in the archive already."""
        step = _Step(pk=0, connection=self.connection, stream=self.stream.name, done=self._done)
        cursor = runs.cursor_of(self.connection, self.stream.name)
        taker = Taker(step, self.stream, cursor, unguarded, now=self._now, kind=CauseKind.WEBHOOK)
        return taker, step, taker.gather(fetch(self.stream, self.again, ids, self.client))

    def tell(self, read: Read) -> None:
        if read.bad:
            parking.tell(self.connection, self.stream.name, self.stream.label, now=self._now)


def refetch(connection: Connection, asked: Sequence[AskedFor], client: Client, *, done: Done, now: datetime) -> None:
    """Ask for the records of one stream that deliveries name, each once, and record them; a record that is not there is left to comparing."""
    fetching = _Fetching(connection, find(connection.platform).stream(asked[0].route.stream), client, done, now)
    left = {each.key: set(each.ids) for each in _looked_up(asked, client)}
    ids = list(dict.fromkeys(one for each in left.values() for one in sorted(each)))
    if nothing := [key for key, wanted in left.items() if not wanted]:
        done(nothing)
    for start in range(0, len(ids), fetching.again.at_once):
        chunk = ids[start : start + fetching.again.at_once]
        taker, step, read = fetching.fetch(chunk)
        whole = []
        for key, wanted in left.items():
            if wanted and not (wanted := wanted - set(chunk)):
                whole.append(key)
            left[key] = wanted
        step.keys = whole
        taker.write(moves={})
        fetching.tell(read)


def _looked_up(asked: Sequence[AskedFor], client: Client) -> Iterator[AskedFor]:
    """Yield what is asked for by the ids of records: those of parts are looked up, all that are alike in one question."""
    parts: dict[int, tuple[Lookup, list[AskedFor]]] = {}
    for each in asked:
        through = each.route.through if isinstance(each.route, Refetch) else None
        if through is None:
            yield each
        else:
            parts.setdefault(id(through), (through, []))[1].append(each)
    for through, alike in parts.values():
        ids = list(dict.fromkeys(one for each in alike for one in each.ids))
        found: list[str] = []
        for start in range(0, len(ids), through.at_once):
            found += through.found(client.send(through.request(ids[start : start + through.at_once])).json())
        # An answer does not say which record is whose: each delivery is done when all are.
        for each in alike:
            yield each._replace(ids=tuple(dict.fromkeys(found)))


def take_out(connection: Connection, asked: Sequence[AskedFor], client: Client, *, done: Done, now: datetime) -> None:
    """Ask for the orders that are said to be deleted; those that are there are recorded, those that are not are taken out of all figures."""
    fetching = _Fetching(connection, find(connection.platform).stream(asked[0].route.stream), client, done, now)
    ids = list(dict.fromkeys(one for each in asked for one in each.ids))
    absent: list[str] = []
    for start in range(0, len(ids), fetching.again.at_once):
        chunk = ids[start : start + fetching.again.at_once]
        taker, _, read = fetching.fetch(chunk)
        taker.write(moves={})
        fetching.tell(read)
        names = {name for name, _ in read.named}
        absent += [one for one in chunk if one not in names]
    with transaction.atomic():
        # As when comparing: what another account or a file told last is not this account's to deny.
        gone = Order.objects.filter(
            store=connection.store_id, platform=connection.platform, external_id__in=absent, withdrawn_at=None, cause_ref=connection.cause_ref
        )  # fmt: skip
        if keys := list(gone.values_list("pk", flat=True)):
            withdraw(connection.store, keys, cause=Cause(CauseKind.WEBHOOK, connection.cause_ref), now=now)
        done([each.key for each in asked])
