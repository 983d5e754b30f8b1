"""Hold what is answered to a request, whatever platform answers it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec


@dataclass(slots=True)
class Answer:
    """What is answered: a status, headers, and a body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    keep: int | None = None
    """Trouble: how many bytes of the body are sent before the connection ends."""
    delay: int = 0
    """Trouble: milliseconds before anything is sent."""
    path: Path | None = None
    """A file to be sent instead of the body."""


def as_json(said: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, msgspec.json.encode(said), {"Content-Type": "application/json; charset=utf-8", **headers})
