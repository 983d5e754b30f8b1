"""Turn a buyer's identity into a keyed hash: enough to recognise, useless to anyone without the key."""

from hashlib import blake2b

from django.conf import settings


def customer_hash(store_id: int, identity: str) -> bytes:
    """Return the 16-byte keyed hash of an e-mail or customer number within one store.

    The oldest of `FIELD_KEYS` is the key, so that adding a newer key does not make every buyer a stranger.
    """
    key = settings.FIELD_KEYS[-1].encode()[:64]
    return blake2b(identity.strip().lower().encode(), digest_size=16, key=key, salt=store_id.to_bytes(8, "big")).digest()
