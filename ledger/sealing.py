"""Seal what must not lie open in the database, with keys of its own."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unsealable(Exception):
    """Say that the key a value was sealed with is gone."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(data: bytes) -> bytes:
    """Encrypt and authenticate bytes under the newest of FIELD_KEYS."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(data)


def unseal(sealed: bytes) -> bytes:
    """Return sealed bytes in the clear; raise Unsealable when none of FIELD_KEYS fits."""
    try:
        return _box(tuple(settings.FIELD_KEYS)).decrypt(sealed)
    except InvalidToken as error:
        raise Unsealable("none of FIELD_KEYS opens this; the key it was sealed with must be put back into the list") from error


def reseal(sealed: bytes) -> bytes:
    """Return sealed bytes under the newest of FIELD_KEYS, as they are where it opens them; raise Unsealable when no key fits."""
    try:
        _box(tuple(settings.FIELD_KEYS[:1])).decrypt(sealed)
    except InvalidToken:
        return seal(unseal(sealed))
    return sealed
