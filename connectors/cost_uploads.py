"""Look at an uploaded file of costs before it is taken, then take it: at once, or in the background when it is long."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from msgspec import Struct

from connectors.cost_imports import CHARGES, CostReport, import_charges, undo_charges
from connectors.imports import ImportUndone, unguarded
from connectors.models import FileImport
from connectors.platforms.files import reading
from connectors.platforms.files.cost_sheet import Kind
from connectors.platforms.files.faults import FileRefused, RowFault
from connectors.platforms.files.product_costs import PRODUCT_COSTS
from connectors.product_cost_imports import import_product_costs, read_product_costs, take_product_costs, undo_product_costs
from connectors.tasks import submit_kept
from connectors.uploads import import_received, kept_file, options_of
from ledger.models import ProposedChange
from ledger.record import Contended
from ledger.tasks import submit_check

KINDS: dict[str, Kind] = {**CHARGES, PRODUCT_COSTS.name: PRODUCT_COSTS}
MOST_LOOKED_AT = 20_000
"""Rows that are looked at while the person waits; a longer file is checked in the background."""
MOST_AT_ONCE = 5_000
"""Rows that are taken, or undone, while the person waits: some seconds."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Looked(Struct):
    """What looking at a file found: a report, why it is refused, or that it is too long to be looked at in a page."""

    report: CostReport | None = None
    refused: FileRefused | None = None
    is_long: bool = False


def is_to_be_decided(row: FileImport) -> bool:
    """Tell whether a file of costs is kept that nobody has taken or put away yet."""
    return row.kind in KINDS and row.state == FileImport.State.WAITING and row.job is None and row.pieces.exists()


def look(row: FileImport, *, now: datetime) -> Looked:
    """Check a kept file as its import would, and write nothing."""
    with kept_file(row) as path:
        try:
            if row.kind != PRODUCT_COSTS.name and reading.is_long(path, MOST_LOOKED_AT):
                return Looked(is_long=True)
            if row.kind in CHARGES:
                report = import_charges(row.store, path, CHARGES[row.kind], options=options_of(row), now=now, dry_run=True)
            else:
                report = import_product_costs(row.store, path, options=options_of(row), now=now, dry_run=True)
        except FileRefused as refused:
            return Looked(refused=refused)
    return Looked(report=report)


def take(row: FileImport, *, actor: str, now: datetime) -> ProposedChange | None:
    """Take a kept file: charge orders at once, or in the background; product costs become a proposed change, which is returned.

    Raise FileRefused when its rows are wrong, or somebody took it meanwhile.
    """
    with transaction.atomic():
        held = FileImport.objects.select_for_update().get(pk=row.pk)
        if not is_to_be_decided(held):
            raise FileRefused(f"{row.filename} was taken or put away already.")
        if row.kind == PRODUCT_COSTS.name:
            with kept_file(held) as path:
                read = read_product_costs(held.store, path, options=options_of(held), now=now)
            take_product_costs(held.store, read, now=now, actor=actor, row=held)
            held.pieces.all().delete()
            return held.proposal
        with kept_file(held) as path:
            if reading.is_long(path, MOST_AT_ONCE):
                submit_kept(held, actor=actor)
                return None
        held.state = FileImport.State.RUNNING
        held.save(update_fields=["state"])
    try:
        import_received(held, progress=lambda step, done, whole: None, guard=unguarded)
    except Contended:
        submit_kept(held, actor=actor)  # others write the same orders just now: a worker goes on where this stopped
        return None
    except ImportUndone as undone:
        raise FileRefused(str(undone)) from undone
    held.refresh_from_db()
    if held.state == FileImport.State.REFUSED:
        raise FileRefused(held.problem)
    submit_check(held.store, actor=actor)
    return None


def undo(row: FileImport, *, actor: str, now: datetime) -> None:
    """Undo an import of costs; raise FileRefused where it cannot be undone here."""
    if row.kind not in KINDS:
        raise FileRefused("Order lines are undone on the server: manage.py import_file … --undo.")
    # one that is being undone was cut: undoing it again does what is left; and one that runs without a job may have been cut
    runs_in_a_page = row.state == FileImport.State.RUNNING and row.job is None
    if row.state not in (FileImport.State.DONE, FileImport.State.UNCHANGED, FileImport.State.UNDOING) and not runs_in_a_page:
        raise FileRefused(f"It is {row.get_state_display()}.")
    if row.kind == PRODUCT_COSTS.name:
        undo_product_costs([row], now=now, actor=actor)
    elif row.rows > MOST_AT_ONCE:
        raise FileRefused(f"It has more than {MOST_AT_ONCE:,} rows. Undo it on the server: manage.py import_file … --undo.")
    else:
        try:
            undo_charges(row.store, [row], now=now, actor=actor)
        except Contended as contended:
            raise FileRefused("Others are writing the same orders just now, so a part is not undone yet. Undo it again.") from contended
        row.pieces.all().delete()
        submit_check(row.store, actor=actor)


def faults_csv(faults: Iterable[RowFault]) -> str:
    """Write what is wrong with a file's rows as a CSV file."""
    return _csv(("line", "column", "what to mend"), ((str(fault.line), fault.column, fault.message) for fault in faults))


def loose_csv(report: CostReport) -> str:
    """Write the rows that fit no order or product as a CSV file."""
    what = "sku" if report.kind == PRODUCT_COSTS.name else "order"
    why = {False: "no variant has it" if what == "sku" else "no order has it", True: "several orders have it"}
    return _csv(("line", what, "reference", "why"), ((str(row.line), row.name, row.reference, why[row.ambiguous]) for row in report.loose))


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write rows so that no spreadsheet runs a text as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([f"'{text}" if text.startswith(FORMULA) else text for text in row] for row in rows)
    return out.getvalue()
