"""Turn a buyer's identity into a keyed hash: enough to recognise, useless to anyone without the key."""

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_hex

from django.conf import settings

from ledger.models import ErasedIdentity

NOBODY = "erased-"
"""Begins the name that stands for a person who was erased: it joins their orders, and is made of nothing that is known of them."""


def customer_hash(store_id: int, identity: str) -> bytes:
    """Return the 16-byte keyed hash of an e-mail or customer number within one store.

    The oldest of `FIELD_KEYS` is the key, so that adding a newer key does not make every buyer a stranger.
    """
    key = settings.FIELD_KEYS[-1].encode()[:64]
    return blake2b(identity.strip().lower().encode(), digest_size=16, key=key, salt=store_id.to_bytes(8, "big")).digest()


def recogniser(store_id: int) -> Callable[[str], bytes]:
    """Return what makes keyed hashes of a store's buyers as of now; it returns nothing for those who were erased, whom nobody recognises any more."""
    erased = {bytes(found) for found in ErasedIdentity.objects.filter(store=store_id).values_list("identity_hash", flat=True)}

    def recognise(identity: str) -> bytes:
        found = customer_hash(store_id, identity)
        return b"" if found in erased else found

    return recognise


def a_nobody() -> str:
    """Make the name of a nobody."""
    return NOBODY + token_hex(8)


def is_nobody(identity: str) -> bool:
    """Tell whether an identity stands for a person who was erased."""
    return identity.startswith(NOBODY)
