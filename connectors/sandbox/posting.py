"""Post to an address within a time limit, as platforms call those who asked to be told."""

import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

CONNECT, WHOLE = 1.0, 5.0
"""Seconds to connect, and seconds for all."""
MOST = 65_536


def post(uri: str, headers: Mapping[str, str], body: bytes, *, connect: float = CONNECT, whole: float = WHOLE) -> int | None:
    """Post a body and return the status of the answer; None where none came in time. Redirects are not followed."""
    ends = time.monotonic() + whole
    parts = urlsplit(uri)
    secure, host = parts.scheme == "https", parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {' '.join(value.split())}" for name, value in headers.items()]
    asked = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    try:
        with socket.create_connection((host, parts.port or (443 if secure else 80)), timeout=connect) as plain:
            plain.settimeout(connect)
            line = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
            with line:
                line.settimeout(max(ends - time.monotonic(), 0.001))
                line.sendall(asked)
                return _status(line, ends)
    except (OSError, ValueError):
        return None


def _status(line: socket.socket, ends: float) -> int | None:
    """Read an answer to its end, or to its end of time; return its status."""
    answer = b""
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            return None  # who dribbles is as late as who is silent
        line.settimeout(left)
        read = line.recv(16_384)
        if not read:
            break
        answer += read
        head, found, rest = answer.partition(b"\r\n\r\n")
        if found and (len(rest) >= _length(head) or len(answer) > MOST):
            break
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit() else None


def _length(head: bytes) -> int:
    """Return how long an answer's body says it is; more than is ever read where it does not say."""
    for field in head.split(b"\r\n")[1:]:
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return MOST
