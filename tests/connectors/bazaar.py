"""Be a small platform, Bazaar: a real server on this machine with orders, and switches for whatever can go wrong.

`BAZAAR` describes it to the engine. Its API, answered in JSON, with the header X-Token:
  GET /orders?since&until&limit&after   orders by time of change; `next` is the token of the next page
  GET /count?since&until                how many
  GET /orders/<id>/refunds              what does not fit into the page
  GET /list?since&until&limit&after     ids, times of change and totals, by the time of placing
  GET /some?ids                         orders by their ids
  GET /shop                             who we are
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as replace_stream
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from connectors.faults import BadPayload, Denied, Expired, Fault, NeedsReauth, QuotaUsedUp, RetryLater, TooBig
from connectors.pacing import Unpaced
from connectors.spec import (
    AccountInfo,
    Again,
    Comparison,
    Connector,
    Context,
    Cursor,
    Grant,
    Json,
    Key,
    Request,
    Response,
    Send,
    Setting,
    Stream,
    Told,
    Window,
)
from ledger.facts import LineFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SaleType
from ledger.money import tenk

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOKEN = "bazaar-token-7"
OVERLAP, SETTLE = timedelta(minutes=10), timedelta(seconds=30)


def a_record(number: int, *, total: str = "20.00", changed: datetime | None = None, **more: Any) -> Json:
    """Make an order as Bazaar tells it; a minute after the one before, unless said otherwise."""
    placed = NOW - timedelta(days=20) + timedelta(minutes=number)
    return {
        "id": str(number), "name": f"#{number}", "placed": placed.isoformat(), "changed": (changed or placed).isoformat(), "total": total,
        "currency": "EUR", "lines": [{"id": "1", "sku": "MUG", "title": "Mug", "quantity": 1, "price": total}], **more,
    }  # fmt: skip


@dataclass
class Switches:
    """What goes wrong."""

    refuse: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """Answers a path, or every path under "", with a status and headers instead."""
    refuse_times: int = 0
    """So many times; 0: as long as `refuse` says."""
    most_at_once: int = 1_000
    """More asked for at once is answered with 413."""
    repeats: bool = False
    """The token of the next page is the page's own."""
    cuts_at: int | None = None
    """The body ends after so many bytes, though its length was promised."""
    clock: timedelta = timedelta(0)
    """By how much its clock is ahead of the right time."""
    tells_time: bool = True
    expired: set[str] = field(default_factory=set)
    """Tokens of pages that are not taken any more."""
    before: Callable[[str], None] = lambda path: None
    """Called before each answer."""


