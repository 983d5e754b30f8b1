"""Large files are fetched whole or not at all, go on where they were cut, and hold nobody who is sent them drop by drop."""

import gzip
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from connectors.faults import BadPayload, Expired, RetryLater
from connectors.reading import downloading
from connectors.reading.downloading import TooSlow, Unfinished

BODY = b"".join(b'{"line": %d}\n' % number for number in range(20_000))


@dataclass
class Shelf:
    """One file on a server, and how it is handed over."""

    body: bytes = BODY
    tag: str = '"one"'
    ranges: bool = True
    cuts_at: int | None = None
    """Once, the connection is closed after so many bytes."""
    drips: bool = False
    """The first answer comes byte by byte."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    """Range and If-Range of each request."""
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def open_shelf() -> Iterator[Shelf]:
    """Serve a file until the block ends."""
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, known = self.headers.get("Range"), self.headers.get("If-Range")
            shelf.asked.append((wanted, known))
            start = int(re.findall(r"bytes=(\d+)-", wanted)[0]) if wanted and shelf.ranges and known == shelf.tag else 0
            self.send_response(206 if start and shelf.status == 200 else shelf.status)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(shelf.body) - 1}/{len(shelf.body)}")
            for name, value in {"Content-Length": str(len(shelf.body) - start), "ETag": shelf.tag, **shelf.headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            body, cut = shelf.body[start:], shelf.cuts_at
            shelf.cuts_at = None
            try:
                if shelf.drips:
                    shelf.drips = False
                    self.wfile.write(body[:1000])
                    for number in range(1000, len(body)):
                        if shelf.over.wait(0.02):
                            break
                        self.wfile.write(body[number : number + 1])
                else:
                    self.wfile.write(body[:cut])
            except OSError:
                pass  # whoever fetched has hung up, as they should

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_port}/file"
    try:
        yield shelf
    finally:
        shelf.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with open_shelf() as shelf:
        yield shelf


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "0.jsonl"


def fetch(shelf: Shelf, to: Path, *, seconds: float = 60.0) -> list[int]:
    """Fetch the file, and return the sizes that were told."""
    told: list[int] = []
    with requests.Session() as session:
        assert downloading.fetch(session, "Bazaar", shelf.url, to, told=told.append, seconds=seconds) == to.stat().st_size
    return told


def left(to: Path) -> list[str]:
    return sorted(path.name for path in to.parent.iterdir())


def test_a_file_that_is_cut_is_gone_on_with(shelf: Shelf, to: Path) -> None:
    shelf.cuts_at = 100_000
    with pytest.raises(RetryLater, match="The connection to Bazaar broke under a file: "):
        fetch(shelf, to)
    assert left(to) == ["0.draft", "0.validator"]
    had = (to.parent / "0.draft").stat().st_size
    told = fetch(shelf, to)
    assert shelf.asked == [(None, None), (f"bytes={had}-", '"one"')]
    assert (had, to.read_bytes() == BODY, told[-1], left(to)) == (100_000, True, len(BODY), ["0.jsonl"])


@pytest.mark.parametrize(
    "change",
    [{"tag": '"two"', "body": BODY[::-1]}, {"ranges": False}],
    ids=["another file is there now", "the server hands over no parts"],
)
def test_what_cannot_be_gone_on_with_begins_anew(shelf: Shelf, to: Path, change: dict[str, object]) -> None:
    shelf.cuts_at = 100_000
    with pytest.raises(RetryLater):
        fetch(shelf, to)
    for name, value in change.items():
        setattr(shelf, name, value)
    fetch(shelf, to)
    assert (to.read_bytes() == shelf.body, left(to)) == (True, ["0.jsonl"])


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_a_file_that_nothing_tells_from_another_begins_anew(shelf: Shelf, to: Path, tag: str) -> None:
    shelf.tag, shelf.cuts_at = tag, 100_000
    with pytest.raises(RetryLater):
        fetch(shelf, to)
    assert left(to) == ["0.draft"]
    fetch(shelf, to)
    assert (shelf.asked, to.read_bytes() == BODY) == ([(None, None)] * 2, True)


def test_a_file_that_was_whole_but_not_named_yet_begins_anew(shelf: Shelf, to: Path) -> None:
    """As a worker leaves it that was killed between the last byte and the name."""
    (to.parent / "0.draft").write_bytes(BODY)
    (to.parent / "0.validator").write_text(shelf.tag)
    shelf.status = 416
    with pytest.raises(RetryLater, match="Bazaar answered 416 instead of the file"):
        fetch(shelf, to)
    shelf.status = 200
    fetch(shelf, to)
    assert (to.read_bytes() == BODY, left(to)) == (True, ["0.jsonl"])


@pytest.mark.parametrize("encoding", ["", "gzip"], ids=["a packed file", "packed on the way"])
def test_a_packed_file_is_unpacked_and_begins_anew_when_it_is_cut(shelf: Shelf, to: Path, encoding: str) -> None:
    shelf.body, shelf.headers, shelf.cuts_at = gzip.compress(BODY), {"Content-Encoding": encoding}, 20_000
    with pytest.raises(RetryLater):
        fetch(shelf, to)
    assert left(to) == ["0.draft"]
    fetch(shelf, to)
    assert (shelf.asked, to.read_bytes() == BODY, left(to)) == ([(None, None)] * 2, True, ["0.jsonl"])


@pytest.mark.parametrize("body", [b"", b"x", b"\x1f", b"\x1f\x8c1"])
def test_the_shortest_files_are_fetched_whole(shelf: Shelf, to: Path, body: bytes) -> None:
    shelf.body = body
    fetch(shelf, to)
    assert to.read_bytes() == body


def test_a_packed_file_that_is_none_is_refused(shelf: Shelf, to: Path) -> None:
    shelf.body = b"\x1f\x8bnonsense"
    with pytest.raises(BadPayload, match="The file cannot be unpacked"):
        fetch(shelf, to)


def test_a_file_that_is_there_no_more_is_asked_for_anew(shelf: Shelf, to: Path) -> None:
    shelf.status = 403
    with pytest.raises(Expired, match=r"The file that Bazaar had made is there no more \(403\)"):
        fetch(shelf, to)


def test_a_server_that_drips_a_file_holds_nobody(shelf: Shelf, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "SLOW_SECONDS", 0.1)
    shelf.drips = True
    with pytest.raises(TooSlow, match=r"Of a file only [\d,]+ bytes came in 0 s."):
        fetch(shelf, to)
    had = (to.parent / "0.draft").stat().st_size
    fetch(shelf, to)
    assert (shelf.asked[1], to.read_bytes() == BODY) == ((f"bytes={had}-", '"one"'), True)


@pytest.mark.parametrize(("tag", "fault"), [('"one"', Unfinished), ("", TooSlow)])
def test_a_file_that_takes_longer_than_a_run_is_gone_on_with_by_the_next(shelf: Shelf, to: Path, tag: str, fault: type[Exception]) -> None:
    shelf.drips, shelf.tag = True, tag
    with pytest.raises(fault, match=r"A file was not whole after 0 s\."):
        fetch(shelf, to, seconds=0.05)
    fetch(shelf, to)
    assert to.read_bytes() == BODY
