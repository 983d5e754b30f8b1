"""Answer one delivery: is it the platform's own, and is it written down? Nothing is made of it here.

What is not signed is refused with 401 whatever is wrong with it, so that an answer tells nothing, and leaves no row.
What is signed is answered 200 only once its row is durable; where it cannot be written, 503 asks for it again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

from connectors.faults import BadPayload
from connectors.registry import CONNECTORS
from connectors.spec import Envelope, Privacy, Webhooks
from connectors.webhooks.doors import Door, Doors
from ledger.sealing import seal

MOST_BODY = 2_000_000
"""Bytes of a body; what a platform sends is a hundredth of it."""
REMEMBERED = timedelta(days=3)
"""How long a delivery is known by its id. One that is older was not sent by the platform, which gives up within hours."""


class Asked(NamedTuple):
    """One request, its body not read yet."""

    method: str
    platform: str
    token: str
    """Empty at the address that an app's own settings name, where the account tells whose it is."""
    headers: Mapping[str, str]
    """Names in small letters."""
    length: int | None
    """Of the body; None where the request does not tell."""
    read: Callable[[int], bytes]
    """Reads at most so many bytes."""


class Reply(NamedTuple):
    """What is answered."""

    status: str
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Row(NamedTuple):
    """A delivery as it is written down."""

    connection: int
    topic: str
    delivery_id: str
    event_id: str
    version: str
    triggered_at: datetime | None
    received_at: datetime
    state: str
    error: str
    body: bytes | None


class Away(Exception):
    """Say that the database does not answer."""


class Inbox(Protocol):
    """What an answer needs besides the request."""

    doors: Doors

    def write(self, row: Row) -> None:
        """Write a delivery down, durably, unless it is known; raise Away when that cannot be done now."""
        ...

    def ring(self, connection: int) -> None:
        """See to it that what was written down is looked at."""
        ...

    def refuse(self, connection: int) -> None:
        """Count a delivery that was not signed."""
        ...


DONE = Reply("200 OK")
REFUSED = Reply("401 Unauthorized", "This delivery is not signed for this address.\n")
ONLY_POST = Reply("405 Method Not Allowed", "Deliveries are posted.\n", (("Allow", "POST"),))
TOO_LARGE = Reply("413 Content Too Large", "A delivery has 2 MB at most.\n")
PACKED = Reply("415 Unsupported Media Type", "A delivery comes as it was signed, not packed.\n")
CUT = Reply("400 Bad Request", "The body ended before its length.\n")
UNAVAILABLE = Reply("503 Service Unavailable", "It could not be written down. Deliver it again.\n", (("Retry-After", "30"),))


def topics_by_law(platform: str) -> list[str]:
    """Return the topics by which a platform passes on what people have a right to: taken and followed whatever becomes of the account."""
    connector = CONNECTORS.get(platform)
    routes = connector.webhooks.routes if connector is not None and connector.webhooks is not None else {}
    return sorted(topic for topic, route in routes.items() if isinstance(route, Privacy))


def accept(asked: Asked, inbox: Inbox, *, now: datetime) -> Reply:
    """Take a delivery or refuse it."""
    try:
        return _accept(asked, inbox, now)
    except Away:
        return UNAVAILABLE


def _accept(asked: Asked, inbox: Inbox, now: datetime) -> Reply:
    if asked.method != "POST":
        return ONLY_POST
    connector = CONNECTORS.get(asked.platform)
    webhooks = connector.webhooks if connector is not None else None
    door = inbox.doors.find(asked.platform, asked.token) if asked.token else None
    if webhooks is None or (asked.token and door is None):
        return REFUSED
    try:
        told = webhooks.envelope(asked.headers)
    except BadPayload:
        return _refused(door, inbox)
    by_law = isinstance(webhooks.routes.get(told.topic), Privacy)
    if not by_law and (door is None or told.account != door.account):
        return _refused(door, inbox)
    body = _body(asked)
    if isinstance(body, Reply):
        return body
    owners = _signed_for(asked, told, body, webhooks, door, inbox, by_law=by_law, now=now)
    if not owners:
        return _refused(door, inbox)
    for owner in owners:
        inbox.write(_row(owner, told, body, webhooks, now))
        inbox.ring(owner.connection)
    return DONE


def _refused(door: Door | None, inbox: Inbox) -> Reply:
    if door is not None:
        inbox.refuse(door.connection)
    return REFUSED


def _body(asked: Asked) -> bytes | Reply:
    """Read a body, never more than may be; it is never unpacked, since the bytes that came are those that were signed."""
    if asked.headers.get("content-encoding", "identity") != "identity":
        return PACKED
    if asked.length is not None and asked.length > MOST_BODY:
        return TOO_LARGE
    wanted = MOST_BODY + 1 if asked.length is None else asked.length
    pieces, size = [], 0
    try:
        while size < wanted and (piece := asked.read(wanted - size)):
            pieces.append(piece)
            size += len(piece)
    except OSError:
        # Whoever delivers has hung up.
        return CUT
    if size > MOST_BODY:
        return TOO_LARGE
    return CUT if asked.length is not None and size < asked.length else b"".join(pieces)


def _signed_for(
    asked: Asked, told: Envelope, body: bytes, webhooks: Webhooks, door: Door | None, inbox: Inbox, *, by_law: bool, now: datetime
) -> list[Door]:  # fmt: skip
    """Return the doors that a delivery is for: the one it was brought to, or, for what the law asks for, all of the account that is named."""
    for _ in range(2):
        candidates = [door] if door is not None and door.account == told.account else []
        if by_law and not candidates:
            candidates = inbox.doors.of_account(asked.platform, told.account)
        right = [each for each in candidates if _is_for(each, asked, told, body, webhooks, by_law=by_law, now=now)]
        # A secret may have been changed, or a store connected, a moment ago.
        if right or not inbox.doors.look_again():
            return right
        door = inbox.doors.find(asked.platform, asked.token) if asked.token else None
    return []


def _is_for(door: Door, asked: Asked, told: Envelope, body: bytes, webhooks: Webhooks, *, by_law: bool, now: datetime) -> bool:
    if not (by_law or door.is_connected):
        return False
    if told.at is not None and told.at < now - REMEMBERED and not door.is_sandbox:
        return False
    return webhooks.signed(body, asked.headers, door.signing.at(now))


def _row(door: Door, told: Envelope, body: bytes, webhooks: Webhooks, now: datetime) -> Row:
    """Make the row of a delivery: its ids and times alone, sealed. What is signed and yet cannot be read is given up at once, and shown."""
    state, error, kept = "waiting", "", None
    try:
        kept = seal(msgspec.json.encode(webhooks.keep(body)))
    except BadPayload as fault:
        state, error = "dead", fault.reason
    return Row(door.connection, told.topic, told.delivery, told.event, told.version, told.at, now, state, error, kept)
