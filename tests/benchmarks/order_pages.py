"""Make pages of orders as Shopify answers them, and serve them: a program of its own, so that its work is not counted.

Run as `python -m tests.benchmarks.order_pages FOLDER`; it prints its address and serves until its input is closed.
"""

import json
import re
import sys
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REAL = 1_000
"""Orders that the sandbox makes; more are these again under other numbers."""
AT_ONCE = 250
_GID = re.compile(rb"(gid:(?:\\?/){2}shopify(?:\\?/)[A-Za-z]+(?:\\?/))(\d+)")
_NAME = re.compile(rb'("name": ?"#)(\d+)')


def make(folder: Path, count: int) -> None:
    """Write pages of so many orders into a folder."""
    from datetime import UTC, datetime

    import requests

    from connectors.platforms.shopify.connector import ORDERS
    from connectors.sandbox.clock import Clock
    from connectors.sandbox.server import Sandbox
    from connectors.sandbox.shopify_access import KNOWN_SCOPES
    from connectors.sandbox.shopify_tokens import App
    from connectors.sandbox.shopify_world import WorldRows
    from connectors.sandbox.world import World
    from connectors.spec import Window

    folder.mkdir(parents=True, exist_ok=True)
    start = date(2025, 1, 1)
    world = World.live(seed=3, start=start, days=120, orders_per_day=10)
    now = datetime(2025, 5, 20, tzinfo=UTC)
    nodes: list[bytes] = []
    with Sandbox(Clock(now, still=True)) as sandbox:
        shop = sandbox.add_shop("bench.myshopify.com", WorldRows(world), app=App("id", "secret"), plan="enterprise")
        shop.bucket.available = 10**12
        token = shop.tokens.permanent(KNOWN_SCOPES)
        request = ORDERS.request(Window(since=None, until=now + timedelta(days=1)))
        while request is not None and len(nodes) < REAL:
            shop.bucket.available = 10**12
            answer = requests.post(f"{shop.base_url}/{request.path}", json=request.body, headers={"X-Shopify-Access-Token": token}, timeout=60).json()
            nodes += [json.dumps(node).encode() for node in answer["data"]["orders"]["nodes"]]
            request = ORDERS.pages.next(request, answer)
    nodes = nodes[:REAL]
    for number in range(0, count, AT_ONCE):
        wanted = [_numbered(nodes[at % len(nodes)], at // len(nodes)) for at in range(number, min(number + AT_ONCE, count))]
        last = number + AT_ONCE >= count
        info = json.dumps({"hasNextPage": not last, "endCursor": str(number // AT_ONCE + 1)}).encode()
        body = b'{"data": {"orders": {"pageInfo": ' + info + b', "nodes": [' + b", ".join(wanted) + b"]}}}"
        (folder / f"{number // AT_ONCE}.json").write_bytes(body)
    (folder / "count").write_text(str(count))


def _numbered(node: bytes, copy: int) -> bytes:
    """Return an order under other numbers: those of a copy."""
    if not copy:
        return node
    more = str(copy).encode()
    return _NAME.sub(rb"\g<1>" + more + rb"00\g<2>", _GID.sub(rb"\g<1>" + more + rb"00\g<2>", node))


def serve(folder: Path) -> ThreadingHTTPServer:
    """Serve a folder's pages as Shopify would."""
    count = int((folder / "count").read_text())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "ordersCount" in asked["query"]:
                body = json.dumps({"data": {"ordersCount": {"count": count, "precision": "EXACT"}}}).encode()
            else:
                body = (folder / f"{asked['variables'].get('after') or 0}.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def main() -> None:
    """Serve until the input is closed."""
    server = serve(Path(sys.argv[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201  the parent reads it
    sys.stdin.read()


if __name__ == "__main__":
    main()
