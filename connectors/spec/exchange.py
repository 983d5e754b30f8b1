"""Define what is exchanged with a platform: requests, answers, and how fast."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from connectors.faults import BadPayload

Json = dict[str, Any]
"""One record or answer as the platform wrote it, decoded."""


class Request(Struct, frozen=True, kw_only=True):
    """One request to a platform. `path` is relative to the connection's base URL, or a whole address beneath an allowed host."""

    path: str
    method: str = "GET"
    query: Mapping[str, str] = {}
    body: Json | None = None
    """Sent as JSON."""
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    size: int | None = None
    """Records asked for at once, where it can be less: what is halved when the platform answers that it is too much."""


class Response(Struct, frozen=True, kw_only=True):
    """One whole answer. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Json:
        """Return the answer decoded; raise BadPayload when it is no JSON object."""
        try:
            decoded = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadPayload(f"The answer is not JSON: {error}.") from error
        if not isinstance(decoded, dict):
            raise BadPayload("The answer is no JSON object.")
        return decoded


class Send(Protocol):
    """Send a request and return its checked answer; raises Faults."""

    def __call__(self, request: Request) -> Response: ...


class Paginator(Protocol):
    """Find the request of the next page."""

    def next(self, request: Request, answer: Json) -> Request | None:
        """Return what to ask next; None at the end."""
        ...

    def resized(self, request: Request, size: int) -> Request:
        """Return the request for another number of records at once; asked only of requests that tell their `size`."""
        ...


class Budget(Struct, frozen=True, kw_only=True):
    """What the platform still takes from us, as its last answer told."""

    left: float
    restored_per_second: float
    most: float


class Pace(Protocol):
    """Read the remaining budget of an answer, and say how long to wait before a request."""

    def budget(self, response: Response) -> Budget | None:
        """Return what the answer tells of the budget."""
        ...

    def wait(self, request: Request, budget: Budget | None) -> float:
        """Return the seconds to wait before a request."""
        ...
