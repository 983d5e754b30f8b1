"""Turn a buyer's identity into a keyed hash: enough to recognise, useless to anyone without the key."""

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_hex

from django.conf import settings
from django.db import connection

NOBODY = "erased-"
"""Begins the name that stands for a person who was erased: it joins their orders, and is made of nothing that is known of them."""


def customer_hash(store_id: int, identity: str) -> bytes:
    """Return the 16-byte keyed hash of an e-mail or customer number within one store.

    The oldest of `FIELD_KEYS` is the key, so that adding a newer key does not make every buyer a stranger.
    """
    key = settings.FIELD_KEYS[-1].encode()[:64]
    return blake2b(identity.strip().lower().encode(), digest_size=16, key=key, salt=store_id.to_bytes(8, "big")).digest()


_ERASED = """
    WITH RECURSIVE line(id) AS (
        SELECT %s::bigint UNION
        SELECT s.id FROM line l JOIN ledger_store own ON own.id = l.id JOIN ledger_store s ON s.succeeds_id = l.id OR s.id = own.succeeds_id
    )
    SELECT e.store_id, e.identity_hash FROM ledger_erasedidentity e WHERE e.store_id IN (SELECT id FROM line)
"""


def recogniser(store_id: int) -> Callable[[str], bytes]:
    """Return what makes keyed hashes of a store's buyers as of now; it returns nothing for those who were erased, whom nobody recognises any more.

    Who was erased in a store is not recognised in those that it succeeds or that succeed it either.
    """
    erased: dict[int, set[bytes]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ERASED, [store_id])
        for store, hashed in cursor.fetchall():
            erased.setdefault(store, set()).add(bytes(hashed))

    def recognise(identity: str) -> bytes:
        is_erased = any(customer_hash(store, identity) in hashes for store, hashes in erased.items())
        return b"" if is_erased else customer_hash(store_id, identity)

    return recognise


def a_nobody() -> str:
    """Make the name of a nobody."""
    return NOBODY + token_hex(8)


def is_nobody(identity: str) -> bool:
    """Tell whether an identity stands for a person who was erased."""
    return identity.startswith(NOBODY)
