"""Answer deliveries ahead of Django: one durable row over a kept connection, no middleware, no session, no ORM.

Whoever serves puts `Front` around its WSGI application. What was written down is rung for by a thread of the process, some
times a second at most, so that a flood of deliveries asks for one job and not for thousands.
"""

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
import structlog
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from connectors.webhooks import deliveries, doors, tasks
from connectors.webhooks.accepting import UNAVAILABLE, Asked, Away, Row, accept
from connectors.webhooks.doors import Door, Doors, Refusals

log = structlog.get_logger(__name__)

PREFIX = "/webhooks/"
RING_EVERY = 0.2
"""Seconds between two looks at what is to be rung for; whoever rings after a silence is heard at once."""
LONGEST_END = 3.0
"""Seconds that a process which ends waits for its last ring."""
AWAY_FOR = 1.0
"""Seconds before the database is asked again that was away."""
CONNECT_SECONDS = 3
"""A platform hangs up after five."""
PREPARE_AFTER = 5
NAME = "profitpeek webhooks"
"""How the database's list of connections calls ours."""
OURS = (
    "host",
    "port",
    "dbname",
    "user",
    "password",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "service",
    "passfile",
    "tcp_user_timeout",
    "options",
)
"""What of Django's parameters a connection of our own is opened with; the others are Django's own."""

Start = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def asked_of(wsgi: Mapping[str, Any]) -> Asked | None:
    """Return the delivery in a WSGI request; None where its address is none of deliveries."""
    path = str(wsgi.get("PATH_INFO", ""))
    if not path.startswith(PREFIX):
        return None
    platform, _, token = path[len(PREFIX) :].partition("/")
    length = wsgi.get("CONTENT_LENGTH") or ""
    known = int(length) if length.isascii() and length.isdigit() else None
    if known is None and not wsgi.get("wsgi.input_terminated"):
        # Nothing says where the body ends: there is none.
        known = 0
    headers = {name[5:].replace("_", "-").lower(): value for name, value in wsgi.items() if name.startswith("HTTP_")}
    return Asked(str(wsgi.get("REQUEST_METHOD", "")), platform, token, headers, known, wsgi["wsgi.input"].read)


class Front:
    """Answers deliveries, and passes everything else on."""

    def __init__(self, application: Application, inbox: "KeptInbox | None" = None) -> None:
        self._application, self._inbox = application, inbox or KeptInbox()

    def __call__(self, wsgi: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Answer one request."""
        asked = asked_of(wsgi)
        if asked is None:
            return self._application(wsgi, start_response)
        try:
            reply = accept(asked, self._inbox, now=datetime.now(UTC))
        except Exception as error:
            # Never acknowledged; its text may quote a body.
            log.error("webhooks.accept_failed", platform=asked.platform, error=type(error).__name__)
            reply = UNAVAILABLE
        body = b"" if asked.method == "HEAD" else reply.text.encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
        start_response(reply.status, [*headers, *reply.headers])
        return [body]


class KeptInbox:
    """Writes deliveries down over a connection that each thread keeps."""

    def __init__(self) -> None:
        self.doors = Doors(_looked)
        self._refusals = Refusals(_refused)
        self._kept = threading.local()
        self._ringer = Ringer(tasks.ring)

    def write(self, row: Row) -> None:
        """Write a delivery down, durably; raise Away when that cannot be done now."""
        for last in (False, True):
            try:
                self._cursor().execute(deliveries.INSERT, row)
                return
            except psycopg.Error as error:
                self.close_thread()
                # A connection may have died since it was last used: a new one is tried once. The row is written once whatever comes.
                if last or not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                    log.error("webhooks.not_written", error=type(error).__name__)
                    raise Away from error

    def ring(self, connection: int) -> None:
        """See to it that what was written down is looked at within a moment."""
        self._ringer.ring(connection)

    def refuse(self, connection: int) -> None:
        """Count a delivery that was not signed."""
        self._refusals.add(connection)

    def close(self) -> None:
        """Ring for what was written down, and close what this thread has open."""
        self._ringer.close()
        self.close_thread()

    def close_thread(self) -> None:
        """Close the connection that this thread keeps."""
        kept = getattr(self._kept, "connection", None)
        if kept is not None:
            kept.close()
            self._kept.connection = None

    def _cursor(self) -> "psycopg.Cursor[Any]":
        kept: psycopg.Connection[Any] | None = getattr(self._kept, "connection", None)
        if kept is None or kept.closed:
            given = connections["default"].get_connection_params()
            # Statements are prepared unless that was switched off, as behind a pool of connections it has to be.
            threshold = connections["default"].settings_dict["OPTIONS"].get("prepare_threshold", PREPARE_AFTER)
            own = {name: given[name] for name in OURS if name in given}
            kept = psycopg.connect(**own, connect_timeout=CONNECT_SECONDS, application_name=NAME, autocommit=True, prepare_threshold=threshold)
            self._kept.connection, self._kept.cursor = kept, kept.cursor()
        cursor: psycopg.Cursor[Any] = self._kept.cursor
        return cursor


def _looked() -> dict[str, Door]:
    """Look at the doors through Django, which no request of its own tells when its connection is too old."""
    connections["default"].close_if_unusable_or_obsolete()
    try:
        return doors.load()
    except (DatabaseError, InterfaceError) as error:
        connections["default"].close()
        raise Away from error


def _refused(counts: Mapping[int, int]) -> None:
    try:
        doors.note_refused(counts, now=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        # It is but a count; the delivery is refused all the same.
        connections["default"].close()
        log.warning("webhooks.refused_not_counted", error=type(error).__name__)


class Ringer:
    """Rings for connections from a thread of its own: what comes within a moment is rung for once."""

    def __init__(self, ring: Callable[[int], None], *, every: float = RING_EVERY) -> None:
        self._ring, self._every = ring, every
        self._lock, self._some = threading.Lock(), threading.Event()
        self._asked: set[int] = set()
        self._thread: threading.Thread | None = None
        self._ended = False

    def ring(self, connection: int) -> None:
        """Ring for a connection soon. What is lost with the process is found by the recurring look at what waits."""
        with self._lock:
            self._asked.add(connection)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="webhooks' doorbell", daemon=True)
                self._thread.start()
                # A process that is told to end, as each is after some thousand requests, rings before it does.
                atexit.register(self.close)
        self._some.set()

    def close(self) -> None:
        """Ring for what was asked for, and end the thread."""
        self._ended = True
        self._some.set()
        if self._thread is not None:
            self._thread.join(timeout=LONGEST_END)

    def _run(self) -> None:
        while not self._ended or self._asked:
            self._some.wait()
            self._some.clear()
            with self._lock:
                asked, self._asked = self._asked, set()
            try:
                connections["default"].close_if_unusable_or_obsolete()
                for connection in sorted(asked):
                    self._ring(connection)
            except Exception as error:
                log.warning("webhooks.not_rung", error=type(error).__name__)
                connections["default"].close()
                with self._lock:
                    self._asked |= asked
                self._some.set()
                time.sleep(AWAY_FOR)
            time.sleep(self._every)
        connections["default"].close()
