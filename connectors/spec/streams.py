"""Define how one kind of record is read: by pages, by files, by its ids, and compared."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.spec.exchange import Json, Paginator, Request, Send


class Window(Struct, frozen=True, kw_only=True):
    """A span of the platform's own time of change: from `since`, the begin of all when None, up to but without `until`."""

    since: datetime | None
    until: datetime


class Context(Struct, frozen=True, kw_only=True):
    """What a mapper needs besides the record."""

    account: str
    currency: str
    zone: ZoneInfo
    now: datetime
    identify: Callable[[str], bytes]
    """Makes the keyed hash that stands for a person; the identity itself is kept nowhere."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    """How a record says which person it is of, so that the person can be told of it and cut from it. Both take records of any shape."""

    identity: Callable[[Json], str | None]
    """Takes what the platform calls the person, as `Context.identify` is given it; None where it is of nobody."""
    renamed: Callable[[Json, str], Json]
    """Returns the record as one of somebody of another name, nobody's where that is empty, without what else is told of the person."""
    is_person: bool = False
    """Its records are people themselves, and called as they are; others are orders, called by their ids."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How a stream is read in windows of the platform's time of change."""

    changed_at: Callable[[Json], datetime]
    """Takes the time of change from a record."""
    overlap: timedelta
    """Read again before what was seen, for rows that the platform showed late."""
    settle: timedelta
    """The window ends so long before now."""


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """How a platform hands over all of a stream as files: asked for, waited for, downloaded, read line by line.

    Several files tell of the same records; `assemble` makes of each record's lines what the stream's pages show, so
    that one mapper serves both.
    """

    start: Callable[[Window], Sequence[Request]]
    """One request per file."""
    started: Callable[[Json], str]
    """Takes the operation's id from the answer."""
    poll: Callable[[str], Request]
    state: "Callable[[Json], BulkState]"
    root: Callable[[Json], str | None]
    """Returns the id of the record that a line belongs to by itself; None when its parent says."""
    parent: Callable[[Json], str | None]
    identity: Callable[[Json], str | None]
    """Returns the id by which other lines may call this one their parent."""
    assemble: Callable[[Sequence[Json]], Json]
    """Makes the record of its lines, in the order of the files and of the lines in them; raises BadPayload when some are missing."""
    in_order: bool = False
    """The files are in the order of the time of change, so that after one that ends early the rest can be asked for."""


class BulkState(Struct, frozen=True, kw_only=True):
    """How far a bulk operation is."""

    done: bool
    count: int = 0
    url: str | None = None
    """Where the file is; None when there is nothing in it."""
    failure: str = ""
    partial: bool = False
    """The file ends early: it is complete up to its last whole record."""


class Told(Struct, frozen=True, kw_only=True):
    """What a platform's list tells of one record: enough to see whether ours is the same."""

    id: str
    changed_at: datetime
    total: Decimal | None = None
    """What was charged at first, in the order's currency; None when the list does not tell."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """How whole records of a stream are asked for by their ids, in the shape of the stream's pages."""

    request: Callable[[Sequence[str]], Request]
    """Asks for at most `at_once` of them."""
    found: Callable[[Json], Sequence[Json]]
    """Takes the records from that answer; those that are not in it are gone."""
    at_once: int = 50


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a platform lists what it has, cheaply, so that what we missed, or what it deleted, is found. The records are orders.

    The stream has an `again` as well.
    """

    request: Callable[[Window], Request]
    """Asks for a list of what was placed within a window."""
    pages: Paginator
    items: Callable[[Json], Sequence[Json]]
    told: Callable[[Json], Told]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of record, and how it is read."""

    name: str
    """Cursors, runs and archives are kept under it; never changed once used."""
    label: str
    request: Callable[[Window], Request]
    pages: Paginator
    items: Callable[[Json], Sequence[Json]]
    """Takes the records from an answer; raises BadPayload."""
    identity: Callable[[Json], str]
    """Takes the platform's id from a record, as its facts call it; of two records of one id, the one that comes later stands. Raises BadPayload."""
    map: Callable[[Json, Context], Iterable[Any]]
    """Makes facts of a record; pure; raises BadPayload, never KeyError."""
    every: timedelta
    """How often what is new is asked for."""
    cursor: Cursor | None = None
    """None: all of it is read each time."""
    complete: Callable[[Json, Send], Json] | None = None
    """Fetches what does not fit into the record's page, or what no bulk file tells of it, and returns the record whole."""
    bulk: Bulk | None = None
    """How the past is read; None: by pages as well."""
    again: Again | None = None
    """How records are asked for one by one; None: they come by pages alone."""
    comparison: Comparison | None = None
    restates: timedelta = timedelta(0)
    """The platform rewrites so many last days: they are read again."""
    scopes: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    """Names of fields that are cut, wherever they stand, before anything is kept."""
    whose: Whose | None = None
    """None: its records are of no person."""
    tidy: Callable[[Json], Json] | None = None
    """Cuts what is personal within fields, such as the queries of addresses, before anything is kept; raises nothing, whatever the record's shape."""
    after: str = ""
    """The stream whose past is to be read first, since what this one tells is about its records; empty: none."""
    meanwhile: str = ""
    """What figures are like while its past is not read, in a sentence for the store's owner; empty: they lack its records."""
    count: Callable[[Window], Request] | None = None
    """Asks how many records a window holds, for progress."""
    counted: Callable[[Json], int] = field(default=lambda answer: 0)