class Bazaar:
    """Hold the orders and serve them."""

    def __init__(self) -> None:
        self.orders: dict[str, Json] = {}
        self.refunds: dict[str, list[Json]] = {}
        self.switches = Switches()
        self.now = NOW
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.routes: dict[str, Callable[[dict[str, str]], Any]] = {
            "/orders": self.page,
            "/count": self.count,
            "/shop": self.shop,
            "/list": self.list,
            "/some": self.some,
        }
        bazaar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                bazaar.serve(self)

            def do_POST(self) -> None:
                bazaar.serve(self)

            def log_message(self, *args: object) -> None:
                pass

            def send_response(self, code: int, message: str | None = None) -> None:
                self.send_response_only(code, message)
                if bazaar.switches.tells_time:
                    self.send_header("Date", format_datetime(bazaar.clock(), usegmt=True))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def clock(self) -> datetime:
        """Return what its clock shows: the right time, and what it is wrong by."""
        return datetime.now(UTC) + self.switches.clock

    def add(self, *records: Json) -> None:
        """Take orders, new or changed."""
        self.orders |= {record["id"]: record for record in records}

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, or as the switches say."""
        length = int(request.headers.get("Content-Length", 0))
        body = json.loads(request.rfile.read(length)) if length else {}
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()} | body
        self.asked.append(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        self.tokens.append(request.headers.get("X-Token"))
        self.switches.before(parts.path)
        status, headers, answer = self.answer(parts.path, query, request.headers.get("X-Token"))
        sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(sent)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        cut = self.switches.cuts_at
        if cut is not None:
            self.switches.cuts_at = None
            request.wfile.write(sent[:cut])
            request.close_connection = True
            return
        request.wfile.write(sent)

    def answer(self, path: str, query: dict[str, str], token: str | None) -> tuple[int, Mapping[str, str], Any]:
        """Return status, headers and body."""
        refusal = self.switches.refuse.get(path) or self.switches.refuse.get("")
        if refusal is not None:
            if self.switches.refuse_times == 1:
                self.switches.refuse.clear()
            self.switches.refuse_times = max(0, self.switches.refuse_times - 1)
            return *refusal, {"error": "as you wished"}
        if token != TOKEN and not path.startswith("/files/"):
            return 401, {}, {"error": "who are you?"}
        if int(query.get("limit", 0)) > self.switches.most_at_once:
            return 413, {}, {"error": "too much at once"}
        if query.get("after") in self.switches.expired:
            return 410, {}, {"error": "this token is too old"}
        route = self.routes.get(path)
        if route is not None:
            answer = route(query)
            return answer if isinstance(answer, tuple) else (200, {}, answer)
        if path.startswith("/orders/"):
            return 200, {}, {"refunds": self.refunds.get(path.split("/")[2], [])}
        return 404, {}, {"error": "no such page"}

    def within(self, query: Mapping[str, str]) -> list[Json]:
        """Return the orders of a window by time of change."""
        since, until = query.get("since", ""), query["until"]
        found = [order for order in self.orders.values() if since <= str(order.get("changed", since)) < until]
        return sorted(found, key=lambda order: (str(order.get("changed", "")), int(order["id"]) if str(order.get("id", "")).isdigit() else 0))

    def page(self, query: dict[str, str]) -> Json:
        """Return a page."""
        found, start, limit = self.within(query), int(query.get("after", 0)), int(query["limit"])
        following = start if self.switches.repeats else start + limit
        return {"orders": found[start : start + limit], "next": str(following) if start + limit < len(found) or self.switches.repeats else None}

    def count(self, query: dict[str, str]) -> Json:
        """Return how many orders there are."""
        return {"count": len(self.within(query))}

    def list(self, query: dict[str, str]) -> Json:
        """Return a page of the list."""
        placed = [order for order in self.orders.values() if query.get("since", "") <= order["placed"] < query["until"]]
        start, limit = int(query.get("after", 0)), int(query["limit"])
        told = [{name: order[name] for name in ("id", "changed", "total")} for order in placed[start : start + limit]]
        return {"orders": told, "next": str(start + limit) if start + limit < len(placed) else None}

    def some(self, query: dict[str, str]) -> Json:
        """Return orders by their ids."""
        return {"orders": [self.orders[name] for name in query["ids"].split(",") if name in self.orders]}

    def shop(self, query: dict[str, str]) -> Json:
        """Return who we are."""
        return {"ref": "north", "name": "North"}


@contextmanager
def open_bazaar() -> Iterator[Bazaar]:
    """Run a Bazaar until the block ends."""
    bazaar = Bazaar()
    thread = threading.Thread(target=bazaar.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bazaar
    finally:
        bazaar.server.shutdown()
        bazaar.server.server_close()
        thread.join()


class Tokens:
    """Page by a token in the answer; how many come at once is a part of the question."""

    def next(self, request: Request, answer: Json) -> Request | None:
        if "next" not in answer:
            raise BadPayload("The answer does not say whether there is a next page.")
        return None if answer["next"] is None else replace(request, query={**request.query, "after": answer["next"]})

    def resized(self, request: Request, size: int) -> Request:
        return replace(request, size=size, query={**request.query, "limit": str(size)})


def classify(response: Response) -> Fault | None:
    wait = response.headers.get("retry-after")
    if response.status == 429:
        return QuotaUsedUp("Bazaar takes no more for now.", after=int(wait or 60))
    if response.status >= 500:
        return RetryLater(f"Bazaar answered {response.status}.", after=None if wait is None else int(wait))
    return {
        401: NeedsReauth("Bazaar no longer takes this token. Connect the account again."),
        403: Denied("The token may not read orders. Grant “read_orders”.", scopes=("read_orders",)),
        410: Expired("Bazaar no longer takes this page's token."), 413: TooBig("Bazaar does not answer so much at once."),
        404: BadPayload("Bazaar has no such page."), 400: BadPayload("Bazaar does not understand the question."),
    }.get(response.status)  # fmt: skip


def time_of(record: Json, name: str) -> datetime:
    try:
        return datetime.fromisoformat(record[name])
    except (KeyError, TypeError, ValueError) as error:
        raise BadPayload(f"“{name}” is missing or no time.") from error


def facts_of(record: Json, context: Context) -> list[OrderFact]:
    """Map an order: its lines are sold when it is placed and paid at once; refunds come by `complete`."""
    try:
        lines = [
            LineFact(line["id"], line["quantity"], tenk(Decimal(line["price"])), line["sku"], line["sku"], line["title"]) for line in record["lines"]
        ]
        total, number, currency = tenk(Decimal(record["total"])), record["name"], record["currency"]
    except (KeyError, TypeError, ArithmeticError) as error:
        raise BadPayload(f"The order has no {error}.") from error
    placed = time_of(record, "placed")
    sales = [
        SaleFact(f"s{line.external_id}", placed, SaleKind.ORDER, SaleType.PRODUCT, line.unit_price * line.quantity, line.external_id, line.quantity)
        for line in lines
    ]
    sales += [
        SaleFact(refund["id"], time_of(refund, "at"), SaleKind.REFUND, SaleType.PRODUCT, -tenk(Decimal(refund["amount"])), lines[0].external_id, -1)
        for refund in record.get("refunds", ())
    ]
    return [
        OrderFact(
            "bazaar", record["id"], number, placed, currency, FinancialStatus.PAID, "online", tuple(lines), tuple(sales),
            (PaymentFact("p1", placed, PaymentKind.SALE, PaymentStatus.SUCCESS, total, "bazaar-pay"),), updated_at=time_of(record, "changed"),
            stated_total=total,
        )
    ]  # fmt: skip


def items(answer: Json) -> list[Json]:
    if not isinstance(answer.get("orders"), list):
        raise BadPayload("The answer holds no orders.")
    found: list[Json] = answer["orders"]
    return found


def identity(record: Json) -> str:
    if not isinstance(record.get("id"), str):
        raise BadPayload("The order has no id.")
    return str(record["id"])


def span(window: Window) -> dict[str, str]:
    return {**({"since": window.since.isoformat()} if window.since else {}), "until": window.until.isoformat()}


def probe(send: Send) -> AccountInfo:
    answer = send(Request(path="/shop")).json()
    return AccountInfo(ref=answer["ref"], name=answer["name"], currency="EUR", zone="UTC", scopes=("read_orders",))


PAGE = 10
ORDERS = Stream(
    name="orders", label="orders", request=lambda window: Request(path="/orders", query={**span(window), "limit": str(PAGE)}, size=PAGE),
    pages=Tokens(), items=items, identity=identity, map=facts_of, every=timedelta(minutes=5),
    cursor=Cursor(changed_at=lambda record: time_of(record, "changed"), overlap=OVERLAP, settle=SETTLE), scopes=("read_orders",),
    personal=frozenset({"email", "address"}), count=lambda window: Request(path="/count", query=span(window)),
    counted=lambda answer: int(answer["count"]),
)  # fmt: skip


def connector(*streams: Stream) -> Connector:
    """Describe Bazaar with some streams."""
    return Connector(
        platform="bazaar", label="Bazaar", account_label="Account", account_ref=str.lower, base_url=lambda account: f"https://{account}.bazaar.example",
        hosts=("*.bazaar.example", "files.bazaar.example"), scopes=("read_orders",), consent=None,
        keys=(Key(name="token", label="Token", settings=(Setting(name="token", label="Token"),), granted=lambda told: Grant(secrets=told)),),
        headers=lambda secrets: {"X-Token": secrets["token"]}, pace=Unpaced(), classify=classify, probe=probe, streams=streams,
    )  # fmt: skip


COMPARISON = Comparison(
    request=lambda window: Request(path="/list", query={**span(window), "limit": "20"}), pages=Tokens(), items=items,
    told=lambda record: Told(id=identity(record), changed_at=time_of(record, "changed"), total=Decimal(record["total"])),
)  # fmt: skip
AGAIN = Again(request=lambda ids: Request(path="/some", query={"ids": ",".join(ids)}), found=items, at_once=3)
COMPARED = replace_stream(ORDERS, comparison=COMPARISON, again=AGAIN)
BAZAAR = connector(ORDERS)
