"""Do with a kept file what a person decides: have it looked at, take it, undo it."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Exists, OuterRef

from connectors.files import kinds as file_kinds
from connectors.files.given import Given, files_in
from connectors.files.kind import unguarded, untold
from connectors.files.uploads import ENDED_BADLY, LARGEST, UNDECIDED, discard, kept_file, look_at, looked, receive, take_kept, undo_imported
from connectors.models import FileImport, FilePiece
from connectors.platforms.files import reading
from connectors.platforms.files.faults import FileRefused
from connectors.tasks import submit_kept, submit_look, submit_undo
from ledger.filenames import plain_name
from ledger.models import ProposedChange, Store
from profitpeek.jobs.models import Job

MOST_LOOKED_AT = 20_000
"""Rows that are looked at while the person waits; a longer file is looked at in the background."""
MOST_PIECES = 20
"""Megabytes of a file, as it was sent, beyond which nobody waits until its rows are counted."""
MOST_REVIEWED = 2_000
"""Rows of costs that are looked at and proposed while the person waits; a longer file is background work as well."""
TAKEN = (FileImport.State.DONE, FileImport.State.UNCHANGED, FileImport.State.UNDOING, FileImport.State.RUNNING, FileImport.State.PARTLY)


def receive_file(store: Store, file: BinaryIO, *, filename: str, size: int, actor: str, now: datetime) -> list[FileImport]:
    """Keep a file that a person gives, each sheet of a workbook as one, and look at it as the kind that its header says.

    Raise FileRefused where it is no file to import.
    """
    name = plain_name(filename, otherwise="file.csv")
    if size > LARGEST:
        raise FileRefused(f"{name} has more than {LARGEST // 1_000_000} MB. Import it on the server with `manage.py import_file`.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        if path.stat().st_size != size:
            raise FileRefused(f"{name} arrived incomplete: {path.stat().st_size:,} of {size:,} bytes. Send it again.")
        with transaction.atomic():
            kept = [_keep(store, given, actor=actor, now=now) for given in files_in(path, Path(folder))]
    for row, is_described in kept:
        if is_described:
            look(row, actor=actor, now=now)
    return [row for row, _ in kept]


def _keep(store: Store, given: Given, *, actor: str, now: datetime) -> tuple[FileImport, bool]:
    """Keep one file as the kind that its header says; tell whether how it is read is known as well."""
    found = next(iter(file_kinds.recognise(store, given.path).candidates), None)
    template = found.template if found else None
    with given.path.open("rb") as copied:
        row = receive(
            store, copied, kind=found.kind.name if found else "", template=template or {}, filename=given.filename, actor=actor, now=now,
            caveats=given.caveats,
        )  # fmt: skip
    return row, template is not None


def is_to_be_decided(row: FileImport) -> bool:
    """Tell whether a file is kept that nobody has taken or put away yet."""
    return row.state == FileImport.State.WAITING and row.job is None and row.pieces.exists()


def look(row: FileImport, *, actor: str, now: datetime) -> None:
    """Look at a kept file: at once, or in the background when it is long; raise FileRefused when somebody took it, or has it read otherwise."""
    if not _is_long(row):
        look_at(row, now=now, progress=untold)
        return
    with transaction.atomic():
        _claim(row, asked={"kind": row.kind, "template": row.template}, state=FileImport.State.LOOKING)
        row.reports.all().delete()
        submit_look(row, actor=actor)
    row.state = FileImport.State.LOOKING


def _most_rows(row: FileImport) -> int:
    """Return how many rows of a file are looked at, and proposed, while the person waits."""
    return MOST_REVIEWED if file_kinds.find(row.kind).is_reviewed else MOST_LOOKED_AT


def _is_long(row: FileImport) -> bool:
    if row.pieces.count() > MOST_PIECES:
        return True
    with kept_file(row) as path:
        try:
            return reading.is_long(path, _most_rows(row))
        except FileRefused:
            return False


def read_as(row: FileImport, kind: str, template: dict[str, Any]) -> None:
    """Note what a kept file is, or how it is to be read; raise FileRefused when somebody took it, or a worker looks at it."""
    with transaction.atomic():
        _claim(row, kind=kind, template=template)
        row.reports.all().delete()
    row.kind, row.template = kind, template


def _claim(row: FileImport, *, asked: dict[str, Any] | None = None, **values: Any) -> None:
    """Write what becomes of a kept file that nobody has decided about, in one UPDATE: of two who press at once the second is refused.

    Call it in a transaction: until that ends, whoever comes second waits. `asked` is what the file must still be.
    """
    pieces = FilePiece.objects.filter(file_import=OuterRef("pk"))
    undecided = FileImport.objects.filter(Exists(pieces), pk=row.pk, state=FileImport.State.WAITING, job=None)
    if not undecided.filter(**(asked or {})).update(**values):
        raise FileRefused(f"{row.filename} was taken or put away already, or is read otherwise by now.")


def take(row: FileImport, *, actor: str, now: datetime) -> ProposedChange | None:
    """Have a kept file imported in the background; costs that are reviewed become a proposed change, which is returned.

    Raise FileRefused when nobody has looked at it, its rows are wrong, or somebody took it meanwhile.
    """
    with transaction.atomic():
        _claim(row, state=FileImport.State.WAITING)
        held = FileImport.objects.select_related("store").get(pk=row.pk)
        seen = looked(held)
        if seen is None:
            raise FileRefused(f"{held.filename} was not looked at yet. Say first what it holds, and how it is read.")
        kind = file_kinds.find(held.kind)
        if not kind.is_reviewed or (seen.found is not None and seen.found.rows > MOST_REVIEWED):
            submit_kept(held, actor=actor)
            return None
        take_kept(held, now=now, progress=untold, guard=unguarded)
        held.pieces.all().delete()
        return held.proposal


def put_away(row: FileImport, *, now: datetime) -> None:
    """Let go of a kept file of which nothing was taken; raise FileRefused when somebody took it, or a worker is at it."""
    with transaction.atomic():
        held = FileImport.objects.select_for_update(of=("self",)).get(pk=row.pk)
        idle = held.job is None or not Job.objects.filter(pk=held.job).exclude(state__in=ENDED_BADLY).exists()
        if held.state not in UNDECIDED or not idle:
            raise FileRefused(f"{row.filename} was taken or put away already.")
        discard(held, now=now)


def undo(row: FileImport, *, actor: str, now: datetime) -> None:
    """Undo an import: in the background, or at once where a review undoes it; raise FileRefused when it cannot be undone."""
    with transaction.atomic():
        held = FileImport.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
        if held.state not in TAKEN:
            raise FileRefused(f"{held.filename} is {held.get_state_display()}; there is nothing to undo.")
        if file_kinds.find(held.kind).is_reviewed and held.rows <= MOST_REVIEWED:
            undo_imported(held, now=now, actor=actor, progress=untold, guard=unguarded)
            return
        held.state = FileImport.State.UNDOING
        held.save(update_fields=["state"])
        submit_undo(held, actor=actor)
