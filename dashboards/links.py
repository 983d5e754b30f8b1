"""Make and read the secrets of links: random, signed, and kept as a digest only."""

import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer

_SIGNER = Signer(sep=".", salt="profitpeek.links")


class LinkRefused(Exception):
    """Say why a link lets nobody in, and what its holder can do."""

    def __init__(self, title: str, advice: str) -> None:
        super().__init__(title)
        self.title, self.advice = title, advice


def new_token() -> str:
    """Return the secret part of a new link."""
    return _SIGNER.sign(secrets.token_urlsafe(24))


def digest_of(token: str) -> bytes:
    """Return the digest to store a link by, or to look it up; refuse a token that was cut, changed or never ours."""
    try:
        return sha256(_SIGNER.unsign(token).encode()).digest()
    except BadSignature as error:
        raise LinkRefused(
            "This link is not complete",
            "It was cut or changed on its way. Open it once more, whole; if that does not help, ask whoever gave it to you for a new one.",
        ) from error


def is_of_this_computer(address: str) -> bool:
    """Tell whether a link works only on the computer that made it."""
    return urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")


def at_site(address: str) -> str:
    """Return where a mailed link leads: to SITE_URL, whatever host and port the request named that asked for the mail."""
    path = urlsplit(address)._replace(scheme="", netloc="").geturl()
    return f"{settings.SITE_URL.rstrip('/')}{path}"
