"""Send a platform's requests: paced, bounded in time and size, to allowed hosts only, and classified into answers and faults."""

import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from urllib.parse import urlsplit

import requests
import structlog
from msgspec.structs import replace

from connectors.faults import BadPayload, QuotaUsedUp, RetryLater
from connectors.spec import Budget, Connector, Request, Response

log = structlog.get_logger(__name__)

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
ANSWER_SECONDS = 120.0
"""For one answer whole: a server that drips bytes holds nobody for ever."""
LARGEST_ANSWER = 64_000_000
PIECE = 262_144
PAUSES = (2.0, 5.0)
"""Seconds before the second and the third try, where the platform names none."""
LONGEST_WAIT = 10.0
"""Seconds that a worker itself waits; longer waits are the job's, which lets the worker go."""


class ForeignHost(ValueError):
    """Says that a request would leave for a host that this connection has nothing to do with."""


class Client:
    """Send the requests of one connection, or of one that is not there yet, without secrets. Not for several threads at once."""

    def __init__(
        self, connector: Connector, base_url: str, secrets: Mapping[str, str] | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:  # fmt: skip
        self._connector = connector
        self._base = base_url.rstrip("/")
        self._headers = {} if secrets is None else dict(connector.headers(secrets))
        self._session = requests.Session()
        # A proxy or a .netrc of the server's environment must not see or add credentials.
        self._session.trust_env = False
        self._sleep = sleep
        self.budget: Budget | None = None
        self.sent = 0

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
                return Response(
                    status=answer.status_code, headers={name.lower(): value for name, value in answer.headers.items()}, content=_read(answer)
                )  # fmt: skip
        except requests.Timeout as error:
            raise RetryLater(f"{self._connector.label} did not answer in time.") from error
        except requests.RequestException as error:
            raise RetryLater(f"The connection to {self._connector.label} broke: {type(error).__name__}.") from error

    def address(self, path: str) -> str:
        """Return the whole address of a path beneath the base URL; raise ForeignHost for an address of a host that is not allowed."""
        if "://" not in path:
            return f"{self._base}/{path.lstrip('/')}"
        asked, base = urlsplit(path), urlsplit(self._base)
        own = (asked.scheme, asked.netloc) == (base.scheme, base.netloc)
        if not own and not (asked.scheme == "https" and any(fnmatch(asked.hostname or "", host) for host in self._connector.hosts)):
            raise ForeignHost(f"{self._connector.label} named an address of {asked.hostname}, which is not one of its hosts.")
        return path


def _read(answer: requests.Response) -> bytes:
    """Read an answer whole, within its time and size."""
    end = time.monotonic() + ANSWER_SECONDS
    pieces, size = [], 0
    for piece in answer.iter_content(PIECE):
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise BadPayload(f"The answer has more than {LARGEST_ANSWER // 1_000_000} MB.")
        if time.monotonic() > end:
            raise RetryLater(f"The answer was not whole after {ANSWER_SECONDS:.0f} s.")
        pieces.append(piece)
    return b"".join(pieces)


def smaller(request: Request) -> Request | None:
    """Return a request for half as many records; None when there is nothing to halve."""
    if request.size is None or request.size <= 1:
        return None
    size = request.size // 2
    body = request.body or {}
    return replace(request, size=size, body={**body, "variables": {**body.get("variables", {}), "first": size}})
