"""Keep the record of imports: which file was read how, how far it is, and the archive of what was read.

A file is refused whole or taken whole: nothing is written before every row has been checked. Each chunk is one
transaction of archive, mirror, entries and totals; an import that was cut goes on when the same file is
imported again, because what is known already changes nothing.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from msgspec import Struct

from connectors.files.kind import FileKind, Guard
from connectors.files.spool import unpack
from connectors.models import FileImport, FileReport, RawPayload
from connectors.reading.archive import keys_of
from ledger.models import Store
from ledger.sealing import seal, unseal

UNDONE = (FileImport.State.UNDOING, FileImport.State.UNDONE)


class ImportUndone(Exception):
    """Say that an import was undone while it ran; it must record nothing more."""


def new_import(
    store: Store, kind: str, template: dict[str, Any], *, filename: str, sha256: str, actor: str, now: datetime,
    state: str = FileImport.State.RUNNING,
) -> FileImport:  # fmt: skip
    """Make an import that is not in the table yet; `template` says how its file is read."""
    return FileImport(
        store=store, kind=kind, template=template, filename=filename[:255], sha256=sha256, actor=actor, started_at=now, state=state
    )  # fmt: skip


def begin(row: FileImport, guard: Guard, **values: Any) -> None:
    """Note that an import runs, once its file has been checked; one that is not in the table yet is added."""
    if row.pk is None:
        row.save()
    move(row, guard, state=FileImport.State.RUNNING, **values)


def note_chunk(row: FileImport, number: int, *, new: int, changed: int, unchanged: int) -> None:
    """Note in a chunk's transaction that it is recorded, and what it did; what is new is counted as changed too."""
    FileImport.objects.filter(pk=row.pk).update(
        changed_orders=F("changed_orders") + new + changed, new_orders=F("new_orders") + new, unchanged_orders=F("unchanged_orders") + unchanged,
        chunks_done=number,
    )  # fmt: skip


def finish(row: FileImport, guard: Guard, *, now: datetime, **values: Any) -> None:
    """Note that an import is done, or has changed nothing."""
    row.refresh_from_db(fields=["changed_orders"])
    state = FileImport.State.DONE if row.changed_orders else FileImport.State.UNCHANGED
    move(row, guard, state=state, finished_at=datetime.now(tz=now.tzinfo), **values)


def move(row: FileImport, guard: Guard, **values: Any) -> None:
    """Write how far an import is, unless it was undone or taken over meanwhile."""
    with transaction.atomic():
        hold(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        guard()


def hold(row: FileImport) -> FileImport:
    """Lock an import until the transaction ends, so that an undo comes wholly before or wholly after; raise ImportUndone when it came before."""
    held = FileImport.objects.select_for_update().get(pk=row.pk)
    if held.state in UNDONE:
        raise ImportUndone(f"The import of {held.filename} was undone while it ran; nothing more of it is recorded.")
    return held


def move_undone(row: FileImport, guard: Guard, *, now: datetime) -> None:
    """Note that an import is undone: the last thing an undo does, so that one that was cut goes on when it is called again."""
    with transaction.atomic():
        FileImport.objects.filter(pk=row.pk).update(state=FileImport.State.UNDONE, undone_at=now)
        guard()


def archive(row: FileImport, number: int, packed: bytes, *, orders: int, names: Iterable[str] = ()) -> None:
    """Keep a chunk of what an import read, sealed; `names` are what its file calls the orders in it, so that they can be found."""
    RawPayload.objects.create(
        file_import=row, number=number, body=seal(packed), sha256=hashlib.sha256(packed).hexdigest(), orders=orders, keys=keys_of(names)
    )  # fmt: skip


def is_archived(store: Store, row: FileImport, packed: bytes) -> bool:
    """Tell whether an import of the same file, not undone, keeps the very same chunk already."""
    same = FileImport.objects.filter(store=store, kind=row.kind, sha256=row.sha256).exclude(state__in=UNDONE)
    return RawPayload.objects.filter(file_import__in=same, sha256=hashlib.sha256(packed).hexdigest()).exists()


def archived(row: FileImport, *, names: Collection[str] | None = None) -> Iterator[list[tuple[str, list[tuple[str, ...]]]]]:
    """Yield the chunks that an import kept, as they were read; with `names`, only those that may hold an order its file calls so."""
    payloads = row.payloads.order_by("number")
    if names is not None:
        payloads = payloads.filter(Q(keys__overlap=keys_of(names)) | Q(keys=[]))
    for body in payloads.values_list("body", flat=True).iterator(chunk_size=1):
        yield unpack(unseal(bytes(body)))


def others_told(store: Store, *, but: Collection[int]) -> QuerySet[FileImport]:
    """Return the imports of a store that keep what they read and are not undone, the latest first, but for some.

    Files that nobody has taken keep nothing: neither rows, nor how they would have been read.
    """
    keeps = RawPayload.objects.filter(file_import=OuterRef("pk"))
    return FileImport.objects.filter(Exists(keeps), store=store).exclude(pk__in=but).exclude(state__in=UNDONE).order_by("-pk")


def standing(store: Store, kind: FileKind, sha256: str, *, template: dict[str, Any] | None = None) -> QuerySet[FileImport]:
    """Return the imports of one file as a kind that can be undone, the latest first; of a kind that tells them apart, those with the template."""
    never_taken = (FileImport.State.REFUSED, FileImport.State.WAITING, FileImport.State.LOOKING)
    imports = FileImport.objects.filter(store=store, kind=kind.name, sha256=sha256).exclude(state__in=(*never_taken, FileImport.State.UNDONE))
    if kind.undone_by_template:
        imports = imports.filter(template=template)
    return imports.order_by("-pk")


def keep_report(row: FileImport, stage: str, body: Struct | dict[str, Any]) -> None:
    """Keep what looking at a file found, or taking it did, in place of what was found before."""
    FileReport.objects.update_or_create(file_import=row, stage=stage, defaults={"body": msgspec.to_builtins(body)})
