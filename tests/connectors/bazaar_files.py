"""Let Bazaar hand over its past as files: two of them, that tell of the same orders in lines which name their parents.

  POST /bulk {part, since, until}   makes a file; answers its number
  GET /bulk?id                      how far it is, and where it is then
  GET /files/<name>                 the file, to whoever knows its name; no token is asked for

The part “orders” holds the orders without their lines, and beneath each its refunds; the part “lines” the orders' ids,
beneath each its lines, and beneath each line its price.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.faults import BadPayload
from connectors.spec import Bulk, BulkState, Json, Request, Window
from tests.connectors.bazaar import ORDERS, Bazaar, span

PARTS = ("orders", "lines")


def lines_of(part: str, order: Json) -> list[Json]:
    """Return an order's lines in one part."""
    key = f"order/{order['id']}"
    if part == "orders":
        bare = {name: value for name, value in order.items() if name not in ("lines", "refunds")}
        return [{**bare, "key": key}, *({**refund, "parent": key} for refund in order.get("refunds", ()))]
    found: list[Json] = [{"key": key, "id": order["id"]}]
    for line in order["lines"]:
        own = f"{key}/{line['id']}"
        found += [
            {**{name: value for name, value in line.items() if name != "price"}, "key": own, "parent": key},
            {"parent": own, "price": line["price"]},
        ]
    return found


@dataclass
class Files:
    """The files of a Bazaar, and what goes wrong with them."""

    bazaar: Bazaar
    looks: int = 0
    """So many looks find a file not ready."""
    asked: list[Json] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    refuses: tuple[int, dict[str, str]] | None = None
    fails: dict[str, str] = field(default_factory=dict)
    """Parts that fail, with their word."""
    ends_after: dict[str, int] = field(default_factory=dict)
    """Parts that end after so many bytes."""
    expires: int = 0
    """So many addresses have expired when they are fetched."""
    tag: str = ""
    """What tells each file from others."""
    packed: bool = False
    turned: bool = False
    """Children come before their parents."""
    elsewhere: str = ""
    """The host that files are said to be on."""
    tokens: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bazaar.routes["/bulk"] = self.bulk

    def bulk(self, query: Json) -> Any:
        if "part" in query:
            if self.refuses:
                return *self.refuses, {}
            self.asked.append(query)
            return {"id": str(len(self.asked) - 1)}
        number = int(query["id"])
        if self.looks:
            self.looks -= 1
            return {"state": "making", "count": 7}
        part = self.asked[number]["part"]
        if part in self.fails and part not in self.ends_after:
            return {"state": "failed", "error": self.fails[part]}
        body = self.body(self.asked[number])
        if not body:
            return {"state": "made", "url": None}
        cut = self.ends_after.get(part)
        name = f"/files/{number}-{len(self.bodies)}"
        self.bodies[name] = gzip.compress(body[:cut]) if self.packed else body[:cut]
        self.bazaar.routes[name] = lambda query: self.file(name)
        state = {"state": "ended early", "error": "TIMEOUT"} if cut is not None else {"state": "made"}
        return {**state, "count": len(body), "url": f"{self.elsewhere or self.bazaar.url}{name}"}

    def body(self, asked: Json) -> bytes:
        lines = [line for order in self.bazaar.within(asked) for line in lines_of(asked["part"], order)]
        return b"".join(json.dumps(line).encode() + b"\n" for line in (reversed(lines) if self.turned else lines))

    def file(self, name: str) -> Any:
        self.tokens.append(self.bazaar.tokens[-1])
        if self.expires:
            self.expires -= 1
            return 403, {}, {"error": "expired"}
        return 200, {"ETag": self.tag} if self.tag else {}, self.bodies[name]


def start(window: Window) -> list[Request]:
    return [Request(path="/bulk", method="POST", body={"part": part, **span(window)}) for part in PARTS]


def state(answer: Json) -> BulkState:
    early = answer["state"] == "ended early"
    return BulkState(
        done=answer["state"] != "making", count=answer.get("count", 0), url=answer.get("url"), partial=early, failure=answer.get("error", "")
    )


def assemble(lines: Sequence[Json]) -> Json:
    """Put an order together."""
    order = next((line for line in lines if "total" in line), None)
    if order is None:
        raise BadPayload("The files hold this order's lines, and not itself.")
    prices = {line["parent"]: line["price"] for line in lines if "price" in line}
    goods = [line for line in lines if "sku" in line]
    if not goods:
        raise BadPayload("The files hold this order, and not its lines.")
    return {
        **order, "refunds": [line for line in lines if "amount" in line],
        "lines": [{**{name: line[name] for name in ("id", "sku", "title", "quantity")}, "price": prices[line["key"]]} for line in goods],
    }  # fmt: skip


BULK = Bulk(
    start=start, started=lambda answer: str(answer["id"]), poll=lambda operation: Request(path="/bulk", query={"id": operation}), state=state,
    root=lambda line: line["key"] if "parent" not in line else None, parent=lambda line: line.get("parent"),
    identity=lambda line: line.get("key"), assemble=assemble, in_order=True,
)  # fmt: skip
FILED = replace(ORDERS, bulk=BULK)
