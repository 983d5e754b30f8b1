"""Say whom a request is about, and find them: by their identities, by their orders, and by what their orders are told with.

The link from one identity to another is an order that names both: an e-mail address in a file's row, a customer's number in the same
order as the platform tells it. It is followed once, and not where so many orders name an identity that it is hardly one person's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from django.db.models import Q
from msgspec import Struct

from connectors import archive
from connectors.files.imported_rows import CUSTOMER, fields_of
from connectors.files.spool import Order as OrderRows
from connectors.files.spool import unpack
from connectors.models import Connection, PrivacyCase, RawPayload
from connectors.registry import UnknownPlatform, find
from connectors.spec import Whose
from ledger import privacy
from ledger.identity import a_nobody, customer_hash, is_nobody
from ledger.models import Store
from ledger.privacy import Named
from ledger.sealing import Unsealable, seal, unseal

MOST_ORDERS = 20_000
MOST_LINKED = 50
"""An identity that more orders name is a till's, or a marketplace's, and is not followed from another one."""
MOST_OPENED = 2_000
"""Payloads opened in search of links, the latest first."""


class Sought(Struct, kw_only=True):
    """Whom a request is about: what was told of them, and what was found by it."""

    identities: list[str] = []
    """E-mail addresses, or what their platform calls them."""
    orders: list[str] = []
    """Ids of a platform's orders, or numbers that a person typed."""
    platform: str = ""
    """Whose ids those are; empty: numbers, of whatever platform."""
    found: dict[str, str] = {}
    """Their keyed hashes in hexadecimal, each with the name of the nobody that it becomes."""
    names: list[str] = []
    """What files and platforms call their orders."""
    ids: list[int] = []
    """Their orders in the mirror."""
    customers: list[int] = []
    since: str = ""
    """Since when nobody recognises them, by the database's clock; empty: they are recognised still."""

    @property
    def hashes(self) -> dict[bytes, str]:
        """Return the keyed hashes as they are, with the names."""
        return {bytes.fromhex(hashed): name for hashed, name in self.found.items()}


def sealed(sought: Sought) -> bytes:
    """Seal what a request is about."""
    return seal(msgspec.json.encode(sought))


def opened(case: PrivacyCase) -> Sought:
    """Return what a request is about, nothing once it is done; raise Unsealable when its key is gone."""
    return Sought() if case.sought is None else msgspec.json.decode(unseal(bytes(case.sought)), type=Sought)


def resolve(store: Store, sought: Sought, *, most: int = MOST_OPENED) -> list[str]:
    """Find whom a request is about, and add it to what is sought; return sentences about what could not be linked."""
    own = {customer_hash(store.pk, text) for text in sought.identities if text.strip()}
    given = privacy.orders_called(store, sought.orders, platform=sought.platform)
    people = privacy.people(store, hashes=own, ids=[order.customer for order in given if order.customer is not None])
    orders = _joined(given, privacy.orders_of(store, people, most=MOST_ORDERS))
    hashes = own | set(people.values())
    told = {hashed for hashed in identities_told(store, orders, most=most) if hashed not in hashes}
    told -= privacy.nobodies(store, told)
    counts = privacy.orders_counted(store, told)
    linked = {hashed for hashed in told if counts.get(hashed, 0) <= MOST_LINKED}
    further = privacy.people(store, hashes=linked)
    orders = _joined(orders, privacy.orders_of(store, further, most=MOST_ORDERS))
    hashes |= linked
    sought.found = {hashed.hex(): sought.found.get(hashed.hex()) or a_nobody() for hashed in sorted(hashes)}
    sought.names = sorted({*sought.orders, *(name for order in orders for name in order.names)})
    sought.ids, sought.customers = sorted(order.id for order in orders), sorted({*people, *further})
    return list(_notes(store, sought, orders, given, too_many=len(told) - len(linked)))


def _joined(some: Sequence[Named], others: Sequence[Named]) -> list[Named]:
    return list({order.id: order for order in (*some, *others)}.values())


def _notes(store: Store, sought: Sought, orders: Sequence[Named], given: Sequence[Named], *, too_many: int) -> Iterator[str]:
    """Say what was not found, and what was not followed."""
    if too_many:
        yield (
            f"{too_many} more {'identities are' if too_many > 1 else 'identity is'} told with these orders, and with more than {MOST_LINKED} others: "
            "the address of a till or a marketplace rather than of one person. It was left alone."
        )
    if len(orders) >= MOST_ORDERS:
        yield f"More than {MOST_ORDERS:,} orders are theirs; this is the latest part of them. Ask once more when it is done."
    unknown = len({name.removeprefix("#") for name in sought.orders} - {name for order in given for name in order.names})
    if unknown:
        yield f"Of the orders that were named, {unknown:,} {'are' if unknown > 1 else 'is'} not known here, so nothing was found by that."
    if sought.identities and all("@" in text for text in sought.identities) and Connection.objects.filter(store=store).exists():
        yield (
            "Orders that came through a connection are known by the customer’s number on its platform, which an e-mail address does not tell. "
            "Of those, the ones that a file names together with this address were found; others only by their number, or by the customer’s."
        )  # fmt: skip


def whose_of(payload: RawPayload) -> Whose | None:
    """Return how the records of a connection's payload say whose they are; None where they are nobody's, or nothing here reads them."""
    return whose(payload.connection, payload.stream) if payload.connection is not None else None


def whose(connection: Connection, stream: str) -> Whose | None:
    """Return how the records of a stream say whose they are."""
    try:
        return find(connection.platform).stream(stream).whose
    except (UnknownPlatform, KeyError):
        return None


def identities_told(store: Store, orders: Sequence[Named], *, most: int) -> set[bytes]:
    """Return the keyed hashes of all that some orders are told to be of, by files and by platforms."""
    names = {name for order in orders for name in order.names}
    if not names:
        return set()
    told: set[bytes] = set()
    of_store = Q(connection__store=store) | Q(file_import__store=store)
    payloads = RawPayload.objects.filter(of_store, keys__overlap=archive.keys_of(names)).select_related("connection", "file_import")
    for payload in payloads.order_by("-pk")[:most].iterator(chunk_size=10):
        try:
            told |= set(_told_in(store, payload, names))
        except Unsealable:
            continue  # nobody can read it, so it tells nothing; cutting says so
    return told


def _told_in(store: Store, payload: RawPayload, names: set[str]) -> Iterator[bytes]:
    how = whose_of(payload)
    if how is not None:
        for name, record in archive.records_of(payload):
            identity = how.identity(record) if name in names else None
            if identity is not None and not is_nobody(identity):
                yield customer_hash(store.pk, identity)
    elif payload.file_import is not None and (place := customer_place(payload)) is not None:
        for name, rows in rows_of(payload):
            if name in names:
                yield from (bytes.fromhex(row[place]) for row in rows if place < len(row) and row[place])


def customer_place(payload: RawPayload) -> int | None:
    """Return where a file's kept rows hold the buyer's keyed hash; None where they hold none."""
    return place_of(payload, CUSTOMER)


def place_of(payload: RawPayload, field: str) -> int | None:
    """Return where a file's kept rows hold a field."""
    assert payload.file_import is not None  # noqa: S101  the caller looks
    fields = list(fields_of(payload.file_import))
    return fields.index(field) if field in fields else None


def rows_of(payload: RawPayload) -> list[OrderRows]:
    """Return the rows that a payload of a file keeps, by order; raise Unsealable when its key is gone."""
    return unpack(unseal(bytes(payload.body)))


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON has them."""
    built: dict[str, Any] = msgspec.to_builtins(dict(value))
    return built
