"""Import a file in the background: keep it sealed in the database until a worker has imported it.

In the database, because the process that was given the file and the one that imports it need not share a disk.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from msgspec import Struct

from connectors.files import kinds as file_kinds
from connectors.files.effects import begin_undo, end_undo, keep_taken
from connectors.files.imports import UNDONE, ImportUndone, keep_report, new_import
from connectors.files.kind import Effect, Found, Guard, Progress
from connectors.files.suspicions import suspicions
from connectors.models import FileImport, FilePiece, FileReport
from connectors.platforms.files.faults import FileRefused, RowFault
from ledger.filenames import plain_name
from ledger.models import Store
from ledger.sealing import seal, unseal
from profitpeek.jobs.models import Job

PIECE = 1_000_000
LARGEST = 500_000_000
"""Bytes of a file that are taken; more is for the command line, which reads it in place."""

KEEP_ABANDONED = timedelta(days=7)
ENDED_BADLY = (Job.State.CANCELLED, Job.State.DEAD)
DISCARDED = "The file was looked at and put away; nothing of it was taken."
ABANDONED = (
    "The import was cancelled or failed, and nobody went on with it for a week; the file is no longer kept. What was recorded stays: upload the "
    "same file again to go on, or undo what was taken."
)
UNDECIDED = (FileImport.State.WAITING, FileImport.State.LOOKING)


def receive(
    store: Store, file: BinaryIO, *, kind: str, template: dict[str, Any], filename: str, actor: str, now: datetime, caveats: Sequence[str] = ()
) -> FileImport:  # fmt: skip
    """Keep a file that is to be imported; raise FileRefused when it is empty or too large. Call it in a transaction."""
    digest = hashlib.sha256()
    name = plain_name(filename, otherwise="file.csv")
    row = new_import(store, kind, template, filename=name, sha256="", actor=actor, now=now, state=FileImport.State.WAITING)
    row.caveats = "\n".join(caveats)
    row.save()
    size = 0
    for number, piece in enumerate(iter(lambda: file.read(PIECE), b""), start=1):
        size += len(piece)
        if size > LARGEST:
            raise FileRefused(f"{row.filename} has more than {LARGEST // 1_000_000} MB. Import it on the server with `manage.py import_file`.")
        digest.update(piece)
        FilePiece.objects.create(file_import=row, number=number, body=seal(zlib.compress(piece, 1)))
    if not size:
        raise FileRefused(f"{row.filename} is empty.")
    row.sha256 = digest.hexdigest()
    row.save(update_fields=["sha256"])
    return row


def import_received(row: FileImport, *, progress: Progress, guard: Guard) -> None:
    """Import a file that was kept, or go on with it; what a file is refused for is noted in its row.

    `guard` is called last in each transaction. The pieces go with the last one. Raise ImportUndone when it was undone meanwhile.
    """
    problem = ""
    if row.state in UNDONE:
        raise ImportUndone(f"The import of {row.filename} was undone while it ran; nothing more of it is recorded.")
    # A run that was cut between the end of the import and that of the pieces has only those left to do.
    if row.state in (FileImport.State.WAITING, FileImport.State.RUNNING):
        problem = _import(row, progress, guard)
    with transaction.atomic():
        if problem:
            end_badly(row, problem, now=timezone.now())
        # not of one that is looked at meanwhile: its file is still to be decided about
        FilePiece.objects.filter(file_import=row).exclude(file_import__state__in=UNDECIDED).delete()
        guard()


def end_badly(row: FileImport, problem: str, *, now: datetime) -> None:
    """Note that an import ends without its file: refused, or taken in part where chunks of it are recorded, which can be undone."""
    open_still = FileImport.objects.filter(pk=row.pk, state__in=(*UNDECIDED, FileImport.State.RUNNING))
    open_still.filter(chunks_done=0).update(state=FileImport.State.REFUSED, problem=problem, finished_at=now)
    open_still.filter(chunks_done__gt=0).update(state=FileImport.State.PARTLY, problem=problem, finished_at=now)


@contextmanager
def kept_file(row: FileImport) -> Iterator[Path]:
    """Lend the file that an import keeps, as a file on this machine's disk, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / row.filename
        with path.open("wb") as file:
            file.writelines(_pieces(row))
        yield path


class Refusal(Struct):
    """Why a file was refused when it was looked at, with the first rows that are wrong."""

    reason: str
    faults: list[RowFault]
    count: int


class Looked(Struct):
    """What looking at a file found: what it holds, or why it is refused."""

    found: Found | None = None
    refusal: Refusal | None = None


