"""Define how a platform tells us of changes: signed deliveries, what each topic asks us to do, and how topics are subscribed to.

A delivery is a doorbell: it says that something changed, and the truth is asked for again. What it carries is used to
know which records those are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec import Struct

from connectors.spec.exchange import Json, Paginator, Request


class Envelope(Struct, frozen=True, kw_only=True):
    """What the headers of a delivery tell."""

    topic: str
    delivery: str
    """The same for one delivery and its repetitions."""
    event: str = ""
    """The same for all deliveries of one event; empty where the platform does not tell."""
    account: str = ""
    """Whom it is about, as `Connector.account_ref` has it."""
    at: datetime | None = None
    """When it happened, by the platform's clock."""
    version: str = ""
    """The version of the payload."""


class PrivacyRequest(Struct, frozen=True):
    """What a person, or a shop that left, has a right to ask for by a platform."""

    kind: Literal["data_request", "erase_person", "erase_account"]
    person: str = ""
    """The platform's id of the customer; empty where it is about the account."""
    orders: tuple[str, ...] = ()
    """External ids of the orders it is about, as far as the platform names them."""
    reference: str = ""
    """The platform's id of the request, where it has one."""


Ids = Callable[[Json], Sequence[str]]
"""Takes ids from what was kept of a payload, as facts call them; raises BadPayload."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """How the records are found that a payload does not name itself, by the ids of what it names."""

    request: Callable[[Sequence[str]], Request]
    found: Callable[[Json], Sequence[str]]
    """Takes the records' ids from the answer; what is gone has none."""
    at_once: int = 50


@dataclass(frozen=True, kw_only=True)
class Refetch:
    """Records of a stream have changed: ask for them by their ids. What is not there any more is left to `Deleted` and to comparing."""

    stream: str
    """One that has an `again`."""
    ids: Ids
    through: Lookup | None = None
    """The ids are those of parts, whose records are to be looked up; None: they are the records' own."""


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """Orders are said to be gone: ask whether they are, and take them out."""

    stream: str
    ids: Ids


@dataclass(frozen=True, kw_only=True)
class ReadNew:
    """Something changed that is not to be asked for by itself: read what is new in these streams now, rather than when they are due."""

    streams: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CheckAccount:
    """The account itself changed, such as its currency, zone or permissions: ask it who it is."""


@dataclass(frozen=True, kw_only=True)
class Uninstalled:
    """The account took back its consent: tokens are dead."""


@dataclass(frozen=True, kw_only=True)
class BulkFinished:
    """A bulk operation has ended: wake the job that waits for it."""

    operation: Callable[[Json], str]
    """Takes its id, as `Bulk.started` told it; raises BadPayload."""


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """Somebody's right: to know what is kept, or to be forgotten."""

    request: Callable[[Json], PrivacyRequest]
    """Raises BadPayload."""


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """Nothing is to be done; deliveries are counted where their owner sees it."""

    why: str
    """In a whole sentence."""


Route = Refetch | Deleted | ReadNew | CheckAccount | Uninstalled | BulkFinished | Privacy | Ignore


class Subscription(Struct, frozen=True, kw_only=True):
    """One topic that the platform tells somebody of, as it lists them."""

    id: str
    topic: str
    """As routes call it."""
    address: str
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """How a connection's topics are listed, subscribed to and given up. Everything is a pure request."""

    topics: Mapping[str, tuple[str, ...]]
    """What we want to be told of, and the scopes that each topic needs."""
    request: Callable[[], Request]
    pages: Paginator
    read: Callable[[Json], Sequence[Subscription]]
    make: Callable[[str, str], Request]
    """Subscribes to a topic for an address."""
    made: Callable[[Json], str]
    """Returns why the platform refused to subscribe, in its words; empty: it did."""
    drop: Callable[[str], Request]
    """Gives up a subscription by its id."""


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """How a platform's deliveries are known to be its own, and what they ask for."""

    signing: Callable[[Mapping[str, str]], str]
    """Takes from a connection's secrets the one that deliveries are signed with; empty where it has none."""
    signed: Callable[[bytes, Mapping[str, str], Sequence[str]], bool]
    """Tells, in constant time, whether one of several secrets signed this very body. Names of headers are in small letters."""
    envelope: Callable[[Mapping[str, str]], Envelope]
    """Reads the headers; raises BadPayload when they do not name a topic, a delivery and an account."""
    routes: Mapping[str, Route]
    """What to do, by topic. Topics that are missing here are counted as unknown, where their owner sees it."""
    keep: Callable[[bytes], Json]
    """Takes from a body what is kept until it is drained: ids and times, never a name or an address; raises BadPayload."""
    about: Callable[[Json], str]
    """Takes from what was kept the account that it is about, as `Connector.account_ref` has it; empty where a payload does not tell."""
    subscriptions: Subscriptions
    version: str
    """The version that payloads should have."""
    without: str
    """Why a connection without a signing secret has no webhooks, and what its owner can do, in whole sentences."""
    former: float = 3_600.0
    """Seconds for which the platform may still sign with the secret before the present one."""
