"""Let Bazaar ring: signed deliveries in its own way, and subscriptions.

  GET /bells                        what it tells of, and where
  GET /bells/add {topic, address}   one more
  GET /bells/end {id}               one less
  GET /parcels?ids                  the orders that parcels are of

A delivery tells its topic, its number and its account in headers, and what it is about in its body: `order`, a `parcel`,
a file's number or a `person`. It is signed by the key `bell`, in hexadecimal digits.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from connectors.faults import BadPayload
from connectors.models import Connection
from connectors.paging import OnePage
from connectors.spec import (
    BulkFinished,
    CheckAccount,
    Connector,
    Deleted,
    Envelope,
    Ignore,
    Json,
    Lookup,
    Privacy,
    PrivacyRequest,
    ReadNew,
    Refetch,
    Request,
    Subscription,
    Subscriptions,
    Uninstalled,
    Webhooks,
)
from connectors.webhooks import doors
from tests.connectors.bazaar import AGAIN, COMPARISON, Bazaar, connector
from tests.connectors.bazaar_files import FILED

KEY = "bazaar-bell-9"


def signature(body: bytes, key: str = KEY) -> str:
    """Sign a body."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def signed(body: bytes, headers: Mapping[str, str], keys: Sequence[str]) -> bool:
    return any(hmac.compare_digest(signature(body, key), headers.get("bazaar-signature", "")) for key in keys)


def envelope(headers: Mapping[str, str]) -> Envelope:
    try:
        return Envelope(topic=headers["bazaar-topic"], delivery=headers["bazaar-delivery"], account=headers["bazaar-account"])
    except KeyError as error:
        raise BadPayload(f"no {error}") from error


def keep(body: bytes) -> Json:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadPayload("It is no JSON object.") from error
    return {name: told[name] for name in ("order", "parcel", "file", "person", "account") if name in told}


def one(name: str) -> Any:
    """Return what takes an id from a payload."""

    def take(kept: Json) -> list[str]:
        if not isinstance(kept.get(name), str):
            raise BadPayload(f"The payload names no {name}.")
        return [kept[name]]

    return take


BELLS = Webhooks(
    signing=lambda secrets: secrets.get("bell", ""), signed=signed, envelope=envelope, keep=keep, about=lambda kept: str(kept.get("account", "")),
    routes={
        "order": Refetch(stream="orders", ids=one("order")),
        "parcel": Refetch(
            stream="orders", ids=one("parcel"),
            through=Lookup(request=lambda ids: Request(path="/parcels", query={"ids": ",".join(ids)}), found=lambda answer: answer["found"]),
        ),
        "gone": Deleted(stream="orders", ids=one("order")),
        "many": ReadNew(streams=("orders",)),
        "account": CheckAccount(),
        "left": Uninstalled(),
        "file": BulkFinished(operation=lambda kept: one("file")(kept)[0]),
        "forget": Privacy(request=lambda kept: PrivacyRequest("erase_person", one("person")(kept)[0])),
        "weather": Ignore(why="Nobody sells by it."),
    },
    subscriptions=Subscriptions(
        topics={"order": ("read_orders",), "gone": ("read_orders",), "secrets": ("read_secrets",), "left": ()},
        request=lambda: Request(path="/bells"), pages=OnePage(),
        read=lambda answer: [Subscription(id=each["id"], topic=each["topic"], address=each["address"], version="1") for each in answer["bells"]],
        make=lambda topic, address: Request(path="/bells/add", query={"topic": topic, "address": address}),
        made=lambda answer: answer["refused"], drop=lambda number: Request(path="/bells/end", query={"id": number}),
    ),
    version="1", without="Bazaar rings only where a bell's key was given.",
)  # fmt: skip


def ringing(described: Connector | None = None) -> Connector:
    """Describe Bazaar with bells: orders that can be asked for one by one, compared and read by files."""
    filed = replace(FILED, again=AGAIN, comparison=COMPARISON)
    return replace(described or connector(filed), webhooks=BELLS, scopes=("read_orders", "read_secrets"))


@dataclass
class Bells:
    """The subscriptions of a Bazaar, and parcels."""

    bazaar: Bazaar
    kept: list[Json] = field(default_factory=list)
    parcels: dict[str, str] = field(default_factory=dict)
    """The order that a parcel is of."""
    refuses: str = ""

    def __post_init__(self) -> None:
        self.bazaar.routes |= {"/bells": self.list, "/bells/add": self.add, "/bells/end": self.end, "/parcels": self.found}

    def list(self, query: dict[str, str]) -> Json:
        return {"bells": self.kept}

    def add(self, query: dict[str, str]) -> Json:
        if not self.refuses:
            self.kept.append({"id": f"bell-{len(self.bazaar.asked)}", "topic": query["topic"], "address": query["address"]})
        return {"refused": self.refuses}

    def end(self, query: dict[str, str]) -> Json:
        self.kept = [each for each in self.kept if each["id"] != query["id"]]
        return {}

    def found(self, query: dict[str, str]) -> Json:
        return {"found": [self.parcels[each] for each in query["ids"].split(",") if each in self.parcels]}


def delivery(topic: str, number: str, *, key: str = KEY, account: str = "north", **told: str) -> tuple[bytes, dict[str, str]]:
    """Return a delivery's body and headers."""
    body = json.dumps({**told, "email": "ada@example.com"}).encode()
    return body, {"Bazaar-Topic": topic, "Bazaar-Delivery": number, "Bazaar-Account": account, "Bazaar-Signature": signature(body, key)}


def path_of(connection: Connection) -> str:
    """Return where a connection's platform rings."""
    return f"/webhooks/{connection.platform}/{doors.token_of(connection.door)}"
