"""Be the European Central Bank: a real server on this machine that answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
"""
FILE = (
    HEAD
    + '<Cube><Cube time="2026-11-03"><Cube currency="USD" rate="1.1201"/><Cube currency="JPY" rate="176.2"/></Cube>'
    + '<Cube time="2026-11-02"><Cube currency="USD" rate="1.1185"/></Cube></Cube></gesmes:Envelope>'
)
PATH = "/eurofxref-hist-90d.xml"


def body(text: str | bytes, *, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    """Answer with a body; a length beyond it makes the client see the connection break off."""
    sent = text if isinstance(text, bytes) else text.encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(sent) if length is None else length))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(sent)

    return answer


def redirect(to: str) -> Answer:
    """Answer that the file is elsewhere."""
    return body("", status=302, Location=to)


class FakeBank:
    """Answer each path as a test says, and remember which were asked for."""

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        bank = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bank.asked.append(self.path)
                bank.answers.get(self.path, body("", status=404))(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"

    def serves(self, answer: Answer) -> None:
        """Answer the file's own address so."""
        self.answers[PATH] = answer


@contextmanager
def open_bank() -> Iterator[FakeBank]:
    """Run a bank that serves the file above, until the block ends."""
    fake = FakeBank()
    fake.serves(body(FILE))
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
        thread.join()
