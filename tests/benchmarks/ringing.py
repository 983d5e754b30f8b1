"""Ring at a door as fast as it answers, over some connections, from a program of its own; print what was answered, and how fast.

Arguments: host, port, path, secret, connections, seconds, and what the deliveries' numbers begin with.
"""

import base64
import hashlib
import hmac
import json
import selectors
import socket
import sys
import time

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nX-Shopify-Topic: orders/updated\r\n"
    "X-Shopify-Shop-Domain: small-shop.myshopify.com\r\nX-Shopify-API-Version: 2026-10\r\nX-Shopify-Hmac-Sha256: {signature}\r\n"
    "X-Shopify-Triggered-At: {at}\r\nX-Shopify-Event-Id: {number}\r\nX-Shopify-Webhook-Id: "
)


class Line:
    """One connection, and the request that is under way on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address, self.socket = address, socket.create_connection(address)
        self.since, self.answer = 0.0, b""

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self.since, self.answer = time.perf_counter(), b""
        self.socket.sendall(request)

    def hear(self) -> int | None:
        """Read on; return the status once the answer is whole, 0 when the connection ended."""
        piece = self.socket.recv(65_536)
        if not piece:
            return 0
        self.answer += piece
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return None
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        return int(head[9:12]) if len(body) >= length else None


def main() -> None:
    """Ring."""
    host, port, path, secret, connections, seconds, name = sys.argv[1:]
    body = json.dumps(
        {"id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001", "note": "x" * 2_200, "updated_at": "2026-11-25T12:00:00Z"}
    ).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    head = HEAD.format(path=path, host=host, port=port, length=len(body), signature=signature, at=at, number=name).encode()
    chosen, number = selectors.DefaultSelector(), 0
    statuses: dict[int, int] = {}
    took: list[float] = []

    def ask(line: Line) -> None:
        nonlocal number
        number += 1
        line.ask(head + f"{name}-{number}\r\n\r\n".encode() + body)

    begun = time.perf_counter()
    for _ in range(int(connections)):
        line = Line((host, int(port)))
        chosen.register(line.socket, selectors.EVENT_READ, line)
        ask(line)
    waiting = int(connections)
    while waiting:
        for key, _ in chosen.select(timeout=30):
            line = key.data
            status = line.hear()
            if status is None:
                continue
            now = time.perf_counter()
            statuses[status] = statuses.get(status, 0) + 1
            took.append(now - line.since)
            if now - begun >= float(seconds):
                chosen.unregister(line.socket)
                waiting -= 1
                continue
            if not status:
                chosen.unregister(line.socket)
                line = Line(line.address)
                chosen.register(line.socket, selectors.EVENT_READ, line)
            ask(line)
    took.sort()
    told = {"statuses": statuses, "per_second": len(took) / (time.perf_counter() - begun)}
    told |= {f"p{share}": took[len(took) * share // 100] * 1e3 for share in (50, 99)}
    print(json.dumps(told))  # noqa: T201


main()
