"""Import the fee files of payment processors: check the whole, charge orders chunk by chunk, archive what was read, and undo.

Rows whose order is not known are taken too: their charges wait for it. Rows that tell no cost are added up by type and reason.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from msgspec import Struct, field

from connectors.files.costs.cost_imports import CostReport, checked, context_of, open_file, report_on
from connectors.files.costs.spend_imports import take_spend_back
from connectors.files.costs.undoing import take_charges_back
from connectors.files.imports import archive, archived, begin, finish, hold, is_archived, move_undone, note_chunk
from connectors.files.kind import MOST_LISTED, Guard, Loose, Progress, Undone, unguarded, untold
from connectors.files.spool import Order as OrderTexts
from connectors.files.spool import Spool, pack
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import Checker, Context, Options, as_json, from_json
from connectors.platforms.files.fee_columns import DIALECTS
from connectors.platforms.files.payment_fees import FeeReader, ToldFees
from ledger.advertising import spending
from ledger.advertising.ad_plan import Spent
from ledger.book.reposting import resolve_rates
from ledger.charges import charge_rows, charges
from ledger.charges.charges import Charged, ChargeFact
from ledger.facts import AdDayFact
from ledger.money import Tenk


class LeftOut(Struct):
    """Rows of one type that are not booked, or not wholly, and why; amounts by currency, as the file signs them."""

    type: str
    why: str
    is_odd: bool
    """A person should look at them: nobody knows what they are about, or they may cost something."""
    rows: int = 0
    amounts: dict[str, Tenk] = field(default_factory=dict)
    fees: dict[str, Tenk] = field(default_factory=dict)
    """Fees of these rows that are not booked either."""


class FeeReport(Struct):
    """What a fee file holds and what importing it did. Amounts are in ten-thousandths of their currency."""

    file: CostReport
    fees: dict[str, Tenk] = field(default_factory=dict)
    """What every row says was kept, by currency."""
    vat: dict[str, Tenk] = field(default_factory=dict)
    advertised: dict[str, Tenk] = field(default_factory=dict)
    left_out: dict[tuple[str, str], LeftOut] = field(default_factory=dict)
    told_twice: int = 0
    telling: int = 0
    """Rows that tell a cost of an order."""
    odd: list[ToldFees] = field(default_factory=list)
    """The first of the rows that a person should look at."""
    odd_count: int = 0
    elsewhere: list[ToldFees] = field(default_factory=list)
    """The first of the rows that tell a fee of an order which was paid otherwise."""
    elsewhere_count: int = 0


class Chunk(NamedTuple):
    """What the rows of a chunk tell: charges, each with its row, and advertising."""

    texts: list[OrderTexts]
    rows: list[ToldFees]
    charges: list[ChargeFact]
    spend: list[AdDayFact]
    told_twice: int


def import_fees(
    row: FileImport, path: Path, *, options: Options, now: datetime, progress: Progress = untold, guard: Guard = unguarded, dry_run: bool = False
) -> FeeReport:  # fmt: skip
    """Check a file and, unless it is a dry run, charge orders with its rows; raise FileRefused with the rows that are wrong."""
    kind, context = DIALECTS[row.kind].kind, context_of(row.store, now)
    opened = open_file(path, kind, options, context)
    report = FeeReport(report_on(opened, kind))
    reader = FeeReader(kind, opened.found.layout, context)
    with Spool() as spool:
        for kept in checked(opened, kind, Checker(kind, opened.found, reader.check, opened.width), report.file, progress):
            told = reader.told(kept)
            _count_row(report, told)
            spool.add(told.order, reader.cut(kept))
        report.file.first_rows = [reader.cut(kept) for kept in report.file.first_rows]
        chunks = (chunk_of(texts, reader) for texts in spool.chunks())
        if dry_run:
            for chunk in chunks:
                _count(report, charges.look(row.store, chunk.charges), spending.look(row.store, chunk.spend), chunk)
            return report
        begin(row, guard, rows=report.file.rows, orders=spool.orders, template=as_json(opened.found.layout), matched=0)
        report.file.import_id = row.pk
        done = 0
        for number, chunk in enumerate(chunks, start=1):
            _take_chunk(row, number, chunk, report, now, guard)
            done += sum(len(texts) for _, texts in chunk.texts)
            progress("charging orders", done, report.file.rows)
    resolve_rates(row.store)
    finish(row, guard, now=now, matched=report.file.matched)
    return report


def chunk_of(texts: list[OrderTexts], reader: FeeReader) -> Chunk:
    """Read a chunk's rows again and return what they tell."""
    chunk = Chunk(texts, [], [], [], 0)
    for _, rows in texts:
        told = [reader.told(row) for row in rows]
        homes, facts = reader.facts(told)
        chunk.rows.extend(homes)
        chunk.charges.extend(facts)
        chunk.spend.extend(reader.spend(told))
        chunk = chunk._replace(told_twice=chunk.told_twice + reader.told_twice(told))
    return chunk


