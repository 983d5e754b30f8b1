"""Cut a person out of everything that was received, place by place: their records stay, as those of somebody whom nobody knows.

Each place is gone through row by row in the order of their numbers, some rows a transaction, so that a run that was cut goes on where it
was. Rows that hold nothing of the person are not touched.
"""

import re
import zlib
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db.models import QuerySet

from connectors.files.spool import pack
from connectors.files.uploads import UNDECIDED, discard, end_badly
from connectors.models import Connection, FileImport, ParkedRecord, PrivacyCopy, RawPayload
from connectors.privacy.sought import Sought, customer_place, place_of, rows_of, whose, whose_of
from connectors.reading import archive, bulk_files, parking
from connectors.registry import UnknownPlatform, find
from connectors.spec import Whose
from ledger.erasure import privacy
from ledger.identity import customer_hash
from ledger.models import Store
from ledger.sealing import Unsealable, unseal
from profitpeek.jobs.models import Job

AT_ONCE = 20
"""Rows of a place that one transaction goes through."""
SEALED = "unopened"
"""Counts what is sealed with a key that is gone: nobody can read it, and it cannot be cut either."""
PUT_AWAY = "The file was put away before it was taken, since a person in it had their data erased. Export it again, and upload what you get."
LEFT = (
    "The rest of the file was put away, since a person in it had their data erased. Undo what was taken, or export it again and upload what you get."
)
SHORTEST = 4
"""Characters of an order's name that is looked for in a file as it was given: a shorter one stands for too much else."""
OVERLAP = 400
"""Bytes of a piece that are looked at again with the next: a name may stand across both."""


class Search(NamedTuple):
    """Whom to look for, and when."""

    store: Store
    sought: Sought
    hashes: dict[bytes, str]
    now: datetime

    def name_for(self, identity: str | None) -> str:
        """Return the nobody that an identity becomes; empty where it is somebody else's."""
        return "" if identity is None else self.hashes.get(customer_hash(self.store.pk, identity), "")


class Step(NamedTuple):
    """What one transaction did: the last row's number, None at the end, and what it counted."""

    last: int | None
    counts: dict[str, int]


class Place(NamedTuple):
    """One place where a person may be."""

    name: str
    label: str
    """As people read it, for so many of them."""
    cut: Callable[[Search, int], Step]


def _step(rows: QuerySet[Any], after: int, cut: Callable[[Any], dict[str, int]]) -> Step:
    """Go through the next rows."""
    found = list(rows.select_for_update(of=("self",)).filter(pk__gt=after).order_by("pk")[:AT_ONCE])
    counts: dict[str, int] = {}
    for row in found:
        for name, count in cut(row).items():
            counts[name] = counts.get(name, 0) + count
    return Step(found[-1].pk if len(found) == AT_ONCE else None, counts)


def _customers(search: Search, after: int) -> Step:
    count = privacy.erase(search.store, search.hashes, orders=search.sought.ids, now=search.now)
    return Step(None, {"customers": count})


def _received(search: Search, after: int) -> Step:
    rows = RawPayload.objects.filter(connection__store=search.store).select_related("connection")
    return _step(rows, after, lambda payload: _cut_page(search, payload))


def _cut_page(search: Search, payload: RawPayload) -> dict[str, int]:
    how = whose_of(payload)
    if how is None:
        return {}
    try:
        records = archive.records_of(payload)
    except Unsealable:
        return {SEALED: 1}
    cut, changed = list(records), 0
    for number, (name, record) in enumerate(records):
        if nobody := search.name_for(how.identity(record)):
            cut[number] = (nobody if how.is_person else name, how.renamed(record, nobody))
            changed += 1
    if changed:
        archive.rewrite(payload, archive.pack(cut), keys=archive.keys_of(name for name, _ in cut), now=search.now)
    return {"received": changed} if changed else {}


def _imported(search: Search, after: int) -> Step:
    rows = RawPayload.objects.filter(file_import__store=search.store).select_related("file_import")
    return _step(rows, after, lambda payload: _cut_rows(search, payload))


def _cut_rows(search: Search, payload: RawPayload) -> dict[str, int]:
    place = customer_place(payload)
    if place is None:
        return {}
    try:
        orders = rows_of(payload)
    except Unsealable:
        return {SEALED: 1}
    region, names, changed = place_of(payload, "region"), {hashed.hex(): name for hashed, name in search.hashes.items()}, 0
    for number, (name, rows) in enumerate(orders):
        if any(place < len(row) and row[place] in names for row in rows):
            orders[number] = (name, [_renamed(search.store, row, place, region, names) for row in rows])
            changed += len(rows)
    if changed:
        archive.rewrite(payload, pack(orders), keys=payload.keys, now=search.now)
    return {"imported": changed} if changed else {}


def _renamed(store: Store, row: tuple[str, ...], place: int, region: int | None, names: dict[str, str]) -> tuple[str, ...]:
    cells = list(row)
    if place < len(cells) and cells[place] in names:
        cells[place] = customer_hash(store.pk, names[cells[place]]).hex()
    if region is not None and region < len(cells):
        cells[region] = ""
    return tuple(cells)


def _parked(search: Search, after: int) -> Step:
    rows = ParkedRecord.objects.filter(connection__store=search.store).select_related("connection")
    return _step(rows, after, lambda row: _cut_parked(search, row))


def _cut_parked(search: Search, row: ParkedRecord) -> dict[str, int]:
    how = whose(row.connection, row.stream)
    if how is None:
        return {}
    try:
        record = parking.body_of(row)
    except Unsealable:
        return {SEALED: 1}
    nobody = search.name_for(how.identity(record))
    if not nobody:
        return {}
    parking.rewrite(row, how.renamed(record, nobody), name=nobody if how.is_person else row.external_id)
    return {"parked": 1}


