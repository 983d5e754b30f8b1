"""Import order lines: check the whole, then record chunk by chunk, archive what was read, and undo."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from msgspec import Struct

from connectors.file_kind import MOST_FIRST_ROWS, Guard, Progress, Undone, unguarded, untold
from connectors.imports import UNDONE, archive, archived, begin, finish, hold, move_undone, new_import, note_chunk
from connectors.models import FileImport, RawPayload
from connectors.platforms.files import order_lines, reading
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import Template, as_json, from_json
from connectors.spool import Spool, pack
from ledger.build import Zones
from ledger.cause import Cause
from ledger.charges import attach_waiting
from ledger.facts import OrderFact
from ledger.identity import customer_hash
from ledger.kinds import CauseKind, SaleKind
from ledger.models import Order, Store
from ledger.money import Tenk, minor_step, round_half_even
from ledger.record import Recorded, look, record
from ledger.reposting import adopt, resolve_rates, withdraw

KIND = "order-lines"
UNDONE_AT_ONCE = 1_000
TOLD_EVERY = 2_000
"""Rows between two notes of how far the check is."""


class Report(Struct):
    """What a file holds and what importing it did. Amounts are in ten-thousandths of the store's currency."""

    filename: str
    encoding: str
    delimiter: str
    import_id: int | None = None
    rows: int = 0
    orders: int = 0
    sale_orders: int = 0
    zero_orders: int = 0
    return_orders: int = 0
    file_total: Tenk = 0
    """Sum of every row in the store's currency, sales and costs alike, before rounding to the minor unit."""
    foreign_totals: dict[str, Tenk] = {}
    """The same for rows in other currencies, one sum each."""
    rounding: Tenk = 0
    """What rounding each entry to the minor unit takes away: file_total - rounding is in the book."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    entries: int = 0
    dropped_columns: list[str] = []
    unknown_countries: list[str] = []
    first_rows: list[tuple[int, order_lines.KeptRow]] = []


def import_order_lines(
    store: Store, path: Path, template: Template, *, now: datetime, actor: str = "", dry_run: bool = False,
    progress: Progress | None = None, row: FileImport | None = None, guard: Guard = unguarded,
) -> Report:  # fmt: skip
    """Check a file and, unless it is a dry run, record it; raise FileRefused with the rows that are wrong.

    `row` is an import that was opened before, by a request or by a run that was cut; it goes on under its number.
    """
    tell = progress or untold
    digest = reading.file_digest(path)
    dialect = reading.find_dialect(path, encoding=template.encoding, delimiter=template.delimiter)
    report = Report(path.name, dialect.encoding, dialect.delimiter)
    context = context_of(store, now)
    readers = order_lines.Readers(template, context)
    with Spool() as spool:
        _check(path, dialect, template, readers, spool, report, tell)
        mapper = order_lines.Mapper(template, context, readers)
        if dry_run:
            for chunk in spool.chunks():
                _look_at_chunk(store, [mapper.fact(order) for order in chunk], report)
                tell("comparing with orders that are known", report.orders, spool.orders)
            return report
        row = row or new_import(store, KIND, as_json(template), filename=path.name, sha256=digest, actor=actor, now=now)
        begin(row, guard, rows=spool.rows, orders=spool.orders)
        report.import_id = row.pk
        for number, chunk in enumerate(spool.chunks(), start=1):
            _record_chunk(row, store, number, chunk, mapper, report, guard)
            tell("recording orders", report.orders, spool.orders)
    resolve_rates(store)
    finish(row, guard, now=now)
    return report


def _look_at_chunk(store: Store, facts: Sequence[OrderFact], report: Report) -> None:
    for fact in facts:
        _count(report, fact, store.currency)
    would = look(store, facts)
    report.new += would.new
    report.changed += would.changed
    report.unchanged += would.unchanged


def context_of(store: Store, now: datetime) -> order_lines.Context:
    """Return what reading a store's order lines needs."""
    return order_lines.Context(Zones.load(store).zone_on, store.currency, now, lambda identity: customer_hash(store.pk, identity))


def _check(
    path: Path, dialect: reading.Dialect, template: Template, readers: order_lines.Readers, spool: Spool, report: Report, tell: Progress
) -> None:
    """Read and check every row into the spool; raise FileRefused when one is wrong."""
    rows = reading.rows(path, dialect)
    header = next(rows, None)
    if header is None:
        raise FileRefused(f"{path.name} is empty.")
    checker = order_lines.Checker(template, header[1], readers)
    keep, add = checker.keep, spool.add
    for line, fields in rows:
        row = keep(line, fields)
        if row is not None:
            add(row[0].strip(), row)
        if len(report.first_rows) < MOST_FIRST_ROWS and row is not None:
            report.first_rows.append((line, row))
        if not line % TOLD_EVERY:
            tell("checking rows", line, 0)
    if checker.faults:
        raise FileRefused(
            f"{checker.fault_count} row{'s are' if checker.fault_count > 1 else ' is'} wrong; nothing was imported.",
            tuple(checker.faults),
            checker.fault_count,
        )
    if not spool.rows:
        raise FileRefused(f"{path.name} has a header and no rows.")
    report.rows, report.dropped_columns, report.unknown_countries = spool.rows, checker.dropped, sorted(checker.unknown_countries)


