"""What a platform answers is not trusted: where it sends us, how deep it nests, and how slowly it talks."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from connectors.faults import BadPayload, RetryLater
from connectors.http import Client, ForeignHost
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.platforms.shopify.refusals import classify
from connectors.spec import Request, Response
from tests.connectors.bazaar import BAZAAR

OWN = "https://north.myshopify.com"


@pytest.mark.parametrize(
    "address",
    [
        # Whoever splits addresses strictly takes this for one host below Shopify's; whoever connects ends the host at the backslash.
        "https://169.254.169.254\\.myshopify.com/latest",
        "https://evil.example\\.myshopify.com/file",
        "https://evil.example\t.myshopify.com/file",
        "https://x@storage.googleapis.com/file",
        "https://x:y@north.myshopify.com/file",
        "https://storage.googleapis.com:22/file",
        "http://storage.googleapis.com/file",
        "https://storage.googleapis.com.evil.example/file",
        "https://ſtorage.googleapis.com/file",
        "https://[::1]/file",
        "https://[::1/file",
        "file:///etc/passwd",
        "://storage.googleapis.com/file",
    ],
)
def test_a_file_is_fetched_from_no_host_but_the_platforms(address: str) -> None:
    with Client(SHOPIFY, OWN, {"access_token": "shpat_1"}) as client, pytest.raises(ForeignHost):
        client.address(address)


def test_a_file_is_fetched_from_the_platforms_hosts() -> None:
    with Client(SHOPIFY, OWN) as client:
        for address in ("https://storage.googleapis.com/shopify/bulk.jsonl?Signature=a%2Fb", "https://north.myshopify.com/file", f"{OWN}/x"):
            assert client.address(address) == address


def test_an_answer_that_nests_without_end_is_refused_as_what_it_is() -> None:
    for content in (b"[" * 500_000, b'{"a":' * 500_000, b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        with pytest.raises(BadPayload, match="The answer is not JSON"):
            Response(status=200, headers={}, content=content).json()


@pytest.mark.parametrize("status", [200, 400])
def test_a_shopify_that_nests_without_end_is_refused_as_what_it_is(status: int) -> None:
    for content in (b'{"data":' + b"[" * 500_000, b'{"errors":[{"extensions":' + b'{"a":' * 500_000):
        assert isinstance(classify(Response(status=status, headers={}, content=content)), BadPayload)


@pytest.mark.parametrize("wait", ["1e300", "99999999999", "86401"])
def test_no_answer_silences_a_connection_for_longer_than_a_day(wait: str) -> None:
    fault = classify(Response(status=429, headers={"retry-after": wait}, content=b""))
    assert isinstance(fault, RetryLater)
    assert fault.after == 86_400
    points = {"requestedQueryCost": 1e300, "throttleStatus": {"currentlyAvailable": 0, "restoreRate": 1e-9}}
    answer = {"errors": [{"extensions": {"code": "THROTTLED"}}], "extensions": {"cost": points}}
    fault = classify(Response(status=200, headers={}, content=json.dumps(answer).encode()))
    assert isinstance(fault, RetryLater)
    assert fault.after == 86_400


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """Serve an answer whose bytes come one by one, a fiftieth of a second apart, until the block ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                self.wfile.write(head)
                while not over.wait(0.02):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            except OSError:
                pass  # the client has hung up, as it should

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    threading.Timer(8, over.set).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
        assert not over.is_set()
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\n"], ids=["no length", "a length"])
def test_a_server_that_drips_bytes_holds_nobody(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.http.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("connectors.http.PAUSES", ())
    with dripping(head) as address, Client(BAZAAR, address) as client, pytest.raises(RetryLater, match="was not whole after"):
        client.send(Request(path="/orders"))
