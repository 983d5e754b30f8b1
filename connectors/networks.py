"""Connect to public addresses only: a name is looked up once, what it leads to is checked, and the connection is made to what was checked.

A platform's host that leads into our own network would have this server ask its neighbours, with a connection's
credentials. Looking a name up a second time to connect would let whoever answers change the answer in between.
"""

import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from connectors.faults import BadPayload

Resolve = Callable[[str, int], Sequence[str]]
"""Looks up the addresses of a host by number; raises socket.gaierror."""
TRANSLATED = IPv6Network("64:ff9b::/96")
"""What a translator (NAT64) leads to the IPv4 address in the last four bytes."""
INNER = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))
"""Networks for their own sake that not every Python knows as such: of protocols, of relays and translators, and of sites as they once were."""


class InnerAddress(BadPayload):
    """Says that a platform's host leads into a private network."""


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host as this machine knows them; raise socket.gaierror where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public Internet, also where it stands for another one."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.teredo is not None:
            return False
        inner = found.ipv4_mapped or found.sixtofour or (IPv4Address(int(found) & 0xFFFFFFFF) if found in TRANSLATED else None)
        found = inner or found
    is_special = found.is_multicast or found.is_reserved or any(found in network for network in INNER)
    return found.is_global and not is_special


def may_be_inside(host: str, port: int | None) -> bool:
    """Tell whether a setting names a host as one of a sandbox, which may be anywhere."""
    return host in settings.SANDBOX_HOSTS or f"{host}:{port}" in settings.SANDBOX_HOSTS


def addresses_of(host: str, port: int, resolve: Resolve) -> list[str]:
    """Return the addresses at which a host may be asked; raise InnerAddress where there is none, and what `resolve` raises."""
    found = resolve(host, port)
    if may_be_inside(host, port):
        return list(found)
    public = [address for address in found if is_public(address)]
    if not public:
        raise InnerAddress(f"{host} leads to {', '.join(found) or 'no address'}, which is not on the public Internet, so it is not asked.")
    return public


class _Checked(HTTPConnection):
    """A connection to a checked address; everything else, such as the name in a certificate, goes by the host's name."""

    def __init__(self, *args: Any, resolve: Resolve, **more: Any) -> None:
        self._resolve = resolve
        super().__init__(*args, **more)

    def _new_conn(self) -> socket.socket:
        """Connect to the first checked address that answers."""
        try:
            addresses = addresses_of(self.host, self.port, self._resolve)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        failed: OSError | None = None
        for address in addresses:
            try:
                # A number, which is not looked up.
                made = create_connection((address, self.port), self.timeout, source_address=self.source_address, socket_options=self.socket_options)
            except OSError as error:
                failed = error
                continue
            sys.audit("http.client.connect", self, self.host, self.port)
            return made
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, f"{self.host} did not take the connection in time.") from failed
        raise NewConnectionError(self, f"{self.host} did not take the connection: {failed}") from failed


class _CheckedByTLS(_Checked, HTTPSConnection):
    """The same, encrypted."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _PoolByTLS(HTTPSConnectionPool):
    ConnectionCls = _CheckedByTLS


class CheckedAdapter(HTTPAdapter):
    """Let a session of requests connect to public addresses only, and to a sandbox's."""

    def __init__(self, resolve: Resolve = look_up) -> None:
        self._resolve = resolve
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Have connections made by ours."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, resolve=self._resolve), "https": partial(_PoolByTLS, resolve=self._resolve),
        }  # fmt: skip
