"""Names that lead into our own network are not asked, whatever they lead to the second time, and certificates are checked by name."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.faults import RetryLater
from connectors.http import Client
from connectors.networks import CheckedAdapter, InnerAddress, addresses_of, is_public
from connectors.platforms.shopify.connector import SHOPIFY
from connectors.spec import Request

SHOP = "north.myshopify.com"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.7",  # noqa: S104
        "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1",
        "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1",
        "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "::7f00:1", "fec0::1", "192.88.99.1",
    ],
)  # fmt: skip
def test_addresses_of_our_own_and_of_private_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["23.227.38.74", "8.8.8.8", "2620:127:f00f:e::", "2a00:1450:4001:81b::201b", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


def test_of_several_addresses_only_the_public_ones_are_asked() -> None:
    assert addresses_of(SHOP, 443, lambda host, port: ["10.0.0.1", "23.227.38.74", "::1"]) == ["23.227.38.74"]


def test_a_host_of_the_sandbox_may_be_inside_and_only_at_the_port_that_the_setting_names(settings: Any) -> None:
    settings.SANDBOX_HOSTS = ["sandbox:8100", "localhost"]
    assert addresses_of("sandbox", 8100, lambda host, port: ["10.0.0.1"]) == ["10.0.0.1"]
    assert addresses_of("localhost", 5, lambda host, port: ["127.0.0.1"]) == ["127.0.0.1"]
    for host, port in (("sandbox", 8101), ("sandbox", 443), (SHOP, 8100)):
        with pytest.raises(InnerAddress, match=f"{host} leads to 10.0.0.1, which is not on the public Internet, so it is not asked."):
            addresses_of(host, port, lambda host, port: ["10.0.0.1"])


class Handler(BaseHTTPRequestHandler):
    """Answers everything, and notes that it was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.headers["Host"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[str]]]:
    """Serve on this machine; yield the port, and the hosts that were asked for."""
    handler = type("Noting", (Handler,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_platforms_host_that_leads_inside_is_not_asked(settings: Any) -> None:
    with serving() as (port, asked):
        for inside in (["127.0.0.1"], ["::ffff:127.0.0.1"], []):
            with (
                Client(SHOPIFY, f"http://{SHOP}:{port}", resolve=lambda host, at, found=inside: found) as client,  # type: ignore[misc]
                pytest.raises(InnerAddress, match=f"{SHOP} leads to .*, which is not on the public Internet"),
            ):
                client.send(Request(path="/x"))
        assert asked == []


def test_a_name_is_looked_up_once_for_a_connection_so_that_no_second_answer_counts(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that was checked is the one that is connected to, even if the next one would be another."""
    settings.SANDBOX_HOSTS = [SHOP]
    looked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["10.0.0.1"]

    looked_up_by_others: list[str] = []
    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args, **more: looked_up_by_others.append(str(host)) or known(host, *args, **more))  # type: ignore[func-returns-value]
    with serving() as (port, asked), Client(SHOPIFY, f"http://{SHOP}:{port}", resolve=resolve) as client:
        client.send(Request(path="/x"))
        assert (looked, asked) == ([SHOP], [f"{SHOP}:{port}"])
    assert SHOP not in looked_up_by_others


def test_a_name_that_is_not_found_is_asked_for_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.http.PAUSES", ())

    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with Client(SHOPIFY, f"https://{SHOP}", resolve=resolve) as client, pytest.raises(RetryLater, match="The connection to Shopify broke"):
        client.send(Request(path="/x"))


def test_the_next_address_is_tried_where_one_does_not_answer(settings: Any) -> None:
    settings.SANDBOX_HOSTS = [SHOP]
    with serving() as (port, asked), Client(SHOPIFY, f"http://{SHOP}:{port}", resolve=lambda host, at: ["127.0.0.2", "127.0.0.1"]) as client:
        client.send(Request(path="/x"))
        assert len(asked) == 1


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for a name; return what a server presents and the file that trusts it."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, str(public)


@pytest.mark.parametrize(("named", "is_right"), [(SHOP, True), ("evil.example", False), ("127.0.0.1.example", False)])
def test_a_certificate_has_to_be_of_the_hosts_name(settings: Any, tmp_path: Path, named: str, is_right: bool) -> None:
    settings.SANDBOX_HOSTS = [SHOP]
    context, trusted = certified(tmp_path, named)
    names: list[str | None] = []
    context.sni_callback = lambda socket, name, context: names.append(name)
    with serving(context) as (port, asked), requests.Session() as session:
        session.mount("https://", CheckedAdapter(lambda host, at: ["127.0.0.1"]))
        if is_right:
            assert session.get(f"https://{SHOP}:{port}/", verify=trusted).json() == {}
        else:
            with pytest.raises(requests.exceptions.SSLError, match="Hostname mismatch"):
                session.get(f"https://{SHOP}:{port}/", verify=trusted)
        assert (names, len(asked)) == ([SHOP], int(is_right))
