"""Import files of shipping costs and commissions: check the whole, charge orders chunk by chunk, archive, undo.

A file is refused whole or taken whole. Rows whose order is not known are taken too: their charges wait for it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from django.db import transaction
from msgspec import Struct, field

from connectors.files.costs.undoing import take_charges_back
from connectors.files.imports import archive, archived, begin, finish, hold, is_archived, move_undone, new_import, note_chunk
from connectors.files.kind import MOST_FIRST_ROWS, MOST_LISTED, Guard, Loose, Progress, Undone, unguarded, untold
from connectors.files.spool import Order as OrderTexts
from connectors.files.spool import Spool, pack
from connectors.models import FileImport
from connectors.platforms.files import reading
from connectors.platforms.files.cost_sheet import Checker, Context, KeptRow, Kind, Layout, Options, Survey, as_json, from_json, survey
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.order_charges import COMMISSIONS, SHIPPING_COSTS, ChargeReader, Told, facts_of
from ledger.book.reposting import resolve_rates
from ledger.charges import charge_rows, charges
from ledger.charges.charges import Charged, ChargeFact
from ledger.models import Store
from ledger.money import Tenk
from ledger.orders.build import Zones

CHARGES: dict[str, Kind] = {kind.name: kind for kind in (SHIPPING_COSTS, COMMISSIONS)}
TOLD_EVERY = 2_000
"""Rows between two notes of how far the check is."""
NEW_PARTNER = -1
"""Stands for a partner that is added with the import, while it is only looked at."""


class CostReport(Struct):
    """What a file of costs holds and what importing it did. Amounts are in ten-thousandths of their currency."""

    filename: str
    kind: str
    encoding: str = ""
    delimiter: str = ""
    import_id: int | None = None
    layout: Layout | None = None
    dropped_columns: tuple[str, ...] = ()
    rows: int = 0
    blank_rows: int = 0
    totals: dict[str, Tenk] = field(default_factory=dict)
    """Sum of every row by currency."""
    matched: int = 0
    loose: list[Loose] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: int = 0
    held: int = 0
    entries: int = 0
    new_partners: tuple[str, ...] = ()
    first_rows: list[tuple[str, ...]] = field(default_factory=list)
    effective_from: str = ""
    """The day that product costs hold from where the file names none."""

    @property
    def loose_count(self) -> int:
        """Return how many rows' order, or product, is not known."""
        return self.rows - self.matched


class Opened(Struct):
    """A file that has been looked through: how it is written and read."""

    path: Path
    digest: str
    dialect: reading.Dialect
    found: Survey
    width: int


def open_file(path: Path, kind: Kind, options: Options, context: Context) -> Opened:
    """Look through a file and find how it is to be read; raise FileRefused where that is not sure."""
    digest = reading.file_digest(path)
    dialect = reading.find_dialect(path)
    rows = partial(reading.table, path, dialect)
    found = survey(rows, kind, options, context)
    return Opened(path, digest, dialect, found, len(next(rows())[1]))


def context_of(store: Store, now: datetime) -> Context:
    """Return what reading a store's files needs."""
    return Context(Zones.load(store).zone_on, store.currency, now)


def checked(opened: Opened, kind: Kind, checker: Checker, report: CostReport, tell: Progress) -> Iterator[KeptRow]:
    """Yield every row that can be used, then raise FileRefused when one could not."""
    rows = reading.table(opened.path, opened.dialect)
    next(rows)
    for line, fields in rows:
        row = checker.keep(line, fields)
        if row is not None:
            report.rows += 1
            if len(report.first_rows) < MOST_FIRST_ROWS:
                report.first_rows.append(row)
            yield row
        if not line % TOLD_EVERY:
            tell("checking rows", line, 0)
    checker.refuse_if_wrong()
    if not report.rows:
        raise FileRefused(f"{opened.path.name} has a header and no rows.")
    report.blank_rows = checker.blank_rows


def report_on(opened: Opened, kind: Kind) -> CostReport:
    """Begin the report on a file."""
    report = CostReport(opened.path.name, kind.name, opened.dialect.encoding, opened.dialect.delimiter)
    report.layout, report.dropped_columns = opened.found.layout, opened.found.dropped
    return report