def _record_chunk(
    row: FileImport, store: Store, number: int, chunk: list[order_lines.OrderRows], mapper: order_lines.Mapper, report: Report, guard: Guard
) -> None:
    """Record one chunk and archive it, unless the very same chunk stands archived already and says nothing new."""
    packed = pack(chunk)
    facts = [mapper.fact(order) for order in chunk]
    for fact in facts:
        _count(report, fact, store.currency)
    with transaction.atomic():
        if number <= hold(row).chunks_done:
            # An earlier run recorded it. What other imports have said of these orders since stands.
            return
        done = record(store, facts, cause=Cause(CauseKind.IMPORT, row.cause_ref, row.actor))
        if done.new or done.changed or not _is_archived(row, packed):
            archive(row, number, packed, orders=len(chunk))
        note_chunk(row, number, new=done.new, changed=done.changed, unchanged=done.unchanged)
        guard()
    report.new += done.new
    report.changed += done.changed
    report.unchanged += done.unchanged
    report.held += done.held
    report.entries += done.entries


def _is_archived(row: FileImport, packed: bytes) -> bool:
    """Tell whether an import of the same file, read the same way, keeps the very same chunk already."""
    same = FileImport.objects.filter(store=row.store, kind=KIND, sha256=row.sha256, template=row.template).exclude(state=FileImport.State.UNDONE)
    return RawPayload.objects.filter(file_import__in=same, sha256=hashlib.sha256(packed).hexdigest()).exists()


def _count(report: Report, fact: OrderFact, currency: str) -> None:
    report.orders += 1
    returned = any(sale.kind == SaleKind.RETURN for sale in fact.sales) and not any(sale.kind == SaleKind.ORDER for sale in fact.sales)
    sold = not returned and (fact.stated_total or fact.sales or not any(cost.amount < 0 for cost in fact.costs))
    report.return_orders += not sold
    report.sale_orders += bool(sold)
    report.zero_orders += bool(sold) and not fact.stated_total
    step = minor_step(currency)
    total = posted = 0
    for sale in fact.sales:
        total += sale.net + sale.tax
        parts = (sale.net + sale.discount, -sale.discount, sale.tax) if sale.line is not None else (sale.net, sale.tax)
        posted += sum([round_half_even(part, step) for part in parts])
    for cost in fact.costs:
        total += cost.amount
        posted += round_half_even(cost.amount, step)
    if fact.currency == currency:
        report.file_total += total
        report.rounding += total - posted
    else:
        report.foreign_totals[fact.currency] = report.foreign_totals.get(fact.currency, 0) + total


def undo_order_lines(found: Sequence[FileImport], *, now: datetime, actor: str = "", progress: Progress = untold, guard: Guard = unguarded) -> Undone:
    """Undo imports of one file with one template: their orders go back to what another import says, or are withdrawn."""
    for row in found:
        # First of all, so that a run of it that is under way records nothing after what is taken back here.
        FileImport.objects.filter(pk=row.pk).update(state=FileImport.State.UNDOING)
    undone = Undone()
    for row in found:
        others = FileImport.objects.filter(store=row.store, kind=KIND, template__platform=row.template["platform"])
        others = others.exclude(pk__in=[each.pk for each in found]).exclude(state__in=UNDONE).order_by("-pk")
        done = _undo(row, list(others), now, actor, progress, guard)
        undone = Undone(undone.orders + done.orders, undone.entries + done.entries)
    return undone


def _undo(row: FileImport, others: list[FileImport], now: datetime, actor: str, progress: Progress, guard: Guard) -> Undone:
    """Undo one import, newest of the others first. It is marked last, so a cut undo goes on when called again."""
    store, cause = row.store, Cause(CauseKind.UNDO, f"undo of {row.cause_ref}", actor)
    mine = dict(_mine(store, row).values_list("external_id", "pk"))
    whole, entries = len(mine), 0
    for other in others:
        for facts in _archived_facts(other, store, now, set(mine)):
            ids = [mine.pop(fact.external_id) for fact in facts]
            entries += _restore(store, facts, ids, row, other, actor, guard).entries
            progress("putting orders back", whole - len(mine), whole)
    ids = sorted(mine.values())
    for start in range(0, len(ids), UNDONE_AT_ONCE):
        with transaction.atomic():
            entries += withdraw(store, ids[start : start + UNDONE_AT_ONCE], only_cause=row.cause_ref, cause=cause, now=now).added
            guard()
        progress("taking orders out", whole - len(ids) + min(start + UNDONE_AT_ONCE, len(ids)), whole)
    # What files charge those orders with may belong to others that stand for them.
    attach_waiting(store, cause=cause)
    resolve_rates(store)
    move_undone(row, guard, now=now)
    return Undone(whole, entries)


def _mine(store: Store, row: FileImport) -> QuerySet[Order]:
    """Return the orders that an import was the last to change."""
    return Order.objects.filter(store=store, platform=row.template["platform"], cause_ref=row.cause_ref)


def _restore(store: Store, facts: list[OrderFact], ids: list[int], row: FileImport, other: FileImport, actor: str, guard: Guard) -> Recorded:
    """Let orders say again what another import says of them, as its own from now on.

    An order that a third import changed meanwhile is left as that one says.
    """
    with transaction.atomic():
        still = set(_mine(store, row).filter(pk__in=ids).order_by("pk").select_for_update().values_list("external_id", flat=True))
        facts = [fact for fact in facts if fact.external_id in still]
        done = record(store, facts, cause=Cause(CauseKind.UNDO, other.cause_ref, actor))
        adopt(store, ids, was=row.cause_ref, now=other.cause_ref)
        guard()
    return done


def _archived_facts(row: FileImport, store: Store, now: datetime, wanted: set[str]) -> Iterator[list[OrderFact]]:
    """Map an import's archived rows again, for the orders that are wanted."""
    template = from_json(row.template)
    context = context_of(store, now)
    mapper = order_lines.Mapper(template, context, order_lines.Readers(template, context))
    for chunk in archived(row):
        facts = [mapper.fact(order) for order in chunk if order[0] in wanted]
        if facts:
            yield facts
