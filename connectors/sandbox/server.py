"""Serve the simulated platforms over HTTP: several shops, several requests at once, and a door for those who control it."""

import gzip
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from graphql import GraphQLSchema

from connectors.sandbox import control, shopify_counter, shopify_oauth
from connectors.sandbox.answers import Answer, as_json
from connectors.sandbox.clock import Clock
from connectors.sandbox.shopify_schema import API_VERSION
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.troubles import DOWNLOAD

SERVED = ("2026-01", "2026-04", "2026-07", API_VERSION, "unstable")
PASSED = ("2025-01", "2025-04", "2025-07", "2025-10")
"""Versions that are over: a request for one is answered by the oldest that is still served."""
MOST_BODY = 2_000_000
WORTH_ZIPPING = 2_000
CHUNK = 1 << 16


class Sandbox:
    """Hold a clock and the shops it rules. As a context it serves them on a port of this machine."""

    def __init__(self, clock: Clock | None = None, *, zipped: bool = True) -> None:
        self.clock, self.zipped = clock or Clock(), zipped
        self.shops: dict[str, Shop] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        self._server: ThreadingHTTPServer | None = None
        self.address = ""

    def add_shop(
        self, domain: str, rows: WorldRows, *, app: App, plan: str = "standard", seed: str = "1", schema: GraphQLSchema | None = None
    ) -> Shop:
        """Add a shop of Shopify's with the one app that may be installed in it."""
        folder = Path(self._folder.name) / domain
        folder.mkdir()
        shop = Shop(domain, rows, clock=self.clock, app=app, folder=folder, plan=plan, seed=seed, schema=schema)
        shop.base_url = f"{self.address}/shops/{domain}"
        self.shops[domain] = shop
        return shop

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Begin to serve in the background; port 0 takes a free one."""
        sandbox = self

        class Bound(Handler):
            def sandbox(self) -> Sandbox:
                return sandbox

        self._server = _Server((host, port), Bound)
        self.address = f"http://{host}:{self._server.server_address[1]}"
        for domain, shop in self.shops.items():
            shop.base_url = f"{self.address}/shops/{domain}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop serving and remove what was written."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for shop in self.shops.values():
            shop.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        self.serve()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request."""
        parts = urlsplit(target)
        steps = parts.path.strip("/").split("/")
        if steps[0] == "sandbox":
            if not shopify_counter.comes_from_here(headers):
                return as_json({"error": "The request came from another site's page."}, 403)
            return control.answer(self, method, steps[1:], body)
        if steps[0] != "shops" or len(steps) < 2 or steps[1] not in self.shops:
            return _not_found()
        return _of_shop(self.shops[steps[1]], method, steps[2:], shopify_oauth.dict_of(parts.query), headers, body)


def _not_found() -> Answer:
    return Answer(404, b"<html><body><h1>404</h1><p>There is nothing here.</p></body></html>", {"Content-Type": "text/html; charset=utf-8"})


def _of_shop(shop: Shop, method: str, steps: list[str], query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
    """Answer a request to a shop's own address."""
    match steps:
        case ["admin", "oauth", "authorize"] if method in ("GET", "POST"):
            form = shopify_oauth.dict_of(body.decode("utf-8", "replace"))
            return shopify_oauth.authorize(shop, method, query, form)
        case ["admin", "oauth", "access_token"] if method == "POST":
            return shopify_oauth.access_token(shop, headers.get("Content-Type", ""), body)
        case ["admin", "api", version, "graphql.json"] if method == "POST" and version in (*SERVED, *PASSED):
            answer = shop.graphql(headers.get("X-Shopify-Access-Token", ""), body)
            answer.headers["X-Shopify-API-Version"] = version if version in SERVED else SERVED[0]
            return answer
        case ["admin"] if method == "GET":
            return shopify_oauth.admin(shop)
        case ["counter"] if method in ("GET", "POST"):
            return shopify_counter.answer(shop, method, query, headers, body)
        case ["bulk", name] if method == "GET":
            return _bulk_file(shop, name)
    return _not_found()


def _bulk_file(shop: Shop, name: str) -> Answer:
    """Answer a bulk operation's file; nothing but its address is needed, until it is a week old."""
    number = name.removesuffix(".jsonl")
    path = shop.bulk.file(int(number)) if number.isdigit() else None
    if path is None:
        gone = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message></Error>"
        return Answer(400, gone, {"Content-Type": "application/xml; charset=UTF-8"})
    cut = shop.troubles.strike(DOWNLOAD).get("download_cut")
    keep = cut.settings.get("keep", path.stat().st_size // 2) if cut else None
    return Answer(200, b"", {"Content-Type": "application/jsonl"}, keep=keep, path=path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who hang up; everything else is a fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Read a request, let the sandbox answer it, and write the answer, whole or as its troubles want it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = CHUNK

    def sandbox(self) -> Sandbox:
        """Return the sandbox that is served."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the sandbox keeps its own list of requests."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BODY:
            self.close_connection = True
            self._send(as_json({"errors": "Payload Too Large"}, 413))
            return
        body = self.rfile.read(int(length))
        try:
            answer = self.sandbox().answer(self.command, self.path, dict(self.headers.items()), body)
        except Exception as error:  # a fault of the sandbox itself must not look like one of the network
            traceback.print_exc()
            answer = as_json({"errors": f"The sandbox itself failed: {error!r}"}, 500)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        if answer.delay:
            time.sleep(answer.delay / 1000)
        if answer.path is not None:
            self._send_file(answer, answer.path)
            return
        body = answer.body
        if self.sandbox().zipped and len(body) > WORTH_ZIPPING and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            answer.headers["Content-Encoding"] = "gzip"
        self._head(answer, len(body))
        if answer.keep is not None:
            body, self.close_connection = body[: min(answer.keep, len(body) - 1)], True
        self.wfile.write(body)
        self.wfile.flush()

    def _send_file(self, answer: Answer, path: Path) -> None:
        left = size = path.stat().st_size
        self._head(answer, size)
        if answer.keep is not None:
            left, self.close_connection = min(left, answer.keep), True
        with path.open("rb") as file:
            while left and (chunk := file.read(min(CHUNK, left))):
                self.wfile.write(chunk)
                left -= len(chunk)
        self.wfile.flush()

    def _head(self, answer: Answer, length: int) -> None:
        sandbox = self.sandbox()
        self.send_response_only(answer.status)
        domain = self.path.split("/")[2] if self.path.startswith("/shops/") else ""
        now = sandbox.shops[domain].wall() if domain in sandbox.shops else sandbox.clock.wall()
        self.send_header("Date", format_datetime(now, usegmt=True))
        self.send_header("X-Request-Id", f"{threading.get_ident():x}-{time.monotonic_ns():x}")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
