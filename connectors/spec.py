"""Define the interface of a platform: a frozen description that one engine runs.

A platform is a folder `connectors/platforms/<name>/` whose `connector.py` makes one `Connector`, and one line in
`connectors/registry.py`. Everything in it is a value or a pure function: it makes requests but sends none, and maps
records to facts but writes none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from connectors.faults import BadPayload, Fault

Json = dict[str, Any]
"""One record or answer as the platform wrote it, decoded."""


class Request(Struct, frozen=True, kw_only=True):
    """One request to a platform. `path` is relative to the connection's base URL, or a whole address beneath an allowed host."""

    path: str
    method: str = "GET"
    query: Mapping[str, str] = {}
    body: Json | None = None
    """Sent as JSON."""
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    size: int | None = None
    """Records asked for at once, where it can be less: what is halved when the platform answers that it is too much."""


class Response(Struct, frozen=True, kw_only=True):
    """One whole answer. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Json:
        """Return the answer decoded; raise BadPayload when it is no JSON object."""
        try:
            decoded = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadPayload(f"The answer is not JSON: {error}.") from error
        if not isinstance(decoded, dict):
            raise BadPayload("The answer is no JSON object.")
        return decoded


class Window(Struct, frozen=True, kw_only=True):
    """A span of the platform's own time of change: from `since`, the begin of all when None, up to but without `until`."""

    since: datetime | None
    until: datetime


class AccountInfo(Struct, frozen=True, kw_only=True):
    """What a platform says of the account: what testing a connection shows, and what mapping needs."""

    ref: str
    name: str
    currency: str
    zone: str
    scopes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What its owner should know, in whole sentences."""


class Context(Struct, frozen=True, kw_only=True):
    """What a mapper needs besides the record."""

    account: str
    currency: str
    zone: ZoneInfo
    now: datetime
    identify: Callable[[str], bytes]
    """Makes the keyed hash that stands for a person; the identity itself is kept nowhere."""


class Send(Protocol):
    """Send a request and return its checked answer; raises Faults."""

    def __call__(self, request: Request) -> Response: ...


class Paginator(Protocol):
    """Find the request of the next page."""

    def next(self, request: Request, answer: Json) -> Request | None:
        """Return what to ask next; None at the end."""
        ...

    def resized(self, request: Request, size: int) -> Request:
        """Return the request for another number of records at once; asked only of requests that tell their `size`."""
        ...


class Budget(Struct, frozen=True, kw_only=True):
    """What the platform still takes from us, as its last answer told."""

    left: float
    restored_per_second: float
    most: float


class Pace(Protocol):
    """Read the remaining budget of an answer, and say how long to wait before a request."""

    def budget(self, response: Response) -> Budget | None:
        """Return what the answer tells of the budget."""
        ...

    def wait(self, request: Request, budget: Budget | None) -> float:
        """Return the seconds to wait before a request."""
        ...


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
class Comparison:
    """How a platform lists what it has, cheaply, so that what we missed, or what it deleted, is found. The records are orders."""

    request: Callable[[Window], Request]
    """Asks for a list of what was placed within a window."""
    pages: Paginator
    items: Callable[[Json], Sequence[Json]]
    told: Callable[[Json], Told]
    again: Callable[[Sequence[str]], Request]
    """Asks for whole records by their ids, at most `at_once`, in the shape of the stream's pages."""
    found: Callable[[Json], Sequence[Json]]
    """Takes the records from that answer; those that are not in it are gone."""
    at_once: int = 50


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
    """Takes the platform's id from a record, as its facts call it; raises BadPayload."""
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
    comparison: Comparison | None = None
    restates: timedelta = timedelta(0)
    """The platform rewrites so many last days: they are read again."""
    scopes: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    """Names of fields that are cut, wherever they stand, before anything is kept."""
    count: Callable[[Window], Request] | None = None
    """Asks how many records a window holds, for progress."""
    counted: Callable[[Json], int] = field(default=lambda answer: 0)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that a person tells of their account when they connect it, such as a client id."""

    name: str
    label: str
    secret: bool = False
    optional: bool = False
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a platform granted: secrets to keep, and what they allow until when."""

    secrets: Mapping[str, str]
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """When the access token ends; None: it stays."""


class Consent(Protocol):
    """How an account's owner lets us in by the platform's own pages (OAuth 2). Secrets are what `Setting`s told and grants gave."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Return what a person tells before the platform is asked, such as a client id."""
        ...

    def address(self, base: str, *, state: str, redirect: str, challenge: str, secrets: Mapping[str, str], scopes: Sequence[str]) -> str:
        """Return where to send the person."""
        ...

    def check(self, query: Mapping[str, str], *, account: str, secrets: Mapping[str, str], now: datetime) -> str:
        """Check what the person came back with and return the code in it; raise Denied when the platform or the person said no."""
        ...

    def exchange(self, code: str, *, redirect: str, verifier: str, secrets: Mapping[str, str]) -> Request:
        """Return the request that changes the code for tokens."""
        ...

    def granted(self, answer: Json, *, now: datetime) -> Grant:
        """Read the tokens."""
        ...

    def refresh(self, secrets: Mapping[str, str]) -> Request | None:
        """Return the request for fresh tokens; None when there is nothing to refresh with."""
        ...


@dataclass(frozen=True, kw_only=True)
class Key:
    """A way in without the platform's pages: what a person pastes, such as a token, or a client id and its secret."""

    name: str
    label: str
    settings: tuple[Setting, ...]
    granted: Callable[[Mapping[str, str]], Grant] | None = None
    """Makes the grant of what was pasted; None: `fetch` is asked."""
    fetch: Callable[[Mapping[str, str]], Request] | None = None
    """Returns the request whose answer is the grant; asked again when it has ended."""


@dataclass(frozen=True, kw_only=True)
class Connector:
    """One platform."""

    platform: str
    label: str
    account_label: str
    """What a person calls the account, such as “Shop domain”."""
    account_ref: Callable[[str], str]
    """Makes a typed account tidy; raises Denied with what to type when it cannot be one."""
    base_url: Callable[[str], str]
    """Returns where the API of an account is."""
    hosts: tuple[str, ...]
    """Host names, or `*.`-patterns, that may be asked besides the base URL's own, such as those of bulk files."""
    scopes: tuple[str, ...]
    """What is asked for; a granted `write_…` includes its `read_…`."""
    consent: Consent | None
    keys: tuple[Key, ...]
    headers: Callable[[Mapping[str, str]], Mapping[str, str]]
    """Makes the headers that carry the credentials."""
    pace: Pace
    classify: Callable[[Response], Fault | None]
    probe: Callable[[Send], AccountInfo]
    """Asks the platform who it thinks we are."""
    streams: tuple[Stream, ...]

    def stream(self, name: str) -> Stream:
        """Return a stream by its name; raise KeyError."""
        return {stream.name: stream for stream in self.streams}[name]
