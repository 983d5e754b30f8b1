"""The European Central Bank's file, read from a real server on this machine that does what servers do."""

import gzip
import re
import threading
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from connectors import ecb
from connectors.ecb import RatesUnavailable, fetch_newest
from tests.connectors.fake_bank import FILE, HEAD, PATH, FakeBank, body, open_bank, redirect

ROWS = [
    ("USD", date(2026, 11, 3), Decimal("1.1201")),
    ("JPY", date(2026, 11, 3), Decimal("176.2")),
    ("USD", date(2026, 11, 2), Decimal("1.1185")),
]


@pytest.fixture
def bank(monkeypatch) -> Iterator[FakeBank]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open_bank() as fake:
        yield fake


def fetch(bank: FakeBank) -> list[tuple[str, date, Decimal]]:
    """Fetch the fake bank's file."""
    with requests.Session() as session:
        return fetch_newest(bank.url, session)


def refusal(bank: FakeBank) -> str:
    """Fetch the fake bank's file and return why it is refused."""
    with pytest.raises(RatesUnavailable) as refused:
        fetch(bank)
    return refused.value.reason


def test_the_banks_file_is_read_to_the_last_digit(bank):
    assert fetch(bank) == ROWS


def test_compressed_answer_is_read(bank):
    bank.serves(body(gzip.compress(FILE.encode()), Content_Encoding="gzip"))
    assert fetch(bank) == ROWS


def test_byte_order_mark_is_no_obstacle(bank):
    bank.serves(body("\ufeff" + FILE))
    assert fetch(bank) == ROWS


def test_redirect_on_the_same_host_is_followed(bank):
    bank.serves(redirect("/moved.xml"))
    bank.answers["/moved.xml"] = body(FILE)
    assert fetch(bank) == ROWS
    assert bank.asked == [PATH, "/moved.xml"]


@pytest.mark.parametrize("to", ["http://localhost:{port}/x.xml", "http://127.0.0.1:1/x.xml", "ftp://127.0.0.1:{port}/x.xml", "//example.org/x.xml"])
def test_redirect_to_another_place_is_refused_unvisited(bank, to: str):
    target = to.format(port=bank.server.server_port)
    bank.serves(redirect(target))
    assert refusal(bank) == f"127.0.0.1 redirects to another place: {'http:' if to.startswith('//') else ''}{target}"
    assert bank.asked == [PATH]


def test_redirect_to_no_address_is_refused(bank):
    bank.serves(redirect("http://127.0.0.1:port/"))
    assert refusal(bank) == "127.0.0.1 redirects to no address: http://127.0.0.1:port/"


def test_redirect_in_a_circle_ends(bank):
    bank.serves(redirect(PATH))
    assert refusal(bank) == "127.0.0.1 redirects again and again"
    assert len(bank.asked) == 4


@pytest.mark.parametrize("status", [204, 404, 500, 503])
def test_answer_other_than_200_is_a_failure(bank, status: int):
    bank.serves(body(FILE if status != 204 else "", status=status))
    assert refusal(bank) == f"127.0.0.1 answered {status} instead of a file"


def test_body_that_breaks_off_is_a_failure(bank):
    bank.serves(body(FILE, length=len(FILE) + 1))
    assert refusal(bank) == "127.0.0.1 could not be read (ProtocolError)"