def _count_row(report: FeeReport, row: ToldFees) -> None:
    _plus(report.file.totals, row.currency, row.amount)
    _plus(report.fees, row.currency, row.fee)
    if row.why_not or row.amount_why_not:
        _leave_out(report, row)
    if row.why_not:
        return
    if row.is_advertising:
        _plus(report.advertised, row.currency, row.fee - row.amount)
        return
    report.telling += 1
    _plus(report.vat, row.currency, row.vat)


def _leave_out(report: FeeReport, row: ToldFees) -> None:
    """Add up a row that is not booked, or of which the fee alone is, and list it where a person should see it."""
    why = row.why_not or f"{row.amount_why_not}; its fee is booked"
    left = report.left_out.setdefault((row.type, why), LeftOut(row.type, why, row.is_odd))
    left.rows += 1
    _plus(left.amounts, row.currency, row.amount)
    if row.why_not and row.fee:
        _plus(left.fees, row.currency, row.fee)
    if row.is_odd:
        report.odd_count += 1
        if len(report.odd) < MOST_LISTED:
            report.odd.append(row)


def _plus(sums: dict[str, Tenk], currency: str, amount: Tenk) -> None:
    sums[currency] = sums.get(currency, 0) + amount


def _take_chunk(row: FileImport, number: int, chunk: Chunk, report: FeeReport, now: datetime, guard: Guard) -> None:
    """Charge orders with one chunk and archive it, in one transaction; what an earlier run charged is only counted."""
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            _count(report, charges.look(row.store, chunk.charges), spending.look(row.store, chunk.spend), chunk)
            return
        charged = charges.record_charges(row.store, chunk.charges, cause_ref=row.cause_ref, actor=row.actor, now=now)
        spent = spending.record_spend(row.store, chunk.spend, cause_ref=row.cause_ref, actor=row.actor, now=now)
        packed = pack(chunk.texts)
        new, changed = charged.added + spent.added, charged.changed + spent.changed
        if new or changed or not is_archived(row.store, row, packed):
            archive(row, number, packed, orders=len(chunk.texts), names=[name for name, _ in chunk.texts])
        note_chunk(row, number, new=new, changed=changed, unchanged=charged.unchanged + spent.unchanged)
        guard()
    _count(report, charged, spent, chunk)


def _count(report: FeeReport, charged: Charged, spent: Spent, chunk: Chunk) -> None:
    file = report.file
    file.added += charged.added + spent.added
    file.changed += charged.changed + spent.changed
    file.unchanged += charged.unchanged + spent.unchanged
    file.left_out += charged.left_out
    file.held += charged.held
    file.entries += charged.entries + spent.entries
    report.told_twice += chunk.told_twice
    elsewhere = list({chunk.rows[number].line: chunk.rows[number] for number in charged.elsewhere}.values())
    report.elsewhere_count += len(elsewhere)
    report.elsewhere = sorted([*report.elsewhere, *elsewhere], key=lambda row: row.line)[:MOST_LISTED]
    # a row may tell two charges: what is withdrawn, and the fee of it
    loose = {
        row.line: Loose(row.line, row.order, row.reference, ambiguous)
        for numbers, ambiguous in ((charged.unmatched, False), (charged.ambiguous, True)) for row in (chunk.rows[number] for number in numbers)
    }  # fmt: skip
    file.matched += len({row.line for row in chunk.rows} - loose.keys())
    file.loose = sorted([*file.loose, *loose.values()], key=lambda each: each.line)[:MOST_LISTED]


def loose_count(report: FeeReport) -> int:
    """Return how many rows tell a cost of an order that is not known."""
    return report.telling - report.told_twice - report.file.matched


def undo_fees(found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded) -> Undone:
    """Undo imports of one fee file: what another file tells of the same fees stands again, the others are taken back."""
    FileImport.objects.filter(pk__in=[row.pk for row in found]).update(state=FileImport.State.UNDOING)
    undone = [row.pk for row in found]
    charged = written = 0
    for row in found:
        charged += len(charge_rows.keys_of(row.store_id, row.cause_ref)) + spending.count(row.store, row.cause_ref)
        written += take_charges_back(row, undone, partial(_charges, context_of(row.store, now)), now=now, actor=actor, progress=progress, guard=guard)
        written += take_spend_back(row, undone, _advertising, now=now, actor=actor, guard=guard)
        resolve_rates(row.store)
        move_undone(row, guard, now=now)
    return Undone(charged, written)


def _chunks(row: FileImport, context: Context) -> Iterator[Chunk]:
    """Yield what an archived import of a fee file tells; nothing for any other file."""
    if row.kind in DIALECTS:
        reader = FeeReader(DIALECTS[row.kind].kind, from_json(row.template), context)
        yield from (chunk_of(texts, reader) for texts in archived(row))


def _advertising(row: FileImport, context: Context) -> Iterator[list[AdDayFact]]:
    return (chunk.spend for chunk in _chunks(row, context))


def _charges(context: Context, row: FileImport) -> Iterator[list[ChargeFact]]:
    return (chunk.charges for chunk in _chunks(row, context))
