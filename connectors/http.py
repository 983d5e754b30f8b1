"""Send a platform's requests: paced, bounded in time and size, to allowed hosts only, and classified into answers and faults."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import requests
import structlog
from urllib3.exceptions import HTTPError, ReadTimeoutError

from connectors.faults import BadPayload, QuotaUsedUp, RetryLater
from connectors.networks import CheckedAdapter, Resolve, look_up
from connectors.reading import downloading
from connectors.reading.downloading import CONNECT_SECONDS, READ_SECONDS
from connectors.spec import Budget, Connector, Request, Response

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 120.0
"""For one answer whole: a server that drips bytes holds nobody for ever."""
LARGEST_ANSWER = 64_000_000
PIECE = 262_144
PAUSES = (2.0, 5.0)
"""Seconds before the second and the third try, where the platform names none."""
PLAIN_HOST = re.compile(r"https://[A-Za-z0-9.-]+/")
"""The begin of an address that everybody who takes addresses apart takes for the same host."""
LONGEST_WAIT = 10.0
"""Seconds that a worker itself waits; longer waits are the job's, which lets the worker go."""


class ForeignHost(BadPayload):
    """Says that a request would leave for a host that this connection has nothing to do with."""


class Client:
    """Send the requests of one connection, or of one that is not there yet, without secrets. Not for several threads at once."""

    def __init__(
        self, connector: Connector, base_url: str, secrets: Mapping[str, str] | None = None, *, sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve = look_up,
    ) -> None:  # fmt: skip
        self._connector = connector
        self._base = base_url.rstrip("/")
        self._headers = {} if secrets is None else dict(connector.headers(secrets))
        self._session = requests.Session()
        # A proxy or a .netrc of the server's environment must not see or add credentials.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, CheckedAdapter(resolve))
        self._sleep = sleep
        self.budget: Budget | None = None
        self.sent = 0
        self.ahead: timedelta | None = None
        """By how much the platform's clock is ahead of ours, as its last answer told to the second; None: it has not told."""

    def __enter__(self) -> "Client":
        """Open nothing: connections are opened when they are needed."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close what is open."""
        self._session.close()

    def send(self, request: Request) -> Response:
        """Send a request and return its answer; try again what may pass within seconds; raise the fault that the connector sees in it."""
        for pause in PAUSES:
            try:
                return self._once(request)
            except RetryLater as fault:
                wait = pause if fault.after is None else fault.after
                if wait > LONGEST_WAIT:
                    raise
            self._sleep(wait)
        return self._once(request)

    def _once(self, request: Request) -> Response:
        """Wait for budget, send, read, and judge."""
        wait = self._connector.pace.wait(request, self.budget)
        if wait > LONGEST_WAIT:
            raise QuotaUsedUp(f"{self._connector.label} takes the next request in {wait:.0f} s.", after=wait)
        if wait > 0:
            self._sleep(wait)
        response = self._exchange(request)
        self.budget = self._connector.pace.budget(response) or self.budget
        fault = self._connector.classify(response)
        if fault is not None:
            log.info("platform.refused", platform=self._connector.platform, status=response.status, fault=type(fault).__name__, reason=fault.reason)
            raise fault
        return response

    def _exchange(self, request: Request) -> Response:
        """Send one request and read its answer whole; raise RetryLater when the way is broken."""
        address = self.address(request.path)
        self.sent += 1
        try:
            with self._session.request(
                request.method, address, params=dict(request.query) or None, json=request.body, data=request.form,
                headers={**(self._headers if address.startswith(f"{self._base}/") else {}), **request.headers},
                timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                self.ahead = _ahead(answer.headers.get("Date"), datetime.now(UTC)) or self.ahead
                return Response(
                    status=answer.status_code, headers={name.lower(): value for name, value in answer.headers.items()}, content=_read(answer)
                )  # fmt: skip
        except (requests.Timeout, ReadTimeoutError) as error:
            raise RetryLater(f"{self._connector.label} did not answer in time.") from error
        except (requests.RequestException, HTTPError) as error:
            raise RetryLater(f"The connection to {self._connector.label} broke: {type(error).__name__}.") from error

    def download(self, path: str, to: Path, *, told: Callable[[int], None], seconds: float) -> int:
        """Fetch a file to disk, unpacked, and return its length; without credentials: its address lets in whoever knows it.

        Raise what `connectors.reading.downloading.fetch` raises.
        """
        self.sent += 1
        return downloading.fetch(self._session, self._connector.label, self.address(path), to, told=told, seconds=seconds)

    def address(self, path: str) -> str:
        """Return the whole address of a path beneath the base URL; raise ForeignHost for an address of a host that is not allowed."""
        if "://" not in path:
            return f"{self._base}/{path.lstrip('/')}"
        base = urlsplit(self._base)
        if path.startswith(f"{base.scheme}://{base.netloc}/"):
            return path
        plain = PLAIN_HOST.match(path)
        host = plain[0].removeprefix("https://").rstrip("/").lower() if plain else ""
        if not any(fnmatch(host, pattern) for pattern in self._connector.hosts):
            raise ForeignHost(f"{self._connector.label} named an address of {host or path[:100]}, which is not one of its hosts.")
        return path


def _read(answer: requests.Response) -> bytes:
    """Read an answer whole, within its time and size."""
    end = time.monotonic() + ANSWER_SECONDS
    pieces, size = [], 0
    # What is there, and not as much as was asked for: that could take for ever.
    while piece := answer.raw.read1(PIECE, decode_content=True):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise BadPayload(f"The answer has more than {LARGEST_ANSWER // 1_000_000} MB.")
        if time.monotonic() > end:
            raise RetryLater(f"The answer was not whole after {ANSWER_SECONDS:.0f} s.")
        pieces.append(piece)
    return b"".join(pieces)


def _ahead(date: str | None, now: datetime) -> timedelta | None:
    """Return by how much a clock is ahead of ours, from the header in which it tells its time."""
    try:
        return None if date is None else parsedate_to_datetime(date).astimezone(UTC) - now
    except ValueError:
        return None