def _waiting(search: Search, after: int) -> Step:
    """Put uploaded files away that nobody has decided on and that name the person: as they were given, they hold more than is ever kept."""
    texts = patterns(search.sought)
    rows = FileImport.objects.filter(store=search.store, pieces__isnull=False).distinct()
    found = list(rows.filter(pk__gt=after).order_by("pk")[:1])
    if not found or not texts:
        return Step(None, {})
    row, counts = found[0], {}
    # What a worker is taking, or about to, goes by itself in minutes, and nothing of the person is kept of it.
    is_taken = Job.objects.filter(pk=row.job or 0, state__in=(Job.State.WAITING, Job.State.RUNNING)).exists()
    if not is_taken and names_person(row, texts):
        counts = {"waiting": 1}
        if row.state in UNDECIDED:
            discard(row, now=search.now, problem=PUT_AWAY)
        else:
            end_badly(row, LEFT, now=search.now)
            row.pieces.all().delete()
    return Step(row.pk, counts)


def patterns(sought: Sought) -> list[re.Pattern[bytes]]:
    """Return what a file as it was given names the person by: addresses and numbers of orders, in the usual encodings."""
    orders = [name for name in (*sought.orders, *sought.all_names) if len(name.removeprefix("#")) >= SHORTEST]
    texts = {text.strip() for text in (*sought.identities, *orders)} - {""}
    wide = "|".join(re.escape(text) for text in sorted(texts))
    if not wide:
        return []
    narrow = rf"(?<![0-9A-Za-z])(?:{wide})(?![0-9A-Za-z])".encode()
    utf_16 = b"|".join(re.escape(text.encode(code)) for text in sorted(texts) for code in ("utf-16-le", "utf-16-be"))
    return [re.compile(narrow, re.IGNORECASE), re.compile(utf_16, re.IGNORECASE)]


def names_person(row: FileImport, texts: Collection[re.Pattern[bytes]]) -> bool:
    """Tell whether a file that is kept as it was given names a person; one whose key is gone nobody can read."""
    tail = b""
    for body in row.pieces.order_by("number").values_list("body", flat=True).iterator(chunk_size=1):
        try:
            piece = tail + zlib.decompress(unseal(bytes(body)))
        except Unsealable:
            return False
        if any(text.search(piece) for text in texts):
            return True
        tail = piece[-OVERLAP:]
    return False


def _bulk_files(search: Search, after: int) -> Step:
    """Overwrite the person in the platforms' files that are on this machine's disk, line for line, so that their index still fits."""
    changed = 0
    for connection in Connection.objects.filter(store=search.store).order_by("pk"):
        for path, how in _files_of(connection):
            changed += _overwrite(search, path, how)
        _drop_half_fetched(connection)
    return Step(None, {"bulk": changed} if changed else {})


def _files_of(connection: Connection) -> Iterator[tuple[Path, Whose]]:
    for folder, how in _folders_of(connection):
        yield from ((path, how) for path in sorted(folder.glob("*.jsonl")))


def _drop_half_fetched(connection: Connection) -> None:
    """Delete what is fetched of files that have not come whole: where it breaks off is anywhere in a line, and they are fetched anew."""
    for folder, _ in _folders_of(connection):
        for part in (*folder.glob("*-*.draft"), *folder.glob("*-*.validator")):
            part.unlink(missing_ok=True)


def _folders_of(connection: Connection) -> Iterator[tuple[Path, Whose]]:
    try:
        streams = find(connection.platform).streams
    except UnknownPlatform:
        return
    for stream in streams:
        folder: Path = settings.BULK_FOLDER / f"{connection.pk}-{stream.name}"
        if stream.whose is not None and folder.is_dir():
            yield folder, stream.whose


def _overwrite(search: Search, path: Path, how: Whose) -> int:
    changed = at = 0
    with path.open("r+b") as file:
        for raw in iter(file.readline, b""):
            line = _record(raw)
            if line is not None and search.name_for(how.identity(line)):
                nobodys, room = msgspec.json.encode(how.renamed(line, "")), len(raw.rstrip(b"\r\n"))
                if len(nobodys) > room:
                    # It says less, so it is no longer; where it is all the same, the platform is asked for its files again.
                    bulk_files.remove(path.parent)
                    return changed + 1
                # As long as it was: other lines are found by where they stand.
                file.seek(at)
                file.write(nobodys.ljust(room))
                file.seek(at + len(raw))
                changed += 1
            at += len(raw)
    return changed


def _record(raw: bytes) -> dict[str, Any] | None:
    try:
        decoded = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None


def _copies(search: Search, after: int) -> Step:
    """Delete the copies that were made for them and wait to be passed on."""
    return _step(PrivacyCopy.objects.filter(case__store=search.store), after, lambda copy: _forget_copy(search, copy))


def _forget_copy(search: Search, copy: PrivacyCopy) -> dict[str, int]:
    try:
        about: list[str] = msgspec.json.decode(unseal(bytes(copy.about)))
    except Unsealable:
        return {SEALED: 1}
    if not {bytes.fromhex(hashed) for hashed in about} & search.hashes.keys():
        return {}
    PrivacyCopy.objects.filter(pk=copy.pk).delete()
    return {"copies": 1}


PLACES: tuple[Place, ...] = (
    Place("customers", "customers, each known by a keyed hash", _customers),
    Place("received", "records as platforms told them", _received),
    Place("imported", "rows as files told them", _imported),
    Place("parked", "parked records", _parked),
    Place("waiting", "uploaded files nobody had decided on, put away", _waiting),
    Place("bulk", "lines of files a platform made of its past", _bulk_files),
    Place("copies", "copies that waited to be passed on", _copies),
)
"""In the order in which they are gone through."""
