"""Define how an account's owner lets us in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connectors.spec.exchange import Json, Request


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that a person tells of their account when they connect it, such as a client id."""

    name: str
    label: str
    secret: bool = False
    optional: bool = False
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a platform granted: secrets to keep, and what they allow until when."""

    secrets: Mapping[str, str]
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """When the access token ends; None: it stays."""


class Consent(Protocol):
    """How an account's owner lets us in by the platform's own pages (OAuth 2). Secrets are what `Setting`s told and grants gave."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Return what a person tells before the platform is asked, such as a client id."""
        ...

    def address(self, base: str, *, state: str, redirect: str, challenge: str, secrets: Mapping[str, str], scopes: Sequence[str]) -> str:
        """Return where to send the person."""
        ...

    def check(self, query: Mapping[str, str], *, account: str, secrets: Mapping[str, str], now: datetime) -> str:
        """Check what the person came back with and return the code in it; raise Denied when the platform or the person said no."""
        ...

    def exchange(self, code: str, *, redirect: str, verifier: str, secrets: Mapping[str, str]) -> Request:
        """Return the request that changes the code for tokens."""
        ...

    def granted(self, answer: Json, *, now: datetime) -> Grant:
        """Read the tokens."""
        ...

    def refresh(self, secrets: Mapping[str, str]) -> Request | None:
        """Return the request for fresh tokens; None when there is nothing to refresh with."""
        ...


@dataclass(frozen=True, kw_only=True)
class Key:
    """A way in without the platform's pages: what a person pastes, such as a token, or a client id and its secret."""

    name: str
    label: str
    settings: tuple[Setting, ...]
    granted: Callable[[Mapping[str, str]], Grant] | None = None
    """Makes the grant of what was pasted; None: `fetch` is asked."""
    fetch: Callable[[Mapping[str, str]], Request] | None = None
    """Returns the request whose answer is the grant; asked again when it has ended."""
