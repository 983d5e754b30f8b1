"""Do in the background what connectors are asked for: import files, fetch exchange rates."""

from datetime import datetime
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone

from connectors import ecb
from connectors.files.imports import ImportUndone
from connectors.files.orders.order_line_imports import KIND
from connectors.files.uploads import forget_abandoned, import_received, look_at, receive, undo_imported
from connectors.models import FileImport
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import Template, as_json
from ledger.kinds import Hold
from ledger.models import Order, Store
from ledger.people import kept_stores
from ledger.tasks import submit_check, submit_redraft
from profitpeek.jobs import queue
from profitpeek.jobs.faults import Cancelled, Permanent, Retryable
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.work import Work


def submit_file(store: Store, file: BinaryIO, template: Template, *, filename: str, actor: str, now: datetime) -> FileImport:
    """Keep a file and have it imported in the background; raise FileRefused when it cannot be taken."""
    with transaction.atomic():
        row = receive(store, file, kind=KIND, template=as_json(template), filename=filename, actor=actor, now=now)
        submit_kept(row, actor=actor)
    return row


def submit_kept(row: FileImport, *, actor: str) -> None:
    """Have a file that is kept imported in the background."""
    _submit(IMPORT_FILE, row, actor, f"{row.filename} into {row.store.name}")


def submit_look(row: FileImport, *, actor: str) -> None:
    """Have a file that is kept looked at in the background."""
    _submit(LOOK_AT_FILE, row, actor, f"{row.filename} for {row.store.name}")


def submit_undo(row: FileImport, *, actor: str) -> None:
    """Have the imports of a file undone in the background."""
    _submit(UNDO_FILE, row, actor, f"{row.filename} out of {row.store.name}")


def _submit(kind: Kind, row: FileImport, actor: str, subject: str) -> None:
    row.job = queue.submit(kind, {"import": row.pk}, key=f"import:{row.pk}", subject=subject, actor=actor)
    row.save(update_fields=["job"])


def import_file(work: Work) -> None:
    """Import a kept file; a run that was cut is gone on with, chunk by chunk."""
    row = _row(work)
    try:
        import_received(row, progress=work.progress, guard=work.fence)
    except ImportUndone as undone:
        row.pieces.all().delete()
        raise Cancelled(str(undone)) from undone
    submit_check(row.store, actor=work.actor)


def look_at_file(work: Work) -> None:
    """Check a kept file and keep what was found for its page."""
    look_at(_row(work), now=timezone.now(), progress=work.progress)


def undo_file(work: Work) -> None:
    """Take back the imports of a file, chunk by chunk; what was cut is gone on with."""
    row = _row(work)
    try:
        undo_imported(row, now=timezone.now(), actor=work.actor, progress=work.progress, guard=work.fence)
    except FileRefused as refused:
        raise Permanent(f"Nothing was undone. {refused}") from refused
    submit_check(row.store, actor=work.actor)


def _row(work: Work) -> FileImport:
    row = FileImport.objects.select_related("store", "proposal").filter(pk=work.parameters["import"]).first()
    if row is None:
        raise Permanent("The file is there no more.")
    return row


def forget_files(work: Work) -> None:
    """Delete kept files that nobody goes on with."""
    forget_abandoned(now=timezone.now())


def load_rates(work: Work) -> None:
    """Bring the exchange rates up to date, and have the orders drafted that waited for one."""
    done = ecb.refresh(timezone.now())
    waiting = Order.objects.filter(hold=Hold.RATE_MISSING).order_by("store_id").values_list("store_id", flat=True).distinct()
    # Also when nothing was added: an earlier run may have ended between its rates and this.
    for store in kept_stores().filter(pk__in=list(waiting)).order_by("pk"):
        submit_redraft(store, why="new exchange rates", actor="exchange rates")
    if done.error:
        raise Retryable(f"Rates may be missing: {done.error}", after=3_600)


IMPORT_FILE = Kind(name="import-file", label="File import", handler=import_file, timeout=2_700)
LOOK_AT_FILE = Kind(name="look-at-file", label="Look at a file", handler=look_at_file, timeout=2_700)
UNDO_FILE = Kind(name="undo-file", label="Undoing of an import", handler=undo_file, timeout=2_700)
FORGET_FILES = Kind(name="forget-files", label="Deletion of abandoned files", handler=forget_files)
LOAD_RATES = Kind(name="load-rates", label="Exchange rates", handler=load_rates, attempts=8)