def test_file_that_was_cut_before_it_was_sent_is_a_failure(bank):
    bank.serves(body(FILE[:-60]))
    assert re.fullmatch(r"the answer is not the European Central Bank's file of rates: .+: line \d+, column \d+", refusal(bank))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no element found: line 1, column 0"),
        ("<html><body>Maintenance</body></html>", "it has no rates"),
        (HEAD + "<Cube></Cube></gesmes:Envelope>", "it has no rates"),
        (FILE.replace('"1.1201"', '"NaN"'), "'NaN' is not a rate"),
        (FILE.replace('"1.1201"', '"1e3"'), "'1e3' is not a rate"),
        (FILE.replace('"1.1201"', '"1,1201"'), "'1,1201' is not a rate"),
        (FILE.replace('"1.1201"', '"١"'), "'١' is not a rate"),
        (FILE.replace("2026-11-02", "2 November"), "Invalid isoformat string: '2 November'"),
        (FILE.replace('rate="1.1201"', ""), "'' is not a rate"),
        (FILE.replace('time="2026-11-02"', ""), "Invalid isoformat string: ''"),
        (FILE.encode("utf-16"), "encoding specified in XML declaration is incorrect: line 1, column 31"),
        (FILE.replace("UTF-8", "klingon"), "unknown encoding: klingon"),
    ],
)
def test_wrong_content_is_a_failure(bank, text: str | bytes, reason: str):
    bank.serves(body(text))
    assert refusal(bank) == f"the answer is not the European Central Bank's file of rates: {reason}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_xml_bomb_is_refused_at_its_first_declaration_in_any_encoding(bank, encoding: str):
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 20))
    bank.serves(body(f'<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY l0 "lol">{levels}]><bomb>&l19;</bomb>'.encode(encoding)))
    assert refusal(bank) == "the answer is not the European Central Bank's file of rates: it declares a document type"


@pytest.mark.parametrize("document_type", ['<!DOCTYPE a SYSTEM "file:///etc/passwd">', "<!DOCTYPE a>", "<!DOCTYPE a [<!ELEMENT a ANY>]>"])
def test_any_document_type_is_refused(bank, document_type: str):
    bank.serves(body(FILE.replace("?>", f"?>{document_type}", 1)))
    assert refusal(bank) == "the answer is not the European Central Bank's file of rates: it declares a document type"


@pytest.mark.parametrize("compressed", [False, True])
def test_answer_larger_than_five_megabytes_is_refused(bank, compressed: bool):
    text = (FILE + " " * ecb.LARGEST_BODY).encode()
    bank.serves(body(gzip.compress(text), Content_Encoding="gzip") if compressed else body(text))
    assert refusal(bank) == "127.0.0.1 sent more than 5,000,000 bytes"


def test_server_that_does_not_answer_is_given_up(bank, monkeypatch):
    monkeypatch.setattr(ecb, "READ_SECONDS", 0.1)
    released = threading.Event()
    bank.serves(lambda request: released.wait(10) and None)
    assert refusal(bank) == "127.0.0.1 could not be read (ReadTimeout)"
    released.set()


def test_server_that_stops_in_the_body_is_given_up(bank, monkeypatch):
    monkeypatch.setattr(ecb, "READ_SECONDS", 0.1)
    released = threading.Event()

    def stop_half_way(request: BaseHTTPRequestHandler) -> None:
        body(FILE[:200], length=len(FILE))(request)
        request.wfile.flush()
        released.wait(10)

    bank.serves(stop_half_way)
    assert refusal(bank) == "127.0.0.1 could not be read (ReadTimeoutError)"
    released.set()


def test_server_that_sends_a_byte_now_and_then_is_given_up(bank, monkeypatch):
    monkeypatch.setattr(ecb, "DOWNLOAD_SECONDS", 0.2)

    sent = []

    def drip(request: BaseHTTPRequestHandler) -> None:
        body("", length=len(FILE))(request)
        try:
            for byte in FILE.encode():
                request.wfile.write(bytes([byte]))
                sent.append(byte)
                time.sleep(0.02)
        except OSError:
            pass  # the client has hung up, as it should

    bank.serves(drip)
    assert refusal(bank) == "127.0.0.1 had not sent the whole file after 0.2 seconds"
    assert len(sent) < len(FILE)


def test_server_that_is_not_there_is_a_failure():
    with requests.Session() as session, pytest.raises(RatesUnavailable, match=r"^127\.0\.0\.1 could not be read \(ConnectionError\)$"):
        session.trust_env = False
        fetch_newest("http://127.0.0.1:1/", session)
