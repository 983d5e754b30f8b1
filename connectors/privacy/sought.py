"""Say whom a request is about, and find them: by their identities, by their orders, and by what their orders are told with.

The link from one identity to another is an order that names both: an e-mail address in a file's row, a customer's number in the same
order as the platform tells it. It is followed once, and not where so many orders name an identity that it is hardly one person's.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from django.db.models import Q
from msgspec import Struct

from connectors.files.imported_rows import CUSTOMER, fields_of
from connectors.files.spool import Order as OrderRows
from connectors.files.spool import unpack
from connectors.models import Connection, PrivacyCase, RawPayload
from connectors.reading import archive
from connectors.registry import UnknownPlatform, find
from connectors.spec import Whose
from ledger.erasure import privacy
from ledger.erasure.privacy import Named
from ledger.identity import a_nobody, customer_hash, is_nobody
from ledger.models import Store
from ledger.sealing import Unsealable, seal, unseal
from ledger.stores import line_of

MOST_ORDERS = 20_000
MOST_LINKED = 50
"""An identity that more orders name is a till's, or a marketplace's, and is not followed from another one."""
MOST_OPENED = 1_000_000
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
    names: dict[str, list[str]] = {}
    """What files call their orders, by the orders' platforms."""
    called: dict[str, list[str]] = {}
    """What platforms call them: by their ids alone."""
    numbers: list[str] = []
    """Their orders' numbers, the latest first."""
    ids: list[int] = []
    """Their orders in the mirror."""
    customers: list[int] = []
    since: str = ""
    """Since when nobody recognises them, by the database's clock; empty: they are recognised still."""

    @property
    def all_names(self) -> set[str]:
        """Return what their orders are called, of whatever platform."""
        return {name for names in (*self.names.values(), *self.called.values()) for name in names}

    def is_in_file(self, platform: str, name: str) -> bool:
        """Tell whether what a file calls an order of a platform is one of theirs."""
        return name in self.names.get(platform, ())

    def is_told(self, how: Whose, platform: str, name: str) -> bool:
        """Tell whether a record that a platform told is an order of theirs."""
        return not how.is_person and name in self.called.get(platform, ())

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
    given, ambiguous = _given(store, sought)
    told_of_them = _joined(given, _told_with(store, own, most=most))
    people = privacy.people(store, hashes=own, ids=[order.customer for order in told_of_them if order.customer is not None])
    orders = _joined(told_of_them, privacy.orders_of(store, people, most=MOST_ORDERS))
    hashes = own | set(people.values())
    told = {hashed for hashed in identities_told(store, orders, most=most) if hashed not in hashes}
    told -= privacy.nobodies(store, told)
    linked = told - privacy.shared(store, told, most=MOST_LINKED)
    further = privacy.people(store, hashes=linked)
    orders = _joined(orders, privacy.orders_of(store, further, most=MOST_ORDERS))
    hashes |= linked | set(further.values())
    sought.found = {hashed.hex(): sought.found.get(hashed.hex()) or a_nobody() for hashed in sorted(hashes)}
    sought.names = {platform: sorted(names) for platform, names in _names(orders).items()}
    sought.called = {platform: sorted(ids) for platform, ids in _ids(orders).items()}
    if sought.platform:
        sought.called[sought.platform] = sorted({*sought.called.get(sought.platform, ()), *sought.orders})
    sought.numbers = list(dict.fromkeys(order.number for order in orders))
    sought.ids, sought.customers = sorted(order.id for order in orders), sorted({*people, *further})
    return list(_notes(store, sought, orders, given, ambiguous, too_many=len(told) - len(linked)))


def _given(store: Store, sought: Sought) -> tuple[list[Named], list[str]]:
    """Return the orders that were named, and names that orders of several platforms have: whose those are nobody can tell."""
    if sought.platform:
        return privacy.orders_with(store, sought.platform, sought.orders), []
    called = privacy.orders_called(store, sought.orders)
    found: list[Named] = []
    ambiguous = []
    for name in sorted({name.removeprefix("#") for name in sought.orders}):
        # A number first: an id may look like one.
        own = [order for order in called if order.number.removeprefix("#") == name] or [order for order in called if order.external_id == name]
        if len(own) > 1:
            ambiguous.append(name)
        else:
            found = _joined(found, own)
    return found, ambiguous


def _ids(orders: Sequence[Named]) -> dict[str, set[str]]:
    ids: dict[str, set[str]] = {}
    for order in orders:
        ids.setdefault(order.platform, set()).add(order.external_id)
    return ids