def look_at(row: FileImport, *, now: datetime, progress: Progress) -> None:
    """Check a kept file as its import would, write nothing of it, and keep what was found for the file's page, unless somebody took it meanwhile."""
    looked = Looked()
    try:
        with kept_file(row) as path:
            looked.found = file_kinds.find(row.kind).look(row, path, now, progress)
        looked.found.warnings = [*row.caveats.splitlines(), *looked.found.warnings, *suspicions(looked.found, row.store.currency)]
    except FileRefused as refused:
        looked.refusal = _refusal(refused)
    undecided = Q(state=FileImport.State.LOOKING) | Q(state=FileImport.State.WAITING, job=None)
    with transaction.atomic():
        # whoever had it read otherwise meanwhile has it looked at anew: what was found here is of no use then
        if FileImport.objects.filter(undecided, pk=row.pk, kind=row.kind, template=row.template).update(state=FileImport.State.WAITING, job=None):
            keep_report(row, FileReport.Stage.LOOKED, msgspec.to_builtins(looked))


def _refusal(refused: FileRefused) -> Refusal:
    return Refusal(refused.reason, list(refused.faults), refused.count)


def looked(row: FileImport) -> Looked | None:
    """Return what looking at a file found; None when nobody has looked yet."""
    report = row.reports.filter(stage=FileReport.Stage.LOOKED).first()
    return None if report is None else msgspec.convert(report.body, Looked)


def taken(row: FileImport) -> Found | None:
    """Return what taking a file did; None when it was not taken, or before such reports were kept."""
    report = row.reports.filter(stage=FileReport.Stage.TAKEN).first()
    return None if report is None else msgspec.convert(report.body, Found)


def undone(row: FileImport) -> Effect | None:
    """Return what undoing a file did to profit; None when it was not undone, or before such reports were kept."""
    report = row.reports.filter(stage=FileReport.Stage.UNDONE).first()
    return None if report is None else msgspec.convert(report.body, Effect)


def undo_imported(row: FileImport, *, now: datetime, actor: str, progress: Progress, guard: Guard) -> None:
    """Undo every import of a file as its kind; raise FileRefused where later changes rest on it."""
    found = file_kinds.standing_with(row)
    begin_undo(row, found)
    file_kinds.find(row.kind).undo(found, now, actor, progress, guard)
    end_undo(row)
    for each in found:
        each.pieces.all().delete()


def _import(row: FileImport, progress: Progress, guard: Guard) -> str:
    """Import the kept file and return why it was refused, if it was."""
    try:
        take_kept(row, now=timezone.now(), progress=progress, guard=guard)
    except FileRefused as refused:
        keep_report(row, FileReport.Stage.LOOKED, msgspec.to_builtins(Looked(refusal=_refusal(refused))))
        return str(refused)
    return ""


def take_kept(row: FileImport, *, now: datetime, progress: Progress, guard: Guard) -> None:
    """Take a kept file and keep what that did for its page; raise FileRefused when its rows are wrong."""
    with kept_file(row) as path:
        found = file_kinds.find(row.kind).take(row, path, now, progress, guard)
    found.warnings = [*row.caveats.splitlines(), *found.warnings]
    keep_taken(row, found)


def discard(row: FileImport, *, now: datetime, problem: str = "") -> None:
    """Let go of a kept file that is not to be taken."""
    with transaction.atomic():
        FileImport.objects.filter(pk=row.pk, state__in=UNDECIDED).update(
            state=FileImport.State.REFUSED, problem=problem or DISCARDED, finished_at=now
        )  # fmt: skip
        row.pieces.all().delete()


def forget_abandoned(*, now: datetime) -> int:
    """Delete the files of imports that nobody goes on with.

    Their job was cancelled or died a week ago, or is gone; or a person only looked at them, a week ago.
    """
    waiting = FileImport.objects.filter(pieces__isnull=False).exclude(job=None, started_at__gte=now - KEEP_ABANDONED).distinct()
    alive = Job.objects.exclude(state__in=ENDED_BADLY, finished_at__lt=now - KEEP_ABANDONED)
    forgotten = 0
    for row in waiting.exclude(job__in=alive.values("pk")):
        with transaction.atomic():
            end_badly(row, ABANDONED, now=now)
            row.pieces.all().delete()
        forgotten += 1
    return forgotten


def _pieces(row: FileImport) -> Iterator[bytes]:
    for body in row.pieces.order_by("number").values_list("body", flat=True).iterator(chunk_size=1):
        yield zlib.decompress(unseal(bytes(body)))
