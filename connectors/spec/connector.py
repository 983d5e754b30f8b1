"""Define one platform: everything the engine knows of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from connectors.faults import Fault
from connectors.spec.access import Consent, Key
from connectors.spec.exchange import Pace, Response, Send
from connectors.spec.streams import Stream
from connectors.spec.webhooks import Webhooks


class AccountInfo(Struct, frozen=True, kw_only=True):
    """What a platform says of the account: what testing a connection shows, and what mapping needs."""

    ref: str
    name: str
    currency: str
    zone: str
    scopes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What its owner should know, in whole sentences."""


@dataclass(frozen=True, kw_only=True)
class Connector:
    """One platform."""

    platform: str
    label: str
    account_label: str
    """What a person calls the account, such as “Shop domain”."""
    account_ref: Callable[[str], str]
    """Makes a typed account tidy; raises Denied with what to type when it cannot be one."""
    base_url: Callable[[str], str]
    """Returns where the API of an account is."""
    hosts: tuple[str, ...]
    """Host names, or `*.`-patterns, that may be asked besides the base URL's own, such as those of bulk files."""
    scopes: tuple[str, ...]
    """What is asked for; a granted `write_…` includes its `read_…`."""
    consent: Consent | None
    keys: tuple[Key, ...]
    headers: Callable[[Mapping[str, str]], Mapping[str, str]]
    """Makes the headers that carry the credentials."""
    pace: Pace
    classify: Callable[[Response], Fault | None]
    probe: Callable[[Send], AccountInfo]
    """Asks the platform who it thinks we are."""
    streams: tuple[Stream, ...]
    webhooks: Webhooks | None = None
    """How the platform tells us of changes; None: it is only asked."""

    def stream(self, name: str) -> Stream:
        """Return a stream by its name; raise KeyError."""
        return {stream.name: stream for stream in self.streams}[name]
