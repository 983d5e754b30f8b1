"""Do with a kept file what a person decides: have it looked at, take it, undo it."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from connectors.files import kinds as file_kinds
from connectors.files.effects import keep_taken
from connectors.files.kind import unguarded, untold
from connectors.files.uploads import ENDED_BADLY, LARGEST, discard, kept_file, look_at, looked, receive, undo_imported
from connectors.models import FileImport
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
UNDECIDED = (FileImport.State.WAITING, FileImport.State.LOOKING)
TAKEN = (FileImport.State.DONE, FileImport.State.UNCHANGED, FileImport.State.UNDOING, FileImport.State.RUNNING)


def receive_file(store: Store, file: BinaryIO, *, filename: str, size: int, actor: str, now: datetime) -> FileImport:
    """Keep a file that a person gives, as the kind that its header says, and look at it; raise FileRefused where it is no file to import."""
    name = plain_name(filename, otherwise="file.csv")
    if size > LARGEST:
        raise FileRefused(f"{name} has more than {LARGEST // 1_000_000} MB. Import it on the server with `manage.py import_file`.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        if path.stat().st_size != size:
            raise FileRefused(f"{name} arrived incomplete: {path.stat().st_size:,} of {size:,} bytes. Send it again.")
        found = file_kinds.recognise(store, path).candidates
        with transaction.atomic(), path.open("rb") as copied:
            row = receive(
                store, copied, kind=found[0].kind.name if found else "", template=(found[0].template or {}) if found else {}, filename=name,
                actor=actor, now=now,
            )  # fmt: skip
    if found and found[0].template is not None:
        look(row, actor=actor, now=now)
    return row


def is_to_be_decided(row: FileImport) -> bool:
    """Tell whether a file is kept that nobody has taken or put away yet."""
    return row.state == FileImport.State.WAITING and row.job is None and row.pieces.exists()


def look(row: FileImport, *, actor: str, now: datetime) -> None:
    """Look at a kept file: at once, or in the background when it is long."""
    if _is_long(row):
        with transaction.atomic():
            row.reports.all().delete()
            row.state = FileImport.State.LOOKING
            row.save(update_fields=["state"])
            submit_look(row, actor=actor)
    else:
        look_at(row, now=now, progress=untold)


def _is_long(row: FileImport) -> bool:
    if file_kinds.find(row.kind).is_reviewed:
        return False
    if row.pieces.count() > MOST_PIECES:
        return True
    with kept_file(row) as path:
        try:
            return reading.is_long(path, MOST_LOOKED_AT)
        except FileRefused:
            return False


def read_as(row: FileImport, kind: str, template: dict[str, Any]) -> None:
    """Note what a kept file is, or how it is to be read; raise FileRefused when somebody took it meanwhile."""
    with transaction.atomic():
        held = _held(row)
        held.kind, held.template = kind, template
        held.save(update_fields=["kind", "template"])
        held.reports.all().delete()
    row.kind, row.template = kind, template


def take(row: FileImport, *, actor: str, now: datetime) -> ProposedChange | None:
    """Have a kept file imported in the background; costs that are reviewed become a proposed change, which is returned.

    Raise FileRefused when nobody has looked at it, its rows are wrong, or somebody took it meanwhile.
    """
    with transaction.atomic():
        held = _held(row)
        if looked(held) is None:
            raise FileRefused(f"{held.filename} was not looked at yet. Say first what it holds, and how it is read.")
        if not file_kinds.find(held.kind).is_reviewed:
            submit_kept(held, actor=actor)
            return None
        with kept_file(held) as path:
            found = file_kinds.find(held.kind).take(held, path, now, untold, unguarded)
        keep_taken(held, found)
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
        if file_kinds.find(held.kind).is_reviewed:
            undo_imported(held, now=now, actor=actor, progress=untold, guard=unguarded)
            return
        held.state = FileImport.State.UNDOING
        held.save(update_fields=["state"])
        submit_undo(held, actor=actor)


def _held(row: FileImport) -> FileImport:
    held = FileImport.objects.select_for_update(of=("self",)).select_related("store").get(pk=row.pk)
    if not is_to_be_decided(held):
        raise FileRefused(f"{row.filename} was taken or put away already.")
    return held