def import_charges(
    store: Store, path: Path, kind: Kind, *, options: Options, now: datetime, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> CostReport:  # fmt: skip
    """Check a file and, unless it is a dry run, charge orders with its rows; raise FileRefused with the rows that are wrong.

    `row` is an import that was opened before, by a request or by a run that was cut; it goes on under its number.
    """
    tell = progress or untold
    context = context_of(store, now)
    opened = open_file(path, kind, options, context)
    report = report_on(opened, kind)
    reader = ChargeReader(kind, opened.found.layout, context)
    names: set[str] = set()
    with Spool() as spool:
        for kept in checked(opened, kind, Checker(kind, opened.found, reader.check, opened.width), report, tell):
            told = reader.told(kept)
            names.add(told.partner)
            report.totals[told.currency] = report.totals.get(told.currency, 0) + told.amount
            spool.add(told.order, kept)
        names.discard("")
        partners = charge_rows.partners_named(store.pk, names)
        report.new_partners = tuple(sorted(names - set(partners)))
        if dry_run:
            known = {**dict.fromkeys(names, NEW_PARTNER), **partners}
            for chunk in spool.chunks():
                rows, facts = _facts(chunk, reader, known)
                _count(report, charges.look(store, facts), rows)
            return report
        row = row or new_import(store, kind.name, as_json(opened.found.layout), filename=path.name, sha256=opened.digest, actor=actor, now=now)
        partners = _partners(store, names)
        begin(row, guard, rows=report.rows, orders=spool.orders, template=as_json(opened.found.layout), matched=0)
        report.import_id = row.pk
        done_rows = 0
        for number, chunk in enumerate(spool.chunks(), start=1):
            rows, facts = _facts(chunk, reader, partners)
            _charge_chunk(row, store, number, chunk, rows, facts, report, now, guard)
            done_rows += len(rows)
            tell("charging orders", done_rows, report.rows)
    resolve_rates(store)
    finish(row, guard, now=now, matched=report.matched)
    return report


def _partners(store: Store, names: set[str]) -> dict[str, int]:
    """Return a store's partners by the names a file gives them; those it does not have, or calls something else by now, are added."""
    with transaction.atomic():
        charge_rows.add_partners(store.pk, names - set(charge_rows.partners_named(store.pk, names)))
    return charge_rows.partners_named(store.pk, names)


def _facts(chunk: Sequence[OrderTexts], reader: ChargeReader, partners: dict[str, int]) -> tuple[list[Told], list[ChargeFact]]:
    """Read a chunk again: its rows and, in the same order, the charges they tell."""
    rows: list[Told] = []
    facts: list[ChargeFact] = []
    for _, texts in chunk:
        told = [reader.told(row) for row in texts]
        rows += told
        facts += facts_of(told, partners)
    return rows, facts


def _charge_chunk(
    row: FileImport, store: Store, number: int, chunk: list[OrderTexts], rows: Sequence[Told], facts: Sequence[ChargeFact], report: CostReport,
    now: datetime, guard: Guard,
) -> None:  # fmt: skip
    """Charge orders with one chunk and archive it, in one transaction; what an earlier run charged is only counted."""
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            _count(report, charges.look(store, facts), rows)
            return
        done = charges.record_charges(store, facts, cause_ref=row.cause_ref, actor=row.actor, now=now)
        packed = pack(chunk)
        if done.added or done.changed or not is_archived(store, row, packed):
            archive(row, number, packed, orders=len(chunk), names=[name for name, _ in chunk])
        note_chunk(row, number, new=done.added, changed=done.changed, unchanged=done.unchanged)
        guard()
    _count(report, done, rows)


def _count(report: CostReport, done: Charged, rows: Sequence[Told]) -> None:
    report.matched += done.matched
    report.added += done.added
    report.changed += done.changed
    report.unchanged += done.unchanged
    report.left_out += done.left_out
    report.held += done.held
    report.entries += done.entries
    for numbers, ambiguous in ((done.unmatched, False), (done.ambiguous, True)):
        report.loose += [Loose(rows[number].line, rows[number].order, rows[number].reference, ambiguous) for number in numbers]
    report.loose = sorted(report.loose, key=lambda loose: loose.line)[:MOST_LISTED]


def undo_charges(found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded) -> Undone:
    """Undo imports of one file of charges: what another file tells of the same charges stands again, the others are taken back."""
    FileImport.objects.filter(pk__in=[row.pk for row in found]).update(state=FileImport.State.UNDOING)
    undone = [row.pk for row in found]
    charged = written = 0
    for row in found:
        charged += len(charge_rows.keys_of(row.store_id, row.cause_ref))
        told_by = partial(_told_by, context_of(row.store, now))
        written += take_charges_back(row, undone, told_by, now=now, actor=actor, progress=progress, guard=guard)
        resolve_rates(row.store)
        move_undone(row, guard, now=now)
    return Undone(charged, written)


def _told_by(context: Context, row: FileImport) -> Iterator[list[ChargeFact]]:
    reader = ChargeReader(CHARGES[row.kind], from_json(row.template), context)
    for chunk in archived(row):
        partners = _partners(row.store, {reader.told(text).partner for _, texts in chunk for text in texts} - {""})
        yield _facts(chunk, reader, partners)[1]
