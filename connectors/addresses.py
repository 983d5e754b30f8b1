"""Decide which addresses a connection may have: its platform's, or a sandbox that a setting names."""

from fnmatch import fnmatch
from urllib.parse import urlsplit

from django.conf import settings

from connectors.faults import Denied
from connectors.spec import Connector

NO_SANDBOX = "{} is not the address of a sandbox, such as http://127.0.0.1:8100/shops/demo."


def base_url(connector: Connector, account: str, foreign: str = "") -> str:
    """Return where the API of an account is; raise Denied for an address that is neither the platform's nor a sandbox's.

    Whoever may name an address makes this server ask it, inside its own network too: so only hosts of
    settings.SANDBOX_HOSTS are taken besides the platform's own.
    """
    if not foreign:
        own = connector.base_url(account)
        if not is_platforms(connector, own):
            raise Denied(f"{own} is not an address of {connector.label}.")
        return own
    try:
        parts = urlsplit(foreign)
    except ValueError as error:
        raise Denied(NO_SANDBOX.format(foreign)) from error
    if parts.scheme not in ("http", "https") or parts.username or parts.password or parts.query or parts.fragment:
        raise Denied(NO_SANDBOX.format(foreign))
    if parts.netloc not in settings.SANDBOX_HOSTS and (parts.hostname or "") not in settings.SANDBOX_HOSTS:
        raise Denied(
            f"{parts.netloc} is not among SANDBOX_HOSTS, so nothing is asked there. Connect to {connector.label} itself, or add it to the setting."
        )
    return foreign.rstrip("/")


def is_platforms(connector: Connector, address: str) -> bool:
    """Tell whether an address is of the platform, by https and its usual port."""
    parts = urlsplit(address)
    return parts.scheme == "https" and parts.netloc == parts.hostname and any(fnmatch(parts.hostname or "", host) for host in connector.hosts)