def _names(orders: Sequence[Named]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for order in orders:
        names.setdefault(order.platform, set()).update(order.names)
    return names


def _told_with(store: Store, hashes: Collection[bytes], *, most: int) -> list[Named]:
    """Return the orders that files told with one of some keyed hashes, whatever their platform told later."""
    texts = [hashed.hex() for hashed in hashes]
    names: dict[str, set[str]] = {}
    payloads = RawPayload.objects.filter(file_import__store=store).select_related("file_import").order_by("-pk")
    for payload in payloads[:most].iterator(chunk_size=10) if texts else ():
        place = customer_place(payload)
        try:
            raw = zlib.decompress(unseal(bytes(payload.body))) if place is not None else b""
        except Unsealable:
            continue
        # Most payloads are put aside by a look at their bytes.
        if place is not None and any(text.encode() in raw for text in texts):
            told = {name for name, rows in rows_of(payload) if any(place < len(row) and row[place] in texts for row in rows)}
            names.setdefault(platform_of(payload), set()).update(told)
    return [order for platform, called in names.items() for order in privacy.orders_called(store, called, platform=platform)]


def looked_at(store: Store, sought: Sought) -> dict[str, int]:
    """Count what a first look finds, by the names of the orders alone."""
    counts = {"customers": len(sought.customers), "orders": len(sought.ids)}
    if sought.names:
        held = RawPayload.objects.filter(keys__overlap=archive.keys_of(sought.all_names))
        counts |= {"pages_found": held.filter(connection__store=store).count(), "parts_found": held.filter(file_import__store=store).count()}
    return counts


def _joined(some: Sequence[Named], others: Sequence[Named]) -> list[Named]:
    return list({order.id: order for order in (*some, *others)}.values())


def _notes(
    store: Store, sought: Sought, orders: Sequence[Named], given: Sequence[Named], ambiguous: Sequence[str], *, too_many: int
) -> Iterator[str]:  # fmt: skip
    """Say what was not found, and what was not followed."""
    if others := [other.name for other in line_of(store) if other.pk != store.pk]:
        yield f"{' and '.join(others)} {'go' if len(others) > 1 else 'goes'} with this store and may hold something of them as well. Ask there too."
    if ambiguous:
        yield (
            f"{len(ambiguous):,} of the numbers that were named {'are' if len(ambiguous) > 1 else 'is'} of several orders, so whose "
            "it is is not sure, and nothing was done by it. Give the platform’s own id of the order, or the customer’s number."
        )
    if too_many:
        yield (
            f"{too_many} more {'identities are' if too_many > 1 else 'identity is'} told with these orders, but also with orders of others, or with "
            f"more than {MOST_LINKED}: the address of a till or a marketplace rather than of one person. It was left alone."
        )
    if len(orders) >= MOST_ORDERS:
        yield f"More than {MOST_ORDERS:,} orders are theirs; this is the latest part of them. Ask once more when it is done."
    unknown = len({name.removeprefix("#") for name in sought.orders} - {name for order in given for name in order.names} - {*ambiguous})
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


def platform_of(payload: RawPayload) -> str:
    """Return whose orders a payload tells of, as orders name their platform."""
    if payload.connection is not None:
        return payload.connection.platform
    return str(payload.file_import.template.get("platform", "")) if payload.file_import is not None else ""


def identities_told(store: Store, orders: Sequence[Named], *, most: int) -> set[bytes]:
    """Return the keyed hashes of all that some orders are told to be of, by files and by platforms."""
    names, ids = _names(orders), _ids(orders)
    if not names:
        return set()
    told: set[bytes] = set()
    of_store = Q(connection__store=store) | Q(file_import__store=store)
    called = {name for each in names.values() for name in each}
    payloads = RawPayload.objects.filter(of_store, keys__overlap=archive.keys_of(called)).select_related("connection", "file_import")
    for payload in payloads.order_by("-pk")[:most].iterator(chunk_size=10):
        try:
            own = ids if payload.connection is not None else names
            told |= set(_told_in(store, payload, own.get(platform_of(payload), set())))
        except Unsealable:
            continue  # nobody can read it, so it tells nothing; cutting says so
    return told


def _told_in(store: Store, payload: RawPayload, names: Collection[str]) -> Iterator[bytes]:
    how = whose_of(payload)
    if how is not None:
        for name, record in () if how.is_person else archive.records_of(payload):
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
