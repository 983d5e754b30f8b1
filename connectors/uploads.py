"""Import a file in the background: keep it sealed in the database until a worker has imported it.

In the database, because the process that was given the file and the one that imports it need not share a disk.
"""

import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from django.db import transaction
from django.utils import timezone

from connectors.cost_imports import CHARGES, import_charges
from connectors.imports import UNDONE, Guard, ImportUndone, Progress, import_order_lines, open_import
from connectors.models import FileImport, FilePiece
from connectors.platforms.files.cost_sheet import Options, from_json
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import from_json as read_template
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
ABANDONED = "The import was cancelled or failed, and nobody went on with it for a week; the file is no longer kept. What was recorded stays."


def receive(
    store: Store, file: BinaryIO, *, kind: str, template: dict[str, Any], filename: str, actor: str, now: datetime
) -> FileImport:  # fmt: skip
    """Keep a file that is to be imported; raise FileRefused when it is empty or too large. Call it in a transaction."""
    digest = hashlib.sha256()
    name = plain_name(filename, otherwise="file.csv")
    row = open_import(store, kind, template, filename=name, sha256="", actor=actor, now=now, state=FileImport.State.WAITING)
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
            FileImport.objects.filter(pk=row.pk, state__in=(FileImport.State.WAITING, FileImport.State.RUNNING)).update(
                state=FileImport.State.REFUSED, problem=problem, finished_at=timezone.now()
            )  # fmt: skip
        row.pieces.all().delete()
        guard()


@contextmanager
def kept_file(row: FileImport) -> Iterator[Path]:
    """Lend the file that an import keeps, as a file on this machine's disk, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / row.filename
        with path.open("wb") as file:
            file.writelines(_pieces(row))
        yield path


def options_of(row: FileImport) -> Options:
    """Return what a person said of a file of costs; once a run has begun, what that found in it."""
    said = row.template.get("options")
    if said is not None:
        return msgspec.convert(said, Options)
    layout = from_json(row.template)
    return Options(decimal_sign=layout.decimal_sign, day_order=layout.day_order, currency=layout.currency)


def _import(row: FileImport, progress: Progress, guard: Guard) -> str:
    """Import the kept file and return why it was refused, if it was."""
    with kept_file(row) as path:
        try:
            if row.kind in CHARGES:
                import_charges(
                    row.store, path, CHARGES[row.kind], options=options_of(row), now=timezone.now(), actor=row.actor, progress=progress, row=row,
                    guard=guard,
                )  # fmt: skip
            else:
                template = read_template(row.template)
                import_order_lines(row.store, path, template, now=timezone.now(), actor=row.actor, progress=progress, row=row, guard=guard)
        except FileRefused as refused:
            return str(refused)
    return ""


def discard(row: FileImport, *, now: datetime, problem: str = "") -> None:
    """Let go of a kept file that is not to be taken."""
    with transaction.atomic():
        FileImport.objects.filter(pk=row.pk, state=FileImport.State.WAITING).update(
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
            FileImport.objects.filter(pk=row.pk).exclude(state__in=UNDONE).update(state=FileImport.State.REFUSED, problem=ABANDONED, finished_at=now)
            row.pieces.all().delete()
        forgotten += 1
    return forgotten


def _pieces(row: FileImport) -> Iterator[bytes]:
    for body in row.pieces.order_by("number").values_list("body", flat=True).iterator(chunk_size=1):
        yield zlib.decompress(unseal(bytes(body)))
